"""The gateway under everything that happens to it: nothing is lost, nothing is answered twice, operators are told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace

import pytest
from pydantic import SecretStr

from adapters.discord.gateway import BAD_TOKEN, NO_INTENT, surely_ended
from bot.errors import StartError
from tests.adapters.discord.answering import is_whole
from tests.adapters.discord.arriving import asked, conversation, ended
from tests.support.discord import Broken, DiscordServer, Install, Socket, Variants, discord_server
from tests.support.discord_clew import BRISK, clew_on, set_for
from tests.support.groups import only_error
from tests.support.slack_clew import until_logged

FIRST_SHARD, SECOND_SHARD = str(286_102_294_920 << 22), str(286_102_294_921 << 22)
"""Ids of servers that belong to the first and the second of two shards."""


async def soon(seconds: float) -> None:
    """Sleep a hundredth of the time."""
    await asyncio.sleep(seconds / 100)


# --- what a connection goes through ---------------------------------------------------------------


async def cut(discord: DiscordServer, socket: Socket, how: str) -> None:
    """Let a connection come to an end, and be there again."""
    match how:
        case "op 7":
            await socket.ask_to_reconnect()
        case "op 9":
            await socket.invalidate()
        case "op 9, resumable":
            await socket.invalidate(resumable=True)
        case "close 4000":
            await socket.close(4000)
        case "close 1000":
            await socket.close(1000)
        case "reset":
            socket.reset()
        case "session forgotten":
            discord.forget_sessions()
            await socket.close(4000)
        case "network down":
            await discord.stop_gateway()
            await discord.start_gateway()


CUTS = [
    "op 7",
    "op 9",
    "op 9, resumable",
    "close 4000",
    "close 1000",
    "reset",
    "session forgotten",
    "network down",
]


@pytest.mark.parametrize("how", CUTS)
async def test_what_is_said_while_the_connection_is_away_is_answered_once(how: str) -> None:
    async with discord_server() as discord, clew_on(discord, sleep=soon) as clew:
        thread = await conversation(discord)
        (socket,) = discord.sockets
        discord.mute_events()  # so that a resume would not bring it either
        await discord.says("ada", "in the thread", channel=thread, mention=False)
        asked_anew = await discord.says("ben", "elsewhere")
        discord.mute_events(False)
        await cut(discord, socket, how)
        (again,) = await discord.until(lambda: [one for one in discord.sockets if one is not socket] or None)
        if len(discord.sessions) == 1:
            await again.invalidate()  # what was resumed begins anew as well
        await discord.shown(thread, ended(2))
        await discord.shown(asked_anew, is_whole)
        await discord.delivered()

        assert sorted(asked(clew)) == ["elsewhere", "hello", "in the thread"]
        assert clew.adapter.trouble() is None


@pytest.mark.parametrize("how", ["op 7", "close 4000", "close 1000", "reset", "op 9, resumable"])
async def test_a_session_that_is_resumed_brings_what_was_missed_without_looking_for_it(how: str) -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        thread = await conversation(discord)
        (socket,) = discord.sockets
        looked = len(discord.calls_of("GET /channels/*/messages"))
        await cut(discord, socket, how)
        for number in range(3):
            await discord.says("ada", f"question {number}", channel=thread, mention=False)
        await discord.shown(thread, lambda seen: "question 2" in asked(clew) and is_whole(seen))

        assert asked(clew) == ["hello", "question 0", "question 1", "question 2"]
        assert len(discord.calls_of("GET /channels/*/messages")) == looked
        assert len(discord.sessions) == 1


async def test_a_payload_the_library_cannot_read_costs_nothing_but_a_new_connection() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        thread = await conversation(discord)
        discord.faults.events.arm("malform")
        await discord.says("ada", "unreadable", channel=thread, mention=False)
        await discord.shown(thread, ended(2))
        await discord.says("ada", "and now?", channel=thread, mention=False)
        await discord.shown(thread, ended(3))

        assert asked(clew) == ["hello", "unreadable", "and now?"]
        assert len(discord.sessions) == 2


async def test_a_gateway_that_refuses_the_very_first_connection_is_tried_again() -> None:
    async with discord_server() as discord:
        discord.faults.refuse_gateway = 503
        starting = asyncio.Event()

        async def mend(seconds: float) -> None:
            starting.set()
            discord.faults.refuse_gateway = None
            await soon(seconds)

        discord.faults.arm("GET /gateway/bot", Broken(503), times=2)
        async with clew_on(discord, sleep=mend) as clew:
            await conversation(discord)

        assert starting.is_set()
        assert asked(clew) == ["hello"]


async def test_a_connection_that_fails_before_it_is_ready_does_not_hide_what_was_said_before_the_start(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('clew') / 'clew.db'}"
    async with discord_server() as discord:
        async with clew_on(discord, url=url):
            await conversation(discord)
        missed = await discord.says("ada", "missed")

        async def interrupt() -> None:
            (socket,) = await discord.connected(1)
            await socket.invalidate()

        an_hour_later = discord.clock.now() + 3600
        async with asyncio.TaskGroup() as group:
            group.create_task(interrupt())
            async with clew_on(discord, url=url, sleep=soon, now=lambda: an_hour_later):
                await discord.shown(missed, is_whole)

        assert len(discord.sessions) == 3


async def test_a_server_that_comes_late_is_looked_through_as_well(tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('clew') / 'clew.db'}"
    async with discord_server() as discord:
        discord.guild("other")
        discord.channel("there", guild="other")
        async with clew_on(discord, url=url):
            await conversation(discord)
            await discord.outage("other")
        missed = await discord.says("ada", "missed", channel="there")
        async with clew_on(discord, url=url) as clew:
            await conversation(discord, "meanwhile")
            await discord.recovers("other")
            await discord.shown(missed, is_whole)

        assert asked(clew) == ["meanwhile", "missed"]


async def test_what_was_said_during_an_outage_of_a_server_is_found() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        await conversation(discord)
        await discord.outage()
        discord.mute_events()
        missed = await discord.says("ada", "missed")
        discord.mute_events(False)
        await discord.recovers()
        await discord.shown(missed, is_whole)

    assert asked(clew) == ["hello", "missed"]


# --- two shards -----------------------------------------------------------------------------------


@asynccontextmanager
async def two_shards() -> AsyncIterator[DiscordServer]:
    """A Discord that wants two connections, with a server on each: ``first`` and ``second``."""
    async with discord_server(variants=Variants(shards=2), guild_id=FIRST_SHARD) as discord:
        discord.guild("second", guild_id=SECOND_SHARD)
        discord.channel("there", guild="second")
        yield discord


async def test_two_shards_hear_their_own_servers_and_the_first_one_direct_messages() -> None:
    async with two_shards() as discord, clew_on(discord, sleep=soon) as clew:
        await conversation(discord, "first")
        await conversation(discord, "second", channel="there")
        line = discord.direct("ada")
        await discord.says("ada", "direct", channel=line)
        await discord.shown(line, is_whole)

        assert asked(clew) == ["first", "second", "direct"]
        assert {socket.shard for socket in discord.sockets} == {0, 1}
        assert "2 servers" in clew.line


async def test_a_shard_that_begins_anew_looks_through_its_own_servers_only() -> None:
    async with two_shards() as discord, clew_on(discord, sleep=soon) as clew:
        await conversation(discord, "first")
        await conversation(discord, "second", channel="there")
        (socket,) = [one for one in discord.sockets if one.shard == 1]
        discord.mute_events()
        missed = await discord.says("ada", "missed", channel="there")
        before = len(discord.calls)
        discord.mute_events(False)
        await socket.invalidate()
        await discord.shown(missed, is_whole)

        read = [call for call in discord.calls[before:] if call.route == "GET /channels/*/messages"]
        assert not any(discord.channel("general") in call.path for call in read)
        assert asked(clew) == ["first", "second", "missed"]


async def test_the_shard_that_comes_last_at_the_start_is_looked_through_from_where_the_process_before_ended(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('clew') / 'clew.db'}"
    async with two_shards() as discord:
        async with clew_on(discord, url=url, sleep=soon):
            await conversation(discord, "before")
        missed = await discord.says("ada", "missed", channel="there")
        answered_first = asyncio.Event()

        async def last_shard_waits(seconds: float) -> None:
            if seconds == 5.0:  # between the beginnings of two sessions
                await answered_first.wait()
            await soon(seconds)

        later = discord.clock.now() + 3600
        starting = clew_on(discord, url=url, sleep=last_shard_waits, now=lambda: later)
        async with asyncio.TaskGroup() as group:

            async def talk() -> None:
                await discord.connected(1)
                await discord.until(lambda: discord.calls_of("GET /channels/*/messages") or None)
                await conversation(discord, "on the first shard")
                answered_first.set()

            group.create_task(talk())
            async with starting as clew:
                await discord.shown(missed, is_whole)

        assert asked(clew) == ["on the first shard", "missed"]


# --- what no waiting mends --------------------------------------------------------------------------


async def why_not(starting: AbstractAsyncContextManager[object]) -> str:
    """What the start is stopped with."""
    with pytest.raises(BaseExceptionGroup) as caught:
        async with starting:
            pass
    error = only_error(caught.value)
    assert isinstance(error, StartError)
    return str(error)


async def test_a_token_that_discord_does_not_accept_stops_the_start_with_what_to_do() -> None:
    async with discord_server() as discord:
        wrong = replace(set_for(discord), token=SecretStr("not-the-token"))

        assert await why_not(clew_on(discord, settings=wrong)) == BAD_TOKEN


async def test_an_intent_that_is_switched_off_stops_the_start_with_what_to_do() -> None:
    async with discord_server(install=Install(has_message_content=False)) as discord:
        assert await why_not(clew_on(discord)) == NO_INTENT


@pytest.mark.parametrize(("code", "sentence"), [(4004, BAD_TOKEN), (4014, NO_INTENT), (4013, NO_INTENT)])
async def test_at_run_time_what_no_waiting_mends_is_reported_and_stops_nothing(code: int, sentence: str) -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        thread = await conversation(discord)
        async with until_logged("platform does not work", by="bot.condition"):
            await discord.sockets[0].close(code)

        assert clew.adapter.trouble() == sentence
        (answer,) = discord.replies(thread)
        assert is_whole([answer])


@pytest.mark.parametrize("code", [4010, 4011, 4012])
async def test_a_connection_that_is_closed_for_good_is_reported_with_its_code(code: int) -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        async with until_logged("platform does not work", by="bot.condition"):
            await discord.sockets[0].close(code)

        trouble = clew.adapter.trouble()
        assert trouble is not None
        assert str(code) in trouble


async def test_a_connection_that_stays_away_is_reported_until_it_is_back() -> None:
    impatient = replace(BRISK, patience=0.05)
    async with discord_server() as discord, clew_on(discord, rhythm=impatient, sleep=soon) as clew:
        assert clew.adapter.trouble() is None
        async with until_logged("platform does not work", by="bot.condition"):
            await discord.stop_gateway()
        async with until_logged("platform works again", by="bot.condition"):
            assert "no connection to Discord's gateway" in (clew.adapter.trouble() or "")
            await discord.start_gateway()
        await conversation(discord)

        assert clew.adapter.trouble() is None


async def test_too_many_beginnings_of_a_session_are_waited_out_before_discord_takes_the_token_away() -> None:
    slept: list[float] = []

    async def note(seconds: float) -> None:
        slept.append(seconds)
        await soon(min(seconds, 5.0))

    async with discord_server(variants=Variants(identifies_left=1)) as discord, clew_on(discord, sleep=note):
        await conversation(discord)

    assert any(seconds > 60 for seconds in slept)


# --- the event loop ---------------------------------------------------------------------------------


async def test_the_heart_goes_on_beating_under_a_huge_server_and_huge_messages() -> None:
    async with discord_server(variants=Variants(heartbeat_interval=0.02)) as discord:
        for number in range(400):
            discord.channel(f"channel-{number}", topic="a topic " * 100)
        async with clew_on(discord, sleep=soon) as clew:
            thread = await conversation(discord)
            for _ in range(3):
                await begun_anew(discord)
                await discord.says("ada", "``a` <@1> <t:1> " * 250, channel=thread)
                await beaten(discord)
            await discord.shown(thread, lambda seen: len(clew.model.asked) > 1 and is_whole(seen))


async def begun_anew(discord: DiscordServer) -> None:
    """Let the session end and another one begin, to which everything is told."""
    (old,) = discord.sockets
    await old.invalidate()
    await discord.until(lambda: [one for one in discord.sockets if one is not old] or None)


async def beaten(discord: DiscordServer) -> None:
    """Wait for two beats more of the heart."""
    (socket,) = discord.sockets
    before = socket.heartbeats
    await discord.until(lambda: socket.heartbeats > before + 1 or None)


async def test_a_connection_that_swallows_being_cancelled_ends_all_the_same() -> None:
    """As discord.py's does while it connects again: the whole process would wait for it for ever."""
    begun = asyncio.Event()

    async def stubborn() -> None:
        with suppress(asyncio.CancelledError):
            begun.set()
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(surely_ended(stubborn()))
    await begun.wait()
    task.cancel()

    async with asyncio.timeout(30):
        await asyncio.wait({task})
    assert task.cancelled()


async def test_what_ends_a_connection_is_told() -> None:
    async def failing() -> None:
        raise ValueError("a payload nobody can read")

    with pytest.raises(ValueError, match="nobody can read"):
        await surely_ended(failing())
