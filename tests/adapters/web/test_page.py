"""The page in a real browser: what a person sees and does."""

import asyncio
import re
import socket
from pathlib import Path

from playwright.async_api import Browser, FilePayload, Locator, Route, expect
from playwright.async_api import Page as Tab
from pydantic import SecretStr

from adapters.web.pages import About
from bot.answers import Created, Media, MediaKind, TextPiece, ToolUse
from bot.errors import QuotaExhausted
from bot.limits import Limits
from bot.messages import InteractionId
from tests.support.browser import window
from tests.support.page import THREAD, Page, Served, served_page
from tests.support.scripted import answer, completed

CREATED = Created(InteractionId("i1"))
PATIENT = Limits()
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763a8a9a90100024a0125d5d4c5f1"
    "0000000049454e44ae426082"
)


def box(tab: Tab) -> Locator:
    return tab.get_by_role("textbox", name="Message")


def log(tab: Tab) -> Locator:
    return tab.get_by_role("log")


def answers(tab: Tab) -> Locator:
    return tab.get_by_role("article", name="Clew")


def questions(tab: Tab) -> Locator:
    return tab.get_by_role("article", name="You")


async def say(tab: Tab, text: str) -> None:
    await box(tab).fill(text)
    await box(tab).press("Enter")


async def asked_one(page: Page, tab: Tab) -> None:
    """Have a conversation of one question."""
    await page.says("What is a clew?")
    await tab.goto(f"{page.address}#{THREAD}")
    await expect(answers(tab)).to_contain_text("answer 1 to What is a clew?")


# --- talking ---


async def test_a_question_is_answered_before_one_s_eyes(browser: Browser) -> None:
    first, last = asyncio.Event(), asyncio.Event()
    async with served_page(limits=PATIENT) as page, window(browser) as opened:
        page.model.will(CREATED, first, TextPiece("A ball of **thr"), last, TextPiece("ead**."), completed("i1"))
        tab = await opened.new_page()
        await tab.goto(page.address)
        await expect(tab.get_by_text("Pick up the thread")).to_be_visible()
        await say(tab, "What is a clew?")
        await expect(questions(tab)).to_have_text("What is a clew?")
        await expect(tab.get_by_text("Thinking")).to_be_visible()
        first.set()
        await expect(answers(tab)).to_contain_text("A ball of")
        await expect(tab.get_by_role("button", name="Stop the answer")).to_be_visible()
        last.set()
        await expect(answers(tab).locator("strong")).to_have_text("thread")
        await expect(tab.get_by_role("button", name="Stop the answer")).to_be_hidden()
        await expect(tab.get_by_role("heading", level=2, name="What is a clew?")).to_be_visible()
        await expect(tab.get_by_role("navigation", name="Threads").get_by_role("link")).to_have_text("What is a clew?")
        await expect(box(tab)).to_be_focused()
        await expect(box(tab)).to_have_value("")

    assert re.fullmatch(r".*/#[0-9a-f]{24}", tab.url)


async def test_a_reload_and_a_second_tab_show_the_same(browser: Browser) -> None:
    gate = asyncio.Event()
    async with served_page(limits=PATIENT) as page, window(browser) as opened:
        page.model.will(*answer("i1", "The first answer."))
        page.model.will(CREATED, TextPiece("The second"), gate, TextPiece(" answer."), completed("i1"))
        one = await opened.new_page()
        await one.goto(page.address)
        await say(one, "First?")
        await expect(answers(one)).to_contain_text("The first answer.")
        two = await opened.new_page()
        await two.goto(one.url)
        await say(two, "Second?")
        await one.reload()
        for tab in (one, two):
            await expect(answers(tab).nth(1)).to_contain_text("The second")
        gate.set()
        for tab in (one, two):
            await expect(answers(tab)).to_contain_text(["The first answer.", "The second answer."])
            await expect(tab.get_by_role("button", name="Retry")).to_be_visible()
        shown = [await log(tab).inner_text() for tab in (one, two)]

    assert shown[0] == shown[1]


async def test_a_second_question_waits_in_sight(browser: Browser) -> None:
    gate = asyncio.Event()
    async with served_page(limits=PATIENT) as page, window(browser) as opened:
        page.model.will(CREATED, ToolUse("google_search"), gate, TextPiece("One."), completed("i1"))
        tab = await opened.new_page()
        await tab.goto(page.address)
        await say(tab, "First?")
        await expect(tab.get_by_text("Searching the web")).to_be_visible()
        await say(tab, "Second?")
        await expect(tab.get_by_text("Waiting for the answer above")).to_be_visible()
        gate.set()
        await expect(answers(tab)).to_contain_text(["One.", "answer 2 to Second?"])


