"""Clew as the chaos machine runs it: ``python -m tests.chaos.clew [--bug NAME]`` is ``python -m bot`` in a hurry.

What can be set is set by the environment, as it is for everybody; what cannot is compressed here. With a bug it is a
variant that breaks a promise, and the judge has to see it.
"""

import argparse
import asyncio
import time
from dataclasses import replace

from adapters.slack.adapter import Line
from bot.__main__ import run
from bot.config import read_settings
from bot.limits import Limits
from tests.chaos.bugs import BUGS, SOUND

SPEED = 10.0
"""Seconds that pass for what platforms limit in one real second. The stand-ins refuse by it, and the bot paces itself
by it in Slack; Discord says how long to wait."""

HURRIED = {
    "CLEW_REFUSED_SECONDS": "4",
    "CLEW_SILENT_SECONDS": "3",
    "CLEW_TURN_SECONDS": "12",
    "CLEW_DRAIN_SECONDS": "1",
    "CLEW_INLINE_MB": "1",
}
"""Settings of a bot in a hurry; whoever starts it puts them into its environment."""


def hurried(limits: Limits) -> Limits:
    """The limits, with the pauses that no setting shortens, and with takes enough for a run full of kills."""
    return replace(limits, first_pause=0.1, longest_pause=0.5, takes=40)


def in_slacks_time(line: Line) -> Line:
    """The line of a Slack whose minutes are shorter."""
    return replace(line, clock=lambda: time.monotonic() * SPEED, sleep=lambda seconds: asyncio.sleep(seconds / SPEED))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.clew")
    parser.add_argument("--bug", choices=sorted(BUGS), help="the promise-breaking variant to be")
    given = parser.parse_args()
    around = BUGS[given.bug]() if given.bug else SOUND()
    hurry = replace(around, limits=hurried, slack=lambda line: around.slack(in_slacks_time(line)))
    run(read_settings(), around=hurry)


if __name__ == "__main__":
    main()
