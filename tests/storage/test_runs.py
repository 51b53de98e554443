"""What every store owes what runs at Gemini: so many researches in a day, and no run that nobody wants overlooked."""

import pytest

from bot.errors import StaleTurn
from bot.messages import InteractionId, MessageId, Usage
from bot.ports import Run, Store
from tests.storage.stores import DAY, OTHER, SLACK, Place, ask, taken

RUN = InteractionId("run")
WANTED: list[Run] = []
UNWANTED = [Run(RUN, SLACK)]


async def test_a_day_has_no_more_researches_than_it_is_given_and_what_was_not_begun_is_none(store: Store) -> None:
    await ask(store, "m1")
    await ask(store, "m2", thread=OTHER)
    first, second = await taken(store), await taken(store, OTHER)

    assert await store.runs.researching(first, "agent", most=1)
    assert not await store.runs.researching(second, "agent", most=1)
    await store.runs.not_begun(first)
    await store.runs.not_begun(first)
    assert await store.runs.researched() == 0
    assert await store.runs.researching(second, "agent", most=1)
    found = [await store.turn(turn) for turn in (first, second)]
    assert [turn.agent for turn in found if turn is not None] == [None, "agent"]


async def test_forgetting_gives_no_research_back_and_the_next_day_does(place: Place) -> None:
    async with place.open() as store:
        await ask(store, "m1")
        turn = await taken(store)
        await store.runs.researching(turn, "agent", most=1)
        await store.answered(turn, interaction=RUN, usage=Usage(), model="agent")
        await store.forgetting.forget(SLACK, MessageId("forget"))
        await store.forgetting.deleted(SLACK, RUN)
        forgotten = await store.forgetting.forgotten(SLACK)
        assert forgotten is not None
        assert await store.forgetting.erase(forgotten, report="")
    async with place.open() as store:
        assert await store.runs.researched() == 1
        place.clock.tick(DAY)
        assert await store.runs.researched() == 0


async def test_a_run_is_wanted_while_its_turn_waits_for_it_and_not_when_that_ended_otherwise(store: Store) -> None:
    await ask(store, "m1")
    turn = await taken(store)
    await store.runs.began(turn, RUN)
    found = await store.turn(turn)
    assert found is not None
    assert (found.interaction, found.begun_at is not None) == (RUN, True)
    assert await store.runs.unwanted() == WANTED
    await store.failed(turn, notice="out of time", tell=True)
    assert await store.runs.unwanted() == UNWANTED
    await store.runs.ended(RUN)
    assert await store.runs.unwanted() == []


async def test_a_run_that_is_stopped_or_asked_again_is_wanted_no_longer(store: Store) -> None:
    await ask(store, "m1")
    turn = await taken(store)
    await store.runs.began(turn, RUN)
    await store.created(turn, InteractionId("again"))
    assert await store.runs.unwanted() == UNWANTED
    await store.runs.ended(RUN)
    other = InteractionId("other")
    await store.runs.began(turn, other)
    await store.stop(SLACK, MessageId("stop"))
    assert await store.runs.unwanted() == [Run(other, SLACK)]


async def test_a_run_begun_for_a_thread_that_was_reset_is_noted_and_wanted_by_nobody(store: Store) -> None:
    await ask(store, "m1")
    turn = await taken(store)
    await store.reset(SLACK, MessageId("reset"))
    with pytest.raises(StaleTurn):
        await store.runs.began(turn, RUN)

    assert await store.runs.unwanted() == UNWANTED


async def test_what_runs_is_deleted_only_when_it_has_ended(store: Store) -> None:
    await ask(store, "m1")
    turn = await taken(store)
    await store.runs.began(turn, RUN)
    await store.forgetting.forget(SLACK, MessageId("forget"))
    await store.stopped(turn)
    forgotten = await store.forgetting.forgotten(SLACK)
    assert forgotten is not None

    assert await store.forgetting.to_delete(SLACK) is None
    assert not await store.forgetting.erase(forgotten, report="")
    await store.runs.ended(RUN)
    assert await store.forgetting.to_delete(SLACK) == RUN


async def test_of_research_only_the_report_counts_for_the_length_of_the_chain(store: Store) -> None:
    await ask(store, "m1")
    turn = await taken(store)
    await store.runs.researching(turn, "agent", most=1)
    await store.runs.began(turn, RUN)
    await store.runs.ended(RUN)
    usage = Usage(input_tokens=900_000, output_tokens=8_000, total_tokens=908_000)
    await store.answered(turn, interaction=RUN, usage=usage, model="agent")
    await ask(store, "m2")

    assert (await store.chains.chain(await taken(store), most=9)).tokens == 8_000
