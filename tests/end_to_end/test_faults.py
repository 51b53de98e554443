"""Every fault of the model server, through the whole bot: one answer or one notice, and a thread that goes on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.__main__ import open_bot
from bot.config import read_settings
from bot.offline import (
    Afterwards,
    CitationFault,
    ContinuationFault,
    CutFault,
    DropFault,
    EmptyFault,
    ErrorEventFault,
    ErrorShape,
    Fault,
    Faults,
    FinalStatusFault,
    ForgetFault,
    FunctionCallFault,
    ImageFault,
    InProgressFault,
    OfflineModel,
    PingFault,
    ResetFault,
    SlowFault,
    StallAt,
    StallFault,
    StatusFault,
    ThoughtFault,
    UndecodableFault,
    UnknownFault,
    offline_model,
)
from tests.support.visitor import Visitor, visitor_at

ANSWER, NOTICE = "answer", "notice"

SOON = {"CLEW_REFUSED_SECONDS": "3", "CLEW_SILENT_SECONDS": "3", "CLEW_TURN_SECONDS": "9"}
"""For faults of which only a limit makes an end. The others have the product's own, however slow the machine is."""


@dataclass
class Scene:
    """A bot, the model it asks and somebody at its page."""

    model: OfflineModel
    page: Visitor


@asynccontextmanager
async def scene(folder: Path, **settings: str) -> AsyncIterator[Scene]:
    async with offline_model(faults=Faults(), pace=0) as model:
        environ = {
            "DATABASE_URL": f"sqlite:///{folder / 'clew.db'}",
            "WEB_PORT": "0",
            "GEMINI_API_KEY": "test-key",
            "GEMINI_BASE_URL": model.url,
            **settings,
        }
        async with (
            open_bot(read_settings(environ, env_file=None)) as bot,
            visitor_at(bot.address.rstrip("/"), "threadoffaults") as page,
        ):
            yield Scene(model, page)


REFUSALS: list[tuple[str, list[tuple[Fault, int]], str, str]] = [
    ("a busy moment", [(StatusFault(429, retry_after="0"), 2)], ANSWER, ""),
    ("a server error", [(StatusFault(503), 1)], ANSWER, ""),
    ("an HTML page from a proxy", [(StatusFault(502, shape=ErrorShape.HTML), 1)], ANSWER, ""),
    ("a long pause asked for", [(StatusFault(429, retry_after="3600"), 1)], NOTICE, "60 minutes"),
    ("busy without end", [(StatusFault(429, shape=ErrorShape.GOOGLE), 99)], NOTICE, "too much to do"),
    ("down without end", [(StatusFault(500), 99)], NOTICE, "cannot be reached"),
    ("a used-up quota", [(StatusFault(429, code="quota_exceeded"), 1)], NOTICE, "quota"),
    ("a rejected key", [(StatusFault(401), 1)], NOTICE, "GEMINI_API_KEY"),
    ("an unpaid account", [(StatusFault(402), 1)], NOTICE, "billing"),
    ("an unknown model", [(StatusFault(404, code="model_not_found"), 1)], NOTICE, "GEMINI_MODEL"),
    ("an invalid question", [(StatusFault(400), 3)], NOTICE, "invalid"),
    ("a blocked question", [(StatusFault(400, code="prohibited_content"), 1)], NOTICE, "safety"),
]
ANSWERS: list[tuple[str, list[tuple[Fault, int]], str, str]] = [
    ("an empty answer", [(EmptyFault(), 1)], NOTICE, "without saying anything"),
    ("a failed answer, twice", [(FinalStatusFault("failed", after=2), 2)], NOTICE, "broke off"),
    ("a failed answer, once", [(FinalStatusFault("failed", after=2), 1)], ANSWER, ""),
    ("an answer blocked at its end", [(FinalStatusFault("failed", errors=(("safety", "no"),)), 1)], NOTICE, "safety"),
    (
        "an answer blocked, as only a get tells",
        [(FinalStatusFault("failed", errors=(("safety", "no"),), errors_in_event=False), 1)],
        NOTICE,
        "safety",
    ),
    ("an incomplete answer", [(FinalStatusFault("incomplete", after=3), 1)], ANSWER, "cut short"),
    ("a budget at its end", [(FinalStatusFault("budget_exceeded", after=3), 1)], ANSWER, "cut short"),
    ("a cancelled answer", [(FinalStatusFault("cancelled", after=2), 1)], ANSWER, ""),
    ("a function call nobody offered", [(FunctionCallFault(), 1)], ANSWER, "There is no such function"),
    ("a function call without arguments", [(FunctionCallFault("read_link", None), 1)], ANSWER, "no JSON object"),
    ("function calls without end", [(FunctionCallFault(), 99)], NOTICE, "kept calling functions"),
    ("a picture with words", [(ImageFault(), 1)], ANSWER, ""),
    ("a picture alone", [(ImageFault(with_text=False), 1)], ANSWER, ""),
    ("citations over non-ASCII text", [(CitationFault(), 1)], ANSWER, "日本語"),
    ("a thought before the answer", [(ThoughtFault(), 1)], ANSWER, ""),
    ("an answer of three hops", [(ContinuationFault(hops=3), 1)], ANSWER, ""),
    ("events of unknown kinds", [(UnknownFault(), 1)], ANSWER, ""),
    ("a line that is no JSON", [(UndecodableFault(), 1)], ANSWER, ""),
    ("a slow answer", [(SlowFault(0.005), 1)], ANSWER, ""),
]
BREAKS: list[tuple[str, list[tuple[Fault, int]], str, str]] = [
    ("an error event", [(ErrorEventFault(), 1)], ANSWER, ""),
    ("a bare error event", [(ErrorEventFault(bare=True), 1)], ANSWER, ""),
    ("an error event that blocks", [(ErrorEventFault(code="safety"), 1)], NOTICE, "safety"),
    ("a clean cut", [(CutFault(), 1)], ANSWER, ""),
    ("a clean cut, the interaction failed", [(CutFault(afterwards=Afterwards.FAILED), 1)], ANSWER, ""),
    ("a clean cut, the interaction cancelled", [(CutFault(afterwards=Afterwards.CANCELLED), 1)], ANSWER, ""),
    ("a clean cut, the interaction lost", [(CutFault(afterwards=Afterwards.UNKNOWN), 1)], ANSWER, ""),
    ("a clean cut, the interaction runs on", [(CutFault(afterwards=Afterwards.IN_PROGRESS), 1)], ANSWER, ""),
    ("a clean cut, twice and lost", [(CutFault(afterwards=Afterwards.UNKNOWN), 2)], NOTICE, "broke off"),
    ("a clean cut and slow to finish", [(CutFault(), 1), (InProgressFault(), 3)], ANSWER, ""),
    ("a reset connection", [(ResetFault(), 1)], ANSWER, ""),
    ("a reset connection, the interaction lost", [(ResetFault(afterwards=Afterwards.UNKNOWN), 1)], ANSWER, ""),
    ("dropped before the answer began", [(DropFault(), 1)], ANSWER, ""),
    ("dropped without end", [(DropFault(), 99)], NOTICE, "cannot be reached"),
    ("silence before the headers", [(StallFault(at=StallAt.HEADERS), 9)], NOTICE, "cannot be reached"),
    ("silence before the first event", [(StallFault(at=StallAt.FIRST_EVENT), 9)], NOTICE, "cannot be reached"),
    ("silence in the middle", [(StallFault(), 1)], ANSWER, ""),
    ("silence in the middle, the interaction lost", [(StallFault(afterwards=Afterwards.UNKNOWN), 1)], ANSWER, ""),
    ("comment pings without end", [(PingFault(), 1)], ANSWER, ""),
]


