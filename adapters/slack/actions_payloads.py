"""What Slack tells of slash commands, buttons, shortcuts and the Home tab -> values. Pure; nothing in it is believed.

Threads are named after the installation we know ourselves to be: where channels are shared, the team in such a
payload is that of whoever clicked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from adapters.slack.manifest import COMMAND, RESEARCH_COMMAND, RESET_COMMAND, RESET_SHORTCUT
from adapters.slack.places import is_direct, is_id, is_ts, read_link, thread_of
from adapters.slack.reading import readable
from adapters.slack.workspace import Workspace
from bot.commands import Command, command_of
from bot.messages import MessageId, Person, PersonId, Thread, TurnId

Fields = Mapping[str, object]
_NOTHING: Fields = {}
_WISHES = frozenset({"research", "imagine"})


@dataclass(frozen=True, slots=True)
class Slash:
    """A slash command. It cannot be given inside a thread, so the thread is that of a link, or a direct message's.

    The command is None when its words are none; `help` when there are no words.
    """

    command: Command | None
    words: str  # what followed the name, as typed
    thread: Thread | None
    has_bad_link: bool  # something followed the command and is not a link to a message here
    person: Person
    channel_id: str
    is_direct: bool
    response_url: str
    trigger_id: MessageId  # unique for each time somebody gives a command
    wish: str | None = None  # `research` or `imagine`, when it asks for that
    wished: str = ""  # what of


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button was pressed.

    Its value is whatever it was given: the id of a turn, the key of a thread, the name of an approval. The thread
    and the message are None on the Home tab.
    """

    action_id: str
    value: str
    thread: Thread | None
    message_id: MessageId | None  # the message the button stands in
    is_ephemeral: bool
    person: Person
    channel_id: str | None
    response_url: str | None
    trigger_id: MessageId

    @property
    def turn(self) -> TurnId | None:
        """The turn the button belongs to, when its value is that of one."""
        return TurnId(self.value) if self.value and ":" not in self.value else None

    @property
    def chosen(self) -> Thread | None:
        """The thread the button stands for, when its value is the key of one."""
        try:
            return Thread.from_key(self.value)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A message shortcut was chosen. The command is None when it is not one of ours."""

    callback_id: str
    command: Command | None
    thread: Thread
    message_id: MessageId  # the message it was chosen on
    person: Person
    channel_id: str
    response_url: str | None
    trigger_id: MessageId


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """Somebody opened the app's page: its Home tab, or the messages with it."""

    person: Person
    tab: str  # home, messages


def read_slash(payload: Fields, me: Workspace) -> Slash | None:
    """A ``slash_commands`` payload; None when it is malformed or not one of our commands."""
    fields = _fields(payload)
    name, channel, person = fields.get("command"), fields.get("channel_id"), _person(fields.get("user_id"))
    response_url, trigger = _text(fields.get("response_url")), _text(fields.get("trigger_id"))
    if not isinstance(channel, str) or not is_id(channel) or person is None or not response_url or not trigger:
        return None
    words = " ".join(_text(fields.get("text")).split())
    if name == RESET_COMMAND:
        first, rest = "help" if command_of(words) is Command.HELP else "reset", words
    elif name == RESEARCH_COMMAND:
        first, rest = ("help", "") if words.casefold() == "help" else ("research", words)
    elif name == COMMAND:
        first, _, rest = words.partition(" ")
        first = first or "help"
    else:
        return None
    direct = is_direct(channel, "im" if fields.get("channel_name") == "directmessage" else None)
    here = thread_of(me.installation_id, channel, channel, None, channel_type="im") if direct else None
    command = command_of(first)
    linked = _linked(rest, me)
    wish = first.casefold().strip("/:")
    return Slash(
        command=command,
        words=words,
        thread=linked or (here if not rest else None),
        has_bad_link=bool(rest) and linked is None and command is not Command.HELP,
        person=person,
        channel_id=channel,
        is_direct=direct,
        response_url=response_url,
        trigger_id=MessageId(trigger),
        wish=wish if wish in _WISHES else None,
        wished=readable(rest, me=me.bot_user_id),
    )


