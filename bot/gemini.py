"""The calls of the Interactions API and of the Files API over google-genai, which no other module imports."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import TypeVar

import httpx2
from google import genai

# Private names, for want of public ones. `_interactions` is the only home of the errors. The request's class is what
# the public `create(request=...)` asks for; without it the SDK builds a pydantic model anew at every request, which
# is a third of what an answer costs. A test says so when either of them moves.
from google.genai import _interactions as errors
from google.genai import errors as file_errors
from google.genai._gaos.models import CreateInteractionRequest
from google.genai.interactions import CreateAgentInteraction, CreateModelInteraction
from google.genai.types import File, HttpOptions, HttpRetryOptions, UploadFileConfig

from bot.errors import ModelUnavailable
from bot.gemini_calls import CallFailed, NoConnection
from bot.gemini_files import GeminiFiles
from bot.gemini_model import GeminiModel
from bot.messages import InteractionId
from bot.model_errors import read_failure
from bot.ports.uploads import FileState, GeminiFile
from bot.succession import Succession

T = TypeVar("T")

logger = logging.getLogger(__name__)

_GEMINI = "https://generativelanguage.googleapis.com"  # where the SDK finds the Gemini API
_CONNECT = 10.0  # seconds
_UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_KEEP = 60.0  # seconds an idle connection is kept: people take longer than the usual 5 to answer


@asynccontextmanager
async def open_model(
    *,
    api_key: str,
    model: str,
    successors: Sequence[str] = (),
    base_url: str | None = None,
    api_version: str = "v1",
    concurrency: int = 1000,
    system_instruction: str | None = None,
    tools: Sequence[Mapping[str, object]] = (),
    thinking_level: str | None = None,
) -> AsyncIterator[GeminiModel]:
    """Gemini's model of a name, ready to be asked.

    Args:
        successors: models that answer, one after the other, when Gemini no longer knows the one before.
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
    http, client = await asyncio.to_thread(_client, api_key, base_url, api_version, concurrency)
    line = GeminiLine(client)
    try:
        yield GeminiModel(line, models=Succession([model, *successors]), fixed=fixed, files=GeminiFiles(line))
    finally:
        await client.aio.aclose()
        client.close()
        await http.aclose()


def _client(
    api_key: str, base_url: str | None, api_version: str, concurrency: int
) -> tuple[httpx2.AsyncClient, genai.Client]:
    endpoint = base_url or _GEMINI
    http = httpx2.AsyncClient(
        # Answers, and some room for looking up broken ones and for files.
        limits=httpx2.Limits(
            max_connections=concurrency + 50,
            max_keepalive_connections=min(concurrency, 100),
            keepalive_expiry=_KEEP,
        ),
        # How long an answer may keep silent is the responder's business.
        timeout=httpx2.Timeout(None, connect=_CONNECT),
        # The key would follow a redirect to any host.
        follow_redirects=False,
        # And an upload goes to the address that the answer before it names.
        event_hooks={"request": [_only_to(endpoint)]},
    )
    client = genai.Client(
        enterprise=False,  # whatever the environment says: the key is one of the Gemini API
        api_key=api_key,
        http_options=HttpOptions(
            base_url=endpoint,  # always said: the SDK would follow a variable of its own, to wherever it leads
            api_version=api_version,
            # Creates are repeated by whoever knows what the failed one left behind, and gets are polled.
            retry_options=HttpRetryOptions(attempts=1),
            # Left to itself the SDK sends files over aiohttp, which follows redirects and copies every piece.
            httpx_async_client=http,
        ),
    )
    _ = client.aio.interactions  # the first touch imports most of the SDK; let it not be the first answer's
    return http, client


def _only_to(endpoint: str) -> Callable[[httpx2.Request], Awaitable[None]]:
    """What lets no request pass but those to the endpoint itself."""
    origin = _origin(httpx2.URL(endpoint))

    async def check(request: httpx2.Request) -> None:
        if _origin(request.url) != origin:
            logger.error("request to another host than the model's kept back", extra={"host": request.url.host})
            raise httpx2.UnsupportedProtocol("another host than the model's", request=request)

    return check


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host, port


