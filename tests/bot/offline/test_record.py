"""What outlives the offline model's process, in the file it was given."""

import asyncio
import base64
import io
import json
import resource
import stat
from pathlib import Path

import pytest
from google.genai import _interactions as ix
from google.genai import types

from bot.offline import Faults, StallFault, offline_model
from bot.offline.record import Record
from tests.bot.offline.sdk import listen, sdk_on

# The SDK's own session for uploads; nothing of ours inherits from aiohttp's.
SDK_UPLOADS = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "offline.jsonl"


def content_of(path: Path) -> bytes:
    return path.read_bytes()


def replace(path: Path, content: bytes) -> None:
    path.write_bytes(content)


async def test_a_conversation_goes_on_after_a_restart(path: Path) -> None:
    async with offline_model(pace=0, record=path) as server, sdk_on(server) as sdk:
        first = await sdk.ask("the word is plum")
        second = await sdk.ask("keep it", previous_interaction_id=first.id)
    async with offline_model(pace=0, record=path) as server, sdk_on(server) as sdk:
        before = await sdk.get(first.id)
        third = await sdk.ask("what did I say?", previous_interaction_id=second.id)
    async with offline_model(pace=0, record=path) as server, sdk_on(server) as sdk:
        fourth = await sdk.ask("and before that, what did I say?", previous_interaction_id=third.id)

    assert before.output_text == first.text
    assert before.usage is not None
    assert "1. the word is plum\n2. keep it" in third.text
    assert "3. what did I say?" in fourth.text


async def test_an_answer_that_was_being_given_when_the_process_ended_has_failed(path: Path) -> None:
    faults = Faults()
    faults.arm(StallFault(after=2))
    async with (
        asyncio.timeout(30),
        offline_model(pace=0, record=path, faults=faults) as server,
        sdk_on(server) as sdk,
        await sdk.open("hello") as stream,
    ):
        heard = await listen(stream, pieces=2)
        killed = content_of(path)  # as a killed process would leave it
    replace(path, killed)
    for _ in range(2):
        async with offline_model(pace=0, record=path) as server, sdk_on(server) as sdk:
            found = await sdk.get(heard.id)
            assert found.status == "failed"
            assert [error.code for error in found.errors or []] == ["api_error"]


async def test_a_torn_last_line_costs_only_itself(path: Path) -> None:
    async with offline_model(pace=0, record=path) as server, sdk_on(server) as sdk:
        first = await sdk.ask("one")
        second = await sdk.ask("two", previous_interaction_id=first.id)
    whole = content_of(path)
    replace(path, whole[: len(whole) - 40])
    async with offline_model(pace=0, record=path) as server, sdk_on(server) as sdk:
        kept = await sdk.get(first.id)
        torn = await sdk.get(second.id)  # of which the line that it began is left
        third = await sdk.ask("three, and what did I say?", previous_interaction_id=first.id)
    async with offline_model(pace=0, record=path) as server, sdk_on(server) as sdk:
        again = await sdk.get(third.id)

    assert kept.status == "completed"
    assert torn.status == "failed"
    assert again.output_text == third.text


@pytest.mark.parametrize("garbage", [b"\xff\xfe\x00", b"[1]\n", b'"x"\n', b'{"no": "key"}\n', b"{}{}\n\n"], ids=repr)
async def test_lines_that_are_no_entries_are_left_out(path: Path, garbage: bytes) -> None:
    async with offline_model(pace=0, record=path) as server, sdk_on(server) as sdk:
        first = await sdk.ask("one")
    replace(path, garbage + b"\n" + content_of(path))
    async with offline_model(pace=0, record=path) as server, sdk_on(server) as sdk:
        assert (await sdk.get(first.id)).status == "completed"


