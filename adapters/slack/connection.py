"""What the connection to Slack is made of: the settings, the SDK's client, and the way in for whatever arrives."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import aiohttp
from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.http import EVERYWHERE, HttpEvents
from adapters.slack.ingest import Ingest
from adapters.slack.manifest import HTTP_PATH
from adapters.slack.sockets import Sockets
from adapters.slack.workspace import Workspace
from bot.condition import Condition
from bot.errors import SettingsError
from bot.watching import AGAIN

_CALL = aiohttp.ClientTimeout(total=30, sock_connect=10)  # seconds; files bring their own


class SlackSettings(Protocol):
    """What is set for Slack. Without an app token events come over HTTP."""

    @property
    def bot_token(self) -> SecretStr | None: ...
    @property
    def app_token(self) -> SecretStr | None: ...
    @property
    def signing_secret(self) -> SecretStr | None: ...
    @property
    def port(self) -> int: ...  # 0: any free one
    @property
    def api_url(self) -> str: ...
    @property
    def file_hosts(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often things are done, in seconds; tests have less time."""

    ping: float = 10.0  # between two signs of life asked of a socket
    quiet: float = 60.0  # without one, until a socket is probed
    patience: float = 30.0  # that a connection may take, or be gone
    pause: float = 1.0  # before another attempt; doubles up to *longest_pause*
    longest_pause: float = 60.0
    ack: float = 2.0  # that storing an event or a command may take; Slack waits for 3
    token: float = 300.0  # between two looks whether the token is still good
    catch_up: float = 1.0  # between two requests of reading what was missed
    again: tuple[float, ...] = AGAIN  # after a thread's last activity, until it is read again


@dataclass(frozen=True, slots=True)
class Access:
    """The tokens, whole: a bot token, and an app token or a signing secret."""

    bot_token: str
    app_token: str | None
    signing_secret: str


def read_access(settings: SlackSettings) -> Access:
    """The tokens out of the settings. Raises SettingsError when they are half set."""
    bot_token, app_token, secret = (
        None if value is None else value.get_secret_value()
        for value in (settings.bot_token, settings.app_token, settings.signing_secret)
    )
    if bot_token is None or (app_token is None and secret is None):
        raise SettingsError("Slack needs SLACK_BOT_TOKEN, and SLACK_APP_TOKEN or SLACK_SIGNING_SECRET.")
    return Access(bot_token, app_token, secret or "")


@dataclass(frozen=True, slots=True)
class Line:
    """The SDK's client, the session it speaks over, and the time in which Slack's limits are kept.

    Attributes:
        clock: seconds from any beginning.
        sleep: waits so many of them. Both are those of whoever serves at the other end, a stand-in in a hurry perhaps.
    """

    client: AsyncWebClient
    session: aiohttp.ClientSession
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@asynccontextmanager
async def open_line(settings: SlackSettings) -> AsyncIterator[Line]:
    """A line to Slack. It has to outlive the turns, which answer to the last; nothing is said over it yet."""
    # The proxy of the environment is for files; calls get it from the SDK.
    async with aiohttp.ClientSession(timeout=_CALL, trust_env=True) as session:
        client = AsyncWebClient(
            token=read_access(settings).bot_token,
            base_url=settings.api_url,
            session=session,
            retry_handlers=[],  # they would post a second time what seemed to fail
        )
        yield Line(client, session)


@asynccontextmanager
async def listening(
    app: AsyncApp,
    ingest: Ingest,
    me: Workspace,
    *,
    access: Access,
    condition: Condition,
    rhythm: Rhythm,
    port: int,
    host: str = EVERYWHERE,
    now: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[str]:
    """Hear what Slack tells while the block runs; yield the way it comes. Left, it takes nothing more.

    Raises:
        StartError: the port for events is taken.
    """
    if access.app_token is None:
        events = HttpEvents(app, access.signing_secret, accept=ingest.accept, port=port, host=host, now=now)
        async with events.open() as bound:
            yield f"over HTTP at port {bound}, {HTTP_PATH}"
        return
    sockets = Sockets(
        app,
        access.app_token,
        accept=ingest.accept,
        condition=condition,
        app_id=me.app_id,
        ping=rhythm.ping,
        quiet=rhythm.quiet,
        patience=rhythm.patience,
        pause=rhythm.pause,
        longest_pause=rhythm.longest_pause,
        sleep=sleep,
    )
    async with sockets.open():
        yield "over Socket Mode"
