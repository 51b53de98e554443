"""What was said in a channel or a thread and may not have been told: read from Slack, and handed on as events.

What is found goes the way events go, so that it is read, judged and kept the same; what was known already changes
nothing there.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from adapters.slack.calls import Calls
from adapters.slack.pages import Pace, Post, order, order_at, read_channel, read_replies, ts_at, ts_of
from adapters.slack.places import is_direct, is_ts, place_of
from adapters.slack.reading import mentions
from adapters.slack.workspace import Workspace
from bot.errors import StoreUnavailable
from bot.messages import Thread
from bot.ports import ThreadNote

logger = logging.getLogger(__name__)

_PAGE = 500  # messages; it is the requests that count
_WITHIN = 120.0  # seconds that a call may wait until there is room for it: no person waits for it

Body = Mapping[str, object]
Ingest = Callable[[Body], Awaitable[bool]]
"""Takes an event as the Events API sends it; False when it could not be kept (yet)."""


class Notes(Protocol):
    """What is asked of the store."""

    async def note(self, thread: Thread) -> ThreadNote:
        """What is known of a thread; see `MessageStore.note`."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What stands in a thread, or at a channel's top level."""

    thread: Thread
    since: float  # what was said before it is known
    posts: Sequence[Post]  # oldest first
    told_from: str  # nothing is missing among them after this ts

    @property
    def latest(self) -> Mapping[Thread, str]:
        """The threads that hang from these posts, and the ts of each one's newest reply; empty for none."""
        place = self.thread
        return {replace(place, thread_id=str(post["ts"])): _latest_reply(post) for post in self.posts}


class Unheard:
    """Reads again what people said, and hands on what is found, of each place the oldest first.

    All readings but those in a hurry make one request in *pace* seconds, and stand behind whatever people wait for.

    Args:
        age: seconds; what is older is not looked for.
        most: messages of one channel or thread that are gone through, the newest.
    """

    def __init__(
        self,
        calls: Calls,
        store: Notes,
        me: Workspace,
        ingest: Ingest,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        pace: float,
        age: float,
        most: int,
    ) -> None:
        self._calls, self._store, self._me, self._ingest = calls, store, me, ingest
        self._clock, self._sleep, self._pace = clock, sleep, pace
        self._age, self._most = age, most
        self._patient = Pace(page=_PAGE, hurry=False, within=_WITHIN, pause=self._turn_to_ask)
        self._hurried = Pace(page=_PAGE)
        self._asking = asyncio.Lock()
        self._asked_at = 0.0

    async def read(self, thread: Thread, *, since: float, hurry: bool = False) -> None:
        """Take in what was said in a thread after a time. Raises as `find` and `take_in` do."""
        await self.take_in(await self.find(thread, since=since, hurry=hurry))

    async def find(self, thread: Thread, *, since: float, back_to: float | None = None, hurry: bool = False) -> Found:
        """What was said after a time in a thread, or at the top level of a channel, which has a thread's name as well.

        Args:
            back_to: read a top level from that time on: threads are known by the posts they hang from, and somebody
                may still write in an older one.
            hurry: somebody waits for it.

        Raises:
            PlatformError: Slack does not tell.
        """
        channel, thread_ts = place_of(thread)
        pace = self._hurried if hurry else self._patient
        oldest = ts_at(since if back_to is None else min(since, back_to))
        if thread_ts is None:
            latest = ts_at(self._clock() + self._age)  # Slack's clock may be ahead of ours
            reading = read_channel(self._calls, channel, oldest=oldest, latest=latest, pace=pace)
        else:
            reading = read_replies(self._calls, channel, thread_ts, oldest=oldest, pace=pace)
        posts, is_all = await self._gathered(reading, channel)
        told_from = oldest if is_all else str(posts[0]["ts"])
        if thread_ts is None:
            # A reply that was also sent to the channel is read with its thread, where it has its place.
            posts = [post for post in posts if post.get("thread_ts") in {None, post["ts"]}]
        return Found(thread, since, posts, told_from)

    async def take_in(self, found: Found) -> None:
        """Hand on what was found, as the events that should have told of it.

        Raises:
            StoreError: something could not be kept.
        """
        channel, thread_ts = place_of(found.thread)
        posts = [post for post in found.posts if order(str(post["ts"])) > order_at(found.since)]
        if is_direct(channel):
            for post in posts:
                if post["ts"] != thread_ts:  # which stands at the top level
                    await self._hand_on(post, channel)
            return
        # What nobody was asked in a channel begins no conversation, also not with a bot that was called later: what
        # people said among themselves before that was not said to it, then or now.
        begun = None if thread_ts is None else (await self._store.note(found.thread)).since
        for post in posts:
            if begun is not None and post["ts"] != thread_ts and order(str(post["ts"])) >= order_at(begun):
                await self._hand_on(post, channel)
            elif self._is_to_us(post):
                await self._hand_on(post, channel)
                if thread_ts is not None:
                    begun = (await self._store.note(found.thread)).since  # this may be what called it

    def _is_to_us(self, post: Post) -> bool:
        text = post.get("text")
        return isinstance(text, str) and self._me.bot_user_id in mentions(text)

    async def _turn_to_ask(self) -> None:
        """Wait until one more request may be made."""
        async with self._asking:
            wait = self._asked_at + self._pace - self._clock()
            if wait > 0:
                await self._sleep(min(wait, self._pace))  # the clock may have been put back
            self._asked_at = self._clock()

    async def _gathered(self, reading: AsyncGenerator[Sequence[Post], None], channel: str) -> tuple[list[Post], bool]:
        """The newest posts that are read, oldest first, each once and with a ts; and whether these are all."""
        found: dict[str, Post] = {}
        async with aclosing(reading) as pages:
            async for page in pages:
                found |= {ts: post for post in page if (ts := ts_of(post)) is not None}
                if len(found) > 10 * self._most:
                    logger.warning("more was said than is looked through", extra={"channel": channel})
                    break
        return [found[ts] for ts in sorted(found, key=order)[-self._most :]], len(found) <= self._most

    async def _hand_on(self, post: Post, channel: str) -> None:
        if not await self._ingest(as_event(post, channel, self._me)):
            raise StoreUnavailable("a message that was found could not be kept")


def as_event(post: Post, channel: str, me: Workspace) -> Body:
    """The event that tells of a post."""
    is_wide = me.installation_id != me.team_id
    authorization = {
        "enterprise_id": me.installation_id if is_wide else None,
        "team_id": None if is_wide else me.team_id,
        "user_id": me.bot_user_id,
        "is_bot": True,
        "is_enterprise_install": is_wide,
    }
    # Of other channels the kind is not known here, and makes no difference.
    kind = {"channel_type": "im"} if is_direct(channel) else {}
    return {
        "type": "event_callback",
        "team_id": me.team_id,
        "api_app_id": me.app_id,
        "authorizations": [authorization],
        "event": {**post, **kind, "type": "message", "channel": channel, "event_ts": post.get("ts")},
    }


def _latest_reply(post: Post) -> str:
    """The ts of a parent's newest reply; empty when it has none."""
    latest = post.get("latest_reply")
    return latest if isinstance(latest, str) and is_ts(latest) else ""
