"""A stand-in's clock: every timer runs on it, so that a test may make minutes pass in milliseconds."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable


class Timer:
    """Something that is to happen at a time of the clock."""

    def __init__(self, when: float, then: Callable[[], None]) -> None:
        self.when, self._then = when, then

    def cancel(self) -> None:
        self._then = lambda: None

    def fire(self) -> None:
        self._then()


class Clock:
    """Tells the platform's time in seconds since 1970, and waits in it.

    Args:
        speed: seconds of the platform that pass in one real second.
        start: the platform's time at the beginning; the real time unless given.

    `now` and `sleep` fit wherever the bot lets its own be passed in, so that both live in the same time.
    """

    def __init__(self, *, speed: float = 1.0, start: float | None = None) -> None:
        self.speed = speed
        self._start = time.time() if start is None else start
        self._began = time.monotonic()
        self._skipped = 0.0
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._armed: asyncio.TimerHandle | None = None

    def now(self) -> float:
        return self._start + self._skipped + (time.monotonic() - self._began) * self.speed

    def advance(self, seconds: float) -> None:
        """Jump ahead. What became due happens as soon as the test waits for something."""
        self._skipped += seconds
        if self._timers:
            self._arm()

    def after(self, seconds: float, then: Callable[[], None]) -> Timer:
        """Call *then* in so many of its seconds."""
        timer = Timer(self.now() + seconds, then)
        heapq.heappush(self._timers, (timer.when, next(self._order), timer))
        self._arm()
        return timer

    async def sleep(self, seconds: float) -> None:
        """Wait so many of its seconds."""
        waiter = asyncio.get_running_loop().create_future()
        timer = self.after(max(seconds, 0.0), lambda: None if waiter.done() else waiter.set_result(None))
        try:
            await waiter
        finally:
            timer.cancel()

    def close(self) -> None:
        self._timers.clear()
        if self._armed is not None:
            self._armed.cancel()

    def _arm(self) -> None:
        if self._armed is not None:
            self._armed.cancel()
        wait = max(0.0, self._timers[0][0] - self.now()) / self.speed
        self._armed = asyncio.get_running_loop().call_later(wait, self._fire)

    def _fire(self) -> None:
        self._armed = None
        while self._timers and self._timers[0][0] <= self.now():
            heapq.heappop(self._timers)[2].fire()
        if self._timers:
            self._arm()
