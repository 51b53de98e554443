"""What Discord tells of messages -> values. Pure; it takes anything at all and never raises.

The gateway and the REST API tell messages in the same shape, so what is heard, what is read back and what was edited
go through `read_post`. REST leaves out the server and what people are called in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adapters.discord.contents import Contents, contents_of
from adapters.discord.payloads import Fields, fields, ids, is_id, moment, number, objects, sent_at
from adapters.discord.people import Called, Me, person_of, unknown
from adapters.discord.places import Kind, Where, thread_of
from bot.commands import Command, command_of
from bot.messages import Address, Message, MessageId, Person, Thread

__all__ = [
    "Commanded",
    "Deleted",
    "Edited",
    "Event",
    "Origin",
    "Posted",
    "is_apps",
    "origin_of",
    "read_deleted",
    "read_edited",
    "read_post",
    "read_posted",
    "replied_to",
]

# What people type. All other types are Discord's own voice, or what an app answered to a command.
_DEFAULT, _REPLY = 0, 19
_NOWHERE: Mapping[MessageId, Thread] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Posted:
    """Somebody said something."""

    message: Message


@dataclass(frozen=True, slots=True)
class Edited:
    """Somebody changed the text of a message: here it is as it stands now, whole."""

    message: Message


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message is gone."""

    thread: Thread
    message_id: MessageId


@dataclass(frozen=True, slots=True)
class Commanded:
    """Somebody told the bot in a thread to do something with it: the message is a command and nothing else."""

    thread: Thread
    command: Command
    message_id: MessageId
    person: Person
    sent_at: float  # seconds since the epoch


Event = Posted | Edited | Deleted | Commanded


@dataclass(frozen=True, slots=True)
class Origin:
    """What has to be known before a payload about messages can be read: where its channel stands."""

    channel_id: str
    guild_id: str | None


def origin_of(body: Fields) -> Origin | None:
    """Where a payload of the gateway comes from; None when it is not about messages."""
    channel, guild = fields(body).get("channel_id"), fields(body).get("guild_id")
    return Origin(channel, guild if is_id(guild) else None) if is_id(channel) else None


def replied_to(body: Fields, me: Me) -> MessageId | None:
    """The message of the bot's that a reply answers; None when it answers none.

    Where no thread could be opened the bot answers in the channel, and only this tells which conversation goes on.
    What the reply does not tell of that message is left to whoever looks it up.
    """
    body = fields(body)
    target = fields(body.get("message_reference")).get("message_id")
    if number(body.get("type")) != _REPLY or not is_id(target):
        return None
    author = fields(fields(body.get("referenced_message")).get("author")).get("id", me.user_id)
    return MessageId(target) if author == me.user_id else None


# --- what happened ----------------------------------------------------------------------------


def read_posted(
    body: Fields, me: Me, where: Where, *, continued: Thread | None = None, called: Called = unknown
) -> Posted | Commanded | None:
    """A message that was sent (MESSAGE_CREATE, or one read back); None when it is nothing for the bot.

    Nothing for it are its own posts, those of other apps and webhooks, and what Discord says itself. See `read_post`.
    """
    read = _read(body, me, where, continued, called)
    if read is None:
        return None
    message, contents = read
    return _as_command(body, message, contents) or Posted(message)


def read_edited(
    body: Fields, me: Me, where: Where, *, continued: Thread | None = None, called: Called = unknown
) -> Edited | Commanded | None:
    """A message that was changed (MESSAGE_UPDATE); None when no person changed it.

    Previews of links, pins and threads change a message, too. Only an edit gives it a time of editing; that of an
    earlier edit comes again with later changes, and so does the text of it.
    """
    read = _read(body, me, where, continued, called) if moment(fields(body).get("edited_timestamp")) else None
    if read is None:
        return None
    message, contents = read
    return _as_command(body, message, contents) or Edited(message)


