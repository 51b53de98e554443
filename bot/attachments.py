"""Files that came with a message become content the model takes, or an error that says why not."""

import asyncio
import logging
import re
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.answers import Content, Media, MediaKind, Question, Text
from bot.errors import AttachmentError, AttachmentTooLarge, AttachmentUnreadable, AttachmentUnsupported
from bot.media_types import FileType, recognise
from bot.messages import Attachment, Message
from bot.spool import DiskRefused, open_spool

logger = logging.getLogger(__name__)

INLINE_LIMIT = 15_000_000  # bytes; base64 makes 20 MB of it, which is what Gemini takes in one request
TEXT_LIMIT = 200_000  # characters of one file, about 50,000 tokens
_LONGEST_NAME = 100  # characters
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}  # controls, direction marks, half characters, blanks of any kind

Download = Callable[[Message, Attachment], AsyncIterator[bytes]]
"""An adapter's way to the bytes, as `bot.ports.Adapter.download` describes it."""


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
) -> list[Enclosure]:
    """Read the attachments of a turn, in their order; none that fails keeps another from being read.

    They are read one after the other, so that no more is held in memory than is passed on.

    Args:
        inline_limit: most bytes of all of them together. What a text is cut down to counts, not its file.
        patience: seconds without a byte after which a file is given up. It is for an adapter that hangs: they have
            limits of their own, and know whether a file is waiting for its place or a platform for its time.
    """
    enclosures = []
    left = inline_limit
    for message, attachment in attachments:
        name = label_name(attachment.name)
        try:
            data = await _fetch(message, attachment, download, name, most=left, limit=inline_limit, patience=patience)
            # Telling a type and decoding may take a while with megabytes, and the loop serves everybody.
            content, size = await asyncio.to_thread(_content, name, data)
        except AttachmentError as error:
            error.name = label_name(error.name)  # as the adapter tells it, which may know more than the message did
            enclosures.append(Enclosure(attachment, (Text(_left_out(error)),), error))
        else:
            left -= size
            enclosures.append(Enclosure(attachment, content))
    return enclosures


def label_name(name: str) -> str:
    """A file's name as it can stand in a label or a sentence: short, on one line, and nothing but a name.

    Whoever sends a file chooses its name, and the model reads it.
    """
    visible = (" " if unicodedata.category(char) in _INVISIBLE else char for char in name)
    plain = "".join(visible).translate(str.maketrans("[]`<>", "()'()"))
    plain = re.sub(r" +", " ", plain).strip()
    if len(plain) > _LONGEST_NAME:
        plain = f"{plain[: _LONGEST_NAME - 21]}…{plain[-20:]}"  # the ending tells more than the middle
    return plain or "unnamed"


async def _fetch(
    message: Message,
    attachment: Attachment,
    download: Download,
    name: str,
    *,
    most: int,
    limit: int,
    patience: float,
) -> bytes:
    """Download an attachment, and stop when it proves too large.

    Until all of it is there it lies on the disk, so that slow downloads cost no memory. Larger files could go to
    Gemini's Files API from there; a `Media` may hold the address of one. That would be decided here.
    """
    # The declared size is only a hint, yet one that saves a download.
    if attachment.size is not None and attachment.size > most:
        raise AttachmentTooLarge(name, limit=limit)
    try:
        async with open_spool() as spool:
            async with _closing(download(message, attachment)) as pieces:
                while (piece := await _next(pieces, patience)) is not None:
                    if spool.size + len(piece) > most:
                        raise AttachmentTooLarge(name, limit=limit)
                    await spool.add(piece)
            return await spool.read()
    except DiskRefused as error:
        fields = {"thread_key": message.thread.key, "file": attachment.id, "reason": str(error)}
        logger.error("no room on the disk for an attachment", extra=fields)
        raise AttachmentUnreadable(name) from error
    except OSError as error:  # a broken connection or a time-out
        raise AttachmentUnreadable(name) from error


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


def _content(name: str, data: bytes) -> tuple[tuple[Content, ...], int]:
    """What the model gets of a file, and how many bytes of the request that takes."""
    match recognise(data):
        case FileType(text=str(text)) if text.strip():
            block = _text_block(name, text)
            return (Text(block),), len(block.encode())
        case FileType(text=str()):
            raise AttachmentUnreadable(name)  # empty
        case FileType(mime_type, kind=MediaKind() as kind):
            return (Text(f"[attachment {name}]"), Media(kind, mime_type, data=data)), len(data)
        case FileType(mime_type):  # Office files, which would be turned into text here, and all the unknown
            raise AttachmentUnsupported(name, mime_type=mime_type)


def _text_block(name: str, text: str) -> str:
    """A text under its name, in a fence that nothing in it can close."""
    label = name
    if len(text) > TEXT_LIMIT:
        label += f", cut: the first {TEXT_LIMIT:,} of {len(text):,} characters"
        text = text[:TEXT_LIMIT]
    text = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"[attachment {label}]\n{fence}\n{text}\n{fence}"


def _left_out(error: AttachmentError) -> str:
    match error:
        case AttachmentTooLarge():
            reason = "it is too large"
        case AttachmentUnsupported(mime_type=mime_type):
            reason = f"files of type {mime_type} are not supported"
        case _:
            reason = "it could not be read"
    return f"[attachment {error.name} was left out: {reason}]"
