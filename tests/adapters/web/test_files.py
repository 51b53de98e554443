"""Files on their way in, at rest, on their way out, and gone."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.web.events import LONGEST_NAME, read_file_name, read_mime_type
from adapters.web.files import Files
from bot.answers import Answered, Created, Draft, Media, MediaKind, TextPiece
from bot.errors import AttachmentUnreadable
from bot.messages import Attachment, AttachmentId, InteractionId, MessageId
from tests.support.page import THREAD, named, served_page
from tests.support.scripted import completed

PNG = b"\x89PNG\r\n\x1a\n"


async def test_a_file_without_words_is_a_message() -> None:
    async with served_page() as page:
        status, _ = await page.says("", files=[("a.png", "image/png", PNG)])
        (turn,) = await page.turns(1)

    (attachment,) = turn.messages[0].attachments
    assert status == 202
    assert (attachment.name, attachment.mime_type, attachment.size) == ("a.png", "image/png", len(PNG))


async def test_the_core_reads_the_bytes_that_were_sent() -> None:
    sent = os.urandom(700_000)
    async with served_page() as page:
        await page.says("Read", files=[("a.bin", "application/x-thing", sent)])
        (turn,) = await page.turns(1)
        (message,) = turn.messages
        pieces = [piece async for piece in page.adapter.download(message, message.attachments[0])]

    assert b"".join(pieces) == sent
    assert len(pieces) > 1, "never the whole file in memory"


async def test_a_file_that_is_gone_is_unreadable() -> None:
    async with served_page() as page:
        await page.says("Read", files=[("a.txt", "text/plain", b"a")])
        (turn,) = await page.turns(1)
        (page.files / THREAD / turn.messages[0].attachments[0].id).unlink()
        with pytest.raises(AttachmentUnreadable):
            [piece async for piece in page.adapter.download(turn.messages[0], turn.messages[0].attachments[0])]


@pytest.mark.parametrize("id_", ["../../etc/passwd", "..", "", "a" * 32 + "/.."])
async def test_only_ids_of_the_page_s_making_are_paths(id_: str) -> None:
    async with served_page() as page:
        await page.says("Read")
        (turn,) = await page.turns(1)
        with pytest.raises(AttachmentUnreadable):
            [piece async for piece in page.adapter.download(turn.messages[0], Attachment(AttachmentId(id_), "x"))]


# --- too much ---


async def test_a_file_over_the_cap_is_refused_and_leaves_nothing() -> None:
    async with served_page(largest_file=1_000_000) as page:
        fits, _ = await page.says("Fits", files=[("a.bin", "a/b", b"x" * 1_000_000)])
        status, told = await page.says("Large", files=[("ok.txt", "a/b", b"x"), ("big.bin", "a/b", b"x" * 1_000_001)])
        (turn,) = await page.turns(1)
        lying = page.lying()

    assert (fits, status) == (202, 413)
    assert told["error"] == "“big.bin” is larger than 1 MB, so nothing was sent."
    assert len(lying) == len(turn.messages[0].attachments) == 1


async def test_more_than_ten_files_are_refused_and_leave_nothing() -> None:
    async with served_page() as page:
        status, told = await page.says("Many", files=[(f"{number}.txt", "text/plain", b"x") for number in range(11)])
        lying = page.lying()

    assert (status, told) == (413, {"error": "A message may have 10 files."})
    assert not lying


async def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.bin"\r\n\r\n' + b"y" * 600_000
        raise ConnectionResetError

    async with served_page(files=tmp_path) as page, aiohttp.ClientSession() as session:
        url = f"{page.address}api/threads/{THREAD}/messages"
        with pytest.raises(aiohttp.ClientError):
            await session.post(url, data=half(), headers={"Content-Type": "multipart/form-data; boundary=x"})
        stored = await page.store.threads(page.adapter.platform)

    assert not stored
    assert not page.lying()


async def test_a_full_disk_is_told_in_a_sentence(tmp_path: Path) -> None:
    # A file where the folder should be: nothing can be written there.
    (tmp_path / "files").write_text("")
    async with served_page(files=tmp_path / "files") as page:
        status, told = await page.says("Save", files=[("a.txt", "text/plain", b"a")])

    assert status == 507
    assert "nothing was sent" in told["error"]


async def test_an_answer_whose_picture_cannot_be_saved_still_says_its_words(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("")
    async with served_page(files=tmp_path / "files") as page:
        picture = Media(MediaKind.IMAGE, "image/png", data=PNG)
        interaction = InteractionId("i1")
        page.model.will(Created(interaction), TextPiece("The words."), picture, completed(interaction))
        await page.says("Draw")
        (turn,) = await page.turns(1)

    assert turn.parts[0].text is not None
    assert turn.parts[0].text.startswith("The words.\n\n_A file of this answer could not be saved")


# --- names ---


@pytest.mark.parametrize(
    ("claimed", "shown"),
    [
        ("notes.txt", "notes.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\photo.png", "photo.png"),
        ("a\r\nSet-Cookie: x.txt", "a Set-Cookie: x.txt"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("  many   blanks .txt", "many blanks .txt"),
        ("日本語.txt", "日本語.txt"),
        ("<img src=x onerror=alert(1)>.png", "<img src=x onerror=alert(1)>.png"),
        ("", "file"),
        ("...", "file"),
        (None, "file"),
        ("x" * 300 + ".pdf", "x" * 108 + "….pdf"),
        ("bad\ud800.txt", "bad?.txt"),
    ],
)
def test_a_file_name_is_made_harmless_to_show(claimed: str | None, shown: str) -> None:
    assert read_file_name(claimed) == shown


@given(st.text(st.characters(codec=None)))
def test_no_file_name_is_long_empty_or_of_two_lines(claimed: str) -> None:
    name = read_file_name(claimed)

    assert 0 < len(name) <= LONGEST_NAME + 1
    assert len(name.splitlines()) == 1
    assert not {"/", "\\", "\0", "\u202e"} & set(name)
    name.encode()


@pytest.mark.parametrize(
    ("claimed", "read"),
    [
        ("image/png", "image/png"),
        ("Text/HTML; charset=utf-8", "text/html"),
        ("application/octet-stream", None),
        ("nonsense", None),
        ("a/b\r\nX: y", None),
        (None, None),
    ],
)
def test_a_claimed_type_is_repeated_only_when_it_is_one(claimed: str | None, read: str | None) -> None:
    assert read_mime_type(claimed) == read


# --- out ---


@pytest.mark.parametrize("mime_type", ["image/png", "image/jpeg", "audio/mpeg", "video/mp4"])
async def test_pictures_sounds_and_films_are_shown_in_place(mime_type: str) -> None:
    async with served_page() as page:
        await page.says("Keep", files=[("a", mime_type, PNG)])
        (turn,) = await page.turns(1)
        status, headers, body = await page.asks(f"api/threads/{THREAD}/files/{turn.messages[0].attachments[0].id}")

    assert (status, body) == (200, PNG)
    assert headers["Content-Type"] == mime_type
    assert headers["Content-Disposition"].startswith("inline;")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox;")


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("a.html", "text/html"),
        ("a.svg", "image/svg+xml"),
        ("a.pdf", "application/pdf"),
        ("a.js", "text/javascript"),
        ("a.xhtml", "application/xhtml+xml"),
        ("a.png", "text/html"),
    ],
)
async def test_whatever_could_run_is_only_ever_saved(name: str, mime_type: str) -> None:
    async with served_page() as page:
        await page.says("Keep", files=[(name, mime_type, b"<script>alert(1)</script>")])
        (turn,) = await page.turns(1)
        _, headers, _ = await page.asks(f"api/threads/{THREAD}/files/{turn.messages[0].attachments[0].id}")

    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment;")
    assert headers["Content-Security-Policy"].startswith("sandbox;")


async def test_a_hostile_name_stays_within_its_header() -> None:
    async with served_page() as page:
        head = 'Content-Disposition: form-data; name="files"; filename="ü%22; filename=%22evil.exe"'
        message = '{"id": "message-0001", "text": ""}'
        body = (
            f'--x\r\n{head}\r\n\r\na\r\n--x\r\nContent-Disposition: form-data; name="message"\r\n\r\n{message}\r\n--x--'
        )
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        await page.asks(f"api/threads/{THREAD}/messages", "POST", data=body.encode(), headers=headers)
        (turn,) = await page.turns(1)
        _, answered, _ = await page.asks(f"api/threads/{THREAD}/files/{turn.messages[0].attachments[0].id}")

    disposition = answered["Content-Disposition"]
    assert turn.messages[0].attachments[0].name == 'ü"; filename="evil.exe'
    assert disposition.count('"') == 2
    assert disposition.startswith('attachment; filename="')
    assert "filename*=UTF-8''%C3%BC" in disposition


async def test_a_film_can_be_wound_forward() -> None:
    async with served_page() as page:
        await page.says("Keep", files=[("a.mp4", "video/mp4", b"0123456789")])
        (turn,) = await page.turns(1)
        path = f"api/threads/{THREAD}/files/{turn.messages[0].attachments[0].id}"
        status, _, body = await page.asks(path, headers={"Range": "bytes=4-6"})

    assert (status, body) == (206, b"456")


async def test_a_file_of_another_thread_or_of_none_is_not_found() -> None:
    async with served_page() as page:
        await page.says("Keep", files=[("a.txt", "text/plain", b"a")])
        (turn,) = await page.turns(1)
        file = turn.messages[0].attachments[0].id
        await page.says("Other", thread="thread0002")
        (page.files / THREAD / ("0" * 32)).write_text("nobody's")
        paths = [
            f"thread0002/files/{file}",
            f"{THREAD}/files/{'1' * 32}",
            f"{THREAD}/files/{'0' * 32}",
            f"{THREAD}/files/..",
        ]
        statuses = [(await page.asks(f"api/threads/{path}"))[0] for path in paths]

    assert statuses == [404, 404, 404, 404]


# --- gone ---


async def test_files_that_nothing_refers_to_are_swept_at_the_start(tmp_path: Path) -> None:
    url, files = f"sqlite:///{tmp_path}/clew.db", tmp_path / "files"
    async with served_page(url=url, files=files) as page:
        await page.says("Keep", files=[("a.txt", "text/plain", b"a")])
        picture = Media(MediaKind.IMAGE, "image/png", data=PNG)
        page.model.will(Created(InteractionId("i2")), picture, completed("i2"))
        await page.says("Draw")
        await page.turns(2)
        kept = page.lying()
    left_behind = [files / THREAD / ("0" * 32), files / "thread9999" / ("1" * 32)]
    foreign = files / "Not ours" / "notes.txt"
    for path in [*left_behind, foreign]:
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    async with served_page(url=url, files=files) as page:
        lying = page.lying()

    assert len(kept) == 2
    assert lying == kept
    assert not (files / "thread9999").exists()
    assert foreign.exists()


async def test_a_file_on_its_way_is_not_swept_and_one_that_nobody_came_for_is(tmp_path: Path) -> None:
    async def none_wanted() -> frozenset[AttachmentId]:
        return frozenset()

    files = Files(tmp_path, cap=100)
    with files.arriving(named()) as arrival:
        attachment = await arrival.save("a.txt", None, _bytes(b"a"))
        await files.sweep(named(), none_wanted)
        on_its_way = files.path(named(), attachment.id)
        arrival.keep()
    at_rest = files.path(named(), attachment.id)
    await files.sweep(named(), none_wanted)

    assert on_its_way == at_rest == tmp_path / THREAD / attachment.id
    assert files.path(named(), attachment.id) is None
    assert not (tmp_path / THREAD).exists()


async def test_a_file_whose_message_is_stored_during_a_sweep_is_not_swept(tmp_path: Path) -> None:
    files = Files(tmp_path, cap=100)

    async def asked_too_early() -> frozenset[AttachmentId]:
        arrival.keep()  # stored after the store was asked, and at rest before the sweep goes on
        arriving.__exit__(None, None, None)
        return frozenset()

    arriving = files.arriving(named())
    arrival = arriving.__enter__()
    attachment = await arrival.save("a.txt", None, _bytes(b"a"))
    await files.sweep(named(), asked_too_early)

    assert files.path(named(), attachment.id) is not None


async def _bytes(data: bytes) -> AsyncIterator[bytes]:
    yield data


# --- the past ---


async def test_history_is_what_the_page_shows_above_a_message() -> None:
    never = asyncio.Event()
    async with served_page() as page, page.watched() as seen:
        await page.says("First", id_="question-1", files=[("a.txt", "text/plain", b"a")])
        await seen.until(lambda it: it.states == ["answered"])
        page.model.will(Created(InteractionId("i2")), TextPiece("Broken off"), never)
        await page.says("Second", id_="question-2")
        await seen.until(lambda it: "Broken off" in "".join(it.answers))
        await page.gives("stop")
        await seen.until(lambda it: it.states[-1:] == ["stopped"])
        page.model.will(ValueError("a bug"))
        await page.says("Third", id_="question-3")
        await seen.until(lambda it: it.states[-1:] == ["failed"])
        await page.says("Fourth", id_="question-4")
        await seen.until(lambda it: it.states[-1:] == ["answered"])
        past = await page.adapter.history(named(), before=MessageId("question-4"))

    said = [("you" if one.author else "Clew", one.text.split("\n")[0]) for one in past]
    assert said == [
        ("you", "First"),
        ("Clew", "answer 1 to First"),
        ("you", "Second"),
        ("Clew", "Broken off"),
        ("you", "Third"),
    ]
    assert [attachment.name for attachment in past[0].attachments] == ["a.txt"]


async def test_a_reply_that_is_opened_again_writes_over_what_the_first_attempt_showed() -> None:
    never = asyncio.Event()
    async with served_page() as page, page.watched() as seen:
        page.model.will(Created(InteractionId("i1")), TextPiece("..."), never)
        await page.says("Twice")
        await seen.until(lambda it: it.states == ["running"])
        (turn,) = await page.store.transcript(named())
        for text in ("the first", "the second"):
            draft = Draft()
            async with page.adapter.reply(turn, draft) as reply:
                draft.add(TextPiece(text))
                await reply.end(Answered(draft.answer))
            (turn,) = await page.store.transcript(named())

    assert [part.text for part in turn.parts] == ["the second"]
