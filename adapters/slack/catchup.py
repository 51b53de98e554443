"""Messages that no event told of: looked for after a start, and for a while in threads just answered in.

What is found goes the way events go, so that it is read, judged and kept the same; what was known already changes
nothing there.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import NoReturn, Protocol, TypeVar

from adapters.slack.calls import Calls
from adapters.slack.pages import Post, order, order_at, read_channel, read_replies, ts_at, ts_of
from adapters.slack.places import SLACK, is_direct, is_ts, place_of, thread_of
from adapters.slack.reading import mentions
from adapters.slack.workspace import Workspace
from bot.errors import PlatformAway, PlatformError, StoreError
from bot.messages import Thread, Turn
from bot.ports import CatchUpStore, Place

logger = logging.getLogger(__name__)

AGE = 86_400.0  # seconds; what is older is not answered any more
AGAIN = (15.0, 30.0, 60.0, 120.0, 300.0)  # seconds after its last activity at which a thread is read again

_PAGE = 500  # messages; it is the requests that count
_MARGIN = 600.0  # seconds before the newest known message that are looked at again: events overtake one another
_OVERLAP = 30.0  # the same, between two readings of a watched thread
_PAUSE, _LONGEST_PAUSE = 5.0, 60.0  # seconds before what failed is tried again
_WITHIN = 120.0  # seconds that a call may wait until there is room for it: no person waits for it

Body = Mapping[str, object]
Ingest = Callable[[Body], Awaitable[object]]
"""Takes an event as the Events API sends it. Raises StoreError when it could not be kept."""

_T = TypeVar("_T")


class CatchUpTurns(CatchUpStore, Protocol):
    """What is asked of the store."""

    async def transcript(self, thread: Thread) -> Sequence[Turn]:
        """Every turn of the thread's epoch that was not superseded, in order."""
        ...


@dataclass(frozen=True, slots=True)
class _Watch:
    """A thread that is read again for a while. Times are in seconds since the epoch."""

    heard_to: float  # all that was said before it is known
    active_at: float
    step: int = 0  # how many times it was read since
    not_before: float = 0.0


