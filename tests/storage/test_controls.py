"""What every store owes the commands: each is carried out once, and at once."""

from dataclasses import replace

import pytest

from bot.messages import InteractionId, MessageId, Part, Refusal, TurnState, Usage
from bot.ports import Retried, Store
from tests.storage.stores import ADA, BEN, NOON, OTHER, PAGE, SLACK, ask, ids, message, taken

FIRST, SECOND = InteractionId("v1_first"), InteractionId("v1_second")
COMMAND, AGAIN = MessageId("c1"), MessageId("c2")


async def exchange(store: Store, name: str, interaction: InteractionId) -> None:
    """One question, answered on the page."""
    await ask(store, name, thread=PAGE)
    turn = await taken(store, PAGE)
    await store.created(turn, interaction)
    await store.shown(turn, Part(0, MessageId("r-" + name), "digest", "answer to " + name))
    await store.answered(turn, interaction=interaction, usage=Usage(), model="gemini")


async def test_stop_marks_the_turn_that_is_being_answered(store: Store) -> None:
    await ask(store, "m1")
    turn = await taken(store)
    await ask(store, "m2")

    stopping = await store.stop(SLACK, COMMAND)

    assert stopping is not None
    assert (stopping.id, stopping.stopping, stopping.state) == (turn.id, True, TurnState.RUNNING)
    (_, waiting) = await store.transcript(SLACK)
    assert not waiting.stopping


async def test_stop_leaves_alone_what_only_waits_and_other_threads(store: Store) -> None:
    await ask(store, "m1")
    await ask(store, "m1", thread=OTHER)
    await taken(store, OTHER)

    assert await store.stop(SLACK, COMMAND) is None

    assert not any(turn.stopping for turn in await store.transcript(OTHER))
    assert ids(await taken(store)) == ["m1"]


async def test_a_stop_that_is_told_late_does_not_stop_what_was_asked_after_it(store: Store) -> None:
    asked_at = NOON - 1
    await ask(store, "m1")
    turn = await taken(store)

    assert await store.stop(SLACK, COMMAND, sent_at=asked_at - 1) is None
    assert await store.stop(SLACK, COMMAND, sent_at=asked_at - 1) is None  # told again, after a crash
    stopping = await store.stop(SLACK, AGAIN, sent_at=asked_at + 1)

    assert stopping is not None
    assert stopping.id == turn.id


async def test_a_stop_that_is_handed_over_again_does_not_stop_the_next_turn(store: Store) -> None:
    await ask(store, "m1")
    turn = await taken(store)
    first = await store.stop(SLACK, COMMAND)
    assert await store.stop(SLACK, COMMAND) == first  # as long as it is being stopped, so that it is
    await store.stopped(turn)
    await ask(store, "m2")
    await store.claim(SLACK)

    again = await store.stop(SLACK, COMMAND)

    assert again is not None
    assert (again.id, again.state) == (turn.id, TurnState.STOPPED)  # for whoever was not told before a crash
    assert not (await store.transcript(SLACK))[-1].stopping


async def test_a_command_is_known_as_a_message_too(store: Store) -> None:
    await store.reset(SLACK, COMMAND)
    assert not await store.add(message("c1"))

    await ask(store, "m1")
    assert not await store.reset(SLACK, MessageId("m1"))
    assert await store.reset(OTHER, COMMAND)


async def test_after_a_reset_the_thread_stands_on_nothing(store: Store) -> None:
    await exchange(store, "m1", FIRST)

    assert await store.reset(PAGE, COMMAND)

    assert await store.transcript(PAGE) == []
    await ask(store, "m2", thread=PAGE)
    turn = await taken(store, PAGE)
    assert (turn.previous, turn.epoch) == (None, 1)


async def test_a_reset_that_is_handed_over_again_forgets_nothing_new(store: Store) -> None:
    assert await store.reset(PAGE, COMMAND)
    await exchange(store, "m1", FIRST)

    assert not await store.reset(PAGE, COMMAND)

    await ask(store, "m2", thread=PAGE)
    assert (await taken(store, PAGE)).previous == FIRST


async def test_a_reset_stops_what_runs_and_leaves_what_waits_to_the_fresh_chain(store: Store) -> None:
    await ask(store, "m1")
    old = await taken(store)
    await ask(store, "m2")
    await store.reset(SLACK, COMMAND)

    running = await store.turn(old)
    assert running is not None
    assert (running.stopping, running.epoch, running.state) == (True, 0, TurnState.RUNNING)
    assert await store.claim(SLACK) is None, "the old turn has not stopped yet"
    await store.stopped(old)

    turn = await taken(store)
    assert (ids(turn), turn.epoch, turn.previous, turn.stopping) == (["m2"], 1, None, False)
    assert [each.id for each in await store.transcript(SLACK)] == [turn.id]


async def test_retry_answers_the_last_turn_again_in_its_place(store: Store) -> None:
    await exchange(store, "m1", FIRST)
    await exchange(store, "m2", SECOND)
    before, old = await store.transcript(PAGE)

    assert await store.retry(PAGE, COMMAND) is Retried.QUEUED

    assert await store.waiting() == [PAGE]
    turn = await taken(store, PAGE)
    assert (turn.previous, turn.interaction, turn.asks) == (FIRST, None, 1)
    assert (turn.messages, turn.asker) == (old.messages, old.asker)
    assert turn.parts == tuple(replace(part, text=None, attachments=()) for part in old.parts)
    assert [each.id for each in await store.transcript(PAGE)] == [before.id, turn.id]
    superseded = await store.turn(old)
    assert superseded is not None
    assert (superseded.state, superseded.interaction) == (TurnState.SUPERSEDED, SECOND)
    assert superseded.messages == old.messages
    third = InteractionId("v1_third")
    await store.answered(turn, interaction=third, usage=Usage(), model="gemini")
    await ask(store, "m3", thread=PAGE)
    assert (await taken(store, PAGE)).previous == third


