"""Ending at Gemini what runs there and nobody waits for: research that was stopped, reset, forgotten or given up.

Hanging up does not end it, nor does deleting it, and all the while it is paid for. What is to be cancelled is told by
the store alone, so that neither a crash nor a Gemini that is away makes a run be overlooked.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bot.answers import InteractionState
from bot.errors import AnswerBlocked, BotError, InteractionLost, ModelError
from bot.limits import Limits
from bot.messages import InteractionId
from bot.metrics import Metrics
from bot.ports import Model, Run, RunStore

logger = logging.getLogger(__name__)

_LOOK = 60.0  # seconds between two looks at the store, where nothing calls for one
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds between two attempts
_MOST_LOST = 3  # looks in a row at which Gemini does not know what it is to cancel


class Cancelling:
    """Cancels runs, each in a task of its own; `open_cancelling` makes one that works.

    Args:
        pause: seconds before what still runs is cancelled again; doubles.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        *,
        store: RunStore,
        model: Model,
        limits: Limits,
        metrics: Metrics,
        pause: float,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._group, self._store, self._model, self._limits, self._metrics = group, store, model, limits, metrics
        self._pause, self._clock, self._sleep = pause, clock, sleep
        self._woken = asyncio.Event()
        self._tasks: dict[InteractionId, asyncio.Task[None]] = {}
        self._watch: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Look for what nobody waits for any more. Returns at once."""
        self._woken.set()

    def take_up(self) -> None:
        """Begin to look for it, with what an earlier process left."""
        self._watch = self._group.create_task(self._watched())

    def close(self) -> None:
        """End it; the next start goes on from what is written."""
        for task in filter(None, (self._watch, *self._tasks.values())):
            task.cancel()

    async def _watched(self) -> None:
        patience = _LOOK
        while True:
            self._woken.clear()
            try:
                for run in await self._store.unwanted():
                    if run.interaction not in self._tasks:
                        self._tasks[run.interaction] = self._group.create_task(self._cancelled(run))
            except Exception as error:  # looked for again, in a while
                self._report(error, "runs not looked for", {})
            try:
                async with asyncio.timeout(patience):
                    await self._woken.wait()
                patience = self._pause  # its turn may be about to end, and be known to have done so only then
            except TimeoutError:
                patience = _LOOK

    async def _cancelled(self, run: Run) -> None:
        fields = {"thread_key": run.thread.key, "interaction": run.interaction}
        # Longer than it may run by itself, nothing is left to be cancelled.
        give_up_at, pause, lost = self._clock() + 2 * self._limits.run, self._pause, 0
        try:
            while True:
                try:
                    is_over = await self._is_over(run.interaction)
                    lost = 0
                except InteractionLost:  # which Gemini may say for a moment of what runs on
                    lost += 1
                    is_over = lost >= _MOST_LOST
                try:
                    if is_over or self._clock() >= give_up_at:
                        await self._store.ended(run.interaction)
                        logger.info("run cancelled", extra=fields)
                        return
                except BotError as error:
                    self._report(error, "run not cancelled yet", fields)
                await self._sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        except Exception as error:  # the next start tries again
            self._report(error, "run not cancelled", fields)
        finally:
            del self._tasks[run.interaction]

    async def _is_over(self, interaction: InteractionId) -> bool:
        """Cancel an interaction, and tell whether it has ended; for a while it may go on saying that it runs.

        Raises:
            InteractionLost: it cannot be found, though the attempt to cancel it did not say so.
        """
        is_known = True
        try:
            async with asyncio.timeout(self._limits.refused):
                try:
                    await self._model.cancel(interaction)
                except InteractionLost:
                    is_known = False
                except ModelError:
                    pass  # one that has ended cannot be cancelled: what it says of itself counts
                found = await self._model.look_up(interaction)
        except AnswerBlocked:
            return True
        except InteractionLost:
            if is_known:
                raise
            return True
        except (ModelError, TimeoutError):
            return False
        return found.state is not InteractionState.RUNNING

    def _report(self, error: Exception, phrase: str, fields: dict[str, str]) -> None:
        self._metrics.failures.labels(type(error).__name__).inc()
        foreseen = isinstance(error, BotError)
        logger.warning(phrase, extra={**fields, "reason": str(error)}, exc_info=None if foreseen else error)


@asynccontextmanager
async def open_cancelling(
    *,
    store: RunStore,
    model: Model,
    limits: Limits,
    metrics: Metrics,
    pause: float = _FIRST_PAUSE,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Cancelling]:
    """What cancels runs while the block runs."""
    async with asyncio.TaskGroup() as group:
        cancelling = Cancelling(
            group, store=store, model=model, limits=limits, metrics=metrics, pause=pause, clock=clock, sleep=sleep
        )
        try:
            yield cancelling
        finally:
            cancelling.close()
