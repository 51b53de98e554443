"""Retry and Reset stand under the last answer of a thread and under no other."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.slack.budget import PER_MINUTE, Budget
from adapters.slack.last_answers import LastAnswers
from bot.answers import Answered
from bot.errors import AnswerBlocked
from bot.messages import InteractionId, MessageId, Turn, Usage
from bot.ports import Retried
from tests.adapters.slack.replying import Desk, desk
from tests.support.scripted import answer
from tests.support.slack import Hang, SaysError, Shown, SlackServer, Variants, slack_server
from tests.support.slack_clew import ALL_SCOPES, clew_on, until_logged

UPDATE = "chat.update"
BOTH = ["Retry", "Reset"]
LONG = "\n\n".join(f"Paragraph {number}. " + "thread " * 100 for number in range(20))  # two messages
TABLE = "## Sizes\n\n| a | b |\n|---|---|\n| 1 | **2** |\n\n---\n\n" + "And `more` & so on. " * 30


def buttons(shown: Shown) -> list[str]:
    return [button.text for button in shown.buttons]


def holding(*expected: list[str]) -> Callable[[list[Shown]], bool]:
    """Whether the bot's messages hold these buttons, each its own."""
    return lambda seen: [buttons(one) for one in seen] == list(expected)


async def asked(slack: SlackServer, text: str = "hello", *, channel: str = "general", ts: str | None = None) -> str:
    """Ada has asked something and was answered; the ts of her message."""
    async with until_logged("turn answered", by="bot.responder"):
        return await slack.says("ada", text, channel=channel, thread_ts=ts)


async def test_when_the_next_answer_stands_the_buttons_are_under_it_alone() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        clew.model.will(*answer("i1", TABLE))
        ts = await asked(slack)
        (before,) = await slack.shown("general", ts, holding(BOTH))
        await asked(slack, "and then?", ts=ts)
        first, second = await slack.shown("general", ts, holding([], BOTH))

        assert first.text == before.text
        assert first.blocks == before.blocks[:1]  # what was above the buttons, to the letter
        assert not first.is_marked_edited
        assert first.metadata == before.metadata
        assert "answer 2" in second.text
        await asked(slack, "and then?", ts=ts)
        shown = await slack.shown("general", ts, holding([], [], BOTH))
        assert shown[0] == first


async def test_at_the_top_level_of_a_direct_message_it_is_the_same() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        direct = slack.direct("ada")
        for _ in range(3):
            await asked(slack, channel=direct)

        await slack.shown(direct, condition=holding([], [], BOTH))


async def test_of_an_answer_in_several_messages_the_last_one_loses_its_buttons() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        clew.model.will(*answer("i1", LONG))
        ts = await asked(slack)
        before = await slack.shown("general", ts, holding([], BOTH))
        await asked(slack, "and then?", ts=ts)
        shown = await slack.shown("general", ts, holding([], [], BOTH))

    assert [one.text for one in shown[:2]] == [one.text for one in before]


async def test_threads_keep_their_buttons_apart() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        one, another = await asked(slack), await asked(slack)
        await asked(slack, "and then?", ts=another)
        await slack.shown("general", another, holding([], BOTH))

        assert [buttons(shown) for shown in slack.replies("general", one)] == [BOTH]


async def test_a_notice_takes_the_buttons_away_too() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts = await asked(slack)
        clew.model.will(AnswerBlocked("safety"))
        await slack.says("ada", "something bad", thread_ts=ts)
        shown = await slack.shown("general", ts, holding([], []))

    assert shown[0].text.startswith("answer 1 to hello")


async def test_after_a_retry_the_buttons_stand_under_the_new_answer_in_the_place_of_the_old_one() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        ts = await asked(slack)
        await asked(slack, "and then?", ts=ts)
        first, second = await slack.shown("general", ts, holding([], BOTH))
        async with until_logged("turn answered", by="bot.responder"):
            await slack.clicks(second.button("Retry"))
        shown = await slack.shown("general", ts, lambda seen: "answer 3" in seen[-1].text and bool(seen[-1].buttons))
        await asked(slack, "last one", ts=ts)
        after = await slack.shown("general", ts, holding([], [], BOTH))

    assert [one.ts for one in shown] == [first.ts, second.ts]
    assert shown[0] == first
    assert after[1].text == shown[1].text
    assert "answer 3 to and then?" in after[1].text