class CatchUp:
    """Looks for what was said and not told.

    All readings together make one request a second at the most, and stand behind whatever people wait for.

    Args:
        ingest: takes what is found, of each thread the oldest first.
        clock: seconds since the epoch.
        pace: seconds between two requests.
        age: seconds; what is older is not looked for.
        most: messages of one channel or thread that are gone through, the newest.
        again: seconds after a thread's last activity at which it is read again.
        most_watched: threads; those active the longest ago are let go first.
    """

    def __init__(
        self,
        calls: Calls,
        store: CatchUpTurns,
        me: Workspace,
        ingest: Ingest,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        pace: float = 1.0,
        age: float = AGE,
        most: int = 1000,
        again: Sequence[float] = AGAIN,
        most_watched: int = 2000,
    ) -> None:
        self._calls, self._store, self._me, self._ingest = calls, store, me, ingest
        self._clock, self._sleep, self._pace = clock, sleep, pace
        self._age, self._most, self._again, self._most_watched = age, most, tuple(again), most_watched
        self._places: Sequence[Place] | None = None
        self._asking = asyncio.Lock()
        self._asked_at = 0.0
        self._watched: OrderedDict[Thread, _Watch] = OrderedDict()
        self._has_watches = asyncio.Event()

    async def note(self) -> None:
        """Note how far every channel was heard. To be done before the first event comes, which would hide the gap.

        Raises:
            StoreError: the store cannot tell.
        """
        self._places = await self._store.places(SLACK)

    async def run(self) -> None:
        """Look through every channel the bot was addressed in, then through the threads that moved or are active.

        It returns when all is read. With many threads that takes minutes, and nothing should wait for it. What Slack
        or the store cannot do now is tried again, until what might be found would be too old.

        Raises:
            StoreError: nothing was noted before, and the store cannot tell now.
        """
        if self._places is None:
            await self.note()
        now = self._clock()
        places = [place for place in self._places or () if place.installation_id == self._me.installation_id]
        cursors = {place.channel_id: max(place.heard_at - _MARGIN, now - self._age) for place in places}
        latest: dict[Thread, str] = {}  # the newest reply, where the parent tells it; empty where there is none

        async def look_into(place: Place) -> None:
            latest.update(await self._read_place(place.channel_id, since=cursors[place.channel_id]))

        async def look_at(thread: Thread) -> None:
            await self._read_thread(thread, since=cursors.get(thread.channel_id, now - self._age))

        await self._each(places, look_into, until=now + self._age)
        await self._each(await self._moved(latest, cursors, now), look_at, until=now + self._age)
        self._places = None
        logger.info("caught up", extra={"channels": len(places)})

    def watch(self, thread: Thread) -> None:
        """Something was said or answered in a thread: read it again for a while from now on. Returns at once."""
        now = self._clock()
        known = self._watched.pop(thread, None)
        self._watched[thread] = _Watch(known.heard_to if known else now - self._again[-1], active_at=now)
        while len(self._watched) > self._most_watched:
            self._watched.popitem(last=False)
        self._has_watches.set()

    async def keep_watch(self) -> NoReturn:
        """Read the watched threads again when it is time, until this is cancelled."""
        while True:
            await self._has_watches.wait()
            if not self._watched:
                self._has_watches.clear()
                continue
            thread = min(self._watched, key=lambda thread: self._due(self._watched[thread]))
            if (wait := self._due(self._watched[thread]) - self._clock()) > 0:
                # No longer than a thread will wait that is watched from now on.
                await self._sleep(min(wait, self._again[0]))
            else:
                await self._look_again(thread)

    # --- after a start ------------------------------------------------------------------------

    async def _each(self, things: Sequence[_T], look: Callable[[_T], Awaitable[None]], *, until: float) -> None:
        """Look at these one after the other; what fails for now is looked at again after the others."""
        pause = _PAUSE
        while things:
            failed = [thing for thing in things if not await self._looked(thing, look)]
            if not failed or self._clock() + pause > until:
                return
            things = failed
            await self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _looked(self, thing: _T, look: Callable[[_T], Awaitable[None]]) -> bool:
        """Whether there is no use in looking at it again."""
        try:
            await look(thing)
        except (PlatformAway, StoreError) as error:
            logger.info("not caught up yet", extra={"reason": str(error)})
            return False
        except PlatformError as error:
            logger.info("not caught up", extra={"reason": str(error)})
        return True

    async def _read_place(self, channel: str, *, since: float) -> Mapping[Thread, str]:
        """Take in what was said at a channel's top level, and tell the newest reply of every thread begun there.

        Threads are known by their parents, so more is read than is taken in: as far back as there may be a thread
        that somebody still writes in.
        """
        now = self._clock()
        reading = read_channel(
            self._calls,
            channel,
            oldest=ts_at(now - self._age),
            latest=ts_at(now + self._age),  # Slack's clock may be ahead of ours
            page=_PAGE,
            hurry=False,
            within=_WITHIN,
            pause=self._turn_to_ask,
        )
        posts = await self._gathered(reading, channel)
        # A reply that was also sent to the channel is read with its thread, where it has its place among the others.
        tops = [post for post in posts if post.get("thread_ts") in {None, post.get("ts")}]
        for post in tops:
            if order(ts_of(post) or "0.0") > order_at(since):
                await self._take_in(post, channel)
        return {self._thread(post, channel): _latest_reply(post) for post in tops}

    async def _moved(self, latest: Mapping[Thread, str], cursors: Mapping[str, float], now: float) -> list[Thread]:
        """The threads worth reading: the active ones, then the others with new replies, each newest first."""
        new = {
            thread: reply
            for thread, reply in latest.items()
            if reply and order(reply) > order_at(cursors[thread.channel_id])
        }
        still = latest.keys() - new.keys()
        try:
            active = await self._store.active(SLACK, since=now - self._age)
        except StoreError as error:
            logger.warning("active threads not told", extra={"reason": str(error)})
            active = ()
        ours = [
            thread
            for thread in active
            if thread not in still and thread.installation_id == self._me.installation_id and place_of(thread)[1]
        ]
        others = sorted(new.keys() - set(ours), key=lambda thread: order(new[thread]), reverse=True)
        return [*ours, *others]

    # --- a thread -----------------------------------------------------------------------------

    async def _look_again(self, thread: Thread) -> None:
        """Read a watched thread once, and note when it is to be read next."""
        watch, now = self._watched[thread], self._clock()
        try:
            if place_of(thread)[1] is None:
                await self._read_place_again(thread.channel_id, since=watch.heard_to)
            else:
                await self._read_thread(thread, since=watch.heard_to)
        except (PlatformAway, StoreError) as error:
            logger.info("thread not read again yet", extra={"thread_key": thread.key, "reason": str(error)})
            done = replace(self._watched.get(thread, watch), not_before=self._clock() + self._again[0])
            is_over = self._clock() - watch.active_at > self._age
        except PlatformError as error:
            logger.info("thread not read again", extra={"thread_key": thread.key, "reason": str(error)})
            done, is_over = watch, True
        else:
            done = replace(self._watched.get(thread, watch), heard_to=now - _OVERLAP)
            if done.active_at == watch.active_at:  # else it began anew while it was read
                passed = sum(done.active_at + seconds <= now for seconds in self._again)
                done = replace(done, step=max(passed, done.step + 1))
            is_over = done.step >= len(self._again)
        if is_over:
            self._watched.pop(thread, None)
        elif thread in self._watched:
            self._watched[thread] = done

    async def _read_thread(self, thread: Thread, *, since: float) -> None:
        """Take in what was said in a thread after a time."""
        channel, thread_ts = place_of(thread)
        begun = await self._begun(thread)
        reading = read_replies(
            self._calls,
            channel,
            thread_ts or "",
            oldest=ts_at(since),
            page=_PAGE,
            hurry=False,
            within=_WITHIN,
            pause=self._turn_to_ask,
        )
        for post in await self._gathered(reading, channel):
            ts = ts_of(post) or "0.0"
            if ts == thread_ts or order(ts) <= order_at(since):
                continue
            # What people said among themselves before the bot was called was not said to it, then or now.
            if begun is None or order(ts) >= order(begun) or self._is_to_us(post):
                await self._take_in(post, channel)

    async def _read_place_again(self, channel: str, *, since: float) -> None:
        """Take in what was said after a time in a direct message."""
        reading = read_channel(
            self._calls,
            channel,
            oldest=ts_at(since),
            latest=ts_at(self._clock() + self._age),
            page=_PAGE,
            hurry=False,
            within=_WITHIN,
            pause=self._turn_to_ask,
        )
        for post in await self._gathered(reading, channel):
            if post.get("thread_ts") in {None, post.get("ts")}:
                await self._take_in(post, channel)

    async def _begun(self, thread: Thread) -> str | None:
        """The oldest message known in a thread of a channel; None where everything is said to the bot."""
        if is_direct(thread.channel_id):
            return None
        turns = await self._store.transcript(thread)
        known = [message.id for turn in turns for message in turn.messages if is_ts(message.id)]
        return min(known, key=order, default=None)

    def _is_to_us(self, post: Post) -> bool:
        text = post.get("text")
        return isinstance(text, str) and self._me.bot_user_id in mentions(text)

    # --- one request, one message -------------------------------------------------------------

    async def _turn_to_ask(self) -> None:
        """Wait until one more request may be made."""
        async with self._asking:
            wait = self._asked_at + self._pace - self._clock()
            if wait > 0:
                await self._sleep(min(wait, self._pace))  # the clock may have been put back
            self._asked_at = self._clock()

    async def _gathered(self, reading: AsyncGenerator[Sequence[Post], None], channel: str) -> list[Post]:
        """The newest posts that are read, oldest first, each once."""
        found: dict[str, Post] = {}
        async with aclosing(reading) as pages:
            async for page in pages:
                found |= {ts: post for post in page if (ts := ts_of(post)) is not None}
                if len(found) > 10 * self._most:
                    logger.warning("more was said than is looked through", extra={"channel": channel})
                    break
        return [found[ts] for ts in sorted(found, key=order)[-self._most :]]

    async def _take_in(self, post: Post, channel: str) -> None:
        """Hand a message on as the event that should have told of it."""
        await self._ingest(self._as_event(post, channel))

    def _as_event(self, post: Post, channel: str) -> Body:
        me = self._me
        is_wide = me.installation_id != me.team_id
        authorization = {
            "enterprise_id": me.installation_id if is_wide else None,
            "team_id": None if is_wide else me.team_id,
            "user_id": me.bot_user_id,
            "is_bot": True,
            "is_enterprise_install": is_wide,
        }
        kind = {"channel_type": "im"} if is_direct(channel) else {}
        event = {**post, **kind, "type": "message", "channel": channel, "event_ts": post.get("ts")}
        return {
            "type": "event_callback",
            "team_id": me.team_id,
            "api_app_id": me.app_id,
            "authorizations": [authorization],
            "event": event,
        }

    def _thread(self, post: Post, channel: str) -> Thread:
        """The thread that hangs from a post of a channel's top level."""
        ts = ts_of(post) or "0.0"
        if is_direct(channel):
            return Thread(SLACK, self._me.installation_id, channel, ts)
        return thread_of(self._me.installation_id, channel, ts, None)

    def _due(self, watch: _Watch) -> float:
        return max(watch.active_at + self._again[watch.step], watch.not_before)


def _latest_reply(post: Post) -> str:
    """The ts of a parent's newest reply; empty when it has none."""
    latest = post.get("latest_reply")
    return latest if isinstance(latest, str) and is_ts(latest) else ""
