"""A person at the page, in a real browser, with a bot that is killed under them."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from bot.offline import Faults, SlowFault, offline_model
from tests.support.browser import open_browser, window
from tests.support.functions import MODULE
from tests.support.process import free_port, running_clew


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


def answers(tab: Page) -> Locator:
    return tab.get_by_role("article", name="Clew")


def questions(tab: Page) -> Locator:
    return tab.get_by_role("article", name="You")


async def say(tab: Page, text: str) -> None:
    box = tab.get_by_role("textbox", name="Message")
    await box.fill(text)
    await box.press("Enter")


async def answered(tab: Page, number: int) -> None:
    """Wait until *number* answers stand there and none is being given."""
    await expect(answers(tab)).to_have_count(number, timeout=40_000)
    await expect(tab.get_by_role("button", name="Stop the answer")).to_be_hidden(timeout=40_000)


async def test_three_turns_survive_a_kill_between_them_and_one_in_the_middle_of_an_answer(
    browser: Browser, tmp_path: Path
) -> None:
    port = {"WEB_PORT": str(free_port())}
    async with offline_model(faults=Faults(), pace=0.01) as model, window(browser) as opened:
        gemini = {"GEMINI_API_KEY": "test-key", "GEMINI_BASE_URL": model.url, **port}
        tab = await opened.new_page()

        async with running_clew(tmp_path, **gemini) as clew:
            await tab.goto(clew.address)
            await say(tab, "My name is Ada and I keep bees")
            await answered(tab, 1)
            clew.kill()
            await clew.ended()
            await expect(tab.get_by_text("Connection lost")).to_be_visible(timeout=40_000)

        async with running_clew(tmp_path, **gemini) as clew:
            await expect(tab.get_by_text("Connection lost")).to_be_hidden(timeout=40_000)
            model.faults.arm(SlowFault(0.05))
            await say(tab, "What goes into a hive?")
            await model.streaming(pieces=3, text="hive")
            clew.kill()
            await clew.ended()

        async with running_clew(tmp_path, **gemini):
            await expect(tab.get_by_text("Connection lost")).to_be_hidden(timeout=40_000)
            await answered(tab, 2)
            await say(tab, "Recall what I said")
            await answered(tab, 3)
            await expect(answers(tab).last).to_contain_text("My name is Ada and I keep bees")
            await expect(answers(tab).last).to_contain_text("What goes into a hive?")
            await tab.reload()
            await answered(tab, 3)
            await expect(questions(tab)).to_have_text(
                [re.compile("My name is Ada"), re.compile("What goes into a hive"), re.compile("Recall what I said")]
            )

    assert len(model.creates) == 3  # none of the three was bought twice


async def test_without_a_key_the_page_works_and_says_what_answers(browser: Browser, tmp_path: Path) -> None:
    async with running_clew(tmp_path) as clew, window(browser) as opened:
        tab = await opened.new_page()
        await tab.goto(clew.address)
        await expect(tab.get_by_text("set GEMINI_API_KEY to talk to Gemini")).to_be_visible()
        await tab.locator("#files").set_input_files(
            {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"the thread leads out of the labyrinth"}
        )
        await say(tab, "What is in this file?")
        await answered(tab, 1)

        await expect(answers(tab)).to_contain_text("offline model")
        await expect(answers(tab)).to_contain_text("notes.txt")
        await expect(answers(tab)).to_contain_text("the thread leads out of the labyrinth")


async def test_what_needs_approval_is_asked_shown_and_decided_by_buttons(browser: Browser, tmp_path: Path) -> None:
    async with running_clew(tmp_path, CLEW_FUNCTIONS=MODULE) as clew, window(browser) as opened:
        tab, other = await opened.new_page(), await opened.new_page()
        await tab.goto(clew.address)
        for number, (button, outcome) in enumerate({"Approve": "is on its way", "Decline": "has declined"}.items(), 1):
            await say(tab, 'call order with {"article": "<b>a kite</b> <img src=x>"}')
            await expect(answers(tab).last).to_contain_text('{"article": "<b>a kite</b> <img src=x>"}', timeout=40_000)
            await expect(tab.locator("#announcer")).to_contain_text("Clew asks: May I do this?")
            await other.goto(tab.url)
            asked = other.get_by_role("group", name="Needs your approval")
            await expect(asked).to_contain_text("a kite", timeout=40_000)
            await tab.get_by_role("button", name=button).press("Enter")
            await answered(tab, number)
            await expect(answers(tab).last).to_contain_text(outcome)
            await expect(tab.get_by_role("button", name=button)).to_be_hidden()
            await expect(asked).to_be_hidden(timeout=40_000)
            await expect(tab.get_by_role("textbox", name="Message")).to_be_focused()
            await expect(tab.locator("#note")).to_contain_text("Approved." if button == "Approve" else "Declined.")


async def test_code_that_ran_unfolds_and_sources_are_links(browser: Browser, tmp_path: Path) -> None:
    async with (
        running_clew(tmp_path, CLEW_TOOLS="google_search,code_execution") as clew,
        window(browser) as opened,
    ):
        tab = await opened.new_page()
        await tab.goto(clew.address)
        await say(tab, "run code please")
        await answered(tab, 1)
        code = answers(tab).last.get_by_text("total = sum(range(1, 11))")
        await expect(code).to_be_hidden()
        await answers(tab).last.get_by_text("Code that was run", exact=True).click()
        await expect(code).to_be_visible()
        await say(tab, "search for Zürich café")
        await answered(tab, 2)
        await expect(answers(tab).last.get_by_role("link", name="Zürich café – an example")).to_be_visible()
        await expect(answers(tab).last.get_by_role("link", name="Zürich café", exact=True)).to_be_visible()
