"""The real SDK, pointed at the offline model."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from google import genai
from google.genai import types
from google.genai.interactions import Interaction

from bot.offline import OfflineModel

MODEL = "gemini-test"


class EventStream(AbstractAsyncContextManager[Any], Protocol):
    """What the SDK hands out for a stream."""

    def __aiter__(self) -> AsyncIterator[Any]: ...


@dataclass
class Heard:
    """A stream as the SDK's typed reader tells it."""

    kinds: list[str] = field(default_factory=list)
    text: str = ""
    id: str = ""
    status: str | None = None
    token: str | None = None
    last_event_id: str = ""
    error: str | None = None
    steps: list[Any] = field(default_factory=list)  # as their starts announce them
    deltas: list[Any] = field(default_factory=list)  # that are no text

    @property
    def delta_types(self) -> list[str]:
        return [delta.type for delta in self.deltas]


class Sdk:
    """A client whose every call goes to one server, and which retries nothing by itself."""

    def __init__(self, client: genai.Client) -> None:
        self.client = client

    async def create(self, question: object, **more: object) -> Interaction:
        """Ask without a stream."""
        made = await self.client.aio.interactions.create(**self._body(question, more))
        assert isinstance(made, Interaction)
        return made

    async def open(self, question: object, **more: object) -> EventStream:
        """Ask with a stream."""
        body: Any = {**self._body(question, more), "stream": True}
        stream: EventStream = await self.client.aio.interactions.create(**body)
        return stream

    async def ask(self, question: object, **more: object) -> Heard:
        """Ask with a stream, without the SDK's own continuation, and read the answer to its end."""
        async with await self.open(question, automatic_continuation=False, **more) as stream:
            return await listen(stream)

    async def get(self, id_: str | None, **more: Any) -> Interaction:
        found = await self.client.aio.interactions.get(id_ or "", **more)
        assert isinstance(found, Interaction)
        return found

    async def follow(self, id_: str | None, **more: Any) -> EventStream:
        """Get with a stream."""
        stream: Any = await self.client.aio.interactions.get(id_ or "", stream=True, **more)
        followed: EventStream = stream
        return followed

    async def cancel(self, id_: str) -> Interaction:
        return await self.client.aio.interactions.cancel(id_)

    async def delete(self, id_: str) -> None:
        await self.client.aio.interactions.delete(id_)

    @staticmethod
    def _body(question: object, more: dict[str, object]) -> dict[str, Any]:
        return {"model": MODEL, "input": question, **more}


@asynccontextmanager
async def sdk_on(server: OfflineModel, *, version: str = "v1") -> AsyncIterator[Sdk]:
    """The SDK's client, for *server*."""
    client = genai.Client(
        api_key="any",
        http_options=types.HttpOptions(
            base_url=server.url,
            api_version=version,
            retry_options=types.HttpRetryOptions(attempts=1),
            # All is plain HTTP on loopback; loading the certificates would take longer than most tests.
            client_args={"verify": False},
            async_client_args={"verify": False},
        ),
    )
    try:
        yield Sdk(client)
    finally:
        await client.aio.aclose()
        client.close()


async def listen(stream: EventStream, heard: Heard | None = None, *, pieces: int | None = None) -> Heard:
    """Read a stream to its end, or until so many pieces of text have come."""
    heard = heard if heard is not None else Heard()
    told = 0
    async for event in stream:
        if isinstance(event, str):
            heard.kinds.append("undecodable")
            continue
        heard.kinds.append(event.event_type)
        heard.last_event_id = getattr(event, "event_id", None) or heard.last_event_id
        match event.event_type:
            case "interaction.created" | "interaction.completed":
                heard.id, heard.status = event.interaction.id, event.interaction.status
                heard.token = event.interaction.continuation_token
            case "error":
                heard.error = event.error.code
            case "step.start":
                heard.steps.append(event.step)
            case "step.delta" if event.delta.type == "text":
                heard.text += event.delta.text
                told += 1
                if told == pieces:
                    break
            case "step.delta":
                heard.deltas.append(event.delta)
    return heard
