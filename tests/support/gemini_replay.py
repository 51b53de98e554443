"""A server of the Interactions API that answers with given bytes, and the SDK's own typed reader of them."""

import asyncio
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from google import genai
from google.genai.types import HttpOptions, HttpRetryOptions

from bot.answers import ASKING, AnswerEvent, Created, Media, MediaKind, TextPiece, Thought, ToolUse
from bot.calls import CALLING
from bot.evidence import Citation, CodeCall, CodeResult, Suggestion
from bot.media_pieces import ANY_TYPE, decode
from bot.messages import InteractionId, Usage

SAMPLES = sorted((Path(__file__).parents[1] / "samples" / "gemini").glob("*.sse"))


@dataclass
class Replay:
    """What the next requests are answered with, and what they asked."""

    url: str = ""
    body: bytes = b""
    status: int = 200
    content_type: str = "text/event-stream"
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)  # parsed bodies; empty ones for gets
    asked_from: list[tuple[str, int]] = field(default_factory=list)  # the client's end of the connection
    stays_open: bool = False  # the response has no end

    async def answer(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        self.asked.append(await request.json() if request.can_read_body else {})
        self.asked_from.append(request.transport.get_extra_info("peername"))
        headers = {"Content-Type": self.content_type, **self.headers}
        response = web.StreamResponse(status=self.status, headers=headers)
        await response.prepare(request)
        await response.write(self.body)
        if self.stays_open:
            await asyncio.Event().wait()
        return response


@asynccontextmanager
async def replay_server() -> AsyncIterator[Replay]:
    replay = Replay()
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{tail:.*}", replay.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.05)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        replay.url = f"http://{host}:{port}"
        yield replay
    finally:
        await runner.cleanup()


@dataclass
class Read:
    """What somebody made of a stream."""

    told: list[AnswerEvent] = field(default_factory=list)
    status: str | None = None
    usage: Usage = field(default_factory=Usage)
    continuation: str | None = None
    error: str | None = None  # code of an error event


class TypedReader:
    """Reads with the SDK's typed events, as its documentation shows it."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        options = HttpOptions(base_url=replay.url, retry_options=HttpRetryOptions(attempts=1))
        self._client = genai.Client(api_key="key", http_options=options)

    async def read(self, body: bytes) -> Read:
        self._replay.body = body
        self._read = Read()
        self._steps: dict[int, str] = {}
        self._tools: dict[int, ToolUse] = {}
        self._called: dict[int, list[Any]] = {}  # what was told of each tool's step
        self._id = ""
        stream: Any = await self._client.aio.interactions.create(
            model="m", input="hi", stream=True, automatic_continuation=False
        )
        # Told once per process that an answer goes on in another interaction: here nobody wants it to.
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            await self._take_all(stream)
        return self._read

    async def _take_all(self, stream: Any) -> None:
        async with stream:
            async for event in stream:
                if hasattr(event, "event_type"):  # junk arrives as text
                    self._take(event)
                if self._read.error:
                    break

    def _take(self, event: Any) -> None:
        read = self._read
        match event.event_type:
            case "error":
                read.error = event.error.code
            case "interaction.created" | "interaction.completed" as kind:
                self._moved(event.interaction.id, event.interaction.status)
                for index in list(self._called) if kind == "interaction.completed" else ():
                    self._called_whole(index)
                if kind == "interaction.completed":
                    seen = sum(isinstance(one, Suggestion) and one.url is None for one in read.told)
                    read.usage = _usage(event.interaction.usage, seen)
                    read.continuation = event.interaction.continuation_token
            case "interaction.status_update":
                self._moved(event.interaction_id, event.status)
            case "step.start":
                self._steps[event.index] = event.step.type
                self._tool(event.index, event.step)
                self._called[event.index] = [event.step]
            case "step.delta":
                self._delta(event.index, event.delta)
            case "step.stop":
                self._called_whole(event.index)

    def _moved(self, interaction: str, status: str | None) -> None:
        self._read.status = status or self._read.status
        if interaction != self._id:
            self._id = interaction
            self._read.told.append(Created(InteractionId(interaction)))

    def _tool(self, index: int, step: Any) -> None:
        server = getattr(step, "server_name", None)
        use = ToolUse(f"{ASKING}{server}" if server else step.type.removesuffix("_call"))
        if step.type == "function_call":
            use = ToolUse(f"{CALLING}{getattr(step, 'name', None) or ''}")
        if step.type.endswith("_call") and self._tools.get(index) != use:
            self._tools[index] = use
            self._read.told.append(use)

    def _called_whole(self, index: int) -> None:
        """Tell what belongs under the answer of a step that a tool was called with, or of its result."""
        told = self._called.pop(index, [])

        def last(name: str) -> Any:
            return next(filter(None, (getattr(step, name, None) for step in reversed(told))), None)

        match told[0].type if told else None:
            case "code_execution_call" if getattr(last("arguments"), "code", None):
                self._read.told.append(
                    CodeCall(last("id") or "", last("arguments").code, last("arguments").language or "")
                )
            case "code_execution_result":
                self._read.told.append(CodeResult(last("call_id") or "", last("result") or "", bool(last("is_error"))))
            case "google_search_call":
                queries = getattr(last("arguments"), "queries", None) or []
                self._read.told.extend(Suggestion(words) for words in queries)

    def _delta(self, index: int, delta: Any) -> None:
        told = self._read.told
        match delta.type:
            case "text":
                if delta.text and self._steps.get(index, "model_output") == "model_output":
                    told.append(TextPiece(delta.text))
            case "thought_summary":
                if getattr(delta.content, "text", None):
                    told.append(Thought(delta.content.text))
            case "text_annotation_delta":
                for note in delta.annotations or []:
                    place = f"{note.name} (Google Maps)" if getattr(note, "name", None) else None
                    title = getattr(note, "title", None) or place or getattr(note, "file_name", None)
                    if getattr(note, "url", None) or note.type == "file_citation":
                        end = note.end_index
                        start = 0 if note.start_index is None and end is not None else note.start_index
                        told.append(Citation(getattr(note, "url", None) or "", title, start, end))
            case "image" | "audio" | "video" | "document" as kind:
                data = decode(delta.data) if delta.data else None
                told.append(Media(MediaKind(kind), delta.mime_type or ANY_TYPE, data=data, uri=delta.uri))
            case _:
                self._tool(index, delta)
                self._called.setdefault(index, []).append(delta)

    async def close(self) -> None:
        await self._client.aio.aclose()
        self._client.close()


def _usage(usage: Any, searches: int) -> Usage:
    if usage is None:
        return Usage(searches=searches)
    return Usage(
        usage.total_input_tokens or 0,
        usage.total_output_tokens or 0,
        usage.total_thought_tokens or 0,
        usage.total_cached_tokens or 0,
        usage.total_tool_use_tokens or 0,
        usage.total_tokens or 0,
        sum(one.count or 0 for one in usage.grounding_tool_count or () if one.type == "google_search") or searches,
    )
