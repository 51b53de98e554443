"""The judge can fail a bot: each bug on purpose is caught, for real, in the smallest story that shows it.

And the same stories told of the bot as it is have no verdict, or what is caught would prove nothing.
"""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from bot.__main__ import Around
from bot.commands import Command
from bot.messages import TurnId
from tests.chaos.bugs import BUGS, SOUND
from tests.chaos.history import Verdict
from tests.chaos.judge import counted, judge
from tests.chaos.places import REPORT
from tests.chaos.small import Small, small
from tests.chaos.small_research import (
    ResearchingModel,
    a_death_while_research_runs,
    a_report,
    more_research_than_there_may_be,
    research_that_is_stopped,
)
from tests.chaos.test_bugs_functions import STORIES as OF_FUNCTIONS
from tests.support.slack import ActThenDrop, DropBefore, SaysError

Story = Callable[[Small], Awaitable[None]]
HELD, REFUSED = ("q00071", "q00072"), ("q00081",)
MOST_RESEARCH = 2


async def a_question(it: Small) -> None:
    async with it.life():
        await it.says("q00001")
        await it.sees("q00001")


async def a_death_while_a_question_waits(it: Small) -> None:
    async with it.life(drain=0.0):
        await it.says("q00071")
        await it.sees("q00071", whole=False)
        await it.says("q00002", by="bob")
        await it.slack.delivered()
    it.model.let_go.set()
    # What was never stored would be found by reading the thread again, and here it cannot be read.
    it.slack.faults.arm("conversations.*", SaysError("missing_scope"), times=None)
    async with it.life():
        await it.says("q00003")
        await it.sees("q00003")


async def a_question_of_two_people(it: Small) -> None:
    async with it.life():
        await it.says("q00001")
        await it.sees("q00001")
        await it.says("q00002")
        await it.says("q00003", by="bob")
        await it.sees("q00002")
        await it.sees("q00003")


async def an_event_sent_again(it: Small) -> None:
    async with it.life():
        await it.says("q00001")
        await it.sees("q00001")
        it.slack.again(next(one for one in it.slack.deliveries if one.ts == it.history.said[0].id))
        await it.slack.delivered()
        await it.says("q00002", by="bob")
        await it.sees("q00002")


async def a_death_before_an_answer_stands(it: Small) -> None:
    async with it.life(drain=0.0):
        it.slack.faults.arm("chat.*", DropBefore(), times=None)
        await it.says("q00001")
        await it.slack.until(lambda: it.model.heard_out)
    it.slack.faults.disarm()
    async with it.life():
        await it.says("q00002", by="bob")
        await it.sees("q00002")


async def a_question_while_another_is_answered(it: Small) -> None:
    async with it.life():
        await it.says("q00001")
        await it.sees("q00001")
        await it.says("q00071")
        await it.sees("q00071", whole=False)
        await it.says("q00002", by="bob")
        await it.slack.delivered()
        it.model.let_go.set()
        await it.sees("q00002")


async def a_question_after_one_without_an_answer(it: Small) -> None:
    async with it.life():
        await it.says("q00001")
        await it.sees("q00001")
        await it.says("q00081")
        await it.says("q00002", by="bob")
        await it.sees("q00002")


async def a_reset_between_two_questions(it: Small) -> None:
    async with it.life():
        await it.says("q00001")
        await it.sees("q00001")
        await it.gives(Command.RESET)
        await it.says("q00002")
        await it.sees("q00002")


async def a_death_amid_an_answer(it: Small) -> None:
    async with it.life(drain=0.0):
        await it.says("q00071")
        await it.sees("q00071", whole=False)
    it.model.let_go.set()
    async with it.life():
        await it.sees("q00071")


async def a_post_of_which_nobody_hears(it: Small) -> None:
    for method in ("chat.postMessage", "chat.startStream"):
        it.slack.faults.arm(method, ActThenDrop())
    await a_question(it)


async def an_answer_that_takes_a_while(it: Small) -> None:
    async with it.life():
        await it.says("q00071")
        await it.sees("q00071", whole=False)
        it.model.let_go.set()
        await it.sees("q00071")


