"""Files handed to Gemini beforehand: sent once, used again while they are kept there, sent anew after that."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from bot.answers import Media, MediaKind
from bot.errors import AttachmentUnreadable, FileLost, ModelError, ModelRefused, Unreadable
from bot.limits import Limits
from bot.messages import Attachment, Message
from bot.ports import FileShelf, FileState, GeminiFile, Upload, UploadStore
from bot.spool import Spool

T = TypeVar("T")

logger = logging.getLogger(__name__)

LIMIT = 200_000_000  # bytes of one file
KEPT = 48 * 3600.0  # seconds that Gemini keeps a file
_MARGIN = 900.0  # seconds before its end in which a file is rather sent anew: an answer takes a while to be made
_AT_ONCE = 4  # files on their way over the disk


@dataclass(frozen=True, slots=True)
class Handed:
    """An attachment that is to be asked about by its address."""

    message: Message
    attachment: Attachment
    name: str  # as people may be told it


@dataclass(frozen=True, slots=True)
class Shelved:
    """An upload, and the file that Gemini made of it."""

    upload: Upload
    file: GeminiFile


@dataclass(slots=True)
class Waiting:
    """How long the files of one question may still be waited for, all of them together."""

    left: float  # seconds


class Uploads:
    """The way of files to Gemini, for all threads.

    Args:
        limit: most bytes of one file.
        now: seconds since the epoch.
        clock: seconds that pass.
        new_name: the part of a file's name that no other file has; small letters and digits, at most 32.
    """

    def __init__(
        self,
        shelf: FileShelf,
        store: UploadStore,
        *,
        limits: Limits,
        limit: int = LIMIT,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        new_name: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self.limit = limit
        self._shelf, self._store, self._limits = shelf, store, limits
        self._now, self._sleep, self._clock, self._new_name = now, sleep, clock, new_name
        self._places = asyncio.Semaphore(_AT_ONCE)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Room on the disk for a large file; there is some for a few at a time."""
        async with self._places:
            yield

    async def kept(self, handed: Handed) -> Shelved | None:
        """A file that was sent before and that Gemini still keeps; None when it has to be sent.

        One of which it is not known whether it arrived, because the bot died meanwhile, is looked for.

        Raises:
            AttachmentUnreadable: Gemini cannot tell just now.
        """
        upload = await self._store.upload_of(handed.message.thread, handed.attachment.id)
        if upload is None or upload.expires_at <= self._now() + _MARGIN:
            return None
        try:
            file = await self._found(upload.name)
        except (ModelError, TimeoutError) as error:
            raise self._failed(handed, error) from error
        if file is None:
            await self._store.upload_gone(upload.thread, upload.name)
            return None
        return Shelved(upload, file) if upload.uri is not None else await self._arrived(upload, file)

    async def send(self, handed: Handed, spool: Spool, kind: MediaKind, mime_type: str) -> Shelved:
        """Send a file to Gemini; `ready` waits until it can be asked about.

        Raises:
            AttachmentUnreadable: Gemini did not take it.
            DiskRefused: it could not be read.
        """
        upload = Upload(
            thread=handed.message.thread,
            name=f"files/clew-{self._new_name()}",
            attachment=handed.attachment.id,
            kind=kind,
            mime_type=mime_type,
            size=spool.size,
            uri=None,
            expires_at=self._now() + KEPT,
        )
        path = await spool.path()
        # Written first, under a name of ours: whatever happens from here on, the file can be found and deleted.
        await self._store.uploading(upload)
        try:
            async with asyncio.timeout(self._limits.turn):
                file = await self._sent(upload, path)
        except (ModelError, TimeoutError) as error:
            raise self._failed(handed, error) from error
        return await self._arrived(upload, file)

    def waiting(self) -> Waiting:
        """The time that is to be given to `ready` for all files of a question."""
        return Waiting(self._limits.turn)

    async def ready(self, shelved: Shelved, handed: Handed, waiting: Waiting) -> Media:
        """A file that Gemini has, once it is processed.

        Raises:
            AttachmentUnreadable: it could not be processed, or not in time.
        """
        upload, file = shelved.upload, shelved.file
        since, pause = self._clock(), self._limits.first_pause
        try:
            while file.state is FileState.PROCESSING:
                if self._clock() + pause > since + waiting.left:
                    raise TimeoutError
                await self._sleep(pause)
                pause = min(2 * pause, self._limits.longest_pause)
                file = await self._found(upload.name) or replace(file, state=FileState.FAILED)
            if file.state is FileState.ACTIVE:
                return Media(upload.kind, upload.mime_type, uri=file.uri)
            with suppress(FileLost):
                async with asyncio.timeout(self._limits.refused):
                    await self._shelf.delete_file(upload.name)
        except (ModelError, TimeoutError) as error:
            raise self._failed(handed, error) from error
        finally:
            waiting.left -= self._clock() - since
        await self._store.upload_gone(upload.thread, upload.name)  # so that another attempt sends it anew
        raise AttachmentUnreadable(handed.name, Unreadable.UNPROCESSED)

    async def _sent(self, upload: Upload, path: str) -> GeminiFile:
        """Send it until Gemini has it. What broke off may have arrived nevertheless, and is not sent twice."""

        async def once() -> GeminiFile:
            try:
                return await self._shelf.upload_file(path, name=upload.name, mime_type=upload.mime_type)
            except ModelRefused:
                found = await self._shelf.find_file(upload.name)
                if found is None:
                    raise
                return found

        return await self._asked(once)

    async def _found(self, name: str) -> GeminiFile | None:
        """What Gemini keeps under a name. Raises TimeoutError when it does not say a word."""

        async def once() -> GeminiFile | None:
            async with asyncio.timeout(self._limits.refused):
                return await self._shelf.find_file(name)

        return await self._asked(once)

    async def _arrived(self, upload: Upload, file: GeminiFile) -> Shelved:
        arrived = replace(upload, uri=file.uri, expires_at=file.expires_at or upload.expires_at)
        await self._store.uploaded(arrived)
        logger.info("file uploaded", extra={"thread_key": upload.thread.key, "file": upload.name, "size": upload.size})
        return Shelved(arrived, file)

    async def _asked(self, call: Callable[[], Awaitable[T]]) -> T:
        """What a call of Gemini answers, once it does; raises its refusal when that goes on for too long."""
        since, pause = self._clock(), self._limits.first_pause
        while True:
            try:
                return await call()
            except ModelRefused as refusal:
                wait = max(pause, refusal.retry_after or 0.0)
                if self._clock() + wait >= since + self._limits.refused:
                    raise
                await self._sleep(wait)
                pause = min(2 * pause, self._limits.longest_pause)

    def _failed(self, handed: Handed, error: ModelError | TimeoutError) -> AttachmentUnreadable:
        fields = {"thread_key": handed.message.thread.key, "file": handed.attachment.id, "reason": str(error)}
        logger.warning("file not taken by the model", extra=fields)
        reason = Unreadable.SLOW if isinstance(error, TimeoutError) else Unreadable.NOT_TAKEN
        return AttachmentUnreadable(handed.name, reason)
