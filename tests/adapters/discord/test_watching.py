"""Threads that are read again for a while after something was said or answered in them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from adapters.discord.places import DISCORD
from bot.errors import PlatformAway, PlatformError, StoreUnavailable, ThreadClosed
from bot.messages import Thread
from bot.watching import AGAIN, Watching

DAY = 86_400.0


def thread(name: str = "1") -> Thread:
    return Thread(DISCORD, "guild", "channel", name)


class Watched:
    """Somebody who watches, in a time that passes only where it is slept; what was read when, and from when on."""

    def __init__(self, *, most: int = 2000, takes: float = 0.0) -> None:
        self.now, self._takes = 1_000_000.0, takes
        self.read: list[tuple[str, float, float]] = []
        self.fails: Callable[[str, float], Exception | None] = lambda name, since: None
        self.then: Callable[[], None] = lambda: None  # after each reading
        self._changed = asyncio.Event()
        self.watching = Watching(self._read, clock=lambda: self.now, sleep=self._sleep, most=most)

    async def _read(self, one: Thread, since: float) -> None:
        self.read.append((one.thread_id, self.now, since))
        self.now += self._takes
        self.then()
        self._changed.set()
        if (error := self.fails(one.thread_id, self.now)) is not None:
            raise error

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)

    def times(self, name: str = "1") -> list[float]:
        return [at for one, at, _ in self.read if one == name]

    async def until(self, is_enough: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not is_enough():
                self._changed.clear()
                await self._changed.wait()

    async def all_read(self) -> None:
        """Wait until nothing is read any more: a day later another thread is, for the last time."""
        self.now += DAY
        ends = self.now + AGAIN[-1]
        self.watching.watch(thread("last"))
        await self.until(lambda: max(self.times("last"), default=0.0) >= ends)


@asynccontextmanager
async def watched(**options: float) -> AsyncIterator[Watched]:
    one = Watched(**options)  # type: ignore[arg-type]  # numbers
    running = asyncio.ensure_future(one.watching.run())
    try:
        yield one
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def test_a_thread_is_read_again_five_times_within_five_minutes_and_not_after_that() -> None:
    async with watched() as at:
        began = at.now
        at.watching.watch(thread())
        await at.until(lambda: len(at.read) == len(AGAIN))
        await at.all_read()

        assert [time - began for time in at.times()] == [15, 30, 60, 120, 300]


async def test_what_is_said_meanwhile_begins_the_watch_anew() -> None:
    async with watched() as at:
        at.watching.watch(thread())
        again: list[float] = []

        def say() -> None:
            if len(at.read) == 2:
                again.append(at.now)
                at.watching.watch(thread())

        at.then = say
        await at.until(lambda: len(at.read) == 2 + len(AGAIN))
        await at.all_read()

        assert [time - again[0] for time in at.times()[2:]] == [15, 30, 60, 120, 300]


async def test_each_reading_begins_where_the_one_before_ended_and_the_first_before_the_answer_was_begun() -> None:
    async with watched() as at:
        began = at.now
        at.watching.watch(thread())
        await at.until(lambda: len(at.read) == len(AGAIN))

        (first, *others) = at.read
        assert first[2] <= began - 300
        for (_, read_at, _), (_, _, since) in zip(at.read, others, strict=False):
            assert read_at - 60 < since <= read_at


async def test_many_threads_are_read_one_after_the_other_and_none_is_left_out() -> None:
    async with watched(takes=1.0) as at:
        began, names = at.now, [str(number) for number in range(50)]
        for name in names:
            at.watching.watch(thread(name))
        await at.until(lambda: all(max(at.times(name), default=0.0) >= began + AGAIN[-1] for name in names))
        await at.all_read()

        # A reading that the others left no time for is made up for by the next one.
        assert all(3 <= len(at.times(name)) <= len(AGAIN) for name in names)
        times = [time for _, time, _ in at.read]
        assert times == sorted(set(times))


async def test_of_too_many_threads_the_latest_are_watched() -> None:
    async with watched(most=2) as at:
        for number in range(5):
            at.watching.watch(thread(str(number)))
        await at.until(lambda: len(at.read) == 2 * len(AGAIN))

        assert {name for name, _, _ in at.read} == {"3", "4"}


@pytest.mark.parametrize("error", [PlatformAway("gone"), StoreUnavailable("full")], ids=["Discord", "the store"])
async def test_what_fails_for_now_is_read_again_from_the_same_place_until_it_works(error: Exception) -> None:
    async with watched() as at:
        began = at.now
        at.fails = lambda name, now: error if now < began + 3600 else None
        at.watching.watch(thread())
        await at.until(lambda: at.now >= began + 3600)
        await at.all_read()

        sinces = [since for name, now, since in at.read if name == "1" and now < began + 3600]
        assert len(set(sinces)) == 1
        assert at.times()[-1] >= began + 3600


async def test_a_thread_that_fails_for_a_day_is_let_go() -> None:
    async with watched() as at:
        began = at.now
        at.fails = lambda name, now: PlatformAway("gone") if name == "1" else None
        at.watching.watch(thread())
        await at.until(lambda: at.now > began + DAY - 60)
        seen = len(at.times())
        await at.all_read()

        assert len(at.times()) <= seen + 5


@pytest.mark.parametrize("error", [ThreadClosed("archived"), PlatformError("refused")])
async def test_a_closed_thread_is_not_read_again(error: Exception) -> None:
    async with watched() as at:
        at.fails = lambda name, now: error if name == "1" else None
        at.watching.watch(thread())
        await at.until(lambda: bool(at.read))
        await at.all_read()

        assert len(at.times()) == 1


async def test_a_thread_that_is_watched_anew_while_its_last_reading_goes_on_stays_watched() -> None:
    async with watched() as at:
        at.watching.watch(thread())
        at.then = lambda: at.watching.watch(thread()) if len(at.read) == len(AGAIN) else None
        await at.until(lambda: len(at.read) == len(AGAIN))
        at.then = lambda: None
        await at.until(lambda: len(at.read) == 2 * len(AGAIN))
