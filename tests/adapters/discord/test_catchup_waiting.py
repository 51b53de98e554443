"""What was missed in a thread is looked for at once while somebody waits for it."""

import asyncio
import contextlib

import pytest

from adapters.discord.gaps import Gaps
from adapters.discord.places import DIRECT
from tests.adapters.discord.looking import READ, Desk, desk
from tests.support.discord import Clock, SaysError, Slow
from tests.support.slack_clew import failing, until_logged

NO_LONGER = SaysError(0, status=401)  # which is not tried again within one call
NO_ACCESS = SaysError(50001, status=403)


async def test_where_nothing_can_have_been_missed_nobody_waits_and_nothing_is_asked() -> None:
    async with desk() as at:
        (line,) = await at.missed("ada")
        catch_up, gaps = await at.begun()
        gaps.ready(0)
        async with asyncio.timeout(30):
            await catch_up.thread(line)
        after_all, elsewhere = catch_up.thread(line), catch_up.thread(at.line("ben"))
        for waiting in (after_all, elsewhere):
            with pytest.raises(StopIteration):
                waiting.send(None)  # it ends without waiting for anything

        assert at.found == ["from ada"]
        assert len(at.discord.calls_of(READ)) == 1


async def test_before_the_first_session_it_is_not_known_what_was_missed_and_one_waits() -> None:
    async with desk() as at:
        (line,) = await at.missed("ada")
        catch_up, gaps = await at.begun()
        waiting = asyncio.ensure_future(catch_up.thread(line))
        await asyncio.sleep(0)
        assert not waiting.done()

        gaps.ready(0)
        async with asyncio.timeout(30):
            await waiting
        assert at.found == ["from ada"]


async def test_what_somebody_waits_for_is_read_first_and_not_again_for_the_same_gap() -> None:
    async with desk() as at:
        ada, _, _ = await at.missed("ada", "ben", "cleo")
        catch_up, gaps = await at.begun()
        gaps.ready(0)
        async with asyncio.timeout(30):
            await catch_up.thread(ada)
        assert at.found == ["from ada"]

        async with until_logged("caught up", by="adapters.discord.catchup"):
            looking = asyncio.ensure_future(catch_up.run())
        looking.cancel()

        assert at.found == ["from ada", "from cleo", "from ben"]
        assert len(at.discord.calls_of(READ)) == 3


async def test_whoever_waits_for_the_same_shares_one_reading_also_with_the_one_that_goes_on_by_itself() -> None:
    async with desk() as at:
        (line,) = await at.missed("ada")
        at.discord.faults.arm(READ, Slow(0.05), times=None)
        catch_up, gaps = await at.begun()
        gaps.ready(0)
        looking = asyncio.ensure_future(catch_up.run())
        await at.discord.until(lambda: at.discord.calls_of(READ))
        async with asyncio.timeout(30):
            await asyncio.gather(*(catch_up.thread(line) for _ in range(50)))
        looking.cancel()

        assert at.found == ["from ada"]
        assert len(at.discord.calls_of(READ)) == 1


async def test_it_is_waited_for_until_the_servers_of_a_new_session_are_known() -> None:
    async with desk() as at:
        (line,) = await at.missed("ada")
        catch_up, gaps = await at.begun()
        gaps.begun(0)
        waiting = asyncio.ensure_future(catch_up.thread(line))
        for _ in range(20):
            await asyncio.sleep(0)
        assert at.discord.calls_of(READ) == []

        gaps.ready(0)
        async with asyncio.timeout(30):
            await waiting

        assert at.found == ["from ada"]


def test_a_gap_is_expected_of_a_new_session_and_of_what_cannot_be_taken_in_where_it_is_to_be() -> None:
    gaps = Gaps(clock=lambda: 0.0, shard_of=lambda installation: 0 if installation == DIRECT else 1)
    assert (gaps.is_any_in(DIRECT), gaps.is_any_in("7")) == (True, True), "none has begun yet"

    gaps.ready(0)
    _all_closed(gaps)
    gaps.begun(1)
    assert (gaps.is_any_in(DIRECT), gaps.is_any_in("7")) == (False, True)

    gaps.ready(1)
    assert not gaps.is_any_in("7"), "a server that did not come"

    gaps.lost(1)
    assert not gaps.is_any_in("7"), "what was told before the connection was lost came in its order"

    gaps.missing("7")
    assert (gaps.is_any_in("7"), gaps.is_any_in("8")) == (True, False)

    gaps.missed("7", 0.0)
    assert gaps.is_any_in("7"), "now it is open"


