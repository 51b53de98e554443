"""The steps of an answer, put together from its stream, against those the SDK reads of the same answer in one piece."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from google import genai
from google.genai.types import HttpOptions

from bot.answers import PLAIN, After, Completed, Manner, ModelStep, Text, UserStep
from bot.errors import QuestionRejected
from bot.gemini import open_model
from bot.gemini_model import GeminiModel
from bot.interactions import Hop
from bot.messages import InteractionId
from bot.offline import (
    CitationFault,
    ContinuationFault,
    Fault,
    FinalStatusFault,
    ImageFault,
    OfflineModel,
    ThoughtFault,
    offline_model,
)

UNSTORED = Manner(is_stored=False)
HELLO = (Text("hello"),)


@asynccontextmanager
async def asked(*, tools: tuple[str, ...] = ()) -> AsyncIterator[tuple[GeminiModel, OfflineModel, Any]]:
    """Our model and the SDK's own way to the same server, which gives the same answer the same signature."""
    async with (
        offline_model(pace=0, new_id=lambda: "the same every time") as server,
        open_model(api_key="key", model="m", base_url=server.url, tools=[{"type": tool} for tool in tools]) as model,
    ):
        client = genai.Client(api_key="key", http_options=HttpOptions(base_url=server.url))
        yield model, server, client.aio.interactions
        await client.aio.aclose()
        client.close()


async def last_of(model: GeminiModel, *, after: After = None, manner: Manner = UNSTORED) -> Completed:
    events = [event async for event in model.answer(HELLO, after=after, manner=manner)]
    assert isinstance(events[-1], Completed)
    return events[-1]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(None, id="a plain answer"),
        pytest.param(ThoughtFault(), id="a thought with a summary"),
        pytest.param(ImageFault(), id="a picture after words"),
        pytest.param(ImageFault(with_text=False), id="a picture alone"),
        pytest.param(CitationFault(), id="a search, its result and citations"),
        pytest.param(FinalStatusFault("incomplete", after=2), id="an answer cut short"),
    ],
)
async def test_the_steps_of_a_stream_are_those_of_the_answer_in_one_piece(fault: Fault | None) -> None:
    async with asked() as (model, server, sdk):
        if fault is not None:
            server.faults.arm(fault, times=2)
        completed = await last_of(model)
        whole = await sdk.create(model="m", input="hello", store=False)

    ours = [json.loads(step.json) for step in completed.steps]
    assert ours == [step.model_dump(mode="json", exclude_none=True) for step in whole.steps]
    assert any(step["type"] == "thought" and step["signature"] for step in ours)


async def test_the_steps_of_an_answer_of_several_hops_stand_together_and_its_question_is_sent_with_each() -> None:
    async with asked() as (model, server, _):
        server.faults.arm(ContinuationFault(hops=3))
        events = [event async for event in model.answer(HELLO, after=None, manner=UNSTORED)]
        creates = server.creates

    assert isinstance(events[-1], Completed)
    outputs = [json.loads(step.json) for step in events[-1].steps]
    text = "".join(part["text"] for step in outputs for part in step.get("content", ()))
    assert "hello" in text
    assert [step["type"] for step in outputs].count("model_output") == 3
    assert all("previous_interaction_id" not in create and create["store"] is False for create in creates)
    assert [create["input"] for create in creates] == [creates[0]["input"]] * 3


async def test_what_is_sent_back_is_what_came_and_is_understood() -> None:
    async with asked() as (model, server, _):
        first = await last_of(model)
        history: After = (UserStep((Text("the word is plum"),)), *first.steps)
        events = [event async for event in model.answer((Text("recall it"),), after=history, manner=UNSTORED)]

    sent: Any = server.creates[1]["input"]
    assert [json.dumps(step) for step in sent[1:-1]] == [json.dumps(json.loads(step.json)) for step in first.steps]
    assert "the word is plum" in "".join(getattr(event, "text", "") for event in events)


async def test_a_thought_without_its_signature_is_refused() -> None:
    async with asked() as (model, _, _):
        first = await last_of(model)
        thought, output = first.steps
        unsigned = json.dumps({"type": json.loads(thought.json)["type"]})
        with pytest.raises(QuestionRejected) as refused:
            await last_of(model, after=(UserStep(HELLO), ModelStep(unsigned), output))

    assert refused.value.code == "missing_thought_signature"


