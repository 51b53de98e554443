"""What is behind a link to a thread or a message, for somebody who is seen to be allowed to read it there."""

import asyncio
from collections.abc import Callable, Sequence

from adapters.discord.calls import Calls, DiscordClosed, DiscordRefused, Route
from adapters.discord.history import Reader, history
from adapters.discord.payloads import Fields, fields, ids, is_id, number, objects, text
from adapters.discord.people import Called, Me
from adapters.discord.places import Kind, Where, kind_of, read_link, thread_of
from bot.errors import LinkRefused
from bot.messages import MessageId, Person, Said, Thread
from bot.read_link import NOTHING

_ADMINISTRATOR, _VIEW, _CONNECT = 1 << 3, 1 << 10, 1 << 20
_READ_HISTORY, _MANAGE_THREADS = 1 << 16, 1 << 34
_PRIVATE_THREAD = 12
_AFTER_ALL = MessageId(str((1 << 63) - 1))


class Linked:
    """Reads what links lead to, in the server in which somebody asks and nowhere else."""

    def __init__(self, calls: Calls, reader: Reader) -> None:
        self._calls, self._reader = calls, reader

    async def read_for(
        self, person: Person, thread: Thread, link: str, *, permits: Callable[[Thread], bool], me: Me, called: Called
    ) -> Sequence[Said]:
        """The thread that a link leads to, or the message; see `Adapter`.

        Raises:
            LinkRefused: it is not for them.
            MessageGone, PlatformAway, ThreadClosed, DiscordRefused: it is not there, or not for the bot.
        """
        found = read_link(link)
        if found is None:
            raise LinkRefused("That is no link to a thread or a message in Discord.")
        if found.server_id is None:
            raise LinkRefused("Direct messages are never read for anybody.")
        if found.server_id != thread.installation_id:
            raise LinkRefused("That link leads to another server than this one.")
        where, channel = await self._place(found.server_id, found.channel_id)
        linked = thread_of(where, found.message_id or found.channel_id)
        if not permits(linked):
            raise LinkRefused(NOTHING)
        if not await self._may_read(person, where, channel):
            raise LinkRefused(NOTHING)
        if where.kind is Kind.THREAD:
            return await history(self._reader, me, linked, before=_AFTER_ALL, since=None, called=called)
        if found.message_id is None:
            raise LinkRefused("That is a whole channel; a link to a message or a thread is needed.")
        message = await self._reader.one(found.channel_id, found.message_id)
        if is_id(fields(message.get("thread")).get("id")):  # opened from it, so it has its id
            return await history(self._reader, me, linked, before=_AFTER_ALL, since=None, called=called)
        only = _Only(message)
        alone = Thread(linked.platform, linked.installation_id, linked.channel_id, linked.channel_id)
        return await history(only, me, alone, before=_AFTER_ALL, since=None, called=called)

    async def _place(self, server_id: str, channel_id: str) -> tuple[Where, Fields]:
        """Where a channel is, and the channel itself."""
        channel = await self._get(Route("GET", "/channels/{channel_id}", channel_id=channel_id))
        kind = kind_of(number(channel.get("type")) or 0)
        parent = text(channel.get("parent_id")) if kind is Kind.THREAD else None
        if channel.get("guild_id") != server_id or kind is None or kind is Kind.DIRECT or parent == "":
            raise LinkRefused(NOTHING)
        return Where(kind, channel_id, server_id, parent), channel

    async def _may_read(self, person: Person, where: Where, channel: Fields) -> bool:
        """Whether somebody may see the channel and read back in it; a private thread only as one of its members."""
        server, member, home = await asyncio.gather(
            self._get(Route("GET", "/guilds/{guild_id}", guild_id=where.guild_id)),
            self._member(where.guild_id or "", person),
            self._home(where, channel),
        )
        if member is None:
            return False
        held = permissions(server, member, home, person.id)
        needed = _VIEW | _READ_HISTORY | (_CONNECT if where.kind is Kind.ROOM else 0)
        if held & needed != needed:
            return False
        if channel.get("type") != _PRIVATE_THREAD or held & _MANAGE_THREADS:
            return True
        return await self._is_in(where.channel_id, person)

    async def _home(self, where: Where, channel: Fields) -> Fields:
        """The channel whose overwrites count: of a thread the one it hangs from."""
        if where.parent_id is None:
            return channel
        return await self._get(Route("GET", "/channels/{channel_id}", channel_id=where.parent_id))

    async def _member(self, server_id: str, person: Person) -> Fields | None:
        route = Route("GET", "/guilds/{guild_id}/members/{user_id}", guild_id=server_id, user_id=person.id)
        try:
            return await self._get(route)
        except (DiscordRefused, DiscordClosed):
            return None

    async def _is_in(self, thread_id: str, person: Person) -> bool:
        path = "/channels/{channel_id}/thread-members/{user_id}"
        try:
            await self._get(Route("GET", path, channel_id=thread_id, user_id=person.id))
        except (DiscordRefused, DiscordClosed):
            return False
        return True

    async def _get(self, route: Route) -> Fields:
        return fields(await self._calls.call(route, safe=True))


class _Only:
    """A `Reader` of a channel in which nothing stands but one message."""

    def __init__(self, message: Fields) -> None:
        self._message = message

    async def page(self, channel_id: str, *, before: str) -> Sequence[Fields]:
        return [self._message]

    async def one(self, channel_id: str, message_id: str) -> Fields:
        return self._message


def permissions(server: Fields, member: Fields, channel: Fields, user_id: str) -> int:
    """What a member may do in a channel, as Discord computes it: the roles, then the overwrites of everybody, of the
    roles together, and of the member. What cannot be read allows nothing.
    """
    server_id, roles = text(server.get("id")), {server.get("id"), *ids(member.get("roles"))}
    everything = (1 << 64) - 1
    if is_id(user_id) and server.get("owner_id") == user_id:
        return everything
    held = 0
    for role in objects(server.get("roles")):
        held |= _bits(role.get("permissions")) if role.get("id") in roles else 0
    if held & _ADMINISTRATOR:
        return everything
    overwrites = {text(one.get("id")): one for one in objects(channel.get("permission_overwrites"))}
    own = [overwrites.pop(server_id, {})], [one for id_, one in overwrites.items() if id_ in roles]
    for together in (*own, [overwrites.get(user_id, {})]):
        for name in ("deny", "allow"):
            bits = 0
            for one in together:
                bits |= _bits(one.get(name))
            held = held & ~bits if name == "deny" else held | bits
    return held


def _bits(value: object) -> int:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else 0
