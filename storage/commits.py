"""Group commit: whoever waits at the same moment shares one transaction, one fsync and one hop between threads.

docs/decisions/0003-sqlite-group-commit.md tells why.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

import aiosqlite

from bot.errors import StoreError, StoreUnavailable
from storage.failures import is_failure, is_locked, reason_for

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], T]
"""Statements that belong together. They run in the connection's thread and may be run again after a rollback.

One that raises a `StoreError` has written nothing; that is a result like any other.
"""


class _Entry(Generic[T]):
    """An operation that waits, whoever waits for it, and what became of it."""

    __slots__ = ("_error", "_operation", "_result", "answer", "writes")

    def __init__(self, operation: Operation[T], answer: "asyncio.Future[T]", *, writes: bool) -> None:
        self._operation = operation
        self._result: T | None = None
        self._error: Exception | None = None
        self.answer = answer
        self.writes = writes

    def carry_out(self, connection: sqlite3.Connection) -> None:
        self._error = None
        try:
            self._result = self._operation(connection)
        except StoreError as error:
            self._error = error

    def fail(self, error: Exception) -> None:
        if is_failure(error) and isinstance(error, sqlite3.Error):
            self._error = StoreUnavailable(f"the database cannot be used: {reason_for(error)}")
            self._error.__cause__ = error
        else:
            self._error = error

    def settle(self) -> None:
        if self.answer.done():  # whoever waited was cancelled meanwhile
            return
        if self._error is not None:
            self.answer.set_exception(self._error)
        else:
            self.answer.set_result(self._result)  # type: ignore[arg-type]  # no error, so there is a result


class GroupedConnection(sqlite3.Connection):
    """A connection whose `commit` carries out all that was entered for it and commits it as one.

    `commit` is what aiosqlite calls in the connection's own thread, so a whole batch costs a single hop there.
    It raises nothing: what became of an entry is noted in the entry.
    """

    entries: Sequence[_Entry[object]] = ()
    on_rollback: Callable[[], None] | None = None  # called in the connection's thread
    before_writing: Callable[[], None] | None = None  # likewise; raises StoreUnavailable when that would be lost

    def commit(self) -> None:
        """Carry out what writes, all in one transaction or, where one fails, each in its own; then what only reads.

        What reads comes outside of any transaction: emptying the log is of that kind, and impossible within one.
        """
        writing = [entry for entry in self.entries if entry.writes]
        try:
            if writing:
                self._transact(writing)
        except Exception as error:
            if len(writing) > 1 and not is_locked(error):
                self._one_by_one(writing)
            else:
                self._give_up(writing, error)
        self._read([entry for entry in self.entries if not entry.writes])

    def _transact(self, entries: Sequence[_Entry[object]]) -> None:
        if self.before_writing is not None:
            self.before_writing()
        self.execute("BEGIN IMMEDIATE")
        try:
            for entry in entries:
                entry.carry_out(self)
            self.execute("COMMIT")
        except BaseException:
            if self.in_transaction:  # SQLite itself rolls back on some errors, a full disk among them
                self.execute("ROLLBACK")
            if self.on_rollback is not None:
                self.on_rollback()
            raise

    def _one_by_one(self, entries: Sequence[_Entry[object]]) -> None:
        for at, entry in enumerate(entries):
            try:
                self._transact([entry])
            except Exception as error:
                if is_locked(error):  # each would wait as long again
                    self._give_up(entries[at:], error)
                    return
                entry.fail(error)

    def _give_up(self, entries: Sequence[_Entry[object]], error: Exception) -> None:
        # Those that only read are not among them: a lock or a full disk keeps nobody from reading.
        for entry in entries:
            entry.fail(error)

    def _read(self, entries: Sequence[_Entry[object]]) -> None:
        # Outside a transaction: this connection is the only writer, and it is busy reading.
        for entry in entries:
            try:
                entry.carry_out(self)
            except Exception as error:
                entry.fail(error)


class Commits:
    """Carries out operations on a database, those that wait together in one transaction."""

    def __init__(self, connection: GroupedConnection, database: aiosqlite.Connection) -> None:
        self._connection = connection
        self._database = database
        self._waiting: list[_Entry[object]] = []
        self._wanted = asyncio.Event()
        self._closed = False

    async def write(self, operation: Operation[T]) -> T:
        """Carry out an operation, and return what it returned once that is on durable storage.

        Cancelled, it is carried out whole or not at all.

        Raises:
            StoreUnavailable: the database failed, and nothing of the operation was done.
        """
        return await self._enter(operation, writes=True)

    async def read(self, operation: Operation[T]) -> T:
        """Carry out an operation that writes nothing, and so needs neither lock nor disk space."""
        return await self._enter(operation, writes=False)

    async def _enter(self, operation: Operation[T], *, writes: bool) -> T:
        if self._closed:
            raise StoreUnavailable("the database is closed")
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Entry(operation, answer, writes=writes))  # type: ignore[arg-type]  # results differ
        self._wanted.set()
        return await answer

    async def work(self) -> None:
        """Commit batch after batch until closed and nobody waits."""
        batch: list[_Entry[object]] = []
        try:
            while await self._wanted.wait():
                while self._waiting:
                    batch, self._waiting = self._waiting, []
                    batch = [entry for entry in batch if not entry.answer.done()]  # cancelled before it began
                    self._connection.entries = batch
                    await self._database.commit()
                    for entry in batch:
                        entry.settle()
                if self._closed:
                    return
                self._wanted.clear()
        finally:
            self._closed = True
            for entry in (*batch, *self._waiting):  # only a writer that was cancelled or broke leaves any
                if not entry.answer.done():
                    entry.answer.set_exception(StoreUnavailable("the database was closed meanwhile"))

    def close(self) -> None:
        """Take nothing more; what waits is still done."""
        self._closed = True
        self._wanted.set()


@asynccontextmanager
async def group_commits(connection: GroupedConnection) -> AsyncIterator[Commits]:
    """Take an open connection over, and close it at the end, after everything that was entered is done."""
    async with aiosqlite.Connection(lambda: connection, iter_chunk_size=64) as database:
        commits = Commits(connection, database)
        writer = asyncio.create_task(commits.work(), name="sqlite writer")
        try:
            yield commits
        finally:
            commits.close()
            await writer
