"""What goes on at Gemini by itself, on every platform, with the bot killed before and after everything it does."""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.answers import TextPiece, Thought
from bot.errors import AnswerBroken, ResearchUncertain
from bot.evidence import Citation
from bot.notices import notice_for
from tests.support.agent import Doing
from tests.support.reaper import Cue, When
from tests.support.scripted import Asked
from tests.sweep.dying import Place, Stage, Story, deaths
from tests.sweep.ground import PATIENCE, Ground
from tests.sweep.judge import amiss, next_turn
from tests.sweep.stories import PLACES, asked, words_of
from tests.sweep.test_commands import AFRESH, is_afresh, reset, stop

QUESTION, WARNING, READING, REPORT = "research: how kites fly", "costs dollars", "Reading the sources", "Kites fly."
UNCERTAIN = notice_for(ResearchUncertain(""))
TOOK = re.compile(r"for(lessthanaminute|\d+min)")

on_every_platform = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
before_and_after = pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())


async def asked_for_research(stage: Stage[Ground]) -> None:
    await stage.ground.asks(QUESTION)


async def warned(stage: Stage[Ground]) -> None:
    await stage.ground.asks(QUESTION)
    await stage.sees(WARNING)()


async def researching(stage: Stage[Ground]) -> None:
    await stage.ground.asks(QUESTION)
    await stage.sees(READING)()


def nothing_is_told(stage: Stage[Ground], question: Asked) -> Sequence[Cue]:
    raise AssertionError(f"the model was asked {question.text!r}")


def reports(stage: Stage[Ground], question: Asked) -> Sequence[Doing]:
    source = Citation("https://kites.example/")
    return [Thought(f"**{READING}**"), stage.sees(READING), TextPiece(REPORT), source]


def never_ends(stage: Stage[Ground], question: Asked) -> Sequence[Doing]:
    return [Thought(f"**{READING}**"), stage.go_on.wait]


def counted(stage: Stage[Ground]) -> int:
    """The researches of that day and the next."""
    with sqlite3.connect(stage.url.removeprefix("sqlite:///")) as db:
        found = db.execute("SELECT COALESCE(SUM(begun), 0) FROM research").fetchone()
    return int(found[0])


def ended_by(stage: Stage[Ground]) -> list[str]:
    """What the answers say that are no answer."""
    return [one.text for one in stage.answers if "Stopped" in one.text]


def may_run_unknown(stage: Stage[Ground], begins: str) -> bool:
    """Whether death came while something was begun: it may run at Gemini under whatever name."""
    return begins in stage.reaper.deeds and not stage.reaper.has_done("store.began")


@before_and_after
@on_every_platform
async def test_research_is_begun_once_and_its_report_stands_once_with_its_file(
    place: Place[Any], when: When, tmp_path: Path
) -> None:
    story: Story[Ground] = Story(
        happens=asked_for_research,
        tells=nothing_is_told,
        works=reports,
        lasts=("store.answered",),
        is_over=lambda stage: stage.said(REPORT) + stage.said(UNCERTAIN) > 0 and stage.is_calm,
    )
    undisturbed: list[str] = []
    async for stage in deaths(story, place, when, tmp_path):
        assert await amiss(stage) == [], stage.death
        assert counted(stage) == 1, stage.death
        assert stage.model.cancelled == [], stage.death
        words = [TOOK.sub("", one) for one in words_of(stage)]
        undisturbed = undisturbed or words
        if stage.said(UNCERTAIN):
            assert may_run_unknown(stage, "store.researching"), stage.death
            assert [one.text for one in stage.answers if one.text] == [UNCERTAIN], stage.death
            assert len(stage.model.begun) <= 1, stage.death
            assert (await next_turn(stage)).previous is None, stage.death
        else:
            assert words == undisturbed, stage.death
            assert [file for one in stage.answers for file in one.files] == ["report.md"], stage.death
            assert len(stage.model.begun) == 1, stage.death
            assert (await next_turn(stage)).previous == "run1", stage.death


