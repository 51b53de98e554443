"""What waits for somebody's approval, and what they decided."""

import sqlite3
from collections.abc import Callable, Sequence

from bot.messages import Person, Thread, Turn
from bot.ports import Approval, Decided
from storage.commits import Commits
from storage.rows import asker_of


class SqliteApprovals:
    """`ApprovalStore` over the database of the other stores."""

    def __init__(self, commits: Commits, *, now: Callable[[], float]) -> None:
        self._write, self._read, self._now = commits.write, commits.read, now

    async def approval(self, turn: Turn, name: str) -> Approval:
        now = self._now()
        return await self._write(lambda db: approval(db, turn, name, now=now))

    async def decide(self, thread: Thread, name: str, *, approved: bool, person: Person | None = None) -> Decided:
        return await self._write(lambda db: decide(db, thread, name, approved=approved, person=person))

    async def asked(self, turn: Turn) -> Sequence[Approval]:
        return await self._read(lambda db: asked(db, turn))

    async def decline(self, turn: Turn, name: str) -> None:
        await self._write(lambda db: decline(db, turn, name))

    async def begin(self, turn: Turn, name: str) -> bool:
        return await self._write(lambda db: begin(db, turn, name))


def approval(db: sqlite3.Connection, turn: Turn, name: str, *, now: float) -> Approval:
    """`ApprovalStore.approval`."""
    key = (turn.thread.key, turn.id, name)
    db.execute(
        "INSERT INTO approval (thread, turn, name, asked_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", (*key, now)
    )
    asked_at, approved = db.execute(
        "SELECT asked_at, approved FROM approval WHERE thread = ? AND turn = ? AND name = ?", key
    ).fetchone()
    return _read(name, asked_at, approved)


def decide(db: sqlite3.Connection, thread: Thread, name: str, *, approved: bool, person: Person | None) -> Decided:
    """`ApprovalStore.decide`; the first decision counts."""
    found = db.execute(
        "SELECT turn.id, turn.asker FROM approval"
        " JOIN turn ON turn.thread = approval.thread AND turn.id = approval.turn"
        " WHERE approval.thread = ? AND approval.name = ? AND approval.approved IS NULL AND turn.state = 'running'"
        " AND turn.ended_at IS NULL AND NOT turn.stopping",
        (thread.key, name),
    ).fetchone()
    if found is None:
        return Decided.NOTHING
    if person is not None and found[1] != asker_of(thread, person):
        return Decided.NOT_YOURS
    db.execute(
        "UPDATE approval SET approved = ? WHERE thread = ? AND turn = ? AND name = ?",
        (approved, thread.key, found[0], name),
    )
    return Decided.APPROVED if approved else Decided.DECLINED


def asked(db: sqlite3.Connection, turn: Turn) -> list[Approval]:
    """`ApprovalStore.asked`."""
    rows = db.execute(
        "SELECT name, asked_at, approved FROM approval WHERE thread = ? AND turn = ? ORDER BY asked_at",
        (turn.thread.key, turn.id),
    )
    return [_read(*row) for row in rows]


def begin(db: sqlite3.Connection, turn: Turn, name: str) -> bool:
    """`ApprovalStore.begin`."""
    changed = db.execute(
        "UPDATE approval SET begun = 1 WHERE thread = ? AND turn = ? AND name = ? AND begun = 0",
        (turn.thread.key, turn.id, name),
    ).rowcount
    return bool(changed)


def decline(db: sqlite3.Connection, turn: Turn, name: str) -> None:
    """`ApprovalStore.decline`."""
    db.execute(
        "UPDATE approval SET approved = 0 WHERE thread = ? AND turn = ? AND name = ? AND approved IS NULL",
        (turn.thread.key, turn.id, name),
    )


def _read(name: str, asked_at: float, approved: int | None) -> Approval:
    return Approval(name, asked_at, None if approved is None else bool(approved))