async def test_an_answer_that_slack_lets_nobody_edit_stays_and_its_old_button_says_what_it_works_on() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts = await asked(slack)
        (before,) = await slack.shown("general", ts, holding(BOTH))
        slack.faults.arm(UPDATE, SaysError("edit_window_closed"), times=None)
        async with until_logged("old buttons cannot be taken away"):
            await asked(slack, "and then?", ts=ts)
        first, _ = await slack.shown("general", ts, holding(BOTH, BOTH))
        told = await slack.clicks(first.button("Retry"))
        (whisper,) = await slack.whispered("ada")

        assert first == before
        assert told.error is None
        assert whisper.text.startswith("Retry works on the last answer of a thread")
        assert len(clew.model.asked) == 2


async def test_nothing_waits_until_old_buttons_are_gone() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        ts = await asked(slack)
        slack.faults.arm(UPDATE, Hang(), when=lambda call: "Retry" not in str(call.args))
        await asked(slack, "and then?", ts=ts)
        await slack.until(lambda: slack.faults.fired)
        await asked(slack, "and then?", ts=ts)
        other = await asked(slack, "elsewhere")

        assert [buttons(one) for one in slack.replies("general", ts)] == [BOTH, BOTH, BOTH]
        assert len(slack.replies("general", other)) == 1


# --- across a restart -------------------------------------------------------------------------


async def with_two_old_buttons(slack: SlackServer, url: str, *texts: str) -> str:
    """A thread with two answers, of which a process that died before it could has not cleared the first."""
    slack.faults.arm(UPDATE, SaysError("fatal_error", status=500), times=None)
    async with clew_on(slack, url=url, drain=0) as clew:
        for number, text in enumerate(texts, 1):
            clew.model.will(*answer(f"i{number}", text))
        ts = await asked(slack)
        await asked(slack, "and then?", ts=ts)
    slack.faults.disarm()
    assert [buttons(one) for one in slack.replies("general", ts)] == [BOTH, BOTH]
    return ts


