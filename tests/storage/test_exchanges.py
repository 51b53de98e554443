"""What a store keeps of private threads: exchanges that lead back from where a thread stands, and nothing beyond."""

import asyncio
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from bot.answers import Media, MediaKind, ModelStep, Source, Text
from bot.errors import StaleTurn
from bot.exchanges import MOST_BYTES, MOST_CHARACTERS, Exchange, kept_of
from bot.messages import Attachment, AttachmentId, InteractionId, MessageId, Thread, Turn, Usage
from bot.ports import Retried, Store
from tests.storage.stores import OTHER, SLACK, Place, ask, taken

PICTURE = Source(MessageId("m1"), Attachment(AttachmentId("f1"), "cat.png", "image/png", 70))


def exchange(text: str, *, previous: str | None = None, answer: str = "An answer.") -> Exchange:
    step = '{"type":"model_output","content":[{"type":"text","text":"' + answer + '"}]}'
    return Exchange(None if previous is None else InteractionId(previous), ((Text(text),),), (ModelStep(step),))


async def answered(store: Store, name: str, one: Exchange | None, *, thread: Thread = SLACK) -> Turn:
    """Ask and answer: the answer's interaction is called after the question."""
    await ask(store, name, thread=thread)
    turn = await taken(store, thread)
    await store.answered(turn, interaction=InteractionId(f"i-{name}"), usage=Usage(), model="m", exchange=one)
    return turn


async def kept(store: Store, thread: Thread = SLACK) -> list[Exchange]:
    """What the next turn would be told; that turn is withdrawn again."""
    await ask(store, "probe", thread=thread)
    turn = await taken(store, thread)
    found = list(await store.exchanges(turn))
    await store.stopped(turn)
    return found


async def test_an_exchange_is_read_as_it_was_kept(store: Store) -> None:
    film = Media(MediaKind.VIDEO, "video/mp4", uri="https://example.org/a.mp4")
    said = ((Text("told before"),), (Text("a\nb\u2028c"), PICTURE, film))
    steps = (ModelStep('{"type":"thought","signature":"c2ln"}'), ModelStep('{"type":"model_output","text":"\u2028"}'))
    one = Exchange(None, said, steps, is_cut=True, missing=frozenset({AttachmentId("f0")}))
    await answered(store, "m1", one)

    assert await kept(store) == [one]


async def test_half_a_surrogate_pair_is_not_in_the_way(store: Store) -> None:
    await answered(store, "m1", exchange("broken \ud83d"))

    [one] = await kept(store)
    assert one.said == ((Text("broken ?"),),)


async def test_exchanges_are_told_oldest_first_back_to_the_one_that_goes_on_from_none(store: Store) -> None:
    ones = [exchange("one"), exchange("two", previous="i-m1"), exchange("three", previous="i-m2")]
    for number, one in enumerate(ones, 1):
        await answered(store, f"m{number}", one)
    await answered(store, "other", exchange("elsewhere"), thread=OTHER)

    assert await kept(store) == ones
    assert await kept(store, OTHER) == [exchange("elsewhere")]


async def test_one_that_goes_on_from_none_leaves_nothing_of_those_before_it(place: Place) -> None:
    async with place.open() as store:
        await answered(store, "m1", exchange("one"))
        await answered(store, "m2", exchange("told anew"))
        assert await kept(store) == [exchange("told anew")]


