"""Waiting for something to become true without asking again and again, and tasks that have an owner."""

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")


class Bell:
    """Rung after every change of a stand-in; whoever waits looks again then."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    async def until(self, look: Callable[[], T | None]) -> T:
        """Return the first truthy thing *look* returns."""
        while not (seen := look()):
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.add(waiter)
            try:
                await waiter
            finally:
                self._waiting.discard(waiter)
        return seen


class Tasks:
    """Work that goes on by itself; leaving the context ends what is left of it.

    Not an `asyncio.TaskGroup`, which would wrap a failed assertion of the surrounding test in a group. What went
    wrong in a task is raised when the context is left, unless the block failed by itself.
    """

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if error is None and self._failures:
            raise self._failures[0]

    def start(self, work: Coroutine[object, object, None]) -> None:
        """Run *work* on its own, until it ends or this context does."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.note(error)

    def note(self, error: BaseException) -> None:
        """Raise *error* when the context is left: something of the stand-in itself is wrong."""
        self._failures.append(error)
