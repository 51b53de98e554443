"""What every store owes a platform whose messages do not say which thread they belong to."""

from dataclasses import replace

from bot.messages import MessageId, Part, Platform, Thread
from bot.ports import Parcel, Store
from tests.storage.stores import DAY, NOON, OTHER, SLACK, Place, ask, taken

DISCORD, SLACK_ITSELF = Platform("discord"), Platform("slack")
PARCEL = Parcel(DISCORD, "1001", '{"text": "what is a clew?"}', NOON + 900)


async def test_something_without_a_thread_is_kept_once_until_it_is_placed(store: Store) -> None:
    assert await store.take_in(PARCEL)
    assert not await store.take_in(replace(PARCEL, content="another"))
    assert await store.parcels(DISCORD) == [PARCEL]
    assert await store.parcels(SLACK_ITSELF) == []

    await store.placed(PARCEL)

    assert await store.parcels(DISCORD) == []


async def test_what_was_placed_is_known_when_it_comes_again(store: Store) -> None:
    await store.take_in(PARCEL)
    await store.placed(PARCEL)

    assert not await store.take_in(PARCEL)
    assert await store.parcels(DISCORD) == []


async def test_what_is_of_use_the_shortest_time_comes_first(store: Store) -> None:
    later = replace(PARCEL, id="1000", until=NOON + 901)
    await store.take_in(later)
    await store.take_in(PARCEL)

    assert await store.parcels(DISCORD) == [PARCEL, later]


async def test_what_can_come_no_more_is_forgotten(store: Store, place: Place) -> None:
    await store.take_in(PARCEL)
    await store.placed(PARCEL)
    place.clock.tick(DAY)
    other = replace(PARCEL, id="1002", until=NOON + 2 * DAY)

    await store.take_in(other)

    assert await store.parcels(DISCORD) == [other]
    assert await store.take_in(replace(PARCEL, until=NOON + 2 * DAY))


async def test_a_parcel_outlives_the_process(place: Place) -> None:
    async with place.open() as store:
        await store.take_in(PARCEL)
    async with place.open() as store:
        assert await store.parcels(DISCORD) == [PARCEL]


async def test_the_thread_of_what_was_said_is_found_by_its_id(store: Store) -> None:
    await ask(store, "m1", thread=SLACK)
    await ask(store, "m2", thread=OTHER)
    await store.shown(await taken(store, SLACK), Part(0, MessageId("r1"), "digest"))
    await store.shown(await taken(store, OTHER), Part(0, MessageId("r2"), "digest"))

    async def found(message: str, platform: Platform = SLACK_ITSELF) -> Thread | None:
        return await store.thread_of(platform, MessageId(message))

    assert (await found("r1"), await found("r2")) == (SLACK, OTHER)
    assert await found("r1", DISCORD) is None
    assert await found("r3") is None
    assert (await found("m1"), await found("m2")) == (SLACK, OTHER)
