"""What the core needs of a model."""

from collections.abc import AsyncGenerator
from typing import Protocol

from bot.answers import PLAIN, After, AnswerEvent, Interaction, Manner, Question
from bot.messages import InteractionId


class Model(Protocol):
    """Whoever answers questions. Every failure is one of the `ModelError` classes."""

    def answer(self, question: Question, *, after: After, manner: Manner = PLAIN) -> AsyncGenerator[AnswerEvent, None]:
        """Ask, once and without retrying, and yield the answer as it comes.

        The first event is `Created`, the last one `Completed`. Closing the iterator hangs up.

        Raises:
            ModelRefused: nothing was taken in.
            ContextLost: *after* names an interaction Gemini does not know.
            AnswerBroken: it was taken in, and the answer stopped coming.
            AnswerBlocked, QuestionRejected, KeyRejected ...: asking again does not help.
        """
        ...

    async def look_up(self, interaction: InteractionId) -> Interaction:
        """Fetch an interaction that was created earlier, with its answer as far as Gemini has it.

        Raises:
            InteractionLost: Gemini does not know it.
            AnswerBlocked: its answer was withheld.
            ModelRefused: it cannot be told just now.
        """
        ...
