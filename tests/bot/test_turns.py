"""Turns, from a stored message to the end of their answer: order, merging, broken answers, lost context."""

import asyncio
from dataclasses import replace

import pytest

from bot.answers import Created, InteractionState, Media, MediaKind, Text, TextPiece, Thought, UserStep
from bot.commands import Command
from bot.errors import (
    AnswerBlocked,
    AnswerBroken,
    ContextLost,
    InteractionLost,
    KeyRejected,
    ModelBusy,
    ModelUnavailable,
    QuestionRejected,
)
from bot.messages import Address, Attachment, AttachmentId, InteractionId, MessageId, Person, PersonId, Said, TurnState
from bot.policy import Names, Policy
from tests.support.core import PATIENT, core
from tests.support.scripted import NEVER, answer, completed, interaction

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c626001000000050001a5f645400000000049454e44ae426082"
)


async def test_an_answer_stands_in_its_thread_and_the_next_one_goes_on_from_it() -> None:
    async with core() as clew:
        await clew.says("my name is Ada")
        await clew.ended(1)
        await clew.says("what is my name?")
        turns = await clew.ended(2)

    assert [turn.state for turn in turns] == [TurnState.ANSWERED, TurnState.ANSWERED]
    assert [asked.after for asked in clew.model.asked] == [None, "i1"]
    assert clew.shown() == ["answer 1 to my name is Ada", "answer 2 to what is my name?"]


async def test_a_message_that_arrives_twice_is_answered_once() -> None:
    async with core() as clew:
        await clew.says("hello", id_="m1")
        await clew.ended(1)
        await clew.says("hello", id_="m1")
        await clew.says("and now?", id_="m2")
        await clew.ended(2)

    assert [asked.text for asked in clew.model.asked] == ["hello", "and now?"]


async def test_messages_of_one_person_that_wait_are_answered_together_in_their_order() -> None:
    async with core() as clew:
        go_on = asyncio.Event()
        clew.model.will(Created(InteractionId("i1")), go_on, TextPiece("first"), completed("i1"))
        await clew.says("one")
        await clew.model.heard(1)
        await clew.says("two")
        await clew.says("three")
        await clew.says("four", by="grace")
        await clew.says("five")
        go_on.set()
        turns = await clew.ended(4)

    assert [[message.text for message in turn.messages] for turn in turns] == [
        ["one"],
        ["two", "three"],
        ["four"],
        ["five"],
    ]
    assert [asked.text for asked in clew.model.asked] == ["one", "two\nthree", "four", "five"]
    assert [asked.after for asked in clew.model.asked] == [None, "i1", "i2", "i3"]


async def test_threads_do_not_wait_for_each_other() -> None:
    async with core() as clew:
        clew.model.will(Created(InteractionId("slow")), NEVER)
        await clew.says("slow", thread="one")
        await clew.model.heard(1)
        await clew.says("quick", thread="two")
        await clew.ended(1, thread="two")

        assert clew.shown("one") == []
        await clew.tells(Command.STOP, thread="one")


async def test_with_one_place_a_thread_with_many_turns_lets_the_others_through() -> None:
    async with core(concurrency=1) as clew:
        go_on = asyncio.Event()
        clew.model.will(Created(InteractionId("i1")), go_on, TextPiece("x"), completed("i1"))
        await clew.says("busy 1", thread="busy")
        await clew.model.heard(1)
        await clew.says("busy 2", thread="busy", by="grace")
        await clew.says("busy 3", thread="busy", by="ada")
        await clew.says("patient", thread="other")
        go_on.set()
        await clew.ended(3, thread="busy")
        await clew.ended(1, thread="other")

    assert [asked.text for asked in clew.model.asked] == ["busy 1", "patient", "busy 2", "busy 3"]


