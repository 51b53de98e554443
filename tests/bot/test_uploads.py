"""Files too large for a request, and films, on their way to Gemini: over the disk, in pieces, once."""

import asyncio
import os
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.answers import Completed, Media, MediaKind, Text, TextPiece
from bot.attachments import Enclosure, Intake, read_attachments
from bot.errors import (
    AttachmentTooLarge,
    AttachmentUnreadable,
    AttachmentUnsupported,
    FileLost,
    KeyRejected,
    ModelError,
    ModelUnavailable,
    Unreadable,
)
from bot.gemini import open_model
from bot.gemini_model import GeminiModel
from bot.limits import Limits
from bot.messages import Attachment, AttachmentId, Message
from bot.offline import Call, Faults, OfflineModel, StatusFault, UploadFault, offline_model
from bot.ports import GeminiFile, Store, Upload
from bot.uploads import KEPT, Uploads
from storage.sqlite import open_store
from tests.storage.stores import PAGE, Clock, message

FILES = Path(__file__).parent.parent / "samples" / "files"
FILM = (FILES / "film.mp4").read_bytes()
PDF = b"%PDF-1.7\n" + os.urandom(3_000_000)
SWIFT = Limits(refused=20.0, turn=30.0, first_pause=0.01, longest_pause=0.02)
SAID = message("m1", thread=PAGE)


@dataclass
class Scene:
    """A platform's files, a store and a Gemini, and how often each was asked for what."""

    gemini: OfflineModel
    model: GeminiModel
    store: Store
    uploads: Uploads
    clock: Clock
    files: dict[str, bytes | AsyncIterator[bytes]] = field(default_factory=dict)
    downloads: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    async def download(self, said: Message, attachment: Attachment) -> AsyncIterator[bytes]:
        self.downloads.append(attachment.name)
        data = self.files[attachment.name]
        if isinstance(data, bytes):
            for start in range(0, len(data), 100_000):
                yield data[start : start + 100_000]
        else:
            async for piece in data:
                yield piece

    async def read(
        self, *names: str, reads_office: bool = False, limit: int = 1_000_000, folder: Path | None = None
    ) -> Sequence[Enclosure]:
        attachments = [(SAID, Attachment(AttachmentId(f"id-of-{name}"), name)) for name in names]
        intake = Intake(self.uploads, reads_office=reads_office, tell=self.told.append, folder=folder)
        return await read_attachments(attachments, self.download, inline_limit=limit, intake=intake)

    async def answer(self, enclosure: Enclosure) -> str:
        """What the model says of a file."""
        events = [event async for event in self.model.answer((*enclosure.content, Text("?")), after=None)]
        assert isinstance(events[-1], Completed)
        return "".join(event.text for event in events if isinstance(event, TextPiece))

    @property
    def sent(self) -> int:
        """How many uploads Gemini saw begin."""
        return sum(request.path == "/upload/v1/files" for request in self.gemini.requests)

    def again(self, **more: int) -> None:
        """The bot dies, and another one takes over with what is stored."""
        self.uploads = _uploads(self.model, self.store, self.clock, **more)


def _uploads(model: GeminiModel, store: Store, clock: Clock, **more: int) -> Uploads:
    return Uploads(model.files, store, limits=SWIFT, now=clock, **more)  # type: ignore[arg-type]  # limits in bytes


@asynccontextmanager
async def scene(*, limit: int = 200_000_000, polls: int = 2, faults: Faults | None = None) -> AsyncIterator[Scene]:
    clock = Clock()
    async with (
        offline_model(pace=0, file_polls=polls, clock=clock, faults=faults) as gemini,
        open_model(api_key="k", model="m", base_url=gemini.url) as model,
        open_store("sqlite:///:memory:", now=clock) as store,
    ):
        await store.add(SAID)
        yield Scene(gemini, model, store, _uploads(model, store, clock, limit=limit), clock)


def media(enclosure: Enclosure) -> Media:
    assert enclosure.error is None, enclosure.error
    (found,) = [part for part in enclosure.content if isinstance(part, Media)]
    return found


