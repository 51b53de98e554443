"""The books: what every store owes those who ask what was used, and reading beside a running bot."""

import json
import sqlite3
from datetime import date
from pathlib import Path

import pytest

from bot.errors import StoreUnusable
from bot.messages import InteractionId, MessageId, Person, Platform, Refusal, Thread, TurnState, Usage
from bot.ports import Pointed, Spent, Store
from storage.reading import open_reader
from storage.sqlite import open_store
from tests.storage.stores import ADA, BEN, DAY, NOON, OTHER, PAGE, SLACK, Place, ask, message, taken

USAGE = Usage(1000, 50, 20, 400, 7, 1077, 3)
TODAY, YESTERDAY = date(2023, 11, 15), date(2023, 11, 14)


async def answer(
    store: Store, name: str, *, by: Person = ADA, thread: Thread = SLACK, model: str = "lite", usage: Usage = USAGE
) -> None:
    await ask(store, name, by=by, thread=thread)
    turn = await taken(store, thread)
    await store.created(turn, InteractionId(f"i-{name}"))
    await store.answered(turn, interaction=InteractionId(f"i-{name}"), usage=usage, model=model)


async def test_a_threads_turns_are_told_the_newest_first_with_what_they_took(store: Store, place: Place) -> None:
    await answer(store, "m1")
    place.clock.tick()
    await ask(store, "m2")
    await store.failed(await taken(store), notice="Sorry.", tell=True)
    place.clock.tick()
    await ask(store, "m3")

    turns, number = await store.booked(SLACK, most=20)

    assert number == 3
    assert [(turn.state, turn.asked_at, turn.interaction, turn.model, turn.usage) for turn in turns] == [
        (TurnState.QUEUED, NOON + 2, None, None, None),
        (TurnState.FAILED, NOON + 1, None, None, None),
        (TurnState.ANSWERED, NOON, "i-m1", "lite", USAGE),
    ]


async def test_of_many_turns_the_newest_are_told_and_how_many_there_are(store: Store) -> None:
    for number in range(5):
        await answer(store, f"m{number}")

    turns, number = await store.booked(SLACK, most=2)

    assert [turn.interaction for turn in turns] == ["i-m4", "i-m3"]
    assert number == 5


async def test_what_is_superseded_refused_or_from_before_a_reset_is_not_among_a_threads_turns(store: Store) -> None:
    await answer(store, "m1")
    await store.reset(SLACK, MessageId("c1"))
    await ask(store, "m2", by=BEN, refusal=Refusal.PERSON)
    await store.failed(await taken(store), notice="No.", tell=False)
    await answer(store, "m3")
    await store.retry(SLACK, MessageId("c2"))

    turns, number = await store.booked(SLACK, most=20)

    assert [turn.state for turn in turns] == [TurnState.QUEUED]
    assert number == 1
    assert await store.booked(OTHER, most=20) == ([], 0)


async def test_what_was_spent_is_told_by_day_person_and_model(store: Store, place: Place) -> None:
    await answer(store, "m1")
    await answer(store, "m2", thread=OTHER)
    place.clock.tick(DAY)
    await answer(store, "m3", model="big")
    await answer(store, "m4", by=BEN)

    spent = await store.spent(since=NOON - DAY)

    assert spent == [
        Spent(date(2023, 11, 16), "slack:U-ada", "big", 1, USAGE),
        Spent(date(2023, 11, 16), "slack:U-ben", "lite", 1, USAGE),
        Spent(TODAY, "slack:U-ada", "lite", 2, USAGE + USAGE),
    ]


async def test_what_somebody_spent_is_told_without_what_others_did(store: Store, place: Place) -> None:
    await answer(store, "m0")
    place.clock.tick(DAY)
    await answer(store, "m1")
    await answer(store, "m2", by=BEN)
    await answer(store, "m3", thread=PAGE)

    hers = await store.spent(since=NOON + 1, platform=Platform("slack"), person=ADA.id)
    theirs = await store.spent(since=NOON + 1, platform=Platform("web"))

    assert [(one.asker, one.turns) for one in hers] == [("slack:U-ada", 1)]
    assert [(one.asker, one.turns) for one in theirs] == [("web:U-ada", 1)]