async def test_a_model_that_is_busy_for_a_moment_is_asked_again() -> None:
    async with core() as clew:
        clew.model.will(ModelBusy("429", retry_after=0.01))
        clew.model.will(ModelUnavailable("503"))
        clew.model.will(*answer("i1", "here I am"))
        await clew.says("hello")
        await clew.ended(1)

    assert clew.shown() == ["here I am"]


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        pytest.param(ModelBusy("429", retry_after=3600), "60 minutes", id="a pause of an hour is told, not waited for"),
        pytest.param(KeyRejected("401"), "GEMINI_API_KEY", id="a wrong key"),
        pytest.param(AnswerBlocked("safety"), "safety rules", id="a blocked answer"),
        pytest.param(QuestionRejected("invalid_request", chained=False), "invalid", id="a rejected question"),
        pytest.param(RuntimeError("a bug"), "in the log", id="what nobody foresaw"),
    ],
)
async def test_a_failure_is_told_once_and_the_thread_stays_usable(failure: Exception, words: str) -> None:
    async with core() as clew:
        clew.model.will(failure)
        await clew.says("hello")
        first = (await clew.ended(1))[0]
        await clew.says("and now?")
        turns = await clew.ended(2)

    assert first.state is TurnState.FAILED
    assert first.notice is not None
    assert words in first.notice
    assert turns[1].state is TurnState.ANSWERED
    assert len(clew.shown()) == 2


async def test_a_model_that_takes_nothing_in_gets_a_notice_in_time() -> None:
    async with core(limits=replace(PATIENT, refused=0.1)) as clew:
        clew.model.will(NEVER)
        await clew.says("hello")
        (turn,) = await clew.ended(1)

    assert turn.notice is not None
    assert "cannot be reached" in turn.notice
    assert len(clew.model.asked) == 1


async def test_a_broken_answer_is_finished_from_its_interaction() -> None:
    async with core() as clew:
        clew.model.will(Created(InteractionId("i1")), TextPiece("half an ans"), AnswerBroken("cut"))
        clew.model.will_find(
            "i1",
            interaction("i1", state=InteractionState.RUNNING),
            ModelUnavailable("503"),
            interaction("i1", *answer("i1", "half an answer, and the other half")),
        )
        await clew.says("hello")
        await clew.ended(1)
        await clew.says("next")
        await clew.ended(2)

    assert clew.shown()[0] == "half an answer, and the other half"
    assert clew.model.looked_up == ["i1", "i1", "i1"]
    assert [asked.after for asked in clew.model.asked] == [None, "i1"]


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(InteractionLost("i1"), id="Gemini does not know it"),
        pytest.param(interaction("i1", state=InteractionState.BROKEN), id="it failed"),
        pytest.param(interaction("i1", state=InteractionState.RUNNING), id="it runs for ever"),
    ],
)
async def test_a_broken_answer_that_cannot_be_fetched_is_asked_again_and_replaced(found: object) -> None:
    async with core(limits=replace(PATIENT, turn=0.5)) as clew:
        await clew.says("before")
        await clew.ended(1)
        clew.model.will(Created(InteractionId("i2")), TextPiece("half"), AnswerBroken("cut"))
        clew.model.will(*answer("i3", "whole"))
        clew.model.interactions["i2"] = [found]  # type: ignore[list-item]
        await clew.says("hello")
        turns = await clew.ended(2)

    assert clew.shown() == ["answer 1 to before", "whole"]
    assert [asked.after for asked in clew.model.asked] == [None, "i1", "i1"]
    assert turns[1].interaction == "i3"


async def test_an_answer_that_falls_silent_counts_as_broken() -> None:
    async with core(limits=replace(PATIENT, silent=0.1)) as clew:
        clew.model.will(Created(InteractionId("i1")), TextPiece("half"), NEVER)
        clew.model.will(*answer("i2", "whole"))
        await clew.says("hello")
        await clew.ended(1)

    assert clew.shown() == ["whole"]


async def test_an_answer_that_breaks_twice_ends_in_a_notice_and_no_ghost() -> None:
    async with core() as clew:
        await clew.says("before")
        await clew.ended(1)
        for number in (2, 3):
            clew.model.will(Created(InteractionId(f"i{number}")), TextPiece("half"), AnswerBroken("cut"))
        await clew.says("hello")
        turns = await clew.ended(2)
        await clew.says("next")
        await clew.ended(3)

    assert turns[1].notice is not None
    assert "broke off" in turns[1].notice
    assert len(clew.model.asked) == 4
    assert clew.model.asked[-1].after == "i1"
    assert "hello" in clew.model.asked[-1].text  # the question that went unanswered is told with the next one


