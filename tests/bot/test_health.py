import asyncio

from bot.health import Health
from storage.sqlite import open_store


async def test_all_is_well_when_the_store_commits_and_the_loop_turns() -> None:
    async with open_store("sqlite:///:memory:") as store:
        health = Health(store, platforms={"slack": lambda: None})
        async with health.watching():
            report = await health.report()

    assert report.ok
    assert report.checks == {"store": "ok", "loop": "ok", "slack": "ok"}


async def test_a_store_that_is_gone_is_reported() -> None:
    async with open_store("sqlite:///:memory:") as store:
        pass
    report = await Health(store, platforms={}).report()

    assert not report.ok
    assert report.checks["store"] != "ok"


async def test_a_platform_that_is_down_is_reported_in_its_own_words() -> None:
    async with open_store("sqlite:///:memory:") as store:
        report = await Health(store, platforms={"slack": lambda: "no socket for 70 s"}).report()

    assert not report.ok
    assert report.checks["slack"] == "no socket for 70 s"


async def test_a_stalled_event_loop_is_reported_and_forgotten_after_a_while() -> None:
    naps: asyncio.Queue[float] = asyncio.Queue()
    now, slept = 0.0, asyncio.Event()

    async def sleep(_: float) -> None:
        nonlocal now
        slept.set()
        now += await naps.get()

    async def nap(seconds: float) -> None:
        slept.clear()
        naps.put_nowait(seconds)
        await slept.wait()

    async with open_store("sqlite:///:memory:") as store:
        health = Health(store, platforms={}, beat=1, late=5, sleep=sleep, clock=lambda: now)
        async with health.watching():
            await nap(9)
            stalled = await health.report()
            for _ in range(3):
                await nap(1)
            recovered = await health.report()

    assert stalled.checks["loop"] == "the event loop was 8.0 s late"
    assert recovered.ok
