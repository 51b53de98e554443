"""What reading one answer costs this process: ours against the SDK's typed events.

Run as ``python -m benchmarks.model``. The server is a child process, so that only the client's CPU is
counted. Each of the answer's events is sent by itself, as a real one would come. Read the ratios; the milliseconds
belong to the machine.
"""

import asyncio
import json
import multiprocessing
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import httpx2
from aiohttp import web
from google import genai
from google.genai.types import HttpOptions, HttpRetryOptions

from bot.answers import Completed, Text
from bot.gemini import open_model

EVENTS = 100
ANSWERS = 30
PACE = 0.0005  # seconds between two events
BODY: dict[str, Any] = {
    "model": "m",
    "input": [{"type": "user_input", "content": [{"type": "text", "text": "Tell me everything."}]}],
    "system_instruction": "Be brief.",
    "tools": [{"type": "url_context"}],
    "generation_config": {"thinking_summaries": "auto"},
    "stream": True,
}


def frames() -> Iterator[bytes]:
    def event(kind: str, **fields: object) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'event_type': kind, **fields})}\n\n".encode()

    interaction = {"id": "v1_benchmark", "object": "interaction"}
    yield event("interaction.created", interaction={**interaction, "status": "in_progress"})
    yield event("step.start", index=0, step={"type": "model_output"})
    for number in range(EVENTS):
        yield event("step.delta", index=0, event_id=f"e{number}", delta={"type": "text", "text": "a few words, "})
    yield event("step.stop", index=0)
    usage = {"total_input_tokens": 7, "total_output_tokens": 300, "total_tokens": 307}
    yield event("interaction.completed", interaction={**interaction, "status": "completed", "usage": usage})
    yield b"event: done\ndata: [DONE]\n\n"


def serve(port: "Connection[int, None]") -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for frame in frames():
            await response.write(frame)
            await asyncio.sleep(PACE)
        return response

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/v1/interactions", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(run())


@contextmanager
def server() -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=serve, args=(there,), daemon=True)
    child.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        child.terminate()
        child.join()
        here.close()
        there.close()


async def cpu(answer: Callable[[], Awaitable[None]]) -> float:
    """Milliseconds of CPU one answer takes."""
    for _ in range(3):
        await answer()
    before = time.process_time()
    for _ in range(ANSWERS):
        await answer()
    return (time.process_time() - before) / ANSWERS * 1000


async def measure(url: str) -> dict[str, float]:
    options = HttpOptions(base_url=url, retry_options=HttpRetryOptions(attempts=1))
    client = genai.Client(api_key="key", http_options=options)

    async def typed() -> None:
        stream: Any = await client.aio.interactions.create(**BODY)
        async with stream:
            text = [event.delta.text async for event in stream if event.event_type == "step.delta"]
        assert len(text) == EVENTS

    async def lines() -> None:
        async with client.aio.interactions.with_streaming_response.create(**BODY) as response:
            read = [json.loads(line[6:]) async for line in response.iter_lines() if line.startswith("data: {")]
        assert len(read) == EVENTS + 4

    async def ours() -> None:
        told = [event async for event in model.answer((Text("Tell me everything."),), after=None)]
        assert isinstance(told[-1], Completed)
        assert len(told) == EVENTS + 2

    async def direct() -> None:
        async with http.stream("POST", f"{url}/v1/interactions", json=BODY) as response:
            read = [json.loads(line[6:]) async for line in response.aiter_lines() if line.startswith("data: {")]
        assert len(read) == EVENTS + 4

    ways = {
        "the SDK's typed events": typed,
        "with_streaming_response, lines and JSON by hand": lines,
        "bot.gemini": ours,
        "httpx2 alone, lines and JSON by hand": direct,
    }
    async with (
        open_model(api_key="key", model="m", base_url=url, system_instruction="Be brief.") as model,
        httpx2.AsyncClient() as http,
    ):
        costs = {name: await cpu(way) for name, way in ways.items()}
    await client.aio.aclose()
    client.close()
    return costs


def main() -> None:
    with server() as url:
        costs = asyncio.run(measure(url))
    print(f"CPU per answer of {EVENTS} text events, mean of {ANSWERS}:")
    for name, cost in costs.items():
        print(f"  {cost:7.1f} ms  {cost / costs['bot.gemini']:5.1f}x  {name}")


if __name__ == "__main__":
    main()
