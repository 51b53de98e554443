"""Death at a chosen moment, in process: before or after the k-th thing a bot does to the world.

The ports are wrapped once, here. Whatever the bot tries after its death comes to nothing, its last words included.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from enum import Enum, auto
from typing import TypeVar, cast

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.adapter import Line
from bot.answers import PLAIN, After, AnswerEvent, Created, Interaction, InteractionState, Manner, Question
from bot.errors import ModelRefused
from bot.messages import InteractionId
from bot.ports import Store
from tests.support.scripted import Asked, ScriptedModel, completed
from tests.support.slack import ActThenDrop, Call, DropBefore, SlackServer

READS = frozenset(
    {"running", "waiting", "untold", "never_told", "note", "turn", "transcript", "threads", "active"}
    | {"unconfirmed", "check", "chain"}
    | {"to_forget", "forgotten", "to_delete", "file_to_delete"}
    | {"places", "caught_up"}  # of the start, which goes on beside what is counted
)
WIRE = ("file.download", "file.upload", "response_url")
"""What the SDK's client does not do: the bytes of files, and answers at an address Slack gave for them."""

T = TypeVar("T")


class When(Enum):
    """On which side of the deed death comes."""

    BEFORE = auto()
    AFTER = auto()


class Reaper:
    """Counts what the bot does, from `start` on, and ends it at its moment.

    Args:
        k: the number of the deed, from 1; 0 lets the bot live.
        then: called at the moment of death.
    """

    def __init__(self, k: int, when: When, *, then: Callable[[], None] = lambda: None) -> None:
        self.k, self.when, self._then = k, when, then
        self._counting = False
        self._done: Counter[str] = Counter()
        self._did_more = asyncio.Event()
        self.deeds: list[str] = []
        self.struck = asyncio.Event()

    def start(self) -> None:
        """Count from here: the connection is up, and the question about to be asked."""
        self._counting = True

    async def did(self, *names: str) -> None:
        """Wait until these were done since the counting began, as often as they are named."""
        wanted = Counter(names)
        while not wanted <= self._done:
            self._did_more.clear()
            await self._did_more.wait()

    def has_done(self, name: str) -> bool:
        """Whether a deed was done, by a bot that is dead now."""
        return name in self.deeds[: self.k - (self.when is When.BEFORE)]

    async def lets(self, name: str, deed: Callable[[], Awaitable[T]]) -> T:
        """Do it, unless the bot is dead; and let it die, if this is the moment."""
        self._check()
        mine = self._is_mine(name)
        if mine and self.when is When.BEFORE:
            self._strike()
            self._check()
        try:
            done = await deed()
        finally:
            if mine and self.when is When.AFTER:
                self._strike()
            self._check()
        if self._counting:
            self._done[name] += 1
            self._did_more.set()
        return done

    async def lets_wait(self, waiting: Awaitable[object]) -> None:
        """Wait, unless the bot dies meanwhile."""
        waits: list[asyncio.Future[object]] = [
            asyncio.ensure_future(waiting),
            asyncio.ensure_future(self.struck.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            self._check()
            await waits[0]
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _is_mine(self, name: str) -> bool:
        if self._counting:
            self.deeds.append(name)
        return self._counting and len(self.deeds) == self.k

    def _strike(self) -> None:
        self.struck.set()
        self._then()

    def _check(self) -> None:
        if self.struck.is_set():
            # As if the loop had stopped running this task: nobody hears of it, and nothing is logged.
            raise asyncio.CancelledError

    # --- the ports --------------------------------------------------------------------------------

    def over_store(self, store: Store) -> Store:
        return cast("Store", _ReapedStore(self, store))

    def over_line(self, line: Line) -> Line:
        return Line(_ReapedClient(self, line.client), line.session)

    def over_wire(self, slack: SlackServer) -> None:
        """Count, too, what reaches Slack in other ways than through the SDK's client. `SlackServer.faults` end it."""
        fault = DropBefore() if self.when is When.BEFORE else ActThenDrop()
        for method in WIRE:
            slack.faults.arm(method, fault, times=None, when=self._ends_at)
            slack.faults.arm(method, DropBefore(), times=None, when=lambda call: self.struck.is_set())

    def _ends_at(self, call: Call) -> bool:
        if self.struck.is_set() or not self._is_mine(f"slack.{call.method}"):
            return False
        self._strike()
        return True


class _ReapedStore:
    def __init__(self, reaper: Reaper, store: Store) -> None:
        self._reaper, self._store = reaper, store

    def __getattr__(self, name: str) -> object:
        method = getattr(self._store, name)
        if name in {"chains", "forgetting"}:  # a store in the store
            return _ReapedStore(self._reaper, method)
        if name in READS:
            return method

        async def reaped(*arguments: object, **named: object) -> object:
            return await self._reaper.lets(f"store.{name}", lambda: method(*arguments, **named))

        return reaped


class _ReapedClient(AsyncWebClient):
    def __init__(self, reaper: Reaper, client: AsyncWebClient) -> None:
        super().__init__(token=client.token, base_url=client.base_url, session=client.session, retry_handlers=[])
        self._reaper = reaper

    async def api_call(self, api_method: str, **named: object) -> AsyncSlackResponse:
        call = super().api_call
        return await self._reaper.lets(f"slack.{api_method}", lambda: call(api_method, **named))  # type: ignore[arg-type]


Cue = AnswerEvent | Exception | Callable[[], Awaitable[object]]
"""What a model that outlives the bot does in an answer: tell something, fail, or wait."""


class ReapedModel(ScriptedModel):
    """A model that outlives the bot: what it began to answer it finishes, to be fetched later.

    Args:
        tells: how it answers a question; its first and last event need not be said. A refusal comes first if at all.
        finishes: whether it ever does.
    """

    def __init__(self, reaper: Reaper, tells: Callable[[Asked], Sequence[Cue]], *, finishes: bool = True) -> None:
        super().__init__()
        self.reaper = reaper
        self._tells, self._finishes = tells, finishes

    async def answer(
        self, question: Question, *, after: After, manner: Manner = PLAIN
    ) -> AsyncGenerator[AnswerEvent, None]:
        cues = self._tells(Asked(question, after, manner))
        name = InteractionId(f"i{len(self.asked) + 1}")
        self.will(cues[0] if isinstance(cues[0], ModelRefused) else Created(name))
        async with aclosing(super().answer(question, after=after, manner=manner)) as accepted:
            first = await self.reaper.lets("model.answer", lambda: anext(accepted))
        self.will_find(name, self._found(name, cues))
        yield first
        for cue in cues:
            if isinstance(cue, Exception):
                raise cue
            if isinstance(cue, AnswerEvent):
                yield cue
            else:
                await self.reaper.lets_wait(cue())
        yield completed(name)

    def _found(self, name: InteractionId, cues: Sequence[Cue]) -> Interaction | Exception:
        for cue in cues:
            if isinstance(cue, Exception):
                return cue
        told = tuple(cue for cue in cues if isinstance(cue, AnswerEvent))
        events = (Created(name), *told, completed(name)) if self._finishes else ()
        state = InteractionState.COMPLETED if self._finishes else InteractionState.RUNNING
        return Interaction(name, state, events)

    async def look_up(self, interaction: InteractionId) -> Interaction:
        look_up = super().look_up
        return await self.reaper.lets("model.look_up", lambda: look_up(interaction))
