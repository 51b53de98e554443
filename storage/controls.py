"""What the commands write. Each is noted as a message, so that one that is handed over again does nothing."""

import sqlite3

from bot.messages import MessageId, Platform, Thread, Turn, TurnId
from bot.ports import Retried, Unconfirmed
from storage import exchanges
from storage.messages import set_title
from storage.rows import select_turns


def stop(
    db: sqlite3.Connection,
    thread: Thread,
    command: MessageId,
    *,
    turn: TurnId | None,
    sent_at: float | None,
    now: float,
) -> Turn | None:
    """`ControlStore.stop`; told again it stops no other turn than the one it was told for."""
    key: dict[str, object] = {"thread": thread.key, "turn": turn, "command": command, "sent_at": sent_at}
    is_new = begin(db, thread, command, now)
    if is_new:
        db.execute(
            "UPDATE turn SET stopping = 1 WHERE thread = :thread AND ended_at IS NULL AND state = 'running'"
            " AND (:turn IS NULL OR id = :turn) AND (:sent_at IS NULL OR :sent_at >= (SELECT MIN(sent_at) FROM message"
            " WHERE message.thread = turn.thread AND message.turn = turn.id))",
            key,
        )
    found = select_turns(
        db,
        "turn.thread = :thread AND turn.ended_at IS NULL AND turn.state = 'running' AND turn.stopping"
        " AND (:turn IS NULL OR turn.id = :turn)",
        key,
        order="turn.sequence",
    )
    if not found and not is_new:  # whoever is told so only now, after a crash, is told what it did then
        found = select_turns(
            db,
            "turn.thread = :thread AND turn.state = 'stopped' AND (:turn IS NULL OR turn.id = :turn)"
            " AND turn.ended_at >= (SELECT received_at FROM message"
            " WHERE thread = :thread AND id = :command AND is_command)",
            key,
            order="turn.sequence",
        )
    return found[0] if found else None


def reset(db: sqlite3.Connection, thread: Thread, command: MessageId, *, keeps_text: bool, now: float) -> bool:
    """`ControlStore.reset`."""
    if not begin(db, thread, command, now):
        return False
    start_afresh(db, thread, keeps_text=keeps_text, now=now)
    return True


def start_afresh(db: sqlite3.Connection, thread: Thread, *, keeps_text: bool, now: float) -> None:
    """Begin the thread's next epoch: the running turn is to stop, and what waits belongs to the new one."""
    key = {"thread": thread.key, "now": now}
    db.execute("UPDATE thread SET epoch = epoch + 1, latest = NULL, reset_at = :now WHERE thread = :thread", key)
    db.execute("UPDATE message SET is_overheard = 0 WHERE thread = :thread AND is_overheard = 1", key)
    db.execute("UPDATE turn SET stopping = 1 WHERE thread = :thread AND ended_at IS NULL AND state = 'running'", key)
    db.execute(
        "UPDATE turn SET epoch = (SELECT epoch FROM thread WHERE thread = :thread)"
        " WHERE thread = :thread AND ended_at IS NULL AND state = 'queued'",
        key,
    )
    _blank_what_ended(db, thread)
    exchanges.drop(db, thread)
    if keeps_text:
        set_title(db, thread)  # a question that waits belongs to the new epoch already


def quieten(db: sqlite3.Connection, thread: Thread, command: MessageId, *, now: float) -> bool:
    """`ControlStore.quieten`."""
    if not begin(db, thread, command, now):
        return False
    db.execute("UPDATE thread SET is_quiet = 1 WHERE thread = ?", (thread.key,))
    return True


def confirming(db: sqlite3.Connection, thread: Thread, command: MessageId, words: str, *, now: float) -> bool:
    """`ControlStore.confirming`; words that were said stand as empty ones, so that nothing is said twice."""
    db.execute(
        "INSERT INTO thread (thread, updated_at) VALUES (?, ?) ON CONFLICT (thread) DO NOTHING", (thread.key, now)
    )
    changed = db.execute(
        "INSERT INTO message (thread, id, is_command, words, received_at) VALUES (?, ?, 1, ?, ?)"
        " ON CONFLICT (thread, id) DO UPDATE SET words = excluded.words WHERE words IS NULL",
        (thread.key, command, words, now),
    ).rowcount
    return bool(changed)


def confirmed(db: sqlite3.Connection, thread: Thread, command: MessageId) -> None:
    """`ControlStore.confirmed`."""
    db.execute("UPDATE message SET words = '' WHERE thread = ? AND id = ?", (thread.key, command))


