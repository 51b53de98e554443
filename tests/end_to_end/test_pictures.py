"""A picture, from a command typed on the page to the eyes of whoever typed it, with the offline model for real."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.support.browser import open_browser, window
from tests.support.process import running_clew


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


async def test_a_picture_is_drawn_and_a_follow_up_draws_another_in_the_same_thread(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_clew(tmp_path) as clew, window(browser) as opened:
        tab = await opened.new_page()
        await tab.goto(clew.address)
        box = tab.get_by_role("textbox", name="Message")
        answers = tab.get_by_role("article", name="Clew")
        for number, text in enumerate(("/imagine a red kite", "/imagine at night", "What did I say before?")):
            await box.fill(text)
            await box.press("Enter")
            await expect(answers).to_have_count(number + 1, timeout=40_000)
            await expect(tab.get_by_role("button", name="Stop the answer")).to_be_hidden(timeout=40_000)
        pictures = answers.locator(".body figure img")
        await expect(pictures).to_have_count(2)
        await expect(answers.nth(1)).to_contain_text("I keep 1 earlier message of yours in mind")
        await expect(answers.nth(2)).to_contain_text("a red kite")
        seen = [
            await pictures.nth(number).evaluate("it => it.decode().then(() => [it.naturalWidth, it.alt])")
            for number in range(2)
        ]

    assert [width for width, _ in seen] == [96, 96]
    assert [alt for _, alt in seen] == ["a red kite (image made by AI)", "at night (image made by AI)"]
