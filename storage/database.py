"""Opening the file: it is ours, it is ours alone, it can be written to, and its schema is the newest.

Everything here blocks and runs in a thread. Every `StoreUnusable` is one sentence, and leaves the file as it was.
"""

import errno
import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.errors import StoreUnusable
from storage.commits import GroupedConnection
from storage.failures import is_locked, reason_for
from storage.migrate import (
    APPLICATION_ID,
    HEADER_SIZE,
    Migration,
    Origin,
    back_up,
    identify,
    identify_header,
    make_private,
    migrate,
)
from storage.whereabouts import Whereabouts, last_rescued

OTHERWISE = "or name another file in DATABASE_URL"


@dataclass(frozen=True, slots=True)
class Opened:
    """An open database, and what keeps other processes of ours out of it while it is."""

    connection: GroupedConnection
    ownership: ExitStack


def read_url(url: str) -> Path | None:
    """The file that `DATABASE_URL` names; None for a database in memory.

    Raises:
        StoreUnusable: it names nothing this store can open. The text repeats no more of it than its scheme.
    """
    scheme, separator, path = url.partition(":///")
    if url.startswith(("postgresql:", "postgresql+", "postgres:")):
        raise StoreUnusable(
            "DATABASE_URL names a PostgreSQL database, which is not supported yet; use sqlite:///clew.db"
        )
    if scheme != "sqlite" or not separator:
        raise StoreUnusable(
            "DATABASE_URL should look like sqlite:///clew.db (three slashes, then the file; four for an absolute path)"
        )
    if path == ":memory:":
        return None
    if not path or "?" in path or "\0" in path:
        raise StoreUnusable(
            "DATABASE_URL should name a file after sqlite:/// and nothing else, as in sqlite:///clew.db"
        )
    return Path(path)


def open_database(file: Path | None, *, migrations: Sequence[Migration], wait: float) -> Opened:
    """Open or make the database in *file*, or one in memory for None.

    Args:
        wait: seconds to wait for a lock that another program holds, now and later.

    Raises:
        StoreUnusable: why it cannot be opened.
    """
    with ExitStack() as opening:
        if file is not None:
            # Through a link the same file would have two names, and so two owners.
            file = Path(os.path.realpath(file))
            _look_at(file, newest=len(migrations))
            opening.enter_context(_owned(file))
            make_private(file)
        where = "the database in memory" if file is None else f"the database {file}"
        with _in_one_sentence(where):
            connection = opening.enter_context(closing(_connect(file, wait)))
            _prepare(connection, file, migrations)
            if file is not None:
                connection.before_writing = Whereabouts(connection, file).check
        connection_and_owner = opening.pop_all()
    return Opened(connection, connection_and_owner)


def commit_something_small(db: sqlite3.Connection) -> None:
    """Write the header's application id once more: a commit that changes nothing, and still needs lock and disk."""
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def forget_the_log(db: sqlite3.Connection) -> None:
    """Move what the write-ahead log holds into the database and empty it: blanked text still stands in it.

    Outside a transaction, and only as far as other programs that read let it.
    """
    if not db.in_transaction:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _look_at(file: Path, *, newest: int) -> None:
    """Tell what the file is without leaving a trace beside it."""
    try:
        if not file.parent.is_dir():
            raise StoreUnusable(f"there is no folder {file.parent} for the database {file.name}; make it {OTHERWISE}")
        found = file.stat()
    except FileNotFoundError:
        if (copy := last_rescued(file)) is not None:
            raise StoreUnusable(
                f"{file} is gone, and {copy.name} beside it holds what was in it; rename that to {file.name}, or move"
                " it away to begin anew"
            ) from None
        return
    except OSError as error:
        raise StoreUnusable(f"{file} cannot be looked at ({error.strerror}); see to that {OTHERWISE}") from error
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "not a regular file"
        raise StoreUnusable(f"{file} is {kind} and cannot be the database; name another file in DATABASE_URL")
    if _owner_of(file).exists() or file.with_name(f"{file.name}-journal").exists():
        return  # ours before, or a first start that was killed while it wrote: whoever opens it can tell
    # Read as a plain file: SQLite would take a half-written log for damage, and make files beside what is not ours.
    # That is only done where no process of ours has it open, because closing a plain file drops SQLite's locks on it.
    with _in_one_sentence(f"the database {file}"), file.open("rb") as plain:
        identity = identify_header(plain.read(HEADER_SIZE))
    if identity is None:
        raise StoreUnusable(f"{file} is not an SQLite database; name another file in DATABASE_URL")
    _judge(*identity, file, newest)


def _owner_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.owner")


def _judge(origin: Origin, version: int, file: Path | None, newest: int) -> None:
    if origin is Origin.FOREIGN:
        raise StoreUnusable(f"{file} is a database of another program; name another file in DATABASE_URL")
    if version > newest:
        raise StoreUnusable(
            f"{file} was written by a newer Clew (schema {version}, this one knows {newest});"
            f" start that one {OTHERWISE}"
        )


@contextmanager
def _owned(file: Path) -> Iterator[None]:
    """Be the only process of ours that has the file open.

    The lock is an exclusive one on a second, empty SQLite file: the system drops it when the process dies, however it
    dies; it works wherever SQLite does; and other programs can still read the database itself.
    The file stays: deleting it would let two processes hold locks on two files of the same name.
    """
    owner = _owner_of(file)
    try:
        lock = sqlite3.connect(owner, timeout=0, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise _not_writable(owner.parent, error) from error
    with closing(lock):
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if is_locked(error):
                raise StoreUnusable(f"{file} is in use by another Clew; stop that one first {OTHERWISE}") from error
            raise _not_writable(owner, error) from error
        yield


def _not_writable(place: Path, error: sqlite3.Error) -> StoreUnusable:
    return StoreUnusable(f"{place} cannot be written to ({_why_not(place) or error}); see to that {OTHERWISE}")


def _why_not(place: Path) -> str | None:
    """What the system says to an attempt to write there: SQLite does not pass it on."""
    trial = place / f".clew-trial-{os.getpid()}" if place.is_dir() else place
    try:
        with trial.open("ab"):
            pass
        if trial != place:
            trial.unlink()
    except OSError as error:
        return error.strerror
    return None


def _connect(file: Path | None, wait: float) -> GroupedConnection:
    return sqlite3.connect(
        ":memory:" if file is None else file,
        timeout=wait,
        isolation_level=None,  # transactions begin where we say
        check_same_thread=False,  # opened here, used by aiosqlite's thread alone from then on
        factory=GroupedConnection,
    )


def _prepare(db: sqlite3.Connection, file: Path | None, migrations: Sequence[Migration]) -> None:
    db.execute("PRAGMA synchronous = FULL")  # with a write-ahead log: every commit is on the disk when it returns
    db.execute("PRAGMA secure_delete = ON")  # blanked text is gone from the file, not merely unreachable
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA foreign_keys = ON")
    origin, version = identify(db)
    _judge(origin, version, file, len(migrations))
    if version < len(migrations):
        if origin is Origin.OURS and file is not None:
            back_up(db, file, version)
        migrate(db, migrations[version:])
    # After the schema: so the file's own header says whose it is, whatever happens to the log.
    db.execute("PRAGMA journal_mode = WAL")
    commit_something_small(db)  # a lock, a full disk, a read-only file: better told now


@contextmanager
def _in_one_sentence(where: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreUnusable(f"{where} cannot be used: {reason_for(error)}; see to that {OTHERWISE}") from error
    except OSError as error:
        why = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
        raise StoreUnusable(f"{where} cannot be used: {why}; see to that {OTHERWISE}") from error
