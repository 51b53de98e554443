"""One turn's answer that is made in the background at Gemini: begun, written down, and looked at until it is there.

Polling holds nothing open: a connection that breaks, a model that is away for an hour and a restart of ours cost
a look and nothing else. Whatever of it nobody waits for any more is ended by `bot.cancelling`.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from bot.answers import (
    ActionRequired,
    After,
    AnswerEvent,
    Completed,
    Draft,
    Interaction,
    InteractionState,
    Manner,
    Question,
)
from bot.errors import (
    AnswerBlocked,
    AnswerBroken,
    InteractionLost,
    ModelError,
    ModelRefused,
    RunTooLong,
    RunUncertain,
    StaleTurn,
)
from bot.limits import Limits
from bot.messages import InteractionId, Turn
from bot.metrics import Metrics
from bot.places import Parked, in_its_place
from bot.ports import Model, Reply, RunStore
from bot.stopping import whatever_happens

logger = logging.getLogger(__name__)

_MOST_LOST = 3  # looks in a row at which Gemini does not know what it has begun

Seen = Callable[[float, tuple[AnswerEvent, ...]], None]
"""Hears after each look how many seconds it runs, and what it has done so far; nothing where that could not be seen."""


class Background:
    """Begins answers in the background and waits for them.

    Args:
        left: called when one is waited for no longer, whatever became of it.
        parked: holds a turn while it only waits.
    """

    def __init__(
        self,
        *,
        model: Model,
        store: RunStore,
        limits: Limits,
        metrics: Metrics,
        left: Callable[[], None] = lambda: None,
        parked: Parked = in_its_place,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._model, self._store, self._limits, self._metrics = model, store, limits, metrics
        self._left, self._sleep, self._clock, self._now = left, sleep, clock, now
        self._parked = parked

    async def begin(
        self,
        turn: Turn,
        question: Question,
        *,
        after: After,
        manner: Manner,
        counted: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> InteractionId:
        """Ask once the model takes the question in, and return when it is written down what is answering.

        That is seen to its end even when the turn is stopped meanwhile: what is begun has to be found again.

        Args:
            counted: around each request, which it hears the end of even then.

        Raises:
            RunUncertain: it may or may not have been begun.
            StaleTurn: the thread was reset meanwhile.
        """
        begun: list[InteractionId] = []

        async def work() -> None:
            async with counted():
                try:
                    async with asyncio.timeout(self._limits.refused):
                        begun.append(await self._model.begin(question, after=after, manner=manner))
                except TimeoutError:
                    raise RunUncertain("no answer to the request in time") from None
            await self._store.began(turn, begun[0])

        give_up_at, pause = self._clock() + self._limits.refused, self._limits.first_pause
        while True:
            try:
                await whatever_happens(work())
                return begun[0]
            except (asyncio.CancelledError, StaleTurn):
                self._left()
                raise
            except ModelRefused as refusal:
                wait = pause if refusal.retry_after is None else max(refusal.retry_after, pause)
                if self._clock() + wait >= give_up_at:
                    raise
                logger.info("model refused, asking again", extra={**turn.fields, "reason": str(refusal)})
                self._metrics.asks.labels("refused").inc()
                await self._sleep(wait)
                pause = min(2 * pause, self._limits.longest_pause)

    async def wait(
        self,
        turn: Turn,
        interaction: InteractionId,
        draft: Draft,
        reply: Reply,
        *,
        since: float | None = None,
        seen: Seen = lambda seconds, events: None,
    ) -> Completed | ActionRequired:
        """Look at an interaction until it is done, or calls for functions, and take over its answer.

        Args:
            since: when it was begun, in seconds since the epoch; None for just now.

        Raises:
            AnswerBroken: it failed, was cancelled or is lost.
            AnswerBlocked: its answer was withheld.
            RunTooLong: it is not done in time.
        """
        # The date may jump while we wait, and tells only how long we were away.
        gone = 0.0 if since is None else max(0.0, self._now() - since)
        try:
            async with self._parked(turn):
                return await self._waited(turn, interaction, draft, reply, began=self._clock() - gone, seen=seen)
        finally:
            self._left()

    async def _waited(
        self, turn: Turn, interaction: InteractionId, draft: Draft, reply: Reply, *, began: float, seen: Seen
    ) -> Completed | ActionRequired:
        lost = 0
        unseen_since: float | None = None
        while True:
            events: tuple[AnswerEvent, ...] = ()
            looked_at = self._clock()
            try:
                async with asyncio.timeout(self._limits.refused):
                    found = await self._model.look_up(interaction)
            except InteractionLost:
                lost += 1
                unseen_since = looked_at if unseen_since is None else unseen_since
                if lost >= _MOST_LOST:
                    await self._store.ended(interaction)
                    raise AnswerBroken("lost while it ran") from None
            except AnswerBlocked:
                await self._store.ended(interaction)
                raise
            except (ModelError, TimeoutError) as error:
                # However long Gemini is away, or does not take our key: it works on, and is paid for.
                logger.info("run not seen", extra={**turn.fields, "reason": str(error) or "no answer in time"})
                lost = 0  # in a row
                unseen_since = looked_at if unseen_since is None else unseen_since
            else:
                lost, unseen_since, events = 0, None, found.events
                if found.state is not InteractionState.RUNNING:
                    await self._store.ended(interaction)
                    return self._take_over(found, draft, reply)
            seconds = self._clock() - began
            # After a restart above all, what could not be seen at once may have been done long ago.
            is_hidden = unseen_since is not None and self._clock() - unseen_since < self._limits.refused
            if seconds >= self._limits.run and not is_hidden:
                raise RunTooLong(f"still running after {seconds:.0f} seconds")
            seen(seconds, events)
            await self._sleep(self._limits.poll)

    def _take_over(self, found: Interaction, draft: Draft, reply: Reply) -> Completed | ActionRequired:
        ending = None
        draft.start_over()
        for event in found.events:
            if isinstance(event, Completed | ActionRequired):
                ending = event
            elif found.state is not InteractionState.BROKEN:
                draft.add(event)
        reply.changed()
        if ending is None:
            raise AnswerBroken("it failed, or was cancelled")
        self._metrics.asks.labels("fetched").inc()
        return ending
