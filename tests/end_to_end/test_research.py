"""Research and long answers on every platform: warned of, begun once, waited for over a kill, and really cancelled."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from bot.commands import Command
from bot.offline import ErrorEventFault, RepeatFault, StallFault, StatusFault
from bot.offline.faults import Call
from tests.end_to_end.scenes import Scene, everywhere
from tests.support.people.seen import View, whole
from tests.support.people.slack import SlackPeople

HURRIED = {"CLEW_RESEARCH_WAIT_SECONDS": "0", "CLEW_RESEARCH_POLL_SECONDS": "0.2"}
AGENT = "deep-research-preview-04-2026"


def shows(*words: str, working: bool) -> Callable[[View], bool]:
    """All of this stands there, in whatever messages, and an answer is on its way or not."""
    return lambda view: view.is_working is working and all(word in "\n".join(view.texts) for word in words)


def begun(scene: Scene) -> list[str]:
    """The researches that were begun at Gemini, by their interactions."""
    creates = [request for request in scene.model.requests if request.is_create and request.interaction]
    return [str(request.interaction) for request in creates if (request.body or {}).get("agent") == AGENT]


def has_worked_for(minutes: int, view: View) -> bool:
    """It is said to have worked for so long, or a little longer: machines are slow."""
    told = re.search(r"(\d+) min so far", "\n".join(view.texts))
    return told is not None and int(told[1]) >= minutes


def began_earlier(scene: Scene, *, minutes: int) -> None:
    """Let what is waited for have been begun so much earlier, while the bot is away."""
    with closing(sqlite3.connect(scene.folder / "clew.db")) as db, db:
        db.execute("UPDATE turn SET begun_at = begun_at - ? WHERE state = 'running'", (60.0 * minutes,))


@everywhere
async def test_research_goes_from_a_warning_over_a_kill_to_a_report_with_its_file_and_is_gone_on_from(
    scene: Scene,
) -> None:
    people, gemini = scene.people, scene.model
    async with scene.clew(**HURRIED) as clew:
        thread = (await people.says("my name is Ada")).thread
        await people.looks(thread, whole(1))
        gemini.faults.arm(StallFault())
        await people.says("research: how red kites fly", thread=thread)
        plan = ("Planning the research", "where it may be found")
        await people.looks(thread, shows(AGENT, "costs dollars", *plan, "Comparing the sources", working=True))
        clew.kill()
        await clew.ended()
    began_earlier(scene, minutes=30)
    gemini.faults.arm(StatusFault(503), on=Call.GET, times=3)
    gemini.faults.arm(RepeatFault(), times=None)  # which nobody minds who looks, and does not listen
    async with scene.clew(**HURRIED):
        await people.looks(thread, lambda view: has_worked_for(30, view) and shows(*plan, working=True)(view))
        gemini.faults.release()
        seen = await people.looks(thread, shows("What is known", "Sources", "report.md", working=False))
        (saved,) = await people.saves(thread, 1)
        await people.says("recall what I said", thread=thread)
        await people.looks(thread, shows("recall what I said", "how red kites fly", working=False))

    creates: list[Any] = gemini.creates
    made = [request.interaction for request in gemini.requests if request.is_create]
    assert len(begun(scene)) == 1
    assert [create.get("previous_interaction_id") for create in creates] == [None, *made[:2]]
    assert (creates[1]["background"], creates[1]["agent_config"]["type"]) == (True, "deep-research")
    assert not {"generation_config", "stream", "tools", "system_instruction"} & creates[1].keys()
    assert "my name is Ada" in "\n".join(seen.texts)  # which the agent knew
    assert "research:" not in str(creates[1]["input"])
    assert "costs dollars" not in "\n".join(seen.texts)
    report = saved.decode()
    assert report.startswith("*I am Clew's offline model")
    assert "1. [Zürich – example](https://example.org/z%C3%BCrich)" in report
    assert not [request for request in gemini.requests if request.path.endswith("/cancel")]


@everywhere
async def test_it_begins_only_when_the_warning_has_stood_and_costs_nothing_when_it_is_stopped_by_then(
    scene: Scene,
) -> None:
    people = scene.people
    async with scene.clew(CLEW_RESEARCH_WAIT_SECONDS="3600"):
        thread = (await people.says("research: how red kites fly")).thread
        await people.looks(thread, shows(AGENT, "costs dollars", "Questions in this thread wait", working=True))
        await people.says("recall what I said", thread=thread)  # while it stands, or works
        await people.presses("Stop", thread)
        seen = await people.looks(thread, shows("costs nothing", "recall what I said", working=False))

    assert "costs dollars" not in "\n".join(seen.texts)
    assert begun(scene) == []
    assert len(scene.model.creates) == 1


@everywhere
async def test_a_stop_and_a_forget_end_research_at_gemini_and_the_day_has_no_more_than_its_number(
    scene: Scene,
) -> None:
    people, gemini = scene.people, scene.model
    gemini.faults.arm(StallFault(), times=2)
    async with scene.clew(**HURRIED, CLEW_DAILY_RESEARCH="2"):
        thread = (await people.says("research: how red kites fly")).thread
        await people.looks(thread, shows("Comparing the sources", working=True))
        gemini.faults.arm(StatusFault(503), on=Call.CANCEL)  # and it is told again
        await people.presses("Stop", thread)
        await people.looks(thread, shows("paid for", working=False))
        (first,) = begun(scene)
        ended = await gemini.settled(first)
        lagged = [request.method for request in gemini.requests if request.path.endswith((first, f"{first}/cancel"))]
        other = (await people.says("research: how black kites fly")).thread
        await people.looks(other, shows("Comparing the sources", working=True))
        await people.gives(Command.FORGET, other)
        await people.reads(other, "I have forgotten this thread")
        third = (await people.says("research: how paper kites fly")).thread
        refused = await people.looks(third, whole(1))

    assert ended == "cancelled"
    assert lagged[-4:] == ["POST", "GET", "POST", "GET"]  # told again, until it says so itself
    assert gemini.at_work == []  # deleting alone would have left it at work
    told = [(request.method, request.path.rpartition("/interactions/")[2]) for request in gemini.requests]
    second = begun(scene)[1]
    assert told.index(("POST", f"{second}/cancel")) < told.index(("DELETE", second))
    assert "2 researches" in refused.texts[0]
    assert len(begun(scene)) == 2


@pytest.mark.parametrize("scene", ["slack"], indirect=True)
async def test_in_slack_the_command_posts_the_question_once_over_a_kill_and_the_report_comes_under_it(
    scene: Scene,
) -> None:
    assert isinstance(scene.people, SlackPeople)
    slack = scene.people.slack
    async with scene.clew(**HURRIED) as clew:
        told = await slack.slash("ada", "/research", "how red kites fly")
        clew.kill()
        await clew.ended()
    async with scene.clew(**HURRIED):
        (question,) = await slack.shown("general")
        seen = await slack.shown("general", question.ts, lambda seen: any(one.files for one in seen))

    assert told.error is None
    assert "research: how red kites fly" in question.text
    assert "What is known" in "\n".join(one.text for one in seen)
    assert len(slack.replies("general")) == len(begun(scene)) == 1


@everywhere
async def test_in_a_private_thread_there_is_no_research(scene: Scene) -> None:
    async with scene.clew(**HURRIED, CLEW_PRIVATE="on"):
        thread = (await scene.people.says("research: how red kites fly")).thread
        seen = await scene.people.looks(thread, whole(1))

    assert "private" in seen.texts[0]
    assert scene.model.creates == []


@everywhere
async def test_an_answer_that_broke_after_long_is_made_in_the_background(scene: Scene) -> None:
    scene.model.faults.arm(ErrorEventFault("service_unavailable", bare=True, after=5))  # as streams are cut
    scene.model.faults.arm(RepeatFault(), times=None)
    async with scene.clew(**HURRIED, CLEW_BACKGROUND_SECONDS="0.001"):
        thread = (await scene.people.says("count to 20")).thread
        seen = await scene.people.looks(thread, whole(1))
        await scene.people.says("recall what I said", thread=thread)
        await scene.people.looks(thread, whole(2))

    assert "19 20" in seen.texts[0]
    made = [request.interaction for request in scene.model.requests if request.is_create]
    creates: list[Any] = scene.model.creates
    assert [create.get("background", False) for create in creates] == [False, True, False]
    assert creates[2]["previous_interaction_id"] == made[1]


@everywhere
async def test_where_nothing_is_to_run_in_the_background_it_is_asked_again_in_the_open(scene: Scene) -> None:
    scene.model.faults.arm(ErrorEventFault("service_unavailable", bare=True, after=5))
    async with scene.clew(**HURRIED, CLEW_BACKGROUND="never", CLEW_BACKGROUND_SECONDS="0.001"):
        thread = (await scene.people.says("count to 20")).thread
        seen = await scene.people.looks(thread, whole(1))

    assert "19 20" in seen.texts[0]
    creates: list[Any] = scene.model.creates
    assert [create.get("background", False) for create in creates] == [False, False]
