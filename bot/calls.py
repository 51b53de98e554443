"""The functions the model calls for and what they returned, as values. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sse import JsonObject, storable

CALLING = "calling "
"""Begins what is told of a function that the model calls for, before its name."""


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function the model wants called. Nothing in it is to be believed."""

    id: str  # unique within its interaction
    name: str
    arguments: Mapping[str, object] | None = field(repr=False)  # None: what came is no JSON object


@dataclass(frozen=True, slots=True)
class FunctionResult:
    """What a function returned, or a sentence on why it did not."""

    call: str  # the id
    name: str
    value: str | Mapping[str, object] = field(repr=False)
    is_error: bool = False

    def step(self) -> JsonObject:
        """The step that brings it to the model."""
        step: dict[str, Any] = {"type": "function_result", "call_id": self.call, "name": self.name}
        step["result"] = self.value
        return step | {"is_error": True} if self.is_error else step


@dataclass(frozen=True, slots=True)
class Results:
    """The results of everything one interaction called for, which are told in one request."""

    results: tuple[FunctionResult, ...]


class CallPieces:
    """Puts the calls of one interaction together, from its event stream."""

    def __init__(self) -> None:
        self._begun: dict[object, JsonObject] = {}  # by the index of the step
        self._arguments: dict[object, list[str]] = {}

    def read(self, event: JsonObject) -> None:
        """Take in an event of any kind."""
        told: Any = event.get("index")
        index = told if isinstance(told, int) else None
        step: Any = event.get("step")
        delta: Any = event.get("delta")
        if isinstance(step, Mapping) and step.get("type") == "function_call":
            self._begun[index], self._arguments[index] = step, []
        elif index in self._begun and isinstance(delta, Mapping) and delta.get("type") == "arguments_delta":
            piece: Any = delta.get("arguments")
            self._arguments[index] += [piece] if isinstance(piece, str) else []

    def calls(self) -> tuple[FunctionCall, ...]:
        """The calls, in the order in which they were begun."""
        return tuple(
            read_call({**step, "arguments": _decoded(told)} if (told := "".join(self._arguments[index])) else step)
            for index, step in self._begun.items()
        )


def read_call(step: JsonObject) -> FunctionCall:
    """The call that a step of type ``function_call`` is."""
    arguments: Any = step.get("arguments", {})
    return FunctionCall(
        id=_text(step.get("id")),
        name=_text(step.get("name")),
        arguments=dict(arguments) if isinstance(arguments, Mapping) else None,
    )


def _text(value: object) -> str:
    return storable(value) if isinstance(value, str) else ""


def _decoded(told: str) -> object:
    try:
        return json.loads(told)
    except (ValueError, RecursionError):
        return None
