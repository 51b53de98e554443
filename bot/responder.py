"""One turn in one thread: the question read, the model asked, the answer shown, the thread moved on."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from bot.answers import (
    READING,
    Answered,
    Completed,
    Content,
    Draft,
    Manner,
    Media,
    Notice,
    Question,
    Stopped,
    Text,
    ToolUse,
)
from bot.approvals import Approvals
from bot.asking import Asking
from bot.attachments import ONLY_INLINE, Enclosure, Intake, label_name, read_attachments
from bot.calling import Calling
from bot.condensing import Condensing
from bot.errors import (
    AnswerBlocked,
    AnswerEmpty,
    AttachmentError,
    AttachmentTooLarge,
    AttachmentUnsupported,
    MessageGone,
    NotAllowed,
    NothingAsked,
    QuestionRejected,
    ThreadClosed,
    ToldBefore,
)
from bot.function_runs import Functions
from bot.history import Past
from bot.limits import Limits
from bot.links import public_links
from bot.messages import Address, Message, Platform, Refusal, Turn, Usage
from bot.metrics import Metrics
from bot.notices import FOLLOWING, TRUNCATED, UNOPENED, notice_for, remark_for, unsure_remark
from bot.policy import Policy
from bot.ports import Adapter, Model, Reply, ThreadNote, TurnStore
from bot.private import PrivatePast
from bot.room import Share
from bot.stopping import StopSwitch, TurnStopped
from bot.wishes import wish_for_a_picture, wish_of

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
        links: whether what people link to goes to Gemini with their words.
        functions: what the model may call; *approvals*: asks whether it may, where that is needed.
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
        links: bool = False,
        functions: Functions | None = None,
        approvals: Approvals | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._model, self._model_name, self._adapters = store, model, model_name, adapters
        self._limits, self._inline_limit, self._metrics = limits, inline_limit, metrics
        self._policy, self._image_model = policy, image_model
        self._intake, self._links, self._condensing = intake, links, condensing
        self._functions, self._approvals = Functions() if functions is None else functions, approvals
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
                if self._approvals is not None:
                    await self._approvals.withdraw(turn)
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
            calling=Calling(self._functions, turn, draft=draft, reply=reply, approvals=self._approvals),
            sleep=self._sleep,
            clock=self._clock,
        )
        manner = Manner(is_stored=not self._policy.is_private(turn.thread), tools=self._functions.tools(turn.thread))
        self._metrics.asks.labels("first" if fresh else "resumed").inc()
        completed = None if fresh else await asking.resume(manner)
        if completed is None:
            messages = await self._messages(turn, adapter)
            question = await self._question(turn, messages, draft, intake)
            past.leave_room_for(question)
            if self._image_model is not None and wish_for_a_picture(messages):
                manner = replace(manner, model=self._image_model, tools=())
            if self._condensing is not None and isinstance(past, Past) and manner.model is None:
                # Not for a picture: one that is to be changed would be lost.
                await self._condensing.begin_afresh(turn, past, draft, reply)
            completed = await _answer(asking, question, draft, again=not fresh, manner=manner)
        elif any(message.attachments for message in turn.messages):
            await self._remark_on_files(turn, adapter, draft, intake)
        if draft.answer.is_empty:
            raise AnswerEmpty("completed with nothing to show")
        return completed

    async def _messages(self, turn: Turn, adapter: Adapter) -> Sequence[Message]:
        """The turn's messages with their texts, as far as they are still there."""
        return [message for one in turn.messages if (message := await self._whole(one, adapter)) is not None]

    def _intake_for(self, turn: Turn, draft: Draft, reply: Reply, share: Share) -> Intake:
        """What can be taken in for a turn; the thread is told what is handed to Gemini."""

        def tell(name: str) -> None:
            draft.add(ToolUse(f"{READING}{name}"))
            reply.changed()

        uploads = None if self._policy.is_private(turn.thread) else self._intake.uploads
        return replace(self._intake, uploads=uploads, tell=tell, share=share)

    async def _question(self, turn: Turn, messages: Sequence[Message], draft: Draft, intake: Intake) -> Question:
        """The messages as one user input: each one's text, then what it links to, then its files."""
        enclosures = iter(await self._enclosures(turn, messages, intake))
        contents: list[Content] = []
        for message in messages:
            if spoken := _spoken(message):
                contents.append(Text(spoken))
                contents.extend(public_links(spoken) if self._links else ())
            for enclosure in islice(enclosures, len(message.attachments)):
                contents.extend(enclosure.content)
                if enclosure.error is not None:
                    self._leave_out(turn, enclosure.error, draft)
        if not contents:
            raise NothingAsked
        return tuple(contents)

    async def _remark_on_files(self, turn: Turn, adapter: Adapter, draft: Draft, intake: Intake) -> None:
        """Say again which files an answer knows nothing of, as far as that is certain.

        What cannot be had now may well have been read before the crash.
        """
        for enclosure in await self._enclosures(turn, await self._messages(turn, adapter), intake):
            if isinstance(enclosure.error, AttachmentTooLarge | AttachmentUnsupported):
                self._leave_out(turn, enclosure.error, draft)
            elif enclosure.error is not None:
                draft.remark(unsure_remark(enclosure.error.name))

    async def _enclosures(self, turn: Turn, messages: Sequence[Message], intake: Intake) -> Sequence[Enclosure]:
        """The files of messages, in their order."""
        return await read_attachments(
            [(message, attachment) for message in messages for attachment in message.attachments],
            self._adapters[turn.thread.platform].download,
            inline_limit=self._inline_limit,
            intake=intake,
        )

    def _leave_out(self, turn: Turn, error: AttachmentError, draft: Draft) -> None:
        logger.info("attachment left out", extra={**turn.fields, "error": type(error).__name__})
        self._metrics.failures.labels(type(error).__name__).inc()
        draft.remark(remark_for(error))

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


async def _answer(asking: Asking, question: Question, draft: Draft, *, again: bool, manner: Manner) -> Completed:
    """The answer to a question; to one that Gemini rejects with links in it, without them."""
    try:
        return await asking.ask(question, again=again, manner=manner)
    except QuestionRejected:
        # What stands behind a link is anybody's, and may be nothing that Gemini can open.
        plain = tuple(part for part in question if not (isinstance(part, Media) and part.source is None))
        if plain == question:
            raise
        draft.remark(UNOPENED)
        return await asking.ask(plain, again=True, manner=manner)


def _spoken(message: Message) -> str:
    wish = wish_of(message.text)
    words = message.text if wish is None else wish
    # Where names are known several people may speak, and the model has to tell them apart.
    name = message.author.name and label_name(message.author.name)
    return f"[{name}] {words}" if words and name else words or ""
