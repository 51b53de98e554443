"""The loopback Discord's gateway: sessions, what a resume brings back and what is lost, with the real SDK."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import discord
import pytest

from tests.support.discord import Clock, DiscordServer, Install, Intent, Variants, discord_server
from tests.support.discord.sdk import Client, ShardedClient, client_on, intents, running, sharded_on

ONE, OTHER = "1300000000000000000", "1300000000004194304"  # of the first and the second of two shards


@asynccontextmanager
async def server_and_client(**options: object) -> AsyncIterator[tuple[DiscordServer, Client]]:
    async with discord_server(**options) as server, client_on(server) as client:  # type: ignore[arg-type]
        yield server, client


async def test_a_client_connects_and_knows_its_guild() -> None:
    async with server_and_client() as (server, client):
        (socket,) = server.sockets
        await server.until(lambda: socket.heartbeats)

        (guild,) = client.guilds
        assert (guild.name, [channel.name for channel in guild.text_channels]) == ("clew-lab", ["general"])
        assert guild.self_role is not None
        assert guild.me.guild_permissions.send_messages_in_threads
        assert client.application_id == int(server.application_id)
        assert server.sessions[0].intents == 37377


@pytest.mark.parametrize("how", ["close", "op 7", "network"])
async def test_what_happened_while_the_connection_was_away_comes_with_the_resume(how: str) -> None:
    async with server_and_client() as (server, client):
        await server.says("ada", "before", mention=False)
        await server.until(lambda: client.said() == ["before"])
        (socket,) = server.sockets
        if how == "network":
            await server.stop_gateway()
        elif how == "op 7":
            await socket.ask_to_reconnect()
        else:
            await socket.close(4000)
        await server.says("ada", "meanwhile", mention=False)
        await server.start_gateway()
        await server.until(lambda: "meanwhile" in client.said())
        await server.until(lambda: "resumed" in client.names())
        await server.says("ada", "after", mention=False)
        await server.until(lambda: client.said() == ["before", "meanwhile", "after"])

        assert len(server.sessions) == 1
        assert len(server.all_sockets) == 2


async def test_an_invalid_session_loses_what_happened_meanwhile() -> None:
    async with server_and_client() as (server, client):
        (socket,) = server.sockets
        await socket.invalidate()
        await server.says("ada", "meanwhile", mention=False)
        await server.until(lambda: len(server.sessions) == 2 and client.names().count("ready") == 2)
        await server.says("ada", "after", mention=False)
        await server.until(client.said)

        assert client.said() == ["after"]
        assert "resumed" not in client.names()


async def test_an_invalid_session_that_may_be_resumed_loses_nothing() -> None:
    async with server_and_client() as (server, client):
        (socket,) = server.sockets
        await socket.invalidate(resumable=True)
        await server.until(lambda: not socket.is_open)
        await server.says("ada", "meanwhile", mention=False)
        await server.until(lambda: client.said() == ["meanwhile"])

        assert len(server.sessions) == 1


@pytest.mark.parametrize("why", ["forgotten", "too late", "too much happened"])
async def test_a_session_that_cannot_be_resumed_starts_anew(why: str) -> None:
    async with server_and_client(variants=Variants(buffer=3)) as (server, client):
        await server.stop_gateway()
        await server.says("ada", "lost", mention=False)
        if why == "forgotten":
            server.forget_sessions()
        elif why == "too late":
            server.clock.advance(61)
        else:
            for number in range(3):
                await server.says("ada", f"lost {number}", mention=False)
        await server.start_gateway()
        await server.until(lambda: client.names().count("ready") == 2)
        await server.says("ada", "after", mention=False)
        await server.until(client.said)

        assert client.said() == ["after"]
        assert len(server.sessions) == 2


@pytest.mark.parametrize(("code", "op"), [(1000, 9), (1001, 9), (4000, 0)])
async def test_only_a_client_that_says_goodbye_gives_up_its_session(code: int, op: int) -> None:
    async with discord_server() as server, aiohttp.ClientSession() as http:
        identify = {"op": 2, "d": {"token": server.token, "intents": 1}}
        async with http.ws_connect(f"{server.gateway_url}?v=10&encoding=json") as socket:
            await socket.send_json(identify)
            await server.connected()
            await socket.close(code=code)
        await server.until(lambda: not server.sockets)
        (session,) = server.sessions
        resume = {"op": 6, "d": {"token": server.token, "session_id": session.id, "seq": session.sequence}}
        async with http.ws_connect(f"{server.gateway_url}?v=10&encoding=json") as socket:
            await socket.send_json(resume)
            answers = [await socket.receive_json(), await socket.receive_json()]

    assert [answer["op"] for answer in answers] == [10, op]


async def test_shards_lose_a_resumable_session_when_the_network_is_away() -> None:
    async with discord_server() as server, sharded_on(server, shard_count=1) as client:
        await server.stop_gateway()
        await server.says("ada", "meanwhile", mention=False)
        await server.until(lambda: client.names().count("shard_disconnect") == 2)  # it was refused once
        await server.start_gateway()
        await server.until(lambda: client.names().count("shard_ready") == 2)
        await server.says("ada", "after", mention=False)
        await server.until(client.said)

        assert client.said() == ["after"]  # [2.2] it identifies anew where a plain client resumes


async def test_each_shard_hears_of_its_own_guilds_and_the_first_one_of_direct_messages() -> None:
    async with discord_server(guild_id=ONE) as server:
        server.guild("far-away", guild_id=OTHER)
        server.channel("faraway", guild="far-away")
        async with sharded_on(server, shard_count=2) as client:
            await server.says("ada", "near")
            await server.says("ada", "far", channel="faraway")
            await server.says("ada", "whispered", channel=server.direct("ada"))
            await server.until(lambda: len(client.said()) == 3)

            names = {session.shard[0]: [name for _, name in session.sent] for session in server.sessions}
            assert names[0].count("MESSAGE_CREATE") == 2
            assert names[1].count("MESSAGE_CREATE") == 1
            assert {guild.shard_id for guild in client.guilds} == {0, 1}


async def test_how_many_shards_there_should_be_is_asked() -> None:
    async with discord_server(variants=Variants(shards=2, max_concurrency=2)) as server:
        async with sharded_on(server) as client:
            assert client.shard_count == 2
        assert len(server.calls_of("GET /gateway/bot")) == 1


async def test_shards_that_start_too_fast_are_sent_away() -> None:
    async with discord_server(variants=Variants(identify_every=5), clock=Clock(speed=50)) as server:
        async with sharded_on(server, shard_count=2):
            pass

        assert len(server.sessions) == 2
        assert len(server.all_sockets) > 2


async def test_two_clients_with_the_same_shard_both_hear_everything() -> None:
    async with server_and_client() as (server, first), client_on(server) as second:
        await server.says("ada", "hello", mention=False)
        await server.until(lambda: first.said() and second.said())

        assert first.said() == second.said() == ["hello"]


@pytest.mark.parametrize(
    ("trouble", "raised"),
    [
        ("token", discord.LoginFailure),
        ("intent", discord.PrivilegedIntentsRequired),
        ("shard", discord.ConnectionClosed),
        ("guilds", discord.ConnectionClosed),
    ],
)
async def test_what_no_reconnecting_mends_stops_the_client(trouble: str, raised: type[Exception]) -> None:
    install = Install(has_message_content=trouble != "intent")
    async with discord_server(
        install=install, variants=Variants(most_guilds=0 if trouble == "guilds" else 9)
    ) as server:
        if trouble == "token":
            server.revoke()
        shard = {"shard_id": 3, "shard_count": 2} if trouble == "shard" else {}
        with pytest.raises(raised) as caught:
            async with running(server, Client(server, **shard)):
                pass

    if isinstance(caught.value, discord.ConnectionClosed):
        assert caught.value.code == {"shard": 4010, "guilds": 4011}[trouble]


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([{"op": 2, "d": {"token": "wrong"}}], 4004),
        ([{"op": 2, "d": {"token": "stand-in.discord.token", "intents": 1 << 30}}], 4013),
        ([{"op": 2, "d": {"token": "stand-in.discord.token", "intents": 1}}] * 2, 4005),
        ([{"op": 3, "d": {}}], 4003),
        ([{"op": 99, "d": {}}], 4001),
        (["no JSON"], 4002),
        ([{"op": 1, "d": None}] * 121, 4008),
    ],
)
async def test_a_client_that_breaks_the_rules_is_cut_off(frames: list[object], code: int) -> None:
    async with discord_server() as server, aiohttp.ClientSession() as session:
        async with session.ws_connect(f"{server.gateway_url}?v=10&encoding=json") as socket:
            for frame in frames:
                await (socket.send_str(frame) if isinstance(frame, str) else socket.send_json(frame))
            async for _ in socket:
                pass
            assert socket.close_code == code
        assert server.gateway.refused == [code]


async def test_without_the_intent_messages_are_empty_but_for_those_that_are_meant_for_the_bot() -> None:
    async with discord_server() as server, client_on(server, intents=intents(content=False)) as client:
        await server.says("ada", "for all", mention=False)
        await server.says("ada", "for you")
        await server.says("ada", "in private", channel=server.direct("ada"))
        await server.until(lambda: len(client.said()) == 3)

        assert client.said() == ["", f"<@{server.bot_user_id}> for you", "in private"]


async def test_only_what_was_asked_for_comes() -> None:
    wanted = discord.Intents(guilds=True)
    async with discord_server() as server, client_on(server, intents=wanted) as client:
        await server.says("ada", "hello")
        await server.opens_thread("ada", "a thread")
        await server.until(lambda: "thread_create" in client.names())

        assert "message" not in client.names()
        assert {told.name: told.sessions for told in server.told}["MESSAGE_CREATE"] == 0
        assert server.sessions[0].intents == Intent.GUILDS


async def test_events_can_get_lost_come_twice_and_change_places() -> None:
    async with server_and_client() as (server, client):
        server.faults.events.arm("lose")
        await server.says("ada", "lost", mention=False)
        server.faults.events.arm("double")
        await server.says("ada", "doubled", mention=False)
        server.faults.events.arm("swap")
        await server.says("ada", "second", mention=False)
        await server.says("ada", "first", mention=False)
        await server.until(lambda: len(client.said()) == 4)

        assert client.said() == ["doubled", "doubled", "first", "second"]


async def test_a_delayed_event_holds_up_those_behind_it() -> None:
    async with discord_server(clock=Clock(speed=100)) as server, client_on(server) as client:
        server.faults.events.arm("delay", seconds=3)
        began = server.clock.now()
        await server.says("ada", "late", mention=False)
        await server.says("ada", "behind", mention=False)
        await server.until(lambda: len(client.said()) == 2)

        assert client.said() == ["late", "behind"]
        assert server.clock.now() - began >= 3


async def test_a_payload_the_sdk_cannot_read_ends_it() -> None:
    async with discord_server() as server:
        server.faults.events.arm("malform")
        with pytest.raises(KeyError):
            async with running(server, Client(server)) as client:
                await server.says("ada", "hello")
                await server.until(client.work.done)


async def test_a_guild_can_be_away_for_a_while_and_the_bot_be_thrown_out() -> None:
    async with server_and_client() as (server, client):
        await server.outage()
        await server.until(lambda: "guild_unavailable" in client.names())
        await server.recovers()
        await server.until(lambda: client.names().count("guild_available") == 2)
        await server.kicks_bot()
        await server.until(lambda: "guild_remove" in client.names())

        assert not client.guilds


async def test_a_half_open_connection_says_nothing_and_is_not_closed() -> None:
    async with server_and_client() as (server, client):
        (socket,) = server.sockets
        socket.is_half_open = True
        await server.says("ada", "unheard", mention=False)
        async with client_on(server) as other:
            await server.says("ada", "heard", mention=False)
            await server.until(lambda: other.said() == ["heard"])

        assert client.said() == []
        assert socket.is_open


async def test_starting_too_often_resets_the_token() -> None:
    async with discord_server(variants=Variants(identifies_left=1)) as server:
        async with client_on(server):
            pass
        with pytest.raises(discord.ConnectionClosed):
            async with running(server, ShardedClient(server, shard_count=1)):
                pass
        with pytest.raises(discord.LoginFailure):
            async with client_on(server):
                pass
