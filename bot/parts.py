"""An answer as the messages of a thread: its whole Markdown, the parts a platform takes, a file for what is longer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.answers import Answer
from bot.chunks import closed
from bot.sources import sources_of

OVERFLOW_NAME = "answer.md"  # of the file with all of it, unless the answer names one

_UNDELIVERED = "_A file of this answer stayed at Gemini and cannot be shown here._"
# Controls, and the marks that turn the direction of writing over.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e\ufeff]")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the messages of an answer show, each to be sent as it stands, and the file beside them."""

    parts: tuple[str, ...]
    overflow: bytes | None = None  # the whole answer, when it does not fit into the parts


def planned(
    parts: Sequence[str], *, most: int, last_line: str, markdown: str, whole: bool, has_file: bool = False
) -> Plan:
    """The messages of an answer: of too many parts the opening ones, and a file with all of it.

    Args:
        parts: the answer as the platform would show it.
        most: messages that one answer may take.
        last_line: tells under the last part where the rest is, with what divides it from the part.
        markdown: the answer as it goes into the file.
        whole: the answer is finished. While it grows there is no file and no last line yet.
        has_file: there is one for few parts, too.
    """
    if len(parts) <= most:
        return Plan(tuple(parts), cleaned(markdown).encode() if has_file else None)
    opening = tuple(parts[:most])
    if not whole:
        return Plan(opening)
    return Plan((*opening[:-1], f"{opening[-1]}{last_line}"), cleaned(markdown).encode())


def markdown_of(answer: Answer) -> str:
    """The Markdown of a whole answer: its text, the bot's remarks and where things come from."""
    undelivered = _UNDELIVERED if any(media.data is None for media in answer.media) else ""
    listed = sources_of(answer.citations, answer.suggestions)
    beneath = [block for block in (undelivered, *listed) if block]
    text = closed(answer.markdown) if beneath else answer.markdown
    return "\n\n".join(block for block in (text, *beneath) if block)


def cleaned(markdown: str) -> str:
    """The text without what nobody sees and by which one thing can be made to look like another."""
    text = markdown.encode("utf-8", "replace").decode("utf-8")
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
