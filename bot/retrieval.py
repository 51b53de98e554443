"""A thread's turns as Gemini holds them: read from the books, and recalled a few at a time."""

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from bot.answers import Recalled
from bot.errors import InteractionLost, KeyRejected, ModelError
from bot.history import without_past
from bot.messages import Thread
from bot.ports import Booked, BookStore, Keeper

logger = logging.getLogger(__name__)

MOST_TURNS = 20
AT_ONCE = 4  # interactions fetched at the same time: each may bring megabytes of pictures along
_PATIENCE = 10.0  # seconds for one interaction
_BEGINNING = 100  # characters of a question or an answer

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ud800-\udfff\ufeff]")


class Held(Enum):
    """What Gemini holds of a turn."""

    YES = auto()
    LOST = auto()  # expired, deleted, or of another key
    NOTHING = auto()  # no interaction was created for it
    UNTOLD = auto()  # Gemini could not be asked just now
    REFUSED = auto()  # nor can it be, with this key


@dataclass(frozen=True, slots=True)
class Recollection:
    """A turn as the books have it, and as Gemini holds it."""

    number: int  # 1 is the first since the last reset
    turn: Booked
    held: Held
    found: Recalled | None = None

    @property
    def question(self) -> str:
        """How the question began, in one line."""
        return "" if self.found is None else beginning(" ".join(without_past(self.found.asked)))

    @property
    def answer(self) -> str:
        """How the answer began, in one line."""
        return "" if self.found is None else beginning(self.found.answer)


async def recollect(
    thread: Thread, *, store: BookStore, keeper: Keeper, room: asyncio.Semaphore, most: int = MOST_TURNS
) -> tuple[Sequence[Recollection], int]:
    """The newest turns of a thread since its last reset, the newest first, and how many there are in all.

    Args:
        room: for `AT_ONCE` interactions, whoever asks.

    Raises:
        StoreError: the books cannot be read.
    """
    turns, number = await store.booked(thread, most=most)

    async def look(at: int, turn: Booked) -> Recollection:
        async with room:
            held, found = await _found(turn, keeper)
        return Recollection(number - at, turn, held, found)

    async with asyncio.TaskGroup() as group:
        looking = [group.create_task(look(at, turn)) for at, turn in enumerate(turns)]
    return [task.result() for task in looking], number


async def _found(turn: Booked, keeper: Keeper) -> tuple[Held, Recalled | None]:
    if turn.interaction is None:
        return Held.NOTHING, None
    try:
        async with asyncio.timeout(_PATIENCE):
            return Held.YES, await keeper.recall(turn.interaction)
    except InteractionLost:
        return Held.LOST, None
    except (TimeoutError, ModelError) as error:
        logger.warning("interaction not recalled", extra={"failure": type(error).__name__})
        return Held.REFUSED if isinstance(error, KeyRejected) else Held.UNTOLD, None


def beginning(text: str, most: int = _BEGINNING) -> str:
    """How a text begins, in one line of characters that can be seen: it may end up on a terminal."""
    line = " ".join(_UNSEEN.sub(" ", text[: 20 * most]).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
