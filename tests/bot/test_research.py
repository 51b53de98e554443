"""Research: begun once, waited for whatever happens, cancelled when nobody wants it, and gone on from afterwards."""

from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from bot.answers import PLAIN, Created, InteractionState, Manner, Text, TextPiece, Thought
from bot.commands import Command
from bot.errors import (
    AnswerBlocked,
    ContextLost,
    InteractionLost,
    KeyRejected,
    ModelBusy,
    ModelError,
    ModelUnavailable,
    QuestionRejected,
    RunUncertain,
)
from bot.evidence import Citation
from bot.messages import InteractionId, MessageId, Person, PersonId, Said, TurnState
from bot.policy import Policy
from storage.sqlite import open_store
from tests.support.core import PATIENT, core
from tests.support.scripted import TEST, ScriptedModel, answer, completed, interaction, message, thread_named

AGENT = Manner(agent="researcher")
RUNS = interaction("run1", Thought("**Reading the *sources***"), state=InteractionState.RUNNING)
SOURCE = Citation("https://kites.example/")
REPORT = interaction("run1", Created(InteractionId("run1")), TextPiece("Kites fly."), SOURCE, completed("run1"))
GONE = interaction("run1", state=InteractionState.BROKEN)


async def test_research_is_put_to_the_agent_and_the_next_question_goes_on_from_its_report() -> None:
    async with core() as clew:
        clew.model.will_find("run1", RUNS, REPORT)
        await clew.says("hello")
        await clew.ended(1)
        await clew.says("research: how kites fly")
        turns = await clew.ended(2)
        await clew.says("and why?")
        await clew.ended(3)
        reply = clew.adapter.replies[1]
        booked, _ = await clew.store.booked(thread_named(), most=3)

    assert [(asked.text, asked.after, asked.manner) for asked in clew.model.begun] == [("how kites fly", "i1", AGENT)]
    assert [(asked.text, asked.after, asked.manner) for asked in clew.model.asked[1:]] == [("and why?", "run1", PLAIN)]
    assert clew.shown()[1] == "Kites fly."
    assert turns[1].interaction == "run1"
    assert [turn.model for turn in booked] == ["scripted", "researcher", "scripted"]
    assert not clew.model.cancelled
    report = reply.draft.answer
    assert (report.file, report.citations) == ("report.md", (SOURCE,))
    assert "costs dollars" in reply.openings[0]  # before it begins
    assert any("0 min so far. Reading the sources" in opening for opening in reply.openings)
    assert report.opening.startswith("_Researched for less than a minute by_ `researcher`")


async def test_the_agent_is_told_in_words_what_it_cannot_go_on_from() -> None:
    async with core() as clew:
        clew.adapter.past = [Said(MessageId("hello"), Person(PersonId("ada")), "hello")]
        clew.model.will_begin(QuestionRejected("invalid_request", chained=True), "run1")
        clew.model.will_find("run1", REPORT)
        await clew.says("hello")
        await clew.ended(1)
        await clew.says("research: how kites fly")
        await clew.ended(2)

    first, second = clew.model.begun
    assert (first.after, second.after) == ("i1", None)
    assert second.text.index("hello") < second.text.index("how kites fly")
    assert clew.shown()[1] == "Kites fly."


@pytest.mark.parametrize(
    ("text", "settings", "notice"),
    [
        pytest.param("research: kites", {"policy": Policy(private=True)}, "private threads", id="in a private thread"),
        pytest.param("/research kites", {"daily_research": 0}, "switched off", id="where there is none"),
    ],
)
async def test_where_there_is_no_research_nothing_is_begun(text: str, settings: dict[str, object], notice: str) -> None:
    async with core(**settings) as clew:  # type: ignore[arg-type]  # each is what it is
        await clew.says(text)
        (turn,) = await clew.ended(1)

    assert notice in (turn.notice or "")
    assert not clew.model.begun
    assert not clew.model.asked


async def test_no_more_than_so_many_are_begun_in_a_day_and_what_was_refused_is_none() -> None:
    async with core(daily_research=1) as clew:
        clew.model.will_begin(KeyRejected("401"), "run1")
        clew.model.will_find("run1", REPORT)
        for number in range(1, 4):
            await clew.says(f"research: kites {number}", thread=f"t{number}")
            await clew.ended(1, thread=f"t{number}")
        shown = [clew.shown(f"t{number}")[0] for number in range(1, 4)]
        refused = [one for one in clew.adapter.replies if one.turn.thread == thread_named("t3")]
        assert not any(one.openings for one in refused)  # nobody is warned of what will not be

    assert len(clew.model.begun) == 2
    assert "GEMINI_API_KEY" in shown[0]
    assert shown[1] == "Kites fly."
    assert "one research" in shown[2]


