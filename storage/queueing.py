"""The waiting line of a thread, and where in it a message belongs that is told after what was said later."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace

from bot.messages import Refusal, TurnId

MOST_MESSAGES = 50  # of one turn: a flood is answered in pieces that a request can hold

# What waits was never asked, but for a turn that is to be answered again: that was queued with the old one's number.
_TURNS = """
    SELECT id, sequence, asker = :asker AND refusal IS :refusal, sealed, asks > 0
    FROM turn WHERE thread = :thread AND ended_at IS NULL AND state = 'queued' ORDER BY sequence DESC
"""
_MESSAGES = "SELECT position, sent_at FROM message WHERE thread = ? AND turn = ? ORDER BY position DESC"


@dataclass(frozen=True, slots=True)
class Line:
    """A thread's waiting line, as one message sees it that is to be put there."""

    thread: str
    epoch: int
    asker: str
    refusal: Refusal | None
    now: float  # seconds since the epoch


@dataclass(frozen=True, slots=True)
class _Neighbour:
    """A waiting message beside the place of another."""

    turn: str
    sequence: int
    is_alike: bool  # of the same person and refusal as the other
    sealed: bool
    position: int


def begin_turn(db: sqlite3.Connection, line: Line, turn: TurnId, *, sequence: int, sealed: bool = False) -> None:
    """Queue a turn at a place of the thread that is free."""
    db.execute(
        "INSERT INTO turn (thread, id, sequence, state, epoch, asker, refusal, sealed, created_at)"
        " VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?)",
        (line.thread, turn, sequence, line.epoch, line.asker, line.refusal, sealed, line.now),
    )


def make_room(
    db: sqlite3.Connection, line: Line, sent_at: float, *, new_turns: tuple[TurnId, TurnId]
) -> tuple[str, int]:
    """A turn, and a free position in it, for a message that was said at *sent_at*: before what was said later.

    Args:
        new_turns: name the turn that the message may begin, and the one that may begin with what comes after it.
    """
    new_turn, new_tail = new_turns
    before, after = _neighbours(db, line, sent_at)
    if (
        before is not None
        and after is not None
        and before.turn == after.turn
        and not (before.is_alike and _has_room(db, line, before))
    ):
        after = _split(db, line, before, after, new_tail)
    # What may have been said after a command does not go on what that came after. In its midst it joins all the same.
    if before is not None and before.is_alike and not before.sealed and _has_room(db, line, before):
        return before.turn, _free(db, line, before.turn, before.position + 1)
    if after is not None and after.is_alike and _has_room(db, line, after):
        return after.turn, _free(db, line, after.turn, after.position)
    # It is late, so that something waits before or after it.
    sequence = before.sequence + 1 if before is not None else after.sequence if after is not None else 0
    _move_back(db, line, sequence)
    begin_turn(db, line, new_turn, sequence=sequence, sealed=after is not None and after.sealed)
    return new_turn, 0


def _neighbours(db: sqlite3.Connection, line: Line, sent_at: float) -> tuple[_Neighbour | None, _Neighbour | None]:
    """The waiting messages between which one belongs, looked for from the newest on.

    A turn that is asked again has the place of one that has ended: its answer stands above, and it goes on from where
    that went on from. So nothing comes before it, or in its midst.
    """
    after = None
    values = {"thread": line.thread, "asker": line.asker, "refusal": line.refusal}
    with closing(db.execute(_TURNS, values)) as turns:
        for turn, sequence, is_alike, sealed, is_again in turns:
            for position, said in db.execute(_MESSAGES, (line.thread, turn)).fetchall():
                one = _Neighbour(turn, sequence, bool(is_alike), bool(sealed), position)
                if is_again or said is None or said <= sent_at:
                    return one, after
                after = one
    return None, after


def _has_room(db: sqlite3.Connection, line: Line, at: _Neighbour) -> bool:
    (messages,) = db.execute(
        "SELECT COUNT(*) FROM message WHERE thread = ? AND turn = ?", (line.thread, at.turn)
    ).fetchone()
    return bool(messages < MOST_MESSAGES)


def _split(db: sqlite3.Connection, line: Line, before: _Neighbour, after: _Neighbour, new_tail: TurnId) -> _Neighbour:
    """Let a turn end with *before*, and *after* begin the next one."""
    sequence = before.sequence + 1
    _move_back(db, line, sequence)
    db.execute(
        "INSERT INTO turn (thread, id, sequence, state, epoch, asker, refusal, sealed, created_at)"
        " SELECT thread, ?, ?, state, epoch, asker, refusal, sealed, created_at FROM turn WHERE thread = ? AND id = ?",
        (new_tail, sequence, line.thread, before.turn),
    )
    db.execute(
        "UPDATE message SET turn = ? WHERE thread = ? AND turn = ? AND position >= ?",
        (new_tail, line.thread, before.turn, after.position),
    )
    return replace(after, turn=new_tail, sequence=sequence)


def _free(db: sqlite3.Connection, line: Line, turn: str, position: int) -> int:
    """Free a position in a turn."""
    db.execute(
        "UPDATE message SET position = position + 1 WHERE thread = ? AND turn = ? AND position >= ?",
        (line.thread, turn, position),
    )
    return position


def _move_back(db: sqlite3.Connection, line: Line, sequence: int) -> None:
    """Free a place in the thread, by way of numbers that no turn has: each is looked at by itself."""
    db.execute("UPDATE turn SET sequence = -1 - sequence WHERE thread = ? AND sequence >= ?", (line.thread, sequence))
    db.execute("UPDATE turn SET sequence = -sequence WHERE thread = ? AND sequence < 0", (line.thread,))
