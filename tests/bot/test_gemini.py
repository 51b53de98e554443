"""Gemini through the real SDK, against the offline server of its API: what is asked, and every way it is answered."""

import asyncio
import base64
import importlib
import json
import logging
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, Literal

import pytest
from google import genai
from google.genai.types import HttpOptions

from bot.answers import (
    After,
    AnswerEvent,
    Completed,
    Created,
    Draft,
    InteractionState,
    Media,
    MediaKind,
    ModelStep,
    Question,
    Text,
    TextPiece,
    Thought,
    ToolUse,
    UserStep,
)
from bot.errors import (
    AnswerBlocked,
    AnswerBroken,
    ContextLost,
    InteractionLost,
    KeyRejected,
    ModelBusy,
    ModelError,
    ModelUnavailable,
    ModelUnknown,
    PaymentRequired,
    QuestionRejected,
    QuotaExhausted,
)
from bot.evidence import Citation, Suggestion
from bot.gemini import open_model
from bot.gemini_model import GeminiModel
from bot.messages import InteractionId, Usage
from bot.offline import (
    Afterwards,
    Call,
    CitationFault,
    ContinuationFault,
    CutFault,
    DropFault,
    EmptyFault,
    ErrorEventFault,
    ErrorShape,
    Fault,
    FinalStatusFault,
    ForgetFault,
    FunctionCallFault,
    ImageFault,
    InProgressFault,
    OfflineModel,
    PingFault,
    ResetFault,
    StallAt,
    StallFault,
    StatusFault,
    ThoughtFault,
    UndecodableFault,
    UnknownFault,
    offline_model,
)
from tests.support.gemini_replay import SAMPLES, Replay, replay_server

KEY = "AIza-a-key-nobody-may-see"
HELLO: Question = (Text("hello there"),)


@asynccontextmanager
async def gemini(*faults: Fault, concurrency: int = 10) -> AsyncIterator[tuple[GeminiModel, OfflineModel]]:
    """The model over an offline server that will meet these faults."""
    async with (
        offline_model(pace=0) as server,
        open_model(
            api_key=KEY,
            model="gemini-test",
            base_url=server.url,
            concurrency=concurrency,
            system_instruction="Be brief.",
            tools=[{"type": "url_context"}],
            thinking_level="low",
        ) as model,
    ):
        for fault in faults:
            server.faults.arm(fault)
        yield model, server


@asynccontextmanager
async def replayed(name: str | None = None) -> AsyncIterator[tuple[GeminiModel, Replay]]:
    """The model over a server that answers with a recorded stream."""
    async with replay_server() as server, open_model(api_key=KEY, model="gemini-test", base_url=server.url) as model:
        if name is not None:
            [server.body] = [sample.read_bytes() for sample in SAMPLES if sample.stem == name]
        yield model, server


async def ask(model: GeminiModel, question: Question = HELLO, after: After = None) -> list[AnswerEvent]:
    return [event async for event in model.answer(question, after=after)]


async def refusal(model: GeminiModel, *, after: After = None) -> tuple[list[AnswerEvent], ModelError]:
    """What was told before the answer failed, and how it failed."""
    told: list[AnswerEvent] = []
    with pytest.raises(ModelError) as failed:
        async for event in model.answer(HELLO, after=after):
            told.append(event)  # noqa: PERF401 - what was told before the failure counts
    return told, failed.value


def text_of(events: list[AnswerEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextPiece))


def last_of(events: list[AnswerEvent]) -> Completed:
    assert isinstance(events[-1], Completed)
    return events[-1]


# --- what is asked ----------------------------------------------------------------------------


async def test_an_answer_begins_with_its_interaction_and_ends_with_what_it_cost() -> None:
    async with gemini() as (model, server):
        events = await ask(model)

    assert isinstance(events[0], Created)
    assert "hello there" in text_of(events)
    assert last_of(events).interaction == events[0].interaction
    assert not last_of(events).truncated
    assert last_of(events).usage.total_tokens > 0
    assert len(server.creates) == 1


