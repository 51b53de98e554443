"""Why SQLite did not do it, in words for the log and for the person at the terminal."""

import sqlite3

_REASONS = {
    sqlite3.SQLITE_BUSY: "it is locked by another program",
    sqlite3.SQLITE_LOCKED: "it is locked by another program",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it cannot be written to",
    sqlite3.SQLITE_PERM: "it cannot be written to",
    sqlite3.SQLITE_CANTOPEN: "a file of it cannot be opened or made",
    sqlite3.SQLITE_IOERR: "the disk does not take or give its data: full, failing or gone",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_NOTADB: "it is not an SQLite database",
}


def primary_code(error: sqlite3.Error) -> int | None:
    """SQLite's result code without its finer shades; None when the error is not SQLite's own."""
    code: int | None = getattr(error, "sqlite_errorcode", None)  # absent where the Python module itself complains
    return None if code is None else code & 0xFF


def is_locked(error: BaseException) -> bool:
    """Whether another program holds the database, so that trying again at once is no use."""
    return isinstance(error, sqlite3.Error) and primary_code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def reason_for(error: sqlite3.Error) -> str:
    """What is the matter with the database, as the end of a sentence."""
    reason = _REASONS.get(primary_code(error) or sqlite3.SQLITE_ERROR)
    return f"{reason} ({error})" if reason else str(error)


def is_failure(error: BaseException) -> bool:
    """Whether the database failed, rather than the statement it was given: that would be a mistake of ours."""
    return type(error) in {sqlite3.OperationalError, sqlite3.DatabaseError}
