"""What needs approval, on every platform, with the bot killed before and after everything it does about it."""

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.answers import TextPiece
from bot.approvals import DECLINED, UNSURE
from bot.approvals import STOPPED as NOT_DONE
from tests.support.reaper import Cue, When
from tests.support.scripted import Asked
from tests.sweep.calls import called, calls, functions, told_by
from tests.sweep.dying import Place, Stage, Story, deaths
from tests.sweep.ground import Ground
from tests.sweep.judge import amiss, next_turn, remembered, still_asks
from tests.sweep.stories import PLACES, squeezed
from tests.sweep.test_commands import AFRESH, IDLE, STOPPED, is_afresh, reset, stop

ORDER, WEIGH = "order kite", "weigh kite"
BEGUN, ASKED = "I order it.", "May I do this?"

on_every_platform = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
# What platforms differ in is shown where it is approved; of these, one ground has both sides of every deed.
in_turns = pytest.mark.parametrize(
    ("place", "when"),
    [
        pytest.param(PLACES[place], when, id=f"{place}-{when.name.lower()}")
        for place, when in (
            ("page", When.AFTER),
            ("slack", When.BEFORE),
            ("slack", When.AFTER),
            ("discord", When.AFTER),
        )
    ],
)
before_and_after = pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())


def ordering(stage: Stage[Ground], question: Asked) -> Sequence[Cue]:
    if not question.results:
        return [TextPiece(f"{BEGUN} "), calls(ORDER, WEIGH)]
    return [TextPiece(f"Told: {told_by(question)}")]


def decided(label: str) -> Callable[[Stage[Ground]], Coroutine[Any, Any, None]]:
    async def decide(stage: Stage[Ground]) -> None:
        await stage.ground.asks("order a kite")
        await stage.sees(ASKED)()
        stage.done.append(label)
        await stage.ground.decides(label, stage.reaper)

    return decide


async def waits_for_approval(stage: Stage[Ground]) -> None:
    await stage.ground.asks("order a kite")
    await stage.sees(ASKED)()
    await stage.sees(BEGUN)()


def is_decided(stage: Stage[Ground]) -> bool:
    return stage.said("Told:") > 0 and stage.is_calm and not still_asks(stage)


def judge_question(stage: Stage[Ground], words: str) -> None:
    """It was asked once, and shows what was decided where it goes on to stand there."""
    asked = [one.text for one in stage.ground.shown if ASKED in one.text]
    assert len(asked) == (1 if stage.ground.keeps_what_was_asked else 0), stage.death
    assert all(one.count(words) == 1 for one in asked), stage.death
    assert still_asks(stage) == [], stage.death


@before_and_after
@on_every_platform
async def test_what_is_approved_is_asked_for_once_and_done_once_or_said_to_be_uncertain(
    place: Place[Any], when: When, tmp_path: Path
) -> None:
    story: Story[Ground] = Story(
        happens=decided("Approve"),
        tells=ordering,
        functions=functions,
        lasts=("store.answered",),
        is_over=is_decided,
    )
    async for stage in deaths(story, place, when, tmp_path):
        assert await amiss(stage) == [], stage.death
        judge_question(stage, "Approved.")
        told = await remembered(stage)
        assert [called(one) for one in told] == [[], [ORDER, WEIGH]], stage.death
        (answer,) = [one.text for one in stage.answers if one.text]
        assert squeezed(f"{BEGUN} Told: {told_by(told[1])}") in squeezed(answer), stage.death
        is_unsure = told[1].results[0].value == UNSURE
        # Nobody can tell what became of what had been begun when the process died; everything else is done.
        assert not is_unsure or "store.begin" in stage.reaper.deeds, stage.death
        assert stage.done.count(ORDER) <= 1 if is_unsure else stage.done.count(ORDER) == 1, stage.death
        assert "Approve" in stage.done[: stage.done.index(ORDER)] if ORDER in stage.done else is_unsure, stage.death


@before_and_after
@pytest.mark.parametrize("place", [PLACES["slack"]])
async def test_what_is_declined_is_never_done(place: Place[Any], when: When, tmp_path: Path) -> None:
    story: Story[Ground] = Story(
        happens=decided("Decline"),
        tells=ordering,
        functions=functions,
        lasts=("store.answered",),
        is_over=is_decided,
    )
    async for stage in deaths(story, place, when, tmp_path):
        assert await amiss(stage) == [], stage.death
        judge_question(stage, "Declined.")
        told = await remembered(stage)
        assert [called(one) for one in told] == [[], [ORDER, WEIGH]], stage.death
        assert told[1].results[0].value == DECLINED, stage.death
        assert ORDER not in stage.done, stage.death


@in_turns
async def test_a_stop_takes_back_what_was_asked_and_it_is_never_done(
    place: Place[Any], when: When, tmp_path: Path
) -> None:
    story: Story[Ground] = Story(
        before=waits_for_approval,
        happens=stop,
        tells=ordering,
        functions=functions,
        lasts=("store.stopped", "store.confirmed"),
        is_over=lambda stage: stage.said(STOPPED) + stage.said(IDLE) > 0 and stage.is_calm,
        is_fetched=False,
    )
    async for stage in deaths(story, place, when, tmp_path):
        assert await amiss(stage) == [], stage.death
        judge_question(stage, NOT_DONE)
        assert stage.said(BEGUN) == 1, stage.death
        assert ORDER not in stage.done, stage.death
        assert (await next_turn(stage)).previous is None, stage.death


@in_turns
async def test_a_reset_leaves_nothing_to_be_done(place: Place[Any], when: When, tmp_path: Path) -> None:
    story: Story[Ground] = Story(
        before=waits_for_approval,
        happens=reset,
        tells=ordering,
        functions=functions,
        lasts=("store.stopped", "store.confirmed"),
        is_over=lambda stage: (
            stage.said(AFRESH) > 0 and not any(one.grows for one in stage.answers) and not still_asks(stage)
        ),
        is_fetched=False,
    )
    async for stage in deaths(story, place, when, tmp_path):
        assert await amiss(stage) == [], stage.death
        judge_question(stage, NOT_DONE)
        assert stage.said(AFRESH) == 1, stage.death
        assert ORDER not in stage.done, stage.death
        assert await is_afresh(stage), stage.death
