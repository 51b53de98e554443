"""What forgetting writes: a thread is marked, its interactions are ticked off, and everything of it is erased."""

import sqlite3
from collections.abc import Callable, Sequence

from bot.messages import InteractionId, MessageId, Platform, Thread
from bot.ports import Forgotten, Undeleted, Upload
from storage.commits import Commits
from storage.controls import begin, start_afresh
from storage.database import forget_the_log
from storage.tally import DAY
from storage.uploads import read_upload


class SqliteForgetting:
    """`ForgettingStore` over the database of the other stores."""

    def __init__(self, commits: Commits, *, now: Callable[[], float], keeps_text: frozenset[Platform]) -> None:
        self._write, self._read = commits.write, commits.read
        self._now, self._keeps_text = now, keeps_text

    async def forget(self, thread: Thread, command: MessageId) -> bool:
        keeps, now = thread.platform in self._keeps_text, self._now()
        is_new = await self._write(lambda db: forget(db, thread, command, keeps_text=keeps, now=now))
        if is_new:
            await self._read(forget_the_log)
        return is_new

    async def forget_old(self, *, before: float, most: int) -> Sequence[Thread]:
        keeps, now = self._keeps_text, self._now()
        return await self._write(lambda db: forget_old(db, before=before, most=most, keeps_text=keeps, now=now))

    async def to_forget(self) -> Sequence[Thread]:
        return await self._read(to_forget)

    async def forgotten(self, thread: Thread) -> Forgotten | None:
        return await self._read(lambda db: forgotten(db, thread))

    async def to_delete(self, thread: Thread) -> InteractionId | None:
        return await self._read(lambda db: to_delete(db, thread))

    async def deleted(self, thread: Thread, interaction: InteractionId) -> None:
        await self._write(lambda db: deleted(db, thread, interaction))

    async def undeleted(self, thread: Thread, interaction: InteractionId, reason: Undeleted) -> None:
        await self._write(lambda db: undeleted(db, thread, interaction, reason))

    async def file_to_delete(self, thread: Thread) -> Upload | None:
        return await self._read(lambda db: file_to_delete(db, thread))

    async def file_tried(self, thread: Thread, name: str, *, is_gone: bool) -> None:
        await self._write(lambda db: file_tried(db, thread, name, is_gone=is_gone))

    async def erase(self, forgotten: Forgotten, *, report: str) -> bool:
        keeps = forgotten.thread.platform in self._keeps_text
        is_done = await self._write(lambda db: erase(db, forgotten, report=report, keeps_text=keeps))
        if is_done:
            await self._read(forget_the_log)
        return is_done

    async def reported(self, forgotten: Forgotten) -> None:
        await self._write(lambda db: reported(db, forgotten))


def forget(db: sqlite3.Connection, thread: Thread, command: MessageId, *, keeps_text: bool, now: float) -> bool:
    """`ForgettingStore.forget`."""
    if not begin(db, thread, command, now):
        return False
    start_afresh(db, thread, keeps_text=keeps_text, now=now)
    _mark(db, thread, command, now)
    return True


def forget_old(
    db: sqlite3.Connection, *, before: float, most: int, keeps_text: frozenset[Platform], now: float
) -> list[Thread]:
    """`ForgettingStore.forget_old`; an erased thread's time is 0, and where only commands were given is no turn."""
    rows = db.execute(
        "SELECT thread FROM thread WHERE updated_at > 0 AND updated_at < :before"
        " AND EXISTS (SELECT 1 FROM turn WHERE turn.thread = thread.thread)"
        " AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.thread = thread.thread AND turn.ended_at IS NULL)"
        " AND NOT EXISTS (SELECT 1 FROM forgetting WHERE forgetting.thread = thread.thread)"
        " ORDER BY updated_at LIMIT :most",
        {"before": before, "most": most},
    ).fetchall()
    threads = [Thread.from_key(key) for (key,) in rows]
    for thread in threads:
        start_afresh(db, thread, keeps_text=thread.platform in keeps_text, now=now)
        _mark(db, thread, None, now)
    return threads


def to_forget(db: sqlite3.Connection) -> list[Thread]:
    """`ForgettingStore.to_forget`."""
    rows = db.execute("SELECT thread FROM forgetting ORDER BY begun_at, thread")
    return [Thread.from_key(key) for (key,) in rows]


