"""What every platform's adapter does, seen from its threads: one suite, each platform on its loopback stage."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.answers import Created, Media, MediaKind, Text, TextPiece, UserStep
from bot.commands import Command
from bot.confirmations import report_of
from bot.errors import AnswerBlocked, ContextLost, InteractionLost
from bot.messages import InteractionId, MessageId, Thread
from bot.notices import notice_for
from bot.spool import IN_MEMORY
from tests.adapters.contract.platforms import PLATFORMS, Can, everywhere, where
from tests.adapters.contract.stage import Stage
from tests.support.people.seen import Upload, answered, whole, without_remarks, works
from tests.support.scripted import NEVER, answer, completed, interaction

CAT = Upload("cat.png", "image/png", b"\x89PNG\r\n\x1a\n and a cat")
CAT_SEEN = Media(MediaKind.IMAGE, "image/png", data=CAT.data)
HALF, REST = "A clew is a ball", " of thread that shows the way out of a labyrinth."


def asked(stage: Stage) -> list[str]:
    """What the model was asked, in the order in which it was."""
    return [asked.text for asked in stage.model.asked]


async def begun(stage: Stage, gate: asyncio.Event) -> Thread:
    """A thread in which the bot is at work until the gate opens."""
    number = len(stage.model.asked) + 1
    stage.model.will(Created(InteractionId(f"i{number}")), gate, *answer(f"i{number}", "first answer")[1:])
    post = await stage.says("first")
    await stage.model.heard(number)
    return post.thread


def test_what_a_platform_is_not_asked_has_its_reason() -> None:
    lacking = {(name, can.name): why for name, platform in PLATFORMS.items() for can, why in platform.cannot.items()}

    assert sorted(lacking) == [
        ("discord directly", "HOLD_SEVERAL_PEOPLE"),
        ("page", "CHANGE_WHAT_WAS_SAID"),
        ("page", "HOLD_SEVERAL_PEOPLE"),
        ("page", "NAME_ITS_ANSWERS"),
        ("page", "SPEAK_AS_A_BOT"),
        ("slack directly", "HOLD_SEVERAL_PEOPLE"),
    ]
    assert all(lacking.values())


# --- who is answered ------------------------------------------------------------------------------


@everywhere
async def test_a_question_is_answered_in_its_thread_and_so_is_the_next(stage: Stage) -> None:
    async with stage.bot():
        first = await stage.says("what is a clew?")
        await stage.looks(first.thread, whole(1))
        await stage.says("and a labyrinth?", thread=first.thread)
        view = await stage.looks(first.thread, whole(2))

    assert view.texts == ["answer 1 to what is a clew?", "answer 2 to and a labyrinth?"]
    assert [asked.after for asked in stage.model.asked] == [None, "i1"]


@everywhere
async def test_it_does_not_listen_to_its_own_answers(stage: Stage) -> None:
    async with stage.bot():
        thread = (await stage.says("one")).thread
        await stage.looks(thread, whole(1))
        await stage.heard()
        await stage.says("two", thread=thread)  # whatever was made of the answer would come before it
        await stage.looks(thread, whole(2))

    assert asked(stage) == ["one", "two"]


@where(Can.SPEAK_AS_A_BOT)
@pytest.mark.parametrize("itself", [True, False], ids=["itself", "another bot"])
async def test_it_answers_no_bot_even_one_that_speaks_to_it(stage: Stage, itself: bool) -> None:
    async with stage.bot() as bot:
        thread = (await stage.says("one")).thread
        await stage.looks(thread, whole(1))
        await stage.speaks("and now?", thread=thread, itself=itself)
        elsewhere = await stage.speaks("and here?", thread=None, itself=itself)
        await stage.says("two", thread=thread)
        await stage.looks(thread, answered("answer 2 to two"))

        assert await bot.store.transcript(elsewhere.thread) == []
    assert asked(stage) == ["one", "two"]


@everywhere
async def test_a_message_that_comes_again_is_answered_once(stage: Stage) -> None:
    gate = asyncio.Event()
    async with stage.bot() as bot:
        stage.model.will(gate, *answer("i1", "first answer"))
        post = await stage.says("first")
        await stage.model.heard(1)
        await stage.repeats(post)
        gate.set()
        await stage.looks(post.thread, whole(1))
        await stage.repeats(post)
        await stage.says("second", thread=post.thread)
        await stage.looks(post.thread, whole(2))
        await bot.idle()
    async with stage.bot():
        await stage.repeats(post)
        await stage.says("third", thread=post.thread)
        view = await stage.looks(post.thread, whole(3))

    assert asked(stage) == ["first", "second", "third"]
    assert view.texts == ["first answer", "answer 2 to second", "answer 3 to third"]


# --- ids and order --------------------------------------------------------------------------------


@everywhere
async def test_ids_are_kept_as_the_platform_spells_them(stage: Stage) -> None:
    async with stage.bot() as bot:
        posts = [await stage.says("one")]
        thread = posts[0].thread
        for number in (1, 2):
            await stage.looks(thread, whole(number))
            posts.append(await stage.says("more", thread=thread))
        await stage.looks(thread, whole(3))
        turns = await bot.store.transcript(thread)

    assert {turn.thread for turn in turns} == {thread}
    assert Thread.from_key(thread.key) == thread
    assert [message.id for turn in turns for message in turn.messages] == [post.id for post in posts]


@where(Can.NAME_ITS_ANSWERS)
async def test_the_ids_of_its_answers_are_kept_as_well(stage: Stage) -> None:
    async with stage.bot() as bot:
        thread = (await stage.says("one")).thread
        view = await stage.looks(thread, whole(1))
        await bot.idle()
        (turn,) = await bot.store.transcript(thread)

    assert [part.message_id for part in turn.parts] == [seen.id for seen in view.answers]


@everywhere
async def test_one_thread_is_answered_in_order_and_keeps_no_other_waiting(stage: Stage) -> None:
    gate = asyncio.Event()
    async with stage.bot():
        thread = await begun(stage, gate)
        for text in ("second", "third"):
            await stage.says(text, thread=thread)
        other = (await stage.says("elsewhere")).thread
        meanwhile = await stage.looks(other, whole(1))
        gate.set()
        view = await stage.looks(thread, whole(2))

    assert asked(stage) == ["first", "elsewhere", "second\nthird"]
    assert meanwhile.texts == ["answer 2 to elsewhere"]
    assert view.texts == ["first answer", "answer 3 to second\nthird"]


@where(Can.HOLD_SEVERAL_PEOPLE)
async def test_people_who_wait_in_one_thread_are_answered_one_after_the_other(stage: Stage) -> None:
    gate = asyncio.Event()
    async with stage.bot():
        thread = await begun(stage, gate)
        for text, by in (("two", "ben"), ("three", "ada"), ("four", "ben")):
            await stage.says(text, thread=thread, by=by)
        gate.set()
        view = await stage.looks(thread, whole(4))

    assert asked(stage) == ["first", "two", "three", "four"]
    assert view.texts[1:] == ["answer 2 to two", "answer 3 to three", "answer 4 to four"]


@everywhere
async def test_a_long_answer_stands_there_whole_and_in_reading_order(stage: Stage) -> None:
    words = [f"word{number}" for number in range(4000)]
    text = "\n\n".join(" ".join(words[start : start + 50]) for start in range(0, len(words), 50))
    async with stage.bot():
        stage.model.will(*answer("i1", text))
        thread = (await stage.says("everything")).thread
        view = await stage.looks(thread, lambda view: not view.is_working and words[-1] in "".join(view.texts))

    assert "\n".join(view.texts).split() == words


@everywhere
async def test_what_the_model_makes_stands_with_the_answer_to_the_byte(stage: Stage) -> None:
    made = [Media(MediaKind.IMAGE, "image/png", data=CAT.data), Media(MediaKind.AUDIO, "audio/wav", data=b"RIFF purr")]
    async with stage.bot():
        stage.model.will(Created(InteractionId("i1")), TextPiece("A cat."), *made, completed("i1"))
        thread = (await stage.says("draw a cat")).thread
        view = await stage.looks(thread, whole(1))
        saved = await stage.saves(thread, 2)

    assert view.texts == ["A cat."]
    assert saved == [media.data for media in made]


# --- the sign of work -----------------------------------------------------------------------------


@everywhere
async def test_a_sign_says_that_it_works_until_there_is_an_answer(stage: Stage) -> None:
    gate = asyncio.Event()
    async with stage.bot():
        thread = await begun(stage, gate)
        await stage.looks(thread, works)
        gate.set()
        view = await stage.looks(thread, whole(1))

    assert view.texts == ["first answer"]
    assert await stage.left_over() == []


@everywhere
async def test_the_sign_goes_with_a_notice_and_the_thread_goes_on(stage: Stage) -> None:
    gate, blocked = asyncio.Event(), AnswerBlocked("safety")
    async with stage.bot():
        stage.model.will(gate, blocked)
        thread = (await stage.says("something bad")).thread
        await stage.looks(thread, works)
        gate.set()
        notice = await stage.looks(thread, whole(1))
        await stage.says("something good", thread=thread)
        view = await stage.looks(thread, whole(2))

    assert notice.texts == [notice_for(blocked)]
    assert await stage.left_over() == []
    assert view.texts == [notice_for(blocked), "answer 2 to something good"]


@everywhere
@pytest.mark.parametrize("said", [[], [HALF]], ids=["before a word", "half-way"])
async def test_the_sign_goes_when_it_is_stopped_and_what_was_said_stays(stage: Stage, said: list[str]) -> None:
    async with stage.bot():
        stage.model.will(Created(InteractionId("i1")), *map(TextPiece, said), NEVER)
        thread = (await stage.says("go on and on")).thread
        await stage.looks(thread, lambda view: view.is_working and view.texts == said)
        told = await stage.gives(Command.STOP, thread)
        stopped = await stage.looks(thread, lambda view: not view.is_working)
        await stage.says("and now?", thread=thread)
        view = await stage.looks(thread, answered("answer 2 to and now?"))

    assert told == "Stopped."
    assert [text for text in stopped.texts if text == HALF] == said
    assert view.texts == [*stopped.texts, "answer 2 to and now?"]


# --- crashes --------------------------------------------------------------------------------------


@everywhere
async def test_the_sign_of_a_killed_process_goes_with_the_answer_of_the_next(stage: Stage) -> None:
    gate = asyncio.Event()
    async with stage.bot() as bot:
        stage.model.will(gate, *answer("i1", "nobody hears this"))
        thread = (await stage.says("first")).thread
        await stage.model.heard(1)
        await stage.looks(thread, works)
        bot.kill()
        gate.set()
    async with stage.bot():
        view = await stage.looks(thread, whole(1))

    assert view.texts == ["answer 2 to first"]
    assert await stage.left_over() == []


@everywhere
async def test_a_reply_half_shown_by_a_killed_process_is_finished_where_it_stands(stage: Stage) -> None:
    gate = asyncio.Event()
    async with stage.bot() as bot:
        stage.model.will(Created(InteractionId("i1")), TextPiece(HALF), gate, TextPiece(REST), completed("i1"))
        stage.model.will_find("i1", interaction("i1", *answer("i1", HALF + REST)))
        thread = (await stage.says("what is a clew?")).thread
        half = await stage.looks(thread, lambda view: view.texts == [HALF])
        bot.kill()
        gate.set()
    async with stage.bot():
        view = await stage.looks(thread, whole(1))
        await stage.heard()

        assert await stage.looks(thread) == view
    assert view.texts == [HALF + REST]
    assert [seen.id for seen in view.answers] == [seen.id for seen in half.answers]
    assert asked(stage) == ["what is a clew?"]


@everywhere
async def test_what_waited_when_the_process_was_killed_is_answered_in_order_by_the_next(stage: Stage) -> None:
    gate = asyncio.Event()
    async with stage.bot() as bot:
        stage.model.will(gate, *answer("i1", "nobody hears this"))
        thread = (await stage.says("first")).thread
        await stage.model.heard(1)
        await stage.says("second", thread=thread)
        bot.kill()
        gate.set()
    async with stage.bot():
        view = await stage.looks(thread, whole(2))

    assert view.texts == ["answer 2 to first", "answer 3 to second"]


# --- what people send -----------------------------------------------------------------------------


@everywhere
@pytest.mark.parametrize("size", [1000, 3 * IN_MEMORY], ids=["small", "large"])
async def test_a_file_reaches_the_model_to_the_byte(stage: Stage, size: int) -> None:
    picture = replace(CAT, data=CAT.data + os.urandom(size))
    async with stage.bot():
        post = await stage.says("look", files=[picture])
        await stage.looks(post.thread, whole(1))

    assert stage.model.asked[0].question == (
        Text("look"),
        Text("[attachment cat.png]"),
        replace(CAT_SEEN, data=picture.data),
    )


@everywhere
async def test_files_keep_their_order_and_need_no_words(stage: Stage) -> None:
    files = [Upload(f"{name}.txt", "text/plain", f"this is {name}".encode()) for name in ("b", "a", "c")]
    async with stage.bot():
        thread = (await stage.says("one")).thread
        await stage.looks(thread, whole(1))
        await stage.says("", thread=thread, files=files)
        await stage.looks(thread, whole(2))

    assert asked(stage)[1].splitlines()[0::4] == [f"[attachment {name}.txt]" for name in ("b", "a", "c")]
    assert asked(stage)[1].splitlines()[2::4] == [f"this is {name}" for name in ("b", "a", "c")]


@where(Can.CHANGE_WHAT_WAS_SAID)
async def test_a_question_changed_before_its_turn_is_asked_as_it_stands_then(stage: Stage) -> None:
    gate = asyncio.Event()
    async with stage.bot():
        thread = await begun(stage, gate)
        post = await stage.says("what is a clwe?", thread=thread)
        await stage.edits(post, "what is a clew?")
        gate.set()
        await stage.looks(thread, whole(2))

    assert asked(stage) == ["first", "what is a clew?"]


@where(Can.CHANGE_WHAT_WAS_SAID)
async def test_a_question_taken_back_before_its_turn_is_not_asked(stage: Stage) -> None:
    gate = asyncio.Event()
    async with stage.bot():
        thread = await begun(stage, gate)
        post = await stage.says("never mind", thread=thread)
        await stage.says("this one", thread=thread)
        await stage.deletes(post)
        gate.set()
        await stage.looks(thread, whole(2))

    assert asked(stage) == ["first", "this one"]


@where(Can.CHANGE_WHAT_WAS_SAID)
async def test_what_is_changed_after_its_answer_stays_answered(stage: Stage) -> None:
    async with stage.bot():
        post = await stage.says("what is a clew?")
        answered = await stage.looks(post.thread, whole(1))
        await stage.edits(post, "what is a labyrinth?")
        await stage.says("thanks", thread=post.thread)
        view = await stage.looks(post.thread, whole(2))

    assert asked(stage) == ["what is a clew?", "thanks"]
    assert view.answers[0] == answered.answers[0]


# --- memory ---------------------------------------------------------------------------------------


@everywhere
async def test_a_reset_forgets_and_says_so(stage: Stage) -> None:
    async with stage.bot():
        thread = (await stage.says("my name is Ada")).thread
        await stage.looks(thread, whole(1))
        told = await stage.gives(Command.RESET, thread)
        await stage.says("what is my name?", thread=thread)
        await stage.looks(thread, answered("answer 2 to what is my name?"))

    assert "This thread starts afresh" in told
    assert stage.model.asked[1].after is None
    assert "Ada" not in stage.model.asked[1].text


@everywhere
async def test_a_forgotten_thread_is_deleted_at_gemini_and_its_report_is_given_in_it(stage: Stage) -> None:
    stage.model.will_not_delete("i2", InteractionLost("HTTP 403"))
    async with stage.bot() as bot:
        thread = (await stage.says("my name is Ada")).thread
        await stage.looks(thread, whole(1))
        await stage.says("and I like bees", thread=thread)
        await stage.looks(thread, whole(2))
        await bot.idle()
        told = await stage.gives(Command.FORGET, thread)
        (report,) = await stage.reads(thread, "I have forgotten this thread")
        await stage.says("what is my name?", thread=thread)
        await stage.looks(thread, answered("answer 3 to what is my name?"))

    assert told.startswith("I forget this thread")
    assert stage.model.deleted == ["i1", "i2"]
    assert "1 exchange deleted at Gemini" in report
    assert "1 exchange could not be deleted" in report
    assert stage.model.asked[2].after is None
    assert "Ada" not in stage.model.asked[2].text


@everywhere
async def test_a_thread_is_forgotten_although_the_bot_stops_in_the_middle_and_its_report_is_given_once(
    stage: Stage,
) -> None:
    async with stage.bot() as bot:
        thread = (await stage.says("my name is Ada")).thread
        await stage.looks(thread, whole(1))
        await bot.idle()
        stage.model.deletes = asyncio.Event()
        await stage.gives(Command.FORGET, thread)
        await stage.model.told_to_delete(1)
    stage.model.deletes = None
    async with stage.bot():
        reports = await stage.reads(thread, "I have forgotten this thread")

    assert [report.splitlines()[0] for report in reports] == [
        "I have forgotten this thread: 1 exchange deleted at Gemini, and all that I kept of it here."
    ]


@where(Can.NAME_ITS_ANSWERS)
async def test_a_report_is_given_beside_its_commands_confirmation_and_not_twice(stage: Stage) -> None:
    async with stage.bot() as bot:
        post = await stage.says("what is a clew?")
        await stage.looks(post.thread, whole(1))
        command = MessageId(post.id)
        report = report_of(command, time.time())
        await bot.adapter.confirm(post.thread, command, "Begun.")
        for _ in range(2):
            await bot.adapter.confirm(post.thread, report, "Reported.\n\n- 1 of **these**")

        assert len(await stage.reads(post.thread, "Begun")) == 1
        assert len(await stage.reads(post.thread, "Reported")) == 1


@everywhere
async def test_a_thread_tells_its_past_oldest_first_and_without_signs_of_work(stage: Stage) -> None:
    gate = asyncio.Event()
    async with stage.bot() as bot:
        first = await stage.says("what is a clew?")
        await stage.looks(first.thread, whole(1))
        await stage.says("and a labyrinth?", thread=first.thread)
        await stage.looks(first.thread, whole(2))
        await stage.gives(Command.HELP, first.thread)
        stage.model.will(gate, *answer("i3", "Ariadne's friend"))
        last = await stage.says("who got out?", thread=first.thread)
        await stage.looks(first.thread, works)
        past = await bot.adapter.history(first.thread, before=MessageId(last.id), since=None)
        gate.set()
        hidden = await bot.store.never_told(first.thread)

    assert [(said.author is None, without_remarks(said.text)) for said in past if said.message_id not in hidden] == [
        (False, "what is a clew?"),
        (True, "answer 1 to what is a clew?"),
        (False, "and a labyrinth?"),
        (True, "answer 2 to and a labyrinth?"),
    ]


@everywhere
@pytest.mark.parametrize("said", [[], [HALF]], ids=["before a word", "half-way"])
async def test_of_a_stopped_answer_the_past_holds_what_was_said_and_no_more(stage: Stage, said: list[str]) -> None:
    async with stage.bot() as bot:
        stage.model.will(Created(InteractionId("i1")), *map(TextPiece, said), NEVER)
        thread = (await stage.says("go on and on")).thread
        await stage.looks(thread, lambda view: view.is_working and view.texts == said)
        await stage.gives(Command.STOP, thread)
        await bot.idle()
        last = await stage.says("and now?", thread=thread)
        past = await bot.adapter.history(thread, before=MessageId(last.id), since=None)
        hidden = await bot.store.never_told(thread)

    assert [one.text for one in past if one.message_id not in hidden] == ["go on and on", *said]


@everywhere
async def test_a_thread_that_gemini_forgot_is_told_again_with_its_files(stage: Stage) -> None:
    async with stage.bot():
        thread = (await stage.says("look", files=[CAT])).thread
        await stage.looks(thread, whole(1))
        stage.model.will(ContextLost("it has expired"))
        await stage.says("what was it?", thread=thread)
        view = await stage.looks(thread, whole(2))

    again = stage.model.asked[-1]
    assert again.text == "what was it?"
    assert isinstance(again.after, tuple)
    assert "look" in again.history
    assert "answer 1 to look" in again.history
    assert CAT_SEEN in [part for step in again.after if isinstance(step, UserStep) for part in step.content]
    assert view.texts[1] == "answer 3 to what was it?"


# --- closed doors, clean floors -------------------------------------------------------------------


@everywhere
async def test_nothing_the_model_says_notifies_anybody_or_makes_a_browser_do_anything(stage: Stage) -> None:
    pieces: Sequence[str] = [stage.harmful[start : start + 5] for start in range(0, len(stage.harmful), 5)]
    async with stage.bot():
        stage.model.will(Created(InteractionId("i1")), *map(TextPiece, pieces), *answer("i1", "")[2:])
        thread = (await stage.says(stage.harmful)).thread
        view = await stage.looks(thread, whole(1))

    assert view.texts != [""]
    assert stage.harm() == []


@everywhere
async def test_nothing_but_answers_is_left_behind(stage: Stage) -> None:
    async with stage.bot() as bot:
        thread = (await stage.says("one", files=[Upload("a.txt", "text/plain", b"a")])).thread
        await stage.looks(thread, whole(1))
        stage.model.will(Created(InteractionId("i2")), TextPiece(HALF), NEVER)
        await stage.says("two", thread=thread)
        await stage.looks(thread, lambda view: view.texts[1:] == [HALF])
        await stage.gives(Command.STOP, thread)
        await bot.idle()
        await stage.gives(Command.RETRY, thread)
        await stage.looks(thread, answered("answer 3 to two"))
        await stage.heard()
        view = await stage.looks(thread)

    assert await stage.left_over() == []
    assert view.texts == ["answer 1 to one\n[attachment a.txt]\n```\na\n```", "answer 3 to two"]
