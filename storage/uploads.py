"""The files of each thread that Gemini keeps."""

import sqlite3
from typing import LiteralString

from bot.answers import MediaKind
from bot.messages import AttachmentId, Thread
from bot.ports import Upload
from storage.rows import Row

_UPLOAD: LiteralString = (
    "SELECT thread, name, attachment, kind, mime_type, size, uri, expires_at FROM upload WHERE thread = ? AND "
)


def uploading(db: sqlite3.Connection, upload: Upload, *, now: float) -> None:
    """`UploadStore.uploading`."""
    db.execute("DELETE FROM upload WHERE expires_at < ?", (now,))
    db.execute(
        "INSERT INTO upload (thread, name, attachment, kind, mime_type, size, uri, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            upload.thread.key,
            upload.name,
            upload.attachment,
            upload.kind,
            upload.mime_type,
            upload.size,
            upload.uri,
            upload.expires_at,
        ),
    )


def uploaded(db: sqlite3.Connection, upload: Upload) -> None:
    """`UploadStore.uploaded`."""
    db.execute(
        "UPDATE upload SET uri = ?, mime_type = ?, expires_at = ? WHERE thread = ? AND name = ?",
        (upload.uri, upload.mime_type, upload.expires_at, upload.thread.key, upload.name),
    )


def upload_of(db: sqlite3.Connection, thread: Thread, attachment: AttachmentId) -> Upload | None:
    """`UploadStore.upload_of`."""
    found = db.execute(_UPLOAD + "attachment = ? ORDER BY expires_at DESC LIMIT 1", (thread.key, attachment)).fetchone()
    return None if found is None else read_upload(found)


def uploads(db: sqlite3.Connection, thread: Thread, *, now: float) -> list[Upload]:
    """`UploadStore.uploads`."""
    rows = db.execute(_UPLOAD + "expires_at >= ? ORDER BY name", (thread.key, now))
    return [read_upload(row) for row in rows]


def upload_gone(db: sqlite3.Connection, thread: Thread, name: str) -> None:
    """`UploadStore.upload_gone`."""
    db.execute("DELETE FROM upload WHERE thread = ? AND name = ?", (thread.key, name))


def read_upload(row: Row) -> Upload:
    """An upload from the columns of its table, in their order."""
    thread, name, attachment, kind, mime_type, size, uri, expires_at = row
    key = Thread.from_key(thread)
    return Upload(key, name, AttachmentId(attachment), MediaKind(kind), mime_type, size, uri, expires_at)
