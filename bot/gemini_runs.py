"""Answers that are made in the background at Gemini: begun by a create that returns at once, and cancelled."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from bot.answers import After, Manner, Question
from bot.errors import ContextLost, InteractionLost, ModelUnavailable, RunUncertain
from bot.gemini_calls import CallFailed, NoConnection
from bot.interactions import read_fetched
from bot.messages import InteractionId
from bot.model_errors import error_for
from bot.question_bodies import inline_bytes, question_body
from bot.tools import offered

_OFF_LOOP = 256 * 1024  # bytes; turning more into base64 would keep everybody else waiting
_MAY_BE_TAKEN_IN = {502, 504}  # HTTP statuses of whoever stands before Gemini and heard no more of it
_DEEP_RESEARCH: Mapping[str, object] = {
    "type": "deep-research",
    "thinking_summaries": "auto",
    "visualization": "off",
    "collaborative_planning": False,
}


class RunLine(Protocol):
    """The calls that runs need. Each raises CallFailed or NoConnection."""

    async def begin(self, owner: Mapping[str, str], body: Mapping[str, object]) -> tuple[int, bytes]:
        """Post a create in the background, of ``{"model": ...}`` or ``{"agent": ...}``; the status and the body."""
        ...

    async def cancel(self, interaction: InteractionId) -> None:
        """Cancel an interaction."""
        ...


class GeminiRuns:
    """The part of the `Model` that is Gemini which begins answers in the background and cancels them.

    Args:
        model: the one that answers now.
        fixed: what every create of a model says beside the question; agents have their own.
    """

    def __init__(self, line: RunLine, *, model: Callable[[], str], fixed: Mapping[str, object]) -> None:
        self._line, self._model, self._fixed = line, model, fixed

    async def begin(self, question: Question, *, after: After, manner: Manner) -> InteractionId:
        """See `Model.begin`."""
        if not manner.is_stored:
            raise ValueError("what is not stored cannot be found again")
        if inline_bytes(question, after) > _OFF_LOOP:
            body = await asyncio.to_thread(question_body, question, after)
        else:
            body = question_body(question, after)
        name = manner.agent or manner.model or self._model()
        try:
            status, told = await self._line.begin(
                {"model" if manner.agent is None else "agent": name}, {**self._around(manner), **body}
            )
        except CallFailed as error:
            if error.failure.status in _MAY_BE_TAKEN_IN:
                raise RunUncertain(f"{error.failure.status} {error.failure.code}") from None
            raise error_for(error.failure, model=name, chained=isinstance(after, str)) from None
        except NoConnection as error:
            if error.was_sent:
                raise RunUncertain(f"no connection: {error}") from None
            raise ModelUnavailable(f"no connection: {error}") from None
        begun = read_fetched(told)
        if begun is None:
            raise RunUncertain(f"HTTP {status} without an interaction")
        return begun.id

    def _around(self, manner: Manner) -> Mapping[str, object]:
        if manner.agent is None:
            return {**self._fixed, **offered(manner.tools)}
        return {"agent_config": dict(_DEEP_RESEARCH)} if manner.agent.startswith("deep-research") else {}

    async def cancel(self, interaction: InteractionId) -> None:
        """See `Model.cancel`."""
        try:
            await self._line.cancel(interaction)
        except CallFailed as error:
            meant = error_for(error.failure, model=self._model(), chained=True)
            if error.failure.status == 404 or isinstance(meant, ContextLost):
                raise InteractionLost(str(meant)) from None
            raise meant from None
        except NoConnection as error:
            raise ModelUnavailable(f"no connection: {error}") from None