async def test_it_is_waited_for_however_long_gemini_is_away() -> None:
    away: tuple[ModelError, ...] = (
        ModelUnavailable("503"),
        ModelBusy("429", retry_after=3600),
        KeyRejected("401"),
        InteractionLost("404"),
        InteractionLost("404"),
    )
    async with core(limits=replace(PATIENT, refused=0.5, first_pause=0.01)) as clew:
        clew.model.will_begin(ModelBusy("429"), "run1")
        clew.model.will_find("run1", *away, RUNS, *away, REPORT)
        await clew.says("research: kites")
        (turn,) = await clew.ended(1)

    assert turn.state is TurnState.ANSWERED
    assert [asked.text for asked in clew.model.begun] == ["kites", "kites"]  # of which the first was refused


@pytest.mark.parametrize(
    ("found", "notice"),
    [
        pytest.param([GONE], "could not bring this research to an end", id="it failed"),
        pytest.param([InteractionLost("404")], "could not bring this research to an end", id="it is lost"),
        pytest.param([AnswerBlocked("safety")], "safety rules", id="it is withheld"),
        pytest.param([interaction("run1", completed("run1"))], "could not bring", id="it has nothing to say"),
    ],
)
async def test_research_that_comes_to_nothing_ends_with_a_notice_and_is_not_begun_again(
    found: list[object], notice: str
) -> None:
    async with core() as clew:
        clew.model.will_find("run1", *found)  # type: ignore[arg-type]  # each is what it is
        await clew.says("research: kites")
        (turn,) = await clew.ended(1)

        assert await clew.store.runs.unwanted() == []

    assert turn.state is TurnState.FAILED
    assert notice in (turn.notice or "")
    assert len(clew.model.begun) == 1


async def test_what_may_have_been_begun_is_told_and_not_begun_again() -> None:
    async with core() as clew:
        clew.model.will_begin(RunUncertain("no connection: ReadError"))
        await clew.says("research: kites")
        (turn,) = await clew.ended(1)

        assert await clew.store.runs.researched() == 1  # it may have cost

    assert "cannot find it" in (turn.notice or "")
    assert len(clew.model.begun) == 1


async def test_an_agent_that_gemini_does_not_know_is_told_to_the_operator() -> None:
    async with core() as clew:
        clew.model.will_begin(ContextLost("404"), QuestionRejected("not_found", chained=False))
        await clew.says("hello")
        await clew.ended(1)
        await clew.says("research: kites")
        turns = await clew.ended(2)

    assert "GEMINI_RESEARCH_AGENT" in (turns[1].notice or "")


async def test_research_out_of_time_is_given_up_and_cancelled() -> None:
    async with core(limits=replace(PATIENT, run=0.05)) as clew:
        clew.model.will_find("run1", RUNS)
        await clew.says("research: kites")
        (turn,) = await clew.ended(1)
        await clew.model.until(lambda: "run1" in clew.model.cancelled)

    assert "longer than" in (turn.notice or "")


@pytest.mark.parametrize("trouble", [ModelUnavailable("away"), InteractionLost("run1")], ids=["away", "not known"])
async def test_what_was_done_in_time_is_not_given_up_since_one_look_at_it_failed(trouble: ModelError) -> None:
    async with core(limits=replace(PATIENT, run=0.0)) as clew:
        clew.model.will_find("run1", trouble, REPORT)
        await clew.says("research: kites")
        await clew.ended(1)

        assert clew.shown() == ["Kites fly."]


async def test_what_cannot_be_seen_for_long_is_given_up_though_gemini_did_not_know_it_once() -> None:
    ticks = count(step=5.0)
    async with core(limits=replace(PATIENT, run=0.0), clock=lambda: float(next(ticks))) as clew:
        clew.model.will_find("run1", InteractionLost("run1"), *[ModelUnavailable("away")] * 1000)
        await clew.says("research: kites")
        (turn,) = await clew.ended(1)

    assert "longer than" in (turn.notice or "")


@pytest.mark.parametrize("command", [Command.STOP, Command.RESET, Command.FORGET])
async def test_who_wants_it_no_longer_has_it_cancelled_until_gemini_says_that_it_has_ended(command: Command) -> None:
    async with core() as clew:
        clew.model.will_find("run1", RUNS)
        await clew.says("research: kites")
        await clew.model.until(lambda: len(clew.model.looked_up) >= 2)
        await clew.tells(command)
        await clew.model.until(lambda: len(clew.model.cancelled) >= 3)  # it says for a while that it runs
        assert clew.model.deleted == []  # which would not end it
        clew.model.will_find("run1", GONE)
        if command is Command.FORGET:
            await clew.model.told_to_delete(1)

        async def is_over() -> bool:
            return not await clew.store.running()

        await clew.adapter.until(is_over)

    assert set(clew.model.cancelled) == {"run1"}
    assert "paid for" in clew.adapter.replies[0].draft.answer.opening


async def test_after_a_restart_the_same_research_is_waited_for_with_what_time_it_has_left(tmp_path: Path) -> None:
    url, model = f"sqlite:///{tmp_path / 'clew.db'}", ScriptedModel()
    model.will_find("run1", RUNS)
    async with core(url=url, model=model, drain=0.0) as clew:
        await clew.says("research: kites")
        await model.until(lambda: len(model.looked_up) >= 2)
    assert model.cancelled == []
    model.will_find("run1", RUNS, REPORT)
    async with core(url=url, model=model) as clew:
        (turn,) = await clew.ended(1)

        assert clew.shown() == ["Kites fly."]
    assert turn.state is TurnState.ANSWERED
    assert len(model.begun) == 1


