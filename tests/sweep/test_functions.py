"""Functions that the model calls for, with the bot killed before and after everything it does about them."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.answers import TextPiece
from tests.support.reaper import Cue, When
from tests.support.scripted import Asked
from tests.sweep.calls import called, calls, functions, told_by
from tests.sweep.dying import Stage, Story, deaths
from tests.sweep.ground import Ground
from tests.sweep.judge import amiss, remembered
from tests.sweep.page import page_ground
from tests.sweep.stories import asked

FIRST, SECOND = ["weigh kite", "weigh boat"], ["weigh string"]
TEXT = "I weigh both. And the string. The string: a pound."

before_and_after = pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())


def two_rounds(stage: Stage[Ground], question: Asked) -> Sequence[Cue]:
    match called(question):
        case []:
            return [TextPiece("I weigh both. "), calls(*FIRST)]
        case first if first == FIRST:
            return [TextPiece("And the string. "), calls(*SECOND)]
    return [TextPiece(f"The {told_by(question)}.")]


@before_and_after
async def test_two_rounds_of_calls_make_one_answer_and_what_is_paid_is_fetched(when: When, tmp_path: Path) -> None:
    story: Story[Ground] = Story(
        happens=asked,
        tells=two_rounds,
        functions=functions,
        lasts=("store.answered",),
        is_over=lambda stage: stage.said(TEXT) > 0 and stage.is_calm,
    )
    async for stage in deaths(story, page_ground, when, tmp_path):
        assert [one.text for one in stage.answers] == [TEXT], stage.death
        assert await amiss(stage) == [], stage.death
        # A function that is free may be called again by the next life, and by nobody else.
        times = [stage.done.count(one) for one in (*FIRST, *SECOND)]
        assert all(1 <= number <= (2 if stage.reaper.k else 1) for number in times), stage.death
        assert len(stage.asked) <= 4, stage.death
        told = await remembered(stage)
        assert [called(one) for one in told] == [[], FIRST, SECOND], stage.death
        assert [result.is_error for one in told for result in one.results] == [False] * 3, stage.death
        if not stage.reaper.k:
            assert {f"function.{one}" for one in (*FIRST, *SECOND)} <= {*stage.reaper.deeds}, "each is a deed"
