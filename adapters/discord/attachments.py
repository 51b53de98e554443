"""The files of a message, each under an id that finds it again. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from adapters.discord.payloads import Fields, fields, is_id, line, number, objects
from bot.messages import Attachment, AttachmentId, MessageId

_LARGEST = 1 << 53  # bytes; what is above it is no size


@dataclass(frozen=True, slots=True)
class Source:
    """Where a file can be asked for again: its address is good for a while only; a message read again tells a new one.

    The message is not always the one the file came with: of a reply it may be the message replied to. What was
    forwarded is part of the message that forwards it and is read from there: where it comes from the bot may not look.
    """

    channel_id: str
    message_id: MessageId
    file_id: str

    @property
    def id(self) -> AttachmentId:
        return AttachmentId(f"{self.channel_id}/{self.message_id}/{self.file_id}")

    @classmethod
    def of(cls, attachment: AttachmentId) -> "Source | None":
        """Read back what `id` wrote; None for a file that no message holds."""
        parts = attachment.split("/")
        if len(parts) != 3 or not all(map(is_id, parts)):
            return None
        return cls(parts[0], MessageId(parts[1]), parts[2])


class Missing(StrEnum):
    """Why no message holds a file that came with a command."""

    TOO_LARGE = "too-large"
    UNREADABLE = "unreadable"

    @classmethod
    def of(cls, attachment: AttachmentId) -> "Missing | None":
        """Read back what `missing` wrote; None for a file that may be found in a message."""
        return next((reason for reason in cls if attachment == f"missing/{reason}"), None)


def missing(name: str, why: Missing) -> Attachment:
    """A file that is not to be had any more, so that it is named to whoever sent it and to the model."""
    return Attachment(AttachmentId(f"missing/{why}"), name)


def attachments_of(body: Fields) -> tuple[Attachment, ...]:
    """The files of a message and those it forwards, each of them once."""
    channel, message = body.get("channel_id"), body.get("id")
    if not is_id(channel) or not is_id(message):
        return ()
    found = (
        _attachment(file, Source(channel, MessageId(message), str(file["id"])))
        for file in _files(body)
        if is_id(file.get("id"))
    )
    return tuple({attachment.id: attachment for attachment in found}.values())


def address_of(body: Fields, file_id: str) -> str | None:
    """Where a file of a message can be fetched just now; None when the message has it no longer."""
    for file in _files(body):
        if file.get("id") == file_id:
            return str(file.get("url") or "")
    return None


def forwarded(body: Fields) -> Iterator[Fields]:
    """The messages that a message passes on."""
    for snapshot in objects(body.get("message_snapshots")):
        yield fields(snapshot.get("message"))


def _files(body: Fields) -> Iterator[Fields]:
    yield from objects(body.get("attachments"))
    for message in forwarded(body):
        yield from objects(message.get("attachments"))


def _attachment(file: Fields, source: Source) -> Attachment:
    size = number(file.get("size"))
    return Attachment(
        id=source.id,
        name=_name(file),
        # It may carry a character set, and is guessed from the name alone.
        mime_type=line(file.get("content_type")).partition(";")[0].strip().lower() or None,
        size=size if size is not None and 0 <= size < _LARGEST else None,
    )


def _name(file: Fields) -> str:
    """What the file was called. Discord takes letters it does not like out of the name, and keeps them as the title."""
    name, title = line(file.get("filename")), line(file.get("title"))
    if not title or not name:
        return title or name or "a file"
    ending = PurePosixPath(name).suffix
    return title if title.lower().endswith(ending.lower()) else title + ending
