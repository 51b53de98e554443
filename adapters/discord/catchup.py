"""Messages that no event told of: looked for after every beginning of a session, and for a while in active threads.

A session that is resumed tells what was missed; one that begins anew does not, nor does a start of the process. Which
channels have something new Discord says by itself: each with the id of its last message.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import discord

from adapters.discord.calls import Calls, Route
from adapters.discord.events import is_apps
from adapters.discord.gaps import Gap, Gaps
from adapters.discord.payloads import Fields, id_at, is_id, objects, sent_at
from adapters.discord.people import Me
from adapters.discord.places import DIRECT, DISCORD, is_continuous
from adapters.discord.threads import Threads
from bot.errors import PlatformAway, PlatformError, StoreError
from bot.messages import Thread
from bot.ports import CatchUpStore, Place
from bot.waiting import pause
from bot.watching import AGE

logger = logging.getLogger(__name__)

_MARGIN = 600.0  # seconds before the newest known message that are looked at again: events overtake one another
_PAGE = 100  # messages, the most that Discord tells at a time
_PAUSE, _LONGEST_PAUSE = 5.0, 60.0  # seconds before what failed is tried again

TakeIn = Callable[[Fields], Awaitable[None]]
"""Takes a message as it was read; raises StoreError, PlatformError."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A channel in which something may have been said since it was heard last. Times are in seconds since the epoch."""

    channel_id: str
    guild_id: str | None
    since: float
    newest: float  # when its last message was sent, as far as that is known
    until: float  # after that, what might be found would be too old
    not_before: float = 0.0  # when it is tried again
    pause: float = _PAUSE


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
        self._me, self._guild, self._is_complete, self._clock, self._sleep = me, guild, is_complete, clock, sleep
        self._pace, self._watch_pace, self._age = pace, watch_pace, age
        self._most, self._most_channels = most, most_channels
        self._noted: Sequence[Place] | None = None  # how far every channel was heard before the process began
        self._heard: dict[str, float] = {}
        self._heard_at_all = 0.0
        self._waiting: dict[str, _Candidate] = {}
        self._is_unsaid = False  # that all is caught up

    async def note(self) -> None:
        """Note how far every channel was heard. To be done before the first event comes, which would hide the gap.

        Raises:
            StoreError: the store cannot tell.
        """
        self._noted = await self._store.places(DISCORD)
        self._heard = {place.channel_id: place.heard_at for place in self._noted}
        self._heard_at_all = max(self._heard.values(), default=0.0)

    async def run(self) -> NoReturn:
        """Look through every server of which something may have been missed, until this is cancelled.

        What Discord or the store cannot do now is tried again, until what might be found would be too old.

        Raises:
            StoreError: the store does not tell where to look. Nothing is lost when this is begun again.
        """
        while True:
            await self._find_candidates()
            candidate = self._next()
            if candidate is None:
                if self._is_unsaid and self._is_complete():
                    await self._store.caught_up(DISCORD)
                    logger.info("caught up")
                    self._is_unsaid = False
                await self._gaps.is_any.wait()
            elif (wait := candidate.not_before - self._clock()) > 0:
                await pause(wait, self._gaps.is_any, sleep=self._sleep)
            else:
                await self._look_at(candidate)

    # --- where to look --------------------------------------------------------------------------

    async def _find_candidates(self) -> None:
        """Line up the channels with something new of every server that can be looked through."""
        if self._gaps.next() is None:
            return
        self._is_unsaid = True
        if self._noted is None:
            await self.note()
        active = await self._store.active(DISCORD, since=self._clock() - self._age)
        while (gap := self._gaps.next()) is not None:
            if gap.installation_id == DIRECT:
                found = await self._direct(gap)
            else:
                found = self._in_server(gap, [one for one in active if one.installation_id == gap.installation_id])
            for candidate in found:
                self._line_up(candidate)
            self._gaps.closed(gap)
            await asyncio.sleep(0)  # there may be thousands of servers
        if len(self._waiting) > self._most_channels:
            newest = sorted(self._waiting.values(), key=lambda one: one.newest, reverse=True)
            self._waiting = {one.channel_id: one for one in newest[: self._most_channels]}

    def _line_up(self, candidate: _Candidate) -> None:
        known = self._waiting.get(candidate.channel_id)
        since = candidate.since if known is None else min(known.since, candidate.since)
        self._waiting[candidate.channel_id] = replace(candidate, since=since)

    async def _direct(self, gap: Gap) -> list[_Candidate]:
        """Every direct message there ever was: Discord does not tell in which there is something new."""
        places = self._noted or () if gap.since is None else await self._store.places(DISCORD)
        return [
            self._candidate(place.channel_id, None, place.heard_at if gap.since is None else gap.since, place.heard_at)
            for place in places
            if place.installation_id == DIRECT
        ]

    def _in_server(self, gap: Gap, active: Sequence[Thread]) -> list[_Candidate]:
        """The channels and threads of a server in which the last message is one that may not have been told.

        Args:
            active: its threads of late.
        """
        guild = self._guild(gap.installation_id)
        if guild is None or (gap.since is None and not self._noted):
            return []  # at a first start nobody has asked anything yet
        joined, listed, found = _joined(guild), set(), []
        for channel_id, parent_id, last in _channels(guild):
            listed.add(channel_id)
            since = max(self._heard_to(gap, parent_id or channel_id), joined)
            candidate = self._candidate(channel_id, gap.installation_id, since, last)
            if last > candidate.since:
                found.append(candidate)
        # Threads that somebody archived are not listed, and may have been spoken in before.
        return found + [
            self._candidate(thread.thread_id, gap.installation_id, self._heard_to(gap, thread.channel_id), newest=0.0)
            for thread in active
            if not is_continuous(thread) and thread.thread_id not in listed
        ]

    def _heard_to(self, gap: Gap, channel_id: str) -> float:
        """Until when all that was said in a channel, or in its threads, has been told."""
        return gap.since if gap.since is not None else self._heard.get(channel_id, self._heard_at_all)

    def _candidate(self, channel_id: str, guild_id: str | None, since: float, newest: float) -> _Candidate:
        now = self._clock()
        return _Candidate(channel_id, guild_id, max(since - _MARGIN, now - self._age), newest, now + self._age)

    # --- looking there --------------------------------------------------------------------------

    def _next(self) -> _Candidate | None:
        """What can be looked at now, the newest first; else what can be looked at the soonest."""
        now = self._clock()
        return min(self._waiting.values(), key=lambda one: (max(one.not_before, now), -one.newest), default=None)

    async def _look_at(self, candidate: _Candidate) -> None:
        del self._waiting[candidate.channel_id]
        fields = {"channel": candidate.channel_id}
        try:
            await self._read(candidate.channel_id, candidate.guild_id, since=candidate.since, pace=self._pace)
        except (PlatformAway, StoreError) as error:
            logger.info("not caught up yet", extra={**fields, "reason": str(error)})
            again = self._clock() + candidate.pause
            if again <= candidate.until:
                longer = min(2 * candidate.pause, _LONGEST_PAUSE)
                self._waiting[candidate.channel_id] = replace(candidate, not_before=again, pause=longer)
        except PlatformError as error:
            logger.info("not caught up", extra={**fields, "reason": str(error)})
        except Exception:
            logger.exception("catching up failed in a way nobody foresaw", extra=fields)

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

    async def _read(self, channel_id: str, guild_id: str | None, *, since: float, pace: float) -> None:
        for post in await self._gathered(channel_id, since, pace):
            # REST leaves the server out, in which the gateway tells every message.
            body = {**post, "guild_id": guild_id} if guild_id is not None else post
            if not is_apps(body, self._me(guild_id)):
                await self._take_in(body)

    async def _gathered(self, channel_id: str, since: float, pace: float) -> list[Fields]:
        """The newest messages of a channel after a time, oldest first."""
        route = Route("GET", "/channels/{channel_id}/messages", channel_id=channel_id)
        found: list[Fields] = []
        before: str | None = None
        oldest = int(id_at(since))
        while len(found) < self._most:
            query: dict[str, str | int] = {"limit": _PAGE} if before is None else {"limit": _PAGE, "before": before}
            told = objects(await self._calls.call(route, safe=True, query=query, is_spare=True))
            await self._sleep(pace)
            page = sorted((post for post in told if is_id(post.get("id"))), key=_order, reverse=True)
            found.extend(post for post in page if _order(post) > oldest)
            if len(page) < _PAGE or _order(page[-1]) <= oldest:
                break
            before = str(page[-1]["id"])
        return sorted(found[: self._most], key=_order)


def _channels(guild: discord.Guild) -> Iterator[tuple[str, str | None, float]]:
    """The channels and threads of a server in which something was ever said, with what they hang from and the time of
    the last message.
    """
    spoken_in: list[discord.TextChannel | discord.VoiceChannel | discord.StageChannel] = [
        *guild.text_channels,
        *guild.voice_channels,
        *guild.stage_channels,
    ]
    for channel in spoken_in:
        if channel.last_message_id is not None:
            yield str(channel.id), None, sent_at(str(channel.last_message_id))
    for thread in guild.threads:
        # A post of which nothing more is told begins with a message of the same id.
        yield str(thread.id), str(thread.parent_id), sent_at(str(thread.last_message_id or thread.id))


def _joined(guild: discord.Guild) -> float:
    """When the bot was let in: nothing that was said before was said to it."""
    me: discord.Member | None = guild.me
    return me.joined_at.timestamp() if me is not None and me.joined_at is not None else 0.0


def _order(post: Fields) -> int:
    return int(str(post["id"]))