async def test_buttons_that_a_dead_process_left_go_with_the_next_answer(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with slack_server(scopes=ALL_SCOPES) as slack:
        ts = await with_two_old_buttons(slack, url, TABLE, "short & sweet")
        before = slack.replies("general", ts)
        async with clew_on(slack, url=url):
            await asked(slack, "anybody here?", ts=ts)
            shown = await slack.shown("general", ts, holding([], [], BOTH))

    assert [one.text for one in shown[:2]] == [one.text for one in before]


async def test_a_text_that_is_not_certain_after_a_restart_is_never_put_back(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    # [5] Slack expands a markdown block into others, and so may tell it.
    async with slack_server(scopes=ALL_SCOPES, variants=Variants(keeps_markdown_blocks=False)) as slack:
        ts = await with_two_old_buttons(slack, url, TABLE, "short")
        long, _ = slack.replies("general", ts)
        async with clew_on(slack, url=url):
            await asked(slack, "anybody here?", ts=ts)
            # What notifications show of a short answer is all of it.
            shown = await slack.shown("general", ts, holding(BOTH, [], BOTH))
            await asked(slack, "and now?", ts=ts)
            shown = await slack.shown("general", ts, holding(BOTH, [], [], BOTH))

    assert shown[0] == long


async def test_a_thread_whose_history_begins_after_the_start_is_not_read_for_old_buttons() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        ts = await asked(slack)
        await asked(slack, "and then?", ts=ts)
        await slack.shown("general", ts, holding([], BOTH))

        assert not [call for call in slack.calls_of("conversations.replies") if call.args.get("inclusive") == "1"]


# --- what is remembered -----------------------------------------------------------------------


@asynccontextmanager
async def clearing(place: Desk, *, most: int = 500) -> AsyncIterator[LastAnswers]:
    """What takes buttons away, at work."""
    last = LastAnswers(place.calls, place.store, most=most)
    async with asyncio.TaskGroup() as group:
        work = group.create_task(last.run())
        yield last
        work.cancel()


async def answered(place: Desk, last: LastAnswers, text: str, *, ts: str | None = None) -> tuple[Turn, str]:
    """A turn, answered and ended; and the ts of its thread."""
    turn = await place.asked(thread_ts=ts)
    last.begins(turn)
    async with place.answering(turn) as grown:
        grown.says(text)
        await grown.reply.end(Answered(grown.draft.answer))
        await place.store.answered(turn, interaction=InteractionId(turn.id), usage=Usage(), model="scripted")
        held = grown.reply.held
    last.ended(turn, held)
    return turn, turn.thread.thread_id


async def test_what_did_not_work_is_tried_again_with_the_next_answer() -> None:
    async with desk(speed=400) as place, clearing(place) as last:
        _, ts = await answered(place, last, "One.")
        place.slack.faults.arm(UPDATE, SaysError("fatal_error", status=500), times=None)
        async with until_logged("old buttons left"):
            await answered(place, last, "Two.", ts=ts)
        place.slack.faults.disarm()
        await answered(place, last, "Three.", ts=ts)
        shown = await place.slack.shown("general", ts, holding([], [], BOTH))

    assert [one.text for one in shown] == ["One.", "Two.", "Three."]


async def test_a_thread_that_was_forgotten_meanwhile_is_read_again() -> None:
    async with desk() as place, clearing(place, most=1) as last:
        _, ts = await answered(place, last, "One.")
        await answered(place, last, "Elsewhere.")
        await answered(place, last, "Two.", ts=ts)
        shown = await place.slack.shown("general", ts, holding([], BOTH))

    assert [one.text for one in shown] == ["One.", "Two."]


async def test_an_old_answer_that_was_about_to_be_replaced_is_not_put_back() -> None:
    async with desk() as place, clearing(place) as last:
        turn, ts = await answered(place, last, "Old.")
        assert await place.store.retry(turn.thread, MessageId("retry")) is Retried.QUEUED
        claim = await place.store.claim(turn.thread)
        assert claim is not None
        last.begins(claim.turn)
        async with place.answering(claim.turn) as grown:
            grown.says("New, as far as it came.")
            await place.shown(turn, "New")
        await place.store.failed(claim.turn, notice="", tell=True)  # it could not even say so in the thread
        await answered(place, last, "Another.", ts=ts)
        other, there = await answered(place, last, "Elsewhere.")
        await answered(place, last, "Elsewhere, too.", ts=there)
        await place.slack.shown("general", there, holding([], BOTH))

        assert [one.text for one in place.replies(turn)] == ["New, as far as it came.", "Another."]
        assert other.thread != turn.thread


async def test_old_buttons_wait_until_more_room_is_left_than_is_promised_to_growing_answers() -> None:
    async with desk() as place:
        clock = place.slack.clock
        place.calls.budget = Budget(clock=clock.now, sleep=clock.sleep, per_minute={**PER_MINUTE, UPDATE: 3})
        promise = place.calls.budget.promise(UPDATE, UPDATE, UPDATE)
        assert promise is not None
        async with clearing(place) as last:
            turn, ts = await answered(place, last, "One.")
            await answered(place, last, "Two.", ts=ts)
            newest = place.replies(turn)[1].ts
            await place.calls.call("users.info", safe=True, user=turn.asker.id)  # what is not held back goes meanwhile
            promise.use(UPDATE)
            await place.calls.call(UPDATE, safe=True, channel=turn.thread.channel_id, ts=newest, text="Two, and more.")
            promise.release()
            await place.slack.shown("general", ts, lambda seen: not seen[0].buttons)

        assert [call.args["ts"] == newest for call in place.slack.calls_of(UPDATE)] == [True, False]
