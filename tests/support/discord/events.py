"""What the gateway tells of every change, and to whom: the intents of section 1."""

from collections.abc import Sequence

from tests.support.discord.access import Access
from tests.support.discord.channels import Channel, Kind
from tests.support.discord.gateway import Gateway
from tests.support.discord.guilds import Guild, Member, Role
from tests.support.discord.intents import EVERYBODY, Intent
from tests.support.discord.json_types import JsonObject
from tests.support.discord.messages import Message
from tests.support.discord.payloads import Payloads
from tests.support.discord.sessions import Event
from tests.support.discord.world import World, threadhood


class Events:
    """Turns changes of the world into events. What the bot cannot see it does not hear of."""

    def __init__(self, world: World, access: Access, payloads: Payloads, gateway: Gateway) -> None:
        self._world, self._access, self._payloads, self._gateway = world, access, payloads, gateway
        self.is_muted = False

    def happened(self, name: str, data: JsonObject, *, guild_id: str | None, intents: Intent = EVERYBODY) -> None:
        """Tell any event; without `intents` everybody gets it, as an INTERACTION_CREATE."""
        self._tell(Event(name, guild_id, intents, lambda sees_content: data))

    # --- messages -----------------------------------------------------------------------------------

    def posted(self, message: Message) -> None:
        self._message("MESSAGE_CREATE", message)

    def edited(self, message: Message) -> None:
        self._message("MESSAGE_UPDATE", message)

    def deleted(self, message: Message) -> None:
        told = {"id": message.id, "channel_id": message.channel_id}
        told |= {"guild_id": message.guild_id} if message.guild_id else {}
        self._in_channel("MESSAGE_DELETE", message.channel_id, told, Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES)

    def reacted(self, message: Message, emoji: str, user_id: str, *, is_added: bool) -> None:
        told: JsonObject = {
            "user_id": user_id,
            "channel_id": message.channel_id,
            "message_id": message.id,
            "emoji": {"id": None, "name": emoji},
            "burst": False,
            "type": 0,
        }
        told |= {"guild_id": message.guild_id} if message.guild_id else {}
        name = "MESSAGE_REACTION_ADD" if is_added else "MESSAGE_REACTION_REMOVE"
        kinds = (Intent.GUILD_MESSAGE_REACTIONS, Intent.DIRECT_MESSAGE_REACTIONS)
        self._in_channel(name, message.channel_id, told, *kinds)

    def typed(self, channel: Channel, user_id: str) -> None:
        told: JsonObject = {"channel_id": channel.id, "user_id": user_id, "timestamp": int(self._world.clock.now())}
        if (guild := self._world.guild_of(channel)) is not None and user_id in guild.members:
            told |= {"guild_id": guild.id, "member": self._payloads.member(guild.members[user_id])}
        kinds = (Intent.GUILD_MESSAGE_TYPING, Intent.DIRECT_MESSAGE_TYPING)
        self._in_channel("TYPING_START", channel.id, told, *kinds)

    # --- channels and threads -----------------------------------------------------------------------

    def opened(self, channel: Channel) -> None:
        if not channel.is_thread:
            self._guilds("CHANNEL_CREATE", channel.guild_id, self._payloads.channel(channel))
        elif self._access.can_see(channel):
            self._guilds("THREAD_CREATE", channel.guild_id, self._payloads.channel(channel) | {"newly_created": True})

    def changed(self, channel: Channel) -> None:
        name = "THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE"
        if not channel.is_thread or self._access.can_see(channel):
            self._guilds(name, channel.guild_id, self._payloads.channel(channel))

    def closed(self, channel: Channel) -> None:
        if channel.is_dm:
            return
        told = self._payloads.channel(channel)
        if channel.is_thread:
            kept = ("id", "guild_id", "parent_id", "type")
            self._guilds("THREAD_DELETE", channel.guild_id, {name: told[name] for name in kept})
        else:
            self._guilds("CHANNEL_DELETE", channel.guild_id, told)

    def thread_members_changed(self, thread: Channel, *, joined: Sequence[str], left: Sequence[str]) -> None:
        """Without the members intent only what is about the bot itself comes ([D events])."""
        me = self._world.me.id
        told: JsonObject = {
            "id": thread.id,
            "guild_id": thread.guild_id,
            "member_count": min(50, len(threadhood(thread).member_ids)),
            "added_members": [self._payloads.thread_member(thread, id_) for id_ in joined],
            "removed_member_ids": list(left),
        }
        if (
            me in joined and thread.kind == Kind.PRIVATE_THREAD
        ):  # [3] a private thread is seen only after being added to it
            self._guilds("THREAD_CREATE", thread.guild_id, self._payloads.channel(thread))
        about_me = me in joined or me in left
        intent = Intent.GUILDS if about_me else Intent.GUILD_MEMBERS
        self.happened("THREAD_MEMBERS_UPDATE", told, guild_id=thread.guild_id, intents=intent)

    # --- guilds -------------------------------------------------------------------------------------

    def guild_came(self, guild: Guild) -> None:
        self._guilds("GUILD_CREATE", guild.id, self._gateway.guild_event(guild))

    def guild_went(self, guild: Guild, *, is_outage: bool) -> None:
        told: JsonObject = {"id": guild.id} | ({"unavailable": True} if is_outage else {})
        self._guilds("GUILD_DELETE", guild.id, told)

    def role_changed(self, guild: Guild, role: Role) -> None:
        told = {"guild_id": guild.id, "role": self._payloads.role(guild, role)}
        self._guilds("GUILD_ROLE_UPDATE", guild.id, told)

    def member_changed(self, guild: Guild, member: Member, what: str) -> None:
        """The bot's own membership comes to everybody ([D events])."""
        told = self._payloads.member(member) | {"guild_id": guild.id}
        intent = Intent.GUILD_MEMBERS if member.user.id != self._world.me.id else EVERYBODY
        self.happened(what, told, guild_id=guild.id, intents=intent)

    # --- to whom ------------------------------------------------------------------------------------

    def _message(self, name: str, message: Message) -> None:
        channel = self._world.channels[message.channel_id]
        if not self._access.can_see(channel):
            return
        intent = Intent.DIRECT_MESSAGES if channel.is_dm else Intent.GUILD_MESSAGES
        whole = self._payloads.message_event(message)  # as it is now; it may be another one later

        def tell(sees_content: bool) -> JsonObject:
            return whole if sees_content else self._payloads.without_content(whole)

        self._tell(Event(name, channel.guild_id, intent, tell))

    def _in_channel(self, name: str, channel_id: str, data: JsonObject, guilds: Intent, direct: Intent) -> None:
        channel = self._world.channels[channel_id]
        if self._access.can_see(channel):
            intent = direct if channel.is_dm else guilds
            self.happened(name, data, guild_id=channel.guild_id, intents=intent)

    def _guilds(self, name: str, guild_id: str | None, data: JsonObject) -> None:
        self.happened(name, data, guild_id=guild_id, intents=Intent.GUILDS)

    def _tell(self, event: Event) -> None:
        if not self.is_muted:
            self._gateway.tell(event)
