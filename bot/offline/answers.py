"""What an interaction's answer will be, fault or no fault: its steps, its status, the events that tell it."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.offline.drawing import in_base64, picture, sound
from bot.offline.faults import (
    CitationFault,
    ContinuationFault,
    EmptyFault,
    Fault,
    FinalStatusFault,
    FunctionCallFault,
    ImageFault,
    ThoughtFault,
    UndecodableFault,
    UnknownFault,
)
from bot.offline.interactions import Interaction
from bot.offline.toolbox import UNUSED, Use, citation
from bot.offline.wire import DONE, Frame, JsonObject, encode, event_frame, objects_in, text_in, timestamp

ONE_PIXEL_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

_ALL = "\n\nThat is all I can make."
_PIECE = re.compile(r"\s*\S{1,24}[ \n]*|\s+")


@dataclass(frozen=True, slots=True)
class Plan:
    """An answer before it is told."""

    steps: list[JsonObject]
    usage: JsonObject
    status: str = "completed"
    errors: list[JsonObject] = field(default_factory=list)
    errors_in_event: bool = False
    continuation_token: str | None = None
    rest: tuple[str, ...] = ()  # of the text, for the hops to come


def pieces_of(text: str) -> list[str]:
    """A text in the small pieces it is streamed in: a word or so each."""
    return _PIECE.findall(text)


def output(*content: JsonObject) -> JsonObject:
    """A step of the model's."""
    return {"type": "model_output", "content": list(content)}


def _text(text: str) -> JsonObject:
    return {"type": "text", "text": text}


def plan(  # noqa: PLR0911 - a flat match, one line or two for each fault
    text: str,
    *,
    fault: Fault | None,
    input_length: int,
    token: str,
    wish: str | None = None,
    used: Use = UNUSED,
    called: Sequence[JsonObject] = (),
) -> Plan:
    """What to answer when the brain says *text*.

    Args:
        wish: what an image model was asked for: its picture comes before the last paragraph.
        used: the tools that the model used on its way to the text, and what that rests on.
        input_length: characters of everything the model read.
        called: functions, to be called instead of an answer.
        token: to hand out when the answer takes more than one hop.
    """
    answer = output({**_text(text), "annotations": used.citations} if used.citations else _text(text))
    usage = {**usage_of(input_length, len(text)), **used.counted}
    match fault:
        case EmptyFault():
            return Plan([], usage_of(input_length, 0))
        case FinalStatusFault(status, errors, after, errors_in_event):
            told = text if after is None else "".join(pieces_of(text)[:after])
            listed: list[JsonObject] = [{"code": code, "message": message} for code, message in errors]
            return Plan([*used.steps, *([output(_text(told))] if told else [])], usage, status, listed, errors_in_event)
        case FunctionCallFault(name, arguments, with_text):
            call: JsonObject = {"type": "function_call", "id": f"call-{token[-8:]}", "name": name}
            call["arguments"] = '{"what": ' if arguments is None else dict(arguments)
            return Plan([answer, call] if with_text else [call], usage, "requires_action")
        case ImageFault(with_text, with_sound, size):
            data = in_base64(base64.b64decode(ONE_PIXEL_PNG).ljust(size, b"\0"))
            image: JsonObject = {"type": "image", "mime_type": "image/png", "data": data}
            content = [_text(text), image] if with_text else [image]
            if with_sound:
                content += [{"type": "audio", "mime_type": "audio/wav", "data": in_base64(sound())}, _text(_ALL)]
            return Plan([output(*content)], usage)
        case CitationFault():
            return Plan(_searched(fault), usage)
        case ThoughtFault(summary, signature):
            thought: JsonObject = {"type": "thought", "summary": [_text(summary)], "signature": signature}
            return Plan([thought, answer], usage)
        case ContinuationFault(hops):
            return continued(_in_parts(text, hops), input_length=input_length, token=token)
        case _ if called:
            return Plan([*used.steps, *called], usage, "requires_action")
        case None if wish is not None:
            return Plan([_drawn(text, wish)], usage)
        case _:
            return Plan([*used.steps, answer], usage)


