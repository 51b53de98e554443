"""What can be made to go wrong in the loopback Discord, driven by discord.py."""

import asyncio
from contextlib import suppress

import aiohttp
import discord
import pytest

from tests.support.discord import (
    ACT_THEN_502,
    CUT_JSON,
    DROPPED,
    HTML_PAGE,
    ActThenDrop,
    Broken,
    Clock,
    DiscordServer,
    DropBefore,
    Fault,
    Hang,
    SaysError,
    Slow,
    Variants,
    discord_server,
)
from tests.support.discord.faults import EventFault
from tests.support.discord.sdk import Client, client_on, logged_in, pointed_at, refused

POST = "POST /channels/*/messages"


def general(server: DiscordServer, client: discord.Client) -> discord.PartialMessageable:
    return client.get_partial_messageable(int(server.channel("general")))


@pytest.mark.parametrize(
    ("fault", "posts"),
    [
        pytest.param(ActThenDrop(), 1, id="done and dropped"),
        pytest.param(DropBefore(), 0, id="dropped"),
        pytest.param(Broken(503), 0, id="503"),
        pytest.param(Broken(503, acts=True), 1, id="done and 503"),
        pytest.param(HTML_PAGE, 0, id="an HTML page"),
        pytest.param(CUT_JSON, 0, id="JSON cut short"),
        pytest.param(SaysError(200000), 0, id="a refusal"),
        pytest.param(SaysError(50001, 403), 0, id="no access"),
    ],
)
async def test_a_post_that_goes_wrong_fails_once(fault: Fault, posts: int) -> None:
    async with discord_server() as server, logged_in(server) as client:
        server.faults.arm(POST, fault)
        # A page in place of JSON makes the library trip over itself: it reads the text as a message.
        with pytest.raises((discord.HTTPException, aiohttp.ClientError, ValueError, TypeError)):
            await general(server, client).send("x")
        assert len(server.replies()) == posts
        await general(server, client).send("y")

        assert [fired for _, fired in server.faults.fired] == [fault]
        assert len(server.calls_of(POST)) == 2


async def test_a_post_that_took_effect_but_answered_502_is_there_once_after_the_sdk_s_retry() -> None:
    async with discord_server() as server, logged_in(server) as client:
        server.faults.arm(POST, ACT_THEN_502)
        await general(server, client).send("once")

        assert [(call.outcome, call.has_acted) for call in server.calls_of(POST)] == [
            ("status 502", True),
            ("ok", True),
        ]
        assert [shown.text for shown in server.replies()] == ["once"]


async def test_what_the_client_heard_is_told_apart_from_what_happened() -> None:
    async with discord_server() as server, logged_in(server) as client:
        for fault in (ActThenDrop(), DropBefore()):
            server.faults.arm(POST, fault)
            with pytest.raises(aiohttp.ClientError):
                await general(server, client).send("x")

        assert [(call.outcome, call.has_acted) for call in server.calls_of(POST)] == [
            (DROPPED, True),
            (DROPPED, False),
        ]


async def test_what_a_lost_answer_was_about_is_told_by_the_gateway_all_the_same() -> None:
    async with discord_server(variants=Variants(echo="after")) as server, client_on(server) as client:
        server.faults.arm(POST, ActThenDrop())
        with pytest.raises(aiohttp.ClientError):
            await general(server, client).send("x")
        await server.until(client.said)
        assert client.said() == ["x"]


@pytest.mark.parametrize("acts_first", [True, False], ids=["the effect at once", "the effect late"])
async def test_an_answer_may_be_slow(acts_first: bool) -> None:
    async with discord_server(clock=Clock(speed=100)) as server, logged_in(server) as client:
        began = server.clock.now()
        server.faults.arm(POST, Slow(10, acts_first=acts_first))
        sending = asyncio.ensure_future(general(server, client).send("x"))
        await server.until(lambda: server.replies() if acts_first else server.calls_of(POST))
        seen = [shown.text for shown in server.replies()]
        assert not sending.done()
        await sending

        assert seen == (["x"] if acts_first else [])
        assert server.clock.now() - began >= 10
        assert [shown.text for shown in server.replies()] == ["x"]


