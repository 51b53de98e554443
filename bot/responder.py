"""One turn in one thread: the question read, the model asked, the answer shown, the thread moved on."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import islice

from bot.answers import Answered, Completed, Content, Draft, Notice, Question, Stopped, Text
from bot.asking import Asking
from bot.attachments import read_attachments
from bot.errors import AnswerBlocked, AnswerEmpty, MessageGone, NotAllowed, NothingAsked, ThreadClosed, ToldBefore
from bot.history import Past
from bot.limits import Limits
from bot.messages import Address, Message, Platform, Refusal, Turn, Usage
from bot.metrics import Metrics
from bot.notices import FOLLOWING, TRUNCATED, notice_for, remark_for
from bot.policy import Policy
from bot.ports import Adapter, Model, Reply, ThreadNote, TurnStore
from bot.stopping import StopSwitch, TurnStopped

logger = logging.getLogger(__name__)


class Responder:
    """Answers turns.

    Args:
        adapters: filled before the first turn is taken.
        model_name: noted with each answer.
        inline_limit: most bytes of files sent inside one question.
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
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._model, self._model_name, self._adapters = store, model, model_name, adapters
        self._limits, self._inline_limit, self._metrics = limits, inline_limit, metrics
        self._policy = policy
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
        past = Past(turn, adapter=adapter, store=self._store, draft=draft, inline_limit=self._inline_limit)
        async with adapter.reply(turn, draft) as reply:
            try:
                async with stop.watching():
                    completed = await self._completed(turn, draft, reply, past, fresh=fresh)
            except TurnStopped:
                await reply.end(Stopped(draft.answer))
                await self._store.stopped(turn)
                self._ended(turn, "stopped")
                return
            if completed.truncated:
                draft.remark(TRUNCATED)
            if self._begins_to_follow(turn):
                draft.remark(FOLLOWING)
            await reply.end(Answered(draft.answer))
            # Last, and in one transaction: no turn continues from an answer the thread never saw.
            await self._store.answered(
                turn,
                interaction=completed.interaction,
                usage=completed.usage,
                model=self._model_name,
                told=past.told,
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
        async with self._adapters[turn.thread.platform].reply(turn, Draft()) as reply:
            await reply.end(Notice(notice))
            await self._store.failed(turn, notice=notice, tell=not isinstance(error, AnswerBlocked | NotAllowed))
        self._ended(turn, "failed")

    async def close(self, turn: Turn) -> None:
        """End a turn whose thread was reset under it."""
        async with self._adapters[turn.thread.platform].reply(turn, Draft()) as reply:
            await reply.end(Stopped(Draft().answer))
            await self._store.stopped(turn)
        self._ended(turn, "stopped")

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

    def _begins_to_follow(self, turn: Turn) -> bool:
        """Whether the thread is followed from this answer on, and so is to be told how to make that end."""
        first = turn.messages[0]
        is_first = turn.previous is None and turn.since is None and first.address is Address.MENTION
        return is_first and self._policy.follows(ThreadNote(is_known=True, is_ours=first.is_root, is_quiet=False))

    async def _completed(self, turn: Turn, draft: Draft, reply: Reply, past: Past, *, fresh: bool) -> Completed:
        if turn.stopping:
            raise TurnStopped
        adapter = self._adapters[turn.thread.platform]
        asking = Asking(
            turn,
            model=self._model,
            store=self._store,
            draft=draft,
            reply=reply,
            past=past,
            limits=self._limits,
            metrics=self._metrics,
            sleep=self._sleep,
            clock=self._clock,
        )
        self._metrics.asks.labels("first" if fresh else "resumed").inc()
        completed = None if fresh else await asking.resume()
        if completed is None:
            question = await self._question(turn, adapter, draft)
            past.leave_room_for(question)
            completed = await asking.ask(question, again=not fresh)
        elif any(message.attachments for message in turn.messages):
            await self._question(turn, adapter, draft)  # for its remarks: which files the answer knows nothing of
        if draft.answer.is_empty:
            raise AnswerEmpty("completed with nothing to show")
        return completed

    async def _question(self, turn: Turn, adapter: Adapter, draft: Draft) -> Question:
        """The turn's messages as one user input: each one's text, then its files."""
        messages = [message for one in turn.messages if (message := await self._whole(one, adapter)) is not None]
        files = [(message, attachment) for message in messages for attachment in message.attachments]
        enclosures = iter(await read_attachments(files, adapter.download, inline_limit=self._inline_limit))
        contents: list[Content] = []
        for message in messages:
            if message.text:
                contents.append(Text(_spoken(message)))
            for enclosure in islice(enclosures, len(message.attachments)):
                contents.extend(enclosure.content)
                if enclosure.error is not None:
                    logger.info("attachment left out", extra={**turn.fields, "error": type(enclosure.error).__name__})
                    self._metrics.failures.labels(type(enclosure.error).__name__).inc()
                    draft.remark(remark_for(enclosure.error))
        if not contents:
            raise NothingAsked
        return tuple(contents)

    async def _whole(self, message: Message, adapter: Adapter) -> Message | None:
        """The message with its text, which has been blanked when the turn is a retry; None when it is gone."""
        if message.text is not None:
            return message
        try:
            return await adapter.read(message)
        except MessageGone:
            return None

    def _ended(self, turn: Turn, state: str, usage: Usage | None = None) -> None:
        self._metrics.turns.labels(turn.thread.platform, state).inc()
        fields: dict[str, object] = {**turn.fields, "messages": len(turn.messages)}
        if usage is not None:
            for kind in ("input", "output", "thought", "cached", "tool"):
                self._metrics.tokens.labels(kind).inc(getattr(usage, f"{kind}_tokens"))
            fields["tokens"] = usage.total_tokens
        logger.info("turn %s", state, extra=fields)


def _spoken(message: Message) -> str:
    # Where names are known several people may speak, and the model has to tell them apart.
    return f"[{message.author.name}] {message.text}" if message.author.name else message.text or ""