async def test_an_answer_given_again_was_paid_twice_and_a_stopped_one_is_not_counted(store: Store) -> None:
    await answer(store, "m1")
    await store.retry(SLACK, MessageId("c1"))
    turn = await taken(store)
    await store.answered(turn, interaction=InteractionId("i-again"), usage=USAGE, model="lite")
    await ask(store, "m2")
    await store.stopped(await taken(store))

    (one,) = await store.spent(since=NOON)

    assert (one.turns, one.usage) == (2, USAGE + USAGE)


async def test_what_was_forgotten_stands_in_the_bill_all_the_same(store: Store, place: Place) -> None:
    await answer(store, "m1")
    before = await store.spent(since=NOON, platform=Platform("slack"), person=ADA.id)
    await store.forgetting.forget(SLACK, MessageId("c1"))
    await store.forgetting.deleted(SLACK, InteractionId("i-m1"))
    forgotten = await store.forgetting.forgotten(SLACK)
    assert forgotten is not None
    assert await store.forgetting.erase(forgotten, report="")

    assert await store.booked(SLACK, most=20) == ([], 0)
    assert await store.spent(since=NOON, platform=Platform("slack"), person=ADA.id) == before
    assert await store.spent(since=NOON, platform=Platform("slack"), person=BEN.id) == []


# --- beside a running bot ---------------------------------------------------------------------


async def test_a_reader_sees_what_a_running_bot_writes_and_can_change_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with open_store(url) as store, open_reader(url) as reader:
        await store.add(message("m1"))
        turns, _ = await reader.booked(SLACK, most=20)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._connection.execute("DELETE FROM turn")  # the promise is about this very connection
        await store.add(message("m2"))

    assert [turn.state for turn in turns] == [TurnState.QUEUED]


async def test_a_reader_reads_what_a_bot_left_behind_and_the_next_start_finds_it_as_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with open_store(url) as store:
        await store.add(message("m1"))
    before = (tmp_path / "clew.db").read_bytes()
    async with open_reader(url) as reader:
        _, number = await reader.booked(SLACK, most=20)
    after = (tmp_path / "clew.db").read_bytes()
    async with open_store(url) as store:
        waiting = await store.waiting()

    assert number == 1
    assert before == after
    assert waiting == [SLACK]


@pytest.mark.parametrize(
    ("pointed", "found"),
    [
        pytest.param(SLACK, SLACK, id="the key of a thread"),
        pytest.param(OTHER, None, id="the key of a thread nobody spoke in"),
        pytest.param(Pointed(SLACK.platform, SLACK.thread_id, SLACK.channel_id), SLACK, id="a channel and a thread"),
        pytest.param(Pointed(SLACK.platform, SLACK.thread_id, "C2"), None, id="the same of another channel"),
        pytest.param(Pointed(SLACK.platform, SLACK.thread_id), SLACK, id="a thread of whichever channel"),
        pytest.param(Pointed(SLACK.platform, "elsewhere", message_id=MessageId("m1")), SLACK, id="a message in it"),
        pytest.param(Pointed(PAGE.platform, SLACK.thread_id), None, id="of another platform"),
    ],
)
async def test_a_thread_is_found_by_what_a_link_says_of_it(
    pointed: Pointed | Thread, found: Thread | None, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with open_store(url) as store:
        await store.add(message("m1"))
    async with open_reader(url) as reader:
        assert await reader.find(pointed) == found


async def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    async def refusal(name: str) -> str:
        with pytest.raises(StoreUnusable) as refused:
            async with open_reader(name if name.startswith("sqlite") else f"sqlite:///{tmp_path / name}"):
                pass
        return str(refused.value)

    (tmp_path / "diary").write_text(json.dumps("dear diary " * 500))
    with sqlite3.connect(tmp_path / "theirs") as theirs:
        theirs.execute("CREATE TABLE plan (a)")
    theirs.close()
    async with open_store(f"sqlite:///{tmp_path / 'ours'}"):
        pass
    with sqlite3.connect(tmp_path / "ours") as ours:
        ours.execute("PRAGMA user_version = 9999")
    ours.close()

    assert "there is no database" in await refusal("nothing")
    assert "is not an SQLite database" in await refusal("diary")
    assert "is not a database of Clew" in await refusal("theirs")
    assert "another version of Clew" in await refusal("ours")
    assert "in memory" in await refusal("sqlite:///:memory:")
    assert not (tmp_path / "nothing").exists()
