"""One run: people, faults and kills for so long, then peace; and what all of it came to."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.chaos.clew import HURRIED
from tests.chaos.crowd import KINDS, Crowd, Talk
from tests.chaos.deciding import Deciding
from tests.chaos.history import End, History, Verdict
from tests.chaos.judge import judge
from tests.chaos.moves import Moves, unanswered
from tests.chaos.place_page import PagePlace
from tests.chaos.researches import LONGEST as LONGEST_RUN
from tests.chaos.trouble import Trouble
from tests.chaos.world import LONGER_THAN_RETRIES, Clew, World, open_world
from tests.support.work import Tasks

FIRST = 2 * len(KINDS)  # threads that are answered before anything goes wrong
FEWEST_LIVES = 4  # before the last one, however slow the machine is
SHORT, LONG, LONG_IN = 4.0, 20.0, 600.0  # seconds a bot is left at work at the most; so long in runs of so many
CALM = 5.0  # seconds without any change after which a run that has no verdict is over
STILL = 30.0  # seconds without any change after which it is over whatever the verdict
LONGEST_PEACE = 900.0  # seconds
LOOKS = 0.5  # seconds between two looks
TELLS = 30.0  # seconds between two lines on how it goes


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run came to.

    Attributes:
        log: of the bot.
        peace: seconds from the end of all trouble to the end of all work.
        is_whole: False when somebody ended it early, and work was left.
    """

    history: History
    verdicts: Sequence[Verdict]
    log: Sequence[str]
    peace: float = 0.0
    is_whole: bool = True

    @property
    def turns(self) -> int:
        """Questions that Gemini was asked, each counted once."""
        return len({asked.tags for asked in self.history.asked})

    @property
    def kills(self) -> int:
        return sum(life.end is End.KILLED for life in self.history.lives)


