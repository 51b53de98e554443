"""A command in Discord, with the bot killed before and after everything it does about it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters.discord.places import DISCORD
from bot.answers import TextPiece
from bot.messages import Message, MessageId, Person, PersonId, Thread, Turn
from storage.sqlite import open_store
from tests.adapters.discord.dying import Stage, Story, deaths
from tests.support.reaper import Cue, When
from tests.support.scripted import Asked
from tests.support.slack_clew import until_logged

AFRESH, STOPPED = "This thread starts afresh", "Stopped."
IDLE = "I am not answering anything here just now."
HALF = "A clew is a ball of"


async def answered(stage: Stage) -> None:
    async with until_logged("turn answered", by="bot.responder"):
        await stage.asks()


async def half_answered(stage: Stage) -> None:
    await stage.asks()
    await stage.until(HALF)()


def whole(stage: Stage, asked: Asked) -> Sequence[Cue]:
    return [TextPiece(f"answer {stage.asked + 1}")]


def half(stage: Stage, asked: Asked) -> Sequence[Cue]:
    """A model that never comes to the end."""
    return [TextPiece(HALF), stage.go_on.wait]


async def reset(stage: Stage) -> None:
    await stage.discord.says("ada", "reset", channel=stage.place)


async def stop(stage: Stage) -> None:
    await stage.discord.says("ada", "stop", channel=stage.place)


async def press(stage: Stage, label: str) -> None:
    """Press a button, and again when Discord says that nobody was there and nothing came of it."""
    while True:
        found = [button for one in stage.shown for button in stage.discord.buttons(one.id) if button.label == label]
        if not found:
            return
        pressed = await stage.discord.presses("ada", found[0])
        if not pressed.has_failed or stage.reaper.has_done("store.take_in"):
            return


def said(stage: Stage, words: str) -> int:
    """How many messages say this."""
    return sum(words in one.text for one in stage.shown)


def is_calm(stage: Stage) -> bool:
    """An answer stands there, and nothing offers to be stopped."""
    buttons = {button for one in stage.shown for button in one.buttons}
    return bool(buttons) and "Stop" not in buttons


async def next_turn(stage: Stage) -> Turn:
    """The turn that the next question would have."""
    thread = Thread(DISCORD, stage.discord.guild(), stage.discord.channel("general"), stage.question)
    question = Message(thread, MessageId("9" * 19), Person(PersonId("7" * 18)), "and now?", 0.0)
    async with open_store(stage.url, keeps_text=frozenset()) as store:
        await store.add(question)
        claim = await store.claim(thread)
    assert claim is not None
    return claim.turn


@pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())
async def test_a_reset_happens_once_and_is_confirmed_once(when: When, tmp_path: Path) -> None:
    story = Story(
        before=answered,
        happens=reset,
        tells=whole,
        lasts=("store.confirmed",),
        is_over=lambda stage: said(stage, AFRESH) > 0,
    )
    async for stage in deaths(story, when, tmp_path):
        assert [one.text.partition("\n")[0] for one in stage.shown[:1]] == ["answer 1"], stage.death
        assert (said(stage, AFRESH), len(stage.shown)) == (1, 2), stage.death
        assert await stage.unfinished() == [], stage.death
        turn = await next_turn(stage)
        assert (turn.epoch, turn.previous) == (1, None), stage.death


@pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())
async def test_a_reset_ends_the_answer_under_way(when: When, tmp_path: Path) -> None:
    story = Story(
        before=half_answered,
        happens=reset,
        tells=half,
        finishes=False,
        lasts=("store.stopped", "store.confirmed"),
        is_over=lambda stage: said(stage, AFRESH) > 0 and is_calm(stage),
    )
    async for stage in deaths(story, when, tmp_path):
        assert [said(stage, HALF), said(stage, AFRESH), len(stage.shown)] == [1, 1, 2], stage.death
        assert await stage.unfinished() == [], stage.death
        turn = await next_turn(stage)
        assert (turn.epoch, turn.previous) == (1, None), stage.death


@pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())
async def test_a_stop_keeps_what_was_said_and_is_confirmed_once(when: When, tmp_path: Path) -> None:
    story = Story(
        before=half_answered,
        happens=stop,
        tells=half,
        finishes=False,
        lasts=("store.stopped", "store.confirmed"),
        is_over=lambda stage: len(stage.shown) > 1 and is_calm(stage),
    )
    async for stage in deaths(story, when, tmp_path):
        # To the next process the stop may come again when the answer has ended by it.
        confirmed = said(stage, STOPPED) + said(stage, IDLE)
        assert [said(stage, HALF), confirmed, len(stage.shown)] == [1, 1, 2], stage.death
        assert await stage.unfinished() == [], stage.death


@pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())
async def test_the_stop_button_keeps_what_was_said(when: When, tmp_path: Path) -> None:
    story = Story(
        before=half_answered,
        happens=lambda stage: press(stage, "Stop"),
        tells=half,
        finishes=False,
        lasts=("store.stopped", "store.placed"),
        is_over=is_calm,
    )
    async for stage in deaths(story, when, tmp_path):
        assert [said(stage, HALF), len(stage.shown)] == [1, 1], stage.death
        assert await stage.unfinished() == [], stage.death


@pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())
async def test_retry_puts_one_new_answer_in_the_place_of_the_old_one(when: When, tmp_path: Path) -> None:
    story = Story(
        before=answered,
        happens=lambda stage: press(stage, "Retry"),
        tells=whole,
        lasts=("store.answered", "store.placed"),
        is_over=lambda stage: stage.asked > 1 and said(stage, "answer 1") == 0 and is_calm(stage),
    )
    async for stage in deaths(story, when, tmp_path):
        assert len(stage.shown) == 1, stage.death
        assert f"answer {stage.asked}" in stage.shown[0].text, stage.death
        assert await stage.unfinished() == [], stage.death
        if stage.reaper.has_done("store.created"):
            assert stage.asked == 2, f"what was created is fetched and not bought again; {stage.death}"
