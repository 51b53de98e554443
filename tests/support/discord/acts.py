"""What people do."""

from collections.abc import Sequence
from typing import Literal

from tests.support.discord.api_threads import first_of, open_alone, open_from, open_post
from tests.support.discord.channels import FROM_MESSAGE, POSTS, Channel, Kind
from tests.support.discord.files import File
from tests.support.discord.json_types import JsonObject
from tests.support.discord.mentions import Allowed
from tests.support.discord.messages import Flag, Message, MessageType, Reference
from tests.support.discord.payloads import Payloads, iso
from tests.support.discord.refusal import Refused
from tests.support.discord.world import World, threadhood

_NOTHING: tuple[File, ...] = ()
DAY = 86_400.0
MentionAs = Literal["user", "role", "everyone"]


class Acts:
    """People are named by a name or an id; somebody unknown is there from then on. Channels and threads likewise.

    `server.says("ada", "hello")` is enough: the guild ``clew-lab`` with the channel ``general`` exists, and the bot is
    in it.
    """

    def __init__(self, world: World, payloads: Payloads) -> None:
        self._world, self._payloads = world, payloads

    # --- messages -----------------------------------------------------------------------------------

    async def says(
        self,
        user: str,
        text: str = "",
        *,
        channel: str = "general",
        mention: bool = True,
        mention_as: MentionAs = "user",
        reply_to: str | None = None,
        ping: bool = True,
        files: Sequence[File] = _NOTHING,
        forward: str | None = None,
        stickers: Sequence[str] = (),
        poll: JsonObject | None = None,
        voice: bool = False,
        notice: MessageType | None = None,
        bot: bool = False,
        webhook: bool = False,
    ) -> str:
        """Somebody posts; the id of their message.

        Args:
            channel: the name or id of a channel, thread or post; the id of a message names the thread opened from it.
            mention: put the bot's mention in front, unless it is there or this is a DM, which needs none.
            mention_as: the bot itself, its managed role (which clients' pickers like to insert, [3]), or @everyone.
            reply_to: the id of a message in the same channel; `ping` is the client's switch beside it.
            forward: the id of any message; then the text should be empty ([3]).
            stickers: names.
            poll: Discord's object, or {"question": ..., "answers": [...]} of texts.
            voice: the one file is a voice message, which has no text.
            notice: the type of a notice that Discord makes on somebody's behalf.
            bot: what somebody unknown is; `webhook`: the message comes from one of that name.
        """
        world = self._world
        author, place = world.user(user, is_bot=bot or webhook), world.channel(channel)
        self._enter(author.id, place, is_webhook=webhook)
        if place.thread is not None and place.thread.is_locked and not self._is_moderator(author.id, place):
            raise Refused(160005)  # [3] only moderators write into a locked thread
        message = Message(world.ids.new(), place.id, place.guild_id, author, text, world.clock.now())
        if mention and not place.is_dm and not voice and forward is None:
            message.content = self._with_mention(text, place, mention_as)
        message.attachments = [self._placed(file, place) for file in files]
        message.stickers = [{"id": world.ids.new(), "name": name, "format_type": 1} for name in stickers]
        message.poll = _poll(poll, ends_at=world.clock.now() + DAY) if poll is not None else None
        message.flags = Flag.IS_VOICE_MESSAGE if voice else Flag(0)
        message.webhook_id = author.id if webhook else None
        if reply_to is not None:
            message.type = MessageType.REPLY
            message.reference = Reference(place.id, reply_to, place.guild_id)
        if forward is not None:
            self._forward(message, self._world.find(forward))
        message.type = message.type if notice is None else notice
        world.post(message, Allowed(replied_user=ping))
        return message.id

    async def edits(self, message_id: str, text: str) -> None:
        """The author changes the text of their message."""

        def change(message: Message) -> None:
            message.content = text

        self._world.edit(self._world.find(message_id), change)

    async def deletes(self, message_id: str) -> None:
        """Somebody takes a message away; its thread stays."""
        self._world.delete(self._world.find(message_id))

    async def embeds_appear(self, message_id: str, url: str = "https://example.org/") -> None:
        """Discord adds the preview of a link: MESSAGE_UPDATE, though nobody edited anything ([3])."""

        def change(message: Message) -> None:
            message.embeds = [{"type": "link", "url": url, "title": "Example", "description": "An example."}]

        self._world.touch(self._world.find(message_id), change)

    async def pins(self, user: str, message_id: str) -> str:
        """A pin: MESSAGE_UPDATE, and a notice of type 6 whose id is returned."""
        message = self._world.find(message_id)

        def change(message: Message) -> None:
            message.is_pinned = True

        self._world.touch(message, change)
        channel = self._world.channels[message.channel_id]
        notice = Message(
            self._world.ids.new(),
            channel.id,
            channel.guild_id,
            self._world.user(user),
            "",
            self._world.clock.now(),
            MessageType.PINNED,
            reference=Reference(channel.id, message.id, channel.guild_id),
        )
        return self._world.post(notice).id

    async def reacts(self, user: str, message_id: str, emoji: str = "👍") -> None:
        self._world.react(self._world.find(message_id), emoji, self._world.user(user).id)

    async def types(self, user: str, channel: str = "general") -> None:
        """Somebody starts to type."""
        self._world.type_in(self._world.channel(channel), self._world.user(user).id)

    # --- threads and posts --------------------------------------------------------------------------

    async def opens_thread(
        self, user: str, name: str, *, message: str | None = None, channel: str = "general", private: bool = False
    ) -> str:
        """Somebody opens a thread from a message, or without one in a channel; its id."""
        author = self._world.user(user)
        if message is not None:
            found = self._world.find(message)
            kind = FROM_MESSAGE[self._world.channels[found.channel_id].kind]
            return open_from(self._world, found, name, author, kind=kind).id
        place = self._world.channel(channel)
        self._enter(author.id, place)
        kind = Kind.PRIVATE_THREAD if private else FROM_MESSAGE[place.kind]
        return open_alone(self._world, place, name, author, kind=kind).id

    async def opens_post(
        self,
        user: str,
        name: str,
        text: str = "",
        *,
        channel: str,
        mention: bool = True,
        files: Sequence[File] = _NOTHING,
        tags: Sequence[str] = (),
    ) -> str:
        """Somebody opens a post in a forum or media channel; its id, which is its first message's, too ([3])."""
        author, forum = self._world.user(user), self._world.channel(channel)
        assert forum.kind in POSTS, "use opens_thread"
        self._enter(author.id, forum)
        post = open_post(self._world, forum, name, author, tags=list(tags))
        first = first_of(post, self._world)
        first.content = self._with_mention(text, post, "user") if mention else text
        first.attachments = [self._placed(file, post) for file in files]
        self._world.post(first)
        return post.id

    async def archives(self, thread: str, is_archived: bool = True) -> None:
        """A thread goes to the archive, or comes back from it."""
        self._world.archive(self._world.channel(thread), is_archived)

    async def locks(self, thread: str, is_locked: bool = True, *, archived: bool | None = None) -> None:
        """A moderator locks a thread, which archives it unless told otherwise."""

        def change(channel: Channel) -> None:
            hood = threadhood(channel)
            hood.is_locked = is_locked
            hood.is_archived = is_locked if archived is None else archived
            hood.archived_at = self._world.clock.now()

        self._world.change(self._world.channel(thread), change)

    async def renames(self, channel: str, name: str) -> None:
        def change(channel: Channel) -> None:
            channel.name = name

        self._world.change(self._world.channel(channel), change)

    async def adds_to_thread(self, thread: str, user: str | None = None) -> None:
        """Somebody (the bot) is added to a thread, which shows them a private one."""
        who = self._world.user(user).id if user else self._world.me.id
        self._world.join_thread(self._world.channel(thread), who)

    async def removes_from_thread(self, thread: str, user: str | None = None) -> None:
        who = self._world.user(user).id if user else self._world.me.id
        self._world.leave_thread(self._world.channel(thread), who)

    async def closes(self, channel: str) -> None:
        """A channel or thread is deleted."""
        self._world.close(self._world.channel(channel))

    # ------------------------------------------------------------------------------------------------

    def _enter(self, user_id: str, place: Channel, *, is_webhook: bool = False) -> None:
        guild = self._world.guild_of(place)
        if guild is not None and not is_webhook:
            self._world.enter(guild, self._world.users[user_id])

    def _is_moderator(self, user_id: str, place: Channel) -> bool:
        guild = self._world.guild_of(place)
        return guild is not None and guild.owner_id == user_id

    def _with_mention(self, text: str, place: Channel, how: MentionAs) -> str:
        guild = self._world.guild_of(place)
        named = self._world.me.mention
        if how == "everyone":
            named = "@everyone"
        elif how == "role":
            assert guild is not None, "there are no roles in a DM"
            named = guild.managed_role(self._world.me.id).mention
        return text if named in text else f"{named} {text}".rstrip()

    def _placed(self, file: File, place: Channel) -> File:
        file.channel = place.id
        self._world.files[file.id] = file
        return file

    def _forward(self, message: Message, original: Message) -> None:
        """[3] The outer message is empty; the one snapshot has no author."""
        told = self._payloads.message(original)
        kept = (
            "content",
            "embeds",
            "attachments",
            "timestamp",
            "edited_timestamp",
            "flags",
            "mentions",
            "mention_roles",
            "type",
            "components",
            "sticker_items",
        )
        message.snapshots = [{"message": {name: told[name] for name in kept if name in told}}]
        message.reference = Reference(original.channel_id, original.id, original.guild_id, kind=1)
        message.flags |= Flag.HAS_SNAPSHOT


def _poll(said: JsonObject, *, ends_at: float) -> JsonObject:
    """A poll as Discord tells it, from its question and answers."""
    if isinstance(said["question"], dict):
        return said
    answers = [{"answer_id": n, "poll_media": {"text": text}} for n, text in enumerate(said["answers"], start=1)]
    return {
        "question": {"text": said["question"]},
        "answers": answers,
        "expiry": iso(ends_at),
        "allow_multiselect": False,
        "layout_type": 1,
        "results": {"is_finalized": False, "answer_counts": []},
    }