async def run(
    folder: Path,
    *,
    seed: int,
    seconds: float,
    threads: int,
    bug: str | None = None,
    in_flight: float = 1.0,
    tell: Callable[[str], None] = lambda line: None,
    enough: asyncio.Event | None = None,
) -> Ran:
    """Let people go on in so many threads for so long, in the midst of trouble, and judge what became of it.

    What people, faults and kills are to be follows from the seed; when things happen, from the machine as well.

    Args:
        in_flight: as `History` has it: more of it where nobody knows how slow the machine is.
        tell: hears now and then how it goes.
        enough: set by somebody who does not want to wait any longer; what there is then is judged.
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
        crowd = Crowd(world, threads)
        for number in range(1, threads + 1):
            kind = KINDS[(number - 1) % len(KINDS)] if number <= FIRST else None
            talk = crowd.joins(number, seed=seed, session=session, kind=kind)
            if isinstance(talk.place, PagePlace):
                background.start(talk.place.looks())
        played = _Run(world, crowd, Trouble(world, seed=seed), background, seed=seed, in_flight=in_flight)
        background.start(played.tells(tell))
        is_whole = await _whole(played.lives(seconds), enough or asyncio.Event())
        history = played.history()
        return Ran(history, judge(history), world.log(), played.peace, is_whole)


async def _whole(work: Coroutine[object, object, None], enough: asyncio.Event) -> bool:
    """Do something to its end, or until it is enough; which of the two it was."""
    working, waiting = asyncio.ensure_future(work), asyncio.ensure_future(enough.wait())
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        is_done = working.done()
        for task in (working, waiting):
            task.cancel()
        await asyncio.wait({working, waiting})
    if is_done:
        working.result()
    return is_done


class _Run:
    def __init__(
        self, world: World, crowd: Crowd, trouble: Trouble, background: Tasks, *, seed: int, in_flight: float
    ) -> None:
        self._world, self._crowd, self._trouble, self._background = world, crowd, trouble, background
        self._seed, self._dice = seed, random.Random(f"{seed} lives")  # noqa: S311 - when it is killed, not a secret
        self._talking, self._in_flight = 0, in_flight
        self._deciding = Deciding(world, crowd, seed=seed)
        background.start(self._deciding.goes_on())
        self._longest, self._peace_began = SHORT, float("inf")

    @property
    def peace(self) -> float:
        """Seconds without trouble until now."""
        return max(0.0, self._world.now - self._peace_began)

    async def lives(self, seconds: float) -> None:
        """All lives of the bot, of which the last one has peace."""
        self._longest = max(SHORT, LONG * min(1.0, seconds / LONG_IN))
        async with Tasks() as troubling:
            async with self._world.life() as clew:
                await clew.hears()
                if clew.has_ended:
                    raise RuntimeError("\n".join(["the bot does not begin:", *self._world.log()]))
                await self._begin()
                until = self._world.now + seconds
                troubling.start(self._trouble.goes_on())
                self._let_talk(seconds, until)
                await self._ends(clew, self._dice.uniform(1, 4))
            while self._world.now < until or len(self._world.lives) < FEWEST_LIVES:
                is_long = self._dice.random() < 0.1
                await asyncio.sleep(LONGER_THAN_RETRIES + 1 if is_long else self._dice.choice((0.0, 0.3, 1.0)))
                async with self._world.life() as clew:
                    await self._live(clew)
        self._trouble.ends()
        async with self._world.life() as clew:
            await clew.hears()
            self._peace_began = self._world.now
            await self._settle()
            await clew.stop()

    async def tells(self, tell: Callable[[str], None]) -> None:
        """Say now and then how it goes, for as long as it does."""
        while True:
            await asyncio.sleep(TELLS)
            tell(self._line())

    def _line(self) -> str:
        messages = sum(len(talk.place.said) for talk in self._crowd.talks)
        asked = sum(request.is_create for request in self._world.model.requests)
        begun = sum(talk.place.begun is not None and bool(talk.place.said) for talk in self._crowd.talks)
        return (
            f"{self._world.now:6.0f} s {'peace' if self.peace else 'fire '}  {messages} messages in {begun} threads,"
            f" {asked} asked of Gemini, {unanswered(self._crowd)} without an answer yet;"
            f" {len(self._world.lives)} lives, {sum(self._trouble.counts().values())} faults"
        )

    async def _begin(self) -> None:
        """Let the first threads be there, and be answered: nobody looks for what was missed where nobody ever spoke."""
        first = self._crowd.talks[:FIRST]
        await asyncio.gather(*(talk.begins() for talk in first))
        async with asyncio.timeout(LONGEST_PEACE):
            while not all(any(stood.is_whole for stood in talk.place.stood()) for talk in first):  # noqa: ASYNC110 - three places
                await asyncio.sleep(LOOKS)

    def _let_talk(self, seconds: float, until: float) -> None:
        """The first go on at once; the later ones begin one after the other in the first half."""
        for number, talk in enumerate(self._crowd.talks):
            after = max(0.0, (number - FIRST) / max(1, len(self._crowd.talks) - FIRST)) * seconds / 2
            self._talking += 1
            self._background.start(self._talks(talk, after, until))

    async def _talks(self, talk: Talk, after: float, until: float) -> None:
        await asyncio.sleep(after)
        await talk.goes_on(until)
        self._talking -= 1

    async def _live(self, clew: Clew) -> None:
        """A life that ends while it begins, while it takes up what the last one left, or in the midst of work."""
        way, longest = self._dice.choice(
            [("starting", 1.5), ("recovering", 1.0), ("working", SHORT), ("working", self._longest)]
        )
        if way != "starting":
            await clew.is_served()
        await self._ends(clew, self._dice.uniform(0, longest))

    async def _ends(self, clew: Clew, after: float) -> None:
        await asyncio.sleep(after)
        if self._dice.random() < 0.2:
            await clew.stop()
        else:
            clew.kill()

    async def _settle(self) -> None:
        """Wait until nothing happens any more. The bot needs the processor: people are looked at when all is quiet."""
        moves, seen, since, again = Moves(self._world), -1, 0.0, 0.0
        while self.peace < LONGEST_PEACE:
            await asyncio.sleep(LOOKS)
            if (number := moves.count()) != seen:
                seen, since, again = number, self._world.now, CALM
                continue
            quiet = self._world.now - since
            # What was missed is looked for at leisure, long after everything else.
            if quiet >= STILL and self._world.has_caught_up():
                await self._open_files()
                return
            if quiet >= again and not self._talking:
                again = quiet + CALM
                await self._open_files()
                if not judge(self.history()):
                    return

    async def _open_files(self) -> None:
        await asyncio.gather(*(talk.place.opens_files() for talk in self._crowd.talks))

    def history(self) -> History:
        """What happened until now."""
        said, gave = self._crowd.history()
        places = [talk.place for talk in self._crowd.talks if talk.place.said]
        asked = self._world.gemini.asked(self._world.model)
        return History(
            self._seed,
            said,
            gave,
            asked=asked,
            stood={place.thread: place.stood() for place in places},
            harm=self._world.harm(),
            left=[sign for place in places for sign in place.left()],
            lives=self._world.lives,
            faults=self._trouble.counts(),
            turn_limit=float(HURRIED["CLEW_TURN_SECONDS"]),
            in_flight=self._in_flight,
            reports={place.thread: number for place in places if (number := place.reports()) is not None},
            private={place.thread for place in places if place.thread.channel_id in self._world.private},
            files_there=self._world.gemini.files_there(self._world.model, asked),
            functions=self._deciding.history(),
            saved={place.thread: saved for place in places if (saved := place.saved()) is not None},
            most_research=None if self._world.is_another_day else self._world.most_research,
            longest_run=LONGEST_RUN,
        )
