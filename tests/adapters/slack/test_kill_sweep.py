"""A turn in Slack, killed before and after everything it does, and taken up by the next start."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.reaper import ReapedModel, Reaper, When
from tests.support.slack import SlackServer, slack_server
from tests.support.slack_clew import ALL_SCOPES, clew_on

SHORT = "A clew is a ball of thread."
LONG = "\n\n".join(f"Paragraph {number}. " + "thread " * 150 for number in range(20))  # two messages
GROWING = "A clew is a ball of thread. " * 20
MOST = {SHORT: 14, GROWING: 20, LONG: 18}  # more than a turn does; the last ones are not killed at all


def model_for(slack: SlackServer, text: str, reaper: Reaper) -> ReapedModel:
    """A model whose growing answer is seen to grow: its second half comes when the first is streaming."""
    return ReapedModel(reaper, text, (lambda: slack.received("chat.startStream")) if text == GROWING else None)


async def lived_through(slack: SlackServer, url: str, reaper: Reaper, model: ReapedModel) -> str:
    """Ask, die at the reaper's moment (or not), start again; the question's ts."""
    ready, asked = asyncio.Event(), ""

    async def first_life() -> None:
        async with clew_on(
            slack, url=url, model=model, wrap_all=reaper.over_store, wrap_line=reaper.over_line, drain=0
        ):
            ready.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        life = group.create_task(first_life())
        await ready.wait()
        reaper.start()
        asked = await slack.says("ada", "what is a clew?")
        ended = group.create_task(_whole(slack, asked))
        struck = group.create_task(reaper.struck.wait())
        await asyncio.wait([ended, struck], return_when=asyncio.FIRST_COMPLETED)
        for task in (ended, struck, life):
            task.cancel()
    model.reaper = Reaper(0, When.BEFORE)  # never again
    with suppress(TimeoutError):
        async with clew_on(slack, url=url, model=model):
            await _whole(slack, asked)
    return asked


async def _whole(slack: SlackServer, ts: str) -> None:
    await slack.shown(
        "general", ts, lambda shown: bool(shown) and any(button.text == "Retry" for button in shown[-1].buttons)
    )


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize(
    ("text", "k"),
    [pytest.param(text, k, id=f"{len(text)}-{k}") for text in MOST for k in range(1, MOST[text])],
)
async def test_killed_at_any_deed_of_a_turn_there_is_one_whole_answer(
    text: str, k: int, when: When, tmp_path: Path
) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack:
        reaper = Reaper(k, when)
        model = model_for(slack, text, reaper)
        ts = await lived_through(slack, f"sqlite:///{tmp_path / 'clew.db'}", reaper, model)
        shown = slack.replies("general", ts)
        status = slack.status("general", ts)

    said = "".join("".join(one.text for one in shown).split())
    wanted = "".join(text.split())
    assert said.startswith(wanted), reaper.deeds
    assert wanted[:20] not in said[len(wanted) :], reaper.deeds
    assert not any(one.is_streaming for one in shown)
    assert status is None
    assert len(model.asked) <= 2
    if "store.created" in reaper.deeds[: k - (when is When.BEFORE)]:
        assert len(model.asked) == 1, "what was created is fetched and not bought again"


async def test_the_sweep_is_longer_than_a_turn(tmp_path: Path) -> None:
    for text, most in MOST.items():
        async with slack_server(scopes=ALL_SCOPES) as slack:
            reaper = Reaper(10_000, When.BEFORE)
            await lived_through(
                slack, f"sqlite:///{tmp_path / f'{len(text)}.db'}", reaper, model_for(slack, text, reaper)
            )
        assert 8 < len(reaper.deeds) < most, reaper.deeds
