"""Bugs on purpose, each a small wrapper of the ends by which the bot holds the world, for the judge to catch.

    async with clew_on(slack, wrap_all=bug.store, wrap_line=bug.slack): ...
    python -m tests.chaos.clew --bug blind-retry

Each is made anew for every life of the bot: what a bug remembers dies with it.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TypeVar, cast

from bot.__main__ import Around
from bot.answers import PLAIN, After, AnswerEvent, Completed, Manner, Question
from bot.errors import ModelError, StaleTurn, ThreadClosed
from bot.messages import InteractionId, Message, MessageId, Refusal, Thread, Turn, TurnId
from bot.ports import Claim, Model, Retried, Store
from tests.chaos.bugs_functions import anybody_approves, approval_skipped, approved_twice
from tests.chaos.bugs_research import cancel_forgotten, cap_ignored, research_begun_twice
from tests.chaos.bugs_shown import (
    approval_left,
    blind_retry,
    button_left,
    confirmed_twice,
    pings_everybody,
    report_attached_twice,
    status_left,
)
from tests.chaos.interposing import forgetting as _forgetting
from tests.chaos.interposing import interposed as _interposed

SOUND = Around

E = TypeVar("E")
_Added = tuple[Message, Refusal | None]


# --- what arrives ---------------------------------------------------------------------------------


def ack_before_store() -> Around:
    """A message counts as stored before it is: it waits in memory until its thread has time for it."""
    kept: dict[Thread, list[_Added]] = {}

    def wrap(store: Store) -> Store:
        async def add(message: Message, *, refusal: Refusal | None = None) -> bool:
            kept.setdefault(message.thread, []).append((message, refusal))
            return True

        async def claim(thread: Thread) -> Claim | None:
            for message, refusal in kept.pop(thread, ()):
                await store.add(message, refusal=refusal)
            return await store.claim(thread)

        return _interposed(store, add=add, claim=claim)

    return Around(store=wrap)


def stored_out_of_order() -> Around:
    """Every other message of a thread is stored after the one that follows it, as if it had been said then."""
    known: dict[Thread, list[MessageId]] = {}
    kept: dict[Thread, list[_Added]] = {}

    def wrap(store: Store) -> Store:
        async def add(message: Message, *, refusal: Refusal | None = None) -> bool:
            seen = known.setdefault(message.thread, [])
            if message.id not in seen:  # it may come in two events
                seen.append(message.id)
            if seen.index(message.id) % 2:
                kept.setdefault(message.thread, []).append((message, refusal))
                return True
            is_new = await store.add(message, refusal=refusal)
            for late, its_refusal in kept.pop(message.thread, ()):
                await store.add(replace(late, sent_at=message.sent_at), refusal=its_refusal)
            return is_new

        return _interposed(store, add=add)

    return Around(store=wrap)


def stored_twice() -> Around:
    """What is handed over again is taken for something new."""

    def wrap(store: Store) -> Store:
        known = 0

        async def add(message: Message, *, refusal: Refusal | None = None) -> bool:
            nonlocal known
            if await store.add(message, refusal=refusal):
                return True
            known += 1
            another = MessageId(f"{message.id[: -len(str(known))]}{known}")
            return await store.add(replace(message, id=another), refusal=refusal)

        return _interposed(store, add=add)

    return Around(store=wrap)


# --- turns ----------------------------------------------------------------------------------------


def advance_before_post() -> Around:
    """The thread stands on an answer, and its turn is over, before anybody sees it."""
    running: dict[InteractionId, Turn] = {}
    over: set[TurnId] = set()
    books: list[Store] = []

    def over_store(store: Store) -> Store:
        books.append(store)

        async def created(turn: Turn, interaction: InteractionId) -> None:
            running[interaction] = turn
            await store.created(turn, interaction)

        async def shown(turn: Turn, part: object) -> None:
            with suppress(*([StaleTurn] if turn.id in over else [])):
                await store.shown(turn, part)  # type: ignore[arg-type]  # whatever it is, it is handed on

        async def answered(turn: Turn, **named: object) -> None:
            if turn.id not in over:
                await store.answered(turn, **named)  # type: ignore[arg-type]  # the same

        return _interposed(store, created=created, shown=shown, answered=answered)

    async def advance(event: AnswerEvent) -> None:
        if isinstance(event, Completed) and (turn := running.get(event.interaction)) is not None:
            over.add(turn.id)
            await books[0].answered(turn, interaction=event.interaction, usage=event.usage, model="early")

    return Around(store=over_store, model=lambda model: _telling(model, advance))


def two_at_once() -> Around:
    """A question goes on from where its thread stood when it came, as if no other were being answered."""
    stood: dict[MessageId, InteractionId | None] = {}
    latest: dict[Thread, InteractionId | None] = {}

    def wrap(store: Store) -> Store:
        async def add(message: Message, *, refusal: Refusal | None = None) -> bool:
            stood.setdefault(message.id, latest.get(message.thread))
            return await store.add(message, refusal=refusal)

        async def answered(turn: Turn, *, interaction: InteractionId, **named: object) -> None:
            await store.answered(turn, interaction=interaction, **named)  # type: ignore[arg-type]  # handed on
            latest[turn.thread] = interaction

        async def claim(thread: Thread) -> Claim | None:
            found = await store.claim(thread)
            first = found and found.turn.messages[0].id
            if found is None or first not in stood:
                return found
            return replace(found, turn=replace(found.turn, previous=stood[first]))

        return _interposed(store, add=add, answered=answered, claim=claim)

    return Around(store=wrap)


def prefix_forgotten() -> Around:
    """Nobody is told of what was stopped, or could not be answered."""

    async def untold(turn: Turn) -> Sequence[Turn]:
        return ()

    return Around(store=lambda store: _interposed(store, untold=untold))


def reset_ignored() -> Around:
    """A reset is confirmed, and does nothing."""

    async def reset(thread: Thread, command: MessageId, **named: object) -> bool:
        return False

    return Around(store=lambda store: _interposed(store, reset=reset))


def quiet_ignored() -> Around:
    """The bot says that it is quiet, and goes on as before."""

    async def quieten(thread: Thread, command: MessageId, **named: object) -> bool:
        return True

    return Around(store=lambda store: _interposed(store, quieten=quieten))


def any_button_retries() -> Around:
    """Whichever answer a Retry button stood under, and however often it is pressed, it works on the last one."""

    def wrap(store: Store) -> Store:
        async def retry(thread: Thread, command: MessageId, **named: object) -> Retried:
            return await store.retry(thread, command, **{**named, "turn": None})  # type: ignore[arg-type]  # handed on

        return _interposed(store, retry=retry)

    return Around(store=wrap)


# --- what is kept ---------------------------------------------------------------------------------


def forget_leaves_interactions() -> Around:
    """A thread is forgotten here, and nothing of it at Gemini."""

    async def delete(interaction: InteractionId) -> None:
        return

    return Around(model=lambda model: _interposed(model, delete=delete))


def private_stored() -> Around:
    """Gemini is let keep what is private."""

    def wrap(model: E) -> E:
        def answer(question: Question, *, after: After, manner: Manner = PLAIN) -> AsyncGenerator[AnswerEvent, None]:
            stored = replace(manner, is_stored=True)
            return cast("Model", model).answer(question, after=after, manner=stored)

        return _interposed(model, answer=answer)

    return Around(model=wrap)


# --- taking up ------------------------------------------------------------------------------------


def recovery_without_adoption() -> Around:
    """Where the parts of an unfinished reply stand is forgotten at the start."""
    return Around(store=_forgetting(lambda turn: replace(turn, parts=())))


def paid_twice() -> Around:
    """At the start an unfinished turn's interaction is not fetched: the question is asked anew."""
    return Around(store=_forgetting(lambda turn: replace(turn, interaction=None)))