def forgotten(db: sqlite3.Connection, thread: Thread) -> Forgotten | None:
    """`ForgettingStore.forgotten`."""
    row = db.execute(
        "SELECT epoch, command, begun_at, deleted, files, files_left, NOT EXISTS (SELECT 1 FROM message"
        " WHERE message.thread = forgetting.thread AND message.id = forgetting.command AND words <> ''), report"
        " FROM forgetting WHERE thread = ?",
        (thread.key,),
    ).fetchone()
    if row is None:
        return None
    epoch, command, begun_at, deleted_ones, files, files_left, is_confirmed, report = row
    undeleted_ones = db.execute(
        "SELECT undeleted, COUNT(*) FROM interaction WHERE thread = ? AND undeleted IS NOT NULL GROUP BY undeleted",
        (thread.key,),
    )
    return Forgotten(
        thread,
        epoch,
        None if command is None else MessageId(command),
        begun_at,
        deleted=deleted_ones,
        undeleted={Undeleted(reason): number for reason, number in undeleted_ones},
        files=files,
        files_left=files_left,
        is_confirmed=bool(is_confirmed),
        report=report,
    )


def to_delete(db: sqlite3.Connection, thread: Thread) -> InteractionId | None:
    """`ForgettingStore.to_delete`; those of turns that are gone belong to an earlier forgetting, and so to this one.

    What runs is cancelled first: it would go on when it is deleted, and be paid for.
    """
    row = db.execute(
        "SELECT interaction.id FROM interaction JOIN forgetting ON forgetting.thread = interaction.thread"
        " WHERE interaction.thread = ? AND interaction.undeleted IS NULL AND interaction.runs = 0"
        " AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.thread = interaction.thread AND turn.id = interaction.turn"
        " AND (turn.epoch >= forgetting.epoch OR turn.ended_at IS NULL))"
        " ORDER BY interaction.created_at, interaction.id LIMIT 1",
        (thread.key,),
    ).fetchone()
    return None if row is None else InteractionId(row[0])


def deleted(db: sqlite3.Connection, thread: Thread, interaction: InteractionId) -> None:
    """`ForgettingStore.deleted`."""
    gone = db.execute("DELETE FROM interaction WHERE thread = ? AND id = ?", (thread.key, interaction)).rowcount
    db.execute("UPDATE forgetting SET deleted = deleted + ? WHERE thread = ?", (gone, thread.key))


def undeleted(db: sqlite3.Connection, thread: Thread, interaction: InteractionId, reason: Undeleted) -> None:
    """`ForgettingStore.undeleted`."""
    db.execute("UPDATE interaction SET undeleted = ? WHERE thread = ? AND id = ?", (reason, thread.key, interaction))


def file_to_delete(db: sqlite3.Connection, thread: Thread) -> Upload | None:
    """`ForgettingStore.file_to_delete`; none while a turn may still be sending one."""
    row = db.execute(
        "SELECT thread, name, attachment, kind, mime_type, size, uri, expires_at FROM upload"
        " WHERE thread = :thread AND NOT EXISTS"
        " (SELECT 1 FROM forgetting JOIN turn ON turn.thread = :thread AND turn.epoch < forgetting.epoch"
        " WHERE forgetting.thread = :thread AND turn.ended_at IS NULL) AND NOT EXISTS"
        " (SELECT 1 FROM forgetting JOIN turn ON turn.thread = :thread AND turn.epoch >= forgetting.epoch"
        " JOIN message ON message.thread = :thread AND message.turn = turn.id, json_each(message.attachment_ids) AS of"
        " WHERE forgetting.thread = :thread AND of.value = upload.attachment) ORDER BY name LIMIT 1",
        {"thread": thread.key},
    ).fetchone()
    return None if row is None else read_upload(row)


def file_tried(db: sqlite3.Connection, thread: Thread, name: str, *, is_gone: bool) -> None:
    """`ForgettingStore.file_tried`; it is tried no more, since Gemini keeps no file for longer than two days."""
    found = db.execute("DELETE FROM upload WHERE thread = ? AND name = ?", (thread.key, name)).rowcount
    db.execute(
        "UPDATE forgetting SET files = files + ?, files_left = files_left + ? WHERE thread = ?",
        (found * is_gone, found * (not is_gone), thread.key),
    )


