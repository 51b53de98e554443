"""What research is in a run of chaos: how much of it there may be, how long it takes, and what the agent reports."""

from collections.abc import Mapping
from dataclasses import replace

from bot.notices import research_done, research_warning
from bot.offline.conversation import Conversation
from bot.offline.research import SOURCES, researched
from bot.offline.toolbox import Use, citation

AGENT = "deep-research-preview-04-2026"
FILE = "report.md"
REST = 0.8  # seconds that the agent takes for each of its five steps
LONGEST = 15.0  # seconds that one may run
EVERY_SCARCE, SCARCE, PLENTY = 3, 4, 10_000  # one seed in so many has few researches a day, and how many those are

_WARNS, _OPENS = "it costs dollars", "Researched "
assert _WARNS in research_warning("", 60.0), "the words were changed"
assert _OPENS in research_done("", 0, ""), "the words were changed"


def cap_of(seed: int) -> int:
    """How many researches may be begun in the run of a seed."""
    return SCARCE if seed % EVERY_SCARCE == 0 else PLENTY


def settings(cap: int) -> Mapping[str, str]:
    """Of a bot whose research is in a hurry, and whose answers are soon too long to be streamed a second time."""
    return {
        "GEMINI_RESEARCH_AGENT": AGENT,
        "CLEW_DAILY_RESEARCH": str(cap),
        "CLEW_RESEARCH_MINUTES": str(LONGEST / 60),
        "CLEW_RESEARCH_WAIT_SECONDS": "1",
        "CLEW_RESEARCH_POLL_SECONDS": "0.3",
        "CLEW_BACKGROUND_SECONDS": "0.2",
    }


def report(text: str, conversation: Conversation) -> Use:
    """What the agent does for a report of that text, with the sources under it."""
    url, title = SOURCES[1]
    return replace(researched(conversation), text=text, citations=[citation(text, text[:20], url, title)])


def warns(text: str) -> bool:
    """Whether a message says that research is about to begin, or how far it is."""
    return _WARNS in text


def opens_report(text: str) -> bool:
    """Whether a message is the one before a report."""
    return text.lstrip("_* ").startswith(_OPENS)


def lists_sources(text: str) -> bool:
    """Whether a message is the end of an answer: its sources, for which there was no room under its words."""
    return text.lstrip("* ").startswith("Sources")
