"""The database taken away under a running store: locked, read-only, deleted, moved, replaced. Nothing is lost."""

import asyncio
import logging
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.errors import StoreUnavailable, StoreUnusable
from bot.health import Health
from bot.messages import InteractionId, Usage
from bot.metrics import Metrics
from bot.ports import Store
from storage.commits import GroupedConnection
from storage.database import open_database
from storage.migrate import MIGRATIONS, read_migrations
from storage.sqlite import open_store, serve
from tests.storage import child
from tests.storage.processes import child as child_process
from tests.storage.processes import everything_heard, heard, tell
from tests.storage.stores import OTHER, SLACK, ask, claimed, ids, message, sqlite_in, taken

HOUR = 3600.0  # seconds


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "clew.db"


@asynccontextmanager
async def opened(file: Path, *, wait: float = 5.0) -> AsyncIterator[tuple[GroupedConnection, Store]]:
    """A store and the connection under it."""
    database = await asyncio.to_thread(open_database, file, migrations=read_migrations(MIGRATIONS), wait=wait)
    async with serve(database) as store:
        yield database.connection, store


async def health(store: Store) -> str:
    """What is told of the store to whoever asks how the bot is."""
    report = await Health(store, troubles={}, metrics=Metrics(), patience=30).report()
    return report.checks["store"]


async def known(file: Path) -> list[str]:
    """The messages in a database, as the next start finds them."""
    async with open_store(f"sqlite:///{file}") as store:
        return [name for turn in await store.transcript(SLACK) for name in ids(turn)]


async def test_a_database_that_another_process_locks_takes_nothing_says_so_and_goes_on_afterwards(file: Path) -> None:
    async with opened(file, wait=0.1) as (_, store):
        await ask(store, "m1")
        async with child_process(child.lock_until_told, f"sqlite:///{file}") as process:
            assert await heard(process) == "locked"
            with pytest.raises(StoreUnavailable, match="locked by another program"):
                await store.add(message("m2"))
            assert await store.waiting() == [SLACK], "what is only read is told as ever"
            assert "locked by another program" in await health(store)

            tell(process)
            assert await heard(process) == "unlocked"
        await ask(store, "m2")  # as it is sent again
        assert await health(store) == "ok"

    assert await known(file) == ["m1", "m2"]


async def test_a_lock_that_lasts_keeps_whoever_asks_for_health_waiting_for_a_moment_only(file: Path) -> None:
    async with (
        opened(file, wait=60) as (_, store),
        child_process(child.lock_until_told, f"sqlite:///{file}") as process,
    ):
        assert await heard(process) == "locked"
        report = await Health(store, troubles={}, metrics=Metrics(), patience=0.1).report()
        assert report.checks["store"].startswith("no commit within 0.1 s: another program locks the database")
        tell(process)
        assert await heard(process) == "unlocked"


async def test_a_database_that_becomes_read_only_takes_nothing_says_so_and_goes_on_afterwards(file: Path) -> None:
    async with opened(file) as (connection, store):
        await ask(store, "m1")
        connection.execute("PRAGMA query_only = ON")  # the answer SQLite gives where a volume was mounted anew
        with pytest.raises(StoreUnavailable, match="it cannot be written to"):
            await store.add(message("m2"))
        assert await store.waiting() == [SLACK]
        assert "it cannot be written to" in await health(store)

        connection.execute("PRAGMA query_only = OFF")
        await ask(store, "m2")
        assert await health(store) == "ok"

    assert await known(file) == ["m1", "m2"]


async def test_a_folder_that_becomes_read_only_is_no_hindrance_to_a_database_that_is_open(file: Path) -> None:
    said = await everything_heard(child.write_in_a_closed_folder, f"sqlite:///{file}")

    assert said == ["closed", "written"]
    assert await known(file) == ["m1"]


# --- taken away -------------------------------------------------------------------------------


def delete(file: Path) -> None:
    for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
        file.with_name(name).unlink(missing_ok=True)


def move_away(file: Path) -> None:
    file.rename(file.parent.parent / "elsewhere.db")


def replace_it(file: Path) -> None:
    shutil.copy(file, file.parent.parent / "copy.db")  # of an hour ago, say
    (file.parent.parent / "copy.db").replace(file)


def delete_the_log(file: Path) -> None:
    file.with_name(f"{file.name}-wal").unlink()


def delete_the_folder(file: Path) -> None:
    shutil.rmtree(file.parent)


