"""Which of Gemini's tools are offered with a question, and which can be had where Google is to keep nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from bot.answers import Tool
from bot.messages import Thread

BUILT_IN = ("google_search", "url_context", "code_execution")
"""Those that can be offered by their names alone."""

NEED_STORAGE: Mapping[str, str] = {
    "google_search": "Google keeps questions and answers that were grounded in its search for 30 days",
    "google_maps": "Google keeps and uses questions that were grounded in its maps",
}
"""The tools that keep what passes through them, by type, and why they are never offered in a private thread."""

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "google_search": "Google Search",
        "url_context": "reading the pages you link to",
        "code_execution": "running code at Google",
        "google_maps": "Google Maps",
        "file_search": "files that the operator keeps at Google",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """The tools that the settings offer.

    Attributes:
        search_channels: where Google Search is offered, too.
        channels: more of them, by channel; one of the same kind and name takes the place of that offered everywhere.
    """

    everywhere: tuple[Tool, ...] = ()
    search_channels: frozenset[str] = frozenset()
    channels: Mapping[str, tuple[Tool, ...]] = field(default_factory=dict)

    def offered_in(self, thread: Thread, *, is_private: bool) -> tuple[Tool, ...]:
        """What is offered in a thread, in an order that is always the same: Gemini caches by what comes first."""
        tools = self.of_channel(thread.channel_id)
        return tuple(tool for tool in tools if not (is_private and tool.get("type") in NEED_STORAGE))

    def of_channel(self, channel_id: str) -> tuple[Tool, ...]:
        """What is offered in a channel that is not private."""
        own = self.channels.get(channel_id, ())
        taken = {_kind(tool) for tool in own}
        tools = [*(tool for tool in self.everywhere if _kind(tool) not in taken), *own]
        if channel_id in self.search_channels and not any(tool.get("type") == "google_search" for tool in tools):
            tools.append({"type": "google_search"})
        return tuple(tools)


NO_TOOLS = Toolbox()


def names_of(tools: Iterable[Tool]) -> tuple[str, ...]:
    """What tools are called in a log line: their types, with a server's name."""
    return tuple(" ".join(filter(None, _kind(tool))) for tool in tools)


def words_for(tools: Iterable[Tool]) -> str:
    """What tools are for, in words for the people of a thread. Markdown; empty for none."""
    return ", ".join(dict.fromkeys(map(_in_words, tools)))


def offered(tools: Sequence[Tool]) -> dict[str, object]:
    """The part of a create that offers tools; empty for none."""
    return {"tools": [dict(tool) for tool in tools]} if tools else {}


def offers_functions(tools: Sequence[Tool]) -> bool:
    """Whether there are functions of our own among them."""
    return bool(functions_of(tools))


def functions_of(tools: Sequence[Tool]) -> tuple[Tool, ...]:
    """Those that are functions of our own."""
    return tuple(tool for tool in tools if tool.get("type") == "function")


def unstored(create: Mapping[str, object]) -> dict[str, object]:
    """The body of a create as it has to be for Google to keep nothing of it."""
    given = create.get("tools")
    tools = [tool for tool in given if tool.get("type") not in NEED_STORAGE] if isinstance(given, list) else []
    body = {**create, "store": False, "tools": tools}
    return body if tools else {name: value for name, value in body.items() if name != "tools"}


def _kind(tool: Tool) -> tuple[str, str]:
    name = tool.get("name")
    return str(tool.get("type")), name if isinstance(name, str) else ""


def _in_words(tool: Tool) -> str:
    kind, name = _kind(tool)
    if kind == "mcp_server":
        named = f" `{name.replace('`', '')}`" if name else ""
        return f"the tool server{named}, which is not Google's and is sent what it is asked"
    return _WORDS.get(kind, f"`{kind}`")