async def test_a_second_question_goes_on_from_the_first_answer() -> None:
    async with gemini() as (model, server):
        first = last_of(await ask(model, (Text("my name is Ada"),)))
        events = await ask(model, (Text("what is my name, recall it"),), first.interaction)

    assert "my name is Ada" in text_of(events)
    assert server.creates[1]["previous_interaction_id"] == first.interaction


async def test_every_question_carries_model_instruction_tools_and_thinking() -> None:
    async with gemini() as (model, server):
        first = last_of(await ask(model))
        await ask(model, after=first.interaction)
        await ask(model, after=(UserStep((Text("before"),)),))

    for body in server.creates:
        assert body["model"] == "gemini-test"
        assert body["system_instruction"] == "Be brief."
        assert body["tools"] == [{"type": "url_context"}]
        assert body["generation_config"] == {"thinking_summaries": "auto", "thinking_level": "low"}
        assert body["stream"] is True


async def test_a_question_can_go_on_from_a_history_instead() -> None:
    step = '{"type":"model_output","content":[{"type":"text","text":"Nice to meet you."}],"kept":[1.5,"as it was"]}'
    async with gemini() as (model, server):
        events = await ask(model, (Text("recall it"),), (UserStep((Text("my name is Ada"),)), ModelStep(step)))

    assert "my name is Ada" in text_of(events)
    [body] = server.creates
    assert "previous_interaction_id" not in body
    steps = body["input"]
    assert isinstance(steps, list)
    assert steps[1]["kept"] == [1.5, "as it was"]
    assert steps[2] == {"type": "user_input", "content": [{"type": "text", "text": "recall it"}]}


