"""What looks for messages that no event told of, on the loopback Discord, with a list that takes what is found."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.discord.calls import Calls
from adapters.discord.catchup import CatchUp
from adapters.discord.gaps import Gaps
from adapters.discord.line import open_line
from adapters.discord.people import Me
from adapters.discord.places import DIRECT, DISCORD
from adapters.discord.threads import Threads
from bot.messages import Address, Message, MessageId, Person, PersonId, Thread
from bot.metrics import Metrics
from bot.ports import Store
from storage.sqlite import open_store
from tests.support.discord import DiscordServer, discord_server
from tests.support.discord_clew import set_for
from tests.support.slack_clew import until_logged

READ: Final = "GET /channels/*/messages"


@dataclass
class Desk:
    """What looks for direct messages, and takes them."""

    discord: DiscordServer
    store: Store
    calls: Calls
    found: list[str] = field(default_factory=list)

    async def take(self, body: Mapping[str, object]) -> None:
        self.found.append(str(body["content"]))

    def line(self, name: str) -> Thread:
        """All that somebody and the bot say to each other."""
        channel = self.discord.direct(name)
        return Thread(DISCORD, DIRECT, channel, channel)

    async def knows(self, line: str, at: float) -> None:
        """Something was said there before."""
        thread = Thread(DISCORD, DIRECT, line, line)
        await self.store.add(Message(thread, MessageId(f"{line}1"), Person(PersonId("1")), "", at, (), Address.DIRECT))

    async def missed(self, *names: str) -> list[Thread]:
        """Each of these people wrote before, and has just said something that was not told."""
        lines = [self.line(name) for name in names]
        for name, line in zip(names, lines, strict=True):
            await self.knows(line.channel_id, self.discord.clock.now())
            await self.discord.says(name, f"from {name}", channel=line.channel_id)
        return lines

    async def begun(
        self, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, **options: Any
    ) -> tuple[CatchUp, Gaps]:
        """What is to look for what was missed before the start, and what tells it when."""
        gaps = Gaps(clock=self.discord.clock.now)
        catch_up = CatchUp(
            self.calls,
            self.store,
            Threads(self.calls),
            gaps,
            self.take,
            me=lambda guild: Me(self.discord.bot_user_id),
            guild=lambda guild: None,
            is_complete=lambda: True,
            clock=self.discord.clock.now,
            sleep=sleep,
            pace=0.0,
            **options,
        )
        await catch_up.note()
        return catch_up, gaps

    async def look(self, **options: Any) -> None:
        """Look for what was missed before the start, until all was looked through."""
        catch_up, gaps = await self.begun(**options)
        gaps.ready(0)
        async with until_logged("caught up", by="adapters.discord.catchup"):
            looking = asyncio.ensure_future(catch_up.run())
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


@asynccontextmanager
async def desk(**options: Any) -> AsyncIterator[Desk]:
    """A desk; the options are those of `discord_server`."""
    async with (
        discord_server(**options) as discord,
        open_store("sqlite:///:memory:", keeps_text=frozenset()) as store,
        open_line(set_for(discord)) as line,
    ):
        await line.log_in(discord.token)
        yield Desk(discord, store, Calls(line.http, metrics=Metrics()))
