"""The functions of the bot of a run, as an operator would write them: one is free, one fails, one needs approval.

What was truly done is in a file beside the bot's database, which outlives it: a line for each time.
"""

import asyncio
import os
import time
from pathlib import Path

from bot.functions import Caller, function

MODULE = "tests.chaos.functions"
MARKS = "marks"  # the file's name
NOISE = "Grüße 🧶 <!channel> <!here> @everyone @here <https://preview.example.org/>"
_TOO_LONG = 5.0  # seconds
_FAILS, _LASTS = set("0123"), set("45")  # last characters of the names of calls


@function
def look_up(call: str) -> dict[str, str]:
    """Look something up.

    Args:
        call: a name for this call.
    """
    return {"found": f"{NOISE} for {call}"}


@function(seconds=0.5)
async def measure(call: str) -> str:
    """Measure something, which fails now and then, or lasts.

    Args:
        call: a name for this call.
    """
    if call[-1] in _FAILS:
        raise ValueError("<!channel> nothing can be measured")
    await asyncio.sleep(_TOO_LONG if call[-1] in _LASTS else 0.2)
    return f"{call} measures 七"


@function(needs_approval=True)
async def send(call: str, words: str, caller: Caller) -> str:
    """Send something, which cannot be taken back.

    Args:
        call: a name for this call.
        words: to be sent.
    """
    await asyncio.sleep(0.2)
    # One write, before anything else can happen: it is done, or it is not.
    line = f"{time.time():.6f} {call} {caller.thread.key}\n".encode()
    file = os.open(Path(MARKS), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(file, line)
    finally:
        os.close(file)
    await asyncio.sleep(0.8)  # so that the process dies at times when it is done, and nobody has heard of it
    return sent(call)


def sent(call: str) -> str:
    """What is returned of what was sent."""
    return f"{call} was sent"
