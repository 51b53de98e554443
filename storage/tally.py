"""How many turns were taken today, kept in memory beside the database that can tell it again."""

import sqlite3
from collections import Counter

DAY = 86_400  # seconds; days are UTC, as seconds since the epoch are
DAYS_COUNTED = 400  # for which it is known what erased turns took: the bill of a year


class Tally:
    """The day's counted turns by asker.

    Counting rows anew for every claim would cost more with every turn of the day. One process owns the database,
    so what was counted once stays true as long as every change is told, and every rollback forgets it all.
    """

    def __init__(self) -> None:
        self._day: int | None = None
        self._by_asker: Counter[str] = Counter()
        self._in_all = 0

    def counted(self, db: sqlite3.Connection, asker: str, now: float) -> tuple[int, int]:
        """How many turns were counted on the day of *now*, this asker's and everybody's.

        With the first turn of a day the counts go that have become too old.
        """
        day = int(now // DAY)
        if day != self._day:
            db.execute("DELETE FROM erased_turn WHERE day < ?", (day - DAYS_COUNTED,))
            rows = db.execute(
                "SELECT asker, COUNT(*) FROM turn"
                " WHERE counted = 1 AND claimed_at >= ? AND claimed_at < ? GROUP BY asker",
                (day * DAY, (day + 1) * DAY),
            )
            self._by_asker = Counter(dict(rows.fetchall()))
            # Forgetting a conversation gives nobody back the turns it took.
            erased = db.execute("SELECT asker, SUM(turns) FROM erased_turn WHERE day = ? GROUP BY asker", (day,))
            self._by_asker.update(dict(erased.fetchall()))
            self._in_all = self._by_asker.total()
            self._day = day
        return self._by_asker[asker], self._in_all

    def change(self, asker: str, claimed_at: float, by: int) -> None:
        """Take note of a turn that is counted from here on, or not any more."""
        if int(claimed_at // DAY) == self._day:
            self._by_asker[asker] += by
            self._in_all += by

    def forget(self) -> None:
        """Count anew the next time: what was noted may not have been committed."""
        self._day = None
