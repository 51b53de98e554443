"""What there is: guilds, people, channels, messages. Every change happens here, is witnessed and rings the bell."""

import random
from collections.abc import Callable, Sequence
from typing import Protocol

from tests.support.discord import permissions
from tests.support.discord.channels import VOICES, Channel, Kind, Threadhood
from tests.support.discord.clock import Clock
from tests.support.discord.files import File
from tests.support.discord.guilds import Guild, Member, Role
from tests.support.discord.mentions import Allowed, Ping, Preview, reach, read_links, read_mentions
from tests.support.discord.messages import Flag, Message
from tests.support.discord.permissions import Permission
from tests.support.discord.snowflakes import Snowflakes
from tests.support.discord.users import User
from tests.support.discord.variants import Install, Variants
from tests.support.work import Bell

P = Permission


class Witness(Protocol):
    """Hears of every change, in order; the gateway's events follow from it."""

    def posted(self, message: Message) -> None: ...
    def edited(self, message: Message) -> None: ...
    def deleted(self, message: Message) -> None: ...
    def reacted(self, message: Message, emoji: str, user_id: str, *, is_added: bool) -> None: ...
    def typed(self, channel: Channel, user_id: str) -> None: ...
    def opened(self, channel: Channel) -> None: ...
    def changed(self, channel: Channel) -> None: ...
    def closed(self, channel: Channel) -> None: ...
    def thread_members_changed(self, thread: Channel, *, joined: Sequence[str], left: Sequence[str]) -> None: ...
    def guild_came(self, guild: Guild) -> None: ...
    def guild_went(self, guild: Guild, *, is_outage: bool) -> None: ...
    def role_changed(self, guild: Guild, role: Role) -> None: ...
    def member_changed(self, guild: Guild, member: Member, what: str) -> None: ...


