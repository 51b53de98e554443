"""How often things are done at Discord."""

from dataclasses import dataclass

from bot.watching import AGAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often things are done, in seconds; tests have less time."""

    pause: float = 1.0  # before the second attempt at something
    longest_pause: float = 60.0
    catch_up: float = 0.1  # between two requests of looking for what was missed
    watch: float = 1.0  # between two requests of reading threads again that were just answered in
    late: float = 0.5  # that the next server of a new session is waited for
    patience: float = 60.0  # without a connection, after which the operator is told
    again: tuple[float, ...] = AGAIN
