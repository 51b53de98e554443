"""The reply to one turn: shown on the page while it grows, written to the store when it ends."""

import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import replace

from adapters.web.feeds import Feeds, Growing
from adapters.web.files import Arrival, Files
from adapters.web.format import markdown_of, place_of
from bot.answers import Answer, Answered, Draft, Ending, Notice, Stopped
from bot.errors import AttachmentTooLarge, StoreError
from bot.made import Made, files_of, marked, passages_of
from bot.messages import Attachment, AttachmentId, MessageId, Part, Thread, Turn, TurnState
from bot.parts import cleaned
from bot.parts import markdown_of as whole_markdown_of
from bot.ports import Store

logger = logging.getLogger(__name__)

_UNSAVED = (
    "_A file of this answer could not be saved: it is too large, the disk is full, or its folder cannot be written to._"
)
_STATES = {Answered: TurnState.ANSWERED, Stopped: TurnState.STOPPED, Notice: TurnState.FAILED}


class WebReply:
    """A reply as the core knows it. The page shows the draft by itself; only the end is written down."""

    def __init__(
        self, turn: Turn, growing: Growing, *, store: Store, files: Files, feeds: Feeds, new_id: Callable[[], str]
    ) -> None:
        self._turn, self._growing = turn, growing
        self._store, self._files, self._feeds = store, files, feeds
        # An earlier attempt's part is written over, so that there is one answer whatever happened.
        self._message_id = turn.parts[0].message_id if turn.parts else MessageId(new_id())

    def changed(self) -> None:
        """Tell the pages that look at the thread; each takes its time."""
        self._feeds.grown(self._turn.thread)

    async def end(self, ending: Ending) -> None:
        """Write down what the turn shows from now on. Raises StoreError."""
        with self._files.arriving(self._turn.thread) as arrival:
            match ending:
                case Notice(text):
                    part = self._part(text, ())
                case Answered(answer) | Stopped(answer):
                    passages = passages_of(answer, asked=self._turn.messages[0].text)
                    made = (*files_of(passages), *_whole(answer))
                    saved = await self._save(made, arrival)
                    text = marked(passages, lambda file: place_of(saved[file.name]) if file.name in saved else "")
                    markdown = markdown_of(replace(answer, text=text))
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
    turn: Turn, draft: Draft, *, store: Store, files: Files, feeds: Feeds, new_id: Callable[[], str]
) -> AsyncIterator[WebReply]:
    """Show the draft as the turn's answer; afterwards what the store says the turn has come to."""
    with feeds.showing(turn, draft) as growing:
        yield WebReply(turn, growing, store=store, files=files, feeds=feeds, new_id=new_id)
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
    return (Made(answer.file, "text/markdown", cleaned(whole_markdown_of(answer)).encode(), "All of the answer"),)


async def _in_one_piece(data: bytes) -> AsyncIterator[bytes]:
    yield data
