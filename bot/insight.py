"""What people are told of their threads and of what they used, in Markdown; and the operator, in plain lines."""

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Final

from bot.messages import Person, Platform, Thread, Usage
from bot.policy import Policy
from bot.ports import BookStore, Keeper, Spent
from bot.prices import READ_ON, Bill, bill
from bot.retrieval import AT_ONCE, MOST_TURNS, Held, Recollection, beginning, recollect

DAY: Final = 86_400.0  # seconds; days are UTC
MOST_DAYS: Final = 30

_SPECIAL = re.compile(r"[!-/:-@\[-`{-~]")
_NO_TURNS = "Nothing was asked in this thread since it began, or since it was last reset."
_HELD = {
    Held.LOST: "Gemini does not know it any more",
    Held.NOTHING: "nothing of it is at Gemini",
    Held.UNTOLD: "Gemini cannot be asked just now",
    Held.REFUSED: "Gemini refuses the API key: tell the operator, who needs to look at GEMINI_API_KEY",
}
_PRIVATE = "not kept at Gemini: this is a private conversation"
_OFFLINE = "The built-in offline model costs nothing."
_ESTIMATE = (
    f"Prices are an estimate from Google's list of {READ_ON.isoformat()} for paid keys: without taxes, and of what is "
    "paid by the piece with searches alone, of which Google gives the first of a month away. "
    "Answers that were stopped or failed are not counted."
)


