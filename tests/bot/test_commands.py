"""Stop, reset, retry and help."""

import asyncio

import pytest

from bot.answers import Created, TextPiece
from bot.commands import DECISIONS, Command, read_command
from bot.errors import KeyRejected
from bot.messages import InteractionId, MessageId, TurnState
from tests.support.core import Core, core
from tests.support.scripted import NEVER, answer, completed


@pytest.mark.parametrize(
    ("text", "command"),
    [
        pytest.param("/reset", Command.RESET, id="a command"),
        pytest.param("  /Stop \n", Command.STOP, id="spaces and capitals"),
        pytest.param("/etc/passwd", None, id="a path"),
        pytest.param("/reset the counter", None, id="a sentence that begins like one"),
        pytest.param("reset", None, id="a word"),
        pytest.param("/", None, id="a slash"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_command_is_a_slash_and_its_name_and_nothing_else(text: str, command: Command | None) -> None:
    assert read_command(text) is command


async def test_stop_ends_the_answer_at_once_and_keeps_what_was_said() -> None:
    async with core() as clew:
        clew.model.will(Created(InteractionId("i1")), TextPiece("as far as this"), NEVER)
        await clew.says("tell me everything")
        await clew.adapter.until(lambda: _said(clew, "as far as this"))
        words = await clew.tells(Command.STOP)
        (turn,) = await clew.ended(1)

    assert words == "Stopped."
    assert turn.state is TurnState.STOPPED
    assert clew.shown() == ["as far as this"]


async def _said(clew: Core, text: str) -> bool:
    return bool(clew.adapter.replies) and text in clew.adapter.replies[-1].frames


async def test_a_stopped_turn_is_told_to_the_next_one_and_leaves_no_ghost() -> None:
    async with core() as clew:
        await clew.says("before")
        await clew.ended(1)
        clew.model.will(Created(InteractionId("ghost")), TextPiece("as far as this"), NEVER)
        await clew.says("tell me everything")
        await clew.adapter.until(lambda: _said(clew, "as far as this"))
        await clew.tells(Command.STOP)
        await clew.ended(2)
        await clew.says("thanks")
        await clew.ended(3)
        await clew.says("and now?")
        await clew.ended(4)

    third, fourth = clew.model.asked[2:]
    assert third.after == "i1"
    assert "tell me everything" in third.text
    assert "as far as this" in third.text
    assert third.text.endswith("thanks")
    assert fourth.text == "and now?"


async def test_stop_with_nothing_to_stop_says_so() -> None:
    async with core() as clew:
        assert "not answering anything" in await clew.tells(Command.STOP)


async def test_a_stop_that_arrives_twice_does_not_stop_the_next_answer() -> None:
    async with core() as clew:
        clew.model.will(Created(InteractionId("i1")), NEVER)
        await clew.says("one")
        await clew.model.heard(1)
        await clew.tells(Command.STOP, id_="stop")
        await clew.ended(1)
        go_on = asyncio.Event()
        clew.model.will(Created(InteractionId("i2")), go_on, TextPiece("two"), completed("i2"))
        await clew.says("two")
        await clew.model.heard(2)
        words = await clew.tells(Command.STOP, id_="stop")
        go_on.set()
        turns = await clew.ended(2)

    assert words == "Stopped."  # it did, and a crash may have kept it from saying so
    assert [turn.state for turn in turns] == [TurnState.STOPPED, TurnState.ANSWERED]


async def test_stop_leaves_the_waiting_questions_to_be_answered() -> None:
    async with core() as clew:
        clew.model.will(Created(InteractionId("i1")), NEVER)
        await clew.says("one")
        await clew.model.heard(1)
        await clew.says("two")
        await clew.tells(Command.STOP)
        turns = await clew.ended(2)

    assert [turn.state for turn in turns] == [TurnState.STOPPED, TurnState.ANSWERED]


async def test_after_a_reset_nothing_is_known_any_more() -> None:
    async with core() as clew:
        await clew.says("my name is Ada")
        await clew.ended(1)
        words = await clew.tells(Command.RESET)
        await clew.says("what is my name?")
        turns = await clew.ended(1)

    assert "starts afresh" in words
    assert "Nothing was deleted at Gemini" in words
    assert clew.model.asked[1].after is None
    assert [turn.messages[0].text for turn in turns] == ["what is my name?"]


async def test_reset_stops_the_running_turn_and_leaves_the_waiting_ones_to_the_fresh_chain() -> None:
    async with core() as clew:
        await clew.says("before")
        await clew.ended(1)
        clew.model.will(Created(InteractionId("i2")), TextPiece("half"), NEVER)
        await clew.says("running")
        await clew.model.heard(2)
        await clew.says("waiting")
        await clew.tells(Command.RESET)
        (turn,) = await clew.ended(1)

    assert turn.messages[0].text == "waiting"
    assert clew.model.asked[2].after is None
    assert clew.model.asked[2].text == "waiting"  # nothing of the stopped question is told


async def test_an_answer_that_completes_after_the_reset_moves_nothing() -> None:
    async with core() as clew:
        go_on = asyncio.Event()
        clew.model.will(Created(InteractionId("old")), go_on, TextPiece("too late"), completed("old"))
        await clew.says("slow")
        await clew.model.heard(1)
        # Stored as another process would have done it: the running turn is not told.
        await clew.store.reset(clew.adapter.replies[0].turn.thread, MessageId("elsewhere"))
        go_on.set()
        await clew.says("next")
        (turn,) = await clew.ended(1)

    assert turn.messages[0].text == "next"
    assert clew.model.asked[1].after is None


async def test_retry_asks_from_where_the_last_turn_began_and_replaces_its_answer() -> None:
    async with core() as clew:
        await clew.says("before")
        await clew.ended(1)
        await clew.says("hello")
        await clew.ended(2)
        words = await clew.tells(Command.RETRY)
        await clew.model.heard(3)
        await clew.adapter.until(lambda: _shows(clew, "answer 3 to hello"))
        await clew.says("next")
        turns = await clew.ended(3)

    assert words == "I answer the last question again."
    assert [asked.after for asked in clew.model.asked] == [None, "i1", "i1", "i3"]
    assert clew.shown() == ["answer 1 to before", "answer 3 to hello", "answer 4 to next"]
    assert [turn.state for turn in turns] == [TurnState.ANSWERED] * 3


async def _shows(clew: Core, text: str) -> bool:
    return text in clew.shown()


async def test_a_retry_that_arrives_twice_is_carried_out_once() -> None:
    async with core() as clew:
        await clew.says("hello")
        await clew.ended(1)
        await clew.tells(Command.RETRY, id_="retry")
        await clew.adapter.until(lambda: _shows(clew, "answer 2 to hello"))
        await clew.ended(1)
        await clew.tells(Command.RETRY, id_="retry")
        await clew.says("next")
        await clew.ended(2)

    assert len(clew.model.asked) == 3


async def test_a_failed_turn_can_be_retried_and_its_notice_goes_away() -> None:
    async with core() as clew:
        clew.model.will(KeyRejected("401"))
        clew.model.will(*answer("i1", "there you are"))
        await clew.says("hello")
        await clew.ended(1)
        await clew.tells(Command.RETRY)
        await clew.adapter.until(lambda: _shows(clew, "there you are"))

    assert clew.shown() == ["there you are"]


async def test_a_retry_that_fails_takes_the_thread_back_to_where_the_turn_began() -> None:
    async with core() as clew:
        await clew.says("before")
        await clew.ended(1)
        await clew.says("hello")
        await clew.ended(2)
        clew.model.will(KeyRejected("401"))
        await clew.tells(Command.RETRY)
        await clew.model.heard(3)
        await clew.says("next")
        turns = await clew.ended(3)

    assert turns[1].state is TurnState.FAILED
    assert clew.model.asked[3].after == "i1"  # nobody sees the second answer any more


async def test_retry_without_an_answer_or_while_one_is_being_given_says_so() -> None:
    async with core() as clew:
        assert "there is none here" in await clew.tells(Command.RETRY)
        clew.model.will(Created(InteractionId("i1")), NEVER)
        await clew.says("hello")
        await clew.model.heard(1)
        assert "still answering" in await clew.tells(Command.RETRY)
        await clew.tells(Command.STOP)


async def test_retry_under_an_answer_that_has_just_been_shown_waits_for_its_turn_to_end() -> None:
    async with core() as clew:
        clew.adapter.lingers = asyncio.Event()
        await clew.says("hello")

        async def is_shown() -> bool:
            return bool(clew.shown())

        await clew.adapter.until(is_shown)
        (turn,) = await clew.store.running()
        retry = asyncio.create_task(clew.tells(Command.RETRY, turn=turn.id))
        await asyncio.sleep(0)
        await clew.store.running()  # comes after whatever the press has asked of the store
        clew.adapter.lingers.set()

        assert "answer the last question again" in await retry
        await clew.model.heard(2)


async def test_help_names_every_command() -> None:
    async with core() as clew:
        words = await clew.tells(Command.HELP)

    assert all(f"`/{command}`" in words for command in set(Command) - {Command.QUIET} - DECISIONS)