@pytest.mark.parametrize("size", [40, 400_000], ids=["small", "large"])
async def test_a_file_arrives_byte_for_byte(size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    async with replayed("empty") as (model, server):
        await ask(model, (Text("look"), Media(MediaKind.IMAGE, "image/png", data=data)))

    [body] = server.asked
    content = body["input"][0]["content"][1]
    assert (content["type"], content["mime_type"]) == ("image", "image/png")
    assert base64.b64decode(content["data"]) == data


async def test_a_large_file_of_the_history_arrives_too() -> None:
    data = bytes(300_000)
    async with replayed("empty") as (model, server):
        await ask(model, after=(UserStep((Media(MediaKind.AUDIO, "audio/wav", data=data),)),))

    assert base64.b64decode(server.asked[0]["input"][0]["content"][0]["data"]) == data


# --- what comes back --------------------------------------------------------------------------


async def test_thoughts_are_told_apart_from_the_answer() -> None:
    async with gemini(ThoughtFault(summary="Let me see.")) as (model, _):
        events = await ask(model)

    assert Thought("Let me see.") in events
    assert "Let me see." not in text_of(events)


async def test_a_searched_answer_names_its_tool_and_its_sources() -> None:
    fault = CitationFault()
    async with gemini(fault) as (model, _):
        events = await ask(model)

    assert [event for event in events if isinstance(event, ToolUse)] == [ToolUse("google_search")]
    assert Citation(fault.url, fault.title, 0, len(fault.text.encode())) in events
    assert Suggestion("Zürich", "https://www.google.com/search?q=Z%C3%BCrich") in events
    assert fault.text in text_of(events)


@pytest.mark.parametrize("with_text", [True, False], ids=["with text", "alone"])
async def test_a_picture_comes_with_the_answer(with_text: bool) -> None:
    async with gemini(ImageFault(with_text=with_text)) as (model, _):
        events = await ask(model)

    [picture] = [event for event in events if isinstance(event, Media)]
    assert (picture.kind, picture.mime_type) == (MediaKind.IMAGE, "image/png")
    assert picture.data is not None
    assert picture.data.startswith(b"\x89PNG\r\n\x1a\n")
    assert bool(text_of(events)) is with_text


@pytest.mark.parametrize("fault", [UnknownFault(), UndecodableFault()], ids=["unknown kinds", "junk"])
async def test_what_nobody_knows_yet_does_not_disturb_an_answer(fault: Fault) -> None:
    async with gemini(fault) as (model, _):
        disturbed = await ask(model)
        calm = await ask(model)

    assert text_of(disturbed) == text_of(calm)
    assert not last_of(disturbed).truncated


async def test_an_empty_answer_is_completed_all_the_same() -> None:
    async with gemini(EmptyFault()) as (model, _):
        events = await ask(model)

    assert [type(event) for event in events] == [Created, Completed]


@pytest.mark.parametrize("status", ["incomplete", "budget_exceeded"])
async def test_an_answer_that_ran_into_a_limit_is_marked(status: str) -> None:
    fault = FinalStatusFault("incomplete" if status == "incomplete" else "budget_exceeded", after=2)
    async with gemini(fault) as (model, _):
        events = await ask(model)

    assert last_of(events).truncated
    assert text_of(events)


# --- long answers -----------------------------------------------------------------------------


async def test_an_answer_of_several_hops_is_one_answer() -> None:
    async with gemini(ContinuationFault(hops=3)) as (model, server):
        hops = await ask(model)
        whole = await ask(model)

    created = [event.interaction for event in hops if isinstance(event, Created)]
    assert len(set(created)) == 3
    assert text_of(hops) == text_of(whole)
    assert last_of(hops).interaction == created[-1]
    first, second, third, _ = server.creates
    assert "input" in first
    for body, before in ((second, created[0]), (third, created[1])):
        assert body["previous_interaction_id"] == before
        assert body["continuation_token"]
        assert "input" not in body
        assert body["tools"] == first["tools"]


async def test_hops_are_asked_for_as_the_sdk_itself_would() -> None:
    async with gemini(ContinuationFault(hops=3)) as (model, server):
        await ask(model)
        server.faults.arm(ContinuationFault(hops=3))
        client = genai.Client(api_key=KEY, http_options=HttpOptions(base_url=server.url))
        stream: Any = await client.aio.interactions.create(
            model="gemini-test",
            input=[{"type": "user_input", "content": [{"type": "text", "text": "hello there"}]}],
            system_instruction="Be brief.",
            tools=[{"type": "url_context"}],
            generation_config={"thinking_summaries": "auto", "thinking_level": "low"},
            stream=True,
        )
        async with stream:
            async for _ in stream:
                pass
        await client.aio.aclose()
        client.close()

    given = ("previous_interaction_id", "continuation_token")
    bodies = [{key: "given" if key in given else value for key, value in body.items()} for body in server.creates]
    assert bodies[:3] == bodies[3:]


async def test_the_hops_of_an_answer_are_paid_together() -> None:
    async with replayed() as (model, server):
        hops = {sample.stem: sample.read_bytes() for sample in SAMPLES}
        server.body = hops["hop_1"]
        events: list[AnswerEvent] = []
        async with aclosing(model.answer(HELLO, after=None)) as answer:
            async for event in answer:
                events.append(event)
                server.body = hops["hop_2"]

    assert text_of(events) == "The first and the last."
    assert last_of(events) == Completed(InteractionId("v1_b"), Usage(22, 14, 10, 6, 4, 56))


@pytest.mark.parametrize(
    "fault",
    [StatusFault(503), StatusFault(429), StatusFault(400), DropFault(), ForgetFault(), CutFault(after=0)],
    ids=str,
)
async def test_an_answer_that_fails_between_two_hops_is_broken(fault: Fault) -> None:
    async with gemini(ContinuationFault(hops=2), fault) as (model, _):
        told, failure = await refusal(model)

    assert isinstance(failure, AnswerBroken)
    assert text_of(told)


async def test_an_answer_does_not_go_on_for_ever() -> None:
    async with gemini(ContinuationFault(hops=1000)) as (model, server):
        _, failure = await refusal(model)

    assert isinstance(failure, AnswerBroken)
    assert len(server.creates) == 20


# --- what goes wrong before the answer --------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (StatusFault(400), QuestionRejected),
        (StatusFault(400, message="API key not valid."), KeyRejected),
        (StatusFault(400, message="API key not valid.", shape=ErrorShape.GOOGLE), KeyRejected),
        (StatusFault(400, code="safety"), AnswerBlocked),
        (StatusFault(401), KeyRejected),
        (StatusFault(402), PaymentRequired),
        (StatusFault(402, shape=ErrorShape.GOOGLE), PaymentRequired),
        (StatusFault(403, message="API key expired."), KeyRejected),
        (StatusFault(404, code="model_not_found"), ModelUnknown),
        (StatusFault(404, message="not here"), QuestionRejected),
        (StatusFault(408), ModelUnavailable),
        (StatusFault(409), ModelUnavailable),
        (StatusFault(429), ModelBusy),
        (StatusFault(429, shape=ErrorShape.GOOGLE), ModelBusy),
        (StatusFault(429, shape=ErrorShape.HTML), ModelBusy),
        (StatusFault(429, code="quota_exceeded"), QuotaExhausted),
        (StatusFault(500), ModelUnavailable),
        (StatusFault(502, shape=ErrorShape.HTML), ModelUnavailable),
        (StatusFault(503), ModelUnavailable),
        (StatusFault(503, shape=ErrorShape.GOOGLE), ModelUnavailable),
        (DropFault(), ModelUnavailable),
    ],
    ids=str,
)
async def test_a_refusal_is_asked_once_and_told_by_its_class(fault: Fault, expected: type[ModelError]) -> None:
    async with gemini(fault) as (model, server):
        told, failure = await refusal(model)

    assert type(failure) is expected
    assert told == []
    assert len(server.creates) == 1


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (StatusFault(429, retry_after="3600"), 3600.0),
        (StatusFault(429, retry_after_ms="250"), 0.25),
        (StatusFault(429, retry_delay="3s", shape=ErrorShape.GOOGLE), 3.0),
        (StatusFault(503, retry_after="2"), 2.0),
        (StatusFault(503), None),
    ],
    ids=["header", "milliseconds", "body", "of a server error", "none"],
)
async def test_a_wait_the_server_asks_for_is_passed_on_and_not_slept(fault: Fault, seconds: float | None) -> None:
    async with gemini(fault) as (model, _), asyncio.timeout(30):
        _, failure = await refusal(model)

    assert isinstance(failure, ModelBusy | ModelUnavailable)
    assert failure.retry_after == seconds


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with replay_server() as server:
        gone = server.url
    async with open_model(api_key=KEY, model="gemini-test", base_url=gone) as model:
        _, failure = await refusal(model)
        with pytest.raises(ModelUnavailable):
            await model.look_up(InteractionId("v1_any"))

    assert isinstance(failure, ModelUnavailable)


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_a_forgotten_context_is_told_as_lost(status: Literal[400, 403, 404]) -> None:
    async with gemini() as (model, server):
        first = last_of(await ask(model))
        server.faults.arm(ForgetFault(status=status))
        told, failure = await refusal(model, after=first.interaction)
        with pytest.raises(InteractionLost):
            await model.look_up(first.interaction)

    assert isinstance(failure, ContextLost)
    assert told == []