def read_action(payload: Fields, me: Workspace) -> Pressed | None:
    """The button of a ``block_actions`` payload; None when it is malformed."""
    fields = _fields(payload)
    actions = fields.get("actions")
    action = _fields(actions[0]) if isinstance(actions, list) and actions else _NOTHING
    person, trigger = _person(_fields(fields.get("user")).get("id")), _text(fields.get("trigger_id"))
    if fields.get("type") != "block_actions" or not _text(action.get("action_id")) or person is None or not trigger:
        return None
    container, message = _fields(fields.get("container")), _fields(fields.get("message"))
    channel = _first_id(_fields(fields.get("channel")).get("id"), container.get("channel_id"))
    ts = next((ts for ts in (container.get("message_ts"), message.get("ts")) if is_ts(ts)), None)
    thread_ts = next((ts for ts in (container.get("thread_ts"), message.get("thread_ts")) if is_ts(ts)), None)
    return Pressed(
        action_id=_text(action.get("action_id")),
        value=_text(action.get("value")),
        thread=_thread(me, channel, ts, thread_ts),
        message_id=MessageId(str(ts)) if ts else None,
        is_ephemeral=container.get("is_ephemeral") is True,
        person=person,
        channel_id=channel,
        response_url=_text(fields.get("response_url")) or None,
        trigger_id=MessageId(trigger),
    )


def read_shortcut(payload: Fields, me: Workspace) -> Shortcut | None:
    """A ``message_action`` payload; None when it is malformed."""
    fields = _fields(payload)
    message, person = _fields(fields.get("message")), _person(_fields(fields.get("user")).get("id"))
    channel = _first_id(_fields(fields.get("channel")).get("id"))
    ts = next((ts for ts in (fields.get("message_ts"), message.get("ts")) if is_ts(ts)), None)
    thread_ts = message.get("thread_ts") if is_ts(message.get("thread_ts")) else None
    thread, trigger = _thread(me, channel, ts, thread_ts), _text(fields.get("trigger_id"))
    if fields.get("type") != "message_action" or thread is None or person is None or not trigger:
        return None
    callback_id = _text(fields.get("callback_id"))
    return Shortcut(
        callback_id=callback_id,
        command=Command.RESET if callback_id == RESET_SHORTCUT else None,
        thread=thread,
        message_id=MessageId(str(ts)),
        person=person,
        channel_id=thread.channel_id,
        response_url=_text(fields.get("response_url")) or None,
        trigger_id=MessageId(trigger),
    )


def read_home_opened(body: Fields, me: Workspace) -> HomeOpened | None:
    """An ``app_home_opened`` event; None when the payload is another's or malformed."""
    event = _fields(_fields(body).get("event"))
    person = _person(event.get("user"))
    if event.get("type") != "app_home_opened" or person is None or person.id == me.bot_user_id:
        return None
    return HomeOpened(person, _text(event.get("tab")) or "home")


def _linked(text: str, me: Workspace) -> Thread | None:
    """The thread that a link to a message here leads to."""
    link = read_link(text)
    if link is None or not (link.host.endswith(".slack.com") or link.host == _host(me.url)):
        return None
    return link.thread(me.installation_id)


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _thread(me: Workspace, channel: str | None, ts: object, thread_ts: object) -> Thread | None:
    if channel is None or not isinstance(ts, str):
        return None
    return thread_of(me.installation_id, channel, ts, thread_ts if isinstance(thread_ts, str) else None)


def _person(user_id: object) -> Person | None:
    return Person(PersonId(str(user_id))) if is_id(user_id) else None


def _first_id(*values: object) -> str | None:
    return next((str(value) for value in values if is_id(value)), None)


def _fields(value: object) -> Fields:
    return value if isinstance(value, Mapping) else _NOTHING


def _text(value: object) -> str:
    return value.encode("utf-8", "replace").decode("utf-8").strip() if isinstance(value, str) else ""