async def test_a_turn_that_failed_looks_like_a_notice_and_can_be_retried(browser: Browser) -> None:
    async with served_page() as page, window(browser) as opened:
        page.model.will(QuotaExhausted("spent"))
        tab = await opened.new_page()
        await tab.goto(page.address)
        await say(tab, "Fail")
        notice = tab.locator(".turn.notice")
        await expect(notice).to_contain_text("quota")
        plain, warned = (
            await log(tab).evaluate("it => getComputedStyle(it).backgroundColor"),
            await notice.locator(".body").evaluate("it => getComputedStyle(it).backgroundColor"),
        )
        await tab.get_by_role("button", name="Retry").click()
        await expect(answers(tab)).to_contain_text("answer 2 to Fail")
        await expect(notice).to_have_count(0)

    assert plain != warned


async def test_stop_by_button_and_by_key_keeps_what_was_said(browser: Browser) -> None:
    async with served_page(limits=PATIENT) as page, window(browser) as opened:
        for number in (1, 2):
            page.model.will(CREATED, TextPiece(f"As far as {number}"), asyncio.Event())
        tab = await opened.new_page()
        await tab.goto(page.address)
        await say(tab, "Talk")
        await expect(answers(tab)).to_contain_text("As far as 1")
        await tab.get_by_role("button", name="Stop the answer").click()
        await expect(answers(tab)).to_contain_text("Stopped.")
        await say(tab, "Talk more")
        await expect(answers(tab).nth(1)).to_contain_text("As far as 2")
        await box(tab).press("Escape")
        await expect(answers(tab)).to_contain_text(
            [re.compile("As far as 1.*Stopped", re.DOTALL), re.compile("2.*Stopped", re.DOTALL)]
        )


async def test_retry_replaces_the_last_answer(browser: Browser) -> None:
    async with served_page() as page, window(browser) as opened:
        page.model.will(*answer("i1", "The first try."))
        page.model.will(*answer("i2", "The second try."))
        tab = await opened.new_page()
        await tab.goto(page.address)
        await say(tab, "Try")
        await expect(answers(tab)).to_contain_text("The first try.")
        await tab.get_by_role("button", name="Retry").click()
        await expect(answers(tab)).to_contain_text("The second try.")
        await expect(questions(tab)).to_have_count(1)


async def test_reset_asks_first_and_then_forgets(browser: Browser) -> None:
    async with served_page() as page, window(browser) as opened:
        tab = await opened.new_page()
        await asked_one(page, tab)
        reset = tab.get_by_role("button", name="Reset")
        await reset.click()
        await tab.get_by_role("dialog").get_by_role("button", name="Keep it").click()
        await expect(answers(tab)).to_have_count(1)
        await reset.click()
        await tab.keyboard.press("Escape")
        await expect(tab.get_by_role("dialog")).to_be_hidden()
        await expect(answers(tab)).to_have_count(1)
        await reset.click()
        await tab.get_by_role("dialog").get_by_role("button", name="Reset").click()
        await expect(answers(tab)).to_have_count(0)
        await expect(tab.locator("#note")).to_contain_text("Gemini")
        await expect(reset).to_be_disabled()


async def test_new_threads_and_the_way_back(browser: Browser) -> None:
    async with served_page() as page, window(browser) as opened:
        tab = await opened.new_page()
        await asked_one(page, tab)
        await tab.get_by_role("button", name="New thread").click()
        await expect(answers(tab)).to_have_count(0)
        await say(tab, "Another thing")
        await expect(answers(tab)).to_contain_text("answer 2 to Another thing")
        threads = tab.get_by_role("navigation", name="Threads").get_by_role("link")
        await expect(threads).to_have_text(["Another thing", "What is a clew?"])
        await threads.nth(1).click()
        await expect(answers(tab)).to_contain_text("answer 1 to What is a clew?")
        await expect(threads.nth(1)).to_have_attribute("aria-current", "page")
        await tab.go_back()
        await expect(answers(tab)).to_contain_text("answer 2 to Another thing")


async def test_commands_are_typed_like_messages(browser: Browser) -> None:
    async with served_page() as page, window(browser) as opened:
        tab = await opened.new_page()
        await asked_one(page, tab)
        await say(tab, "/help")
        await expect(tab.locator("#note")).to_contain_text("/retry")
        await tab.get_by_role("button", name="Dismiss").click()
        await expect(tab.locator("#note")).to_be_hidden()
        await say(tab, "/reset")
        await expect(answers(tab)).to_have_count(0)
        await expect(questions(tab)).to_have_count(0)


# --- files ---


