"""What the person at the terminal sees: what runs, and one sentence when it cannot."""

import asyncio
import sqlite3
from pathlib import Path

import aiohttp
import pytest

from bot.offline import Faults, StallFault, offline_model
from tests.support.process import finished, fresh_clew, running_clew
from tests.support.visitor import visitor_at


async def test_a_first_start_says_what_runs_what_does_not_and_what_would_turn_it_on(tmp_path: Path) -> None:
    async with fresh_clew(tmp_path) as clew:
        said = "\n".join(clew.lines) + "\n" + "\n".join([await clew.next_line() for _ in range(6)])

    assert f"page      {clew.address}" in said
    assert "GEMINI_API_KEY turns Gemini on" in said
    assert "Slack" in said
    assert "Discord" in said
    assert "CLEW_DAILY_TURNS" in said


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"WEB_PORT": "eighty"}, "WEB_PORT"),
        ({"WEB_HOST": "0.0.0.0"}, "WEB_TOKEN"),
        ({"GEMINI_BASE_URL": "http://127.0.0.1:1"}, "GEMINI_API_KEY"),
        ({"GEMINI_BASE_URL": "http://example.org", "GEMINI_API_KEY": "k"}, "GEMINI_BASE_URL"),
        ({"CLEW_DAILY_TURN": "5"}, "CLEW_DAILY_TURNS"),
        ({"CLEW_CONCURRENCY": "0"}, "CLEW_CONCURRENCY"),
        ({"CLEW_LOG_FORMAT": "xml"}, "CLEW_LOG_FORMAT"),
        ({"DATABASE_URL": "mysql://localhost/clew"}, "DATABASE_URL"),
        ({"DATABASE_URL": "sqlite:////nowhere/at/all/clew.db"}, "DATABASE_URL"),
        ({"WEB_ENABLED": "false"}, "nothing to serve"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else None,
)
async def test_a_bad_setting_stops_the_start_with_one_sentence_that_names_it(
    settings: dict[str, str], words: str, tmp_path: Path
) -> None:
    refusal = await finished(tmp_path, **settings)

    assert refusal.code == 1
    assert words in refusal.said
    assert len(refusal.said.strip().splitlines()) == 1
    assert "Traceback" not in refusal.said


async def test_a_secret_in_the_wrong_place_is_not_shown(tmp_path: Path) -> None:
    refusal = await finished(tmp_path, WEB_TOKEN="hunter2", WEB_HOST="0.0.0.0", GEMINI_API_KEY="two words")

    assert "hunter2" not in refusal.said
    assert "two words" not in refusal.said
    assert "WEB_TOKEN" in refusal.said


async def test_a_second_start_beside_the_first_is_one_sentence(tmp_path: Path) -> None:
    async with running_clew(tmp_path) as clew:
        refusal = await finished(tmp_path)
        async with aiohttp.ClientSession() as session, session.get(f"{clew.address}/healthz") as health:
            assert health.status == 200

    assert refusal.code == 1
    assert len(refusal.said.strip().splitlines()) == 1
    assert "clew.db" in refusal.said


async def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with taken:
        port = taken.sockets[0].getsockname()[1]
        refusal = await finished(tmp_path, WEB_PORT=str(port))

    assert refusal.code == 1
    assert f"Port {port}" in refusal.said
    assert len(refusal.said.strip().splitlines()) == 1


async def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "clew.db"
    file.write_text("dear diary, " * 1000)

    refusal = await finished(tmp_path)

    assert refusal.code == 1
    assert len(refusal.said.strip().splitlines()) == 1
    assert file.read_text() == "dear diary, " * 1000


async def test_the_database_of_a_newer_clew_is_left_as_it_is(tmp_path: Path) -> None:
    async with running_clew(tmp_path) as clew:
        clew.terminate()
        await clew.ended()
    with sqlite3.connect(tmp_path / "clew.db") as database:
        database.execute("PRAGMA user_version = 9999")
    database.close()

    refusal = await finished(tmp_path)

    assert refusal.code == 1
    assert "newer" in refusal.said
    assert len(refusal.said.strip().splitlines()) == 1


async def test_check_says_what_would_run_and_changes_nothing(tmp_path: Path) -> None:
    checked = await finished(tmp_path, "check")
    mistaken = await finished(tmp_path, "check", WEB_PORT="eighty")

    assert checked.code == 0
    assert list(tmp_path.iterdir()) == []
    assert mistaken.code == 1
    assert "WEB_PORT" in mistaken.said


