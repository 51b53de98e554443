"""What is asked in Discord: asked once, and settled once, whatever else is asked there."""

from dataclasses import replace

from adapters.discord.approving import Approving
from bot.ports import Approval
from tests.adapters.discord.replying import desk

APPROVAL = Approval("a1b2", 0.0)


async def test_a_question_is_asked_and_settled_once_and_no_other_one_with_it() -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says("I look.")
            await place.shown(turn, "I look.")
        approving = Approving(place.calls, place.threads, me=place.discord.bot_user_id)
        await approving.settle(turn, APPROVAL, "Declined.")
        for name in ("a1b2", "a1b2", "c3d4"):
            await approving.ask(turn, replace(APPROVAL, name=name), f"May I do {name}?")
        for words in ("Approved.", "Not done."):
            await approving.settle(turn, APPROVAL, words)
        _, first, second = place.discord.replies(turn.thread.thread_id)

    assert (first.text, first.buttons) == ("-# May I do a1b2?\n-# Approved.", ())
    assert (second.text, second.buttons) == ("-# May I do c3d4?", ("Approve", "Decline"))