async def test_a_film_is_uploaded_however_small_and_asked_about_once_it_is_processed() -> None:
    async with scene() as here:
        here.files["film.mp4"] = FILM
        (film,) = await here.read("film.mp4")
        said = await here.answer(film)
        polls = [request for request in here.gemini.requests if request.path.startswith("/v1/files/")]

    found = media(film)
    assert film.content[0] == Text("[attachment film.mp4]")
    assert (found.kind, found.mime_type, found.data) == (MediaKind.VIDEO, "video/mp4", None)
    assert found.uri is not None
    assert "/files/clew-" in found.uri
    assert "video of type video/mp4" in said
    assert len(polls) == 3  # two saw it in PROCESSING
    assert here.told == ["film.mp4", "film.mp4"]  # as it is sent, and as it is waited for


async def test_nothing_of_a_persons_name_for_a_file_reaches_the_files_api() -> None:
    async with scene() as here:
        here.files["salary of Ada.mp4"] = FILM
        await here.read("salary of Ada.mp4")
        (begun,) = [request for request in here.gemini.requests if request.path == "/upload/v1/files"]

    assert "Ada" not in str(begun.body)
    assert "Ada" not in str(dict(begun.headers))


async def test_what_a_request_cannot_carry_is_uploaded_and_the_rest_goes_inside_it() -> None:
    async with scene() as here:
        here.files |= {"small.pdf": PDF[:400_000], "large.pdf": PDF, "also.pdf": PDF[:500_000]}
        small, large, also = await here.read("small.pdf", "large.pdf", "also.pdf")

        assert "document of type application/pdf, 3.0 MB" in await here.answer(large)

    assert media(small).data == PDF[:400_000]
    assert (media(large).data, media(large).kind) == (None, MediaKind.DOCUMENT)
    assert media(also).data == PDF[:500_000]
    assert here.sent == 1


async def test_a_file_is_uploaded_once_within_its_48_hours_and_again_after_them() -> None:
    async with scene() as here:
        here.files["film.mp4"] = FILM
        (first,) = await here.read("film.mp4")
        here.clock.tick(KEPT - 1000)
        (second,) = await here.read("film.mp4")
        sent = here.sent
        here.clock.tick(1001)
        (third,) = await here.read("film.mp4")
        kept = await here.store.uploads(PAGE)

        assert "video/mp4" in await here.answer(third)

    assert media(first).uri == media(second).uri
    assert sent == 1
    assert media(third).uri != media(first).uri
    assert here.sent == 2
    assert here.downloads == ["film.mp4", "film.mp4"]  # the second time nothing was fetched from the platform either
    assert [upload.uri for upload in kept] == [media(third).uri]  # what has expired is not kept on record


async def test_a_file_that_is_about_to_expire_is_sent_anew() -> None:
    async with scene() as here:
        here.files["film.mp4"] = FILM
        await here.read("film.mp4")
        here.clock.tick(KEPT - 60)
        await here.read("film.mp4")

    assert here.sent == 2


async def test_a_file_somebody_deleted_at_gemini_is_sent_anew() -> None:
    async with scene() as here:
        here.files["film.mp4"] = FILM
        await here.read("film.mp4")
        (upload,) = await here.store.uploads(PAGE)
        await here.model.files.delete_file(upload.name)
        with pytest.raises(FileLost):  # or another key's: Gemini says the same of both
            await here.model.files.delete_file(upload.name)
        (film,) = await here.read("film.mp4")

        assert "video/mp4" in await here.answer(film)
    assert here.sent == 2


async def test_a_bot_that_dies_before_it_knows_of_the_upload_finds_it_again() -> None:
    async with scene() as here:
        here.files["film.mp4"] = FILM
        (before,) = await here.read("film.mp4")
        (upload,) = await here.store.uploads(PAGE)
        await here.store.uploaded(replace(upload, uri=None))  # as it stands while the bytes are on their way
        here.again()
        (after,) = await here.read("film.mp4")
        (known,) = await here.store.uploads(PAGE)

    assert here.sent == 1
    assert media(after).uri == media(before).uri == known.uri


