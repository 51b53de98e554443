"""Many questions at once: Slack's limits are kept before it has to refuse, and every answer is whole in time."""

import asyncio
import random

from bot.answers import Answered
from bot.messages import Turn
from tests.adapters.slack.replying import Desk, desk

QUESTIONS, CHANNELS = 50, 10


async def ask_and_answer(place: Desk, number: int, dice: random.Random) -> tuple[Turn, str]:
    channel = f"channel-{number % CHANNELS}"
    await place.slack.clock.sleep(dice.random() * 2)
    turn = await place.asked(f"question {number}", channel=channel)
    async with place.answering(turn) as grown:
        await place.slack.clock.sleep(1 + dice.random())
        for word in range(30):
            grown.says(f"answer {number} word {word}, ")
            await place.slack.clock.sleep(0.2 + dice.random() * 0.4)
        grown.says("the end.")
        await grown.reply.end(Answered(grown.draft.answer))
    return turn, grown.draft.answer.text


async def test_fifty_questions_at_once_have_fifty_whole_answers_within_a_minute_and_slack_refuses_nothing() -> None:
    dice = random.Random(7)  # noqa: S311 - seeded, so that a failing run can be run again
    async with desk(speed=8, limits=True) as place:
        for number in range(CHANNELS):
            place.slack.channel(f"channel-{number}")
        began = place.slack.clock.now()

        answers = await asyncio.gather(*(ask_and_answer(place, number, dice) for number in range(QUESTIONS)))

        took = place.slack.clock.now() - began
        for number, (turn, text) in enumerate(answers):
            shown = place.slack.replies(f"channel-{number % CHANNELS}", turn.thread.thread_id)
            assert [one.text for one in shown] == [text]
            assert [button.text for button in shown[0].buttons] == ["Retry", "Reset"]
        outcomes = {call.outcome for call in place.slack.calls}
        starts, appends = place.slack.calls_of("chat.startStream"), place.slack.calls_of("chat.appendStream")
        edits = place.slack.calls_of("chat.update")

    assert took < 60
    assert outcomes == {"ok"}, "the budget was there first"
    assert len(starts) >= 15, "what can be streamed is streamed"
    assert len(appends) >= 35
    assert len(edits) >= 40


async def test_answers_are_whole_even_when_somebody_else_uses_up_the_limits() -> None:
    dice = random.Random(8)  # noqa: S311 - seeded, so that a failing run can be run again
    async with desk(speed=16, limits=True) as place:
        for number in range(CHANNELS):
            place.slack.channel(f"channel-{number}")
        limits = place.slack.limits
        assert limits is not None
        # Half of everything is gone, and nothing told us.
        limits.per_minute.update({"chat.startStream": 10, "chat.stopStream": 10, "chat.appendStream": 50})
        limits.per_minute.update({"chat.update": 25})

        answers = await asyncio.gather(*(ask_and_answer(place, number, dice) for number in range(25)))

        for number, (turn, text) in enumerate(answers):
            shown = place.slack.replies(f"channel-{number % CHANNELS}", turn.thread.thread_id)
            assert [one.text for one in shown] == [text]
            assert [button.text for button in shown[0].buttons] == ["Retry", "Reset"]
