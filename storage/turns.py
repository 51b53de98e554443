"""What answering writes: a turn is claimed, gets its interaction and its parts, and ends."""

import sqlite3
from collections.abc import Iterable
from typing import LiteralString

from bot.errors import StaleTurn
from bot.exchanges import Exchange
from bot.messages import InteractionId, MessageId, Part, Refusal, Thread, Turn, Usage
from bot.ports import Claim
from storage import exchanges
from storage.rows import asker_of, part_attachments_column, select_turns, storable
from storage.tally import Tally


def waiting(db: sqlite3.Connection) -> list[Thread]:
    """`TurnStore.waiting`."""
    rows = db.execute(
        "SELECT thread FROM turn WHERE ended_at IS NULL AND state = 'queued'"
        " GROUP BY thread ORDER BY MIN(created_at), thread"
    )
    return [Thread.from_key(key) for (key,) in rows.fetchall()]


def running(db: sqlite3.Connection) -> list[Turn]:
    """`TurnStore.running`."""
    return select_turns(db, "turn.ended_at IS NULL AND turn.state = 'running'", {}, order="claimed_at, turn.thread")


def claim(db: sqlite3.Connection, tally: Tally, thread: Thread, *, now: float) -> Claim | None:
    """`TurnStore.claim`."""
    # The running turn, if any, comes first: it was the oldest when it was taken, and none is queued before another.
    found = db.execute(
        "SELECT id, state, asker, refusal IS NULL FROM turn WHERE thread = ? AND ended_at IS NULL"
        " ORDER BY sequence LIMIT 1",
        (thread.key,),
    ).fetchone()
    if found is None or found[1] == "running":
        return None
    turn, _, asker, counts = found
    today_by_asker, today_in_all = tally.counted(db, asker, now)
    db.execute(
        "UPDATE turn SET state = 'running', asks = 1, claimed_at = :now, counted = :counts,"
        " (epoch, previous) = (SELECT epoch, latest FROM thread WHERE thread = :thread)"
        " WHERE thread = :thread AND id = :turn",
        {"thread": thread.key, "turn": turn, "now": now, "counts": counts},
    )
    if counts:
        tally.change(asker, now, +1)
    (claimed,) = select_turns(
        db, "turn.thread = :thread AND turn.id = :turn", {"thread": thread.key, "turn": turn}, order="turn.sequence"
    )
    return Claim(claimed, today_by_asker, today_in_all)


def uncount(db: sqlite3.Connection, tally: Tally, turn: Turn) -> None:
    """`TurnStore.uncount`."""
    key = (turn.thread.key, turn.id)
    found = db.execute("SELECT claimed_at FROM turn WHERE thread = ? AND id = ? AND counted = 1", key).fetchone()
    if found is not None:
        db.execute("UPDATE turn SET counted = 0 WHERE thread = ? AND id = ?", key)
        tally.change(asker_of(turn.thread, turn.asker), found[0], -1)


def asking(db: sqlite3.Connection, turn: Turn, after: InteractionId | None) -> None:
    """`TurnStore.asking`."""
    update(db, turn, "asks = asks + 1, previous = :after", {"after": after})


def created(db: sqlite3.Connection, turn: Turn, interaction: InteractionId, *, now: float) -> bool:
    """`TurnStore.created`; False for a stale turn, whose interaction is noted all the same: it has to be deleted."""
    keep_interaction(db, turn, interaction, now)
    return try_update(db, turn, "interaction = :interaction, begun_at = NULL", {"interaction": interaction})


def shown(db: sqlite3.Connection, turn: Turn, part: Part, *, keeps_text: bool) -> None:
    """`TurnStore.shown`; a reply that is being stopped still gets its last touch, though the thread was reset."""
    changed = db.execute(
        "INSERT INTO part (thread, turn, number, message_id, digest, text, attachments)"
        " SELECT turn.thread, turn.id, :number, :message, :digest, :text, :attachments"
        " FROM turn JOIN thread ON thread.thread = turn.thread"
        " WHERE turn.thread = :thread AND turn.id = :turn AND turn.state = 'running'"
        " AND (turn.epoch = thread.epoch OR turn.stopping)"
        " ON CONFLICT (thread, turn, number) DO UPDATE SET message_id = excluded.message_id, digest = excluded.digest,"
        " text = excluded.text, attachments = excluded.attachments",
        {
            "thread": turn.thread.key,
            "turn": turn.id,
            "number": part.number,
            "message": part.message_id,
            "digest": part.digest,
            "text": storable(part.text) if keeps_text and part.text is not None else None,
            "attachments": part_attachments_column(part.attachments) if keeps_text else None,
        },
    ).rowcount
    if not changed:
        raise stale(turn)


