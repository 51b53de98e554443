"""What is noted to find the thread of something that does not say which it belongs to."""

import sqlite3

from bot.messages import MessageId, Platform, Thread
from bot.ports import Parcel


def take_in(db: sqlite3.Connection, parcel: Parcel, *, now: float) -> bool:
    """`PlacingStore.take_in`."""
    db.execute("DELETE FROM parcel WHERE until < ?", (now,))
    taken = db.execute(
        "INSERT INTO parcel (id, content, until) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
        (f"{parcel.platform}:{parcel.id}", parcel.content, parcel.until),
    )
    return taken.rowcount > 0


def parcels(db: sqlite3.Connection, platform: Platform) -> list[Parcel]:
    """`PlacingStore.parcels`."""
    begin = f"{platform}:"
    rows = db.execute(
        "SELECT id, content, until FROM parcel WHERE id >= ? AND id < ? AND content <> '' ORDER BY until, id",
        (begin, f"{platform};"),  # ';' follows ':'
    )
    return [Parcel(platform, name.removeprefix(begin), content, until) for name, content, until in rows]


def placed(db: sqlite3.Connection, parcel: Parcel) -> None:
    """`PlacingStore.placed`."""
    db.execute("UPDATE parcel SET content = '' WHERE id = ?", (f"{parcel.platform}:{parcel.id}",))


def thread_of(db: sqlite3.Connection, platform: Platform, message: MessageId) -> Thread | None:
    """`PlacingStore.thread_of`."""
    of_platform = (message, f"{platform}:", f"{platform};")
    row = db.execute(
        "SELECT thread FROM part WHERE message_id = ? AND thread >= ? AND thread < ?"
        " UNION ALL SELECT thread FROM message WHERE id = ? AND thread >= ? AND thread < ? LIMIT 1",
        of_platform * 2,
    ).fetchone()
    return None if row is None else Thread.from_key(row[0])
