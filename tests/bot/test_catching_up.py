"""What was said before a question, and not told: it is waited for, for a while, and answered first."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.answers import Created
from bot.commands import Command
from bot.errors import PlatformAway
from bot.messages import InteractionId, TurnState
from tests.support.core import PATIENT, Core, core
from tests.support.scripted import NEVER, ScriptedModel, answer, thread_named

ENDLESS = replace(PATIENT, catch_up=3600.0)  # seconds: whoever waits for it in a test waits too long
BRIEF = replace(PATIENT, catch_up=0.05)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'clew.db'}"


@asynccontextmanager
async def behind(
    missed: Callable[[Core], Awaitable[object]], *, concurrency: int = 1000
) -> AsyncIterator[tuple[Core, asyncio.Event]]:
    """A core whose platform hands over what was missed in t1 when it is asked, and is done when the event is set."""
    done = asyncio.Event()
    async with core(limits=ENDLESS, concurrency=concurrency) as clew:

        async def hand_over() -> None:
            if not done.is_set():
                await missed(clew)
                await done.wait()

        clew.adapter.missed[thread_named("t1")] = hand_over
        yield clew, done


async def nothing(clew: Core) -> None:
    """There was nothing to hand over after all."""


async def never() -> None:
    await asyncio.Event().wait()


async def asked_to_catch_up(clew: Core, times: int = 1, *, thread: str = "t1") -> None:
    async def enough() -> bool:
        return clew.adapter.caught_up.count(thread_named(thread)) >= times

    await clew.adapter.until(enough)


async def test_what_somebody_else_said_before_a_question_is_answered_before_it() -> None:
    async with behind(lambda clew: clew.says("missed", by="grace", sent_at=10)) as (clew, done):
        done.set()
        await clew.says("first", sent_at=5)
        await clew.ended(1)
        done.clear()
        await clew.says("live", sent_at=20)
        await asked_to_catch_up(clew, 2)
        done.set()
        await clew.ended(3)

    assert clew.adapter.order == ["first", "missed", "live"]


async def test_what_the_same_person_said_before_is_answered_with_it() -> None:
    async with behind(lambda clew: clew.says("missed", sent_at=10)) as (clew, done):
        await clew.says("live", sent_at=20)
        await asked_to_catch_up(clew)
        done.set()
        await clew.ended(1)

    assert [asked.text for asked in clew.model.asked] == ["missed\nlive"]


async def test_what_is_handed_over_meanwhile_is_not_waited_for_anew() -> None:
    async with behind(lambda clew: clew.says("missed", by="grace", sent_at=10)) as (clew, done):
        await clew.says("live", sent_at=20)
        await asked_to_catch_up(clew)
        await clew.says("more", sent_at=30)
        done.set()
        await clew.ended(2)
        assert len(clew.adapter.caught_up) == 1

        await clew.says("later", sent_at=40)
        await clew.ended(3)
        assert len(clew.adapter.caught_up) == 2


async def test_a_platform_that_never_tells_holds_a_question_up_for_a_while_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with core(limits=BRIEF) as clew:
        clew.adapter.missed[thread_named("t1")] = never
        await clew.says("hello")
        (turn,) = await clew.ended(1)

    assert turn.state is TurnState.ANSWERED
    assert [record.message for record in caplog.records].count("not caught up before answering") == 1
    assert clew.metrics.registry.get_sample_value("clew_failures_total", {"error": "TimeoutError"}) == 1


async def test_a_platform_that_fails_to_tell_does_not_lose_the_question(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise PlatformAway("not connected")

    async with core(limits=ENDLESS) as clew:
        clew.adapter.missed[thread_named("t1")] = fails
        await clew.says("hello")
        await clew.ended(1)

    assert clew.shown() == ["answer 1 to hello"]
    assert [record.message for record in caplog.records].count("not caught up before answering") == 1


async def test_a_thread_that_waits_takes_no_place_that_another_could_have() -> None:
    async with behind(nothing, concurrency=1) as (clew, done):
        await clew.says("waits")
        await asked_to_catch_up(clew)
        await clew.says("elsewhere", thread="t2")
        await clew.ended(1, thread="t2")
        done.set()
        await clew.ended(1)

    assert clew.adapter.order == ["elsewhere", "waits"]


async def test_what_is_missed_while_a_thread_waits_for_its_place_is_answered_first_too() -> None:
    held = asyncio.Event()
    async with behind(lambda clew: clew.says("missed", by="grace", sent_at=10), concurrency=1) as (clew, done):
        clew.model.will(held, *answer("i1", "at last"))
        await clew.says("holds", thread="t2")
        await clew.model.heard(1)
        done.set()
        await clew.says("first", sent_at=5)
        await asked_to_catch_up(clew)
        done.clear()
        await clew.says("live", sent_at=20)
        held.set()
        await asked_to_catch_up(clew, 3)  # at once, with a place in its hands, and then without one
        await clew.says("elsewhere", thread="t3")
        await clew.ended(1, thread="t3")
        done.set()
        await clew.ended(3)

    assert clew.adapter.order == ["holds", "elsewhere", "first", "missed", "live"]


async def test_what_was_waited_for_in_vain_is_not_waited_for_again_when_the_place_is_free() -> None:
    held = asyncio.Event()
    async with core(limits=BRIEF, concurrency=1) as clew:
        clew.model.will(held, *answer("i1", "at last"))
        await clew.says("holds", thread="t2")
        await clew.model.heard(1)
        clew.adapter.missed[thread_named("t1")] = never
        await clew.says("one")
        while not clew.metrics.registry.get_sample_value("clew_failures_total", {"error": "TimeoutError"}):
            await clew.store.check()
        await clew.says("two")
        held.set()
        await clew.ended(1)

    assert clew.adapter.caught_up.count(thread_named("t1")) == 1
    assert clew.model.asked[1].text == "one\ntwo"


async def test_what_was_stored_before_the_start_waits_for_nothing(url: str) -> None:
    model = ScriptedModel()
    model.will(Created(InteractionId("i1")), NEVER)
    async with core(url=url, model=model, drain=0) as clew:
        await clew.says("running")
        await model.heard(1)
        await clew.says("waiting", by="grace")

    async with core(url=url, model=model, limits=ENDLESS) as again:
        again.adapter.missed[thread_named("t1")] = never
        await again.ended(2)

    assert again.adapter.order == ["running", "waiting"]
    assert again.adapter.caught_up == []


async def test_what_was_to_wait_for_a_search_that_died_waits_for_the_next_one(url: str) -> None:
    async with core(url=url, limits=ENDLESS) as clew:
        clew.adapter.missed[thread_named("t1")] = never
        await clew.says("first", thread="t2")
        await clew.ended(1, thread="t2")
        await clew.store.places(thread_named("t1").platform)
        await clew.says("live", sent_at=20)
        await asked_to_catch_up(clew)

    async with core(url=url) as again:
        await again.ended(1)

    assert again.shown() == ["answer 1 to live"]
    assert again.adapter.caught_up == [thread_named("t1")]


async def test_a_running_turn_of_before_is_taken_up_although_more_was_said_since(url: str) -> None:
    model = ScriptedModel()
    for _ in range(2):
        model.will(Created(InteractionId("i1")), NEVER)
    async with core(url=url, model=model, drain=0) as clew:
        await clew.says("one")
        await clew.says("two", thread="t2")
        await model.heard(2)

    held = asyncio.Event()
    model.will(held, *answer("i3", "at last"))  # keeps the only place taken
    async with core(url=url, model=model, limits=ENDLESS, concurrency=1) as again:
        await model.heard(3)
        other = "t2" if "one" in model.asked[-1].text else "t1"
        again.adapter.missed[thread_named(other)] = never
        await again.says("live", thread=other, by="grace")
        held.set()
        (turn,) = await again.ended(1, thread=other)

    assert turn.messages[0].id != "live"


async def test_a_shutdown_while_a_question_waits_leaves_it_to_the_next_start(url: str) -> None:
    model = ScriptedModel()
    async with core(url=url, model=model, limits=ENDLESS, drain=3600) as clew:
        clew.adapter.missed[thread_named("t1")] = never
        await clew.says("hello")
        await asked_to_catch_up(clew)
    assert model.asked == []

    async with core(url=url, model=model) as again:
        await again.ended(1)
    assert again.shown() == ["answer 1 to hello"]


async def test_commands_act_at_once_while_a_question_waits() -> None:
    async with behind(nothing) as (clew, done):
        await clew.says("hello")
        await asked_to_catch_up(clew)
        assert await clew.tells(Command.STOP) == "I am not answering anything here just now."
        await clew.tells(Command.RESET)
        done.set()
        (turn,) = await clew.ended(1)

    assert (turn.state, turn.epoch) == (TurnState.ANSWERED, 1)
