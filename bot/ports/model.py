"""What the core needs of a model."""

from collections.abc import AsyncGenerator
from typing import Protocol

from bot.answers import PLAIN, After, AnswerEvent, Interaction, Manner, Question, Recalled
from bot.calls import Results
from bot.messages import InteractionId


class Model(Protocol):
    """Whoever answers questions. Every failure is one of the `ModelError` classes."""

    def answer(
        self, question: Question | Results, *, after: After, manner: Manner = PLAIN
    ) -> AsyncGenerator[AnswerEvent, None]:
        """Ask, once and without retrying, and yield the answer as it comes.

        The first event is `Created`, the last one `Completed`, or `ActionRequired` where the manner offers functions:
        then the results are put in the place of a question, after that interaction or after all of the steps so far.
        Closing the iterator hangs up.

        Raises:
            ModelRefused: nothing was taken in.
            ContextLost: *after* names an interaction Gemini does not know.
            AnswerBroken: it was taken in, and the answer stopped coming.
            AnswerBlocked, QuestionRejected, KeyRejected ...: asking again does not help.
        """
        ...

    async def look_up(self, interaction: InteractionId) -> Interaction:
        """Fetch an interaction that was created earlier, with its answer, or what it has done so far while it runs.

        Of one that broke after functions had been called it is the one that called for them, under its own id: from
        there the answer can be gone on with.

        Raises:
            InteractionLost: Gemini does not know it.
            AnswerBlocked: its answer was withheld.
            ModelRefused: it cannot be told just now.
        """
        ...

    async def begin(self, question: Question, *, after: After, manner: Manner = PLAIN) -> InteractionId:
        """Ask, once and without retrying, for an answer that is made in the background: `look_up` finds it.

        Raises:
            ModelRefused: nothing was taken in.
            ContextLost: *after* names an interaction Gemini does not know.
            RunUncertain: it may have been taken in, and go on at Gemini under an id that nobody knows.
            AnswerBlocked, QuestionRejected, KeyRejected ...: asking again does not help.
        """
        ...

    async def cancel(self, interaction: InteractionId) -> None:
        """Let an interaction that was begun in the background end. For a while it may still say that it runs.

        Raises:
            InteractionLost: Gemini does not know it.
            ModelRefused: it cannot be told just now.
            QuestionRejected ...: it cannot be cancelled, as one that has ended.
        """
        ...

    async def delete(self, interaction: InteractionId) -> None:
        """Delete an interaction. One that Gemini says is not there is deleted.

        Raises:
            InteractionLost: Gemini knows none of that id with the present key; it may be somebody else's.
            ModelRefused: it cannot be deleted just now.
            KeyRejected, QuestionRejected ...: trying again does not help.
        """
        ...


class Keeper(Protocol):
    """Whoever keeps the interactions."""

    async def recall(self, interaction: InteractionId) -> Recalled:
        """Fetch an interaction with the question it was asked.

        Raises:
            InteractionLost: Gemini does not know it (any more), or lets this key not see it.
            ModelError: it cannot be told.
        """
        ...
