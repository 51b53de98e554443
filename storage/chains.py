"""How long the chain of a thread is, and the summaries with which new ones begin."""

import sqlite3
from collections.abc import Callable

from bot.messages import InteractionId, Turn, Usage
from bot.ports import Chain, Growth
from storage.commits import Commits
from storage.turns import bill, keep_interaction, stale, try_update

_IN_VAIN = ""  # where the summary's interaction would stand


class SqliteChains:
    """`ChainStore` over the database of the other stores."""

    def __init__(self, commits: Commits, *, now: Callable[[], float]) -> None:
        self._write, self._read, self._now = commits.write, commits.read, now

    async def chain(self, turn: Turn, *, most: int) -> Chain:
        return await self._read(lambda db: chain(db, turn, most=most))

    async def summing_up(self, turn: Turn, summary: InteractionId | None) -> None:
        now = self._now()
        if not await self._write(lambda db: summing_up(db, turn, summary, now=now)):
            raise stale(turn)

    async def summed_up(self, turn: Turn, usage: Usage) -> None:
        await self._write(lambda db: summed_up(db, turn, usage))


def chain(db: sqlite3.Connection, turn: Turn, *, most: int) -> Chain:
    """`ChainStore.chain`; a retry is answered in the place of the last turn, so answered ones stand in their order."""
    rows = db.execute(
        "SELECT interaction, COALESCE(chain_tokens, input_tokens + output_tokens, 0), COALESCE(summary = '', 0),"
        " COALESCE(summary, '') <> '' OR previous IS NULL, EXISTS"
        " (SELECT 1 FROM interaction WHERE interaction.thread = turn.thread AND interaction.id = turn.interaction)"
        " FROM turn WHERE thread = :thread AND state = 'answered'"
        " AND epoch = (SELECT epoch FROM thread WHERE thread = :thread) ORDER BY sequence DESC LIMIT :most",
        {"thread": turn.thread.key, "most": most},
    )
    interactions: list[InteractionId] = []
    tokens = 0
    since: Growth | None = None
    for interaction, length, was_in_vain, begins, is_at_gemini in rows:
        if not is_at_gemini:  # a private answer: the turn after it began a chain
            break
        tokens = tokens or length
        interactions.append(InteractionId(interaction))
        if was_in_vain and since is None:
            since = Growth(len(interactions), max(0, tokens - length))
        if begins:
            break
    return Chain(len(interactions), tokens, tuple(interactions), since)


def summing_up(db: sqlite3.Connection, turn: Turn, summary: InteractionId | None, *, now: float) -> bool:
    """`ChainStore.summing_up`; False for a stale turn, whose summary is noted all the same: it has to be deleted."""
    if summary is not None:
        keep_interaction(db, turn, summary, now)
    return try_update(db, turn, "summary = :summary", {"summary": summary or _IN_VAIN})


def summed_up(db: sqlite3.Connection, turn: Turn, usage: Usage) -> None:
    """`ChainStore.summed_up`; before its answer a turn has taken nothing but that."""
    key = (turn.thread.key, turn.id)
    if db.execute("SELECT 1 FROM turn WHERE thread = ? AND id = ? AND total_tokens IS NULL", key).fetchone():
        bill(db, turn, usage)
