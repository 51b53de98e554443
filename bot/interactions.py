"""The wire format of Gemini's Interactions API: events and resources into an answer.

Pure: nothing here touches the network. What the fields mean is in Google's reference of the Interactions API,
revision 2026-05-20; everything unknown is passed over, because the API grows.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.answers import (
    ASKING,
    ActionRequired,
    AnswerEvent,
    Completed,
    Created,
    Media,
    MediaKind,
    TextPiece,
    Thought,
    ToolUse,
)
from bot.calls import CALLING, CallPieces, FunctionCall, read_call
from bot.evidence import Citation
from bot.media_pieces import ANY_TYPE, MediaPieces, decode
from bot.messages import InteractionId, Usage
from bot.sse import JsonObject, storable
from bot.step_pieces import StepPieces, index_of
from bot.tool_steps import ToolSteps, told_by
from bot.usages import read_usage, searched_in

logger = logging.getLogger(__name__)

RUNNING = frozenset({"queued", "in_progress"})
TRUNCATED = frozenset({"incomplete", "budget_exceeded"})
COMPLETE = TRUNCATED | {"completed"}
CONTINUES = "requires_continuation"
CALLS = "requires_action"  # of functions: it goes on from their results

_MEDIA = frozenset(MediaKind)


# --- an answer, streamed ----------------------------------------------------------------------


class Hop:
    """One interaction's event stream, read into the events of an answer.

    An answer too long for one interaction takes several hops; what counts them together stands in `gemini`.
    """

    def __init__(self, *, keeps_steps: bool = False) -> None:
        self.steps = StepPieces() if keeps_steps else None
        self.calls = CallPieces()
        self.id: InteractionId | None = None
        self.status: str | None = None
        self.usage = Usage()
        self.continuation: str | None = None  # opaque; asks for the next hop
        self.error: JsonObject | None = None  # an error event: the stream is worth nothing from here on
        self.failures: tuple[str, ...] = ()  # codes of a failed interaction
        self.is_over = False  # good or bad: nothing that follows can matter
        self.unknown = 0  # events and deltas of kinds this version does not know
        self._steps: dict[object, object] = {}  # index -> type
        self._tools: dict[object, ToolUse] = {}  # by the indexes of the steps for which they were told
        self._tool_steps = ToolSteps()
        self._told: set[object] = set()  # the indexes of the steps of which text was told
        self._media: MediaPieces | None = None

    def read(self, event: JsonObject) -> Iterator[AnswerEvent]:
        """Yield what an event tells of the answer."""
        match event.get("event_type"):
            case "step.delta":
                yield from self._delta(index_of(event), _object(event, "delta"))
            case "step.start":
                yield from self._started(index_of(event), _object(event, "step"))
            case "step.stop":
                yield from self._flush()
                yield from self._tool_steps.end(index_of(event))
            case "interaction.created" | "interaction.completed" as kind:
                yield from self._flush()
                interaction = _object(event, "interaction")
                yield from self._moved(interaction.get("id"), interaction)
                if kind == "interaction.completed":
                    yield from self._tool_steps.end_all()
                    self.usage = read_usage(interaction, searched=self._tool_steps.searched)
                    # This token alone: those of status updates are checkpoints inside the hop.
                    self.continuation = _string(interaction, "continuation_token") or None
                    self.failures = tuple(_failures(interaction))
                    self.is_over = self.status is not None and self.status not in RUNNING
            case "interaction.status_update":
                yield from self._moved(event.get("interaction_id"), event)
            case kind if kind == "error" or (kind is None and "error" in event):
                self.error, self.is_over = event, True
            case _:
                self.unknown += 1
        self.calls.read(event)
        if self.steps is not None:
            self.steps.read(event)  # afterwards: a file that this event ends comes before it

    def finish(self) -> None:
        """Tell the log what was passed over."""
        if self.unknown:
            logger.debug("events of unknown kinds passed over", extra={"count": self.unknown})

    def _moved(self, interaction: object, at: JsonObject) -> Iterator[AnswerEvent]:
        self.status = _string(at, "status") or self.status
        if isinstance(interaction, str) and interaction and storable(interaction) != self.id:
            self.id = InteractionId(storable(interaction))
            yield Created(self.id)

    def _started(self, index: object, step: JsonObject) -> Iterator[AnswerEvent]:
        yield from self._flush()
        kind = self._steps[index] = _string(step, "type")
        self._tool_steps.begin(index, step)
        if kind.endswith("_call"):
            yield from self._tool(index, step)

    def _tool(self, index: object, step: JsonObject) -> Iterator[AnswerEvent]:
        use = _use(step)
        if self._tools.get(index) != use:  # else told by the step's start already, and once is enough
            self._tools[index] = use
            yield use

    def _delta(self, index: object, delta: JsonObject) -> Iterator[AnswerEvent]:
        match kind := _string(delta, "type"):
            case "text":
                yield from self._flush()
                text = _string(delta, "text")
                if text and self._steps.get(index, "model_output") == "model_output":
                    yield TextPiece(text, begins=index not in self._told)
                    self._told.add(index)
            case "thought_summary":
                yield from _thought(_object(delta, "content"))
            case "text_annotation_delta":
                yield from _citations(delta)
            case "image" | "audio" | "video" | "document":
                yield from self._media_delta(index, MediaKind(kind), delta)
            case "thought_signature" | "arguments_delta":
                pass
            case _ if kind.endswith("_call"):
                yield from self._tool(index, delta)
                self._tool_steps.add(index, delta)
            case _ if kind.endswith("_result"):
                self._tool_steps.add(index, delta)
            case _:
                self.unknown += 1

    def _media_delta(self, index: object, kind: MediaKind, delta: JsonObject) -> Iterator[AnswerEvent]:
        data, mime_type, uri = (_string(delta, name) for name in ("data", "mime_type", "uri"))
        if data:
            if self._media is not None and not self._media.goes_on(index, kind, mime_type):
                yield from self._flush()
            if self._media is None:
                self._media = MediaPieces(index, kind, mime_type)
            self._media.add(data)
        elif uri:
            yield from self._flush()
            yield from self._files(index, [Media(kind, mime_type or ANY_TYPE, uri=uri)])

    def _flush(self) -> Iterator[AnswerEvent]:
        if self._media is not None:
            media, self._media = self._media, None
            yield from self._files(media.index, media.files())

    def _files(self, index: object, files: Iterable[Media]) -> Iterator[AnswerEvent]:
        for file in files:
            if self.steps is not None:
                self.steps.add_file(index, file)
            yield file


# --- an answer, fetched -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fetched:
    """An interaction as Gemini keeps it: one hop of an answer, mostly the only one."""

    id: InteractionId
    status: str
    previous: InteractionId | None
    content: tuple[AnswerEvent, ...]  # neither Created nor Completed among them
    usage: Usage
    failures: tuple[str, ...]  # codes, when it failed
    model: str | None = None
    calls: tuple[FunctionCall, ...] = ()  # of functions of ours


def read_fetched(body: bytes) -> Fetched | None:
    """Read an interaction resource; None when the body is none."""
    try:
        resource = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(resource, dict) or not _string(resource, "id"):
        return None
    previous = _string(resource, "previous_interaction_id")
    return Fetched(
        id=InteractionId(_string(resource, "id")),
        status=_string(resource, "status"),
        previous=InteractionId(previous) if previous else None,
        content=tuple(event for step in _objects(resource, "steps") for event in _told_by(step)),
        usage=read_usage(resource, searched=searched_in(_objects(resource, "steps"))),
        failures=tuple(_failures(resource)),
        model=_string(resource, "model") or None,
        calls=tuple(map(read_call, _called_by(resource))),
    )


def retold(hops: list[Fetched]) -> tuple[AnswerEvent, ...]:
    """The events that would have told an answer of one or more hops, the first of them first: one that is completed,
    or the last of which calls for functions.
    """
    last = hops[-1]
    usage = sum((hop.usage for hop in hops), Usage())
    content = tuple(event for hop in hops for event in hop.content)
    if last.status == CALLS:
        rounds = sum(hop.status == CALLS for hop in hops)
        return Created(last.id), *content, ActionRequired(last.id, last.calls, usage, rounds=rounds, model=last.model)
    completed = Completed(last.id, usage, truncated=last.status in TRUNCATED, model=last.model)
    return Created(last.id), *content, completed


def _told_by(step: JsonObject) -> Iterator[AnswerEvent]:
    match kind := _string(step, "type"):
        case "model_output":
            for content in _objects(step, "content"):
                yield from _told_by_content(content)
        case "thought":
            for content in _objects(step, "summary"):
                yield from _thought(content)
        case _ if kind.endswith("_call"):
            yield _use(step)
            yield from told_by(step)
        case _ if kind.endswith("_result"):
            yield from told_by(step)


def _called_by(resource: JsonObject) -> Iterator[JsonObject]:
    return (step for step in _objects(resource, "steps") if step.get("type") == "function_call")


def _told_by_content(content: JsonObject) -> Iterator[AnswerEvent]:
    kind, text, data = (_string(content, name) for name in ("type", "text", "data"))
    if kind == "text":
        if text:
            yield TextPiece(text, begins=True)
        yield from _citations(content)
    elif kind in _MEDIA:
        mime_type, uri = _string(content, "mime_type") or ANY_TYPE, _string(content, "uri")
        decoded = decode(data) if data else None
        if decoded is not None:
            yield Media(MediaKind(kind), mime_type, data=decoded)
        elif uri:
            yield Media(MediaKind(kind), mime_type, uri=uri)


# --- what both share --------------------------------------------------------------------------


def _thought(content: JsonObject) -> Iterator[AnswerEvent]:
    text = _string(content, "text")
    if text:
        yield Thought(text)


def _use(step: JsonObject) -> ToolUse:
    """The tool that a step calls; of a server of tools, and of functions, which one."""
    if step.get("type") == "function_call":
        return ToolUse(f"{CALLING}{_string(step, 'name')}")
    server = _string(step, "server_name")
    return ToolUse(f"{ASKING}{server}" if server else _string(step, "type").removesuffix("_call"))


def _citations(content: JsonObject) -> Iterator[AnswerEvent]:
    for annotation in _objects(content, "annotations"):
        url, name = _string(annotation, "url"), _string(annotation, "name")
        start, end = _index(annotation, "start_index"), _index(annotation, "end_index")
        if start is None and end is not None:
            start = 0  # which Google's APIs leave out
        if _string(annotation, "type") == "place_citation" and name:
            name = f"{name} (Google Maps)"  # which Google asks to be named
        title = _string(annotation, "title") or name or _string(annotation, "file_name") or None
        if url.startswith(("https://", "http://")):
            yield Citation(url, title, start, end)
        elif _string(annotation, "type") == "file_citation" and title:  # a file of a store, which no browser can open
            yield Citation("", title, start, end)


def _index(annotation: JsonObject, name: str) -> int | None:
    value = annotation.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _failures(resource: JsonObject) -> Iterator[str]:
    """The codes a failed interaction gives, of its own and of its steps."""
    steps = [_object(step, "error") for step in _objects(resource, "steps")]
    for error in (*_objects(resource, "errors"), _object(resource, "error"), *steps):
        code = error.get("code")
        if isinstance(code, str | int):
            yield str(code)


def _object(at: JsonObject, name: str) -> JsonObject:
    value: Any = at.get(name)
    return value if isinstance(value, Mapping) else {}


def _objects(at: JsonObject, name: str) -> list[JsonObject]:
    value: Any = at.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _string(at: JsonObject, name: str) -> str:
    value = at.get(name)
    return storable(value) if isinstance(value, str) else ""