async def test_an_answer_may_never_come() -> None:
    async with discord_server() as server, logged_in(server) as client:
        server.faults.arm(POST, Hang(acts=True))
        server.faults.arm(POST, Hang())
        for text in ("a", "b"):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await general(server, client).send(text)

        assert [shown.text for shown in server.replies()] == ["a"]


async def test_faults_can_be_aimed_at_the_call_that_matters() -> None:
    async with discord_server() as server, logged_in(server) as client:
        channel = general(server, client)
        server.faults.arm("POST /channels/{channel}/messages", Broken(), skip=2, times=2)
        server.faults.arm(POST, SaysError(240000), when=lambda call: call.body["content"] == "special")
        server.faults.arm("GET /channels/*", SaysError(50001, 403), times=None)
        outcomes = []
        for text in ("a", "b", "c", "d", "special", "e"):
            with suppress(discord.HTTPException):
                await channel.send(text)
            outcomes.append(server.calls[-1].outcome)
        assert outcomes == ["ok", "ok", "status 503", "status 503", "code 240000", "ok"]
        for _ in range(2):
            assert await refused(client.fetch_channel(channel.id)) == (403, 50001)
        server.faults.disarm("GET /channels/*")
        await client.fetch_channel(channel.id)


async def test_chaos_breaks_a_share_of_the_calls_and_the_same_ones_again() -> None:
    async def run() -> list[str | None]:
        async with discord_server(clock=Clock(speed=100)) as server, logged_in(server) as client:
            server.faults.chaos(0.4, seed=5, routes="POST /channels/*")
            for number in range(30):
                with suppress(discord.HTTPException, aiohttp.ClientError):
                    await general(server, client).send(f"{number}")
            server.faults.chaos(0)
            await general(server, client).send("calm")
            return [call.outcome for call in server.calls_of(POST)]

    first, second = await run(), await run()
    assert first == second
    assert 6 <= sum(outcome != "ok" for outcome in first) <= 20
    assert first[-1] == "ok"


@pytest.mark.parametrize(
    ("fault", "heard"),
    [
        pytest.param("lose", ["b", "c"], id="lost"),
        pytest.param("double", ["a", "a", "b", "c"], id="twice"),
        pytest.param("swap", ["b", "a", "c"], id="in another order"),
        pytest.param("delay", ["a", "b", "c"], id="late"),
    ],
)
async def test_an_event_may_go_astray_on_its_way_through_the_gateway(fault: EventFault, heard: list[str]) -> None:
    async with discord_server(clock=Clock(speed=20)) as server, client_on(server) as client:
        server.faults.events.arm(fault)
        began = server.clock.now()
        for text in ("a", "b", "c"):
            await server.says("ada", text, mention=False)
        await server.until(lambda: len(client.said()) >= len(heard))

        assert client.said() == heard
        assert server.faults.events.fired == [("MESSAGE_CREATE", fault)]
        if fault == "delay":
            assert server.clock.now() - began >= 1


async def test_a_malformed_event_ends_the_client_as_discord_py_has_it() -> None:
    async with discord_server() as server, Client(server) as client:
        with pointed_at(server):
            work = asyncio.ensure_future(client.start(server.token))
            await server.connected()
            server.faults.events.arm("malform")
            await server.says("ada", "hello")
            with pytest.raises(KeyError):
                await asyncio.wait_for(work, 10)


async def test_the_gateway_may_be_closed_to_everybody_for_a_while() -> None:
    async with discord_server() as server, client_on(server):
        server.faults.refuse_gateway = 503
        first = server.sockets[0]
        await first.close(4000)
        await server.until(lambda: not server.sockets)
        await server.says("ada", "meanwhile")
        server.faults.disarm()
        await server.connected()

        assert len(server.all_sockets) > 1


async def test_chaos_brings_messages_twice_or_swapped_and_loses_none() -> None:
    async with discord_server(clock=Clock(speed=20)) as server, client_on(server) as client:
        server.faults.chaos(0.5, seed=1, routes="POST /channels/*")
        said = [f"{number}" for number in range(30)]
        for text in said:
            await server.says("ada", text, mention=False)
        await server.until(lambda: set(client.said()) == set(said))
        kinds = {kind for _, kind in server.faults.events.fired}

        assert kinds == {"double", "swap"}
        assert len(client.said()) > len(said)
        assert client.said() != sorted(client.said(), key=int)
