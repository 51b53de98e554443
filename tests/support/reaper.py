"""Death at a chosen moment, in process: before or after the k-th thing a bot does to the world.

The ports are wrapped once, here. Whatever the bot tries after its death comes to nothing, its last words included.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from enum import Enum, auto
from typing import TypeVar, cast

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.adapter import Line
from bot.answers import After, AnswerEvent, Interaction, InteractionState, Question, TextPiece
from bot.messages import InteractionId
from bot.ports import Store
from tests.support.scripted import ScriptedModel, answer

READS = frozenset(
    {"running", "waiting", "untold", "never_told", "note", "turn", "transcript", "threads", "places", "active"}
    | {"unconfirmed", "check"}
)

T = TypeVar("T")


class When(Enum):
    """On which side of the deed death comes."""

    BEFORE = auto()
    AFTER = auto()


class Reaper:
    """Counts what the bot does, from `start` on, and ends it at its moment."""

    def __init__(self, k: int, when: When) -> None:
        self._k, self._when = k, when
        self._counting = False
        self.deeds: list[str] = []
        self.struck = asyncio.Event()

    def start(self) -> None:
        """Count from here: the connection is up, and the question about to be asked."""
        self._counting = True

    async def lets(self, name: str, deed: Callable[[], Awaitable[T]]) -> T:
        """Do it, unless the bot is dead; and let it die, if this is the moment."""
        self._check()
        mine = self._is_mine(name)
        if mine and self._when is When.BEFORE:
            self._strike()
        done = await deed()
        if mine and self._when is When.AFTER:
            self._strike()
        self._check()
        return done

    def _is_mine(self, name: str) -> bool:
        if self._counting:
            self.deeds.append(name)
        return self._counting and len(self.deeds) == self._k

    def _strike(self) -> None:
        self.struck.set()
        # As if the loop had stopped running this task: nobody hears of it, and nothing is logged.
        raise asyncio.CancelledError

    def _check(self) -> None:
        if self.struck.is_set():
            raise asyncio.CancelledError

    def over_store(self, store: Store) -> Store:
        return cast("Store", _ReapedStore(self, store))

    def over_line(self, line: Line) -> Line:
        return Line(_ReapedClient(self, line.client), line.session)


class _ReapedStore:
    def __init__(self, reaper: Reaper, store: Store) -> None:
        self._reaper, self._store = reaper, store

    def __getattr__(self, name: str) -> object:
        method = getattr(self._store, name)
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


class ReapedModel(ScriptedModel):
    """A model that outlives the bot: what it began to answer it finishes, to be fetched later.

    Args:
        half_way: awaited in the middle of each answer, so that its first half is shown before the second comes.
    """

    def __init__(self, reaper: Reaper, text: str, half_way: Callable[[], Awaitable[object]] | None = None) -> None:
        super().__init__()
        self.reaper = reaper
        self._text = text
        self._half_way = half_way

    async def answer(self, question: Question, *, after: After) -> AsyncGenerator[AnswerEvent, None]:
        number = len(self.asked) + 1
        whole = answer(f"i{number}", self._text)
        self.will(*whole)
        events = super().answer(question, after=after)
        first = await self.reaper.lets("model.answer", lambda: anext(events))
        self.will_find(f"i{number}", Interaction(InteractionId(f"i{number}"), InteractionState.COMPLETED, whole))
        yield first
        if self._half_way is not None:
            yield TextPiece(self._text[: len(self._text) // 2])
            await self._half_way()
        async for event in events:
            if self._half_way is not None and isinstance(event, TextPiece):
                yield TextPiece(event.text[len(self._text) // 2 :])
            else:
                yield event

    async def look_up(self, interaction: InteractionId) -> Interaction:
        look_up = super().look_up
        return await self.reaper.lets("model.look_up", lambda: look_up(interaction))
