"""The connection to Discord's gateway, kept up, with what comes over it handed on as it is."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, Protocol

import discord
from discord.http import HTTPClient

from adapters.discord.application import intents
from adapters.discord.payloads import Fields, fields
from bot.condition import Condition
from bot.errors import StartError

logger = logging.getLogger(__name__)

TOLD: Final = frozenset(
    {"MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_DELETE_BULK", "INTERACTION_CREATE"}
)
"""The events that are handed on; of the rest the library keeps what it needs."""

_PORTAL = "https://discord.com/developers/applications"
BAD_TOKEN = (
    f"Discord does not accept DISCORD_TOKEN; copy the token again from {_PORTAL}, your application, Bot, Reset Token."
)
NO_INTENT = (
    "Discord does not let the bot read messages; switch on Message Content Intent at "
    f"{_PORTAL}, your application, Bot, Privileged Gateway Intents."
)
_CLOSED = "Discord closed the connection for good (code {code}); see the application at " + _PORTAL + "."
_FATAL = {4004: BAD_TOKEN, 4013: NO_INTENT, 4014: NO_INTENT}  # codes of closing; what waiting cannot mend
_STUBBORN: Final = 0.5  # seconds until something is told again to end
_FOR_GOOD = {4010, 4011, 4012}
_AWAY = "There is no connection to Discord's gateway; it is tried again and again."
_BETWEEN_SESSIONS: Final = 5.0  # seconds between the beginnings of two, as Discord wants it

Hear = Callable[[str, Fields], None]
"""Takes an event by its name and what it says; returns at once."""


class Sessions(Protocol):
    """Who is told how the sessions fare: what happens between two of them Discord tells nobody. All return at once."""

    def begun(self, shard: int) -> None:
        """A session begins anew: what is told from now on may come after something that was not told."""

    def ready(self, shard: int) -> None:
        """A session has begun anew, and the servers of the shard are known but for those that are late."""

    def lost(self, shard: int) -> None:
        """The connection is gone, or was never made."""

    def resumed(self, shard: int) -> None:
        """It is back, and all that was missed has been told."""

    def came(self, guild: discord.Guild) -> None:
        """A server is known: late, after an outage, or because the bot was invited."""

    def went(self, guild: discord.Guild) -> None:
        """A server has an outage."""


class Gateway(discord.AutoShardedClient):
    """One connection for each shard. Made anew when it fails for good; it makes no calls but those of its start.

    Args:
        hear: told of events in the order in which they came.
        late: seconds that the next server of a session is waited for; those that come later are told one by one.
    """

    def __init__(
        self,
        *,
        shard_count: int,
        hear: Hear,
        sessions: Sessions,
        sleep: Callable[[float], Awaitable[None]],
        late: float,
    ) -> None:
        super().__init__(
            intents=intents(),
            shard_count=shard_count,
            # Nothing is asked of these caches, and with many servers they are most of the memory.
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
            enable_debug_events=True,  # for the payloads themselves, which are read here
            guild_ready_timeout=late,
        )
        self._hear, self._sessions, self._sleep = hear, sessions, sleep
        self._beginning: set[int] = set()  # shards of which the session is new, and the servers not known yet

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Keep the pace at which Discord lets sessions begin."""
        if not initial:
            await self._sleep(_BETWEEN_SESSIONS)

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Hand a payload on at once, in order; the library would make a task of each."""
        match event:
            case "socket_raw_receive":
                self._read(args[0])
            case "shard_connect":
                self._beginning.add(args[0])
                self._sessions.begun(args[0])
            case "shard_ready":
                self._beginning.discard(args[0])
                self._sessions.ready(args[0])
            case "shard_resumed" if args[0] not in self._beginning:  # else what was missed before it is still missing
                self._sessions.resumed(args[0])
            case "shard_disconnect":
                self._sessions.lost(args[0])
            case "guild_available" | "guild_join":
                self._sessions.came(args[0])
            case "guild_unavailable":
                self._sessions.went(args[0])
        super().dispatch(event, *args, **kwargs)

    def _read(self, frame: str) -> None:
        # Most frames are of no interest, and reading one twice costs as much as everything else done with it.
        if '"MESSAGE_' not in frame and '"INTERACTION_CREATE"' not in frame:
            return
        try:
            payload = fields(json.loads(frame))
        except ValueError:
            return  # the library says so, and begins anew
        name = payload.get("t")
        if isinstance(name, str) and name in TOLD:
            # After the library has read it, too: a thread may have come with it.
            self.loop.call_soon(self._hear, name, fields(payload.get("d")))


class Connection:
    """Keeps a gateway connected for as long as it can be.

    Args:
        http: of a client that is logged in; asked how many shards there are to be.
        pause: seconds before the second attempt; doubles up to *longest_pause*.
        patience: seconds without a connection after which the operator is told.
        late: see `Gateway`.
    """

    def __init__(
        self,
        token: str,
        *,
        http: HTTPClient,
        hear: Hear,
        sessions: Sessions,
        condition: Condition,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        pause: float = 1.0,
        longest_pause: float = 60.0,
        patience: float = 60.0,
        late: float = 0.5,
    ) -> None:
        self._late = late
        self._token, self._http, self._hear = token, http, hear
        self._sessions, self._condition = sessions, condition
        self._sleep, self._pause, self._longest_pause, self._patience = sleep, pause, longest_pause, patience
        self._gateway: Gateway | None = None
        self._shards = 1
        self._up: set[int] = set()  # the shards that are connected
        self._were_ready: set[int] = set()  # those that ever were
        self._is_fruitful = False  # whether the present attempt led to a session
        self._ready = asyncio.Event()
        self.failed: str | None = None  # why, when it is for good

    @property
    def guilds(self) -> Sequence[discord.Guild]:
        """The servers that are known now."""
        return self._gateway.guilds if self._gateway is not None else ()

    def guild(self, guild_id: int) -> discord.Guild | None:
        """A server, if it is known now."""
        return self._gateway.get_guild(guild_id) if self._gateway is not None else None

    @property
    def is_complete(self) -> bool:
        """Whether every shard has been ready once."""
        return self._were_ready >= set(range(self._shards))

    async def wait_until_ready(self) -> None:
        """Wait until every shard has been ready once. Raises StartError when that can never be."""
        await self._ready.wait()
        if self.failed is not None:
            raise StartError(self.failed)

    async def run(self) -> None:
        """Connect, and again whenever that ends, until this is cancelled or there is no use in it."""
        async with asyncio.TaskGroup() as group:
            reporting = group.create_task(self._report())
            try:
                await self._keep_connected()
            finally:
                reporting.cancel()

    def shard_of(self, guild_id: int | None) -> int:
        """The shard that hears of a server, or of the direct messages; see Discord's reference on sharding."""
        return (guild_id >> 22) % self._shards if guild_id is not None else 0

    # --- what the sessions tell -----------------------------------------------------------------

    def begun(self, shard: int) -> None:
        self._sessions.begun(shard)

    def ready(self, shard: int) -> None:
        self._is_fruitful = True
        self._were_ready.add(shard)
        self._is_up(shard)
        if self.is_complete:
            self._ready.set()
        self._sessions.ready(shard)

    def resumed(self, shard: int) -> None:
        self._is_fruitful = True
        self._is_up(shard)
        self._sessions.resumed(shard)

    def lost(self, shard: int) -> None:
        self._up.discard(shard)
        self._sessions.lost(shard)

    def came(self, guild: discord.Guild) -> None:
        self._sessions.came(guild)

    def went(self, guild: discord.Guild) -> None:
        self._sessions.went(guild)

    def _is_up(self, shard: int) -> None:
        self._up.add(shard)
        if len(self._up) == self._shards:
            self._condition.is_well("gateway")

    # --- keeping it up --------------------------------------------------------------------------

    async def _keep_connected(self) -> None:
        pause = self._pause
        while True:
            self._is_fruitful = False
            try:
                await self._connect()
                reason = "the connection ended"
            except (discord.LoginFailure, discord.PrivilegedIntentsRequired, discord.ConnectionClosed) as error:
                sentence = _sentence(error)
                if sentence is not None:
                    self._condition.is_wrong("gateway", sentence)
                    self.failed = sentence
                    self._ready.set()
                    return
                reason = str(error)
            except Exception as error:  # a payload the library stumbles over ends its client with whatever it raised
                logger.warning("gateway failed", exc_info=error)
                reason = type(error).__name__
            pause = self._pause if self._is_fruitful else pause
            logger.warning("connecting to the gateway again", extra={"reason": reason, "seconds": pause})
            await self._sleep(pause)
            pause = min(2 * pause, self._longest_pause)

    async def _connect(self) -> None:
        shards, _, limits = await self._http.get_bot_gateway()
        if limits["remaining"] <= shards:
            # One beginning too many, and Discord takes the token away.
            seconds = limits["reset_after"] / 1000
            logger.error("too many beginnings of a session today", extra={"seconds": seconds})
            await self._sleep(seconds)
        self._shards = shards
        self._gateway = gateway = Gateway(
            shard_count=shards, hear=self._hear, sessions=self, sleep=self._sleep, late=self._late
        )
        try:
            async with gateway:
                await surely_ended(gateway.start(self._token))
        finally:
            for shard in range(shards):
                self.lost(shard)

    async def _report(self) -> None:
        """Tell the operator of a connection that stays away; the library tries again for ever and only logs it."""
        was_down = False
        while True:
            await self._sleep(self._patience)
            is_down = len(self._up) < self._shards
            if is_down and was_down:
                self._condition.is_wrong("gateway", _AWAY)
            was_down = is_down


async def surely_ended(work: Coroutine[Any, Any, None]) -> None:
    """Do something that may swallow being cancelled, as discord.py does while it connects again."""
    running = asyncio.get_running_loop().create_task(work)
    try:
        await asyncio.wait({running})
    finally:
        while not running.done():
            running.cancel()
            await asyncio.wait({running}, timeout=_STUBBORN)
        failure = None if running.cancelled() else running.exception()
    if failure is not None:
        raise failure


def _sentence(error: Exception) -> str | None:
    """What the operator has to do about a connection that waiting does not mend; None when it does."""
    match error:
        case discord.LoginFailure():
            return BAD_TOKEN
        case discord.PrivilegedIntentsRequired():
            return NO_INTENT
        case discord.ConnectionClosed(code=code) if code in _FATAL:
            return _FATAL[code]
        case discord.ConnectionClosed(code=code) if code in _FOR_GOOD:
            return _CLOSED.format(code=code)
        case _:
            return None
