"""What the calls to Discord go over: one logged-in client for the whole life of the process, and what it is allowed."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient
from pydantic import SecretStr

from adapters.discord.calls import Route
from adapters.discord.gateway import BAD_TOKEN
from adapters.discord.payloads import fields, is_id
from bot.condition import Condition
from bot.errors import StartError

logger = logging.getLogger(__name__)

_LONGEST_WAIT: Final = 60.0  # seconds that the library waits for a full bucket
_WINDOW: Final = 600.0  # seconds
_MOST_INVALID: Final = 8_000  # answers of 401, 403 and 429 in a window; at 10,000 Discord shuts the address out


class DiscordSettings(Protocol):
    """What is set for Discord."""

    @property
    def token(self) -> SecretStr | None: ...
    @property
    def api_url(self) -> str: ...
    @property
    def gateway_url(self) -> str: ...
    @property
    def file_hosts(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bot is."""

    user_id: str
    name: str
    application_id: str


class InvalidAnswers:
    """Counts the answers for which Discord shuts an address out when there are too many.

    Args:
        clock: seconds from any beginning.
        most: in ten minutes; the next ones would be dangerous.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, most: int = _MOST_INVALID) -> None:
        self._clock, self._most = clock, most
        self._times: deque[float] = deque(maxlen=most)
        self._was_said = False

    def count(self, status: int, headers: Mapping[str, str]) -> None:
        """Note an answer. A rate limit that all apps share is nobody's fault."""
        if status in {401, 403} or (status == 429 and headers.get("X-RateLimit-Scope") != "shared"):
            self._times.append(self._clock())

    def are_too_many(self) -> bool:
        """Whether whatever can be left out should be."""
        while self._times and self._times[0] < self._clock() - _WINDOW:
            self._times.popleft()
        are_many = len(self._times) >= self._most
        if are_many and not self._was_said:
            logger.error("Discord is about to shut this address out", extra={"answers": len(self._times)})
        self._was_said = are_many
        return are_many


class Line:
    """A client that makes calls, and a session of its own for files, which never sees the token."""

    def __init__(self, client: discord.Client, session: aiohttp.ClientSession, invalid: InvalidAnswers) -> None:
        self._client, self.session, self.invalid = client, session, invalid

    @property
    def http(self) -> HTTPClient:
        """What calls go over, once `log_in` was done."""
        return self._client.http

    async def log_in(
        self,
        token: str,
        *,
        condition: Condition | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        pause: float = 1.0,
        longest_pause: float = 60.0,
    ) -> Identity:
        """Try the token and learn who we are. Trouble that waiting mends is waited out.

        Args:
            condition: told meanwhile that Discord cannot be reached.

        Raises:
            StartError: Discord does not accept the token.
        """
        while True:
            try:
                user = fields(await self.http.static_login(token.strip()))
                application = fields(await self.http.request(Route("GET", "/oauth2/applications/@me")))
                user_id, application_id = user.get("id"), application.get("id")
                if is_id(user_id) and is_id(application_id):
                    if condition is not None:
                        condition.is_well("api")
                    return Identity(user_id, str(user.get("username") or "Clew"), application_id)
                reason = "an answer without ids"
            except discord.LoginFailure as error:
                raise StartError(BAD_TOKEN) from error
            except Exception as error:  # the library raises whatever a broken answer makes it stumble over
                reason = type(error).__name__
            if condition is not None:
                condition.is_wrong("api", "Discord cannot be reached; it is tried again and again.")
            logger.warning("Discord cannot be asked, trying again", extra={"reason": reason, "seconds": pause})
            await self.http.close()
            self.http.connector = discord.utils.MISSING  # closed with the session; the next attempt makes both anew
            await sleep(pause)
            pause = min(2 * pause, longest_pause)


@asynccontextmanager
async def open_line(settings: DiscordSettings, *, most_invalid: int = _MOST_INVALID) -> AsyncIterator[Line]:
    """A client that is not logged in yet. Closed after the last turn.

    Args:
        most_invalid: see `InvalidAnswers`.
    """
    # The library's lines about rate limits name addresses, and those of interactions hold their tokens; about lost
    # connections it writes a traceback every few seconds; and it warns of voice, which nothing here speaks. What
    # matters of all that has a line of our own.
    for name in ("discord.http", "discord.shard", "discord.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # The library knows one Discord for the whole process.
    Route.BASE = settings.api_url
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.gateway_url)
    invalid = InvalidAnswers(most=most_invalid)
    trace = aiohttp.TraceConfig()

    async def ended(_: object, __: object, given: aiohttp.TraceRequestEndParams) -> None:
        invalid.count(given.response.status, given.response.headers)

    trace.on_request_end.append(ended)
    client = discord.Client(
        intents=discord.Intents(guilds=True),  # without, the library warns; it never connects
        allowed_mentions=discord.AllowedMentions.none(),
        max_ratelimit_timeout=_LONGEST_WAIT,
        http_trace=trace,
    )
    async with client, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Line(client, session, invalid)
