"""How many messages and whole turns the SQLite store takes in a second, and what a turn costs the processor.

Run with ``python -m benchmarks.store``; the database lies in a new temporary folder (TMPDIR names another disk).
Each row is so many threads at once, each writing its next thing when the last one is acknowledged. A whole turn is the
message, the claim, the interaction, two parts of the reply and the answer: six acknowledgements, each of them durable.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bot.messages import InteractionId, Message, MessageId, Part, Person, PersonId, Platform, Thread, Usage
from bot.ports import Store
from storage.sqlite import open_store

AT_ONCE = (1, 50, 500)
TEXT = "What does the oldest part of this thread say about the harbour? " * 3
WRITES_PER_TURN = 6


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took, in seconds for each of the things done."""

    elapsed: float
    processor: float


def thread(number: int) -> Thread:
    return Thread(Platform("slack"), "T024BE7LD", f"C{number:08}", f"17000{number:05}.000100")


def message(number: int, place: Thread) -> Message:
    return Message(place, MessageId(f"1700000000.{number:06}"), Person(PersonId("U0G9QF9C6"), "Ada"), TEXT, time.time())


async def add_one(store: Store, place: Thread, number: int) -> None:
    assert await store.add(message(number, place))


async def whole_turn(store: Store, place: Thread, number: int) -> None:
    await store.add(message(number, place))
    claim = await store.claim(place)
    assert claim is not None
    interaction = InteractionId(f"v1_{place.thread_id}_{number:040}")
    await store.created(claim.turn, interaction)
    await store.shown(claim.turn, Part(0, MessageId(f"reply-{number}"), "0" * 16))
    await store.shown(claim.turn, Part(0, MessageId(f"reply-{number}"), "1" * 16))
    await store.answered(claim.turn, interaction=interaction, usage=Usage(800, 200, 0, 0, 0, 1000), model="gemini")


async def measure(what: Callable[[Store, Thread, int], Awaitable[None]], *, at_once: int, count: int) -> Cost:
    """Do it *count* times on a new database, in *at_once* threads side by side."""

    async def one_thread(number: int) -> None:
        place = thread(number)
        for turn in range(count // at_once):
            await what(store, place, turn)

    with tempfile.TemporaryDirectory() as folder:
        async with open_store(f"sqlite:///{Path(folder, 'clew.db')}") as store:
            started, worked = time.perf_counter(), time.process_time()
            async with asyncio.TaskGroup() as group:
                for number in range(at_once):
                    group.create_task(one_thread(number))
            return Cost((time.perf_counter() - started) / count, (time.process_time() - worked) / count)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--turns", type=int, default=5000, help="how many in each row (default: %(default)s)")
    count = arguments.parse_args().turns
    print(f"{'at once':>8} {'messages/s':>11} {'ms each':>8}   {'turns/s':>8} {'writes/s':>9} {'CPU ms/turn':>12}")
    for at_once in AT_ONCE:
        adds = asyncio.run(measure(add_one, at_once=at_once, count=count))
        turns = asyncio.run(measure(whole_turn, at_once=at_once, count=count))
        print(
            f"{at_once:>8} {1 / adds.elapsed:>11.0f} {adds.processor * 1000:>8.3f}   "
            f"{1 / turns.elapsed:>8.0f} {WRITES_PER_TURN / turns.elapsed:>9.0f} {turns.processor * 1000:>12.3f}"
        )


if __name__ == "__main__":
    main()
