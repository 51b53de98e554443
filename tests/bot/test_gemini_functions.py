"""Function calls on the wire: the real SDK against the offline model, stored and not."""

import json
from contextlib import aclosing

import pytest

from bot.answers import (
    PLAIN,
    ActionRequired,
    After,
    AnswerEvent,
    Completed,
    Created,
    Interaction,
    InteractionState,
    Manner,
    ModelStep,
    Question,
    Text,
    TextPiece,
    ToolUse,
    UserStep,
)
from bot.calls import FunctionResult, Results
from bot.errors import AnswerBroken, QuestionRejected
from bot.gemini import open_model
from bot.gemini_model import GeminiModel
from bot.messages import Usage
from bot.offline import FinalStatusFault, FunctionCallFault, offline_model

LOOK = {"type": "function", "name": "look", "description": "Look.", "parameters": {"type": "object", "properties": {}}}
OFFERING = Manner(tools=(LOOK,))
PRIVATE = Manner(tools=(LOOK,), is_stored=False)
TWICE: Question = (Text('call look with {"what": "a"} and call look with {"what": "ü"}'),)


async def told(
    model: GeminiModel, question: Question | Results, after: After = None, manner: Manner = OFFERING
) -> list[AnswerEvent]:
    return [event async for event in model.answer(question, after=after, manner=manner)]


def action_in(events: list[AnswerEvent]) -> ActionRequired:
    assert isinstance(events[-1], ActionRequired)
    return events[-1]


def results_of(action: ActionRequired, *values: str) -> Results:
    paired = zip(action.calls, values, strict=True)
    return Results(tuple(FunctionResult(call.id, call.name, value) for call, value in paired))


def text_of(events: list[AnswerEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextPiece))


async def test_calls_are_told_at_the_end_of_a_stream_and_all_results_go_on_from_it() -> None:
    async with offline_model(pace=0) as server, open_model(api_key="k", model="m", base_url=server.url) as model:
        events = await told(model, TWICE)
        action = action_in(events)
        fetched = await model.look_up(action.interaction)
        answer = await told(model, results_of(action, "seen a", "seen ü"), action.interaction)
        last = answer[-1]
        assert isinstance(last, Completed)
        whole = await model.look_up(last.interaction)
        body = server.creates[-1]

    assert [(call.name, call.arguments) for call in action.calls] == [("look", {"what": "a"}), ("look", {"what": "ü"})]
    assert ToolUse("calling look") in events
    assert fetched.state is InteractionState.CALLING
    assert fetched.events[-1] == action
    assert "look → seen a" in text_of(answer)
    assert body["previous_interaction_id"] == action.interaction
    assert body["tools"] == [LOOK]
    ended = whole.events[-1]
    assert isinstance(ended, Completed)
    assert ended.usage == action.usage + last.usage != Usage()


async def test_what_is_said_before_a_call_is_fetched_with_the_answer() -> None:
    async with offline_model(pace=0) as server, open_model(api_key="k", model="m", base_url=server.url) as model:
        server.faults.arm(FunctionCallFault(name="look", with_text=True), times=2)
        first = await told(model, (Text("well?"),))
        second = await told(model, results_of(action_in(first), "a"), action_in(first).interaction)
        waiting = await model.look_up(action_in(second).interaction)
        third = await told(model, results_of(action_in(second), "b"), action_in(second).interaction)
        last = third[-1]
        assert isinstance(last, Completed)
        whole = await model.look_up(last.interaction)

    again = waiting.events[-1]
    assert isinstance(again, ActionRequired)
    assert again.rounds == 2
    assert text_of(list(whole.events)) == text_of(first) + text_of(second) + text_of(third)


async def test_in_the_place_of_a_round_that_broke_is_the_one_whose_calls_it_went_on_from() -> None:
    async with offline_model(pace=0) as server, open_model(api_key="k", model="m", base_url=server.url) as model:
        action = action_in(await told(model, TWICE))
        server.faults.arm(FinalStatusFault("failed", after=1), times=2)
        results = results_of(action, "seen a", "seen ü")
        found: list[Interaction] = []
        for question, after in ((results, action.interaction), ((Text("well?"),), None)):
            events = model.answer(question, after=after, manner=OFFERING)
            async with aclosing(events):
                created = await anext(events)
                with pytest.raises(AnswerBroken):
                    async for _ in events:
                        pass
            assert isinstance(created, Created)
            found.append(await model.look_up(created.interaction))

    assert found[0].id == action.interaction
    assert found[0].state is InteractionState.CALLING
    assert found[0].events[-1] == action
    assert found[1].state is InteractionState.BROKEN


async def test_what_is_not_stored_goes_on_from_steps_with_their_signatures() -> None:
    async with offline_model(pace=0) as server, open_model(api_key="k", model="m", base_url=server.url) as model:
        action = action_in(await told(model, TWICE, manner=PRIVATE))
        answer = await told(
            model, results_of(action, "seen a", "seen ü"), (UserStep(TWICE), *action.steps), manner=PRIVATE
        )
        body = server.creates[-1]

    kinds = [json.loads(step.json)["type"] for step in action.steps if isinstance(step, ModelStep)]
    assert kinds == ["thought", "function_call", "function_call"]
    assert json.loads(action.steps[0].json)["signature"]
    assert "look → seen ü" in text_of(answer)
    assert body["store"] is False
    assert "previous_interaction_id" not in body


async def test_arguments_that_are_no_json_are_told_as_none() -> None:
    async with offline_model(pace=0) as server, open_model(api_key="k", model="m", base_url=server.url) as model:
        server.faults.arm(FunctionCallFault(name="look", arguments=None))
        action = action_in(await told(model, (Text("well?"),)))
        fetched = await model.look_up(action.interaction)

    assert [call.arguments for call in action.calls] == [None]
    assert fetched.events[-1] == action


async def test_the_offline_model_wants_all_results_and_no_others() -> None:
    """As far as that is known of Gemini."""
    async with offline_model(pace=0) as server, open_model(api_key="k", model="m", base_url=server.url) as model:
        action = action_in(await told(model, TWICE))
        for wrong in (Results(results_of(action, "a", "b").results[:1]), Results((FunctionResult("c9", "look", "a"),))):
            with pytest.raises(QuestionRejected):
                await told(model, wrong, action.interaction)


async def test_a_function_that_is_not_offered_is_not_called() -> None:
    async with offline_model(pace=0) as server, open_model(api_key="k", model="m", base_url=server.url) as model:
        assert isinstance((await told(model, TWICE, manner=PLAIN))[-1], Completed)
