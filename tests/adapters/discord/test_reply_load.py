"""Many answers at once, with Discord's limits enforced: every one of them is whole in time."""

import asyncio
import random
from statistics import median

from tests.adapters.discord.answering import words
from tests.adapters.discord.replying import Desk, desk
from tests.support.discord import Call, Limits, Permission, Shown, Slow

QUESTIONS, STREAMS = 50, 10
EDIT = "PATCH /channels/{channel}/messages/{message}"


async def ask_and_answer(place: Desk, number: int, dice: random.Random) -> tuple[str, list[Shown]]:
    await place.discord.clock.sleep(dice.random() * 2)
    turn = await place.asked(f"question {number}", channel=f"channel-{number:02d}")
    async with place.answering(turn) as grown:
        await place.discord.clock.sleep(1 + dice.random())
        for word in range(12):
            grown.says(f"answer {number} word {word}, ")
            await place.discord.clock.sleep(0.3 + dice.random())
        grown.says("the end.")
        await grown.ends()
    return grown.draft.answer.text, place.discord.replies(turn.thread.thread_id)


async def test_fifty_questions_within_two_seconds_have_fifty_whole_answers_that_grew() -> None:
    dice = random.Random(7)  # noqa: S311 - seeded, so that a failing run can be run again
    async with desk(speed=4, limits=True, attempt=10.0) as place:
        for number in range(QUESTIONS):
            place.discord.channel(f"channel-{number:02d}")
            place.discord.person(f"person-{number:02d}")

        answers = await asyncio.gather(*(ask_and_answer(place, number, dice) for number in range(QUESTIONS)))

        refused = [call for call in place.discord.calls if call.status == 429]
        edits = place.discord.calls_of(EDIT)
    for text, shown in answers:
        assert [(one.text, one.buttons) for one in shown] == [(text, ("Retry",))]
    assert len(edits) > 4 * QUESTIONS
    assert len(refused) < QUESTIONS, "of 10,000 that Discord counts"


async def test_ten_answers_in_one_channel_share_its_edits_and_none_of_them_waits_for_frames_at_its_end() -> None:
    overlapping: list[str] = []
    finals: list[int] = []  # how many edits went before the last one of an answer, once it was wanted

    async with desk(speed=8, limits=Limits(everything=None), attempt=20.0) as place:
        discord = place.discord
        discord.deny(Permission.CREATE_PUBLIC_THREADS, channel="general")

        def is_noticed(call: Call) -> bool:
            message = call.params["message"]
            under_way = [one for one in discord.calls_of(EDIT) if one.outcome is None and one is not call]
            overlapping.extend(message for one in under_way if one.params["message"] == message)
            return True

        discord.faults.arm(EDIT, Slow(0.4), times=None, when=is_noticed)
        enough = asyncio.Event()

        async def stream(number: int) -> tuple[str, str]:
            turn = await place.asked(f"question {number}")
            async with place.answering(turn) as grown:
                for word in range(1000):
                    grown.says(f"{number}-{word} ")
                    await discord.clock.sleep(0.5)
                    if enough.is_set() and len(finals) == number:
                        break
                grown.says("the end.")
                before = len(discord.calls_of(EDIT))
                await grown.ends()
                finals.append(len(discord.calls_of(EDIT)) - before)
            return turn.messages[0].id, grown.draft.answer.text

        async with asyncio.TaskGroup() as group:
            streams = [group.create_task(stream(number)) for number in range(STREAMS)]
            await discord.received(EDIT, 2 * STREAMS)
            enough.set()
        told = dict(task.result() for task in streams)
        shown = discord.replies("general")
        refused = [call for call in discord.calls if call.status == 429]
        frames = {call.params["message"] for call in discord.calls_of(EDIT)}

    assert {one.reply_to: words(one) for one in shown} == told
    assert [one.buttons for one in shown] == [("Retry",)] * STREAMS
    assert overlapping == []
    assert len(frames) == STREAMS, "all of them grew"
    assert median(finals) <= 2, finals  # one of them may be overtaken on its way by frames that were under way
    assert len(refused) <= 2