@pytest.mark.parametrize(
    "large",
    [
        pytest.param(exchange("x" * (MOST_CHARACTERS // 2)), id="characters"),
        pytest.param(exchange("x", answer='","data":"' + "A" * (MOST_BYTES // 2)), id="bytes of files"),
    ],
)
async def test_what_there_is_no_room_for_is_left_out_whole_and_deleted(large: Exchange, store: Store) -> None:
    first = await answered(store, "m1", exchange("one"))
    second = await answered(store, "m2", replace(large, previous=InteractionId("i-m1")))
    await answered(store, "m3", replace(large, previous=InteractionId("i-m2")))

    assert await kept(store) == [replace(large, previous=InteractionId("i-m2"))]
    for turn in (first, second):
        name = turn.messages[0].id
        assert await store.exchanges(replace(turn, previous=InteractionId(f"i-{name}"))) == []


async def test_one_that_is_too_large_by_itself_is_not_kept_and_the_thread_stands_on_its_answer(store: Store) -> None:
    await answered(store, "m1", exchange("x" * (MOST_CHARACTERS + 1)))

    assert await kept(store) == []
    await ask(store, "m2")
    assert (await taken(store)).previous == "i-m1"


async def test_nothing_of_a_private_answer_is_listed_as_kept_at_gemini(store: Store) -> None:
    await answered(store, "m1", exchange("one"))
    await ask(store, "m2")
    after_private = await taken(store)
    is_private_there = await store.is_at_gemini(after_private)
    await store.answered(after_private, interaction=InteractionId("i-m2"), usage=Usage(), model="m")
    await ask(store, "m3")

    assert not is_private_there
    assert await store.is_at_gemini(await taken(store))


async def test_an_answer_that_gemini_keeps_leaves_none_of_the_thread_here(store: Store) -> None:
    turn = await answered(store, "m1", exchange("one"))
    await answered(store, "m2", None)

    assert await kept(store) == []
    assert await store.exchanges(replace(turn, previous=InteractionId("i-m1"))) == []


async def test_a_reset_forgets_them_all(store: Store) -> None:
    turn = await answered(store, "m1", exchange("one"))
    await answered(store, "other", exchange("elsewhere"), thread=OTHER)
    await store.reset(SLACK, MessageId("reset"))

    assert await store.exchanges(replace(turn, previous=InteractionId("i-m1"))) == []
    assert await kept(store, OTHER) == [exchange("elsewhere")]


async def test_an_answer_given_in_a_thread_that_was_reset_is_not_kept(store: Store) -> None:
    await ask(store, "m1")
    turn = await taken(store)
    await store.reset(SLACK, MessageId("reset"))
    with pytest.raises(StaleTurn):
        await store.answered(
            turn, interaction=InteractionId("i-m1"), usage=Usage(), model="m", exchange=exchange("one")
        )

    assert await store.exchanges(replace(turn, previous=InteractionId("i-m1"))) == []


async def test_a_retry_goes_on_from_before_its_turn_whose_exchange_is_forgotten(store: Store) -> None:
    await answered(store, "m1", exchange("one"))
    old = await answered(store, "m2", exchange("two", previous="i-m1"))
    assert await store.retry(SLACK, MessageId("retry")) is Retried.QUEUED
    again = await taken(store)

    assert await store.exchanges(again) == [exchange("one")]
    assert await store.exchanges(replace(old, previous=InteractionId("i-m2"))) == []


async def test_nothing_of_them_lies_in_the_files_after_a_reset_although_others_write_meanwhile(
    place: Place, tmp_path: Path
) -> None:
    async with place.open() as store:
        await answered(store, "m1", exchange("a secret"))

        async def writes(resetting: "asyncio.Task[bool]") -> None:
            for number in count():
                if resetting.done():
                    return
                await ask(store, f"busy{number}", thread=OTHER)

        async with asyncio.TaskGroup() as group:
            resetting = group.create_task(store.reset(SLACK, MessageId("reset")))
            group.create_task(writes(resetting))
        kept = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())

    assert b"a secret" not in kept


async def test_they_outlive_the_process(place: Place) -> None:
    async with place.open() as store:
        await answered(store, "m1", exchange("one"))
    async with place.open() as store:
        assert await kept(store) == [exchange("one")]


def test_what_became_of_a_file_is_kept_as_where_the_file_stands() -> None:
    picture = Media(MediaKind.IMAGE, "image/png", data=b"png", source=PICTURE)
    link = Media(MediaKind.DOCUMENT, "application/pdf", uri="https://example.org/a.pdf")
    question = (Text("look"), Text("[attachment cat.png]", source=PICTURE), picture, link)

    assert kept_of(question) == (Text("look"), PICTURE, link)


def test_a_file_that_stands_nowhere_leaves_a_label() -> None:
    [label] = kept_of((Media(MediaKind.IMAGE, "image/png", data=b"png"),))

    assert isinstance(label, Text)
    assert "file" in label.text
