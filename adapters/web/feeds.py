"""What open pages are told: a snapshot, then changes, each page at its own speed.

Nothing is queued for a page. It is only told that something is different, and looks at the newest state when it
has taken in what it was sent before. So a slow page misses frames, never the end, and costs no memory.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, replace

from adapters.web.events import WEB
from adapters.web.format import blocks, blocks_with, growing_markdown_of
from adapters.web.views import (
    AnswerView,
    AskingView,
    ThoughtsView,
    ThreadView,
    TurnChange,
    TurnView,
    change,
    ended_answer,
    file_views,
    thread_view,
    turn_view,
)
from bot.answers import Answer, Draft
from bot.chunks import settled
from bot.marks import without_places
from bot.messages import Part, Thread, Turn, TurnId, TurnState
from bot.parts import cleaned
from bot.ports import TranscriptStore
from bot.thinking import doing

BATCH = 20  # turns told at once; of a long thread the newest come first
LONG = 4_000  # characters of Markdown that take long enough to render to keep the event loop waiting

Event = tuple[str, object]
"""A name, and what goes with it as JSON."""


@dataclass(slots=True)
class Growing:
    """A reply that is open."""

    draft: Draft
    asks: tuple[str, str] | None = None  # what somebody is asked to approve of: its name, and Markdown
    final: Turn | None = None  # the turn as it stands once its reply shows how it ended


class Feeds:
    """Knows who looks at what.

    Args:
        pace: least seconds between two frames of one page.
        beat: seconds of silence after which a page hears that the connection is alive, and the store is read again.
    """

    def __init__(
        self,
        store: TranscriptStore,
        *,
        pace: float = 0.08,
        beat: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._pace, self._beat, self._clock = store, pace, beat, clock
        self._feeds: set[Feed] = set()
        self._growing: dict[TurnId, Growing] = {}
        self._closed = asyncio.Event()

    @contextmanager
    def follow(self, thread: Thread | None) -> Iterator["Feed"]:
        """A feed of one thread, and of the list of all of them; of the list alone without a thread."""
        feed = Feed(
            thread,
            store=self._store,
            growing=self._growing,
            closed=self._closed,
            pace=self._pace,
            beat=self._beat,
            clock=self._clock,
        )
        self._feeds.add(feed)
        try:
            yield feed
        finally:
            self._feeds.discard(feed)
            feed.end()

    @contextmanager
    def showing(self, turn: Turn, draft: Draft) -> Iterator[Growing]:
        """Show a draft as the turn's answer while the block runs, and what the store holds afterwards."""
        growing = self._growing[turn.id] = Growing(draft)
        self.stored(turn.thread)
        try:
            yield growing
        finally:
            self._growing.pop(turn.id, None)
            self.stored(turn.thread)

    def stored(self, thread: Thread) -> None:
        """Something of a thread is different in the store."""
        for feed in self._feeds:
            feed.wake(threads=True, turns=feed.thread == thread)

    async def say(self, thread: Thread, words: str) -> bool:
        """Tell the pages that look at a thread something that stands nowhere in it (Markdown).

        True when it is on its way to one of them: whatever becomes of us, it gets there. False when none has it.
        """
        looking = [feed.say(words) for feed in self._feeds if feed.thread == thread]
        for told in asyncio.as_completed(looking):
            if await told:
                return True
        return False

    def grown(self, thread: Thread) -> None:
        """A draft has more."""
        for feed in self._feeds:
            if feed.thread == thread:
                feed.wake()

    def asking(self, turn: Turn, name: str, words: str) -> None:
        """Show what somebody is asked to approve of (Markdown) in an answer that grows."""
        if turn.id in self._growing:
            self._growing[turn.id].asks = (name, words)
        self.grown(turn.thread)

    def asked(self, turn: Turn, name: str) -> None:
        """Show it no more."""
        growing = self._growing.get(turn.id)
        if growing is not None and growing.asks is not None and growing.asks[0] == name:
            growing.asks = None
        self.grown(turn.thread)

    def close(self) -> None:
        """End every feed, for good."""
        self._closed.set()
        for feed in self._feeds:
            feed.wake()


