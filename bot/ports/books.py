"""What telling people about their threads, and the operator about the bill, needs of a database. It only reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from bot.messages import InteractionId, MessageId, PersonId, Platform, Thread, TurnState, Usage


@dataclass(frozen=True, slots=True)
class Booked:
    """A turn as it stands in the books: what it came to, and what it took."""

    state: TurnState
    asked_at: float  # seconds since the epoch
    interaction: InteractionId | None  # the newest one created for it
    model: str | None  # of an answered turn
    usage: Usage | None  # the same


@dataclass(frozen=True, slots=True)
class Spent:
    """What the answers of a day took that one person got from one model."""

    day: date  # UTC
    asker: str  # platform:person
    model: str
    turns: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class Pointed:
    """What a link leads to, as far as the link itself says."""

    platform: Platform
    thread_id: str
    channel_id: str | None = None
    message_id: MessageId | None = None


class BookStore(Protocol):
    """What telling people about their threads and their use needs."""

    async def booked(self, thread: Thread, *, most: int) -> tuple[Sequence[Booked], int]:
        """The newest turns of the thread's epoch, the newest first, and how many there are in all.

        Superseded and refused ones are not among them.
        """
        ...

    async def spent(
        self, *, since: float, platform: Platform | None = None, person: PersonId | None = None
    ) -> Sequence[Spent]:
        """What was spent on turns taken at or after *since* (seconds since the epoch), the newest day first.

        With *platform* only by its people, with *person* only by that one of them.
        """
        ...
