"""Files the model made, on their way out: put into the thread once, whatever breaks on the way."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from io import BytesIO

import aiohttp
from yarl import URL

from adapters.slack.calls import Calls, SlackRefused, Uncertain
from adapters.slack.pages import Post, is_own, read_channel, read_replies, ts_of
from adapters.slack.places import place_of
from adapters.slack.workspace import Workspace
from bot.errors import PlatformAway
from bot.messages import MessageId, Thread
from bot.spellings import is_loopback

logger = logging.getLogger(__name__)

_FOREVER = "9999999999.999999"
_ATTEMPTS = 3
_BEGIN = "files.getUploadURLExternal"
_TOO_LARGE = 413  # an HTTP status


class Uploader:
    """Puts files into threads.

    Slack shares a file a while after it says it has done so, and tells only then which message holds it. A file of
    ours is known again by its title, which ends in the mark it was uploaded with.

    Args:
        shown: seconds between the looks for the message that holds a file, once Slack said it will be shared.
        sought: the same while nobody knows whether it will: after a broken connection or an earlier process.
        pauses: seconds before the bytes are sent again.
        total: seconds that sending them may take.
    """

    def __init__(
        self,
        calls: Calls,
        session: aiohttp.ClientSession,
        me: Workspace,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        shown: Sequence[float] = (0.3, 0.7, 1.0, 2.0),
        sought: Sequence[float] = (1.0, 2.0, 3.0),
        pauses: Sequence[float] = (0.5, 2.0),
        total: float = 120.0,
    ) -> None:
        self._calls, self._session, self._me, self._sleep = calls, session, me, sleep
        self._shown, self._sought, self._pauses, self._total = shown, sought, pauses, total

    async def upload(
        self,
        thread: Thread,
        name: str,
        data: bytes,
        mime_type: str,
        mark: str,
        *,
        alt: str | None = None,
        after: MessageId | None = None,
        again: bool = False,
    ) -> MessageId | None:
        """Put a file into a thread and return the message that holds it; None when it is not known yet.

        Args:
            mark: tells this file from every other one in the thread.
            alt: what it is of, for those who cannot see it.
            after: a message the file stands after, so that less has to be looked through.
            again: it may have been tried before: look first.

        Raises:
            ThreadClosed, SlackRefused: it cannot be uploaded there.
            PlatformAway: it may or may not be in the thread; another attempt, with *again*, finds out.
        """
        if again and (found := await self.seek(thread, mark, after)) is not None:
            return found
        channel, thread_ts = place_of(thread)
        file_id = await self._send(name, data, mime_type, alt)
        titled = [{"id": file_id, "title": f"{name} [{mark}]"}]
        for _ in range(_ATTEMPTS):
            try:
                await self._calls.call(
                    "files.completeUploadExternal",
                    safe=False,
                    files=titled,
                    channel_id=channel,
                    thread_ts=thread_ts,
                )
            except Uncertain as error:
                # Slack shares a file as often as it is told to, so first comes a look at whether it was.
                logger.info("upload uncertain", extra={"thread_key": thread.key, "file": file_id})
                if (found := await self._holding(file_id, channel, self._sought)) is not None:
                    return found
                uncertain = error
            else:
                with suppress(PlatformAway):  # it is there or will be, and where can be found out later
                    return await self._holding(file_id, channel, self._shown)
                return None
        raise uncertain

    async def seek(self, thread: Thread, mark: str, after: MessageId | None) -> MessageId | None:
        """The message that holds the file of an earlier attempt, which may still be on its way there.

        Raises PlatformError.
        """
        for pause in (*self._sought, None):
            if (found := await self.find(thread, mark, after=after)) is not None or pause is None:
                return found
            await self._sleep(pause)
        return None

    async def find(self, thread: Thread, mark: str, *, after: MessageId | None = None) -> MessageId | None:
        """The message in a thread that holds the file uploaded with this mark. Raises PlatformError."""
        channel, thread_ts = place_of(thread)
        oldest = after or "0.000000"
        reading = (
            read_channel(self._calls, channel, oldest=oldest, latest=_FOREVER)
            if thread_ts is None
            else read_replies(self._calls, channel, thread_ts, oldest=oldest)
        )
        async with aclosing(reading) as pages:
            async for page in pages:
                for post in page:
                    if is_own(post, self._me) and any(title.endswith(f"[{mark}]") for title in _titles(post)):
                        return MessageId(ts_of(post) or "") or None
        return None

    async def _send(self, name: str, data: bytes, mime_type: str, alt: str | None) -> str:
        """Hand Slack the bytes, and return the id of the file they will be. Nobody sees anything of it yet."""
        for pause in (*self._pauses, None):
            told = await self._calls.call(_BEGIN, safe=True, filename=name, length=len(data), alt_txt=alt)
            url, file_id = URL(str(told.get("upload_url"))), str(told.get("file_id"))
            # The token does not travel there, yet what was said in a private channel does.
            if url.scheme != "https" and not is_loopback(url.raw_host or ""):
                raise PlatformAway("an upload address that is not https")
            try:
                async with self._session.post(
                    url,
                    data=BytesIO(data),
                    headers={"Content-Type": mime_type},
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=self._total),
                ) as response:
                    if response.status == 200:
                        return file_id
                    if response.status == _TOO_LARGE:
                        raise SlackRefused(_BEGIN, "file_too_large")
                    problem = f"status {response.status}"
            except (aiohttp.ClientError, OSError) as error:
                problem = type(error).__name__
            logger.info("file not sent", extra={"file": file_id, "error": problem})
            if pause is not None:
                await self._sleep(pause)
        raise PlatformAway(f"a file could not be sent: {problem}")

    async def _holding(self, file_id: str, channel: str, pauses: Sequence[float]) -> MessageId | None:
        """The message in a channel that holds a file, as soon as there is one."""
        for pause in pauses:
            await self._sleep(pause)
            try:
                told = await self._calls.call("files.info", safe=True, file=file_id)
            except SlackRefused as error:
                if error.error != "file_not_found":  # which may also mean: not yet
                    logger.info("upload not looked up", extra={"file": file_id, "error": error.error})
                    return None
            else:
                if found := _shared_in(told.get("file"), channel):
                    return found
        return None


def _shared_in(file: object, channel: str) -> MessageId | None:
    """The message of a channel in which a file stands, by its `shares`: by kind of channel, then by channel."""
    shares = file.get("shares") if isinstance(file, Mapping) else None
    for kind in shares.values() if isinstance(shares, Mapping) else ():
        listed = kind.get(channel) if isinstance(kind, Mapping) else None
        for share in listed if isinstance(listed, list) else ():
            if isinstance(share, Mapping) and (ts := ts_of(share)) is not None:
                return MessageId(ts)
    return None


def _titles(post: Post) -> list[str]:
    files = post.get("files")
    listed = [file for file in files if isinstance(file, Mapping)] if isinstance(files, list) else []
    return [str(file.get("title")) for file in listed]
