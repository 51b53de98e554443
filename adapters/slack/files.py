"""Files of people on their way in: looked up by id, fetched from Slack's own host and from nowhere else."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import aiohttp
from yarl import URL

from adapters.slack.calls import Calls, SlackClosed, SlackRefused
from adapters.slack.uploads import Uploader
from bot.attachments import label_name
from bot.errors import AttachmentUnreadable, Unreadable
from bot.hosts import is_allowed
from bot.messages import Attachment, Message

__all__ = ["Downloads", "Uploader", "is_allowed"]

logger = logging.getLogger(__name__)

PIECE = 256 * 1024  # bytes handed on at a time, at the most
_HEAD = 256  # bytes that are enough to tell a page from a file
_SLACKS_OWN = frozenset({"canvas", "quip", "space", "list", "docs"})
_REASONS = {  # of files.info, and of a file's own `file_access`
    "file_deleted": Unreadable.GONE,
    "file_not_found": Unreadable.FORBIDDEN,  # which is also what Slack says when it does not want to say it is there
    "access_denied": Unreadable.FORBIDDEN,
    "check_file_info": Unreadable.FORBIDDEN,
}
_MISSING_SCOPE = (
    "Slack does not hand out files: the bot token lacks the scope files:read. Add it under OAuth & Permissions in the "
    "app's settings, then install the app to the workspace again, which is when a new scope comes into force"
)


class _Interrupted(Exception):
    """A download may work when it is tried again."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after  # seconds


@dataclass(frozen=True, slots=True)
class _File:
    """What is needed to fetch a file."""

    id: str
    name: str
    url: URL
    mime_type: str
    filetype: str


