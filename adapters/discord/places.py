"""Where something stands in Discord, and the name its thread has in Clew. Pure.

A thread's key is ``discord:<server>:<channel>:<thread>``. The channel of a thread or a post is the one it hangs from,
so that what the policy says of a channel holds for what hangs from it, too.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.messages import MessageId, Platform, Thread
from bot.ports import Pointed

DISCORD = Platform("discord")

DIRECT: Final = "dm"
"""The installation of direct messages.

They are in no server. The id of the bot's application could stand here as well, but it would have to be looked up
before a message can be read, and in CLEW_ALLOW_INSTALLATIONS nobody would recognise it. Nothing is lost, since the
channel of a direct message is that of one person and one bot.
"""


_LINK = re.compile(
    r"https://(?:\w+\.)?discord(?:app)?\.com/channels/(?P<server>@me|[0-9]{1,20})/(?P<channel>[0-9]{1,20})"
    r"(?:/(?P<message>[0-9]{1,20}))?/?"
)


class Kind(StrEnum):
    """What can become of a conversation in a channel."""

    CHANNEL = "channel"  # text and announcements: a thread is opened from the message
    THREAD = "thread"  # threads, and posts in forums and media channels: answered in place
    ROOM = "room"  # the chat of voice and stage channels: one conversation, answered in place
    DIRECT = "direct"  # the same, between one person and the bot


# https://docs.discord.com/developers/resources/channel, "Channel Types"
_KINDS = {
    0: Kind.CHANNEL,
    1: Kind.DIRECT,
    2: Kind.ROOM,
    3: Kind.DIRECT,  # of a group: the bot is never in one, and is asked there by command only
    5: Kind.CHANNEL,
    10: Kind.THREAD,
    11: Kind.THREAD,
    12: Kind.THREAD,
    13: Kind.ROOM,
}


def kind_of(channel_type: int) -> Kind | None:
    """What a channel is; None where nobody can say anything: categories, forums, what Discord has yet to invent."""
    return _KINDS.get(channel_type)


@dataclass(frozen=True, slots=True)
class Where:
    """The place a message stands in. The message itself tells only the channel, and often the server.

    Raises:
        ValueError: a thread without the channel it hangs from, or anything but a direct message without a server.
    """

    kind: Kind
    channel_id: str
    guild_id: str | None = None  # what people call a server
    parent_id: str | None = None  # of a thread: the channel it hangs from

    def __post_init__(self) -> None:
        if (self.kind is Kind.THREAD) != (self.parent_id is not None):
            raise ValueError(f"a thread, and nothing else, hangs from a channel: {self}")
        if (self.kind is Kind.DIRECT) != (self.guild_id is None):
            raise ValueError(f"a direct message, and nothing else, is in no server: {self}")


def thread_of(where: Where, message_id: str) -> Thread:
    """The thread a message belongs to.

    A thread that is opened from a message has the message's id, so the message and what is said in the thread agree on
    the key before there is a thread. Rooms and direct messages are one conversation each, named after the channel.
    """
    installation = where.guild_id or DIRECT
    match where.kind:
        case Kind.CHANNEL:
            return Thread(DISCORD, installation, where.channel_id, message_id)
        case Kind.THREAD:
            return Thread(DISCORD, installation, where.parent_id or where.channel_id, where.channel_id)
        case Kind.ROOM | Kind.DIRECT:
            return Thread(DISCORD, installation, where.channel_id, where.channel_id)


def pointed_by(text: str) -> Pointed | None:
    """What a link to a message, a thread or a channel leads to; None when *text* is something else.

    ``https://discord.com/channels/SERVER/CHANNEL[/MESSAGE]``, with ``@me`` for the server of direct messages
    """
    link = read_link(text)
    if link is None:
        return None
    return Pointed(DISCORD, link.channel_id, message_id=MessageId(link.message_id) if link.message_id else None)


@dataclass(frozen=True, slots=True)
class Link:
    """The address of a message, a thread or a channel."""

    server_id: str | None  # None: direct messages
    channel_id: str
    message_id: str | None


def read_link(text: str) -> Link | None:
    """The link that *text* is, bare or in angle brackets; None when it is something else."""
    found = _LINK.fullmatch(text.strip().removeprefix("<").removesuffix(">"))
    if found is None:
        return None
    return Link(None if found["server"] == "@me" else found["server"], found["channel"], found["message"])


def is_continuous(thread: Thread) -> bool:
    """Whether a thread is all that is said in a room or a direct message."""
    return thread.thread_id == thread.channel_id


def channels_of(thread: Thread, message_id: MessageId) -> tuple[str, ...]:
    """The channels in which a message of a thread can stand, the likeliest first.

    What a thread was opened from stands in the channel; but a post in a forum begins with a message of its own, and
    where no thread could be opened all of the conversation is in the channel.
    """
    if is_continuous(thread):
        return (thread.channel_id,)
    inside_first = (thread.thread_id, thread.channel_id)
    return inside_first[::-1] if message_id == thread.thread_id else inside_first
