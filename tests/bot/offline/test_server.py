"""The server itself: where it listens, what it notes, how it ends."""

import asyncio
import time
from contextlib import AsyncExitStack

import aiohttp
import pytest
from google.genai import _interactions as ix

from bot.offline import Conversation, Faults, StallAt, StallFault, offline_model
from tests.bot.offline.sdk import MODEL, listen, sdk_on


async def test_it_listens_on_loopback_only() -> None:
    async with offline_model() as server:
        assert server.url.startswith("http://127.0.0.1:")


async def test_a_taken_port_is_an_error() -> None:
    async with offline_model() as server:
        with pytest.raises(OSError, match="address already in use"):
            async with offline_model(port=int(server.url.rpartition(":")[2])):
                pass


async def test_an_error_of_the_block_it_serves_comes_out_as_it_is() -> None:
    with pytest.raises(LookupError, match="of the block"):
        async with offline_model():
            raise LookupError("of the block")


async def test_leaving_ends_streams_and_silent_requests_at_once() -> None:
    faults = Faults()
    faults.arm(StallFault(after=1))
    faults.arm(StallFault(at=StallAt.HEADERS))
    async with asyncio.timeout(30), AsyncExitStack() as serving:
        server = await serving.enter_async_context(offline_model(pace=0, faults=faults))
        async with sdk_on(server) as sdk, await sdk.open("one") as stream:
            await listen(stream, pieces=1)
            silent = asyncio.ensure_future(sdk.create("two"))
            await server.received(2)
            began = time.monotonic()
            await serving.aclose()
            took = time.monotonic() - began
            with pytest.raises(ix.APIConnectionError):
                await listen(stream)
            with pytest.raises(ix.APIConnectionError):
                await silent

    assert took < 1


async def test_leaving_ends_an_answer_that_nobody_listens_to() -> None:
    async with asyncio.timeout(30), offline_model(pace=3600) as server, sdk_on(server) as sdk:
        begun = await sdk.create("hello", background=True)
        assert (await sdk.get(begun.id)).status == "in_progress"


async def test_requests_are_noted_with_headers_body_and_interaction() -> None:
    async with offline_model(pace=0) as server, sdk_on(server) as sdk:
        heard = await sdk.ask("hello")
        await sdk.get(heard.id)
        asked, got = server.requests

    assert (asked.method, asked.path, asked.is_create) == ("POST", "/v1/interactions", True)
    assert asked.headers["X-Goog-Api-Key"] == "any"
    assert asked.body == {"model": MODEL, "input": "hello", "stream": True}
    assert (got.method, got.path) == ("GET", f"/v1/interactions/{heard.id}")
    assert got.query["stream"] == "false"
    assert asked.interaction == got.interaction == heard.id
    assert asked.ended
    assert not asked.disconnected
    assert server.interaction(heard.id)["status"] == "completed"


async def test_only_the_newest_requests_are_kept() -> None:
    async with offline_model(pace=0, requests_kept=2) as server, sdk_on(server) as sdk:
        for question in ("one", "two", "three"):
            await sdk.ask(question)

    assert [body["input"] for body in server.creates] == ["two", "three"]


async def test_one_stream_of_many_can_be_waited_for() -> None:
    faults = Faults()
    faults.arm(StallFault(after=1), times=2)
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        one = asyncio.ensure_future(sdk.ask("the first one"))
        await server.streaming(text="the first one")
        two = asyncio.ensure_future(sdk.ask("the second one"))
        streaming = await server.streaming(text="the second one")
        faults.release()
        await asyncio.gather(one, two)

    assert streaming.body is not None
    assert streaming.body["input"] == "the second one"


async def test_a_brain_that_fails_costs_its_answer_only(caplog: pytest.LogCaptureFixture) -> None:
    def brain(conversation: Conversation) -> str:
        if conversation.question.text == "break":
            raise LookupError("no thought")
        return "fine"

    async with offline_model(pace=0, brain=brain) as server, sdk_on(server) as sdk:
        with pytest.raises(ix.InternalServerError):
            await sdk.create("break")
        after = await sdk.create("hello")

    assert after.output_text == "fine"
    assert "no thought" in caplog.text


async def test_a_client_that_leaves_before_the_answer_is_noticed() -> None:
    faults = Faults()
    faults.arm(StallFault(at=StallAt.HEADERS))
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server:
        async with aiohttp.ClientSession(headers={"x-goog-api-key": "k"}) as session:
            body = {"model": MODEL, "input": "hello"}
            asking = asyncio.ensure_future(session.post(f"{server.url}/v1/interactions", json=body))
            await server.received(1)
            asking.cancel()
        (left,) = await server.hung_up()

    assert left.disconnected
