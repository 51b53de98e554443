"""What is read of the books: a thread's turns with what each took, and what people spent."""

import sqlite3
from datetime import UTC, datetime
from typing import LiteralString

from bot.messages import InteractionId, PersonId, Platform, Thread, TurnState, Usage
from bot.ports import Booked, Spent
from storage.tally import DAY

_WHOSE: LiteralString = (
    " AND (:first IS NULL OR (asker >= :first AND asker < :last)) AND (:asker IS NULL OR asker = :asker)"
)
_SPENT: LiteralString = (
    "SELECT day, asker, model, SUM(turns), SUM(given), SUM(made), SUM(thought), "  # noqa: S608 - literals only
    "SUM(cached), SUM(tool), SUM(total), SUM(searches)"
    " FROM (SELECT CAST(claimed_at / :length AS INTEGER) AS day, asker, model, 1 AS turns, input_tokens AS given,"
    " output_tokens AS made, thought_tokens AS thought, cached_tokens AS cached, tool_tokens AS tool,"
    " total_tokens AS total, searches FROM turn WHERE counted = 1 AND claimed_at >= :since AND model IS NOT NULL"
    + _WHOSE
    + " UNION ALL SELECT day, asker, model, turns, input_tokens, output_tokens, thought_tokens, cached_tokens,"
    " tool_tokens, total_tokens, searches"
    " FROM erased_turn WHERE day >= CAST(:since / :length AS INTEGER) AND model <> ''"
    + _WHOSE
    + ") GROUP BY day, asker, model ORDER BY day DESC, model, asker"
)


def booked(db: sqlite3.Connection, thread: Thread, *, most: int) -> tuple[list[Booked], int]:
    """`BookStore.booked`."""
    rows = db.execute(
        "SELECT turn.state, turn.created_at, turn.interaction, turn.model, input_tokens, output_tokens, thought_tokens,"
        " cached_tokens, tool_tokens, total_tokens, searches, COUNT(*) OVER ()"
        " FROM turn JOIN thread ON thread.thread = turn.thread AND thread.epoch = turn.epoch"
        " WHERE turn.thread = ? AND turn.state <> 'superseded' AND turn.refusal IS NULL"
        " ORDER BY turn.sequence DESC LIMIT ?",
        (thread.key, most),
    ).fetchall()
    turns = [
        Booked(
            TurnState(state),
            created_at,
            None if interaction is None else InteractionId(interaction),
            model,
            None if model is None else _usage(*took),
        )
        for state, created_at, interaction, model, *took, _ in rows
    ]
    return turns, rows[0][-1] if rows else 0


def spent(
    db: sqlite3.Connection, *, since: float, platform: Platform | None = None, person: PersonId | None = None
) -> list[Spent]:
    """`BookStore.spent`; over the index of counted turns, so that it does not grow with the age of the database.

    Of what was erased only the days are known, so of the first one all of it is told.
    """
    rows = db.execute(
        _SPENT,
        {
            "length": float(DAY),
            "since": since,
            "first": None if platform is None else f"{platform}:",
            "last": None if platform is None else f"{platform};",  # ';' follows ':'
            "asker": None if platform is None or person is None else f"{platform}:{person}",
        },
    )
    return [
        Spent(datetime.fromtimestamp(day * DAY, UTC).date(), asker, model, turns, _usage(*took))
        for day, asker, model, turns, *took in rows
    ]


def find_thread(db: sqlite3.Connection, platform: Platform, channel_id: str | None, thread_id: str) -> Thread | None:
    """The thread of an id, of whichever installation, and of whichever channel when none is given."""
    ending = f":{thread_id}" if channel_id is None else f":{channel_id}:{thread_id}"
    row = db.execute(
        "SELECT thread FROM thread WHERE thread >= ? AND thread < ? AND SUBSTR(thread, -LENGTH(?)) = ? LIMIT 1",
        (f"{platform}:", f"{platform};", ending, ending),
    ).fetchone()
    return None if row is None else Thread.from_key(row[0])


def is_known(db: sqlite3.Connection, thread: Thread) -> bool:
    """Whether anything was ever said to the bot in a thread."""
    return db.execute("SELECT 1 FROM thread WHERE thread = ?", (thread.key,)).fetchone() is not None


def _usage(*took: float | None) -> Usage:
    """The columns input, output, thought, cached, tool, total and searches."""
    given, made, thought, cached, tool, total, searches = (int(each or 0) for each in took)
    return Usage(given, made, thought, cached, tool, total, searches)