def _drawn(text: str, wish: str) -> JsonObject:
    words, gap, rest = text.rpartition("\n\n")
    image: JsonObject = {"type": "image", "mime_type": "image/png", "data": in_base64(picture(wish))}
    return output(_text(words + gap), image, _text(rest))


def signed(answer: Plan, token: str) -> Plan:
    """The answer as one that is not stored is given: its thought comes signed, to be sent back with it."""
    if not answer.steps or any(step["type"] == "thought" for step in answer.steps):
        return answer
    signature = base64.b64encode(f"thought {token}".encode()).decode("ascii")
    return replace(answer, steps=[{"type": "thought", "signature": signature}, *answer.steps])


def continued(parts: tuple[str, ...], *, input_length: int, token: str) -> Plan:
    """One hop of an answer that has so many parts left."""
    steps = [output(_text(parts[0]))]
    usage = usage_of(input_length, len(parts[0]))
    if len(parts) == 1:
        return Plan(steps, usage)
    return Plan(steps, usage, "requires_continuation", continuation_token=token, rest=parts[1:])


def usage_of(input_length: int, output_length: int) -> JsonObject:
    """A plausible bill: a token for every four characters."""
    tokens_in, tokens_out = -(-input_length // 4), -(-output_length // 4)
    return {
        "total_input_tokens": tokens_in,
        "total_output_tokens": tokens_out,
        "total_thought_tokens": 0,
        "total_cached_tokens": 0,
        "total_tokens": tokens_in + tokens_out,
    }


def plan_of(interaction: Interaction) -> Plan:
    """The plan that an interaction which has ended was told by."""
    return Plan(
        interaction.steps,
        interaction.usage or usage_of(0, 0),
        interaction.status,
        interaction.errors,
        errors_in_event=True,
        continuation_token=interaction.continuation_token,
    )


def _in_parts(text: str, hops: int) -> tuple[str, ...]:
    pieces = pieces_of(text)
    size = -(-len(pieces) // hops) or 1
    return tuple("".join(pieces[at * size : (at + 1) * size]) for at in range(hops))


def _searched(fault: CitationFault) -> list[JsonObject]:
    citations = [
        citation(fault.text, words, url, title, indexes=fault.indexes)
        for words, url, title in ((fault.text, fault.url, fault.title), *fault.more)
    ]
    suggestions: list[JsonObject] = [{"search_suggestions": fault.search_suggestions}]
    return [
        {"type": "google_search_call", "id": "search-1", "arguments": {"queries": ["Zürich"]}},
        {"type": "google_search_result", "call_id": "search-1", "result": suggestions},
        output({**_text(fault.text), "annotations": citations}),
    ]


# --- telling it --------------------------------------------------------------------------------


def frames_for(interaction: Interaction, answer: Plan, *, fault: Fault | None = None) -> list[Frame]:
    """The whole stream of an answer. Event ids count from ``e1``; what a fault slips in has none."""
    frames: list[Frame] = []

    def tell(event_type: str, **fields: object) -> None:
        event: JsonObject = {"event_type": event_type, "event_id": f"e{len(frames) + 1}", **fields}
        frames.append(event_frame(event))

    tell("interaction.created", interaction={**_head(interaction), "status": "in_progress"})
    tell("interaction.status_update", interaction_id=interaction.id, status="in_progress")
    for index, step in enumerate(answer.steps):
        tell("step.start", index=index, step=_opening(step))
        for delta in _deltas(step, fault.deltas if isinstance(fault, ImageFault) else 1):
            if delta["type"] == "text":
                frames.append(_text_frame(index, len(frames) + 1, text_in(delta, "text")))
            else:
                tell("step.delta", index=index, delta=delta)
        tell("step.stop", index=index)
    frames += ending_frames(interaction, answer, number=len(frames) + 1)
    middle = position_after(frames, 1)
    frames[middle:middle] = _slipped_in(fault, len(answer.steps))
    return frames


def ending_frames(interaction: Interaction, answer: Plan, *, number: int) -> list[Frame]:
    """The last two frames of a stream: how the interaction ended, and that the stream does."""
    ending: JsonObject = {**_head(interaction), "status": answer.status, "usage": answer.usage}
    ending["updated"] = timestamp(interaction.updated)
    if answer.errors_in_event and answer.errors:
        ending["errors"] = answer.errors
    if answer.continuation_token is not None:
        ending["continuation_token"] = answer.continuation_token
    completed: JsonObject = {"event_type": "interaction.completed", "event_id": f"e{number}", "interaction": ending}
    return [event_frame(completed), DONE]


def _head(interaction: Interaction) -> JsonObject:
    head: JsonObject = {"id": interaction.id, "object": "interaction", **interaction.owner}
    return head | {"created": timestamp(interaction.created)}


def position_after(frames: list[Frame], pieces: int) -> int:
    """The place in a stream where so many pieces of text have been told, or all there are."""
    told = 0
    last = 2  # created and status update
    for at, frame in enumerate(frames):
        if frame.text is not None:
            if told == pieces:
                return last
            told += 1
            last = at + 1
    return last


def _opening(step: JsonObject) -> JsonObject:
    """A step as its start announces it: of what it holds, only what names it."""
    if step["type"] == "function_call":
        return {**step, "arguments": {}}
    return {key: step[key] for key in ("type", "id", "call_id") if key in step} | _required(step)


def _required(step: JsonObject) -> JsonObject:
    return {key: type(step[key])() for key in ("arguments", "result") if isinstance(step.get(key), dict | list | str)}


def _deltas(step: JsonObject, of_a_file: int) -> list[JsonObject]:
    """The deltas that make up what a step holds, so many of each file."""
    match step["type"]:
        case "thought":
            told: list[JsonObject] = [
                {"type": "thought_summary", "content": part} for part in objects_in(step, "summary")
            ]
            return [*told, {"type": "thought_signature", "signature": step["signature"]}]
        case "function_call":
            given = step["arguments"]
            whole = given if isinstance(given, str) else encode(given).decode()
            half = len(whole) // 2
            return [{"type": "arguments_delta", "arguments": piece} for piece in (whole[:half], whole[half:])]
        case str() as kind if kind.endswith(("_call", "_result")):
            return [{key: step[key] for key in ("type", "arguments", "result", "is_error") if key in step}]
    deltas: list[JsonObject] = []
    for part in objects_in(step, "content"):
        if part.get("type") != "text":
            deltas += _slices(part, of_a_file)
            continue
        deltas += [{"type": "text", "text": piece} for piece in pieces_of(text_in(part, "text"))]
        if annotations := objects_in(part, "annotations"):
            deltas.append({"type": "text_annotation_delta", "annotations": annotations})
    return deltas


def _slices(part: JsonObject, number: int) -> list[JsonObject]:
    """A file in deltas whose base64 can each be read alone."""
    data = text_in(part, "data")
    size = -(-len(data) // (4 * number)) * 4
    return [{**part, "data": data[at : at + size]} for at in range(0, len(data), size)] if data else [part]


def _text_frame(index: int, number: int, text: str) -> Frame:
    # Nearly every event is of this kind, so it is written out by hand.
    data = (
        b'event: step.delta\ndata: {"event_type":"step.delta","event_id":"e%d","index":%d,'
        b'"delta":{"type":"text","text":%b}}\n\n'
    )
    return Frame(data % (number, index, encode(text)), text)


def _slipped_in(fault: Fault | None, index: int) -> list[Frame]:
    match fault:
        case UndecodableFault():
            return [Frame(b'event: step.delta\ndata: {"event_type":"step.delta","ind\n\n')]
        case UnknownFault():
            return [
                event_frame({"event_type": "interaction.pondered", "depth": 3}),
                event_frame({"event_type": "step.delta", "index": 0, "delta": {"type": "scent", "smell": "rain"}}),
                event_frame({"event_type": "step.start", "index": index, "step": {"type": "hologram", "depth": 3}}),
                event_frame({"event_type": "step.stop", "index": index}),
            ]
        case _:
            return []
