"""Files that came with a message become content the model takes, or an error that says why not."""

import asyncio
import logging
import re
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import overload

from bot.answers import Content, Media, MediaKind, Question, Source, Text
from bot.errors import AttachmentError, AttachmentTooLarge, AttachmentUnreadable, AttachmentUnsupported
from bot.limits import Limits
from bot.media_types import GLIMPSE, FileType, glimpse, recognise
from bot.messages import Attachment, Message
from bot.office import OFFICE, reads_office
from bot.ports import FileShelf, UploadStore
from bot.room import Room, Share
from bot.spool import DiskRefused, Spool, open_spool
from bot.uploads import Handed, Shelved, Uploads

logger = logging.getLogger(__name__)

INLINE_LIMIT = 15_000_000  # bytes; base64 makes 20 MB of it, which is what Gemini takes in one request
ROOM = 300_000_000  # bytes of files in memory for all questions together; in a request each takes up to four times that
TEXT_LIMIT = 200_000  # characters of one file, about 50,000 tokens
_LONGEST_NAME = 100  # characters
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}  # controls, direction marks, half characters, blanks of any kind

Download = Callable[[Message, Attachment], AsyncIterator[bytes]]
"""An adapter's way to the bytes, as `bot.ports.Adapter.download` describes it."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What can be taken in beside what every model reads and what fits into a request.

    Without uploads, films have to fit into the request like everything else.
    """

    uploads: Uploads | None = None
    reads_office: bool = False
    tell: Callable[[str], None] = lambda name: None  # hears which file is being handed to Gemini, which takes a while
    folder: Path | None = None  # where files lie while they come in; the system's own for such files, unless it is set
    room: Room = field(default_factory=lambda: Room(ROOM))  # for the files of all questions that are being answered
    share: Share | None = None  # what the question at hand has of it


ONLY_INLINE = Intake()


def intake_for(model: str, *, shelf: FileShelf, store: UploadStore, limits: Limits, most: int) -> Intake:
    """What a model of that name takes in.

    Args:
        most: bytes of one file.
    """
    return Intake(Uploads(shelf, store, limits=limits, limit=most), reads_office=reads_office(model))


@dataclass(frozen=True, slots=True)
class Enclosure:
    """What became of one attachment.

    The content of a refused one is a line that tells the model what it does not see.
    """

    attachment: Attachment
    content: Question
    error: AttachmentError | None = None


async def read_attachments(
    attachments: Iterable[tuple[Message, Attachment]],
    download: Download,
    *,
    inline_limit: int = INLINE_LIMIT,
    patience: float = 300.0,
    intake: Intake = ONLY_INLINE,
) -> list[Enclosure]:
    """Read the attachments of a turn, in their order; none that fails keeps another from being read.

    They are read one after the other, so that no more is held in memory than is passed on.

    Args:
        inline_limit: most bytes of all of them together, but for those that are uploaded. What a text is cut down to
            counts, not its file.
        patience: seconds without a byte after which a file is given up. It is for an adapter that hangs: they have
            limits of their own, and know whether a file is waiting for its place or a platform for its time.
    """
    reading = _Reading(download, limit=inline_limit, patience=patience, intake=intake)
    pairs, enclosures = list(attachments), []
    if intake.share is not None:
        await intake.share.grow(_weight((attachment for _, attachment in pairs), limit=inline_limit))
    for message, attachment in pairs:
        source = Source(message.id, attachment)
        try:
            content = await reading.read(Handed(message, attachment, label_name(attachment.name)))
        except AttachmentError as error:
            error.name = label_name(error.name)  # as the adapter tells it, which may know more than the message did
            enclosures.append(Enclosure(attachment, (Text(_left_out(error)),), error))
        else:
            enclosures.append(Enclosure(attachment, tuple(replace(part, source=source) for part in content)))
    return enclosures