class World:
    """Everything Discord knows, without any wire."""

    witness: Witness  # given once the gateway is there

    def __init__(self, install: Install, variants: Variants, *, clock: Clock, seed: int) -> None:
        self.install, self.variants, self.clock = install, variants, clock
        self.bell = Bell()
        self.random = random.Random(seed)  # noqa: S311 - seeded, so that a failing run can be run again
        self.ids = Snowflakes(clock)
        self.base = ""  # http://127.0.0.1:PORT, once it is known
        self.link: Callable[[File, str], str] = lambda file, door: f"{self.base}/{door}/{file.path}"
        self.users: dict[str, User] = {}
        self.guilds: dict[str, Guild] = {}  # those the app is in
        self.channels: dict[str, Channel] = {}  # of all guilds, threads and direct lines too
        self.files: dict[str, File] = {}
        self.pings: list[Ping] = []
        self.previews: list[Preview] = []
        self.typing_until: dict[str, dict[str, float]] = {}  # channel -> user -> seconds since 1970
        self.me = self.users[install.bot_user_id] = User(install.bot_user_id, install.bot_name, is_bot=True)

    # --- people -------------------------------------------------------------------------------------

    def user(self, name: str, *, is_bot: bool = False) -> User:
        """Who has this id or name; somebody new of that name when there is nobody yet."""
        if name in self.users:
            return self.users[name]
        for user in self.users.values():
            if user.name == name:
                return user
        id_ = self.ids.new()
        self.users[id_] = User(id_, name, is_bot, name.capitalize())
        return self.users[id_]

    def enter(self, guild: Guild, user: User) -> Member:
        """Their membership; they become a member if they are not."""
        if user.id not in guild.members:
            guild.members[user.id] = Member(user, self.clock.now())
            self.witness.member_changed(guild, guild.members[user.id], "GUILD_MEMBER_ADD")
            self.bell.ring()
        return guild.members[user.id]

    # --- places -------------------------------------------------------------------------------------

    def guild(self, name: str) -> Guild:
        """The guild of this id or name. Raises LookupError."""
        if name in self.guilds:
            return self.guilds[name]
        for guild in self.guilds.values():
            if guild.name == name:
                return guild
        raise LookupError(f"no guild {name!r}")

    def channel(self, name: str) -> Channel:
        """The channel of this id or name; the newest when there are several of a name. Raises LookupError."""
        if name in self.channels:
            return self.channels[name]
        for channel in reversed(self.channels.values()):
            if channel.name == name:
                return channel
        raise LookupError(f"no channel {name!r}")

    def guild_of(self, channel: Channel) -> Guild | None:
        return self.guilds.get(channel.guild_id) if channel.guild_id else None

    def direct(self, user: User) -> Channel:
        """The direct line between the bot and somebody; made when there is none."""
        for channel in self.channels.values():
            if channel.is_dm and channel.recipient_ids == [user.id]:
                return channel
        return self.open(Channel(self.ids.new(), Kind.DM, f"dm-{user.name}", recipient_ids=[user.id]))

    def open(self, channel: Channel) -> Channel:
        """Let a channel or thread be there."""
        self.channels[channel.id] = channel
        if (guild := self.guild_of(channel)) is not None:
            guild.channels[channel.id] = channel
            self.witness.opened(channel)
        self.bell.ring()
        return channel

    def change(self, channel: Channel, change: Callable[[Channel], None]) -> None:
        change(channel)
        self.witness.changed(channel)
        self.bell.ring()

    def archive(self, thread: Channel, is_archived: bool) -> None:
        """Archive a thread, or take it out of the archive."""

        def change(_: Channel) -> None:
            hood = threadhood(thread)
            hood.is_archived, hood.archived_at = is_archived, self.clock.now()

        self.change(thread, change)

    def close(self, channel: Channel) -> None:
        """Delete a channel, with its threads."""
        for thread in [one for one in self.channels.values() if one.is_thread and one.parent_id == channel.id]:
            self.close(thread)
        del self.channels[channel.id]
        if (guild := self.guild_of(channel)) is not None:
            del guild.channels[channel.id]
        self.witness.closed(channel)
        self.bell.ring()

    def join_thread(self, thread: Channel, *user_ids: str) -> None:
        """Let them be members of a thread."""
        hood = threadhood(thread)
        new = [user_id for user_id in user_ids if user_id not in hood.member_ids]
        if new:
            hood.member_ids.update(new)
            self.witness.thread_members_changed(thread, joined=new, left=[])
            self.bell.ring()

    def leave_thread(self, thread: Channel, user_id: str) -> None:
        hood = threadhood(thread)
        if user_id in hood.member_ids:
            hood.member_ids.discard(user_id)
            self.witness.thread_members_changed(thread, joined=[], left=[user_id])
            self.bell.ring()

    # --- what may be done where -----------------------------------------------------------------------

    def rights(self, user_id: str, channel: Channel) -> Permission:
        """What somebody may do in a channel; a thread goes by its parent."""
        guild = self.guild_of(channel)
        if guild is None:
            return permissions.EVERYTHING if channel.is_dm else permissions.NOTHING
        member = guild.members.get(user_id)
        if member is None:
            return permissions.NOTHING
        place = self.channels.get(channel.parent_id or "", channel) if channel.is_thread else channel
        base = permissions.in_guild(guild.roles_of(user_id), is_owner=guild.owner_id == user_id)
        until = member.timed_out_until
        rights = permissions.in_channel(
            base,
            place.overwrites,
            guild_id=guild.id,
            member_id=user_id,
            role_ids=member.role_ids,
            is_voice=place.kind in VOICES,
            is_timed_out=until is not None and until > self.clock.now(),
        )
        is_hidden = channel.kind == Kind.PRIVATE_THREAD and user_id not in threadhood(channel).member_ids
        return permissions.NOTHING if is_hidden and P.MANAGE_THREADS not in rights else rights  # [3]

    def may(self, user_id: str, permission: Permission, channel: Channel) -> bool:
        return permission in self.rights(user_id, channel)

    # --- messages -----------------------------------------------------------------------------------

    def post(self, message: Message, allowed: Allowed | None = None) -> Message:
        """Let a message stand in its channel, and notify whom it may.

        Args:
            allowed: what it may ping; everything its author may when not given.
        """
        channel = self.channels[message.channel_id]
        self._mention(message, allowed or Allowed(), is_new=True)
        if message.is_ephemeral:
            channel.ephemerals.append(message)
            self.bell.ring()
            return message
        if channel.thread is not None:
            self._wake(channel, channel.thread, message)
        channel.messages[message.id] = message
        channel.last_message_id = message.id
        self.typing_until.get(channel.id, {}).pop(message.author.id, None)  # a post ends the author's typing
        self._note_previews(message)
        self.witness.posted(message)
        self.bell.ring()
        return message

    def edit(self, message: Message, change: Callable[[Message], None], allowed: Allowed | None = None) -> None:
        """Let its author edit a message; nobody is pinged by that."""
        change(message)
        message.edited_at = self.clock.now()
        message.edits += 1
        self._mention(message, allowed or Allowed(), is_new=False)
        self._note_previews(message)
        self._tell_edit(message)

    def complete(self, message: Message, change: Callable[[Message], None], allowed: Allowed | None = None) -> None:
        """Let a message that was only announced ("thinking") say something: it is new, so it pings, and no edit."""
        change(message)
        self._mention(message, allowed or Allowed(), is_new=True)
        self._note_previews(message)
        self._tell_edit(message)

    def touch(self, message: Message, change: Callable[[Message], None]) -> None:
        """Change what is no edit by anybody: a preview appears, a thread was opened, a pin ([3])."""
        change(message)
        self._tell_edit(message)

    def delete(self, message: Message) -> None:
        channel = self.channels[message.channel_id]
        if message.is_ephemeral:
            channel.ephemerals.remove(message)
        else:
            del channel.messages[message.id]
            self.witness.deleted(message)
        self.bell.ring()

    def react(self, message: Message, emoji: str, user_id: str, *, is_added: bool = True) -> None:
        users = message.reactions.setdefault(emoji, [])
        if is_added and user_id not in users:
            users.append(user_id)
        elif not is_added and user_id in users:
            users.remove(user_id)
        self.witness.reacted(message, emoji, user_id, is_added=is_added)
        self.bell.ring()

    def type_in(self, channel: Channel, user_id: str, *, seconds: float = 10.0) -> None:
        """Show somebody as typing ([5.4]: for ten seconds)."""
        until = self.clock.now() + seconds
        self.typing_until.setdefault(channel.id, {})[user_id] = until
        self.clock.after(seconds, self.bell.ring)
        self.witness.typed(channel, user_id)
        self.bell.ring()

    def message(self, channel_id: str, message_id: str) -> Message | None:
        channel = self.channels.get(channel_id)
        return channel.messages.get(message_id) if channel else None

    def find(self, message_id: str) -> Message:
        """The message of that id, wherever it stands and whoever sees it. Raises LookupError."""
        for channel in self.channels.values():
            if message_id in channel.messages:
                return channel.messages[message_id]
            for message in channel.ephemerals:
                if message.id == message_id:
                    return message
        raise LookupError(f"no message {message_id}")

    def _tell_edit(self, message: Message) -> None:
        if not message.is_ephemeral:
            self.witness.edited(message)
        self.bell.ring()

    def _wake(self, channel: Channel, hood: Threadhood, message: Message) -> None:
        hood.total_messages += 1
        if message.author.id in self.users and message.webhook_id is None:
            self.join_thread(channel, message.author.id)  # whoever writes becomes a member
        if hood.is_archived:  # [3] a message un-archives the thread
            self.archive(channel, False)

    def _mention(self, message: Message, allowed: Allowed, *, is_new: bool) -> None:
        """Work out whom a message mentions; a new one pings them ([5.3])."""
        channel = self.channels[message.channel_id]
        guild = self.guild_of(channel)
        roles = guild.roles.values() if guild is not None else ()
        replied = self._replied_to(message)
        found = reach(
            read_mentions(message.content, in_code=self.variants.mentions_in_code),
            allowed,
            users=self.users,
            roles={role.id: role.is_mentionable or role.is_managed for role in roles},
            may_everyone=guild is not None and self.may(message.author.id, P.MENTION_EVERYONE, channel),
            replied_id=replied.id if replied else None,
        )
        replied_ids = [found.replied_id] if found.replied_id else []
        message.mention_ids = list(dict.fromkeys([*found.user_ids, *replied_ids]))
        message.mention_role_ids = list(found.role_ids)
        message.mentions_everyone = found.everyone is not None
        if is_new:
            silent = Flag.SUPPRESS_NOTIFICATIONS in message.flags
            where, by = (message.channel_id, message.id), message.author.id
            self.pings += [Ping(*where, kind, whom, by, silent) for kind, whom in found.pings()]

    def _replied_to(self, message: Message) -> User | None:
        if message.reference is None or message.reference.kind != 0 or message.type != 19:
            return None
        other = self.message(message.reference.channel_id, message.reference.message_id or "")
        is_account = other is not None and other.author.id in self.users and other.author.id != message.author.id
        return other.author if other is not None and is_account else None

    def _note_previews(self, message: Message) -> None:
        if Flag.SUPPRESS_EMBEDS in message.flags or message.author.id != self.me.id:
            return
        for url in read_links(message.content):
            preview = Preview(message.channel_id, message.id, url)
            if preview not in self.previews:
                self.previews.append(preview)


def threadhood(channel: Channel) -> Threadhood:
    """What a thread is more than a channel. Raises LookupError for what is none."""
    if channel.thread is None:
        raise LookupError(f"{channel.name} is no thread")
    return channel.thread
