"""Messages that no event told of: looked for after a start, and for a while in threads just answered in."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary

from adapters.slack.calls import Calls
from adapters.slack.gaps import Gaps
from adapters.slack.pages import order, order_at
from adapters.slack.places import SLACK, place_of
from adapters.slack.unheard import Found, Ingest, Notes, Unheard
from adapters.slack.workspace import Workspace
from bot.errors import PlatformAway, PlatformError, StoreError
from bot.messages import Thread
from bot.ports import CatchUpStore
from bot.watching import AGAIN, AGE, Watching

logger = logging.getLogger(__name__)

_PAUSE, _LONGEST_PAUSE = 5.0, 60.0  # seconds before what failed is tried again
_SOON = 1.0  # the same, where somebody waits
_MOST_HURRIED = 4  # readings that somebody waits for, at a time: turns that are being answered ask by the same limit

_T = TypeVar("_T")


class CatchUpTurns(CatchUpStore, Notes, Protocol):
    """What is asked of the store."""


class CatchUp:
    """Looks for what was said and not told.

    All readings that nobody waits for make one request a second at the most, and stand behind whatever people wait
    for. Threads just answered in are read again by `watching`.

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
        self._gaps = Gaps(me.installation_id, age=age)
        self._is_noted, self._is_over = asyncio.Event(), False
        self._lanes: WeakValueDictionary[Thread, asyncio.Lock] = WeakValueDictionary()  # gone when nobody waits
        self._hurried = asyncio.Semaphore(_MOST_HURRIED)
        self.watching = Watching(self._read_again, clock=clock, sleep=sleep, age=age, again=again, most=most_watched)

    # --- after a start ------------------------------------------------------------------------

    async def note(self) -> None:
        """Note how far every channel was heard. To be done before the first event comes, which would hide the gap.

        Raises:
            StoreError: the store cannot tell.
        """
        places = [
            place for place in await self._store.places(SLACK) if place.installation_id == self._me.installation_id
        ]
        heard = {place.channel_id: place.heard_at for place in places}
        self._gaps.note(heard, self._channels, now=self._clock())
        self._is_noted.set()

    async def try_to_note(self) -> None:
        """The same; where the store cannot tell now, `run` does it later."""
        try:
            await self.note()
        except StoreError as error:
            logger.warning("not noted how far Slack was heard", extra={"reason": str(error)})

    async def run(self) -> None:
        """Look through every channel the bot was addressed in, then through the others it is in.

        Of each kind the channels come first, then their threads that moved or are active. It returns when all is read.
        With many threads that takes minutes, and what waits for one of them has it read by `hurry`. What Slack or the
        store cannot do now is tried again, until what might be found would be too old.

        Raises:
            StoreError: that all was looked through cannot be noted.
        """
        while not self._is_noted.is_set():
            await self._each([self.note], lambda note: note(), until=self._clock() + self._age)
        if not self._is_over:
            number = len(self._gaps.heard) + len(self._gaps.others)
            for channels in (self._gaps.heard, self._gaps.others):
                await self._look_through(channels, self._clock())
            self._is_over = True
            self._gaps.close()
            logger.info("caught up", extra={"channels": number})
        await self._store.caught_up(SLACK)

    async def _look_through(self, channels: Sequence[str], now: float) -> None:
        """Look through channels, each from a little before the time until which it was heard."""
        active = await self._active(frozenset(channels), now)
        by_channel: defaultdict[str, set[Thread]] = defaultdict(set)
        for thread in active:
            by_channel[thread.channel_id].add(thread)
        moved: dict[Thread, str] = {}  # and the ts of the newest reply
        still: set[Thread] = set()  # of the active ones

        async def look_into(channel: str) -> None:
            top = Thread(SLACK, self._me.installation_id, channel, channel)
            since = self._gaps.since_in(channel)
            found = await self._unheard.find(top, since=since, back_to=now - self._age)
            latest = found.latest
            here = {thread: ts for thread, ts in latest.items() if ts and order(ts) > order_at(since)}
            absent = by_channel[channel] - latest.keys()
            moved.update(here)
            still.update(by_channel[channel] - absent - here.keys())
            # First: what is taken in wakes threads, and most of those have no more to be found.
            self._gaps.top_was_read(channel, told_from=found.told_from, unsettled=here.keys() | absent)
            with self._gaps.reading(top):
                await self._take_in(found)

        async def look_at(thread: Thread) -> None:
            with self._gaps.reading(thread) as since:
                if since is not None:  # else somebody waited for it meanwhile
                    await self._take_in(await self._unheard.find(thread, since=since))

        await self._each(channels, look_into, until=now + self._age)
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

    # --- what somebody waits for --------------------------------------------------------------

    async def hurry(self, thread: Thread) -> None:
        """Return when nothing that was missed in a thread is left to be found, as `Adapter.catch_up` says.

        Where something may have been missed the thread is read ahead of all others, once for everybody who waits. Of
        many such threads the first wishes come first: a wait is bounded, so those who waited for too long are gone,
        and nobody is overtaken until then. What Slack or the store cannot do now is tried again.
        """
        await self._is_noted.wait()
        pause = _SOON
        while self._gaps.since(thread) is not None:
            try:
                async with self._lane(thread), self._hurried:
                    await self._read_now(thread)
            except (PlatformAway, StoreError) as error:
                logger.info("not caught up yet", extra={"thread_key": thread.key, "reason": str(error)})
                await self._sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def came_late(self, thread: Thread, since: float) -> None:
        """What called the bot into a thread was told after later messages, which were passed over: read them."""
        self._gaps.came_late(thread, since)

    async def _read_now(self, thread: Thread) -> None:
        with self._gaps.reading(thread) as since:
            if since is None:  # whoever came before has read it
                return
            try:
                await self._unheard.read(thread, since=since, hurry=True)
            except (PlatformAway, StoreError):
                raise
            except PlatformError as error:
                logger.info("not caught up", extra={"thread_key": thread.key, "reason": str(error)})

    async def _read_again(self, thread: Thread, since: float) -> None:
        """Read a watched thread, and with it what may have been missed there."""
        with self._gaps.reading(thread) as missed:
            await self._unheard.read(thread, since=since if missed is None else min(since, missed))

    async def _take_in(self, found: Found) -> None:
        """Take in what was found. What this wakes need not read it again, and waits until it is done."""
        async with self._lane(found.thread):
            await self._unheard.take_in(found)

    def _lane(self, thread: Thread) -> asyncio.Lock:
        return self._lanes.setdefault(thread, asyncio.Lock())
