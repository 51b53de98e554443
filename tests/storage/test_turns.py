"""What every store owes the answering: one turn of a thread at a time, and true ends."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.errors import StaleTurn
from bot.messages import Attachment, AttachmentId, InteractionId, MessageId, Part, Person, Refusal, Thread, Turn, Usage
from bot.messages import TurnState as State
from bot.ports import Store
from tests.storage.stores import ADA, BEN, DAY, OTHER, PAGE, SLACK, Place, ask, claimed, ids, message, taken

FIRST, SECOND = InteractionId("v1_first"), InteractionId("v1_" + "x" * 5000)
DRAWING = Attachment(AttachmentId("A1"), "drawing.png", "image/png", 512)
USAGE = Usage(1, 2, 3, 4, 5, 15)
RESET, STOP = MessageId("c-reset"), MessageId("c-stop")


async def answer(store: Store, turn: Turn, interaction: InteractionId = FIRST) -> None:
    await store.answered(turn, interaction=interaction, usage=USAGE, model="gemini-3.5-flash-lite")


WRITES: dict[str, Callable[[Store, Turn], Awaitable[None]]] = {
    "asking": lambda store, turn: store.asking(turn, after=FIRST),
    "created": lambda store, turn: store.created(turn, FIRST),
    "shown": lambda store, turn: store.shown(turn, Part(0, MessageId("r9"), "digest")),
    "answered": answer,
    "failed": lambda store, turn: store.failed(turn, notice="Sorry.", tell=True),
}


# --- taking -----------------------------------------------------------------------------------


async def test_the_thread_that_waits_longest_is_named_first(store: Store, place: Place) -> None:
    for thread in (OTHER, PAGE, SLACK):
        place.clock.tick()
        await ask(store, "m1", thread=thread)
    place.clock.tick()
    await ask(store, "m2", by=BEN, thread=OTHER)

    assert await store.waiting() == [OTHER, PAGE, SLACK]


async def test_a_thread_is_answered_in_the_order_of_its_questions_one_at_a_time(store: Store) -> None:
    for name, author in (("m1", ADA), ("m2", BEN), ("m3", ADA)):
        await ask(store, name, by=author)

    answered = []
    while (claim := await store.claim(SLACK)) is not None:
        assert await store.claim(SLACK) is None
        answered += ids(claim.turn)
        await answer(store, claim.turn)

    assert answered == ["m1", "m2", "m3"]


async def test_of_many_who_claim_at_once_one_gets_the_turn(store: Store) -> None:
    await ask(store, "m1")
    await ask(store, "m2", by=BEN)

    claims = await asyncio.gather(*(store.claim(SLACK) for _ in range(20)))

    assert [ids(claim.turn) for claim in claims if claim] == [["m1"]]


async def test_a_thread_in_which_nothing_was_said_has_nothing_to_claim(store: Store) -> None:
    assert await store.claim(SLACK) is None


async def test_a_turn_goes_on_from_the_answer_before_it(store: Store, place: Place) -> None:
    await ask(store, "m1")
    first = await taken(store)
    await ask(store, "m2")
    place.clock.tick()
    await answer(store, first, SECOND)

    second = await taken(store)

    assert (first.previous, first.asks, first.state, first.epoch) == (None, 1, State.RUNNING, 0)
    assert second.previous == SECOND


async def test_threads_do_not_stand_on_each_others_answers(store: Store) -> None:
    await ask(store, "m1")
    await ask(store, "m1", thread=OTHER)
    await answer(store, await taken(store))

    assert (await taken(store, OTHER)).previous is None


async def test_the_days_turns_are_counted_by_person_and_in_all(store: Store, place: Place) -> None:
    seen = []
    for number, author in enumerate((ADA, BEN, ADA, ADA)):
        await ask(store, f"m{number}", by=author)
        claim = await claimed(store)
        seen.append((claim.today_by_asker, claim.today_in_all))
        await store.stopped(claim.turn)
    assert seen == [(0, 0), (0, 1), (1, 2), (2, 3)]

    place.clock.tick(DAY / 2 - 1)  # the last second of the day
    await ask(store, "late")
    assert (await claimed(store)).today_in_all == 4
    place.clock.tick(1)
    await ask(store, "early", thread=OTHER)
    assert (await claimed(store, OTHER)).today_in_all == 0


async def test_the_count_outlives_a_restart(place: Place) -> None:
    async with place.open() as store:
        await ask(store, "m1")
        await answer(store, await taken(store))
    async with place.open() as store:
        await ask(store, "m2")
        claim = await claimed(store)

    assert (claim.today_by_asker, claim.today_in_all) == (1, 1)


async def test_people_of_two_platforms_are_two_people(store: Store) -> None:
    await ask(store, "m1")
    await store.claim(SLACK)
    await ask(store, "m1", thread=PAGE)

    claim = await claimed(store, PAGE)

    assert (claim.today_by_asker, claim.today_in_all) == (0, 1)


async def test_a_refused_turn_and_one_over_the_cap_are_not_counted(store: Store) -> None:
    await ask(store, "m1", refusal=Refusal.PERSON)
    await store.failed(await taken(store), notice="No.", tell=False)
    await ask(store, "m2")
    over = await claimed(store)
    assert over.today_in_all == 0
    await store.uncount(over.turn)
    await store.uncount(over.turn)
    await store.failed(over.turn, notice="Enough for today.", tell=False)
    await ask(store, "m3")

    claim = await claimed(store)

    assert (claim.today_by_asker, claim.today_in_all) == (0, 0)


async def test_after_a_restart_the_open_turns_are_known_as_they_were_left(place: Place) -> None:
    async with place.open() as store:
        await ask(store, "m1", thread=OTHER)
        await ask(store, "m1")
        place.clock.tick()
        first = await taken(store)
        place.clock.tick()
        second = await taken(store, OTHER)
        await store.created(second, FIRST)
        await store.asking(second, after=SECOND)
        await store.shown(second, Part(0, MessageId("r1"), "digest"))
        await store.stop(OTHER, STOP)
        await ask(store, "m2")

    async with place.open() as store:
        running = await store.running()
        assert await store.waiting() == [SLACK]

    assert running[0] == first
    again = running[1]
    assert (again.id, ids(again), again.asks, again.previous) == (second.id, ["m1"], 2, SECOND)
    assert (again.interaction, again.stopping) == (FIRST, True)
    assert again.parts == (Part(0, MessageId("r1"), "digest"),)
    assert again.messages == second.messages


# --- writing ----------------------------------------------------------------------------------


async def test_a_part_that_is_edited_replaces_what_was_noted_of_it(store: Store) -> None:
    await ask(store, "m1", thread=PAGE)
    turn = await taken(store, PAGE)
    await store.shown(turn, Part(1, MessageId("r2"), "b", "end"))
    await store.shown(turn, Part(0, MessageId("r1"), "a", "beg"))
    await store.shown(turn, Part(0, MessageId("r1"), "a2", "beginning", (DRAWING,)))

    (now,) = await store.transcript(PAGE)

    assert now.parts == (Part(0, MessageId("r1"), "a2", "beginning", (DRAWING,)), Part(1, MessageId("r2"), "b", "end"))


@pytest.mark.parametrize("write", WRITES)
async def test_nothing_is_written_to_a_turn_that_was_never_taken_or_has_ended(store: Store, write: str) -> None:
    await ask(store, "m1")
    (queued,) = await store.transcript(SLACK)
    with pytest.raises(StaleTurn):
        await WRITES[write](store, queued)
    turn = await taken(store)
    await store.stopped(turn)
    ended = await store.turn(turn)

    with pytest.raises(StaleTurn):
        await WRITES[write](store, turn)

    assert await store.turn(turn) == ended


@pytest.mark.parametrize("write", sorted(WRITES.keys() - {"shown"}))
async def test_nothing_is_written_to_a_turn_of_before_the_reset(store: Store, write: str) -> None:
    await ask(store, "m1")
    turn = await taken(store)
    await store.reset(SLACK, RESET)
    before = await store.turn(turn)

    with pytest.raises(StaleTurn):
        await WRITES[write](store, turn)

    assert await store.turn(turn) == before
    await store.stopped(turn)
    await ask(store, "m2")
    assert (await taken(store)).previous is None


async def test_a_reply_that_is_being_stopped_gets_its_last_touch_even_after_a_reset(store: Store) -> None:
    await ask(store, "m1")
    turn = await taken(store)
    await store.reset(SLACK, RESET)

    await store.shown(turn, Part(0, MessageId("r1"), "cut"))

    now = await store.turn(turn)
    assert now is not None
    assert now.parts == (Part(0, MessageId("r1"), "cut"),)


async def test_an_answer_that_is_whole_counts_though_stop_was_pressed(store: Store) -> None:
    await ask(store, "m1")
    turn = await taken(store)
    await store.stop(SLACK, STOP)

    await answer(store, turn)

    (now,) = await store.transcript(SLACK)
    assert now.state is State.ANSWERED
    await ask(store, "m2")
    assert (await taken(store)).previous == FIRST


async def test_a_failed_or_stopped_turn_does_not_move_the_thread(store: Store, place: Place) -> None:
    await ask(store, "m1")
    await answer(store, await taken(store))
    await ask(store, "m2")
    failing = await taken(store)
    await store.created(failing, SECOND)
    place.clock.tick(7)
    await store.failed(failing, notice="Sorry.", tell=True)
    await ask(store, "m3")
    stopping = await taken(store)
    await store.created(stopping, SECOND)
    await store.stopped(stopping)
    await ask(store, "m4")

    assert (await taken(store)).previous == FIRST
    _, failed, stopped, _ = await store.transcript(SLACK)
    assert (failed.state, failed.ended_at) == (State.FAILED, place.clock.now)
    assert stopped.state is State.STOPPED


async def test_stopping_a_turn_that_has_ended_changes_nothing(store: Store) -> None:
    await ask(store, "m1")
    turn = await taken(store)
    await answer(store, turn)
    before = await store.turn(turn)

    await store.stopped(turn)

    assert await store.turn(turn) == before


# --- what is kept -----------------------------------------------------------------------------


async def end_as(store: Store, turn: Turn, state: State) -> None:
    match state:
        case State.ANSWERED:
            await answer(store, turn)
        case State.FAILED:
            await store.failed(turn, notice="Sorry.", tell=True)
        case _:
            await store.stopped(turn)


ENDS = pytest.mark.parametrize("state", [State.ANSWERED, State.FAILED, State.STOPPED])


@ENDS
async def test_where_the_platform_keeps_the_text_it_is_blanked_when_the_turn_ends(store: Store, state: State) -> None:
    await store.add(message("m1", "secret", attachments=(DRAWING,)))
    turn = await taken(store)
    await store.shown(turn, Part(0, MessageId("r1"), "digest", "secret too", (DRAWING,)))
    assert turn.messages[0].text == "secret"

    await end_as(store, turn, state)

    (now,) = await store.transcript(SLACK)
    (said,) = now.messages
    assert (said.id, said.author, said.text) == ("m1", ADA, None)
    assert said.attachments == (Attachment(DRAWING.id, ""),)
    assert now.parts == (Part(0, MessageId("r1"), "digest"),)
    assert now.notice is None


@ENDS
async def test_where_nobody_else_keeps_the_text_it_stays_until_a_reset(store: Store, state: State) -> None:
    sent = message("m1", "secret", thread=PAGE, attachments=(DRAWING,))
    await store.add(sent)
    turn = await taken(store, PAGE)
    part = Part(0, MessageId("r1"), "digest", "secret too", (DRAWING,))
    await store.shown(turn, part)
    await end_as(store, turn, state)
    (kept,) = await store.transcript(PAGE)
    assert (kept.messages, kept.parts) == ((sent,), (part,))
    assert kept.notice == ("Sorry." if state is State.FAILED else None)

    await store.reset(PAGE, RESET)

    blanked = await store.turn(turn)
    assert blanked is not None
    assert (blanked.messages[0].text, blanked.parts, blanked.notice) == (
        None,
        (Part(0, part.message_id, "digest"),),
        None,
    )


async def test_what_a_reset_cut_off_is_blanked_when_it_has_stopped(store: Store) -> None:
    await ask(store, "m1", thread=PAGE)
    turn = await taken(store, PAGE)
    await store.reset(PAGE, RESET)
    await store.shown(turn, Part(0, MessageId("r1"), "digest", "half an ans"))

    await store.stopped(turn)

    now = await store.turn(turn)
    assert now is not None
    assert (now.state, now.messages[0].text, now.parts[0].text) == (State.STOPPED, None, None)


async def test_a_waiting_question_keeps_its_text_through_a_reset(store: Store) -> None:
    await ask(store, "m1", thread=PAGE)
    await store.reset(PAGE, RESET)

    assert (await taken(store, PAGE)).messages[0].text == "text of m1"


# --- what the next turn is told ---------------------------------------------------------------


async def test_the_next_turn_hears_of_what_failed_or_was_stopped_before_it_and_only_once(store: Store) -> None:
    for name, state in (("m1", State.FAILED), ("m2", State.ANSWERED), ("m3", State.STOPPED), ("m4", State.FAILED)):
        await ask(store, name, thread=PAGE)
        turn = await taken(store, PAGE)
        await store.shown(turn, Part(0, MessageId("r-" + name), "digest", "half of " + name))
        await end_as(store, turn, state)
    await ask(store, "m5", thread=PAGE)
    turn = await taken(store, PAGE)

    untold = await store.untold(turn)

    assert [(ids(each), each.state, each.parts[0].text) for each in untold] == [
        (["m3"], State.STOPPED, "half of m3"),
        (["m4"], State.FAILED, "half of m4"),
    ]
    assert untold[0].messages[0].text == "text of m3"
    await answer(store, turn)
    await ask(store, "m6", thread=PAGE)
    assert await store.untold(await taken(store, PAGE)) == []


async def test_nobody_is_told_of_a_blocked_question_or_of_another_threads(store: Store) -> None:
    await ask(store, "m1")
    await store.failed(await taken(store), notice="Blocked.", tell=False)
    await ask(store, "m1", thread=OTHER)
    await store.stopped(await taken(store, OTHER))
    await ask(store, "m2")

    assert await store.untold(await taken(store)) == []


async def test_a_turn_is_not_told_of_itself_nor_of_what_comes_after_it(store: Store) -> None:
    await ask(store, "m1")
    first = await taken(store)
    await store.stopped(first)
    await ask(store, "m2")
    second = await taken(store)
    await store.stopped(second)

    assert await store.untold(first) == []
    assert [each.id for each in await store.untold(second)] == [first.id]


async def test_a_reset_drops_what_would_have_been_told(store: Store) -> None:
    await ask(store, "m1")
    await store.stopped(await taken(store))
    await ask(store, "m2")
    running = await taken(store)
    await store.reset(SLACK, RESET)
    await store.stopped(running)
    await ask(store, "m3")

    assert await store.untold(await taken(store)) == []


async def test_a_thread_of_many_people_and_turns_keeps_them_apart(store: Store) -> None:
    threads = [Thread(SLACK.platform, "T1", "C1", f"17.{number}") for number in range(20)]
    people = [Person(ADA.id, "Ada"), Person(BEN.id, "Ben")]

    async def talk(thread: Thread) -> None:
        for number in range(6):
            await ask(store, f"m{number}", by=people[number % 2], thread=thread)
            turn = await taken(store, thread)
            assert turn.previous == (f"{thread.key}/{number - 1}" if number else None)
            await answer(store, turn, InteractionId(f"{thread.key}/{number}"))

    async with asyncio.TaskGroup() as group:
        for thread in threads:
            group.create_task(talk(thread))

    for thread in threads:
        assert [ids(turn) for turn in await store.transcript(thread)] == [[f"m{number}"] for number in range(6)]
