"""Our reader of event streams against the SDK's: same bytes, same answer."""

import asyncio
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.interactions import Hop
from bot.model_errors import read_failure
from bot.sse import EventStream
from tests.support.gemini_replay import SAMPLES, Read, TypedReader, replay_server

LINE_ENDS = [b"\n", b"\r\n", b"\r"]


def read_by_us(pieces: Iterator[bytes]) -> Read:
    stream, hop, read = EventStream(), Hop(), Read()
    for piece in pieces:
        for found in stream.feed(piece):
            if hop.error is None:
                read.told += hop.read(found)
    for found in stream.finish():
        if hop.error is None:
            read.told += hop.read(found)
    read.status, read.usage, read.continuation = hop.status, hop.usage, hop.continuation
    read.error = None if hop.error is None else read_failure(None, hop.error).code
    return read


def spelled(sample: Path, end: bytes) -> bytes:
    return sample.read_bytes().replace(b"\n", end)


def cut(body: bytes, at: list[int]) -> Iterator[bytes]:
    edges = [0, *sorted(edge % (len(body) + 1) for edge in at), len(body)]
    return (body[start:end] for start, end in pairwise(edges))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
async def test_the_sdk_and_we_read_the_same_answer(sample: Path) -> None:
    spellings = [spelled(sample, end) for end in LINE_ENDS]
    async with replay_server() as replay:
        reader = TypedReader(replay)
        typed = [await reader.read(body) for body in spellings]
        await reader.close()

    ours = [read_by_us(iter([body])) for body in spellings]

    assert ours == typed
    assert ours[0].told  # every sample tells something


@pytest.mark.parametrize("end", LINE_ENDS, ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_it_does_not_matter_that_the_network_delivers_byte_by_byte(sample: Path, end: bytes) -> None:
    body = b"\xef\xbb\xbf" + spelled(sample, end)

    whole = read_by_us(iter([body]))

    assert whole.told
    assert read_by_us(bytes([byte]) for byte in body) == whole


@pytest.mark.parametrize("end", LINE_ENDS, ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("name", ["noise", "thought_and_text"])
def test_it_does_not_matter_where_the_network_cuts_the_stream(name: str, end: bytes) -> None:
    [body] = [spelled(sample, end) for sample in SAMPLES if sample.stem == name]

    whole = read_by_us(iter([body]))

    assert whole.told
    for edge in range(len(body)):
        assert read_by_us(cut(body, [edge])) == whole


# --- streams nobody recorded ------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
indexes = st.integers(0, 3)
counts = st.none() | st.integers(0, 2**40)
tools = st.sampled_from(["google_search", "url_context", "code_execution", "file_search", "google_maps"])
statuses = st.sampled_from([
    "in_progress", "queued", "completed", "incomplete", "failed", "cancelled", "budget_exceeded", "requires_action",
    "requires_continuation",
])  # fmt: skip
interactions = st.fixed_dictionaries(
    {"id": st.sampled_from(["v1_a", "v1_b"]), "status": statuses},
    optional={
        "usage": st.fixed_dictionaries(
            {},
            optional={
                f"total_{name}": counts
                for name in ("tokens", "input_tokens", "output_tokens", "thought_tokens", "tool_use_tokens")
            },
        ),
        "continuation_token": st.sampled_from(["t1", "t2"]),
    },
)
citations = st.fixed_dictionaries(
    {"type": st.just("url_citation"), "url": st.sampled_from(["https://a.example/", "https://b.example/ü"])},
    optional={"title": texts, "start_index": counts},
)
deltas = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": texts}),
    st.fixed_dictionaries({
        "type": st.just("thought_summary"),
        "content": st.fixed_dictionaries({"type": st.just("text"), "text": texts}),
    }),
    st.fixed_dictionaries({"type": st.just("thought_signature"), "signature": st.just("c2ln")}),
    st.fixed_dictionaries({
        "type": st.just("text_annotation_delta"), "annotations": st.lists(citations, max_size=3)
    }),
    # No bytes: a file is told when it is whole, which the SDK leaves to its user. See test_interactions_media.
    st.fixed_dictionaries({"type": st.just("video"), "uri": st.just("https://a.example/film")}),
    st.fixed_dictionaries({"type": st.just("arguments_delta"), "arguments": texts}),
    st.fixed_dictionaries({"type": tools.map("{}_call".format), "id": st.just("c")}),
    st.fixed_dictionaries({"type": st.just("telepathy"), "text": texts}),
)  # fmt: skip
steps = st.one_of(
    st.sampled_from(["model_output", "thought", "daydream"]).map(lambda kind: {"type": kind}),
    tools.map(lambda tool: {"type": f"{tool}_call", "id": "c"}),
)
events = st.one_of(
    st.fixed_dictionaries({"event_type": st.just("interaction.created"), "interaction": interactions}),
    st.fixed_dictionaries({"event_type": st.just("interaction.completed"), "interaction": interactions}),
    st.fixed_dictionaries({
        "event_type": st.just("interaction.status_update"), "interaction_id": st.just("v1_a"), "status": statuses
    }),
    st.fixed_dictionaries({"event_type": st.just("step.start"), "index": indexes, "step": steps}),
    st.fixed_dictionaries({"event_type": st.just("step.delta"), "index": indexes, "delta": deltas}),
    st.fixed_dictionaries({"event_type": st.just("step.stop"), "index": indexes}),
    st.fixed_dictionaries({"event_type": st.just("interaction.dreamt"), "depth": counts}),
    st.fixed_dictionaries({
        "event_type": st.just("error"), "error": st.fixed_dictionaries({"code": st.just("api_error")})
    }),
    st.fixed_dictionaries({"error": st.fixed_dictionaries({"code": st.just("unavailable")})}),
)  # fmt: skip


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """The bytes of a stream, with all the liberties the format leaves."""
    blocks: list[str] = []
    for event in draw(st.lists(events, max_size=8)):
        written = json.dumps(event, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
        lines = [f"data:{draw(st.sampled_from(['', ' ']))}{line}" for line in written.split("\n")]
        for noise in draw(st.lists(st.sampled_from([": ping", "id: 4", "retry: 5", "event: step.delta"]), max_size=2)):
            lines.insert(draw(st.integers(0, len(lines))), noise)
        blocks.append("\n".join(lines))
        blocks.extend(draw(st.lists(st.sampled_from([": ping", "data: {junk", "event: ping", "", "data"]), max_size=2)))
    if draw(st.booleans()):
        blocks.append("data: [DONE]")
    mark, end = draw(st.sampled_from(["", "\ufeff"])), draw(st.sampled_from(LINE_ENDS))
    return (mark + "\n\n".join([*blocks, ""])).encode().replace(b"\n", end)


def test_the_sdk_and_we_read_the_same_answer_from_any_stream() -> None:
    with asyncio.Runner() as runner:
        server = replay_server()
        replay = runner.run(server.__aenter__())
        reader = TypedReader(replay)

        @settings(max_examples=60, deadline=None)
        @given(body=streams(), at=st.lists(st.integers(0, 10_000), max_size=6))
        def agree(body: bytes, at: list[int]) -> None:
            assert read_by_us(cut(body, at)) == runner.run(reader.read(body))

        try:
            agree()
        finally:
            runner.run(reader.close())
            runner.run(server.__aexit__(None, None, None))
