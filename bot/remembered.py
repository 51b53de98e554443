"""An interaction fetched with the question it was asked, as the Interactions API tells it, into what people are told.

Pure, like `bot.interactions`. With ``include_input`` the question comes back as ``user_input`` steps before the others.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.answers import Recalled
from bot.messages import InteractionId, Usage
from bot.sse import JsonObject
from bot.usages import read_usage, searched_in

_LONGEST = 20_000  # characters of a piece of text: no more than that is ever told again of an exchange


@dataclass(frozen=True, slots=True)
class Remembered:
    """One interaction: an answer, or one hop of a long one."""

    id: InteractionId
    status: str
    previous: InteractionId | None
    model: str | None
    asked: tuple[str, ...]
    answer: str
    usage: Usage
    created_at: float | None


def read_remembered(body: bytes) -> Remembered | None:
    """Read an interaction resource; None when the body is none."""
    try:
        resource = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(resource, dict) or not _text(resource, "id"):
        return None
    previous, steps = _text(resource, "previous_interaction_id"), _objects(resource, "steps")
    # A history that was sent along comes back as well. What was asked is the last of it that a person said.
    first = max((at for at, step in enumerate(steps) if step.get("type") == "user_input"), default=-1)
    asked = _told(steps[first]) if first >= 0 else ()
    answer = (piece for step in steps[first + 1 :] if step.get("type") == "model_output" for piece in _told(step))
    return Remembered(
        id=InteractionId(_text(resource, "id")),
        status=_text(resource, "status"),
        previous=InteractionId(previous) if previous else None,
        model=_text(resource, "model") or None,
        asked=tuple(asked),
        answer=" ".join(answer)[:_LONGEST],
        usage=read_usage(resource, searched=searched_in(steps[first + 1 :])),
        created_at=_time(_text(resource, "created")),
    )


def recalled(hops: Sequence[Remembered]) -> Recalled:
    """An answer of one or more hops as one, the first of them first."""
    first, last = hops[0], hops[-1]
    return Recalled(
        last.id,
        last.status,
        last.model,
        first.asked,
        "".join(hop.answer for hop in hops)[:_LONGEST],
        sum((hop.usage for hop in hops), Usage()),
        first.created_at,
    )


def _told(step: JsonObject) -> Iterator[str]:
    for content in _objects(step, "content"):
        kind, text = _text(content, "type"), _text(content, "text")
        if kind == "text" and text:
            yield text[:_LONGEST]
        elif kind in {"image", "audio", "video", "document"}:
            yield f"[{kind}]"


def _time(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def _objects(at: JsonObject, name: str) -> list[JsonObject]:
    value: Any = at.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _text(at: JsonObject, name: str) -> str:
    value = at.get(name)
    return value if isinstance(value, str) else ""
