"""Messages that no event told of: looked for after every beginning of a session, and for a while in active threads.

A session that is resumed tells what was missed; one that begins anew does not, nor does a start of the process. Which
channels have something new Discord says by itself: each with the id of its last message.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol

import discord

from adapters.discord.calls import Calls, Route
from adapters.discord.events import is_apps
from adapters.discord.payloads import Fields, id_at, is_id, objects, sent_at
from adapters.discord.people import Me
from adapters.discord.places import DIRECT, DISCORD, is_continuous
from adapters.discord.threads import Threads
from bot.errors import PlatformAway, PlatformError, StoreError
from bot.messages import Thread
from bot.ports import CatchUpStore, Place, ThreadNote
from bot.watching import AGE

logger = logging.getLogger(__name__)

_MARGIN = 600.0  # seconds before the newest known message that are looked at again: events overtake one another
_PAGE = 100  # messages, the most that Discord tells at a time
_PAUSE, _LONGEST_PAUSE = 5.0, 60.0  # seconds before what failed is tried again

TakeIn = Callable[[Fields], Awaitable[None]]
"""Takes a message as it was read; raises StoreError, PlatformError."""


class CatchUpTurns(CatchUpStore, Protocol):
    """What is asked of the store."""

    async def note(self, thread: Thread) -> ThreadNote:
        """What is known of a thread; see `MessageStore.note`."""
        ...


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A channel in which something was said since it was heard last. Times are in seconds since the epoch."""

    channel_id: str
    guild_id: str | None
    since: float
    newest: float  # when its last message was sent


