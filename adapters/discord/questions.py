"""A question asked by a command, as the bot shows it for everybody to read: the conversation hangs from it. Pure.

What was shown is all that is left of it later. So a question is read back from its message, for a retry and as a part
of the past, with the same words and files with which it was asked first.
"""

import re
from dataclasses import dataclass
from typing import Final

from adapters.discord.attachments import Missing, missing
from adapters.discord.contents import contents_of
from adapters.discord.payloads import Fields, fields, line, text
from adapters.discord.people import Called, Me, name_of, unknown
from adapters.discord.reading import quoted
from bot.attachments import label_name
from bot.messages import Attachment, MessageId

_LONGEST_NAME = 80  # characters; Discord's own limit for names is 32
_LONGEST = 2000  # characters of a message
_HEAD = re.compile(
    r"-# \*\*(?P<name>[^\n]{1,200}?)\*\* asks"
    r"(?: about <?https://\S{1,60}/channels/\S{1,50}/(?P<about>[0-9]{1,20})>?)?(?:\n|\Z)"
)
_SPECIAL = re.compile(r"[\\*_`~|<>\[\]:]")
_REASONS: Final = {Missing.TOO_LARGE: "it is too large for me", Missing.UNREADABLE: "I could not fetch it"}
_WITHOUT = re.compile(rf"(?:\A|\n)-# Without `(?P<file>[^`\n]{{1,150}})`: (?P<why>{'|'.join(_REASONS.values())})\.\Z")
_NO_WORDS = "(no words)"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked by a command, as far as its message shows it."""

    name: str  # of who asked
    text: str
    about: MessageId | None = None  # a message of the same channel
    without: Attachment | None = None  # the file that came with the command, and could not be shown


@dataclass(frozen=True, slots=True)
class Question:
    """What the model is asked."""

    text: str
    attachments: tuple[Attachment, ...]


def shown_question(asked: Asked, *, channel: str = "", guild_id: str | None = None) -> str:
    """The text of the message that shows a question; `read_question` reads it back.

    Args:
        channel: where the message stands that it is about; *guild_id*: None in a direct message.
    """
    about = f" about https://discord.com/channels/{guild_id or '@me'}/{channel}/{asked.about}" if asked.about else ""
    head = f"-# **{_SPECIAL.sub(_escaped, asked.name) or 'Somebody'}** asks{about}"
    tail = "" if asked.without is None else f"\n-# Without `{asked.without.name}`: {_REASONS[_why(asked.without)]}."
    words = asked.text[: _LONGEST - len(head) - len(tail) - 1]
    return f"{head}\n{words}".rstrip() + tail


def read_question(body: Fields, me: Me) -> Asked | None:
    """The question that a message of ours shows; None when it shows something else."""
    if fields(body.get("author")).get("id") != me.user_id:
        return None
    shown = text(body.get("content"))
    head = _HEAD.match(shown)
    if head is None:
        return None
    without, words = None, shown[head.end() :]
    if (tail := _WITHOUT.search(words)) is not None:
        why = next(reason for reason, said in _REASONS.items() if said == tail["why"])
        without, words = missing(tail["file"], why), words[: tail.start()]
    name = re.sub(r"\\(.)", r"\1", head["name"])
    return Asked(name, words.strip(), MessageId(head["about"]) if head["about"] else None, without)


def asker_name(name: str | None) -> str:
    """What somebody is called over a question."""
    return " ".join((name or "").split())[:_LONGEST_NAME] or "Somebody"


def without_file(name: str, why: Missing) -> Attachment:
    """A file that cannot be shown with a question, under a name that can."""
    return missing(label_name(line(name)), why)


def question_of(
    body: Fields, asked: Asked, me: Me, *, about: Fields | None = None, called: Called = unknown
) -> Question:
    """What the model is asked by a question.

    Args:
        body: the message that shows it.
        about: the message it is about, as it is now; what is shown of it stands in for one that is gone.
    """
    contents = contents_of({**body, "content": asked.text}, me=me, called=called, quoting=False)
    lost = () if asked.without is None else (asked.without,)
    if about is None:
        return Question(contents.text, (*contents.attachments, *lost))
    files = contents_of(about, quoting=False).attachments
    return Question(words_about(about, me, called=called), (*contents.attachments, *lost, *files))


def words_about(message: Fields, me: Me, *, called: Called = unknown) -> str:
    """A message as the question that it is the subject of."""
    author = fields(message.get("author"))
    whose = "yours" if author.get("id") == me.user_id else name_of(author, {}, called) or "somebody"
    words = contents_of(message, called=called, quoting=False).text
    return f"About this message of {whose}:\n{quoted(words or _NO_WORDS)}"


def _escaped(special: re.Match[str]) -> str:
    return f"\\{special[0]}"


def _why(file: Attachment) -> Missing:
    return Missing.of(file.id) or Missing.UNREADABLE
