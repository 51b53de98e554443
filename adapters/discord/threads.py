"""Where the answers of a conversation stand: a thread opened from the question, or the place it was asked in."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from adapters.discord.calls import MESSAGE_GONE, THREAD_EXISTS, Calls, DiscordClosed, DiscordRefused, Route
from adapters.discord.places import DIRECT, is_continuous
from bot.messages import MessageId, Thread, Turn

logger = logging.getLogger(__name__)

ARCHIVE_AFTER: Final = 1440  # minutes without a message until a thread leaves the list of channels
_LONGEST_NAME = 100  # characters
_MOMENT = 1.0  # seconds
_MOST_KNOWN = 10_000  # threads whose place is remembered


@dataclass(frozen=True, slots=True)
class Spot:
    """A channel to write in, and the message to reply to where it is shared with other conversations."""

    channel_id: str
    reply_to: MessageId | None = None


class Threads:
    """Knows, or finds out, where a conversation is."""

    def __init__(self, calls: Calls, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._calls, self._sleep = calls, sleep
        self._in_thread: OrderedDict[Thread, bool] = OrderedDict()  # else in the channel, as replies

    def heard(self, thread: Thread, channel_id: str) -> None:
        """Something was said in a conversation, in a channel: if that is not what it hangs from, there is a thread."""
        if not is_continuous(thread) and channel_id == thread.thread_id:
            self._remember(thread, in_thread=True)

    def is_seen(self, thread: Thread) -> bool:
        """Whether it is known, without asking, that there is a thread for a conversation."""
        return self._in_thread.get(thread, False)

    async def is_opened(self, thread: Thread) -> bool:
        """Whether there is a thread for a conversation that has begun. Raises PlatformAway when it cannot be told."""
        known = self._in_thread.get(thread)
        if known is not None:
            return known
        is_there = await self._exists(Route("GET", "/channels/{channel_id}", channel_id=thread.thread_id))
        # It may have been opened, or spoken in, since it was asked for.
        is_there = is_there or self._in_thread.get(thread, False)
        self._remember(thread, in_thread=is_there)
        return is_there

    async def spot(self, turn: Turn) -> Spot:
        """Where a turn is answered. A thread is opened when the turn's question asks for one.

        Raises:
            PlatformAway: it cannot be told now.
            DiscordClosed: the question is gone.
        """
        thread, last = turn.thread, turn.messages[-1].id
        if is_continuous(thread):
            # In a room several people talk at once; in a direct message there is nobody else.
            return Spot(thread.channel_id, None if thread.installation_id == DIRECT else last)
        if thread not in self._in_thread:
            self._remember(thread, in_thread=await self._is_there(turn))
        self._in_thread.move_to_end(thread)
        return Spot(thread.thread_id) if self._in_thread[thread] else Spot(thread.channel_id, last)

    async def _is_there(self, turn: Turn) -> bool:
        thread, shown = turn.thread, [part.message_id for part in turn.parts if part.message_id.isdigit()]
        if shown:  # by an earlier process; what it began is gone on with where it stands
            return await self._is_in_thread(thread, shown[0])
        root = next((message for message in turn.messages if message.id == thread.thread_id), None)
        return await self.is_opened(thread) if root is None else await self._open(turn)

    async def _is_in_thread(self, thread: Thread, message: MessageId) -> bool:
        """Whether a message of ours stands in the thread, or stood there until somebody took it away."""
        path = "/channels/{channel_id}/messages/{message_id}"
        try:
            await self._calls.call(Route("GET", path, channel_id=thread.thread_id, message_id=message), safe=True)
        except (DiscordClosed, DiscordRefused) as error:
            if error.code == MESSAGE_GONE:  # there is a thread, which may have been opened by a person later
                in_channel = Route("GET", path, channel_id=thread.channel_id, message_id=message)
                return not await self._exists(in_channel)
            return error.status == 403
        return True

    async def _exists(self, route: Route) -> bool:
        try:
            await self._calls.call(route, safe=True)
        except (DiscordClosed, DiscordRefused) as error:
            return error.status == 403  # it is there, and closed to us, which whoever writes in it will be told
        return True

    async def _open(self, turn: Turn) -> bool:
        """Open a thread from the question; False when there can be none. Raises DiscordClosed when it was deleted."""
        thread = turn.thread
        route = Route(
            "POST",
            "/channels/{channel_id}/messages/{message_id}/threads",
            channel_id=thread.channel_id,
            message_id=thread.thread_id,
        )
        body = {"name": name_for(turn), "auto_archive_duration": ARCHIVE_AFTER}
        for is_last in (False, True):
            try:
                await self._calls.call(route, safe=True, body=body)
                return True
            except DiscordRefused as error:
                if error.code == THREAD_EXISTS:  # by an attempt that got no answer, or by a person
                    return True
                if error.code == MESSAGE_GONE and not is_last:  # a message may take a moment to be everywhere
                    await self._sleep(_MOMENT)
                    continue
                if error.code == MESSAGE_GONE:  # whoever took it back does not want it answered before everybody
                    raise DiscordClosed("POST threads", error.status, error.code) from error
                logger.info("no thread here", extra={**turn.fields, "reason": str(error)})
            except DiscordClosed as error:
                logger.info("no thread here", extra={**turn.fields, "reason": str(error)})
            break
        # A post in a forum is a thread from its beginning, and one that a person opened does as well.
        return await self._exists(Route("GET", "/channels/{channel_id}", channel_id=thread.thread_id))

    def _remember(self, thread: Thread, *, in_thread: bool) -> None:
        self._in_thread[thread] = in_thread
        self._in_thread.move_to_end(thread)
        while len(self._in_thread) > _MOST_KNOWN:
            self._in_thread.popitem(last=False)


def name_for(turn: Turn) -> str:
    """What a thread is called: the beginning of the question, or the first file's name."""
    first = turn.messages[0]
    words = " ".join((first.text or "").split()) or next((file.name for file in first.attachments), "")
    if len(words) <= _LONGEST_NAME:
        return words or "A question"
    cut = words[: _LONGEST_NAME - 1]
    whole_words = cut.rpartition(" ")[0]
    return f"{(whole_words if len(whole_words) > _LONGEST_NAME // 2 else cut).rstrip()}…"
