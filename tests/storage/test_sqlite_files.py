"""Which files the SQLite store opens, and in which words it declines the others."""

import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.errors import StoreUnusable
from bot.messages import MessageId
from storage.database import read_url
from storage.migrate import MIGRATIONS, read_migrations
from storage.sqlite import open_store
from tests.storage import child
from tests.storage.processes import child as child_process
from tests.storage.processes import everything_heard, heard
from tests.storage.stores import SLACK, ask, ids, message, taken


async def why_not(file: Path, *, migrations: Path = MIGRATIONS, wait: float = 0.05) -> str:
    """The one sentence that opening the file ends with."""
    with pytest.raises(StoreUnusable) as caught:
        async with open_store(f"sqlite:///{file}", migrations=migrations, wait=wait):
            pass
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "DATABASE_URL" in sentence
    return sentence


async def make(file: Path, *, migrations: Path = MIGRATIONS) -> None:
    """A database with one waiting question."""
    async with open_store(f"sqlite:///{file}", migrations=migrations) as store:
        await ask(store, "m1")


async def questions(file: Path, *, migrations: Path = MIGRATIONS) -> list[str]:
    async with open_store(f"sqlite:///{file}", migrations=migrations) as store:
        return [name for turn in await store.transcript(SLACK) for name in ids(turn)]


def damage(file: Path) -> None:
    """Leave the header as it is, and nothing else."""
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))


def splice(newer: Path, older: Path) -> None:
    """Give the older file the first page of the newer one."""
    older.write_bytes(newer.read_bytes()[:4096] + older.read_bytes()[4096:])


def names_in(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


@contextmanager
def permitted(path: Path, mode: int) -> Iterator[None]:
    """The permissions that a process without powers has there for a while."""
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {entry.name: entry.read_bytes() if entry.is_file() else None for entry in folder.iterdir()}


# --- addresses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "file"),
    [
        pytest.param("sqlite:///clew.db", Path("clew.db"), id="three slashes are relative"),
        pytest.param("sqlite:////data/clew.db", Path("/data/clew.db"), id="four slashes are absolute"),
        pytest.param("sqlite:///a b#ü%20.db", Path("a b#ü%20.db"), id="a name is taken as it is"),
        pytest.param("sqlite:///:memory:", None, id="in memory"),
    ],
)
def test_an_address_names_a_file(url: str, file: Path | None) -> None:
    assert read_url(url) == file


@pytest.mark.parametrize(
    "url",
    [
        "",
        "clew.db",
        "sqlite:",
        "sqlite://clew.db",
        "sqlite:///",
        "sqlite:///clew.db?mode=ro",
        "sqlite+aiosqlite:///clew.db",
        "mysql://clew:hunter2@db/clew",
        "postgresql://clew:hunter2@db/clew",
        "postgres://clew:hunter2@db/clew",
        "postgresql+asyncpg://clew:hunter2@db/clew",
    ],
)
def test_any_other_address_is_declined_without_repeating_what_may_be_secret(url: str) -> None:
    with pytest.raises(StoreUnusable, match="DATABASE_URL") as caught:
        read_url(url)

    assert "hunter2" not in str(caught.value)
    assert ("PostgreSQL" in str(caught.value)) == url.startswith("postgres")


async def test_an_odd_name_is_a_name_like_any_other(tmp_path: Path) -> None:
    file = tmp_path / "a b#ü%20&=.db"
    await make(file)

    assert await questions(file) == ["m1"]
    assert file.exists()


# --- files ------------------------------------------------------------------------------------


async def test_a_file_that_is_not_a_database_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    for content in (b"D", b"Dear diary, " * 1000):
        file.write_bytes(content)
        before = snapshot(tmp_path)

        assert f"{file} is not an SQLite database" in await why_not(file)
        assert snapshot(tmp_path) == before


async def test_another_programs_database_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "photos.db"
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE photo (id INTEGER PRIMARY KEY)")
    before = snapshot(tmp_path)

    assert f"{file} is a database of another program" in await why_not(file)
    assert snapshot(tmp_path) == before


