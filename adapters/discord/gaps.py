"""Since when something may have been said in a server of which nothing was told."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import discord

from adapters.discord.places import DIRECT


@dataclass(frozen=True, slots=True)
class Gap:
    """A server that is to be looked through, or the direct messages.

    Attributes:
        since: when it began, in seconds since the epoch; None when it began before this process did.
    """

    installation_id: str
    since: float | None


class Gaps:
    """Notes when a server could not be heard, and hands out the gap once it can be looked through.

    A session that is resumed leaves none. Direct messages come to the first shard, and are in no list of servers.

    What is told comes in its order, also before a connection is lost and when it is resumed. Only from the beginning of
    a new session on may something be told that was said after what was missed, and until its shard is ready it is not
    known yet where to look for that.

    Args:
        clock: seconds since the epoch.
        shard_of: the shard that hears of a server, or of the direct messages.
    """

    def __init__(
        self, *, clock: Callable[[], float] = time.time, shard_of: Callable[[str], int] = lambda installation: 0
    ) -> None:
        self._clock, self._shard_of = clock, shard_of
        self._lost: dict[int, float] = {}  # shards that were ready before, and since when they are not
        self._since: dict[int, float | None] = {}  # shards that are ready: where the gap before that began
        self._away: dict[str, float] = {}  # servers that have an outage
        self._heard: set[str] = set()  # what has been handed out before
        self._servers: dict[int, set[str]] = {}  # by shard, those that came
        self._open: dict[str, Gap] = {}
        self._coming: dict[int | str, asyncio.Event] = {}  # shards, and servers, of which there will be a gap soon
        self.is_any = asyncio.Event()

    # --- what the gateway tells; see `Sessions` ---------------------------------------------------

    def lost(self, shard: int) -> None:
        self._lost.setdefault(shard, self._clock())

    def begun(self, shard: int) -> None:
        self._expect(shard)

    def resumed(self, shard: int) -> None:
        self._lost.pop(shard, None)

    def ready(self, shard: int) -> None:
        self._since[shard] = self._lost.pop(shard, None)
        for installation in [*self._servers.pop(shard, ()), *([DIRECT] if shard == 0 else [])]:
            self._add(installation, self._since[shard])
        self._has_come(shard)

    def came(self, guild: discord.Guild) -> None:
        name = str(guild.id)
        away = self._away.pop(name, None)
        if away is not None:
            self._add(name, away)
        elif guild.shard_id not in self._since or guild.shard_id in self._lost:
            self._servers.setdefault(guild.shard_id, set()).add(name)  # with the others, when the shard is ready
        else:
            self._add(name, self._since[guild.shard_id])

    def went(self, guild: discord.Guild) -> None:
        self._away.setdefault(str(guild.id), self._clock())

    def missing(self, guild_id: str | None) -> None:
        """Something is told that cannot be taken in; `missed` says when that is over."""
        self._expect(guild_id or DIRECT)

    def missed(self, guild_id: str | None, since: float) -> None:
        """Something was told that could not be taken in."""
        self._add(guild_id or DIRECT, since)
        self._has_come(guild_id or DIRECT)

    # --- what is to be looked through ---------------------------------------------------------------

    def is_any_in(self, installation: str) -> bool:
        """Whether something may have been missed in a server of which it is not known yet where to look."""
        return installation in self._open or next(self._soon(installation), None) is not None

    async def settled(self, installation: str) -> None:
        """Wait until every gap that is about to be in a server is open."""
        while (coming := next(self._soon(installation), None)) is not None:
            await coming.wait()

    def next(self) -> Gap | None:
        """A gap that is open; it stays so until it is `closed`."""
        return next(iter(self._open.values()), None)

    def closed(self, gap: Gap) -> None:
        """It has been looked through, or what is to be read of it is known."""
        self._heard.add(gap.installation_id)
        if self._open.get(gap.installation_id) == gap:
            del self._open[gap.installation_id]
        if not self._open:
            self.is_any.clear()

    def _soon(self, installation: str) -> Iterator[asyncio.Event]:
        shard = self._shard_of(installation)
        if shard not in self._since:
            self._expect(shard)  # it was not ready yet, and brings the gap that began before the process
        found = (self._coming.get(key) for key in (installation, shard))
        return (coming for coming in found if coming is not None)

    def _expect(self, key: int | str) -> None:
        self._coming.setdefault(key, asyncio.Event())

    def _has_come(self, key: int | str) -> None:
        if (coming := self._coming.pop(key, None)) is not None:
            coming.set()

    def _add(self, installation: str, since: float | None) -> None:
        if installation not in self._heard:
            since = None  # whatever became of the connection: the gap is the one that began before the process
        known = self._open.get(installation)
        if known is not None:
            since = None if known.since is None or since is None else min(known.since, since)
        self._open[installation] = Gap(installation, since)
        self.is_any.set()
