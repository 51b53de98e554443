"""The functions that are offered to the offline model: when it calls them, and which results it takes."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from bot.offline.conversation import Utterance
from bot.offline.wire import JsonObject, Refused, objects_in, text_in

_CALL = re.compile(r"\bcall (?P<name>\w+) with (?=\{)", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s<>|]+?(?:/archives/|/channels/|/#)[^\s<>|]+")
_READER = "read_link"


def functions_in(body: JsonObject) -> tuple[str, ...]:
    """The names of the functions that a create offers."""
    return tuple(text_in(tool, "name") for tool in objects_in(body, "tools") if tool.get("type") == "function")


def called_for(question: Utterance, offered: Sequence[str], token: str) -> list[JsonObject]:
    """The calls that a question asks for: ``call NAME with {...}``, or what a link in it leads to."""
    wanted = [one for text in question.texts for one in _wanted(text)] if question.by_person else []
    return [
        {"type": "function_call", "id": f"call-{number}-{token[-8:]}", "name": name, "arguments": arguments}
        for number, (name, arguments) in enumerate(wanted)
        if name in offered
    ]


def _wanted(text: str) -> Iterator[tuple[str, JsonObject]]:
    for found in _CALL.finditer(text):
        try:
            arguments, _ = json.JSONDecoder().raw_decode(text, found.end())
        except ValueError:
            continue
        yield found["name"], arguments
    for link in _LINK.findall(text):
        yield _READER, {"link": link}


def check_results(earlier: Iterable[JsonObject], sent: Iterable[JsonObject]) -> None:
    """Raise Refused unless all results are there, at once, that steps which came before and those sent call for."""
    open_calls = {text_in(step, "id") for step in earlier if step.get("type") == "function_call"}
    for step in sent:
        match step.get("type"):
            case "function_call":
                open_calls.add(text_in(step, "id"))
            case "function_result":
                call = text_in(step, "call_id")
                if call not in open_calls:
                    raise Refused(400, "invalid_request", f"there is no open function call {call!r}")
                if isinstance(step.get("result"), list) or "result" not in step:
                    raise Refused(400, "invalid_request", "a result is a string or an object")
                open_calls.remove(call)
            case "user_input" if open_calls:
                break
    if open_calls:
        raise Refused(400, "invalid_request", f"no result for the function call {min(open_calls)!r}")
