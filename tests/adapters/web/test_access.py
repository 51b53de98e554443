"""The page for hands, eyes and ears of every kind: keyboard, screen reader, phone, dark mode."""

import asyncio

from playwright.async_api import Browser, FilePayload, Locator, expect
from playwright.async_api import Page as Tab

from bot.answers import Created, TextPiece
from bot.errors import QuotaExhausted
from bot.limits import Limits
from bot.messages import InteractionId
from tests.support.browser import window
from tests.support.page import THREAD, Page, served_page
from tests.support.scripted import answer, completed

CREATED = Created(InteractionId("i1"))
RICH = (
    "# Title\n\nText with `code` and a [link](https://example.org).\n\n> quote\n\n"
    "```py\nx = 1\n```\n\n|a|b|\n|-|-|\n|1|2|"
)

UNNAMED = """
    () => [...document.querySelectorAll("button, a[href], input:not([hidden]), textarea, img, [role=img]")]
      .filter((it) => it.checkVisibility() && it.alt !== "")
      .filter((it) => !(it.getAttribute("aria-label") || it.textContent.trim() || it.alt || it.labels?.length))
      .map((it) => it.outerHTML)
"""

FOCUSED = """
    () => {
      const it = document.activeElement;
      return it === document.body ? "" : (it.ariaLabel || it.textContent).trim();
    }
"""

PALE = """
    () => {
      const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
      };
      const light = ([r, g, b]) => [r, g, b]
        .map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
      const ground = (it) => {
        for (; it; it = it.parentElement) {
          const color = rgba(getComputedStyle(it).backgroundColor);
          if (color[3] > 200) return color;
        }
        return [255, 255, 255];
      };
      const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const pale = [];
      while (words.nextNode()) {
        const it = words.currentNode.parentElement;
        const isSeen = it.checkVisibility({ visibilityProperty: true }) && !it.closest(":disabled");
        if (!words.currentNode.data.trim() || !isSeen) continue;
        const [a, b] = [light(rgba(getComputedStyle(it).color)), light(ground(it))].sort((x, y) => y - x);
        const contrast = (a + 0.05) / (b + 0.05);
        if (contrast < 4.5) pale.push(`${contrast.toFixed(2)} ${it.outerHTML.slice(0, 80)}`);
      }
      return pale;
    }
"""


def box(tab: Tab) -> Locator:
    return tab.get_by_role("textbox", name="Message")


async def full_page(page: Page, tab: Tab) -> None:
    """Open a thread that shows a bit of everything."""
    page.model.will(*answer("i1", RICH))
    page.model.will(QuotaExhausted("spent"))
    page.model.will(CREATED, TextPiece("Half"), asyncio.Event())
    await page.says("Show", files=[("notes.txt", "text/plain", b"x")])
    await page.turns(1)
    await page.says("Fail")
    await page.turns(2)
    await page.says("Talk")
    await tab.goto(f"{page.address}#{THREAD}")
    await expect(tab.get_by_text("Half")).to_be_visible()
    await tab.get_by_role("textbox", name="Message").fill("/help")
    await tab.get_by_role("button", name="Send").click()
    await expect(tab.locator("#note")).to_be_visible()
    await tab.locator("#files").set_input_files([FilePayload(name="a.txt", mimeType="text/plain", buffer=b"x")])


async def test_everything_that_can_be_used_has_a_name_and_can_be_read(browser: Browser) -> None:
    for dark in (False, True):
        async with served_page(limits=Limits()) as page, window(browser, dark=dark) as opened:
            tab = await opened.new_page()
            await full_page(page, tab)
            unnamed, pale = await tab.evaluate(UNNAMED), await tab.evaluate(PALE)

        assert unnamed == []
        assert pale == []


