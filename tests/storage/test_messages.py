"""What every store owes the inbox: each message once, in the turn it belongs to."""

import asyncio
from dataclasses import replace

import pytest

from bot.messages import Address, Attachment, AttachmentId, MessageId, Person, Refusal
from bot.ports import Store
from tests.storage.stores import ADA, BEN, OTHER, PAGE, SLACK, ask, ids, message, taken

PICTURE = Attachment(AttachmentId("F1"), "harbour.png", "image/png", 2048)
NAMELESS = Attachment(AttachmentId("F2"), "", None, None)


async def test_a_message_that_is_handed_over_twice_is_taken_once(store: Store) -> None:
    assert await store.add(message("m1"))
    assert not await store.add(message("m1", "something else", by=BEN))

    assert [m.text for m in (await taken(store)).messages] == ["What is a clew?"]


async def test_of_many_redeliveries_at_the_same_moment_one_is_the_message(store: Store) -> None:
    accepted = await asyncio.gather(*(store.add(message("m1")) for _ in range(20)))

    assert accepted.count(True) == 1
    assert ids(await taken(store)) == ["m1"]


async def test_a_late_redelivery_is_not_a_new_question(store: Store) -> None:
    await ask(store, "m1")
    await store.stopped(await taken(store))

    assert not await store.add(message("m1"))
    assert await store.waiting() == []


async def test_an_id_says_nothing_about_another_thread(store: Store) -> None:
    assert await store.add(message("m1"))
    assert await store.add(message("m1", thread=OTHER))


async def test_a_message_comes_back_as_it_was_handed_over(store: Store) -> None:
    sent = replace(
        message("m1", "naïve 🦆 \0 question", attachments=(PICTURE, NAMELESS), sent_at=1700000000.123456),
        author=Person(ADA.id, None),
        address=Address.MENTION,
        is_root=True,
    )
    await store.add(sent)

    assert (await taken(store)).messages == (sent,)


async def test_half_a_character_in_a_text_does_not_lose_the_rest(store: Store) -> None:
    await store.add(message("m1", "a \ud83d b", by=Person(ADA.id, "\udc00da")))

    (said,) = (await taken(store)).messages
    assert (said.text, said.author.name) == ("a ? b", "?da")


async def test_messages_of_one_person_that_pile_up_are_one_turn_in_their_order(store: Store) -> None:
    for name in ("m3", "m1", "m2"):
        await ask(store, name)

    assert ids(await taken(store)) == ["m3", "m1", "m2"]


async def test_somebody_else_in_between_begins_a_turn_and_so_does_the_first_one_again(store: Store) -> None:
    for name, author in (("m1", ADA), ("m2", BEN), ("m3", ADA), ("m4", ADA)):
        await ask(store, name, by=author)

    turns = await store.transcript(SLACK)
    assert [ids(turn) for turn in turns] == [["m1"], ["m2"], ["m3", "m4"]]
    assert [turn.asker for turn in turns] == [ADA, BEN, ADA]


async def test_a_refused_message_shares_no_turn_with_one_that_is_answered(store: Store) -> None:
    await ask(store, "m1")
    await ask(store, "m2", refusal=Refusal.PERSON)
    await ask(store, "m3", refusal=Refusal.PERSON)
    await ask(store, "m4", refusal=Refusal.CHANNEL)

    turns = await store.transcript(SLACK)
    assert [(ids(turn), turn.refusal) for turn in turns] == [
        (["m1"], None),
        (["m2", "m3"], Refusal.PERSON),
        (["m4"], Refusal.CHANNEL),
    ]


async def test_of_a_refused_message_neither_text_nor_files_are_kept(store: Store) -> None:
    await store.add(message("m1", "private", thread=PAGE, attachments=(PICTURE,)), refusal=Refusal.CHANNEL)
    assert await store.edit(PAGE, MessageId("m1"), "private too")

    (said,) = (await taken(store, PAGE)).messages
    assert (said.text, said.attachments) == (None, ())


async def test_a_turn_that_was_taken_is_not_joined_any_more(store: Store) -> None:
    await ask(store, "m1")
    turn = await taken(store)
    await ask(store, "m2")

    await store.stopped(turn)
    assert ids(await taken(store)) == ["m2"]


@pytest.mark.parametrize("command", ["stop", "reset", "retry"])
async def test_a_command_ends_what_the_waiting_messages_can_be_joined_by(store: Store, command: str) -> None:
    await ask(store, "m1")
    await getattr(store, command)(SLACK, MessageId("c1"))
    await ask(store, "m2")
    await ask(store, "m3")

    assert [ids(turn) for turn in await store.transcript(SLACK)] == [["m1"], ["m2", "m3"]]


async def test_a_waiting_message_can_be_edited(store: Store) -> None:
    await ask(store, "m1")
    await ask(store, "m2")

    assert await store.edit(SLACK, MessageId("m1"), "better")

    assert [m.text for m in (await taken(store)).messages] == ["better", "text of m2"]


async def test_a_message_that_is_being_answered_cannot_be_edited_or_withdrawn(store: Store) -> None:
    await ask(store, "m1")
    turn = await taken(store)

    assert not await store.edit(SLACK, MessageId("m1"), "better")
    assert not await store.withdraw(SLACK, MessageId("m1"))

    assert await store.turn(turn) == turn


async def test_a_message_nobody_knows_cannot_be_edited_or_withdrawn(store: Store) -> None:
    await ask(store, "m1")
    await store.stop(SLACK, MessageId("c1"))

    for name in ("m2", "c1"):
        assert not await store.edit(SLACK, MessageId(name), "better")
        assert not await store.withdraw(SLACK, MessageId(name))
    assert not await store.withdraw(OTHER, MessageId("m1"))


async def test_withdrawing_one_of_several_messages_leaves_the_others_in_order(store: Store) -> None:
    for name in ("m1", "m2", "m3"):
        await ask(store, name)

    assert await store.withdraw(SLACK, MessageId("m2"))
    await ask(store, "m0")

    assert ids(await taken(store)) == ["m1", "m3", "m0"]


async def test_withdrawing_the_only_message_leaves_nothing_to_answer(store: Store) -> None:
    await ask(store, "m1")

    assert await store.withdraw(SLACK, MessageId("m1"))

    assert await store.waiting() == []
    assert await store.claim(SLACK) is None


async def test_a_withdrawn_message_does_not_come_back(store: Store) -> None:
    await ask(store, "m1")
    await store.withdraw(SLACK, MessageId("m1"))

    assert not await store.add(message("m1"))
    assert not await store.withdraw(SLACK, MessageId("m1"))
    assert await store.waiting() == []


async def test_a_message_is_known_whatever_became_of_it(store: Store) -> None:
    for name in ("answered", "withdrawn"):
        await ask(store, name)
    await store.withdraw(SLACK, MessageId("withdrawn"))
    await store.stopped(await taken(store))
    await store.reset(SLACK, MessageId("command"))
    await store.overhear(message("overheard"))

    for name in ("answered", "withdrawn", "command", "overheard"):
        assert await store.knows(SLACK, MessageId(name))
    assert not await store.knows(SLACK, MessageId("m1"))
    assert not await store.knows(OTHER, MessageId("answered"))
