"""The real SDK, pointed at a stand-in: for the tests of the stand-in itself."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from tests.support.slack.server import SlackServer

Listener = Callable[[SocketModeRequest], Awaitable[bool]]


def client_of(
    slack: SlackServer, *, token: str | None = None, retry_handlers: Sequence[AsyncRetryHandler] | None = ()
) -> AsyncWebClient:
    """A client of the workspace that never tries anything twice, unless told to (None: the SDK's default)."""
    handlers = None if retry_handlers is None else list(retry_handlers)
    client = AsyncWebClient(token=token or slack.bot_token, base_url=slack.api_url, retry_handlers=handlers, timeout=5)
    client.proxy = None  # a proxy of the developer's machine does not know loopback
    return client


async def refused(asked: Awaitable[object]) -> str:
    """The error a call is refused with. Raises AssertionError when it is not."""
    try:
        answered = await asked
    except SlackApiError as error:
        return str(error.response["error"])
    raise AssertionError(f"answered with {answered}")


async def asked(slack: SlackServer, **said: Any) -> tuple[AsyncWebClient, dict[str, Any]]:
    """A client, and where to answer a question that was just asked: channel and thread_ts."""
    ts = await slack.says("ada", "hello", **said)
    post = slack.find(ts)
    return client_of(slack), {"channel": post.channel, "thread_ts": ts}


def recipient(slack: SlackServer) -> dict[str, Any]:
    return {"recipient_team_id": slack.team_id, "recipient_user_id": slack.person("ada")}


@asynccontextmanager
async def bolt_on(slack: SlackServer, app: AsyncApp, *, ping_interval: float = 1) -> AsyncIterator[None]:
    """A Bolt app, connected over one socket."""
    handler = AsyncSocketModeHandler(app, slack.app_token, ping_interval=ping_interval)
    handler.client.proxy = None
    try:
        await handler.connect_async()  # type: ignore[no-untyped-call]  # untyped in Bolt
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]  # untyped in Bolt


@asynccontextmanager
async def listener_on(
    slack: SlackServer, listener: Listener | None = None, *, sockets: int = 1, ping_interval: float = 1
) -> AsyncIterator[list[SocketModeRequest]]:
    """Bare sockets; what came over them is in the list. The listener says whether to acknowledge, without one: yes."""
    heard: list[SocketModeRequest] = []

    async def listen(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        heard.append(request)
        slack.look_again()
        if listener is None or await listener(request):
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    async with AsyncExitStack() as stack:
        for _ in range(sockets):
            client = SocketModeClient(slack.app_token, web_client=client_of(slack), ping_interval=ping_interval)
            client.proxy = None
            client.socket_mode_request_listeners.append(listen)
            stack.push_async_callback(client.close)
            await client.connect()  # type: ignore[no-untyped-call]  # untyped in the SDK
        await slack.connected(sockets)
        yield heard


@asynccontextmanager
async def web_app_on(app: web.Application) -> AsyncIterator[str]:
    """Serve an application on loopback; its address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