def answered(
    db: sqlite3.Connection,
    turn: Turn,
    interaction: InteractionId,
    usage: Usage,
    model: str,
    *,
    told: Iterable[MessageId],
    exchange: Exchange | None,
    keeps_text: bool,
    now: float,
) -> None:
    """`TurnStore.answered`; an answer that is whole counts, even if stop was pressed at the last moment."""
    update(
        db,
        turn,
        # All that an agent read in its searches is no part of the chain: of its work the report alone is.
        "state = 'answered', interaction = :interaction, model = :model, ended_at = :now,"
        " chain_tokens = CASE WHEN agent IS NULL THEN :length ELSE :made END",
        {
            "interaction": interaction,
            "model": model,
            "length": usage.chain_tokens,
            "made": usage.output_tokens,
            "now": now,
        },
    )
    bill(db, turn, usage)
    db.execute("UPDATE thread SET latest = ?, updated_at = ? WHERE thread = ?", (interaction, now, turn.thread.key))
    exchanges.keep(db, turn, interaction, exchange)
    if exchange is None:
        keep_interaction(db, turn, interaction, now)
    db.executemany(
        "UPDATE message SET is_overheard = 0 WHERE thread = ? AND id = ?",
        [(turn.thread.key, message) for message in told],
    )
    if not keeps_text:
        blank_messages(db, turn)


def failed(db: sqlite3.Connection, turn: Turn, notice: str, *, tell: bool, keeps_text: bool, now: float) -> None:
    """`TurnStore.failed`."""
    update(
        db,
        turn,
        "state = 'failed', notice = :notice, tell = :tell, ended_at = :now",
        {"notice": storable(notice) if keeps_text else None, "tell": tell, "now": now},
    )
    db.execute("UPDATE thread SET updated_at = ? WHERE thread = ?", (now, turn.thread.key))
    if not keeps_text:
        blank_messages(db, turn)


def refuse(db: sqlite3.Connection, tally: Tally, turn: Turn, refusal: Refusal) -> bool:
    """`TurnStore.refuse`."""
    uncount(db, tally, turn)
    update(db, turn, "refusal = :refusal", {"refusal": refusal})
    blank_messages(db, turn)
    platform, installation = turn.thread.platform, turn.thread.installation_id
    told = db.execute(
        "SELECT 1 FROM turn"
        " WHERE refusal = ? AND asker = ? AND state = 'failed' AND thread >= ? AND thread < ? LIMIT 1",
        (refusal, asker_of(turn.thread, turn.asker), f"{platform}:{installation}:", f"{platform}:{installation};"),
    ).fetchone()
    return told is None


def never_told(db: sqlite3.Connection, thread: Thread) -> frozenset[MessageId]:
    """`TurnStore.never_told`."""
    rows = db.execute(
        "SELECT id FROM message WHERE thread = :thread AND (is_command OR turn IN"
        " (SELECT id FROM turn WHERE thread = :thread AND state = 'failed' AND NOT tell))"
        " UNION SELECT message_id FROM part WHERE thread = :thread AND turn IN"
        " (SELECT id FROM turn WHERE thread = :thread AND state = 'failed')",
        {"thread": thread.key},
    )
    return frozenset(MessageId(message) for (message,) in rows)