async def test_health_tells_a_running_bot_from_a_dead_one(tmp_path: Path) -> None:
    async with running_clew(tmp_path) as clew:
        port = clew.address.rpartition(":")[2]
        alive = await finished(tmp_path, "health", WEB_PORT=port)
    dead = await finished(tmp_path, "health", WEB_PORT=port)

    assert alive.code == 0
    assert dead.code == 1
    assert "Nothing answers" in dead.said


async def test_the_log_tells_a_turn_by_its_id_and_not_a_word_of_it(tmp_path: Path) -> None:
    async with (
        running_clew(tmp_path, CLEW_LOG_FORMAT="json", CLEW_LOG_LEVEL="debug") as clew,
        visitor_at(clew.address, "threadoflogs") as page,
    ):
        await page.ask("a very secret question")
        (turn,) = await page.ended(1)
        clew.terminate()
        await clew.ended()
    log = (tmp_path / "log").read_text()

    assert turn.id in log
    assert "secret" not in log


async def test_health_and_metrics_tell_the_truth(tmp_path: Path) -> None:
    async with running_clew(tmp_path) as clew, visitor_at(clew.address, "threadofnumbers") as page:
        await page.ask("hello")
        await page.ended(1)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{clew.address}/metrics") as response:
                metrics = await response.text()
            async with session.get(f"{clew.address}/healthz") as response:
                health = await response.json()

    assert 'clew_messages_total{platform="web",result="stored"} 1.0' in metrics
    assert 'clew_turns_total{platform="web",state="answered"} 1.0' in metrics
    assert health == {"ok": True, "checks": {"store": "ok", "loop": "ok", "descriptors": "ok"}}


async def test_two_databases_side_by_side_share_nothing(tmp_path: Path) -> None:
    names = ("clew.one", "clew.two")
    for name in names:
        async with (
            running_clew(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path / name}") as clew,
            visitor_at(clew.address, "threadoffiles") as page,
        ):
            await page.ask("look", files={"note.txt": name.encode()})
            (turn,) = await page.ended(1)
            assert name in (turn.text or "")

    found = sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("log"))
    assert [name for name in found if name.endswith(".files")] == ["clew.one.files", "clew.two.files"]
    for name in names:
        assert len([path for path in (tmp_path / f"{name}.files").rglob("*") if path.is_file()]) == 1


async def test_a_start_whose_port_is_taken_has_asked_the_model_nothing(tmp_path: Path) -> None:
    async with offline_model(faults=Faults(), pace=0) as model:
        gemini = {"GEMINI_API_KEY": "test-key", "GEMINI_BASE_URL": model.url}
        async with running_clew(tmp_path, **gemini) as clew, visitor_at(clew.address, "threadofports") as page:
            model.faults.arm(StallFault())
            await page.ask("hello")
            await model.streaming()
            clew.kill()
            await clew.ended()
        taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        async with taken:
            refusal = await finished(tmp_path, WEB_PORT=str(taken.sockets[0].getsockname()[1]), **gemini)

    assert refusal.code == 1
    assert len(model.creates) == 1
    assert not any(request.method == "GET" for request in model.requests)


async def test_what_was_said_before_a_reset_is_gone_from_the_database_s_files(tmp_path: Path) -> None:
    async with offline_model(faults=Faults(), pace=0) as model:
        gemini = {"GEMINI_API_KEY": "test-key", "GEMINI_BASE_URL": model.url}
        async with running_clew(tmp_path, **gemini) as clew, visitor_at(clew.address, "threadofresets") as page:
            await page.ask("the pass phrase is xylophone")
            await page.ended(1)
            await page.tell("reset", id_="command-000001")
            files = {path.name: path.read_bytes() for path in tmp_path.glob("clew.db*") if path.is_file()}

    assert "clew.db" in files
    assert not [name for name, data in files.items() if b"xylophone" in data]


async def test_the_built_in_model_answers_nobody_but_the_bot(tmp_path: Path) -> None:
    async with offline_model(key="its own") as model, aiohttp.ClientSession() as session:
        url = f"{model.url}/v1/interactions"
        async with session.post(url, json={"model": "m", "input": "hi"}, headers={"x-goog-api-key": "any"}) as answer:
            assert answer.status == 401
        async with session.post(
            url, json={"model": "m", "input": "hi"}, headers={"x-goog-api-key": "its own"}
        ) as answer:
            assert answer.status == 200