async def test_of_a_report_that_was_there_after_a_restart_it_is_not_said_how_long_it_took(tmp_path: Path) -> None:
    url, model = f"sqlite:///{tmp_path / 'clew.db'}", ScriptedModel()
    model.will_find("run1", REPORT)
    async with open_store(url, keeps_text=frozenset({TEST})) as store:
        await store.add(message("research: kites"))
        claim = await store.claim(thread_named())
        assert claim is not None
        await store.runs.researching(claim.turn, "researcher", most=5)
        await store.runs.began(claim.turn, InteractionId("run1"))
    async with core(url=url, model=model) as clew:
        await clew.ended(1)

    assert clew.adapter.replies[0].draft.answer.opening.startswith("_Researched by_ `researcher`")


async def test_a_stop_that_nobody_saw_through_is_seen_through_by_the_next_start(tmp_path: Path) -> None:
    url, model = f"sqlite:///{tmp_path / 'clew.db'}", ScriptedModel()
    model.will_find("run1", RUNS)
    async with open_store(url, keeps_text=frozenset({TEST})) as store:
        await store.add(message("research: kites"))
        claim = await store.claim(thread_named())
        assert claim is not None
        await store.runs.researching(claim.turn, "researcher", most=5)
        await store.runs.began(claim.turn, InteractionId("run1"))
        await store.stop(thread_named(), MessageId("stop"))
    async with core(url=url, model=model) as clew:
        (turn,) = await clew.ended(1)
        await model.until(lambda: len(model.cancelled) >= 2)
        model.will_find("run1", GONE)

    assert turn.state is TurnState.STOPPED
    assert "paid for" in clew.adapter.replies[0].draft.answer.opening
    assert model.begun == []


async def test_a_beginning_that_a_crash_left_uncertain_is_told_and_not_made_again(tmp_path: Path) -> None:
    url, model = f"sqlite:///{tmp_path / 'clew.db'}", ScriptedModel()
    async with open_store(url, keeps_text=frozenset({TEST})) as store:
        await store.add(message("research: kites"))
        claim = await store.claim(thread_named())
        assert claim is not None
        await store.runs.researching(claim.turn, "researcher", most=5)
    async with core(url=url, model=model) as clew:
        (turn,) = await clew.ended(1)

    assert "cannot find it" in (turn.notice or "")
    assert model.begun == []


# --- answers that take long -------------------------------------------------------------------


async def test_an_answer_that_breaks_after_long_is_asked_for_in_the_background() -> None:
    async with core(limits=replace(PATIENT, long=0.0)) as clew:
        clew.model.will(Created(InteractionId("i1")), TextPiece("half"))
        clew.model.will_find("i1", interaction("i1", state=InteractionState.BROKEN))
        clew.model.will_find("run1", replace(RUNS, events=()), REPORT)
        await clew.says("think long")
        (turn,) = await clew.ended(1)

    assert [(asked.text, asked.manner) for asked in clew.model.begun] == [("think long", PLAIN)]
    assert len(clew.model.asked) == 1
    assert clew.shown() == ["Kites fly."]
    assert turn.interaction == "run1"


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(replace(PATIENT, long=3600.0), id="it did not take long"),
        pytest.param(replace(PATIENT, long=None), id="never"),
    ],
)
async def test_any_other_answer_that_breaks_is_asked_for_again_as_ever(limits: object) -> None:
    async with core(limits=limits) as clew:  # type: ignore[arg-type]  # pytest's parameters have no type
        clew.model.will(Created(InteractionId("i1")), TextPiece("half"))
        clew.model.will(*answer("i2", "whole"))
        await clew.says("think long")
        await clew.ended(1)

    assert clew.shown() == ["whole"]
    assert clew.model.begun == []


async def test_an_answer_in_the_background_is_waited_for_over_a_restart(tmp_path: Path) -> None:
    url, model = f"sqlite:///{tmp_path / 'clew.db'}", ScriptedModel()
    model.will(Created(InteractionId("i1")))
    model.will_find("run1", replace(RUNS, events=()))
    async with core(url=url, model=model, drain=0.0, limits=replace(PATIENT, long=0.0)) as clew:
        await clew.says("think long")
        await model.until(lambda: model.looked_up.count(InteractionId("run1")) >= 2)
    model.will_find("run1", replace(RUNS, events=()), replace(RUNS, events=()), REPORT)
    async with core(url=url, model=model, limits=replace(PATIENT, turn=0.0)) as clew:
        await clew.ended(1)

        assert clew.shown() == ["Kites fly."]
    assert (len(model.asked), len(model.begun)) == (1, 1)
    assert model.begun[0].question == (Text("think long"),)
