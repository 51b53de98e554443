"""One thread of a history, as the judge needs it: which answer is to which message, and what was asked when."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from adapters.web.events import WEB
from bot.messages import Thread
from tests.chaos.history import Asked, Gave, History, Life, Said, Stood, Verdict


@dataclass(frozen=True, slots=True)
class Case:
    """One thread. Messages are spoken of by their number in `said`, in the platform's order.

    Attributes:
        asked: those that name one of its messages, oldest first.
        in_flight: a bot that is killed so soon after an interaction was created may not know of it. Much longer, and
            where it is killed every few seconds the judge would excuse everything; much shorter, and it would cry wolf
            on a busy machine.
        numbers: of the message that ever had a tag.
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

    def asks_of(self, number: int) -> Sequence[Asked]:
        """The interactions that were created for a message, oldest first."""
        return [asked for asked in self.asked if number in self.named(asked.tags)]

    def gap_of(self, number: int) -> int:
        """How many answers there are to what was said before a message."""
        return sum(min(self.answered_by(one), default=number) < number for one in self.answers)

    def gap_after(self, notice: Stood) -> int:
        """How many answers stand before a notice."""
        return sum(bool(one.tags) for one in self.stood[: list(self.stood).index(notice)])

    def verdict(self, promise: str, words: str, *evidence: object) -> Verdict:
        return Verdict(promise, self.thread, words, evidence)


def done_by(gave: Gave) -> float:
    """When a command was done at the latest; given while the bot is away, that can be long after it was."""
    return float("inf") if gave.told_at is None else gave.told_at


def _order(said: Said) -> Decimal:
    """The platform's own order; the page's ids are made up by whoever asks, and tell none."""
    return Decimal(said.at if said.thread.platform == WEB else said.id)


def cases(history: History) -> Iterator[Case]:
    """Each thread in which somebody spoke to the bot."""
    for thread in dict.fromkeys(said.thread for said in history.said):
        said = sorted((one for one in history.said if one.thread == thread), key=_order)
        numbers = {tag: number for number, one in enumerate(said) for tag in one.tags}
        yield Case(
            thread=thread,
            said=said,
            gave=[one for one in history.gave if one.thread == thread],
            stood=history.stood.get(thread, ()),
            asked=sorted((one for one in history.asked if numbers.keys() & set(one.tags)), key=lambda one: one.at),
            lives=history.lives,
            turn_limit=history.turn_limit,
            in_flight=history.in_flight,
            numbers=numbers,
        )
