"""The judge can fail a bot that does what nobody approved of, does it twice, or leaves what it asked."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.__main__ import Around
from tests.chaos.bugs import BUGS, SOUND
from tests.chaos.judge import counted, judge
from tests.chaos.small_functions import Sending, sending

Story = Callable[[Sending], Awaitable[None]]


async def something_that_needs_approval(story: Sending) -> None:
    story.desk.is_open.set()
    async with story.it.life():
        await story.it.says("q00001")
        if await story.is_asked():
            await story.approves()
        await story.it.sees("q00001")


async def a_death_while_it_is_done(story: Sending) -> None:
    async with story.it.life(drain=0.0):
        await story.it.says("q00001")
        await story.is_asked()
        await story.approves()
        await story.desk.done.wait()
    story.desk.is_open.set()
    async with story.it.life():
        await story.it.sees("q00001")


async def approval_by_somebody_else(story: Sending) -> None:
    story.desk.is_open.set()
    async with story.it.life():
        await story.it.says("q00001")
        await story.is_asked()
        if await story.approves(by="bob") != "Approved.":
            await story.approves()
        await story.it.sees("q00001")


STORIES: dict[str, tuple[Story, str]] = {
    "approval-skipped": (something_that_needs_approval, "P5"),
    "approved-twice": (a_death_while_it_is_done, "P4"),
    "anybody-approves": (approval_by_somebody_else, "P5"),
    "approval-left": (something_that_needs_approval, "P6"),
}
"""Of each bug the story that shows it, and the promise that is seen to be broken."""


async def broken(story: Story, folder: Path, bug: Callable[[], Around]) -> dict[str, int]:
    """The promises that are broken in a story as it goes with a bug."""
    async with sending(folder, bug) as it:
        await story(it)
        return dict(counted(judge(it.collect())))


@pytest.mark.parametrize("bug", STORIES)
async def test_a_bug_is_caught(bug: str, tmp_path: Path) -> None:
    story, promise = STORIES[bug]
    assert await broken(story, tmp_path, BUGS[bug]) == {promise: 1}


@pytest.mark.parametrize(
    "story", dict.fromkeys(story for story, _ in STORIES.values()), ids=lambda story: story.__name__
)
async def test_the_same_story_of_the_sound_bot_has_no_verdict(story: Story, tmp_path: Path) -> None:
    assert await broken(story, tmp_path, SOUND) == {}
