"""What the model thinks, on the page: a closed fold over the growing answer, gone when that is whole."""

import asyncio

from playwright.async_api import Browser, expect

from bot.answers import Created, TextPiece, Thought, ToolUse
from bot.messages import InteractionId
from tests.adapters.web.test_page import answers, say
from tests.support.browser import window
from tests.support.page import served_page
from tests.support.scripted import completed

CREATED = Created(InteractionId("i1"))
HOSTILE = (
    "**<img src=x onerror=alert(1)> [free](javascript:alert(1))**\n\n"
    "<script>alert(1)</script> ![x](https://evil.example/x.png) **open"
)


async def test_thoughts_are_told_while_an_answer_is_made_and_not_after() -> None:
    gate = asyncio.Event()
    async with served_page() as page, page.watched() as watched:
        page.model.will(
            CREATED, Thought("**Weighing it**\n\nBoth sides."), gate, TextPiece("The left one."), completed("i1")
        )
        await page.says("Which one?")
        await watched.until(lambda seen: any(turn["answer"] for turn in seen.turns.values()))
        (turn,) = watched.turns.values()
        growing = turn["answer"]
        gate.set()
        await watched.until(lambda seen: seen.states == ["answered"])
        (turn,) = watched.turns.values()
        (stored,) = await page.turns(1)

    assert growing["thoughts"]["headline"] == "Weighing it"
    assert "".join(growing["thoughts"]["blocks"]) == "<p><strong>Weighing it</strong></p><p>Both sides.</p>"
    assert growing["blocks"] == []
    assert turn["answer"]["thoughts"] is None
    assert [part.text for part in stored.parts] == ["The left one."]


async def test_thoughts_that_did_not_change_are_not_told_again() -> None:
    more, last = asyncio.Event(), asyncio.Event()
    async with served_page() as page, page.watched() as watched:
        page.model.will(CREATED, Thought("**Weighing it**"), more, TextPiece("The left."), last, completed("i1"))
        await page.says("Which one?")
        await watched.until(lambda seen: any(turn["answer"] for turn in seen.turns.values()))
        before = len(watched.told)
        more.set()
        await watched.until(lambda seen: "The left." in "".join(seen.answers))
        told = [turn for name, event in watched.told[before:] if name == "turns" for turn in event["turns"]]
        last.set()

    assert told
    assert all("thoughts" not in turn["answer"] for turn in told)


async def test_hostile_thoughts_are_words_and_nothing_else() -> None:
    gate = asyncio.Event()
    async with served_page() as page, page.watched() as watched:
        page.model.will(CREATED, Thought(HOSTILE), gate, TextPiece("Nothing."), completed("i1"))
        await page.says("Think")
        await watched.until(lambda seen: any(turn["answer"] for turn in seen.turns.values()))
        (turn,) = watched.turns.values()
        gate.set()

    html = "".join(turn["answer"]["thoughts"]["blocks"])
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html


async def test_the_fold_is_closed_and_small_and_goes_with_the_end(browser: Browser) -> None:
    think, use, speak, end = (asyncio.Event() for _ in range(4))
    async with served_page() as page, window(browser) as opened:
        page.model.will(
            CREATED,
            think,
            Thought("**Weighing it**\n\nBoth *sides*."),
            use,
            ToolUse("google_search"),
            speak,
            TextPiece("The left one"),
            end,
            TextPiece("."),
            completed("i1"),
        )
        tab = await opened.new_page()
        await tab.goto(page.address)
        await say(tab, "Which one?")
        fold = answers(tab).locator("details")
        await expect(answers(tab)).to_contain_text("Thinking")
        await expect(fold).to_be_hidden()
        think.set()
        await expect(fold.locator("summary")).to_have_text("Weighing it")
        await expect(fold.get_by_text("Both sides.")).to_be_hidden()
        await fold.locator("summary").click()
        await expect(fold.locator("em")).to_have_text("sides")
        use.set()
        await expect(answers(tab)).to_contain_text("Searching the web")
        speak.set()
        await expect(answers(tab).locator(".body")).to_have_text("The left one")
        await expect(fold.locator("em")).to_be_visible()
        end.set()
        await expect(answers(tab).locator(".body")).to_have_text("The left one.")
        await expect(fold).to_be_hidden()
