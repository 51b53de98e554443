"""Private threads: Gemini keeps nothing, and every promise holds all the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.answers import Created, Media, TextPiece, UserStep
from bot.commands import Command
from bot.errors import AnswerBlocked, AnswerBroken, KeyRejected, ModelUnavailable, QuestionRejected
from bot.exchanges import MOST_BYTES, MOST_CHARACTERS
from bot.messages import (
    Address,
    Attachment,
    AttachmentId,
    InteractionId,
    MessageId,
    Person,
    PersonId,
    Platform,
    Said,
    Thread,
    Turn,
    TurnId,
    TurnState,
)
from bot.notices import GROWN_LONG, TOLD_AGAIN
from bot.policy import Policy
from tests.support.core import Core, core
from tests.support.scripted import Cue, ScriptedModel, answer, completed, interaction

PRIVATE, ORDINARY = Policy(private=True), Policy()
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c626001000000050001a5f645400000000049454e44ae426082"
)
CAT = Attachment(AttachmentId("f1"), "cat.png", "image/png", len(PNG))


@asynccontextmanager
async def private_core(**settings: Any) -> AsyncIterator[Core]:
    async with core(**{"policy": PRIVATE, **settings}) as clew:
        yield clew


async def asks(clew: Core, *questions: str) -> None:
    """Ask one after the other, each when the one before has been answered."""
    for question in questions:
        done = len(await clew.ended(0))
        await clew.says(question)
        await clew.ended(done + 1)


def told_before(clew: Core) -> list[list[str]]:
    """What went before each question, said by whomever."""
    return [asked.before for asked in clew.model.asked]


# --- settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "channel", "is_private"),
    [
        pytest.param(Policy(), "C1", False, id="as a rule Gemini keeps conversations"),
        pytest.param(Policy(private=True), "C1", True, id="all of them may be private"),
        pytest.param(Policy(private_channels=frozenset({"C1"})), "C1", True, id="or those of a channel"),
        pytest.param(Policy(private_channels=frozenset({"C1"})), "C2", False, id="but not those of another"),
    ],
)
def test_the_operator_says_what_is_private(policy: Policy, channel: str, *, is_private: bool) -> None:
    assert policy.is_private(Thread(Platform("slack"), "T1", channel, "1.2")) is is_private


# --- memory -----------------------------------------------------------------------------------


async def test_every_question_brings_along_what_was_said_before_and_nothing_is_kept_at_gemini() -> None:
    async with private_core() as clew:
        await asks(clew, "one", "two", "three")
        turns = await clew.ended(3)

    assert told_before(clew) == [
        [],
        ["one", "answer 1 to one"],
        ["one", "answer 1 to one", "two", "answer 2 to two"],
    ]
    assert not any(asked.manner.is_stored for asked in clew.model.asked)
    assert not any(isinstance(asked.after, str) for asked in clew.model.asked)
    assert clew.shown() == ["answer 1 to one", "answer 2 to two", "answer 3 to three"]
    assert [turn.state for turn in turns] == [TurnState.ANSWERED] * 3


async def test_the_steps_of_an_answer_are_sent_back_as_they_came() -> None:
    async with private_core() as clew:
        await asks(clew, "one", "two", "three")

    after = clew.model.asked[2].after
    assert isinstance(after, tuple)
    signatures = [step.json for step in after if not isinstance(step, UserStep) and "signature" in step.json]
    assert [f"signed-i{number}" in signature for number, signature in enumerate(signatures, 1)] == [True, True]


async def test_an_ordinary_thread_beside_a_private_one_goes_on_from_its_interaction() -> None:
    async with core(policy=Policy(private_channels=frozenset({"another"}))) as clew:
        await asks(clew, "one", "two")

    assert [asked.after for asked in clew.model.asked] == [None, "i1"]
    assert all(asked.manner.is_stored for asked in clew.model.asked)


async def test_what_was_said_before_a_reset_is_not_told_any_more(tmp_path: Path) -> None:
    async with private_core(url=f"sqlite:///{tmp_path / 'clew.db'}", keeps_text=False) as clew:
        await asks(clew, "a secret of before")
        await clew.tells(Command.RESET)
        kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        await clew.says("two")
        await clew.ended(1)

    assert told_before(clew)[1] == []
    assert b"a secret of before" not in kept


async def test_a_reset_says_nothing_of_what_gemini_would_keep_of_other_threads() -> None:
    async with private_core() as clew:
        words = await clew.tells(Command.RESET)

    assert "What I kept of it is deleted, and Gemini keeps nothing of private threads." in words
    assert "55 days" not in words


async def test_a_retry_asks_from_before_its_turn_and_takes_the_place_of_the_old_answer() -> None:
    async with private_core() as clew:
        await asks(clew, "one", "two")
        await clew.tells(Command.RETRY)
        await clew.model.heard(3)
        await clew.ended(2)
        await clew.says("three")
        await clew.ended(3)

    assert told_before(clew)[2] == told_before(clew)[1] == ["one", "answer 1 to one"]
    assert told_before(clew)[3] == ["one", "answer 1 to one", "two", "answer 3 to two"]


async def test_what_a_stopped_turn_said_is_told_to_the_next_one_and_stays_known() -> None:
    async with private_core() as clew:
        await asks(clew, "zero")
        clew.model.will(Created(InteractionId("stopped")), TextPiece("It begins"), asyncio.Event())
        await clew.says("one")
        await clew.adapter.until(lambda: _shows(clew, "It begins"))
        await clew.tells(Command.STOP)
        await clew.ended(2)
        await asks(clew, "two", "three")

    told = clew.model.asked[2].text
    assert "It begins" in told
    assert "one" in told
    assert told_before(clew)[2] == ["zero", "answer 1 to zero"]
    assert told_before(clew)[3] == ["zero", "answer 1 to zero", told, f"answer 3 to {told}"]


async def _shows(clew: Core, text: str) -> bool:
    return any(text in frame for reply in clew.adapter.replies for frame in reply.frames)


async def test_a_failed_turn_is_told_to_the_next_one() -> None:
    async with private_core() as clew:
        await asks(clew, "zero")
        clew.model.will(KeyRejected("401"))
        await asks(clew, "one", "two")

    assert "one" in clew.model.asked[2].text
    assert told_before(clew)[2] == ["zero", "answer 1 to zero"]


async def test_what_people_said_to_each_other_is_told_once_and_stays_known() -> None:
    async with private_core() as clew:
        await asks(clew, "one")
        await clew.says("lunch is at noon", by="bob", address=Address.OTHERS)
        clew.adapter.past = [Said(MessageId("lunch-is-at-noon"), Person(PersonId("bob"), "Bob"), "lunch is at noon")]
        await asks(clew, "two", "three")

    assert "lunch is at noon" in clew.model.asked[1].text
    assert "lunch is at noon" not in clew.model.asked[2].text
    assert sum("lunch is at noon" in said for said in told_before(clew)[2] if not said.startswith("answer")) == 1


# --- answers that break -----------------------------------------------------------------------


async def test_a_broken_answer_is_asked_for_again_once_for_it_cannot_be_fetched() -> None:
    async with private_core() as clew:
        await asks(clew, "one")
        clew.model.will(Created(InteractionId("broken")), TextPiece("half"), AnswerBroken("cut"))
        await asks(clew, "two", "three")

    assert clew.model.looked_up == []
    assert told_before(clew)[1] == told_before(clew)[2] == ["one", "answer 1 to one"]
    assert told_before(clew)[3] == ["one", "answer 1 to one", "two", "answer 3 to two"]


async def test_an_answer_that_breaks_twice_is_given_up_and_its_question_not_lost() -> None:
    async with private_core() as clew:
        await asks(clew, "one")
        for name in ("first", "second"):
            clew.model.will(Created(InteractionId(name)), AnswerBroken("cut"))
        await asks(clew, "two", "three")
        turns = await clew.ended(3)

    assert [turn.state for turn in turns] == [TurnState.ANSWERED, TurnState.FAILED, TurnState.ANSWERED]
    assert told_before(clew)[3] == ["one", "answer 1 to one"]
    assert "two" in clew.model.asked[3].text


async def test_a_turn_left_running_is_asked_again_from_where_its_thread_stood(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with private_core(url=url) as clew:
        await asks(clew, "one")
        clew.model.will(Created(InteractionId("lost")), TextPiece("half"), asyncio.Event())
        await clew.says("two")
        await clew.adapter.until(lambda: _shows(clew, "half"))
    model = ScriptedModel()
    model.will(*answer("again", "answer to two"))
    async with private_core(url=url, model=model) as clew:
        await clew.ended(2)
        await asks(clew, "three")
        asks_made = [turn.asks for turn in await clew.ended(3)]

    assert clew.model.looked_up == []
    assert told_before(clew) == [
        ["one", "answer 1 to one"],
        ["one", "answer 1 to one", "two", "answer to two"],
    ]
    assert asks_made == [1, 2, 1]


async def test_steps_that_gemini_refuses_are_left_out_and_the_thread_is_told_from_its_platform() -> None:
    async with private_core() as clew:
        await asks(clew, "one")
        clew.adapter.past = [
            Said(MessageId("one"), Person(PersonId("ada"), "Ada"), "one"),
            Said(MessageId("reply-one"), None, "answer 1 to one"),
        ]
        clew.model.will(QuestionRejected("missing_thought_signature", chained=False))
        await asks(clew, "two", "three")
        turns = await clew.ended(3)

    told = told_before(clew)[2]
    assert len(told) == 1
    assert "[Ada]\none" in told[0]
    assert "[you]\nanswer 1 to one" in told[0]
    assert told_before(clew)[3] == [told[0], "two", "answer 3 to two"]
    assert TOLD_AGAIN in clew.shown()[1]
    assert TOLD_AGAIN not in clew.shown()[2]
    assert [turn.state for turn in turns] == [TurnState.ANSWERED] * 3


async def test_told_again_from_the_platform_a_thread_has_all_the_room_for_its_files() -> None:
    async with private_core(inline_limit=len(PNG) + 10) as clew:
        clew.adapter.files["f1"] = PNG
        await clew.says("what is this?", attachments=(CAT,))
        await clew.ended(1)
        clew.adapter.past = [Said(MessageId("what-is-this?"), Person(PersonId("ada"), "Ada"), "what is this?", (CAT,))]
        clew.model.will(QuestionRejected("missing_thought_signature", chained=False))
        await asks(clew, "two")

    after = clew.model.asked[2].after
    assert isinstance(after, tuple)
    assert isinstance(after[0], UserStep)
    assert [part.data for part in after[0].content if isinstance(part, Media)] == [PNG]
    assert "left out" not in clew.shown()[1]


@pytest.mark.parametrize(
    "scripts",
    [
        pytest.param([[ModelUnavailable("500", retry_after=60)]], id="a server error"),
        pytest.param([[AnswerBlocked("SAFETY")]], id="blocked"),
        pytest.param([[Created(InteractionId("broken")), AnswerBroken("api_error")]] * 2, id="an error event, twice"),
    ],
)
async def test_where_the_past_may_be_why_there_is_no_answer_the_notice_says_what_helps(
    scripts: list[list[Cue]],
) -> None:
    async with private_core() as clew:
        await asks(clew, "one")
        for script in scripts * 2:
            clew.model.will(*script)
        await asks(clew, "two")
        await clew.says("by itself", thread="t2")
        await clew.ended(1, thread="t2")

    assert "If that goes on in this thread alone, reset it" in clew.shown()[1]
    assert "reset" not in clew.shown("t2")[0]


async def test_a_question_that_gemini_refuses_by_itself_is_not_asked_without_end() -> None:
    async with private_core() as clew:
        await asks(clew, "one")
        clew.model.will(QuestionRejected("invalid_request", chained=False))
        clew.model.will(QuestionRejected("invalid_request", chained=False))
        await asks(clew, "two")
        turns = await clew.ended(2)

    assert turns[1].state is TurnState.FAILED
    assert len(clew.model.asked) == 3


# --- channels that change ---------------------------------------------------------------------


PAST = [
    Said(MessageId("one"), Person(PersonId("ada"), "Ada"), "one"),
    Said(MessageId("reply-one"), None, "answer 1 to one"),
]


@pytest.mark.parametrize(("before", "after"), [(ORDINARY, PRIVATE), (PRIVATE, ORDINARY)], ids=["private", "ordinary"])
async def test_a_channel_that_changes_tells_its_threads_from_the_platform_first(
    before: Policy, after: Policy, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with core(url=url, policy=before) as clew:
        await asks(clew, "one")
    async with core(url=url, policy=after) as clew:
        clew.adapter.past = PAST
        clew.model.will(*answer("changed", "answer 2 to two"))
        await asks(clew, "two", "three")

    first, second = clew.model.asked
    assert "[you]\nanswer 1 to one" in first.history
    assert first.manner.is_stored is second.manner.is_stored is (after is ORDINARY)
    if after is ORDINARY:
        assert second.after == "changed"
    else:
        assert second.before == [first.history, "two", "answer 2 to two"]


async def test_an_answer_that_gemini_keeps_already_is_fetched_though_the_channel_is_private_by_now(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with core(url=url) as clew:
        clew.model.will(Created(InteractionId("paid")), TextPiece("half"), asyncio.Event())
        await clew.says("one")
        await clew.adapter.until(lambda: _shows(clew, "half"))
    model = ScriptedModel()
    model.will_find("paid", interaction("paid", TextPiece("whole"), completed("paid")))
    async with core(url=url, policy=PRIVATE, model=model) as clew:
        clew.adapter.past = PAST
        await clew.ended(1)
        await asks(clew, "two")

    assert clew.shown() == ["whole", "answer 1 to two"]
    assert "[you]\nanswer 1 to one" in clew.model.asked[0].history  # told anew: nothing goes on from what is there


# --- size -------------------------------------------------------------------------------------


async def test_the_oldest_exchanges_are_left_out_when_there_is_no_room_and_that_is_said_once() -> None:
    half = "x" * (MOST_CHARACTERS // 2)
    async with private_core() as clew:
        await asks(clew, "one")
        clew.model.will(*answer("i2", half))
        await asks(clew, "two")
        clew.model.will(*answer("i3", half))
        await asks(clew, "three", "four", "five")

    assert told_before(clew)[3][0] == "three"
    assert [GROWN_LONG in shown for shown in clew.shown()] == [False, False, False, True, False]


async def test_an_exchange_too_large_to_be_kept_is_told_from_the_platform() -> None:
    async with private_core() as clew:
        clew.model.will(*answer("i1", "x" * (MOST_CHARACTERS + 1)))
        clew.adapter.past = PAST
        await asks(clew, "one", "two")

    assert "[you]\nanswer 1 to one" in clew.model.asked[1].history
    assert MOST_BYTES > MOST_CHARACTERS


# --- files ------------------------------------------------------------------------------------


async def test_a_picture_is_read_from_its_platform_again_with_every_question() -> None:
    async with private_core() as clew:
        clew.adapter.files["f1"] = PNG
        await clew.says("what is this?", attachments=(CAT,))
        await clew.ended(1)
        await asks(clew, "and its colour?")

    after = clew.model.asked[1].after
    assert isinstance(after, tuple)
    assert isinstance(after[0], UserStep)
    assert after[0].content == clew.model.asked[0].question
    assert [part.data for part in after[0].content if isinstance(part, Media)] == [PNG]


async def test_a_picture_that_is_gone_is_named_once_and_leaves_a_label() -> None:
    async with private_core() as clew:
        clew.adapter.files["f1"] = PNG
        await clew.says("what is this?", attachments=(CAT,))
        await clew.ended(1)
        del clew.adapter.files["f1"]
        await asks(clew, "two", "three")

    assert [("left out `cat.png`" in shown) for shown in clew.shown()] == [False, True, False]
    for asked in clew.model.asked[1:]:
        assert "[attachment cat.png was left out" in asked.before[0]


async def test_a_file_that_could_not_be_taken_in_is_told_of_as_such_and_not_read_again() -> None:
    async with private_core() as clew:
        clew.adapter.files["f1"] = b"PK\x03\x04 an archive of something"
        await clew.says("what is this?", attachments=(Attachment(AttachmentId("f1"), "things.zip"),))
        await clew.ended(1)
        await asks(clew, "two")

    assert ["eft out `things.zip`" in shown for shown in clew.shown()] == [True, False]
    assert "things.zip was left out" in clew.model.asked[1].before[0]


async def test_the_newest_pictures_have_the_first_claim_to_the_room_there_is() -> None:
    async with private_core(inline_limit=len(PNG) + 10) as clew:
        for name in ("old", "new"):
            clew.adapter.files[name] = PNG
            picture = Attachment(AttachmentId(name), f"{name}.png", "image/png", len(PNG))
            done = len(await clew.ended(0))
            await clew.says(name, attachments=(picture,))
            await clew.ended(done + 1)
        await asks(clew, "and now?")

    before = "\n".join(clew.model.asked[2].before)
    assert "old.png was left out" in before
    assert "new.png was left out" not in before


# --- what stands here -------------------------------------------------------------------------


async def test_no_bytes_of_files_and_no_list_of_interactions_are_kept(tmp_path: Path) -> None:
    async with private_core(url=f"sqlite:///{tmp_path / 'clew.db'}", keeps_text=False) as clew:
        clew.adapter.files["f1"] = PNG
        await clew.says("look", attachments=(CAT,))
        [turn] = await clew.ended(1)
        [exchange] = await clew.store.exchanges(_after(turn.thread, "i1"))
        kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())

    assert exchange.previous is None
    assert b"cat.png" in kept
    assert PNG[20:60] not in kept


def _after(thread: Thread, name: str) -> Turn:
    return Turn(TurnId("x"), thread, 0, TurnState.QUEUED, (), 0.0, previous=InteractionId(name))
