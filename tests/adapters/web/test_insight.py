"""The page: forget, history, usage and privacy, typed and asked for by a program."""

import pytest

from bot.commands import Command
from tests.support.page import served_page

WORDS = {
    Command.FORGET: "I forget this thread",
    Command.HISTORY: "Asked: What is a clew?",
    Command.USAGE: "1 answer, 3 tokens in, 5 out",
    Command.PRIVACY: "What is kept of this thread",
}
"""What each of the commands says."""


@pytest.mark.parametrize("command", list(WORDS))
async def test_each_is_typed_in_a_thread_and_answered_beside_the_conversation(command: Command) -> None:
    async with served_page() as page:
        await page.says("What is a clew?")
        await page.turns(1)
        status, told = await page.says(f"/{command}")
        asked = len(page.model.asked)
        _, again = await page.gives(command)

    assert status == 200
    assert WORDS[command] in told["said"]
    assert asked == 1, "the model is not told"
    assert again["said"]


async def test_history_is_of_the_open_thread_and_says_what_gemini_lost() -> None:
    async with served_page() as page:
        await page.says("What is a clew?")
        await page.turns(1)
        await page.says("Elsewhere", thread="thread0002")
        await page.turns(1, thread="thread0002")
        page.model.kept.clear()
        _, told = await page.gives("history")

    assert "1 turn in this thread" in told["said"]
    assert "Gemini does not know it any more" in told["said"]
    assert "Elsewhere" not in told["said"]


async def test_what_the_model_wrote_is_shown_as_text_and_does_nothing() -> None:
    async with served_page() as page:
        await page.says("<img src=x onerror=alert(1)> [here](javascript:alert(1)) ![there](https://evil.example/x.png)")
        await page.turns(1)
        _, told = await page.gives("history")

    assert "<img" not in told["said"]
    assert "<a " not in told["said"]
    assert "&lt;img src=x" in told["said"]


async def test_a_turn_of_a_history_is_told_in_lines() -> None:
    async with served_page() as page:
        await page.says("What is (a) clew? [image]")
        await page.turns(1)
        _, told = await page.gives("history")

    assert "<br />\nAsked: What is (a) clew? [image]<br />\nAnswered:" in told["said"]


async def test_usage_of_the_page_is_of_all_its_threads() -> None:
    async with served_page() as page:
        for thread in ("thread0001", "thread0002"):
            await page.says("Hello", thread=thread)
            await page.turns(1, thread=thread)
        _, told = await page.gives("usage")

    assert "2 answers, 6 tokens in, 10 out" in told["said"]
    assert "no price known" in told["said"], "of a model that is on no list"