@pytest.mark.parametrize(
    ("content_type", "status"), [("text/html", 200), ("application/json", 200), ("text/html", 302)]
)
async def test_a_page_in_place_of_an_answer_is_no_answer(content_type: str, status: int) -> None:
    async with replayed() as (model, server):
        server.content_type, server.status, server.body = content_type, status, b"<html>Please sign in</html>"
        told, failure = await refusal(model)
        with pytest.raises(ModelUnavailable):
            await model.look_up(InteractionId("v1_any"))

    assert isinstance(failure, ModelUnavailable)
    assert told == []


async def test_the_key_does_not_follow_a_redirect_to_another_host() -> None:
    async with replay_server() as elsewhere, replayed() as (model, server):
        server.status, server.headers = 307, {"Location": f"{elsewhere.url}/v1/interactions"}
        _, failure = await refusal(model)

    assert isinstance(failure, ModelUnavailable)
    assert elsewhere.asked == []


# --- what goes wrong in the middle ------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        CutFault(after=2),
        CutFault(after=0),
        ResetFault(after=2),
        ErrorEventFault(code="api_error"),
        ErrorEventFault(code="service_unavailable", bare=True),
        ErrorEventFault(code="rate_limit_exceeded"),
        FinalStatusFault("failed", errors=(("malformed_tool_call", "Oh."),)),
        FinalStatusFault("failed"),
        FinalStatusFault("cancelled"),
    ],
    ids=str,
)
async def test_an_answer_that_stops_coming_is_broken(fault: Fault) -> None:
    async with gemini(fault) as (model, server):
        told, failure = await refusal(model)

    assert type(failure) is AnswerBroken
    assert isinstance(told[0], Created)
    assert not any(isinstance(event, Completed) for event in told)
    assert len(server.creates) == 1


