"""What is read of a thread whose platform keeps none of it."""

import sqlite3
from dataclasses import replace

from bot.messages import Platform, Thread, Turn, TurnState
from bot.ports import ThreadSummary
from storage.rows import select_turns

MOST_THREADS = 500  # in a list: nobody looks further back there


def threads(db: sqlite3.Connection, platform: Platform) -> list[ThreadSummary]:
    """`TranscriptStore.threads`; one in which nothing but commands was ever said is not listed."""
    # Turns end in their order, so one is open if and only if the last one is; a thread without turns has no last one.
    rows = db.execute(
        "SELECT thread, COALESCE(title, ''), updated_at, (SELECT turn.ended_at IS NULL FROM turn"
        " WHERE turn.thread = thread.thread ORDER BY turn.sequence DESC LIMIT 1) AS is_open"
        " FROM thread WHERE thread >= ? AND thread < ? ORDER BY updated_at DESC, thread LIMIT ?",
        (f"{platform}:", f"{platform};", MOST_THREADS),  # ';' follows ':', so these begin with the platform
    )
    return [
        ThreadSummary(Thread.from_key(key), title, updated_at, bool(is_open))
        for key, title, updated_at, is_open in rows
        if is_open is not None
    ]


def transcript(db: sqlite3.Connection, thread: Thread) -> list[Turn]:
    """`TranscriptStore.transcript`."""
    return select_turns(
        db,
        "turn.thread = :thread AND turn.epoch = thread.epoch AND turn.state <> 'superseded'",
        {"thread": thread.key},
        order="turn.sequence",
    )


def turn_now(db: sqlite3.Connection, turn: Turn) -> Turn | None:
    """`TranscriptStore.turn`; a superseded turn's messages belong to its successor, and are told as they were."""
    found = select_turns(
        db, "turn.thread = :thread AND turn.id = :turn", {"thread": turn.thread.key, "turn": turn.id}, order="sequence"
    )
    if not found:
        return None
    return replace(found[0], messages=turn.messages) if found[0].state is TurnState.SUPERSEDED else found[0]
