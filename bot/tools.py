"""Which of Gemini's tools are offered with a question, and which can be had where Google is to keep nothing."""

from collections.abc import Mapping, Sequence

from bot.answers import Tool

NEED_STORAGE: Mapping[str, str] = {
    "google_search": "Google keeps questions and answers that were grounded in its search for 30 days",
    "google_maps": "Google keeps and uses questions that were grounded in its maps",
}
"""The tools that keep what passes through them, by type, and why they are never offered in a private thread."""


def offered(tools: Sequence[Tool]) -> dict[str, object]:
    """The part of a create that offers tools; empty for none."""
    return {"tools": [dict(tool) for tool in tools]} if tools else {}


def offers_functions(tools: Sequence[Tool]) -> bool:
    """Whether there are functions of our own among them."""
    return any(tool.get("type") == "function" for tool in tools)


def unstored(create: Mapping[str, object]) -> dict[str, object]:
    """The body of a create as it has to be for Google to keep nothing of it."""
    given = create.get("tools")
    tools = [tool for tool in given if tool.get("type") not in NEED_STORAGE] if isinstance(given, list) else []
    body = {**create, "store": False, "tools": tools}
    return body if tools else {name: value for name, value in body.items() if name != "tools"}
