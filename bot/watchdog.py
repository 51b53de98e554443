"""Whether the event loop keeps time: everybody waits while something holds it up."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from bot.metrics import Metrics
from bot.waiting import beside

logger = logging.getLogger(__name__)


class Watchdog:
    """Notices, when the loop goes on, for how long it stood still.

    What a suspended machine looks like afterwards is the same, and costs one line: the clock is the system's monotonic
    one, which on Linux stands still as long as the machine sleeps.

    Args:
        beat: seconds between two looks.
        late: seconds of delay that are worth a line in the log.
        most: seconds of delay within *memory* that are a trouble; above *late*, for the odd moment is none.
        memory: seconds that a delay is remembered.
    """

    def __init__(
        self,
        metrics: Metrics,
        *,
        beat: float = 0.5,
        late: float = 1.0,
        most: float = 5.0,
        memory: float = 60.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metrics, self._beat, self._late, self._most, self._memory = metrics, beat, late, most, memory
        self._sleep, self._clock = sleep, clock
        self._stalls: deque[tuple[float, float]] = deque()  # when each was over, and how long it was

    def watching(self) -> AbstractAsyncContextManager[None]:
        """Measure while the block runs."""
        return beside(self._watch())

    async def _watch(self) -> None:
        while True:
            before = self._clock()
            await self._sleep(self._beat)
            stalled = self._clock() - before - self._beat
            if stalled >= self._late:
                self._stalls.append((before + self._beat + stalled, stalled))
                self._metrics.stalls.observe(stalled)
                logger.warning("event loop stood still", extra={"seconds": round(stalled, 1)})
            self._forget()

    def _forget(self) -> None:
        while self._stalls and self._clock() - self._stalls[0][0] > self._memory:
            self._stalls.popleft()

    def trouble(self) -> str | None:
        """How long the loop stood still of late; None when that was not for long."""
        self._forget()
        stalled = sum(seconds for _, seconds in self._stalls)
        if stalled < self._most:
            return None
        return f"the event loop stood still for {stalled:.1f} s in the last {self._memory:g} s"
