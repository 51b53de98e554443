"""The folder of the page's files: what came with questions, and what the model made for answers.

A thread's files lie in a folder of its own, under random names. Nothing a person typed is part of a path; what a
file is called is known to the store alone.
"""

import asyncio
import logging
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from bot.errors import AttachmentTooLarge
from bot.messages import Attachment, AttachmentId, Thread

logger = logging.getLogger(__name__)

PIECE = 256 * 1024  # bytes read or written at a time

_NAME = re.compile(r"[0-9a-f]{32}")


class Arrival:
    """Files on their way in. What is not kept is deleted when it ends."""

    def __init__(self, folder: Path, *, cap: int, new_name: Callable[[], str]) -> None:
        self._folder, self._cap, self._new_name = folder, cap, new_name
        self._kept = False
        self.ids: list[AttachmentId] = []

    async def save(self, name: str, mime_type: str | None, pieces: AsyncIterator[bytes]) -> Attachment:
        """Write one file as it comes, a few pieces in memory at the most.

        Raises:
            AttachmentTooLarge: it is over the cap; it was not read any further.
            OSError: the disk is full, or the folder cannot be written to.
        """
        attachment_id = AttachmentId(self._new_name())
        self.ids.append(attachment_id)
        size = 0
        file = await asyncio.to_thread(_create, self._folder / attachment_id)
        try:
            async for piece in pieces:
                size += len(piece)
                if size > self._cap:
                    raise AttachmentTooLarge(name, limit=self._cap)
                await asyncio.to_thread(file.write, piece)
        finally:
            file.close()
        return Attachment(attachment_id, name, mime_type, size)

    def keep(self) -> None:
        """A message may refer to the files from here on; if none does after all, a sweep finds them."""
        self._kept = True

    def drop(self) -> None:
        """No message refers to the files."""
        self._kept = False

    def end(self) -> None:
        if not self._kept:
            for attachment_id in self.ids:
                with suppress(OSError):  # what cannot be deleted now is swept at the next start
                    (self._folder / attachment_id).unlink()


class Files:
    """Keeps the page's files.

    Args:
        cap: most bytes of one file.
    """

    def __init__(self, folder: Path, *, cap: int, new_name: Callable[[], str] = lambda: secrets.token_hex(16)) -> None:
        self.cap = cap
        self._folder, self._new_name = folder, new_name
        self._arriving: list[Arrival] = []

    @contextmanager
    def arriving(self, thread: Thread) -> Iterator[Arrival]:
        """Files of one message or reply, safe from sweeps until the block ends."""
        arrival = Arrival(self._of(thread), cap=self.cap, new_name=self._new_name)
        self._arriving.append(arrival)
        try:
            yield arrival
        finally:
            self._arriving.remove(arrival)
            arrival.end()

    def path(self, thread: Thread, attachment: AttachmentId) -> Path | None:
        """Where a file lies; None when it does not, or the id is not one that is given to files."""
        path = self._of(thread) / attachment
        return path if _NAME.fullmatch(attachment) and path.is_file() else None

    async def read(self, path: Path) -> AsyncGenerator[bytes, None]:
        """The bytes of a file, piece by piece. Raises OSError."""
        file = await asyncio.to_thread(path.open, "rb")
        try:
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece
        finally:
            file.close()

    def threads(self) -> Set[str]:
        """The ids of the threads that have a folder."""
        if not self._folder.is_dir():
            return frozenset()
        return frozenset(folder.name for folder in self._folder.iterdir() if folder.is_dir())

    async def sweep(self, thread: Thread, wanted: Callable[[], Awaitable[Set[AttachmentId]]]) -> None:
        """Delete the thread's files that nothing refers to.

        Args:
            wanted: asks the store for the ids that messages and parts refer to.
        """
        folder = self._of(thread)
        if not folder.is_dir():
            return
        # In this order: a file that lies here and is not arriving any more has its message stored already,
        # so what the store is asked for afterwards names it.
        lying = {path.name for path in folder.iterdir()}
        coming = {attachment_id for arrival in self._arriving for attachment_id in arrival.ids}
        left_over = lying - coming - await wanted()
        for name in left_over:
            (folder / name).unlink(missing_ok=True)
        if not self._arriving:
            # Not while a file is being created: its folder would vanish under it.
            with suppress(OSError):
                folder.rmdir()
        if left_over:
            logger.info("files removed", extra={"thread_key": thread.key, "files": len(left_over)})

    def _of(self, thread: Thread) -> Path:
        return self._folder / thread.thread_id


def _create(path: Path) -> BinaryIO:
    # What people attach is nobody else's business on a shared machine.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path.open("xb")
