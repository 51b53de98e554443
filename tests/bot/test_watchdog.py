"""The event loop stands still: one line, one number, and a word to whoever asks for health."""

import asyncio
import logging
import time

import pytest

from bot.metrics import Metrics
from bot.watchdog import Watchdog
from tests.support.naps import Naps


def stalls(metrics: Metrics) -> tuple[float | None, float | None]:
    """How many there were, and how long they took together."""
    read = metrics.registry.get_sample_value
    return read("clew_loop_stall_seconds_count"), read("clew_loop_stall_seconds_sum")


async def test_a_loop_that_is_really_blocked_is_noticed_with_how_long_it_was(caplog: pytest.LogCaptureFixture) -> None:
    metrics, naps = Metrics(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        naps.set()
        await asyncio.sleep(seconds)

    watchdog = Watchdog(metrics, beat=0.01, late=0.5, most=0.5, sleep=sleep)
    with caplog.at_level(logging.WARNING, "bot.watchdog"):
        async with watchdog.watching(), asyncio.timeout(30):
            await naps.wait()
            time.sleep(0.6)  # noqa: ASYNC251 - this is the fault
            naps.clear()
            await naps.wait()  # it sleeps again, and so has looked
            trouble = watchdog.trouble()

    count, seconds = stalls(metrics)
    assert count is not None
    assert seconds is not None
    assert count >= 1
    assert seconds >= 0.5
    assert caplog.records[0].getMessage() == "event loop stood still"
    assert caplog.records[0].__dict__["seconds"] >= 0.5
    assert trouble is not None
    assert trouble.startswith("the event loop stood still for")


async def test_a_moment_is_worth_a_line_and_no_trouble_but_moments_add_up(caplog: pytest.LogCaptureFixture) -> None:
    metrics, naps = Metrics(), Naps()
    watchdog = Watchdog(metrics, sleep=naps.sleep, clock=naps.now)
    with caplog.at_level(logging.WARNING, "bot.watchdog"):
        async with watchdog.watching():
            await naps.over(1.2)
            short = watchdog.trouble(), len(caplog.records)
            await naps.over(2.5)
            one = watchdog.trouble(), len(caplog.records)
            await naps.over(4.0)
            several = watchdog.trouble()

    assert short == (None, 0)
    assert one == (None, 1)
    assert several == "the event loop stood still for 5.5 s in the last 60 s"
    assert stalls(metrics) == (2, 5.5)


async def test_a_machine_that_was_suspended_costs_one_line_and_is_forgotten_after_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics, naps = Metrics(), Naps()
    watchdog = Watchdog(metrics, sleep=naps.sleep, clock=naps.now)
    with caplog.at_level(logging.WARNING, "bot.watchdog"):
        async with watchdog.watching():
            await naps.over(8 * 3600)
            woken = watchdog.trouble()
            for _ in range(122):
                await naps.over(0.5)

            assert woken is not None
            assert watchdog.trouble() is None

    assert [record.getMessage() for record in caplog.records] == ["event loop stood still"]
    assert stalls(metrics)[0] == 1
