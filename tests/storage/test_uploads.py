"""What every store owes the files that Gemini keeps of a thread."""

from dataclasses import replace

from bot.answers import MediaKind
from bot.messages import AttachmentId
from bot.ports import Store, Upload
from tests.storage.stores import DAY, NOON, OTHER, SLACK, Place, ask

FILM = AttachmentId("F1")
SENT = Upload(SLACK, "files/clew-1", FILM, MediaKind.VIDEO, "video/mp4", 9_000, None, NOON + 2 * DAY)


async def test_an_upload_is_known_before_it_has_arrived_and_after(store: Store) -> None:
    await ask(store, "m1")
    await store.uploading(SENT)
    before = await store.upload_of(SLACK, FILM)
    arrived = replace(SENT, uri="https://gemini/files/clew-1", expires_at=NOON + DAY)
    await store.uploaded(arrived)

    assert before == SENT
    assert await store.upload_of(SLACK, FILM) == arrived
    assert await store.uploads(SLACK) == [arrived]


async def test_an_upload_outlives_the_process(place: Place) -> None:
    async with place.open() as store:
        await ask(store, "m1")
        await store.uploading(SENT)
    async with place.open() as store:
        assert await store.upload_of(SLACK, FILM) == SENT


async def test_an_upload_is_of_its_thread_alone(store: Store) -> None:
    await ask(store, "m1")
    await ask(store, "m2", thread=OTHER)
    await store.uploading(SENT)
    await store.uploading(replace(SENT, thread=OTHER))
    await store.upload_gone(OTHER, SENT.name)

    assert await store.upload_of(SLACK, FILM) == SENT
    assert await store.upload_of(OTHER, FILM) is None
    assert await store.uploads(OTHER) == []


async def test_the_newest_upload_of_a_file_counts(store: Store) -> None:
    await ask(store, "m1")
    again = replace(SENT, name="files/clew-0", expires_at=NOON + 3 * DAY)
    await store.uploading(SENT)
    await store.uploading(again)

    assert await store.upload_of(SLACK, FILM) == again
    assert await store.uploads(SLACK) == [again, SENT]  # all of them, for whoever deletes them


async def test_what_has_expired_is_forgotten(store: Store, place: Place) -> None:
    await ask(store, "m1")
    await store.uploading(SENT)
    place.clock.tick(2 * DAY + 1)

    assert await store.uploads(SLACK) == []

    await store.uploading(replace(SENT, name="files/clew-2", attachment=AttachmentId("F2"), expires_at=NOON + 9 * DAY))

    assert await store.upload_of(SLACK, FILM) is None


async def test_the_end_of_an_upload_that_is_gone_changes_nothing(store: Store) -> None:
    await ask(store, "m1")
    await store.upload_gone(SLACK, "files/clew-9")
    await store.uploaded(replace(SENT, uri="https://gemini/files/clew-1"))

    assert await store.uploads(SLACK) == []
