"""Ids that tell the time they were made at, as Discord makes them."""

from tests.support.discord.clock import Clock

EPOCH = 1_420_070_400.0  # the first second of 2015


class Snowflakes:
    """Makes ids of 18 or 19 digits, each larger than the one before ([9.2])."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def new(self) -> str:
        self._last = max(self._last + 1, int(oldest_at(self._clock.now())))
        return str(self._last)


def oldest_at(at: float) -> str:
    """The smallest id of a time, in seconds since 1970."""
    return str(int((at - EPOCH) * 1000) << 22)


def made_at(snowflake: str) -> float:
    """When an id was made, in seconds since 1970."""
    return (int(snowflake) >> 22) / 1000 + EPOCH