async def test_a_blocked_question_is_never_told_again() -> None:
    async with core() as clew:
        await clew.says("before")
        await clew.ended(1)
        clew.model.will(AnswerBlocked("safety"))
        await clew.says("something bad")
        await clew.ended(2)
        await clew.says("something good")
        await clew.ended(3)

    assert clew.model.asked[-1].text == "something good"


async def test_an_answer_with_nothing_in_it_is_a_notice() -> None:
    async with core() as clew:
        clew.model.will(Created(InteractionId("i1")), Thought("hm"), completed("i1"))
        await clew.says("hello")
        (turn,) = await clew.ended(1)

    assert turn.notice is not None
    assert "without saying anything" in turn.notice


async def test_an_answer_cut_short_by_the_model_says_so_and_counts() -> None:
    async with core() as clew:
        clew.model.will(Created(InteractionId("i1")), TextPiece("as far as"), completed("i1", truncated=True))
        await clew.says("hello")
        (turn,) = await clew.ended(1)

    assert turn.state is TurnState.ANSWERED
    assert clew.shown()[0].startswith("as far as\n\n_The answer ran into")


async def test_an_answer_of_several_hops_is_kept_under_its_last_interaction() -> None:
    async with core() as clew:
        hop = InteractionId
        clew.model.will(Created(hop("i1")), TextPiece("one "), Created(hop("i2")), TextPiece("two"), completed("i2"))
        await clew.says("hello")
        await clew.ended(1)
        await clew.says("next")
        await clew.ended(2)

    assert clew.shown()[0] == "one two"
    assert clew.model.asked[1].after == "i2"


async def test_a_lost_context_is_rebuilt_from_the_thread_and_replaced_only_by_success() -> None:
    async with core() as clew:
        await clew.says("my name is Ada")
        await clew.ended(1)
        ada = Person(PersonId("ada"), "Ada")
        clew.adapter.past = [
            Said(MessageId("m1"), ada, "my name is Ada"),
            Said(MessageId("r1"), None, "hello Ada"),
        ]
        clew.model.will(ContextLost("404"))
        clew.model.will(KeyRejected("401"))
        await clew.says("what is my name?")
        await clew.ended(2)
        assert (await clew.store.claim(clew.adapter.replies[0].turn.thread)) is None
        clew.model.will(ContextLost("404"))
        clew.model.will(*answer("i9", "Ada"))
        await clew.says("once more")
        await clew.ended(3)
        await clew.says("and again")
        await clew.ended(4)

    first_try, rebuilt = clew.model.asked[3], clew.model.asked[4]
    assert first_try.after == "i1"  # the failure before did not move the thread
    assert isinstance(rebuilt.after, tuple)
    assert isinstance(rebuilt.after[0], UserStep)
    assert "[Ada]\nmy name is Ada" in rebuilt.history
    assert "[you]\nhello Ada" in rebuilt.history
    assert rebuilt.text == "once more"
    assert clew.shown()[2] == "Ada"
    assert clew.model.asked[5].after == "i9"


async def test_what_could_not_be_told_again_is_named_in_one_line() -> None:
    async with core() as clew:
        await clew.says("look at this")
        await clew.ended(1)
        gone = Attachment(AttachmentId("gone"), "cat.png")
        clew.adapter.past = [Said(MessageId("m1"), Person(PersonId("ada")), "look at this", (gone,))]
        clew.model.will(ContextLost("404"))
        clew.model.will(*answer("i2", "I remember"))
        await clew.says("what was it?")
        await clew.ended(2)

    assert clew.shown()[1] == "I remember\n\n_I had to read this thread again and left out `cat.png`._"


