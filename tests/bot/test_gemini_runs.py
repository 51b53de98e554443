"""Answers made in the background, through the real SDK against the offline Gemini and its habits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.answers import PLAIN, Completed, InteractionState, Manner, Text, TextPiece, Thought, ToolUse
from bot.errors import ContextLost, InteractionLost, KeyRejected, ModelBusy, ModelUnavailable, RunUncertain
from bot.evidence import Citation, Suggestion
from bot.gemini import open_model
from bot.gemini_model import GeminiModel
from bot.messages import InteractionId
from bot.offline import DropFault, Fault, Faults, FinalStatusFault, OfflineModel, StallFault, StatusFault, offline_model
from bot.offline.faults import Call

QUESTION = (Text("how kites fly"),)
AGENT = Manner(agent="deep-research-preview-04-2026")


@asynccontextmanager
async def gemini(*armed: Fault) -> AsyncIterator[tuple[GeminiModel, OfflineModel]]:
    faults = Faults()
    for fault in armed:
        faults.arm(fault)
    async with (
        offline_model(faults=faults, pace=0, research_rest=0) as server,
        open_model(api_key="key", model="gemini-test", base_url=server.url, system_instruction="be kind") as model,
    ):
        yield model, server


async def test_an_agent_is_begun_with_what_agents_take_and_its_steps_grow_until_the_report_is_there() -> None:
    async with gemini(StallFault()) as (model, server):
        begun = await model.begin(QUESTION, after=None, manner=AGENT)
        await server.faults.stalled()
        running = await model.look_up(begun)
        with pytest.raises(ContextLost):  # nobody goes on from what runs
            await model.begin(QUESTION, after=begun, manner=PLAIN)
        server.faults.release()
        await server.settled(begun)
        done = await model.look_up(begun)

    (create, _) = server.creates
    assert {name: create[name] for name in ("agent", "background")} == {"agent": AGENT.agent, "background": True}
    assert create["agent_config"] == {
        "type": "deep-research",
        "thinking_summaries": "auto",
        "visualization": "off",
        "collaborative_planning": False,
    }
    assert create.keys() == {"agent", "agent_config", "background", "input"}
    assert running.state is InteractionState.RUNNING
    assert [type(event) for event in running.events] == [Thought, ToolUse, Suggestion, Thought]
    assert done.state is InteractionState.COMPLETED
    assert any(isinstance(event, TextPiece) and "how kites fly" in event.text for event in done.events)
    cited = [event.url for event in done.events if isinstance(event, Citation)]
    assert cited == ["https://example.org/z%C3%BCrich", "https://example.com/labyrinths"]


async def test_a_model_is_begun_with_all_that_it_is_always_told() -> None:
    async with gemini() as (model, server):
        begun = await model.begin(QUESTION, after=None, manner=PLAIN)
        await server.settled(begun)
        found = await model.look_up(begun)

    (create,) = server.creates
    assert (create["model"], create["background"]) == ("gemini-test", True)
    assert create["system_instruction"] == "be kind"
    assert isinstance(found.events[-1], Completed)
    assert found.events[-1].model == "gemini-test"


@pytest.mark.parametrize(
    ("fault", "meant"),
    [
        pytest.param(StatusFault(503), ModelUnavailable, id="away"),
        pytest.param(StatusFault(429), ModelBusy, id="busy"),
        pytest.param(StatusFault(401), KeyRejected, id="a wrong key"),
        pytest.param(StatusFault(504), RunUncertain, id="somebody before Gemini heard no more of it"),
        pytest.param(DropFault(), RunUncertain, id="the connection broke"),
    ],
)
async def test_what_may_have_been_begun_is_told_from_what_was_not(fault: Fault, meant: type[Exception]) -> None:
    async with gemini(fault) as (model, _):
        with pytest.raises(meant):
            await model.begin(QUESTION, after=None, manner=AGENT)


async def test_what_never_reached_gemini_was_not_begun() -> None:
    async with open_model(api_key="key", model="gemini-test", base_url="http://127.0.0.1:9") as model:
        with pytest.raises(ModelUnavailable):
            await model.begin(QUESTION, after=None, manner=AGENT)


async def test_what_is_cancelled_says_for_a_while_that_it_runs_and_then_is_broken() -> None:
    async with gemini(StallFault()) as (model, server):
        begun = await model.begin(QUESTION, after=None, manner=AGENT)
        await model.cancel(begun)
        states = [(await model.look_up(begun)).state for _ in range(2)]

    assert states == [InteractionState.RUNNING, InteractionState.BROKEN]
    assert server.at_work == []


async def test_deleting_what_runs_does_not_end_it() -> None:
    async with gemini(StallFault()) as (model, server):
        begun = await model.begin(QUESTION, after=None, manner=AGENT)
        await model.delete(begun)
        with pytest.raises(InteractionLost):
            await model.look_up(begun)

        assert server.at_work == [begun]


async def test_a_research_that_fails_is_broken() -> None:
    async with gemini(FinalStatusFault("failed", errors=(("api_error", "no"),))) as (model, server):
        begun = await model.begin(QUESTION, after=None, manner=AGENT)
        await server.settled(begun)

        assert (await model.look_up(begun)).state is InteractionState.BROKEN


async def test_a_cancel_that_is_not_taken_is_told() -> None:
    async with gemini(StallFault()) as (model, server):
        begun = await model.begin(QUESTION, after=None, manner=AGENT)
        server.faults.arm(StatusFault(503), on=Call.CANCEL)
        with pytest.raises(ModelUnavailable):
            await model.cancel(begun)
        with pytest.raises(InteractionLost):
            await model.cancel(InteractionId("v1_unknown"))
