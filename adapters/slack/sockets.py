"""Socket Mode: several sockets held open, and every event stored before it is acknowledged.

The SDK mends most of what can happen to a socket by itself. What it cannot mend (a ticket spent on a connection that
failed is tried for ever, a task of its own that died is missed by nobody) is mended here by beginning anew.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from adapters.slack.checks import app_token_sentence, read_refusal, retry_after
from bot.condition import Condition
from bot.errands import Errands

logger = logging.getLogger(__name__)

Accept = Callable[[Mapping[str, object]], Awaitable[bool]]
"""Stores what an event says; whether it may be acknowledged."""

_CLOSING = 1.0  # seconds that an old socket is given to say goodbye


class Sockets:
    """Holds some sockets of one app open, each by a task of its own.

    Args:
        accept: told every event; what it does not accept is not acknowledged, so that Slack sends it again.
        number: sockets held. With one, every refresh by Slack would leave a hole.
        ping: seconds between two signs of life asked of a socket.
        quiet: seconds without any sign of life after which a socket is probed and, if that fails, replaced.
        patience: seconds a connection may take, and a socket may be closed, before it is replaced.
        pause: seconds before another attempt to connect; doubles up to *longest_pause*.
    """

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        *,
        accept: Accept,
        condition: Condition,
        app_id: str | None = None,
        number: int = 2,
        ping: float = 10.0,
        quiet: float = 60.0,
        patience: float = 30.0,
        pause: float = 1.0,
        longest_pause: float = 60.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._app, self._app_token, self._accept = app, app_token, accept
        self._condition, self._app_id = condition, app_id
        self._number, self._ping, self._quiet, self._patience = number, ping, quiet, patience
        self._pause, self._longest_pause = pause, longest_pause
        self._sleep = sleep
        self._up: set[int] = set()
        self._first_up = asyncio.Event()
        self._at_work = 0  # envelopes that came in and are not answered yet
        self._idle = asyncio.Event()
        self._is_closing = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Hold the sockets while the block runs, which begins when the first is open. Leaving it takes nothing more."""
        async with Errands() as errands:
            for number in range(self._number):
                errands.start(self._hold(number))
            try:
                await self._first_up.wait()
                yield
            finally:
                self._is_closing = True
                await self._settle()

    async def _settle(self) -> None:
        """Let what came in be stored and acknowledged."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING):
                while self._at_work:
                    self._idle.clear()
                    await self._idle.wait()

    # --- one socket -----------------------------------------------------------------------------

    async def _hold(self, number: int) -> None:
        while True:
            url = await self._ticket()
            handler = self._handler(url)
            try:
                async with asyncio.timeout(self._patience):
                    await handler.connect_async()  # type: ignore[no-untyped-call]
                self._is_up(number)
                await self._until_dead(handler.client)
                logger.warning("socket replaced", extra={"socket": number})
            except TimeoutError:
                logger.warning("socket does not open, trying again", extra={"socket": number})
            except Exception:
                # One socket must never take the others with it, nor the process.
                logger.exception("socket failed", extra={"socket": number})
                await self._sleep(self._pause)
            finally:
                self._is_down(number)
                await _close(handler.client)

    async def _ticket(self) -> str:
        """The address of a new socket, which is good once."""
        pause = self._pause
        while True:
            try:
                told = await self._app.client.apps_connections_open(app_token=self._app_token)
                url = str(told["url"])
            except Exception as error:  # the SDK raises whatever a broken answer makes it stumble over
                refusal = read_refusal(error)
                if refusal is not None:
                    self._condition.is_wrong("app token", app_token_sentence(refusal))
                    pause = self._longest_pause  # it is not for us to mend; but somebody may
                wait = max(pause, retry_after(error))
                logger.warning(
                    "no socket to be had, trying again", extra={"error": type(error).__name__, "seconds": wait}
                )
                await self._sleep(wait)
                pause = min(2 * pause, self._longest_pause)
            else:
                self._condition.is_well("app token")
                return url

    def _handler(self, url: str) -> AsyncSocketModeHandler:
        handler = AsyncSocketModeHandler(self._app, self._app_token, ping_interval=self._ping)
        client = handler.client
        client.wss_uri = url
        # Bolt acknowledges an event before anybody has stored it, so events do not go its way.
        client.socket_mode_request_listeners.remove(handler.handle)  # type: ignore[arg-type]

        async def on_request(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
            await self._take(handler, client, request)

        async def on_message(client: AsyncBaseSocketModeClient, message: dict[str, object], raw: str | None) -> None:
            if message.get("type") == "hello":
                self._greet(message)

        client.socket_mode_request_listeners.append(on_request)
        client.message_listeners.append(on_message)
        return handler

    async def _take(
        self, handler: AsyncSocketModeHandler, client: AsyncBaseSocketModeClient, request: SocketModeRequest
    ) -> None:
        if self._is_closing:
            return  # not acknowledged: it comes again, to the next process
        self._at_work += 1
        try:
            if request.type != "events_api":
                await handler.handle(client, request)  # type: ignore[arg-type]
            elif await self._accept(request.payload):
                await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        except ConnectionError as error:
            # Stored and not acknowledged: it comes again, and is known then.
            logger.info("acknowledgement not sent", extra={"reason": str(error)})
        except Exception:
            logger.exception("envelope failed in a way nobody foresaw", extra={"kind": request.type})
        finally:
            self._at_work -= 1
            self._idle.set()

    def _greet(self, hello: Mapping[str, object]) -> None:
        info = hello.get("connection_info")
        app_id = info.get("app_id") if isinstance(info, Mapping) else None
        if self._app_id and isinstance(app_id, str) and app_id != self._app_id:
            self._condition.is_wrong(
                "apps",
                f"SLACK_APP_TOKEN is of the app {app_id} and SLACK_BOT_TOKEN of {self._app_id}, so that nothing "
                "arrives; take both from the same app.",
            )

    # --- is it alive? ---------------------------------------------------------------------------

    async def _until_dead(self, client: SocketModeClient) -> None:
        """Return when the socket has been closed for too long, or is open and dead."""
        opened_at, closed_since = time.time(), 0.0
        while True:
            await self._sleep(min(self._ping, self._patience, self._quiet) / 2)
            if any(task is not None and task.done() for task in _tasks_of(client)):
                return  # the SDK would never miss it
            now, session = time.time(), client.current_session  # the SDK's own stamps are of this clock
            if session is None or session.closed or client.stale:
                closed_since = closed_since or now
                if now - closed_since >= self._patience:
                    return
                continue
            closed_since = 0.0
            last_sign = client.last_ping_pong_time or opened_at
            if now - last_sign >= self._quiet and not await self._answers(client):
                return

    async def _answers(self, client: SocketModeClient) -> bool:
        """Probe a quiet socket; whether a sign of life came back."""
        session, before = client.current_session, client.last_ping_pong_time
        if session is None:
            return False
        with suppress(ConnectionError, RuntimeError):
            # Spelt as the SDK spells its own, so that it takes the answer for one to those.
            await session.ping(f"sdk-ping-pong:{time.time()}".encode())
        await self._sleep(self._ping)
        return client.last_ping_pong_time != before

    def _is_up(self, number: int) -> None:
        self._up.add(number)
        self._first_up.set()
        self._condition.is_well("sockets")

    def _is_down(self, number: int) -> None:
        self._up.discard(number)
        if not self._up and not self._is_closing:
            self._condition.is_wrong("sockets", "No socket to Slack is open.")


def _tasks_of(client: SocketModeClient) -> tuple["asyncio.Future[Any] | None", ...]:
    return client.message_processor, client.message_receiver, client.current_session_monitor


async def _close(client: SocketModeClient) -> None:
    """Close a socket and all the SDK holds for it, whatever state it is in."""
    client.closed = True
    client.auto_reconnect_enabled = False
    with suppress(TimeoutError, ConnectionError):
        # On a line that is dead the goodbye would wait for its answer.
        async with asyncio.timeout(_CLOSING):
            await client.disconnect()  # type: ignore[no-untyped-call]
    await client.close()  # type: ignore[no-untyped-call]
