"""Messages that no event told of: looked for after a start, and for a while in threads just answered in."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from adapters.slack.calls import Calls
from adapters.slack.pages import order, order_at
from adapters.slack.places import SLACK, place_of
from adapters.slack.unheard import Ingest, Notes, Unheard
from adapters.slack.workspace import Workspace
from bot.errors import PlatformAway, PlatformError, StoreError
from bot.messages import Thread
from bot.ports import CatchUpStore, Place
from bot.watching import AGAIN, AGE, Watching

logger = logging.getLogger(__name__)

_MARGIN = 600.0  # seconds before the newest known message that are looked at again: events overtake one another
_PAUSE, _LONGEST_PAUSE = 5.0, 60.0  # seconds before what failed is tried again

_T = TypeVar("_T")


class CatchUpTurns(CatchUpStore, Notes, Protocol):
    """What is asked of the store."""


class CatchUp:
    """Looks for what was said and not told.

    All readings together make one request a second at the most, and stand behind whatever people wait for. Threads
    just answered in are read again by `watching`.

    Args:
        ingest: takes what is found, of each thread the oldest first.
        channels: the ids of those the bot is in, also where nobody ever addressed it.
        clock: seconds since the epoch.
        pace: seconds between two requests.
        age: seconds; what is older is not looked for.
        most: messages of one channel or thread that are gone through, the newest.
        again: seconds after a thread's last activity at which it is read again.
        most_watched: threads; those active the longest ago are let go first.
    """

    def __init__(
        self,
        calls: Calls,
        store: CatchUpTurns,
        me: Workspace,
        ingest: Ingest,
        *,
        channels: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        pace: float = 1.0,
        age: float = AGE,
        most: int = 1000,
        again: Sequence[float] = AGAIN,
        most_watched: int = 2000,
    ) -> None:
        self._unheard = Unheard(calls, store, me, ingest, clock=clock, sleep=sleep, pace=pace, age=age, most=most)
        self._store, self._me, self._channels = store, me, channels
        self._clock, self._sleep = clock, sleep
        self._age = age
        self._places: Sequence[Place] | None = None
        self.watching = Watching(
            lambda thread, since: self._unheard.read_thread(thread, since=since),
            clock=clock,
            sleep=sleep,
            age=age,
            again=again,
            most=most_watched,
        )

    # --- after a start ------------------------------------------------------------------------

    async def note(self) -> None:
        """Note how far every channel was heard. To be done before the first event comes, which would hide the gap.

        Raises:
            StoreError: the store cannot tell.
        """
        self._places = await self._store.places(SLACK)

    async def run(self) -> None:
        """Look through every channel the bot was addressed in, then through the others it is in.

        Of each kind the channels come first, then their threads that moved or are active. It returns when all is read.
        With many threads that takes minutes, and nothing should wait for it. What Slack or the store cannot do now is
        tried again, until what might be found would be too old.

        Raises:
            StoreError: nothing was noted before, and the store cannot tell now.
        """
        if self._places is None:
            await self.note()
        now = self._clock()
        places = [place for place in self._places or () if place.installation_id == self._me.installation_id]
        heard = {place.channel_id: place.heard_at for place in places}
        await self._look_through(heard, now)
        # Where nobody ever addressed it the bot was last heard when it was last heard at all. In a new database that
        # was never: the mentions of the time before it are not for this bot to answer.
        last = max(heard.values(), default=None)
        others = {} if last is None else {channel: last for channel in self._channels if channel not in heard}
        await self._look_through(others, now)
        self._places = None
        await self._store.caught_up(SLACK)
        logger.info("caught up", extra={"channels": len(heard) + len(others)})

    async def _look_through(self, heard: Mapping[str, float], now: float) -> None:
        """Look through channels, each from a little before the time until which it was heard."""
        cursors = {channel: max(heard_at - _MARGIN, now - self._age) for channel, heard_at in heard.items()}
        active = await self._active(cursors, now)
        moved: dict[Thread, str] = {}  # and the ts of the newest reply
        still: set[Thread] = set()  # of the active ones

        async def look_into(channel: str) -> None:
            since = cursors[channel]
            latest = await self._unheard.read_top(channel, since=since, back_to=now - self._age)
            moved.update({thread: ts for thread, ts in latest.items() if ts and order(ts) > order_at(since)})
            still.update(thread for thread in active if thread in latest and thread not in moved)

        async def look_at(thread: Thread) -> None:
            await self._unheard.read_thread(thread, since=cursors[thread.channel_id])

        await self._each(list(cursors), look_into, until=now + self._age)
        ours = [thread for thread in active if thread not in still]
        theirs = sorted(moved.keys() - set(ours), key=lambda thread: order(moved[thread]), reverse=True)
        await self._each([*ours, *theirs], look_at, until=now + self._age)

    async def _active(self, channels: Collection[str], now: float) -> list[Thread]:
        """The threads in these channels in which something happened of late, newest first."""
        try:
            active = await self._store.active(SLACK, since=now - self._age)
        except StoreError as error:
            logger.warning("active threads not told", extra={"reason": str(error)})
            return []
        return [
            thread
            for thread in active
            if thread.installation_id == self._me.installation_id
            and thread.channel_id in channels
            and place_of(thread)[1]
        ]

    async def _each(self, things: Sequence[_T], look: Callable[[_T], Awaitable[None]], *, until: float) -> None:
        """Look at these one after the other; what fails for now is looked at again after the others."""
        pause = _PAUSE
        while things:
            things = [thing for thing in things if not await self._looked(thing, look)]
            if not things or self._clock() + pause > until:
                return
            await self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _looked(self, thing: _T, look: Callable[[_T], Awaitable[None]]) -> bool:
        """Whether there is no use in looking at it again."""
        try:
            await look(thing)
        except (PlatformAway, StoreError) as error:
            logger.info("not caught up yet", extra={"reason": str(error)})
            return False
        except PlatformError as error:
            logger.info("not caught up", extra={"reason": str(error)})
        return True