# --- what is shown --------------------------------------------------------------------------------


def notice_swallowed() -> Around:
    """A turn that cannot be answered ends without a word."""

    def wrap(model: E) -> E:
        async def answer(
            question: Question, *, after: After, manner: Manner = PLAIN
        ) -> AsyncGenerator[AnswerEvent, None]:
            try:
                events = cast("Model", model).answer(question, after=after, manner=manner)
                async with aclosing(events):
                    async for event in events:
                        yield event
            except ModelError as error:
                raise ThreadClosed("nobody is told") from error

        return _interposed(model, answer=answer)

    return Around(model=wrap)


def _telling(model: E, tell: Callable[[AnswerEvent], Awaitable[None]]) -> E:
    """A model of which somebody hears each event first."""

    async def answer(question: Question, *, after: After, manner: Manner = PLAIN) -> AsyncGenerator[AnswerEvent, None]:
        async with aclosing(cast("Model", model).answer(question, after=after, manner=manner)) as events:
            async for event in events:
                await tell(event)
                yield event

    return _interposed(model, answer=answer)


BUGS: Mapping[str, Callable[[], Around]] = {
    bug.__name__.replace("_", "-"): bug
    for bug in (
        ack_before_store,
        stored_out_of_order,
        stored_twice,
        advance_before_post,
        two_at_once,
        prefix_forgotten,
        reset_ignored,
        quiet_ignored,
        any_button_retries,
        forget_leaves_interactions,
        private_stored,
        recovery_without_adoption,
        paid_twice,
        notice_swallowed,
        blind_retry,
        pings_everybody,
        confirmed_twice,
        button_left,
        status_left,
        approval_skipped,
        approved_twice,
        anybody_approves,
        approval_left,
        research_begun_twice,
        cancel_forgotten,
        cap_ignored,
        report_attached_twice,
    )
}
"""Each by its name."""
