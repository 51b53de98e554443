"""What the condensing of long chains needs of a database."""

from dataclasses import dataclass
from typing import Protocol

from bot.messages import InteractionId, Turn, Usage


@dataclass(frozen=True, slots=True)
class Growth:
    """How much longer a chain has become."""

    turns: int  # answered ones, the one that it is counted from among them
    tokens: int


@dataclass(frozen=True, slots=True)
class Chain:
    """What a turn's question would go on from at Gemini, back to where that began."""

    turns: int = 0  # answered ones
    tokens: int = 0  # that it has
    interactions: tuple[InteractionId, ...] = ()  # of its turns, the newest first
    since: Growth | None = None  # a summary of it was asked for in vain; None when none was


class ChainStore(Protocol):
    """What is kept of summaries. Every write is one transaction."""

    async def chain(self, turn: Turn, *, most: int) -> Chain:
        """The chain that a turn goes on from; no more than its newest turns are looked at."""
        ...

    async def summing_up(self, turn: Turn, summary: InteractionId | None) -> None:
        """Note the interaction after which, instead of after `previous`, the question is asked; None: it was in vain.

        That it exists is noted even for a stale turn.

        Raises:
            StaleTurn: the turn is not the running one of its thread's epoch.
        """
        ...

    async def summed_up(self, turn: Turn, usage: Usage) -> None:
        """Add what a summary took to what the turn takes; once, however often that is told."""
        ...
