"""The real discord.py, pointed at a stand-in: for the tests of the stand-in itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeVar

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.support.discord.server import DiscordServer


def intents(*, content: bool = True) -> discord.Intents:
    """What the reference asks for ([1])."""
    wanted = discord.Intents.none()
    wanted.guilds = wanted.guild_messages = wanted.dm_messages = True
    wanted.message_content = content
    return wanted


class Hearing:
    """What a client of the tests does: it notes every event, and starts its shards without a pause between them."""

    heard: list[tuple[str, Any]]
    server: DiscordServer
    work: asyncio.Future[None]  # what `start` does; over when it has ended or raised

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        super().dispatch(event, *args, **kwargs)  # type: ignore[misc]  # the client's, in the classes below
        self.heard.append((event, args))
        self.server.look_again()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Nothing: the SDK's own waits five real seconds ([2.4])."""

    def said(self) -> list[str]:
        """The texts of the messages that came, in order."""
        return [args[0].content for event, args in self.heard if event == "message"]

    def names(self) -> list[str]:
        """The events that came, without the raw ones."""
        return [event for event, _ in self.heard if not event.startswith(("socket", "raw"))]


class Client(Hearing, discord.Client):
    """A client that listens."""

    def __init__(self, server: DiscordServer, **options: Any) -> None:
        self.heard, self.server = [], server
        options.setdefault("intents", intents())
        super().__init__(guild_ready_timeout=0.05, **options)


class ShardedClient(Hearing, discord.AutoShardedClient):
    """A client of several shards that listens."""

    def __init__(self, server: DiscordServer, **options: Any) -> None:
        self.heard, self.server = [], server
        options.setdefault("intents", intents())
        super().__init__(guild_ready_timeout=0.05, **options)


Bot = TypeVar("Bot", bound=Client | ShardedClient)


@contextmanager
def pointed_at(server: DiscordServer) -> Iterator[None]:
    """Let discord.py take this server for Discord ([9.1])."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = server.api_url, yarl.URL(server.gateway_url)
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


@asynccontextmanager
async def running(server: DiscordServer, bot: Bot) -> AsyncIterator[Bot]:
    """Run a client until the context is left. What it raises before it is ready is raised here."""
    with pointed_at(server):
        work = bot.work = asyncio.ensure_future(bot.start(server.token))
        work.add_done_callback(lambda _: server.look_again())
        try:
            await server.until(lambda: work.done() or bot.is_ready())
            if work.done():
                await work
            yield bot
        finally:
            await bot.close()
            with suppress(discord.DiscordException, asyncio.CancelledError):
                await work


@asynccontextmanager
async def client_on(server: DiscordServer, **options: Any) -> AsyncIterator[Client]:
    """A client that is connected and ready."""
    async with running(server, Client(server, **options)) as client:
        yield client


@asynccontextmanager
async def sharded_on(server: DiscordServer, **options: Any) -> AsyncIterator[ShardedClient]:
    """A client of shards that are connected and ready."""
    async with running(server, ShardedClient(server, **options)) as client:
        yield client


@asynccontextmanager
async def logged_in(server: DiscordServer, **options: Any) -> AsyncIterator[Client]:
    """A client that only asks and sends: it has no connection to the gateway ([2.4])."""
    with pointed_at(server):
        async with Client(server, **options) as client:
            await client.login(server.token)
            yield client


async def refused(asked: Awaitable[object]) -> tuple[int, int]:
    """The status and Discord's code a call is refused with. Raises AssertionError when it is not."""
    try:
        answered = await asked
    except discord.HTTPException as error:
        return error.status, error.code
    raise AssertionError(f"answered with {answered}")
