"""Which place a channel is, from what the gateway told or, where that is not enough, from Discord itself."""

import logging
from collections import OrderedDict
from collections.abc import Callable

import discord

from adapters.discord.calls import Calls, Route
from adapters.discord.events import Origin
from adapters.discord.payloads import fields, is_id, line, number
from adapters.discord.people import Nicknames
from adapters.discord.places import Kind, Where, kind_of

logger = logging.getLogger(__name__)

_MOST_KNOWN = 10_000  # threads that the library has forgotten, or never knew


class Channels:
    """Knows channels by their ids.

    Args:
        guild: a server as the library knows it now, by its id.
        nicknames: what people are called there.
    """

    def __init__(
        self, calls: Calls, *, guild: Callable[[str], discord.Guild | None], nicknames: Nicknames | None = None
    ) -> None:
        self._calls, self._guild, self._nicknames = calls, guild, nicknames or Nicknames()
        self._asked: OrderedDict[str, Where | None] = OrderedDict()

    async def where(self, origin: Origin) -> Where | None:
        """The place of a channel; None where nobody can say anything.

        Raises:
            PlatformAway: it cannot be told now.
            ThreadClosed, DiscordRefused: nor later.
        """
        if origin.guild_id is None:
            return Where(Kind.DIRECT, origin.channel_id)
        known = self._known(origin.channel_id, origin.guild_id)
        if known is not None:
            return known
        if origin.channel_id not in self._asked:
            # Archived threads are not told at the beginning, and the library drops them.
            route = Route("GET", "/channels/{channel_id}", channel_id=origin.channel_id)
            told = fields(await self._calls.call(route, safe=True))
            self._asked[origin.channel_id] = _where(
                origin.channel_id, origin.guild_id, number(told.get("type")), told.get("parent_id")
            )
            while len(self._asked) > _MOST_KNOWN:
                self._asked.popitem(last=False)
        return self._asked[origin.channel_id]

    def called(self, guild_id: str | None, name: str) -> str | None:
        """What a person, a role or a channel is called in a server, by its id."""
        if guild_id is None or not is_id(name):
            return None
        nickname = self._nicknames.called(guild_id, name)
        guild = self._guild(guild_id)
        if nickname is not None or guild is None:
            return nickname
        found = guild.get_channel_or_thread(int(name)) or guild.get_role(int(name))
        return line(found.name) if found is not None else None

    def upload_limit(self, guild_id: str) -> int | None:
        """Bytes that one file may have in a server; None where that is not known."""
        guild = self._guild(guild_id)
        return None if guild is None else guild.filesize_limit

    def _known(self, channel_id: str, guild_id: str) -> Where | None:
        guild = self._guild(guild_id)
        channel = guild.get_channel_or_thread(int(channel_id)) if guild is not None else None
        if channel is None:
            return None
        parent = channel.parent_id if isinstance(channel, discord.Thread) else None
        return _where(channel_id, guild_id, channel.type.value, str(parent) if parent else None)


def _where(channel_id: str, guild_id: str, channel_type: int | None, parent_id: object) -> Where | None:
    kind = kind_of(channel_type) if channel_type is not None else None
    match kind:
        case Kind.CHANNEL | Kind.ROOM:
            return Where(kind, channel_id, guild_id)
        case Kind.THREAD if is_id(parent_id):
            return Where(kind, channel_id, guild_id, parent_id)
        case _:
            return None