class CatchUp:
    """Reads what was said in the meantime, and hands it on as if it had just been told.

    Args:
        me: who the bot is in a server, by the server's id.
        guilds: the servers that are known now, each with its channels and active threads.
        take_in: takes what is found, of each channel the oldest first.
        clock: seconds since the epoch.
        pace: seconds between two requests.
        age: seconds; what is older is not looked for.
        most: messages of one channel that are gone through, the newest; *most_channels*: channels of one session.
    """

    def __init__(
        self,
        calls: Calls,
        store: CatchUpTurns,
        threads: Threads,
        take_in: TakeIn,
        *,
        me: Callable[[str | None], Me],
        guilds: Callable[[], Sequence[discord.Guild]],
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        pace: float = 0.1,
        age: float = AGE,
        most: int = 1000,
        most_channels: int = 2000,
    ) -> None:
        self._calls, self._store, self._threads, self._take_in = calls, store, threads, take_in
        self._me, self._guilds, self._clock, self._sleep = me, guilds, clock, sleep
        self._pace, self._age, self._most, self._most_channels = pace, age, most, most_channels
        self._places: Sequence[Place] | None = None
        self._gaps: dict[int, float] = {}  # since when a shard may have missed something
        self._ready: set[int] = set()
        self._has_ready = asyncio.Event()

    # --- when there may be a gap ----------------------------------------------------------------

    async def note(self) -> None:
        """Note how far every channel was heard. To be done before the first event comes, which would hide the gap.

        Raises:
            StoreError: the store cannot tell.
        """
        self._places = await self._store.places(DISCORD)

    def lost(self, shard: int) -> None:
        """A shard lost its connection: what is said from now on may never be told."""
        self._gaps.setdefault(shard, self._clock())

    def ready(self, shard: int) -> None:
        """A shard's session has begun anew, and its servers are known: they are to be looked through."""
        self._ready.add(shard)
        self._has_ready.set()

    async def run(self) -> NoReturn:
        """Look through the servers of each shard that became ready, until this is cancelled.

        What Discord or the store cannot do now is tried again, until what might be found would be too old.
        """
        while True:
            await self._has_ready.wait()
            self._has_ready.clear()
            shards, self._ready = self._ready, set()
            gaps = {shard: self._gaps.pop(shard, None) for shard in shards}
            candidates = await self._candidates(gaps)
            until = self._clock() + self._age
            await self._each(candidates[: self._most_channels], until=until)
            if not self._ready and self._places is not None:
                self._places = None
                await self._store.caught_up(DISCORD)
            logger.info("caught up", extra={"channels": len(candidates)})

    async def _candidates(self, gaps: Mapping[int, float | None]) -> list[_Candidate]:
        """The channels with something new, those that were heard the latest first.

        Args:
            gaps: the shards, with the time at which each lost its connection; None at the start of the process.
        """
        now = self._clock()
        places = self._places if self._places is not None else await self._store.places(DISCORD)
        heard = {place.channel_id: place.heard_at for place in places}
        at_all = max(heard.values(), default=None)
        if at_all is None:
            return []  # a first start: nobody has asked anything yet
        found = []
        for guild in self._guilds():
            if guild.shard_id not in gaps:
                continue
            for channel_id, parent_id, last in _with_news(guild):
                gap = gaps[guild.shard_id]
                since = gap if gap is not None else heard.get(parent_id or channel_id, at_all)
                since = max(since - _MARGIN, now - self._age)
                if last > since:
                    found.append(_Candidate(channel_id, str(guild.id), since, last))
        if 0 in gaps:  # direct messages come to the first shard, and are in no list
            for place in places:
                if place.installation_id == DIRECT and place.heard_at > now - self._age:
                    since = gaps[0] if gaps[0] is not None else place.heard_at
                    found.append(_Candidate(place.channel_id, None, since - _MARGIN, place.heard_at))
        return sorted(found, key=lambda candidate: candidate.newest, reverse=True)

    async def _each(self, candidates: Sequence[_Candidate], *, until: float) -> None:
        """Look at these one after the other; what fails for now is looked at again after the others."""
        pause = _PAUSE
        while candidates:
            candidates = [one for one in candidates if not await self._looked(one)]
            if not candidates or self._clock() + pause > until:
                return
            await self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _looked(self, candidate: _Candidate) -> bool:
        """Whether there is no use in looking at it again."""
        try:
            await self._read(candidate.channel_id, candidate.guild_id, since=candidate.since)
        except (PlatformAway, StoreError) as error:
            logger.info("not caught up yet", extra={"channel": candidate.channel_id, "reason": str(error)})
            return False
        except PlatformError as error:
            logger.info("not caught up", extra={"channel": candidate.channel_id, "reason": str(error)})
        return True

    # --- one channel ----------------------------------------------------------------------------

    async def read_thread(self, thread: Thread, since: float) -> None:
        """Take in what was said in a thread after a time, in seconds since the epoch.

        Raises:
            PlatformError: Discord does not tell.
            StoreError: something found could not be kept.
        """
        guild_id = None if thread.installation_id == DIRECT else thread.installation_id
        in_place = is_continuous(thread) or not await self._threads.is_opened(thread)
        await self._read(thread.channel_id if in_place else thread.thread_id, guild_id, since=since)

    async def _read(self, channel_id: str, guild_id: str | None, *, since: float) -> None:
        for post in await self._gathered(channel_id, since):
            # REST leaves the server out, in which the gateway tells every message.
            body = {**post, "guild_id": guild_id} if guild_id is not None else post
            if not is_apps(body, self._me(guild_id)):
                await self._take_in(body)

    async def _gathered(self, channel_id: str, since: float) -> list[Fields]:
        """The newest messages of a channel after a time, oldest first."""
        route = Route("GET", "/channels/{channel_id}/messages", channel_id=channel_id)
        found: list[Fields] = []
        before: str | None = None
        oldest = int(id_at(since))
        while len(found) < self._most:
            query: dict[str, str | int] = {"limit": _PAGE} if before is None else {"limit": _PAGE, "before": before}
            told = objects(await self._calls.call(route, safe=True, query=query))
            await self._sleep(self._pace)
            page = sorted((post for post in told if is_id(post.get("id"))), key=_order, reverse=True)
            found.extend(post for post in page if _order(post) > oldest)
            if len(page) < _PAGE or _order(page[-1]) <= oldest:
                break
            before = str(page[-1]["id"])
        return sorted(found[: self._most], key=_order)


def _with_news(guild: discord.Guild) -> list[tuple[str, str | None, float]]:
    """The channels and threads of a server in which something was ever said, with the time of the last message."""
    channels: list[discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread] = [
        *guild.text_channels,
        *guild.voice_channels,
        *guild.stage_channels,
        *guild.threads,
    ]
    return [
        (
            str(channel.id),
            str(channel.parent_id) if isinstance(channel, discord.Thread) else None,
            sent_at(str(channel.last_message_id)),
        )
        for channel in channels
        if channel.last_message_id is not None
    ]


def _order(post: Fields) -> int:
    return int(str(post["id"]))
