"""Where something may have been said of which nothing was told: the channels that are to be looked at.

Which channels have something new Discord says by itself: each with the id of its last message.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import discord

from adapters.discord.gaps import Gap
from adapters.discord.payloads import sent_at
from adapters.discord.places import DIRECT, DISCORD, is_continuous
from bot.messages import Thread
from bot.ports import CatchUpStore, Place

_MARGIN = 600.0  # seconds before the newest known message that are looked at again: events overtake one another
_PAUSE, _LONGEST_PAUSE = 5.0, 60.0  # seconds before what failed is tried again
_HURRIED = 0.1  # of that pause, when somebody waits


@dataclass(frozen=True, slots=True)
class Candidate:
    """A channel in which something may have been said since it was heard last. Times are in seconds since the epoch."""

    channel_id: str
    guild_id: str | None
    since: float
    newest: float  # when its last message was sent, as far as that is known
    until: float  # after that, what might be found would be too old
    not_before: float = 0.0  # when it is tried again; *soonest*: when somebody waits for it
    soonest: float = 0.0
    pause: float = _PAUSE

    def failed(self, now: float) -> "Candidate | None":
        """The same, to be tried again later; None when that would be too late."""
        again, longer = now + self.pause, min(2 * self.pause, _LONGEST_PAUSE)
        if again > self.until:
            return None
        return replace(self, not_before=again, soonest=now + _HURRIED * self.pause, pause=longer)

    def joined(self, other: "Candidate") -> "Candidate":
        """Both in one: what may have been missed by either."""
        return replace(
            self,
            since=min(self.since, other.since),
            newest=max(self.newest, other.newest),
            until=max(self.until, other.until),
            not_before=min(self.not_before, other.not_before),
            soonest=min(self.soonest, other.soonest),
            pause=min(self.pause, other.pause),
        )


class Candidates:
    """Finds the channels of a gap.

    Args:
        guild: a server as it is known now, with its channels and active threads.
        clock: seconds since the epoch.
        age: seconds; what is older is not looked for.
    """

    def __init__(
        self,
        store: CatchUpStore,
        *,
        guild: Callable[[str], discord.Guild | None],
        clock: Callable[[], float],
        age: float,
    ) -> None:
        self._store, self._guild, self._clock, self._age = store, guild, clock, age
        self._noted: Sequence[Place] | None = None  # how far every channel was heard before the process began
        self._heard: dict[str, float] = {}
        self._heard_at_all = 0.0

    async def note(self) -> None:
        """Note how far every channel was heard. To be done before the first event comes, which would hide the gap.

        Raises:
            StoreError: the store cannot tell.
        """
        self._noted = await self._store.places(DISCORD)
        self._heard = {place.channel_id: place.heard_at for place in self._noted}
        self._heard_at_all = max(self._heard.values(), default=0.0)

    async def active(self) -> Sequence[Thread]:
        """The threads of late, of all servers. Raises StoreError."""
        if self._noted is None:
            await self.note()
        return await self._store.active(DISCORD, since=self._clock() - self._age)

    async def of(self, gap: Gap, active: Sequence[Thread]) -> list[Candidate]:
        """The channels in which something may have been missed. Raises StoreError.

        Args:
            active: see `active`.
        """
        if gap.installation_id == DIRECT:
            return await self._direct(gap)
        return self._in_server(gap, [thread for thread in active if thread.installation_id == gap.installation_id])

    async def _direct(self, gap: Gap) -> list[Candidate]:
        """Every direct message there ever was: Discord does not tell in which there is something new."""
        places = self._noted or () if gap.since is None else await self._store.places(DISCORD)
        return [
            self._candidate(place.channel_id, None, place.heard_at if gap.since is None else gap.since, place.heard_at)
            for place in places
            if place.installation_id == DIRECT
        ]

    def _in_server(self, gap: Gap, active: Sequence[Thread]) -> list[Candidate]:
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

    def _candidate(self, channel_id: str, guild_id: str | None, since: float, newest: float) -> Candidate:
        now = self._clock()
        return Candidate(channel_id, guild_id, max(since - _MARGIN, now - self._age), newest, now + self._age)


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