async def test_landmarks_and_headings_tell_where_one_is(browser: Browser) -> None:
    async with served_page(limits=Limits()) as page, window(browser) as opened:
        tab = await opened.new_page()
        await full_page(page, tab)
        for role, name in (("main", None), ("complementary", None), ("navigation", "Threads"), ("log", "Conversation")):
            await expect(tab.get_by_role(role, name=name)).to_have_count(1)  # type: ignore[arg-type]
        levels = await tab.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map((it) => it.tagName)")
        language = await tab.evaluate("document.documentElement.lang")

    assert levels.count("H1") == 1
    assert "H3" in levels, "an answer's title stands below the page's own"
    assert language == "en"


async def test_an_answer_is_read_out_once_and_not_with_every_frame(browser: Browser) -> None:
    gates = [asyncio.Event() for _ in range(5)]
    async with served_page(limits=Limits()) as page, window(browser) as opened:
        script = [cue for number, gate in enumerate(gates) for cue in (TextPiece(f"Piece {number}. "), gate)]
        page.model.will(CREATED, *script, completed("i1"))
        tab = await opened.new_page()
        await tab.goto(page.address)
        await tab.evaluate("""
            () => {
              window.heard = [];
              const listen = (changes) => changes.forEach((it) => window.heard.push(it.target.textContent));
              const live = document.querySelectorAll("[aria-live=polite], [role=status], [role=alert]");
              live.forEach((it) => new MutationObserver(listen).observe(it, { childList: true, subtree: true }));
            }
        """)
        await box(tab).fill("Talk")
        await box(tab).press("Enter")
        for number, gate in enumerate(gates):
            await expect(tab.get_by_text(f"Piece {number}")).to_be_visible()
            gate.set()
        await expect(tab.locator("#announcer")).to_contain_text("Piece 4.")
        heard = await tab.evaluate("window.heard")
        live = await tab.get_by_role("log").get_attribute("aria-live")

    assert [words for words in heard if "Piece" in words] == ["Clew: Piece 0. Piece 1. Piece 2. Piece 3. Piece 4."]
    assert "Clew is answering." in heard
    assert live == "off"


async def test_the_keyboard_alone_is_enough(browser: Browser) -> None:
    async with served_page() as page, window(browser) as opened:
        tab = await opened.new_page()
        await tab.goto(page.address)
        await expect(box(tab)).to_be_focused()
        await tab.keyboard.type("First line")
        await tab.keyboard.press("Shift+Enter")
        await tab.keyboard.type("second line")
        await tab.keyboard.press("Enter")
        await expect(tab.get_by_role("article", name="You")).to_have_text(
            "First line\nsecond line", use_inner_text=True
        )
        await expect(tab.get_by_role("button", name="Retry")).to_be_visible()
        await tab.evaluate("document.activeElement.blur()")
        reached = []
        for _ in range(20):
            await tab.keyboard.press("Tab")
            reached.append(await tab.evaluate(FOCUSED))
            outline = await tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            # The message box shows its focus on the frame around it.
            assert outline != "none" or reached[-1] in {"Message", ""}
        order = [name for name in dict.fromkeys(reached) if name]
        await tab.keyboard.press("Escape")
        await tab.locator(".skip").focus()
        await expect(tab.locator(".skip")).to_be_in_viewport()
        await tab.keyboard.press("Enter")
        await expect(box(tab)).to_be_focused()

    wanted = ["Skip to the message box", "New thread", "First line second line", "Reset", "Copy the answer", "Retry"]
    assert [name for name in order if name in wanted] == wanted
    assert order.index("Attach files") < order.index("Message")


async def test_enter_that_ends_a_composition_does_not_send(browser: Browser) -> None:
    pressed = """
        (isComposing) => document.querySelector("#composer").dispatchEvent(
          new KeyboardEvent("keydown", { key: "Enter", isComposing, bubbles: true, cancelable: true }))
    """
    async with served_page() as page, window(browser) as opened:
        tab = await opened.new_page()
        await tab.goto(page.address)
        await box(tab).fill("にほん")
        await tab.evaluate(pressed, True)
        await expect(box(tab)).to_have_value("にほん")
        await tab.evaluate(pressed, False)
        await expect(box(tab)).to_have_value("")
        await expect(tab.get_by_role("article", name="Clew")).to_contain_text("にほん")

    assert len(page.model.asked) == 1


