"""Whatever comes in place of an answer of Gemini's is read to its end: no error but our own, nothing unbounded kept."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import ModelError
from bot.interactions import Hop, read_fetched, retold
from bot.model_errors import error_for, raise_if_blocked, read_failure
from bot.remembered import read_remembered, recalled
from bot.sse import EventStream
from tests.support.hostile import JSON, TEXTS, bent, often, unstorable

STREAMS = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "samples" / "gemini").glob("*.sse"))]
CREATED = {"event_type": "interaction.created", "interaction": {"id": "v1_a", "status": "in_progress"}}


def events_of(body: bytes) -> list[Any]:
    stream = EventStream()
    return [*stream.feed(body), *stream.finish()]


EVENTS = [event for body in STREAMS for event in events_of(body)]


@st.composite
def disorder(draw: st.DrawFn) -> list[Any]:
    """Events of real streams, bent, doubled, left out and in any order."""
    chosen = draw(st.lists(st.sampled_from(EVENTS), max_size=12))
    return [bent(draw, event) if draw(st.booleans()) else event for event in chosen]


def read(events: Sequence[Any]) -> tuple[Hop, list[Any]]:
    hop = Hop(keeps_steps=True)
    told = [answer for event in events for answer in hop.read(event)]
    hop.finish()
    return hop, told


@often
@given(disorder())
@example([{"event_type": "step.start", "index": [1], "step": {"type": "model_output"}}])
@example([{"event_type": "step.delta", "index": {}, "delta": {"type": "text", "text": "\ud800"}}])
@example([{"event_type": "step.delta", "index": [], "delta": {"type": "search_call"}}])
@example([CREATED, {"event_type": "step.start", "index": 0, "step": {"type": "model_output", "content": 7}}])
@example([{"event_type": "interaction.completed", "interaction": {"id": "\ud800", "usage": {"total_tokens": 10**30}}}])
def test_no_events_in_whatever_order_break_the_reading_and_all_that_is_read_can_be_stored(events: list[Any]) -> None:
    hop, told = read(events)
    assert hop.steps is not None
    assert unstorable([told, hop.id, hop.usage, list(hop.steps.steps())]) == []

    if hop.error is not None:
        failure = read_failure(None, hop.error)
        assert isinstance(error_for(failure, model="m", chained=True), ModelError)
        hop.failures = (*hop.failures, failure.code)
    with suppress(ModelError):
        raise_if_blocked(hop.failures)


@often
@given(disorder())
def test_events_told_twice_change_nothing_but_what_is_told(events: list[Any]) -> None:
    once, _ = read(events)
    twice, _ = read([event for event in events for _ in range(2)])

    assert (once.id, once.status, once.is_over) == (twice.id, twice.status, twice.is_over)


def pieces_of(body: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    at = 0
    for cut in sorted({min(cut, len(body)) for cut in cuts}):
        yield body[at:cut]
        at = cut
    yield body[at:]


@often
@given(
    st.lists(st.sampled_from(STREAMS) | st.binary(max_size=30), max_size=3).map(b"".join),
    st.lists(st.tuples(st.integers(0, 5_000), st.binary(max_size=8)), max_size=5),
    st.lists(st.integers(0, 5_000), max_size=5),
)
def test_a_broken_stream_is_the_same_in_whatever_pieces_it_comes(
    body: bytes, dirt: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    for at, bad in dirt:
        body = body[:at] + bad + body[at + len(bad) :]
    stream = EventStream()
    found = [event for piece in pieces_of(body, cuts) for event in stream.feed(piece)]
    found += stream.finish()

    assert json.dumps(found) == json.dumps(events_of(body))
    assert unstorable(read(found)[1]) == []


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 994, b"data: x\n" * 125], ids=["one line", "one event"])
def test_of_a_stream_without_end_no_more_is_kept_than_its_limit(piece: bytes) -> None:
    stream = EventStream(most=100_000)
    found = [event for _ in range(200) for event in stream.feed(piece)]

    assert stream.ended
    assert found == []
    assert sum(map(len, (*stream._line, *stream._data))) == 0
    assert [*stream.finish()] == []


RESOURCE = {
    "id": "v1_a",
    "status": "completed",
    "model": "m",
    "created": "2026-01-01T00:00:00Z",
    "previous_interaction_id": "v1_b",
    "usage": {"total_tokens": 3, "total_input_tokens": 1, "total_output_tokens": 2},
    "errors": [{"code": "safety"}],
    "steps": [
        {"type": "user_input", "content": [{"type": "text", "text": "hello"}, {"type": "image", "data": "aGk="}]},
        {"type": "thought", "summary": [{"type": "text", "text": "hm"}]},
        {"type": "google_search_call", "id": "c"},
        {
            "type": "model_output",
            "content": [
                {"type": "text", "text": "hi", "annotations": [{"url": "https://a.example/", "title": "a"}]},
                {"type": "image", "data": "aGk=", "mime_type": "image/png"},
                {"type": "video", "uri": "https://a.example/film"},
            ],
        },
    ],
}


@often
@given(st.builds(lambda body: body, st.composite(lambda draw: bent(draw, RESOURCE))()) | JSON)
def test_no_interaction_that_is_fetched_breaks_the_reading(resource: Any) -> None:
    body = json.dumps(resource).encode()
    fetched, remembered = read_fetched(body), read_remembered(body)

    if fetched is not None:
        assert unstorable(retold([fetched])) == []
    if remembered is not None:
        assert unstorable(recalled([remembered]).usage) == []


@often
@given(TEXTS)
def test_no_bytes_are_too_odd_to_be_no_interaction(text: str) -> None:
    body = text.encode("utf-8", "replace")

    assert read_fetched(body) is None
    assert read_remembered(body) is None


@often
@given(st.one_of(st.none(), st.integers(0, 999)), JSON, st.dictionaries(st.sampled_from(["retry-after"]), TEXTS))
def test_no_error_whatever_is_without_a_meaning(status: int | None, body: Any, headers: dict[str, str]) -> None:
    failure = read_failure(status, {"error": body}, headers)

    assert failure.retry_after is None or failure.retry_after >= 0
    assert isinstance(error_for(failure, model="m", chained=False), ModelError)
