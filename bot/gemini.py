"""The model over google-genai, which no other module imports."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from itertools import count

import httpx2
from google import genai

# Private names, for want of public ones. `_interactions` is the only home of the errors. The request's class is what
# the public `create(request=...)` asks for; without it the SDK builds a pydantic model anew at every request, which
# is a third of what an answer costs. A test says so when either of them moves.
from google.genai import _interactions as errors
from google.genai._gaos.models import CreateInteractionRequest
from google.genai.interactions import CreateModelInteraction
from google.genai.types import HttpOptions, HttpRetryOptions

from bot.answers import After, AnswerEvent, Completed, Interaction, InteractionState, Question
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
from bot.interactions import (
    COMPLETE,
    CONTINUES,
    RUNNING,
    Fetched,
    Hop,
    inline_bytes,
    question_body,
    read_fetched,
    retold,
)
from bot.messages import InteractionId, Usage
from bot.model_errors import error_for, raise_if_blocked, read_failure
from bot.sse import EventStream

logger = logging.getLogger(__name__)

_MOST_HOPS = 20
_OFF_LOOP = 256 * 1024  # bytes; turning more into or out of base64 would keep everybody else waiting
_CONNECT = 10.0  # seconds
_KEEP = 60.0  # seconds an idle connection is kept: people take longer than the usual 5 to answer
_LINGER = 1.0  # seconds a finished stream has to end, so that its connection can be used again


@asynccontextmanager
async def open_model(
    *,
    api_key: str,
    model: str,
    base_url: str | None = None,
    api_version: str = "v1",
    concurrency: int = 1000,
    system_instruction: str | None = None,
    tools: Sequence[Mapping[str, object]] = (),
    thinking_level: str | None = None,
) -> AsyncIterator["GeminiModel"]:
    """Gemini's model of a name, ready to be asked.

    Args:
        base_url: of another endpoint that speaks the Interactions API, without the version.
        concurrency: how many answers may come at the same time.
        tools: as the API takes them, ``{"type": "url_context"}``; sent with every question, like the instruction.
        thinking_level: ``minimal`` to ``xhigh``, of which each model knows a few; None leaves it to the model.
    """
    generation: dict[str, object] = {"thinking_summaries": "auto"}
    if thinking_level is not None:
        generation["thinking_level"] = thinking_level
    # None of these is kept by an interaction for the next one.
    fixed: dict[str, object] = {"generation_config": generation}
    if system_instruction:
        fixed["system_instruction"] = system_instruction
    if tools:
        fixed["tools"] = [dict(tool) for tool in tools]
    # In a thread: reading the certificates and building the SDK's models take a good part of a second.
    client = await asyncio.to_thread(_client, api_key, base_url, api_version, concurrency)
    try:
        yield GeminiModel(client, model=model, fixed=fixed)
    finally:
        await client.aio.aclose()
        client.close()


def _client(api_key: str, base_url: str | None, api_version: str, concurrency: int) -> genai.Client:
    client = genai.Client(
        enterprise=False,  # whatever the environment says: the key is one of the Gemini API
        api_key=api_key,
        http_options=HttpOptions(
            base_url=base_url,
            api_version=api_version,
            # Creates are repeated by whoever knows what the failed one left behind, and gets are polled.
            retry_options=HttpRetryOptions(attempts=1),
            async_client_args={
                # Answers, and some room for looking up broken ones.
                "limits": httpx2.Limits(
                    max_connections=concurrency + 50,
                    max_keepalive_connections=min(concurrency, 100),
                    keepalive_expiry=_KEEP,
                ),
                # How long an answer may keep silent is the responder's business.
                "timeout": httpx2.Timeout(None, connect=_CONNECT),
                # The key would follow a redirect to any host.
                "follow_redirects": False,
            },
        ),
    )
    _ = client.aio.interactions  # the first touch imports most of the SDK; let it not be the first answer's
    return client


class GeminiModel:
    """The `Model` that is Gemini; made by `open_model`."""

    def __init__(self, client: genai.Client, *, model: str, fixed: Mapping[str, object]) -> None:
        self._client = client  # held: a client that nobody holds closes itself
        self._model = model
        self._fixed = fixed
        self._request = CreateInteractionRequest(body=CreateModelInteraction(model=model, stream=True))

    async def answer(self, question: Question, *, after: After) -> AsyncGenerator[AnswerEvent, None]:
        """Ask, and yield the answer as it comes; see `Model`.

        An answer too long for one interaction takes several: each of them is told as `Created`, and the last
        one is what the next turn goes on from.
        """
        if inline_bytes(question, after) > _OFF_LOOP:
            body = await asyncio.to_thread(question_body, question, after)
        else:
            body = question_body(question, after)
        chained = isinstance(after, str)
        usage = Usage()
        for number in count(1):
            hop = Hop()
            try:
                async with aclosing(self._events(hop, body, chained=chained)) as events:
                    async for event in events:
                        yield event
                interaction = self._judged(hop, chained=chained)
                if hop.status == CONTINUES and number == _MOST_HOPS:
                    raise AnswerBroken(f"unfinished after {_MOST_HOPS} hops")
            except ModelError as error:
                _log(error, "create", hop.id)
                if number > 1 and hop.id is None and isinstance(error, ModelRefused | ContextLost | QuestionRejected):
                    # The question was taken in long ago: it is the answer that broke, between two hops.
                    raise AnswerBroken(f"not continued: {error}") from error
                raise
            usage += hop.usage
            if hop.status != CONTINUES:
                yield Completed(interaction, usage, truncated=hop.status != "completed")
                return
            # Without the input: Gemini holds it already. With it, the question would be asked twice.
            body = {"previous_interaction_id": interaction, "continuation_token": hop.continuation}
            chained = True

    async def look_up(self, interaction: InteractionId) -> Interaction:
        """Fetch an interaction and its answer; see `Model`.

        The last hop of a long answer brings the earlier ones' content with it. A hop that is not the last is
        broken: the token it gave to go on with is gone with the stream that told it.
        """
        try:
            found = await self._fetch(interaction)
            if found.status in RUNNING:
                return Interaction(interaction, InteractionState.RUNNING)
            raise_if_blocked(found.failures)
            if found.status not in COMPLETE:
                return Interaction(interaction, InteractionState.BROKEN)
            return Interaction(interaction, InteractionState.COMPLETED, retold(await self._hops(found)))
        except ModelError as error:
            _log(error, "get", interaction)
            raise

    async def _events(
        self, hop: Hop, body: Mapping[str, object], *, chained: bool
    ) -> AsyncGenerator[AnswerEvent, None]:
        """Post one create and yield what its stream tells; how it ended stands in the hop."""
        accepted = False
        try:
            async with self._client.aio.interactions.with_streaming_response.create(
                request=self._request,
                extra_body={**self._fixed, **body},
                automatic_continuation=False,  # there is none over raw bytes: the hops are posted by `answer`
            ) as response:
                content_type = response.headers.get("content-type", "")
                if response.status_code != 200 or not content_type.startswith("text/event-stream"):
                    raise ModelUnavailable(f"HTTP {response.status_code} without an event stream")
                accepted = True
                # The typed events of the SDK would cost a millisecond each.
                async with aclosing(response.http_response.aiter_bytes()) as pieces:
                    async for event in _read(pieces, hop):
                        yield event
        except errors.APIStatusError as error:
            raise self._error(error, chained=chained) from None
        except (errors.APIError, httpx2.HTTPError) as error:
            if accepted:
                raise AnswerBroken(f"connection lost: {_name(error)}") from None
            raise ModelUnavailable(f"no connection: {_name(error)}") from None

    def _judged(self, hop: Hop, *, chained: bool) -> InteractionId:
        """The interaction of a hop that ended well; raises what it means when it did not."""
        if hop.error is not None:
            failure = read_failure(None, hop.error)
            if hop.id is None:  # an error in place of an answer: as good as a status
                raise error_for(failure, model=self._model, chained=chained)
            raise_if_blocked((failure.code,))
            raise AnswerBroken(f"error event: {failure.code}")
        raise_if_blocked(hop.failures)
        if hop.status == "requires_action":
            # A function call, and we offer no functions: asking again would end the same way.
            raise QuestionRejected(hop.status, chained=chained)
        if hop.id is None or hop.status not in COMPLETE | {CONTINUES}:
            raise AnswerBroken(f"the stream ended with status {hop.status}")
        if hop.status == CONTINUES and hop.continuation is None:
            raise AnswerBroken("unfinished, and no token to go on with")
        return hop.id

    async def _hops(self, last: Fetched) -> list[Fetched]:
        """The hops of a completed answer, the first one first."""
        hops = [last]
        while (previous := hops[0].previous) is not None and len(hops) < _MOST_HOPS:
            try:
                earlier = await self._fetch(previous)
            except InteractionLost:  # an earlier turn, long forgotten: a hop is minutes old at the most
                break
            if earlier.status != CONTINUES:
                break
            hops.insert(0, earlier)
        return hops

    async def _fetch(self, interaction: InteractionId) -> Fetched:
        try:
            async with self._client.aio.interactions.with_streaming_response.get(id=interaction) as response:
                body = await response.read()
        except errors.APIStatusError as error:
            meant = self._error(error, chained=True)
            if isinstance(meant, ContextLost | QuestionRejected | ModelUnknown):  # the request is nothing but the id
                raise InteractionLost(str(meant)) from None
            raise meant from None
        except (errors.APIError, httpx2.HTTPError) as error:
            raise ModelUnavailable(f"no connection: {_name(error)}") from None
        found = await asyncio.to_thread(read_fetched, body) if len(body) > _OFF_LOOP else read_fetched(body)
        if found is None:
            raise ModelUnavailable(f"HTTP {response.status_code} without an interaction")
        return found

    def _error(self, error: errors.APIStatusError, *, chained: bool) -> ModelError:
        failure = read_failure(error.response.status_code, error.body, error.response.headers)
        return error_for(failure, model=self._model, chained=chained)

    def __repr__(self) -> str:
        return f"GeminiModel({self._model!r})"


async def _read(pieces: AsyncIterator[bytes], hop: Hop) -> AsyncGenerator[AnswerEvent, None]:
    """Read a stream to its end, or to where nothing that follows can matter."""
    stream = EventStream()
    async for piece in pieces:
        for found in stream.feed(piece):
            for event in hop.read(found):
                yield event
        if hop.is_over or stream.ended:
            with suppress(TimeoutError, httpx2.HTTPError):
                async with asyncio.timeout(_LINGER):
                    async for _ in pieces:
                        pass
            break
    for found in stream.finish():
        for event in hop.read(found):
            yield event
    hop.finish()


def _name(error: Exception) -> str:
    """What kind of error it is. Its text may hold an address, a header, whatever a library likes to quote."""
    return type(error.__cause__ or error).__name__


def _log(error: ModelError, call: str, interaction: InteractionId | None) -> None:
    fields = {"failure": type(error).__name__, "reason": str(error), "call": call, "interaction": interaction}
    logger.warning("model failed", extra=fields)