def stopped(db: sqlite3.Connection, turn: Turn, *, keeps_text: bool, now: float) -> bool:
    """`TurnStore.stopped`; after a reset nothing of what was asked and said is kept, and this tells so."""
    key = (turn.thread.key, turn.id)
    changed = db.execute(
        "UPDATE turn SET state = 'stopped', tell = 1, ended_at = ? WHERE thread = ? AND id = ? AND state = 'running'",
        (now, *key),
    ).rowcount
    if not changed:
        return False
    db.execute("UPDATE thread SET updated_at = ? WHERE thread = ?", (now, turn.thread.key))
    was_reset: int = db.execute(
        "SELECT turn.epoch < thread.epoch FROM turn JOIN thread ON thread.thread = turn.thread"
        " WHERE turn.thread = ? AND turn.id = ?",
        key,
    ).fetchone()[0]
    if was_reset or not keeps_text:
        blank_messages(db, turn)
    if was_reset:
        db.execute("UPDATE part SET text = NULL, attachments = NULL WHERE thread = ? AND turn = ?", key)
    return bool(was_reset)


def untold(db: sqlite3.Connection, turn: Turn) -> list[Turn]:
    """`TurnStore.untold`; what a reset left behind is told to nobody."""
    return select_turns(
        db,
        "turn.thread = :thread AND turn.epoch = thread.epoch AND turn.state IN ('failed', 'stopped') AND turn.tell = 1"
        " AND turn.sequence < (SELECT sequence FROM turn WHERE thread = :thread AND id = :turn)"
        " AND turn.sequence > (SELECT COALESCE(MAX(answered.sequence), -1) FROM turn AS answered"
        " WHERE answered.thread = :thread AND answered.state = 'answered')",
        {"thread": turn.thread.key, "turn": turn.id},
        order="turn.sequence",
    )


def blank_messages(db: sqlite3.Connection, turn: Turn) -> None:
    """Forget what was said in an ended turn; that it was said stays known."""
    db.execute(
        "UPDATE message SET text = NULL, attachment_details = NULL WHERE thread = ? AND turn = ?",
        (turn.thread.key, turn.id),
    )


def bill(db: sqlite3.Connection, turn: Turn, usage: Usage) -> None:
    """Add to what the turn took; a summary that was made for it comes before its answer."""
    took = (
        usage.input_tokens,
        usage.output_tokens,
        usage.thought_tokens,
        usage.cached_tokens,
        usage.tool_tokens,
        usage.total_tokens,
        usage.searches,
    )
    db.execute(
        "UPDATE turn SET input_tokens = COALESCE(input_tokens, 0) + ?, output_tokens = COALESCE(output_tokens, 0) + ?,"
        " thought_tokens = COALESCE(thought_tokens, 0) + ?, cached_tokens = COALESCE(cached_tokens, 0) + ?,"
        " tool_tokens = COALESCE(tool_tokens, 0) + ?, total_tokens = COALESCE(total_tokens, 0) + ?,"
        " searches = COALESCE(searches, 0) + ?"
        " WHERE thread = ? AND id = ?",
        (*took, turn.thread.key, turn.id),
    )


def try_update(db: sqlite3.Connection, turn: Turn, changes: LiteralString, values: dict[str, object]) -> bool:
    """Change the turn as `update` does; False when it is stale."""
    try:
        update(db, turn, changes, values)
    except StaleTurn:
        return False
    return True


def update(db: sqlite3.Connection, turn: Turn, changes: LiteralString, values: dict[str, object]) -> None:
    """Change the turn if it is being answered in its thread's present epoch; raise, and change nothing, otherwise."""
    changed = db.execute(
        "UPDATE turn SET " + changes + " WHERE thread = :thread AND id = :turn AND state = 'running'"  # noqa: S608 - literals only
        " AND epoch = (SELECT epoch FROM thread WHERE thread = :thread)",
        {"thread": turn.thread.key, "turn": turn.id, **values},
    ).rowcount
    if not changed:
        raise stale(turn)


def stale(turn: Turn) -> StaleTurn:
    """What is raised when a turn is written to that is not the running one any more."""
    return StaleTurn(f"turn {turn.id} of {turn.thread.key} is not the running one any more")


def keep_interaction(db: sqlite3.Connection, turn: Turn, interaction: InteractionId, now: float) -> None:
    """Note that an interaction exists at Gemini, for its thread's forgetting."""
    db.execute(
        "INSERT INTO interaction (thread, id, turn, created_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (thread, id) DO NOTHING",
        (turn.thread.key, interaction, turn.id, now),
    )
