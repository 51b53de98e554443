"""Threads and posts over REST: sections 3 and 9.4 of the reference."""

from collections.abc import Callable

from tests.support.discord.access import Access
from tests.support.discord.api_messages import Messages
from tests.support.discord.calls import Call
from tests.support.discord.channels import FROM_MESSAGE, POSTS, Channel, Kind, Threadhood
from tests.support.discord.gateway import Gateway
from tests.support.discord.json_types import JsonObject
from tests.support.discord.messages import Flag, Message, MessageType, Reference
from tests.support.discord.payloads import Payloads
from tests.support.discord.permissions import Permission
from tests.support.discord.refusal import Refused, invalid
from tests.support.discord.rest import NOTHING_TO_SAY, Answer, Route
from tests.support.discord.users import User
from tests.support.discord.world import World, threadhood

P = Permission
ARCHIVE_AFTER = frozenset({60, 1440, 4320, 10080})  # [3] minutes
NAME = 100


class Threads:
    """Opening threads and posts, changing them, and who is in them."""

    def __init__(self, world: World, access: Access, payloads: Payloads, gateway: Gateway, messages: Messages) -> None:
        self._world, self._access, self._payloads = world, access, payloads
        self._gateway, self._messages = gateway, messages

    def routes(self) -> list[Route]:
        member = "/channels/{channel}/thread-members/@me"
        return [
            Route("POST", "/channels/{channel}/messages/{message}/threads", self.open_from_message),
            Route("POST", "/channels/{channel}/threads", self.open),
            Route("PUT", member, self.join),
            Route("DELETE", member, self.leave),
            Route("GET", "/channels/{channel}/thread-members", self.members),
            Route("GET", "/channels/{channel}/thread-members/{user}", self.member),
            Route("GET", "/guilds/{guild}/threads/active", self.active),
            Route("GET", "/channels/{channel}/threads/archived/public", self.archived),
        ]

    # --- opening ------------------------------------------------------------------------------------

    async def open_from_message(self, call: Call) -> Answer:
        channel = self._access.channel(call)
        kind = FROM_MESSAGE.get(channel.kind)
        if kind is None:  # [3] no nested threads, none in voice chats and direct messages
            raise Refused(50024)
        message = self._access.message(call, channel)
        self._access.need(channel, P.CREATE_PUBLIC_THREADS | P.READ_MESSAGE_HISTORY)
        name, minutes = read_name(call.body), read_minutes(call.body)
        menus = {MessageType.CONTEXT_MENU_COMMAND} if self._world.variants.menu_threads else set()
        if message.type not in {MessageType.DEFAULT, MessageType.REPLY, MessageType.CHAT_INPUT_COMMAND, *menus}:
            raise Refused(50021)
        if message.id in self._world.channels or Flag.HAS_THREAD in message.flags:
            raise Refused(160004)
        self._check_room(channel)

        def happen() -> Channel:
            return open_from(self._world, message, name, self._world.me, kind=kind, minutes=minutes)

        return await self._answer(call, happen)

    async def open(self, call: Call) -> Answer:
        """A thread without a message, or a post of a forum or media channel with its first one."""
        channel = self._access.channel(call)
        name, minutes = read_name(call.body), read_minutes(call.body)
        if channel.kind in POSTS:
            return await self._open_post(call, channel, name, minutes)
        # [D channel] the default is a private thread
        kind = Kind(call.body.get("type") or Kind.PRIVATE_THREAD)
        homes = {Kind.ANNOUNCEMENT_THREAD: Kind.ANNOUNCEMENT}
        if channel.kind != homes.get(kind, Kind.TEXT):
            raise Refused(50024)
        needed = P.CREATE_PRIVATE_THREADS if kind == Kind.PRIVATE_THREAD else P.CREATE_PUBLIC_THREADS
        self._access.need(channel, needed)
        self._check_room(channel)

        def happen() -> Channel:
            return open_alone(self._world, channel, name, self._world.me, kind=kind, minutes=minutes)

        return await self._answer(call, happen)

    async def _open_post(self, call: Call, channel: Channel, name: str, minutes: int | None) -> Answer:
        self._access.need(channel, P.SEND_MESSAGES)
        said = call.body.get("message")
        if said is None:
            raise invalid("message", "BASE_TYPE_REQUIRED", "This field is required")
        tags = [str(tag) for tag in call.body.get("applied_tags") or ()]
        if channel.needs_tag and not tags:
            raise Refused(40067)
        self._check_room(channel)
        call.body = said
        draft = self._messages.draft(call, channel)

        def happen() -> Channel:
            made = open_post(self._world, channel, name, self._world.me, minutes=minutes, tags=tags)
            first = first_of(made, self._world)
            draft.put_into(first)
            first.application_id = self._world.install.application_id
            self._world.post(first, draft.allowed)
            return made

        return await self._answer(call, happen)

    async def _answer(self, call: Call, happen: Callable[[], Channel]) -> Answer:
        """Let it happen, and tell of it before or after the answer ([9.2])."""
        order = self._world.variants.thread_event
        if order == "before":
            thread = happen()
        else:
            with self._gateway.after(call, never=order == "never"):
                thread = happen()
        await self._gateway.settled()
        told = self._payloads.channel(thread)
        if (first := thread.messages.get(thread.id)) is not None:
            told["message"] = self._payloads.message(first)
        return Answer(told, 201)

    def _check_room(self, channel: Channel) -> None:
        guild = self._world.guild_of(channel)
        if guild is not None and len(guild.active_threads) >= guild.most_active_threads:
            raise Refused(160007 if channel.kind == Kind.ANNOUNCEMENT else 160006)

    # --- members ------------------------------------------------------------------------------------

    def join(self, call: Call) -> Answer:
        self._world.join_thread(self._thread(call), self._world.me.id)
        return NOTHING_TO_SAY

    def leave(self, call: Call) -> Answer:
        self._world.leave_thread(self._thread(call), self._world.me.id)
        return NOTHING_TO_SAY

    def members(self, call: Call) -> Answer:
        thread = self._access.channel(call)
        return Answer([self._payloads.thread_member(thread, id_) for id_ in sorted(threadhood(thread).member_ids)])

    def member(self, call: Call) -> Answer:
        thread, user = self._access.channel(call), call.params["user"]
        if user not in threadhood(thread).member_ids:
            raise Refused(10007)
        return Answer(self._payloads.thread_member(thread, user))

    def _thread(self, call: Call) -> Channel:
        thread = self._access.channel(call)
        if thread.thread is None:
            raise Refused(50024)
        if thread.thread.is_archived:
            raise Refused(50083)
        return thread

    # --- lists --------------------------------------------------------------------------------------

    def active(self, call: Call) -> Answer:
        guild = self._access.guild(call)
        return Answer(self._listed([thread for thread in guild.active_threads if self._access.can_see(thread)]))

    def archived(self, call: Call) -> Answer:
        channel = self._access.channel(call)
        self._access.need(channel, P.READ_MESSAGE_HISTORY)
        found = [
            one
            for one in self._world.channels.values()
            if one.thread and one.thread.is_archived and one.parent_id == channel.id and one.kind != Kind.PRIVATE_THREAD
        ]
        found.sort(key=lambda thread: threadhood(thread).archived_at, reverse=True)
        limit = int(call.query.get("limit", "50"))
        return Answer(self._listed(found[:limit]) | {"has_more": len(found) > limit})

    def _listed(self, threads: list[Channel]) -> JsonObject:
        me = self._world.me.id
        mine = [thread for thread in threads if me in threadhood(thread).member_ids]
        return {
            "threads": [self._payloads.channel(thread) for thread in threads],
            "members": [self._payloads.thread_member(thread, me) for thread in mine],
        }


