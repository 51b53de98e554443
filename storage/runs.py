"""What runs at Gemini in the background: counted before it is begun, noted when it is, until it has ended."""

import sqlite3
from collections.abc import Callable, Sequence

from bot.messages import InteractionId, Thread, Turn
from bot.ports import Run
from storage.commits import Commits
from storage.tally import DAY
from storage.turns import keep_interaction, stale, try_update, update


class SqliteRuns:
    """`RunStore` over the database of the other stores."""

    def __init__(self, commits: Commits, *, now: Callable[[], float]) -> None:
        self._write, self._read, self._now = commits.write, commits.read, now

    async def researched(self) -> int:
        now = self._now()
        return await self._read(lambda db: researched(db, now=now))

    async def researching(self, turn: Turn, agent: str, *, most: int) -> bool:
        now = self._now()
        return await self._write(lambda db: researching(db, turn, agent, most=most, now=now))

    async def not_begun(self, turn: Turn) -> None:
        now = self._now()
        await self._write(lambda db: not_begun(db, turn, now=now))

    async def began(self, turn: Turn, interaction: InteractionId) -> None:
        now = self._now()
        if not await self._write(lambda db: began(db, turn, interaction, now=now)):
            raise stale(turn)

    async def ended(self, interaction: InteractionId) -> None:
        await self._write(lambda db: ended(db, interaction))

    async def unwanted(self) -> Sequence[Run]:
        return await self._read(unwanted)


def researched(db: sqlite3.Connection, *, now: float) -> int:
    """`RunStore.researched`."""
    row = db.execute("SELECT begun FROM research WHERE day = ?", (int(now // DAY),)).fetchone()
    return 0 if row is None else int(row[0])


def researching(db: sqlite3.Connection, turn: Turn, agent: str, *, most: int, now: float) -> bool:
    """`RunStore.researching`; of the days before nobody asks any more."""
    if researched(db, now=now) >= most:
        return False
    update(db, turn, "agent = :agent", {"agent": agent})
    day = int(now // DAY)
    db.execute("DELETE FROM research WHERE day < ?", (day,))
    db.execute("INSERT INTO research VALUES (?, 1) ON CONFLICT (day) DO UPDATE SET begun = begun + 1", (day,))
    return True


def not_begun(db: sqlite3.Connection, turn: Turn, *, now: float) -> None:
    """`RunStore.not_begun`; one that was counted yesterday is counted no more anyway."""
    changed = db.execute(
        "UPDATE turn SET agent = NULL WHERE thread = ? AND id = ? AND agent IS NOT NULL", (turn.thread.key, turn.id)
    ).rowcount
    db.execute("UPDATE research SET begun = begun - ? WHERE day = ? AND begun > 0", (changed, int(now // DAY)))


def began(db: sqlite3.Connection, turn: Turn, interaction: InteractionId, *, now: float) -> bool:
    """`RunStore.began`; False for a stale turn, whose interaction has to be cancelled, and deleted."""
    keep_interaction(db, turn, interaction, now)
    db.execute("UPDATE interaction SET runs = 1 WHERE thread = ? AND id = ?", (turn.thread.key, interaction))
    return try_update(db, turn, "interaction = :interaction, begun_at = :now", {"interaction": interaction, "now": now})


def ended(db: sqlite3.Connection, interaction: InteractionId) -> None:
    """`RunStore.ended`."""
    db.execute("UPDATE interaction SET runs = 0 WHERE runs = 1 AND id = ?", (interaction,))


def unwanted(db: sqlite3.Connection) -> list[Run]:
    """`RunStore.unwanted`."""
    rows = db.execute(
        "SELECT interaction.id, interaction.thread FROM interaction WHERE runs = 1 AND NOT EXISTS"
        " (SELECT 1 FROM turn JOIN thread ON thread.thread = turn.thread AND thread.epoch = turn.epoch"
        " WHERE turn.thread = interaction.thread AND turn.id = interaction.turn AND turn.interaction = interaction.id"
        " AND turn.state = 'running' AND NOT turn.stopping) ORDER BY created_at"
    )
    return [Run(InteractionId(interaction), Thread.from_key(thread)) for interaction, thread in rows.fetchall()]
