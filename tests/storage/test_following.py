"""What a store knows of threads with several people in them, of commands to confirm, and of where to catch up."""

from dataclasses import replace

from bot.messages import Address, InteractionId, MessageId, Refusal, Usage
from bot.ports import Store, ThreadNote
from tests.storage.stores import ADA, BEN, NOON, OTHER, PAGE, SLACK, Place, ask, claimed, message, taken


async def answer(store: Store, name: str = "i1", *, told: frozenset[MessageId] = frozenset()) -> None:
    turn = await taken(store)
    await store.answered(turn, interaction=InteractionId(name), usage=Usage(), model="m", told=told)


async def test_a_thread_is_ours_when_it_hangs_from_a_message_to_the_bot(store: Store) -> None:
    await store.add(replace(message("m1"), address=Address.MENTION, is_root=True))
    await store.add(replace(message("m2", thread=OTHER), address=Address.MENTION))

    assert await store.note(SLACK) == ThreadNote(is_known=True, is_ours=True, is_quiet=False, since=NOON - 1)
    assert await store.note(OTHER) == ThreadNote(is_known=True, is_ours=False, is_quiet=False, since=NOON - 1)
    assert await store.note(PAGE) == ThreadNote(is_known=False, is_ours=False, is_quiet=False)


async def test_a_thread_made_quiet_stays_so_over_a_restart(place: Place) -> None:
    async with place.open() as store:
        await ask(store, "m1")
        assert await store.quieten(SLACK, MessageId("c1"))
        assert not await store.quieten(SLACK, MessageId("c1"))
    async with place.open() as store:
        assert (await store.note(SLACK)).is_quiet


async def test_what_is_overheard_is_noted_in_known_threads_only_and_without_a_word(store: Store) -> None:
    await ask(store, "m1")
    await store.overhear(message("m2", "for Ben"))
    await store.overhear(message("m3", "for Ben", thread=OTHER))
    turn = await taken(store)

    assert turn.overheard == {"m2"}
    assert [one.text for one in turn.messages] == ["text of m1"]
    assert not (await store.note(OTHER)).is_known


async def test_the_model_hears_once_of_what_was_overheard(store: Store) -> None:
    await ask(store, "m1")
    await store.overhear(message("m2"))
    await store.overhear(message("m3"))
    await answer(store, told=frozenset({MessageId("m2")}))
    await ask(store, "m4")

    assert (await taken(store)).overheard == {"m3"}


async def test_an_overheard_message_may_turn_out_to_be_meant_for_the_bot(store: Store) -> None:
    await ask(store, "m1")
    await store.overhear(message("m2"))
    await ask(store, "m2")
    await store.overhear(message("m2"))
    turn = await taken(store)

    assert [one.id for one in turn.messages] == ["m1", "m2"]
    assert turn.overheard == frozenset()
    assert not await store.add(message("m2"))


async def test_a_reset_forgets_what_was_overheard_and_says_when_it_was(place: Place) -> None:
    async with place.open() as store:
        await ask(store, "m1")
        await store.overhear(message("m2"))
        await store.reset(SLACK, MessageId("c1"))
        turn = await taken(store)

    assert turn.since == NOON
    assert turn.overheard == frozenset()


async def test_a_refusal_of_a_person_is_told_once_in_an_installation(store: Store) -> None:
    await ask(store, "m1")
    first = await taken(store)
    assert await store.refuse(first, Refusal.GUEST)
    await store.failed(first, notice="no", tell=False)
    await ask(store, "m2", thread=OTHER)
    second = await taken(store, OTHER)
    assert not await store.refuse(second, Refusal.GUEST)
    await ask(store, "m3", by=BEN)
    assert await store.refuse(await taken(store), Refusal.GUEST)

    refused = await store.turn(second)
    assert refused is not None
    assert refused.refusal is Refusal.GUEST
    assert refused.messages[0].text is None


async def test_a_refused_turn_does_not_count_against_the_day(store: Store) -> None:
    await ask(store, "m1")
    turn = await taken(store)
    await store.refuse(turn, Refusal.OUTSIDER)
    await store.failed(turn, notice="no", tell=False)
    await ask(store, "m2")

    assert (await claimed(store)).today_in_all == 0


async def test_blocked_questions_notices_and_commands_are_never_told(store: Store) -> None:
    await ask(store, "m1")
    await answer(store)
    await ask(store, "m2")
    blocked = await taken(store)
    await store.failed(blocked, notice="withheld", tell=False)
    await store.stop(SLACK, MessageId("c1"))
    await ask(store, "m3")
    failed = await taken(store)
    await store.failed(failed, notice="down", tell=True)

    assert await store.never_told(SLACK) == {"m2", "c1"}


async def test_a_stop_or_a_retry_of_one_turn_leaves_the_others_alone(store: Store) -> None:
    await ask(store, "m1")
    first = await taken(store)
    await store.answered(first, interaction=InteractionId("i1"), usage=Usage(), model="m")
    await ask(store, "m2")
    second = await taken(store)

    assert await store.stop(SLACK, MessageId("c1"), turn=first.id) is None
    stopped = await store.stop(SLACK, MessageId("c2"), turn=second.id)
    assert stopped is not None
    await store.stopped(second)
    assert (await store.retry(SLACK, MessageId("c3"), turn=first.id)).value == "nothing"
    assert (await store.retry(SLACK, MessageId("c4"), turn=second.id)).value == "queued"


