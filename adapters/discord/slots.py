"""Which message holds which part of a reply: as the store knows it, and as the channel shows it.

Discord makes one message of a nonce, for some minutes. For what is older the store is told, before a part is posted,
that it will be, and with what words; as long as it knows no more than that, the channel is read before it is posted
again. Not everything that stands after the question is ours: the end of the answer before may come after it, and once
that is forgotten the store no longer knows it.
"""

import asyncio
import hashlib
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from adapters.discord.buttons import Press, read_custom_id
from adapters.discord.calls import Calls, Route
from adapters.discord.faces import Face
from adapters.discord.history import ASIDE
from adapters.discord.payloads import Fields, fields, is_id, objects, text
from adapters.discord.places import DISCORD
from adapters.discord.threads import Spot
from bot.errors import PlatformAway
from bot.messages import MessageId, Part, Turn, TurnId
from bot.ports import Store
from bot.waiting import pause

logger = logging.getLogger(__name__)

POSTING: Final = MessageId("posting")  # in the place of a message's id: it was about to be posted

_PAGE, _MOST_PAGES = 100, 5  # messages after the question that are looked through for our own
_TEXT, _REPLY = 0, 19  # types of messages; ours to a command are of others
_EMOJI = re.compile(r"<a?:(\w+):[0-9]+>")  # of one that we may not use here Discord leaves the name


@dataclass(slots=True)
class Slot:
    """One part, and what is known of its message."""

    number: int
    id: MessageId | None = None
    is_intended: bool = False  # the store was told that it is about to be posted
    in_doubt: bool = False  # there may be a message that is not known here
    digest: str = ""  # as the store has it: of what it shows, empty while that changes; of what was to be posted
    face: Face | None = None  # what it shows, while that is known here
    lost: set[MessageId] = field(default_factory=set)  # messages that are gone or can no longer be edited

    def nonce(self, turn: TurnId) -> str:
        """What Discord knows a post again by; another one when the message made with it is gone."""
        return f"{turn}.{self.number}" + (f".{len(self.lost)}" if self.lost else "")


