"""What Slack tells of messages -> values. Pure; it takes anything at all and never raises.

A post in a channel that mentions the bot comes twice, as ``message`` and as ``app_mention``, in either order. Both
give the same message with the same id, so whoever stores it needs to know nothing of that.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from adapters.slack.places import is_direct, is_id, is_ts, place_of, thread_of
from adapters.slack.reading import mentions, readable
from adapters.slack.workspace import Workspace
from bot.commands import Command, command_of
from bot.messages import (
    Address,
    Attachment,
    AttachmentId,
    Message,
    MessageId,
    Person,
    PersonId,
    Standing,
    Thread,
)

__all__ = ["Commanded", "Deleted", "Edited", "Event", "Posted", "place_of", "read_event", "read_post"]

Fields = Mapping[str, object]
_NOTHING: Fields = {}

# What people post. Every other subtype is Slack's own voice or a bot's: joins, topics, tombstones, bot_message ...
_SAID_BY_PEOPLE = frozenset({None, "file_share", "thread_broadcast", "me_message"})
_SLACK_ITSELF = "USLACKBOT"
_NAMELESS = {
    "tombstone": "a deleted file",
    "access_denied": "a file that is not shared with me",
    "file_not_found": "a deleted file",
    "check_file_info": "a file from another workspace",
}
# Slack labels recordings of the voice as films.
_VOICE = {"video/mp4": "audio/mp4", "video/webm": "audio/webm", "video/quicktime": "audio/mp4"}


@dataclass(frozen=True, slots=True)
class Posted:
    """Somebody said something."""

    message: Message


@dataclass(frozen=True, slots=True)
class Edited:
    """Somebody changed the text of a message: here it is as it stands now, whole."""

    message: Message
    is_call: bool = False  # it names the bot, and did not before


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
class _Context:
    """What the payload around an event tells."""

    me: Workspace
    installation_id: str
    ours: frozenset[str]  # every team and organisation id that is the installation's own
    is_in_organisation: bool  # of several workspaces, whose ids the payload does not tell


def read_event(body: Fields, me: Workspace) -> Event | None:
    """What a payload of the Events API tells the bot; None when it is nothing for it.

    Nothing for it are its own posts, those of other bots, what Slack says itself, and changes that are not
    a person's: previews of links, the bot's own edits, the count of replies.

    Args:
        body: the outer payload, ``event_callback`` and its ``event``.
        me: who the bot is.
    """
    event = _fields(body.get("event")) if isinstance(body, Mapping) else _NOTHING
    channel = event.get("channel")
    if not isinstance(channel, str) or not is_id(channel):
        return None
    context = _context(body, me)
    match event.get("type"), event.get("subtype"):
        case "message", "message_changed":
            return _read_change(event, channel, context)
        case "message", "message_deleted":
            return _read_deletion(_fields(event.get("previous_message")), event.get("deleted_ts"), event, context)
        case (("message" | "app_mention"), _):
            return _said(_as_named(event, _read_post(event, channel, event.get("channel_type"), context)))
        case _:
            return None


def read_post(post: Fields, channel: str, me: Workspace, *, channel_type: str | None = None) -> Message | None:
    """A message object of the Web API, as `read_event` reads those of events; None when no person said it.

    The bot's own posts are nobody's: look for ``bot_id`` before asking.
    """
    if not is_id(channel):
        return None
    ours = frozenset({me.installation_id, me.team_id})
    context = _Context(me, me.installation_id, ours, me.installation_id != me.team_id)
    return _read_post(_fields(post), channel, channel_type, context)


def _context(body: Fields, me: Workspace) -> _Context:
    listed = body.get("authorizations")
    authorization = _fields(listed[0]) if isinstance(listed, list) and listed else _NOTHING
    team = authorization.get("team_id")
    enterprise = authorization.get("enterprise_id")
    is_enterprise = authorization.get("is_enterprise_install") is True
    # In a shared channel the outer team may be the other side's, so it is only the last resort.
    candidates = [enterprise if is_enterprise else team, me.installation_id if authorization else body.get("team_id")]
    installation = next((str(name) for name in candidates if is_id(name)), me.installation_id)
    ours = {str(name) for name in (team, enterprise, installation, me.installation_id, me.team_id) if is_id(name)}
    return _Context(me, installation, frozenset(ours), is_id(enterprise))


# --- what happened ----------------------------------------------------------------------------


def _as_named(event: Fields, message: Message | None) -> Message | None:
    """An `app_mention` names the bot, however its text spells that."""
    if message is None or event.get("type") != "app_mention" or message.address is Address.DIRECT:
        return message
    return replace(message, address=Address.MENTION)


def _said(message: Message | None) -> Posted | Commanded | None:
    if message is None or _is_empty(message):
        return None
    return _as_command(message) or Posted(message)


def _is_empty(message: Message) -> bool:
    # Whoever addressed the bot with nothing is told so. The others sent what has no words: a poll, a list.
    return not message.text and not message.attachments and message.address in {Address.OPEN, Address.OTHERS}


def _as_command(message: Message) -> Commanded | None:
    is_to_us = message.address in {Address.DIRECT, Address.MENTION}
    command = command_of(message.text or "") if is_to_us and not message.attachments else None
    return Commanded(message.thread, command, message.id, message.author, message.sent_at) if command else None


def _read_change(event: Fields, channel: str, context: _Context) -> Event | None:
    now, before = _fields(event.get("message")), _fields(event.get("previous_message"))
    if now.get("subtype") == "tombstone":  # a deleted parent that still has replies
        return _read_deletion(before, now.get("ts"), event, context)
    if not _has_new_words(now, before):
        return None
    message = _read_post(now, channel, event.get("channel_type"), context)
    if message is None or _is_empty(message):
        return None
    words = before.get("text")
    was_mention = isinstance(words, str) and context.me.bot_user_id in mentions(words)
    return _as_command(message) or Edited(message, message.address is Address.MENTION and not was_mention)


def _has_new_words(now: Fields, before: Fields) -> bool:
    """Whether a person changed the text. A preview, a new reply, a reaction change the message and not its text."""
    if isinstance(before.get("text"), str):
        return now.get("text") != before["text"]
    edited = _fields(now.get("edited"))
    return bool(edited) and edited != _fields(before.get("edited"))


def _read_deletion(gone: Fields, ts: object, event: Fields, context: _Context) -> Deleted | None:
    channel = event.get("channel")
    if not isinstance(ts, str) or not is_ts(ts) or not isinstance(channel, str) or _is_by_a_bot(gone, context.me):
        return None
    thread_ts = gone.get("thread_ts")
    thread = thread_of(
        context.installation_id,
        channel,
        ts,
        thread_ts if isinstance(thread_ts, str) and is_ts(thread_ts) else None,
        channel_type=event.get("channel_type"),
    )
    return Deleted(thread, MessageId(ts))


# --- a post -----------------------------------------------------------------------------------


def _read_post(post: Fields, channel: str, channel_type: object, context: _Context) -> Message | None:
    ts, thread_ts, me = post.get("ts"), post.get("thread_ts"), context.me
    if not isinstance(ts, str) or not is_ts(ts) or not is_id(post.get("user")):
        return None
    if _is_by_a_bot(post, me) or not _is_said_by_people(post.get("subtype")):
        return None
    thread = thread_of(
        context.installation_id,
        channel,
        ts,
        thread_ts if isinstance(thread_ts, str) and is_ts(thread_ts) else None,
        channel_type=channel_type,
    )
    text = _text(post.get("text"))
    # A mention that was edited in was said when it was edited in: what was said before that was not said to us.
    edited_ts = _fields(post.get("edited")).get("ts")
    shown = "\n\n".join(filter(None, [readable(text, me=me.bot_user_id), *_forwarded(post, me)]))
    return Message(
        thread=thread,
        id=MessageId(ts),
        author=_author(post, context),
        text=shown,
        sent_at=float(edited_ts if isinstance(edited_ts, str) and is_ts(edited_ts) else ts),
        attachments=_attachments(post.get("files")),
        address=Address.DIRECT if is_direct(channel, channel_type) else _address(text, me),
        is_root=ts == thread.thread_id,
    )


def _is_said_by_people(subtype: object) -> bool:
    return (subtype is None or isinstance(subtype, str)) and subtype in _SAID_BY_PEOPLE


def _is_by_a_bot(post: Fields, me: Workspace) -> bool:
    """Whether the bot itself, another bot or Slack wrote it. Other bots often have no subtype, and always a bot_id."""
    is_bots = any(post.get(name) for name in ("bot_id", "bot_profile")) or post.get("subtype") == "bot_message"
    return is_bots or post.get("user") in (me.bot_user_id, _SLACK_ITSELF)


def _address(text: str, me: Workspace) -> Address:
    named = set(mentions(text))
    if me.bot_user_id in named:
        return Address.MENTION
    return Address.OTHERS if named else Address.OPEN


def _author(post: Fields, context: _Context) -> Person:
    profile = _fields(post.get("user_profile"))
    names = (_text(profile.get(name)).strip() for name in ("display_name", "real_name", "name"))
    return Person(PersonId(str(post["user"])), next(filter(None, names), None), _standing(post, profile, context))


def _standing(post: Fields, profile: Fields, context: _Context) -> Standing | None:
    """What the payload alone says for sure; None when it has to be looked up."""
    teams = [post.get("user_team"), post.get("source_team")]
    for team in filter(is_id, teams):
        # A workspace of our own organisation cannot be told from a stranger's by its id.
        if team not in context.ours and not (context.is_in_organisation and str(team).startswith("T")):
            return Standing.OUTSIDER
    is_guest = profile.get("is_restricted") is True or profile.get("is_ultra_restricted") is True
    return Standing.GUEST if is_guest else None


def _forwarded(post: Fields, me: Workspace) -> Iterator[str]:
    """What was said elsewhere and is passed on with this post. Previews of links look alike and are not meant."""
    for passed_on in _list(post.get("attachments")):
        fields = _fields(passed_on)
        words = _text(fields.get("text"))
        if fields.get("is_share") is True and words.strip():
            author = _text(fields.get("author_name")).strip() or "somebody"
            quoted = "\n".join(f"> {line}" for line in readable(words, me=me.bot_user_id).splitlines())
            yield f"Forwarded from {author}:\n{quoted}"


def _attachments(files: object) -> tuple[Attachment, ...]:
    read = [_attachment(_fields(file)) for file in _list(files) if is_id(_fields(file).get("id"))]
    return tuple({attachment.id: attachment for attachment in read}.values())


def _attachment(file: Fields) -> Attachment:
    size = file.get("size")
    names = (" ".join(_text(file.get(name)).split()) for name in ("name", "title"))
    fallback = _NAMELESS.get(_text(file.get("file_access"))) or _NAMELESS.get(_text(file.get("mode"))) or "a file"
    return Attachment(
        id=AttachmentId(str(file["id"])),
        name=next(filter(None, names), fallback),
        mime_type=_mime_type(file),
        size=size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 1 << 53 else None,
    )


def _mime_type(file: Fields) -> str | None:
    claimed = _text(file.get("mimetype")).strip().lower() or None
    match file.get("subtype"):
        case "slack_audio":
            return _VOICE.get(claimed or "video/mp4", claimed)
        case "slack_video":
            return claimed or "video/mp4"
        case _:
            return claimed


# --- anything at all --------------------------------------------------------------------------


def _fields(value: object) -> Fields:
    return value if isinstance(value, Mapping) else _NOTHING


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    """A text; what is none counts as empty. Halves of characters, which no database takes, are replaced."""
    return value.encode("utf-8", "replace").decode("utf-8").replace("\x00", "") if isinstance(value, str) else ""
