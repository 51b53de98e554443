"""Pictures on the page: asked for by command, and shown where they came between the words."""

import aiohttp
from playwright.async_api import Browser, expect

from adapters.web.format import blocks_with
from bot.answers import Created, Media, MediaKind, TextPiece
from bot.evidence import Citation, CodeCall
from bot.marks import place_of, without_places
from bot.messages import Attachment, AttachmentId, InteractionId, MessageId
from tests.adapters.web.test_page import PIXEL, answers, say
from tests.support.browser import window
from tests.support.page import named, served_page
from tests.support.scripted import NEVER, completed

CREATED = Created(InteractionId("i1"))
KITE = Media(MediaKind.IMAGE, "image/png", PIXEL)
SONG = Media(MediaKind.AUDIO, "audio/wav", b"RIFF a song of kites")
FILE = Attachment(AttachmentId("ab" * 16), "image-1.png", "image/png")


async def test_of_an_answer_that_was_stopped_the_words_are_told_and_no_places_of_files() -> None:
    code = CodeCall("c1", "print(1)", "python")
    async with served_page() as page, page.watched() as seen:
        await page.says("Hello")
        await page.turns(1)
        more = (TextPiece("One."), KITE, TextPiece("Two."), code, Citation("https://e.example/", "E"))
        page.model.will(CREATED, *more, NEVER)
        await page.says("Draw and count")
        await seen.until(lambda it: "Two." in "".join(it.answers))
        await page.gives("stop")
        await page.turns(2)
        await page.says("And now?")
        await page.turns(3)

    told = page.model.asked[2].text
    assert "One.\n\nTwo.\n\n```python\nprint(1)\n```" in told
    assert "![]" not in told
    assert "e.example" not in told


async def test_a_wish_is_put_to_the_image_model_and_a_follow_up_changes_its_picture() -> None:
    async with served_page() as page:
        page.model.will(CREATED, TextPiece("Here it is."), KITE, completed("i1"))
        for number, text in enumerate(("/imagine a red kite", "/imagine at night", "What bird is it?"), 1):
            await page.says(text)
            await page.turns(number)

    assert [(asked.text, asked.after, asked.manner.model) for asked in page.model.asked] == [
        ("a red kite", None, "painter"),
        ("at night", "i1", "painter"),
        ("What bird is it?", "i2", None),
    ]


async def test_a_retry_keeps_the_wish() -> None:
    async with served_page() as page:
        await page.says("/imagine a red kite")
        await page.turns(1)
        await page.gives("retry")
        await page.model.heard(2)

    assert [asked.manner.model for asked in page.model.asked] == ["painter", "painter"]


async def test_files_are_told_with_their_place_and_with_what_they_are_of() -> None:
    async with served_page() as page, page.watched() as watched:
        page.model.will(CREATED, TextPiece("A kite:\n"), KITE, TextPiece("Its song:\n"), SONG, completed("i1"))
        await page.says("/imagine a kite that sings")
        await watched.until(lambda seen: seen.states == ["answered"])
        (turn,) = watched.turns.values()
        kite, song = turn["answer"]["files"]
        async with aiohttp.ClientSession() as session, session.get(f"{page.address}{kite['url'][1:]}") as response:
            data = await response.read()
        said = await page.adapter.history(named(), before=MessageId("later"))

    place = f'<figure class="placed" data-file="{kite["id"]}"></figure>'
    assert turn["answer"]["blocks"] == ["<p>A kite:</p>", place, "<p>Its song:</p>"]
    assert [(file["name"], file["alt"]) for file in (kite, song)] == [
        ("image-1.png", "A kite: (image made by AI)"),
        ("audio-2.wav", "Its song: (audio made by AI)"),
    ]
    assert data == PIXEL
    assert "attachment:" not in turn["answer"]["markdown"] + said[-1].text


async def test_a_picture_is_seen_between_the_words(browser: Browser) -> None:
    async with served_page() as page, window(browser) as opened:
        page.model.will(CREATED, TextPiece("A kite:\n"), KITE, TextPiece("And its song:\n"), SONG, completed("i1"))
        tab = await opened.new_page()
        await tab.goto(page.address)
        await say(tab, "/imagine a kite that sings")
        body = answers(tab).locator(".body")
        picture = body.get_by_role("img", name="A kite: (image made by AI)")
        await expect(picture).to_be_visible()
        assert await picture.evaluate("it => it.decode().then(() => it.naturalWidth)") == 1
        assert await body.evaluate("it => [...it.children].map((child) => child.localName)") == ["p", "figure", "p"]
        await expect(answers(tab).get_by_label("And its song: (audio made by AI)")).to_be_visible()
        await tab.reload()
        await expect(picture).to_be_visible()


async def test_a_file_too_large_for_the_page_is_told() -> None:
    async with served_page(largest_file=1000) as page:
        large = Media(MediaKind.IMAGE, "image/png", b"0" * 1001)
        page.model.will(CREATED, TextPiece("Large:"), large, TextPiece("Small:"), KITE, completed("i1"))
        await page.says("/imagine two")
        (turn,) = await page.turns(1)

    (part,) = turn.parts
    assert (part.text or "").startswith(
        "Large:\n\nSmall:\n\n_A file of this answer could not be saved: it is too large"
    )
    assert [file.name for file in part.attachments] == ["image-2.png"]


def test_no_words_of_the_model_are_taken_for_the_place_of_a_file() -> None:
    shown = blocks_with(f"{place_of(FILE)}\n\nWords", frozenset())
    assert "figure" not in "".join(shown)


def test_a_place_stands_between_blocks() -> None:
    assert blocks_with(f"One\n\n{place_of(FILE)}\n\nTwo", {FILE.id}) == (
        "<p>One</p>",
        f'<figure class="placed" data-file="{FILE.id}"></figure>',
        "<p>Two</p>",
    )


def test_places_are_nothing_to_copy() -> None:
    assert without_places(f"One\n\n{place_of(FILE)}\n\nTwo") == "One\n\nTwo"
