"""A create request's body, checked and read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.offline.calling import functions_in
from bot.offline.conversation import LABEL, MEDIA
from bot.offline.describe import describe, head_of
from bot.offline.wire import JsonObject, Refused, objects_in, text_in

KEYS = frozenset(
    {"agent", "agent_config", "background", "cached_content", "continuation_token", "environment"}
    | {"generation_config", "input", "labels", "model", "previous_interaction_id", "response_format"}
    | {"response_mime_type", "response_modalities", "safety_settings", "service_tier", "store", "stream"}
    | {"system_instruction", "tools", "webhook_config"}
)
"""What the SDK's request types hold at the top level."""

TOOLS = frozenset(
    {"code_execution", "computer_use", "file_search", "function", "google_maps", "google_search", "mcp_server"}
    | {"retrieval", "tool_search", "url_context"}
)
"""What the SDK knows of tools."""

_STEPS = frozenset({"user_input", "model_output", "thought", "function_call", "function_result"})
_ATTACHMENT_TEXT_KEPT = 16_000  # characters

DescribeUri = Callable[[str, str], str]
"""From a kind and the address of a file to its description; raises `Refused` for a file that is not there."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be answered, and how."""

    owner: dict[str, str]
    input: list[JsonObject]  # steps, their files described and not kept
    previous: str | None
    stream: bool
    background: bool
    store: bool
    continuation_token: str | None
    system_instruction: str
    tools: frozenset[str] = frozenset()  # the types of those that are offered
    functions: tuple[str, ...] = ()  # the names of those that may be called


def read_order(body: object, describe_uri: DescribeUri) -> Order:
    """Read the body of a create.

    Raises:
        Refused: Gemini would not take it.
    """
    if not isinstance(body, dict):
        raise _invalid("the body is no JSON object")
    if unknown := sorted(set(body) - KEYS):
        raise Refused(400, "parameter_unknown", f"unknown parameter {unknown[0]!r}")
    owner = {key: value for key in ("model", "agent") if isinstance(value := body.get(key), str) and value}
    if len(owner) != 1:
        raise _invalid("exactly one of model and agent is needed")
    token = text_in(body, "continuation_token") or None
    given = body.get("input")
    if given is None and token is None:
        raise _invalid("input is missing")
    order = Order(
        owner=owner,
        input=[] if given is None else [_described(step, describe_uri) for step in _steps(given)],
        previous=text_in(body, "previous_interaction_id") or None,
        stream=body.get("stream") is True,
        background=body.get("background") is True,
        store=body.get("store") is not False,
        continuation_token=token,
        system_instruction=text_in(body, "system_instruction"),
        tools=frozenset(_tools(body)),
        functions=functions_in(body),
    )
    if order.background and not order.store:
        raise _invalid("a background interaction must be stored")
    if "agent" in owner and not order.background:
        raise _invalid("an agent works in the background")
    if "agent" in owner and "generation_config" in body:
        raise _invalid("an agent takes no generation_config")
    for at, step in enumerate(order.input):
        if step.get("type") == "thought" and not text_in(step, "signature"):
            raise Refused(
                400, "missing_thought_signature", f"the thought in step {at} of the input lacks its signature"
            )
    return order


def _tools(body: JsonObject) -> Iterator[str]:
    given = body.get("tools")
    if given is not None and not isinstance(given, list):
        raise _invalid("tools is no list")
    for tool in given or ():
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind not in TOOLS:
            raise _invalid(f"tool of type {kind!r} is not known")
        yield str(kind)


def _steps(given: object) -> list[JsonObject]:
    """The four ways of writing an input, as steps."""
    match given:
        case str():
            return [_user_input([{"type": "text", "text": given}])]
        case dict():
            return _steps([given])
        case []:
            raise _invalid("input is empty")
        case list():
            parts = [part for part in given if isinstance(part, dict)]
            if len(parts) < len(given) or any("role" in part for part in parts):
                raise _invalid("input holds neither contents nor steps; turns with roles are gone")
            if all(part.get("type") in MEDIA | {"text"} for part in parts):
                return [_user_input(parts)]
            for part in parts:
                if not _is_step(part):
                    raise _invalid(f"input holds a part of type {part.get('type')!r}")
            return parts
        case _:
            raise _invalid("input is of no known form")


def _user_input(contents: list[JsonObject]) -> JsonObject:
    return {"type": "user_input", "content": contents}


def _is_step(part: JsonObject) -> bool:
    kind = part.get("type")
    if kind == "user_input":
        return isinstance(part.get("content"), list)
    return isinstance(kind, str) and (kind in _STEPS or kind.endswith(("_call", "_result")))


def _described(step: JsonObject, describe_uri: DescribeUri) -> JsonObject:
    """The step with a description where a file was, so that what is kept of a conversation stays small."""
    if "content" not in step:
        return step
    return {**step, "content": [_without_bytes(part, describe_uri) for part in objects_in(step, "content")]}


def _without_bytes(part: JsonObject, describe_uri: DescribeUri) -> JsonObject:
    kind = text_in(part, "type")
    if kind == "text":
        text = part.get("text")
        if not isinstance(text, str):
            raise _invalid("a text content has no text")
        if len(text) > _ATTACHMENT_TEXT_KEPT and LABEL.match(text):
            return {**part, "text": text[:_ATTACHMENT_TEXT_KEPT] + "\n…"}
        return part
    if kind not in MEDIA:
        raise _invalid(f"content of type {kind!r}")
    mime_type, uri, data = text_in(part, "mime_type"), text_in(part, "uri"), text_in(part, "data")
    if uri:
        return {**part, "description": describe_uri(kind, uri)}
    if not data:
        raise _invalid(f"{kind} content has neither data nor uri")
    try:
        head, size = head_of(data)
    except ValueError as error:
        raise _invalid(f"{kind} content: {error}") from error
    description = describe(kind, mime_type, head, size=size)
    return {"type": kind, "mime_type": mime_type, "description": description}


def _invalid(message: str) -> Refused:
    return Refused(400, "invalid_request", message)
