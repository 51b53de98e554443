"""Tools as the offline model uses them: only those that it is offered, and nothing leaves the machine for it."""

import re
from collections.abc import Set
from dataclasses import dataclass, field
from html import escape
from urllib.parse import quote

from bot.offline.faults import Indexes
from bot.offline.wire import JsonObject

_SEARCH = re.compile(r"\bsearch for (?P<words>[^\n]{1,200})", re.IGNORECASE)
_RUN = re.compile(r"\brun (?:some |this )?code\b", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s<>()\[\]\"'`]{1,500}")
_MOST_LINKS = 5
_CODE = "total = sum(range(1, 11))\nprint(total)"


@dataclass(frozen=True, slots=True)
class Use:
    """What the model did before it answered, and what its answer rests on."""

    steps: tuple[JsonObject, ...] = ()
    text: str | None = None  # of the answer, when it is another than that of a model without tools
    citations: list[JsonObject] = field(default_factory=list)
    searches: int = 0

    @property
    def counted(self) -> JsonObject:
        """What of its bill is no tokens."""
        count = {"type": "google_search", "count": self.searches}
        return {"grounding_tool_count": [count]} if self.searches else {}


UNUSED = Use()


def use_of(question: str, offered: Set[str]) -> Use:
    """How a question is answered with the tools that are offered; as without any when none is of use."""
    if "google_search" in offered and (found := _SEARCH.search(question)):
        return _searched(found["words"].strip())
    if "code_execution" in offered and _RUN.search(question):
        return _ran()
    if "url_context" in offered and (links := list(dict.fromkeys(_LINK.findall(question)))[:_MOST_LINKS]):
        return _opened(links)
    return UNUSED


def citation(text: str, words: str, url: str, title: str, *, indexes: Indexes = "bytes") -> JsonObject:
    """A citation of a text's words, which are all of it when they are not in it."""
    start = max(0, text.find(words))
    before, about = text[:start], text[start : start + len(words)]
    match indexes:
        case "characters":
            begins, ends = len(before), len(before) + len(about)
        case "beyond":
            begins, ends = len(text.encode()) + 7, len(text.encode()) + 9
        case "inside":  # of the first character that takes more than a byte
            wide = next((at for at, letter in enumerate(text) if len(letter.encode()) > 1), 0)
            begins, ends = len(text[:wide].encode()) + 1, len(text.encode()) - 1
        case "bytes":
            begins, ends = len(before.encode()), len(before.encode()) + len(about.encode())
    return {"type": "url_citation", "url": url, "title": title, "start_index": begins, "end_index": ends}


def _searched(words: str) -> Use:
    first, second = f"Of “{words}” there is much to be told 🧶.", "Nobody here can look it up."
    text = f"*I am Clew's offline model, not Gemini, and I pretend to search.*\n\n{first} {second}"
    result = f"https://www.google.com/search?q={quote(words)}"
    suggestions = (
        "<style>.chip { color: #1f1f1f; }</style>"
        f'<div class="carousel"><a class="chip" href="{escape(result)}">{escape(words)}</a></div>'
    )
    return Use(
        (
            {"type": "google_search_call", "id": "search-1", "arguments": {"queries": [words]}},
            {"type": "google_search_result", "call_id": "search-1", "result": [{"search_suggestions": suggestions}]},
        ),
        text,
        [
            citation(text, second, "https://example.com/nobody", "Nobody – an example"),
            citation(text, first, f"https://example.org/{words.replace(' ', '-')}", f"{words} – an example"),
        ],
        searches=1,
    )


def _opened(links: list[str]) -> Use:
    results = [{"url": link, "status": "success"} for link in links]
    return Use(
        (
            {"type": "url_context_call", "id": "open-1", "arguments": {"urls": links}},
            {"type": "url_context_result", "call_id": "open-1", "result": results},
        ),
        citations=[
            {
                "type": "url_citation",
                "url": link,
                "title": "A page that was linked to",
                "start_index": 0,
                "end_index": 1,
            }
            for link in links
        ],
    )


def _ran() -> Use:
    arguments = {"code": _CODE, "language": "python"}
    return Use(
        (
            {"type": "code_execution_call", "id": "code-1", "arguments": arguments},
            {"type": "code_execution_result", "call_id": "code-1", "result": "55\n"},
        ),
        "*I am Clew's offline model, not Gemini, and I ran nothing.*\n\nThe numbers from 1 to 10 make 55.",
    )