def _weight(attachments: Iterable[Attachment], *, limit: int) -> int:
    """Most bytes that files can come to in memory, by what is said of their size; those over the limit never do."""
    sizes = (limit if attachment.size is None else attachment.size for attachment in attachments)
    return min(limit, sum(size for size in sizes if size <= limit))


def label_name(name: str) -> str:
    """A name of a file or a person as it can stand in a label or a sentence: short, on one line, nothing but a name.

    Whoever sends a file chooses its name, as people do theirs, and the model reads it.
    """
    visible = (" " if unicodedata.category(char) in _INVISIBLE else char for char in name)
    plain = "".join(visible).translate(str.maketrans("[]`<>", "()'()"))
    plain = re.sub(r" +", " ", plain).strip()
    if len(plain) > _LONGEST_NAME:
        plain = f"{plain[: _LONGEST_NAME - 21]}…{plain[-20:]}"  # the ending tells more than the middle
    return plain or "unnamed"


class _Reading:
    """The reading of one turn's attachments: what may come in, and how much room is left in the request."""

    def __init__(self, download: Download, *, limit: int, patience: float, intake: Intake) -> None:
        self._download, self._limit, self._patience, self._intake = download, limit, patience, intake
        self._left = limit  # bytes
        self._waiting = None if intake.uploads is None else intake.uploads.waiting()

    async def read(self, handed: Handed) -> tuple[Content, ...]:
        """What the model gets of a file. Raises AttachmentError."""
        uploads, waiting = self._intake.uploads, self._waiting
        if uploads is None:
            most, limit = self._left, self._limit
        else:
            most = limit = max(self._left, uploads.limit)
        # The declared size is only a hint, yet one that saves a download.
        size = handed.attachment.size
        if size is not None and size > most:
            raise AttachmentTooLarge(handed.name, limit=limit)
        if uploads is None or waiting is None:
            return await self._fetched(handed, None, most=most, limit=limit)
        shelved = await uploads.kept(handed)
        if shelved is None:
            # Few large files lie on the disk at a time, and none while Gemini is busy with it.
            async with uploads.place() if size is None or size > self._limit else nullcontext():
                found = await self._fetched(handed, uploads, most=most, limit=limit)
            if not isinstance(found, Shelved):
                return found
            shelved = found
        mime_type = shelved.upload.mime_type
        if mime_type in OFFICE and not self._intake.reads_office:  # the model is another one than it was sent for
            raise AttachmentUnsupported(handed.name, mime_type=mime_type)
        self._intake.tell(handed.name)
        return Text(_label(handed.name)), await uploads.ready(shelved, handed, waiting)

    @overload
    async def _fetched(self, handed: Handed, uploads: None, *, most: int, limit: int) -> tuple[Content, ...]: ...
    @overload
    async def _fetched(
        self, handed: Handed, uploads: Uploads, *, most: int, limit: int
    ) -> tuple[Content, ...] | Shelved: ...
    async def _fetched(
        self, handed: Handed, uploads: Uploads | None, *, most: int, limit: int
    ) -> tuple[Content, ...] | Shelved:
        """Download an attachment, stopping when it proves too large, and see what it is.

        Until all of it is there it lies on the disk, so that slow downloads cost no memory; what is too large for the
        request goes to Gemini from there.
        """
        message, attachment, name = handed.message, handed.attachment, handed.name
        try:
            async with open_spool(folder=self._intake.folder) as spool:
                async with _closing(self._download(message, attachment)) as pieces:
                    while (piece := await _next(pieces, self._patience)) is not None:
                        if spool.size + len(piece) > most:
                            raise AttachmentTooLarge(name, limit=limit)
                        await spool.add(piece)
                return await self._sorted(handed, spool, uploads)
        except DiskRefused as error:
            fields = {"thread_key": message.thread.key, "file": attachment.id, "reason": str(error)}
            logger.error("no room on the disk for an attachment", extra=fields)
            raise AttachmentUnreadable(name) from error
        except OSError as error:  # a broken connection or a time-out
            raise AttachmentUnreadable(name) from error

    async def _sorted(self, handed: Handed, spool: Spool, uploads: Uploads | None) -> tuple[Content, ...] | Shelved:
        name, fits = handed.name, spool.size <= self._left
        found, data = await _recognised(spool, fits=fits)
        match found:
            case FileType(text=str(text)) if text.strip():
                is_whole = fits and spool.size <= GLIMPSE
                return (self._text(name, text, size=None if is_whole else spool.size),)
            case FileType(text=str()):
                raise AttachmentUnreadable(name)  # empty
            case FileType(mime_type, kind=MediaKind() as kind):
                pass
            case FileType(mime_type) if mime_type in OFFICE and self._intake.reads_office:
                kind = MediaKind.DOCUMENT
            case FileType(mime_type):
                raise AttachmentUnsupported(name, mime_type=mime_type)
        if uploads is not None and (kind is MediaKind.VIDEO or not fits):
            self._intake.tell(name)
            return await uploads.send(handed, spool, kind, mime_type)
        if data is None:
            data = await spool.read()
        self._left -= len(data)
        return Text(_label(name)), Media(kind, mime_type, data=data)

    def _text(self, name: str, text: str, *, size: int | None) -> Text:
        """A text in its fence. With *size*, in bytes, it is only the beginning of a file that has so many."""
        block = _text_block(name, text, size=size)
        weight = len(block.encode())
        if size is not None and weight > self._left:
            raise AttachmentTooLarge(name, limit=self._limit)
        self._left -= weight
        return Text(block)


