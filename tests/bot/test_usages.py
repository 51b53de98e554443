"""What an interaction took: tokens as it counts them, and searches, counted here where it does not."""

import json
from typing import Any

import pytest

from bot.answers import Completed, Text
from bot.gemini import open_model
from bot.interactions import Hop, read_fetched
from bot.messages import Usage
from bot.offline import CitationFault, Faults, offline_model
from bot.remembered import read_remembered
from tests.bot.test_tools import started

STOP = {"event_type": "step.stop", "index": 0}


def search(*queries: object) -> dict[str, Any]:
    return {"type": "google_search_call", "id": "s", "arguments": {"queries": list(queries)}}


def counted(*counts: object) -> dict[str, Any]:
    return {"total_input_tokens": 7, "grounding_tool_count": list(counts)}


@pytest.mark.parametrize(
    ("usage", "steps", "searches"),
    [
        pytest.param(counted({"type": "google_search", "count": 3}), [search("figs")], 3, id="as Gemini counts them"),
        pytest.param(
            counted({"type": "google_maps", "count": 9}, {"type": "google_search", "count": 2}), [], 2, id="not maps"
        ),
        pytest.param(counted(), [search("figs", " ", 7, "dates"), search("nuts")], 3, id="as they were seen"),
        pytest.param({"grounding_tool_count": "many"}, [{"type": "url_context_call"}], 0, id="none"),
        pytest.param(counted(None, {"type": "google_search", "count": -1}), [], 0, id="a count that is none"),
        pytest.param(counted({"type": "google_search", "count": 1 << 60}), [], 0, id="more than can be"),
        pytest.param("much", [], 0, id="no usage at all"),
    ],
)
def test_searches_are_counted_alike_streamed_fetched_and_recalled(
    usage: object, steps: list[dict[str, Any]], searches: int
) -> None:
    whole = {"id": "v1_a", "status": "completed", "steps": steps, "usage": usage}
    hop = Hop()
    for step in steps:
        for event in (started(step), STOP):
            list(hop.read(event))
    list(hop.read({"event_type": "interaction.completed", "interaction": {**whole, "steps": []}}))
    fetched, remembered = read_fetched(json.dumps(whole).encode()), read_remembered(json.dumps(whole).encode())

    assert fetched is not None
    assert remembered is not None
    tokens = 7 if isinstance(usage, dict) and "total_input_tokens" in usage else 0
    assert {hop.usage, fetched.usage, remembered.usage} == {Usage(input_tokens=tokens, searches=searches)}


async def test_the_searches_of_a_model_that_does_not_count_them_are_counted() -> None:
    faults = Faults()
    faults.arm(CitationFault())
    async with (
        offline_model(pace=0, faults=faults) as server,
        open_model(api_key="key", model="m", base_url=server.url) as model,
    ):
        events = [event async for event in model.answer((Text("hello"),), after=None)]

    assert isinstance(events[-1], Completed)
    assert events[-1].usage.searches == 1