async def test_retry_of_the_first_turn_begins_the_thread_anew(store: Store) -> None:
    await exchange(store, "m1", FIRST)
    await store.retry(PAGE, COMMAND)

    assert (await taken(store, PAGE)).previous is None


async def test_a_retried_turn_can_be_retried(store: Store) -> None:
    await exchange(store, "m1", FIRST)
    await exchange(store, "m2", SECOND)
    for number in range(3):
        assert await store.retry(PAGE, MessageId(f"c{number}")) is Retried.QUEUED
        turn = await taken(store, PAGE)
        assert (ids(turn), turn.previous) == (["m2"], FIRST)
        await store.answered(turn, interaction=InteractionId(f"v1_{number}"), usage=Usage(), model="gemini")


async def test_a_failed_or_stopped_turn_can_be_retried(store: Store) -> None:
    await exchange(store, "m1", FIRST)
    await ask(store, "m2", thread=PAGE)
    await store.failed(await taken(store, PAGE), notice="No.", tell=False)
    assert await store.retry(PAGE, COMMAND) is Retried.QUEUED
    turn = await taken(store, PAGE)
    assert (ids(turn), turn.previous, turn.notice) == (["m2"], FIRST, None)
    await store.stopped(turn)
    assert await store.retry(PAGE, AGAIN) is Retried.QUEUED
    assert ids(await taken(store, PAGE)) == ["m2"]


async def test_a_refused_turn_takes_nobodys_retry_away(store: Store) -> None:
    await exchange(store, "m1", FIRST)
    await ask(store, "m2", thread=PAGE, refusal=Refusal.PERSON)
    await store.failed(await taken(store, PAGE), notice="No.", tell=False)

    assert await store.retry(PAGE, COMMAND) is Retried.QUEUED
    assert ids(await taken(store, PAGE)) == ["m1"]


async def test_there_is_nothing_to_retry_where_everybody_was_refused(store: Store) -> None:
    await ask(store, "m1", thread=PAGE, refusal=Refusal.PERSON)
    await store.failed(await taken(store, PAGE), notice="No.", tell=False)

    assert await store.retry(PAGE, COMMAND) is Retried.NOTHING


async def test_retry_where_text_was_blanked_finds_the_messages_without_it(store: Store) -> None:
    await ask(store, "m1")
    await store.stopped(await taken(store))
    await store.retry(SLACK, COMMAND)

    assert [(said.id, said.text) for said in (await taken(store)).messages] == [("m1", None)]


async def test_what_is_being_retried_is_not_told_to_itself(store: Store) -> None:
    for name in ("m1", "m2"):
        await ask(store, name)
        await store.stopped(await taken(store))
    await store.retry(SLACK, COMMAND)

    assert [ids(each) for each in await store.untold(await taken(store))] == [["m1"]]


async def test_there_is_nothing_to_retry_in_a_new_thread_or_after_a_reset(store: Store) -> None:
    assert await store.retry(PAGE, COMMAND) is Retried.NOTHING
    await exchange(store, "m1", FIRST)
    await store.reset(PAGE, MessageId("c-reset"))

    assert await store.retry(PAGE, AGAIN) is Retried.NOTHING


@pytest.mark.parametrize("running", [False, True])
async def test_nothing_is_retried_while_a_turn_is_open(store: Store, *, running: bool) -> None:
    await exchange(store, "m1", FIRST)
    await ask(store, "m2", thread=PAGE)
    if running:
        await store.claim(PAGE)

    assert await store.retry(PAGE, COMMAND) is Retried.BUSY

    assert (await store.transcript(PAGE))[0].state is TurnState.ANSWERED


async def test_nothing_is_retried_while_a_reset_turn_is_still_stopping(store: Store) -> None:
    await ask(store, "m1")
    await store.claim(SLACK)
    await store.reset(SLACK, COMMAND)

    assert await store.retry(SLACK, AGAIN) is Retried.BUSY


async def test_a_retry_that_is_handed_over_again_asks_nothing_again(store: Store) -> None:
    await exchange(store, "m1", FIRST)
    await store.retry(PAGE, COMMAND)
    turn = await taken(store, PAGE)
    await store.answered(turn, interaction=SECOND, usage=Usage(), model="gemini")

    assert await store.retry(PAGE, COMMAND) is Retried.REPEATED

    assert await store.waiting() == []


async def test_a_retry_that_is_told_late_leaves_alone_what_was_asked_after_it(store: Store) -> None:
    asked_at = NOON - 1
    await exchange(store, "m1", FIRST)

    assert await store.retry(PAGE, COMMAND, sent_at=asked_at - 1) is Retried.LATE
    assert await store.claim(PAGE) is None
    assert await store.retry(PAGE, AGAIN, sent_at=asked_at + 1) is Retried.QUEUED


async def test_another_person_joins_no_retried_turn(store: Store) -> None:
    await exchange(store, "m1", FIRST)
    await store.retry(PAGE, COMMAND)
    await ask(store, "m2", by=BEN, thread=PAGE)
    await ask(store, "m3", by=ADA, thread=PAGE)

    assert [ids(each) for each in await store.transcript(PAGE)] == [["m1"], ["m2"], ["m3"]]


async def test_a_check_of_the_store_leaves_it_as_it_was(store: Store) -> None:
    await exchange(store, "m1", FIRST)
    before = await store.transcript(PAGE)

    await store.check()

    assert await store.transcript(PAGE) == before
