"""An answer -> what Slack is sent: Markdown, made harmless and cut into messages. Pure.

Slack takes the model's Markdown as ``markdown_text`` or in a ``markdown`` block and converts it itself.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from adapters.slack.harmless import decided, harmless
from adapters.slack.mrkdwn import mrkdwn
from bot.answers import Answer
from bot.chunks import settled, split
from bot.chunks.blocks import Place, is_heading
from bot.made import Passage, marked, passages_of
from bot.parts import OVERFLOW_NAME, Plan, cleaned, markdown_of, planned

__all__ = [
    "MOST_PARTS",
    "OVERFLOW_NAME",
    "PART_LIMIT",
    "Plan",
    "growing_markdown_of",
    "in_one_piece",
    "markdown_of",
    "mrkdwn",
    "plan",
    "render",
]

PART_LIMIT = 11_000  # characters as sent; Slack takes 12,000, and the rest is for buttons and the last line
MOST_PARTS = 4  # messages of one answer; what is longer is a file as well

_MOST_BLOCKS = 45  # of the 50 a message may have: Slack makes several of one Markdown text
_LAST_LINE = "\n\n_This answer goes on. All of it is in `{}`, here in the thread._"
_RULE = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")


def growing_markdown_of(answer: Answer) -> str:
    """The Markdown of an answer that still grows: half-open Markdown is held back."""
    text = decided(settled(cleaned(in_one_piece(passages_of(answer)))))
    return replace(answer, text=text).markdown


def in_one_piece(passages: Sequence[Passage]) -> str:
    """An answer's text, in which a mark stands for each file that words come after: files are messages of their own."""
    return marked(passages, lambda file: f"_↓ {file.name}_")


def render(markdown: str) -> str:
    """One text for ``markdown_text``: nothing in it pings anybody, shows a picture from elsewhere or runs anything.

    When *markdown* grows as `growing_markdown_of` lets it, what is rendered grows at its end only.
    """
    return harmless(markdown)


def plan(markdown: str, *, whole: bool = True, file: str | None = None) -> Plan:
    """Cut an answer into messages.

    Of more than `MOST_PARTS` the opening ones stay, the last of them says where the rest is, and all of it goes
    into a file.

    Args:
        whole: the answer is finished. While it grows there is no file and no last line yet; all parts but the
            last stay what they are.
        file: the name of the file, which there is in any case then.
    """
    parts = tuple(_parts(render(markdown)))
    last_line = _LAST_LINE.format(file or OVERFLOW_NAME)
    return planned(
        parts, most=MOST_PARTS, last_line=last_line, markdown=markdown, whole=whole, has_file=file is not None
    )


def _parts(rendered: str) -> Iterator[str]:
    for piece in split(rendered, limit=PART_LIMIT):
        yield from filter(str.strip, _of_few_blocks(piece))


def _of_few_blocks(piece: str) -> Iterator[str]:
    """Cut a piece where Slack would make too many blocks of it: a heading, a rule and a table are blocks of their own.

    Such a cut never falls into code, and is decided by what stands before it.
    """
    place, kind, count, start, at = Place(), "", 0, 0, 0
    for line in piece.splitlines(keepends=True):
        before, place = place, place.after(line.rstrip("\n"), longest=PART_LIMIT // 4)
        was, kind = kind, _kind(line, before, place) or kind
        if kind != was or kind == "alone":
            count += bool(line.strip())
        if count > _MOST_BLOCKS:
            yield piece[start:at].strip("\n")
            start, count = at, 1
        at += len(line)
    yield piece[start:].strip("\n") if start else piece


def _kind(line: str, before: Place, after: Place) -> str:
    """What Slack makes of a line; nothing of its own for an empty one."""
    if before.fence or after.fence:
        return "text"
    if is_heading(line) or _RULE.match(line.rstrip("\n")):
        return "alone"
    if line.lstrip().startswith("|"):
        return "table"
    return "text" if line.strip() else ""
