"""The places in which turns are answered, so many at the same time; who only waits gives theirs back meanwhile.

A turn that waits for a person, or for what runs at Gemini, is *parked*: it keeps nobody from being answered, and is
left at once when the process ends, for all that it waits for is written down.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from bot.messages import Thread, Turn
from bot.metrics import Metrics

Parked = Callable[[Turn], AbstractAsyncContextManager[None]]
"""See `Places.parked`."""


def in_its_place(turn: Turn) -> AbstractAsyncContextManager[None]:
    """Parks nothing."""
    return nullcontext()


class Places:
    """First come, first served: a thread with many turns queues anew for each of them, behind everybody else.

    Args:
        most: places that there are.
    """

    def __init__(self, most: int, *, metrics: Metrics) -> None:
        self._free, self._metrics = asyncio.Semaphore(most), metrics
        self._taken: set[Thread] = set()  # a thread has one running turn
        self._parked: dict[Thread, asyncio.Task[object]] = {}
        self._is_closed = False

    @asynccontextmanager
    async def place(self, thread: Thread) -> AsyncIterator[None]:
        """A place of a thread's own, for the block; it is waited for."""
        await self._take(thread)
        try:
            yield
        finally:
            self._give_back(thread)

    @asynccontextmanager
    async def parked(self, turn: Turn) -> AsyncIterator[None]:
        """Do without a place in the block, which only waits, and have one again after it.

        Where the block does not come to its end because the turn is stopped, no place is waited for: a stop acts at
        once. When the process ends the task is cancelled, whether the block was entered before or after that.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a turn is parked by the task that answers it")
        self._parked[turn.thread] = task
        self._give_back(turn.thread)
        self._metrics.running.dec()
        self._metrics.parked.inc()
        if self._is_closed:
            task.cancel()
        try:
            try:
                yield
            finally:
                self._metrics.parked.dec()
            await self._take(turn.thread)
        except Exception:
            await self._take(turn.thread)  # it goes on with what went wrong
            raise
        finally:
            self._metrics.running.inc()
            del self._parked[turn.thread]

    def close(self) -> None:
        """Leave what is parked, and what is going to be."""
        self._is_closed = True
        for task in self._parked.values():
            task.cancel()

    async def _take(self, thread: Thread) -> None:
        with self._metrics.waiting.track_inprogress():
            await self._free.acquire()
        self._taken.add(thread)

    def _give_back(self, thread: Thread) -> None:
        if thread in self._taken:
            self._taken.discard(thread)
            self._free.release()
