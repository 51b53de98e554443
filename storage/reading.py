"""Reading beside a running bot: a second, read-only connection, which can change nothing and holds nobody up.

A write-ahead log lets others read while one writes. Only its owner brings a database up to date, so that of another
version is not read at all.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from bot.errors import StoreUnusable
from bot.messages import PersonId, Platform, Thread
from bot.ports import Booked, Pointed, Spent
from storage import placing
from storage import usage as books
from storage.database import read_url
from storage.failures import reason_for
from storage.migrate import MIGRATIONS, Origin, identify, read_migrations

T = TypeVar("T")


@asynccontextmanager
async def open_reader(url: str, *, wait: float = 5.0) -> AsyncIterator["SqliteReader"]:
    """Open the database that `DATABASE_URL` names, to read it.

    Args:
        wait: seconds to wait for a lock.

    Raises:
        StoreUnusable: why it cannot be read, in one sentence.
    """
    file = read_url(url)
    if file is None:
        raise StoreUnusable("DATABASE_URL names a database in memory, which only the bot itself can read")
    connection = await asyncio.to_thread(_open, file, wait)
    with closing(connection):
        yield SqliteReader(connection)


def _open(file: Path, wait: float) -> sqlite3.Connection:
    if not file.is_file():
        raise StoreUnusable(f"there is no database {file} yet; it is made when Clew is started")
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(file.resolve()))}?mode=ro",
            uri=True,
            timeout=wait,
            isolation_level=None,
            check_same_thread=False,  # opened here, used by one thread after the other
        )
        try:
            connection.execute("PRAGMA query_only = ON")
            _check(*identify(connection), file)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise StoreUnusable(f"the database {file} cannot be read: {reason_for(error)}") from error
    return connection


def _check(origin: Origin, version: int, file: Path) -> None:
    if origin is not Origin.OURS:
        raise StoreUnusable(f"{file} is not a database of Clew; name another file in DATABASE_URL")
    if version != len(read_migrations(MIGRATIONS)):
        raise StoreUnusable(f"{file} was last used by another version of Clew; start this one with it first")


class SqliteReader:
    """`BookStore` over a database that somebody else owns, and what finds a thread in it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._one_at_a_time = asyncio.Lock()

    async def booked(self, thread: Thread, *, most: int) -> tuple[Sequence[Booked], int]:
        return await self._read(lambda db: books.booked(db, thread, most=most))

    async def spent(
        self, *, since: float, platform: Platform | None = None, person: PersonId | None = None
    ) -> Sequence[Spent]:
        return await self._read(lambda db: books.spent(db, since=since, platform=platform, person=person))

    async def find(self, pointed: Pointed | Thread) -> Thread | None:
        """The thread that something leads to; None when the bot was never spoken to there. Raises StoreUnusable."""
        return await self._read(lambda db: _find(db, pointed))

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        async with self._one_at_a_time:
            try:
                return await asyncio.to_thread(work, self._connection)
            except sqlite3.Error as error:
                raise StoreUnusable(f"the database cannot be read: {reason_for(error)}") from error


def _find(db: sqlite3.Connection, pointed: Pointed | Thread) -> Thread | None:
    if isinstance(pointed, Thread):
        return pointed if books.is_known(db, pointed) else None
    if pointed.message_id is not None:
        said_in = placing.thread_of(db, pointed.platform, pointed.message_id)
        if said_in is not None:
            return said_in
    return books.find_thread(db, pointed.platform, pointed.channel_id, pointed.thread_id)
