"""One run: people, faults and kills for so long, then peace; and what all of it came to."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.chaos.clew import HURRIED
from tests.chaos.crowd import KINDS, Crowd, Talk
from tests.chaos.history import End, History, Verdict
from tests.chaos.judge import judge
from tests.chaos.place_page import PagePlace
from tests.chaos.trouble import Trouble
from tests.chaos.world import LONGER_THAN_RETRIES, Clew, World, open_world
from tests.support.work import Tasks

FIRST = 2 * len(KINDS)  # threads that are answered before anything goes wrong
FEWEST_LIVES = 4  # before the last one, however slow the machine is
CALM = 5.0  # seconds without any change after which a run that has no verdict is over
STILL = 30.0  # seconds without any change after which it is over whatever the verdict
LONGEST_PEACE = 900.0  # seconds
LOOKS = 0.5  # seconds between two looks


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run came to."""

    history: History
    verdicts: Sequence[Verdict]
    log: Sequence[str]  # of the bot

    @property
    def turns(self) -> int:
        """Questions that Gemini was asked, each counted once."""
        return len({asked.tags for asked in self.history.asked})

    @property
    def kills(self) -> int:
        return sum(life.end is End.KILLED for life in self.history.lives)


async def run(
    folder: Path, *, seed: int, seconds: float, threads: int, bug: str | None = None, in_flight: float = 1.0
) -> Ran:
    """Let people go on in so many threads for so long, in the midst of trouble, and judge what became of it.

    What people, faults and kills are to be follows from the seed; when things happen, from the machine as well.

    Args:
        in_flight: as `History` has it: more of it where nobody knows how slow the machine is.
    """
    async with (
        open_world(folder, seed=seed, bug=bug) as world,
        aiohttp.ClientSession(
            headers={"Origin": world.address, "Sec-Fetch-Site": "same-origin"},
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=30),
        ) as session,
        Tasks() as background,
    ):
        crowd = Crowd(world)
        for number in range(1, threads + 1):
            kind = KINDS[(number - 1) % len(KINDS)] if number <= FIRST else None
            talk = crowd.joins(number, seed=seed, session=session, kind=kind)
            if isinstance(talk.place, PagePlace):
                background.start(talk.place.looks())
        played = _Run(world, crowd, Trouble(world, seed=seed), background, seed=seed, in_flight=in_flight)
        await played.lives(seconds)
        history = played.history()
        return Ran(history, judge(history), world.log())


class _Run:
    def __init__(
        self, world: World, crowd: Crowd, trouble: Trouble, background: Tasks, *, seed: int, in_flight: float
    ) -> None:
        self._world, self._crowd, self._trouble, self._background = world, crowd, trouble, background
        self._seed, self._dice = seed, random.Random(f"{seed} lives")  # noqa: S311 - when it is killed, not a secret
        self._talking, self._in_flight = 0, in_flight

    async def lives(self, seconds: float) -> None:
        """All lives of the bot, of which the last one has peace."""
        until = 0.0
        async with self._world.life() as clew:
            await clew.hears()
            await self._begin()
            until = self._world.now + seconds
            troubling = asyncio.ensure_future(self._trouble.goes_on())
            for number, talk in enumerate(self._crowd.talks):
                # The later ones begin one after the other in the first half.
                after = max(0.0, (number - FIRST) / max(1, len(self._crowd.talks) - FIRST)) * seconds / 2
                self._talking += 1
                self._background.start(self._talks(talk, after, until))
            await self._ends(clew, self._dice.uniform(1, 4))
        while self._world.now < until or len(self._world.lives) < FEWEST_LIVES:
            is_long = self._dice.random() < 0.1
            await asyncio.sleep(LONGER_THAN_RETRIES + 1 if is_long else self._dice.choice((0.0, 0.3, 1.0)))
            async with self._world.life() as clew:
                await self._live(clew)
        troubling.cancel()
        with suppress(asyncio.CancelledError):
            await troubling
        self._trouble.ends()
        async with self._world.life() as clew:
            await clew.hears()
            await self._peace()
            await clew.stop()

    async def _begin(self) -> None:
        """Let the first threads be there, and be answered: nobody looks for what was missed where nobody ever spoke."""
        first = self._crowd.talks[:FIRST]
        await asyncio.gather(*(talk.begins() for talk in first))
        async with asyncio.timeout(LONGEST_PEACE):
            while not all(any(stood.is_whole for stood in talk.place.stood()) for talk in first):  # noqa: ASYNC110 - three places
                await asyncio.sleep(LOOKS)

    async def _talks(self, talk: Talk, after: float, until: float) -> None:
        await asyncio.sleep(after)
        await talk.goes_on(until)
        self._talking -= 1

    async def _live(self, clew: Clew) -> None:
        """A life that ends while it begins, while it takes up what the last one left, or in the midst of work."""
        way, longest = self._dice.choice([("starting", 1.5), ("recovering", 1.0), ("working", 4.0), ("working", 4.0)])
        if way != "starting":
            await clew.is_served()
        await self._ends(clew, self._dice.uniform(0, longest))

    async def _ends(self, clew: Clew, after: float) -> None:
        await asyncio.sleep(after)
        if self._dice.random() < 0.2:
            await clew.stop()
        else:
            clew.kill()

    async def _peace(self) -> None:
        """Wait until nothing happens any more."""
        shape, since, began = "", 0.0, self._world.now
        while self._world.now < began + LONGEST_PEACE:
            await asyncio.sleep(LOOKS)
            now = self._shape()
            if now != shape:
                shape, since = now, self._world.now
            quiet = self._world.now - since
            # What was missed is looked for at leisure, long after everything else.
            is_over = quiet >= STILL and self._world.has_caught_up()
            if is_over or (quiet >= CALM and not self._talking and not judge(self.history())):
                return

    def _shape(self) -> str:
        stood = [(talk.place.stood(), talk.place.left()) for talk in self._crowd.talks if talk.place.begun]
        return repr((stood, len(self._world.model.requests)))

    def history(self) -> History:
        """What happened until now."""
        said, gave = self._crowd.history()
        places = [talk.place for talk in self._crowd.talks if talk.place.said]
        return History(
            self._seed,
            said,
            gave,
            asked=self._world.gemini.asked(self._world.model),
            stood={place.thread: place.stood() for place in places},
            harm=self._world.harm(),
            left=[sign for place in places for sign in place.left()],
            lives=self._world.lives,
            faults=self._trouble.counts(),
            turn_limit=float(HURRIED["CLEW_TURN_SECONDS"]),
            in_flight=self._in_flight,
        )
