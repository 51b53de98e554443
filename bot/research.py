"""Research: a question that an agent of Gemini's works on in the background, for minutes and for dollars."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from bot.answers import ActionRequired, After, AnswerEvent, Completed, Draft, Manner, Question, Thought
from bot.asking import Context
from bot.background import Background
from bot.errors import (
    AgentUnknown,
    AnswerBroken,
    ContextLost,
    ModelError,
    ModelUnknown,
    NoResearch,
    QuestionRejected,
    ResearchFailed,
    ResearchSpent,
    ResearchTooLong,
    ResearchUncertain,
    RunTooLong,
    RunUncertain,
)
from bot.evidence import Evidence
from bot.limits import Limits
from bot.messages import InteractionId, Turn
from bot.metrics import Metrics
from bot.notices import RESEARCH_STOPPED, RESEARCH_UNBEGUN, research_done, research_warning
from bot.ports import Reply, RunStore
from bot.thinking import doing, passage
from bot.wishes import wish_for_research

logger = logging.getLogger(__name__)

REPORT_NAME = "report.md"


class Research:
    """Has questions researched.

    Args:
        agent: works on them; None where there is no research.
        daily: how many may be begun in a day, by everybody together.
    """

    def __init__(
        self,
        *,
        agent: str | None,
        daily: int,
        store: RunStore,
        background: Background,
        limits: Limits,
        metrics: Metrics,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._agent, self._daily, self._store, self._background = agent, daily, store, background
        self._limits, self._metrics, self._sleep = limits, metrics, sleep

    async def answer(
        self, turn: Turn, question: Question, past: Context, draft: Draft, reply: Reply, *, private: bool
    ) -> Completed:
        """Say what it costs, leave a while to stop it, and have the question researched.

        Args:
            private: Gemini may keep nothing of the thread.

        Raises:
            NoResearch: there is none here.
            ResearchSpent: there is no more today.
            ModelError: there is no report, and the class says why.
            StaleTurn: the thread was reset meanwhile.
        """
        if private or self._agent is None or not self._daily:
            raise NoResearch(private=private)
        if await self._store.researched() >= self._daily:
            raise ResearchSpent(self._daily)
        self._tell(draft, reply, self._agent, f"It begins in {self._limits.warning:.0f} seconds.")
        await self._sleep(self._limits.warning)
        interaction = await self._begun(turn, question, past, self._agent)
        return await self._finished(turn, interaction, self._agent, draft, reply)

    async def resume(self, turn: Turn, draft: Draft, reply: Reply) -> Completed:
        """Go on waiting for what an earlier attempt has begun.

        Raises:
            ResearchUncertain: that attempt ended while it began it.
        """
        if turn.interaction is None or turn.agent is None:
            # Beginning it anew may pay for it twice, and nobody who asked for one expects that.
            raise ResearchUncertain("interrupted while it was begun")
        return await self._finished(turn, turn.interaction, turn.agent, draft, reply, since=turn.begun_at)

    async def _begun(self, turn: Turn, question: Question, past: Context, agent: str) -> InteractionId:
        """Begin it from where the thread stands; from its past in words, where the agent cannot go on from that."""
        after = await past.standing()
        if after is not None:
            try:
                return await self._begin(turn, await past.unheard() + question, after, agent)
            except (ContextLost, ModelUnknown, QuestionRejected) as error:
                logger.info("research begins from words", extra={**turn.fields, "reason": str(error)})
        try:
            return await self._begin(turn, await past.whole() + question, None, agent)
        except (ModelUnknown, QuestionRejected) as error:
            if isinstance(error, ModelUnknown) or error.code == "not_found":
                raise AgentUnknown(agent) from error
            raise

    async def _begin(self, turn: Turn, question: Question, after: After, agent: str) -> InteractionId:
        begun = await self._background.begin(
            turn,
            question,
            after=after,
            manner=Manner(agent=agent),
            counted=lambda: self._counted(turn, agent),
        )
        self._metrics.asks.labels("research").inc()
        logger.info("research begun", extra={**turn.fields, "agent": agent})
        return begun

    @asynccontextmanager
    async def _counted(self, turn: Turn, agent: str) -> AsyncIterator[None]:
        """Count a research before it is begun, and no more when Gemini has surely not begun it.

        So of what a crash leaves uncertain it is known at least that it may have cost, and of what is refused again and
        again that it has not.
        """
        if not await self._store.researching(turn, agent, most=self._daily):
            raise ResearchSpent(self._daily)
        try:
            yield
        except RunUncertain as error:
            raise ResearchUncertain(str(error)) from error
        except ModelError:
            await self._store.not_begun(turn)
            raise

    async def _finished(
        self,
        turn: Turn,
        interaction: InteractionId,
        agent: str,
        draft: Draft,
        reply: Reply,
        *,
        since: float | None = None,
    ) -> Completed:
        minutes = 0 if since is None else None  # of one that was begun before a restart, only a look can tell
        plan: tuple[str, ...] = ()

        def seen(seconds: float, events: tuple[AnswerEvent, ...]) -> None:
            nonlocal minutes, plan
            minutes = int(seconds / 60)
            plan = plan or _plan(events)
            now = " ".join(filter(None, [f"{minutes} min so far.", _newest(events)]))
            self._tell(draft, reply, agent, now, plan)

        try:
            completed = await self._background.wait(turn, interaction, draft, reply, since=since, seen=seen)
        except AnswerBroken as error:
            raise ResearchFailed(str(error)) from error
        except RunTooLong as error:
            raise ResearchTooLong(self._limits.run) from error
        if isinstance(completed, ActionRequired):
            raise ResearchFailed("it called for functions, and has none")
        if draft.answer.is_empty:
            raise ResearchFailed("a report with nothing in it")
        draft.open_with(research_done(agent, minutes, REPORT_NAME))
        draft.attach(REPORT_NAME)
        return replace(completed, model=agent)

    def _tell(self, draft: Draft, reply: Reply, agent: str, now: str, plan: Sequence[str] = ()) -> None:
        quoted = "  \n".join(f"> {line}" for line in plan)
        blocks = (research_warning(agent, self._limits.run), quoted, f"_{now}_")
        draft.open_with("\n\n".join(filter(None, blocks)))
        reply.changed()


def show_stopped(turn: Turn, draft: Draft) -> None:
    """Say of a turn that is being stopped what that means, where it was to be researched.

    Args:
        turn: as it is written down now.
    """
    if turn.agent is not None:
        draft.open_with(RESEARCH_STOPPED)
    elif draft.answer.opening or (turn.parts and wish_for_research(turn.messages)):  # it was warned of
        draft.open_with(RESEARCH_UNBEGUN)


def _plan(events: Sequence[AnswerEvent]) -> tuple[str, ...]:
    """What an agent set out to do: the lines of what it thought first; none when it has told nothing yet."""
    return next((lines for event in events if isinstance(event, Thought) and (lines := passage(event.text))), ())


def _newest(events: Sequence[AnswerEvent]) -> str:
    """What an agent is doing now; nothing when it has told nothing yet."""
    newest = Draft()
    last = next((event for event in reversed(events) if not isinstance(event, Evidence)), None)
    if last is not None:
        newest.add(last)
    return "Writing the report" if newest.answer.text else doing(newest.answer) or ""
