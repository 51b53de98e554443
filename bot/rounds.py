"""An answer for which functions are called: from one round of calls to the next, until it is complete."""

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from bot.answers import ActionRequired, After, Completed, ModelStep, Question, Step
from bot.calling import Calling, names_of
from bot.calls import Results
from bot.errors import AnswerBroken, ContextLost, QuestionRejected
from bot.messages import InteractionId, Turn

logger = logging.getLogger(__name__)

Told = Completed | ActionRequired
"""How a stream can end well."""


class Mend(Protocol):
    """What Gemini has of an answer that broke, or of an interaction that it came from; None when that is nothing."""

    async def __call__(self, error: AnswerBroken, interaction: InteractionId | None = None) -> Told | None: ...


class Rounds:
    """Runs what the model calls for, and lets it go on.

    Args:
        calling: runs it; without it nothing can be called.
        stream: asks, and listens to the end.
    """

    def __init__(
        self,
        turn: Turn,
        *,
        calling: Calling | None,
        stream: Callable[[Question | Results, After], Awaitable[Told]],
        mend: Mend,
    ) -> None:
        self._turn, self._calling, self._stream, self._mend = turn, calling, stream, mend

    async def see_through(self, told: Told | None, *, sent: tuple[Step, ...], is_stored: bool) -> Completed | None:
        """The whole answer; None when nothing is left of it, and the question has to be asked again.

        Args:
            told: how its first stream ended.
            sent: all that the model was told before that, which is told again where nothing is stored.

        Raises:
            AnswerBroken: what goes on from the same calls broke twice.
        """
        retried = False
        while isinstance(told, ActionRequired):
            action = told
            try:
                told = await self._gone_on(action, sent, is_stored=is_stored)
            except AnswerBroken as error:
                # Not asked for anew as long as Gemini has the calls: all up to them is paid, and they have been run.
                told = await self._mend(error) or await self._mend(error, action.interaction)
                if isinstance(told, ActionRequired) and told.interaction == action.interaction:
                    if retried:
                        raise
                    retried = True
        return told

    async def _gone_on(self, action: ActionRequired, sent: tuple[Step, ...], *, is_stored: bool) -> Told:
        """Run what the model calls for, and hear how it goes on from all of the results."""
        if self._calling is None:
            raise QuestionRejected("requires_action", chained=True)
        logger.info("functions called for", extra={**self._turn.fields, "functions": names_of(action.calls)})
        results = await self._calling.results(action)
        try:
            told = await self._stream(results, action.interaction if is_stored else (*sent, *action.steps))
        except ContextLost as error:
            raise AnswerBroken("the interaction whose calls were run is unknown") from error
        steps = () if is_stored else (*action.steps, *_steps(results), *told.steps)
        told = replace(told, usage=action.usage + told.usage, steps=steps)
        return replace(told, rounds=action.rounds + 1) if isinstance(told, ActionRequired) else told


def _steps(results: Results) -> tuple[ModelStep, ...]:
    """The results as steps that are sent back with every later question."""
    return tuple(
        ModelStep(json.dumps(one.step(), ensure_ascii=False, separators=(",", ":"))) for one in results.results
    )
