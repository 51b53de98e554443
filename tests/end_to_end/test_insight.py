"""What is told of threads and of what they took: to their people, and to the operator, while the bot runs and after."""

import asyncio
import re
from pathlib import Path

import pytest

from bot.cli import read_arguments
from bot.commands import Command
from bot.messages import Thread
from bot.offline import Call, ForgetFault, StatusFault
from tests.end_to_end.scenes import Scene, everywhere
from tests.support.people.discord import DiscordPeople
from tests.support.people.seen import WITHIN, whole
from tests.support.people.slack import SlackPeople
from tests.support.process import RunningClew, finished, running_clew
from tests.support.visitor import visitor_at

TURN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d · answered · gemini-3.5-flash-lite · \d+ tokens in, \d+ out")


def link_to(scene: Scene, clew: RunningClew, thread: Thread) -> str:
    """What "Copy link" gives of the message a thread begins with, or the address of the page."""
    match scene.name:
        case "slack":
            return f"https://acme.slack.com/archives/{thread.channel_id}/p{thread.thread_id.replace('.', '')}"
        case "discord":
            return f"https://discord.com/channels/{thread.installation_id}/{thread.channel_id}/{thread.thread_id}"
        case _:
            return f"{clew.address}/#{thread.thread_id}"


def id_of(scene: Scene, name: str) -> str:
    """The id of a person; on the page nobody has one."""
    match scene.people:
        case SlackPeople(slack=slack):
            return slack.person(name)
        case DiscordPeople(discord=discord):
            return discord.person(name)
        case _:
            return name


async def history_once_all_is_noted(scene: Scene, thread: Thread) -> str:
    """What somebody is told of a thread; an answer is seen a moment before it stands in the books."""
    async with asyncio.timeout(WITHIN):
        while "running" in (told := await scene.people.is_told(Command.HISTORY, thread)):
            pass
    return told


@everywhere
async def test_a_thread_is_told_as_gemini_holds_it_to_who_may_see_it_alone_and_to_the_operator(scene: Scene) -> None:
    gemini = {"GEMINI_API_KEY": "test-key", "GEMINI_BASE_URL": scene.model.url}
    async with scene.clew(CLEW_BLOCK_PEOPLE=id_of(scene, "ben")) as clew:
        thread = (await scene.people.says("what is a clew?")).thread
        await scene.people.looks(thread, whole(1))
        await scene.people.says("and a maze?", thread=thread)
        await scene.people.looks(thread, whole(2))

        told = await history_once_all_is_noted(scene, thread)
        usage = await scene.people.is_told(Command.USAGE, thread)
        printed = await finished(scene.folder, "thread", link_to(scene, clew, thread), **gemini)
        if scene.name != "page":  # where everybody who gets in is the same person
            assert "I am not allowed" in await scene.people.is_told(Command.HISTORY, thread, by="ben")
        scene.model.faults.arm(StatusFault(401), on=Call.GET, times=2)
        refused = await scene.people.is_told(Command.HISTORY, thread)
        scene.model.faults.arm(ForgetFault(), on=Call.GET)
        lost = await scene.people.is_told(Command.HISTORY, thread)
        await scene.people.looks(thread, whole(2))  # nothing of it was said to all

    for shown in (told, printed.printed):
        assert len(TURN.findall(shown)) == 2
        assert shown.index("and a maze?") < shown.index("what is a clew?"), "the newest first"
        assert "Answered: " in shown
    assert (printed.code, printed.said) == (0, "")
    assert f"{thread.key}: 2 turns" in printed.printed
    assert "2 answers, " in usage
    assert "about $" in usage
    assert refused.count("Gemini refuses the API key: tell the operator") == 2
    assert lost.count("Gemini does not know it any more") == 2
    assert "Asked" not in refused + lost


async def test_beside_a_running_bot_and_after_a_killed_one_the_operator_reads_what_there_is(tmp_path: Path) -> None:
    async with running_clew(tmp_path) as clew, visitor_at(clew.address, "thread0001") as page:
        await page.ask("What is a κλωστή?")
        await page.ended(1)
        beside = await finished(tmp_path, "thread", f"{clew.address}/#thread0001", PYTHONIOENCODING="ascii:strict")
        usage = await finished(tmp_path, "usage")
        record = (tmp_path / "clew.db.offline.jsonl").read_bytes()
        await page.ask("And another?")
        await page.ended(2)
        clew.kill()
        await clew.ended()
    after = await finished(tmp_path, "thread", "web:local:page:thread0001")
    paid = await finished(tmp_path, "usage", "--days", "1", GEMINI_API_KEY="some-key")
    unknown = await finished(tmp_path, "thread", "https://acme.slack.com/archives/C1/p1700000000000100")

    assert [one.code for one in (beside, usage, after, paid)] == [0] * 4
    assert (beside.said, after.said) == ("", "")
    assert "web:local:page:thread0001: 1 turn" in beside.printed
    assert "Asked: What is a ??????" in beside.printed, "a terminal of few letters is told what it can show"
    assert after.printed.index("And another?") < after.printed.index("What is a κλωστή?")
    assert (tmp_path / "clew.db.offline.jsonl").read_bytes().startswith(record), "nobody took it from the bot"
    assert "gemini-3.5-flash-lite" in usage.printed
    assert "web:local" in usage.printed
    assert "offline model costs nothing" in usage.printed
    assert "Google's list of" in paid.printed
    assert "0.00" in paid.printed
    assert (unknown.code, unknown.printed) == (1, "")
    assert "knows of no such thread" in unknown.said
    assert len(unknown.said.strip().splitlines()) == 1


async def test_without_a_database_there_is_nothing_to_read_and_none_is_made(tmp_path: Path) -> None:
    refused = await finished(tmp_path, "thread", "web:local:page:thread0001")

    assert refused.code == 1
    assert "there is no database" in refused.said
    assert len(refused.said.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_days_are_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        read_arguments(["usage", "--days", "many"])

    assert "'many' is not a number of days" in capsys.readouterr().err