class GeminiLine:
    """The `Line` and the `FileLine` to Gemini; `open_model` opens it."""

    def __init__(self, client: genai.Client) -> None:
        self._client = client  # held: a client that nobody holds closes itself
        self._requests: dict[str, CreateInteractionRequest] = {}  # by model

    @asynccontextmanager
    async def create(self, model: str, body: Mapping[str, object]) -> AsyncIterator[AsyncIterator[bytes]]:
        """Post a create and yield its event stream."""
        if model not in self._requests:
            self._requests[model] = CreateInteractionRequest(body=CreateModelInteraction(model=model, stream=True))
        with _ours():
            async with self._client.aio.interactions.with_streaming_response.create(
                request=self._requests[model],
                extra_body=dict(body),
                automatic_continuation=False,  # there is none over raw bytes: whoever reads them posts the hops
            ) as response:
                content_type = response.headers.get("content-type", "")
                if response.status_code != 200 or not content_type.startswith("text/event-stream"):
                    raise ModelUnavailable(f"HTTP {response.status_code} without an event stream")
                # The typed events of the SDK would cost a millisecond each.
                async with aclosing(_whole(response.http_response)) as pieces:
                    yield pieces

    async def begin(self, owner: Mapping[str, str], body: Mapping[str, object]) -> tuple[int, bytes]:
        """Post a create in the background, of ``{"model": ...}`` or ``{"agent": ...}``; the status and the body."""
        of_kind = CreateAgentInteraction if "agent" in owner else CreateModelInteraction
        request = CreateInteractionRequest(body=of_kind.model_validate({**owner, "background": True}))
        with _ours():
            async with self._client.aio.interactions.with_streaming_response.create(
                request=request, extra_body=dict(body)
            ) as response:
                return response.status_code, await response.read()

    async def cancel(self, interaction: InteractionId) -> None:
        """Cancel an interaction."""
        with _ours():
            async with self._client.aio.interactions.with_streaming_response.cancel(id=interaction) as response:
                await response.read()

    async def get(self, interaction: InteractionId, *, include_input: bool = False) -> tuple[int, bytes]:
        """Fetch an interaction; the status and the body."""
        with _ours():
            async with self._client.aio.interactions.with_streaming_response.get(
                id=interaction, include_input=include_input or None
            ) as response:
                return response.status_code, await response.read()

    async def delete(self, interaction: InteractionId) -> None:
        """Delete an interaction."""
        with _ours():
            await self._client.aio.interactions.delete(id=interaction)

    async def upload(self, path: str, *, name: str, mime_type: str) -> GeminiFile:
        """Send a file. The SDK reads it piece by piece, in a thread."""
        # What a file is called says something of people, and nobody at Gemini needs to know.
        config = UploadFileConfig(name=name, mime_type=mime_type, display_name="clew")
        return await _told(self._client.aio.files.upload(file=path, config=config))

    async def file(self, name: str) -> GeminiFile:
        """Fetch what is known of a file."""
        return await _told(self._client.aio.files.get(name=name))

    async def delete_file(self, name: str) -> None:
        """Delete a file."""
        await _of_files(self._client.aio.files.delete(name=name))


async def _told(call: Awaitable[File]) -> GeminiFile:
    """What a call of the Files API tells of a file."""
    file = await _of_files(call)
    state = file.state.name if file.state is not None else ""
    if not file.name or not file.uri:
        raise NoConnection("a file without a name")
    return GeminiFile(
        name=file.name,
        uri=file.uri,
        mime_type=file.mime_type or "",
        state=FileState[state] if state in FileState.__members__ else FileState.PROCESSING,
        expires_at=file.expiration_time.timestamp() if file.expiration_time is not None else None,
    )


async def _of_files(call: Awaitable[T]) -> T:
    """Make a call of the Files API, whose errors are of a family of their own."""
    try:
        return await call
    except file_errors.APIError as error:
        response = error.response
        headers = response.headers if isinstance(response, httpx2.Response) else {}
        raise CallFailed(read_failure(error.code, error.details, headers)) from None
    except (httpx2.HTTPError, KeyError, ValueError) as error:  # the last two: an upload was not answered as one
        raise NoConnection(_name(error)) from None


async def _whole(response: httpx2.Response) -> AsyncGenerator[bytes, None]:
    """The bytes of a response. Raises NoConnection when they stop."""
    with _ours():
        async with aclosing(response.aiter_bytes()) as pieces:
            async for piece in pieces:
                yield piece


@contextmanager
def _ours() -> Iterator[None]:
    """What a call of the Interactions API raises in the block, as our own."""
    try:
        yield
    except errors.APIError as error:
        raise _failed(error) from None
    except httpx2.HTTPError as error:
        raise NoConnection(_name(error)) from None


def _failed(error: errors.APIError) -> CallFailed | NoConnection:
    if isinstance(error, errors.APIStatusError):
        return CallFailed(read_failure(error.response.status_code, error.body, error.response.headers))
    return NoConnection(_name(error), was_sent=not isinstance(error.__cause__ or error, _UNSENT))


def _name(error: Exception) -> str:
    """What kind of error it is. Its text may hold an address, a header, whatever a library likes to quote."""
    return type(error.__cause__ or error).__name__