class Feed:
    """What one open page is told; made by `Feeds.follow`."""

    def __init__(
        self,
        thread: Thread | None,
        *,
        store: TranscriptStore,
        growing: dict[TurnId, Growing],
        closed: asyncio.Event,
        pace: float,
        beat: float,
        clock: Callable[[], float],
    ) -> None:
        self.thread = thread
        self._store, self._growing, self._closed = store, growing, closed
        self._pace, self._beat, self._clock = pace, beat, clock
        self._wake = asyncio.Event()
        self._reread_threads = self._reread_turns = True
        self._turns: dict[TurnId, Turn] = {}  # as last read from the store, in order
        self._known: dict[TurnId, TurnView] = {}  # what the page was told
        self._told_order: list[TurnId] | None = None
        self._told_threads: list[ThreadView] | None = None
        self._unsaid: list[tuple[str, asyncio.Future[bool]]] = []

    def wake(self, *, threads: bool = False, turns: bool = False) -> None:
        """Something is different: the list of threads, the thread's turns, or else a draft. Returns at once."""
        self._reread_threads |= threads
        self._reread_turns |= turns
        self._wake.set()

    def say(self, words: str) -> "asyncio.Future[bool]":
        """Have it told, once; whether it was, as soon as that is known."""
        told = asyncio.get_running_loop().create_future()
        self._unsaid.append((words, told))
        self._wake.set()
        return told

    def end(self) -> None:
        """Nobody asks for events any more."""
        for _, told in self._unsaid:
            told.set_result(False)
        self._unsaid.clear()

    async def events(self) -> AsyncGenerator[Event, None]:
        """Everything, and then what changes, until the feeds are closed.

        The next event is made when it is asked for, from what is newest then. Raises StoreError.
        """
        while not self._closed.is_set():
            self._wake.clear()
            started = self._clock()
            async with aclosing(self._news()) as news:
                async for event in news:
                    yield event
            # A long answer takes long to render: leave most of the time to others.
            await self._rest(max(self._pace, 4 * (self._clock() - started)))
            if not await self._woken():
                self._reread_threads = self._reread_turns = True
                yield "beat", None

    async def _news(self) -> AsyncGenerator[Event, None]:
        """Whatever differs from what the page was told."""
        changed = [turn.id for turn in self._turns.values() if turn.id in self._growing]
        if self._reread_threads:
            self._reread_threads = False
            threads = [thread_view(summary) for summary in await self._store.threads(WEB)]
            if threads != self._told_threads:
                self._told_threads = threads
                yield "threads", threads
        if self._reread_turns and self.thread is not None:
            self._reread_turns = False
            changed = await self._read(self.thread)
        while self._unsaid and self.thread is not None:
            words, is_told = self._unsaid[0]
            yield "said", {"thread": self.thread.thread_id, "said": "".join(blocks(words))}
            # Who asks for the next event has sent this one.
            del self._unsaid[0]
            is_told.set_result(True)
        order = list(self._turns)
        # A page that is being opened is told the newest turns first, since they are what it shows.
        for end in range(len(changed), -1, -BATCH):
            batch = changed[max(0, end - BATCH) : end]
            turns = [told for turn_id in batch if (told := await self._change(turn_id)) is not None]
            if self.thread is not None and (turns or order != self._told_order):
                self._told_order = order
                yield "turns", {"thread": self.thread.thread_id, "order": order, "turns": turns}

    async def _read(self, thread: Thread) -> list[TurnId]:
        """Read the turns anew, and tell which of them have to be looked at."""
        before = self._turns
        self._turns = {turn.id: turn for turn in await self._store.transcript(thread)}
        for gone in self._known.keys() - self._turns.keys():
            del self._known[gone]
        return [
            turn.id
            for turn in self._turns.values()
            if turn != before.get(turn.id) or turn.id in self._growing or turn.state in _OPEN
        ]

    async def _change(self, turn_id: TurnId) -> TurnChange | None:
        view = turn_view(self._turns[turn_id], await self._answer(self._turns[turn_id]))
        told = change(self._known.get(turn_id), view)
        self._known[turn_id] = view
        return told

    async def _answer(self, turn: Turn) -> AnswerView | None:
        growing = self._growing.get(turn.id)
        if growing is not None and growing.final is None:
            answer = growing.draft.answer
            html, thoughts = await _render_growing(answer), _thoughts(answer)
            if not html and answer.tool is None and thoughts is None and growing.asks is None:
                return None
            asks = _asking(growing)
            return {
                **asks,
                "kind": "answer",
                "thoughts": thoughts,
                "blocks": html,
                "files": [],
                "tool": doing(answer) if answer.tool is not None else None,
                "markdown": None,
                "at": None,
            }
        if growing is not None and growing.final is not None and turn.state in _OPEN:
            turn = growing.final
        markdown = ended_answer(turn)
        if markdown is None:
            return None
        files = [file for part in turn.parts for file in part.attachments]
        return {
            "kind": "notice" if turn.state is TurnState.FAILED else "answer",
            "thoughts": None,
            "blocks": await _render(markdown, turn.parts),
            "files": file_views(turn.thread, files),
            "tool": None,
            "markdown": without_places(markdown),
            "at": turn.ended_at,
        }

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, 1.0)):
                await self._closed.wait()

    async def _woken(self) -> bool:
        try:
            async with asyncio.timeout(self._beat):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True


_OPEN = frozenset({TurnState.QUEUED, TurnState.RUNNING})


async def _render_growing(answer: Answer) -> list[str]:
    if len(answer.text) > LONG:
        return list(await asyncio.to_thread(lambda: blocks(growing_markdown_of(answer))))
    return list(blocks(growing_markdown_of(answer)))


async def _render(markdown: str, parts: Sequence[Part]) -> list[str]:
    files = frozenset(file.id for part in parts for file in part.attachments)
    messages = frozenset(part.message_id for part in parts)
    if len(markdown) > LONG:
        return list(await asyncio.to_thread(blocks_with, markdown, files, messages))
    return list(blocks_with(markdown, files, messages))


def _asking(growing: Growing) -> AskingView:
    if growing.asks is None:
        return {}
    name, words = growing.asks
    return {"asks": {"name": name, "words": "".join(blocks(words))}}


def _thoughts(answer: Answer) -> ThoughtsView | None:
    """The newest of the thinking, under its headline."""
    newest = cleaned(answer.thoughts[-LONG:])
    headline = doing(replace(answer, tool=None)) if newest.strip() else None
    return None if headline is None else {"headline": headline, "blocks": list(blocks(settled(newest)))}
