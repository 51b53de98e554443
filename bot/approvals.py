"""Functions that are called only when whoever asked approves: asked in the thread, waited for, over a restart too."""

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence

from bot.calls import FunctionCall
from bot.errors import PlatformError
from bot.messages import InteractionId, Person, Platform, Thread, Turn, TurnId
from bot.ports import Adapter, Approval, ApprovalStore, Decided

logger = logging.getLogger(__name__)

_PATIENCE = 86_400.0  # seconds that a decision is waited for; then it is a no
_MOST_SHOWN = 600  # characters of the arguments of one call
_MOST_CALLS = 8  # that are shown one by one

DECLINED = "The person who asked has declined this. Do not call it again unless they ask for it anew."
UNSURE = "I was interrupted while this was being done, and cannot tell whether it was. It is not done again by itself."
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
        now: seconds since the epoch.
    """

    def __init__(
        self, store: ApprovalStore, adapters: Mapping[Platform, Adapter], *, now: Callable[[], float] = time.time
    ) -> None:
        self._store, self._adapters, self._now = store, adapters, now
        self._waiting: dict[Thread, asyncio.Event] = {}  # a thread has one running turn

    async def decide(self, thread: Thread, *, approved: bool, turn: TurnId | None, person: Person | None) -> str:
        """Note what somebody decided, and return what to tell them. Raises StoreError."""
        decided = await self._store.decide(thread, approved=approved, turn=turn, person=person)
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
        approval = await self._store.approval(turn, name)
        if approval.approved is None:
            decision = asyncio.Event()
            self._waiting[turn.thread] = decision
            try:
                await self._adapters[turn.thread.platform].ask(turn, approval, question(calls))
                approval = await self._decision(turn, approval, decision)
            finally:
                del self._waiting[turn.thread]
        # Also when it was decided before: the process may have ended before the thread was told.
        await self._settle(turn, approval, "Approved." if approval.approved else "Declined.")
        if not approval.approved:
            return DECLINED
        return None if await self._store.begin(turn, name) else UNSURE

    async def withdraw(self, turn: Turn) -> None:
        """Ask no more: the turn was stopped."""
        for approval in await self._store.waiting(turn):
            # Shown before it is written down: what waits no more is not looked at again after a crash in between.
            await self._settle(turn, approval, "Not done: the answer was stopped.")
            await self._store.decline(turn, approval.name)

    async def _decision(self, turn: Turn, approval: Approval, decision: asyncio.Event) -> Approval:
        try:
            async with asyncio.timeout(max(0.0, approval.asked_at + _PATIENCE - self._now())):
                while approval.approved is None:
                    await decision.wait()
                    decision.clear()
                    approval = await self._store.approval(turn, approval.name)
        except TimeoutError:
            await self._store.decline(turn, approval.name)
            approval = await self._store.approval(turn, approval.name)
        return approval

    async def _settle(self, turn: Turn, approval: Approval, words: str) -> None:
        """Let the thread show what was decided, and no buttons; what cannot be shown holds nothing up."""
        try:
            await self._adapters[turn.thread.platform].settle(turn, approval, words)
        except PlatformError as error:
            logger.warning("decision not shown", extra={**turn.fields, "reason": str(error)})


def question(calls: Sequence[FunctionCall]) -> str:
    """What somebody is asked, as Markdown: each function and its arguments, as code in which nothing is markup."""
    shown = "\n".join(f"- {_code(call.name)} {_code(_arguments(call))}" for call in calls[:_MOST_CALLS])
    more = f"\n- and {len(calls) - _MOST_CALLS} more" if len(calls) > _MOST_CALLS else ""
    return f"May I do this?\n\n{shown}{more}"


def _arguments(call: FunctionCall) -> str:
    told = json.dumps(call.arguments, ensure_ascii=False)
    return told if len(told) <= _MOST_SHOWN else f"{told[:_MOST_SHOWN]}… ({len(told)} characters)"


def _code(text: str) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in text).replace("`", "ˋ").strip()
    return f"`{plain or ' '}`"
