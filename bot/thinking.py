"""What the model is doing before its words come, in one line of plain letters. Pure."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from bot.answers import ASKING, READING, SUMMING_UP, Answer
from bot.calls import CALLING
from bot.parts import cleaned

LONGEST = 80  # characters of a headline
_MOST_LINES, _LONGEST_LINE = 5, 120  # of a passage, and characters

_LOOKED_AT = 4_000  # of the newest thoughts
_LOOKED_AT_OF_A_LINE = 1_000  # so that one of thousands of would-be addresses holds nobody up
_TOOLS: Mapping[str, str] = MappingProxyType(
    {
        "google_search": "Searching the web",
        "url_context": "Reading a web page",
        "code_execution": "Running code",
        "google_maps": "Looking at the map",
        "file_search": "Looking through files",
        "retrieval": "Looking through documents",
        "tool_search": "Looking for a tool",
        "processing": "Looking at what was sent",
        SUMMING_UP: "Summing up what was said before",
        f"{CALLING}read_link": "Reading what is linked to",
    }
)
# Gemini begins each passage of its summaries with a line in bold.
_HEADLINE = re.compile(r"^[ \t]*(?:\*\*(?P<bold>[^\n]+?)\*\*[ \t]*$|#{1,6}[ \t]+(?P<heading>[^\n]+)$)", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_ADDRESS = re.compile(r"<?\b(?:[a-z][a-z0-9+.-]*://|www\.|mailto:)[^\s>]*>?", re.IGNORECASE)
_MARKS = str.maketrans({**dict.fromkeys("*_`~#|\\"), "<": "‹", ">": "›", "[": "(", "]": ")"})


def doing(answer: Answer) -> str | None:
    """The tool in use, the file being read, or the newest headline of the thinking; None when nothing was told.

    No markup is left in it, no address, and nothing that could name anybody.
    """
    if answer.tool is not None and answer.tool.startswith((ASKING, READING)):
        return _shortened(_plain(f"{answer.tool[0].upper()}{answer.tool[1:]}"))
    if answer.tool is not None and answer.tool.startswith(CALLING) and answer.tool not in _TOOLS:
        # Of ours by name, and named by the model: nothing but a few letters of it is shown.
        return _shortened(_plain(f"Calling {answer.tool.removeprefix(CALLING).replace('_', ' ')}"))
    if answer.tool is not None:
        return _TOOLS.get(answer.tool, "Using a tool")
    newest = cleaned(answer.thoughts[-_LOOKED_AT:])
    headlines = [found["bold"] or found["heading"] for found in _HEADLINE.finditer(newest)]
    lines = [line for line in newest.splitlines() if line.strip()]
    words = next(filter(None, map(_plain, [*headlines[-1:], *lines[-1:]])), "")
    return _shortened(words) or None


def passage(thought: str) -> tuple[str, ...]:
    """The lines of a passage of thinking, as plain as those of `doing`; of a long one, its beginning."""
    lines = [line for line in map(_plain, cleaned(thought[:_LOOKED_AT]).splitlines()) if line]
    shown = [_shortened(line, _LONGEST_LINE) for line in lines[:_MOST_LINES]]
    return (*shown, "…") if len(lines) > _MOST_LINES else tuple(shown)


def _shortened(words: str, longest: int = LONGEST) -> str:
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"


def _plain(line: str) -> str:
    words = _ADDRESS.sub("…", _LINK.sub(r"\1", line[:_LOOKED_AT_OF_A_LINE])).translate(_MARKS)
    return " ".join(words.replace("@", "＠").split())
