"""Attachments on their way over the disk: in memory while they are small, and nowhere afterwards."""

import asyncio
import errno
import logging
import os
import resource
import stat
import threading
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answers import Media
from bot.attachments import Enclosure, Intake, read_attachments
from bot.errors import AttachmentTooLarge, AttachmentUnreadable
from bot.messages import Attachment, AttachmentId, Message, MessageId, Person, PersonId, Platform, Thread
from bot.spool import IN_MEMORY, DiskRefused, open_spool

PNG = b"\x89PNG\r\n\x1a\n"
PIECE = 256 * 1024  # bytes
THREAD = Thread(Platform("web"), "local", "page", "t1")
MESSAGE = Message(THREAD, MessageId("m1"), Person(PersonId("ada")), "look", sent_at=0.0)


def open_files() -> set[tuple[int, int]]:
    """The files this process holds open, also those without a name: device and inode."""
    found = set()
    for number in os.listdir("/dev/fd"):
        try:
            told = os.fstat(int(number))
        except OSError:  # the one the list itself was read through
            continue
        if stat.S_ISREG(told.st_mode):
            found.add((told.st_dev, told.st_ino))
    return found


class Film:
    """A platform with one large file; it comes in pieces, and waits in the middle when a test wants that."""

    def __init__(self, *, size: int, pauses: bool = False, breaks: bool = False) -> None:
        self.data = PNG + os.urandom(size - len(PNG))
        self.half_way, self.go_on = asyncio.Event(), asyncio.Event()
        self._breaks = breaks
        if not pauses:
            self.go_on.set()

    async def download(self, message: Message, attachment: Attachment) -> AsyncIterator[bytes]:
        for start in range(0, len(self.data), PIECE):
            if start > len(self.data) // 2:
                self.half_way.set()
                await self.go_on.wait()
                if self._breaks:
                    raise ConnectionError("cut")
            yield self.data[start : start + PIECE]

    async def read(self, folder: Path | None = None, *, limit: int = 15_000_000) -> Enclosure:
        """Read the file by way of a folder."""
        files, intake = [(MESSAGE, Attachment(AttachmentId("f1"), "film.png"))], Intake(folder=folder)
        (enclosure,) = await read_attachments(files, self.download, inline_limit=limit, intake=intake)
        return enclosure


async def test_a_large_file_lies_on_the_disk_while_it_comes_and_reaches_the_model_whole(tmp_path: Path) -> None:
    before, film = open_files(), Film(size=8 * IN_MEMORY, pauses=True)
    reading = asyncio.ensure_future(film.read(tmp_path))
    async with asyncio.timeout(30):
        await film.half_way.wait()
    (spooled,) = open_files() - before
    film.go_on.set()
    enclosure = await reading

    assert spooled[0] == tmp_path.stat().st_dev
    assert isinstance(enclosure.content[1], Media)
    assert enclosure.content[1].data == film.data
    assert open_files() == before
    assert list(tmp_path.iterdir()) == []


async def test_a_small_file_never_touches_the_disk(tmp_path: Path) -> None:
    film = Film(size=IN_MEMORY)

    assert (await film.read(tmp_path / "there is no such folder")).error is None


@pytest.mark.parametrize(
    ("limit", "breaks", "error"),
    [
        pytest.param(4 * IN_MEMORY, False, AttachmentTooLarge, id="it is larger than the model takes"),
        pytest.param(15_000_000, True, AttachmentUnreadable, id="the connection breaks"),
    ],
)
async def test_nothing_is_left_of_a_file_that_is_given_up(
    limit: int, breaks: bool, error: type[Exception], tmp_path: Path
) -> None:
    before, film = open_files(), Film(size=8 * IN_MEMORY, pauses=True, breaks=breaks)
    reading = asyncio.ensure_future(film.read(tmp_path, limit=limit))
    film.go_on.set()

    assert type((await reading).error) is error
    assert open_files() == before
    assert list(tmp_path.iterdir()) == []


async def test_nothing_is_left_of_a_file_whose_turn_was_stopped(tmp_path: Path) -> None:
    before, film = open_files(), Film(size=8 * IN_MEMORY, pauses=True)
    reading = asyncio.ensure_future(film.read(tmp_path))
    async with asyncio.timeout(30):
        await film.half_way.wait()
    assert open_files() != before

    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert open_files() == before
    assert list(tmp_path.iterdir()) == []


