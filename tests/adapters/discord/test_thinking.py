"""What the model thinks, in Discord: a small line where the words are to come, and nowhere after that."""

import asyncio

import pytest

from adapters.discord import faces, showing
from adapters.discord.format import render
from bot.answers import Answer, Stopped, Thought, ToolUse
from bot.errors import AnswerBlocked
from bot.messages import Turn
from bot.notices import notice_for
from tests.adapters.discord.answering import is_whole, saying, words
from tests.adapters.discord.replying import desk
from tests.support.discord import Shown, discord_server
from tests.support.discord_clew import clew_on

HOSTILE = "**@everyone <@{ada}> [free](https://evil.example) https://evil.example ||`x`||**"


def line(text: str) -> "Says":
    return Says(text)


class Says:
    """Whether the only message of an answer is this line."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __call__(self, seen: list[Shown]) -> bool:
        return [one.text for one in seen] == [self.text]


async def test_a_small_line_tells_the_newest_headline_and_the_tool_until_words_take_its_place() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        tool, compare, speak = asyncio.Event(), asyncio.Event(), asyncio.Event()
        clew.model.will(
            *saying(
                Thought("**Weighing the options**\n\nBoth."),
                tool,
                ToolUse("google_search"),
                compare,
                Thought("\n\n**Comparing**\n\nNearly."),
                speak,
                "Take the left one.",
            )
        )
        question = await discord.says("ada", "which one?")

        (first,) = await discord.shown(question, line("-# *Weighing the options…*"))
        tool.set()
        await discord.shown(question, line("-# *Searching the web…*"))
        compare.set()
        await discord.shown(question, line("-# *Comparing…*"))
        speak.set()
        (last,) = await discord.shown(question, is_whole)

    assert first.buttons == ("Stop",)
    assert words(last) == "Take the left one."
    assert last.id == first.id


async def test_a_stop_before_the_first_word_leaves_no_thought_behind() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying(Thought("**Weighing**"), asyncio.Event()))
        question = await discord.says("ada", "which one?")
        (growing,) = await discord.shown(question, line("-# *Weighing…*"))
        await discord.presses("ada", discord.button(growing.id, "Stop"))
        (shown,) = await discord.shown(question, is_whole)

    assert shown.text == faces.STOPPED


async def test_a_notice_takes_the_place_of_a_thought() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        gate, blocked = asyncio.Event(), AnswerBlocked("safety")
        clew.model.will(saying()[0], Thought("**Weighing**"), gate, blocked)
        question = await discord.says("ada", "something bad")
        await discord.shown(question, line("-# *Weighing…*"))
        gate.set()
        await discord.shown(question, line(notice_for(blocked)))


async def test_a_hostile_thought_names_nobody_and_leads_nowhere() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        gate = asyncio.Event()
        clew.model.will(*saying(Thought(HOSTILE.format(ada=discord.person("ada"))), gate, "Nothing."))
        question = await discord.says("ada", "think")
        (shown,) = await discord.shown(question, lambda seen: bool(seen) and seen[0].text.startswith("-# *"))
        gate.set()
        (last,) = await discord.shown(question, is_whole)

        assert discord.pings_by_bot() == []
    assert "\n" not in shown.text
    assert "evil" not in shown.text
    assert "@" not in shown.text
    assert words(last) == "Nothing."


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(tool="google_search"), id="a tool"),
        pytest.param(Answer(thoughts="**What is it?**"), id="a question"),
        pytest.param(Answer(thoughts="**" + "long " * 60 + "**"), id="a long line"),
        pytest.param(Answer(waits=True), id="a person"),
    ],
)
def test_the_line_is_known_for_what_it_is(answer: Answer) -> None:
    (text,) = showing.growing(answer)
    assert faces.is_sign(text)


@pytest.mark.parametrize("said", ["-# *Weighing…*", "-# *a*", "*Weighing…*"])
def test_no_words_of_the_model_are_taken_for_the_line(said: str) -> None:
    assert not faces.is_sign(render(said))


async def test_nothing_says_that_work_goes_on_while_somebody_is_waited_for() -> None:
    async with desk() as place:
        first, other = await place.asked("order it"), await place.asked("tell me")

        def typed(turn: Turn) -> int:
            calls = place.discord.calls_of("POST /channels/*/typing")
            return sum(call.params["channel"] == turn.thread.thread_id for call in calls)

        async with place.answering(first) as grown, place.answering(other):
            grown.waits(True)
            await place.discord.until(lambda: typed(other) == 3)
            assert typed(first) <= 1
            assert place.discord.replies(first.thread.thread_id) == []
            grown.draft.add(ToolUse("google_search"))
            grown.waits(False)
            await place.shown(first, "-# *Searching the web…*")
            grown.waits(True)
            await place.shown(first, "-# *Waiting for you…*")
            await grown.ends(Stopped(grown.draft.answer))
        (left,) = place.discord.replies(first.thread.thread_id)

    assert left.text == faces.STOPPED
