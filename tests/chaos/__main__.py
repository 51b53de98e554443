"""``python -m tests.chaos --seed 1 --minutes 10``: one run of chaos, and what it came to."""

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from tests.chaos.run import Ran, run
from tests.chaos.telling import story, totals

THREADS_A_MINUTE, FEWEST, MOST = 12, 24, 200


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
        folder = given.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        ran = asyncio.run(run(folder, seed=given.seed, seconds=given.minutes * 60, threads=threads, bug=given.bug))
    _tell(ran)
    sys.exit(1 if ran.verdicts else 0)


def _tell(ran: Ran) -> None:
    for lines in (totals(ran), *(story(ran, verdict) for verdict in ran.verdicts)):
        sys.stdout.write("\n".join([*lines, "", ""]))


if __name__ == "__main__":
    main()
