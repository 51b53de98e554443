"""Whom the budget lets through, when, and in which order."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from adapters.slack.budget import MINUTE, PER_MINUTE, Budget, NoRoom, Overtaken
from tests.support.slack import Clock
from tests.support.slack.limits import METHOD_TIERS, TIERS, Limits, RateGate
from tests.support.slack.refusal import Refused
from tests.support.slack.variants import Variants

UPDATE, APPEND, POST = "chat.update", "chat.appendStream", "chat.postMessage"


class LeapingClock:
    """Time that passes only while somebody waits, and then at once."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += max(seconds, 0.001)  # less may be lost in rounding, and time would stand still

    def close(self) -> None:
        pass


@asynccontextmanager
async def budget_on(clock: Clock | LeapingClock) -> AsyncIterator[Budget]:
    try:
        async with asyncio.timeout(40):
            yield Budget(clock=clock.now, sleep=clock.sleep)
    finally:
        clock.close()


async def use(budget: Budget, method: str, times: int, *, hurry: bool = True, channel: str | None = None) -> None:
    for _ in range(times):
        async with budget.place(method, channel, hurry=hurry):
            pass


async def test_a_minute_of_calls_goes_at_once_and_the_next_one_waits_until_the_minute_is_over() -> None:
    clock = Clock(speed=600)
    async with budget_on(clock) as budget:
        began = clock.now()
        await use(budget, UPDATE, 50)
        assert clock.now() - began < MINUTE / 2

        await use(budget, UPDATE, 1)

        assert clock.now() - began >= MINUTE


async def test_a_call_that_is_under_way_counts_until_a_minute_after_its_end() -> None:
    clock = Clock(speed=600)
    async with budget_on(clock) as budget, budget.place("chat.startStream"):
        await use(budget, "chat.startStream", 19)
        clock.advance(MINUTE)
        await use(budget, "chat.startStream", 19)
        with pytest.raises(NoRoom):
            async with budget.place("chat.startStream", until=clock.now() + 10):
                pass


async def test_whoever_is_in_a_hurry_goes_before_those_who_waited_longer() -> None:
    clock = Clock(speed=600)
    order: list[str] = []
    async with budget_on(clock) as budget:

        async def waits(name: str, *, hurry: bool) -> None:
            async with budget.place(UPDATE, hurry=hurry):
                order.append(name)

        await use(budget, UPDATE, 50)
        async with asyncio.TaskGroup() as group:
            for name in ("frame 1", "frame 2"):
                group.create_task(waits(name, hurry=False))
            await asyncio.sleep(0)
            for name in ("end 1", "end 2"):
                group.create_task(waits(name, hurry=True))

    assert order == ["end 1", "end 2", "frame 1", "frame 2"]


async def test_whoever_is_cancelled_while_waiting_holds_nobody_up() -> None:
    clock = Clock(speed=600)
    async with budget_on(clock) as budget:
        await use(budget, UPDATE, 50)
        first = asyncio.ensure_future(use(budget, UPDATE, 1))
        second = asyncio.ensure_future(use(budget, UPDATE, 1))
        await asyncio.sleep(0)
        first.cancel()

        await second

        assert first.cancelled()


async def test_a_frame_is_given_up_when_it_is_overtaken() -> None:
    clock = Clock(speed=1)
    async with budget_on(clock) as budget:
        await use(budget, UPDATE, 50)
        ended = asyncio.Event()
        asyncio.get_running_loop().call_soon(ended.set)

        with pytest.raises(Overtaken):
            async with budget.place(UPDATE, hurry=False, unless=ended):
                pass


async def test_frames_are_spread_over_the_minute_so_that_none_of_it_is_dead() -> None:
    clock = LeapingClock()
    async with budget_on(clock) as budget:
        began, at = clock.now(), []
        for _ in range(100):
            async with budget.place(APPEND, hurry=False):
                at.append(clock.now() - began)

    gaps = [later - earlier for earlier, later in pairwise(at)]
    assert at[-1] > MINUTE / 2
    assert max(gaps) < 10


async def test_what_was_promised_is_kept_from_frames_and_there_for_the_end() -> None:
    clock = Clock(speed=1)
    async with budget_on(clock) as budget:
        promises = [budget.promise(UPDATE) for _ in range(45)]
        assert None not in promises
        assert budget.promise(UPDATE) is None, "a tenth is left to those who did not know before"
        await use(budget, UPDATE, 5)
        with pytest.raises(NoRoom):
            async with budget.place(UPDATE, hurry=False, until=clock.now() + 5):
                pass

        for promise in promises:
            assert promise is not None
            promise.use(UPDATE)
            await use(budget, UPDATE, 1)

        assert budget.promise(UPDATE) is None


