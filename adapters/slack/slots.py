"""Which message of a thread holds which part of a reply: as the store knows it, and as the thread shows it.

A post and the beginning of a stream cannot be repeated safely. So before one is made, the store is told that it will
be; as long as it knows no more than that, the thread is read before another one is made.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from adapters.slack.adoption import Own, own_messages
from adapters.slack.budget import Promise
from adapters.slack.calls import Calls
from adapters.slack.faces import Face
from adapters.slack.places import is_ts
from adapters.slack.streaming import Stream
from adapters.slack.workspace import Workspace
from bot.errors import PlatformAway
from bot.messages import MessageId, Part, Turn
from bot.ports import Store
from bot.waiting import pause

logger = logging.getLogger(__name__)

FILES: Final = 100  # files are parts, too; their numbers begin here

# In the place of a message's id: what was about to be made when the store was last told.
POSTING, STREAMING, UPLOADING = MessageId("posting"), MessageId("streaming"), MessageId("uploading")
UPLOADED = MessageId("uploaded")  # it was made, and Slack did not tell which message holds it


@dataclass(slots=True)
class Slot:
    """One part, and what is known of its message."""

    number: int
    ts: MessageId | None = None
    intent: MessageId | None = None  # what the store was told instead of an id
    mark: str = ""  # of a file: what the title ends in that it was last uploaded with, maybe for an answer before
    in_doubt: bool = False  # there may be a message that is not known here
    digest: str = ""  # of what it shows, as the store has it; empty while that changes
    face: Face | None = None  # what it shows, while that is known here
    stream: Stream | None = None
    promise: Promise | None = None
    lost: set[str] = field(default_factory=set)  # messages that can no longer be edited

    def use(self, method: str) -> None:
        """A promised call is about to be made."""
        if self.promise is not None:
            self.promise.use(method)

    def release(self) -> None:
        """Nothing more is to come for this part."""
        if self.promise is not None:
            self.promise.release()
            self.promise = None


class Slots:
    """The parts of one reply.

    Args:
        doubt: seconds after which what was not found is looked for once more, since it may be on its way.
    """

    def __init__(
        self,
        turn: Turn,
        *,
        calls: Calls,
        store: Store,
        me: Workspace,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        doubt: float,
    ) -> None:
        self._turn, self._calls, self._store, self._me = turn, calls, store, me
        self._clock, self._sleep, self._doubt = clock, sleep, doubt
        self._slots: dict[int, Slot] = {}
        self._is_loaded = False
        self.doubted: set[MessageId] = set()  # what kinds of calls were ever in doubt

    async def load(self) -> None:
        """Read what the store knows, once; what the turn was given to begin with may be older. Raises StoreError."""
        if self._is_loaded:
            return
        turn = await self._store.turn(self._turn) or self._turn
        for part in turn.parts:
            slot = self._slots[part.number] = Slot(part.number, digest=part.digest)
            if is_ts(part.message_id):
                slot.ts = part.message_id
            else:
                intent, _, slot.mark = part.message_id.partition(" ")
                slot.intent = MessageId(intent)
                if slot.intent in {POSTING, STREAMING}:
                    self.doubt(slot)
        self._is_loaded = True

    def slot(self, number: int) -> Slot:
        """The slot of that number, empty when there was none."""
        return self._slots.setdefault(number, Slot(number))

    @property
    def all(self) -> list[Slot]:
        """Every slot in the order of the parts."""
        return [self._slots[number] for number in sorted(self._slots)]

    @property
    def words(self) -> list[Slot]:
        """Those that are no files."""
        return [slot for slot in self.all if slot.number < FILES]

    @property
    def have_words(self) -> bool:
        """Whether words of the reply stand in the thread; before `load`, as the turn told to begin with."""
        if not self._is_loaded:
            return any(part.number < FILES and is_ts(part.message_id) for part in self._turn.parts)
        return any(slot.ts is not None for slot in self.words)

    async def intend(self, slot: Slot, intent: MessageId, *, mark: str = "") -> None:
        """Write down what is about to be made. Raises StaleTurn, StoreError."""
        if (slot.intent, slot.mark) != (intent, mark):
            await self._store.shown(self._turn, Part(slot.number, _noted(intent, mark), ""))
            slot.intent, slot.mark, slot.digest = intent, mark, ""

    async def stands(self, slot: Slot, ts: MessageId, digest: str) -> None:
        """Write down where the part stands and what it shows. Raises StaleTurn, StoreError."""
        slot.ts, slot.in_doubt = (ts if is_ts(ts) else None), False
        await self._store.shown(self._turn, Part(slot.number, ts if is_ts(ts) else _noted(ts, slot.mark), digest))
        slot.intent, slot.digest = None if is_ts(ts) else ts, digest

    async def touch(self, slot: Slot) -> None:
        """Forget, before a message is changed, what it shows. Raises StaleTurn, StoreError."""
        slot.face = None
        if slot.digest and slot.ts is not None:
            await self.stands(slot, slot.ts, "")

    def empty(self, slot: Slot) -> None:
        """Forget the message of a part: it was taken away, or can no longer be edited."""
        if slot.ts is not None:
            slot.lost.add(slot.ts)
        slot.release()
        slot.ts = slot.face = slot.stream = None

    def doubt(self, slot: Slot) -> None:
        """Note that what was intended may have been done."""
        slot.in_doubt = True
        if slot.intent is not None:
            self.doubted.add(slot.intent)

    async def own(self) -> Sequence[Own]:
        """What we said in the thread since the question."""
        return await own_messages(self._calls, self._me, self._turn)

    async def settle(self, slot: Slot, *, unless: asyncio.Event | None = None) -> None:
        """Find out whether the message of a slot in doubt stands in the thread, and adopt it if it does.

        Raises:
            PlatformError: the thread cannot be read, and the doubt remains.
        """
        if not slot.in_doubt:
            return
        for wait in (self._doubt, None):
            own = await self._find(slot)
            if own is not None:
                logger.info("message adopted", extra={**self._turn.fields, "part": slot.number})
                await self.stands(slot, own.ts, "")
                if own.is_loose:
                    slot.stream = Stream(self._calls, self._turn.thread, own.ts, sent=None, started=self._clock())
                return
            if wait is not None:
                await pause(wait, unless, sleep=self._sleep)
                if unless is not None and unless.is_set():
                    raise PlatformAway("not looked for to the end")
        slot.in_doubt = False

    async def loose(self) -> list[Own]:
        """Messages of ours after the question of which nothing tells what they belong to, as with a lost stream."""
        turns = await self._store.transcript(self._turn.thread)
        known = {part.message_id for turn in turns for part in turn.parts} | {slot.ts for slot in self.all}
        return [own for own in await self.own() if own.is_loose and own.ts not in known]

    async def _find(self, slot: Slot) -> Own | None:
        """The message that holds the part. A stream carries no mark before its end: its place has to tell."""
        marked = [own for own in await self.own() if own.part == slot.number]
        found = marked or (await self.loose() if slot.intent == STREAMING else [])
        return next((own for own in found if own.ts not in slot.lost), None)


def _noted(intent: MessageId, mark: str) -> MessageId:
    return MessageId(f"{intent} {mark}".rstrip())
