import logging

import pytest

from bot.health import Health
from bot.metrics import Metrics
from storage.sqlite import open_store
from tests.support.naps import Naps


async def test_all_is_well_when_the_store_commits_and_nobody_reports_trouble() -> None:
    metrics = Metrics()
    async with open_store("sqlite:///:memory:") as store:
        report = await Health(store, troubles={"loop": lambda: None, "slack": lambda: None}, metrics=metrics).report()

    assert report.ok
    assert report.checks == {"store": "ok", "loop": "ok", "slack": "ok"}
    assert metrics.registry.get_sample_value("clew_healthy", {"check": "store"}) == 1


async def test_a_store_that_is_gone_is_reported() -> None:
    async with open_store("sqlite:///:memory:") as store:
        pass
    report = await Health(store, troubles={}, metrics=Metrics()).report()

    assert not report.ok
    assert report.checks["store"] != "ok"


async def test_a_platform_that_is_down_is_reported_in_its_own_words() -> None:
    async with open_store("sqlite:///:memory:") as store:
        report = await Health(store, troubles={"slack": lambda: "no socket for 70 s"}, metrics=Metrics()).report()

    assert not report.ok
    assert report.checks["slack"] == "no socket for 70 s"


async def test_what_goes_wrong_is_in_the_log_and_on_the_metric_though_nobody_asks_and_so_is_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    naps, metrics, trouble = Naps(), Metrics(), list[str | None]([None])
    gauge = {"check": "disk"}
    with caplog.at_level(logging.INFO, "bot.health"):
        async with open_store("sqlite:///:memory:") as store:
            health = Health(store, troubles={"disk": lambda: trouble[0]}, metrics=metrics, sleep=naps.sleep)
            async with health.watching():
                await naps.begun()
                trouble[0] = "full"
                for _ in range(2):
                    await naps.over(60)
                while_it_lasts = metrics.registry.get_sample_value("clew_healthy", gauge)
                trouble[0] = None
                await naps.over(60)

    assert [record.getMessage() for record in caplog.records] == ["not healthy", "healthy again"]
    assert caplog.records[0].__dict__["reason"] == "full"
    assert while_it_lasts == 0
    assert metrics.registry.get_sample_value("clew_healthy", gauge) == 1
