"""People, by a seed: who says what in which thread, and what they do with it while they wait."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import aiohttp

from bot.commands import Command
from tests.chaos.deeds_research import Researching
from tests.chaos.gemini import tag
from tests.chaos.history import Gave, Said, Way
from tests.chaos.place_discord import DiscordPlace
from tests.chaos.place_page import PagePlace
from tests.chaos.place_slack import SlackPlace
from tests.chaos.places import Place
from tests.chaos.world import World

KINDS = ("slack", "page", "discord", "slack directly", "discord directly")
DIRECT = 0.2  # share of a platform's threads that are somebody's direct line
CHANNELS, IN_ONE = 5, 10  # of each platform, at the least; threads for each of them
VISIT = (1, 5)  # things somebody does before they go and do something else, where there are many threads
FEW, REST = 24, 0.6  # threads that are never left alone; seconds of rest for each thread more
LOOKS, PATIENCE = 3.0, 20  # seconds between two looks for an answer; looks until they go on without it
REGRETS = 0.1  # share of the threads that begin with something that is taken back at once
TYPED = (Command.STOP, Command.RETRY, Command.RESET, Command.FORGET)
SMALL = "txt", b"Ariadne gave Theseus a ball of thread."
LARGE = "pdf", b"%PDF-1.7\n" + bytes(1_100_000)  # more than a question carries; Gemini is handed it beforehand
MOST_TEXTS = 95  # in a thread: its tags end at 99
NAMES = ("ada", "ben", "cleo", "dora")

Ways = list[tuple[int, Callable[[], Awaitable[None]]]]


@dataclass
class Talk:
    """What goes on in one thread."""

    place: Place
    dice: random.Random
    is_shared: bool  # several people take part
    texts: int = 0
    host: str = "ada"
    rest: float = 0.0  # seconds between two visits, about

    async def begins(self) -> None:
        await self._says()
        await self.place.is_there()

    async def goes_on(self, until: float) -> None:
        """Do one thing after the other until that moment of the world."""
        if self.place.begun is None or not self.place.said:
            if self.place.can_change and self.dice.random() < REGRETS:
                await self._takes_back()
                return  # there is nothing to go on in
            await self.begins()
        ways = self._ways()
        await self.place.is_there()
        left = self.dice.randint(*VISIT)
        while self.texts < MOST_TEXTS:
            pause = self.rest if self.rest and not left else self.dice.choice((0.1, 0.5, 1.0, 3.0, 6.0))
            left = self.dice.randint(*VISIT) if not left else left - 1
            await asyncio.sleep(min(pause * (0.5 + self.dice.random()), max(0.0, until - self.place.world.now)))
            if pause == self.rest:
                await self._finds_answer(until)
            if self.place.world.now >= until:
                return
            (way,) = self.dice.choices([way for _, way in ways], [weight for weight, _ in ways])
            await way()

    async def _finds_answer(self, until: float) -> None:
        """Who comes back reads first, and waits a while: people do not ask more than they can be answered."""
        for _ in range(PATIENCE):
            newest = set(self.place.said[-1].tags)
            if self.place.world.now >= until or any(newest & set(stood.tags) for stood in self.place.stood()):
                return
            await asyncio.sleep(LOOKS)

    def _ways(self) -> Ways:
        """What they may do, and how likely each is."""
        ways: Ways = [
            (8, self._asks),
            (3, self._bursts),
            (2, self._attaches),
            (2, self._stops),
            (2, self._retries),
            (2, self._resets),
            (1, self._has_it_forgotten),
            *Researching(self.place, self.dice, self._tag, self._somebody, self._clears).ways(),
        ]
        if self.place.can_change:
            ways += [(3, self._changes), (2, self._takes_back), (1, self._changes_the_first)]
        if self.place.can_press:
            ways += [(2, self._presses_stop), (2, self._presses_retry)]
            ways += [(1, partial(self._insists, Command.RESET, Way.PRESS))]
            ways += [(1, partial(self._insists, command, Way.SLASH)) for command in TYPED]
        if isinstance(self.place, DiscordPlace):
            ways += [(2, self._asks_by_command)]
        if self.place.can_change and not self.place.is_direct:
            ways += [(1, self._wants_quiet)]
        return ways

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
        await self._clears(Command.RESET)

    async def _has_it_forgotten(self) -> None:
        await self._clears(Command.FORGET)

    async def _clears(self, command: Command) -> None:
        if isinstance(self.place, PagePlace):
            await self.place.was_shown()  # what a reset takes away there is not seen any more
        await self.place.gives(self._somebody(), command)

    async def _wants_quiet(self) -> None:
        await self.place.gives(self._somebody(), Command.QUIET)

    async def _changes_the_first(self) -> None:
        """What the thread began with: it was answered long ago, as a rule."""
        first = self.place.said[0]
        if first.is_taken_back:
            return
        if self.dice.random() < 0.5:
            new = self._tag()
            await self.place.edits(first, new, f"{new}, put right")
        elif self.place.stood():  # or there would be nothing left to go on in
            await self.place.takes_back(first)

    async def _presses_stop(self) -> None:
        await self._says()
        await asyncio.sleep(self.dice.choice((0.5, 1.0, 2.0)))
        await self._insists(Command.STOP, Way.PRESS)

    async def _presses_retry(self) -> None:
        await self._insists(Command.RETRY, Way.PRESS)

    async def _insists(self, command: Command, way: Way) -> None:
        """Press or type it, and when that seems to have got nowhere do it again, or do not."""
        by = self._somebody()
        if not await self.place.gives(by, command, way) and self.dice.random() < 0.5:
            await self.place.gives(by, command, way)

    async def _asks_by_command(self) -> None:
        assert isinstance(self.place, DiscordPlace)
        by, name = self._somebody(), self._tag()
        if not await self.place.asks(by, name, f"{name}?") and self.dice.random() < 0.5:
            name = self._tag()
            await self.place.asks(by, name, f"{name}?")

    # ----------------------------------------------------------------------------------------------

    async def _says(self, *, has_file: bool = False) -> Said:
        name = self._tag()
        files = [self.dice.choice((SMALL, LARGE))] if has_file else []
        files = [(f"{name}.{kind}", data) for kind, data in files]
        return await self.place.says(self._somebody(), name, f"{name}?", files)

    def _tag(self) -> str:
        self.texts += 1
        return tag(self.place.number, self.texts)

    def _somebody(self) -> str:
        return self.dice.choice(NAMES) if self.is_shared else self.host


@dataclass
class Crowd:
    """Everybody. The page's windows are open as long as the context is.

    The more threads there are, the longer each rests in between, so that one bot can answer them all.
    """

    world: World
    threads: int
    talks: list[Talk] = field(default_factory=list)

    def joins(self, number: int, *, seed: int, session: aiohttp.ClientSession, kind: str | None = None) -> Talk:
        """Somebody who is going to begin a thread."""
        dice = random.Random(f"{seed} {number}")  # noqa: S311 - what is said, not a secret
        if kind is None:
            kind = dice.choice(KINDS[:3])
            kind += " directly" * (kind != "page" and dice.random() < DIRECT)
        host = f"{dice.choice(NAMES)}{number}x"
        channel = f"channel-{dice.randrange(max(CHANNELS, self.threads // IN_ONE))}x"

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
        rest = max(0, self.threads - FEW) * REST
        self.talks.append(Talk(place, dice, is_shared, host="ada" if kind == "page" else host, rest=rest))
        return self.talks[-1]

    def history(self) -> tuple[list[Said], list[Gave]]:
        """All that people did."""
        self.world.note_handed_over()
        said: list[Said] = []
        gave: list[Gave] = []
        for talk in (one for one in self.talks if one.place.begun is not None):
            more_said, more_gave = talk.place.history()
            said += more_said
            gave += more_gave
        return said, gave
