"""Messages that no event told of: looked for after every beginning of a session, and for a while in active threads.

A session that is resumed tells what was missed; one that begins anew does not, nor does a start of the process. What
is found in which order matters to nobody but those who wait for an answer: theirs is looked for first.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NoReturn

import discord

from adapters.discord.calls import Calls, Route
from adapters.discord.candidates import Candidate, Candidates
from adapters.discord.events import is_apps
from adapters.discord.gaps import Gaps
from adapters.discord.payloads import Fields, id_at, is_id, objects, sent_at
from adapters.discord.people import Me
from adapters.discord.places import DIRECT, DISCORD, is_continuous
from adapters.discord.threads import Threads
from bot.errors import PlatformAway, PlatformError, StoreError
from bot.messages import Thread
from bot.ports import CatchUpStore
from bot.waiting import pause
from bot.watching import AGE

logger = logging.getLogger(__name__)

_PAGE = 100  # messages, the most that Discord tells at a time
_SOON = 0.5  # seconds before the store is asked again for what somebody waits for
_AT_ONCE = 8  # channels that are read while somebody waits for each; more would fill the memory
_SPACING = 0.03  # seconds between two requests of all these; Discord takes fifty a second, answers included

TakeIn = Callable[[Fields], Awaitable[None]]
"""Takes a message as it was read; raises StoreError, PlatformError."""


@dataclass(slots=True, eq=False)
class _Reading:
    """A channel that is being looked at."""

    candidate: Candidate
    hurried: asyncio.Event = field(default_factory=asyncio.Event)  # somebody waits for it
    over: asyncio.Event = field(default_factory=asyncio.Event)


class CatchUp:
    """Reads what was said in the meantime, and hands it on as if it had just been told.

    Args:
        gaps: tells what is to be looked through.
        me: who the bot is in a server, by the server's id.
        guild: a server as it is known now, with its channels and active threads.
        is_complete: whether every shard has been ready once.
        take_in: takes what is found, of each channel the oldest first.
        clock: seconds since the epoch.
        pace: seconds between two requests; *watch_pace*: between two of those for threads that are watched.
        age: seconds; what is older is not looked for.
        most: messages of one channel that are gone through, the newest; *most_channels*: channels that wait for it,
            those with the newest messages.
    """

    def __init__(
        self,
        calls: Calls,
        store: CatchUpStore,
        threads: Threads,
        gaps: Gaps,
        take_in: TakeIn,
        *,
        me: Callable[[str | None], Me],
        guild: Callable[[str], discord.Guild | None],
        is_complete: Callable[[], bool],
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        pace: float = 0.1,
        watch_pace: float = 1.0,
        age: float = AGE,
        most: int = 1000,
        most_channels: int = 2000,
    ) -> None:
        self._calls, self._store, self._threads, self._gaps, self._take_in = calls, store, threads, gaps, take_in
        self._candidates = Candidates(store, guild=guild, clock=clock, age=age)
        self._me, self._is_complete, self._clock, self._sleep = me, is_complete, clock, sleep
        self._pace, self._watch_pace = pace, watch_pace
        self._most, self._most_channels = most, most_channels
        self._waiting: dict[str, Candidate] = {}
        self._readings: dict[str, _Reading] = {}
        self._lining_up, self._turnstile = asyncio.Lock(), asyncio.Lock()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._stirred = asyncio.Event()  # something was lined up, or looked at
        self._is_unsaid = False  # that all is caught up

    async def note(self) -> None:
        """Note how far every channel was heard; see `Candidates.note`."""
        await self._candidates.note()

    async def run(self) -> NoReturn:
        """Look through every server of which something may have been missed, until this is cancelled.

        What Discord or the store cannot do now is tried again, until what might be found would be too old.

        Raises:
            StoreError: the store does not tell where to look. Nothing is lost when this is begun again.
        """
        while True:
            await self._find_candidates()
            self._stirred.clear()
            candidate = self._next()
            if candidate is None:
                if self._is_unsaid and not self._readings and self._is_complete():
                    await self._say_so()
                await pause(math.inf, self._gaps.is_any, self._stirred, sleep=self._sleep)
            elif (wait := candidate.not_before - self._clock()) > 0:
                await pause(wait, self._gaps.is_any, self._stirred, sleep=self._sleep)
            else:
                await self._look_at(_Reading(candidate))

    async def thread(self, thread: Thread) -> None:
        """Take in what was missed in a thread, before all else; at once where nothing can have been.

        Whoever waits for the same channel shares one reading of it. It goes on until Discord and the store have told.
        """
        while self._gaps.is_any_in(thread.installation_id) or self._channels_of(thread):
            await self._gaps.settled(thread.installation_id)
            try:
                await self._find_candidates()
            except StoreError as error:
                logger.info("not caught up yet", extra={"thread_key": thread.key, "reason": str(error)})
                await self._sleep(_SOON)
            for channel_id in self._channels_of(thread):
                await self._hurry(channel_id)

    async def _say_so(self) -> None:
        """Note that all is caught up. Raises StoreError."""
        self._is_unsaid = False  # before it is noted: there may be a new gap by then
        try:
            await self._store.caught_up(DISCORD)
        except BaseException:
            self._is_unsaid = True
            raise
        logger.info("caught up")

    # --- where to look --------------------------------------------------------------------------

    async def _find_candidates(self) -> None:
        """Line up the channels with something new of every server that can be looked through."""
        async with self._lining_up:
            if self._gaps.next() is None:
                return
            self._is_unsaid = True
            active = await self._candidates.active()
            while (gap := self._gaps.next()) is not None:
                for candidate in await self._candidates.of(gap, active):
                    self._line_up(candidate)
                self._gaps.closed(gap)
                await asyncio.sleep(0)  # there may be thousands of servers
            if len(self._waiting) > self._most_channels:
                newest = sorted(self._waiting.values(), key=lambda one: one.newest, reverse=True)
                self._waiting = {one.channel_id: one for one in newest[: self._most_channels]}

    def _line_up(self, candidate: Candidate) -> None:
        known = self._waiting.get(candidate.channel_id)
        self._waiting[candidate.channel_id] = candidate if known is None else candidate.joined(known)
        self._stirred.set()

    def _channels_of(self, thread: Thread) -> list[str]:
        """The channels that are still to be looked at, and may hold something of a thread that was missed."""
        inside = [thread.thread_id] if self._still_at(thread.thread_id) else []
        if is_continuous(thread) or not any(self._may_hold(one, thread) for one in self._still_at(thread.channel_id)):
            return inside
        return [thread.channel_id, *inside]

    def _still_at(self, channel_id: str) -> list[Candidate]:
        reading, waiting = self._readings.get(channel_id), self._waiting.get(channel_id)
        return ([reading.candidate] if reading else []) + ([waiting] if waiting else [])

    def _may_hold(self, candidate: Candidate, thread: Thread) -> bool:
        """Whether something of a thread may have been missed in the channel that it hangs from: its first message, or
        replies where no thread could be opened.
        """
        begun = sent_at(thread.thread_id) if is_id(thread.thread_id) else 0.0
        if begun > candidate.newest:  # it was told, and so was all that came after it
            return False
        return begun >= candidate.since or not self._threads.is_seen(thread)

    # --- looking there --------------------------------------------------------------------------

    def _next(self) -> Candidate | None:
        """What can be looked at now, the newest first; else what can be looked at the soonest."""
        now = self._clock()
        return min(self._waiting.values(), key=lambda one: (max(one.not_before, now), -one.newest), default=None)

    async def _hurry(self, channel_id: str) -> None:
        """Look at a channel now, or wait until that is done; where it failed, wait until it can be tried again."""
        if (reading := self._readings.get(channel_id)) is not None:
            reading.hurried.set()
            await reading.over.wait()
        elif (candidate := self._waiting.get(channel_id)) is not None:
            if (wait := candidate.soonest - self._clock()) > 0:
                await self._sleep(wait)
                return
            async with self._places:
                if self._waiting.get(channel_id) is candidate:  # else somebody else has begun to meanwhile
                    await self._look_at(_Reading(candidate), is_hurried=True)

    async def _look_at(self, reading: _Reading, *, is_hurried: bool = False) -> None:
        candidate = reading.candidate
        left: Candidate | None = candidate  # what is still to be looked at, also where this is cut short
        fields = {"channel": candidate.channel_id}
        del self._waiting[candidate.channel_id]
        self._readings[candidate.channel_id] = reading
        if is_hurried:
            reading.hurried.set()
        try:
            await self._read(
                candidate.channel_id,
                candidate.guild_id,
                since=candidate.since,
                pace=self._pace,
                hurried=reading.hurried,
            )
            left = None
        except (PlatformAway, StoreError) as error:
            logger.info("not caught up yet", extra={**fields, "reason": str(error)})
            left = candidate.failed(self._clock())
        except PlatformError as error:
            logger.info("not caught up", extra={**fields, "reason": str(error)})
            left = None
        except Exception:
            logger.exception("catching up failed in a way nobody foresaw", extra=fields)
            left = None
        finally:
            del self._readings[candidate.channel_id]
            if left is not None:
                self._line_up(left)
            reading.over.set()
            self._stirred.set()

    async def read_thread(self, thread: Thread, since: float) -> None:
        """Take in what was said in a thread after a time, in seconds since the epoch.

        Raises:
            PlatformError: Discord does not tell.
            StoreError: something found could not be kept.
        """
        guild_id = None if thread.installation_id == DIRECT else thread.installation_id
        in_place = is_continuous(thread) or not await self._threads.is_opened(thread)
        channel_id = thread.channel_id if in_place else thread.thread_id
        await self._read(channel_id, guild_id, since=since, pace=self._watch_pace)

    async def _read(
        self, channel_id: str, guild_id: str | None, *, since: float, pace: float, hurried: asyncio.Event | None = None
    ) -> None:
        for post in await self._gathered(channel_id, since, pace, hurried):
            # REST leaves the server out, in which the gateway tells every message.
            body = {**post, "guild_id": guild_id} if guild_id is not None else post
            if not is_apps(body, self._me(guild_id)):
                await self._take_in(body)

    async def _gathered(
        self, channel_id: str, since: float, pace: float, hurried: asyncio.Event | None
    ) -> list[Fields]:
        """The newest messages of a channel after a time, oldest first."""
        found: list[Fields] = []
        before: str | None = None
        oldest = int(id_at(since))
        while len(found) < self._most:
            told = await self._page(channel_id, before, pace, hurried)
            page = sorted((post for post in told if is_id(post.get("id"))), key=_order, reverse=True)
            found.extend(post for post in page if _order(post) > oldest)
            if len(page) < _PAGE or _order(page[-1]) <= oldest:
                break
            before = str(page[-1]["id"])
        return sorted(found[: self._most], key=_order)

    async def _page(
        self, channel_id: str, before: str | None, pace: float, hurried: asyncio.Event | None
    ) -> list[Fields]:
        """The newest messages that are older than an id, of any when there is none; followed by the pause between two
        requests, which come close upon one another while somebody waits.
        """
        is_hurried = hurried is not None and hurried.is_set()
        if is_hurried:
            async with self._turnstile:
                await self._sleep(_SPACING)
        route = Route("GET", "/channels/{channel_id}/messages", channel_id=channel_id)
        query: dict[str, str | int] = {"limit": _PAGE} if before is None else {"limit": _PAGE, "before": before}
        told = objects(await self._calls.call(route, safe=True, query=query, is_spare=not is_hurried))
        if not is_hurried:
            await pause(pace, hurried, sleep=self._sleep)
        return told


def _order(post: Fields) -> int:
    return int(str(post["id"]))
