"""What the model calls for in one turn: run side by side, each once, shown while it lasts, and bounded."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bot.answers import ActionRequired, Draft, ToolUse
from bot.approvals import DECLINED, MOST_AT_ONCE, Approvals
from bot.calls import CALLING, FunctionCall, FunctionResult, Results
from bot.errors import TooManyCalls
from bot.function_runs import Functions, failed
from bot.functions import Caller
from bot.messages import InteractionId, Turn
from bot.ports import Reply

MOST_ROUNDS = 8  # of calls in one answer
_MOST_AT_ONCE = 8
_MOST_CALLS = 32  # in one round

_ENOUGH = "Nothing more can be called for this question. Answer it with what you have, and say what is missing."
_TOO_MANY_TO_ASK = (
    f"This needs approval, and only {MOST_AT_ONCE} of such calls can be asked for at once. Call it again if it is "
    "still needed."
)
_TOO_MANY = f"Only {_MOST_CALLS} functions can be called at once. Call this one again if it is still needed."


class Calling:
    """The calls of one turn."""

    def __init__(
        self, functions: Functions, turn: Turn, *, draft: Draft, reply: Reply, approvals: Approvals | None = None
    ) -> None:
        self._functions, self._caller = functions, Caller(turn.asker, turn.thread)
        self._turn, self._approvals = turn, approvals
        self._draft, self._reply = draft, reply
        self._known: dict[tuple[InteractionId, str], FunctionResult] = {}
        self._at_once = asyncio.Semaphore(_MOST_AT_ONCE)

    @property
    def has_called(self) -> bool:
        """Whether something was called, which would be done twice if the answer were begun anew."""
        return bool(self._known)

    async def results(self, action: ActionRequired) -> Results:
        """What everything returned that an interaction calls for; what was run for it before is not run again.

        Raises:
            TooManyCalls: the model was told that there is no more to be called, and calls on.
        """
        if action.rounds > MOST_ROUNDS + 1:
            raise TooManyCalls(f"{action.rounds} rounds of function calls")
        if action.rounds > MOST_ROUNDS:
            return Results(tuple(failed(call, _ENOUGH) for call in action.calls))
        await self._ask(action)
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(self._result(action, call)) for call in action.calls[:_MOST_CALLS]]
        too_many = (failed(call, _TOO_MANY) for call in action.calls[_MOST_CALLS:])
        return Results((*(task.result() for task in running), *too_many))

    async def _ask(self, action: ActionRequired) -> None:
        """Have those calls approved of that need it, all at once; what is declined has its result."""
        wanted = [
            call
            for call in action.calls[:_MOST_CALLS]
            if self._functions.needs_approval(call, self._turn.thread)
            and (action.interaction, call.id) not in self._known
        ]
        if not wanted:
            return
        wanted, beyond = wanted[:MOST_AT_ONCE], wanted[MOST_AT_ONCE:]
        self._known |= {(action.interaction, call.id): failed(call, _TOO_MANY_TO_ASK) for call in beyond}
        refusal: str | None = DECLINED  # where nobody can be asked
        if self._approvals is not None:
            with self._waiting():
                refusal = await self._approvals.refusal(self._turn, action.interaction, wanted)
        if refusal is not None:
            self._known |= {(action.interaction, call.id): failed(call, refusal) for call in wanted}

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Let the thread show no work while it is a person's turn."""
        self._draft.waits = True
        self._reply.changed()
        try:
            yield
        finally:
            self._draft.waits = False
            self._reply.changed()

    async def _result(self, action: ActionRequired, call: FunctionCall) -> FunctionResult:
        key = (action.interaction, call.id)
        if key not in self._known:
            async with self._at_once:
                self._show(call)
                self._known[key] = await self._functions.run(call, self._caller)
        return self._known[key]

    def _show(self, call: FunctionCall) -> None:
        self._draft.add(ToolUse(f"{CALLING}{call.name}"))
        self._reply.changed()


def names_of(calls: Sequence[FunctionCall]) -> str:
    """What was called, for the log."""
    return ", ".join(call.name[:64] for call in calls[:_MOST_CALLS])
