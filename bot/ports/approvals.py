"""What asking for approval needs of a database."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.messages import Person, Thread, Turn, TurnId


@dataclass(frozen=True, slots=True)
class Approval:
    """Something somebody is asked to approve of before it is done."""

    name: str  # unique in its turn, and the same after a restart
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

    async def decide(
        self, thread: Thread, *, approved: bool, turn: TurnId | None = None, person: Person | None = None
    ) -> Decided:
        """Note what was decided of all that the running turn waits for.

        With *turn* only that one is meant. With *person* only what they asked for themselves.
        """
        ...

    async def waiting(self, turn: Turn) -> Sequence[Approval]:
        """What was asked in a turn and not decided."""
        ...

    async def decline(self, turn: Turn, name: str) -> None:
        """Note that nobody decided in time."""
        ...

    async def begin(self, turn: Turn, name: str) -> bool:
        """Note that what was approved is about to be done; False when it was about to be done before."""
        ...