async def test_files_are_attached_by_button_by_drop_and_by_paste(browser: Browser) -> None:
    bring = """
        ([name, kind]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File(["hello"], name, { type: "text/plain" }));
          const target = document.querySelector("#composer");
          const told = kind === "paste"
            ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true })
            : new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true });
          target.dispatchEvent(told);
        }
    """
    async with served_page() as page, window(browser) as opened:
        tab = await opened.new_page()
        await tab.goto(page.address)
        async with tab.expect_file_chooser() as choosing:
            await tab.get_by_role("button", name="Attach files").click()
        pixel = FilePayload(name='my "pixel" ü.png', mimeType="image/png", buffer=PIXEL)
        wrong = FilePayload(name="wrong.txt", mimeType="text/plain", buffer=b"x")
        await (await choosing.value).set_files([pixel, wrong])
        await tab.evaluate(bring, ["dropped.txt", "dragenter"])
        await expect(tab.get_by_text("Drop files to attach them")).to_be_visible()
        await tab.evaluate(bring, ["dropped.txt", "drop"])
        await expect(tab.get_by_text("Drop files to attach them")).to_be_hidden()
        await tab.evaluate(bring, ["pasted.txt", "paste"])
        chips = tab.get_by_role("list", name="Attached files").get_by_role("listitem")
        await expect(chips).to_have_count(4)
        await tab.get_by_role("button", name="Remove wrong.txt").click()
        await expect(chips).to_contain_text(['my "pixel" ü.png', "dropped.txt", "pasted.txt"])
        await tab.get_by_role("button", name="Send").click()
        await expect(chips).to_have_count(0)
        await expect(questions(tab).get_by_role("link")).to_have_count(3)
        picture = questions(tab).get_by_role("img", name='my "pixel" ü.png')
        await expect(picture).to_be_visible()
        await expect(answers(tab)).to_contain_text("answer 1")
        width = await picture.evaluate("it => it.decode().then(() => it.naturalWidth)")
        async with tab.expect_download() as downloading:
            await questions(tab).get_by_role("link", name="pasted.txt").click()
        saved = await (await downloading.value).path()
        content = await asyncio.to_thread(Path(saved).read_bytes)

    assert width == 1
    assert content == b"hello"


async def test_too_large_a_file_is_refused_before_it_is_sent(browser: Browser) -> None:
    async with served_page(largest_file=1000) as page, window(browser) as opened:
        tab = await opened.new_page()
        await tab.goto(page.address)
        large = FilePayload(name="large.bin", mimeType="a/b", buffer=b"x" * 1001)
        await tab.locator("#files").set_input_files([large])
        await expect(tab.locator("#note")).to_contain_text("“large.bin” is larger than 1 kB.")
        await expect(tab.get_by_role("button", name="Send")).to_be_disabled()


async def test_a_picture_of_an_answer_is_shown(browser: Browser) -> None:
    async with served_page() as page, window(browser) as opened:
        page.model.will(CREATED, TextPiece("Here."), Media(MediaKind.IMAGE, "image/png", PIXEL), completed("i1"))
        tab = await opened.new_page()
        await tab.goto(page.address)
        await say(tab, "Draw")
        picture = answers(tab).get_by_role("img", name="Here. (image made by AI)")
        await expect(picture).to_be_visible()
        width = await picture.evaluate("it => it.decode().then(() => it.naturalWidth)")

    assert width == 1


# --- when something is wrong ---


async def test_what_was_not_sent_is_kept_and_sent_again_only_once(browser: Browser) -> None:
    async with served_page() as page, window(browser) as opened:
        tab = await opened.new_page()
        await asked_one(page, tab)
        page.inbox.is_full = True
        await say(tab, "Do not lose me")
        await expect(tab.get_by_role("alert")).to_contain_text("Not sent.")
        await tab.reload()
        await expect(tab.get_by_role("alert")).to_contain_text("Not sent.")
        page.inbox.is_full = False
        await tab.get_by_role("button", name="Send again").dblclick()
        await expect(answers(tab)).to_contain_text(["answer 1", "answer 2 to Do not lose me"])
        await expect(tab.get_by_role("alert")).to_have_count(0)
        await expect(questions(tab)).to_have_count(2)

    assert len(page.model.asked) == 2


async def test_what_was_not_sent_can_be_changed(browser: Browser) -> None:
    async with served_page() as page, window(browser) as opened:
        tab = await opened.new_page()
        await tab.goto(page.address)
        page.inbox.is_full = True
        await say(tab, "Almots right")
        await tab.get_by_role("button", name="Edit").click()
        await expect(box(tab)).to_have_value("Almots right")
        page.inbox.is_full = False
        await say(tab, "Almost right")
        await expect(questions(tab)).to_have_text("Almost right")


