"""The world as Discord's JSON tells it."""

from datetime import UTC, datetime

from tests.support.discord.channels import POSTS, THREADS, VOICES, Channel, Kind
from tests.support.discord.guilds import Guild, Member, Role
from tests.support.discord.json_types import JsonObject
from tests.support.discord.messages import Flag, Message
from tests.support.discord.snowflakes import made_at
from tests.support.discord.world import World, threadhood

# [1] what an app without the message content intent gets empty
HIDDEN = ("content", "embeds", "attachments", "components")


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


class Payloads:
    """Tells of people, places and messages, with what hangs on them."""

    def __init__(self, world: World) -> None:
        self._world = world

    # --- messages -----------------------------------------------------------------------------------

    def message(self, message: Message, *, depth: int = 1) -> JsonObject:
        """The message object ([3], [9.3]), whole.

        Args:
            depth: how many messages that are replied to are told inside it.
        """
        world = self._world
        told: JsonObject = {
            "id": message.id,
            "channel_id": message.channel_id,
            "author": message.author.as_json(),
            "content": message.content,
            "timestamp": iso(message.at),
            "edited_timestamp": None if message.edited_at is None else iso(message.edited_at),
            "tts": message.is_tts,
            "mention_everyone": message.mentions_everyone,
            "mentions": [world.users[id_].as_json() for id_ in message.mention_ids],
            "mention_roles": message.mention_role_ids,
            "attachments": [file.as_json(world.link) for file in message.attachments],
            "embeds": [] if Flag.SUPPRESS_EMBEDS in message.flags else message.embeds,
            "components": message.components,
            "pinned": message.is_pinned,
            "type": int(message.type),
            "flags": int(message.flags),
        }
        return told | self._extras(message, depth)

    def without_content(self, told: JsonObject) -> JsonObject:
        """A message as an app without the message content intent gets it.

        Own messages, direct ones and those that mention the app are whole all the same ([1]).
        """
        told = dict(told)
        if isinstance(other := told.get("referenced_message"), dict):
            told["referenced_message"] = self.without_content(other)
        me = self._world.me.id
        is_direct = self._world.channels[told["channel_id"]].is_dm
        if told["author"]["id"] == me or is_direct or any(user["id"] == me for user in told["mentions"]):
            return told
        told.pop("poll", None)
        return told | {name: "" if name == "content" else [] for name in HIDDEN}

    def message_event(self, message: Message) -> JsonObject:
        """The message as the gateway tells it: with the guild and the author's membership ([9.3])."""
        told = self.message(message)
        channel = self._world.channels[message.channel_id]
        told["channel_type"] = int(channel.kind)
        guild = self._world.guild_of(channel)
        if guild is not None:
            told["guild_id"] = guild.id
            if message.webhook_id is None and message.author.id in guild.members:
                told["member"] = self.partial_member(guild.members[message.author.id])
            for mentioned in told["mentions"]:
                if mentioned["id"] in guild.members:
                    mentioned["member"] = self.partial_member(guild.members[mentioned["id"]])
        return told

    def _extras(self, message: Message, depth: int) -> JsonObject:
        told: JsonObject = {
            "nonce": message.nonce,
            "webhook_id": message.webhook_id,
            "application_id": message.application_id,
            "poll": message.poll,
        }
        told = {name: value for name, value in told.items() if value is not None}
        if message.stickers:
            told["sticker_items"] = message.stickers
        if message.reactions:
            told["reactions"] = [self._reaction(emoji, users) for emoji, users in message.reactions.items() if users]
        if message.reference is not None:
            told["message_reference"] = message.reference.as_json()
            if message.snapshots:
                told["message_snapshots"] = message.snapshots
            elif depth and message.reference.message_id is not None:
                other = self._world.message(message.reference.channel_id, message.reference.message_id)
                told["referenced_message"] = None if other is None else self.message(other, depth=depth - 1)
        if (thread := self._world.channels.get(message.id)) is not None and Flag.HAS_THREAD in message.flags:
            told["thread"] = self.channel(thread)
        return told | dict(message.more)

    def _reaction(self, emoji: str, users: list[str]) -> JsonObject:
        return {
            "emoji": {"id": None, "name": emoji},
            "count": len(users),
            "count_details": {"burst": 0, "normal": len(users)},
            "me": self._world.me.id in users,
            "me_burst": False,
            "burst_colors": [],
        }

    # --- people -------------------------------------------------------------------------------------

    def partial_member(self, member: Member) -> JsonObject:
        until = member.timed_out_until
        return {
            "roles": list(member.role_ids),
            "joined_at": iso(member.joined_at),
            "nick": member.nick,
            "avatar": None,
            "premium_since": None,
            "pending": False,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "communication_disabled_until": None if until is None else iso(until),
        }

    def member(self, member: Member) -> JsonObject:
        return self.partial_member(member) | {"user": member.user.as_json()}

    def role(self, guild: Guild, role: Role) -> JsonObject:
        told: JsonObject = {
            "id": role.id,
            "name": role.name,
            "permissions": str(int(role.permissions)),
            "position": 0 if role.id == guild.id else role.position,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "managed": role.is_managed,
            "mentionable": role.is_mentionable,
            "icon": None,
            "unicode_emoji": None,
            "flags": 0,
        }
        return told | ({"tags": {"bot_id": role.bot_id}} if role.bot_id else {})

    # --- places -------------------------------------------------------------------------------------

    def guild(self, guild: Guild, *, threads: list[Channel]) -> JsonObject:
        """GUILD_CREATE's guild ([9.3]): only members without which the client cannot do."""
        mine = guild.members[self._world.me.id]
        return {
            "id": guild.id,
            "name": guild.name,
            "owner_id": guild.owner_id,
            "joined_at": iso(mine.joined_at),
            "unavailable": False,
            "large": False,
            "features": [],
            "emojis": [],
            "stickers": [],
            "members": [self.member(mine)],
            "member_count": len(guild.members),
            "roles": [self.role(guild, role) for role in guild.roles.values()],
            "channels": [self.channel(one) for one in guild.channels.values() if not one.is_thread],
            "threads": [self.channel(thread) for thread in threads],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": guild.premium_tier,
            "premium_subscription_count": 0,
            "preferred_locale": "en-US",
            "afk_timeout": 300,
            "afk_channel_id": None,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "public_updates_channel_id": None,
            "description": None,
            "banner": None,
            "icon": None,
            "splash": None,
            "discovery_splash": None,
            "vanity_url_code": None,
            "application_id": None,
        }

    def channel(self, channel: Channel) -> JsonObject:
        told: JsonObject = {"id": channel.id, "type": int(channel.kind)}
        told |= {"last_message_id": channel.last_message_id, "flags": 0}
        if channel.is_dm:
            recipients = [self._world.users[id_].as_json() for id_ in channel.recipient_ids]
            return told | {"recipients": recipients, "last_pin_timestamp": None}
        told |= {"guild_id": channel.guild_id, "name": channel.name, "parent_id": channel.parent_id}
        told |= {"rate_limit_per_user": 0}
        if channel.kind in THREADS:
            return told | self._threadhood(channel)
        told |= {
            "position": channel.position,
            "permission_overwrites": [overwrite.as_json() for overwrite in channel.overwrites],
            "nsfw": False,
            "topic": channel.topic,
        }
        if channel.kind in VOICES:
            told |= {"bitrate": 64000, "user_limit": 0, "rtc_region": None, "video_quality_mode": 1}
        if channel.kind in POSTS:
            told |= {
                "flags": 1 << 4 if channel.needs_tag else 0,
                "available_tags": [self._tag(id_, name) for id_, name in channel.tags.items()],
                "default_reaction_emoji": None,
                "default_sort_order": None,
                "default_forum_layout": 0,
                "default_thread_rate_limit_per_user": 0,
            }
        if channel.kind == Kind.CATEGORY:
            del told["last_message_id"]
        return told

    def _threadhood(self, channel: Channel) -> JsonObject:
        hood, me = threadhood(channel), self._world.me.id
        # [3] its first message, or the one it was opened from, does not count
        count = sum(1 for message in channel.messages.values() if message.id != channel.id and message.type != 21)
        metadata: JsonObject = {
            "archived": hood.is_archived,
            "auto_archive_duration": hood.auto_archive_minutes,
            "archive_timestamp": iso(hood.archived_at),
            "locked": hood.is_locked,
            "create_timestamp": iso(made_at(channel.id)),
        }
        if channel.kind == Kind.PRIVATE_THREAD:
            metadata["invitable"] = hood.is_invitable
        told: JsonObject = {
            "owner_id": hood.owner_id,
            "message_count": count,
            "total_message_sent": max(count, hood.total_messages),
            "member_count": min(50, len(hood.member_ids)),
            "thread_metadata": metadata,
            "applied_tags": list(hood.tag_ids),
        }
        if me in hood.member_ids:
            told["member"] = self.thread_member(channel, me)
        return told

    def thread_member(self, thread: Channel, user_id: str) -> JsonObject:
        joined = iso(threadhood(thread).archived_at)
        return {"id": thread.id, "user_id": user_id, "join_timestamp": joined, "flags": 1}

    def _tag(self, id_: str, name: str) -> JsonObject:
        return {"id": id_, "name": name, "moderated": False, "emoji_id": None, "emoji_name": None}
