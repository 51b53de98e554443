"""What is read and noted to look for messages that were never handed over."""

import sqlite3

from bot.messages import MessageId, Platform, Thread
from bot.ports import Place


def places(db: sqlite3.Connection, platform: Platform) -> list[Place]:
    """`CatchUpStore.places`; a channel addressed since a gap was noted has the gap that its installation has."""
    begun: dict[str, float] = {}  # how far installations were heard when the gaps began that are noted
    for name, heard_at in db.execute("SELECT place, heard_at FROM gap WHERE place >= ? AND place < ?", _of(platform)):
        begun[_installation(name)] = max(heard_at, begun.get(_installation(name), heard_at))
    heard: dict[str, Place] = {}
    rows = db.execute(
        "SELECT thread, id, MAX(sent_at) AS heard_at FROM message WHERE thread >= ? AND thread < ?"
        " AND sent_at IS NOT NULL GROUP BY thread ORDER BY heard_at DESC",
        _of(platform),
    )
    for row in rows:
        place = _place(*row)
        heard.setdefault(_name(place), place)
    # Where nothing but commands was ever given, it is heard from the first of them on.
    commanded = db.execute(
        "SELECT thread, id, MIN(received_at) AS heard_at FROM message WHERE thread >= ? AND thread < ? AND is_command"
        " GROUP BY thread ORDER BY heard_at",
        _of(platform),
    )
    for row in commanded:
        place = _place(*row)
        heard.setdefault(_name(place), place)
    db.executemany(
        "INSERT INTO gap (place, newest, heard_at) VALUES (?, ?, ?) ON CONFLICT (place) DO NOTHING",
        [
            (name, place.newest, min(place.heard_at, begun.get(_installation(name), place.heard_at)))
            for name, place in heard.items()
        ],
    )
    gaps = db.execute(
        "SELECT place, newest, heard_at FROM gap WHERE place >= ? AND place < ? ORDER BY heard_at DESC", _of(platform)
    )
    told = []
    for name, newest, heard_at in gaps.fetchall():
        _, installation_id, channel_id = name.split(":")
        told.append(Place(platform, installation_id, channel_id, MessageId(newest), heard_at))
    return told


def caught_up(db: sqlite3.Connection, platform: Platform) -> None:
    """`CatchUpStore.caught_up`."""
    db.execute("DELETE FROM gap WHERE place >= ? AND place < ?", _of(platform))


def lagging(db: sqlite3.Connection) -> frozenset[Platform]:
    """`CatchUpStore.lagging`."""
    return frozenset(Platform(name.partition(":")[0]) for (name,) in db.execute("SELECT place FROM gap"))


def active(db: sqlite3.Connection, platform: Platform, *, since: float) -> list[Thread]:
    """`CatchUpStore.active`; only threads with a turn: a command alone begins no conversation.

    An erased thread has none, and no time but that of its forgetting; it is followed all the same.
    """
    rows = db.execute(
        "SELECT thread FROM thread WHERE thread >= ? AND thread < ? AND (updated_at > ?"
        " AND EXISTS (SELECT 1 FROM turn WHERE turn.thread = thread.thread) OR updated_at = 0 AND reset_at > ?)"
        " ORDER BY updated_at DESC, thread",
        (*_of(platform), since, since),
    )
    return [Thread.from_key(key) for (key,) in rows]


def _place(thread: str, message: str, heard_at: float) -> Place:
    key = Thread.from_key(thread)
    return Place(key.platform, key.installation_id, key.channel_id, MessageId(message), heard_at=heard_at)


def _name(place: Place) -> str:
    return f"{place.platform}:{place.installation_id}:{place.channel_id}"


def _installation(place: str) -> str:
    return place.rpartition(":")[0]


def _of(platform: Platform) -> tuple[str, str]:
    """The bounds of the keys that begin with the platform: ';' follows ':'."""
    return f"{platform}:", f"{platform};"