def read_name(body: JsonObject) -> str:
    name = str(body.get("name") or "").strip()
    if not 1 <= len(name) <= NAME:
        raise invalid("name", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {NAME} in length.")
    return name


def read_minutes(body: JsonObject) -> int | None:
    minutes = body.get("auto_archive_duration")
    if minutes is not None and minutes not in ARCHIVE_AFTER:
        message = "Value must be one of {60, 1440, 4320, 10080}."
        raise invalid("auto_archive_duration", "BASE_TYPE_CHOICES", message)
    return minutes


# --- how threads come to be, whoever opens them ---------------------------------------------------------


def open_from(
    world: World, message: Message, name: str, by: User, *, kind: Kind, minutes: int | None = None
) -> Channel:
    """A thread of a message: it has the message's id ([3])."""
    parent = world.channels[message.channel_id]
    thread = _made(world, parent, name, by, kind=kind, minutes=minutes, id_=message.id)
    threadhood(thread).starter_id = message.id
    world.open(thread)

    def mark(message: Message) -> None:
        message.flags |= Flag.HAS_THREAD

    if world.variants.thread_marks_message:
        world.touch(message, mark)
    else:
        mark(message)
    if world.variants.starter_message:  # [3] type 21, without content
        starter = Reference(parent.id, message.id, parent.guild_id)
        _system(world, by, MessageType.THREAD_STARTER, "", into=thread, reference=starter)
    return thread


def open_alone(
    world: World, parent: Channel, name: str, by: User, *, kind: Kind, minutes: int | None = None
) -> Channel:
    """A thread without a message; the channel says that it was opened, unless it is private ([3] type 18)."""
    thread = world.open(_made(world, parent, name, by, kind=kind, minutes=minutes, id_=world.ids.new()))
    if kind != Kind.PRIVATE_THREAD:
        reference = Reference(thread.id, None, parent.guild_id)
        _system(world, by, MessageType.THREAD_CREATED, name, into=parent, reference=reference)
    return thread


def open_post(
    world: World, forum: Channel, name: str, by: User, *, minutes: int | None = None, tags: list[str] | None = None
) -> Channel:
    """A post, whose first message is still to come and has its id ([3])."""
    post = _made(world, forum, name, by, kind=Kind.PUBLIC_THREAD, minutes=minutes, id_=world.ids.new())
    threadhood(post).tag_ids = tags or []
    world.open(post)
    forum.last_message_id = post.id  # of a forum it is the newest post
    return post


def first_of(post: Channel, world: World) -> Message:
    """The first message of a post, to be filled and posted."""
    owner = world.users[threadhood(post).owner_id]
    return Message(post.id, post.id, post.guild_id, owner, "", world.clock.now())


def _made(world: World, parent: Channel, name: str, by: User, *, kind: Kind, minutes: int | None, id_: str) -> Channel:
    hood = Threadhood(by.id, world.clock.now(), minutes or 4320, member_ids={by.id})
    return Channel(id_, kind, name, parent.guild_id, parent.id, thread=hood)


def _system(world: World, by: User, kind: MessageType, text: str, *, into: Channel, reference: Reference) -> None:
    now = world.clock.now()
    message = Message(world.ids.new(), into.id, into.guild_id, by, text, now, kind, reference=reference)
    world.post(message)
