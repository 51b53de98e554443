"""What only Slack does, killed before and after everything the bot does about it."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest

from bot.answers import TextPiece
from tests.support.reaper import Cue, When
from tests.sweep.dying import Place, Stage, Story, deaths
from tests.sweep.judge import amiss
from tests.sweep.slack import SlackGround, slack_ground
from tests.sweep.stories import HALF, SHORT, Answer, half, half_answered
from tests.sweep.test_commands import judge_reset

HUGE = "\n\n".join(f"Paragraph {number}. " + "thread " * 1500 for number in range(5))  # over four messages

before_and_after = pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())


def once_something_stands_there(stage: Stage[SlackGround]) -> Sequence[Cue]:
    return [lambda: stage.ground.slack.received("chat.postMessage"), TextPiece(SHORT)]


directly = partial(slack_ground, is_direct=True)
ANSWERS: Mapping[str, tuple[Place[SlackGround], Answer[SlackGround]]] = {
    "an answer over four messages": (
        slack_ground,
        Answer(tells=lambda stage: [TextPiece(HUGE)], text=HUGE, files=("answer.md",), deeds=18),
    ),
    "an answer in a direct message": (directly, Answer(tells=once_something_stands_there, deeds=8)),
}


@before_and_after
@pytest.mark.parametrize(("place", "answer"), ANSWERS.values(), ids=ANSWERS)
async def test_killed_before_or_after_any_deed_there_is_one_whole_answer(
    place: Place[SlackGround], answer: Answer[SlackGround], when: When, tmp_path: Path
) -> None:
    await answer.judge(place, when, tmp_path)


@before_and_after
async def test_a_reset_that_was_acknowledged_happens_once_though_it_does_not_come_again(
    when: When, tmp_path: Path
) -> None:
    await judge_reset(partial(slack_ground, has_sent=True), when, tmp_path)


@before_and_after
async def test_the_stop_button_keeps_what_was_said(when: When, tmp_path: Path) -> None:
    story: Story[SlackGround] = Story(
        before=half_answered,
        happens=lambda stage: stage.ground.presses("Stop", stage.reaper, "store.stop"),
        tells=half,
        finishes=False,
        lasts=("store.stopped",),
        is_over=lambda stage: stage.is_calm,
        is_fetched=False,
    )
    async for stage in deaths(story, slack_ground, when, tmp_path):
        assert [stage.said(HALF), len(stage.answers)] == [1, 1], stage.death
        assert await amiss(stage) == [], stage.death