@pytest.mark.parametrize("name", ["cut", "cut_inside_an_event", "error_event", "bare_error", "failed", "cancelled"])
async def test_a_recorded_stream_that_ends_badly_is_broken(name: str) -> None:
    async with replayed(name) as (model, _):
        _, failure = await refusal(model)

    assert type(failure) is AnswerBroken


async def test_a_stream_of_nothing_is_broken() -> None:
    async with replayed() as (model, _):
        _, failure = await refusal(model)

    assert type(failure) is AnswerBroken


async def test_an_error_event_in_place_of_an_answer_is_a_refusal() -> None:
    async with replayed() as (model, server):
        server.body = b'event: error\ndata: {"error":{"code":"rate_limit_exceeded","message":"Slow down."}}\n\n'
        _, failure = await refusal(model)

    assert type(failure) is ModelBusy


@pytest.mark.parametrize(
    "fault",
    [
        ErrorEventFault(code="prohibited_content"),
        ErrorEventFault(code="prohibited_content", bare=True),
        FinalStatusFault("failed", errors=(("prohibited_content", "No."),)),
    ],
    ids=["event", "bare event", "failed interaction"],
)
async def test_a_blocked_answer_is_told_as_blocked(fault: Fault) -> None:
    async with gemini(fault) as (model, _):
        told, failure = await refusal(model)
        assert isinstance(told[0], Created)
        with pytest.raises(AnswerBlocked):
            await model.look_up(told[0].interaction)

    assert isinstance(failure, AnswerBlocked)
    assert failure.code == "prohibited_content"


async def test_a_model_that_wants_a_function_called_is_not_asked_again() -> None:
    async with gemini(FunctionCallFault()) as (model, _):
        told, failure = await refusal(model)
        assert isinstance(told[0], Created)
        found = await model.look_up(told[0].interaction)

    assert isinstance(failure, QuestionRejected)
    assert failure.code == "requires_action"
    assert found.state is InteractionState.CALLING


# --- hanging up -------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [StallFault(), PingFault()], ids=["silent", "pinging"])
async def test_closing_the_answer_hangs_up_at_once(fault: Fault) -> None:
    async with gemini(fault) as (model, server), asyncio.timeout(30):
        async with aclosing(model.answer(HELLO, after=None)) as answer:
            async for event in answer:
                if isinstance(event, TextPiece):
                    break
        await server.hung_up()


@pytest.mark.parametrize(
    "fault", [StallFault(), StallFault(at=StallAt.FIRST_EVENT), StallFault(at=StallAt.HEADERS)], ids=str
)
async def test_cancelling_whoever_waits_hangs_up_at_once(fault: Fault) -> None:
    async with gemini(fault) as (model, server), asyncio.timeout(30):
        asking = asyncio.ensure_future(ask(model))
        await server.received()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await server.hung_up()


async def test_a_finished_answer_does_not_wait_for_a_connection_that_stays_open() -> None:
    async with replayed("thought_and_text") as (model, server), asyncio.timeout(30):
        server.stays_open = True
        events = await ask(model)

    assert last_of(events).usage.total_tokens == 28


