"""A command in a Slack thread, with the bot killed before and after everything it does about it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters.slack.places import SLACK
from bot.answers import TextPiece
from bot.messages import Message, MessageId, Person, PersonId, Thread, Turn
from storage.sqlite import open_store
from tests.adapters.slack.dying import Stage, Story, deaths
from tests.support.reaper import Cue, When
from tests.support.scripted import Asked
from tests.support.slack_clew import until_logged

AFRESH, STOPPED, AGAIN = "This thread starts afresh", "Stopped.", "I answer the last question again."
IDLE = "I am not answering anything here just now."
HALF = "A clew is a ball of"


# A command that was acknowledged does not come again, one that was not does.
acknowledged = pytest.mark.parametrize("is_acknowledged", [True, False], ids=["acknowledged", "sent again"])


async def answered(stage: Stage) -> None:
    async with until_logged("turn answered", by="bot.responder"):
        stage.ts = await stage.slack.says("ada", "what is a clew?")


async def half_answered(stage: Stage) -> None:
    stage.ts = await stage.slack.says("ada", "what is a clew?")
    await stage.slack.shown("general", stage.ts, lambda shown: bool(shown) and HALF in shown[0].text)


def whole(stage: Stage, asked: Asked) -> Sequence[Cue]:
    return [TextPiece(f"answer {len(stage.model.asked) + 1}")]


def half(stage: Stage, asked: Asked) -> Sequence[Cue]:
    """A model that never comes to the end."""
    return [TextPiece(HALF), stage.go_on.wait]


async def reset(stage: Stage) -> None:
    await stage.slack.says("ada", "reset", thread_ts=stage.ts)


async def stop(stage: Stage) -> None:
    await stage.slack.says("ada", "stop", thread_ts=stage.ts)


async def press(stage: Stage, name: str, commit: str) -> None:
    """Press a button, and once more when nothing came of it because nobody was there."""
    slack = stage.slack
    (button,) = [button for one in stage.shown for button in one.buttons if button.text == name]
    if (await slack.clicks(button)).error is not None and not stage.reaper.has_done(commit):
        await slack.until(lambda: any(socket.takes_events for socket in slack.sockets))
        await slack.clicks(button)


def said(stage: Stage, words: str) -> int:
    """How many messages say this, for everybody or for one alone."""
    return sum(words in one.text for one in [*stage.shown, *stage.slack.whispers("ada")])


def is_calm(stage: Stage) -> bool:
    """Nothing streams or offers to be stopped."""
    buttons = {button.text for one in stage.shown for button in one.buttons}
    return bool(buttons) and "Stop" not in buttons and not any(one.is_streaming for one in stage.shown)


async def next_turn(stage: Stage) -> Turn:
    """The turn that the next question would have."""
    place = stage.slack.find(stage.ts).channel
    thread = Thread(SLACK, stage.slack.team_id, place, stage.ts)
    question = Message(thread, MessageId("9999999999.000100"), Person(PersonId("U0ADA00000")), "and now?", 0.0)
    async with open_store(stage.url, keeps_text=frozenset()) as store:
        await store.add(question)
        claim = await store.claim(thread)
    assert claim is not None
    return claim.turn


@acknowledged
@pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())
async def test_a_reset_happens_once_and_is_confirmed_once(when: When, is_acknowledged: bool, tmp_path: Path) -> None:
    story = Story(
        has_sent=is_acknowledged,
        before=answered,
        happens=reset,
        tells=whole,
        lasts=("store.confirmed",),
        is_over=lambda stage: said(stage, AFRESH) > 0,
    )
    async for stage in deaths(story, when, tmp_path):
        assert [one.text.partition("\n")[0] for one in stage.shown[:1]] == ["answer 1"], stage.death
        assert (said(stage, AFRESH), len(stage.shown)) == (1, 2), stage.death
        assert stage.taken_away == 0, stage.death
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
        assert stage.taken_away == 0, stage.death
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
        assert stage.taken_away == 0, stage.death
        assert await stage.unfinished() == [], stage.death


@pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())
async def test_the_stop_button_keeps_what_was_said(when: When, tmp_path: Path) -> None:
    story = Story(
        before=half_answered,
        happens=lambda stage: press(stage, "Stop", "store.stop"),
        tells=half,
        finishes=False,
        lasts=("store.stopped",),
        is_over=is_calm,
    )
    async for stage in deaths(story, when, tmp_path):
        assert [said(stage, HALF), len(stage.shown)] == [1, 1], stage.death
        assert stage.taken_away == 0, stage.death
        assert await stage.unfinished() == [], stage.death


@pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())
async def test_retry_puts_one_new_answer_in_the_place_of_the_old_one(when: When, tmp_path: Path) -> None:
    story = Story(
        before=answered,
        happens=lambda stage: press(stage, "Retry", "store.retry"),
        tells=whole,
        lasts=("store.answered",),
        is_over=lambda stage: len(stage.model.asked) > 1 and said(stage, "answer 1") == 0 and is_calm(stage),
    )
    async for stage in deaths(story, when, tmp_path):
        assert len(stage.shown) == 1, stage.death
        assert f"answer {len(stage.model.asked)}" in stage.shown[0].text, stage.death
        assert said(stage, AGAIN) <= 1, stage.death  # for one person alone, so nobody can look whether it was said
        assert stage.taken_away == 0, stage.death
        assert await stage.unfinished() == [], stage.death
        if stage.reaper.has_done("store.created"):
            assert len(stage.model.asked) == 2, f"what was created is fetched and not bought again; {stage.death}"
