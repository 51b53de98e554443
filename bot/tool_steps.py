"""What Gemini's tools were called with and what came back, as far as it belongs under an answer. Pure.

A step that calls a tool, and one with its result, come whole in a fetched interaction and in pieces in a stream.
"""

from collections.abc import Iterator
from typing import Any

from bot.evidence import CodeCall, CodeResult, Evidence, Suggestion
from bot.sse import JsonObject, storable
from bot.step_pieces import grown
from bot.suggestions import MOST, in_one_line, suggested_by

_TOLD = frozenset({"code_execution_call", "code_execution_result", "google_search_call", "google_search_result"})
_LONGEST = 100_000  # characters of code, or of what it printed, that are taken in


class ToolSteps:
    """The tools' steps of one stream while they come; each is told when it is whole."""

    def __init__(self) -> None:
        self._growing: dict[object, dict[str, Any]] = {}  # by index
        self.searched = 0  # queries put to Google Search

    def begin(self, index: object, step: JsonObject) -> None:
        """Take in how a step begins."""
        if _text(step.get("type")) in _TOLD:
            self._growing[index] = dict(step)

    def add(self, index: object, delta: JsonObject) -> None:
        """Take in more of one."""
        kind = _text(delta.get("type"))
        if kind in _TOLD:
            self._growing[index] = grown(self._growing.get(index, {"type": kind}), delta)

    def end(self, index: object) -> Iterator[Evidence]:
        """Yield what a step tells that has come to its end."""
        step = self._growing.pop(index, {})
        self.searched += searched_by(step)
        yield from told_by(step)

    def end_all(self) -> Iterator[Evidence]:
        """Yield what those tell whose end was not told."""
        for index in list(self._growing):
            yield from self.end(index)


def told_by(step: JsonObject) -> Iterator[Evidence]:
    """Yield what a whole step of a tool tells; nothing for one that is of no interest under an answer."""
    arguments, result = step.get("arguments"), step.get("result")
    match step.get("type"):
        case "code_execution_call" if isinstance(arguments, dict):
            if code := _text(arguments.get("code")):
                yield CodeCall(_text(step.get("id")), code, _text(arguments.get("language")))
        case "code_execution_result":
            yield CodeResult(_text(step.get("call_id")), _printed(result), step.get("is_error") is True)
        case "google_search_call" if isinstance(arguments, dict):
            for words in map(in_one_line, _texts(arguments.get("queries"))):
                if words:
                    yield Suggestion(words)
        case "google_search_result":
            for one in _objects(result):
                yield from suggested_by(_text(one.get("search_suggestions")))


def searched_by(step: JsonObject) -> int:
    """How many queries a whole step puts to Google Search."""
    arguments = step.get("arguments")
    queries = arguments.get("queries") if isinstance(arguments, dict) else None
    is_search = step.get("type") == "google_search_call" and isinstance(queries, list)
    return sum(isinstance(query, str) and bool(query.strip()) for query in queries or ()) if is_search else 0


def _printed(result: object) -> str:
    """A result as text: it is one, or a list of contents of which only the texts are of use."""
    if isinstance(result, list):
        return "".join(_text(content.get("text")) for content in _objects(result))[:_LONGEST]
    return _text(result)


def _text(value: object) -> str:
    return storable(value[:_LONGEST]) if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    return [_text(one) for one in value if isinstance(one, str)][:MOST] if isinstance(value, list) else []


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