def read_deleted(
    body: Fields, where: Where, *, continued: Mapping[MessageId, Thread] = _NOWHERE
) -> tuple[Deleted, ...]:
    """The messages that are gone (MESSAGE_DELETE, MESSAGE_DELETE_BULK). Whose they were is not told.

    Args:
        continued: the threads of those that are known to belong to another than their place says.
    """
    body = fields(body)
    if body.get("channel_id") != where.channel_id:
        return ()
    gone = [MessageId(name) for name in ids([body.get("id")]) + ids(body.get("ids"))]
    return tuple(Deleted(continued.get(name) or thread_of(where, name), name) for name in dict.fromkeys(gone))


def read_post(
    body: Fields, me: Me, where: Where, *, continued: Thread | None = None, called: Called = unknown
) -> Message | None:
    """A message object as a `Message`; None when no person said it, or nothing is in it.

    Args:
        where: the place it stands in; a message of another channel is not read.
        continued: the conversation that a reply goes on with, where `replied_to` led to one.
        called: what people, roles and channels are called, as far as the message does not tell it.
    """
    read = _read(body, me, where, continued, called)
    return read[0] if read else None


def _read(
    body: Fields, me: Me, where: Where, continued: Thread | None, called: Called
) -> tuple[Message, Contents] | None:
    body = fields(body)
    message_id, author = body.get("id"), fields(body.get("author"))
    person = person_of(author, fields(body.get("member")), called)
    if not is_id(message_id) or body.get("channel_id") != where.channel_id or person is None:
        return None
    if number(body.get("type")) not in {_DEFAULT, _REPLY} or is_apps(body, me):
        return None
    # Elsewhere the place alone tells the conversation, whatever is replied to.
    continued = continued if where.kind is Kind.CHANNEL else None
    thread = continued or thread_of(where, message_id)
    contents = contents_of(body, me=me, called=called)
    address = Address.DIRECT if where.kind is Kind.DIRECT else _address(body, me, is_answer=continued is not None)
    # Whoever addressed the bot with nothing is told so. The others sent what has no words.
    if not contents.text and not contents.attachments and address in {Address.OPEN, Address.OTHERS}:
        return None
    message = Message(
        thread=thread,
        id=MessageId(message_id),
        author=person,
        text=contents.text,
        # A mention that was edited in was said when it was edited in; all else keeps its place, whatever is changed.
        sent_at=(address is Address.MENTION and moment(body.get("edited_timestamp"))) or sent_at(message_id),
        attachments=contents.attachments,
        address=address,
        is_root=message_id == thread.thread_id,
    )
    return message, contents


def is_apps(body: Fields, me: Me) -> bool:
    """Whether the bot itself, another app, a webhook or Discord wrote a message."""
    author = fields(body.get("author"))
    is_ours = author.get("id") == me.user_id
    return is_ours or bool(author.get("bot") or author.get("system") or body.get("webhook_id"))


def _as_command(body: Fields, message: Message, contents: Contents) -> Commanded | None:
    is_to_us = message.address in {Address.DIRECT, Address.MENTION}
    command = command_of(contents.typed) if is_to_us and contents.is_bare else None
    if command is None:
        return None
    told_at = moment(fields(body).get("edited_timestamp")) or message.sent_at
    return Commanded(message.thread, command, message.id, message.author, told_at)


def _address(body: Fields, me: Me, *, is_answer: bool) -> Address:
    """Whom a message names, as Discord tells it: what stands in code or is escaped is no mention.

    A reply names whom it answers, unless its author turned that off.
    """
    named = {str(user.get("id")) for user in objects(body.get("mentions"))}
    roles = set(ids(body.get("mention_roles")))
    answered = fields(fields(body.get("referenced_message")).get("author")).get("id")
    if me.user_id in named or roles & me.role_ids or answered == me.user_id or is_answer:
        return Address.MENTION
    if answered is not None:
        named.add(str(answered))
    named.discard(str(fields(body.get("author")).get("id")))  # people go on with what they said themselves
    is_others = bool(named or roles) or body.get("mention_everyone") is True
    return Address.OTHERS if is_others else Address.OPEN
