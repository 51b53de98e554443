"""What every store owes the chains at Gemini: how long they are, and which summaries they begin with."""

import pytest

from bot.errors import StaleTurn
from bot.messages import InteractionId, MessageId, Turn, Usage
from bot.ports import Chain, Growth, Store
from tests.storage.stores import SLACK, Place, ask

LONG = Usage(input_tokens=90, output_tokens=10, total_tokens=100)
SUMMARY = InteractionId("summary")


async def taken(store: Store, name: str) -> Turn:
    """A question that is being answered."""
    await ask(store, name)
    claim = await store.claim(SLACK)
    assert claim is not None
    return claim.turn


async def answered(store: Store, name: str, *, summary: InteractionId | None = None) -> None:
    turn = await taken(store, name)
    if summary is not None:
        await store.chains.summing_up(turn, summary)
        await store.chains.summed_up(turn, LONG)
    await store.answered(turn, interaction=InteractionId(f"i-{name}"), usage=LONG, model="gemini")


async def test_a_chain_has_the_answered_turns_since_it_began(store: Store) -> None:
    for name in ("m1", "m2"):
        await answered(store, name)
    stopped = await taken(store, "m3")
    await store.stopped(stopped)
    turn = await taken(store, "m4")

    assert await store.chains.chain(turn, most=9) == Chain(2, 100, (InteractionId("i-m2"), InteractionId("i-m1")))
    assert await store.chains.chain(turn, most=1) == Chain(1, 100, (InteractionId("i-m2"),))


async def test_a_chain_begins_with_the_turn_that_was_asked_after_a_summary(store: Store) -> None:
    await answered(store, "m1")
    await answered(store, "m2", summary=SUMMARY)
    await answered(store, "m3")
    chain = await store.chains.chain(await taken(store, "m4"), most=9)
    booked, _ = await store.booked(SLACK, most=9)

    assert chain == Chain(2, 100, (InteractionId("i-m3"), InteractionId("i-m2")))
    assert [turn.usage.total_tokens for turn in booked if turn.usage] == [100, 200, 100]


async def test_a_chain_begins_with_the_turn_that_was_told_everything_again(store: Store) -> None:
    await answered(store, "m1")
    turn = await taken(store, "m2")
    await store.asking(turn, after=None)
    await store.answered(turn, interaction=InteractionId("i-m2"), usage=LONG, model="gemini")

    assert (await store.chains.chain(await taken(store, "m3"), most=9)).turns == 1


async def test_after_a_reset_there_is_no_chain(store: Store) -> None:
    await answered(store, "m1")
    await store.reset(SLACK, MessageId("reset"))

    assert await store.chains.chain(await taken(store, "m2"), most=9) == Chain()


async def test_a_retry_goes_on_from_the_summary_of_the_turn_it_replaces(store: Store) -> None:
    await answered(store, "m1")
    await answered(store, "m2", summary=SUMMARY)
    await store.retry(SLACK, MessageId("retry"))
    claim = await store.claim(SLACK)

    assert claim is not None
    assert (claim.turn.previous, claim.turn.summary) == ("i-m1", SUMMARY)
    assert (await store.chains.chain(claim.turn, most=9)).interactions == ("i-m1",)


async def test_a_chain_knows_how_much_longer_it_is_since_a_summary_was_asked_for_in_vain(store: Store) -> None:
    await answered(store, "m1")
    turn = await taken(store, "m2")
    await store.chains.summing_up(turn, SUMMARY)
    await store.chains.summing_up(turn, None)
    await store.answered(turn, interaction=InteractionId("i-m2"), usage=LONG, model="gemini")
    soon = await store.chains.chain(await taken(store, "m3"), most=9)
    (turn,) = await store.running()
    longer = Usage(input_tokens=390, output_tokens=10, total_tokens=400)
    await store.answered(turn, interaction=InteractionId("i-m3"), usage=longer, model="gemini")
    later = await store.chains.chain(await taken(store, "m4"), most=9)

    assert (soon.turns, soon.tokens, soon.since) == (2, 100, Growth(turns=1, tokens=0))
    assert (later.turns, later.tokens, later.since) == (3, 400, Growth(turns=2, tokens=300))


async def test_a_summary_is_on_the_bill_once_however_often_it_is_told(store: Store) -> None:
    turn = await taken(store, "m1")
    for _ in range(2):
        await store.chains.summed_up(turn, LONG)
    await store.answered(turn, interaction=InteractionId("i-m1"), usage=LONG, model="gemini")
    (booked,), _ = await store.booked(SLACK, most=9)

    assert booked.usage is not None
    assert booked.usage.total_tokens == 200


async def test_a_summary_outlives_the_process_until_it_is_taken_back(place: Place) -> None:
    async with place.open() as store:
        await answered(store, "m1")
        await store.chains.summing_up(await taken(store, "m2"), SUMMARY)
    async with place.open() as store:
        (turn,) = await store.running()
        await store.chains.summing_up(turn, None)
        (now,) = await store.running()

    assert (turn.summary, turn.interaction, turn.previous) == (SUMMARY, None, "i-m1")
    assert now.summary is None


async def test_the_summary_of_a_stale_turn_is_noted_to_be_deleted_all_the_same(store: Store) -> None:
    turn = await taken(store, "m1")
    await store.forgetting.forget(SLACK, MessageId("forget"))
    with pytest.raises(StaleTurn):
        await store.chains.summing_up(turn, SUMMARY)
    await store.stopped(turn)

    assert await store.forgetting.to_delete(SLACK) == SUMMARY


async def test_of_an_answer_in_several_rounds_the_last_says_how_long_the_chain_is(store: Store) -> None:
    turn = await taken(store, "m1")
    rounds = [Usage(input_tokens=given, output_tokens=50, total_tokens=given + 50) for given in (60, 120, 180)]
    usage = sum(rounds, Usage())
    await store.answered(turn, interaction=InteractionId("i-m1"), usage=usage, model="m")

    assert (await store.chains.chain(await taken(store, "m2"), most=9)).tokens == 230
    assert (usage.input_tokens, usage.total_tokens) == (360, 510)
