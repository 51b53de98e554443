"""Retry and Reset stand under the last answer of a thread alone: when the next one stands, they are taken off it.

Only an edit takes buttons away, and an edit has to name all that the message goes on showing. Slack breaks a
`markdown` block up, and nobody says that its pieces, sent back, look the same. So the process remembers what it put
above the buttons; what it no longer knows it reads from the thread, and believes if it has the digest in the store.
Whatever goes wrong here, the answer stays as it is, and an old button says that it works on the last answer.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final, NoReturn, Protocol

from adapters.slack.buttons import RETRY, Buttons, offers
from adapters.slack.calls import Calls, SlackClosed, SlackRefused
from adapters.slack.faces import Face, Held
from adapters.slack.pages import Pace, Post, blocks_of, order, read_channel, read_replies, ts_of
from adapters.slack.places import is_ts, place_of
from adapters.slack.posting import UPDATE
from adapters.slack.slots import FILES
from bot.errors import PlatformError, StoreError
from bot.messages import MessageId, Part, Thread, Turn, TurnId

logger = logging.getLogger(__name__)

_MOST: Final = 500  # threads remembered; of another one the buttons are read back
_WITHIN: Final = 60.0  # seconds until a thread has to wait for its next answer
_BACK: Final = 3  # turns that are looked at after a start
_PATIENT: Final = Pace(hurry=False, within=_WITHIN)


class Transcripts(Protocol):
    """As far as this needs a store."""

    async def transcript(self, thread: Thread) -> Sequence[Turn]: ...


@dataclass(slots=True)
class _Known:
    """What is known of a thread's buttons."""

    last: Held | None = None  # they belong there
    former: list[Held] = field(default_factory=list)  # they are to go from there
    is_looked_at: bool = False  # whether there are others, of an earlier process


class LastAnswers:
    """Takes the buttons off answers that are the last of their threads no more, one by one and in no hurry."""

    def __init__(self, calls: Calls, store: Transcripts, *, most: int = _MOST) -> None:
        self._calls, self._store, self._most = calls, store, most
        self._known: OrderedDict[Thread, _Known] = OrderedDict()
        self._due: OrderedDict[Thread, TurnId] = OrderedDict()
        self._is_due = asyncio.Event()

    def begins(self, turn: Turn) -> None:
        """A reply is about to change the messages that its turn has taken over: forget what they show."""
        known = self._known.get(turn.thread)
        if known is None:
            return
        changing = {part.message_id for part in turn.parts}
        known.former = [held for held in known.former if held.ts not in changing]
        if known.last is not None and known.last.ts in changing:
            known.last = None

    def ended(self, turn: Turn, held: Held | None) -> None:
        """A turn has ended, with its buttons there: the ones before it are to go. Returns at once."""
        known = self._known.setdefault(turn.thread, _Known())
        if known.last is not None:
            known.former.append(known.last)
        known.last = held
        self._due[turn.thread] = turn.id
        for threads in (self._known, self._due):
            threads.move_to_end(turn.thread)
            while len(threads) > self._most:
                threads.popitem(last=False)
        self._is_due.set()

    async def run(self) -> NoReturn:
        """Do it until this is cancelled. What did not work is tried again with the thread's next answer."""
        while True:
            await self._is_due.wait()
            while self._due:
                thread, turn = self._due.popitem(last=False)
                try:
                    await self._clear(thread, turn)
                except (PlatformError, StoreError) as error:
                    logger.info("old buttons left", extra={"thread_key": thread.key, "reason": str(error)})
            self._is_due.clear()

    async def _clear(self, thread: Thread, turn: TurnId) -> None:
        known = self._known.get(thread)
        if known is None:
            return
        if not known.is_looked_at:
            found = await self._left_behind(thread, turn)
            known.former += [held for held in found if held.ts not in {former.ts for former in known.former}]
            known.is_looked_at = True
        while known.former:
            held = known.former[0]
            try:
                await self._calls.call(
                    UPDATE, safe=True, hurry=False, channel=thread.channel_id, within=_WITHIN, ts=held.ts, **held.bare
                )
            except (SlackRefused, SlackClosed) as error:
                logger.info("old buttons cannot be taken away", extra={"thread_key": thread.key, "reason": str(error)})
            if held in known.former:
                known.former.remove(held)

    # --- after a start --------------------------------------------------------------------------

    async def _left_behind(self, thread: Thread, turn: TurnId) -> list[Held]:
        """The buttons of the turns before this one that are still there, if it is certain what stands above them."""
        holders = _holders(await self._store.transcript(thread), turn)
        if not holders:
            return []
        oldest, latest = min(holders, key=order), max(holders, key=order)
        channel, thread_ts = place_of(thread)
        if thread_ts is None:
            reading = read_channel(self._calls, channel, oldest=oldest, latest=latest, inclusive=True, pace=_PATIENT)
        else:
            reading = read_replies(
                self._calls, channel, thread_ts, oldest=oldest, latest=latest, inclusive=True, pace=_PATIENT
            )
        async with aclosing(reading) as pages:
            async for page in pages:  # one is enough: it is only for what stands closely together
                found = ((post, holders.get(MessageId(ts_of(post) or ""))) for post in page)
                return [held for post, holder in found if holder is not None if (held := _held(post, *holder))]
        return []


def _holders(turns: Sequence[Turn], turn: TurnId) -> dict[MessageId, tuple[TurnId, Part]]:
    """The messages under which the buttons of the last turns before a turn were put."""
    before = list(takewhile(lambda one: one.id != turn, turns))
    if len(before) == len(turns):  # it is of another time than this transcript
        return {}
    last_parts = ((one.id, [part for part in one.parts if part.number < FILES][-1:]) for one in before[-_BACK:])
    return {part.message_id: (id_, part) for id_, parts in last_parts for part in parts if is_ts(part.message_id)}


def _held(post: Post, turn: TurnId, part: Part) -> Held | None:
    """The buttons of a message, with what it shows beside them; None without buttons, or if that is not certain."""
    blocks = blocks_of(post)
    if not any(offers(block, RETRY) for block in blocks):
        return None
    for text in (post.get("text"), *(block.get("text") for block in blocks if block.get("type") == "markdown")):
        face = Face(text, Buttons.WHOLE) if isinstance(text, str) else None
        if face is not None and face.digest(turn) == part.digest:
            return Held(part.message_id, face.bare(turn))
    return None
