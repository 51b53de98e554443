"""A command on every platform, with the bot killed before and after everything it does about it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.answers import TextPiece
from bot.reports import BEGUN
from storage.sqlite import open_store
from tests.support.reaper import Cue, When
from tests.support.scripted import Asked
from tests.support.slack_clew import until_logged
from tests.sweep.dying import Place, Stage, Story, deaths
from tests.sweep.ground import GREETING, Ground
from tests.sweep.judge import amiss, next_turn
from tests.sweep.stories import FILM, HALF, PLACES, answered, half, half_answered

AFRESH, STOPPED, AGAIN = "This thread starts afresh", "Stopped.", "I answer the last question again."
IDLE = "I am not answering anything here just now."
FORGOTTEN = "I have forgotten this thread: 2 exchanges and 1 file deleted at Gemini"

on_every_platform = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
before_and_after = pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())


async def answered_twice_about_a_film(stage: Stage[Ground]) -> None:
    async with until_logged("turn answered", by="bot.responder"):
        await stage.ground.asks(files=[FILM])
    async with until_logged("turn answered", by="bot.responder"):
        await stage.ground.adds("and why?")


def whole(stage: Stage[Ground], asked: Asked) -> Sequence[Cue]:
    return [TextPiece(f"answer {len(stage.asked) + 1}")]


async def reset(stage: Stage[Ground]) -> None:
    await stage.ground.types("reset")


async def stop(stage: Stage[Ground]) -> None:
    await stage.ground.types("stop")


async def is_afresh(stage: Stage[Ground]) -> bool:
    turn = await next_turn(stage)
    return (turn.epoch, turn.previous) == (1, None)


async def judge_reset(place: Place[Any], when: When, folder: Path) -> None:
    """A reset happens once and is confirmed once; what stands in the thread stays there where it can."""
    story: Story[Ground] = Story(
        before=answered,
        happens=reset,
        tells=whole,
        lasts=("store.reset", "store.confirmed"),
        is_over=lambda stage: stage.said(AFRESH) > 0,
        is_fetched=False,
    )
    async for stage in deaths(story, place, when, folder):
        texts = [one.text.partition("\n")[0] for one in stage.answers]
        assert texts == (["answer 1"] if stage.ground.keeps_what_was_reset else []), stage.death
        assert stage.said(AFRESH) == 1, stage.death
        assert len(stage.ground.shown) == len(texts) + 1, stage.death
        assert await amiss(stage) == [], stage.death
        assert await is_afresh(stage), stage.death


@before_and_after
@on_every_platform
async def test_a_reset_happens_once_and_is_confirmed_once(place: Place[Any], when: When, tmp_path: Path) -> None:
    await judge_reset(place, when, tmp_path)


@before_and_after
@on_every_platform
async def test_a_reset_ends_the_answer_under_way(place: Place[Any], when: When, tmp_path: Path) -> None:
    story: Story[Ground] = Story(
        before=half_answered,
        happens=reset,
        tells=half,
        finishes=False,
        lasts=("store.stopped", "store.confirmed"),
        is_over=lambda stage: stage.said(AFRESH) > 0 and not any(one.grows for one in stage.answers),
        is_fetched=False,
    )
    async for stage in deaths(story, place, when, tmp_path):
        stays = 1 if stage.ground.keeps_what_was_reset else 0
        assert [stage.said(HALF), stage.said(AFRESH)] == [stays, 1], stage.death
        assert len(stage.ground.shown) == stays + 1, stage.death
        assert await amiss(stage) == [], stage.death
        assert await is_afresh(stage), stage.death


@before_and_after
@on_every_platform
async def test_a_stop_keeps_what_was_said_and_is_confirmed_once(place: Place[Any], when: When, tmp_path: Path) -> None:
    story: Story[Ground] = Story(
        before=half_answered,
        happens=stop,
        tells=half,
        finishes=False,
        lasts=("store.stopped", "store.confirmed"),
        is_over=lambda stage: stage.said(STOPPED) + stage.said(IDLE) > 0 and stage.is_calm,
        is_fetched=False,
    )
    async for stage in deaths(story, place, when, tmp_path):
        # To the next process the stop may come again when the answer has ended by it.
        assert stage.said(STOPPED) + stage.said(IDLE) == 1, stage.death
        assert len(stage.ground.shown) == 2, stage.death
        assert stage.said(HALF) == 1, stage.death
        assert await amiss(stage) == [], stage.death


@before_and_after
@on_every_platform
async def test_retry_puts_one_new_answer_in_the_place_of_the_old_one(
    place: Place[Any], when: When, tmp_path: Path
) -> None:
    story: Story[Ground] = Story(
        before=answered,
        happens=lambda stage: stage.ground.retries(stage.reaper),
        tells=whole,
        lasts=("store.answered", "store.placed"),
        is_over=lambda stage: len(stage.asked) > 1 and stage.said("answer 1") == 0 and stage.is_calm,
        superseded=1,
    )
    async for stage in deaths(story, place, when, tmp_path):
        assert len(stage.answers) == 1, stage.death
        assert f"answer {len(stage.asked)}" in stage.answers[0].text, stage.death
        assert stage.said(AGAIN) <= 1, stage.death  # for one person alone, so nobody can look whether it was said
        assert await amiss(stage) == [], stage.death


@before_and_after
@on_every_platform
async def test_a_thread_that_is_to_be_forgotten_is_and_that_is_said_once(
    place: Place[Any], when: When, tmp_path: Path
) -> None:
    story: Story[Ground] = Story(
        before=answered_twice_about_a_film,
        happens=lambda stage: stage.ground.types("forget"),
        tells=whole,
        lasts=("store.reported", "store.confirmed"),
        is_over=lambda stage: stage.said(FORGOTTEN) > 0,
        uploads=True,
        is_fetched=False,
    )
    async for stage in deaths(story, place, when, tmp_path):
        # Where the report comes first, nobody is told any more that it has begun.
        told = [BEGUN in one.text for one in stage.ground.shown if one.is_aside]
        assert stage.said(FORGOTTEN) == 1, stage.death
        assert stage.said("I forget this thread") == len(told) - 1 <= 1, stage.death
        assert told[-1:] == [False], stage.death
        assert [one for one in stage.model.kept.values() if GREETING not in one.asked[0]] == [], stage.death
        assert stage.model.shelf == {}, stage.death
        async with open_store(stage.url, keeps_text=frozenset()) as store:
            assert list(await store.transcript(stage.ground.thread)) == [], stage.death
        assert await amiss(stage) == [], stage.death
