"""What every store owes the forgetting of a thread: everything goes, nothing else does, and a death loses no step."""

import sqlite3
from datetime import date
from pathlib import Path

import pytest

from bot.answers import MediaKind
from bot.errors import StaleTurn
from bot.messages import Attachment, AttachmentId, InteractionId, MessageId, Part, Thread, TurnState, Usage
from bot.ports import Forgotten, Retried, Store, Undeleted, Upload
from tests.storage.stores import ADA, DAY, NOON, OTHER, PAGE, SLACK, Place, ask, claimed, ids, message, taken

COMMAND, AGAIN = MessageId("c1"), MessageId("c2")
FILE = Attachment(AttachmentId("f1"), "secret plans.pdf", "application/pdf", 12)


async def exchange(store: Store, name: str, *interactions: str, thread: Thread = SLACK) -> None:
    """One question, answered through interactions of these names."""
    await ask(store, name, thread=thread)
    turn = await taken(store, thread)
    for each in interactions:
        await store.created(turn, InteractionId(each))
    await store.shown(turn, Part(0, MessageId("r-" + name), "digest", "answer to " + name))
    usage = Usage(input_tokens=3, output_tokens=4, total_tokens=7, searches=2)
    await store.answered(turn, interaction=InteractionId(interactions[-1]), usage=usage, model="gemini")


async def standing(store: Store, thread: Thread = SLACK) -> Forgotten:
    found = await store.forgetting.forgotten(thread)
    assert found is not None
    return found


async def delete_all(store: Store, thread: Thread = SLACK) -> list[str]:
    """Every interaction of the thread, as whoever deletes them is told of them."""
    told: list[str] = []
    while (interaction := await store.forgetting.to_delete(thread)) is not None:
        told.append(interaction)
        await store.forgetting.deleted(thread, interaction)
    return told


async def erase(store: Store, thread: Thread = SLACK, report: str = "done") -> bool:
    return await store.forgetting.erase(await standing(store, thread), report=report)


async def test_every_interaction_is_to_be_deleted_and_not_the_newest_of_a_turn_alone(store: Store) -> None:
    await exchange(store, "m1", "i1", "i2")
    await exchange(store, "m2", "i3")
    await exchange(store, "m1", "elsewhere", thread=OTHER)

    assert await store.forgetting.forget(SLACK, COMMAND)

    assert await delete_all(store) == ["i1", "i2", "i3"]
    assert (await standing(store)).deleted == 3


async def test_the_thread_begins_afresh_at_once(store: Store) -> None:
    await exchange(store, "m1", "i1")
    await ask(store, "m2")

    await store.forgetting.forget(SLACK, COMMAND)

    turn = await taken(store)
    assert (turn.previous, turn.epoch, ids(turn)) == (None, 1, ["m2"])
    assert turn.since == NOON
    assert await store.untold(turn) == []


async def test_a_command_that_is_handed_over_again_forgets_nothing_new(store: Store) -> None:
    await store.forgetting.forget(SLACK, COMMAND)
    await erase(store)
    await store.forgetting.reported(await standing(store))
    await exchange(store, "m1", "i1")

    assert not await store.forgetting.forget(SLACK, COMMAND)

    assert await store.forgetting.to_forget() == []
    assert len(await store.transcript(SLACK)) == 1


async def test_nothing_is_erased_while_an_interaction_was_not_tried(store: Store) -> None:
    await exchange(store, "m1", "i1")
    await store.forgetting.forget(SLACK, COMMAND)

    assert not await erase(store)

    assert (await standing(store)).report is None


async def test_what_is_said_since_is_kept_and_so_are_its_interactions(store: Store) -> None:
    await exchange(store, "m1", "i1")
    await store.forgetting.forget(SLACK, COMMAND)
    await exchange(store, "m2", "i2")

    assert await delete_all(store) == ["i1"]
    assert await erase(store)

    (left,) = await store.transcript(SLACK)
    assert (ids(left), left.interaction) == (["m2"], "i2")