async def test_a_file_that_two_readings_of_the_thread_miss_is_named_once() -> None:
    async with core() as clew:
        await clew.says("one")
        await clew.ended(1)
        gone = Attachment(AttachmentId("gone"), "cat.png")
        await clew.says("look at this", by="bob", address=Address.OTHERS)
        clew.adapter.past = [Said(MessageId("look-at-this"), Person(PersonId("bob")), "look at this", (gone,))]
        clew.model.will(ContextLost("404"))
        clew.model.will(*answer("i2", "I remember"))
        await clew.says("what was it?")
        await clew.ended(2)

    assert clew.shown()[1] == "I remember\n\n_I had to read this thread again and left out `cat.png`._"


async def test_a_file_that_cannot_be_read_is_named_in_the_answer_and_the_others_are_read() -> None:
    async with core(inline_limit=200) as clew:
        clew.adapter.files = {"a": b"print('hi')", "b": b"x" * 300}
        files = (Attachment(AttachmentId("a"), "a.py"), Attachment(AttachmentId("b"), "b.txt"))
        await clew.says("read these", attachments=files)
        await clew.ended(1)

    assert "print('hi')" in clew.model.asked[0].text
    assert "b.txt" in clew.model.asked[0].text  # the model is told that there was one more
    assert "Left out `b.txt`" in clew.shown()[0]


async def test_a_picture_reaches_the_model_as_a_picture() -> None:
    async with core() as clew:
        clew.adapter.files = {"a": PNG}
        await clew.says("what is this?", attachments=(Attachment(AttachmentId("a"), "a.bin"),))
        await clew.ended(1)

    assert Media(MediaKind.IMAGE, "image/png", PNG) in clew.model.asked[0].question
    assert clew.model.asked[0].question[0] == Text("what is this?")


async def test_a_message_with_nothing_in_it_is_not_sent_to_the_model() -> None:
    async with core() as clew:
        await clew.says("", id_="empty")
        (turn,) = await clew.ended(1)

    assert turn.notice is not None
    assert "nothing in that message" in turn.notice
    assert clew.model.asked == []


async def test_people_who_may_not_ask_are_told_and_not_read() -> None:
    async with core(policy=Policy(people=Names(blocked=frozenset({"mallory"})))) as clew:
        await clew.says("my secret plan", by="mallory")
        (turn,) = await clew.ended(1)

    assert turn.notice is not None
    assert "not allowed to answer you" in turn.notice
    assert turn.messages[0].text is None
    assert clew.model.asked == []


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        pytest.param(Policy(daily_turns_per_person=2), "You have used your 2 turns", id="for one person"),
        pytest.param(Policy(daily_turns=2), "2 turns for everybody", id="for everybody"),
    ],
)
async def test_a_daily_cap_is_told_when_it_bites_and_not_before(policy: Policy, words: str) -> None:
    async with core(policy=policy) as clew:
        for number in (1, 2, 3, 4):
            await clew.says(f"question {number}")
            turns = await clew.ended(number)

    assert [turn.state for turn in turns] == [TurnState.ANSWERED] * 2 + [TurnState.FAILED] * 2
    assert turns[2].notice is not None
    assert words in turns[2].notice
    assert len(clew.model.asked) == 2


async def test_a_reply_that_cannot_be_posted_is_tried_again_until_it_stands() -> None:
    async with core() as clew:
        clew.adapter.failures = [RuntimeError("the platform hiccups"), RuntimeError("and again")]
        clew.model.will_find("i1", interaction("i1", *answer("i1", "here")))
        await clew.says("hello")
        (turn,) = await clew.ended(1)

    assert len(clew.shown()) == 1
    assert turn.state is TurnState.ANSWERED  # the interaction was complete: it is fetched and not asked again
    assert len(clew.model.asked) == 1


async def test_the_sign_of_work_goes_away_whatever_happens() -> None:
    async with core() as clew:
        for script in (answer("i1", "x"), (KeyRejected("401"),), (RuntimeError("bug"),)):
            clew.model.will(*script)
        for number in (1, 2, 3):
            await clew.says(f"question {number}")
            await clew.ended(number)

    assert clew.adapter.working == set()


