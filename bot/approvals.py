"""Functions that are called only when whoever asked approves: asked in the thread, waited for, over a restart too."""

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.calls import FunctionCall
from bot.errors import PlatformAway, PlatformError
from bot.messages import InteractionId, Person, Platform, Thread, Turn, TurnId
from bot.places import Parked, in_its_place
from bot.ports import Adapter, Approval, ApprovalStore, Decided

logger = logging.getLogger(__name__)

_PATIENCE = 86_400.0  # seconds that a decision is waited for; then it is a no
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds before a decision is shown again to a platform that was away
_MOST_SHOWN = 1000  # characters of arguments, of all calls together: one message of Discord's holds the question

MOST_AT_ONCE = 8  # calls that somebody is asked about together

DECLINED = "The person who asked has declined this. Do not call it again unless they ask for it anew."
UNSURE = "I was interrupted while this was being done, and cannot tell whether it was. It is not done again by itself."
STOPPED = "Not done: the answer was stopped."
ANEW = "Not done: the answer was begun anew."
OVER = "Not done."
_WORDS = {
    Decided.APPROVED: "Approved.",
    Decided.DECLINED: "Declined.",
    Decided.NOT_YOURS: "Only the person who asked can decide that.",
    Decided.NOTHING: "There is nothing left to decide here.",
}


class Approvals:
    """Asks for approval, and hears of decisions.

    Args:
        adapters: filled before the first turn is taken.
        parked: holds a turn while somebody is waited for.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        store: ApprovalStore,
        adapters: Mapping[Platform, Adapter],
        *,
        parked: Parked = in_its_place,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store, self._adapters, self._parked, self._now, self._sleep = store, adapters, parked, now, sleep
        self._waiting: dict[Thread, asyncio.Event] = {}  # a thread has one running turn
        self._asked_in: dict[TurnId, set[str]] = {}  # what stands decided there, of turns that have asked and go on

    async def decide(self, thread: Thread, asked: str, *, approved: bool, person: Person | None) -> str:
        """Note what somebody decided of what was *asked*, and return what to tell them. Raises StoreError."""
        decided = await self._store.decide(thread, asked, approved=approved, person=person)
        if thread in self._waiting:
            self._waiting[thread].set()
        return _WORDS[decided]

    async def refusal(self, turn: Turn, interaction: InteractionId, calls: Sequence[FunctionCall]) -> str | None:
        """Why calls must not be made, for the model, once that is decided; None when they may, which is said once.

        It is asked in the thread unless it was decided before.

        Raises:
            PlatformError: the thread cannot be asked.
        """
        name = hashlib.sha256(interaction.encode()).hexdigest()[:16]
        self._asked_in.setdefault(turn.id, set())
        approval = await self._store.approval(turn, name)
        if approval.approved is None:
            approval = await self._asked(turn, approval, question(calls))
        else:  # the process may have ended before the thread was told
            await self._settle(turn, approval, _told(approval))
        if not approval.approved:
            return DECLINED
        return None if await self._store.begin(turn, name) else UNSURE

    async def withdraw(self, turn: Turn, words: str = STOPPED, *, fresh: bool = False) -> None:
        """Before a turn ends, let nothing that was asked in it look as if it could still be decided.

        Args:
            words: on what was not approved.
            fresh: only this process has taken the turn, and knows whether anything was asked.

        Raises:
            PlatformAway: something may look so still; the next attempt sees to it.
        """
        if not fresh or turn.id in self._asked_in:
            await self._take_back(turn, words, must=True)
            self.over(turn)

    async def _take_back(self, turn: Turn, words: str, *, but: str | None = None, must: bool = False) -> None:
        """Decline what was asked in a turn, whether an earlier process noted that or not."""
        for approval in await self._store.asked(turn):
            if approval.name != but and approval.name not in self._asked_in.get(turn.id, ()):
                await self._store.decline(turn, approval.name)
                await self._settle(turn, approval, _told(approval) if approval.approved else words, must=must)

    def over(self, turn: Turn) -> None:
        """Keep nothing in mind of a turn that has ended."""
        self._asked_in.pop(turn.id, None)

    async def _asked(self, turn: Turn, approval: Approval, words: str) -> Approval:
        """Ask, and what was decided, once it is."""
        decision = asyncio.Event()
        self._waiting[turn.thread] = decision
        try:
            # An answer that could not be gone on with is begun anew, and calls anew: what it called for before is void.
            await self._take_back(turn, ANEW, but=approval.name)
            await self._adapters[turn.thread.platform].ask(turn, approval, words)
            async with self._parked(turn):
                approval = await self._decision(turn, approval, decision)
                await self._settle(turn, approval, _told(approval))
        finally:
            del self._waiting[turn.thread]
        return approval

    async def _decision(self, turn: Turn, approval: Approval, decision: asyncio.Event) -> Approval:
        try:
            async with asyncio.timeout(max(0.0, approval.asked_at + _PATIENCE - self._now())):
                # Looked at first of all: after a restart somebody may press before it is waited for again.
                while (approval := await self._store.approval(turn, approval.name)).approved is None:
                    await decision.wait()
                    decision.clear()
        except TimeoutError:
            await self._store.decline(turn, approval.name)
            approval = await self._store.approval(turn, approval.name)
        return approval

    async def _settle(self, turn: Turn, approval: Approval, words: str, *, must: bool = False) -> None:
        """Let the thread show what was decided, and no buttons.

        Args:
            must: the turn is about to end. Until then it holds nothing up that the thread cannot be told just now.
        """
        pauses = list(_PAUSES)
        while True:
            try:
                await self._adapters[turn.thread.platform].settle(turn, approval, words)
                break
            except PlatformError as error:
                logger.warning("decision not shown", extra={**turn.fields, "reason": str(error)})
                if not isinstance(error, PlatformAway):
                    break
                if not must:
                    return
                if not pauses:
                    raise
            # The answer is not given up for it at once: in a private thread it would have to be paid for again.
            await self._sleep(pauses.pop(0))
        if turn.id in self._asked_in:
            self._asked_in[turn.id].add(approval.name)


def _told(approval: Approval) -> str:
    return "Approved." if approval.approved else "Declined."


def question(calls: Sequence[FunctionCall]) -> str:
    """What somebody is asked, as Markdown: each function and its arguments, as code in which nothing is markup.

    Args:
        calls: at most `MOST_AT_ONCE`: nobody approves of what they are not shown.
    """
    most = _MOST_SHOWN // len(calls)
    return "\n".join(["May I do this?\n", *(f"- {_code(call.name)} {_code(_arguments(call, most))}" for call in calls)])


def _arguments(call: FunctionCall, most: int) -> str:
    told = json.dumps(call.arguments, ensure_ascii=False)
    return told if len(told) <= most else f"{told[:most]}… ({len(told)} characters)"


def _code(text: str) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in text).replace("`", "ˋ").strip()
    return f"`{plain or ' '}`"
