"""What every store owes to whoever is told late of something: the waiting line stands in the order it was said in."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messages import InteractionId, MessageId, Person, PersonId, Refusal, Turn, Usage
from bot.messages import TurnState as State
from bot.ports import Retried, Store
from storage.sqlite import open_store
from tests.storage.stores import ADA, BEN, NOON, PAGE, SLACK, ids, message, taken

CID = Person(PersonId("U-cid"), "Cid")


async def said(store: Store, *names: str) -> None:
    """Store messages named for who said them and when: "a30" is what Ada said thirty seconds after noon."""
    people = {"a": ADA, "b": BEN, "c": CID}
    for name in names:
        assert await store.add(message(name, by=people[name[0]], sent_at=NOON + int(name[1:])))


async def waiting(store: Store) -> list[list[str]]:
    return [ids(turn) for turn in await store.transcript(SLACK) if turn.state is State.QUEUED]


@pytest.mark.parametrize(
    ("told", "line"),
    [
        pytest.param(["a20", "b10"], [["b10"], ["a20"]], id="before the first, a turn of its own"),
        pytest.param(["a20", "a10"], [["a10", "a20"]], id="before the first, of the same person"),
        pytest.param(["a10", "a30", "a20"], [["a10", "a20", "a30"]], id="in the midst of a turn of the same person"),
        pytest.param(["a10", "a30", "b20"], [["a10"], ["b20"], ["a30"]], id="in the midst of somebody else's turn"),
        pytest.param(["a10", "b30", "a20"], [["a10", "a20"], ["b30"]], id="at the end of a turn that another follows"),
        pytest.param(["a10", "b30", "b20"], [["a10"], ["b20", "b30"]], id="at the start of a turn that follows one"),
        pytest.param(["a10", "b30", "c20"], [["a10"], ["c20"], ["b30"]], id="between two turns"),
    ],
)
async def test_what_is_told_late_waits_where_it_was_said(store: Store, told: list[str], line: list[list[str]]) -> None:
    await said(store, *told)
    for name in told:
        assert not await store.add(message(name))  # a redelivery

    assert await waiting(store) == line


async def test_of_what_was_said_at_the_same_moment_the_first_told_comes_first(store: Store) -> None:
    for name, person in (("m3", ADA), ("m1", BEN), ("m2", BEN)):
        await store.add(message(name, by=person))

    assert await waiting(store) == [["m3"], ["m1", "m2"]]


async def test_nothing_comes_before_what_was_taken_already(store: Store) -> None:
    await said(store, "a20")
    turn = await taken(store)
    await said(store, "b10", "a10", "c5")
    assert await waiting(store) == [["c5"], ["b10"], ["a10"]]

    await store.stopped(turn)
    await said(store, "a1")
    assert [ids(turn) for turn in await store.transcript(SLACK)] == [["a20"], ["a1"], ["c5"], ["b10"], ["a10"]]


@pytest.mark.parametrize(
    ("late", "line"),
    [
        pytest.param("a20", [["a10", "a20", "a30"], ["b50"]], id="within"),
        pytest.param("a5", [["a5", "a10", "a30"], ["b50"]], id="before"),
        pytest.param("a40", [["a10", "a30"], ["a40"], ["b50"]], id="after it, that of the same person is another turn"),
        pytest.param("b20", [["a10"], ["b20"], ["a30"], ["b50"]], id="within, of somebody else"),
    ],
)
async def test_after_a_command_only_what_was_said_before_it_joins_a_turn(
    store: Store, late: str, line: list[list[str]]
) -> None:
    await said(store, "a10", "a30")
    await store.stop(SLACK, MessageId("c1"))
    await said(store, "b50", late)

    assert await waiting(store) == line


async def test_what_comes_to_stand_last_before_a_command_is_not_joined_after_it(store: Store) -> None:
    await said(store, "a10", "a30")
    await store.stop(SLACK, MessageId("c1"))
    await said(store, "b20")
    await store.withdraw(SLACK, MessageId("a30"))
    await said(store, "b40")

    assert await waiting(store) == [["a10"], ["b20"], ["b40"]]


async def test_a_refused_message_waits_where_it_was_said_and_shares_no_turn(store: Store) -> None:
    await said(store, "a10", "a30")
    await store.add(message("refused", sent_at=NOON + 20), refusal=Refusal.CHANNEL)

    turns = await store.transcript(SLACK)
    assert [(ids(turn), turn.refusal) for turn in turns] == [
        (["a10"], None),
        (["refused"], Refusal.CHANNEL),
        (["a30"], None),
    ]


async def test_what_was_overheard_and_is_meant_for_the_bot_after_all_waits_where_it_was_said(store: Store) -> None:
    await said(store, "a10")
    await store.overhear(message("b20", by=BEN, sent_at=NOON + 20))
    await said(store, "a30", "b20")

    assert await waiting(store) == [["a10"], ["b20"], ["a30"]]


async def test_a_turn_that_is_to_be_answered_again_keeps_its_place(store: Store) -> None:
    await said(store, "a20", "a40")
    turn = await taken(store)
    await store.answered(turn, interaction=InteractionId("i1"), usage=Usage(), model="m")
    assert await store.retry(SLACK, MessageId("c1")) is Retried.QUEUED
    await said(store, "b60", "c10", "b30")

    # Its answer stands above, and is replaced from where that went on from: nothing comes before it, or between.
    assert await waiting(store) == [["a20", "a40"], ["c10"], ["b30", "b60"]]


async def test_a_full_turn_gives_its_end_away_to_what_falls_inside_of_it(store: Store) -> None:
    await said(store, *(f"a{number}0" for number in range(50)))
    await said(store, "a205", "a5")

    first, second = await waiting(store)
    assert first == ["a00", "a5", *(f"a{number}0" for number in range(1, 21)), "a205"]
    assert second == [f"a{number}0" for number in range(21, 50)]


async def test_a_full_turn_is_joined_at_neither_end(store: Store) -> None:
    await said(store, *(f"a{number}0" for number in range(10, 60)))
    await said(store, "b900", "a5", "a700")

    assert [len(turn) for turn in await waiting(store)] == [1, 50, 1, 1]


async def test_a_thread_is_named_by_what_was_said_in_it_first(store: Store) -> None:
    await store.add(message("m2", "later", thread=PAGE, sent_at=NOON + 20))
    await store.add(message("m1", "earlier", thread=PAGE, by=BEN, sent_at=NOON + 10))

    (thread,) = await store.threads(PAGE.platform)
    assert thread.title == "earlier"


@dataclass(frozen=True, slots=True)
class Spoken:
    """What somebody said, and whether the oldest turn is claimed and ended once it was told."""

    person: Person
    sent_at: int
    claims: bool


SPOKEN = st.builds(Spoken, st.sampled_from([ADA, BEN, CID]), st.integers(0, 40), st.just(False))
SPOKEN_WITH_CLAIMS = st.builds(Spoken, st.sampled_from([ADA, BEN]), st.integers(0, 40), st.sampled_from([False, True]))


async def _told(spoken: Sequence[Spoken]) -> tuple[list[Turn], list[list[str]]]:
    """The turns that came of it, and what each of those that were claimed held at that time."""
    async with open_store("sqlite:///:memory:") as store:
        claimed = []
        for number, one in enumerate(spoken):
            await store.add(message(f"{number}", by=one.person, sent_at=NOON + one.sent_at))
            if one.claims and (claim := await store.claim(SLACK)) is not None:
                claimed.append(ids(claim.turn))
                if number % 2:
                    await store.stopped(claim.turn)
        return list(await store.transcript(SLACK)), claimed


@settings(max_examples=60, deadline=None)
@given(st.lists(SPOKEN, max_size=40))
def test_in_whatever_order_things_are_told_they_wait_in_the_order_they_were_said_in(spoken: list[Spoken]) -> None:
    turns, _ = asyncio.run(_told(spoken))

    in_order = sorted(range(len(spoken)), key=lambda number: spoken[number].sent_at)
    runs = [list(run) for _, run in groupby(in_order, key=lambda number: spoken[number].person)]
    assert [ids(turn) for turn in turns] == [[f"{number}" for number in run] for run in runs]


@settings(max_examples=60, deadline=None)
@given(st.lists(SPOKEN_WITH_CLAIMS, max_size=30))
def test_what_was_taken_stays_as_it_was_and_only_what_waits_is_put_in_order(spoken: list[Spoken]) -> None:
    turns, claimed = asyncio.run(_told(spoken))

    assert [ids(turn) for turn in turns[: len(claimed)]] == claimed
    waiting = [spoken[int(one)].sent_at for turn in turns[len(claimed) :] for one in ids(turn)]
    assert waiting == sorted(waiting)
    assert sorted(int(one) for turn in turns for one in ids(turn)) == list(range(len(spoken)))
    assert all({spoken[int(one)].person for one in ids(turn)} == {turn.asker} for turn in turns)


@settings(max_examples=5, deadline=None)
@given(st.permutations(range(120)), st.sets(st.integers(0, 119), max_size=3))
def test_no_turn_grows_past_its_limit_in_whatever_order_a_flood_is_told(order: list[int], bens: set[int]) -> None:
    turns, _ = asyncio.run(_told([Spoken(BEN if at in bens else ADA, at, claims=False) for at in order]))

    waiting = [order[int(one)] for turn in turns for one in ids(turn)]
    assert waiting == list(range(120))
    assert max(len(turn.messages) for turn in turns) <= 50
    assert all((order[int(one)] in bens) == (turn.asker == BEN) for turn in turns for one in ids(turn))
