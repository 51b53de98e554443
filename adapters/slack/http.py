"""Events, commands and clicks over HTTP: signed by Slack, stored, and only then answered with success."""

import errno
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import Clock, SignatureVerifier

from adapters.slack.manifest import HTTP_PATH
from bot.errors import StartError

logger = logging.getLogger(__name__)

EVERYWHERE = "0.0.0.0"  # noqa: S104  # Slack reaches it through somebody's proxy; every request is signed
_LARGEST_BODY = 4_000_000  # bytes; events carry text and the descriptions of files
_SHUTDOWN = 3.0  # seconds that requests are given to finish: as long as Slack waits for them

Accept = Callable[[Mapping[str, object]], Awaitable[bool]]
"""Stores what an event says; whether it may be acknowledged."""


class _SlackClock(Clock):
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def now(self) -> float:
        return self._now()


class HttpEvents:
    """Takes Slack's requests at `HTTP_PATH`.

    Args:
        accept: told every event; what it does not accept is answered with 503, so that Slack sends it again.
        port: 0 is any free one.
        now: seconds since the epoch, for recognising requests that are sent again by somebody else.
    """

    def __init__(
        self,
        app: AsyncApp,
        signing_secret: str,
        *,
        accept: Accept,
        port: int,
        host: str = EVERYWHERE,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._app, self._accept, self._host, self._port = app, accept, host, port
        self._verifier = SignatureVerifier(signing_secret, _SlackClock(now))
        self._is_closing = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        """Listen while the block runs, and yield the port.

        Raises:
            StartError: the port is taken.
        """
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_post(HTTP_PATH, self._take)
        runner = web.AppRunner(application, handle_signals=False, access_log=None, shutdown_timeout=_SHUTDOWN)
        await runner.setup()
        try:
            yield await self._listen(runner)
        finally:
            self._is_closing = True
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> int:
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            reason = "is taken already" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise StartError(
                f"Port {self._port} {reason}; set SLACK_PORT to another one, or to 0 for any free one."
            ) from error
        return int(runner.addresses[0][1])

    async def _take(self, request: web.Request) -> web.Response:
        raw = await request.read()
        if not self._is_signed(raw, request):
            logger.warning("request refused, its signature does not match or is old")
            return web.Response(status=401)
        if self._is_closing:
            return web.Response(status=503)
        if request.content_type != "application/json":
            return await self._pass_on(request)
        body = _read_json(raw)
        match body.get("type"):
            case "url_verification":
                return web.json_response({"challenge": str(body.get("challenge", ""))})
            case None:
                return web.Response(status=400)
            case _:
                return web.Response(status=200 if await self._accept(body) else 503)

    async def _pass_on(self, request: web.Request) -> web.Response:
        """Commands, buttons and shortcuts come as forms, and are for Bolt."""
        try:
            asked = await to_bolt_request(request)
        except (ValueError, AttributeError, TypeError, RecursionError):  # Bolt believes that it is what Slack sends
            return web.Response(status=400)
        return await to_aiohttp_response(await self._app.async_dispatch(asked))

    def _is_signed(self, raw: bytes, request: web.Request) -> bool:
        try:
            return self._verifier.is_valid_request(raw, dict(request.headers))
        # A timestamp that is no number, a body that is no text; a signature that is not ASCII cannot be compared.
        except (ValueError, TypeError):
            return False


def _read_json(raw: bytes) -> Mapping[str, object]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
