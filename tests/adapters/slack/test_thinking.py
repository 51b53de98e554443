"""What the model thinks, in Slack: in the status line while there are no words, and nowhere after that."""

import asyncio
from itertools import pairwise

import pytest

from adapters.slack.status import THINKING, status_of
from bot.answers import Answer, Answered, Thought, ToolUse
from tests.adapters.slack.replying import desk
from tests.support.scripted import answer
from tests.support.slack import slack_server
from tests.support.slack_clew import ALL_SCOPES, clew_on

HOSTILE = "**<!channel> <@U1> @here [free](https://evil.example) https://evil.example**\n\n<!everyone>"


@pytest.mark.parametrize(
    ("told", "line"),
    [
        pytest.param(Answer(), THINKING, id="nothing told"),
        pytest.param(Answer(thoughts="**Weighing it**"), "is thinking: Weighing it", id="a headline"),
        pytest.param(Answer(tool="google_search"), "is searching the web…", id="a tool"),
    ],
)
def test_the_line_goes_on_from_the_bot_s_name(told: Answer, line: str) -> None:
    assert status_of(told) == line


async def test_the_status_line_tells_the_newest_headline_and_the_tool_and_goes_with_the_answer() -> None:
    async with desk() as place:
        turn = await place.asked()
        ts = turn.thread.thread_id

        async def until_it_says(words: str) -> None:
            await place.slack.until(lambda: place.slack.status("general", ts) == words)

        async with place.answering(turn) as grown:
            for event, words in (
                (Thought("**Weighing the options**\n\nBoth."), "is thinking: Weighing the options"),
                (ToolUse("google_search"), "is searching the web…"),
                (Thought("\n\n**Comparing**\n\n"), "is thinking: Comparing"),
            ):
                grown.draft.add(event)
                grown.reply.changed()
                await until_it_says(words)
            assert place.replies(turn) == []
            grown.says("Take the left one.")
            await grown.reply.end(Answered(grown.draft.answer))

        assert place.slack.status("general", ts) is None
        (shown,) = place.replies(turn)
        assert shown.text == "Take the left one."
        told = [status.at for status in place.slack.statuses if status.text]
        assert all(later - earlier >= 2.9 for earlier, later in pairwise(told))


async def test_thoughts_spend_nothing_that_answers_need() -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            for number in range(40):
                grown.draft.add(Thought(f"\n\n**Step {number}**\n\n"))
                grown.reply.changed()
                await asyncio.sleep(0)
            await place.slack.until(lambda: any("Step 39" in status.text for status in place.slack.statuses))
            grown.says("Done.")
            await grown.reply.end(Answered(grown.draft.answer))

        assert len(place.slack.statuses) <= 4
        assert not place.slack.calls_of("chat.update")


async def test_a_hostile_thought_names_nobody_and_leads_nowhere() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        gate = asyncio.Event()
        created, *rest = answer("i1", "Nothing happened.")
        clew.model.will(created, Thought(HOSTILE), gate, *rest)
        ts = await slack.says("ada", "think", channel="general", mention=True)

        status = await slack.until(lambda: next((one for one in slack.statuses if "thinking: " in one.text), None))
        gate.set()
        (shown,) = await slack.shown("general", ts)

    assert not set("<>") & set(status.text)
    assert "@" not in status.text
    assert "evil" not in status.text
    assert "evil" not in shown.text
    assert slack.pings == []
