"""The stores that have to pass the suite, and short words to write it in."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bot.messages import Attachment, Message, MessageId, Person, PersonId, Platform, Refusal, Thread, Turn, TurnId
from bot.ports import Claim, Store
from storage.sqlite import open_store

NOON = 1_700_049_600.0  # 2023-11-15 12:00 UTC
DAY = 86_400.0  # seconds

SLACK = Thread(Platform("slack"), "T1", "C1", "1700000000.000100")
OTHER = Thread(Platform("slack"), "T1", "C2", "1700000000.000200")
PAGE = Thread(Platform("web"), "page", "page", "a1")  # its text is kept
ADA = Person(PersonId("U-ada"), "Ada")
BEN = Person(PersonId("U-ben"), "Ben")


class Clock:
    """The time, until somebody says otherwise."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now

    def tick(self, seconds: float = 1.0) -> None:
        self.now += seconds


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store's data lies: it can be opened again and again, one at a time."""

    clock: Clock
    open: Callable[[], AbstractAsyncContextManager[Store]]


def sqlite_in(folder: Path) -> Place:
    clock, numbers = Clock(), count(1)
    url = f"sqlite:///{folder / 'clew.db'}"
    return Place(clock, lambda: open_store(url, now=clock, new_id=lambda: TurnId(f"turn-{next(numbers)}")))


STORES: dict[str, Callable[[Path], Place]] = {"sqlite": sqlite_in}
"""Every implementation of `Store`, by name. A second one adds its line here and nothing else."""


def message(  # every part of a message may matter to some test
    name: str,
    text: str | None = "What is a clew?",
    *,
    by: Person = ADA,
    thread: Thread = SLACK,
    attachments: tuple[Attachment, ...] = (),
    sent_at: float = NOON - 1,
) -> Message:
    return Message(thread, MessageId(name), by, text, sent_at, attachments)


async def ask(
    store: Store, name: str, *, by: Person = ADA, thread: Thread = SLACK, refusal: Refusal | None = None
) -> None:
    assert await store.add(message(name, f"text of {name}", by=by, thread=thread), refusal=refusal)


async def taken(store: Store, thread: Thread = SLACK) -> Turn:
    """The thread's next turn, claimed."""
    return (await claimed(store, thread)).turn


async def claimed(store: Store, thread: Thread = SLACK) -> Claim:
    claim = await store.claim(thread)
    assert claim is not None
    return claim


def ids(turn: Turn) -> list[str]:
    return [message.id for message in turn.messages]
