"""How faults of the offline model are armed: by whoever constructed it and nobody else.

A test hands a `Faults` to the constructor, keeps it and arms it. Each create takes the next fault
armed for creates, each get the next one armed for gets. No prompt can arm anything.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.offline.bell import Bell
from bot.offline.faults import Call, Fault

_KINDS = {Call.BEGIN: Call.CREATE, Call.LOOK: Call.GET}


@dataclass(slots=True)
class _Armed:
    fault: Fault
    left: int | None  # None: always


@dataclass(slots=True)
class Faults:
    """The faults that are armed, in the order they will be taken."""

    taken: list[Fault] = field(default_factory=list)
    _armed: dict[Call, deque[_Armed]] = field(default_factory=lambda: {call: deque() for call in Call})
    _releases: int = 0
    _stalled: int = 0  # answers, now
    _bell: Bell = field(default_factory=Bell)

    def arm(self, fault: Fault, *, times: int | None = 1, on: Call | None = None) -> None:
        """Let the next calls meet *fault*, behind what is armed already.

        Args:
            times: how many calls meet it; None for every one from then on.
            on: the kind of call; the one the fault is made for when not given.

        Raises:
            ValueError: the fault makes no sense for such a call.
        """
        if on is not None and _KINDS.get(on, on) not in fault.calls:
            raise ValueError(f"{type(fault).__name__} cannot be armed on {on}")
        self._armed[on or fault.calls[0]].append(_Armed(fault, times))

    def disarm(self) -> None:
        """Let everything work again from the next call on."""
        for armed in self._armed.values():
            armed.clear()

    def release(self) -> None:
        """Let every answer go on that is stalled now."""
        self._releases += 1
        self.look_again()

    async def stalled(self, count: int = 1) -> None:
        """Wait until so many answers are stalled, to release them or to hang up on them then."""
        await self._bell.until(lambda: self._stalled >= count)

    async def stall(self, over: Callable[[], bool], *, seconds: float | None) -> None:
        """Wait for a release, for so many seconds at the most, or until *over*.

        Whoever makes *over* true calls `look_again`.
        """
        before = self._releases
        self._stalled += 1
        self.look_again()
        try:
            async with asyncio.timeout(seconds):
                await self._bell.until(lambda: self._releases > before or over())
        except TimeoutError:
            pass  # it was to last so long
        finally:
            self._stalled -= 1

    def look_again(self) -> None:
        """Make every stall look whether it is over."""
        self._bell.ring()

    def take(self, call: Call) -> Fault | None:
        """The fault that the call at hand meets, if any."""
        armed = self._armed[call]
        if not armed:
            return None
        first = armed[0]
        if first.left is not None:
            first.left -= 1
            if first.left <= 0:
                armed.popleft()
        self.taken.append(first.fault)
        return first.fault
