"""What the model of a run does besides answering, by the number of a question: it searches, has code run, or calls."""

import re
from collections.abc import Iterator, Mapping, Sequence

from bot.offline import Act, Conversation
from bot.offline.answers import output
from bot.offline.orders import Order
from bot.offline.toolbox import Use, citation
from bot.offline.wire import JsonObject, objects_in, text_in
from tests.chaos.functions import NOISE
from tests.chaos.history_functions import Call

_EVERY = 10  # questions, of which these are the ones that are not just answered
_SEARCHES, _OPENS, _RUNS = 1, 2, 3
_ROUNDS: Mapping[int, Sequence[Sequence[str]]] = {
    4: (("look_up",),),
    5: (("look_up", "measure", "measure"),),
    6: (("measure",), ("look_up", "look_up"), ("look_up",)),
    7: (("send",),),
    8: (("look_up",), ("send", "look_up", "send"), ("send",)),
}
CITED = "Zürich grüßt 日本語 naïvely 🧶."
RAN = "I had code run for this."
SOURCE = "https://sources.example.org/"
OF = re.compile(r'print\("of (q\d{5})"\)|sources\.example\.org/(q\d{5})')
"""Code that was run for a question, or a source of its answer."""

_MEANWHILE = "I have a look at that and at that as well. "
_RETURNED = re.compile(r"\w+ → ")  # how results are told
_QUOTED = 200  # characters of what a function returned


def searches(tag: str) -> bool:
    """Whether an answer to a question has sources, where the tools for it are offered."""
    return _number(tag) in {_SEARCHES, _OPENS}


def code_of(tag: str) -> str:
    """The code that is run for a question."""
    return f'print("of {tag}")'


def _number(tag: str) -> int:
    thread, text = divmod(int(tag[1:]), 100)
    return (thread + text) % _EVERY


def calls_for(tags: Sequence[str], order: Order, *, rounds: int, token: str) -> Sequence[JsonObject]:
    """The functions that are called after so many rounds of them."""
    wanted = _ROUNDS.get(_number(tags[0]), ()) if tags else ()
    if rounds >= len(wanted):
        return ()
    names = [f"call-{number}-{token[-8:]}" for number in range(len(wanted[rounds]))]
    calls: list[JsonObject] = [
        {"type": "function_call", "id": name, "name": function, "arguments": _arguments(function, name)}
        for name, function in zip(names, wanted[rounds], strict=True)
        if function in order.functions
    ]
    # Words between two calls, so that a stream may break there.
    return [*calls[:1], output({"type": "text", "text": _MEANWHILE}), *calls[1:]] if len(calls) > 1 else calls


def _arguments(function: str, name: str) -> JsonObject:
    return {"call": name, "words": NOISE} if function == "send" else {"call": name}


def rounds_of(conversation: Conversation) -> tuple[tuple[str, ...], list[str]]:
    """What somebody asked last, and of each round of calls since what was returned."""
    said = [*conversation.earlier, conversation.question]
    at = max((place for place, one in enumerate(said) if one.by_person), default=len(said) - 1)
    told = ["".join(one.texts) for one in said[at + 1 :]]
    return said[at].texts, [text for text in told if _RETURNED.match(text)]


def words_of(tags: Sequence[str], order: Order, told: Sequence[str]) -> list[str]:
    """What an answer says of all that was done for it, a paragraph each."""
    found = [f"It was returned: {text[:_QUOTED].strip()}" for text in told[-1:]]
    if tags and searches(tags[0]) and _finds_sources(tags[0], order):
        found.append(CITED)
    if tags and _number(tags[0]) == _RUNS and "code_execution" in order.tools:
        found.append(RAN)
    return found


def act_for(tags: Sequence[str], text: str, order: Order, called: Sequence[JsonObject]) -> Act:
    """What is done, when *text* is what the answer says."""
    if called or not tags:
        return Act(called=called)
    return Act(Use(tuple(_steps(tags[0], order)), text, list(_citations(tags[0], text, order))))


def _finds_sources(tag: str, order: Order) -> bool:
    return ("google_search" if _number(tag) == _SEARCHES else "url_context") in order.tools


def _steps(tag: str, order: Order) -> Iterator[JsonObject]:
    number = _number(tag)
    if number == _SEARCHES and "google_search" in order.tools:
        found = f'<a class="chip" href="https://www.google.com/search?q={tag}">{tag} &lt;!channel&gt; @everyone</a>'
        yield {"type": "google_search_call", "id": "search-1", "arguments": {"queries": [f"{tag} Zürich"]}}
        yield {"type": "google_search_result", "call_id": "search-1", "result": [{"search_suggestions": found}]}
    elif number == _OPENS and "url_context" in order.tools:
        links = [f"{SOURCE}{tag}/1"]
        opened = [{"url": links[0], "status": "success"}]
        yield {"type": "url_context_call", "id": "open-1", "arguments": {"urls": links}}
        yield {"type": "url_context_result", "call_id": "open-1", "result": opened}
    elif number == _RUNS and "code_execution" in order.tools:
        arguments = {"code": code_of(tag), "language": "python"}
        yield {"type": "code_execution_call", "id": "code-1", "arguments": arguments}
        yield {"type": "code_execution_result", "call_id": "code-1", "result": f"of {tag} <!channel>\n"}


def _citations(tag: str, text: str, order: Order) -> Iterator[JsonObject]:
    if searches(tag) and _finds_sources(tag, order):
        for words, number in (("grüßt", 1), ("日本語", 2), ("naïvely", 1)):
            yield citation(text, words, f"{SOURCE}{tag}/{number}", f"{number} of {tag} – {NOISE}")


def read_calls(called: Sequence[JsonObject], tags: tuple[str, ...], interaction: str) -> list[Call]:
    """What was called, to be kept in mind."""
    calls = (one for one in called if one.get("type") == "function_call")
    return [Call(text_in(one, "id"), text_in(one, "name"), tags, interaction) for one in calls]


def groups_in(body: Mapping[str, object]) -> list[dict[str, str]]:
    """The results that a create tells, round by round, by call."""
    found: list[dict[str, str]] = []
    follows = False
    for step in objects_in(dict(body), "input"):
        if step.get("type") == "function_result":
            found += [] if follows else [{}]
            found[-1][text_in(step, "call_id")] = str(step.get("result"))
        follows = step.get("type") == "function_result"
    return found


def results_in(body: Mapping[str, object]) -> Mapping[str, str]:
    """The results that a create goes on from; none when it asks a question."""
    steps = objects_in(dict(body), "input")
    is_round = bool(steps) and steps[-1].get("type") == "function_result"
    return groups_in(body)[-1] if is_round else {}
