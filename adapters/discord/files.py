"""Files of people on their way in, fetched from Discord's own hosts and from nowhere else.

Addresses are signed and expire, so none is kept: the message is read again when its file is wanted.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from adapters.discord.attachments import Missing, Source, address_of
from adapters.discord.payloads import Fields
from bot.attachments import label_name
from bot.errors import (
    AttachmentError,
    AttachmentTooLarge,
    AttachmentUnreadable,
    MessageGone,
    ThreadClosed,
    Unreadable,
)
from bot.hosts import is_allowed
from bot.messages import Attachment, Message

logger = logging.getLogger(__name__)

PIECE = 256 * 1024  # bytes handed on at a time, at the most
UPLOAD_LIMIT = 10_000_000  # bytes of a file that comes with a command, and is uploaded again to stand in a message

Fetch = Callable[[str, str], Awaitable[Fields]]
"""A message as it is now, by the ids of its channel and its own; raises as `Reader.one` does."""


class _Interrupted(Exception):
    """A download may work when it is tried again."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after  # seconds


class _Expired(Exception):
    """The address is no longer good, or the file is gone."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


@dataclass(slots=True)
class _Errand:
    """A file on its way."""

    name: str
    deadline: float  # on the clock
    fields: Mapping[str, object] = field(default_factory=dict)  # for log lines
    sent: int = 0  # bytes handed on


class Downloads:
    """Fetches what people attached. No secret goes along: the address is all that is needed.

    Args:
        fetch: reads a message again.
        session: the downloads' own, not the one that carries the token.
        hosts: see `bot.hosts.is_allowed`.
        at_once: files fetched side by side, of all turns together.
        idle: seconds without a byte after which a connection is given up.
        total: seconds that one file may take, its retries included.
        pauses: seconds before each further attempt.
    """

    def __init__(
        self,
        fetch: Fetch,
        session: aiohttp.ClientSession,
        hosts: Collection[str],
        *,
        at_once: int = 8,
        idle: float = 20.0,
        total: float = 240.0,
        pauses: Sequence[float] = (0.5, 2.0),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._message, self._session, self._hosts = fetch, session, hosts
        self._at_once = asyncio.Semaphore(at_once)
        self._idle, self._total, self._pauses = idle, total, pauses
        self._sleep, self._clock = sleep, clock

    async def download(self, message: Message, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """The bytes of a file, piece by piece. What was cut off is gone on with, not begun again.

        Raises:
            AttachmentUnreadable: Discord does not hand it out, or it is none of Discord's.
            PlatformAway: Discord cannot be asked now.
        """
        errand = self._errand(attachment.name, {"thread_key": message.thread.key, "file": attachment.id})
        source = Source.of(attachment.id)
        if source is None:
            raise _missing(attachment, errand.name)
        async with self._at_once:
            url = await self._address(source, errand)
            try:
                async with aclosing(self._fetched(url, errand)) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except _Expired:
                url = await self._address(source, errand)
            async with aclosing(self._or_refused(url, errand)) as pieces:
                async for piece in pieces:
                    yield piece

    async def from_address(self, name: str, address: str) -> AsyncGenerator[bytes, None]:
        """The bytes behind an address that was just told, for a file that no message holds: the option of a command.

        Raises:
            AttachmentUnreadable: as of `download`.
        """
        errand = self._errand(name, {"file": "of a command"})
        async with self._at_once, aclosing(self._or_refused(self._checked(address, errand), errand)) as pieces:
            async for piece in pieces:
                yield piece

    def _errand(self, name: str, fields: Mapping[str, object]) -> _Errand:
        return _Errand(label_name(name), self._clock() + self._total, fields)

    async def _address(self, source: Source, errand: _Errand) -> URL:
        """Where a file is just now."""
        try:
            body = await self._message(source.channel_id, source.message_id)
        except MessageGone as error:
            raise AttachmentUnreadable(errand.name, Unreadable.GONE) from error
        except ThreadClosed as error:
            raise AttachmentUnreadable(errand.name, Unreadable.FORBIDDEN) from error
        address = address_of(body, source.file_id)
        if address is None:
            raise AttachmentUnreadable(errand.name, Unreadable.GONE)
        return self._checked(address, errand)

    def _checked(self, address: str, errand: _Errand) -> URL:
        try:
            url = URL(address)
        except ValueError as error:
            raise AttachmentUnreadable(errand.name) from error
        if not is_allowed(url, self._hosts):
            more = {**errand.fields, "host": url.host}
            logger.warning("file on a host that DISCORD_FILE_HOSTS does not name", extra=more)
            raise AttachmentUnreadable(errand.name, Unreadable.FORBIDDEN)
        return url

    async def _or_refused(self, url: URL, errand: _Errand) -> AsyncGenerator[bytes, None]:
        """As `_fetched`, when there is no newer address."""
        try:
            async with aclosing(self._fetched(url, errand)) as pieces:
                async for piece in pieces:
                    yield piece
        except _Expired as error:
            logger.warning("file not fetched", extra={**errand.fields, "error": str(error)})
            why = Unreadable.FORBIDDEN if error.status == 403 else Unreadable.GONE
            raise AttachmentUnreadable(errand.name, why) from error

    async def _fetched(self, url: URL, errand: _Errand) -> AsyncGenerator[bytes, None]:
        """The bytes at an address that have not been handed on yet, in as many attempts as it is worth."""
        for pause in (*self._pauses, None):
            try:
                async with aclosing(self._attempt(url, errand)) as pieces:
                    async for piece in pieces:
                        errand.sent += len(piece)
                        yield piece
                return
            except (_Interrupted, aiohttp.ClientError, OSError) as error:  # time-outs are OSErrors
                more = {**errand.fields, "error": _named(error), "bytes": errand.sent}
                wait = max(pause or 0.0, getattr(error, "retry_after", None) or 0.0)
                if pause is None or self._clock() + wait >= errand.deadline:
                    logger.warning("file not fetched", extra=more)
                    raise AttachmentUnreadable(errand.name) from error
                logger.info("file fetched again", extra=more)
                await self._sleep(wait)

    async def _attempt(self, url: URL, errand: _Errand) -> AsyncGenerator[bytes, None]:
        timeout = aiohttp.ClientTimeout(
            total=max(0.001, errand.deadline - self._clock()), sock_connect=self._idle, sock_read=self._idle
        )
        # Whoever is behind a redirect is not Discord, and what he says is not the file.
        async with self._session.get(url, allow_redirects=False, timeout=timeout) as response:
            _check(response, errand)
            skip = errand.sent
            while piece := await response.content.read(PIECE):
                if wanted := piece[skip:]:
                    yield wanted
                skip = max(0, skip - len(piece))


def _missing(attachment: Attachment, name: str) -> AttachmentError:
    """Why a file is in no message."""
    match Missing.of(attachment.id):
        case Missing.TOO_LARGE:
            return AttachmentTooLarge(name, limit=UPLOAD_LIMIT)
        case Missing.UNREADABLE:
            return AttachmentUnreadable(name)
        case None:
            return AttachmentUnreadable(name, Unreadable.GONE)


def _check(response: aiohttp.ClientResponse, errand: _Errand) -> None:
    """Let a response with the file pass."""
    match response.status:
        case 200:
            return
        case 403 | 404 as status:
            raise _Expired(status)
        case 410:
            raise AttachmentUnreadable(errand.name, Unreadable.GONE)
        case status if status == 429 or status >= 500:
            asked = response.headers.get("Retry-After", "")
            raise _Interrupted(f"status {status}", float(asked) if asked.isascii() and asked.isdigit() else None)
        case status:
            logger.warning("file not fetched", extra={**errand.fields, "error": f"status {status}"})
            raise AttachmentUnreadable(errand.name, Unreadable.FORBIDDEN if status < 400 else Unreadable.BROKEN)


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if isinstance(error, _Interrupted) else type(error).__name__
