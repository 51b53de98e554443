"""One question, put to the model until it is answered or cannot be.

An answer can break in many ways (a crash of ours, a cut stream, an error event, silence) and all of
them are mended the same way: fetch the interaction, wait while it runs, finish from it when it is
complete; and only when it is failed, lost or out of time is the question asked again, once.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from bot.answers import (
    PLAIN,
    ActionRequired,
    After,
    AnswerEvent,
    Completed,
    Created,
    Draft,
    Interaction,
    InteractionState,
    Manner,
    Question,
    UserStep,
)
from bot.background import Background
from bot.calling import Calling
from bot.calls import Results
from bot.errors import (
    AnswerBlocked,
    AnswerBroken,
    ContextLost,
    InteractionLost,
    ModelRefused,
    ModelUnavailable,
    QuestionRejected,
    RunTooLong,
    RunUncertain,
    TooManyAttempts,
)
from bot.limits import Limits
from bot.messages import InteractionId, Turn
from bot.metrics import Metrics
from bot.notices import TOLD_AGAIN
from bot.ports import Model, Reply, TurnStore
from bot.rounds import Rounds, Told
from bot.stopping import whatever_happens

logger = logging.getLogger(__name__)

_Attempt = Callable[[Question, After], Awaitable[Told]]


class Context(Protocol):
    """What the model may have to be told before the question."""

    async def standing(self) -> After:
        """What the question goes on from, where the thread stands: None when nothing there is that can be gone on from.

        That is an interaction at Gemini, or in a private thread the exchanges that are kept here.
        """
        ...

    async def whole(self) -> Question:
        """Everything said before; told when Gemini holds nothing to go on from."""
        ...

    async def unheard(self) -> Question:
        """What no interaction holds; told with the question otherwise."""
        ...

    def answered(self, told: Sequence[Question], completed: Completed, *, after: InteractionId | None) -> None:
        """Take note of the user inputs that were told at last, of their answer, and of what they went on from."""
        ...


@dataclass(frozen=True, slots=True)
class _Before:
    """What the model is told before a question."""

    after: After
    base: InteractionId | None  # where the thread stood, while that is gone on from
    past: Question = ()  # all that was said, told in the place of a base
    unheard: Question = ()


class Asking:
    """The asking of one turn's question.

    Args:
        draft: takes in the answer as it comes; *reply* is told whenever it has changed.
        background: takes a question that was long in being answered when its answer broke; None never does.
        calling: runs the functions that the model calls for; without it none is run.
    """

    def __init__(
        self,
        turn: Turn,
        *,
        model: Model,
        store: TurnStore,
        draft: Draft,
        reply: Reply,
        past: Context,
        limits: Limits,
        metrics: Metrics,
        background: Background | None = None,
        calling: Calling | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._background = background
        self._turn, self._model, self._store = turn, model, store
        self._draft, self._reply, self._past = draft, reply, past
        self._limits, self._metrics, self._calling = limits, metrics, calling
        self._sleep, self._clock = sleep, clock
        self._asks = turn.asks
        self._interaction = turn.interaction
        self._manner = PLAIN
        self._began = 0.0  # on the clock: the answer, or a round of it, that is being waited for
        self._rounds = Rounds(turn, calling=calling, stream=self._stream, mend=self._mended)

    async def resume(self, manner: Manner = PLAIN) -> Completed | None:
        """Finish from the interaction an earlier attempt left behind; None when there is nothing to finish from.

        Functions that it calls for are run, again if need be.
        """
        if self._interaction is None:
            return None
        self._manner, self._began = manner, self._clock()
        if self._background is not None and self._turn.begun_at is not None:
            try:
                told: Told | None = await self._background.wait(
                    self._turn, self._interaction, self._draft, self._reply, since=self._turn.begun_at
                )
            except (AnswerBroken, RunTooLong):
                return None
        else:
            told = await self._finish_from(self._interaction)
        return await self._rounds.see_through(told, sent=(), is_stored=manner.is_stored)

    async def ask(self, question: Question, *, again: bool = False, manner: Manner = PLAIN) -> Completed:
        """Put the question to the model and take in the answer.

        Args:
            manner: how it is to be answered. When Gemini is to store nothing, an answer that breaks cannot be fetched,
                and so is asked for again.
            again: an earlier attempt asked already, and this one is to be counted before it is made.

        Raises:
            ModelError: there is no answer, and the class says why.
            StaleTurn: the thread was reset meanwhile.
        """
        self._manner = manner
        before = await self._before()
        retried, refused = False, False
        attempt: _Attempt = self._stream
        while True:
            if again:
                await self._count(before.base)
            self._interaction = None
            try:
                completed = await self._answered(attempt, before.unheard + question, before.after)
                if completed is not None:
                    told = [before.past, before.unheard + question] if before.past else [before.unheard + question]
                    self._past.answered(told, completed, after=before.base)
                    if refused:
                        self._draft.remark(TOLD_AGAIN)
                    return completed
                if retried:
                    raise AnswerBroken("broken a second time") from None
                retried = True
                attempt = self._attempt_after(self._clock() - self._began)
                self._metrics.asks.labels("again").inc()
            except ContextLost:
                if before.base is None:
                    raise
                before = await self._told_again()
            except QuestionRejected as error:
                # What the thread brought along may be the reason. Steps of the model's own can be left out, and are:
                # a lost signature, or too many of them, would be refused for ever. Else only a reset helps.
                if before.base is None or manner.is_stored:
                    chained = error.chained or before.after is not None
                    raise QuestionRejected(error.code, chained=chained) from error
                before, refused = await self._told_again(), True
            except (ModelUnavailable, AnswerBlocked, AnswerBroken) as error:
                error.past_may_be_why = self._tells(before)
                raise
            self._draft.start_over()
            self._reply.changed()
            again = True

    def _attempt_after(self, seconds: float) -> _Attempt:
        """How to ask again: an answer that broke when it had been given for long had better hold no connection open."""
        long = self._limits.long
        can = self._background is not None and self._manner.is_stored
        return self._behind if can and long is not None and seconds >= long else self._stream

    def _tells(self, before: _Before) -> bool:
        """Whether what was said before goes along with the question, and with every one after it."""
        return before.after is not None and not self._manner.is_stored

    async def _count(self, base: InteractionId | None) -> None:
        if self._asks >= self._limits.takes:
            raise TooManyAttempts(f"asked {self._asks} times")
        await self._store.asking(self._turn, after=base)
        self._asks += 1

    async def _before(self) -> _Before:
        after = await self._past.standing()
        if after is None:
            return await self._told_whole()
        return _Before(after, self._turn.previous, unheard=await self._past.unheard())

    async def _told_again(self) -> _Before:
        logger.info("context lost, rebuilding it from the thread", extra=self._turn.fields)
        self._metrics.asks.labels("rebuilt").inc()
        return await self._told_whole()

    async def _told_whole(self) -> _Before:
        past = await self._past.whole()  # which holds what went unheard as well
        return _Before((UserStep(past),) if past else None, None, past=past)

    async def _answered(self, attempt: _Attempt, question: Question, after: After) -> Completed | None:
        """The answer to a question; None when it broke and nothing of it is left, so that it has to be asked again."""
        try:
            told: Told | None = await attempt(question, after)
        except AnswerBroken as error:
            told = await self._mended(error)
        sent = (*(after if isinstance(after, tuple) else ()), UserStep(question))
        return await self._rounds.see_through(told, sent=sent, is_stored=self._manner.is_stored)

    async def _mended(self, error: AnswerBroken, interaction: InteractionId | None = None) -> Told | None:
        """What Gemini has of an answer that broke, or of an interaction it came from; None when that is nothing."""
        logger.warning("answer broken", extra={**self._turn.fields, "reason": str(error)})
        wanted = interaction or self._interaction
        return await self._finish_from(wanted) if wanted is not None and self._manner.is_stored else None

    async def _stream(self, question: Question | Results, after: After) -> Told:
        """Ask once the model takes the question in, and listen until the answer is complete, or calls for functions."""
        self._began = self._clock()
        async with aclosing(await self._accepted(question, after)) as events:
            try:
                async with asyncio.timeout(self._limits.turn), asyncio.timeout(self._limits.silent) as silence:
                    loop = asyncio.get_running_loop()
                    async for event in events:
                        silence.reschedule(loop.time() + self._limits.silent)
                        if isinstance(event, Completed | ActionRequired):
                            return event
                        await self._take_in(event)
            except TimeoutError:
                raise AnswerBroken("silent for too long, or out of time") from None
        raise AnswerBroken("the stream ended without completing")

    async def _behind(self, question: Question, after: After) -> Told:
        """Ask in the background, and look until the answer is there."""
        if self._background is None:
            raise AnswerBroken("nothing is asked in the background")
        try:
            begun = await self._background.begin(self._turn, question, after=after, manner=self._manner)
            return await self._background.wait(self._turn, begun, self._draft, self._reply)
        except (RunUncertain, RunTooLong) as error:
            raise AnswerBroken(str(error)) from error

    async def _accepted(self, question: Question | Results, after: After) -> AsyncGenerator[AnswerEvent, None]:
        """The open stream of a model that has taken the question in, its first event seen to.

        Creates are not retried by the SDK: what is safe to ask again, and for how long, is decided here.
        """
        give_up_at = self._clock() + self._limits.refused
        pause = self._limits.first_pause
        while True:
            events = self._model.answer(question, after=after, manner=self._manner)
            try:
                async with asyncio.timeout(give_up_at - self._clock()):
                    await self._take_in(await anext(events))
                return events
            except TimeoutError:
                await events.aclose()
                raise ModelUnavailable("no answer to the request in time") from None
            except ModelRefused as refusal:
                # A server that asks for no pause at all gets one all the same: else it would be asked without end.
                wait = pause if refusal.retry_after is None else max(refusal.retry_after, self._limits.first_pause)
                if self._clock() + wait >= give_up_at:
                    raise
                logger.info("model refused, asking again", extra={**self._turn.fields, "reason": str(refusal)})
                self._metrics.asks.labels("refused").inc()
                await self._sleep(wait)
                pause = min(2 * pause, self._limits.longest_pause)
            except BaseException:
                await events.aclose()
                raise

    async def _take_in(self, event: AnswerEvent) -> None:
        if isinstance(event, Created) and not self._manner.is_stored:
            pass  # the id leads nowhere
        elif isinstance(event, Created):
            # Written before anything of the answer is shown: from here on a crash costs a fetch, not a second answer.
            self._interaction = event.interaction
            await whatever_happens(self._store.created(self._turn, event.interaction))
        else:
            self._draft.add(event)
            self._reply.changed()

    async def _finish_from(self, interaction: InteractionId) -> Told | None:
        """Wait for an interaction and take over its answer; None when it is failed, lost or out of time."""
        refused_since: float | None = None
        pause = self._limits.first_pause
        while True:
            try:
                async with asyncio.timeout(self._limits.refused):
                    found = await self._model.look_up(interaction)
            except InteractionLost:
                return None
            except (ModelRefused, TimeoutError) as error:
                now = self._clock()
                refused_since = now if refused_since is None else refused_since
                if now - refused_since >= self._limits.refused or isinstance(error, TimeoutError):
                    raise ModelUnavailable("the interaction could not be fetched in time") from error
            else:
                refused_since = None
                if found.state is InteractionState.BROKEN:
                    return None
                if found.state is not InteractionState.RUNNING:
                    return self._take_over(found)
            if self._clock() + pause > self._began + self._limits.turn:
                return None
            await self._sleep(pause)
            pause = min(2 * pause, self._limits.longest_pause)

    def _take_over(self, found: Interaction) -> Told | None:
        self._metrics.asks.labels("fetched").inc()
        self._draft.start_over()
        told: Told | None = None
        for event in found.events:
            if isinstance(event, Completed | ActionRequired):
                told = event
            else:
                self._draft.add(event)
        self._reply.changed()
        # A call for functions that nobody offers: asking again may end otherwise.
        return None if isinstance(told, ActionRequired) and self._calling is None else told
