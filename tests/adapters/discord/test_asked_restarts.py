"""Questions by command whose process ends in the middle: another one takes them up."""

from pathlib import Path

import pytest

from tests.adapters.discord.interacting import (
    ORIGINAL,
    Ending,
    When,
    answers,
    are_answered,
    commanded,
    is_thinking,
    questions,
    shown_question,
)
from tests.support.discord import Clock, DiscordServer, Permission, discord_server

ENDS = [
    pytest.param("take_in", When.AFTER, id="stored"),
    pytest.param(ORIGINAL, When.BEFORE, id="deferred"),
    pytest.param("add", When.BEFORE, id="shown"),
    pytest.param("add", When.AFTER, id="queued"),
    pytest.param("placed", When.BEFORE, id="almost done"),
]


async def asked_and_ended(discord: DiscordServer, url: str, at: str, when: When, **options: object) -> None:
    """Somebody asks by command, with a file, and the process ends at a moment."""
    ending = Ending(discord, at, when)
    async with commanded(discord, url=url, wrap_all=ending.over, drain=0.0):
        file = discord.uploads("maze.txt", b"left, right, left")
        await discord.uses("ada", "ask", text="which way?", file=file)
        await ending.came.wait()
        discord.takes_back(file)
    discord.faults.disarm()


@pytest.mark.parametrize("is_old", [False, True], ids=["at once", "after an hour"])
@pytest.mark.parametrize(("at", "when"), ENDS)
async def test_after_a_restart_there_is_one_question_and_one_answer(
    tmp_path: Path, at: str, when: When, is_old: bool
) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with discord_server() as discord:
        await asked_and_ended(discord, url, at, when)
        discord.clock.advance(3600.0 if is_old else 0.0)

        async with commanded(discord, url=url) as clew:
            question = await shown_question(discord)
            await discord.shown(question.id, are_answered(1))
            await discord.until(lambda: not is_thinking(discord))

            assert len(questions(discord.replies())) == 1
            assert answers(discord.replies()) == []
            assert len(clew.model.asked) == 1
            is_fetched = at in {"add", "placed"}
            assert ("left, right, left" in clew.model.asked[0].text) == is_fetched
            assert await clew.store.parcels(clew.adapter.platform) == []


async def test_what_was_not_stored_is_told_by_discord_itself(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with discord_server(clock=Clock(speed=10.0)) as discord:
        await asked_and_ended(discord, url, "take_in", When.BEFORE)

        async with commanded(discord, url=url) as clew:
            assert discord.interactions[0].has_failed
            assert discord.replies() == []
            assert clew.model.asked == []


async def test_whose_question_can_no_longer_be_shown_is_told_directly(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with discord_server() as discord:
        await asked_and_ended(discord, url, "take_in", When.AFTER)
        discord.clock.advance(3600.0)
        discord.deny(Permission.SEND_MESSAGES, channel="general")

        async with commanded(discord, url=url) as clew:
            (told,) = await discord.shown(discord.direct("ada"))

            assert "I may not write in this channel" in told.text
            await discord.until(lambda: not is_thinking(discord))
            assert clew.model.asked == []


async def test_a_question_of_days_ago_is_no_longer_asked(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with discord_server() as discord:
        await asked_and_ended(discord, url, "take_in", When.AFTER)
        discord.clock.advance(2 * 86_400.0)

        async with commanded(discord, url=url) as clew:
            await discord.until(lambda: discord.sockets)
            assert discord.replies() == []
            assert clew.model.asked == []