@pytest.mark.parametrize("take_away", [delete, move_away, replace_it, delete_the_log])
async def test_a_database_that_is_taken_away_takes_nothing_more_and_what_it_held_is_kept(
    file: Path, take_away: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    copy = file.with_name("clew.db.rescued")
    with caplog.at_level(logging.INFO, "storage"):
        async with opened(file) as (_, store):
            await ask(store, "m1")
            take_away(file)
            results = await asyncio.gather(*(store.add(message(f"n{at}")) for at in range(9)), return_exceptions=True)
            assert {type(result) for result in results} == {StoreUnavailable}
            assert f"what it held is in {copy}" in str(results[0])
            assert "was deleted, moved or replaced" in await health(store)
            assert await store.waiting() == [SLACK]

    (line,) = (record for record in caplog.records if record.name.startswith("storage"))
    assert line.levelname == "ERROR"
    assert line.getMessage() == "database is not in its place any more"
    assert await known(copy) == ["m1"]


async def test_a_database_that_is_put_back_goes_on(file: Path) -> None:
    async with opened(file) as (_, store):
        await ask(store, "m1")
        move_away(file)
        with pytest.raises(StoreUnavailable):
            await store.add(message("m2"))
        (file.parent.parent / "elsewhere.db").rename(file)
        await ask(store, "m2")
        assert await health(store) == "ok"

    assert await known(file) == ["m1", "m2"]


async def test_each_time_a_database_is_taken_away_there_is_a_copy_and_no_earlier_one_is_overwritten(file: Path) -> None:
    async with opened(file) as (_, store):
        for name in ("m1", "m2"):
            await ask(store, name)
            move_away(file)
            with pytest.raises(StoreUnavailable):
                await store.add(message("n"))
            (file.parent.parent / "elsewhere.db").rename(file)

    assert await known(file.with_name("clew.db.rescued")) == ["m1"]
    assert await known(file.with_name("clew.db.rescued-2")) == ["m1", "m2"]


async def test_a_copy_for_which_there_is_no_room_is_missed_in_the_words_of_the_system(file: Path) -> None:
    async with opened(file) as (_, store):
        await ask(store, "m1")
        delete_the_folder(file)
        with pytest.raises(StoreUnavailable, match=r"what it held could not be copied: .*cannot be opened or made"):
            await store.add(message("m2"))


async def test_a_start_does_not_begin_anew_beside_what_was_rescued(file: Path) -> None:
    async with opened(file) as (_, store):
        await ask(store, "m1")
        delete(file)
        with pytest.raises(StoreUnavailable):
            await store.add(message("m2"))

    with pytest.raises(StoreUnusable, match=r"is gone, and clew\.db\.rescued beside it holds what was in it; rename"):
        await known(file)
    assert not file.exists()

    file.with_name("clew.db.rescued").rename(file)
    assert await known(file) == ["m1"]


async def test_other_programs_that_come_and_go_are_no_trouble(file: Path) -> None:
    async with opened(file) as (_, store):
        for number in range(3):
            await ask(store, f"m{number}", thread=OTHER)
            with sqlite3.connect(file) as other:
                other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                assert other.execute("SELECT COUNT(*) FROM message").fetchone() == (number + 1,)
            other.close()
        assert await health(store) == "ok"
    assert set(os.listdir(file.parent)) == {"clew.db", "clew.db.owner"}, "nothing had to be rescued"


# --- the date ---------------------------------------------------------------------------------


async def test_when_the_date_jumps_to_and_fro_turns_keep_their_order_and_the_day_its_counts(tmp_path: Path) -> None:
    place = sqlite_in(tmp_path)
    async with place.open() as store:
        counts = []
        for number, jump in enumerate((5 * HOUR, -9 * HOUR, 30 * HOUR, -26 * HOUR, 0)):
            await ask(store, f"m{number}")
            claim = await claimed(store)
            counts.append(claim.today_by_asker)
            place.clock.tick(jump)
            await store.answered(claim.turn, interaction=InteractionId(f"i{number}"), usage=Usage(), model="gemini")
            assert (await store.transcript(SLACK))[-1].interaction == f"i{number}"
        await ask(store, "last")
        last = await taken(store)
        names = [name for turn in await store.transcript(SLACK) for name in ids(turn)]

    assert names == ["m0", "m1", "m2", "m3", "m4", "last"]
    assert last.previous == "i4"
    assert counts == [0, 1, 2, 0, 3], "m3 was asked on the next day; then it was yesterday again"