async def test_a_phone_has_a_drawer_and_no_sideways_scrolling(browser: Browser) -> None:
    async with served_page(limits=Limits()) as page, window(browser, phone=True) as opened:
        tab = await opened.new_page()
        await full_page(page, tab)
        wide = await tab.evaluate("document.documentElement.scrollWidth - innerWidth")
        await expect(tab.get_by_role("button", name="New thread")).to_be_hidden()
        await tab.get_by_role("button", name="Show the list of threads").tap()
        await expect(tab.get_by_role("button", name="New thread")).to_be_in_viewport()
        await expect(tab.get_by_role("button", name="Close the list of threads")).to_be_focused()
        await tab.keyboard.press("Escape")
        await expect(tab.get_by_role("button", name="New thread")).to_be_hidden()
        await expect(tab.get_by_role("button", name="Show the list of threads")).to_be_focused()
        await tab.get_by_role("button", name="Show the list of threads").tap()
        await tab.get_by_role("button", name="New thread").tap()
        await expect(tab.get_by_role("article", name="Clew")).to_have_count(0)
        await box(tab).fill("One")
        await box(tab).press("Enter")
        await box(tab).press_sequentially("two")
        await expect(box(tab)).to_have_value("One\ntwo")
        await tab.get_by_role("button", name="Send").tap()
        await expect(tab.get_by_role("article", name="You")).to_have_text("One\ntwo", use_inner_text=True)

    assert wide == 0


async def test_reading_further_up_is_not_disturbed_by_an_answer(browser: Browser) -> None:
    gate, last = asyncio.Event(), asyncio.Event()
    async with served_page(limits=Limits()) as page, window(browser) as opened:
        page.model.will(*answer("i1", "\n\n".join(f"Line {number}" for number in range(60))))
        page.model.will(CREATED, TextPiece("Begins"), gate, TextPiece("\n\nGoes on" * 40), last, completed("i1"))
        tab = await opened.new_page()
        await tab.goto(f"{page.address}#{THREAD}")
        await box(tab).fill("Long")
        await box(tab).press("Enter")
        await expect(tab.get_by_text("Line 59", exact=True)).to_be_in_viewport()
        await box(tab).fill("Longer")
        await box(tab).press("Enter")
        await expect(tab.get_by_text("Begins")).to_be_in_viewport()
        await tab.get_by_text("Line 3", exact=True).scroll_into_view_if_needed()
        await expect(tab.get_by_role("button", name="Latest")).to_be_visible()
        before = await tab.evaluate("document.querySelector('#scroller').scrollTop")
        gate.set()
        await expect(tab.get_by_text("Goes on")).to_have_count(40)
        after = await tab.evaluate("document.querySelector('#scroller').scrollTop")
        await tab.get_by_role("button", name="Latest").click()
        await expect(tab.get_by_text("Goes on").last).to_be_in_viewport()
        await expect(tab.get_by_role("button", name="Latest")).to_be_hidden()
        last.set()

    assert before == after


async def test_the_dark_is_dark(browser: Browser) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    async with served_page() as page, window(browser) as light, window(browser, dark=True) as dark:
        shown = []
        for opened in (light, dark):
            tab = await opened.new_page()
            await tab.goto(page.address)
            shown.append(await tab.evaluate(ground))

    assert shown == ["rgb(252, 251, 248)", "rgb(26, 25, 23)"]


async def test_nothing_moves_for_those_who_do_not_want_it(browser: Browser) -> None:
    async with served_page(limits=Limits()) as page, window(browser) as opened:
        page.model.will(CREATED, asyncio.Event())
        tab = await opened.new_page()
        await tab.goto(page.address)
        await box(tab).fill("Talk")
        await box(tab).press("Enter")
        mark = tab.locator(".answer[aria-busy=true] > .mark")
        await expect(mark).to_be_visible()
        moves = await mark.evaluate("it => getComputedStyle(it).animationName")

    assert moves == "none"