class Downloads:
    """Fetches what people attached.

    Args:
        token: the bot's; it travels to *hosts* only.
        hosts: see `is_allowed`.
        at_once: files fetched side by side, of all turns together.
        idle: seconds without a byte after which a connection is given up.
        total: seconds that one file may take, its retries included.
        pauses: seconds before each further attempt.
    """

    def __init__(
        self,
        calls: Calls,
        session: aiohttp.ClientSession,
        token: str,
        hosts: Collection[str],
        *,
        at_once: int = 8,
        idle: float = 20.0,
        total: float = 240.0,
        pauses: Sequence[float] = (0.5, 2.0),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._calls, self._session, self._token, self._hosts = calls, session, token, hosts
        self._at_once = asyncio.Semaphore(at_once)
        self._idle, self._total, self._pauses = idle, total, pauses
        self._sleep, self._clock = sleep, clock

    async def download(self, message: Message, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """The bytes of a file, piece by piece. What was cut off is gone on with, not begun again.

        Raises:
            AttachmentUnreadable: Slack does not hand it out, or it is none of Slack's.
            PlatformAway: Slack cannot be asked now.
        """
        fields = {"thread_key": message.thread.key, "file": attachment.id}
        async with self._at_once:
            file = await self._look_up(attachment, fields)
            deadline, sent = self._clock() + self._total, 0
            for pause in (*self._pauses, None):
                try:
                    async with aclosing(self._fetch(file, fields, deadline=deadline, skip=sent)) as pieces:
                        async for piece in pieces:
                            sent += len(piece)
                            yield piece
                    return
                except (_Interrupted, aiohttp.ClientError, OSError) as error:  # time-outs are OSErrors
                    wait = max(pause or 0.0, getattr(error, "retry_after", None) or 0.0)
                    if pause is None or self._clock() + wait >= deadline:
                        logger.warning("file not fetched", extra={**fields, "error": _named(error)})
                        raise AttachmentUnreadable(file.name) from error
                    logger.info("file fetched again", extra={**fields, "error": _named(error), "bytes": sent})
                    await self._sleep(wait)

    async def _look_up(self, attachment: Attachment, fields: Mapping[str, str]) -> _File:
        """Where a file is now. Messages name it by its id; for some that is all they say."""
        try:
            told = (await self._calls.call("files.info", safe=True, file=attachment.id)).get("file")
        except (SlackClosed, SlackRefused) as error:
            is_scope = error.error == "missing_scope"
            logger.warning(_MISSING_SCOPE if is_scope else "file not shown", extra={**fields, "error": error.error})
            why = Unreadable.FORBIDDEN if is_scope else _REASONS.get(error.error, Unreadable.BROKEN)
            raise AttachmentUnreadable(label_name(attachment.name), why) from error
        info = told if isinstance(told, Mapping) else {}
        said = {name: value for name, value in info.items() if isinstance(value, str)}
        name = label_name(said.get("name") or said.get("title") or attachment.name)
        reason = _why_not(said, is_external=info.get("is_external") is True)
        address = said.get("url_private_download") or said.get("url_private") or ""
        if reason is not None or not address:
            logger.info("file not fetched", extra={**fields, "error": reason or "no address"})
            raise AttachmentUnreadable(name, reason or Unreadable.BROKEN)
        try:
            url = URL(address)
        except ValueError as error:
            raise AttachmentUnreadable(name) from error
        if not is_allowed(url, self._hosts):
            logger.warning("file on a host that SLACK_FILE_HOSTS does not name", extra={**fields, "host": url.host})
            raise AttachmentUnreadable(name, Unreadable.FORBIDDEN)
        return _File(attachment.id, name, url, said.get("mimetype", "").lower(), said.get("filetype", "").lower())

    async def _fetch(
        self, file: _File, fields: Mapping[str, str], *, deadline: float, skip: int
    ) -> AsyncGenerator[bytes, None]:
        """The bytes of a file, less the first *skip* of them."""
        timeout = aiohttp.ClientTimeout(
            total=max(0.001, deadline - self._clock()), sock_connect=self._idle, sock_read=self._idle
        )
        async with self._session.get(
            file.url,
            headers={"Authorization": f"Bearer {self._token}"},
            # Whoever is behind a redirect is not Slack, and what he says is not the file.
            allow_redirects=False,
            timeout=timeout,
        ) as response:
            _check(response, file, fields)
            content = response.content
            head = b""
            while len(head) < _HEAD and (piece := await content.read(_HEAD)):
                head += piece
            if _is_page(head, response.content_type, file):
                logger.warning(_MISSING_SCOPE, extra={**fields, "error": "a sign-in page instead of the file"})
                raise AttachmentUnreadable(file.name, Unreadable.FORBIDDEN)
            piece = head
            while piece:
                if wanted := piece[skip:]:
                    yield wanted
                skip = max(0, skip - len(piece))
                piece = await content.read(PIECE)


def _why_not(said: Mapping[str, str], *, is_external: bool) -> Unreadable | None:
    """Why a file is not to be fetched at all."""
    mode, access = said.get("mode", ""), said.get("file_access", "")
    if mode == "tombstone" or access == "file_not_found":
        return Unreadable.GONE
    if is_external or mode == "external":
        return Unreadable.ELSEWHERE
    if access in _REASONS or mode in {"file_access", "hidden_by_limit"}:
        return Unreadable.FORBIDDEN
    return Unreadable.NO_FILE if {mode, said.get("filetype", "")} & _SLACKS_OWN else None


def _check(response: aiohttp.ClientResponse, file: _File, fields: Mapping[str, str]) -> None:
    """Let a response with the file pass."""
    match response.status:
        case 200:
            return
        case 404 | 410:
            raise AttachmentUnreadable(file.name, Unreadable.GONE)
        case status if 300 <= status < 400 or status in {401, 403}:
            logger.warning(_MISSING_SCOPE, extra={**fields, "error": f"status {status} instead of the file"})
            raise AttachmentUnreadable(file.name, Unreadable.FORBIDDEN)
        case status if status == 429 or status >= 500:
            asked = response.headers.get("Retry-After", "")
            raise _Interrupted(f"status {status}", float(asked) if asked.isascii() and asked.isdigit() else None)
        case status:
            logger.warning("file not fetched", extra={**fields, "error": f"status {status}"})
            raise AttachmentUnreadable(file.name)


def _is_page(head: bytes, content_type: str, file: _File) -> bool:
    """Whether Slack's sign-in page came, with status 200, instead of a file that is no page itself."""
    if file.filetype == "html" or file.mime_type == "text/html":
        return False
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    # A text may begin like a page and be meant so; then only what Slack calls it tells.
    looks_it = start.startswith((b"<!doctype html", b"<html")) and not file.mime_type.startswith("text/")
    return content_type == "text/html" or looks_it


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if isinstance(error, _Interrupted) else type(error).__name__
