"""Files that are uploaded, and files that come inside a request."""

import base64
import io
import struct
import zlib

import aiohttp
import pytest
from google.genai import errors, types

from bot.offline import Call, Faults, StatusFault, UploadFault, offline_model
from tests.bot.offline.sdk import sdk_on

# Both are about the way the SDK itself sends uploads.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Sending a large body directly with raw bytes:ResourceWarning"),
]


def png(width: int, height: int) -> bytes:
    """A black picture of that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"".join(b"\0" * (width + 1) for _ in range(height)))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def inline(kind: str, mime_type: str, data: bytes) -> dict[str, str]:
    return {"type": kind, "mime_type": mime_type, "data": base64.b64encode(data).decode()}


async def test_a_film_of_nine_mebibytes_is_uploaded_in_pieces_processed_and_described() -> None:
    film = bytes(9 << 20)
    async with offline_model(pace=0) as server, sdk_on(server) as sdk:
        files = sdk.client.aio.files
        config = types.UploadFileConfig(mime_type="video/mp4", display_name="film.mp4")
        uploaded = await files.upload(file=io.BytesIO(film), config=config)
        assert uploaded.name
        polled = await files.get(name=uploaded.name)
        ready = await files.get(name=uploaded.name)
        heard = await sdk.ask([{"type": "video", "uri": ready.uri, "mime_type": ready.mime_type}])
        uploads = await server.received(2, path="/upload/session/")

    assert uploaded.state is not None
    assert polled.state is not None
    assert ready.state is not None
    assert (uploaded.state.name, polled.state.name, ready.state.name) == ("PROCESSING", "PROCESSING", "ACTIVE")
    assert ready.size_bytes == len(film)
    assert ready.display_name == "film.mp4"
    assert len(uploads) == 2
    assert "video of type video/mp4, 9.4 MB" in heard.text


async def test_a_picture_is_ready_at_once_and_gone_when_deleted() -> None:
    async with offline_model(pace=0) as server, sdk_on(server) as sdk:
        files = sdk.client.aio.files
        uploaded = await files.upload(
            file=io.BytesIO(png(40, 30)), config=types.UploadFileConfig(mime_type="image/png")
        )
        heard = await sdk.ask([{"type": "image", "uri": uploaded.uri, "mime_type": "image/png"}])
        assert uploaded.name
        await files.delete(name=uploaded.name)
        with pytest.raises(errors.ClientError) as gone:
            await files.get(name=uploaded.name)

    assert uploaded.state is not None
    assert uploaded.state.name == "ACTIVE"
    assert "40 × 30 pixels" in heard.text
    assert (gone.value.code, gone.value.status) == (403, "PERMISSION_DENIED")


async def test_a_file_that_is_still_processed_cannot_be_asked_about() -> None:
    async with offline_model(pace=0) as server, sdk_on(server) as sdk, aiohttp.ClientSession() as session:
        uploaded = await sdk.client.aio.files.upload(
            file=io.BytesIO(b"film"), config=types.UploadFileConfig(mime_type="video/mp4")
        )
        body = {"model": "m", "input": {"type": "video", "uri": uploaded.uri}}
        response = await session.post(f"{server.url}/v1/interactions", json=body, headers={"x-goog-api-key": "k"})

    assert response.status == 400


async def test_a_file_expires_after_two_days() -> None:
    now = [1_000_000.0]
    async with offline_model(pace=0, clock=lambda: now[0]) as server, sdk_on(server) as sdk:
        uploaded = await sdk.client.aio.files.upload(
            file=io.BytesIO(b"%PDF-"), config=types.UploadFileConfig(mime_type="application/pdf")
        )
        now[0] += 48 * 3600 + 1
        with pytest.raises(errors.ClientError) as gone:
            await sdk.client.aio.files.get(name=uploaded.name or "")

    assert gone.value.code == 403


async def test_an_upload_can_be_refused_or_turn_out_unusable() -> None:
    faults = Faults()
    faults.arm(StatusFault(429), on=Call.UPLOAD)
    faults.arm(UploadFault())
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        config = types.UploadFileConfig(mime_type="video/mp4")
        with pytest.raises(errors.ClientError) as refused:
            await sdk.client.aio.files.upload(file=io.BytesIO(b"film"), config=config)
        failed = await sdk.client.aio.files.upload(file=io.BytesIO(b"film"), config=config)

    assert refused.value.code == 429
    assert failed.state is not None
    assert failed.state.name == "FAILED"


async def test_a_piece_in_the_wrong_place_is_refused() -> None:
    async with offline_model() as server, aiohttp.ClientSession() as session:
        begun = await session.post(f"{server.url}/upload/v1/files", json={}, headers={"x-goog-api-key": "k"})
        url = begun.headers["x-goog-upload-url"]
        first = await session.post(url, data=b"abc", headers={"X-Goog-Upload-Command": "upload"})
        wrong = await session.post(
            url, data=b"def", headers={"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "9"}
        )
        unknown = await session.post(f"{server.url}/upload/session/nope", data=b"x")

    assert first.headers["x-goog-upload-size-received"] == "3"
    assert (wrong.status, unknown.status) == (400, 404)


INLINE: dict[str, tuple[dict[str, str], list[str]]] = {
    "picture": (inline("image", "image/png", png(640, 480)), ["image of type image/png", "640 × 480 pixels", "bytes"]),
    "broken picture": (inline("image", "image/png", b"\x89PNG\r\n\x1a\n"), ["image of type image/png", "8 bytes"]),
    "table": (inline("document", "text/csv", b"name,age\nAnn,42\n"), ["16 bytes", "name,age Ann,42"]),
    "sound": (inline("audio", "audio/ogg", bytes(2500)), ["audio of type audio/ogg", "2.5 kB"]),
    "labelled text": (
        {"type": "text", "text": "[attachment notes.md]\n```\n# Notes\nbuy plums\n```"},
        ["**notes.md**", "17 characters", "# Notes buy plums"],
    ),
    "file that was left out": (
        {"type": "text", "text": "[attachment big.zip was left out: it is too large]"},
        ["**big.zip**: was left out: it is too large"],
    ),
    "film elsewhere": (
        {"type": "video", "uri": "https://www.youtube.com/watch?v=x"},
        ["video at https://www.youtube.com/watch?v=x"],
    ),
}


@pytest.mark.parametrize(("content", "told"), INLINE.values(), ids=INLINE.keys())
async def test_a_file_inside_the_request_is_described(content: dict[str, str], told: list[str]) -> None:
    async with offline_model(pace=0) as server, sdk_on(server) as sdk:
        heard = await sdk.ask([{"type": "text", "text": "look"}, content])

    for fact in told:
        assert fact in heard.text


async def test_a_label_before_a_file_names_it_also_later_on() -> None:
    async with offline_model(pace=0) as server, sdk_on(server) as sdk:
        label = {"type": "text", "text": "[attachment cat.png]"}
        first = await sdk.ask([label, inline("image", "image/png", png(12, 34))])
        later = await sdk.ask("what did I send before?", previous_interaction_id=first.id)

    for heard in (first, later):
        assert "**cat.png**: image of type image/png, 12 × 34 pixels" in heard.text


async def test_a_file_of_fifteen_megabytes_is_taken_inline_and_not_kept_with_the_request() -> None:
    async with offline_model(pace=0) as server, sdk_on(server) as sdk:
        heard = await sdk.ask([inline("document", "application/pdf", bytes(15_000_000))])

    assert "document of type application/pdf, 15.0 MB" in heard.text
    assert server.creates[0]["input"] == [
        {
            "type": "user_input",
            "content": [{"type": "document", "mime_type": "application/pdf", "data": "(20000000 characters)"}],
        }
    ]
