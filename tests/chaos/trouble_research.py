"""What goes wrong with answers in the background: beginning them, looking at them, cancelling them, they themselves."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from bot.offline import (
    Afterwards,
    Call,
    CutFault,
    DropFault,
    EmptyFault,
    Fault,
    FinalStatusFault,
    InProgressFault,
    ResetFault,
    StallFault,
    StatusFault,
)
from tests.chaos.world import World

LOST_AGAIN = 5.0  # seconds at the least before Gemini again does not know for a moment what it has begun
_REFUSED: Sequence[Callable[[], Fault]] = (
    partial(StatusFault, 429),
    partial(StatusFault, 429, retry_after="1"),
    partial(StatusFault, 500),
    partial(StatusFault, 503),
)
# Nobody hears whether it was begun: it was not, or it was.
_UNCERTAIN: Sequence[Callable[[], Fault]] = (
    partial(StatusFault, 502),
    partial(StatusFault, 504),
    *(partial(DropFault, afterwards) for afterwards in Afterwards),
)
_ENDS: Sequence[Callable[[], Fault]] = (
    partial(FinalStatusFault, "failed"),
    partial(FinalStatusFault, "incomplete"),
    partial(FinalStatusFault, "cancelled"),
    EmptyFault,
    StallFault,  # it stays where it is, until it is cancelled or all trouble is over
    *(partial(CutFault, 0, afterwards) for afterwards in Afterwards),
)
_LOOKS: Sequence[Fault] = (StatusFault(429), StatusFault(503), DropFault(), ResetFault(), InProgressFault())


@dataclass
class ResearchTrouble:
    """Makes it. What is armed for a beginning waits for one, so there is only ever one of it."""

    world: World
    dice: random.Random
    _waiting: Fault | None = None
    _lost_at: float = field(default=float("-inf"))

    async def happens(self) -> None:
        """Arm something."""
        faults, dice = self.world.model.faults, self.dice
        match dice.choice(["refusal", "uncertain", "end", "end", "look", "look", "lost", "cancel"]):
            case "refusal":
                self._arm(dice.choice(_REFUSED), times=dice.randint(1, 3))
            case "uncertain":
                self._arm(dice.choice(_UNCERTAIN))
            case "end":
                self._arm(dice.choice(_ENDS))
            case "look":
                faults.arm(dice.choice(_LOOKS), times=dice.randint(1, 5), on=Call.LOOK)
            case "lost" if self.world.now - self._lost_at >= LOST_AGAIN:
                # Twice and not again soon: what is not known three times in a row is lost.
                self._lost_at = self.world.now
                faults.arm(StatusFault(404), times=dice.randint(1, 2), on=Call.LOOK)
            case _:
                faults.arm(StatusFault(dice.choice((429, 500, 503))), times=dice.randint(1, 3), on=Call.CANCEL)

    def _arm(self, make: Callable[[], Fault], *, times: int = 1) -> None:
        faults = self.world.model.faults
        if self._waiting is None or any(taken is self._waiting for taken in faults.taken):
            self._waiting = make()
            faults.arm(self._waiting, times=times, on=Call.BEGIN)
