"""``clew thread`` and ``clew usage``: what the operator reads beside a running bot, and after it."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.support.process import RunningClew, finished, running_clew

THREAD = "thread0001"


async def ask(clew: RunningClew, text: str, *, number: int = 1) -> None:
    """Ask on the page, and wait until so many questions have been answered."""
    url = f"{clew.address}/api/threads/{THREAD}"
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        async with session.post(f"{url}/messages", json={"id": f"question-{number}", "text": text}) as response:
            assert response.status == 202
        async with session.get(f"{url}/events") as stream:
            told = b""
            while told.count(b'"state":"answered"') < number:
                piece = await stream.content.readany()
                assert piece, "the stream ended"
                told += piece


async def test_a_thread_is_read_beside_a_running_bot_and_from_what_a_killed_one_left(tmp_path: Path) -> None:
    async with running_clew(tmp_path) as clew:
        await ask(clew, "What is a clew?")
        beside = await finished(tmp_path, "thread", f"{clew.address}/#{THREAD}")
        record = (tmp_path / "clew.db.offline.jsonl").read_bytes()
        await ask(clew, "And another?", number=2)
        clew.kill()
        await clew.ended()
    after = await finished(tmp_path, "thread", f"web:local:page:{THREAD}")

    assert beside.code == after.code == 0
    assert (beside.said, after.said) == ("", "")
    assert f"web:local:page:{THREAD}: 1 turn" in beside.printed
    assert "answered · gemini-3.5-flash-lite · " in beside.printed
    assert "Asked: What is a clew?" in beside.printed
    assert "Answered: " in beside.printed
    assert after.printed.index("And another?") < after.printed.index("What is a clew?")
    assert (tmp_path / "clew.db.offline.jsonl").read_bytes().startswith(record), "nobody took it from the bot"


async def test_a_terminal_of_few_letters_is_told_what_it_can_show(tmp_path: Path) -> None:
    async with running_clew(tmp_path) as clew:
        await ask(clew, "What is a κλωστή?")
        shown = await finished(tmp_path, "thread", f"{clew.address}/#{THREAD}", PYTHONIOENCODING="ascii:strict")

    assert (shown.code, shown.said) == (0, "")
    assert "Asked: What is a ??????" in shown.printed


async def test_what_was_used_is_shown_by_day_and_person_and_offline_costs_nothing(tmp_path: Path) -> None:
    async with running_clew(tmp_path) as clew:
        await ask(clew, "What is a clew?")
        beside = await finished(tmp_path, "usage")
    paid = await finished(tmp_path, "usage", "--days", "1", GEMINI_API_KEY="some-key")

    assert beside.code == paid.code == 0
    assert "gemini-3.5-flash-lite" in beside.printed
    assert "web:local" in beside.printed
    assert "offline model costs nothing" in beside.printed
    assert "Google's list of" in paid.printed
    assert "0.00" in paid.printed


@pytest.mark.parametrize(
    ("link", "words"),
    [
        pytest.param("hello", "leads to no thread", id="no link"),
        pytest.param("https://example.org/", "leads to no thread", id="somebody else's page"),
        pytest.param("web:local:page:thread0009", "knows of no such thread", id="an unknown thread"),
        pytest.param("https://acme.slack.com/archives/C1/p1700000000000100", "no such thread", id="Slack"),
        pytest.param("https://discord.com/channels/1/2/3", "no such thread", id="Discord"),
    ],
)
async def test_a_link_that_leads_nowhere_is_one_sentence(link: str, words: str, tmp_path: Path) -> None:
    async with running_clew(tmp_path) as clew:
        clew.terminate()
        await clew.ended()
    refused = await finished(tmp_path, "thread", link)

    assert refused.code == 1
    assert words in refused.said
    assert len(refused.said.strip().splitlines()) == 1
    assert refused.printed == ""


async def test_without_a_database_there_is_nothing_to_read_and_none_is_made(tmp_path: Path) -> None:
    for arguments in (["usage"], ["thread", f"web:local:page:{THREAD}"]):
        refused = await finished(tmp_path, *arguments)
        assert refused.code == 1
        assert "there is no database" in refused.said
        assert len(refused.said.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


async def test_days_are_a_number(tmp_path: Path) -> None:
    refused = await finished(tmp_path, "usage", "--days", "many")

    assert refused.code == 2
    assert "'many' is not a number of days" in refused.said