async def test_an_answer_leaves_its_connection_to_the_next_one() -> None:
    async with replayed("thought_and_text") as (model, server):
        await ask(model)
        await ask(model)

    assert len(set(server.asked_from)) == 1


async def test_as_many_answers_come_at_once_as_the_setting_says() -> None:
    many = 120  # more than the SDK's own pool holds
    async with gemini(concurrency=many) as (model, server), asyncio.timeout(30), asyncio.TaskGroup() as group:
        server.faults.arm(StallFault(after=1), times=None)
        questions = [f"question {number}." for number in range(many)]
        answers = [group.create_task(ask(model, (Text(question),))) for question in questions]
        for question in questions:
            await server.streaming(text=question)
        server.faults.disarm()
        server.faults.release()

    assert all(text_of(answer.result()) for answer in answers)


# --- looking up -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [None, CitationFault(), ImageFault(), ThoughtFault(), EmptyFault(), UnknownFault()],
    ids=["text", "citations", "picture", "thought", "empty", "unknown kinds"],
)
async def test_a_fetched_answer_is_the_streamed_one(fault: Fault | None) -> None:
    streamed, fetched = Draft(), Draft()
    async with gemini(*([fault] if fault else [])) as (model, _):
        events = await ask(model)
        found = await model.look_up(last_of(events).interaction)

    for event in events:
        streamed.add(event)
    for event in found.events:
        fetched.add(event)
    assert found.state is InteractionState.COMPLETED
    assert fetched.answer == streamed.answer
    assert found.events[0] == events[0]
    assert found.events[-1] == events[-1]


async def test_an_answer_that_was_cut_is_found_whole() -> None:
    async with gemini(CutFault(after=1)) as (model, server):
        told, _ = await refusal(model)
        assert isinstance(told[0], Created)
        await server.settled(told[0].interaction)
        found = await model.look_up(told[0].interaction)
        whole = await ask(model)

    assert found.state is InteractionState.COMPLETED
    assert text_of(list(found.events)) == text_of(whole)


async def test_an_answer_that_ran_into_a_limit_is_marked_when_fetched_too() -> None:
    async with gemini(FinalStatusFault("incomplete", after=2)) as (model, _):
        events = await ask(model)
        found = await model.look_up(last_of(events).interaction)

    assert found.events[-1] == last_of(events)
    assert last_of(events).truncated


async def test_an_interaction_in_progress_is_running() -> None:
    async with gemini() as (model, server):
        done = last_of(await ask(model))
        server.faults.arm(InProgressFault())
        running = await model.look_up(done.interaction)
        completed = await model.look_up(done.interaction)

    assert (running.state, running.events) == (InteractionState.RUNNING, ())
    assert completed.state is InteractionState.COMPLETED


@pytest.mark.parametrize("afterwards", [Afterwards.FAILED, Afterwards.CANCELLED])
async def test_an_interaction_that_will_not_complete_is_broken(afterwards: Afterwards) -> None:
    async with gemini(CutFault(afterwards=afterwards)) as (model, server):
        told, _ = await refusal(model)
        assert isinstance(told[0], Created)
        await server.settled(told[0].interaction)
        found = await model.look_up(told[0].interaction)

    assert found.state is InteractionState.BROKEN


async def test_the_last_hop_of_a_long_answer_brings_all_of_it() -> None:
    async with gemini() as (model, server):
        before = last_of(await ask(model, (Text("a turn before"),)))
        server.faults.arm(ContinuationFault(hops=3))
        events = await ask(model, after=before.interaction)
        found = await model.look_up(last_of(events).interaction)

    assert found.state is InteractionState.COMPLETED
    assert text_of(list(found.events)) == text_of(events)
    assert found.events[-1] == last_of(events)


