"""Whether the database still lies where it was opened: somebody may delete it, move it, or put another in its place.

SQLite notices nothing of that, because an open file can be written to without a name, and with the process it is gone.
"""

import logging
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from bot.errors import StoreUnavailable
from storage.failures import reason_for
from storage.migrate import copy_to

logger = logging.getLogger(__name__)

Identity = tuple[int, int]  # device and inode


def last_rescued(file: Path) -> Path | None:
    """The newest copy that was made because a database was gone; None when there is none."""
    copies = (path for path in file.parent.iterdir() if path.name.startswith(_rescued(file).name))
    return max(copies, key=lambda path: path.stat().st_mtime_ns, default=None)


def _rescued(file: Path) -> Path:
    return file.with_name(f"{file.name}.rescued")


class Whereabouts:
    """Watches the files of an open database. Used in its connection's thread alone.

    When one of them is not there any more, what the database holds is copied beside it, once: nothing that was
    acknowledged is lost with the process.
    """

    def __init__(self, db: sqlite3.Connection, file: Path) -> None:
        self._db, self._file = db, file
        names = (file.name, f"{file.name}-wal", f"{file.name}-shm")
        paths = (file.with_name(name) for name in names)
        self._known = {path: found for path in paths if (found := _identity(path)) is not None}
        self._copied: str | None = None  # what became of the copy; None while everything is in its place

    def check(self) -> None:
        """Raises StoreUnavailable: a file is gone or another one, and nothing may be written."""
        gone = next(self._gone(), None)
        if gone is None:
            if self._copied is not None:
                logger.info("database is back in its place", extra={"file": str(self._file)})
            self._copied = None
            return
        if self._copied is None:
            self._copied = self._copy()
            logger.error("database is not in its place any more", extra={"file": str(gone), "copy": self._copied})
        raise StoreUnavailable(
            f"{gone} was deleted, moved or replaced while it was in use ({self._copied});"
            " put it back where it was, or stop Clew and start it with the copy"
        )

    def _gone(self) -> Iterator[Path]:
        for path, known in self._known.items():
            try:
                if _identity(path) != known:
                    yield path
            except OSError:
                pass  # a folder that may not be looked into hides nothing from SQLite, which tells what it cannot do

    def _copy(self) -> str:
        try:
            return f"what it held is in {copy_to(self._db, _rescued(self._file))}"
        except sqlite3.Error as error:
            return f"what it held could not be copied: {reason_for(error)}"
        except OSError as error:
            return f"what it held could not be copied: {error.strerror}"


def _identity(path: Path) -> Identity | None:
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino
