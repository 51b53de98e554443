"""Numbered migrations: what brings a database from any earlier schema to this one."""

import os
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"
APPLICATION_ID = 0x434C4557
"""Stands in the header of every database of ours: "CLEW". The schema's version stands beside it, as user_version."""

HEADER_SIZE = 105  # bytes, as far as identify_header reads


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: SQL that leads from the version before it to its own."""

    version: int
    sql: str


class Origin(Enum):
    """Whose database a file is."""

    EMPTY = "empty"
    OURS = "ours"
    FOREIGN = "foreign"


def read_migrations(folder: Path) -> tuple[Migration, ...]:
    """The folder's migrations, 0001 first.

    Raises:
        ValueError: a name does not begin with a number and an underscore, or a number is missing or doubled.
    """
    migrations = []
    for version, file in enumerate(sorted(folder.glob("*.sql")), start=1):
        found = re.match(r"(\d{4})_", file.name)
        if found is None or int(found[1]) != version:
            raise ValueError(f"{file.name} should begin with {version:04}_")
        migrations.append(Migration(version, file.read_text(encoding="utf-8")))
    return tuple(migrations)


def identify(db: sqlite3.Connection) -> tuple[Origin, int]:
    """Whose database this is, and the version of its schema."""
    (application_id,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if application_id == APPLICATION_ID:
        return Origin.OURS, version
    (objects,) = db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    is_empty = not (application_id or version or objects)
    return (Origin.EMPTY if is_empty else Origin.FOREIGN), version


def identify_header(start: bytes) -> tuple[Origin, int] | None:
    """The same, from the first bytes of a file alone; None when they do not begin an SQLite database.

    Follows the SQLite database file format, sections 1.3 and 1.6: the version at 60, the application at 68, then, at
    100, the page that lists the tables: its kind (13 is a leaf) and, at 103, how many there are.
    """
    if not start:
        return Origin.EMPTY, 0
    if len(start) < HEADER_SIZE or not start.startswith(b"SQLite format 3\0"):
        return None
    version, application_id = int.from_bytes(start[60:64]), int.from_bytes(start[68:72])
    if application_id == APPLICATION_ID:
        return Origin.OURS, version
    lists_nothing = start[100] == 13 and start[103:105] == b"\0\0"
    is_empty = not (application_id or version) and lists_nothing
    return (Origin.EMPTY if is_empty else Origin.FOREIGN), version


def back_up(db: sqlite3.Connection, file: Path, version: int) -> Path:
    """Copy the database, of an older version, to a new file beside it, and return its name."""
    return copy_to(db, file.with_name(f"{file.name}.v{version}-backup"))


def copy_to(db: sqlite3.Connection, wanted: Path) -> Path:
    """Copy the database to a new file, and return its name. An earlier copy is never overwritten."""
    copy, number = wanted, 1
    while copy.exists():
        number += 1
        copy = wanted.with_name(f"{wanted.name}-{number}")
    make_private(copy)
    try:
        with closing(sqlite3.connect(copy)) as target:
            db.backup(target)
    except BaseException:
        copy.unlink(missing_ok=True)  # half a copy is worse than none
        raise
    return copy


def migrate(db: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    """Run the migrations in one transaction; foreign keys are only checked at its end, so tables can be rebuilt.

    Raises:
        sqlite3.Error: a migration failed, and the database is as it was.
    """
    steps = (f"{migration.sql}\n;PRAGMA user_version = {migration.version};" for migration in migrations)
    db.execute("PRAGMA foreign_keys = OFF")
    try:
        # executescript commits what is open before it begins, so the BEGIN has to be part of the script.
        db.executescript("\n".join(("BEGIN EXCLUSIVE;", *steps, f"PRAGMA application_id = {APPLICATION_ID};")))
        broken = db.execute("PRAGMA foreign_key_check").fetchone()
        if broken is not None:
            raise sqlite3.IntegrityError(f"a row of {broken[0]} refers to nothing")
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
        db.execute("PRAGMA foreign_keys = ON")


def make_private(file: Path) -> None:
    """Make an empty file, unless it is there, that nobody but its owner reads: databases hold what people said.

    SQLite gives its log and its index beside a database the same rights. What cannot be made is left to SQLite to tell.
    """
    with suppress(OSError):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
