"""Turns that only wait: they keep nobody from being answered, come back to a place, and hold no shutdown up."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bot.answers import Created, InteractionState, TextPiece
from bot.commands import Command
from bot.messages import InteractionId, MessageId, Thread, TurnState
from bot.metrics import Metrics
from bot.places import Places
from tests.support.calling import ORDER, ORDERING, Desk, asked_by, call, calls, is_asked, is_settled
from tests.support.core import PATIENT, Core, core
from tests.support.scripted import ScriptedModel, answer, completed, interaction, thread_named

FOR_EVER = 3600.0  # seconds that running turns are given at the end


def counted(clew: Core) -> tuple[float, float, float]:
    """How many turns are being answered, are parked, and wait for a place."""
    names = ("clew_turns_running", "clew_turns_parked", "clew_lanes_waiting")
    running, parked, waiting = (clew.metrics.registry.get_sample_value(name) or 0.0 for name in names)
    return running, parked, waiting


async def asks(clew: Core, thread: str = "t1") -> None:
    """Somebody asks for something in a thread that needs approval."""
    clew.model.will(Created(InteractionId("i1")), calls("i1", ORDER))
    await clew.says(f"order it in {thread}", thread=thread)
    await clew.adapter.until(lambda: is_asked(clew.adapter))


async def approves(clew: Core) -> str:
    name = asked_by(clew.adapter)
    return await clew.commands.run(Command.APPROVE, thread_named(), MessageId("yes"), asked=name)


async def test_a_turn_that_waits_for_approval_leaves_its_place_to_others_and_comes_back_behind_them() -> None:
    async with core(functions=ORDERING, concurrency=1) as clew, asyncio.timeout(60):
        await asks(clew)
        held = asyncio.Event()
        clew.model.will(held, *answer("i2", "seen to"))
        await clew.says("and here?", thread="t2")
        await clew.model.heard(2)
        while_asked = counted(clew), clew.adapter.replies[0].draft.waits
        said = await approves(clew)
        await clew.adapter.until(lambda: is_settled(clew.adapter))
        asked_before_its_place = len(clew.model.asked)
        waits = counted(clew)
        held.set()
        await clew.ended(1, thread="t2")
        await clew.ended(1)

    assert while_asked == ((1, 1, 0), True)
    assert said == "Approved."
    assert (waits, asked_before_its_place) == ((1, 0, 1), 2)
    assert counted(clew) == (0, 0, 0)
    assert clew.adapter.replies[0].draft.waits is False


async def test_a_turn_that_waits_to_come_back_is_stopped_at_once() -> None:
    async with core(functions=ORDERING, concurrency=1) as clew, asyncio.timeout(60):
        await asks(clew)
        held = asyncio.Event()
        clew.model.will(held, *answer("i2", "seen to"))
        await clew.says("and here?", thread="t2")
        await clew.model.heard(2)
        await approves(clew)
        await clew.adapter.until(lambda: is_settled(clew.adapter))
        await clew.tells(Command.STOP)
        (turn,) = await clew.ended(1)
        held.set()
        await clew.ended(1, thread="t2")
        await clew.says("and now?")
        await clew.ended(2)

    assert turn.state is TurnState.STOPPED
    assert counted(clew) == (0, 0, 0)


@pytest.mark.parametrize("is_late", [False, True], ids=["while it waits", "before it waits"])
async def test_the_end_of_the_process_waits_for_no_approval_which_the_next_one_asks_for(
    is_late: bool, tmp_path: Path
) -> None:
    url, model, began = f"sqlite:///{tmp_path}/clew.db", ScriptedModel(), time.monotonic()
    held = asyncio.Event()
    async with core(functions=ORDERING, url=url, model=model, drain=FOR_EVER) as clew:
        if is_late:
            model.will(held, Created(InteractionId("i1")), calls("i1", ORDER))
            await clew.says("order it")
            await model.heard(1)
            asyncio.get_running_loop().call_soon(held.set)  # when it is being ended
        else:
            await asks(clew)
    ended = time.monotonic() - began
    model.will_find("i1", interaction("i1", calls("i1", ORDER), state=InteractionState.CALLING))
    model.will(Created(InteractionId("i2")), TextPiece("So."), completed("i2"))
    async with core(functions=ORDERING, url=url, model=model) as clew:
        await clew.adapter.until(lambda: is_asked(clew.adapter))
        await approves(clew)
        (turn,) = await clew.ended(1)

    assert ended < FOR_EVER / 10
    assert turn.state is TurnState.ANSWERED
    assert clew.adapter.settled == ["Approved."]


async def test_what_runs_in_the_background_keeps_no_place_and_holds_no_end_up(tmp_path: Path) -> None:
    url, model, desk = f"sqlite:///{tmp_path}/clew.db", ScriptedModel(), Desk()
    limits = replace(PATIENT, poll=0.01, warning=0.0)
    model.will_find("run1", interaction("run1", state=InteractionState.RUNNING))
    async with (
        core(url=url, model=model, functions=desk.functions, concurrency=1, drain=FOR_EVER, limits=limits) as clew,
        asyncio.timeout(60),
    ):
        await clew.says("/research kites")
        await model.until(lambda: InteractionId("run1") in model.looked_up)
        await clew.says("and here?", thread="t2")
        await clew.ended(1, thread="t2")
        now = counted(clew)
    model.will_find("run1", interaction("run1", TextPiece("A report."), completed("run1")))
    async with core(url=url, model=model) as clew:
        (turn,) = await clew.ended(1)

    assert now == (0, 1, 0)
    assert turn.state is TurnState.ANSWERED
    assert model.cancelled == []


async def test_calls_after_an_approval_are_run_in_a_place() -> None:
    desk = Desk()
    desk.held = asyncio.Event()
    async with core(functions=desk.needing_approval, concurrency=1) as clew, asyncio.timeout(60):
        clew.model.will(Created(InteractionId("i1")), calls("i1", call("a")))
        await clew.says("look")
        await clew.adapter.until(lambda: is_asked(clew.adapter))
        await approves(clew)
        await desk.begun.acquire()
        await clew.says("and here?", thread="t2")
        await asyncio.sleep(0)
        now, asked = counted(clew)[0], len(clew.model.asked)
        desk.held.set()
        await clew.ended(1, thread="t2")

    assert (now, asked) == (1, 1)


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
async def test_a_turn_that_fails_while_it_waits_goes_on_in_a_place_and_one_that_is_stopped_gives_none_back_twice(
    error: type[BaseException],
) -> None:
    async with core() as clew, asyncio.timeout(60):
        await clew.says("one")
        (turn,) = await clew.ended(1)
    places = Places(1, metrics=Metrics())
    async with places.place(turn.thread):
        with pytest.raises(error):
            async with places.parked(turn):
                raise error
        other = asyncio.create_task(_stays(places, thread_named("t2")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        is_free = other.get_name() == "in its place"
    third = asyncio.create_task(_stays(places, thread_named("t3")))
    for _ in range(5):
        await asyncio.sleep(0)
    inside = [task.get_name() == "in its place" for task in (other, third)]
    for task in (other, third):
        task.cancel()

    assert is_free is (error is asyncio.CancelledError)
    assert inside == [True, False]


async def _stays(places: Places, thread: Thread) -> None:
    async with places.place(thread):
        task = asyncio.current_task()
        assert task is not None
        task.set_name("in its place")
        await asyncio.Event().wait()


async def test_nobody_approves_of_more_calls_than_are_shown() -> None:
    wanted = [replace(ORDER, id=f"c{number}") for number in range(9)]
    async with core(functions=ORDERING) as clew:
        clew.model.will(Created(InteractionId("i1")), calls("i1", *wanted))
        await clew.says("order them")
        await clew.adapter.until(lambda: is_asked(clew.adapter))
        (words,) = clew.adapter.asking.values()
        await approves(clew)
        await clew.ended(1)
    results = clew.model.asked[-1].results

    assert words.count("- `order`") == 8
    assert [one.is_error for one in results] == [False] * 8 + [True]
