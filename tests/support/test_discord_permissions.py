"""What the loopback Discord lets somebody do where: first the sums, then what discord.py is told."""

import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import discord
import pytest

from tests.support.discord import DiscordServer, Kind, discord_server
from tests.support.discord.permissions import (
    EVERYTHING,
    INVITED,
    NOTHING,
    Overwrite,
    Permission,
    in_channel,
    in_guild,
)
from tests.support.discord.sdk import client_on, logged_in, refused

P = Permission
GUILD, BOT, HELPERS, GUESTS = "100", "200", "300", "400"
SEES, WRITES = P.VIEW_CHANNEL, P.VIEW_CHANNEL | P.SEND_MESSAGES


@dataclass(frozen=True, slots=True)
class Named:
    id: str
    permissions: int


def sum_up(base: Permission, *overwrites: Overwrite, is_voice: bool = False, is_timed_out: bool = False) -> Permission:
    return in_channel(
        base,
        overwrites,
        guild_id=GUILD,
        member_id=BOT,
        role_ids=[HELPERS, GUESTS],
        is_voice=is_voice,
        is_timed_out=is_timed_out,
    )


def test_the_invite_link_s_number_holds_what_the_reference_lists() -> None:
    assert INVITED == (
        P.VIEW_CHANNEL
        | P.SEND_MESSAGES
        | P.SEND_MESSAGES_IN_THREADS
        | P.CREATE_PUBLIC_THREADS
        | P.READ_MESSAGE_HISTORY
        | P.ATTACH_FILES
        | P.EMBED_LINKS
        | P.ADD_REACTIONS
    )
    assert INVITED | P.MANAGE_THREADS == 326417632320


def test_roles_add_up_and_an_owner_or_an_administrator_may_do_everything() -> None:
    roles = [Named(GUILD, SEES), Named(HELPERS, P.SEND_MESSAGES)]

    assert in_guild(roles) == WRITES
    assert in_guild(roles, is_owner=True) == EVERYTHING
    assert in_guild([*roles, Named(GUESTS, P.ADMINISTRATOR)]) == EVERYTHING


@pytest.mark.parametrize(
    ("overwrites", "left"),
    [
        pytest.param([], WRITES, id="no overwrites"),
        pytest.param([Overwrite(GUILD, deny=P.SEND_MESSAGES)], SEES, id="everyone is denied"),
        pytest.param(
            [Overwrite(GUILD, deny=P.SEND_MESSAGES), Overwrite(HELPERS, allow=P.SEND_MESSAGES)],
            WRITES,
            id="a role goes before everyone",
        ),
        pytest.param(
            [Overwrite(HELPERS, deny=P.SEND_MESSAGES), Overwrite(GUESTS, allow=P.SEND_MESSAGES)],
            WRITES,
            id="among roles, allowing goes before denying",
        ),
        pytest.param(
            [
                Overwrite(HELPERS, allow=P.SEND_MESSAGES),
                Overwrite(BOT, deny=P.SEND_MESSAGES, is_member=True),
            ],
            SEES,
            id="the member goes before the roles",
        ),
        pytest.param([Overwrite(GUILD, deny=P.VIEW_CHANNEL)], NOTHING, id="who sees nothing may do nothing"),
        pytest.param([Overwrite("999", deny=P.VIEW_CHANNEL)], WRITES, id="another's role"),
        pytest.param([Overwrite("999", deny=P.VIEW_CHANNEL, is_member=True)], WRITES, id="another member"),
    ],
)
def test_overwrites_apply_from_the_general_to_the_particular(overwrites: list[Overwrite], left: Permission) -> None:
    assert sum_up(WRITES, *overwrites) == left


def test_an_administrator_is_bound_by_no_overwrite() -> None:
    assert sum_up(EVERYTHING, Overwrite(GUILD, deny=P.VIEW_CHANNEL)) == EVERYTHING


def test_a_voice_channel_needs_connect_even_to_be_written_in() -> None:
    assert sum_up(WRITES, is_voice=True) == NOTHING
    assert sum_up(WRITES | P.CONNECT, is_voice=True) == WRITES | P.CONNECT


def test_somebody_in_time_out_may_only_look() -> None:
    assert sum_up(INVITED, is_timed_out=True) == P.VIEW_CHANNEL | P.READ_MESSAGE_HISTORY


# --- what the client is told -------------------------------------------------------------------------

Doing = Callable[[discord.PartialMessageable, int], Awaitable[object]]