async def test_a_hop_in_the_middle_of_a_long_answer_is_broken() -> None:
    async with gemini(ContinuationFault(hops=2)) as (model, _):
        events = await ask(model)
        assert isinstance(events[0], Created)
        found = await model.look_up(events[0].interaction)

    assert found.state is InteractionState.BROKEN


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (StatusFault(404), InteractionLost),
        (StatusFault(403), InteractionLost),
        (StatusFault(400), InteractionLost),
        (StatusFault(401), KeyRejected),
        (StatusFault(403, message="API key expired."), KeyRejected),
        (StatusFault(429, retry_after="1"), ModelBusy),
        (StatusFault(500), ModelUnavailable),
        (StatusFault(502, shape=ErrorShape.HTML), ModelUnavailable),
        (DropFault(), ModelUnavailable),
    ],
    ids=str,
)
async def test_a_fetch_that_fails_is_made_once_and_told_by_its_class(fault: Fault, expected: type[ModelError]) -> None:
    async with gemini() as (model, server):
        done = last_of(await ask(model))
        server.faults.arm(fault, on=Call.GET)
        with pytest.raises(ModelError) as failed:
            await model.look_up(done.interaction)

    assert type(failed.value) is expected
    assert len([request for request in server.requests if request.method == "GET"]) == 1


async def test_a_large_answer_is_fetched_whole() -> None:
    data = bytes(range(256)) * 2000
    content = {"type": "image", "mime_type": "image/png", "data": base64.b64encode(data).decode()}
    resource = {"id": "v1_a", "status": "completed", "steps": [{"type": "model_output", "content": [content]}]}
    async with replayed() as (model, server):
        server.content_type, server.body = "application/json", json.dumps(resource).encode()
        found = await model.look_up(InteractionId("v1_a"))

    assert found.events[1] == Media(MediaKind.IMAGE, "image/png", data=data)


# --- secrets, logs and the SDK's private places -----------------------------------------------


async def test_a_failure_is_one_log_line_without_key_and_words(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    fault = StatusFault(400, message=f"You sent 'hello there' with {KEY}")
    async with gemini(fault) as (model, _):
        _, failure = await refusal(model)

    [record] = caplog.records
    assert record.getMessage() == "model failed"
    assert vars(record)["failure"] == "QuestionRejected"
    told = f"{failure!r} {failure} {vars(record)} {''.join(traceback.format_exception(failure))}"
    assert KEY not in told
    assert "hello there" not in told


async def test_the_key_is_in_no_repr_and_no_error_even_when_it_cannot_be_sent() -> None:
    async with (
        replay_server() as server,
        open_model(api_key=f"{KEY}\nnext line", model="gemini-test", base_url=server.url) as model,
    ):
        _, failure = await refusal(model)

    assert KEY not in repr(model)
    assert KEY not in "".join(traceback.format_exception(failure))


def test_opening_the_model_leaves_next_to_no_import_to_the_first_answer() -> None:
    program = """
import asyncio, sys
from bot.answers import Text
from bot.gemini import open_model
from tests.support.gemini_replay import SAMPLES, replay_server

async def main():
    async with replay_server() as server, open_model(api_key="k", model="m", base_url=server.url) as model:
        [server.body] = [sample.read_bytes() for sample in SAMPLES if sample.stem == "thought_and_text"]
        before = set(sys.modules)
        async for _ in model.answer((Text("hi"),), after=None):
            pass
        print(*(name for name in set(sys.modules) - before if name.startswith(("google", "pydantic", "httpx"))))

asyncio.run(main())
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert len(ran.stdout.split()) < 5


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("google.genai._interactions", ["APIError", "APIStatusError", "APIConnectionError"]),
        ("google.genai._gaos.models", ["CreateInteractionRequest"]),
    ],
)
def test_the_sdk_keeps_its_private_names_where_we_import_them(module: str, names: list[str]) -> None:
    """They have no public home. When this fails, find their new one and change the imports of bot/gemini.py."""
    found = importlib.import_module(module)

    assert [name for name in names if not hasattr(found, name)] == [], f"{module} has moved its names"
    if "APIError" in names:
        assert issubclass(found.APIStatusError, found.APIError)
        assert issubclass(found.APIConnectionError, found.APIError)