@pytest.mark.parametrize("is_read_by_itself", [True, False], ids=["beside the others", "alone"])
async def test_what_discord_does_not_tell_now_is_asked_for_again_with_pauses(is_read_by_itself: bool) -> None:
    async with desk(clock=Clock(speed=50)) as at:
        (line,) = await at.missed("ada")
        at.discord.faults.arm(READ, NO_LONGER, times=4)
        catch_up, gaps = await at.begun(sleep=at.discord.clock.sleep)
        gaps.ready(0)
        looking = asyncio.ensure_future(catch_up.run()) if is_read_by_itself else None
        async with asyncio.timeout(30):
            await asyncio.gather(*(catch_up.thread(line) for _ in range(20)))
        if looking is not None:
            looking.cancel()

        times = [call.at for call in at.discord.calls_of(READ)]
        assert at.found == ["from ada"]
        assert len(times) == 5
        for pause, one, another in zip((0.5, 1.0, 2.0, 4.0), times, times[1:], strict=False):
            assert another - one >= 0.9 * pause


async def test_what_discord_never_tells_is_not_waited_for() -> None:
    async with desk() as at:
        (line,) = await at.missed("ada")
        at.discord.faults.arm(READ, NO_ACCESS, times=None)
        catch_up, gaps = await at.begun()
        gaps.ready(0)
        async with asyncio.timeout(30):
            await catch_up.thread(line)

        assert at.found == []
        assert len(at.discord.calls_of(READ)) == 1


async def test_a_store_that_does_not_tell_where_to_look_is_asked_again() -> None:
    async with desk(clock=Clock(speed=50)) as at:
        (line,) = await at.missed("ada")
        at.store = failing(at.store, "active", times=2)
        catch_up, gaps = await at.begun(sleep=at.discord.clock.sleep)
        gaps.ready(0)
        async with asyncio.timeout(30):
            await catch_up.thread(line)

        assert at.found == ["from ada"]


async def test_who_no_longer_waits_leaves_the_reading_to_the_others() -> None:
    async with desk() as at:
        (line,) = await at.missed("ada")
        at.discord.faults.arm(READ, Slow(3600), times=1)
        catch_up, gaps = await at.begun()
        gaps.ready(0)
        first = asyncio.ensure_future(catch_up.thread(line))
        await at.discord.until(lambda: at.discord.calls_of(READ))
        second = asyncio.ensure_future(catch_up.thread(line))
        await asyncio.sleep(0)
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await first
        async with asyncio.timeout(30):
            await second

        assert at.found == ["from ada"]


class Naps:
    """Sleeps that are over at once: how long they are together, and how many were taken at the same time."""

    def __init__(self) -> None:
        self.seconds, self.most, self._now = 0.0, 0, 0

    async def sleep(self, seconds: float) -> None:
        self.seconds, self._now = self.seconds + seconds, self._now + 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0)
        self._now -= 1


async def read_at_least(number: int, at: Desk) -> int:
    """How often was read, once it was so often, and more would have come."""
    await at.discord.until(lambda: len(at.discord.calls_of(READ)) >= number)
    for _ in range(200):
        await asyncio.sleep(0)
    return len(at.discord.calls_of(READ))


async def test_a_flood_is_read_a_few_at_a_time_and_within_discords_limits() -> None:
    async with desk() as at:
        people, naps = 24, Naps()
        lines = await at.missed(*(f"person{number}" for number in range(people)))
        at.discord.faults.arm(READ, Slow(3600), times=None)
        catch_up, gaps = await at.begun(sleep=naps.sleep)
        gaps.ready(0)

        reading = asyncio.gather(*(catch_up.thread(line) for line in lines))
        for number in range(8, people + 1, 8):
            assert await read_at_least(number, at) == number
            at.discord.clock.advance(3600)
        await reading

        assert len(set(at.found)) == people
        # One after the other each waited its share of a second, in which Discord takes fifty calls.
        assert naps.most == 1
        assert naps.seconds > people / 50


def _all_closed(gaps: Gaps) -> None:
    while (gap := gaps.next()) is not None:
        gaps.closed(gap)
