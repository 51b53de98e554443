"""What an agent of the offline model does for its money: thoughts, a search, and a report with sources. Pure."""

from collections.abc import Callable

from bot.offline.conversation import Conversation
from bot.offline.describe import excerpt
from bot.offline.toolbox import Use
from bot.offline.wire import JsonObject

Researcher = Callable[[Conversation], Use]
"""From a conversation to what an agent makes of it, its text included. Must be quick, and the same for the same."""

SOURCES = (
    ("https://example.org/z%C3%BCrich", "Zürich – example"),
    ("https://example.com/labyrinths", "Labyrinths, and the thread through them"),
)


def researched(conversation: Conversation) -> Use:
    """A whole research: its steps, its report in Markdown, and what that rests on."""
    text, citations = _report(conversation)
    return Use(_steps_before(conversation), text, citations, searches=1)


def _steps_before(conversation: Conversation) -> tuple[JsonObject, ...]:
    asked = excerpt(conversation.question.text)
    found: list[JsonObject] = [{"title": title, "url": url} for url, title in SOURCES]
    return (
        _thought("**Planning the research**\n\nWhat is asked, and where it may be found."),
        {"type": "google_search_call", "id": "search-1", "arguments": {"queries": [asked]}},
        {"type": "google_search_result", "call_id": "search-1", "result": found},
        _thought("**Comparing the sources**\n\nTwo of them say the same."),
    )


def _report(conversation: Conversation) -> tuple[str, list[JsonObject]]:
    """The report's Markdown, and its citations. Their indexes count bytes of UTF-8."""
    sentences = [
        "*I am Clew's offline model, not Gemini, and looked nothing up.*",
        f"# Grüße aus dem Labyrinth\n\nWhat was to be found out: {excerpt(conversation.question.text)}",
        f"## What is known\n\nNaïve 🧶 threads lead out. {_recalled(conversation.said_earlier)}",
        "## What is not\n\nWhere they lead in.",
    ]
    text = "\n\n".join(sentences)
    citations: list[JsonObject] = []
    for sentence, (url, title) in zip(sentences[1:3], SOURCES, strict=True):
        start = len(text[: text.index(sentence)].encode())
        citations.append(
            {
                "type": "url_citation",
                "url": url,
                "title": title,
                "start_index": start,
                "end_index": start + len(sentence.encode()),
            }
        )
    return text, citations


def _thought(summary: str) -> JsonObject:
    return {"type": "thought", "summary": [{"type": "text", "text": summary}], "signature": "c2lnbmF0dXJl"}


def _recalled(said: tuple[str, ...]) -> str:
    if not said:
        return "Nothing was said before."
    return "Before that you said: " + "; ".join(excerpt(text) for text in said)
