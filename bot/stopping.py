"""A switch that ends work from outside, at once, without cancelling the task that does it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any


class TurnStopped(Exception):
    """The switch was pressed; raised out of `StopSwitch.watching`."""


class StopSwitch:
    """Pressed by *stop* and *reset*. Work inside `watching` ends at its next await."""

    def __init__(self) -> None:
        self._pressed = False
        self._scope: asyncio.Timeout | None = None

    def press(self) -> None:
        """End the work now; pressing again changes nothing."""
        if not self._pressed and self._scope is not None:
            # A time-out that has come is the one clean way to end a block of a task from outside it:
            # cancelling the task would be taken for a shutdown.
            self._scope.reschedule(asyncio.get_running_loop().time())
        self._pressed = True

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Run the block until it is done or the switch is pressed.

        Raises:
            TurnStopped: the switch was pressed, before or meanwhile.
        """
        scope = asyncio.timeout(0 if self._pressed else None)
        try:
            async with scope:
                self._scope = scope
                try:
                    yield
                finally:
                    self._scope = None
        except TimeoutError:
            if scope.expired():
                raise TurnStopped from None
            raise


async def whatever_happens(work: Coroutine[Any, Any, None]) -> None:
    """Do something small to its end, even when the turn is stopped meanwhile.

    An interaction whose id was not written down could never be deleted at Gemini.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # the turn ends; what it may have been is nobody's concern any more
        raise
