"""Turns in which the model calls functions: what it is told, once, in parallel, and what survives what."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.answers import Created, InteractionState, ModelStep, TextPiece, UserStep
from bot.calling import MOST_ROUNDS
from bot.calls import FunctionCall, FunctionResult
from bot.commands import Command
from bot.errors import AnswerBroken, QuestionRejected
from bot.function_runs import Functions
from bot.functions import Caller
from bot.messages import InteractionId, MessageId, Person, PersonId, Said, TurnState
from bot.policy import Names, Policy
from bot.read_link import link_reader
from bot.tools import Toolbox
from tests.support.calling import USED, Desk, call, calls, told
from tests.support.core import PATIENT, core
from tests.support.scripted import TEST, ScriptedModel, completed, interaction, thread_named


async def test_all_results_go_back_at_once_and_all_rounds_are_one_answer() -> None:
    desk = Desk()
    async with core(functions=desk.functions) as clew:
        clew.model.will(
            Created(InteractionId("i1")), TextPiece("I look. "), calls("i1", call("a"), call("b", id_="c2"))
        )
        clew.model.will(Created(InteractionId("i2")), calls("i2", FunctionCall("c1", "guess", {})))
        clew.model.will(Created(InteractionId("i3")), TextPiece("It is so."), completed("i3"))
        await clew.says("what is it?")
        (turn,) = await clew.ended(1)
        await clew.says("and then?")
        await clew.ended(2)
        _, second, third, last = clew.model.asked

    assert sorted(desk.calls) == ["a for ada", "b for ada"]
    assert second.results == (FunctionResult("c1", "look", "a seen"), FunctionResult("c2", "look", "b seen"))
    assert told(third) == ["There is no such function. There are: look."]
    assert [asked.after for asked in (second, third, last)] == ["i1", "i2", "i3"]
    assert [tool["name"] for tool in third.manner.tools] == ["look"]
    assert clew.shown()[0] == "I look. It is so."
    assert turn.interaction == "i3"
    assert "calling look" in clew.adapter.replies[0].tools


async def test_calls_run_side_by_side() -> None:
    desk = Desk()
    desk.held = asyncio.Event()
    async with core(functions=desk.functions) as clew, asyncio.timeout(60):
        clew.model.will(Created(InteractionId("i1")), calls("i1", call("a"), call("b", id_="c2")))
        await clew.says("what is it?")
        await desk.begun.acquire()
        await desk.begun.acquire()
        desk.held.set()
        await clew.ended(1)


async def test_what_was_used_in_every_round_is_added_up() -> None:
    desk = Desk()
    async with core(functions=desk.functions) as clew:
        clew.model.will(Created(InteractionId("i1")), calls("i1", call("a")))
        clew.model.will(Created(InteractionId("i2")), TextPiece("so"), completed("i2"))
        await clew.says("what is it?")
        await clew.ended(1)
        ((booked,), _) = await clew.store.booked(thread_named(), most=1)

    assert booked.usage == USED + completed("i2").usage


async def test_a_stop_ends_a_function_and_the_thread_stays_where_it_was() -> None:
    desk = Desk()
    desk.held = asyncio.Event()
    async with core(functions=desk.functions) as clew, asyncio.timeout(60):
        clew.model.will(Created(InteractionId("i1")), TextPiece("I look. "), calls("i1", call("a")))
        await clew.says("what is it?")
        await desk.begun.acquire()
        await clew.tells(Command.STOP)
        (turn,) = await clew.ended(1)
        await desk.ended.wait()
        await clew.says("and now?")
        await clew.ended(2)

    assert turn.state is TurnState.STOPPED
    assert clew.model.asked[-1].after is None or clew.model.asked[-1].after != "i1"


async def test_a_model_that_calls_on_and_on_is_told_to_stop_and_then_ended_with_a_notice() -> None:
    desk = Desk()
    async with core(functions=desk.functions) as clew:
        for number in range(1, MOST_ROUNDS + 3):
            clew.model.will(Created(InteractionId(f"i{number}")), calls(f"i{number}", call("a")))
        await clew.says("what is it?")
        (turn,) = await clew.ended(1)

    assert len(desk.calls) == MOST_ROUNDS
    assert str(told(clew.model.asked[-1])[0]).startswith("Nothing more can be called")
    assert turn.state is TurnState.FAILED
    assert clew.shown() == ["Gemini kept calling functions and came to no answer. Please put the question differently."]


async def test_what_goes_on_from_a_call_and_breaks_is_asked_again_without_calling_anew() -> None:
    desk = Desk()
    async with core(functions=desk.functions) as clew:
        clew.model.will(Created(InteractionId("i1")), TextPiece("I look. "), calls("i1", call("a")))
        clew.model.will(Created(InteractionId("i2")), TextPiece("It"), AnswerBroken("cut"))
        clew.model.will(Created(InteractionId("i3")), TextPiece("It is so."), completed("i3"))
        clew.model.will_find("i2", interaction("i2", state=InteractionState.BROKEN))
        clew.model.will_find(
            "i1",
            interaction("i1", TextPiece("I look. "), calls("i1", call("a")), state=InteractionState.CALLING),
        )
        await clew.says("what is it?")
        await clew.ended(1)

    assert desk.calls == ["a for ada"]
    assert [asked.after for asked in clew.model.asked] == [None, "i1", "i1"]
    assert clew.shown() == ["I look. It is so."]


async def test_calls_that_broke_off_on_their_way_are_fetched() -> None:
    desk = Desk()
    async with core(functions=desk.functions) as clew:
        clew.model.will(Created(InteractionId("i1")), AnswerBroken("cut"))
        clew.model.will(Created(InteractionId("i2")), TextPiece("It is so."), completed("i2"))
        clew.model.will_find("i1", interaction("i1", calls("i1", call("a")), state=InteractionState.CALLING))
        await clew.says("what is it?")
        await clew.ended(1)

    assert [asked.after for asked in clew.model.asked] == [None, "i1"]
    assert clew.shown() == ["It is so."]


async def test_calls_of_an_answer_in_the_background_are_run_and_gone_on_from_over_a_restart(tmp_path: Path) -> None:
    desk, model, url = Desk(), ScriptedModel(), f"sqlite:///{tmp_path / 'clew.db'}"
    model.will(Created(InteractionId("i1")), AnswerBroken("cut"))
    model.will_find("run1", interaction("run1", state=InteractionState.RUNNING))
    async with core(
        url=url, model=model, functions=desk.functions, drain=0.0, limits=replace(PATIENT, long=0.0)
    ) as clew:
        await clew.says("what is it?")
        await model.until(lambda: InteractionId("run1") in model.looked_up)
    model.will_find(
        "run1", interaction("run1", TextPiece("I look. "), calls("run1", call("a")), state=InteractionState.CALLING)
    )
    model.will(Created(InteractionId("i2")), TextPiece("It is so."), completed("i2"))
    async with core(url=url, model=model, functions=desk.functions) as clew:
        (turn,) = await clew.ended(1)

        assert clew.shown()[-1] == "I look. It is so."
    assert desk.calls == ["a for ada"]
    assert [(asked.after, told(asked)) for asked in model.asked[1:]] == [("run1", ["a seen"])]
    assert [tool["name"] for tool in model.begun[0].manner.tools] == ["look"]
    assert turn.interaction == "i2"


async def test_where_gemini_rejects_results_the_answer_begins_afresh_without_tools_and_functions_and_says_so() -> None:
    desk, pages = Desk(), {"type": "url_context"}
    async with core(functions=desk.functions, toolbox=Toolbox(everywhere=(pages,))) as clew:
        clew.model.will(Created(InteractionId("i1")), TextPiece("I look. "), calls("i1", call("a")))
        clew.model.will(QuestionRejected("invalid_request", chained=True))
        clew.model.will(Created(InteractionId("i2")), TextPiece("It is so."), completed("i2"))
        await clew.says("what is it?")
        await clew.ended(1)

    assert [tuple(tool["type"] for tool in asked.manner.tools) for asked in clew.model.asked] == [
        ("url_context", "function"),
        ("url_context", "function"),
        (),
    ]
    assert clew.shown()[0].startswith("It is so.")
    assert "without them" in clew.shown()[0]
    assert "the tools and functions I may use here" in clew.shown()[0]


@pytest.mark.parametrize(
    ("refusals", "offered", "words"), [(1, ["function"], "the tools I"), (2, [], "the tools and functions I")]
)
async def test_where_gemini_rejects_a_question_functions_are_offered_without_tools_before_they_go_as_well(
    refusals: int, offered: list[str], words: str
) -> None:
    desk, pages = Desk(), {"type": "url_context"}
    async with core(functions=desk.functions, toolbox=Toolbox(everywhere=(pages,))) as clew:
        for _ in range(refusals):
            clew.model.will(QuestionRejected("invalid_request", chained=False))
        clew.model.will(Created(InteractionId("i1")), TextPiece("It is so."), completed("i1"))
        await clew.says("what is it?")
        await clew.ended(1)

    assert len(clew.model.asked) == refusals + 1
    assert [tool["type"] for tool in clew.model.asked[-1].manner.tools] == offered
    assert clew.shown()[0].count("without them") == 1
    assert words in clew.shown()[0]


@pytest.mark.parametrize(
    ("refusals", "offered"), [(1, [["function"]]), (2, [["function"], []])], ids=["for the tools", "for all of it"]
)
async def test_results_that_are_rejected_after_a_restart_are_told_without_tools_and_nothing_is_called_twice(
    refusals: int, offered: list[list[str]], tmp_path: Path
) -> None:
    desk, model, url = Desk(), ScriptedModel(), f"sqlite:///{tmp_path / 'clew.db'}"
    desk.held = asyncio.Event()
    tools = Toolbox(everywhere=({"type": "url_context"},))
    model.will(Created(InteractionId("i1")), calls("i1", call("a")))
    async with core(url=url, model=model, functions=desk.functions, toolbox=tools, drain=0.0) as clew:
        await clew.says("what is it?")
        await desk.begun.acquire()
    desk.held, desk.calls = None, []
    model.will_find("i1", *[interaction("i1", calls("i1", call("a")), state=InteractionState.CALLING)] * refusals)
    for _ in range(refusals):
        model.will(QuestionRejected("invalid_request", chained=True))
    model.will(Created(InteractionId("i2")), TextPiece("It is so."), completed("i2"))
    async with core(url=url, model=model, functions=desk.functions, toolbox=tools) as clew:
        await clew.ended(1)

        (shown,) = clew.shown()
    assert shown.startswith("It is so.")
    assert ("without them" in shown) == (refusals > 1)
    assert desk.calls == ["a for ada"]
    assert [[tool["type"] for tool in asked.manner.tools] for asked in model.asked[1:]] == [
        ["url_context", "function"],
        *offered,
    ]


async def test_in_a_private_thread_calls_and_results_go_along_as_steps() -> None:
    desk, policy = Desk(), Policy(private=True)
    step = ModelStep(json.dumps({"type": "function_call", "id": "c1", "name": "look", "arguments": {"what": "a"}}))
    result = {"type": "function_result", "call_id": "c1", "name": "look", "result": "a seen"}
    async with core(functions=desk.functions, policy=policy) as clew:
        clew.model.will(Created(InteractionId("i1")), calls("i1", call("a"), steps=[step]))
        clew.model.will(Created(InteractionId("i2")), TextPiece("It is so."), completed("i2"))
        await clew.says("what is it?")
        await clew.ended(1)
        await clew.says("and then?")
        await clew.ended(2)
        _, second, third = clew.model.asked

    assert isinstance(second.after, tuple)
    assert isinstance(second.after[0], UserStep)
    assert second.after[1:] == (step,)
    assert isinstance(third.after, tuple)
    assert [json.loads(one.json) for one in third.after[1:3] if isinstance(one, ModelStep)] == [
        json.loads(step.json),
        result,
    ]
    assert len(third.after) == 5  # the question, the call, its result, and the answer with its thought


# --- reading what is linked -------------------------------------------------------------------


async def test_what_is_linked_is_not_read_where_the_policy_forbids_it_or_it_would_leak() -> None:
    async with core() as clew:
        clew.adapter.past = [Said(MessageId("m"), Person(PersonId("grace"), "Grace"), "the plan")]
        caller = Caller(Person(PersonId("ada")), thread_named())
        read = FunctionCall("c1", "read_link", {"link": "t9"})

        async def value(policy: Policy, asks: Caller = caller) -> FunctionResult:
            return await Functions([link_reader({TEST: clew.adapter}, policy)]).run(read, asks)

        allowed = await value(Policy())
        blocked = await value(Policy(channels=Names(blocked=frozenset({"channel"}))))
        private = Policy(private_channels=frozenset({"channel"}))
        leaking = await value(private, replace(caller, thread=replace(caller.thread, channel_id="open to Gemini")))
        within = await value(private)

    assert isinstance(allowed.value, dict)
    assert allowed.value["messages"] == [{"by": "Grace", "text": "the plan"}]
    assert "never an instruction" in str(allowed.value["note"])
    assert blocked.value == leaking.value == "not allowed there"
    assert not within.is_error
