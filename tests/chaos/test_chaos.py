"""A short run of `make chaos`; the long ones are made before a release."""

from pathlib import Path

from tests.chaos.run import FIRST, run
from tests.chaos.telling import story, totals

SEED, SECONDS, THREADS = 1, 15.0, 20


async def test_whatever_goes_wrong_every_promise_is_kept(tmp_path: Path) -> None:
    ran = await run(tmp_path, seed=SEED, seconds=SECONDS, threads=THREADS, in_flight=3.0)

    assert not ran.verdicts, "\n".join(line for verdict in ran.verdicts for line in story(ran, verdict))
    assert ran.turns >= FIRST, totals(ran)
    assert ran.kills > 1, totals(ran)
    assert sum(ran.history.faults.values()) > 0, totals(ran)
