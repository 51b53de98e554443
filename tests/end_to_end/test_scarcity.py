"""The whole bot when something runs short: each time it says so, loses nothing, and goes on when there is more."""

import asyncio
import os
import re
import resource
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp

from adapters.web.events import PERSON, read_thread
from bot.__main__ import open_bot
from bot.config import read_settings
from bot.messages import Message, MessageId
from bot.offline import Faults, StallFault, offline_model
from storage.sqlite import open_store
from tests.support.process import RunningClew, finished, running_clew
from tests.support.visitor import visitor_at

THREAD = "threadofscarcity"


async def asked(address: str, text: str, *, id_: str) -> tuple[int, Any]:
    """Send a question; the status and what is answered."""
    url = f"{address}/api/threads/{THREAD}/messages"
    async with aiohttp.ClientSession() as session, session.post(url, json={"id": id_, "text": text}) as answer:
        return answer.status, await answer.json()


async def health(address: str) -> tuple[int, dict[str, str]]:
    """How the bot says it is: the status, and what each check found."""
    async with aiohttp.ClientSession() as session, session.get(f"{address}/healthz") as answer:
        return answer.status, (await answer.json())["checks"]


async def until_healthy(address: str) -> None:
    async with asyncio.timeout(60):
        while (await health(address))[0] != 200:  # noqa: ASYNC110 - over HTTP there is no event to wait for
            await asyncio.sleep(0.1)


async def metric(address: str, name: str) -> float:
    async with aiohttp.ClientSession() as session, session.get(f"{address}/metrics") as answer:
        found = re.search(rf"^{re.escape(name)} (\S+)$", await answer.text(), re.MULTILINE)
    return float(found[1]) if found else 0.0


def limit(clew: RunningClew, what: int, soft: int) -> int:
    """Let the process have so much of something from now on; what it might have before."""
    before, hard = resource.prlimit(clew.process.pid, what)
    resource.prlimit(clew.process.pid, what, (soft, hard))
    return before


async def test_on_a_full_disk_nothing_is_taken_that_cannot_be_kept_and_with_room_all_goes_on(tmp_path: Path) -> None:
    async with running_clew(tmp_path) as clew, visitor_at(clew.address, THREAD) as page:
        await page.ask("before")
        await page.ended(1)
        room = limit(clew, resource.RLIMIT_FSIZE, (tmp_path / "clew.db-wal").stat().st_size)

        status, told = await asked(clew.address, "meanwhile", id_="message-meanwhile")
        assert (status, told["error"][:31]) == (503, "Clew could not write this down ")
        status, checks = await health(clew.address)
        assert status == 503
        assert "the disk" in checks["store"]
        assert await metric(clew.address, 'clew_failures_total{error="StoreUnavailable"}') >= 1
        assert await metric(clew.address, 'clew_healthy{check="store"}') == 0
        assert [turn.state for turn in page.turns] == ["answered"], "what was said before is shown"

        limit(clew, resource.RLIMIT_FSIZE, room)
        assert (await asked(clew.address, "meanwhile", id_="message-meanwhile"))[0] == 202
        turns = await page.ended(2)
        await until_healthy(clew.address)

    assert [turn.questions for turn in turns] == [["before"], ["meanwhile"]]
    log = (tmp_path / "log").read_text()
    assert "message not stored" in log
    assert "not healthy" in log
    assert "healthy again" in log


async def test_a_database_deleted_under_the_running_bot_is_noticed_and_rescued(tmp_path: Path) -> None:
    async with running_clew(tmp_path) as clew, visitor_at(clew.address, THREAD) as page:
        await page.ask("before")
        await page.ended(1)
        for name in ("clew.db", "clew.db-wal", "clew.db-shm"):
            (tmp_path / name).unlink()

        assert (await asked(clew.address, "meanwhile", id_="message-meanwhile"))[0] == 503
        status, checks = await health(clew.address)
        assert status == 503
        assert "clew.db was deleted, moved or replaced" in checks["store"]
        assert "clew.db.rescued" in checks["store"]
        clew.terminate()
        assert await clew.ended() == 0

    assert "database is not in its place any more" in (tmp_path / "log").read_text()
    refused = await finished(tmp_path)
    assert refused.code == 1
    assert "rename that to clew.db" in refused.said
    (tmp_path / "clew.db.rescued").rename(tmp_path / "clew.db")
    async with open_store(f"sqlite:///{tmp_path / 'clew.db'}") as store:
        (turn,) = await store.transcript(read_thread(THREAD))
    assert [message.text for message in turn.messages] == ["before"]


