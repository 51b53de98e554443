"""The reply to one turn: shown on the page while it grows, written to the store when it ends."""

import asyncio
import hashlib
import logging
import math
from collections.abc import AsyncIterator, Callable, Iterator, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import replace

from adapters.web.feeds import LONG, Feeds, Growing
from adapters.web.files import Arrival, Files
from adapters.web.format import growing_markdown_of
from bot.answers import Answer, Answered, Draft, Ending, Notice, Stopped
from bot.chunks import closed
from bot.errors import AttachmentTooLarge, StaleTurn, StoreError
from bot.made import Made, files_of, marked, passages_of
from bot.marks import folded, place_of
from bot.messages import Attachment, AttachmentId, MessageId, Part, Thread, Turn, TurnState
from bot.parts import cleaned, markdown_of
from bot.ports import Store
from bot.ran import markdown_of_runs
from bot.waiting import pause

logger = logging.getLogger(__name__)

_UNSAVED = (
    "_A file of this answer could not be saved: it is too large, the disk is full, or its folder cannot be written to._"
)
_STATES = {Answered: TurnState.ANSWERED, Stopped: TurnState.STOPPED, Notice: TurnState.FAILED}


class WebReply:
    """A reply as the core knows it. The page shows the draft by itself; now and then it is written down, and its end.

    Args:
        keeping: least seconds between two times that the draft is written down, for whoever stops it after a crash.
    """

    def __init__(
        self,
        turn: Turn,
        growing: Growing,
        *,
        store: Store,
        files: Files,
        feeds: Feeds,
        new_id: Callable[[], str],
        keeping: float,
    ) -> None:
        self._turn, self._growing, self._keeping = turn, growing, keeping
        self._store, self._files, self._feeds = store, files, feeds
        # An earlier attempt's part is written over, so that there is one answer whatever happened.
        self._message_id = turn.parts[0].message_id if turn.parts else MessageId(new_id())
        self._kept = turn.parts[0] if turn.parts else None
        self._more, self._ended = asyncio.Event(), asyncio.Event()
        self._writing = asyncio.Lock()

    def changed(self) -> None:
        """Tell the pages that look at the thread; each takes its time."""
        self._more.set()
        self._feeds.grown(self._turn.thread)

    async def keep_drafts(self) -> None:
        """Write the draft down when it begins, and again while it grows, until the reply ends."""
        while True:
            await pause(math.inf, self._more, self._ended)
            self._more.clear()
            try:
                async with self._writing:
                    if self._ended.is_set():
                        return
                    await self._keep_draft()
            except StaleTurn:
                return
            except StoreError as error:  # there will be more to write, or the end
                logger.info("draft not kept", extra={**self._turn.fields, "reason": str(error)})
            await pause(self._keeping, self._ended)

    async def _keep_draft(self) -> None:
        answer = self._growing.draft.answer
        is_long = len(answer.text) > LONG
        text = await asyncio.to_thread(growing_markdown_of, answer) if is_long else growing_markdown_of(answer)
        if answer.text.strip() and (self._kept is None or text != self._kept.text):
            part = self._part(text, ())
            await self._store.shown(self._turn, part)
            self._kept = part

    async def end(self, ending: Ending) -> None:
        """Write down what the turn shows from now on. Raises StoreError."""
        self._ended.set()
        async with self._writing:
            await self._end(ending)

    async def _end(self, ending: Ending) -> None:
        with self._files.arriving(self._turn.thread) as arrival:
            match ending:
                case Notice(text):
                    part = self._part(text, ())
                case Stopped(answer) if (
                    answer.is_empty and not answer.opening and self._kept is not None and self._kept.text
                ):
                    part = self._kept  # people have seen it, before a crash as a rule
                case Answered(answer) | Stopped(answer):
                    passages = passages_of(replace(answer, runs=()), asked=self._turn.messages[0].text)
                    made = (*files_of(passages), *_whole(answer))
                    saved = await self._save(made, arrival)
                    text = marked(passages, lambda file: place_of(saved[file.name]) if file.name in saved else "")
                    if answer.runs:
                        text = f"{closed(text)}\n\n{folded(markdown_of_runs(answer.runs), self._message_id)}"
                    whole = markdown_of(replace(answer, text=text))
                    markdown = "\n\n".join(block for block in (answer.opening, whole) if block)
                    if len(saved) < len(made):
                        markdown = f"{markdown}\n\n{_UNSAVED}".lstrip()
                    part = self._part(markdown, tuple(saved.values()))
            arrival.keep()
            try:
                await self._store.shown(self._turn, part)
            except StoreError:
                arrival.drop()
                raise
        self._growing.final = replace(self._turn, state=_STATES[type(ending)], parts=(part,))
        self._feeds.stored(self._turn.thread)

    def _part(self, text: str, attachments: tuple[Attachment, ...]) -> Part:
        shown = "\0".join((text, *(f"{file.name}\0{file.size}" for file in attachments)))
        digest = hashlib.sha256(shown.encode("utf-8", "replace")).hexdigest()
        return Part(0, self._message_id, digest, text, attachments)

    async def _save(self, made: Sequence[Made], arrival: Arrival) -> dict[str, Attachment]:
        """Put what the model made beside what people sent; by name, those that could be."""
        saved: dict[str, Attachment] = {}
        for file in made:
            try:
                attachment = await arrival.save(file.name, file.mime_type, _in_one_piece(file.data))
            except (OSError, AttachmentTooLarge) as error:
                # The words of the answer are worth more than its pictures.
                logger.error("file not saved", extra={"turn_id": self._turn.id, "reason": str(error)})
            else:
                saved[file.name] = replace(attachment, alt=file.alt)
        return saved


@asynccontextmanager
async def open_reply(
    turn: Turn,
    draft: Draft,
    *,
    store: Store,
    files: Files,
    feeds: Feeds,
    new_id: Callable[[], str],
    keeping: float,
) -> AsyncIterator[WebReply]:
    """Show the draft as the turn's answer; afterwards what the store says the turn has come to."""
    with feeds.showing(turn, draft) as growing:
        reply = WebReply(turn, growing, store=store, files=files, feeds=feeds, new_id=new_id, keeping=keeping)
        keeping_drafts = asyncio.create_task(reply.keep_drafts())
        try:
            yield reply
        finally:
            keeping_drafts.cancel()
            await asyncio.wait({keeping_drafts})
    # An answer that was asked for again leaves the files of the one it replaces, and a reset those of its turn.
    try:
        await files.sweep(turn.thread, lambda: wanted_files(store, turn.thread))
    except StoreError as error:
        logger.warning("files not swept", extra={"thread_key": turn.thread.key, "reason": str(error)})


async def wanted_files(store: Store, thread: Thread) -> Set[AttachmentId]:
    """The files that the thread's questions and answers refer to. Raises StoreError."""
    return {file.id for file in files_in(await store.transcript(thread))}


def files_in(turns: Sequence[Turn]) -> Iterator[Attachment]:
    """What came with the questions, and what was made for the answers."""
    for turn in turns:
        for message in turn.messages:
            yield from message.attachments
        for part in turn.parts:
            yield from part.attachments


def _whole(answer: Answer) -> tuple[Made, ...]:
    """All of an answer as a file, where it is to have one."""
    if answer.file is None or answer.is_empty:
        return ()
    return (Made(answer.file, "text/markdown", cleaned(markdown_of(answer)).encode(), "All of the answer"),)


async def _in_one_piece(data: bytes) -> AsyncIterator[bytes]:
    yield data