async def test_a_promise_that_is_released_is_room_for_others() -> None:
    clock = Clock(speed=1)
    async with budget_on(clock) as budget:
        promises = [budget.promise("chat.startStream", "chat.stopStream", UPDATE) for _ in range(30)]
        kept = [promise for promise in promises if promise is not None]
        assert len(kept) == 18

        kept[0].release()

        assert budget.promise("chat.startStream", "chat.stopStream", UPDATE) is not None


async def test_posts_to_one_channel_are_a_second_apart_after_a_few_at_once() -> None:
    clock = LeapingClock()
    async with budget_on(clock) as budget:
        began = clock.now()
        await use(budget, POST, 6, channel="C1")
        took = clock.now() - began
        await use(budget, POST, 2, channel="C2")

    assert 3.9 < took < 8


async def test_a_refusal_keeps_everybody_away_from_the_method_as_long_as_slack_says() -> None:
    clock = Clock(speed=100)
    async with budget_on(clock) as budget:
        began = clock.now()
        budget.refused(POST, channel="C1", retry_after=7)
        await use(budget, "users.info", 1)
        assert clock.now() - began < 7

        await use(budget, POST, 1, channel="C2")

        assert clock.now() - began >= 7


async def test_when_a_minute_is_used_up_sooner_than_we_know_of_less_is_asked_for_a_while() -> None:
    clock = Clock(speed=1)
    async with budget_on(clock) as budget:
        await use(budget, UPDATE, 30)
        budget.refused(UPDATE, channel=None, retry_after=30)
        clock.advance(31)
        with pytest.raises(NoRoom):
            async with budget.place(UPDATE, until=clock.now() + 5):
                pass

        clock.advance(2 * MINUTE)

        await use(budget, UPDATE, 50)


async def test_a_short_wait_that_slack_asks_for_after_a_burst_is_no_reason_to_ask_for_less() -> None:
    clock = Clock(speed=1)
    async with budget_on(clock) as budget:
        budget.refused(UPDATE, channel=None, retry_after=1)
        clock.advance(1)

        await use(budget, UPDATE, 50)


async def test_lookups_are_not_held_back_before_slack_says_so() -> None:
    clock = Clock(speed=1)
    async with budget_on(clock) as budget:
        await use(budget, "users.info", 500)


async def test_a_refused_method_gets_no_promises_until_slack_lets_us_again() -> None:
    clock = Clock(speed=1)
    async with budget_on(clock) as budget:
        budget.refused("chat.startStream", channel="C1", retry_after=30)
        assert budget.promise("chat.startStream") is None

        clock.advance(30)

        assert budget.promise("chat.startStream") is not None


async def test_what_a_channel_does_not_offer_is_tried_again_after_an_hour() -> None:
    clock = Clock(speed=1)
    async with budget_on(clock) as budget:
        budget.shut("chat.startStream", "C1")
        assert budget.is_shut("chat.startStream", "C1")
        assert not budget.is_shut("chat.startStream", "C2")

        clock.advance(3601)

        assert not budget.is_shut("chat.startStream", "C1")


async def test_many_channels_do_not_pile_up() -> None:
    clock = Clock(speed=1)
    async with budget_on(clock) as budget:
        for number in range(5000):
            clock.advance(3)
            await use(budget, POST, 1, channel=f"C{number}")

        assert len(budget._lanes) < 2100


def test_the_limits_are_those_of_slacks_tiers() -> None:
    told = {method: TIERS[tier] for method, tier in METHOD_TIERS.items()}

    assert {method: most for method, most in PER_MINUTE.items() if method in told} == {
        method: told[method] for method in PER_MINUTE if method in told
    }
    assert {"chat.startStream", "chat.stopStream", "chat.appendStream", "chat.update"} < PER_MINUTE.keys()


@pytest.mark.parametrize("seed", range(3))
async def test_slack_never_has_to_refuse_whatever_the_way_there_takes(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - seeded, so that a failing run can be run again
    clock = Clock(speed=300)
    # A millisecond that this machine is late is a third of a second here: the posts' short window gets room for that.
    gate = RateGate(Limits(post_burst=12), Variants(), clock)
    refused: deque[str] = deque()
    methods = ["chat.startStream", UPDATE, APPEND, POST]

    async with budget_on(clock) as budget:

        async def calls() -> None:
            for _ in range(12):
                method, channel = dice.choice(methods), f"C{dice.randrange(3)}"
                async with budget.place(method, channel, hurry=dice.random() < 0.5):
                    await clock.sleep(dice.random() * 0.4)
                    try:
                        gate.check(method, channel)
                    except Refused:
                        refused.append(method)
                    await clock.sleep(dice.random() * 0.4)

        async with asyncio.TaskGroup() as group:
            for _ in range(25):
                group.create_task(calls())

    assert not refused
