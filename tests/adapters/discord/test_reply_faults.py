"""What goes wrong while an answer is shown in Discord, and what people see of that."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.discord.calls import DiscordClosed, Route
from bot.answers import Draft, Stopped
from bot.errors import PlatformAway
from bot.messages import Turn
from bot.ports import Store
from storage.sqlite import open_store
from tests.adapters.discord.answering import PICTURE, is_whole, saying, words
from tests.adapters.discord.replying import SPEED, Desk, at_desk, desk
from tests.support.discord import (
    ACT_THEN_502,
    CUT_JSON,
    HTML_PAGE,
    Broken,
    Call,
    Clock,
    DiscordServer,
    DropBefore,
    Fault,
    Hang,
    Kind,
    Permission,
    SaysError,
    Shown,
    Slow,
    TooMany,
    Variants,
    discord_server,
)
from tests.support.discord_clew import clew_on
from tests.support.slack_clew import until_logged

SHORT = "A clew is a ball of thread."
OPEN, POST = "POST /channels/*/messages/*/threads", "POST /channels/{channel}/messages"
EDIT, TYPING = "PATCH /channels/{channel}/messages/{message}", "POST /channels/*/typing"


async def answered(place: Desk, turn: Turn, *more: str) -> list[Shown]:
    """An answer that grows from piece to piece, and what stands there in the end."""
    async with place.answering(turn) as grown:
        grown.says("A clew is ")
        for piece in more or ("a ball of thread.",):
            await place.shown(turn, grown.draft.answer.text.strip())
            grown.says(piece)
        await grown.ends()
    return place.discord.replies(turn.thread.thread_id)


def texts(shown: list[Shown]) -> list[str]:
    return [one.text for one in shown]


# --- answers that are none, and calls that never end ----------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(HTML_PAGE, id="a page of HTML with 200"),
        pytest.param(replace(HTML_PAGE, acts=True), id="a page of HTML with 200, though it was carried out"),
        pytest.param(CUT_JSON, id="JSON that is cut short"),
        pytest.param(replace(CUT_JSON, acts=True), id="JSON that is cut short, though it was carried out"),
        pytest.param(Broken(200, "{}", "application/json", acts=True), id="JSON without an id"),
        pytest.param(Hang(), id="nothing at all"),
        pytest.param(Hang(acts=True), id="nothing at all, though it was carried out"),
        pytest.param(Slow(20.0), id="an answer that comes late"),
        pytest.param(Slow(20.0, acts_first=False), id="an answer and an effect that come late"),
        pytest.param(SaysError(130000), id="that it is overloaded"),
        pytest.param(SaysError(20028), id="that it was too much at the moment"),
        pytest.param(SaysError(20028, status=429), id="a 429 that the library takes for a ban"),
    ],
)
@pytest.mark.parametrize("route", [OPEN, POST, EDIT])
async def test_an_answer_of_discords_that_cannot_be_read_loses_and_doubles_nothing(route: str, fault: Fault) -> None:
    async with desk() as place:
        turn = await place.asked()
        place.discord.faults.arm(route, fault)

        shown = await answered(place, turn)

        assert texts(shown) == [SHORT]
        assert shown[0].buttons == ("Retry",)
        assert len(place.discord.faults.fired) == 1


@pytest.mark.parametrize("fault", [ACT_THEN_502, Broken(500)], ids=["502 after it was carried out", "500"])
async def test_what_the_library_repeats_is_shown_once(fault: Fault) -> None:
    async with desk(attempt=5.0) as place:
        turn = await place.asked()
        place.discord.faults.arm(POST, fault)

        assert texts(await answered(place, turn)) == [SHORT]


async def test_a_global_limit_that_is_waited_for_too_long_silences_nobody_for_good() -> None:
    async with desk() as place:
        first, second = await place.asked("one"), await place.asked("two")
        place.discord.faults.arm(POST, TooMany(retry_after=1000.0 / SPEED, scope="global"))

        shown = [await answered(place, first), await answered(place, second)]

        assert [texts(one) for one in shown] == [[SHORT], [SHORT]]


async def test_an_answer_that_cannot_be_shown_for_a_minute_is_left_to_another_attempt() -> None:
    async with desk() as place:
        turn = await place.asked()
        place.discord.faults.arm(POST, DropBefore(), times=None)
        async with place.answering(turn) as grown:
            grown.says(SHORT)
            with pytest.raises(PlatformAway):
                await grown.ends()
        place.discord.faults.disarm()

        shown = await answered(place, await place.again(turn))

        assert texts(shown) == [SHORT]


async def test_the_last_words_wait_for_a_frame_that_is_under_way() -> None:
    async with desk(limits=True) as place:  # else the library lets one call at a time through
        turn = await place.asked()
        place.discord.faults.arm(EDIT, Slow(4.0, acts_first=False), skip=1)
        async with place.answering(turn) as grown:
            for piece in ("A clew", " is"):
                grown.says(piece)
                await place.shown(turn, grown.draft.answer.text)
            grown.says(" a ball")
            await place.discord.until(lambda: len(place.discord.calls_of(EDIT)) == 2)
            grown.says(" of thread.")
            await grown.ends()
        await place.discord.received(EDIT, 3)

        assert texts(place.discord.replies(turn.thread.thread_id)) == [SHORT]


async def test_no_typing_sign_comes_after_the_words() -> None:
    async with desk() as place:
        turn = await place.asked()
        place.discord.faults.arm(TYPING, Slow(3.0, acts_first=False))
        async with place.answering(turn) as grown:
            await place.discord.until(lambda: place.discord.calls_of(TYPING))
            grown.says(SHORT)
            await grown.ends()
        await place.discord.received(TYPING)

        assert place.discord.typing(turn.thread.thread_id) is None


# --- what is closed or gone -----------------------------------------------------------------------


async def half_way(discord: DiscordServer, rest: asyncio.Event) -> str:
    question = await discord.says("ada", "what is a clew?")
    await discord.shown(question, lambda seen: "A clew is" in seen[0].text)
    return question


@asynccontextmanager
async def growing_answer() -> AsyncIterator[tuple[DiscordServer, str, asyncio.Event]]:
    """An answer of which one half can be seen, and the event at which the model tells the other."""
    async with discord_server() as discord, clew_on(discord) as clew:
        rest = asyncio.Event()
        clew.model.will(*saying("A clew is ", rest, "a ball of thread."))
        question = await half_way(discord, rest)
        yield discord, question, rest


async def test_when_the_thread_is_locked_meanwhile_the_asker_is_told_directly() -> None:
    async with growing_answer() as (discord, question, rest):
        await discord.locks(question)
        rest.set()

        (told,) = await discord.shown(discord.direct("ada"))

        assert "I cannot answer [your message]" in told.text
        assert texts(discord.replies(question)) == ["A clew is"]


async def test_when_the_thread_is_deleted_meanwhile_the_asker_is_told_directly() -> None:
    async with growing_answer() as (discord, question, rest):
        await discord.closes(question)
        rest.set()

        (told,) = await discord.shown(discord.direct("ada"))

        assert "the channel or the thread is gone" in told.text


async def test_when_the_bot_may_no_longer_write_the_asker_is_told_directly_and_nothing_is_tried_for_ever() -> None:
    async with growing_answer() as (discord, _, rest):
        discord.deny(Permission.VIEW_CHANNEL, channel="general")
        async with until_logged("turn failed", by="bot.responder"):
            rest.set()
            (told,) = await discord.shown(discord.direct("ada"))
        refused = [call for call in discord.calls if call.status == 403]

        assert "I may not see that channel" in told.text
        assert len(refused) <= 3


async def test_when_the_question_is_deleted_meanwhile_the_answer_is_finished_in_its_thread() -> None:
    async with growing_answer() as (discord, question, rest):
        await discord.deletes(question)
        rest.set()

        (shown,) = await discord.shown(question, is_whole)

        assert words(shown) == SHORT


async def test_when_the_question_in_a_voice_chat_is_deleted_the_answer_stands_by_itself() -> None:
    async with desk() as place:
        room = place.discord.channel("talk", kind=Kind.VOICE)
        turn = await place.asked(channel=room)
        await place.discord.deletes(turn.messages[0].id)

        (shown,) = await answered(place, turn)

        assert (shown.text, shown.reply_to) == (SHORT, None)


async def test_the_answer_to_a_question_that_was_deleted_stands_in_no_channel() -> None:
    async with desk() as place:
        turn = await place.asked()
        await place.discord.deletes(turn.messages[0].id)
        with pytest.raises(DiscordClosed):
            async with place.answering(turn) as grown:
                grown.says(SHORT)
                await grown.ends()

        assert place.discord.replies("general") == []
        assert place.discord.threads() == []


async def test_a_notice_that_is_refused_as_well_is_told_to_the_asker_directly() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying("Something rude."))
        discord.faults.arm("POST /channels/*/messages", SaysError(200000), times=None, when=in_a_thread)
        await discord.says("ada", "say something rude")

        (told,) = await discord.shown(discord.direct("ada"))

    assert "I cannot answer" in told.text


def in_a_thread(call: Call) -> bool:
    """Whether a call is not about the direct line that was opened since."""
    return "cannot answer" not in str(call.body)


async def test_a_post_that_was_asked_before_a_restart_is_answered_in_place(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with discord_server() as discord:
        forum = discord.channel("questions", kind=Kind.FORUM)
        discord.faults.arm("POST /channels/*/messages", Broken(503), times=None)
        async with clew_on(discord, url=url, drain=0.0):
            post = await discord.opens_post("ada", "Clews", f"<@{discord.bot_user_id}> what is a clew?", channel=forum)
            await discord.received("POST /channels/*/messages")
        discord.faults.disarm()

        async with clew_on(discord, url=url):
            (shown,) = await discord.shown(post, is_whole)

    assert shown.channel == post


async def test_an_answer_taken_away_is_not_followed_by_a_notice_when_it_is_stopped() -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says("A clew is")
            growing = await place.shown(turn, "A clew is")
            await place.discord.deletes(growing.id)
            await grown.ends(Stopped(Draft().answer))

        assert place.discord.replies(turn.thread.thread_id) == []


async def test_the_stop_button_goes_from_an_answer_whose_thread_was_archived() -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says("A clew is")
            await place.shown(turn, "A clew is")
            await place.discord.archives(turn.thread.thread_id)
            await grown.ends(Stopped(Draft().answer))

        (shown,) = place.discord.replies(turn.thread.thread_id)
        assert (shown.text, shown.buttons) == ("A clew is", ("Retry",))


async def test_a_shorter_answer_takes_the_place_of_a_longer_one_in_an_archived_thread() -> None:
    async with desk() as place:
        turn = await place.asked()
        long = "\n\n".join(f"Paragraph {number}. " + "thread " * 100 for number in range(6))
        async with place.answering(turn) as grown:
            grown.says(long)
            await grown.ends()
        assert len(place.discord.replies(turn.thread.thread_id)) == 3
        await place.discord.archives(turn.thread.thread_id)

        async with place.answering(await place.again(turn)) as grown:
            grown.says(SHORT)
            await grown.ends()

        assert texts(place.discord.replies(turn.thread.thread_id)) == [SHORT]


# --- what Discord will not take -------------------------------------------------------------------


async def test_where_files_may_not_be_attached_the_words_arrive_and_the_file_is_named() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying(SHORT, PICTURE))
        discord.deny(Permission.ATTACH_FILES, channel="general")
        question = await discord.says("ada", "draw a clew")

        (shown,) = await discord.shown(question, is_whole)

        assert SHORT in shown.text
        assert "is refused here" in shown.text


@pytest.mark.parametrize("status", [400, 413])
async def test_when_discord_finds_the_files_too_large_the_words_arrive_alone(status: int) -> None:
    async with desk() as place:
        turn = await place.asked()
        too_large = SaysError(40005, status=status)
        place.discord.faults.arm("*", too_large, times=None, when=lambda call: bool(call.uploads))
        async with place.answering(turn) as grown:
            grown.says(SHORT)
            grown.draft.add(PICTURE)
            await grown.ends()

        (shown,) = place.discord.replies(turn.thread.thread_id)
        assert shown.text.startswith(SHORT)
        assert "too large" in shown.text


async def test_without_its_file_a_long_answer_is_shown_to_its_end() -> None:
    text = "\n\n".join(f"Paragraph {number}. " + "thread " * 100 for number in range(20))
    async with desk() as place:
        turn = await place.asked()
        place.discord.deny(Permission.ATTACH_FILES, channel="general")
        async with place.answering(turn) as grown:
            grown.says(text)
            await grown.ends()

        shown = place.discord.replies(turn.thread.thread_id)
        assert len(shown) > 6
        assert "\n".join(texts(shown)).split()[: len(text.split())] == text.split()


async def test_an_answer_older_than_an_hour_is_replaced_by_a_new_message_and_waits_for_nothing() -> None:
    async with desk(limits=True) as place:
        turn = await place.asked()
        (old,) = await answered(place, turn)
        place.discord.clock.advance(3700)

        (new,) = await answered(place, await place.again(turn), "a ball ", "of yarn.")

        assert new.text == "A clew is a ball of yarn."
        assert new.id != old.id
        assert {call.outcome for call in place.discord.calls_of(EDIT)} == {"ok"}


async def test_when_a_message_was_edited_too_often_another_takes_its_place() -> None:
    async with desk() as place:
        turn = await place.asked()
        place.discord.faults.arm(EDIT, SaysError(30046))

        assert texts(await answered(place, turn)) == [SHORT]


# --- between two processes ------------------------------------------------------------------------


@asynccontextmanager
async def discord_and_store(**which: str) -> AsyncIterator[tuple[DiscordServer, Store]]:
    """What outlives a process."""
    clock = Clock(speed=SPEED)
    async with (
        open_store("sqlite:///:memory:", now=clock.now) as store,
        discord_server(clock=clock, variants=Variants(**which)) as discord,  # type: ignore[arg-type]
    ):
        yield discord, store


async def died_half_way(place: Desk, turn: Turn) -> str:
    """A reply of which a beginning is shown when its process ends; the message."""
    async with place.answering(turn) as grown:
        grown.says("A clew is")
        growing = await place.shown(turn, "A clew is")
        grown.reply.abandon()
    return growing.id


@pytest.mark.parametrize("deleted_nonce", ["10008", "creates"])
async def test_an_answer_deleted_before_it_was_written_down_is_posted_again_by_the_next_process(
    deleted_nonce: str,
) -> None:
    async with discord_and_store(deleted_nonce=deleted_nonce) as (discord, store):
        async with at_desk(discord, store) as first:
            turn = await first.asked()
            discord.faults.arm(POST, Hang(acts=True))
            await discord.deletes(await died_half_way(first, turn))
        async with at_desk(discord, store) as second:
            shown = await answered(second, await second.again(turn))

        assert texts(shown) == [SHORT]


async def test_a_beginning_that_was_not_written_down_is_gone_on_with_where_it_stands_minutes_later() -> None:
    async with discord_and_store() as (discord, store):
        async with at_desk(discord, store) as first:
            turn = await first.asked()
            discord.faults.arm(POST, Hang(acts=True))
            begun = await died_half_way(first, turn)
        discord.clock.advance(400)
        async with at_desk(discord, store) as second:
            shown = await answered(second, await second.again(turn))

        assert [(one.id, one.text) for one in shown] == [(begun, SHORT)]
        assert len(discord.calls_of(POST)) == 1


async def test_an_answer_deleted_while_nobody_ran_is_given_again_in_its_thread() -> None:
    async with discord_and_store() as (discord, store):
        async with at_desk(discord, store) as first:
            turn = await first.asked()
            async with first.answering(turn) as grown:
                grown.says("A clew is")
                await grown.ends()
            (whole,) = discord.replies(turn.thread.thread_id)
            await discord.deletes(whole.id)
        async with at_desk(discord, store) as second:
            shown = await answered(second, await second.again(turn))

        assert texts(shown) == [SHORT]
        assert discord.replies("general") == []


async def test_what_became_of_a_command_is_not_taken_for_an_answer() -> None:
    async with discord_and_store() as (discord, store):
        async with at_desk(discord, store) as first:
            turn = await first.asked()
            discord.faults.arm(POST, DropBefore(), times=None)
            async with first.answering(turn) as grown:
                grown.says("A clew is")
                await discord.received(POST)
                grown.reply.abandon()
            discord.faults.disarm()
            route = Route("POST", "/channels/{channel_id}/messages", channel_id=turn.thread.thread_id)
            await first.calls.call(route, safe=False, body={"content": "-# Stopped."})
        async with at_desk(discord, store) as second:
            shown = await answered(second, await second.again(turn))

        assert texts(shown) == ["-# Stopped.", SHORT]
