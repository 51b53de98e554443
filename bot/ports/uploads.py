"""What is needed to hand files to Gemini and to know of each what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.answers import MediaKind
from bot.messages import AttachmentId, Thread


class FileState(StrEnum):
    """What Gemini says of a file."""

    PROCESSING = "processing"  # not to be asked about yet
    ACTIVE = "active"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class GeminiFile:
    """A file as Gemini keeps it."""

    name: str  # files/...
    uri: str  # what a question names it by
    mime_type: str
    state: FileState
    expires_at: float | None = None  # seconds since the epoch


class FileShelf(Protocol):
    """Where Gemini keeps the files it is handed. Every failure is one of the `ModelError` classes."""

    async def upload_file(self, path: str, *, name: str, mime_type: str) -> GeminiFile:
        """Send a file in pieces, once, under a name of ours.

        Args:
            path: read as it is sent, so it holds still until this returns.
            name: ``files/`` and at most 40 small letters, digits and dashes, used by no other file.

        Raises:
            ModelRefused: it may have arrived nevertheless; `find_file` tells.
            QuestionRejected, KeyRejected ...: trying again does not help.
        """
        ...

    async def find_file(self, name: str) -> GeminiFile | None:
        """A file as it stands now; None when there is none (any more). Raises ModelRefused and others as above."""
        ...

    async def delete_file(self, name: str) -> None:
        """Delete a file; one that is known not to be there is deleted.

        Raises:
            FileLost: there is none, or it is another key's.
            ModelRefused ...: as above.
        """
        ...


@dataclass(frozen=True, slots=True)
class Upload:
    """An attachment that was sent to Gemini, or was about to be when that was written down."""

    thread: Thread
    name: str  # files/..., chosen before it is sent, so that it can be found whatever happens
    attachment: AttachmentId
    kind: MediaKind
    mime_type: str
    size: int  # bytes
    uri: str | None  # None while it is not known whether it arrived
    expires_at: float  # when Gemini deletes it, in seconds since the epoch


class UploadStore(Protocol):
    """The files of each thread that Gemini keeps. Every write is one transaction and durable when it returns."""

    async def uploading(self, upload: Upload) -> None:
        """Note a file before it is sent. What has expired everywhere is forgotten with it."""
        ...

    async def uploaded(self, upload: Upload) -> None:
        """Note that it arrived, under which address, and how long it is kept."""
        ...

    async def upload_of(self, thread: Thread, attachment: AttachmentId) -> Upload | None:
        """The newest upload of an attachment, expired or not; None when there is none."""
        ...

    async def uploads(self, thread: Thread) -> Sequence[Upload]:
        """All of a thread that Gemini may still keep."""
        ...

    async def upload_gone(self, thread: Thread, name: str) -> None:
        """Note that Gemini keeps a file no longer."""
        ...
