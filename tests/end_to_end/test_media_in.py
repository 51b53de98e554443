"""Files of every kind, from somebody on each platform to Gemini, through the whole bot."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.attachments import TEXT_LIMIT
from bot.messages import Thread
from bot.offline import Call, ForgetFault, StallFault, UploadFault
from bot.offline.wire import JsonObject
from tests.end_to_end.scenes import Scene, everywhere
from tests.support.people.seen import Upload, View, whole

FILES = Path(__file__).parents[1] / "samples" / "files"
DAYS = 2 * 24 * 3600.0 + 1  # seconds; Gemini keeps a file for less
TOLD = "video of type video/mp4, 1.6 kB"
LINK = "https://example.com/a.png"
LINKS = [LINK, "https://example.com/b.pdf", "https://www.youtube.com/watch?v=dQw4w9WgXcQ"]
OFFICE = "application/vnd.openxmlformats-officedocument"
OPEN_DOCUMENT = "application/vnd.oasis.opendocument"

PICTURES = {
    "picture.png": "image/png",
    "picture.jpg": "image/jpeg",
    "picture.webp": "image/webp",
    "picture.heic": "image/heic",
    "picture.heif": "image/heif",
    "picture.gif": "image/gif",
    "picture.bmp": "image/bmp",
    "picture.tiff": "image/tiff",
}
SOUNDS = {
    "sound.wav": "audio/wav",
    "sound.mp3": "audio/mp3",
    "sound.mp2": "audio/mpeg",
    "sound.aiff": "audio/aiff",
    "sound.aac": "audio/aac",
    "sound.opus": "audio/ogg",
    "sound.flac": "audio/flac",
    "sound.m4a": "audio/m4a",
    "voice_clip.mp4": "audio/m4a",
    "voice_clip.webm": "audio/webm",
}
FILMS = {
    "film.mp4": "video/mp4",
    "film.mpeg": "video/mpeg",
    "film.mov": "video/mov",
    "film.avi": "video/avi",
    "film.flv": "video/x-flv",
    "film.webm": "video/webm",
    "film.wmv": "video/wmv",
    "film.3gp": "video/3gpp",
}
DOCUMENTS = {
    "page.pdf": "application/pdf",
    "letter.doc": "application/msword",
    "letter.docx": f"{OFFICE}.wordprocessingml.document",
    "template.dotx": f"{OFFICE}.wordprocessingml.template",
    "slides.ppt": "application/vnd.ms-powerpoint",
    "slides.pptx": f"{OFFICE}.presentationml.presentation",
    "table.xls": "application/vnd.ms-excel",
    "table.xlsx": f"{OFFICE}.spreadsheetml.sheet",
    "letter.odt": f"{OPEN_DOCUMENT}.text",
    "table.ods": f"{OPEN_DOCUMENT}.spreadsheet",
}
# What browsers and platforms say of them; what they are is told from the bytes.
TEXTS = (
    Upload("prices.csv", "text/csv", b"fruit,price\nfig,3\n"),
    Upload("main.py", "text/x-python", b"print('one fig')\n"),
    Upload("menu.txt", "text/plain", "Brötchen, Käse, crème brûlée\n".encode("latin-1")),
    Upload("haiku.txt", "text/plain", "古池や蛙飛び込む水の音\n".encode("utf-16")),
    Upload("long.log", "text/plain", b"one line\n" * (TEXT_LIMIT // 9) + b"the last word\n"),
)
RAW = Upload("call.ulaw", "audio/basic", bytes(range(256)) * 4)


def sample(name: str) -> Upload:
    """A file of the samples, of which nothing is said but its name."""
    return Upload(name, "application/octet-stream", (FILES / name).read_bytes())


FILM = sample("film.mp4")


def uploads(scene: Scene) -> int:
    """How many files Gemini was sent."""
    return sum(request.path == "/upload/v1/files" for request in scene.model.requests)


def asked_with(scene: Scene, words: str) -> list[JsonObject]:
    """All that the question with these words held, in its order."""
    for create in scene.model.creates:
        given: Any = create["input"]
        parts: list[JsonObject] = given[-1]["content"]
        if words in str(parts[0]["text"]):
            return parts
    raise AssertionError(f"nobody asked {words!r}")


def media_in(parts: Sequence[JsonObject]) -> dict[str, str]:
    """The types of the files in a question, by the names they are labelled with."""
    found: dict[str, str] = {}
    for label, part in pairwise(parts):
        if part["type"] != "text":
            name = str(label.get("text", "")).removeprefix("[attachment ").removesuffix("]")
            assert str(part["mime_type"]).startswith(f"{part['type']}/") or part["type"] == "document"
            found[name] = str(part["mime_type"])
    return found


@everywhere
async def test_every_kind_of_file_goes_to_gemini_as_what_its_bytes_say_it_is(scene: Scene) -> None:
    scene.model.files.polls = 0  # whatever is sent can be asked about at once
    groups = {"pictures": PICTURES, "sounds": SOUNDS, "films": FILMS, "documents": DOCUMENTS}
    async with scene.clew(GEMINI_MODEL="gemini-4-hydrogen", CLEW_LINKS="on"):
        threads: dict[str, Thread] = {}
        for name, files in groups.items():
            threads[name] = (await scene.people.says(f"these {name}", files=[sample(file) for file in files])).thread
        threads["texts"] = (await scene.people.says("these texts", files=[*TEXTS, RAW])).thread
        threads["links"] = (await scene.people.says(f"the links {' and '.join(LINKS)}")).thread
        seen = {name: await scene.people.looks(thread, _is_whole) for name, thread in threads.items()}

    for name, files in groups.items():
        assert media_in(asked_with(scene, f"these {name}")) == files
        assert [file for file in files if f"**{file}**" not in "\n".join(seen[name].texts)] == []
    told = "\n".join(str(part["text"]) for part in asked_with(scene, "these texts"))
    for words in ("fig,3", "print('one fig')", "Brötchen, Käse, crème brûlée", "古池や蛙飛び込む水の音"):
        assert words in told
    assert "[attachment long.log, cut: the first 200,000 of 200,012 characters]" in told
    assert "the last word" not in told
    assert "Left out `call.ulaw`: raw sound does not say how it is to be played." in "\n".join(seen["texts"].texts)
    assert [part.get("uri") for part in asked_with(scene, "the links")] == [None, *LINKS]


def _is_whole(view: View) -> bool:
    """However many messages it takes."""
    return bool(view.texts) and not view.is_working and "This is where our conversation begins." in view.texts[-1]


@everywhere
async def test_files_that_cannot_be_read_are_named_inside_the_answer_with_what_to_do(scene: Scene) -> None:
    scene.model.faults.arm(UploadFault())
    async with scene.clew(CLEW_INLINE_MB="1", CLEW_UPLOAD_MB="1"):
        files = [sample("letter.docx"), FILM, sample("picture.png")]
        thread = (await scene.people.says(f"compare {LINK} with these", files=files)).thread
        (text,) = (await scene.people.looks(thread, whole(1))).texts
        too_large = await _told_of_a_file_over_the_cap(scene)

    assert "Left out `letter.docx`: this model reads no Word files. Please attach a PDF." in text
    assert "Left out `film.mp4`: Gemini could not process it." in text
    assert media_in(asked_with(scene, "compare")) == {"picture.png": "image/png"}  # and no link
    assert uploads(scene) == 1
    assert "long.mp4" in too_large
    assert "1 MB" in too_large


async def _told_of_a_file_over_the_cap(scene: Scene) -> str:
    """The remark inside the answer. The page takes no such file in, and says so at once."""
    files = [Upload("long.mp4", "video/mp4", FILM.data + bytes(1_000_000))]
    if scene.name == "page":
        with pytest.raises(AssertionError, match="so nothing was sent") as refused:
            await scene.people.says("what is this?", files=files)
        return str(refused.value)
    post = await scene.people.says("what is this?", files=files)
    (text,) = (await scene.people.looks(post.thread, whole(1))).texts
    assert "Please attach a smaller one." in text
    return text


@everywhere
async def test_a_film_is_sent_once_used_again_and_sent_anew_after_its_48_hours(scene: Scene) -> None:
    people, gemini = scene.people, scene.model
    async with scene.clew():
        gemini.files.polls = 1_000_000
        thread = (await people.says("what is this?", files=[FILM])).thread
        await people.watches(thread, lambda words: "reading film.mp4" in words.lower())
        await gemini.received(1, method="GET", path="/v1/files/")  # which says PROCESSING
        gemini.files.polls = 0
        gemini.files.processed()
        await people.looks(thread, whole(1))
        gemini.faults.arm(ForgetFault())  # so that all is told again, the film included
        await people.says("recall what I sent", thread=thread)
        await people.looks(thread, whole(2))
        assert uploads(scene) == 1
        scene.clock.ahead = DAYS
        gemini.faults.arm(ForgetFault())
        await people.says("recall it once more", thread=thread)
        seen = await people.looks(thread, whole(3))

    assert [TOLD in text for text in seen.texts] == [True, True, True]
    assert uploads(scene) == 2


@everywhere
async def test_a_thread_goes_on_after_its_film_has_expired_whatever_gemini_says_of_that(scene: Scene) -> None:
    people, files = scene.people, scene.model.files
    files.polls = 0
    async with scene.clew():
        threads = [(await people.says("what is this?", files=[FILM])).thread for _ in range(3)]
        for thread in threads:
            await people.looks(thread, whole(1))
        scene.clock.ahead = DAYS
        texts, sent = list[str](), list[int]()
        for files.mind, thread in zip((None, 400, 403), threads, strict=True):
            before = uploads(scene)
            await people.says("recall what I sent", thread=thread)
            texts.append((await people.looks(thread, whole(2))).texts[1])
            sent.append(uploads(scene) - before)

    assert [TOLD in text for text in texts] == [True, True, True]
    assert sent == [0, 1, 1]  # where Gemini minds, all is told again


@everywhere
async def test_killed_with_films_on_their_way_it_sends_none_again_that_had_arrived(scene: Scene) -> None:
    people, gemini = scene.people, scene.model
    async with scene.clew() as clew:
        gemini.files.polls = 1_000_000
        gemini.faults.arm(StallFault(), on=Call.UPLOAD)
        broken = (await people.says("what was that?", files=[FILM])).thread
        await gemini.faults.stalled()
        arrived = (await people.says("what is this?", files=[FILM])).thread
        await gemini.received(1, method="GET", path="/v1/files/")
        clew.kill()
        await clew.ended()
    assert gemini.creates == []
    gemini.files.polls = 0
    gemini.files.processed()
    async with scene.clew():
        seen = [await people.looks(thread, whole(1)) for thread in (broken, arrived)]

    assert [TOLD in view.texts[0] for view in seen] == [True, True]
    assert uploads(scene) == 3
    assert len(gemini.creates) == 2