async def test_a_turn_that_is_being_stopped_is_waited_for_and_its_interaction_deleted_too(store: Store) -> None:
    await exchange(store, "m1", "i1")
    await ask(store, "m2")
    running = await taken(store)
    await store.forgetting.forget(SLACK, COMMAND)
    with pytest.raises(StaleTurn):  # it was created in this very moment, and has to be deleted all the same
        await store.created(running, InteractionId("i2"))

    assert await delete_all(store) == ["i1"]
    assert not await erase(store)

    await store.stopped(running)
    assert await delete_all(store) == ["i2"]
    assert await erase(store)
    assert (await standing(store)).deleted == 2


async def test_an_answer_that_is_to_be_given_again_belongs_to_the_fresh_thread(store: Store) -> None:
    await exchange(store, "m1", "i1", thread=PAGE)
    assert await store.retry(PAGE, MessageId("again")) is Retried.QUEUED

    await store.forgetting.forget(PAGE, COMMAND)
    await delete_all(store, PAGE)
    assert await erase(store, PAGE)

    turn = await taken(store, PAGE)
    assert (ids(turn), turn.messages[0].text, turn.previous) == (["m1"], "text of m1", None)
    assert [part.text for part in turn.parts] == [None]


async def test_of_messages_only_the_ids_stay(place: Place, tmp_path: Path) -> None:
    async with place.open() as store:
        await store.add(message("m1", "my secret", thread=PAGE, attachments=(FILE,)))
        turn = await taken(store, PAGE)
        await store.created(turn, InteractionId("i1"))
        await store.shown(turn, Part(0, MessageId("r1"), "digest", "your secret", (FILE,)))
        await store.answered(turn, interaction=InteractionId("i1"), usage=Usage(), model="gemini")
        await ask(store, "m2", thread=PAGE)
        await store.failed(await taken(store, PAGE), notice="a secret notice", tell=True)
        await store.forgetting.forget(PAGE, COMMAND)
        await delete_all(store, PAGE)
        assert await erase(store, PAGE, report="")
        await store.forgetting.reported(await standing(store, PAGE))
        assert not await store.add(message("m1", thread=PAGE))
        assert not await store.add(message("c1", thread=PAGE))
        assert await store.threads(PAGE.platform) == []

    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for gone in (b"secret", b"text of m2", b"Ada", b"i1", b"application/pdf"):
        assert gone not in left, gone


async def test_what_was_asked_lies_in_no_file_once_it_was_stopped_by_a_reset(place: Place, tmp_path: Path) -> None:
    async with place.open() as store:
        await store.add(message("m1", "my secret"))
        turn = await taken(store)
        await store.reset(SLACK, COMMAND)
        await store.stopped(turn)
        left = b"".join(file.read_bytes() for file in tmp_path.iterdir())

    assert b"my secret" not in left


async def test_what_is_forgotten_lies_in_no_file_even_before_gemini_has_deleted_it(
    place: Place, tmp_path: Path
) -> None:
    async with place.open() as store:
        await store.add(message("m1", "my secret"))
        turn = await taken(store)
        await store.created(turn, InteractionId("i1"))
        await store.answered(turn, interaction=InteractionId("i1"), usage=Usage(), model="gemini")
        await store.forgetting.forget(SLACK, COMMAND)
        left = b"".join(file.read_bytes() for file in tmp_path.iterdir())

    assert b"my secret" not in left


async def test_where_the_platform_keeps_its_messages_it_stays_known_how_far_it_was_heard(store: Store) -> None:
    await exchange(store, "m1", "i1")
    (heard,) = await store.places(SLACK.platform)
    await store.caught_up(SLACK.platform)

    await store.forgetting.forget(SLACK, COMMAND)
    await delete_all(store)
    await erase(store)

    assert await store.places(SLACK.platform) == [heard]


async def test_a_forgotten_thread_is_still_looked_at_for_what_was_missed_in_it(place: Place) -> None:
    async with place.open() as store:
        await exchange(store, "m1", "i1")
        await store.forgetting.forget(SLACK, COMMAND)
        await delete_all(store)
        assert await erase(store)
        place.clock.tick(1)
        await exchange(store, "m1", "i2", thread=OTHER)

        assert (await store.note(SLACK)).since == NOON - 1  # what was said to the bot since then was said to it
        assert await store.active(SLACK.platform, since=NOON - 50) == [OTHER, SLACK]
        assert await store.active(SLACK.platform, since=NOON + 0.5) == [OTHER]


