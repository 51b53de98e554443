"""Setting the scene: guilds, channels, roles, permissions, and who comes and goes."""

from collections.abc import Callable

from tests.support.discord.channels import Channel, Kind
from tests.support.discord.guilds import Guild, Member, Role
from tests.support.discord.permissions import EVERYONE, NOTHING, Overwrite, Permission
from tests.support.discord.world import World

HOME = "clew-lab"


class Places:
    """What admins and moderators do. Everything is named by a name or an id."""

    def __init__(self, world: World) -> None:
        self._world = world

    def person(self, name: str, *, bot: bool = False, takes_dms: bool | None = None) -> str:
        """The id of somebody; made up when there is nobody of that name."""
        user = self._world.user(name, is_bot=bot)
        user.takes_dms = user.takes_dms if takes_dms is None else takes_dms
        return user.id

    def guild(self, name: str = HOME, *, guild_id: str | None = None, with_role: bool = True) -> str:
        """The id of a guild the bot is in; it is invited into a new one when there is none of that name.

        Args:
            guild_id: for tests to which the shard matters, which follows from it ([2.4]).
            with_role: whether the invite link asked for permissions, which makes a managed role ([3]).
        """
        world = self._world
        for guild in world.guilds.values():
            if name in {guild.id, guild.name}:
                return guild.id
        owner = world.user(world.install.owner)
        guild = Guild(guild_id or world.ids.new(), name, owner.id, world.clock.now())
        guild.roles[guild.id] = Role(guild.id, "@everyone", EVERYONE, position=0)
        guild.members = {user.id: Member(user, guild.created) for user in (owner, world.me)}
        if with_role:
            role = Role(world.ids.new(), world.me.name, world.install.permissions, bot_id=world.me.id)
            guild.roles[role.id] = role
            guild.members[world.me.id].role_ids.append(role.id)
        world.guilds[guild.id] = guild
        world.witness.guild_came(guild)
        return guild.id

    def channel(
        self,
        name: str,
        *,
        kind: Kind = Kind.TEXT,
        guild: str = HOME,
        topic: str | None = None,
        needs_tag: bool = False,
        tags: tuple[str, ...] = (),
    ) -> str:
        """The id of a channel of a guild; made when there is none of that name."""
        world, home = self._world, self._world.guild(guild)
        for found in home.channels.values():
            if found.name == name and not found.is_thread:
                return found.id
        made = Channel(world.ids.new(), kind, name, home.id, position=len(home.channels), topic=topic)
        made.needs_tag, made.tags = needs_tag, {world.ids.new(): tag for tag in tags}
        return world.open(made).id

    def direct(self, user: str) -> str:
        """The id of the direct line between somebody and the bot."""
        return self._world.direct(self._world.user(user)).id

    def role(
        self,
        name: str,
        *,
        guild: str = HOME,
        permissions: Permission = NOTHING,
        mentionable: bool = False,
        members: tuple[str, ...] = (),
    ) -> str:
        """The id of a new role."""
        world, home = self._world, self._world.guild(guild)
        role = Role(world.ids.new(), name, permissions, position=len(home.roles), is_mentionable=mentionable)
        home.roles[role.id] = role
        world.witness.role_changed(home, role)
        for member in members:
            world.enter(home, world.user(member)).role_ids.append(role.id)
        return role.id

    def allow(self, permission: Permission, *, channel: str, user: str | None = None) -> None:
        """Grant somebody (the bot) something in a channel, whatever their roles say."""
        self._overwrite(
            channel, user, lambda one: Overwrite(one.id, one.allow | permission, one.deny & ~permission, True)
        )

    def deny(self, permission: Permission, *, channel: str, user: str | None = None) -> None:
        """Take something from somebody (the bot) in a channel, whatever their roles say."""
        self._overwrite(
            channel, user, lambda one: Overwrite(one.id, one.allow & ~permission, one.deny | permission, True)
        )

    def time_out(self, seconds: float, *, user: str | None = None, guild: str = HOME) -> None:
        """A moderator silences somebody (the bot) for a while."""
        home = self._world.guild(guild)
        member = home.members[self._world.user(user).id if user else self._world.me.id]
        member.timed_out_until = self._world.clock.now() + seconds
        self._world.witness.member_changed(home, member, "GUILD_MEMBER_UPDATE")

    def boost(self, tier: int, *, guild: str = HOME) -> None:
        """[5.1] Larger files may be uploaded there."""
        self._world.guild(guild).premium_tier = tier

    def cap_threads(self, most: int, *, guild: str = HOME) -> None:
        """So many threads may be active in the guild; one more is 160006."""
        self._world.guild(guild).most_active_threads = most

    async def outage(self, guild: str = HOME) -> None:
        """The guild is not available for a while ([2.1])."""
        home = self._world.guild(guild)
        home.is_available = False
        self._world.witness.guild_went(home, is_outage=True)

    async def recovers(self, guild: str = HOME) -> None:
        home = self._world.guild(guild)
        home.is_available = True
        self._world.witness.guild_came(home)

    async def joins(self, user: str, guild: str = HOME) -> None:
        """Somebody becomes a member."""
        self._world.enter(self._world.guild(guild), self._world.user(user))

    async def leaves(self, user: str, guild: str = HOME) -> None:
        home, who = self._world.guild(guild), self._world.user(user)
        member = home.members.pop(who.id)
        self._world.witness.member_changed(home, member, "GUILD_MEMBER_REMOVE")
        self._world.bell.ring()

    async def kicks_bot(self, guild: str = HOME) -> None:
        """The bot is thrown out: the guild is gone, and everything in it."""
        home = self._world.guild(guild)
        del self._world.guilds[home.id]
        for channel_id in home.channels:
            del self._world.channels[channel_id]
        self._world.witness.guild_went(home, is_outage=False)
        self._world.bell.ring()

    def _overwrite(self, channel: str, user: str | None, change: Callable[[Overwrite], Overwrite]) -> None:
        who = self._world.user(user).id if user else self._world.me.id

        def put(channel: Channel) -> None:
            before = next((one for one in channel.overwrites if one.id == who), Overwrite(who, is_member=True))
            channel.overwrites = [one for one in channel.overwrites if one.id != who] + [change(before)]

        self._world.change(self._world.channel(channel), put)
