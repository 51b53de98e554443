"""One thread of a history, as the judge needs it: which answer is to which message, and what was asked when."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum, auto

from adapters.web.events import WEB
from bot.commands import Command
from bot.messages import Thread
from tests.chaos.history import Asked, End, Gave, History, Life, Said, Stood, Verdict


class Due(Enum):
    """Whether a message is to be answered."""

    YES = auto()
    EITHER = auto()
    NO = auto()


@dataclass(frozen=True, slots=True)
class Case:
    """One thread. Messages are spoken of by their number in `said`, in the platform's order.

    Attributes:
        asked: those that name one of its messages, oldest first.
        in_flight: a bot that is killed so soon after an interaction was created may not know of it. Much longer, and
            where it is killed every few seconds the judge would excuse everything; much shorter, and it would cry wolf
            on a busy machine.
        numbers: of the message that ever had a tag.
        reports: how often it says what became of forgetting; None where nobody can count them.
        files_there, longest_run: as `History` has them.
        saved: what is in each report that is attached; None where nobody can see that.
    """

    thread: Thread
    said: Sequence[Said]
    gave: Sequence[Gave]
    stood: Sequence[Stood]
    asked: Sequence[Asked]
    lives: Sequence[Life]
    turn_limit: float | None
    in_flight: float
    numbers: Mapping[str, int]
    reports: int | None = None
    is_private: bool = False
    files_there: Collection[str] = ()
    saved: Sequence[str] | None = None
    longest_run: float | None = None

    @property
    def answers(self) -> Sequence[Stood]:
        return [one for one in self.stood if one.tags]

    @property
    def notices(self) -> Sequence[Stood]:
        """What stands there and answers nothing; what stopped before it had a word counts."""
        return [one for one in self.stood if not one.tags]

    @property
    def has_late(self) -> bool:
        return any(said.is_late for said in self.said)

    def named(self, tags: Sequence[str]) -> set[int]:
        """The messages of this thread that tags name."""
        return {self.numbers[tag] for tag in tags if tag in self.numbers}

    def answered_by(self, one: Stood) -> set[int]:
        return self.named(one.tags)

    def is_answered(self, number: int) -> bool:
        return any(number in self.answered_by(one) for one in self.answers)

    def due(self, number: int) -> Due:
        """Whether a message is to be answered, unless it is taken back.

        What names nobody is not, from the moment on in which the bot has said that it is quiet. While it is told so
        either is right, and so it is for what was handed over late, or after which the first message was, by which the
        bot knows the thread for its own: by then it may have been quiet. And so it is for what was said before the bot
        was called, as far as it can know: what the thread began with, and it heard of after an edit only, may not have
        named it before; and what was taken back before it heard of it calls nobody.
        """
        said = self.said[number]
        quiet = [gave for gave in self.gave if gave.command is Command.QUIET]
        if not said.is_named and said.at < self._called_at():
            return Due.EITHER
        if said.is_named or not quiet:
            return Due.YES
        if any(done_by(gave) < said.at for gave in quiet):
            return Due.NO
        is_late = said.is_late or self.said[0].is_late
        return Due.EITHER if is_late or any(gave.at <= said.at for gave in quiet) else Due.YES

    def _called_at(self) -> float:
        """When the bot was called, as far as it can know; of what is later it knows that it is said to it."""
        if not self.said[0].is_late or self.said[0].changed_at is None:
            return 0.0
        called = [one for one in self.said if one.is_named and not (one.is_late and one.is_taken_back)]
        return min((one.changed_at if one.is_late and one.changed_at else one.at for one in called), default=math.inf)

    def asks_of(self, number: int) -> Sequence[Asked]:
        """The interactions that were created for a message, oldest first."""
        return [asked for asked in self.asked if number in self.named(asked.tags)]

    def gap_of(self, number: int) -> int:
        """How many answers there are to what was said before a message."""
        return sum(min(self.answered_by(one), default=number) < number for one in self.answers)

    def gap_after(self, notice: Stood) -> int:
        """How many answers stand before a notice."""
        return sum(bool(one.tags) for one in self.stood[: list(self.stood).index(notice)])

    def is_surely_known(self, asked: Asked) -> bool:
        """Whether the bot has to know of an interaction: it was sent the id, and lived while that was in flight."""
        # One that is told to stop cuts its answers first and takes a while to end.
        grace = {End.STOPPED: 3 * self.in_flight}
        died = (0 <= life.ended - asked.at <= grace.get(life.end, self.in_flight) for life in self.lives)
        return asked.is_told and not any(died)

    def verdict(self, promise: str, words: str, *evidence: object) -> Verdict:
        return Verdict(promise, self.thread, words, evidence)


def done_by(gave: Gave) -> float:
    """When a command was done at the latest; given while the bot is away, that can be long after it was."""
    return float("inf") if gave.told_at is None else gave.told_at


def retries_of(case: Case) -> list[Gave]:
    """The retries that may have been heeded; of several presses of one button all of them as one."""
    found: dict[object, Gave] = {}
    for gave in case.gave:
        if gave.command is not Command.RETRY or not (gave.told is None or "I answer the last question" in gave.told):
            continue
        first = found.setdefault(gave.button or id(gave), gave)
        if first is not gave:
            later = max((first, gave), key=done_by)
            found[gave.button] = replace(first, told=later.told, told_at=later.told_at)
    return list(found.values())


def _order(said: Said) -> Decimal:
    """The platform's own order; the page's ids are made up by whoever asks, and tell none."""
    return Decimal(said.at if said.thread.platform == WEB else said.id)


def cases(history: History) -> Iterator[Case]:
    """Each thread in which somebody spoke to the bot."""
    told = defaultdict[Thread, list[Said]](list)
    for one in history.said:
        told[one.thread].append(one)
    home = {tag: one.thread for one in history.said for tag in one.tags}
    asked = defaultdict[Thread, list[Asked]](list)
    for ask in history.asked:
        for thread in {home[tag] for tag in ask.tags if tag in home}:
            asked[thread].append(ask)
    for thread in told:
        said = sorted(told[thread], key=_order)
        numbers = {tag: number for number, one in enumerate(said) for tag in one.tags}
        yield Case(
            thread=thread,
            said=said,
            gave=[one for one in history.gave if one.thread == thread],
            stood=history.stood.get(thread, ()),
            asked=sorted(asked[thread], key=lambda one: one.at),
            lives=history.lives,
            turn_limit=history.turn_limit,
            in_flight=history.in_flight,
            numbers=numbers,
            reports=history.reports.get(thread),
            is_private=thread in history.private,
            files_there=history.files_there,
            saved=history.saved.get(thread),
            longest_run=history.longest_run,
        )
