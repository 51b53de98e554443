"""What the inbox writes: messages, each of them once, in the turns they belong to."""

import sqlite3
from collections.abc import Sequence

from bot.messages import Attachment, Message, MessageId, Refusal, Thread, TurnId
from bot.ports import ThreadNote
from storage.queueing import MOST_MESSAGES, Line, begin_turn, make_room
from storage.rows import asker_of, attachment_columns, attachments_in, storable

TITLE_LENGTH = 80  # code points

_STANDING = """
    SELECT EXISTS (SELECT 1 FROM message WHERE thread = :thread AND id = :message AND NOT is_overheard),
           thread.epoch, turn.sequence, turn.id,
           turn.state = 'queued' AND turn.asker = :asker AND turn.refusal IS :refusal AND NOT turn.sealed
           AND (SELECT COUNT(*) FROM message WHERE message.thread = turn.thread AND message.turn = turn.id) < :most,
           turn.state = 'queued' AND (SELECT sent_at FROM message WHERE message.thread = turn.thread
                                      AND message.turn = turn.id ORDER BY position DESC LIMIT 1) > :sent_at
    FROM (SELECT 1)
    LEFT JOIN thread ON thread.thread = :thread
    LEFT JOIN turn ON turn.thread = :thread
                   AND turn.sequence = (SELECT MAX(sequence) FROM turn WHERE thread = :thread)
"""


def add(
    db: sqlite3.Connection,
    message: Message,
    refusal: Refusal | None,
    *,
    new_turns: tuple[TurnId, TurnId],
    keeps_text: bool,
    now: float,
) -> bool:
    """`MessageStore.add`; *new_turns* name what may begin: a turn with the message, and one with what follows it."""
    thread = message.thread.key
    asker = asker_of(message.thread, message.author)
    known, epoch, last, turn, joins, is_late = db.execute(
        _STANDING,
        {
            "thread": thread,
            "message": message.id,
            "asker": asker,
            "refusal": refusal,
            "sent_at": message.sent_at,
            "most": MOST_MESSAGES,
        },
    ).fetchone()
    if known:
        return False

    text = None if refusal or message.text is None else storable(message.text)
    attachments = () if refusal else message.attachments
    db.execute(
        "INSERT INTO thread (thread, title, is_ours, updated_at) VALUES (?, ?, ?, ?) ON CONFLICT (thread) DO UPDATE"
        " SET title = COALESCE(title, excluded.title), is_ours = is_ours OR excluded.is_ours,"
        " updated_at = excluded.updated_at",
        (thread, title_of(text, attachments) if keeps_text else None, message.is_root, now),
    )
    position = None
    if is_late or not joins:
        line = Line(thread, epoch or 0, asker, refusal, now)
        if is_late:
            turn, position = make_room(db, line, message.sent_at, new_turns=new_turns)
        else:
            turn = new_turns[0]
            begin_turn(db, line, turn, sequence=0 if last is None else last + 1)
    _insert(db, message, turn, position, text=text, attachments=attachments, now=now)
    if is_late and keeps_text:
        set_title(db, message.thread)
    return True


def _insert(
    db: sqlite3.Connection,
    message: Message,
    turn: str,
    position: int | None,
    *,
    text: str | None,
    attachments: Sequence[Attachment],
    now: float,
) -> None:
    """Put a message, and what is kept of it, into a turn: at a position that is free, or at its end."""
    name = message.author.name
    db.execute(
        "INSERT OR REPLACE INTO message (thread, id, turn, position, author, author_name, author_standing, text,"
        " attachment_ids, attachment_details, address, is_root, sent_at, received_at) VALUES (?1, ?2, ?3,"
        " COALESCE(?4, (SELECT MAX(position) + 1 FROM message WHERE thread = ?1 AND turn = ?3), 0),"
        " ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        (
            message.thread.key,
            message.id,
            turn,
            position,
            message.author.id,
            None if name is None else storable(name),
            message.author.standing,
            text,
            *attachment_columns(attachments),
            message.address,
            message.is_root,
            message.sent_at,
            now,
        ),
    )


def note(db: sqlite3.Connection, thread: Thread) -> ThreadNote:
    """`MessageStore.note`; a thread in which only commands were given is known as well.

    What was forgotten or taken back is in no turn any more, and the bot was called by it all the same.
    """
    found = db.execute(
        "SELECT is_ours, is_quiet, (SELECT MIN(sent_at) FROM message WHERE message.thread = thread.thread"
        " AND (turn IS NOT NULL OR NOT is_overheard)) FROM thread WHERE thread = ?",
        (thread.key,),
    ).fetchone()
    if found is None:
        return ThreadNote(is_known=False, is_ours=False, is_quiet=False)
    return ThreadNote(is_known=True, is_ours=bool(found[0]), is_quiet=bool(found[1]), since=found[2])


