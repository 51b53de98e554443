"""What one open page is told, step by step, on a store that nobody else writes to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from adapters.web.events import PERSON, WEB
from adapters.web.feeds import Event, Feed, Feeds
from bot.answers import Draft, TextPiece
from bot.messages import InteractionId, Message, MessageId, Usage
from bot.ports import Store
from storage.sqlite import open_store
from tests.support.page import named

HELLO = Message(named(), MessageId("message-0001"), PERSON, "Hello?", sent_at=1.0)


@asynccontextmanager
async def followed(feeds: Feeds) -> AsyncIterator[tuple[Feed, AsyncIterator[Event]]]:
    """A page that looks at the thread and was told of the question."""
    with feeds.follow(named()) as feed:
        async with asyncio.timeout(30), aclosing(feed.events()) as told:
            assert [(await anext(told))[0], (await anext(told))[0]] == ["threads", "turns"]
            yield feed, told


@asynccontextmanager
async def asked_store() -> AsyncIterator[Store]:
    async with open_store("sqlite:///:memory:", keeps_text=frozenset({WEB})) as store:
        await store.add(HELLO)
        yield store


async def change(told: AsyncIterator[Event]) -> Any:
    """The next change of the one turn there is."""
    async for name, payload in told:
        if name == "turns":
            (turn,) = payload["turns"]  # type: ignore[index]
            return turn
    raise AssertionError("nothing more is told")


async def test_a_page_is_told_when_a_reply_is_opened_when_it_grows_and_when_it_is_closed() -> None:
    async with asked_store() as store:
        feeds = Feeds(store, pace=0)
        async with followed(feeds) as (_, told):
            claim = await store.claim(named())
            assert claim is not None
            draft = Draft()
            with feeds.showing(claim.turn, draft):
                opened = await change(told)
                draft.add(TextPiece("Hello"))
                feeds.grown(named())
                grown = await change(told)
                await store.created(claim.turn, InteractionId("i1"))
                await store.answered(claim.turn, interaction=InteractionId("i1"), usage=Usage(), model="m")
            closed = await change(told)

    assert opened["state"] == "running"
    assert (grown["answer"]["blocks"], set(grown)) == (["<p>Hello</p>"], {"id", "answer"})
    assert closed["state"] == "answered"


async def test_frames_that_nobody_asked_for_in_time_are_never_made() -> None:
    async with asked_store() as store:
        feeds = Feeds(store, pace=0)
        async with followed(feeds) as (_, told):
            claim = await store.claim(named())
            assert claim is not None
            draft = Draft()
            with feeds.showing(claim.turn, draft):
                await change(told)
                for number in range(1000):
                    draft.add(TextPiece(f"{number} "))
                    feeds.grown(named())
                grown = await change(told)

    assert grown["answer"]["blocks"][0].endswith("998 999</p>")


async def test_a_page_of_another_thread_is_not_woken_by_a_growing_answer() -> None:
    async with asked_store() as store:
        feeds = Feeds(store, pace=0, beat=0.01)
        with feeds.follow(named("elsewhere1")) as feed:
            async with asyncio.timeout(30), aclosing(feed.events()) as told:
                before = [await anext(told), await anext(told)]
                feeds.grown(named())
                after = await anext(told)

    assert [name for name, _ in before] == ["threads", "turns"]
    assert after == ("beat", None)


async def test_closing_ends_every_feed() -> None:
    async with asked_store() as store:
        feeds = Feeds(store)
        async with followed(feeds) as (_, told):
            feeds.close()
            rest = [event async for event in told]

    assert rest == []
