"""What is shown of an answer while it grows: written down now and then, for whoever stops it after a crash."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from adapters.web.events import WEB
from bot.answers import Created, InteractionState, TextPiece
from bot.messages import InteractionId, MessageId, Part
from storage.sqlite import open_store
from tests.support.page import Page, named, served_page
from tests.support.scripted import NEVER, ScriptedModel, answer, completed, interaction, message

CREATED = Created(InteractionId("i1"))


async def kept(page: Page, text: str) -> Part:
    """The only turn's answer as it is written down, once it is this text."""
    async with asyncio.timeout(60):
        while True:
            (turn,) = await page.store.transcript(named())
            if [part.text for part in turn.parts] == [text]:
                return turn.parts[0]


@asynccontextmanager
async def killed_with(text: str, url: str, model: ScriptedModel) -> AsyncIterator[Page]:
    """A page that was killed when so much of an answer was shown, and is back; Gemini goes on with the answer."""
    model.will(CREATED, TextPiece(text), NEVER)
    model.will_find("i1", interaction("i1", state=InteractionState.RUNNING))
    async with served_page(url=url, model=model, drain=0) as page, page.watched() as seen:
        await page.says("Talk")
        await seen.until(lambda it: it.answers == [f"<p>{text}</p>"])
        await kept(page, text)
    async with served_page(url=url, model=model) as page:
        yield page


async def test_what_was_shown_before_a_crash_stands_there_and_is_told_when_it_is_stopped_then(tmp_path: Path) -> None:
    model = ScriptedModel()
    async with (
        killed_with("As far as this", f"sqlite:///{tmp_path / 'clew.db'}", model) as page,
        page.watched() as seen,
    ):
        await page.gives("stop")
        await seen.until(lambda it: it.states == ["stopped"])
        assert seen.answers == ["<p>As far as this</p>"]
        await page.says("And now?")
        await seen.until(lambda it: it.states == ["stopped", "answered"])

    assert model.asked[1].history.endswith("[you]\nAs far as this")


async def test_the_end_of_an_answer_takes_the_place_of_what_was_written_down(tmp_path: Path) -> None:
    model = ScriptedModel()
    async with killed_with("Half", f"sqlite:///{tmp_path / 'clew.db'}", model) as page, page.watched() as seen:
        model.will_find("i1", interaction("i1", *answer("i1", "Half and whole")))
        await seen.until(lambda it: it.states == ["answered"])

    assert seen.answers == ["<p>Half and whole</p>"]


async def test_a_growing_answer_is_written_down_again_as_it_grows() -> None:
    more = asyncio.Event()
    async with served_page(keeping=0.01) as page:
        page.model.will(CREATED, TextPiece("One"), more, TextPiece(" and two"), NEVER)
        await page.says("Count")
        first = await kept(page, "One")
        more.set()
        assert (await kept(page, "One and two")).message_id == first.message_id
        await page.gives("stop")


async def test_a_growing_answer_is_not_written_down_more_often_than_it_may_be() -> None:
    more, done = asyncio.Event(), asyncio.Event()
    async with served_page(keeping=3600.0) as page, page.watched() as seen:
        pieces = [TextPiece(f" and {number}") for number in range(2, 60)]
        page.model.will(CREATED, TextPiece("One"), more, *pieces, done, completed("i1"))
        await page.says("Count")
        await kept(page, "One")
        more.set()
        await seen.until(lambda it: "and 59" in "".join(it.answers))
        await kept(page, "One")
        done.set()
        await seen.until(lambda it: it.states == ["answered"])
        await kept(page, "One" + "".join(piece.text for piece in pieces))


async def test_a_retry_that_is_stopped_before_its_first_word_keeps_nothing_of_the_old_answer() -> None:
    async with served_page() as page, page.watched() as seen:
        page.model.will(*answer("i1", "The first try"))
        page.model.will(NEVER)
        await page.says("Try")
        await seen.until(lambda it: it.states == ["answered"])
        await page.gives("retry")
        await page.model.heard(2)
        await page.gives("stop")
        await seen.until(lambda it: it.states == ["stopped"])

    assert seen.answers == [""]


async def test_that_research_was_stopped_after_a_crash_stands_there_and_not_what_was_written_down(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with open_store(url, keeps_text=frozenset({WEB})) as store:
        await store.add(replace(message("research: kites"), thread=named()))
        claim = await store.claim(named())
        assert claim is not None
        await store.runs.researching(claim.turn, "researcher", most=5)
        await store.runs.began(claim.turn, InteractionId("run1"))
        await store.shown(claim.turn, Part(0, MessageId("answer"), "digest", "5 min so far. Kites"))
        await store.stop(named(), MessageId("stop"))
    async with served_page(url=url) as page, page.watched() as seen:
        await seen.until(lambda it: it.states == ["stopped"])

    assert "paid for" in seen.answers[0]
    assert "so far" not in seen.answers[0]