@contextmanager
def disk_that_takes(most: int) -> Iterator[None]:
    """Let files of this process grow no further, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_leaves_the_file_out_by_its_name_and_is_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = open_files()
    with disk_that_takes(2 * IN_MEMORY), caplog.at_level(logging.ERROR, "bot"):
        enclosure = await Film(size=8 * IN_MEMORY).read(tmp_path)

    assert isinstance(enclosure.error, AttachmentUnreadable)
    assert enclosure.error.name == "film.png"
    (line,) = caplog.records
    assert line.getMessage() == "no room on the disk for an attachment"
    assert line.__dict__["thread_key"] == THREAD.key
    assert os.strerror(errno.EFBIG) in line.__dict__["reason"]
    assert open_files() == before


async def test_a_missing_folder_for_temporary_files_is_in_the_log_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    enclosure = await Film(size=2 * IN_MEMORY).read(tmp_path / "gone")

    assert isinstance(enclosure.error, AttachmentUnreadable)
    assert [record.getMessage() for record in caplog.records] == ["no room on the disk for an attachment"]


async def test_a_broken_connection_is_not_taken_for_a_full_disk(caplog: pytest.LogCaptureFixture) -> None:
    enclosure = await Film(size=4 * IN_MEMORY, breaks=True).read()

    assert isinstance(enclosure.error, AttachmentUnreadable)
    assert caplog.records == []


class SlowDisk(BytesIO):
    """A file that is written to when the test says so, and notes in which order it is used."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.used: list[str] = []

    def writelines(self, pieces: object) -> None:
        self.begun.set()
        assert self.go_on.wait(5), "the loop stands still"
        super().writelines(pieces)  # type: ignore[arg-type]  # pieces of bytes
        self.used.append("written")

    def close(self) -> None:
        self.used.append("closed")
        super().close()


async def test_a_slow_disk_keeps_nobody_else_waiting() -> None:
    disk = SlowDisk()
    async with open_spool(in_memory=1, open_file=lambda: disk) as spool:
        adding = asyncio.ensure_future(spool.add(b"bytes"))
        assert await asyncio.to_thread(disk.begun.wait, 5)  # the loop goes on while the disk does not
        disk.go_on.set()
        await adding

        assert await spool.read() == b"bytes"


async def test_a_file_is_not_closed_while_it_is_written_to_however_often_the_reading_is_cancelled() -> None:
    disk = SlowDisk()

    async def spool_something() -> None:
        async with open_spool(in_memory=1, open_file=lambda: disk) as spool:
            await spool.add(b"bytes")

    spooling = asyncio.ensure_future(spool_something())
    assert await asyncio.to_thread(disk.begun.wait, 5)
    for _ in range(2):
        spooling.cancel()
        await asyncio.sleep(0)
    disk.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await spooling

    assert disk.used == ["written", "closed"]


async def test_what_a_disk_refuses_is_said_in_its_own_words() -> None:
    def refuse() -> BytesIO:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with open_spool(in_memory=1, open_file=refuse) as spool:
        with pytest.raises(DiskRefused, match="No space left"):
            await spool.add(b"bytes")


@given(pieces=st.lists(st.binary(max_size=40)), in_memory=st.integers(0, 100))
async def test_what_goes_in_comes_out(pieces: list[bytes], in_memory: int) -> None:
    async with open_spool(in_memory=in_memory) as spool:
        for piece in pieces:
            await spool.add(piece)
        sizes = spool.size, len(b"".join(pieces))

        assert await spool.read() == b"".join(pieces)
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize(
    ("beginning", "size"),
    [
        pytest.param(PNG + bytes(64), 8 * IN_MEMORY, id="a picture"),
        pytest.param(b"A long story. ", 8 * IN_MEMORY, id="a text"),
        pytest.param(PNG + bytes(64), IN_MEMORY - 100_000, id="a small one"),
    ],
)
async def test_a_file_is_never_held_whole_twice(beginning: bytes, size: int, tmp_path: Path) -> None:
    film = Film(size=len(PNG))
    film.data = beginning * (size // len(beginning))
    await film.read(tmp_path)  # whatever is loaded for the first one
    tracemalloc.start()
    try:
        enclosure = await film.read(tmp_path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert enclosure.error is None
    # Beside the file itself: what came and was not written yet, and the glimpse by which it was recognised.
    assert most < size + 3.5 * IN_MEMORY
