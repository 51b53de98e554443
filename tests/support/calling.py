"""Functions that a model calls, and its calls, for the core."""

import asyncio
from collections.abc import Sequence

from bot.answers import ActionRequired, ModelStep
from bot.calls import FunctionCall
from bot.function_runs import Functions
from bot.functions import Caller, function, read_function
from bot.messages import InteractionId, Usage
from tests.support.scripted import Asked, ScriptedAdapter

USED = Usage(input_tokens=1, output_tokens=1, total_tokens=2)


class Desk:
    """Functions of an operator, which a test holds."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.held: asyncio.Event | None = None
        self.begun = asyncio.Semaphore(0)
        self.ended = asyncio.Event()

    @property
    def functions(self) -> Functions:
        return self._offered(needs_approval=False)

    @property
    def needing_approval(self) -> Functions:
        return self._offered(needs_approval=True)

    def _offered(self, *, needs_approval: bool) -> Functions:
        @function(needs_approval=needs_approval)
        async def look(what: str, caller: Caller) -> str:
            """Look something up."""
            self.calls.append(f"{what} for {caller.person.id}")
            self.begun.release()
            try:
                if self.held is not None:
                    await self.held.wait()
            finally:
                self.ended.set()
            return f"{what} seen"

        return Functions([read_function(look)])


def call(what: str, *, id_: str = "c1") -> FunctionCall:
    return FunctionCall(id_, "look", {"what": what})


def calls(name: str, *wanted: FunctionCall, steps: Sequence[ModelStep] = (), rounds: int = 1) -> ActionRequired:
    return ActionRequired(InteractionId(name), wanted, USED, tuple(steps), rounds=rounds)


def told(asked: Asked) -> list[object]:
    return [one.value for one in asked.results]


@function(needs_approval=True)
def order(article: str) -> str:
    """Order an article, which costs money."""
    return f"{article} is on its way"


ORDERING = Functions([read_function(order)])
ORDER = FunctionCall("c1", "order", {"article": "`@here`"})


async def is_asked(adapter: ScriptedAdapter, *, but: str = "") -> bool:
    """Whether somebody is asked to approve of something, but for what has that name."""
    return bool(adapter.asking.keys() - {but})


async def is_settled(adapter: ScriptedAdapter) -> bool:
    """Whether something that was asked shows what became of it."""
    return bool(adapter.settled)


def asked_by(adapter: ScriptedAdapter) -> str:
    """The name of what somebody is asked to approve of."""
    (name,) = adapter.asking
    return name
