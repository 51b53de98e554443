"""What is kept of private threads: questions and answers, as far back as the model is told of them."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from bot.answers import Media, MediaKind, ModelStep, Source, Text
from bot.exchanges import MOST_BYTES, MOST_CHARACTERS, Exchange, Kept
from bot.messages import Attachment, AttachmentId, InteractionId, MessageId, Thread, Turn
from storage.rows import storable

# From an exchange back to those it goes on from, as far as there is room for them.
_CHAIN = """
    WITH RECURSIVE chain (turn, previous, characters, bytes, depth) AS (
        SELECT turn, previous, characters, bytes, 0 FROM exchange
        WHERE thread = :thread AND interaction = :latest
        UNION ALL
        SELECT exchange.turn, exchange.previous, chain.characters + exchange.characters,
               chain.bytes + exchange.bytes, depth + 1
        FROM chain JOIN exchange ON exchange.thread = :thread AND exchange.interaction = chain.previous
        WHERE chain.characters + exchange.characters <= :characters AND chain.bytes + exchange.bytes <= :bytes
    )
"""
_ROOM = {"characters": MOST_CHARACTERS, "bytes": MOST_BYTES}


def exchanges(db: sqlite3.Connection, turn: Turn) -> list[Exchange]:
    """`TurnStore.exchanges`."""
    rows = db.execute(
        _CHAIN + " SELECT exchange.previous, said, answered, is_cut, missing FROM chain"  # noqa: S608 - literals only
        " JOIN exchange ON exchange.thread = :thread AND exchange.turn = chain.turn ORDER BY depth DESC",
        {"thread": turn.thread.key, "latest": turn.previous, **_ROOM},
    )
    return [_exchange(*row) for row in rows]


def is_at_gemini(db: sqlite3.Connection, turn: Turn) -> bool:
    """`TurnStore.is_at_gemini`; the interactions of private answers are not listed."""
    found = db.execute("SELECT 1 FROM interaction WHERE thread = ? AND id = ?", (turn.thread.key, turn.previous))
    return found.fetchone() is not None


def keep(db: sqlite3.Connection, turn: Turn, interaction: InteractionId, exchange: Exchange | None) -> None:
    """Keep an exchange, and those before it that there is room for; without one, none of the thread's any more.

    One that is too large by itself is not kept: then the next turn finds the thread told from its platform again.
    """
    if exchange is None:
        drop(db, turn.thread)
        return
    key = {"thread": turn.thread.key, "turn": turn.id, "latest": interaction}
    said = [[_row(part) for part in told] for told in exchange.said]
    if exchange.characters <= MOST_CHARACTERS and exchange.bytes <= MOST_BYTES:
        db.execute(
            "INSERT INTO exchange"
            " (thread, turn, interaction, previous, said, answered, characters, bytes, is_cut, missing)"
            " VALUES (:thread, :turn, :latest, :previous, :said, :answered, :characters, :bytes, :is_cut, :missing)",
            {
                **key,
                "previous": exchange.previous,
                "said": storable(json.dumps(said, ensure_ascii=False)),
                "answered": storable("\n".join(step.json for step in exchange.answered)),
                "characters": exchange.characters,
                "bytes": exchange.bytes,
                "is_cut": exchange.is_cut,
                "missing": json.dumps(sorted(exchange.missing)) if exchange.missing else None,
            },
        )
    db.execute(
        _CHAIN + " DELETE FROM exchange"  # noqa: S608 - literals only
        " WHERE thread = :thread AND turn NOT IN (SELECT turn FROM chain)",
        {**key, **_ROOM},
    )


def drop(db: sqlite3.Connection, thread: Thread) -> None:
    """Forget every exchange of a thread."""
    db.execute("DELETE FROM exchange WHERE thread = ?", (thread.key,))


def drop_of(db: sqlite3.Connection, thread: Thread, turn: str) -> None:
    """Forget the exchange of a turn that is answered again."""
    db.execute("DELETE FROM exchange WHERE thread = ? AND turn = ?", (thread.key, turn))


def _row(part: Kept) -> dict[str, object]:
    match part:
        case Text(text):
            return {"text": text}
        case Source(message, attachment):
            file = (attachment.id, attachment.name, attachment.mime_type, attachment.size)
            return {"message": message, "file": file}
        case Media():
            return {"kind": part.kind, "mime_type": part.mime_type, "uri": part.uri}


def _exchange(previous: str | None, said: str, answered: str, is_cut: int, missing: str | None) -> Exchange:
    return Exchange(
        None if previous is None else InteractionId(previous),
        tuple(tuple(_kept(part) for part in told) for told in json.loads(said)),
        tuple(ModelStep(line) for line in answered.split("\n") if line),
        is_cut=bool(is_cut),
        missing=_ids(json.loads(missing or "[]")),
    )


def _kept(row: dict[str, Any]) -> Kept:
    if "text" in row:
        return Text(row["text"])
    if "file" in row:
        attachment, name, mime_type, size = row["file"]
        return Source(MessageId(row["message"]), Attachment(AttachmentId(attachment), name, mime_type, size))
    return Media(MediaKind(row["kind"]), row["mime_type"], uri=row["uri"])


def _ids(names: Sequence[str]) -> frozenset[AttachmentId]:
    return frozenset(map(AttachmentId, names))
