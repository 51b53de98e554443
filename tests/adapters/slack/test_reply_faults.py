"""Whatever breaks, and wherever a process dies: one whole answer stands in the thread, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.slack.growing import Pace
from adapters.slack.places import place_of
from bot.answers import Answer, Answered, Notice, Stopped
from bot.errors import PlatformAway
from bot.messages import MessageId, Part, Turn
from bot.ports import Store
from tests.adapters.slack.replying import Desk, at_desk, desk
from tests.support.slack import (
    CUT_JSON,
    HTML_PAGE,
    PLAIN_TEXT,
    ActThenDrop,
    Broken,
    DropBefore,
    Fault,
    Hang,
    SaysError,
    Slow,
    TooMany,
    Variants,
)

START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"
POST, UPDATE, READ = "chat.postMessage", "chat.update", "conversations.replies"
PACE = Pace(first=0.1, append=0.5, edit=0.5, unseen=0.5, sign=0.5, doubt=1.0)
WHOLE = "The clew is a ball of thread. It shows the way back."
STREAMS, EDITS = Variants(), Variants(streams_in=frozenset())

FAULTS: dict[str, Fault] = {
    "cut after it was done": ActThenDrop(),
    "cut before it was done": DropBefore(),
    "too many": TooMany(1),
    "too many, without a time": TooMany(None),
    "too many, for long": TooMany(20),
    "503": Broken(503),
    "502 after it was done": Broken(502, acts=True),
    "no answer": Hang(),
    "no answer, and done": Hang(acts=True),
    "plain text": PLAIN_TEXT,
    "a page": HTML_PAGE,
    "torn JSON": CUT_JSON,
    "internal error": SaysError("internal_error"),
    "late": Slow(4.0),
}
REFUSALS = [
    "message_not_in_streaming_state",
    "streaming_state_conflict",
    "streaming_mode_mismatch",
    "missing_recipient_team_id",
    "missing_recipient_user_id",
    "channel_type_not_supported",
    "invalid_thread_ts",
    "message_not_owned_by_app",
    "msg_blocks_too_long",
    "msg_too_long",
    "ratelimited",
    "rate_limited",
    "stopped_by_user",
]


async def answer(place: Desk, turn: Turn, *, words: str = WHOLE) -> None:
    """Answer a turn, a few words at a time."""
    said = words.split(" ")
    async with place.answering(turn, pace=PACE) as grown:
        for start in range(0, len(said), 3):
            grown.says(" ".join(said[start : start + 3]) + " ")
            await place.slack.clock.sleep(0.8)  # the model takes its time
        await grown.reply.end(Answered(Answer(words)))


def made(place: Desk, turn: Turn) -> int:
    """How many messages were ever begun for a turn, those that were taken away again included."""
    calls = [call for call in place.slack.calls if call.method in {START, POST} and call.has_acted]
    channel, thread_ts = place_of(turn.thread)
    return sum(call.args["channel"] == channel and call.args.get("thread_ts") == thread_ts for call in calls)


def assert_whole(place: Desk, turn: Turn, *, begun: int = 1) -> None:
    shown = place.replies(turn, turn.thread.channel_id)
    assert made(place, turn) == begun
    assert [one.text for one in shown] == [WHOLE]
    assert [button.text for button in shown[0].buttons] == ["Retry", "Reset"]
    assert shown[0].metadata is not None
    assert shown[0].metadata["event_payload"] == {"turn": turn.id, "part": 0}
    assert not shown[0].is_streaming


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("method", [START, APPEND, STOP, UPDATE])
async def test_a_stream_that_meets_a_fault_becomes_one_whole_answer(method: str, fault: Fault) -> None:
    async with desk() as place:
        place.slack.faults.arm(method, fault)
        turn = await place.asked()
        await answer(place, turn)

        assert place.slack.faults.fired
        assert_whole(place, turn)
        assert place.slack.status("general", turn.thread.thread_id) is None


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("method", [POST, UPDATE])
async def test_an_edited_post_that_meets_a_fault_becomes_one_whole_answer(method: str, fault: Fault) -> None:
    async with desk(variants=EDITS) as place:
        place.slack.faults.arm(method, fault)
        turn = await place.asked()
        await answer(place, turn)

        assert place.slack.faults.fired
        assert_whole(place, turn)


@pytest.mark.parametrize("code", REFUSALS)
@pytest.mark.parametrize("method", [START, APPEND, STOP])
async def test_every_refusal_of_a_stream_falls_back_without_the_reader_losing_a_word(method: str, code: str) -> None:
    async with desk() as place:
        place.slack.faults.arm(method, SaysError(code))
        turn = await place.asked()
        await answer(place, turn)

        assert place.slack.faults.fired
        assert_whole(place, turn)


@pytest.mark.parametrize("seed", range(6))
async def test_faults_everywhere_still_leave_one_whole_answer(seed: int) -> None:
    async with desk() as place:
        place.slack.faults.chaos(0.35, seed=seed)
        turn = await place.asked()
        await answer(place, turn)
        assert_whole(place, turn)


async def test_a_direct_message_whose_post_was_lost_on_the_way_back_is_answered_once() -> None:
    async with desk() as place:
        channel = place.slack.direct("ada")
        place.slack.faults.arm(POST, ActThenDrop())
        turn = await place.asked(channel=channel)
        await answer(place, turn)
        assert_whole(place, turn)
        assert place.slack.calls_of("conversations.history")


async def test_a_post_that_comes_through_late_does_not_stand_there_twice() -> None:
    async with desk(variants=EDITS) as place:
        # Slack takes longer than anybody listens, and does it all the same.
        place.slack.faults.arm(POST, Slow(30.0, acts_first=False))
        turn = await place.asked()
        async with place.answering(turn, pace=PACE) as grown:
            grown.says("The ")
            await place.slack.received(POST, 2)
            await place.slack.until(lambda: len(place.replies(turn)) == 2)
            await grown.reply.end(Answered(Answer(WHOLE)))
        assert_whole(place, turn, begun=2)


async def test_text_that_may_have_been_streamed_is_not_streamed_again() -> None:
    async with desk() as place:
        turn = await place.asked()
        place.slack.faults.arm(APPEND, ActThenDrop())
        async with place.answering(turn, pace=PACE) as grown:
            for word in ("One ", "two ", "three "):
                grown.says(word)
                await place.shown(turn, word.strip())
            assert [shown.text for shown in place.replies(turn)] == ["One two three"]


async def test_a_stream_that_may_have_begun_is_adopted_while_the_answer_grows() -> None:
    async with desk() as place:
        turn = await place.asked()
        place.slack.faults.arm(START, ActThenDrop())
        async with place.answering(turn, pace=PACE) as grown:
            grown.says("One ")
            await place.shown(turn, "One")
            grown.says("two ")
            adopted = await place.shown(turn, "One two")
            assert adopted.button("Stop").value == turn.id
            assert made(place, turn) == 1


async def test_a_stream_of_an_earlier_process_goes_on_as_an_edited_message() -> None:
    async with desk() as place:
        turn = await place.begun(await place.asked())
        async with at_desk(place.slack, place.store) as process, process.answering(turn, pace=PACE) as grown:
            grown.says("The clew ")
            begun = await process.shown(turn, "The clew")
            assert begun.is_streaming
        async with place.answering(await place.again(turn), pace=PACE) as grown:
            grown.says("The clew is a ball ")
            growing = await place.shown(turn, "The clew is a ball")
            assert growing.ts == begun.ts
            await grown.reply.end(Answered(Answer(WHOLE)))
        assert_whole(place, turn)


# --- a process dies ---------------------------------------------------------------------------


@asynccontextmanager
async def killed_at(place: Desk, turn: Turn, number: int, *, acted: bool) -> AsyncIterator[bool]:
    """Answer until the process dies in its call of that number; whether there was one."""
    begun = len(place.slack.calls)
    fault = Hang(acts=acted)
    place.slack.faults.arm("*", fault, skip=number)
    async with at_desk(place.slack, place.store) as process:
        answering = asyncio.ensure_future(answer(process, turn))
        fired = asyncio.ensure_future(place.slack.until(lambda: bool(place.slack.faults.fired) or None))
        await asyncio.wait({answering, fired}, return_when=asyncio.FIRST_COMPLETED)
        died = bool(place.slack.faults.fired)
        fired.cancel()
        if died:
            call = place.slack.faults.fired[0][0]
            await place.slack.until(lambda: call.outcome)
            answering.cancel()
        await asyncio.gather(answering, fired, return_exceptions=True)
    place.slack.faults.disarm()
    place.slack.faults.fired.clear()
    assert len(place.slack.calls) > begun
    yield died


@pytest.mark.parametrize("acted", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("variants", [STREAMS, EDITS], ids=["streams", "edits"])
async def test_a_process_that_dies_at_any_call_leaves_an_answer_that_the_next_one_finishes(
    variants: Variants, acted: bool
) -> None:
    number, died = 0, True
    async with desk(variants=variants) as place:
        while died:
            turn = await place.begun(await place.asked(f"question {number}"))
            async with killed_at(place, turn, number, acted=acted) as died:
                await answer(place, await place.again(turn))
                assert_whole(place, turn)
            number += 1
    assert number > 5


class Dying:
    """A store whose process dies at one of its writes, before or after it is done."""

    def __init__(self, store: Store, at: int, *, after: bool) -> None:
        self._store, self._left, self._after = store, at, after
        self.died = asyncio.Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def shown(self, turn: Turn, part: Part) -> None:
        self._left -= 1
        if self._left >= 0 or self._after:
            await self._store.shown(turn, part)
        if self._left < 0:
            self.died.set()
            await asyncio.Event().wait()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("variants", [STREAMS, EDITS], ids=["streams", "edits"])
async def test_a_process_that_dies_at_any_write_leaves_an_answer_that_the_next_one_finishes(
    variants: Variants, after: bool
) -> None:
    number, died = 0, True
    async with desk(variants=variants) as place:
        while died:
            turn = await place.begun(await place.asked(f"question {number}"))
            store = Dying(place.store, number, after=after)
            async with at_desk(place.slack, store) as process:  # type: ignore[arg-type]  # a store but for its end
                answering = asyncio.ensure_future(answer(process, turn))
                dying = asyncio.ensure_future(store.died.wait())
                await asyncio.wait({answering, dying}, return_when=asyncio.FIRST_COMPLETED)
                died = store.died.is_set()
                if died:
                    answering.cancel()
                dying.cancel()
                await asyncio.gather(answering, dying, return_exceptions=True)
            await answer(place, await place.again(turn))
            assert_whole(place, turn)
            number += 1
    assert number > 2


async def test_a_turn_that_is_taken_up_again_after_a_restart_shows_its_notice_in_place_of_what_was_there() -> None:
    async with desk() as place:
        turn = await place.begun(await place.asked())
        async with killed_at(place, turn, 3, acted=True):
            again = await place.again(turn)
            async with place.answering(again, pace=PACE) as grown:
                await grown.reply.end(Notice("That did not work."))
        assert [shown.text for shown in place.replies(turn)] == ["That did not work."]


@pytest.mark.parametrize("variants", [STREAMS, EDITS], ids=["streams", "edits"])
async def test_a_turn_stopped_after_a_restart_keeps_what_the_thread_shows_without_its_stop_button(
    variants: Variants,
) -> None:
    async with desk(variants=variants) as place:
        turn = await place.begun(await place.asked())
        async with at_desk(place.slack, place.store) as process, process.answering(turn, pace=PACE) as grown:
            grown.says("As far as this. ")
            assert (await process.shown(turn, "As far as this.")).button("Stop")
        async with place.answering(await place.again(turn), pace=PACE) as grown:
            await grown.reply.end(Stopped(grown.draft.answer))
        [kept] = place.replies(turn)
    assert kept.text == "As far as this."
    assert [button.text for button in kept.buttons] == ["Retry", "Reset"]
    assert not kept.is_streaming


async def test_the_reply_of_another_turn_is_never_taken_for_ones_own() -> None:
    async with desk() as place:
        first = await place.begun(await place.asked("first"))
        await answer(place, first)
        root = first.thread.thread_id
        second = await place.slack.says("ada", "second", thread_ts=root)
        await place.store.failed(first, notice="x", tell=False)
        turn = await place.taken(second, thread_ts=root)
        # A start is in doubt, and what stands after the question is a confirmation and an upload.
        await place.calls.call(
            POST,
            safe=False,
            channel=turn.thread.channel_id,
            thread_ts=root,
            text="I answer here.",
            metadata={"event_type": "clew_answer", "event_payload": {"command": "c1"}},
        )
        await place.uploader.upload(turn.thread, "a.txt", b"a", "text/plain", "mark")
        await place.slack.shown("general", root, whole=3)
        await place.store.shown(turn, Part(0, MessageId("streaming"), ""))
        await answer(place, await place.again(turn))
        texts = [shown.text for shown in place.replies(turn)]
    assert sorted(texts) == sorted([WHOLE, "I answer here.", "", WHOLE])


async def test_slack_being_away_for_a_while_only_delays_the_answer() -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn, pace=PACE) as grown:
            grown.says("The clew ")
            await place.shown(turn, "The clew")
            await place.slack.stop_listening()
            grown.says("is ")
            ending = asyncio.ensure_future(grown.reply.end(Answered(Answer(WHOLE))))
            await place.slack.clock.sleep(15)
            assert not ending.done()
            await place.slack.listen_again()
            await ending
        assert_whole(place, turn)


async def test_slack_being_away_for_long_is_told_and_the_next_attempt_finishes() -> None:
    async with desk(speed=100) as place:
        turn = await place.asked()
        await place.slack.stop_listening()
        with pytest.raises(PlatformAway):
            async with place.answering(turn, pace=PACE) as grown:
                await grown.reply.end(Answered(Answer(WHOLE)))
        await place.slack.listen_again()
        await answer(place, await place.again(turn))
        assert_whole(place, turn)
