"""A part of a reply while it grows: streamed where Slack lets us, posted and edited elsewhere, or not shown yet.

Under load the frames go first: nothing is begun unless the calls that finish it are promised.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from adapters.slack.adoption import metadata_of
from adapters.slack.buttons import Buttons, buttons_block
from adapters.slack.calls import Calls, RateLimited, SlackRefused, Uncertain
from adapters.slack.faces import Face
from adapters.slack.places import place_of
from adapters.slack.posting import CONFLICT, FIXED, GONE, UPDATE, Posting
from adapters.slack.slots import STREAMING, Slot, Slots
from adapters.slack.streaming import START, StreamLost, start_stream
from adapters.slack.streaming import STOP as STOP_STREAM
from bot.messages import Person, Turn

logger = logging.getLogger(__name__)

# Refusals that tell nothing of the channel: they are of this text or thread alone, or of whoever asked.
_OF_THIS_ONE = {CONFLICT, "msg_too_long", "msg_blocks_too_long", "invalid_thread_ts"}
_OF_THE_ASKER = {"missing_recipient_team_id", "missing_recipient_user_id"}

Newest = Callable[[], str | None]
"""A part's text as far as it has come."""

TeamOf = Callable[[Person], Awaitable[str | None]]
"""The workspace somebody belongs to; None when it cannot be told."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between the frames of a growing answer, and the like."""

    first: float = 0.3  # an answer that is whole by then is posted in one piece
    append: float = 1.2
    edit: float = 3.0  # as Slack advises
    unseen: float = 5.0  # between two looks for room, while there is none to show anything
    sign: float = 1.0  # without words, until a message says that work goes on where no status line can
    doubt: float = 2.0  # until what was not found is looked for once more
    settle: float = 30.0  # how long a part that is whole is tried to be shown while the next one grows
    end: float = 60.0  # how long the end of an answer is tried to be shown


class Growing:
    """Shows the newest of a growing text, as well as that can be done now."""

    def __init__(
        self,
        turn: Turn,
        slots: Slots,
        posting: Posting,
        *,
        calls: Calls,
        team_of: TeamOf,
        on_stop: Callable[[Turn], Awaitable[None]],
        clock: Callable[[], float],
        pace: Pace,
        ended: asyncio.Event,
    ) -> None:
        self._turn, self._slots, self._posting, self._calls = turn, slots, posting, calls
        self._team_of, self._on_stop, self._clock, self._pace, self._ended = team_of, on_stop, clock, pace, ended
        self._channel, self._thread_ts = place_of(turn.thread)

    async def show(self, number: int, newest: Newest, *, flows: bool = True) -> float:
        """Show what a part has come to, and return the seconds to leave it alone then.

        Args:
            flows: what comes next goes on from it.

        Raises:
            StaleTurn, StoreError, PlatformError: it was not shown; a later frame or the reply's end makes up for it.
        """
        slot = self._slots.slot(number)
        await self._slots.settle(slot, unless=self._ended)
        if slot.stream is not None:
            try:
                await slot.stream.append(newest, unless=self._ended)
                return self._pace.append
            except StreamLost as lost:
                await self._leave_stream(slot, lost)
        if slot.ts is not None and await self._edit(slot, newest):
            return self._pace.edit
        if slot.ts is None:
            return await self._open(slot, newest() or "", flows=flows)
        await self._edit(slot, newest)  # an earlier attempt's stream had to be ended first
        return self._pace.edit

    async def _open(self, slot: Slot, text: str, *, flows: bool) -> float:
        if not text:
            return 0.0
        slot.release()
        budget = self._calls.budget
        team = await self._recipient() if flows and self._thread_ts is not None else None
        if team is not None:
            slot.promise = budget.promise(START, STOP_STREAM, UPDATE)
            if slot.promise is not None and await self._start(slot, text, team):
                return self._pace.append
        slot.promise = slot.promise or budget.promise(UPDATE)
        if slot.promise is None:
            return self._pace.unseen
        until = self._clock() + self._pace.edit
        await self._posting.post(slot, Face(text, Buttons.GROWING), "", until=until, unless=self._ended)
        return self._pace.edit

    async def _recipient(self) -> str | None:
        """The asker's workspace, which a stream has to name; None when there is no stream for them here."""
        budget, asker = self._calls.budget, self._turn.asker
        if budget.is_shut(START, self._channel) or budget.is_shut(START, asker.id):
            return None
        try:
            async with asyncio.timeout(self._pace.sign):  # nobody waits longer for words that are there
                return await self._team_of(asker)
        except TimeoutError:
            return None

    async def _start(self, slot: Slot, text: str, team: str) -> bool:
        """Open a stream; False when there is none to be had."""
        await self._slots.intend(slot, STREAMING)
        slot.use(START)
        try:
            stream = await start_stream(
                self._calls,
                self._turn,
                text=text,
                buttons=buttons_block(Buttons.GROWING, self._turn.id),
                team_id=team,
                started=self._clock(),
                within=self._pace.edit,
                unless=self._ended,
            )
        except Uncertain:
            self._slots.doubt(slot)
            raise
        except (SlackRefused, RateLimited) as error:
            logger.info("no stream here", extra={**self._turn.fields, "reason": str(error)})
            if isinstance(error, SlackRefused) and error.error not in _OF_THIS_ONE:
                # People's ids and those of channels differ in their first letter.
                of = self._turn.asker.id if error.error in _OF_THE_ASKER else self._channel
                self._calls.budget.shut(START, of)
            slot.use(STOP_STREAM)
            return False
        slot.stream = stream
        await self._slots.stands(slot, stream.ts, "")
        return True

    async def _leave_stream(self, slot: Slot, lost: StreamLost) -> None:
        """Go on by edits, which show the whole text again: nobody loses a word."""
        logger.info("stream left", extra={**self._turn.fields, "reason": str(lost)})
        await self._posting.end_stream(slot, until=self._clock() + self._pace.settle)
        if lost.by_person:
            await self._on_stop(self._turn)

    async def _edit(self, slot: Slot, newest: Newest) -> bool:
        """Edit the part's message; False when that has to be tried again, or there is none any more."""
        showing: Face | None = None

        def make() -> Mapping[str, object] | None:
            nonlocal showing
            showing = Face(newest() or "", Buttons.GROWING)
            if not showing.text or showing == slot.face:
                return None
            content = next(showing.forms(self._turn.id, edits=True))
            return {"ts": slot.ts, "metadata": metadata_of(self._turn, slot.number), **content}

        if make() is None:
            return True
        slot.promise = slot.promise or self._calls.budget.promise(UPDATE)
        await self._slots.touch(slot)
        try:
            frame = await self._calls.frame(UPDATE, channel=self._channel, safe=True, make=make, unless=self._ended)
            if frame is not None:
                slot.face = showing
        except SlackRefused as error:
            logger.info("frame refused", extra={**self._turn.fields, "reason": error.error})
            until = self._clock() + self._pace.settle
            if error.error == CONFLICT:
                await self._posting.end_unknown_stream(slot, until=until)
                return False
            if error.error in GONE | FIXED:
                await self._posting.lose(slot, error, until=until)
                return False
            slot.face = showing  # Slack will not take this text so; the end finds a form for it
        return True