async def test_what_is_stored_has_its_steps_at_gemini() -> None:
    async with asked() as (model, server, _):
        completed = await last_of(model, manner=PLAIN)

    assert completed.steps == ()
    assert "store" not in server.creates[0]


async def test_what_is_not_stored_never_goes_on_from_an_interaction() -> None:
    async with asked() as (model, server, _):
        with pytest.raises(ValueError, match="goes on from no interaction"):
            await last_of(model, after=InteractionId("v1_a"))

    assert server.creates == []


async def test_tools_that_keep_what_passes_through_them_are_not_offered_where_nothing_is_to_be_kept() -> None:
    async with asked(tools=("google_search", "url_context", "google_maps")) as (model, server, _):
        await last_of(model)
        await last_of(model, manner=PLAIN)
    async with asked(tools=("google_search",)) as (model, alone, _):
        await last_of(model)

    assert server.creates[0]["tools"] == [{"type": "url_context"}]
    assert [tool["type"] for tool in server.creates[1]["tools"]] == ["google_search", "url_context", "google_maps"]  # type: ignore[attr-defined]
    assert "tools" not in alone.creates[0]


# --- what no server of ours sends -------------------------------------------------------------


def read(*events: dict[str, Any]) -> list[dict[str, Any]]:
    hop = Hop(keeps_steps=True)
    for event in events:
        list(hop.read(event))
    assert hop.steps is not None
    return [json.loads(step.json) for step in hop.steps.steps()]


def delta(index: int, **fields: Any) -> dict[str, Any]:
    return {"event_type": "step.delta", "index": index, "delta": fields}


def start(index: int, **fields: Any) -> dict[str, Any]:
    return {"event_type": "step.start", "index": index, "step": fields}


def test_words_and_pictures_keep_their_order_though_a_picture_comes_in_slices() -> None:
    steps = read(
        start(0, type="model_output"),
        delta(0, type="text", text="before"),
        delta(0, type="image", mime_type="image/png", data="iVBORw0K"),
        delta(0, type="image", data="AAAA"),
        delta(0, type="text", text="af"),
        delta(0, type="text", text="ter"),
        delta(0, type="image", mime_type="image/png", uri="https://example.org/a.png"),
        {"event_type": "step.stop", "index": 0},
    )

    assert steps[0]["content"] == [
        {"type": "text", "text": "before"},
        {"type": "image", "mime_type": "image/png", "data": "iVBORw0KAAAA"},
        {"type": "text", "text": "after"},
        {"type": "image", "mime_type": "image/png", "uri": "https://example.org/a.png"},
    ]


def test_a_call_has_its_arguments_and_a_result_what_came_of_it() -> None:
    steps = read(
        start(0, type="function_call", id="c1", name="look_up", arguments={}),
        delta(0, type="arguments_delta", arguments='{"what": '),
        delta(0, type="arguments_delta", arguments='"it"}'),
        delta(0, type="thought_signature", signature="c2ln"),
        start(1, type="url_context_result", call_id="c2", result=[]),
        delta(1, type="url_context_result", result=[{"url": "https://example.org"}], signature="cmVz"),
    )

    assert steps == [
        {"type": "function_call", "id": "c1", "name": "look_up", "arguments": {"what": "it"}, "signature": "c2ln"},
        {
            "type": "url_context_result",
            "call_id": "c2",
            "result": [{"url": "https://example.org"}],
            "signature": "cmVz",
        },
    ]


def test_a_step_of_a_kind_nobody_knows_yet_is_sent_back_as_it_began() -> None:
    assert read(start(0, type="hologram", depth=3), delta(0, type="scent")) == [{"type": "hologram", "depth": 3}]


def test_a_step_has_no_line_breaks_whatever_is_said_in_it() -> None:
    hop = Hop(keeps_steps=True)
    list(hop.read(delta(0, type="text", text="a\nb c\r\n")))

    assert hop.steps is not None
    [step] = hop.steps.steps()
    assert "\n" not in step.json
    assert json.loads(step.json)["content"][0]["text"] == "a\nb c\r\n"
