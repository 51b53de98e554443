"""The model that is Gemini: answers that take several hops, and answers fetched again."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from itertools import count
from typing import Protocol, TypeVar

from bot.answers import (
    PLAIN,
    ActionRequired,
    After,
    AnswerEvent,
    Completed,
    Interaction,
    InteractionState,
    Manner,
    ModelStep,
    Question,
    Recalled,
)
from bot.calls import Results
from bot.errors import (
    AnswerBroken,
    ContextLost,
    InteractionLost,
    ModelError,
    ModelRefused,
    ModelUnavailable,
    ModelUnknown,
    QuestionRejected,
)
from bot.gemini_calls import CallFailed, NoConnection
from bot.gemini_runs import GeminiRuns, RunLine
from bot.interactions import (
    CALLS,
    COMPLETE,
    CONTINUES,
    RUNNING,
    Fetched,
    Hop,
    read_fetched,
    retold,
)
from bot.messages import InteractionId, Usage
from bot.model_errors import error_for, raise_if_blocked, read_failure
from bot.ports.uploads import FileShelf
from bot.question_bodies import inline_bytes, question_body
from bot.remembered import read_remembered, recalled
from bot.sse import EventStream
from bot.succession import Succession
from bot.tools import offered, offers_functions, unstored

logger = logging.getLogger(__name__)

_MOST_HOPS = 20
_MOST_BACK = 60  # hops of one answer that are looked for, those that called for functions among them
_NOT_TAKEN_IN = (ModelRefused, ContextLost, ModelUnknown, QuestionRejected)
_OFF_LOOP = 256 * 1024  # bytes; turning more into or out of base64 would keep everybody else waiting
_LINGER = 1.0  # seconds a finished stream has to end, so that its connection can be used again


Got = TypeVar("Got")


class Line(RunLine, Protocol):
    """The calls of the Interactions API. Each raises CallFailed or NoConnection."""

    def create(self, model: str, body: Mapping[str, object]) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Post a create; the bytes of its event stream. Raises ModelUnavailable when it answers with none."""
        ...

    async def get(self, interaction: InteractionId, *, include_input: bool = False) -> tuple[int, bytes]:
        """Fetch an interaction, with the question it was asked if that is wanted; the status and the body."""
        ...

    async def delete(self, interaction: InteractionId) -> None:
        """Delete an interaction."""
        ...