async def test_an_answer_that_was_lost_on_the_way_back_does_not_double_the_question(browser: Browser) -> None:
    async with served_page() as page, window(browser) as opened:
        tab = await opened.new_page()
        await tab.goto(page.address)

        async def lose(route: Route) -> None:
            await route.fetch()
            await route.abort()

        await tab.route("**/messages", lose)
        await say(tab, "Once")
        await expect(answers(tab)).to_contain_text("answer 1 to Once")
        await expect(questions(tab)).to_have_count(1)
        await expect(tab.get_by_role("alert")).to_have_count(0)


async def test_unsent_words_survive_a_reload(browser: Browser) -> None:
    async with served_page() as page, window(browser) as opened:
        tab = await opened.new_page()
        await asked_one(page, tab)
        await box(tab).fill("Half a thou")
        await tab.reload()
        await expect(box(tab)).to_have_value("Half a thou")


async def test_the_page_comes_back_when_the_bot_does(browser: Browser, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        served = Served(port=free.getsockname()[1])
    url = f"sqlite:///{tmp_path}/clew.db"
    async with window(browser) as opened:
        tab = await opened.new_page()
        async with served_page(served, url=url) as page:
            await asked_one(page, tab)
        await expect(tab.get_by_text("Connection lost")).to_be_visible()
        await say(tab, "Are you there?")
        await expect(tab.get_by_role("alert")).to_contain_text("could not be reached")
        async with served_page(served, url=url) as page:
            await expect(tab.get_by_text("Connection lost")).to_be_hidden(timeout=40_000)
            await tab.get_by_role("button", name="Send again").click()
            await expect(answers(tab)).to_contain_text(["answer 1 to What", "answer 1 to Are you there?"])


async def test_the_offline_model_says_so(browser: Browser) -> None:
    async with served_page(about=About("m", offline=True, version="1")) as page, window(browser) as opened:
        tab = await opened.new_page()
        await tab.goto(page.address)
        await expect(tab.get_by_text("Offline model: set GEMINI_API_KEY to talk to Gemini")).to_be_visible()


async def test_the_token_is_asked_for_once(browser: Browser) -> None:
    async with served_page(Served(token=SecretStr("open sesame please"))) as page, window(browser) as opened:
        tab = await opened.new_page()
        await tab.goto(page.address)
        await tab.get_by_label("Token").fill("wrong")
        await tab.get_by_label("Token").press("Enter")
        await expect(tab.get_by_role("alert")).to_contain_text("not the token")
        await tab.get_by_label("Token").fill("open sesame please")
        await tab.get_by_role("button", name="Open the page").click()
        await say(tab, "Hello?")
        await expect(answers(tab)).to_contain_text("answer 1 to Hello?")
        await tab.reload()
        await expect(answers(tab)).to_contain_text("answer 1 to Hello?")


# --- hostile words ---


async def test_nothing_that_is_said_runs_or_reaches_another_host(browser: Browser) -> None:
    hostile = (
        "<script>window.hit = 1</script><img src=x onerror='window.hit = 1'>\n\n"
        "![p](https://evil.example/p.png) [a](javascript:window.hit=1)\n\n<svg onload='window.hit = 1'>"
    )
    async with served_page() as page, window(browser) as opened:
        reached: list[str] = []
        opened.on("request", lambda request: reached.append(request.url))
        page.model.will(*answer("i1", hostile))
        tab = await opened.new_page()
        await tab.goto(page.address)
        await say(tab, hostile)
        await expect(answers(tab)).to_contain_text("<script>window.hit = 1</script>")
        await expect(questions(tab)).to_have_text(hostile, use_inner_text=True)
        await tab.reload()
        await expect(tab.locator("#title")).to_contain_text("<script>")
        await expect(answers(tab).get_by_role("link")).to_have_attribute("href", "https://evil.example/p.png")
        hit = await tab.evaluate("window.hit")

    assert hit is None
    assert {url for url in reached if not url.startswith(page.address)} == set()


async def test_code_is_copied_as_it_stands(browser: Browser) -> None:
    code = 'if a < b:\n    print("&amp;")\n'
    async with served_page() as page, window(browser) as opened:
        page.model.will(*answer("i1", f"So:\n\n```python\n{code}```"))
        tab = await opened.new_page()
        await tab.goto(page.address)
        await say(tab, "Show")
        await tab.get_by_role("button", name="Copy the code").click()
        await expect(tab.locator("#announcer")).to_have_text("Copied.")
        copied = await tab.evaluate("navigator.clipboard.readText()")
        await tab.get_by_role("button", name="Copy the answer").click()
        await expect(tab.get_by_role("button", name="Copy the answer")).to_have_class(re.compile("done"))
        whole = await tab.evaluate("navigator.clipboard.readText()")

    assert copied == code
    assert whole == f"So:\n\n```python\n{code}```"