async def chat_after_quiet(it: Small) -> None:
    async with it.life():
        await it.says("q00001")
        await it.sees("q00001")
        await it.gives(Command.QUIET)
        await it.chats("q00002")
        await it.slack.delivered()
        await it.says("q00003", by="bob")
        await it.sees("q00003")


async def a_button_pressed_twice(it: Small) -> None:
    async with it.life() as clew:
        await it.says("q00001")
        button = await it.has("Retry")
        await it.presses(button)
        fresh = await it.has("Retry", other_than=button)
        await clew.dispatcher.see_out(it.begun, TurnId(fresh.value))
        await it.presses(button)
        await it.says("q00002")
        await it.sees("q00002")


async def a_thread_that_is_forgotten(it: Small) -> None:
    async with it.life():
        await it.says("q00001")
        await it.sees("q00001")
        await it.gives(Command.FORGET)
        await it.is_told(REPORT)


async def two_private_questions(it: Small) -> None:
    async with it.life():
        await it.says("q00001")
        await it.sees("q00001")
        await it.says("q00002")
        await it.sees("q00002")


STORIES: dict[str, tuple[Story, str]] = {
    "ack-before-store": (a_death_while_a_question_waits, "P1"),
    "stored-out-of-order": (a_question_of_two_people, "P2"),
    "stored-twice": (an_event_sent_again, "P1"),
    "advance-before-post": (a_death_before_an_answer_stands, "P1"),
    "two-at-once": (a_question_while_another_is_answered, "P3"),
    "prefix-forgotten": (a_question_after_one_without_an_answer, "P3"),
    "reset-ignored": (a_reset_between_two_questions, "P3"),
    "quiet-ignored": (chat_after_quiet, "P1"),
    "any-button-retries": (a_button_pressed_twice, "P4"),
    "forget-leaves-interactions": (a_thread_that_is_forgotten, "P7"),
    "private-stored": (two_private_questions, "P7"),
    "recovery-without-adoption": (a_death_amid_an_answer, "P1"),
    "paid-twice": (a_death_amid_an_answer, "P4"),
    "notice-swallowed": (a_question_after_one_without_an_answer, "P1"),
    "blind-retry": (a_post_of_which_nobody_hears, "P1"),
    "pings-everybody": (a_question, "P5"),
    "confirmed-twice": (a_reset_between_two_questions, "P1"),
    "button-left": (an_answer_that_takes_a_while, "P6"),
    "status-left": (an_answer_that_takes_a_while, "P6"),
    "research-begun-twice": (a_death_while_research_runs, "P4"),
    "cancel-forgotten": (research_that_is_stopped, "P4"),
    "cap-ignored": (more_research_than_there_may_be, "P4"),
    "report-attached-twice": (a_report, "P1"),
}
"""Of each bug the story that shows it, and the promise that is seen to be broken."""


async def told(story: Story, folder: Path, bug: Callable[[], Around]) -> tuple[Small, Sequence[Verdict]]:
    """A story as it goes with a bug, and what the judge says of it."""
    is_private = story is two_private_questions
    async with small(
        folder,
        bug,
        held=HELD,
        refused=REFUSED,
        is_private=is_private,
        most_research=MOST_RESEARCH,
        of_model=ResearchingModel,
    ) as it:
        await story(it)
        return it, judge(it.collect())


def test_every_bug_has_its_story() -> None:
    assert STORIES.keys() | OF_FUNCTIONS.keys() == BUGS.keys()


@pytest.mark.parametrize("bug", STORIES)
async def test_a_bug_is_caught(bug: str, tmp_path: Path) -> None:
    story, promise = STORIES[bug]
    it, verdicts = await told(story, tmp_path, BUGS[bug])
    assert counted(verdicts)[promise], f"it went unseen: {verdicts}, {it.history.stood}"


@pytest.mark.parametrize(
    "story", dict.fromkeys(story for story, _ in STORIES.values()), ids=lambda story: story.__name__
)
async def test_the_same_story_of_the_sound_bot_has_no_verdict(story: Story, tmp_path: Path) -> None:
    _, verdicts = await told(story, tmp_path, SOUND)
    assert verdicts == []
