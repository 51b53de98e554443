"""``python -m tests.chaos --seed 1 --minutes 10``: one run of chaos, and what it came to.

It says twice a minute how it goes, and at Ctrl-C what it came to so far.
"""

import argparse
import asyncio
import logging
import signal
import sys
import tempfile
from pathlib import Path

from tests.chaos.run import Ran, run
from tests.chaos.telling import story, totals

THREADS_A_MINUTE, FEWEST, MOST = 20, 24, 400


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="One run of chaos.")
    parser.add_argument("--seed", type=int, default=1, help="who says what and what goes wrong; 1 unless given")
    parser.add_argument("--minutes", type=float, default=1.0, help="of people, faults and kills; peace comes after")
    parser.add_argument("--threads", type=int, help="in how many people talk; by the minutes unless given")
    parser.add_argument("--bug", help="a promise-breaking variant of the bot, see tests/chaos/bugs.py")
    parser.add_argument("--keep", type=Path, help="a folder for the bot's database and log; gone at the end otherwise")
    given = parser.parse_args()
    threads = given.threads or max(FEWEST, min(MOST, int(given.minutes * THREADS_A_MINUTE)))
    # The stand-ins' own server, of clients that were killed in the midst of an answer.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as made:
        folder = (given.keep or Path(made)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        ran = asyncio.run(_run(folder, seed=given.seed, minutes=given.minutes, threads=threads, bug=given.bug))
    _tell(ran)
    sys.exit(1 if ran.verdicts else 0)


async def _run(folder: Path, *, seed: int, minutes: float, threads: int, bug: str | None) -> Ran:
    enough = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):  # left at once it would leave the bot behind
        asyncio.get_running_loop().add_signal_handler(number, enough.set)
    return await run(
        folder, seed=seed, seconds=minutes * 60, threads=threads, bug=bug, tell=_tell_meanwhile, enough=enough
    )


def _tell_meanwhile(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _tell(ran: Ran) -> None:
    for lines in (totals(ran), *(story(ran, verdict) for verdict in ran.verdicts)):
        sys.stdout.write("\n".join([*lines, "", ""]))


if __name__ == "__main__":
    main()
