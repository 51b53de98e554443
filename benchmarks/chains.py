"""What a question costs late in a long thread, with and without condensing: input tokens by turn, in one thread.

The bot runs as a process of its own; the model is the offline one, which counts a token for every four characters of
the whole chain, as Gemini counts the whole chain with every question. Summaries are on the bill of the turn they are
made for. Each row is the mean of so many turns, and the bar is as long as the turns are dear.

    .venv/bin/python -m benchmarks.chains [TURNS [CLEW_CHAIN_TURNS]]
"""

import asyncio
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from bot.offline import offline_model
from tests.support.process import fresh_clew
from tests.support.visitor import visitor_at

QUESTION = "The harbour needs a new crane, two pilots and somebody who sees to the lights until the winter is over. "
ROWS, WIDTH = 10, 50


async def converse(turns: int, **settings: str) -> tuple[list[int], int]:
    """The input tokens of each turn, and how many of the turns were asked after a summary."""
    with tempfile.TemporaryDirectory() as folder:
        async with offline_model(pace=0) as model:
            gemini = {"GEMINI_API_KEY": "benchmark", "GEMINI_BASE_URL": model.url, "CLEW_LOG_LEVEL": "warning"}
            async with (
                fresh_clew(Path(folder), **gemini, **settings) as clew,
                visitor_at(clew.address, "threadthatgrowslong") as page,
            ):
                for number in range(1, turns + 1):
                    await page.ask(f"{number}. {QUESTION * 3}")
                    await page.ended(number)
        with closing(sqlite3.connect(Path(folder, "clew.db"))) as db:
            rows = db.execute("SELECT input_tokens, summary IS NOT NULL FROM turn ORDER BY sequence").fetchall()
    return [tokens for tokens, _ in rows], sum(condensed for _, condensed in rows)


def plot(name: str, tokens: list[int], *, highest: float) -> None:
    print(f"\n{name}: {sum(tokens):,} tokens in all, the dearest turn {max(tokens):,}")
    size = -(-len(tokens) // ROWS)
    for at in range(0, len(tokens), size):
        mean = sum(tokens[at : at + size]) / len(tokens[at : at + size])
        print(f"{at + 1:>5} to {min(at + size, len(tokens)):<4} {mean:>8,.0f}  {'#' * round(WIDTH * mean / highest)}")


async def measure(turns: int, limit: int) -> None:
    grown, _ = await converse(turns, CLEW_CHAIN_TURNS="0", CLEW_CHAIN_TOKENS="0")
    flat, condensed = await converse(turns, CLEW_CHAIN_TURNS=str(limit), CLEW_CHAIN_TOKENS="0")
    size = -(-turns // ROWS)
    highest = sum(grown[-size:]) / len(grown[-size:])
    print(f"Input tokens per turn, mean of {size} turns each")
    plot("without condensing", grown, highest=highest)
    plot(f"condensed after every {limit} turns ({condensed} summaries)", flat, highest=highest)


if __name__ == "__main__":
    asyncio.run(measure(*(int(argument) for argument in sys.argv[1:] or ("200", "20"))))
