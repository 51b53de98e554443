"""What forgetting needs of a database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bot.messages import InteractionId, MessageId, Thread
from bot.ports.uploads import Upload


class Undeleted(StrEnum):
    """Why something could not be deleted at Gemini."""

    UNKNOWN = "unknown"  # to Gemini, with the present key: expired, or made with another one
    AWAY = "away"  # Gemini could not be reached, or refused, for long
    KEY = "key"  # it does not accept the present key
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A thread that is being forgotten, and how far that has come."""

    thread: Thread
    epoch: int  # everything of earlier epochs is to go
    command: MessageId | None  # whoever asks for it is told; None when it was only its age
    begun_at: float  # seconds since the epoch
    deleted: int = 0  # interactions that are gone at Gemini
    undeleted: Mapping[Undeleted, int] = field(default_factory=dict)  # interactions that could not be deleted
    files: int = 0  # that are gone at Gemini
    files_left: int = 0  # that could not be deleted
    is_confirmed: bool = True  # nothing is still to be said of the command itself
    report: str | None = None  # what is still to be said about it, once everything is erased here; may be empty


class ForgettingStore(Protocol):
    """Threads marked as to be forgotten, until that is done. Every write is one transaction."""

    async def forget(self, thread: Thread, command: MessageId) -> bool:
        """Mark a thread as to be forgotten, and let it begin afresh as `ControlStore.reset` does.

        False when carried out before. A thread that is being forgotten already is then forgotten
        up to here, and the newer command is the one that is reported to.
        """
        ...

    async def forget_old(self, *, before: float, most: int) -> Sequence[Thread]:
        """Mark threads in which nothing was stored or ended since *before* (seconds since the epoch), and return them.

        At the most so many at once, the oldest first. Those that wait or are being answered are left alone.
        """
        ...

    async def to_forget(self) -> Sequence[Thread]:
        """The threads that are being forgotten, the longest waiting first."""
        ...

    async def forgotten(self, thread: Thread) -> Forgotten | None:
        """How far the forgetting of a thread has come; None when it is done."""
        ...

    async def to_delete(self, thread: Thread) -> InteractionId | None:
        """The oldest interaction that was not tried yet, of turns that have ended; None when there is none."""
        ...

    async def deleted(self, thread: Thread, interaction: InteractionId) -> None:
        """Note that an interaction is gone at Gemini."""
        ...

    async def undeleted(self, thread: Thread, interaction: InteractionId, reason: Undeleted) -> None:
        """Note that an interaction cannot be deleted. Its id stays, and is tried again when the thread is next
        told to be forgotten.
        """
        ...

    async def file_to_delete(self, thread: Thread) -> Upload | None:
        """A file at Gemini that no question since belongs to; None when there is none."""
        ...

    async def file_tried(self, thread: Thread, name: str, *, is_gone: bool) -> None:
        """Note that a file is gone at Gemini, or cannot be deleted; Gemini deletes it by itself."""
        ...

    async def erase(self, forgotten: Forgotten, *, report: str) -> bool:
        """Remove everything of the earlier epochs but the ids of messages, and note what is to be said about that.

        False, and nothing is done, while a turn of them is being answered, something at Gemini was not tried yet
        or the thread was told anew to be forgotten.
        """
        ...

    async def reported(self, forgotten: Forgotten) -> None:
        """Note that everything is done and said."""
        ...