def erase(db: sqlite3.Connection, one: Forgotten, *, report: str, keeps_text: bool) -> bool:
    """`ForgettingStore.erase`.

    Ids of messages stay, so that one that is handed over again is not taken for new. On platforms that keep their
    messages themselves their times stay as well, which the ids tell there anyway: they say how far a channel was heard.
    """
    key = {"thread": one.thread.key, "epoch": one.epoch}
    is_due = db.execute(
        "SELECT 1 FROM forgetting WHERE thread = :thread AND epoch = :epoch AND report IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM turn WHERE turn.thread = :thread AND turn.ended_at IS NULL AND turn.epoch < :epoch)"
        " AND NOT EXISTS (SELECT 1 FROM interaction WHERE interaction.thread = :thread AND runs = 1 AND NOT EXISTS"
        " (SELECT 1 FROM turn WHERE turn.thread = :thread AND turn.id = interaction.turn AND turn.epoch >= :epoch))",
        key,
    ).fetchone()
    if is_due is None or to_delete(db, one.thread) is not None or file_to_delete(db, one.thread) is not None:
        return False
    _keep_counting(db, one)
    db.execute(
        "UPDATE message SET turn = NULL, position = 0, author = NULL, author_name = NULL, author_standing = NULL,"
        " text = NULL, attachment_ids = NULL, attachment_details = NULL, address = NULL, is_root = 0,"
        " sent_at = CASE WHEN :blank THEN NULL ELSE sent_at END"
        " WHERE thread = :thread AND (turn IS NULL OR turn IN"
        " (SELECT id FROM turn WHERE thread = :thread AND epoch < :epoch))",
        {**key, "blank": keeps_text},
    )
    db.execute("DELETE FROM turn WHERE thread = :thread AND epoch < :epoch", key)  # and what hangs from them
    db.execute(
        "UPDATE thread SET updated_at = 0 WHERE thread = :thread"
        " AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.thread = :thread)",
        key,
    )
    db.execute("UPDATE forgetting SET report = :report WHERE thread = :thread", {**key, "report": report})
    return True


def reported(db: sqlite3.Connection, one: Forgotten) -> None:
    """`ForgettingStore.reported`; a newer command has a report of its own."""
    db.execute(
        "DELETE FROM forgetting WHERE thread = ? AND epoch = ? AND report IS NOT NULL", (one.thread.key, one.epoch)
    )


def _mark(db: sqlite3.Connection, thread: Thread, command: MessageId | None, now: float) -> None:
    db.execute(
        "INSERT INTO forgetting (thread, epoch, command, begun_at) SELECT thread, epoch, ?, ? FROM thread"
        " WHERE thread = ? ON CONFLICT (thread) DO UPDATE SET epoch = excluded.epoch, command = excluded.command,"
        " begun_at = excluded.begun_at, report = NULL",
        (command, now, thread.key),
    )
    db.execute("UPDATE interaction SET undeleted = NULL WHERE thread = ? AND undeleted IS NOT NULL", (thread.key,))


def _keep_counting(db: sqlite3.Connection, one: Forgotten) -> None:
    """Note what the turns took that go, without thread and text: for the caps of today, and for the bill."""
    db.execute(
        "INSERT INTO erased_turn"
        " SELECT CAST(claimed_at AS INTEGER) / :length AS day, asker, COALESCE(model, ''), COUNT(*),"
        " TOTAL(input_tokens), TOTAL(output_tokens), TOTAL(thought_tokens), TOTAL(cached_tokens), TOTAL(tool_tokens),"
        " TOTAL(total_tokens), TOTAL(searches) FROM turn"
        " WHERE thread = :thread AND epoch < :epoch AND counted = 1 GROUP BY 1, asker, COALESCE(model, '')"
        " ON CONFLICT (day, asker, model) DO UPDATE SET turns = turns + excluded.turns,"
        " input_tokens = input_tokens + excluded.input_tokens, output_tokens = output_tokens + excluded.output_tokens,"
        " thought_tokens = thought_tokens + excluded.thought_tokens,"
        " cached_tokens = cached_tokens + excluded.cached_tokens, tool_tokens = tool_tokens + excluded.tool_tokens,"
        " total_tokens = total_tokens + excluded.total_tokens, searches = searches + excluded.searches",
        {"thread": one.thread.key, "epoch": one.epoch, "length": DAY},
    )
