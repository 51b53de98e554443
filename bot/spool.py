"""Bytes that come in pieces: a few stay in memory, more lie on the disk until they are wanted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TypeVar

from bot.errors import BotError

IN_MEMORY = 1_000_000  # bytes; also how much is written to the disk at a time

T = TypeVar("T")


class DiskRefused(BotError):
    """The disk is full, or there is none to write to."""


class Spool:
    """Takes bytes in pieces and gives them back: whole, as a file to look into, or as one to be sent."""

    def __init__(self, *, in_memory: int, open_file: Callable[[], IO[bytes]]) -> None:
        self.size = 0  # bytes, of all that was added
        self._in_memory, self._open_file = in_memory, open_file
        self._held: list[bytes] = []
        self._held_size = 0
        self._file: IO[bytes] | None = None

    async def add(self, piece: bytes) -> None:
        """Take in more. Raises DiskRefused."""
        self._held.append(piece)
        self._held_size += len(piece)
        self.size += len(piece)
        if self._held_size > self._in_memory:
            await _on_disk(self._written)

    async def read(self) -> bytes:
        """All that was added. Raises DiskRefused."""
        if self._file is None:
            return self._whole()
        return await _on_disk(self._read)

    async def look(self, work: Callable[[IO[bytes]], T]) -> T:
        """What *work* finds in it, in a thread of its own when it lies on the disk. Raises DiskRefused."""
        if self._file is None:
            return work(BytesIO(self._whole()))  # which shares the bytes for as long as nothing is written

        def look_into() -> T:
            file = self._written()
            file.seek(0)
            return work(file)

        return await _on_disk(look_into)

    async def path(self) -> str:
        """Where others can read it from the beginning, as long as it is open. Raises DiskRefused.

        The file has no name; this is that of its being open in this process.
        """

        def flushed() -> str:
            file = self._written()
            file.flush()
            file.seek(0)
            return f"/dev/fd/{file.fileno()}"

        return await _on_disk(flushed)

    async def close(self) -> None:
        """Let go of everything."""
        self._held.clear()
        if self._file is not None:
            with suppress(DiskRefused):  # what a full disk did not take is not wanted any more
                await _on_disk(self._file.close)

    def _whole(self) -> bytes:
        """What is in memory, which takes the place of its pieces: nothing is held twice."""
        self._held = [b"".join(self._held)]
        return self._held[0]

    def _written(self) -> IO[bytes]:
        """The file, with all that was added in it."""
        file = self._file = self._file or self._open_file()
        file.writelines(self._held)
        self._held.clear()
        self._held_size = 0
        return file

    def _read(self) -> bytes:
        file = self._written()
        file.seek(0)
        return file.read(self.size)  # told how much there is, it makes room for it once


@asynccontextmanager
async def open_spool(
    *, in_memory: int = IN_MEMORY, folder: Path | None = None, open_file: Callable[[], IO[bytes]] | None = None
) -> AsyncIterator[Spool]:
    """An empty spool. Nothing is left of it after the block, nor of a process that was killed: its file has no name.

    Args:
        in_memory: most bytes that are kept without a file.
        folder: where that lies; None for where the system keeps its temporary files, which ``TMPDIR`` moves.
        open_file: makes one in another way.
    """
    spool = Spool(in_memory=in_memory, open_file=open_file or partial(_nameless, folder))
    try:
        yield spool
    finally:
        await spool.close()


def _nameless(folder: Path | None) -> IO[bytes]:
    return TemporaryFile(dir=folder)


async def _on_disk(work: Callable[[], T]) -> T:
    """Do something with the file in a thread, because the loop serves everybody. Raises DiskRefused.

    Whoever is cancelled meanwhile waits for its end, so that no file is closed under a write.
    """
    done = asyncio.get_running_loop().run_in_executor(None, work)
    cancelled: asyncio.CancelledError | None = None
    while not done.done():
        try:
            await asyncio.wait({done})
        except asyncio.CancelledError as error:
            cancelled = error
    failure = done.exception()
    if cancelled is not None:
        raise cancelled
    if isinstance(failure, OSError):
        raise DiskRefused(str(failure)) from failure
    return done.result()