async def test_what_could_not_be_deleted_is_counted_by_reason_and_tried_again_when_told_again(store: Store) -> None:
    await exchange(store, "m1", "i1", "i2", "i3")
    await store.forgetting.forget(SLACK, COMMAND)
    await store.forgetting.undeleted(SLACK, InteractionId("i1"), Undeleted.UNKNOWN)
    await store.forgetting.undeleted(SLACK, InteractionId("i2"), Undeleted.AWAY)
    assert await delete_all(store) == ["i3"]
    assert await erase(store)

    one = await standing(store)
    assert (one.deleted, one.undeleted) == (1, {Undeleted.UNKNOWN: 1, Undeleted.AWAY: 1})
    await store.forgetting.reported(one)

    await store.forgetting.forget(SLACK, AGAIN)
    assert (await standing(store)).undeleted == {}
    assert await delete_all(store) == ["i1", "i2"]


async def test_a_second_command_takes_over_from_the_first_wherever_that_stands(store: Store) -> None:
    await exchange(store, "m1", "i1")
    await store.forgetting.forget(SLACK, COMMAND)
    await delete_all(store)
    await exchange(store, "m2", "i2")
    before = await standing(store)

    await store.forgetting.forget(SLACK, AGAIN)

    assert not await store.forgetting.erase(before, report="done")
    assert await delete_all(store) == ["i2"]
    assert await erase(store, report="all done")
    await store.forgetting.reported(before)  # of what was overtaken
    one = await standing(store)
    assert (one.command, one.deleted, one.report) == (AGAIN, 2, "all done")


async def test_a_thread_stays_to_be_forgotten_until_its_report_was_given(place: Place) -> None:
    async with place.open() as store:
        await exchange(store, "m1", "i1", "i2")
        await store.forgetting.forget(SLACK, COMMAND)
        await store.forgetting.deleted(SLACK, InteractionId("i1"))
    async with place.open() as store:
        assert await store.forgetting.to_forget() == [SLACK]
        assert (await standing(store)).deleted == 1
        assert await delete_all(store) == ["i2"]
        await erase(store, report="done")
    async with place.open() as store:
        one = await standing(store)
        assert (one.deleted, one.command, one.report) == (2, COMMAND, "done")
        await store.forgetting.reported(one)
        assert await store.forgetting.to_forget() == []


def upload(name: str, attachment: str) -> Upload:
    return Upload(SLACK, name, AttachmentId(attachment), MediaKind.DOCUMENT, "application/pdf", 12, None, NOON + DAY)


async def test_the_files_at_gemini_go_but_for_those_of_questions_since(store: Store) -> None:
    await store.add(message("m1", attachments=(FILE,)))
    turn = await taken(store)
    await store.uploading(upload("files/1", "f1"))
    await store.uploading(upload("files/2", "f2"))
    await store.forgetting.forget(SLACK, COMMAND)
    assert await store.forgetting.file_to_delete(SLACK) is None  # the turn may still be sending one
    assert not await erase(store)
    await store.stopped(turn)
    await store.add(message("m2", attachments=(Attachment(AttachmentId("f3"), "new.pdf"),)))
    await store.uploading(upload("files/3", "f3"))

    assert await store.forgetting.file_to_delete(SLACK) == upload("files/1", "f1")
    await store.forgetting.file_tried(SLACK, "files/1", is_gone=True)
    assert not await erase(store)
    assert await store.forgetting.file_to_delete(SLACK) == upload("files/2", "f2")
    await store.forgetting.file_tried(SLACK, "files/2", is_gone=False)

    assert await erase(store)
    one = await standing(store)
    assert (one.files, one.files_left) == (1, 1)
    assert [each.name for each in await store.uploads(SLACK)] == ["files/3"]