def unconfirmed(db: sqlite3.Connection, platform: Platform) -> list[Unconfirmed]:
    """`ControlStore.unconfirmed`."""
    rows = db.execute(
        "SELECT thread, id, words FROM message WHERE words <> '' AND thread >= ? AND thread < ? ORDER BY received_at",
        (f"{platform}:", f"{platform};"),
    )
    return [Unconfirmed(Thread.from_key(key), MessageId(command), words) for key, command, words in rows]


def retry(
    db: sqlite3.Connection,
    thread: Thread,
    command: MessageId,
    *,
    turn: TurnId | None,
    sent_at: float | None,
    new_turn: TurnId,
    now: float,
) -> Retried:
    """`ControlStore.retry`; *new_turn* names the turn that is queued."""
    if not begin(db, thread, command, now):
        return Retried.REPEATED
    # Turns end in their order, so one is open if and only if the last one is, of whatever epoch.
    last = db.execute(
        "SELECT ended_at IS NULL FROM turn WHERE thread = ? ORDER BY sequence DESC LIMIT 1", (thread.key,)
    ).fetchone()
    if last is not None and last[0]:
        return Retried.BUSY
    # Somebody who may not ask takes nobody's answer away, nor the right to have it given again.
    old = db.execute(
        "SELECT turn.id, ?2 < (SELECT MIN(sent_at) FROM message WHERE message.thread = turn.thread"
        " AND message.turn = turn.id)"
        " FROM turn JOIN thread ON thread.thread = turn.thread AND thread.epoch = turn.epoch"
        " WHERE turn.thread = ?1 AND turn.state <> 'superseded' AND turn.refusal IS NULL"
        " ORDER BY turn.sequence DESC LIMIT 1",
        (thread.key, sent_at),
    ).fetchone()
    if old is None or turn not in {None, old[0]}:
        return Retried.NOTHING
    if old[1]:
        return Retried.LATE

    names = {"thread": thread.key, "old": old[0], "new": new_turn, "now": now}
    # That it was asked before keeps what is told late from coming before it: it has the place of the old one.
    db.execute(
        "INSERT INTO turn (thread, id, sequence, state, epoch, asker, refusal, summary, asks, created_at)"
        " SELECT thread, :new, (SELECT MAX(sequence) + 1 FROM turn WHERE thread = :thread), 'queued', epoch, asker,"
        " refusal, summary, asks, :now FROM turn WHERE thread = :thread AND id = :old",
        names,
    )
    db.execute("UPDATE message SET turn = :new WHERE thread = :thread AND turn = :old", names)
    # What they show is replaced, and never told as the beginning of the new answer.
    db.execute(
        "UPDATE part SET turn = :new, text = NULL, attachments = NULL WHERE thread = :thread AND turn = :old", names
    )
    db.execute(
        "UPDATE thread SET latest = (SELECT previous FROM turn WHERE thread = :thread AND id = :old)"
        " WHERE thread = :thread",
        names,
    )
    db.execute("UPDATE turn SET state = 'superseded' WHERE thread = :thread AND id = :old", names)
    exchanges.drop_of(db, thread, old[0])
    return Retried.QUEUED


def begin(db: sqlite3.Connection, thread: Thread, command: MessageId, now: float) -> bool:
    """Note the command, and let nothing join the turns that wait; False when it was noted before."""
    db.execute(
        "INSERT INTO thread (thread, updated_at) VALUES (?, ?)"
        " ON CONFLICT (thread) DO UPDATE SET updated_at = excluded.updated_at",
        (thread.key, now),
    )
    is_new = db.execute(
        "INSERT INTO message (thread, id, is_command, received_at) VALUES (?, ?, 1, ?)"
        " ON CONFLICT (thread, id) DO NOTHING",
        (thread.key, command, now),
    ).rowcount
    if is_new:
        db.execute(
            "UPDATE turn SET sealed = 1 WHERE thread = ? AND ended_at IS NULL AND state = 'queued'", (thread.key,)
        )
    return bool(is_new)


def _blank_what_ended(db: sqlite3.Connection, thread: Thread) -> None:
    """Forget the text of every turn before the reset; the running one's goes when it has been stopped.

    A turn that waits to be answered again keeps its question, and loses what its reply showed.
    """
    key = {"thread": thread.key}
    db.execute(
        "UPDATE message SET text = NULL, attachment_details = NULL WHERE thread = :thread"
        " AND turn IN (SELECT id FROM turn WHERE thread = :thread AND ended_at IS NOT NULL)",
        key,
    )
    db.execute("UPDATE turn SET notice = NULL WHERE thread = :thread AND notice IS NOT NULL", key)
    db.execute(
        "UPDATE part SET text = NULL, attachments = NULL WHERE thread = :thread"
        " AND turn NOT IN (SELECT id FROM turn WHERE thread = :thread AND state = 'running')",
        key,
    )
