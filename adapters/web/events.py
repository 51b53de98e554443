"""What the browser sends -> threads, messages and commands. Pure; nothing in it is believed."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from bot.commands import Command
from bot.messages import Attachment, Message, MessageId, Person, PersonId, Platform, Thread
from bot.ports import Pointed

WEB = Platform("web")
PERSON = Person(PersonId("local"))

LONGEST_TEXT = 100_000  # characters of one message
LONGEST_NAME = 120  # characters of a file's name

_THREAD_ID = re.compile(r"[a-z0-9]{8,40}")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_MIME_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,100}")
# Controls, and the marks that turn the direction of writing, by which "txt.exe" can be made to look like "exe.txt".
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


class Unacceptable(ValueError):
    """The browser sent what the page never sends; the text is a sentence for a person."""


def read_thread(thread_id: str) -> Thread:
    """The thread of an id the browser made up.

    Raises:
        Unacceptable: it is not 8 to 40 small letters and digits.
    """
    if not _THREAD_ID.fullmatch(thread_id):
        raise Unacceptable("There is no such thread.")
    return Thread(WEB, "local", "page", thread_id)


def pointed_by(text: str) -> Pointed | None:
    """What the address of a thread of the page leads to: ``http://127.0.0.1:8080/#THREAD``. None for anything else."""
    try:
        address = urlsplit(text.strip())
        thread = read_thread(address.fragment)
    except ValueError:
        return None
    is_page = address.scheme in {"http", "https"} and address.path in {"", "/"}
    return Pointed(WEB, thread.thread_id, thread.channel_id) if is_page else None


def read_message(payload: object, *, thread: Thread, attachments: Sequence[Attachment] = (), sent_at: float) -> Message:
    """The message of ``{"id": ..., "text": ...}``.

    Raises:
        Unacceptable: the id is malformed, or the text missing or too long, or there is neither text nor a file.
    """
    fields = _fields(payload)
    text = fields.get("text", "")
    if not isinstance(text, str):
        raise Unacceptable("The text of a message is text.")
    if len(text) > LONGEST_TEXT:
        raise Unacceptable(f"A message may have {LONGEST_TEXT:,} characters, and this one has {len(text):,}.")
    if not text.strip() and not attachments:
        raise Unacceptable("There is nothing in this message.")
    return Message(thread, _message_id(fields), PERSON, storable(text), sent_at, tuple(attachments))


def read_command(payload: object) -> tuple[Command, MessageId, str]:
    """The command of ``{"id": ..., "command": "stop"}``, the id that makes it happen once, and what it decides of, the
    name ``asked``.

    Raises:
        Unacceptable: the id is malformed, or there is no such command.
    """
    fields = _fields(payload)
    name = fields.get("command")
    if not isinstance(name, str) or name not in set(Command):
        raise Unacceptable("There is no such command.")
    asked = fields.get("asked", "")
    return Command(name), _message_id(fields), storable(asked) if isinstance(asked, str) else ""


def read_file_name(claimed: str | None) -> str:
    """The name of an uploaded file, made harmless to show: one line, no folders, not too long."""
    name = _UNSEEN.sub("", storable(claimed or ""))
    name = " ".join(re.split(r"[/\\]", name)[-1].split()).strip(". ")
    if len(name) > LONGEST_NAME:
        stem, dot, suffix = name.rpartition(".")
        name = f"{stem[: LONGEST_NAME - 12]}…{dot}{suffix}" if dot and len(suffix) <= 10 else f"{name[:LONGEST_NAME]}…"
    return name or "file"


def read_mime_type(claimed: str | None) -> str | None:
    """The type the browser claims for a file, without parameters; None when it claims none worth repeating."""
    plain = (claimed or "").partition(";")[0].strip().lower()
    return plain if _MIME_TYPE.fullmatch(plain) and plain != "application/octet-stream" else None


def storable(text: str) -> str:
    """The text without what no database takes: lone halves of surrogate pairs, and NUL."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _fields(payload: object) -> Mapping[str, object]:
    if not isinstance(payload, dict):
        raise Unacceptable("This is not a message.")
    return payload


def _message_id(fields: Mapping[str, object]) -> MessageId:
    message_id = fields.get("id")
    if not isinstance(message_id, str) or not _MESSAGE_ID.fullmatch(message_id):
        raise Unacceptable("A message needs an id of 8 to 64 letters, digits and hyphens.")
    return MessageId(message_id)
