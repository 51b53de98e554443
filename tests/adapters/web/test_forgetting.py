"""What the page does with a thread that is forgotten: its files go, and whoever looks at it reads what became of it."""

import asyncio

import pytest
from playwright.async_api import Browser, expect

from bot.confirmations import report_of
from bot.errors import InteractionLost, PlatformAway
from bot.messages import InteractionId, MessageId
from tests.adapters.web.test_page import answers, asked_one, say
from tests.support.browser import window
from tests.support.page import named, served_page

COMMAND = MessageId("forget-0001")
REPORT = report_of(COMMAND, 1_700_000_000)


async def test_what_is_forgotten_without_a_word_vanishes_from_open_pages_and_from_the_folder() -> None:
    async with served_page() as page, page.watched() as seen:
        await page.says("Remember this", files=[("secret.txt", "text/plain", b"42")])
        await seen.until(lambda it: it.states == ["answered"])
        held = page.lying()
        await page.store.forgetting.forget_old(before=10**12, most=1)
        await page.store.forgetting.deleted(named(), InteractionId("i1"))
        one = await page.store.forgetting.forgotten(named())
        assert one is not None
        assert await page.store.forgetting.erase(one, report="")
        await page.adapter.forgotten(named())
        await seen.until(lambda it: it.order == [] and it.threads == [])
        left = page.lying()

    assert len(held) == 1
    assert not left


async def test_a_report_is_told_to_the_pages_that_show_the_thread_and_to_no_other() -> None:
    async with served_page() as page, page.watched() as seen, page.watched("thread0002") as other:
        await seen.until(lambda it: bool(it.told))
        await page.adapter.confirm(named(), REPORT, "**Gone**, all of it")
        await page.adapter.confirm(named("thread0002"), REPORT, "Also gone")
        await seen.until(lambda it: ("said", "thread0001") in _said(it.told))
        await other.until(lambda it: bool(_said(it.told)))

    told = [told for name, told in seen.told if name == "said"]
    assert told == [{"thread": "thread0001", "said": "<p><strong>Gone</strong>, all of it</p>"}]
    assert _said(other.told) == [("said", "thread0002")]


def _said(told: list[tuple[str, dict[str, str]]]) -> list[tuple[str, str]]:
    return [(name, event["thread"]) for name, event in told if name == "said"]


async def test_a_report_waits_for_somebody_to_look_and_a_confirmation_for_nobody() -> None:
    async with served_page() as page:
        await page.adapter.confirm(named(), COMMAND, "Begun.")
        with pytest.raises(PlatformAway):
            await page.adapter.confirm(named(), REPORT, "Gone.")


async def test_whoever_forgets_a_thread_reads_first_that_it_has_begun_and_then_what_became_of_it(
    browser: Browser,
) -> None:
    async with served_page() as page, window(browser) as opened:
        tab = await opened.new_page()
        await asked_one(page, tab)
        page.model.will_not_delete("i1", InteractionLost("HTTP 403"))
        page.model.deletes = asyncio.Event()
        await say(tab, "/forget")
        await expect(tab.locator("#note")).to_contain_text("I forget this thread")
        await expect(answers(tab)).to_have_count(0)
        page.model.deletes.set()
        await expect(tab.locator("#note")).to_contain_text("I have forgotten this thread")
        await expect(tab.locator("#note").get_by_role("listitem")).to_have_text(
            "1 unknown to Gemini with the present key: expired, or made with another one"
        )
        await tab.get_by_role("button", name="Dismiss").click()
        await expect(tab.locator("#note")).to_be_hidden()
        await say(tab, "/help")
        await expect(tab.locator("#note")).to_contain_text("Ask me anything")
        await expect(tab.locator("#note")).not_to_contain_text("I have forgotten")
