"""Death at a chosen moment, in process: before or after the k-th thing a bot does to the world.

The ports are wrapped once, here. Whatever the bot tries after its death comes to nothing, its last words included.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from enum import Enum, auto
from functools import partial
from typing import TypeVar, cast

from bot.answers import (
    PLAIN,
    ActionRequired,
    After,
    AnswerEvent,
    Created,
    Draft,
    Ending,
    Interaction,
    InteractionState,
    Manner,
    Question,
    TextPiece,
)
from bot.calls import Results
from bot.errors import AnswerBroken, ModelRefused
from bot.messages import Attachment, InteractionId, Message, MessageId, Thread, Turn
from bot.ports import Adapter, Approval, FileState, GeminiFile, Reply, Store
from tests.support.agent import Agent, Doing
from tests.support.scripted import Asked, ScriptedModel, completed, steps_saying

READS = frozenset(
    {"running", "waiting", "untold", "never_told", "note", "turn", "transcript", "threads", "active"}
    | {"unconfirmed", "check", "chain", "knows", "exchanges", "is_at_gemini", "thread_of", "upload_of", "uploads"}
    | {"to_forget", "forgotten", "to_delete", "file_to_delete", "researched", "unwanted"}
    | {"places", "caught_up", "parcels"}  # of the start, which goes on beside what is counted
)
"""What changes nothing: a death on either side of it is the one beside the deed before or after."""

T = TypeVar("T")


class When(Enum):
    """On which side of the deed death comes."""

    BEFORE = auto()
    AFTER = auto()


class Reaper:
    """Counts what the bot does, from `start` on, and ends it at its moment.

    Args:
        k: the number of the deed, from 1; 0 lets the bot live.
        then: called at the moment of death.
    """

    def __init__(self, k: int, when: When, *, then: Callable[[], None] = lambda: None) -> None:
        self.k, self.when, self._then = k, when, then
        self._counting = False
        self._done: Counter[str] = Counter()
        self._did_more = asyncio.Event()
        self.deeds: list[str] = []
        self.struck = asyncio.Event()

    def start(self) -> None:
        """Count from here: the connection is up, and the question about to be asked."""
        self._counting = True

    async def did(self, *names: str) -> None:
        """Wait until these were done since the counting began, as often as they are named."""
        wanted = Counter(names)
        while not wanted <= self._done:
            self._did_more.clear()
            await self._did_more.wait()

    def has_done(self, name: str) -> bool:
        """Whether a deed was done, by a bot that is dead now."""
        return name in self.deeds[: self.k - (self.when is When.BEFORE)]

    async def lets(self, name: str, deed: Callable[[], Awaitable[T]]) -> T:
        """Do it, unless the bot is dead; and let it die, if this is the moment."""
        self._check()
        mine = self._is_mine(name)
        if mine and self.when is When.BEFORE:
            self._strike()
            self._check()
        try:
            done = await deed()
        finally:
            if mine and self.when is When.AFTER:
                self._strike()
            self._check()
        if self._counting:
            self._done[name] += 1
            self._did_more.set()
        return done

    async def lets_wait(self, waiting: Awaitable[object]) -> None:
        """Wait, unless the bot dies meanwhile."""
        waits: list[asyncio.Future[object]] = [
            asyncio.ensure_future(waiting),
            asyncio.ensure_future(self.struck.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            self._check()
            await waits[0]
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _is_mine(self, name: str) -> bool:
        if self._counting:
            self.deeds.append(name)
        return self._counting and len(self.deeds) == self.k

    def _strike(self) -> None:
        self.struck.set()
        self._then()

    def _check(self) -> None:
        if self.struck.is_set():
            # As if the loop had stopped running this task: nobody hears of it, and nothing is logged.
            raise asyncio.CancelledError

    def falls_on(self, name: str) -> bool:
        """Count a deed that is done elsewhere, and whether death comes with it: whoever asks sees to its side."""
        if self.struck.is_set() or not self._is_mine(name):
            return False
        self._strike()
        return True

    def over_adapter(self, adapter: Adapter) -> Adapter:
        """A platform that is called through its port alone."""
        return cast("Adapter", _ReapedAdapter(self, adapter))

    def over_store(self, store: Store) -> Store:
        """The store, each commit of which is a deed."""
        return cast("Store", _ReapedStore(self, store))


class _ReapedStore:
    def __init__(self, reaper: Reaper, store: Store) -> None:
        self._reaper, self._store = reaper, store

    def __getattr__(self, name: str) -> object:
        method = getattr(self._store, name)
        if name in {"approvals", "chains", "forgetting", "runs"}:  # a store in the store
            return _ReapedStore(self._reaper, method)
        if name in READS:
            return method

        async def reaped(*arguments: object, **named: object) -> object:
            return await self._reaper.lets(f"store.{name}", lambda: method(*arguments, **named))

        return reaped


class _ReapedReply:
    def __init__(self, reaper: Reaper, reply: Reply) -> None:
        self._reaper, self._reply = reaper, reply

    def changed(self) -> None:
        self._reply.changed()

    async def end(self, ending: Ending) -> None:
        await self._reaper.lets("reply.end", lambda: self._reply.end(ending))


class _ReapedAdapter:
    def __init__(self, reaper: Reaper, adapter: Adapter) -> None:
        self._reaper, self._adapter = reaper, adapter

    def __getattr__(self, name: str) -> object:
        return getattr(self._adapter, name)

    @asynccontextmanager
    async def reply(self, turn: Turn, draft: Draft) -> AsyncIterator[Reply]:
        async with self._adapter.reply(turn, draft) as reply:
            yield _ReapedReply(self._reaper, reply)

    async def download(self, message: Message, attachment: Attachment) -> AsyncIterator[bytes]:
        download = cast("AsyncGenerator[bytes, None]", self._adapter.download(message, attachment))
        async with aclosing(download) as pieces:
            yield await self._reaper.lets("adapter.download", lambda: anext(pieces))
            async for piece in pieces:
                yield piece

    async def ask(self, turn: Turn, approval: Approval, words: str) -> None:
        await self._reaper.lets("adapter.ask", lambda: self._adapter.ask(turn, approval, words))

    async def settle(self, turn: Turn, approval: Approval, words: str) -> None:
        await self._reaper.lets("adapter.settle", lambda: self._adapter.settle(turn, approval, words))

    async def confirm(self, thread: Thread, command: MessageId, words: str) -> None:
        await self._reaper.lets("adapter.confirm", lambda: self._adapter.confirm(thread, command, words))


Cue = AnswerEvent | Exception | Callable[[], Awaitable[object]]
"""What a model that outlives the bot does in an answer: tell something, fail, or wait."""


async def _the(found: T) -> T:
    return found


class ReapedModel(ScriptedModel):
    """A model that outlives the bot: what it began to answer it finishes, to be fetched later.

    Args:
        tells: how it answers a question; its first and last event need not be said. A refusal comes first if at all,
            and calls for functions last, of an interaction without a name.
        works: what it does about what it is asked in the background.
        finishes: whether it ever does.
    """

    def __init__(
        self,
        reaper: Reaper,
        tells: Callable[[Asked], Sequence[Cue]],
        *,
        works: Callable[[Asked], Sequence[Doing]] = lambda asked: (),
        finishes: bool = True,
    ) -> None:
        super().__init__()
        self.reaper, self.agent, self._works = reaper, Agent(), works
        self.shelf: dict[str, GeminiFile] = {}  # the files it was handed and still has
        self.sent: list[str] = []  # every file it was ever handed
        self.relied_on: list[InteractionId] = []  # the answers of which more was heard than that they are made
        self._tells, self._finishes = tells, finishes

    async def answer(
        self, question: Question | Results, *, after: After, manner: Manner = PLAIN
    ) -> AsyncGenerator[AnswerEvent, None]:
        cues = self._tells(Asked.told(question, after, manner))
        name = InteractionId(f"i{len(self.asked) + 1}")
        self.will(cues[0] if isinstance(cues[0], ModelRefused) else Created(name))
        async with aclosing(super().answer(question, after=after, manner=manner)) as accepted:
            first = await self.reaper.lets("model.answer", lambda: anext(accepted))
        if manner.is_stored:
            self.will_find(name, self._found(name, cues, after))
        yield first
        if manner.is_stored and not self.reaper.struck.is_set():
            self.relied_on.append(name)  # whoever asks for more has noted the first
        for cue in cues:
            if isinstance(cue, Exception):
                raise cue
            if isinstance(cue, ActionRequired):
                yield replace(cue, interaction=name)
                return
            if isinstance(cue, AnswerEvent):
                yield cue
            else:
                await self.reaper.lets_wait(cue())
        said = "".join(cue.text for cue in cues if isinstance(cue, TextPiece))
        steps = () if manner.is_stored else steps_saying(said, signature=f"signed-{name}")
        yield replace(completed(name), steps=steps)

    def _found(self, name: InteractionId, cues: Sequence[Cue], after: After) -> Interaction | Exception:
        for cue in cues:
            if isinstance(cue, AnswerBroken):
                return Interaction(name, InteractionState.BROKEN)
            if isinstance(cue, Exception):
                return cue
        # What was told before functions were called for comes with what came of them.
        before = self.interactions.get(after, [None])[0] if isinstance(after, str) else None
        earlier = before.events if isinstance(before, Interaction) else ()
        rounds = sum(event.rounds for event in earlier if isinstance(event, ActionRequired))
        told = tuple(cue for cue in cues if isinstance(cue, AnswerEvent))
        if rounds:
            told = (*(event for event in earlier[1:] if not isinstance(event, ActionRequired)), *told)
        if isinstance(called := told[-1] if told else None, ActionRequired):
            called = replace(called, interaction=name, rounds=rounds + 1)
            return Interaction(name, InteractionState.CALLING, (Created(name), *told[:-1], called))
        events = (Created(name), *told, completed(name)) if self._finishes else ()
        state = InteractionState.COMPLETED if self._finishes else InteractionState.RUNNING
        return Interaction(name, state, events)

    async def begin(self, question: Question, *, after: After, manner: Manner = PLAIN) -> InteractionId:
        async def taken_in() -> InteractionId:
            asked = Asked(question, after, manner)
            self.begun.append(asked)
            return self.agent.begin(self._works(asked))

        return await self.reaper.lets("model.begin", taken_in)

    async def cancel(self, interaction: InteractionId) -> None:
        async def cancelled() -> None:
            self.cancelled.append(interaction)
            self.agent.cancel(interaction)

        await self.reaper.lets("model.cancel", cancelled)

    async def look_up(self, interaction: InteractionId) -> Interaction:
        look_up, reaper = super().look_up, self.reaper
        if interaction in self.agent.runs:
            found = await self.agent.look_up(interaction, by=reaper, wait=reaper.lets_wait)
            return await reaper.lets("model.look_up", partial(_the, found))
        return await self.reaper.lets("model.look_up", lambda: look_up(interaction))

    async def delete(self, interaction: InteractionId) -> None:
        delete = super().delete
        await self.reaper.lets("model.delete", lambda: delete(interaction))

    # --- the shelf --------------------------------------------------------------------------------

    async def upload_file(self, path: str, *, name: str, mime_type: str) -> GeminiFile:
        async def arrived() -> GeminiFile:
            self.sent.append(name)
            self.shelf[name] = file = GeminiFile(name, f"https://gemini/{name}", mime_type, FileState.ACTIVE)
            return file

        return await self.reaper.lets("model.upload_file", arrived)

    async def find_file(self, name: str) -> GeminiFile | None:
        async def found() -> GeminiFile | None:
            return self.shelf.get(name)

        return await self.reaper.lets("model.find_file", found)

    async def delete_file(self, name: str) -> None:
        async def deleted() -> None:
            self.shelf.pop(name, None)
            self.deleted_files.append(name)

        await self.reaper.lets("model.delete_file", deleted)