class GeminiModel:
    """The `Model` that is Gemini; `open_model` makes one.

    Args:
        models: those that answer; where one is named by its `Manner`, that one answers and none in its place.
        fixed: what every create says beside the question.
        files: where it keeps those that are too large for a request.
    """

    def __init__(self, line: Line, *, models: Succession, fixed: Mapping[str, object], files: FileShelf) -> None:
        self._line, self._models, self._fixed = line, models, fixed
        self.files = files
        self._runs = GeminiRuns(line, model=lambda: models.present, fixed=fixed)

    async def answer(
        self, question: Question | Results, *, after: After, manner: Manner = PLAIN
    ) -> AsyncGenerator[AnswerEvent, None]:
        """Ask, and yield the answer as it comes; see `Model`.

        An answer too long for one interaction takes several: each of them is told as `Created`, and the last
        one is what the next turn goes on from.
        """
        if isinstance(after, str) and not manner.is_stored:
            raise ValueError("what is not stored goes on from no interaction")
        if inline_bytes(question, after) > _OFF_LOOP:
            body = await asyncio.to_thread(question_body, question, after)
        else:
            body = question_body(question, after)
        while True:
            model = manner.model or self._models.present
            try:
                async with aclosing(self._hops_of(body, model, manner, chained=isinstance(after, str))) as events:
                    async for event in events:
                        yield event
                return
            except ModelUnknown as error:  # nothing was taken in, so the question can be put to another
                if manner.model is not None or not self._models.retire(error.model):
                    raise

    async def _hops_of(
        self, body: dict[str, object], model: str, manner: Manner, *, chained: bool
    ) -> AsyncGenerator[AnswerEvent, None]:
        usage, steps = Usage(), tuple[ModelStep, ...]()
        for number in count(1):
            hop = Hop(keeps_steps=not manner.is_stored)
            try:
                async with aclosing(self._events(hop, body, model=model, chained=chained, manner=manner)) as events:
                    async for event in events:
                        yield event
                interaction = self._judged(hop, model=model, chained=chained, manner=manner)
                if hop.status == CONTINUES and number == _MOST_HOPS:
                    raise AnswerBroken(f"unfinished after {_MOST_HOPS} hops")
            except ModelError as error:
                _log(error, "create", hop.id)
                if number > 1 and hop.id is None and isinstance(error, _NOT_TAKEN_IN):
                    # The question was taken in long ago: it is the answer that broke, between two hops.
                    raise AnswerBroken(f"not continued: {error}") from error
                raise
            usage += hop.usage
            steps += await _steps(hop)
            if hop.status == CALLS:
                yield ActionRequired(interaction, hop.calls.calls(), usage, steps, model=model)
                return
            if hop.status != CONTINUES:
                yield Completed(interaction, usage, truncated=hop.status != "completed", model=model, steps=steps)
                return
            if not manner.is_stored:
                body |= {"continuation_token": hop.continuation}  # nobody holds the input, so it is sent again
                continue
            # Without the input: Gemini holds it already. With it, the question would be asked twice.
            body = {"previous_interaction_id": interaction, "continuation_token": hop.continuation}
            chained = True

    async def look_up(self, interaction: InteractionId) -> Interaction:
        """Fetch an interaction and its answer; see `Model`.

        The last hop of a long answer, or of one for which functions were called, brings the earlier ones' content with
        it. A hop that is not the last is broken: the token it gave to go on with is gone with the stream that told it.
        In the place of one that broke after functions had been called is the one that called for them: from there it
        can be gone on.
        """
        try:
            found = await self._fetch(interaction)
            if found.status in RUNNING:
                return Interaction(interaction, InteractionState.RUNNING, found.content)
            raise_if_blocked(found.failures)
            calls = found.status == CALLS and bool(found.calls)
            if not calls and found.status not in COMPLETE:
                return await self._called_before(found) or Interaction(interaction, InteractionState.BROKEN)
            state = InteractionState.CALLING if calls else InteractionState.COMPLETED
            return Interaction(interaction, state, retold(await self._hops(found)))
        except ModelError as error:
            _log(error, "get", interaction)
            raise

    async def _called_before(self, broken: Fetched) -> Interaction | None:
        """What an interaction went on from, where that calls for functions."""
        try:
            found = None if broken.previous is None else await self._fetch(broken.previous)
        except InteractionLost:
            return None
        if found is None or found.status != CALLS or not found.calls:
            return None
        return Interaction(found.id, InteractionState.CALLING, retold(await self._hops(found)))

    async def begin(self, question: Question, *, after: After, manner: Manner = PLAIN) -> InteractionId:
        """Ask for an answer in the background; see `Model`."""
        try:
            return await self._runs.begin(question, after=after, manner=manner)
        except ModelError as error:
            _log(error, "create", None)
            raise

    async def cancel(self, interaction: InteractionId) -> None:
        """Cancel an interaction; see `Model`."""
        try:
            await self._runs.cancel(interaction)
        except ModelError as error:
            _log(error, "cancel", interaction)
            raise

    async def recall(self, interaction: InteractionId) -> Recalled:
        """Fetch an interaction with its question; see `Keeper`.

        A hop that goes on with a long answer was asked nothing: the question stands with the first one.
        """
        hop = await self._got(interaction, read_remembered, include_input=True)
        hops = [hop]
        while not hop.asked and hop.previous is not None and len(hops) < _MOST_BACK:
            try:
                hop = await self._got(hop.previous, read_remembered, include_input=True)
            except InteractionLost:
                break
            hops.insert(0, hop)
        return recalled(hops)

    async def delete(self, interaction: InteractionId) -> None:
        """Delete an interaction; see `Model`."""
        try:
            await self._line.delete(interaction)
        except CallFailed as error:
            if error.failure.status == 404:
                return
            meant = error_for(error.failure, model=self._models.present, chained=True)
            if isinstance(meant, ContextLost):
                meant = InteractionLost(str(meant))
            _log(meant, "delete", interaction)
            raise meant from None
        except NoConnection as error:
            raise ModelUnavailable(f"no connection: {error}") from None

    async def _events(
        self, hop: Hop, body: Mapping[str, object], *, model: str, chained: bool, manner: Manner
    ) -> AsyncGenerator[AnswerEvent, None]:
        """Post one create and yield what its stream tells; how it ended stands in the hop."""
        accepted = False
        try:
            create = {**self._fixed, **offered(manner.tools), **body}
            async with self._line.create(model, create if manner.is_stored else unstored(create)) as pieces:
                accepted = True
                async for event in _read(pieces, hop):
                    yield event
        except CallFailed as error:
            raise error_for(error.failure, model=model, chained=chained) from None
        except NoConnection as error:
            if accepted:
                raise AnswerBroken(f"connection lost: {error}") from None
            raise ModelUnavailable(f"no connection: {error}") from None

    def _judged(self, hop: Hop, *, model: str, chained: bool, manner: Manner) -> InteractionId:
        """The interaction of a hop that ended well; raises what it means when it did not."""
        if hop.error is not None:
            failure = read_failure(None, hop.error)
            if hop.id is None:  # an error in place of an answer: as good as a status
                raise error_for(failure, model=model, chained=chained)
            raise_if_blocked((failure.code,))
            raise AnswerBroken(f"error event: {failure.code}")
        raise_if_blocked(hop.failures)
        if hop.status == CALLS and not (offers_functions(manner.tools) and hop.calls.calls()):
            # Nothing that we can do: asking again would end the same way.
            raise QuestionRejected(hop.status, chained=chained)
        if hop.id is None or hop.status not in COMPLETE | {CONTINUES, CALLS}:
            raise AnswerBroken(f"the stream ended with status {hop.status}")
        if hop.status == CONTINUES and hop.continuation is None:
            raise AnswerBroken("unfinished, and no token to go on with")
        return hop.id

    async def _hops(self, last: Fetched) -> list[Fetched]:
        """The hops of an answer, the first one first."""
        hops = [last]
        while (previous := hops[0].previous) is not None and len(hops) < _MOST_BACK:
            try:
                earlier = await self._fetch(previous)
            except InteractionLost:  # an earlier turn, long forgotten: a hop is a day old at the most
                break
            if earlier.status not in {CONTINUES, CALLS}:
                break
            hops.insert(0, earlier)
        return hops

    async def _fetch(self, interaction: InteractionId) -> Fetched:
        return await self._got(interaction, read_fetched)

    async def _got(
        self, interaction: InteractionId, read: Callable[[bytes], Got | None], *, include_input: bool = False
    ) -> Got:
        """Fetch an interaction and read it. Raises what it means when there is none."""
        try:
            status, body = await self._line.get(interaction, include_input=include_input)
        except CallFailed as error:
            meant = error_for(error.failure, model=self._models.present, chained=True)
            if isinstance(meant, ContextLost | QuestionRejected | ModelUnknown):  # the request is nothing but the id
                raise InteractionLost(str(meant)) from None
            raise meant from None
        except NoConnection as error:
            raise ModelUnavailable(f"no connection: {error}") from None
        found = await asyncio.to_thread(read, body) if len(body) > _OFF_LOOP else read(body)
        if found is None:
            raise ModelUnavailable(f"HTTP {status} without an interaction")
        return found

    def __repr__(self) -> str:
        return f"GeminiModel({self._models.present!r})"


async def _steps(hop: Hop) -> tuple[ModelStep, ...]:
    """The steps of a hop that ended well, if it is not stored."""
    if hop.steps is None:
        return ()
    if hop.steps.bytes > _OFF_LOOP:
        return tuple(await asyncio.to_thread(list, hop.steps.steps()))
    return tuple(hop.steps.steps())


async def _read(pieces: AsyncIterator[bytes], hop: Hop) -> AsyncGenerator[AnswerEvent, None]:
    """Read a stream to its end, or to where nothing that follows can matter."""
    stream = EventStream()
    async for piece in pieces:
        for found in stream.feed(piece):
            for event in hop.read(found):
                yield event
        if hop.is_over or stream.ended:
            with suppress(TimeoutError, NoConnection):
                async with asyncio.timeout(_LINGER):
                    async for _ in pieces:
                        pass
            break
    for found in stream.finish():
        for event in hop.read(found):
            yield event
    hop.finish()


def _log(error: ModelError, call: str, interaction: InteractionId | None) -> None:
    fields = {"failure": type(error).__name__, "reason": str(error), "call": call, "interaction": interaction}
    logger.warning("model failed", extra=fields)
