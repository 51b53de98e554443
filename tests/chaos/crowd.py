"""People, by a seed: who says what in which thread, and what they do with it while they wait."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp

from bot.commands import Command
from tests.chaos.gemini import tag
from tests.chaos.history import Gave, Said
from tests.chaos.place_discord import DiscordPlace
from tests.chaos.place_page import PagePlace
from tests.chaos.place_slack import SlackPlace
from tests.chaos.places import Place
from tests.chaos.world import World

KINDS = ("slack", "page", "discord", "slack directly", "discord directly")
DIRECT = 0.2  # share of a platform's threads that are somebody's direct line
CHANNELS = 5
MOST_TEXTS = 95  # in a thread: its tags end at 99
NAMES = ("ada", "ben", "cleo", "dora")


@dataclass
class Talk:
    """What goes on in one thread."""

    place: Place
    dice: random.Random
    is_shared: bool  # several people take part
    texts: int = 0
    host: str = "ada"

    async def begins(self) -> None:
        await self._says()
        await self.place.is_there()

    async def goes_on(self, until: float) -> None:
        """Do one thing after the other until that moment of the world."""
        if self.place.begun is None or not self.place.said:
            await self.begins()
        ways: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (8, self._asks),
            (3, self._bursts),
            (2, self._attaches),
            (2, self._stops),
            (2, self._retries),
            (2, self._resets),
        ]
        if self.place.can_change:
            ways += [(3, self._changes), (2, self._takes_back)]
        await self.place.is_there()
        while self.texts < MOST_TEXTS:
            await asyncio.sleep(self.dice.choice((0.1, 0.5, 1.0, 3.0, 6.0)) * (0.5 + self.dice.random()))
            if self.place.world.now >= until:
                return
            (way,) = self.dice.choices([way for _, way in ways], [weight for weight, _ in ways])
            await way()

    # --- what people do ---------------------------------------------------------------------------

    async def _asks(self) -> None:
        await self._says()

    async def _bursts(self) -> None:
        for _ in range(self.dice.randint(2, 4)):
            await self._says()
            await asyncio.sleep(self.dice.choice((0.0, 0.05)))

    async def _attaches(self) -> None:
        await self._says(has_file=True)

    async def _changes(self) -> None:
        said = await self._says()
        await asyncio.sleep(self.dice.choice((0.0, 0.1, 0.5, 2.0)))
        new = self._tag()
        await self.place.edits(said, new, f"{new}, put right")

    async def _takes_back(self) -> None:
        said = await self._says()
        await asyncio.sleep(self.dice.choice((0.0, 0.1, 0.5)))
        await self.place.takes_back(said)

    async def _stops(self) -> None:
        await self._says()
        await asyncio.sleep(self.dice.choice((0.1, 0.5, 1.0)))
        await self.place.gives(self._somebody(), Command.STOP)

    async def _retries(self) -> None:
        await self.place.gives(self._somebody(), Command.RETRY)

    async def _resets(self) -> None:
        if isinstance(self.place, PagePlace):
            await self.place.was_shown()  # what a reset takes away there is not seen any more
        await self.place.gives(self._somebody(), Command.RESET)

    # ----------------------------------------------------------------------------------------------

    async def _says(self, *, has_file: bool = False) -> Said:
        name = self._tag()
        files = [(f"{name}.txt", b"Ariadne gave Theseus a ball of thread.")] if has_file else []
        return await self.place.says(self._somebody(), name, f"{name}?", files)

    def _tag(self) -> str:
        self.texts += 1
        return tag(self.place.number, self.texts)

    def _somebody(self) -> str:
        return self.dice.choice(NAMES) if self.is_shared else self.host


@dataclass
class Crowd:
    """Everybody. The page's windows are open as long as the context is."""

    world: World
    talks: list[Talk] = field(default_factory=list)

    def joins(self, number: int, *, seed: int, session: aiohttp.ClientSession, kind: str | None = None) -> Talk:
        """Somebody who is going to begin a thread."""
        dice = random.Random(f"{seed} {number}")  # noqa: S311 - what is said, not a secret
        kind = kind or dice.choice(KINDS[:3])
        host = f"{dice.choice(NAMES)}{number}x"
        channel = f"channel-{dice.randrange(CHANNELS)}x"

        def mentions() -> bool:
            return dice.random() < 0.5

        place: Place
        match kind.split():
            case ["page"]:
                place = PagePlace(self.world, number, session)
            case ["slack", *direct]:
                where = host if direct else channel
                place = SlackPlace(self.world, number, channel=where, is_direct=bool(direct), mentions=mentions)
            case [_, *direct]:
                where = host if direct else channel
                place = DiscordPlace(self.world, number, channel=where, is_direct=bool(direct), mentions=mentions)
            case _:
                raise ValueError(kind)
        is_shared = kind in {"slack", "discord"} and dice.random() < 0.4
        self.talks.append(Talk(place, dice, is_shared, host="ada" if kind == "page" else host))
        return self.talks[-1]

    def history(self) -> tuple[list[Said], list[Gave]]:
        """All that people did."""
        self.world.note_handed_over()
        said: list[Said] = []
        gave: list[Gave] = []
        for talk in self.talks:
            more_said, more_gave = talk.place.history()
            said += more_said
            gave += more_gave
        return said, gave
