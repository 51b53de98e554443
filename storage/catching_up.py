"""What is read to look for messages that were never handed over."""

import sqlite3

from bot.messages import MessageId, Platform, Thread
from bot.ports import Place


def places(db: sqlite3.Connection, platform: Platform) -> list[Place]:
    """`CatchUpStore.places`."""
    rows = db.execute(
        "SELECT thread, id, MAX(sent_at) AS heard_at FROM message WHERE thread >= ? AND thread < ?"
        " AND sent_at IS NOT NULL GROUP BY thread ORDER BY heard_at DESC",
        (f"{platform}:", f"{platform};"),
    )
    found: dict[tuple[str, str], Place] = {}
    for key, message, sent_at in rows:
        thread = Thread.from_key(key)
        name = (thread.installation_id, thread.channel_id)
        if name not in found:
            found[name] = Place(platform, *name, newest=MessageId(message), heard_at=sent_at)
    return list(found.values())


def active(db: sqlite3.Connection, platform: Platform, *, since: float) -> list[Thread]:
    """`CatchUpStore.active`; only threads with a turn: a command alone begins no conversation."""
    rows = db.execute(
        "SELECT thread FROM thread WHERE thread >= ? AND thread < ? AND updated_at > ?"
        " AND EXISTS (SELECT 1 FROM turn WHERE turn.thread = thread.thread) ORDER BY updated_at DESC, thread",
        (f"{platform}:", f"{platform};", since),
    )
    return [Thread.from_key(key) for (key,) in rows]
