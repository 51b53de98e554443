"""What an interaction took, as the Interactions API tells it. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.messages import Usage
from bot.sse import JsonObject
from bot.tool_steps import searched_by

_MOST = 1 << 53  # what is above it is no count, and no database takes it


def read_usage(resource: JsonObject, *, searched: int = 0) -> Usage:
    """The usage of an interaction.

    Args:
        searched: queries that its steps were seen to put to Google Search, for where it does not count them itself.
    """
    counts: Any = resource.get("usage")
    if not isinstance(counts, Mapping):
        counts = {}
    return Usage(
        input_tokens=_count(counts.get("total_input_tokens")),
        output_tokens=_count(counts.get("total_output_tokens")),
        thought_tokens=_count(counts.get("total_thought_tokens")),
        cached_tokens=_count(counts.get("total_cached_tokens")),
        tool_tokens=_count(counts.get("total_tool_use_tokens")),
        total_tokens=_count(counts.get("total_tokens")),
        searches=_searches(counts.get("grounding_tool_count")) or searched,
    )


def searched_in(steps: Iterable[JsonObject]) -> int:
    """How many queries whole steps put to Google Search."""
    return sum(map(searched_by, steps))


def _searches(counts: object) -> int:
    """What is counted of Google Search, among what answers were grounded in."""
    told = [one for one in counts if isinstance(one, Mapping)] if isinstance(counts, list) else []
    return _count(sum(_count(one.get("count")) for one in told if one.get("type") == "google_search"))


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < _MOST else 0
