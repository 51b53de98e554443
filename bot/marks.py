"""Lines in the Markdown of an answer that is kept here which are no words of it: where a file stands, what is folded.

Whoever shows the answer puts something in their place; whoever tells it again leaves them out. Pure.
"""

import re

from bot.messages import Attachment, MessageId

PLACE = re.compile(r"^!\[\]\(attachment:([0-9a-f]{32})\)$", re.MULTILINE)
"""The line in the place of a file, with the file's id."""

FOLD = re.compile(r"^!\[\]\(ran:([\w-]{1,80})\)\n(.*?)\n!\[\]\(end:\1\)$", re.MULTILINE | re.DOTALL)
"""Code that was run, with the id of the answer's message."""

_PLACE_AND_GAP = re.compile(rf"{PLACE.pattern}\n*|^!\[\]\((?:ran|end):[\w-]{{1,80}}\)$\n?", re.MULTILINE)


def place_of(file: Attachment) -> str:
    """The line of an answer's Markdown in the place where a file stands between the words."""
    return f"![](attachment:{file.id})"


def folded(markdown: str, message: MessageId) -> str:
    """Markdown of code that was run, as an answer shows it: folded, until somebody opens it."""
    return f"![](ran:{message})\n{markdown}\n![](end:{message})"


def without_places(markdown: str) -> str:
    """The Markdown less the lines that files stand in the place of, and those between which it is folded."""
    return _PLACE_AND_GAP.sub("", markdown)
