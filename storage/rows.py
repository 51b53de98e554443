"""Between the rows of the database and the values of the core."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, LiteralString

from bot.messages import (
    Address,
    Attachment,
    AttachmentId,
    InteractionId,
    Message,
    MessageId,
    Part,
    Person,
    PersonId,
    Refusal,
    Standing,
    Thread,
    Turn,
    TurnId,
    TurnState,
)

_TURN: LiteralString = """
    SELECT turn.thread, turn.id, turn.epoch, turn.state, turn.created_at, turn.previous, turn.interaction, turn.asks,
           turn.stopping, turn.refusal, turn.notice, turn.tell, turn.summary, turn.ended_at,
           turn.agent, turn.begun_at, thread.reset_at
    FROM turn JOIN thread ON thread.thread = turn.thread
    WHERE """
_MESSAGE: LiteralString = """
    SELECT message.thread, message.turn, message.id, message.author, message.author_name, message.author_standing,
           message.text, message.sent_at, message.attachment_ids, message.attachment_details, message.address,
           message.is_root
    FROM turn
    JOIN thread ON thread.thread = turn.thread
    JOIN message ON message.thread = turn.thread AND message.turn = turn.id
    WHERE """
_PART: LiteralString = """
    SELECT part.thread, part.turn, part.number, part.message_id, part.digest, part.text, part.attachments
    FROM turn
    JOIN thread ON thread.thread = turn.thread
    JOIN part ON part.thread = turn.thread AND part.turn = turn.id
    WHERE """

Row = tuple[Any, ...]
"""Columns as SQLite hands them over; they become values in this module."""


def select_turns(
    db: sqlite3.Connection, condition: LiteralString, parameters: dict[str, object], *, order: LiteralString
) -> list[Turn]:
    """The turns for which *condition*, over the tables `turn` and `thread`, is true; with messages and parts."""
    rows = db.execute(_TURN + condition + " ORDER BY " + order, parameters).fetchall()
    if not rows:
        return []
    messages = _by_turn(
        db.execute(_MESSAGE + condition + " ORDER BY turn.thread, turn.id, message.position", parameters)
    )
    overheard: dict[str, frozenset[MessageId]] = {
        thread: frozenset(
            MessageId(message)
            for (message,) in db.execute("SELECT id FROM message WHERE thread = ? AND is_overheard = 1", (thread,))
        )
        for thread in {row[0] for row in rows}
    }
    parts = _by_turn(db.execute(_PART + condition + " ORDER BY turn.thread, turn.id, part.number", parameters))
    return [_turn(row, messages.get(row[:2], ()), parts.get(row[:2], ()), overheard[row[0]]) for row in rows]


def attachment_columns(attachments: Sequence[Attachment]) -> tuple[str | None, str | None]:
    """The ids, which stay, and the details, which are blanked with the text."""
    if not attachments:
        return None, None
    ids = [attachment.id for attachment in attachments]
    details = [(attachment.name, attachment.mime_type, attachment.size) for attachment in attachments]
    return json.dumps(ids), json.dumps(details)


def part_attachments_column(attachments: Sequence[Attachment]) -> str | None:
    """The attachments of a part, ids and details together."""
    if not attachments:
        return None
    return json.dumps([(each.id, each.name, each.mime_type, each.size, each.alt) for each in attachments])


def storable(text: str) -> str:
    """The text without the halves of surrogate pairs that JSON can smuggle in and no database takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def asker_of(thread: Thread, person: Person) -> str:
    """The person as the day's counts know them: a platform's ids mean nothing on another."""
    return f"{thread.platform}:{person.id}"


def _by_turn(rows: Iterable[Row]) -> dict[Row, list[Row]]:
    return {turn: list(group) for turn, group in groupby(rows, key=itemgetter(0, 1))}


def _turn(row: Row, messages: Iterable[Row], parts: Iterable[Row], overheard: frozenset[MessageId]) -> Turn:
    thread = Thread.from_key(row[0])
    _, turn, epoch, state, created_at, previous, interaction, asks, stopping, refusal, notice, tell, *rest = row
    summary, ended_at, agent, begun_at, since = rest
    return Turn(
        id=TurnId(turn),
        thread=thread,
        epoch=epoch,
        state=TurnState(state),
        messages=tuple(_message(thread, message) for message in messages),
        created_at=created_at,
        previous=None if previous is None else InteractionId(previous),
        interaction=None if interaction is None else InteractionId(interaction),
        asks=asks,
        parts=tuple(_part(part) for part in parts),
        stopping=bool(stopping),
        refusal=None if refusal is None else Refusal(refusal),
        notice=notice,
        tell=bool(tell),
        summary=InteractionId(summary) if summary else None,  # empty: asked for in vain
        ended_at=ended_at,
        agent=agent,
        begun_at=begun_at,
        since=since,
        overheard=overheard,
    )


def _message(thread: Thread, row: Row) -> Message:
    _, _, message, author, author_name, standing, text, sent_at, ids, details, address, is_root = row
    return Message(
        thread=thread,
        id=MessageId(message),
        author=Person(PersonId(author), author_name, None if standing is None else Standing(standing)),
        text=text,
        sent_at=sent_at,
        attachments=attachments_in(ids, details),
        address=Address(address),
        is_root=bool(is_root),
    )


def attachments_in(ids: str | None, details: str | None) -> tuple[Attachment, ...]:
    """The attachments that two columns hold; without names once they were blanked."""
    if ids is None:
        return ()
    if details is None:  # blanked
        return tuple(Attachment(AttachmentId(attachment), "") for attachment in json.loads(ids))
    return tuple(
        Attachment(AttachmentId(attachment), name, mime_type, size)
        for attachment, (name, mime_type, size) in zip(json.loads(ids), json.loads(details), strict=True)
    )


def _part(row: Row) -> Part:
    _, _, number, message, digest, text, attachments = row
    return Part(
        number=number,
        message_id=MessageId(message),
        digest=digest,
        text=text,
        attachments=tuple(
            Attachment(AttachmentId(attachment), name, mime_type, size, *alt)  # none where an older version wrote it
            for attachment, name, mime_type, size, *alt in json.loads(attachments or "[]")
        ),
    )
