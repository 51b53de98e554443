"""What Discord tells of commands, menus and buttons -> values. Pure; it takes anything at all and never raises."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adapters.discord.application import (
    ASK,
    ASK_ABOUT,
    FORGET,
    HELP,
    HISTORY,
    IMAGINE,
    PRIVACY,
    RESEARCH,
    RESET,
    RESET_HERE,
    RETRY,
    STOP,
    USAGE,
)
from adapters.discord.buttons import Press, read_custom_id
from adapters.discord.payloads import Fields, fields, is_id, number, objects, sent_at, text
from adapters.discord.people import person_of
from adapters.discord.places import Kind, Where, kind_of
from bot.commands import DECISIONS, Command
from bot.messages import Person, TurnId

GOOD_FOR: Final = 840.0  # seconds that a token is relied on; Discord says fifteen minutes
# Permissions, as https://docs.discord.com/developers/topics/permissions numbers them.
_ADMINISTRATOR, _VIEW, _SEND, _CONNECT, _OPEN_THREADS, _SEND_IN_THREADS = (1 << bit for bit in (3, 10, 11, 20, 35, 38))
_FLAGS = re.compile(r"[0-9]{1,40}")
# Any of these will do. A question is shown without a permission of its own; in a channel its answer is in a thread.
_ENOUGH: Final = {
    Kind.CHANNEL: (_VIEW | _SEND, _VIEW | _OPEN_THREADS | _SEND_IN_THREADS),
    Kind.THREAD: (_VIEW | _SEND_IN_THREADS,),
    Kind.ROOM: (_VIEW | _CONNECT | _SEND,),
    Kind.DIRECT: (0,),
}

_COMMANDS = {
    RESET: Command.RESET,
    STOP: Command.STOP,
    RETRY: Command.RETRY,
    FORGET: Command.FORGET,
    HISTORY: Command.HISTORY,
    USAGE: Command.USAGE,
    PRIVACY: Command.PRIVACY,
    HELP: Command.HELP,
}
_PRESSES = {press: Command(press.value) for press in Press}


@dataclass(frozen=True, slots=True)
class Call:
    """How an interaction is answered. The token is a secret for as long as it is good."""

    id: str
    token: str
    application_id: str

    @property
    def good_until(self) -> float:
        """When the token is of no more use, in seconds since the epoch."""
        return sent_at(self.id) + GOOD_FOR


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody asks something: with words, with a file, or about a message."""

    call: Call
    person: Person
    where: Where
    text: str = ""
    file: Fields | None = None  # as Discord tells an attachment
    about: Fields | None = None  # a message, as Discord tells one
    can_write: bool = True  # whether the bot may say something there


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody tells the bot to do something with a conversation."""

    call: Call
    person: Person
    where: Where
    command: Command
    turn: TurnId | None = None  # whose button was pressed
    message_id: str | None = None  # the message it was told at
    asked: str = ""  # the name of what was decided


def read_interaction(body: Fields) -> Asking | Told | None:
    """What somebody wants; None when it is nothing the bot offers."""
    body = fields(body)
    call, person, where = _call(body), _person(body), _where(body)
    if call is None or person is None or where is None:
        return None
    data = fields(body.get("data"))
    match number(body.get("type")):
        case 2:
            return _command(body, data, call, person, where)
        case 3:
            pressed = read_custom_id(text(data.get("custom_id")))
            message = fields(body.get("message")).get("id")
            if pressed is None:
                return None
            command, told_at = _PRESSES[pressed[0]], message if is_id(message) else None
            if command in DECISIONS:
                return Told(call, person, where, command, message_id=told_at, asked=pressed[1])
            return Told(call, person, where, command, TurnId(pressed[1]), told_at)
        case _:
            return None


def read_call(body: Fields) -> Call | None:
    """How anything at all is answered, so that nobody is left with an error."""
    return _call(fields(body))


def _command(body: Fields, data: Fields, call: Call, person: Person, where: Where) -> Asking | Told | None:
    name = text(data.get("name"))
    if name in _COMMANDS:
        return Told(call, person, where, _COMMANDS[name])
    resolved, target = fields(data.get("resolved")), data.get("target_id")
    if name in {ASK_ABOUT, RESET_HERE}:
        message = fields(fields(resolved.get("messages")).get(target)) if is_id(target) else {}
        if not is_id(message.get("id")):
            return None
        if name == RESET_HERE:
            return Told(call, person, where, Command.RESET, message_id=str(message["id"]))
        about = {"channel_id": where.channel_id, **message}
        return Asking(call, person, where, about=about, can_write=_can_write(body, where))
    if name not in {ASK, IMAGINE, RESEARCH}:
        return None
    options = _options(data)
    chosen = options.get("file")
    file = fields(fields(resolved.get("attachments")).get(chosen)) if is_id(chosen) else None
    # A wish is shown, and read again later, as it would have been typed.
    words = (text(options.get("text")) if name == ASK else f"/{name} {text(options.get('prompt'))}").strip()
    return Asking(call, person, where, words, file or None, can_write=_can_write(body, where))


def _options(data: Fields) -> Mapping[str, object]:
    return {text(option.get("name")): option.get("value") for option in objects(data.get("options"))}


def _call(body: Fields) -> Call | None:
    name, token, application = body.get("id"), body.get("token"), body.get("application_id")
    if not is_id(name) or not is_id(application) or not isinstance(token, str) or not token:
        return None
    return Call(name, token, application)


def _person(body: Fields) -> Person | None:
    member = fields(body.get("member"))
    return person_of(fields(member.get("user")) or fields(body.get("user")), member)


def _where(body: Fields) -> Where | None:
    channel, guild = fields(body.get("channel")), body.get("guild_id")
    channel_id, parent = channel.get("id", body.get("channel_id")), channel.get("parent_id")
    kind = kind_of(number(channel.get("type")) or 0)
    if not is_id(channel_id) or kind is None:
        return None
    if kind is Kind.DIRECT or not is_id(guild):
        return Where(Kind.DIRECT, channel_id)
    if kind is not Kind.THREAD:
        return Where(kind, channel_id, guild)
    return Where(kind, channel_id, guild, parent) if is_id(parent) else None


def _can_write(body: Fields, where: Where) -> bool:
    """Whether the bot may speak there; commands are to be had in channels that it does not even see."""
    told = text(body.get("app_permissions"))
    if not _FLAGS.fullmatch(told):
        return True  # it will be seen
    has = int(told)
    return bool(has & _ADMINISTRATOR) or any(has & needed == needed for needed in _ENOUGH[where.kind])