async def test_without_file_descriptors_whoever_is_there_waits_and_is_answered_when_there_are_some(
    tmp_path: Path,
) -> None:
    async with running_clew(tmp_path) as clew, visitor_at(clew.address, THREAD) as page:
        await page.ask("before")
        await page.ended(1)
        used = len(os.listdir(f"/proc/{clew.process.pid}/fd"))
        most = limit(clew, resource.RLIMIT_NOFILE, used + 1)
        with ExitStack() as crowd:
            host, port = clew.address.removeprefix("http://").split(":")
            for _ in range(20):
                crowd.enter_context(socket.create_connection((host, int(port))))
            await page.ask("with nothing left")  # over a connection that stands
            async with asyncio.timeout(60):
                while "in use" not in (checks := await page.health())["descriptors"]:
                    pass  # not all of the crowd was let in yet
        limit(clew, resource.RLIMIT_NOFILE, most)
        turns = await page.ended(2)
        await until_healthy(clew.address)

    assert "file descriptors are in use" in checks["descriptors"]
    assert [turn.state for turn in turns] == ["answered", "answered"]
    log = (tmp_path / "log").read_text()
    assert "file descriptors are in use" in log
    assert 1 <= log.count("no file descriptor left for a connection") < 10, "asyncio tells of it a hundred times"
    assert "Logging error" not in log


async def test_where_no_name_can_be_resolved_the_page_is_served_and_everything_else_says_so(tmp_path: Path) -> None:
    environ = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'clew.db'}",
        "WEB_PORT": "0",
        "GEMINI_API_KEY": "test-key",
        "GEMINI_BASE_URL": "https://gemini.invalid",
        "SLACK_BOT_TOKEN": "xoxb-1-2-test",
        "SLACK_APP_TOKEN": "xapp-1-A1-1-test",
        "SLACK_API_URL": "https://slack.invalid/api/",
        "DISCORD_TOKEN": "test.token.here",
        "DISCORD_API_URL": "https://discord.invalid/api/v10",
        "DISCORD_GATEWAY_URL": "wss://gateway.invalid/",
        "CLEW_REFUSED_SECONDS": "1",
    }
    async with open_bot(read_settings(environ, env_file=None)) as bot:
        address = bot.address.rstrip("/")
        async with visitor_at(address, THREAD) as page:
            await page.ask("is anybody there?")
            (turn,) = await page.ended(1)
        async with asyncio.timeout(60):
            while "ok" in ((found := (await health(address))[1])["slack"], found["discord"]):  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.1)

    assert turn.state == "failed"
    assert "cannot be reached" in (turn.text or "")
    assert found["store"] == found["loop"] == "ok"


async def test_a_start_with_five_thousand_waiting_turns_serves_its_page_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with open_store(url) as store:
        threads = [read_thread(f"threadnumber{number:04}") for number in range(5000)]
        waiting = [Message(thread, MessageId("message-1"), PERSON, "hello", 1.0) for thread in threads]
        await asyncio.gather(*map(store.add, waiting))
    async with offline_model(faults=Faults(), pace=0) as model:
        model.faults.arm(StallFault(), times=None)  # nobody is answered: all that happens is the start
        environ = {
            "DATABASE_URL": url,
            "WEB_PORT": "0",
            "GEMINI_API_KEY": "test-key",
            "GEMINI_BASE_URL": model.url,
            "CLEW_CONCURRENCY": "20",
            "CLEW_DRAIN_SECONDS": "0",
        }
        async with open_bot(read_settings(environ, env_file=None)) as bot:
            address = bot.address.rstrip("/")
            status, _ = await health(address)
            waits = await metric(address, "clew_lanes_waiting")
            await model.streaming()

    assert status == 200
    assert waits >= 4900
    assert len(model.creates) <= 20