async def _recognised(spool: Spool, *, fits: bool) -> tuple[FileType, bytes | None]:
    """What a file is, and its bytes when they had to be read whole to tell. Films never are.

    Nor are long texts, of which only the beginning is passed on: they would be held once more as letters.
    """
    is_small = spool.size <= GLIMPSE
    seen = await spool.look(glimpse)
    # Telling a type and decoding may take a while with megabytes, and the loop serves everybody.
    found = await asyncio.to_thread(recognise, seen, whole=is_small)
    if is_small or not fits or found.kind is MediaKind.VIDEO or found.text is not None:
        return found, None
    data = await spool.read()
    return await asyncio.to_thread(recognise, data), data


async def _next(pieces: AsyncIterator[bytes], patience: float) -> bytes | None:
    """The next piece, None after the last. Raises OSError when it does not come; the disk has its own time."""
    async with asyncio.timeout(patience):
        return await anext(pieces, None)


@asynccontextmanager
async def _closing(pieces: AsyncIterator[bytes]) -> AsyncIterator[AsyncIterator[bytes]]:
    """End the download with the block: a generator left half-way would keep its connection open."""
    try:
        yield pieces
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()


def _label(name: str) -> str:
    return f"[attachment {name}]"


def _text_block(name: str, text: str, *, size: int | None = None) -> str:
    """A text under its name, in a fence that nothing in it can close."""
    label = name
    if len(text) > TEXT_LIMIT or size is not None:
        whole = f"{len(text):,} characters" if size is None else f"{size / 1_000_000:.1f} MB"
        text = text[:TEXT_LIMIT]
        label += f", cut: the first {len(text):,}{' characters' if size is not None else ''} of {whole}"
    text = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{_label(label)}\n{fence}\n{text}\n{fence}"


def _left_out(error: AttachmentError) -> str:
    match error:
        case AttachmentTooLarge():
            reason = "it is too large"
        case AttachmentUnsupported(mime_type=mime_type) if mime_type in OFFICE:
            reason = f"this model reads no {OFFICE[mime_type]} files"
        case AttachmentUnsupported(mime_type=mime_type):
            reason = f"files of type {mime_type} are not supported"
        case _:
            reason = "it could not be read"
    return f"[attachment {error.name} was left out: {reason}]"