class Insight:
    """Tells what is known.

    Args:
        is_offline: the built-in offline model answers, and nothing is paid.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        store: BookStore,
        keeper: Keeper,
        policy: Policy,
        is_offline: bool,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._keeper, self._policy = store, keeper, policy
        self._is_offline, self._now = is_offline, now
        self._room = asyncio.Semaphore(AT_ONCE)  # one for all who ask, however many

    async def history(self, thread: Thread) -> str:
        """The turns of a thread as Gemini holds them. Markdown. Raises StoreError."""
        found, number = await recollect(thread, store=self._store, keeper=self._keeper, room=self._room)
        if not found:
            return _NO_TURNS
        is_private = self._policy.is_private(thread)
        head = f"{_counted(number, 'turn')} in this thread as Gemini holds them, the newest first. Times are UTC."
        return "\n\n".join([head, *(_told(one, is_private=is_private) for one in found), *_older(number, len(found))])

    async def usage(self, platform: Platform, person: Person | None) -> str:
        """What somebody used today and lately, or for None everybody of a platform. Markdown. Raises StoreError."""
        today = datetime.fromtimestamp(self._now(), UTC).date()
        spent = await self._store.spent(
            since=_since(self._now(), MOST_DAYS), platform=platform, person=None if person is None else person.id
        )
        if not spent:
            return f"I have answered nothing of yours in the last {MOST_DAYS} days."
        by_model = sorted(spent, key=attrgetter("model"))
        models = [
            f"- `{model.replace('`', '')}`: {_spent(bill(group), is_free=self._is_offline)}"
            for model, group in groupby(by_model, key=attrgetter("model"))
        ]
        todays = bill(one for one in spent if one.day == today)
        lines = [
            f"**Today** (UTC): {_spent(todays, is_free=self._is_offline)}.",
            f"**In the last {MOST_DAYS} days**: {_spent(bill(spent), is_free=self._is_offline)}. By model:",
            "\n".join(models),
            _OFFLINE if self._is_offline else _ESTIMATE,
        ]
        return "\n\n".join(lines)


def plain_history(thread: Thread, found: Sequence[Recollection], number: int, *, is_private: bool) -> Iterator[str]:
    """The turns of a thread for a terminal, with the ids of their interactions."""
    yield f"{thread.key}: {_counted(number, 'turn')} since it began or was last reset, the newest first, times in UTC"
    for one in found:
        yield ""
        # Models and ids are Gemini's words, and a terminal obeys whatever it is shown.
        yield beginning(f"{one.number}. " + " · ".join(_facts(one, is_private=is_private)), most=500)
        if one.turn.interaction is not None:
            yield f"   {beginning(one.turn.interaction, most=500)}"
        yield from (f"   {name}: {text}" for name, text in _texts(one))
    yield from ("", *_older(number, len(found))) if number > len(found) else ()


def plain_usage(spent: Sequence[Spent], *, days: int, is_free: bool) -> Iterator[str]:
    """What was used, for a terminal: by day and model, by person, and in all."""
    if not spent:
        yield f"Nothing was answered in the last {_counted(days, 'day')}."
        return
    by_day = groupby(spent, key=lambda one: (one.day.isoformat(), beginning(one.model)))
    by_person = groupby(sorted(spent, key=attrgetter("asker")), key=lambda one: (one.asker, ""))
    rows = [("day (UTC)", "model", *_COLUMNS), *_rows(by_day, is_free=is_free)]
    people = [("person", "", *_COLUMNS), *_rows(by_person, is_free=is_free)]
    total = bill(spent)
    yield from _table(
        [*rows, *people, ("in all", "", *_cells(total, is_free=is_free))], gaps={len(rows), len(rows + people)}
    )
    yield ""
    if is_free:
        yield _OFFLINE
        return
    yield _ESTIMATE
    if total.unpriced:
        yield f"No price is known of {', '.join(map(beginning, total.unpriced))}; what it cost is not in the sums."


def since(now: float, days: int) -> float:
    """When the day began that was *days* - 1 days ago, so that today is one of them. Seconds since the epoch."""
    return (now // DAY - days + 1) * DAY


_since = since
_COLUMNS = ("turns", "input", "cached", "output", "thought", "tools", "searches", "US dollars")


def _told(one: Recollection, *, is_private: bool) -> str:
    lines = [" · ".join([f"**{one.number}**", *map(_escaped, _facts(one, is_private=is_private))])]
    lines += [f"{name}: {_escaped(text)}" for name, text in _texts(one)]
    return "\\\n".join(lines)  # with breaks, or HTML shows all of it as one line


def _facts(one: Recollection, *, is_private: bool) -> Iterator[str]:
    """When, how it ended, which model, what it took, and what is wrong with it."""
    yield datetime.fromtimestamp(one.turn.asked_at, UTC).strftime("%Y-%m-%d %H:%M")
    yield one.turn.state.value
    found = one.found
    model = one.turn.model or (found.model if found else None)
    usage = one.turn.usage or (found.usage if found and found.usage.total_tokens else None)
    if model:
        yield model
    if usage is not None:
        yield _tokens(usage)
    if found is not None and found.status != "completed":
        yield f"{found.status} at Gemini"
    if found is None:
        yield _PRIVATE if is_private and one.held is Held.LOST else _HELD[one.held]


def _texts(one: Recollection) -> Iterator[tuple[str, str]]:
    if one.question:
        yield "Asked", one.question
    if one.answer:
        yield "Answered", one.answer


def _older(number: int, shown: int) -> Sequence[str]:
    return (f"Only the newest {MOST_TURNS} are shown.",) if number > shown else ()


def _spent(one: Bill, *, is_free: bool) -> str:
    told = f"{_counted(one.turns, 'answer')}, {_tokens(one.usage)}"
    if is_free or not one.turns:
        return told
    if one.unpriced and not one.dollars:
        return f"{told}, no price known"
    return f"{told}, about ${_dollars(one.dollars)}" + (" and what has no price" if one.unpriced else "")


def _tokens(usage: Usage) -> str:
    given = f"{usage.input_tokens + usage.tool_tokens:,} tokens in"
    if usage.cached_tokens:
        given += f" ({usage.cached_tokens:,} of them cached)"
    made = f"{usage.output_tokens + usage.thought_tokens:,} out"
    return ", ".join([given, made, *([_counted(usage.searches, "search", "searches")] if usage.searches else [])])


def _rows(groups: Iterable[tuple[tuple[str, str], Iterable[Spent]]], *, is_free: bool) -> Iterator[tuple[str, ...]]:
    for (first, second), group in groups:
        yield first, second, *_cells(bill(group), is_free=is_free)


def _cells(one: Bill, *, is_free: bool) -> tuple[str, ...]:
    usage = one.usage
    tokens = (usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.thought_tokens, usage.tool_tokens)
    took = (*tokens, usage.searches)
    price = "0" if is_free else "?" if one.unpriced and not one.dollars else _dollars(one.dollars)
    return str(one.turns), *(f"{each:,}" for each in took), price


def _table(rows: Sequence[tuple[str, ...]], *, gaps: set[int]) -> Iterator[str]:
    """Rows in columns, the first two for words and the others for numbers, with an empty line before some."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for at, row in enumerate(rows):
        if at in gaps:
            yield ""
        cells = (
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _dollars(dollars: Decimal) -> str:
    """An amount with as many digits as say something of it."""
    return f"{dollars:,.2f}" if dollars >= 1 else f"{dollars:.4f}"


def _counted(number: int, noun: str, many: str | None = None) -> str:
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def _escaped(text: str) -> str:
    """Text that Markdown leaves as it is: whatever somebody wrote, it begins no link and no list."""
    # Brackets by their numbers: a stroke before one begins a formula, as models write them.
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};" if found[0] in "()[]" else f"\\{found[0]}", text)