async def test_a_bot_that_dies_before_anything_arrived_sends_the_file_and_forgets_the_other_name() -> None:
    async with scene() as here:
        here.files["film.mp4"] = FILM
        await here.store.uploading(
            Upload(PAGE, "files/clew-lost", AttachmentId("id-of-film.mp4"), MediaKind.VIDEO, "video/mp4", 9, None, 2e9)
        )
        (film,) = await here.read("film.mp4")
        (upload,) = await here.store.uploads(PAGE)

    assert media(film).uri == upload.uri
    assert upload.name != "files/clew-lost"


async def test_a_film_that_gemini_cannot_process_is_named_and_sent_anew_when_asked_again() -> None:
    faults = Faults()
    faults.arm(UploadFault())
    async with scene(faults=faults) as here:
        here.files["film.mp4"] = FILM
        (failed,) = await here.read("film.mp4")
        kept = await here.store.uploads(PAGE)
        (film,) = await here.read("film.mp4")

    assert isinstance(failed.error, AttachmentUnreadable)
    assert (failed.error.name, failed.error.reason) == ("film.mp4", Unreadable.UNPROCESSED)
    assert kept == []
    assert media(film).uri
    assert any(request.method == "DELETE" for request in here.gemini.requests)


async def test_a_film_that_is_processed_for_ever_is_named_in_time_and_used_when_it_is_ready() -> None:
    clock = count()
    async with scene(polls=30) as here:
        here.files["film.mp4"] = FILM
        here.uploads = Uploads(
            here.model.files, here.store, limits=SWIFT, now=here.clock, clock=lambda: float(2 * next(clock))
        )
        (slow,) = await here.read("film.mp4")
        here.again()
        (film,) = await here.read("film.mp4")

    assert isinstance(slow.error, AttachmentUnreadable)
    assert slow.error.reason is Unreadable.SLOW
    assert media(film).uri
    assert here.sent == 1


async def test_films_that_are_processed_for_ever_are_waited_for_no_longer_than_one_of_them() -> None:
    passed = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal passed
        passed += seconds

    limits = replace(SWIFT, first_pause=1.0, longest_pause=1.0)
    async with scene(polls=1000) as here:
        here.files |= {f"{number}.mp4": FILM for number in range(3)}
        here.uploads = Uploads(
            here.model.files, here.store, limits=limits, now=here.clock, sleep=sleep, clock=lambda: passed
        )
        films = await here.read("0.mp4", "1.mp4", "2.mp4")

    assert [isinstance(film.error, AttachmentUnreadable) and film.error.reason for film in films] == [
        Unreadable.SLOW
    ] * 3
    assert passed == limits.turn
    assert here.sent == 3


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_upload_that_is_refused_for_a_moment_is_tried_again(status: int) -> None:
    faults = Faults()
    faults.arm(StatusFault(status), times=2, on=Call.UPLOAD)
    async with scene(faults=faults) as here:
        here.files["film.mp4"] = FILM
        (film,) = await here.read("film.mp4")

    assert media(film).uri
    assert here.sent == 3


async def test_an_upload_that_is_refused_for_good_leaves_out_that_file_alone() -> None:
    faults = Faults()
    faults.arm(StatusFault(400), times=None, on=Call.UPLOAD)
    async with scene(faults=faults) as here:
        here.files |= {"film.mp4": FILM, "page.pdf": PDF[:1000]}
        film, page = await here.read("film.mp4", "page.pdf")

    assert isinstance(film.error, AttachmentUnreadable)
    assert film.error.reason is Unreadable.NOT_TAKEN
    assert media(page).data == PDF[:1000]
    assert here.sent == 1


async def test_a_file_over_the_cap_is_named_with_it() -> None:
    async with scene(limit=2_000_000) as here:
        here.files["large.pdf"] = PDF
        (large,) = await here.read("large.pdf")

    assert isinstance(large.error, AttachmentTooLarge)
    assert large.error.limit == 2_000_000
    assert here.sent == 0


