"""What waits for somebody's approval, and what they decided."""

import sqlite3
from collections.abc import Callable, Sequence

from bot.messages import Person, Thread, Turn, TurnId
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

    async def decide(
        self, thread: Thread, *, approved: bool, turn: TurnId | None = None, person: Person | None = None
    ) -> Decided:
        return await self._write(lambda db: decide(db, thread, approved=approved, turn=turn, person=person))

    async def waiting(self, turn: Turn) -> Sequence[Approval]:
        return await self._read(lambda db: waiting(db, turn))

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
    return Approval(name, asked_at, None if approved is None else bool(approved))


def decide(
    db: sqlite3.Connection, thread: Thread, *, approved: bool, turn: TurnId | None, person: Person | None
) -> Decided:
    """`ApprovalStore.decide`; the first decision counts."""
    found = db.execute(
        "SELECT turn.id, turn.asker FROM approval"
        " JOIN turn ON turn.thread = approval.thread AND turn.id = approval.turn"
        " WHERE approval.thread = :thread AND approval.approved IS NULL AND turn.state = 'running'"
        " AND turn.ended_at IS NULL AND NOT turn.stopping AND (:turn IS NULL OR turn.id = :turn) LIMIT 1",
        {"thread": thread.key, "turn": turn},
    ).fetchone()
    if found is None:
        return Decided.NOTHING
    if person is not None and found[1] != asker_of(thread, person):
        return Decided.NOT_YOURS
    db.execute(
        "UPDATE approval SET approved = ? WHERE thread = ? AND turn = ? AND approved IS NULL",
        (approved, thread.key, found[0]),
    )
    return Decided.APPROVED if approved else Decided.DECLINED


def waiting(db: sqlite3.Connection, turn: Turn) -> list[Approval]:
    """`ApprovalStore.waiting`."""
    rows = db.execute(
        "SELECT name, asked_at FROM approval WHERE thread = ? AND turn = ? AND approved IS NULL",
        (turn.thread.key, turn.id),
    )
    return [Approval(name, asked_at) for name, asked_at in rows]


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