async def test_forgetting_gives_nobody_back_the_turns_of_the_day(place: Place) -> None:
    async with place.open() as store:
        await exchange(store, "m1", "i1")
        await exchange(store, "m2", "i2")
        await store.forgetting.forget(SLACK, COMMAND)
        await delete_all(store)
        await erase(store)
    async with place.open() as store:
        await ask(store, "m3", thread=OTHER, by=ADA)
        claim = await claimed(store, OTHER)
        assert (claim.today_by_asker, claim.today_in_all) == (2, 2)


async def test_what_the_erased_answers_took_stays_in_the_books(store: Store) -> None:
    await exchange(store, "m1", "i1")
    before = await store.spent(since=NOON - DAY)
    assert before

    await store.forgetting.forget(SLACK, COMMAND)
    await delete_all(store)
    await erase(store)

    assert await store.spent(since=NOON - DAY) == before


async def test_what_the_erased_answers_took_is_itself_forgotten_after_400_days(place: Place) -> None:
    async with place.open() as store:
        await exchange(store, "m1", "i1")
        await store.forgetting.forget(SLACK, COMMAND)
        await delete_all(store)
        await erase(store)
        place.clock.tick(400 * DAY)
        await exchange(store, "m2", "i2", thread=OTHER)
        assert len(await store.spent(since=NOON - DAY)) == 2
        place.clock.tick(DAY)
        await exchange(store, "m3", "i3", thread=OTHER)
        [*_, oldest] = await store.spent(since=NOON - DAY)

    assert oldest.day == date(2024, 12, 19)


async def test_threads_of_a_certain_age_are_found_the_oldest_first_and_only_so_many(place: Place) -> None:
    async with place.open() as store:
        for thread in (OTHER, SLACK, PAGE):
            await exchange(store, "m1", f"i-{thread.channel_id}", thread=thread)
            place.clock.tick(DAY)

        assert await store.forgetting.forget_old(before=NOON, most=10) == []
        assert await store.forgetting.forget_old(before=NOON + DAY + 1, most=1) == [OTHER]
        place.clock.tick()
        assert await store.forgetting.forget_old(before=NOON + DAY + 1, most=10) == [SLACK]
        assert await store.forgetting.forget_old(before=NOON + DAY + 1, most=10) == []
        assert (await standing(store, OTHER)).command is None
        assert await store.forgetting.to_forget() == [OTHER, SLACK]


async def test_what_is_open_is_never_too_old_and_what_was_erased_is_not_old_again(place: Place) -> None:
    async with place.open() as store:
        await ask(store, "m1", thread=OTHER)
        await exchange(store, "m1", "i1")
        await store.reset(PAGE, COMMAND)
        place.clock.tick(10 * DAY)
        assert await store.forgetting.forget_old(before=place.clock.now, most=10) == [SLACK]
        await delete_all(store)
        await erase(store, report="")
        await store.forgetting.reported(await standing(store))
        place.clock.tick(10 * DAY)

        assert await store.forgetting.forget_old(before=place.clock.now, most=10) == []

        turn = await taken(store, OTHER)
        await store.failed(turn, notice="no", tell=False)
        assert turn.state is TurnState.RUNNING
        place.clock.tick(1)
        assert await store.forgetting.forget_old(before=place.clock.now, most=10) == [OTHER]


async def test_an_earlier_database_learns_to_forget_what_it_holds(tmp_path: Path) -> None:
    from storage.migrate import MIGRATIONS  # noqa: PLC0415 - nobody else here cares how a database comes to be
    from storage.sqlite import open_store  # noqa: PLC0415

    old = tmp_path / "old"
    old.mkdir()
    (old / "0001_threads_and_turns.sql").write_text((MIGRATIONS / "0001_threads_and_turns.sql").read_text())
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with open_store(url, migrations=old):
        pass
    with sqlite3.connect(tmp_path / "clew.db") as db:
        db.execute("INSERT INTO thread (thread, updated_at) VALUES (?, 1)", (SLACK.key,))
        db.execute("INSERT INTO interaction (thread, id, turn, created_at) VALUES (?, 'i1', 't1', 1)", (SLACK.key,))
    db.close()

    async with open_store(url) as store:
        await store.forgetting.forget(SLACK, COMMAND)
        assert await delete_all(store) == ["i1"]