def overhear(db: sqlite3.Connection, message: Message, *, now: float) -> None:
    """`MessageStore.overhear`."""
    db.execute(
        "INSERT INTO message (thread, id, is_overheard, sent_at, received_at)"
        " SELECT thread, :message, 1, :sent_at, :now FROM thread WHERE thread = :thread"
        " ON CONFLICT (thread, id) DO NOTHING",
        {"thread": message.thread.key, "message": message.id, "sent_at": message.sent_at, "now": now},
    )


def knows(db: sqlite3.Connection, thread: Thread, message: MessageId) -> bool:
    """`MessageStore.knows`."""
    return db.execute("SELECT 1 FROM message WHERE thread = ? AND id = ?", (thread.key, message)).fetchone() is not None


def edit(db: sqlite3.Connection, thread: Thread, message: MessageId, text: str, *, keeps_text: bool) -> bool:
    """`MessageStore.edit`; what a refused person writes instead is not kept either."""
    waiting = _waiting_turn(db, thread, message)
    if waiting is None:
        return False
    _, refusal = waiting
    if refusal is None:
        db.execute("UPDATE message SET text = ? WHERE thread = ? AND id = ?", (storable(text), thread.key, message))
        if keeps_text:
            set_title(db, thread)
    return True


def withdraw(db: sqlite3.Connection, thread: Thread, message: MessageId, *, keeps_text: bool, now: float) -> bool:
    """`MessageStore.withdraw`."""
    waiting = _waiting_turn(db, thread, message)
    if waiting is None:
        # The deletion may have overtaken its message, which is not to be answered when it comes after all.
        db.execute(
            "INSERT INTO message (thread, id, received_at) SELECT thread, :message, :now FROM thread"
            " WHERE thread = :thread ON CONFLICT (thread, id) DO UPDATE SET is_overheard = 0",
            {"thread": thread.key, "message": message, "now": now},
        )
        return False
    turn, _ = waiting
    db.execute(
        "UPDATE message SET turn = NULL, author = NULL, author_name = NULL, text = NULL, attachment_ids = NULL,"
        " attachment_details = NULL WHERE thread = ? AND id = ?",
        (thread.key, message),
    )
    left = db.execute("SELECT 1 FROM message WHERE thread = ? AND turn = ? LIMIT 1", (thread.key, turn)).fetchone()
    if left is None:
        db.execute("DELETE FROM turn WHERE thread = ? AND id = ?", (thread.key, turn))
    if keeps_text:
        set_title(db, thread)
    return True


def set_title(db: sqlite3.Connection, thread: Thread) -> None:
    """Name the thread by the first question of its epoch, or by nothing when there is none."""
    rows = db.execute(
        "SELECT message.text, message.attachment_ids, message.attachment_details FROM turn"
        " JOIN thread ON thread.thread = turn.thread AND thread.epoch = turn.epoch"
        " JOIN message ON message.thread = turn.thread AND message.turn = turn.id"
        " WHERE turn.thread = ? AND turn.state <> 'superseded' ORDER BY turn.sequence, message.position",
        (thread.key,),
    )
    titles = (title_of(text, attachments_in(ids, details)) for text, ids, details in rows)
    title = next((title for title in titles if title is not None), None)
    db.execute("UPDATE thread SET title = ? WHERE thread = ?", (title, thread.key))


def title_of(text: str | None, attachments: Sequence[Attachment]) -> str | None:
    """One line for a list of threads: a question's beginning, or the name of the file that was sent without a word."""
    words = " ".join((text or "").split()) or next((each.name for each in attachments), "")
    return (words if len(words) <= TITLE_LENGTH else words[: TITLE_LENGTH - 1].rstrip() + "…") or None


def _waiting_turn(db: sqlite3.Connection, thread: Thread, message: MessageId) -> tuple[str, str | None] | None:
    found: tuple[str, str | None] | None = db.execute(
        "SELECT turn.id, turn.refusal FROM message JOIN turn ON turn.thread = message.thread AND turn.id = message.turn"
        " WHERE message.thread = ? AND message.id = ? AND turn.state = 'queued'",
        (thread.key, message),
    ).fetchone()
    return found
