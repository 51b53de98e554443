"""A turn on every platform, killed before and after everything it does, and taken up by the next start."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.answers import TextPiece
from bot.policy import Policy
from tests.support.reaper import Cue, When
from tests.support.scripted import Asked
from tests.sweep.dying import Place, Stage, Story, deaths
from tests.sweep.ground import Ground
from tests.sweep.judge import amiss
from tests.sweep.stories import ANSWERS, PLACES, Answer, answered, asked, searched, words_of

NUMBERS = ("(one)", "(two)", "(three)")

on_every_platform = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
before_and_after = pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())


@before_and_after
@on_every_platform
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_killed_before_or_after_any_deed_there_is_one_whole_answer(
    answer: Answer[Ground], place: Place[Any], when: When, tmp_path: Path
) -> None:
    await answer.judge(place, when, tmp_path)


@before_and_after
@on_every_platform
async def test_killed_before_or_after_any_deed_sources_are_listed_once_and_code_is_kept_once(
    place: Place[Any], when: When, tmp_path: Path
) -> None:
    story: Story[Ground] = Story(
        happens=asked,
        tells=lambda stage, question: searched(stage),
        lasts=("store.answered",),
        is_over=lambda stage: stage.said("Sources") > 0 and stage.is_calm,
    )
    undisturbed: tuple[list[str], list[str]] | None = None
    async for stage in deaths(story, place, when, tmp_path):
        assert await amiss(stage) == [], stage.death
        found = words_of(stage), [file for one in stage.answers for file in one.files]
        undisturbed = undisturbed or found
        assert found == undisturbed, stage.death
        said = "\n".join(found[0])
        assert [said.count("Sources"), said.count("1.[Kites]"), said.count("2.")] == [1, 1, 0], stage.death
        # The page folds it into the answer.
        assert [said.count("print(6*7)"), found[1]] in ([0, ["code.md"]], [1, []]), stage.death


async def one_more_is_asked(stage: Stage[Ground]) -> None:
    before = len(stage.model.asked)
    await stage.ground.asks("(one)")
    await stage.model.heard(before + 1)


async def two_wait(stage: Stage[Ground]) -> None:
    for text in ("(two)", "(three)"):
        await stage.ground.adds(text)
    stage.go_on.set()


def echo(stage: Stage[Ground], asked: Asked) -> Sequence[Cue]:
    """The answer to the first question is slow."""
    return [stage.go_on.wait, TextPiece(f"answer to {asked.text}")]


def said_in(stage: Stage[Ground]) -> str:
    return "\n".join(one.text for one in stage.answers)


@before_and_after
@on_every_platform
async def test_killed_before_or_after_any_deed_two_messages_that_waited_are_both_answered_once(
    place: Place[Any], when: When, tmp_path: Path
) -> None:
    story: Story[Ground] = Story(
        before=one_more_is_asked,
        happens=two_wait,
        tells=echo,
        lasts=("store.answered", "store.answered"),
        is_over=lambda stage: [said_in(stage).count(number) for number in NUMBERS] == [1, 1, 1] and stage.is_calm,
    )
    async for stage in deaths(story, place, when, tmp_path):
        said = said_in(stage)
        assert sorted(NUMBERS, key=said.index) == list(NUMBERS), stage.death
        assert [said.count(number) for number in NUMBERS] == [1, 1, 1], stage.death
        assert await amiss(stage) == [], stage.death
        if stage.reaper.k == 0:
            assert len(stage.answers) == 2, "the two were answered together"


@before_and_after
@on_every_platform
async def test_killed_before_or_after_any_deed_a_private_thread_is_remembered_here_and_nowhere_else(
    place: Place[Any], when: When, tmp_path: Path
) -> None:
    story: Story[Ground] = Story(
        before=answered,
        happens=lambda stage: stage.ground.adds("and why?"),
        tells=lambda stage, asked: [TextPiece(f"answer {'two' if 'and why?' in asked.text else 'one'}")],
        lasts=("store.answered",),
        is_over=lambda stage: stage.said("answer two") == 1 and stage.is_calm,
        policy=Policy(private=True),
        is_fetched=False,
    )
    async for stage in deaths(story, place, when, tmp_path):
        assert [stage.said("answer one"), stage.said("answer two"), len(stage.answers)] == [1, 1, 2], stage.death
        assert len(stage.asked) <= 3, stage.death
        assert "answer one" in stage.asked[-1].before, stage.death
        assert stage.model.kept == {}, stage.death
        assert await amiss(stage) == [], stage.death
