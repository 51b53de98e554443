"""Interactions recalled with their questions: through the real SDK, and whatever the wire may hold."""

import json
from typing import Literal

import pytest

from bot.answers import Media, MediaKind, Text
from bot.errors import InteractionLost, KeyRejected, ModelBusy, ModelUnavailable
from bot.messages import InteractionId, Usage
from bot.offline import Call, ContinuationFault, DropFault, Fault, ForgetFault, ImageFault, StatusFault
from bot.remembered import read_remembered, recalled
from tests.bot.test_gemini import ask, gemini, last_of, text_of

PNG = b"\x89PNG\r\n\x1a\n and so on"


async def test_an_interaction_is_recalled_with_its_question_its_answer_and_what_it_took() -> None:
    async with gemini() as (model, server):
        first = last_of(await ask(model, (Text("my name is Ada"),)))
        events = await ask(
            model, (Text("[Ada] and this?"), Media(MediaKind.IMAGE, "image/png", data=PNG)), first.interaction
        )
        found = await model.recall(last_of(events).interaction)
        gets = [one for one in server.requests if one.method == "GET"]

    assert found.id == last_of(events).interaction
    assert (found.status, found.model) == ("completed", "gemini-test")
    assert found.asked == ("[Ada] and this?", "[image]"), "its own question, and not the one before"
    assert found.answer == text_of(events)
    assert found.usage == last_of(events).usage
    assert found.created_at is not None
    assert len(gets) == 1


async def test_a_picture_in_an_answer_is_named() -> None:
    async with gemini(ImageFault()) as (model, _):
        found = await model.recall(last_of(await ask(model)).interaction)

    assert "[image]" in found.answer


async def test_an_answer_of_several_hops_is_recalled_with_the_question_of_the_first() -> None:
    async with gemini(ContinuationFault(hops=3)) as (model, _):
        events = await ask(model, (Text("tell me everything"),))
        found = await model.recall(last_of(events).interaction)

    assert found.asked == ("tell me everything",)
    assert found.answer == text_of(events)
    assert found.usage == last_of(events).usage


@pytest.mark.parametrize("status", [404, 403, 400])
async def test_what_gemini_does_not_know_any_more_is_lost_however_it_says_so(status: Literal[400, 403, 404]) -> None:
    async with gemini() as (model, server):
        done = last_of(await ask(model))
        server.faults.arm(ForgetFault(status=status), on=Call.GET)
        with pytest.raises(InteractionLost):
            await model.recall(done.interaction)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (StatusFault(503, "service_unavailable"), ModelUnavailable),
        (StatusFault(429, "rate_limit_exceeded"), ModelBusy),
        (StatusFault(401, "authentication"), KeyRejected),
        (DropFault(), ModelUnavailable),
    ],
    ids=["away", "busy", "key", "no connection"],
)
async def test_what_cannot_be_told_now_is_not_lost(fault: Fault, error: type[Exception]) -> None:
    async with gemini() as (model, server):
        done = last_of(await ask(model))
        server.faults.arm(fault, on=Call.GET)
        with pytest.raises(error):
            await model.recall(done.interaction)


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"null", b'{"id": 5}', b"[" * 100_000])
def test_what_is_no_interaction_is_none(body: bytes) -> None:
    assert read_remembered(body) is None


def test_a_resource_with_nothing_but_an_id_is_read() -> None:
    found = read_remembered(b'{"id": "v1_x", "steps": [null, {"type": 7}], "usage": [], "created": "soon"}')

    assert found is not None
    assert recalled([found]).asked == ()
    assert (found.answer, found.usage, found.created_at, found.model) == ("", Usage(), None, None)


def test_a_history_that_was_sent_along_is_not_taken_for_the_question_nor_the_answer() -> None:
    def step(kind: str, text: str) -> object:
        return {"type": kind, "content": [{"type": "text", "text": text}]}

    steps = [
        step("user_input", "before"),
        step("model_output", "then"),
        step("user_input", "now"),
        step("thought", "hm"),
    ]
    body = {"id": "v1_x", "status": "completed", "steps": [*steps, step("model_output", "this")]}
    found = read_remembered(json.dumps(body).encode())

    assert found is not None
    assert (found.id, found.asked, found.answer) == (InteractionId("v1_x"), ("now",), "this")