async def test_the_beginning_of_a_log_too_large_for_a_request_is_read() -> None:
    line = "es war einmal größer als 1 MB\n"
    async with scene() as here:
        here.files["large.log"] = (line * 100_000).encode()
        (log,) = await here.read("large.log")

    (text,) = log.content
    assert isinstance(text, Text)
    assert text.text.startswith(
        "[attachment large.log, cut: the first 200,000 characters of 3.2 MB]\n```\nes war einmal"
    )
    assert text.text.count("größer") == -(-200_000 // len(line))
    assert here.sent == 0


async def test_large_archives_and_programs_are_not_uploaded() -> None:
    async with scene() as here:
        here.files["large.zip"] = (FILES / "archive.zip").read_bytes() + bytes(2_000_000)
        (archive,) = await here.read("large.zip")

    assert isinstance(archive.error, AttachmentUnsupported)
    assert here.sent == 0


async def test_a_film_described_at_its_end_is_known_without_its_pictures() -> None:
    (brand, rest) = FILM[: int.from_bytes(FILM[:4])], FILM[int.from_bytes(FILM[:4]) :]
    pictures = (5_000_000).to_bytes(4) + b"mdat" + os.urandom(4_999_992)
    async with scene() as here:
        here.files["phone.mp4"] = brand + pictures + rest
        (film,) = await here.read("phone.mp4")

    assert media(film).kind is MediaKind.VIDEO


async def test_a_large_film_is_never_whole_in_memory() -> None:
    size = 96 << 20  # bytes, twelve of the SDK's pieces

    async def pieces() -> AsyncIterator[bytes]:
        yield FILM
        for _ in range(size >> 18):
            yield bytes(1 << 18)

    async with scene() as here:
        here.uploads = Uploads(here.model.files, here.store, limits=Limits(first_pause=0.01), now=here.clock)
        here.files["film.mp4"] = pieces()
        tracemalloc.start()
        try:
            (film,) = await here.read("film.mp4")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        said = await here.answer(film)

    assert "100.7 MB" in said
    assert peak < 40 << 20


async def test_only_a_few_large_files_lie_on_the_disk_at_a_time() -> None:
    begun, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        begun.release()
        await go_on.wait()
        yield FILM

    async with scene() as here, asyncio.timeout(60):
        here.files |= {f"{number}.mp4": pieces() for number in range(6)}
        reading = [asyncio.ensure_future(here.read(f"{number}.mp4")) for number in range(6)]
        for _ in range(4):
            await begun.acquire()
        waiting = 6 - len(here.downloads)
        go_on.set()
        films = [media(film) for (film,) in await asyncio.gather(*reading)]

    assert waiting == 2
    assert len({film.uri for film in films}) == 6


async def test_a_full_disk_leaves_the_film_out(tmp_path: Path) -> None:
    async with scene() as here:
        here.files["film.mp4"] = FILM
        (film,) = await here.read("film.mp4", folder=tmp_path / "gone")

    assert isinstance(film.error, AttachmentUnreadable)
    assert film.error.reason is Unreadable.BROKEN
    assert here.sent == 0


@pytest.mark.parametrize("name", ["letter.docx", "template.dotx", "slides.ppt", "table.xls", "slides.odp", "table.ods"])
async def test_office_files_go_to_models_that_read_them_and_to_no_others(name: str) -> None:
    async with scene() as here:
        here.files[name] = (FILES / name).read_bytes()
        (read,) = await here.read(name, reads_office=True)
        (refused,) = await here.read(name)

    assert media(read).kind is MediaKind.DOCUMENT
    assert media(read).data == here.files[name]
    assert isinstance(refused.error, AttachmentUnsupported)


async def test_an_office_file_uploaded_for_one_model_is_not_given_to_another_that_reads_none() -> None:
    async with scene() as here:
        here.files["table.xlsx"] = (FILES / "table.xlsx").read_bytes()
        (read,) = await here.read("table.xlsx", reads_office=True, limit=100)
        here.again()
        (refused,) = await here.read("table.xlsx", limit=100)

    assert media(read).uri is not None
    assert isinstance(refused.error, AttachmentUnsupported)


class LossyShelf:
    """Gemini's shelf, over a line that loses the answer to the first upload; sees what is stored as it begins."""

    def __init__(self, scene: Scene) -> None:
        self._shelf, self._store = scene.model.files, scene.store
        self.known: list[Sequence[Upload]] = []

    async def upload_file(self, path: str, *, name: str, mime_type: str) -> GeminiFile:
        self.known.append(await self._store.uploads(PAGE))
        file = await self._shelf.upload_file(path, name=name, mime_type=mime_type)
        if len(self.known) == 1:
            raise ModelUnavailable("no connection")
        return file

    async def find_file(self, name: str) -> GeminiFile | None:
        return await self._shelf.find_file(name)

    async def delete_file(self, name: str) -> None:
        await self._shelf.delete_file(name)


async def test_an_upload_is_written_down_before_it_begins_and_found_when_its_answer_is_lost() -> None:
    async with scene() as here:
        here.files["film.mp4"] = FILM
        shelf = LossyShelf(here)
        here.uploads = Uploads(shelf, here.store, limits=SWIFT, now=here.clock)
        (film,) = await here.read("film.mp4")

    ((before,),) = shelf.known
    assert (before.uri, before.attachment) == (None, "id-of-film.mp4")
    assert media(film).uri is not None
    assert str(media(film).uri).endswith(before.name)
    assert here.sent == 1


class SilentShelf(LossyShelf):
    """Gemini's shelf, which takes files and says nothing more of them."""

    async def upload_file(self, path: str, *, name: str, mime_type: str) -> GeminiFile:
        return await self._shelf.upload_file(path, name=name, mime_type=mime_type)

    async def find_file(self, name: str) -> GeminiFile | None:
        await asyncio.Event().wait()
        return None


async def test_a_gemini_that_says_nothing_of_a_file_holds_nobody_up() -> None:
    async with scene() as here, asyncio.timeout(60):
        here.files["film.mp4"] = FILM
        limits = replace(SWIFT, refused=0.1)
        here.uploads = Uploads(SilentShelf(here), here.store, limits=limits, now=here.clock)
        (processing,) = await here.read("film.mp4")
        (kept,) = await here.read("film.mp4")

    for film in (processing, kept):
        assert isinstance(film.error, AttachmentUnreadable)
        assert film.error.reason is Unreadable.SLOW
    assert here.sent == 1


async def test_a_server_that_wants_no_pause_is_paused_for_nevertheless() -> None:
    faults, pauses = Faults(), list[float]()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    faults.arm(StatusFault(429, retry_after="0"), times=3, on=Call.UPLOAD)
    async with scene(polls=0, faults=faults) as here:
        here.files["film.mp4"] = FILM
        here.uploads = Uploads(here.model.files, here.store, limits=SWIFT, now=here.clock, sleep=sleep)
        (film,) = await here.read("film.mp4")

    assert media(film).uri
    assert pauses == [0.01, 0.02, 0.02]


async def test_a_key_that_is_refused_is_not_taken_for_a_file_that_is_gone() -> None:
    async with (
        offline_model(key="another") as gemini,
        open_model(api_key="k", model="m", base_url=gemini.url) as model,
    ):
        with pytest.raises(KeyRejected):
            await model.files.find_file("files/clew-1")
        with pytest.raises(KeyRejected):
            await model.files.delete_file("files/clew-1")


async def test_a_shelf_that_nobody_listens_at_is_away() -> None:
    async with open_model(api_key="k", model="m", base_url="http://127.0.0.1:1") as model:
        with pytest.raises(ModelUnavailable):
            await model.files.find_file("files/clew-1")


async def test_neither_the_key_nor_a_file_follows_a_redirect(tmp_path: Path) -> None:
    reached: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        reached.append(request.path)
        return web.json_response({"name": "files/clew-1", "uri": "https://evil.example/files/clew-1"})

    async def away(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(f"http://127.0.0.1:{other.port}/elsewhere")

    (tmp_path / "film").write_bytes(FILM)
    async with (
        serving(elsewhere) as other,
        serving(away) as gemini,
        open_model(api_key="k", model="m", base_url=f"http://127.0.0.1:{gemini.port}") as model,
    ):
        with pytest.raises(ModelError):
            await model.files.find_file("files/clew-1")
        with pytest.raises(ModelError):
            await model.files.upload_file(str(tmp_path / "film"), name="files/clew-1", mime_type="video/mp4")

    assert reached == []


@asynccontextmanager
async def serving(answer: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[TestServer]:
    """A server that answers everything in one way."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(app)
    async with server:
        yield server