async def test_the_answer_is_shown_while_it_grows() -> None:
    async with core() as clew:
        clew.model.will(Created(InteractionId("i1")), TextPiece("a"), TextPiece("b"), TextPiece("c"), completed("i1"))
        await clew.says("hello")
        await clew.ended(1)

    assert clew.adapter.replies[0].frames == ["a", "ab", "abc"]


async def test_a_turn_has_a_limit_even_when_the_model_never_stops() -> None:
    async with core(limits=replace(PATIENT, turn=0.05)) as clew:
        go_on = asyncio.Event()
        for _ in range(2):
            clew.model.will(Created(InteractionId("i1")), TextPiece("and"), go_on)
        await clew.says("hello")
        (turn,) = await clew.ended(1)

    assert turn.state is TurnState.FAILED


async def test_a_thread_read_again_and_its_question_fit_into_one_request() -> None:
    picture = Attachment(AttachmentId("a"), "a.txt")
    async with core(inline_limit=1000) as clew:
        clew.adapter.files = {"a": b"x" * 700}
        await clew.says("before")
        await clew.ended(1)
        clew.adapter.past = [Said(MessageId("m1"), Person(PersonId("ada")), "before", (picture,))]
        clew.adapter.files["b"] = PNG + bytes(600)
        clew.model.will(ContextLost("404"))
        clew.model.will(*answer("i2", "I see"))
        await clew.says("and this?", attachments=(Attachment(AttachmentId("b"), "b.png"),))
        await clew.ended(2)

    assert "x" * 700 not in clew.model.asked[-1].history
    assert "left out `a.txt`" in clew.shown()[1]


async def test_of_a_very_long_thread_the_newest_is_read_again_and_the_rest_named() -> None:
    async with core() as clew:
        await clew.says("before")
        await clew.ended(1)
        ada = Person(PersonId("ada"))
        clew.adapter.past = [Said(MessageId(f"m{number}"), ada, f"{number} " + "x" * 100_000) for number in range(10)]
        clew.model.will(ContextLost("404"))
        clew.model.will(*answer("i2", "I see"))
        await clew.says("go on")
        await clew.ended(2)

    assert "9 xxx" in clew.model.asked[-1].history
    assert len(clew.model.asked[-1].history) < 500_000
    assert "I have read its last 3 messages only" in clew.shown()[1]


async def test_a_rebuilt_thread_that_gemini_rejects_is_told_how_to_get_out() -> None:
    async with core() as clew:
        await clew.says("before")
        await clew.ended(1)
        clew.adapter.past = [Said(MessageId("m1"), Person(PersonId("ada")), "before")]
        clew.model.will(ContextLost("404"))
        clew.model.will(QuestionRejected("invalid_request", chained=False))
        await clew.says("go on")
        turns = await clew.ended(2)

    assert turns[1].notice is not None
    assert "reset this thread" in turns[1].notice


async def test_a_question_that_went_unanswered_is_told_with_its_files() -> None:
    async with core() as clew:
        await clew.says("before")
        await clew.ended(1)
        clew.adapter.files = {"a": PNG}
        clew.model.will(ModelBusy("429", retry_after=3600))
        await clew.says("what is this?", attachments=(Attachment(AttachmentId("a"), "a.png"),))
        await clew.ended(2)
        await clew.says("well?")
        await clew.ended(3)

    assert "what is this?" in clew.model.asked[-1].text
    assert Media(MediaKind.IMAGE, "image/png", PNG) in clew.model.asked[-1].question


async def test_a_flood_of_messages_is_answered_in_several_turns() -> None:
    async with core() as clew:
        go_on = asyncio.Event()
        clew.model.will(Created(InteractionId("i1")), go_on, TextPiece("x"), completed("i1"))
        await clew.says("first")
        await clew.model.heard(1)
        for number in range(120):
            await clew.says(f"more {number}")
        go_on.set()
        turns = await clew.ended(4)

    assert [len(turn.messages) for turn in turns] == [1, 50, 50, 20]