class Slots:
    """The parts of one reply.

    Args:
        me: the bot's own user id.
        doubt: seconds after which what was not found is looked for once more, since it may be on its way.
    """

    def __init__(
        self,
        turn: Turn,
        *,
        calls: Calls,
        store: Store,
        me: str,
        sleep: Callable[[float], Awaitable[None]],
        doubt: float,
    ) -> None:
        self._turn, self._calls, self._store, self._me = turn, calls, store, me
        self._sleep, self._doubt = sleep, doubt
        self._slots: dict[int, Slot] = {}
        self._is_loaded = False
        self._about_to_say: set[str] = set()  # digests of what was ever about to be posted
        self.was_in_doubt = False  # something may have come to stand there twice

    async def load(self) -> None:
        """Read what the store knows, once; what the turn was given to begin with may be older. Raises StoreError."""
        if self._is_loaded:
            return
        turn = await self._store.turn(self._turn) or self._turn
        for part in turn.parts:
            slot = self._slots[part.number] = Slot(part.number, digest=part.digest)
            if part.message_id == POSTING:
                slot.is_intended = True
                self._about_to_say.add(part.digest)
                self.doubt(slot)
            else:
                slot.id = part.message_id
        self._is_loaded = True

    def slot(self, number: int) -> Slot:
        """The slot of that number, empty when there was none."""
        return self._slots.setdefault(number, Slot(number))

    @property
    def all(self) -> list[Slot]:
        """Every slot in the order of the parts."""
        return [self._slots[number] for number in sorted(self._slots)]

    @property
    def has_words(self) -> bool:
        """Whether something of the reply can be seen, or may be."""
        return any(slot.id is not None or slot.in_doubt for slot in self._slots.values())

    async def intend(self, slot: Slot, words: str) -> None:
        """Write down that a part is about to be posted with these words. Raises StaleTurn, StoreError."""
        digest = _digest_of(words)
        if not slot.is_intended or slot.digest != digest:
            await self._store.shown(self._turn, Part(slot.number, POSTING, digest))
            slot.is_intended, slot.digest = True, digest
        self._about_to_say.add(digest)

    async def stands(self, slot: Slot, message: MessageId, digest: str) -> None:
        """Write down where a part stands and what it shows. Raises StaleTurn, StoreError."""
        slot.id, slot.in_doubt = message, False
        await self._store.shown(self._turn, Part(slot.number, message, digest))
        slot.is_intended, slot.digest = False, digest

    async def touch(self, slot: Slot) -> None:
        """Forget, before a message is changed, what it shows. Raises StaleTurn, StoreError."""
        slot.face = None
        if slot.digest and slot.id is not None:
            await self.stands(slot, slot.id, "")

    def empty(self, slot: Slot) -> None:
        """Forget the message of a part: it was taken away, or can no longer be edited."""
        if slot.id is not None:
            slot.lost.add(slot.id)
        slot.id = slot.face = None

    def doubt(self, slot: Slot) -> None:
        """Note that a part may have been posted."""
        slot.in_doubt = self.was_in_doubt = True

    async def settle(self, slot: Slot, spot: Spot, *, unless: asyncio.Event | None = None) -> None:
        """Find out whether the message of a slot in doubt stands in the channel, and adopt it if it does.

        Raises:
            PlatformError: the channel cannot be read, and the doubt remains.
        """
        if not slot.in_doubt:
            return
        for wait in (self._doubt, None):
            found = next((message for message in await self.strays(spot) if message not in slot.lost), None)
            if found is not None:
                logger.info("message adopted", extra={**self._turn.fields, "part": slot.number})
                await self.stands(slot, found, "")
                return
            if wait is not None:
                await pause(wait, unless, sleep=self._sleep)
                if unless is not None and unless.is_set():
                    raise PlatformAway("not looked for to the end")
        slot.in_doubt = False

    async def strays(self, spot: Spot) -> Sequence[MessageId]:
        """What we said since the question and no turn knows of, oldest first. Raises PlatformError, StoreError."""
        known = {slot.id for slot in self.all}
        said = [
            MessageId(str(message["id"]))
            for message in await self._since_the_question(spot)
            if self._may_be_ours(message, spot)
        ]
        return [
            message
            for message in said
            if message not in known and await self._store.thread_of(DISCORD, message) is None
        ]

    async def answer_before(self) -> MessageId | None:
        """The last message of the answer before this one, under which there may be a button. Raises StoreError."""
        turns = await self._store.transcript(self._turn.thread)
        at = next((number for number, turn in enumerate(turns) if turn.id == self._turn.id), len(turns))
        shown = [part for turn in turns[:at][-1:] for part in turn.parts if part.message_id != POSTING]
        return shown[-1].message_id if shown else None

    async def _since_the_question(self, spot: Spot) -> list[Fields]:
        found: list[Fields] = []
        after = max((message.id for message in self._turn.messages if message.id.isdigit()), key=int, default="0")
        route = Route("GET", "/channels/{channel_id}/messages", channel_id=spot.channel_id)
        for _ in range(_MOST_PAGES):
            page = objects(await self._calls.call(route, safe=True, query={"after": after, "limit": _PAGE}))
            page = sorted((message for message in page if is_id(message.get("id"))), key=_order)
            found.extend(page)
            if len(page) < _PAGE:
                break
            after = MessageId(str(page[-1]["id"]))
        return found

    def _may_be_ours(self, message: Fields, spot: Spot) -> bool:
        """Whether a message may be a part of this reply: not an answer to a command, nor of another turn."""
        if fields(message.get("author")).get("id") != self._me or message.get("type") not in {_TEXT, _REPLY}:
            return False
        buttons = buttons_of(message)
        if any(press is Press.APPROVE for press, _ in buttons):
            return False  # what somebody is asked to approve of, which the turn's buttons stand under as well
        if turns := {turn for _, turn in buttons}:
            return turns == {self._turn.id}
        if text(message.get("content")).startswith(ASIDE):
            return False  # what became of a command, or a question that was asked by one
        answers = fields(message.get("message_reference")).get("message_id")
        is_answer = spot.reply_to is None if answers is None else answers in {one.id for one in self._turn.messages}
        # Even then it may be of a turn that is forgotten. (An earlier release noted no words: an empty digest.)
        return is_answer and bool(self._about_to_say & {_digest_of(text(message.get("content"))), ""})


def buttons_of(message: Fields) -> list[tuple[Press, str]]:
    """The buttons of ours under a message, each with its name."""
    buttons = [button for row in objects(message.get("components")) for button in objects(row.get("components"))]
    pressed = [read_custom_id(text(button.get("custom_id"))) for button in buttons]
    return [press for press in pressed if press is not None]


def _digest_of(words: str) -> str:
    """Of the letters and figures alone, which Discord leaves as they are."""
    told = "".join(filter(str.isalnum, _EMOJI.sub(r"\1", words)))
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()


def _order(message: Fields) -> int:
    return int(str(message["id"]))