async def test_a_folder_is_not_a_database(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()

    assert "data is a folder" in await why_not(tmp_path / "data")
    assert names_in(tmp_path) == {"data"}


async def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    assert f"there is no folder {tmp_path / 'missing'}" in await why_not(tmp_path / "missing" / "clew.db")


async def test_a_damaged_database_is_called_damaged(tmp_path: Path) -> None:
    file = tmp_path / "clew.db"
    await make(file)
    damage(file)

    assert f"{file} cannot be used: it is damaged" in await why_not(file)


async def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    (tmp_path / "clew.db").touch()
    await make(tmp_path / "clew.db")

    assert await questions(tmp_path / "clew.db") == ["m1"]


async def test_closed_it_leaves_one_file_and_its_owners_mark(tmp_path: Path) -> None:
    await make(tmp_path / "clew.db")

    assert names_in(tmp_path) == {"clew.db", "clew.db.owner"}


async def test_a_folder_nobody_may_write_to_is_named(tmp_path: Path) -> None:
    with permitted(tmp_path, 0o555):
        (sentence,) = await everything_heard(child.try_to_open, f"sqlite:///{tmp_path / 'clew.db'}")

    assert sentence.startswith(f"{tmp_path} cannot be written to (Permission denied)")
    assert "DATABASE_URL" in sentence
    assert names_in(tmp_path) == set()


async def test_a_read_only_database_is_called_so_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "clew.db"
    await make(file)
    before = snapshot(tmp_path)["clew.db"]

    with permitted(file, 0o444):
        (sentence,) = await everything_heard(child.try_to_open, f"sqlite:///{file}")

    assert f"{file} cannot be used: it cannot be written to" in sentence
    assert "DATABASE_URL" in sentence
    assert snapshot(tmp_path)["clew.db"] == before
    assert await questions(file) == ["m1"]


async def test_a_read_only_folder_with_a_database_in_it_is_named(tmp_path: Path) -> None:
    await make(tmp_path / "clew.db")
    (tmp_path / "clew.db.owner").unlink()
    with permitted(tmp_path, 0o555):
        (sentence,) = await everything_heard(child.try_to_open, f"sqlite:///{tmp_path / 'clew.db'}")

    assert sentence.startswith(f"{tmp_path} cannot be written to (Permission denied)")
    assert await questions(tmp_path / "clew.db") == ["m1"]


async def test_a_file_nobody_may_read_is_named(tmp_path: Path) -> None:
    await make(tmp_path / "clew.db")

    with permitted(tmp_path / "clew.db", 0):
        (sentence,) = await everything_heard(child.try_to_open, f"sqlite:///{tmp_path / 'clew.db'}")

    assert f"{tmp_path / 'clew.db'} cannot be used" in sentence


async def test_a_file_in_a_folder_nobody_may_enter_is_named(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    file = tmp_path / "closed" / "data" / "clew.db"

    with permitted(tmp_path / "closed", 0):
        (sentence,) = await everything_heard(child.try_to_open, f"sqlite:///{file}")

    assert sentence.startswith(f"{file} cannot be looked at (Permission denied)")


async def test_when_there_is_no_room_for_a_database_the_disk_is_blamed(tmp_path: Path) -> None:
    (sentence,) = await everything_heard(child.open_on_a_full_disk, f"sqlite:///{tmp_path / 'clew.db'}")

    assert "the disk does not take or give its data" in sentence
    await make(tmp_path / "clew.db")
    assert await questions(tmp_path / "clew.db") == ["m1"]


# --- one owner --------------------------------------------------------------------------------


async def test_a_second_clew_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "clew.db"
    async with child_process(child.hold_until_killed, f"sqlite:///{file}") as process:
        assert await heard(process) == "open"

        assert f"{file} is in use by another Clew" in await why_not(file, wait=60)

        process.kill()
        await process.wait()
    await make(file)


async def test_another_name_of_the_same_file_makes_no_second_owner(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "clew.db")
    async with open_store(f"sqlite:///{tmp_path / 'clew.db'}") as store:
        assert "is in use by another Clew" in await why_not(tmp_path / "link.db")
        assert "is in use by another Clew" in await why_not(tmp_path / "clew.db")

        await ask(store, "m1")
        assert ids(await taken(store)) == ["m1"]


async def test_a_second_try_in_the_same_process_does_not_loosen_the_hold_of_the_first(tmp_path: Path) -> None:
    """Closing any plain file drops a process's locks on it; another program would then clear the log away."""
    file = tmp_path / "clew.db"
    async with open_store(f"sqlite:///{file}") as store:
        await ask(store, "m1")
        assert "is in use by another Clew" in await why_not(file)

        assert await everything_heard(child.read_and_close, f"sqlite:///{file}") == ["m1"]

        assert "clew.db-wal" in names_in(tmp_path)
        await ask(store, "m2")
    assert await questions(file) == ["m1", "m2"]


async def test_a_database_locked_by_another_program_is_waited_for_and_then_declined(tmp_path: Path) -> None:
    file = tmp_path / "clew.db"
    await make(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert f"{file} cannot be used: it is locked by another program" in await why_not(file)

    assert await questions(file) == ["m1"]


# --- migrations -------------------------------------------------------------------------------

NEWEST = len(read_migrations(MIGRATIONS))
COLOURS = """
    ALTER TABLE thread ADD COLUMN colour TEXT;
    UPDATE thread SET colour = 'red';
    CREATE TABLE shade (thread TEXT NOT NULL PRIMARY KEY REFERENCES thread);
"""


@pytest.fixture
def next_migrations(tmp_path: Path) -> Path:
    """The migrations there are, and one more."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    (folder / f"{NEWEST + 1:04}_colours.sql").write_text(COLOURS)
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "clew.db"


def rows(file: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


async def test_an_older_database_is_brought_up_to_date_after_a_copy_was_made(file: Path, next_migrations: Path) -> None:
    await make(file)

    assert await questions(file, migrations=next_migrations) == ["m1"]

    assert rows(file, "SELECT colour FROM thread") == [("red",)]
    copy = file.with_name(f"clew.db.v{NEWEST}-backup")
    assert rows(copy, "SELECT id, text FROM message") == [("m1", "text of m1")]
    assert await questions(copy) == ["m1"], "the older Clew opens the copy"


async def test_a_database_that_is_up_to_date_is_not_copied(file: Path, next_migrations: Path) -> None:
    await make(file, migrations=next_migrations)
    await questions(file, migrations=next_migrations)

    assert not list(file.parent.glob("*backup*"))


async def test_an_earlier_copy_is_not_overwritten(file: Path, next_migrations: Path) -> None:
    await make(file)
    earlier = file.with_name(f"clew.db.v{NEWEST}-backup")
    earlier.write_bytes(b"precious")

    await questions(file, migrations=next_migrations)

    assert earlier.read_bytes() == b"precious"
    assert rows(file.with_name(f"clew.db.v{NEWEST}-backup-2"), "SELECT id FROM message") == [("m1",)]


async def test_a_database_of_a_newer_clew_is_left_as_it_is(file: Path, next_migrations: Path) -> None:
    await make(file, migrations=next_migrations)
    before = snapshot(file.parent)

    assert f"{file} was written by a newer Clew (schema {NEWEST + 1}, this one knows {NEWEST})" in await why_not(file)
    assert snapshot(file.parent) == before


@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param("CREATE TABLE twice (a); CREATE TABLE twice (a);", id="a statement that fails"),
        pytest.param("UPDATE message SET thread = 'nowhere';", id="rows left without what they refer to"),
    ],
)
async def test_a_migration_that_fails_changes_nothing(file: Path, next_migrations: Path, mistake: str) -> None:
    await make(file)
    (next_migrations / f"{NEWEST + 2:04}_mistake.sql").write_text(mistake)

    assert f"{file} cannot be used" in await why_not(file, migrations=next_migrations)

    assert rows(file, "PRAGMA user_version") == [(NEWEST,)]
    assert [name for (_, name, *_) in rows(file, "PRAGMA table_info(thread)") if name == "colour"] == []
    assert await questions(file) == ["m1"]


def test_a_gap_between_migrations_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "0001_one.sql").touch()
    (tmp_path / "0003_three.sql").touch()

    with pytest.raises(ValueError, match=r"0003_three\.sql should begin with 0002_"):
        read_migrations(tmp_path)


async def test_a_database_whose_first_start_was_cut_short_is_opened(tmp_path: Path) -> None:
    """What a kill in the first transaction leaves: pages without a header, and the journal that undoes them."""
    file = tmp_path / "clew.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("PRAGMA cache_size = 1")  # pages go to the file before the commit
        db.execute("BEGIN")
        db.execute("CREATE TABLE anything (a)")
        db.executemany("INSERT INTO anything VALUES (?)", [("x" * 2000,) for _ in range(100)])
        left = tmp_path / "left"
        left.mkdir()
        for name in ("clew.db", "clew.db-journal"):
            shutil.copy(tmp_path / name, left / name)

    assert (left / "clew.db").stat().st_size > 0
    await make(left / "clew.db")
    assert await questions(left / "clew.db") == ["m1"]


async def test_a_log_that_was_only_half_copied_back_is_no_damage(tmp_path: Path) -> None:
    """What a kill in the middle of a checkpoint leaves, or a disk that was full: a header ahead of its pages."""
    file, left = tmp_path / "clew.db", tmp_path / "left"
    left.mkdir()
    names = [f"m{number}" for number in range(50)]
    async with open_store(f"sqlite:///{file}") as store:
        for name in names:
            await store.add(message(name, "x" * 2000))
        for each in ("clew.db", "clew.db-wal", "clew.db.owner"):
            shutil.copy(tmp_path / each, left / each)
    splice(file, left / "clew.db")

    assert await questions(left / "clew.db") == names


async def test_a_reset_command_is_one_row_among_the_messages(file: Path) -> None:
    async with open_store(f"sqlite:///{file}") as store:
        await store.reset(SLACK, MessageId("c1"))

    assert rows(file, "SELECT id, turn, text FROM message") == [("c1", None, None)]


async def test_nobody_but_its_owner_reads_the_database_and_what_lies_beside_it(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path / 'clew.db'}") as store:
        await store.check()
        modes = {
            file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir() if "owner" not in file.name
        }

    assert set(modes) >= {"clew.db", "clew.db-wal"}
    assert set(modes.values()) == {0o600}
