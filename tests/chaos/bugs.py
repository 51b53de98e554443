"""Bugs on purpose, each a small wrapper of the ends by which the bot holds the world, for the judge to catch.

    async with clew_on(slack, wrap_all=bug.store, wrap_line=bug.slack): ...
    python -m tests.chaos.clew --bug blind-retry

Each is made anew for every life of the bot: what a bug remembers dies with it.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TypeVar, cast

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.adapter import Line as SlackLine
from bot.__main__ import Around
from bot.answers import PLAIN, After, AnswerEvent, Completed, Manner, Question
from bot.errors import ModelError, StaleTurn, ThreadClosed
from bot.messages import InteractionId, Message, MessageId, Refusal, Thread, Turn, TurnId
from bot.ports import Claim, Model, Store

SOUND = Around

E = TypeVar("E")
Instead = Callable[..., object]
_Added = tuple[Message, Refusal | None]


class _Interposed:
    """An end of which some methods are exchanged."""

    def __init__(self, end: object, instead: Mapping[str, Instead]) -> None:
        self._end, self._instead = end, instead

    def __getattr__(self, name: str) -> object:
        return self._instead.get(name) or getattr(self._end, name)


def _interposed(end: E, **instead: Instead) -> E:
    return cast("E", _Interposed(end, instead))


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
    """Every other message of a thread is stored after the one that follows it."""
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
                await store.add(late, refusal=its_refusal)
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

    async def reset(thread: Thread, command: MessageId) -> bool:
        return False

    return Around(store=lambda store: _interposed(store, reset=reset))


# --- taking up ------------------------------------------------------------------------------------


def _forgetting(change: Callable[[Turn], Turn]) -> Callable[[Store], Store]:
    """A store that, of the turns an earlier life left open, forgets something."""

    def wrap(store: Store) -> Store:
        left_open: set[TurnId] = set()

        async def running() -> Sequence[Turn]:
            found = [change(turn) for turn in await store.running()]
            left_open.update(turn.id for turn in found)
            return found

        async def turn(asked: Turn) -> Turn | None:
            found = await store.turn(asked)
            return change(found) if found is not None and found.id in left_open else found

        return _interposed(store, running=running, turn=turn)

    return wrap


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


def blind_retry() -> Around:
    """A post of which nobody knows the end is made again, without a look."""

    async def again(client: AsyncWebClient, call: "_Call", method: str, named: dict[str, object]) -> AsyncSlackResponse:
        try:
            return await call(method, **named)
        except (aiohttp.ClientError, TimeoutError):
            return await call(method, **named)

    return Around(slack=lambda line: _Client.over(line, {"chat.postMessage", "chat.startStream"}, again))


def pings_everybody() -> Around:
    """What the model says reaches Slack as it stands, with everybody named in it."""

    async def louder(
        client: AsyncWebClient, call: "_Call", method: str, named: dict[str, object]
    ) -> AsyncSlackResponse:
        sent = dict(cast("dict[str, object]", named["json"]))
        if chunks := cast("list[dict[str, object]]", sent.get("chunks") or []):
            sent["chunks"] = [{**one, "text": f"{one['text']} <!channel>"} if "text" in one else one for one in chunks]
        else:
            sent |= {"text": f"<!channel> {sent.get('text')}", "blocks": None}
        return await call(method, **{**named, "json": sent})

    saying = {"chat.postMessage", "chat.update", "chat.startStream", "chat.appendStream"}
    return Around(slack=lambda line: _Client.over(line, saying, louder))


def button_left() -> Around:
    """An answer ends, and its Stop button stays."""

    async def keeping(
        client: AsyncWebClient, call: "_Call", method: str, named: dict[str, object]
    ) -> AsyncSlackResponse:
        return await call(method, **{**named, "json": _with_stop(named["json"])})

    return Around(
        slack=lambda line: _Client.over(line, {"chat.postMessage", "chat.update", "chat.stopStream"}, keeping)
    )


def _with_stop(sent: object) -> object:
    stop = {"type": "button", "text": {"type": "plain_text", "text": "Stop"}, "action_id": "left", "value": "left"}
    whole = cast("dict[str, object]", sent)
    blocks = cast("list[dict[str, object]]", whole.get("blocks") or [])
    return {**whole, "blocks": [*blocks, {"type": "actions", "elements": [stop]}]} if blocks else whole


def status_left() -> Around:
    """The line that says that work goes on is never taken away."""

    async def keeping(
        client: AsyncWebClient, call: "_Call", method: str, named: dict[str, object]
    ) -> AsyncSlackResponse:
        sent = cast("dict[str, object]", named["json"])
        return await call(method, **{**named, "json": {**sent, "status": sent.get("status") or "is thinking…"}})

    return Around(slack=lambda line: _Client.over(line, {"assistant.threads.setStatus"}, keeping))


_Call = Callable[..., Awaitable[AsyncSlackResponse]]
_Instead = Callable[[AsyncWebClient, _Call, str, dict[str, object]], Awaitable[AsyncSlackResponse]]


class _Client(AsyncWebClient):
    """The SDK's client, some methods of which are called in another way."""

    def __init__(self, client: AsyncWebClient, methods: set[str], instead: _Instead) -> None:
        super().__init__(token=client.token, base_url=client.base_url, session=client.session, retry_handlers=[])
        self._methods, self._other = methods, instead

    @classmethod
    def over(cls, line: SlackLine, methods: set[str], instead: _Instead) -> SlackLine:
        return SlackLine(cls(line.client, methods, instead), line.session)

    async def api_call(self, api_method: str, **named: object) -> AsyncSlackResponse:
        call = cast("_Call", super().api_call)
        if api_method in self._methods:
            return await self._other(self, call, api_method, named)
        return await call(api_method, **named)


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
        recovery_without_adoption,
        paid_twice,
        notice_swallowed,
        blind_retry,
        pings_everybody,
        button_left,
        status_left,
    )
}
"""Each by its name."""
