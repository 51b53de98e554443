"""Threads that are read again for a while, since a platform may lose an event and tell nobody."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from bot.errors import PlatformAway, PlatformError, StoreError
from bot.messages import Thread

logger = logging.getLogger(__name__)

AGE = 86_400.0  # seconds; what is older is not answered any more
AGAIN = (15.0, 30.0, 60.0, 120.0, 300.0)  # seconds after its last activity at which a thread is read again

_OVERLAP = 30.0  # seconds that two readings of a thread have in common: events overtake one another


@dataclass(frozen=True, slots=True)
class _Watch:
    """A thread that is read again for a while. Times are in seconds since the epoch."""

    heard_to: float  # all that was said before it is known
    active_at: float
    step: int = 0  # how many of the times at which it is read again have passed
    not_before: float = 0.0


class Watching:
    """Reads threads again after their last activity.

    Args:
        read: takes in what was said in a thread after a time, in seconds since the epoch; it keeps its own pace.
        clock: seconds since the epoch.
        age: seconds; what is older is not looked for.
        again: seconds after a thread's last activity at which it is read again.
        most: threads; those active the longest ago are let go first.
    """

    def __init__(
        self,
        read: Callable[[Thread, float], Awaitable[None]],
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        age: float = AGE,
        again: Sequence[float] = AGAIN,
        most: int = 2000,
    ) -> None:
        self._read, self._clock, self._sleep = read, clock, sleep
        self._age, self._again, self._most = age, tuple(again), most
        self._watched: OrderedDict[Thread, _Watch] = OrderedDict()
        self._has_watches = asyncio.Event()

    def watch(self, thread: Thread) -> None:
        """Something was said or answered in a thread: read it again for a while from now on. Returns at once."""
        now = self._clock()
        known = self._watched.pop(thread, None)
        self._watched[thread] = _Watch(known.heard_to if known else now - self._again[-1], active_at=now)
        while len(self._watched) > self._most:
            self._watched.popitem(last=False)
        self._has_watches.set()

    async def run(self) -> NoReturn:
        """Read the watched threads again when it is time, until this is cancelled."""
        while True:
            await self._has_watches.wait()
            if not self._watched:
                self._has_watches.clear()
                continue
            thread = min(self._watched, key=lambda thread: self._due(self._watched[thread]))
            if (wait := self._due(self._watched[thread]) - self._clock()) > 0:
                # No longer than a thread will wait that is watched from now on.
                await self._sleep(min(wait, self._again[0]))
            else:
                await self._look_again(thread, self._watched[thread])

    async def _look_again(self, thread: Thread, watch: _Watch) -> None:
        """Read a watched thread once, and note when it is to be read next."""
        now = self._clock()
        heard_to, not_before, is_closed = watch.heard_to, 0.0, False
        try:
            await self._read(thread, watch.heard_to)
            heard_to = now - _OVERLAP
        except (PlatformAway, StoreError) as error:
            logger.info("thread not read again yet", extra={"thread_key": thread.key, "reason": str(error)})
            not_before = self._clock() + self._again[0]
            is_closed = not_before > watch.active_at + self._age
        except PlatformError as error:
            logger.info("thread not read again", extra={"thread_key": thread.key, "reason": str(error)})
            is_closed = True
        # It may have been let go meanwhile, or have begun anew because something was said in it.
        watch = self._watched.get(thread, watch)
        passed = sum(watch.active_at + seconds <= now for seconds in self._again)
        is_over = not not_before and passed == len(self._again)
        if is_closed or is_over:
            self._watched.pop(thread, None)
        elif thread in self._watched:
            step = watch.step if not_before else passed
            self._watched[thread] = replace(watch, heard_to=heard_to, step=step, not_before=not_before)

    def _due(self, watch: _Watch) -> float:
        return max(watch.active_at + self._again[watch.step], watch.not_before)
