"""Research that has not been begun: warned of, stopped or refused before it is, and then it costs nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.answers import Created, TextPiece
from bot.commands import Command
from bot.errors import ModelBusy
from bot.messages import InteractionId, MessageId, Part, TurnState
from storage.sqlite import open_store
from tests.support.core import PATIENT, core
from tests.support.scripted import TEST, ScriptedModel, completed, interaction, message, thread_named

REFUSED = ModelBusy("429", retry_after=15.0)  # and within the time that it is asked again
REPORT = interaction("run1", Created(InteractionId("run1")), TextPiece("Kites fly."), completed("run1"))


@pytest.mark.parametrize("command", [Command.STOP, Command.RESET, Command.FORGET])
async def test_what_is_stopped_while_the_warning_stands_is_never_begun_and_says_so(command: Command) -> None:
    async with core(limits=replace(PATIENT, warning=3600.0)) as clew:
        await clew.says("research: kites")

        async def is_warned_of() -> bool:
            return any(reply.openings for reply in clew.adapter.replies)

        async def is_over() -> bool:
            return not await clew.store.running()

        await clew.adapter.until(is_warned_of)
        await clew.tells(command)
        await clew.adapter.until(is_over)

    (reply,) = clew.adapter.replies
    assert "It begins in 3600 seconds" in reply.openings[0]
    assert "costs nothing" in reply.draft.answer.opening
    assert clew.model.begun == []


async def test_what_gemini_has_only_refused_until_a_shutdown_is_begun_by_the_next_start(tmp_path: Path) -> None:
    url, model = f"sqlite:///{tmp_path / 'clew.db'}", ScriptedModel()
    model.will_begin(REFUSED, "run1")
    model.will_find("run1", REPORT)
    async with core(url=url, model=model, drain=0.0) as clew:
        await clew.says("research: kites")
        await model.until(lambda: len(model.begun) == 1)
    async with core(url=url, model=model) as clew:
        (turn,) = await clew.ended(1)

        assert await clew.store.runs.researched() == 1
        assert clew.shown() == ["Kites fly."]
    assert turn.state is TurnState.ANSWERED


async def test_what_gemini_has_only_refused_until_a_stop_costs_nothing_and_is_not_counted() -> None:
    async with core() as clew:
        clew.model.will_begin(REFUSED)
        await clew.says("research: kites")
        await clew.model.until(lambda: len(clew.model.begun) == 1)
        await clew.tells(Command.STOP)
        (turn,) = await clew.ended(1)

        assert await clew.store.runs.researched() == 0
    assert turn.state is TurnState.STOPPED
    assert "costs nothing" in clew.adapter.replies[0].draft.answer.opening


async def test_a_warning_that_a_crash_left_behind_does_not_stand_when_it_is_stopped_then(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with open_store(url, keeps_text=frozenset({TEST})) as store:
        await store.add(message("research: kites"))
        claim = await store.claim(thread_named())
        assert claim is not None
        await store.shown(claim.turn, Part(0, MessageId("warning"), "digest", "It begins in 10 seconds."))
        await store.stop(thread_named(), MessageId("stop"))
    async with core(url=url) as clew:
        await clew.ended(1)

    assert "costs nothing" in clew.adapter.replies[0].draft.answer.opening
