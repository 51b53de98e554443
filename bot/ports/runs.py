"""What answers that are made in the background need of a database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.messages import InteractionId, Thread, Turn


@dataclass(frozen=True, slots=True)
class Run:
    """An interaction that goes on at Gemini by itself, until it is done or cancelled."""

    interaction: InteractionId
    thread: Thread


class RunStore(Protocol):
    """What is kept of runs. Every write is one transaction."""

    async def researched(self) -> int:
        """How many researches were begun today (UTC)."""
        ...

    async def researching(self, turn: Turn, agent: str, *, most: int) -> bool:
        """Note and count, before it is begun, that an agent researches for the turn; False when *most* were today.

        Raises:
            StaleTurn: the turn is not the running one of its thread's epoch.
        """
        ...

    async def not_begun(self, turn: Turn) -> None:
        """Note that nothing came of that, and count it no more."""
        ...

    async def began(self, turn: Turn, interaction: InteractionId) -> None:
        """Note the interaction that answers the turn in the background; that it runs is noted even for a stale one.

        Raises:
            StaleTurn: the turn is not the running one of its thread's epoch.
        """
        ...

    async def ended(self, interaction: InteractionId) -> None:
        """Note that an interaction runs no longer."""
        ...

    async def unwanted(self) -> Sequence[Run]:
        """What runs and no turn waits for: it was stopped, reset, given up or asked again."""
        ...
