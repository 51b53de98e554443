"""Starting again, draining, and a store that fails on the way."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from bot.answers import Created, TextPiece
from bot.commands import Command
from bot.errors import AnswerBroken, StoreUnavailable
from bot.messages import Attachment, AttachmentId, InteractionId, MessageId, TurnState
from tests.support.core import Core, core
from tests.support.scripted import NEVER, ScriptedModel, answer, interaction


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'clew.db'}"


@asynccontextmanager
async def interrupted(url: str, model: ScriptedModel) -> AsyncIterator[Core]:
    """A core that is left without letting its running turns finish."""
    async with core(url=url, model=model, drain=0) as clew:
        yield clew


async def test_a_turn_left_open_is_finished_from_its_interaction_and_not_bought_again(url: str) -> None:
    model = ScriptedModel()
    model.will(Created(InteractionId("i1")), TextPiece("half"), NEVER)
    async with interrupted(url, model) as clew:
        await clew.says("hello")
        await clew.adapter.until(lambda: _any_frame(clew))
    model.will_find("i1", interaction("i1", *answer("i1", "half, and whole")))

    async with core(url=url, model=model) as again:
        (turn,) = await again.ended(1)

    assert turn.state is TurnState.ANSWERED
    assert again.shown() == ["half, and whole"]
    assert len(model.asked) == 1


async def _any_frame(clew: Core) -> bool:
    return any(reply.frames for reply in clew.adapter.replies)


async def test_a_turn_left_open_whose_interaction_is_gone_is_asked_again(url: str) -> None:
    model = ScriptedModel()
    model.will(Created(InteractionId("i1")), TextPiece("half"), NEVER)
    async with interrupted(url, model) as clew:
        await clew.says("hello")
        await clew.adapter.until(lambda: _any_frame(clew))

    async with core(url=url, model=model) as again:
        (turn,) = await again.ended(1)

    assert turn.state is TurnState.ANSWERED
    assert again.shown() == ["answer 2 to hello"]


async def test_a_turn_left_open_before_its_interaction_had_a_name_is_asked_again(url: str) -> None:
    model = ScriptedModel()
    model.will(NEVER)
    async with interrupted(url, model) as clew:
        await clew.says("hello")
        await model.heard(1)

    async with core(url=url, model=model) as again:
        await again.ended(1)

    assert again.shown() == ["answer 2 to hello"]


async def test_questions_that_waited_are_answered_after_the_one_that_was_running(url: str) -> None:
    model = ScriptedModel()
    model.will(Created(InteractionId("i1")), NEVER)
    async with interrupted(url, model) as clew:
        await clew.says("one")
        await model.heard(1)
        await clew.says("two", by="grace")
        await clew.says("elsewhere", thread="t2")
        await clew.ended(1, thread="t2")

    async with core(url=url, model=model) as again:
        await again.ended(2)

    assert again.adapter.order == ["one", "two"]


async def test_a_stop_that_was_stored_holds_over_a_restart(url: str) -> None:
    model = ScriptedModel()
    model.will(Created(InteractionId("i1")), NEVER)
    async with interrupted(url, model) as clew:
        said = await clew.says("hello")
        await model.heard(1)
        await clew.store.stop(said.thread, MessageId("stop"))  # stored, and the process ends before it takes effect

    async with core(url=url, model=model) as again:
        (turn,) = await again.ended(1)

    assert turn.state is TurnState.STOPPED
    assert len(model.asked) == 1


async def test_a_turn_that_never_comes_to_an_end_is_given_up_after_some_starts(url: str) -> None:
    model = ScriptedModel()
    for start in range(5):
        model.will(NEVER)
        async with interrupted(url, model) as clew:
            if start == 0:
                await clew.says("hello")
            await model.heard(start + 1)

    async with core(url=url, model=model) as last:
        (turn,) = await last.ended(1)

    assert turn.notice is not None
    assert "several times" in turn.notice
    assert len(model.asked) == 5


async def test_running_turns_are_finished_before_the_bot_ends_and_waiting_ones_left(url: str) -> None:
    model = ScriptedModel()
    go_on = asyncio.Event()
    model.will(Created(InteractionId("i1")), go_on, *answer("i1", "in time")[1:])
    async with core(url=url, model=model, drain=5) as clew:
        await clew.says("one")
        await model.heard(1)
        await clew.says("two", by="grace")
        asyncio.get_running_loop().call_soon(go_on.set)
    assert clew.shown() == ["in time"]
    assert len(model.asked) == 1

    async with core(url=url, model=model) as again:
        await again.ended(2)
    assert model.asked[1].after == "i1"


async def test_a_turn_goes_on_when_the_store_is_back() -> None:
    async with core() as clew:
        clew.adapter.failures = [StoreUnavailable("disk full")] * 8
        clew.model.will_find("i1", interaction("i1", *answer("i1", "at last")))
        clew.model.will(*answer("i1", "at last"))
        await clew.says("hello")
        (turn,) = await clew.ended(1)

    assert turn.state is TurnState.ANSWERED
    assert clew.shown() == ["at last"]
    assert len(clew.model.asked) == 1


async def test_a_thread_that_cannot_be_told_does_not_hold_up_its_next_question() -> None:
    async with core() as clew:
        clew.adapter.failures = [RuntimeError("the channel is gone") for _ in range(5)]  # one for each attempt
        for _ in range(5):
            clew.model.will(AnswerBroken("no interaction"))
        await clew.says("lost")
        await clew.says("found", by="grace")
        turns = await clew.ended(2)

    assert [turn.state for turn in turns] == [TurnState.FAILED, TurnState.ANSWERED]


async def test_fifty_threads_at_once_each_keep_their_own_order_and_chain() -> None:
    async with core() as clew:

        async def person(name: str) -> None:
            for number in range(1, 6):
                await clew.says(f"{name} question {number}", thread=name, by=name)
                await clew.ended(number, thread=name)

        async with asyncio.TaskGroup() as people:
            for number in range(50):
                people.create_task(person(f"t{number}"))

    assert len(clew.model.asked) == 250
    after_of = {asked.text: asked.after for asked in clew.model.asked}
    number_of = {asked.text: f"i{number}" for number, asked in enumerate(clew.model.asked, start=1)}
    for name in (f"t{number}" for number in range(50)):
        assert after_of[f"{name} question 1"] is None
        for number in range(2, 6):
            assert after_of[f"{name} question {number}"] == number_of[f"{name} question {number - 1}"]


async def test_a_stop_during_the_claim_is_not_lost() -> None:
    async with core() as clew:
        clew.model.will(Created(InteractionId("i1")), NEVER)
        said = await clew.says("hello")
        # The lane has been woken and is about to claim: stop as soon as the turn is running, whoever knows it.
        while not await clew.store.running():
            pass
        assert (await clew.tells(Command.STOP)) == "Stopped."
        (turn,) = await clew.ended(1)

    assert turn.state is TurnState.STOPPED
    assert said.id == turn.messages[0].id


async def test_a_turn_told_to_stop_while_it_waits_for_its_place_after_a_restart_is_not_asked(url: str) -> None:
    model = ScriptedModel()
    for _ in range(2):
        model.will(Created(InteractionId("i1")), NEVER)
    async with interrupted(url, model) as clew:
        await clew.says("one")
        await clew.says("two", thread="t2")
        await model.heard(2)

    model.will(NEVER)  # keeps the only place taken
    async with core(url=url, model=model, concurrency=1) as again:
        await model.heard(3)
        waiting = "t2" if "one" in model.asked[-1].text else "t1"
        assert await again.tells(Command.STOP, thread=waiting) == "Stopped."
        await again.tells(Command.STOP, thread="t1" if waiting == "t2" else "t2")
        (turn,) = await again.ended(1, thread=waiting)

    assert turn.state is TurnState.STOPPED
    assert len(model.asked) == 3


async def test_a_thread_whose_rows_are_damaged_keeps_no_other_from_being_answered(url: str, tmp_path: Path) -> None:
    model = ScriptedModel()
    async with interrupted(url, model) as clew:
        model.will(NEVER)
        await clew.says("hold the place")
        await model.heard(1)
        await clew.says("damaged", by="grace")
    with closing(sqlite3.connect(tmp_path / "clew.db")) as database:
        database.execute("UPDATE message SET attachment_ids = '[' WHERE id = 'damaged'")
        database.commit()

    async with core(url=url, model=model) as again:
        await again.says("elsewhere", thread="t2")
        (turn,) = await again.ended(1, thread="t2")

    assert turn.state is TurnState.ANSWERED


async def test_a_turn_that_was_reset_and_cannot_be_shown_does_not_hold_its_thread_up() -> None:
    async with core() as clew:
        clew.model.will(Created(InteractionId("i1")), NEVER)
        await clew.says("before")
        await clew.model.heard(1)
        clew.adapter.failures = [RuntimeError("the channel is gone") for _ in range(50)]
        await clew.tells(Command.RESET)
        await clew.says("after")
        await clew.adapter.until(lambda: _asked(clew, 2))
        clew.adapter.failures.clear()
        (turn,) = await clew.ended(1)

    assert turn.messages[0].text == "after"


async def _asked(clew: Core, number: int) -> bool:
    return len(clew.model.asked) >= number


@pytest.mark.parametrize(
    ("size", "remark"),
    [
        pytest.param(2_000_000_000, "_Left out `cat.png`: I take files up to", id="never read"),
        pytest.param(100, "_I was interrupted, and cannot tell any more whether I had read `cat.png`._", id="gone now"),
    ],
)
async def test_what_the_answer_may_know_nothing_of_is_named_after_a_restart_too(
    size: int, remark: str, url: str
) -> None:
    model = ScriptedModel()
    model.will(Created(InteractionId("i1")), TextPiece("half"), NEVER)
    async with interrupted(url, model) as clew:
        await clew.says("look", attachments=(Attachment(AttachmentId("gone"), "cat.png", "image/png", size),))
        await clew.adapter.until(lambda: _any_frame(clew))
    model.will_find("i1", interaction("i1", *answer("i1", "whole")))

    async with core(url=url, model=model) as again:
        await again.ended(1)

    assert again.shown()[0].startswith(f"whole\n\n{remark}")
