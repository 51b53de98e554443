"""What is asked in Slack: asked once, and settled once, whoever else says something of the kind."""

from adapters.slack.approving import Approving
from bot.ports import Approval
from tests.adapters.slack.replying import desk, workspace_of

APPROVAL = Approval("a1b2", 0.0)


async def test_a_question_is_asked_and_settled_once() -> None:
    async with desk() as place:
        turn, approving = await place.asked(), Approving(place.calls, workspace_of(place.slack))
        await approving.settle(turn, APPROVAL, "Declined.")
        for _ in range(2):
            await approving.ask(turn, APPROVAL, "May I do this?")
        (asked,) = place.replies(turn)
        for words in ("Approved.", "Not done."):
            await approving.settle(turn, APPROVAL, words)
        (settled,) = place.replies(turn)

    assert [button.text for button in asked.buttons] == ["Approve", "Decline"]
    assert {button.value for button in asked.buttons} == {APPROVAL.name}
    assert not settled.buttons
    assert len(place.slack.calls_of("chat.update")) == 1