def attached() -> discord.File:
    return discord.File(io.BytesIO(b"x"), "a.txt")


@pytest.mark.parametrize(
    ("denied", "doing", "code"),
    [
        pytest.param(P.VIEW_CHANNEL, lambda place, _: place.send("x"), 50001, id="posting unseen"),
        pytest.param(P.VIEW_CHANNEL, lambda place, id_: place.fetch_message(id_), 50001, id="reading unseen"),
        pytest.param(P.SEND_MESSAGES, lambda place, _: place.send("x"), 50013, id="posting"),
        pytest.param(P.SEND_MESSAGES, lambda place, _: place.typing(), 50013, id="typing"),
        pytest.param(P.ATTACH_FILES, lambda place, _: place.send(file=attached()), 50013, id="attaching"),
        pytest.param(
            P.READ_MESSAGE_HISTORY,
            lambda place, id_: place.send("x", reference=place.get_partial_message(id_)),
            160002,
            id="replying without the history",
        ),
        pytest.param(
            P.ADD_REACTIONS,
            lambda place, id_: place.get_partial_message(id_).add_reaction("👍"),
            50013,
            id="reacting",
        ),
    ],
)
async def test_what_the_bot_may_not_do_is_refused(denied: Permission, doing: Doing, code: int) -> None:
    async with discord_server() as server, logged_in(server) as client:
        said = int(await server.says("ada", "hello"))
        place = client.get_partial_messageable(int(server.channel("general")))
        server.deny(denied, channel="general")
        status_and_code = await refused(doing(place, said))
        assert status_and_code == (403, code)
        assert server.replies() == []

        server.allow(denied, channel="general")
        await doing(place, said)


async def test_without_the_history_there_are_no_messages_to_read() -> None:
    async with discord_server() as server, logged_in(server) as client:
        await server.says("ada", "hello")
        place = client.get_partial_messageable(int(server.channel("general")))
        before = [message.content async for message in place.history()]
        server.deny(P.READ_MESSAGE_HISTORY, channel="general")

        assert (len(before), [message async for message in place.history()]) == (1, [])


async def thread_of(server: DiscordServer, *, private: bool = False) -> int:
    return int(await server.opens_thread("ada", "talk", private=private))


async def test_in_threads_another_permission_counts_and_it_is_the_parent_s() -> None:
    async with discord_server() as server, logged_in(server) as client:
        thread = client.get_partial_messageable(await thread_of(server))
        server.deny(P.SEND_MESSAGES, channel="general")
        await thread.send("allowed")
        server.deny(P.SEND_MESSAGES_IN_THREADS, channel="general")
        assert await refused(thread.send("x")) == (403, 50013)


async def test_opening_a_thread_needs_its_permission() -> None:
    async with discord_server() as server, client_on(server) as client:
        place = client.get_channel(int(server.channel("general")))
        assert isinstance(place, discord.TextChannel)
        message = await place.fetch_message(int(await server.says("ada", "hello")))
        server.deny(P.CREATE_PUBLIC_THREADS, channel="general")
        assert await refused(message.create_thread(name="talk")) == (403, 50013)
        server.allow(P.CREATE_PUBLIC_THREADS, channel="general")
        await message.create_thread(name="talk")


async def test_a_private_thread_is_not_there_for_who_is_not_in_it() -> None:
    async with discord_server() as server, client_on(server) as client:
        id_ = await thread_of(server, private=True)
        thread = client.get_partial_messageable(id_)
        assert await refused(thread.send("x")) == (403, 50001)
        await server.says("ada", "unheard", channel=str(id_), mention=False)
        await server.says("ada", "heard", mention=False)
        await server.until(client.said)
        assert client.said() == ["heard"]

        server.allow(P.MANAGE_THREADS, channel="general")
        await thread.send("as a moderator")


async def test_a_voice_channel_is_closed_to_who_may_not_connect() -> None:
    async with discord_server() as server, logged_in(server) as client:
        place = client.get_partial_messageable(int(server.channel("lounge", kind=Kind.VOICE)))
        await place.send("heard")
        server.deny(P.CONNECT, channel="lounge")
        assert await refused(place.send("x")) == (403, 50001)


async def test_a_time_out_ends_by_itself() -> None:
    async with discord_server() as server, logged_in(server) as client:
        place = client.get_partial_messageable(int(server.channel("general")))
        server.time_out(60)
        assert await refused(place.send("x")) == (403, 50013)
        server.clock.advance(61)
        await place.send("again")