async def test_what_is_deleted_is_gone_from_the_file_at_once(path: Path) -> None:
    async with offline_model(pace=0, record=path) as server, sdk_on(server) as sdk:
        kept = await sdk.ask("a plum")
        gone = await sdk.ask("a secret")
        await sdk.delete(gone.id)
        on_disk = content_of(path).decode()
        later = await sdk.ask("a pear")
    async with offline_model(pace=0, record=path) as server, sdk_on(server) as sdk:
        with pytest.raises(ix.NotFoundError):
            await sdk.get(gone.id)
        assert (await sdk.get(kept.id)).status == "completed"
        assert (await sdk.get(later.id)).status == "completed"

    assert "a plum" in on_disk
    assert "a secret" not in on_disk


async def test_what_has_expired_is_gone_from_the_file(path: Path) -> None:
    now = [1000.0]
    async with offline_model(pace=0, record=path, clock=lambda: now[0], retention=60) as server, sdk_on(server) as sdk:
        await sdk.ask("an old secret")
    now[0] += 61
    async with offline_model(pace=0, record=path, clock=lambda: now[0], retention=60) as server, sdk_on(server) as sdk:
        await sdk.ask("a new plum")

    assert "an old secret" not in content_of(path).decode()
    assert "a new plum" in content_of(path).decode()


async def test_what_was_not_to_be_stored_never_reaches_the_file(path: Path) -> None:
    async with offline_model(pace=0, record=path) as server, sdk_on(server) as sdk:
        await sdk.ask("a secret", store=False)

    assert content_of(path) == b""


async def test_the_bytes_of_a_file_are_not_kept_but_its_description_is(path: Path) -> None:
    data = base64.b64encode(bytes(range(256)) * 4000).decode()
    async with offline_model(pace=0, record=path) as server, sdk_on(server) as sdk:
        image = {"type": "image", "mime_type": "image/png", "data": data}
        source = {"type": "text", "text": "[attachment long.py]\n" + "x = 1\n" * 50_000}
        first = await sdk.ask([image, source])
    async with offline_model(pace=0, record=path) as server, sdk_on(server) as sdk:
        second = await sdk.ask("what did I send before?", previous_interaction_id=first.id)

    assert "image of type image/png, 1.0 MB" in second.text
    assert "long.py" in second.text
    assert len(content_of(path)) < 50_000


@SDK_UPLOADS
async def test_an_uploaded_file_outlives_the_process(path: Path) -> None:
    async with offline_model(pace=0, record=path) as server, sdk_on(server) as sdk:
        config = types.UploadFileConfig(mime_type="application/pdf")
        file = await sdk.client.aio.files.upload(file=io.BytesIO(b"%PDF-1.7"), config=config)
    async with offline_model(pace=0, record=path) as server, sdk_on(server) as sdk:
        heard = await sdk.ask([{"type": "document", "uri": file.uri, "mime_type": "application/pdf"}])

    assert "document of type application/pdf, 8 bytes" in heard.text


def test_only_the_owner_can_read_the_file(path: Path) -> None:
    record = Record(path)
    record.open()
    record.close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_record_that_cannot_be_opened_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        async with offline_model(record=tmp_path / "missing" / "offline.jsonl"):
            pass


def test_the_file_is_compacted_when_it_is_opened(path: Path) -> None:
    record = Record(path)
    record.open()
    for number in range(100):
        record.put("a", {"number": number})
    record.put("b", {"number": 0})
    record.close()

    again = Record(path)
    standing = again.open()
    again.close()

    assert standing == {"a": {"number": 99}, "b": {"number": 0}}
    assert [json.loads(line)["key"] for line in path.read_text().splitlines()] == ["a", "b"]


def test_a_full_disk_costs_only_the_line_it_has_no_room_for(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    record = Record(path)
    record.open()
    record.put("first", {"text": "fits"})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for room in (50, 0):  # for a part of the line, and for nothing of it
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + room, limits[1]))
        try:
            record.put("second", {"text": "x" * 1000})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    record.put("third", {"text": "fits"})
    record.close()

    again = Record(path)
    standing = again.open()
    again.close()

    assert list(standing) == ["first", "third"]
    assert [one.message for one in caplog.records[:2]] == ["offline record not written"] * 2
