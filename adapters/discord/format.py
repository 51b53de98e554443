"""An answer -> what Discord is sent: Markdown in its dialect, made harmless and cut into messages. Pure."""

from dataclasses import replace

from adapters.discord.blocks import rendered
from bot.answers import Answer
from bot.chunks import settled, split
from bot.parts import OVERFLOW_NAME, Plan, cleaned, markdown_of, planned

__all__ = [
    "FOOTER_LIMIT",
    "MESSAGE_LIMIT",
    "MOST_PARTS",
    "OVERFLOW_NAME",
    "PART_LIMIT",
    "Plan",
    "growing_markdown_of",
    "markdown_of",
    "notice",
    "plan",
    "render",
    "subtext",
    "with_footer",
]

MESSAGE_LIMIT = 2_000  # code points of a message's text
PART_LIMIT = 1_850  # code points of a part; the rest is for the last line and a footer
MOST_PARTS = 6  # messages of one answer; what is longer is a file as well
FOOTER_LIMIT = 80  # code points of a line under a part

_LAST_LINE = "\n-# This answer goes on. All of it is in `{}`."


def growing_markdown_of(answer: Answer) -> str:
    """The Markdown of an answer that still grows: half-open Markdown is held back."""
    return replace(answer, text=settled(cleaned(answer.text))).markdown


def render(markdown: str, *, whole: bool = True) -> str:
    """The text in Discord's dialect, in which nothing pings anybody, shows a preview or resolves to a name.

    When *markdown* grows as `growing_markdown_of` lets it, what is rendered of it with *whole* false grows at its
    end only, and so it does at last with *whole* true.
    """
    return rendered(cleaned(markdown), whole=whole)


def plan(markdown: str, *, whole: bool = True, file: str | None = None) -> Plan:
    """Cut an answer into messages.

    Of more than `MOST_PARTS` the opening ones stay, the last of them says where the rest is, and all of it goes
    into a file.

    Args:
        whole: the answer is finished. While it grows there is no file and no last line yet; all parts but the
            last stay what they are.
        file: the name of the file, which there is in any case then.
    """
    parts = tuple(split(render(markdown, whole=whole), limit=PART_LIMIT))
    last_line = _LAST_LINE.format(file or OVERFLOW_NAME)
    return planned(
        parts, most=MOST_PARTS, last_line=last_line, markdown=markdown, whole=whole, has_file=file is not None
    )


def notice(markdown: str) -> str:
    """A sentence or two of the bot's own, as one message."""
    return next(split(render(markdown), limit=PART_LIMIT), "")


def subtext(markdown: str) -> str:
    """The same as small grey lines, for what is said about an answer and is none of it."""
    lines = (" ".join(line.split()) for line in render(markdown).split("\n"))
    return "\n".join(f"-# {line}" for line in lines if line)


def with_footer(part: str, footer: str) -> str:
    """A part with a small line under it.

    Args:
        footer: Markdown of one line; what is longer than `FOOTER_LIMIT` once it is rendered is cut.
    """
    line = subtext(" ".join(footer.split())).split("\n")[0]
    if len(line) > FOOTER_LIMIT - 1:
        line = line[: FOOTER_LIMIT - 2].rstrip("\\`*_~<[(") + "…"
    return f"{part}\n{line}" if part and line else part or line
