"""The bot killed, stopped and started again, as a process of its own."""

import asyncio
import signal
from pathlib import Path

import pytest

from bot.offline import Faults, SlowFault, StallFault, offline_model
from tests.support.process import running_clew
from tests.support.visitor import visitor_at

THREAD = "threadofkills"


async def test_what_was_said_is_remembered_when_the_bot_is_killed_between_turns(tmp_path: Path) -> None:
    async with running_clew(tmp_path) as clew, visitor_at(clew.address, THREAD) as page:
        await page.ask("my name is Ada", id_="message-000001")
        await page.ended(1)
        clew.kill()
    async with running_clew(tmp_path) as clew, visitor_at(clew.address, THREAD) as page:
        await page.ask("and I like thread", id_="message-000002")
        await page.ended(2)
        clew.kill()
    async with running_clew(tmp_path) as clew, visitor_at(clew.address, THREAD) as page:
        await page.ask("recall what I said", id_="message-000003")
        turns = await page.ended(3)

    assert [turn.questions for turn in turns] == [["my name is Ada"], ["and I like thread"], ["recall what I said"]]
    assert "my name is Ada" in (turns[2].text or "")
    assert "and I like thread" in (turns[2].text or "")


async def test_an_answer_cut_by_a_kill_is_fetched_when_the_model_outlives_the_bot(tmp_path: Path) -> None:
    async with offline_model(faults=Faults(), pace=0.01) as model:
        gemini = {"GEMINI_API_KEY": "test-key", "GEMINI_BASE_URL": model.url}
        async with running_clew(tmp_path, **gemini) as clew, visitor_at(clew.address, THREAD) as page:
            model.faults.arm(SlowFault(0.05))
            await page.ask("tell me about thread and labyrinth", id_="message-000001")
            await model.streaming(pieces=2)
            clew.kill()
            await clew.ended()
        async with running_clew(tmp_path, **gemini) as clew, visitor_at(clew.address, THREAD) as page:
            (turn,) = await page.ended(1)
            await page.ask("recall what I said", id_="message-000002")
            turns = await page.ended(2)

    assert turn.state == "answered"
    assert len(model.creates) == 2  # one for each question: the first was paid once
    assert any(request.method == "GET" for request in model.requests)
    assert (turns[1].text or "").count("tell me about thread and labyrinth") == 1


async def test_an_answer_cut_by_a_kill_is_asked_again_when_the_model_dies_with_the_bot(tmp_path: Path) -> None:
    async with running_clew(tmp_path) as clew, visitor_at(clew.address, THREAD) as page:
        await page.ask("my name is Ada", id_="message-000001")
        await page.until(lambda turns: bool(turns) and turns[0].frames >= 2)
        clew.kill()
        await clew.ended()
    async with running_clew(tmp_path) as clew, visitor_at(clew.address, THREAD) as page:
        await page.ended(1)
        await page.ask("recall what I said", id_="message-000002")
        turns = await page.ended(2)

    assert [turn.state for turn in turns] == ["answered", "answered"]
    assert (turns[1].text or "").count("my name is Ada") == 1


async def test_a_message_sent_again_after_a_kill_is_not_answered_again(tmp_path: Path) -> None:
    async with running_clew(tmp_path) as clew, visitor_at(clew.address, THREAD) as page:
        await page.ask("only once", id_="message-000001")
        clew.kill()
        await clew.ended()
    async with running_clew(tmp_path) as clew, visitor_at(clew.address, THREAD) as page:
        await page.ask("only once", id_="message-000001")
        turns = await page.ended(1)

    assert [turn.questions for turn in turns] == [["only once"]]


@pytest.mark.parametrize("asked_by", [signal.SIGTERM, signal.SIGINT])
async def test_asked_to_stop_it_finishes_the_answer_and_ends_with_success(
    asked_by: signal.Signals, tmp_path: Path
) -> None:
    async with offline_model(faults=Faults(), pace=0.01) as model:
        gemini = {"GEMINI_API_KEY": "test-key", "GEMINI_BASE_URL": model.url}
        async with running_clew(tmp_path, **gemini) as clew, visitor_at(clew.address, THREAD) as page:
            await page.ask("tell me about thread and labyrinth", id_="message-000001")
            await model.streaming(pieces=1)
            clew.signal(asked_by)
            assert await clew.ended() == 0
        async with running_clew(tmp_path, **gemini) as clew, visitor_at(clew.address, THREAD) as page:
            (turn,) = await page.ended(1)

    assert turn.state == "answered"
    assert not any(request.method == "GET" for request in model.requests)  # it was there before the end


async def test_asked_twice_it_leaves_at_once_and_the_next_start_goes_on(tmp_path: Path) -> None:
    async with offline_model(faults=Faults(), pace=0) as model:
        gemini = {"GEMINI_API_KEY": "test-key", "GEMINI_BASE_URL": model.url, "CLEW_DRAIN_SECONDS": "600"}
        async with running_clew(tmp_path, **gemini) as clew, visitor_at(clew.address, THREAD) as page:
            model.faults.arm(SlowFault(0.2))
            await page.ask("tell me about thread and labyrinth", id_="message-000001")
            await model.streaming(pieces=1)
            clew.terminate()
            await clew.said("Stopping")
            clew.terminate()
            assert await clew.ended() == 128 + 15
        async with running_clew(tmp_path, **gemini) as clew, visitor_at(clew.address, THREAD) as page:
            (turn,) = await page.ended(1)

    assert turn.state == "answered"
    assert len(model.creates) == 1


async def test_a_burst_is_answered_together_behind_the_question_that_is_being_answered(tmp_path: Path) -> None:
    async with offline_model(faults=Faults(), pace=0) as model:
        gemini = {"GEMINI_API_KEY": "test-key", "GEMINI_BASE_URL": model.url}
        async with running_clew(tmp_path, **gemini) as clew, visitor_at(clew.address, THREAD) as page:
            model.faults.arm(StallFault())
            await page.ask("my name is Ada", id_="message-000001")
            await model.faults.stalled(1)
            for number, text in enumerate(("one more thing", "and another", "recall what I said"), start=2):
                await page.ask(text, id_=f"message-00000{number}")
            model.faults.release()
            turns = await page.ended(2)

    assert [turn.questions for turn in turns] == [
        ["my name is Ada"],
        ["one more thing", "and another", "recall what I said"],
    ]
    assert [turn.state for turn in turns] == ["answered", "answered"]
    assert len(model.creates) == 2
    assert "my name is Ada" in (turns[1].text or "")


async def test_fifty_people_at_once_each_keep_their_own_thread(tmp_path: Path) -> None:
    async with running_clew(tmp_path) as clew:

        async def person(number: int) -> None:
            async with visitor_at(clew.address, f"thread{number:04d}") as page:
                for turn in range(1, 5):
                    await page.ask(f"word {number}-{turn}", id_=f"message-{turn:06d}")
                    await page.ended(turn, within=60)
                await page.ask("recall what I said", id_="message-000005")
                turns = await page.ended(5, within=60)
                assert [turn.state for turn in turns] == ["answered"] * 5
                recalled = turns[4].text or ""
                places = [recalled.index(f"word {number}-{turn}") for turn in range(1, 5)]
                assert places == sorted(places)
                assert all(f"word {other}-" not in recalled for other in range(50) if other != number)

        async with asyncio.TaskGroup() as people:
            for number in range(50):
                people.create_task(person(number))