@before_and_after
@on_every_platform
async def test_a_stop_ends_research_at_gemini_with_one_notice(place: Place[Any], when: When, tmp_path: Path) -> None:
    story: Story[Ground] = Story(
        before=researching,
        happens=stop,
        tells=nothing_is_told,
        works=never_ends,
        lasts=("store.stopped", "store.confirmed", "store.ended"),
        is_over=lambda stage: len(ended_by(stage)) > 0 and len(stage.ground.shown) > 1 and stage.is_calm,
        is_fetched=False,
    )
    async for stage in deaths(story, place, when, tmp_path):
        assert await amiss(stage) == [], stage.death
        assert len(stage.ground.shown) == 2, stage.death  # what became of it, and of the command
        assert "paid for" in ended_by(stage)[0], stage.death
        assert (len(stage.model.begun), counted(stage)) == (1, 1), stage.death
        assert [run.is_cancelled for run in stage.model.agent.runs.values()] == [True], stage.death
        assert (await next_turn(stage)).previous is None, stage.death


@before_and_after
async def test_a_stop_during_the_warning_lets_nothing_begin(when: When, tmp_path: Path) -> None:
    story: Story[Ground] = Story(
        before=warned,
        happens=stop,
        tells=nothing_is_told,
        limits=replace(PATIENCE, warning=3600.0),
        lasts=("store.stopped", "store.confirmed"),
        is_over=lambda stage: len(ended_by(stage)) > 0 and len(stage.ground.shown) > 1 and stage.is_calm,
    )
    async for stage in deaths(story, PLACES["slack"], when, tmp_path):
        assert await amiss(stage) == [], stage.death
        assert len(stage.ground.shown) == 2, stage.death
        assert stage.said(WARNING) == 0, stage.death
        assert (len(stage.model.begun), counted(stage)) == (0, 0), stage.death
        assert (await next_turn(stage)).previous is None, stage.death


@before_and_after
async def test_a_reset_ends_research_at_gemini(when: When, tmp_path: Path) -> None:
    story: Story[Ground] = Story(
        before=researching,
        happens=reset,
        tells=nothing_is_told,
        works=never_ends,
        lasts=("store.stopped", "store.confirmed", "store.ended"),
        is_over=lambda stage: stage.said(AFRESH) > 0 and not any(one.grows for one in stage.answers),
        is_fetched=False,
    )
    async for stage in deaths(story, PLACES["discord"], when, tmp_path):
        assert await amiss(stage) == [], stage.death
        assert len(stage.ground.shown) == 2, stage.death
        assert "paid for" in ended_by(stage)[0], stage.death
        assert (len(stage.model.begun), counted(stage)) == (1, 1), stage.death
        assert [run.is_cancelled for run in stage.model.agent.runs.values()] == [True], stage.death
        assert await is_afresh(stage), stage.death


def breaks(stage: Stage[Ground], question: Asked) -> Sequence[Cue]:
    return [TextPiece("Kites "), AnswerBroken("cut")]


@before_and_after
async def test_a_long_answer_that_broke_is_made_in_the_background_and_fetched(when: When, tmp_path: Path) -> None:
    story: Story[Ground] = Story(
        happens=asked,
        tells=breaks,
        works=lambda stage, question: [TextPiece(REPORT)],
        limits=replace(PATIENCE, long=0.0),
        lasts=("store.answered",),
        is_over=lambda stage: stage.said(REPORT) > 0 and stage.is_calm,
        is_fetched=False,
    )
    async for stage in deaths(story, PLACES["page"], when, tmp_path):
        assert await amiss(stage) == [], stage.death
        assert [one.text for one in stage.answers] == [REPORT], stage.death
        kept = (await next_turn(stage)).previous
        runs = stage.model.agent.runs
        assert kept == [*runs][-1], stage.death
        assert len(runs) == 1 or may_run_unknown(stage, "model.begin"), stage.death
        assert len(stage.asked) <= 2, stage.death
        assert stage.model.cancelled == [], stage.death
