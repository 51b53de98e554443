"""The servers that the gateway told of, and who the bot is in each."""

from collections.abc import Callable, Sequence

import discord

from adapters.discord.payloads import is_id
from adapters.discord.people import Me


class Servers:
    """Knows servers by their ids.

    Args:
        user_id: the bot's own.
        told: the servers that are known now; *find* finds one of them.
    """

    def __init__(
        self,
        user_id: str,
        *,
        told: Callable[[], Sequence[discord.Guild]],
        find: Callable[[int], discord.Guild | None],
    ) -> None:
        self._user_id, self._told, self._find = user_id, told, find
        self._roles: dict[str, str] = {}  # the bot's own, by server

    @property
    def all(self) -> Sequence[discord.Guild]:
        """Every server that is known now."""
        return self._told()

    def find(self, guild_id: str | None) -> discord.Guild | None:
        """A server, if it is known now."""
        return self._find(int(guild_id)) if is_id(guild_id) else None

    def me(self, guild_id: str | None) -> Me:
        """Who the bot is in a server.

        The role that came with it is looked for once, and again when it is gone. While a server has an outage nothing
        is known of its roles, and what was known before still holds.
        """
        guild = self.find(guild_id)
        if guild_id is None:
            return Me(self._user_id)
        known = self._roles.get(guild_id)
        if guild is not None and not guild.unavailable and (known is None or guild.get_role(int(known)) is None):
            self._roles.pop(guild_id, None)
            known = None
            if guild.self_role is not None:
                known = self._roles[guild_id] = str(guild.self_role.id)
        return Me(self._user_id) if known is None else Me(self._user_id, frozenset({known}))
