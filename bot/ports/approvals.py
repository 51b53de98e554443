"""What asking for approval needs of a database."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.messages import Person, Thread, Turn


@dataclass(frozen=True, slots=True)
class Approval:
    """Something somebody is asked to approve of before it is done."""

    name: str  # unique in its thread, and the same after a restart; a button bears it
    asked_at: float  # seconds since the epoch
    approved: bool | None = None  # None while it is waited for


class Decided(StrEnum):
    """What became of a press on one of the buttons."""

    APPROVED = "approved"
    DECLINED = "declined"
    NOT_YOURS = "not yours"  # another person asked
    NOTHING = "nothing"  # is waited for, any more


class ApprovalStore(Protocol):
    """What was asked and decided. Every write is one transaction and durable when it returns."""

    async def approval(self, turn: Turn, name: str) -> Approval:
        """What was asked under a name, noted now if it was not before."""
        ...

    async def decide(self, thread: Thread, name: str, *, approved: bool, person: Person | None = None) -> Decided:
        """Note what was decided of something that the thread's running turn waits for.

        With *person* only what they asked for themselves.
        """
        ...

    async def asked(self, turn: Turn) -> Sequence[Approval]:
        """What was asked in a turn, decided or not."""
        ...

    async def decline(self, turn: Turn, name: str) -> None:
        """Note that nobody decided, and nobody can any more."""
        ...

    async def begin(self, turn: Turn, name: str) -> bool:
        """Note that what was approved is about to be done; False when it was about to be done before."""
        ...
