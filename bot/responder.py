"""One turn in one thread: the question read, the model asked, the answer shown, the thread moved on."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from bot.answers import (
    READING,
    Answered,
    Completed,
    Draft,
    Manner,
    Media,
    Notice,
    Question,
    Stopped,
    Tool,
    ToolUse,
)
from bot.approvals import OVER, STOPPED, Approvals
from bot.asking import Asking
from bot.attachments import ONLY_INLINE, Intake
from bot.background import Background
from bot.calling import Calling
from bot.citing import with_numbers
from bot.condensing import Condensing
from bot.errors import (
    AnswerBlocked,
    AnswerEmpty,
    NotAllowed,
    QuestionRejected,
    ThreadClosed,
    ToldBefore,
)
from bot.function_runs import Functions
from bot.history import Past
from bot.limits import Limits
from bot.messages import Address, Platform, Refusal, Turn, Usage
from bot.metrics import Metrics
from bot.notices import FOLLOWING, TRUNCATED, UNOPENED, notice_for, toolless_remark
from bot.policy import Policy
from bot.ports import Adapter, Model, Reply, ThreadNote, TurnStore
from bot.private import PrivatePast
from bot.questions import Questions
from bot.refused_tools import RefusedTools
from bot.research import Research, show_stopped
from bot.room import Share
from bot.stopping import StopSwitch, TurnStopped
from bot.tools import NO_TOOLS, Toolbox, functions_of, names_of
from bot.wishes import wish_for_a_picture, wish_for_research

logger = logging.getLogger(__name__)


class Responder:
    """Answers turns.

    Args:
        adapters: filled before the first turn is taken.
        model_name: noted with each answer of which the model does not tell it.
        image_model: answers where a picture is wished for; None leaves that to the usual one.
        inline_limit: most bytes of files sent inside one question.
        intake: what else can be taken in; nothing is uploaded from a private thread.
        condensing: lets long chains begin afresh; without it they grow.
        background: takes questions whose answers are long in coming; without it none does.
        research: takes those that are to be researched; without it they are questions like all others.
        links: whether what people link to goes to Gemini with their words.
        toolbox: what Gemini may use; nothing of it where a picture is wished for.
        functions: what the model may call, but for pictures; *approvals*: asks whether it may, where that is needed.
    """

    def __init__(
        self,
        *,
        store: TurnStore,
        model: Model,
        model_name: str,
        adapters: Mapping[Platform, Adapter],
        limits: Limits,
        inline_limit: int,
        policy: Policy,
        metrics: Metrics,
        image_model: str | None = None,
        intake: Intake = ONLY_INLINE,
        condensing: Condensing | None = None,
        background: Background | None = None,
        research: Research | None = None,
        links: bool = False,
        toolbox: Toolbox = NO_TOOLS,
        functions: Functions | None = None,
        approvals: Approvals | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._model, self._model_name, self._adapters = store, model, model_name, adapters
        self._limits, self._inline_limit, self._metrics = limits, inline_limit, metrics
        self._policy, self._image_model, self._toolbox = policy, image_model, toolbox
        self._intake, self._condensing = intake, condensing
        self._questions = Questions(adapters, inline_limit=inline_limit, links=links, metrics=metrics)
        self._background, self._research = background, research
        self._functions, self._approvals = Functions() if functions is None else functions, approvals
        self._refused_tools = RefusedTools(clock)
        self._sleep, self._clock = sleep, clock

    async def take(self, turn: Turn, stop: StopSwitch, *, fresh: bool) -> None:
        """Answer one turn in its thread and note where the thread now stands.

        Args:
            fresh: nobody has tried to answer this turn before; else what was written of it is gone on from.

        Raises:
            BotError: there is no answer, and the thread has not been told yet.
            StaleTurn: the thread was reset at the very end, and the answer is no longer wanted.
        """
        await self._check_policy(turn)
        adapter, draft = self._adapters[turn.thread.platform], Draft()
        async with adapter.reply(turn, draft) as reply:
            try:
                async with stop.watching():
                    with self._intake.room.share() as share:
                        intake = self._intake_for(turn, draft, reply, share)
                        past = self._past(turn, adapter, draft, intake)
                        completed = await self._completed(turn, draft, reply, past, intake, fresh=fresh)
            except TurnStopped:
                show_stopped(await self._store.turn(turn) or turn, draft)
                await self._withdraw(turn)
                await reply.end(Stopped(draft.answer))
                await self._store.stopped(turn)
                self._ended(turn, "stopped")
                return
            if completed.truncated:
                draft.remark(TRUNCATED)
            if self._begins_to_follow(turn):
                draft.remark(FOLLOWING)
            await self._withdraw(turn, OVER, fresh=fresh)  # what an attempt that broke had called for
            await reply.end(Answered(with_numbers(draft.answer)))
            # Last, and in one transaction: no turn continues from an answer the thread never saw.
            await self._store.answered(
                turn,
                interaction=completed.interaction,
                usage=completed.usage,
                model=completed.model or self._model_name,
                told=past.told,
                exchange=past.exchange,
            )
        self._ended(turn, "answered", completed.usage)

    async def give_up(self, turn: Turn, error: Exception) -> None:
        """End a turn that has no answer with the notice that says why."""
        notice = notice_for(error)
        if isinstance(error, ThreadClosed | ToldBefore):
            # There is nowhere to say it, or nobody who has not heard it.
            await self._store.failed(turn, notice=notice, tell=isinstance(error, ThreadClosed))
            self._ended(turn, "failed")
            return
        await self._withdraw(turn, OVER)
        async with self._adapters[turn.thread.platform].reply(turn, Draft()) as reply:
            await reply.end(Notice(notice))
            await self._store.failed(turn, notice=notice, tell=not isinstance(error, AnswerBlocked | NotAllowed))
        self._ended(turn, "failed")

    async def close(self, turn: Turn) -> None:
        """End a turn whose thread was reset under it."""
        draft = Draft()
        show_stopped(await self._store.turn(turn) or turn, draft)
        await self._withdraw(turn)
        async with self._adapters[turn.thread.platform].reply(turn, draft) as reply:
            await reply.end(Stopped(draft.answer))
            await self._store.stopped(turn)
        self._ended(turn, "stopped")

    async def _withdraw(self, turn: Turn, words: str = STOPPED, *, fresh: bool = False) -> None:
        if self._approvals is not None:
            await self._approvals.withdraw(turn, words, fresh=fresh)

    async def _check_policy(self, turn: Turn) -> None:
        """Let a turn pass whose asker may ask. Who that is may have to be looked up, which only a turn has time for."""
        refusal, asker = turn.refusal, turn.asker
        if refusal is None:
            standing = asker.standing or await self._adapters[turn.thread.platform].standing(turn.thread, asker)
            refusal = self._policy.refusal_of_standing(standing)
        if refusal in {Refusal.GUEST, Refusal.OUTSIDER} and not await self._store.refuse(turn, refusal):
            raise ToldBefore
        if refusal is not None:
            raise NotAllowed(refusal)

    def _past(self, turn: Turn, adapter: Adapter, draft: Draft, intake: Intake) -> Past | PrivatePast:
        past = Past(
            turn,
            adapter=adapter,
            store=self._store,
            draft=draft,
            inline_limit=self._inline_limit,
            intake=intake,
        )
        if self._policy.is_private(turn.thread):
            return PrivatePast(turn, past=past, store=self._store, draft=draft)
        return past

    def _begins_to_follow(self, turn: Turn) -> bool:
        """Whether the thread is followed from this answer on, and so is to be told how to make that end."""
        first = turn.messages[0]
        is_first = turn.previous is None and turn.since is None and first.address is Address.MENTION
        return is_first and self._policy.follows(ThreadNote(is_known=True, is_ours=first.is_root, is_quiet=False))

    async def _completed(
        self, turn: Turn, draft: Draft, reply: Reply, past: Past | PrivatePast, intake: Intake, *, fresh: bool
    ) -> Completed:
        if turn.stopping:
            raise TurnStopped
        calling = Calling(self._functions, turn, draft=draft, reply=reply, approvals=self._approvals)
        asking = Asking(
            turn,
            model=self._model,
            store=self._store,
            draft=draft,
            reply=reply,
            past=past,
            limits=self._limits,
            metrics=self._metrics,
            background=self._background,
            calling=calling,
            sleep=self._sleep,
            clock=self._clock,
        )
        manner = self._manner(turn)
        self._metrics.asks.labels("first" if fresh else "resumed").inc()
        if self._research is not None and turn.agent is not None:
            return await self._research.resume(turn, draft, reply)
        completed = None if fresh else await self._resumed(turn, asking, draft, manner)
        if completed is None:
            messages = await self._questions.messages(turn)
            question = await self._questions.question(turn, messages, draft, intake)
            past.leave_room_for(question)
            if self._research is not None and wish_for_research(messages):
                is_private = self._policy.is_private(turn.thread)
                return await self._research.answer(turn, question, past, draft, reply, private=is_private)
            if self._image_model is not None and wish_for_a_picture(messages):
                manner = replace(manner, model=self._image_model, tools=())
            if self._condensing is not None and isinstance(past, Past) and manner.model is None:
                # Not for a picture: one that is to be changed would be lost.
                await self._condensing.begin_afresh(turn, past, draft, reply)
            completed = await self._answer(turn, asking, calling, question, draft, again=not fresh, manner=manner)
        elif any(message.attachments for message in turn.messages):
            await self._questions.remark_on_files(turn, draft, intake)
        if draft.answer.is_empty:
            raise AnswerEmpty("completed with nothing to show")
        return completed

    def _manner(self, turn: Turn) -> Manner:
        """How a turn's question is answered, unless it wishes for something else than words."""
        is_private = self._policy.is_private(turn.thread)
        offered = self._toolbox.offered_in(turn.thread, is_private=is_private)
        return Manner(is_stored=not is_private, tools=(*offered, *self._functions.tools(turn.thread)))

    async def _resumed(self, turn: Turn, asking: Asking, draft: Draft, manner: Manner) -> Completed | None:
        """What came of an earlier attempt; None when the question has to be asked again."""
        functions = functions_of(manner.tools)
        for tools in (manner.tools, functions) if functions != manner.tools else (functions,):
            try:
                return await asking.resume(replace(manner, tools=tools))
            except QuestionRejected as error:  # results, with tools that the attempt may have done without
                logger.warning("results rejected", extra={**turn.fields, "reason": str(error)})
                draft.start_over()
        return None

    async def _answer(
        self,
        turn: Turn,
        asking: Asking,
        calling: Calling,
        question: Question,
        draft: Draft,
        *,
        again: bool,
        manner: Manner,
    ) -> Completed:
        """The answer to a question; to one that Gemini rejects with links in it or with tools, without them."""
        left_out: tuple[Tool, ...] = ()
        if calling.has_called:  # by an attempt that a crash broke off, and its results were rejected
            left_out, manner = manner.tools, replace(manner, tools=())
        refused: list[Sequence[Tool]] = []  # sets of tools, by this question
        if dropped := self._refused_tools.left_out_of(manner.tools):
            draft.remark(toolless_remark(dropped, lately=True))
            manner = replace(manner, tools=tuple(tool for tool in manner.tools if tool not in dropped))
        while True:
            try:
                completed = await asking.ask(question, again=again, manner=manner)
            except QuestionRejected as error:
                # What stands behind a link is anybody's, and may be nothing that Gemini can open.
                plain = tuple(part for part in question if not (isinstance(part, Media) and part.source is None))
                if plain != question:
                    question = plain
                    draft.remark(UNOPENED)
                elif manner.tools:
                    # A tool may be unknown to the model, wrongly set, or gone. Nothing tells surely that it was one,
                    # nor which one: first functions are offered alone, which are right by themselves as a rule.
                    kept = () if calling.has_called else functions_of(manner.tools)
                    kept = kept if len(kept) < len(manner.tools) else ()
                    dropped = tuple(tool for tool in manner.tools if tool not in kept)
                    fields = {**turn.fields, "tools": ", ".join(names_of(dropped)), "reason": str(error)}
                    logger.warning("question rejected, asking without tools", extra=fields)
                    self._metrics.failures.labels("ToolsRejected").inc()
                    if not calling.has_called:  # else it may be the results that were rejected
                        refused.append(manner.tools)
                    left_out, manner = (*left_out, *dropped), replace(manner, tools=kept)
                else:
                    raise
                draft.start_over()
                again = True
            else:
                if left_out:
                    draft.remark(toolless_remark(left_out))
                self._note_tools(turn, taken=manner.tools, refused=refused)
                return completed

    def _note_tools(self, turn: Turn, *, taken: Sequence[Tool], refused: Sequence[Sequence[Tool]]) -> None:
        """Take note of what Gemini takes: only a question that it takes without its tools says something of those."""
        if taken:
            self._refused_tools.taken(taken)
        for tools in refused:
            if self._refused_tools.refused(tools):
                fields = {**turn.fields, "tools": ", ".join(names_of(tools))}
                logger.error("tools refused again, they are left out for ten minutes", extra=fields)

    def _intake_for(self, turn: Turn, draft: Draft, reply: Reply, share: Share) -> Intake:
        """What can be taken in for a turn; the thread is told what is handed to Gemini."""

        def tell(name: str) -> None:
            draft.add(ToolUse(f"{READING}{name}"))
            reply.changed()

        uploads = None if self._policy.is_private(turn.thread) else self._intake.uploads
        return replace(self._intake, uploads=uploads, tell=tell, share=share)

    def _ended(self, turn: Turn, state: str, usage: Usage | None = None) -> None:
        self._metrics.turns.labels(turn.thread.platform, state).inc()
        if self._approvals is not None:
            self._approvals.over(turn)
        fields: dict[str, object] = {**turn.fields, "messages": len(turn.messages)}
        if usage is not None:
            for kind in ("input", "output", "thought", "cached", "tool"):
                self._metrics.tokens.labels(kind).inc(getattr(usage, f"{kind}_tokens"))
            self._metrics.searches.inc(usage.searches)
            fields["tokens"] = usage.total_tokens
        logger.info("turn %s", state, extra=fields)
