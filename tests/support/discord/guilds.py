"""Servers, as people call them: members, roles, channels."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.support.discord.channels import Channel
from tests.support.discord.users import User

MIB = 1024 * 1024
UPLOAD_LIMITS = {0: 10 * MIB, 1: 10 * MIB, 2: 50 * MIB, 3: 100 * MIB}  # [5.1] bytes of one file, by boost tier


@dataclass(slots=True, eq=False)
class Role:
    """A role. The one with the guild's id is @everyone; one with a bot's id came with that bot ([3])."""

    id: str
    name: str
    permissions: int
    position: int = 1
    bot_id: str | None = None
    is_mentionable: bool = False

    @property
    def is_managed(self) -> bool:
        return self.bot_id is not None

    @property
    def mention(self) -> str:
        return f"<@&{self.id}>"


@dataclass(slots=True, eq=False)
class Member:
    """Somebody in a guild."""

    user: User
    joined_at: float
    role_ids: list[str] = field(default_factory=list)
    nick: str | None = None
    timed_out_until: float | None = None


@dataclass(slots=True, eq=False)
class Guild:
    """A guild and what is in it; threads are among its channels.

    Attributes:
        is_available: an outage takes guilds away for a while (GUILD_DELETE with ``unavailable``).
        most_active_threads: one more is refused with 160006.
    """

    id: str
    name: str
    owner_id: str
    created: float
    roles: dict[str, Role] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    premium_tier: int = 0
    is_available: bool = True
    most_active_threads: int = 1000

    @property
    def upload_limit(self) -> int:
        """Bytes of one file."""
        return UPLOAD_LIMITS[self.premium_tier]

    @property
    def active_threads(self) -> list[Channel]:
        return [channel for channel in self.channels.values() if channel.thread and not channel.thread.is_archived]

    def roles_of(self, user_id: str) -> Iterator[Role]:
        """Their roles, @everyone first."""
        yield self.roles[self.id]
        for role_id in self.members[user_id].role_ids if user_id in self.members else []:
            yield self.roles[role_id]

    def managed_role(self, bot_id: str) -> Role:
        """The role that came with a bot. Raises LookupError when it came without one."""
        for role in self.roles.values():
            if role.bot_id == bot_id:
                return role
        raise LookupError(f"no role of bot {bot_id}")
