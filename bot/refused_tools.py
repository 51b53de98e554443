"""Tools that Gemini refused lately, so that not every question is asked twice because of them."""

import json
import time
from collections.abc import Callable, Sequence

from bot.answers import Tool
from bot.tools import functions_of

_ENOUGH = 2  # refusals in a row: one may have had another reason
_WHILE = 600.0  # seconds, after which the tools are tried again


class RefusedTools:
    """Which sets of tools were refused, by questions that were taken without them.

    What is known of a set is forgotten when it is taken, and at the next start. There are few sets: settings and
    platforms make them, not people.

    Args:
        clock: seconds, from anywhere.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, tuple[int, float]] = {}  # how often in a row, and when at last

    def left_out_of(self, tools: Sequence[Tool]) -> Sequence[Tool]:
        """Those of a question's tools that it had better not be asked with.

        Functions are offered all the same, until they were refused by themselves.
        """
        offered = tuple(tools)
        for fewer in (functions_of(tools), ()):
            if self.are_left_out(offered):
                offered = fewer
        return [tool for tool in tools if tool not in offered]

    def are_left_out(self, tools: Sequence[Tool]) -> bool:
        """Whether a question had better be asked without these tools at once."""
        times, last = self._known.get(_name(tools), (0, 0.0))
        return times >= _ENOUGH and self._clock() < last + _WHILE

    def refused(self, tools: Sequence[Tool]) -> bool:
        """Take note of tools without which a question was taken that was rejected with them.

        Returns whether they are left out from now on, and were not until now.
        """
        were_left_out = self.are_left_out(tools)
        times, _ = self._known.get(_name(tools), (0, 0.0))
        self._known[_name(tools)] = (times + 1, self._clock())
        return self.are_left_out(tools) and not were_left_out

    def taken(self, tools: Sequence[Tool]) -> None:
        """Take note of tools with which a question was taken."""
        self._known.pop(_name(tools), None)


def _name(tools: Sequence[Tool]) -> str:
    return json.dumps([dict(tool) for tool in tools], sort_keys=True)