async def test_what_is_to_be_said_about_a_command_survives_a_restart_until_it_was_said(place: Place) -> None:
    async with place.open() as store:
        await store.reset(SLACK, MessageId("c1"))
        assert await store.confirming(SLACK, MessageId("c1"), "afresh")
        await store.reset(PAGE, MessageId("c2"))
        await store.confirming(PAGE, MessageId("c2"), "afresh too")
    async with place.open() as store:
        (unconfirmed,) = await store.unconfirmed(SLACK.platform)
        await store.confirmed(SLACK, MessageId("c1"))

        assert not await store.confirming(SLACK, MessageId("c1"), "and again")
        assert (unconfirmed.thread, unconfirmed.command, unconfirmed.words) == (SLACK, "c1", "afresh")
        assert await store.unconfirmed(SLACK.platform) == []


async def test_catching_up_begins_at_the_newest_message_of_each_channel(store: Store) -> None:
    await store.add(message("m1", sent_at=NOON - 30))
    await store.add(message("m2", sent_at=NOON - 20))
    await store.add(message("m3", thread=OTHER, sent_at=NOON - 10))
    await store.add(message("m4", thread=PAGE))

    places = await store.places(SLACK.platform)
    assert [(place.channel_id, place.newest, place.heard_at) for place in places] == [
        ("C2", "m3", NOON - 10),
        ("C1", "m2", NOON - 20),
    ]


async def test_active_threads_are_those_with_turns_of_late(place: Place) -> None:
    async with place.open() as store:
        await ask(store, "m1")
        place.clock.tick(100)
        await store.add(message("m2", thread=OTHER, by=ADA))
        await store.reset(PAGE, MessageId("c1"))

        assert await store.active(SLACK.platform, since=NOON + 50) == [OTHER]
        assert await store.active(SLACK.platform, since=NOON - 50) == [OTHER, SLACK]
        assert await store.active(PAGE.platform, since=0) == []


async def test_how_far_a_channel_was_heard_is_told_the_same_until_it_was_looked_through(place: Place) -> None:
    async with place.open() as store:
        await store.add(message("m1", sent_at=NOON - 30))
        await store.places(SLACK.platform)
        await store.add(message("m2", sent_at=NOON - 10))
    async with place.open() as store:
        before = await store.places(SLACK.platform)
        await store.caught_up(SLACK.platform)
        after = await store.places(SLACK.platform)

    assert [(one.newest, one.heard_at) for one in before] == [("m1", NOON - 30)]
    assert [(one.newest, one.heard_at) for one in after] == [("m2", NOON - 10)]


async def test_a_channel_in_which_only_commands_were_given_is_heard_from_the_first_of_them_on(place: Place) -> None:
    async with place.open() as store:
        await store.reset(SLACK, MessageId("c1"))
        await store.reset(replace(SLACK, thread_id="t9"), MessageId("c2"))
        (heard,) = await store.places(SLACK.platform)
        await store.caught_up(SLACK.platform)
        await store.add(message("m1", sent_at=NOON - 500))
        (later,) = await store.places(SLACK.platform)

    assert (heard.newest, heard.heard_at) == ("c1", NOON)
    assert (later.newest, later.heard_at) == ("m1", NOON - 500)


async def test_a_platform_lags_from_when_it_was_asked_how_far_it_was_heard_until_all_was_looked_through(
    place: Place,
) -> None:
    async with place.open() as store:
        await store.add(message("m1"))
        before = await store.lagging()
        await store.places(SLACK.platform)
    async with place.open() as store:
        meanwhile = await store.lagging()
        await store.caught_up(SLACK.platform)
        after = await store.lagging()

    assert (before, meanwhile, after) == (set(), {SLACK.platform}, set())


async def test_a_channel_first_addressed_before_the_others_were_looked_through_was_heard_as_far_as_they(
    place: Place,
) -> None:
    elsewhere = replace(SLACK, installation_id="T2", channel_id="C3")
    async with place.open() as store:
        await store.add(message("m1", sent_at=NOON - 40))
        await store.add(message("m2", thread=replace(SLACK, channel_id="C4"), sent_at=NOON - 30))
        await store.places(SLACK.platform)
        await store.add(message("m3", thread=OTHER, sent_at=NOON - 20))
        await store.add(message("m4", thread=elsewhere, sent_at=NOON - 10))
    async with place.open() as store:
        places = await store.places(SLACK.platform)

    assert {one.channel_id: one.heard_at for one in places} == {
        "C1": NOON - 40,
        "C4": NOON - 30,
        "C2": NOON - 30,
        "C3": NOON - 10,
    }


async def test_a_message_whose_deletion_came_first_is_not_answered_when_it_comes(store: Store) -> None:
    await ask(store, "m1")
    await store.overhear(message("m2"))
    assert not await store.withdraw(SLACK, MessageId("m2"))
    assert not await store.withdraw(SLACK, MessageId("m3"))

    assert not await store.add(message("m3"))
    assert (await taken(store)).overheard == frozenset()
