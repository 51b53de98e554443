"""The steps of an answer, put together again from its event stream.

An answer that Gemini does not keep has to be sent back with the next question as it was: every step in its place,
every signature untouched. A stream tells a step in pieces, and its end brings no whole.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.answers import Media, ModelStep
from bot.sse import JsonObject, storable

_OUTPUT = "model_output"
_MEDIA = frozenset({"image", "audio", "video", "document"})
_TEXTS = frozenset({"result", "code"})  # all else, a signature above all, is told whole


@dataclass(slots=True)
class _Step:
    """One step while it grows; lists of pieces are joined at the end, for an answer may have thousands."""

    fields: dict[str, Any]
    contents: list[dict[str, Any]] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)  # JSON in pieces

    def text(self, piece: str) -> None:
        if not self.contents or self.contents[-1]["type"] != "text":
            self.contents.append({"type": "text", "text": []})
        self.contents[-1]["text"].append(piece)

    def annotations(self, found: list[Any]) -> None:
        self.text("")
        self.contents[-1].setdefault("annotations", []).extend(found)

    def file(self, media: Media) -> None:
        content: dict[str, Any] = {"type": media.kind.value, "mime_type": media.mime_type}
        self.contents.append({**content, "data": media.data} if media.uri is None else {**content, "uri": media.uri})

    def more(self, delta: JsonObject) -> None:
        """Take in a delta that brings fields of the step itself: a call's arguments, a tool's result."""
        self.fields = grown(self.fields, delta)

    def whole(self) -> dict[str, Any]:
        step = dict(self.fields)
        if self.contents:
            step["content"] = [*_listed(step, "content"), *map(_whole, self.contents)]
        if self.arguments:
            step["arguments"] = _arguments("".join(self.arguments))
        return step


class StepPieces:
    """Takes in the events of one stream; the steps stand in `steps` at its end.

    Files are told to it decoded and whole, by whoever reads them out of the stream.
    """

    def __init__(self) -> None:
        self._steps: dict[object, _Step] = {}  # by index, in the order of their starts
        self.bytes = 0  # of files, which take a while to be turned into base64

    def read(self, event: JsonObject) -> None:
        """Take in an event."""
        index = index_of(event)
        if event.get("event_type") == "step.start":
            step: Any = event.get("step")
            if isinstance(step, dict) and isinstance(step.get("type"), str):
                self._steps[index] = _Step(dict(step))
        elif event.get("event_type") == "step.delta":
            delta: Any = event.get("delta")
            if isinstance(delta, dict):
                self._delta(self._step(index), delta)

    def add_file(self, index: object, media: Media) -> None:
        """Take in a file."""
        self.bytes += len(media.data or b"")
        self._step(index).file(media)

    def steps(self) -> Iterator[ModelStep]:
        """The steps, as JSON without line breaks. Takes a while when there are `bytes`."""
        for step in self._steps.values():
            yield ModelStep(storable(json.dumps(step.whole(), ensure_ascii=False, separators=(",", ":"))))

    def _step(self, index: object) -> _Step:
        return self._steps.setdefault(index, _Step({"type": _OUTPUT}))  # one whose start was not told

    def _delta(self, step: _Step, delta: dict[str, Any]) -> None:
        kind = delta.get("type")
        match kind:
            case "text" if isinstance(delta.get("text"), str):
                step.text(delta["text"])
            case "text_annotation_delta" if isinstance(delta.get("annotations"), list):
                step.annotations(delta["annotations"])
            case "thought_summary" if isinstance(delta.get("content"), dict):
                step.fields["summary"] = [*_listed(step.fields, "summary"), delta["content"]]
            case "thought_signature" if delta.get("signature"):
                step.fields["signature"] = delta["signature"]
            case "arguments_delta" if isinstance(delta.get("arguments"), str):
                step.arguments.append(delta["arguments"])
            case str() if kind == step.fields["type"] and kind.endswith(("_call", "_result")):
                step.more(delta)
            case _:
                pass  # files come by another way; what is unknown cannot be put together


def grown(step: Mapping[str, Any], delta: JsonObject) -> dict[str, Any]:
    """A tool's step with what a delta adds to it: to a list its items, to a result or to code its characters.

    Nobody documents whether a text comes in pieces, or as a whole that grows; what begins with all of the text before
    it is taken for the latter.
    """
    fields = dict(step)
    for name, value in delta.items():
        known = fields.get(name)
        if name == "type":
            continue
        if isinstance(known, list) and isinstance(value, list):
            fields[name] = [*known, *value]
        elif isinstance(known, dict) and isinstance(value, dict):  # the arguments of a call
            fields[name] = {**known, **{inner: _longer(inner, known.get(inner), value[inner]) for inner in value}}
        else:
            fields[name] = _longer(name, known, value)
    return fields


def _longer(name: str, known: object, value: object) -> object:
    is_piece = name in _TEXTS and isinstance(known, str) and isinstance(value, str) and not value.startswith(known)
    return f"{known}{value}" if is_piece else value


def index_of(event: JsonObject) -> int | None:
    """Which step an event belongs to; None when it does not tell."""
    index = event.get("index")
    return index if isinstance(index, int) else None


def _listed(step: dict[str, Any], name: str) -> list[Any]:
    """What a step was begun with of a list."""
    begun = step.get(name)
    return begun if isinstance(begun, list) else []


def _whole(content: dict[str, Any]) -> dict[str, Any]:
    if content["type"] == "text":
        return {**content, "text": "".join(content["text"])}
    if isinstance(content.get("data"), bytes):
        return {**content, "data": base64.b64encode(content["data"]).decode("ascii")}
    return content


def _arguments(told: str) -> Any:
    try:
        return json.loads(told)
    except (ValueError, RecursionError):
        return {}