def lasts(faults: list[tuple[Fault, int]]) -> bool:
    return any(
        times > 5
        or isinstance(fault, StallFault | PingFault)
        or (isinstance(fault, CutFault) and fault.afterwards is Afterwards.IN_PROGRESS)
        for fault, times in faults
    )


@pytest.mark.parametrize(
    ("faults", "kind", "words"),
    [pytest.param(faults, kind, words, id=name) for name, faults, kind, words in REFUSALS + ANSWERS + BREAKS],
)
async def test_whatever_the_model_does_there_is_one_answer_or_one_notice(
    faults: list[tuple[Fault, int]], kind: str, words: str, tmp_path: Path
) -> None:
    async with scene(tmp_path, **(SOON if lasts(faults) else {})) as here:
        await here.page.ask("my name is Ada")
        await here.page.ended(1)
        for fault, times in faults:
            here.model.faults.arm(fault, times=times)

        await here.page.ask("tell me about thread and labyrinth")
        after_fault = await here.page.ended(2)
        here.model.faults.disarm()
        await here.page.ask("recall what I said")
        turns = await here.page.ended(3)

    assert after_fault[1].kind == kind
    assert words in (after_fault[1].text or "")
    assert [turn.state for turn in turns] == ["answered", "answered" if kind == ANSWER else "failed", "answered"]
    # The thread goes on from what people saw: the first exchange is known, and nothing is known twice.
    assert (turns[2].text or "").count("my name is Ada") == 1


@pytest.mark.parametrize("status", [404, 403, 400])
async def test_a_context_gemini_has_lost_is_rebuilt_from_the_thread(status: int, tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        await here.page.ask("my name is Ada")
        await here.page.ended(1)
        here.model.faults.arm(ForgetFault(status))  # type: ignore[arg-type]
        await here.page.ask("recall what I said")
        turns = await here.page.ended(2)
        await here.page.ask("recall it once more")
        again = await here.page.ended(3)

    assert "my name is Ada" in (turns[1].text or "")
    assert "_" not in (turns[1].text or "").splitlines()[-1][:1]  # everything could be rebuilt, so nothing is said
    assert "my name is Ada" in (again[2].text or "")
    assert "previous_interaction_id" in here.model.creates[-1]  # the thread stands on the rebuilt interaction
    assert "previous_interaction_id" not in here.model.creates[-2]


async def test_a_blocked_question_is_not_told_again_when_the_context_is_rebuilt(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        await here.page.ask("my name is Ada")
        await here.page.ended(1)
        here.model.faults.arm(StatusFault(400, code="prohibited_content"))
        await here.page.ask("something that is withheld")
        await here.page.ended(2)
        here.model.faults.arm(ForgetFault(404))
        await here.page.ask("recall what I said")
        turns = await here.page.ended(3)

    assert "my name is Ada" in (turns[2].text or "")
    assert "withheld" not in (turns[2].text or "")


async def test_a_dead_model_is_told_within_twenty_five_seconds_with_the_limits_as_they_are(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        here.model.faults.arm(StallFault(at=StallAt.HEADERS), times=None)
        await here.page.ask("is anybody there?")
        (turn,) = await here.page.ended(1, within=25)

    assert turn.kind == NOTICE


async def test_an_answer_that_can_be_fetched_is_not_bought_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        here.model.faults.arm(CutFault())
        await here.page.ask("tell me about thread and labyrinth")
        (turn,) = await here.page.ended(1)

    assert turn.state == "answered"
    assert len(here.model.creates) == 1


async def test_a_picture_the_model_makes_is_shown_and_can_be_fetched(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        here.model.faults.arm(ImageFault())
        await here.page.ask("draw a dot")
        (turn,) = await here.page.ended(1)

    assert turn.files
    assert turn.files[0]["kind"] == "image"
