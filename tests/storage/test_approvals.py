"""What every store owes what waits for approval: noted once, decided once by whoever asked, and gone with its turn."""

from bot.messages import MessageId, Person, PersonId, Turn
from bot.ports import Approval, Decided, Store
from tests.storage.stores import SLACK, ask


async def taken(store: Store) -> Turn:
    """A question that is being answered."""
    await ask(store, "m1")
    claim = await store.claim(SLACK)
    assert claim is not None
    return claim.turn


async def test_what_is_asked_is_noted_once_and_waits_until_it_is_decided(store: Store) -> None:
    turn = await taken(store)
    first = await store.approvals.approval(turn, "a")
    again = await store.approvals.approval(turn, "a")
    other = await store.approvals.approval(turn, "b")
    decided = await store.approvals.decide(SLACK, "a", approved=True, person=turn.asker)
    late = await store.approvals.decide(SLACK, "a", approved=False)

    assert first == again == Approval("a", first.asked_at)
    assert (decided, late) == (Decided.APPROVED, Decided.NOTHING)
    assert (await store.approvals.approval(turn, "a")).approved is True
    assert list(await store.approvals.asked(turn)) == [Approval("a", first.asked_at, True), other]


async def test_nobody_else_decides_nor_anybody_what_was_not_asked_or_was_stopped(store: Store) -> None:
    turn = await taken(store)
    await store.approvals.approval(turn, "a")
    stranger = Person(PersonId("somebody else"))

    assert await store.approvals.decide(SLACK, "a", approved=True, person=stranger) is Decided.NOT_YOURS
    assert await store.approvals.decide(SLACK, "b", approved=True) is Decided.NOTHING
    await store.stop(SLACK, MessageId("stop"))
    assert await store.approvals.decide(SLACK, "a", approved=True, person=turn.asker) is Decided.NOTHING


async def test_what_was_approved_is_begun_once_and_what_nobody_decided_is_declined(store: Store) -> None:
    turn = await taken(store)
    await store.approvals.approval(turn, "a")
    await store.approvals.decide(SLACK, "a", approved=True)
    begun = [await store.approvals.begin(turn, "a"), await store.approvals.begin(turn, "a")]
    await store.approvals.approval(turn, "b")
    for name in ("a", "b"):
        await store.approvals.decline(turn, name)

    assert begun == [True, False]
    assert [one.approved for one in await store.approvals.asked(turn)] == [True, False]
