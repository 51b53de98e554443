"""Forgetting through the whole bot and the model's socket: nothing of a thread is left at the model, nor here."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bot.offline import Call, Faults, OfflineModel, StatusFault, offline_model
from tests.support.process import running_clew
from tests.support.visitor import Visitor, visitor_at

THREAD, OTHER = "threadtoforget", "threadtokeep"
FORGOTTEN = "I have forgotten this thread"


@asynccontextmanager
async def model_of_its_own(folder: Path) -> AsyncIterator[OfflineModel]:
    """A model that outlives the bot, with a record of what it keeps."""
    async with offline_model(faults=Faults(), pace=0, record=folder / "record.jsonl") as model:
        yield model


def at(model: OfflineModel, **more: str) -> dict[str, str]:
    return {"GEMINI_API_KEY": "test-key", "GEMINI_BASE_URL": model.url, **more}


async def kept_at(model: OfflineModel) -> list[int]:
    """How the model answers when it is asked for what it was told to create: a status for each, the oldest first."""
    created = [request.interaction for request in model.requests if request.is_create and request.interaction]
    async with aiohttp.ClientSession(headers={"x-goog-api-key": "test-key"}) as session:
        return [await _status(session, f"{model.url}/v1/interactions/{interaction}") for interaction in created]


async def _status(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url) as response:
        return response.status


async def talk(page: Visitor, questions: Sequence[str]) -> None:
    for number, question in enumerate(questions, 1):
        await page.ask(question)
        await page.ended(number)


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_every_interaction_of_the_thread_is_gone_there_and_every_word_of_it_here(tmp_path: Path) -> None:
    async with model_of_its_own(tmp_path) as model:
        async with (
            running_clew(tmp_path, **at(model)) as clew,
            visitor_at(clew.address, THREAD) as page,
            visitor_at(clew.address, OTHER) as other,
        ):
            await page.ask("my secret is a xylophone", files={"bassoon.txt": b"a bassoon"})
            await page.ended(1)
            for number, question in enumerate(["recall what I said", "and again"], 2):
                await page.ask(question)
                await page.ended(number)
            await talk(other, ["I keep bees"])
            assert await kept_at(model) == [200, 200, 200, 200]

            begun = await page.tell("forget", id_="forget-0001")
            report = await page.told(FORGOTTEN)

            assert await kept_at(model) == [404, 404, 404, 200]
            await page.ask("recall what I said")
            (afresh,) = await page.until(lambda turns: len(turns) == 1 and turns[0].has_ended)
        left = everything_in(tmp_path)

    assert "I forget this thread" in begun
    assert report.startswith(f"{FORGOTTEN}: 3 exchanges deleted at Gemini")
    assert "xylophone" not in (afresh.text or "")
    assert b"xylophone" not in left
    assert b"bassoon" not in left
    assert b"I keep bees" in left


async def test_killed_between_two_deletions_the_next_start_deletes_the_rest_and_reports_them_all(
    tmp_path: Path,
) -> None:
    async with model_of_its_own(tmp_path) as model:
        async with running_clew(tmp_path, **at(model)) as clew, visitor_at(clew.address, THREAD) as page:
            await talk(page, ["one", "two", "three"])
            # Refused for long, of which the first try is heard; the process dies in the pause after it.
            model.faults.arm(StatusFault(503), on=Call.DELETE, times=None)
            await page.tell("forget", id_="forget-0001")
            await model.received(1, method="DELETE")
        model.faults.disarm()
        assert await kept_at(model) == [200, 200, 200]
        async with running_clew(tmp_path, **at(model)) as clew, visitor_at(clew.address, THREAD) as page:
            report = await page.told(FORGOTTEN)

        assert await kept_at(model) == [404, 404, 404]
    assert report.startswith(f"{FORGOTTEN}: 3 exchanges deleted at Gemini")


async def test_what_the_model_does_not_delete_is_reported(tmp_path: Path) -> None:
    async with model_of_its_own(tmp_path) as model:
        async with running_clew(tmp_path, **at(model)) as clew, visitor_at(clew.address, THREAD) as page:
            await talk(page, ["one", "two"])
            model.faults.arm(StatusFault(403), on=Call.DELETE)
            await page.tell("forget", id_="forget-0001")
            report = await page.told(FORGOTTEN)

        assert await kept_at(model) == [200, 404]
    assert "1 exchange deleted at Gemini" in report
    assert "1 exchange could not be deleted at Gemini" in report
    assert "unknown to Gemini with the present key" in report


async def test_the_running_answer_is_stopped_and_deleted_with_the_rest(tmp_path: Path) -> None:
    async with offline_model(faults=Faults(), pace=0.05) as model:
        async with running_clew(tmp_path, **at(model)) as clew, visitor_at(clew.address, THREAD) as page:
            await page.ask("long " * 200)
            await model.streaming(pieces=2)
            await page.tell("forget", id_="forget-0001")
            report = await page.told(FORGOTTEN)

        assert await kept_at(model) == [404]
    assert report.startswith(f"{FORGOTTEN}: 1 exchange deleted at Gemini")
