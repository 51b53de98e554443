"""Work that goes on by itself for a while, and the one who owns it."""

import asyncio
import logging
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Errands:
    """Owns tasks. Leaving it waits for them a little, then ends what is left.

    Not an `asyncio.TaskGroup`, in which one errand that fails would end all the others, and the process.

    Args:
        grace: seconds that tasks are given when it is left.
    """

    def __init__(self, *, grace: float = 0.0) -> None:
        self._grace = grace
        self._running: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closed = True
        try:
            if self._running and self._grace > 0:
                await asyncio.wait(self._running, timeout=self._grace)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    def start(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Begin something. Raises RuntimeError when the owner has been left."""
        if self._is_closed:
            work.close()
            raise RuntimeError("nothing is begun any more")
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("errand failed in a way nobody foresaw", exc_info=error)
