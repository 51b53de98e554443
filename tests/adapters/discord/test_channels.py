"""Which place a channel is, and who the bot is in a server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from adapters.discord.calls import Calls, DiscordClosed
from adapters.discord.channels import Channels
from adapters.discord.events import Origin
from adapters.discord.gaps import Gaps
from adapters.discord.gateway import Connection
from adapters.discord.line import open_line
from adapters.discord.people import Me, Nicknames
from adapters.discord.places import Kind as Place
from adapters.discord.places import Where
from adapters.discord.servers import Servers
from bot.condition import Condition
from bot.errands import Errands
from bot.errors import PlatformAway
from bot.metrics import Metrics
from tests.support.discord import DiscordServer, Kind, Permission, TooMany, discord_server
from tests.support.discord_clew import set_for

ASKED = "GET /channels/*"


@dataclass
class Known:
    """What is known of channels and servers."""

    discord: DiscordServer
    channels: Channels
    servers: Servers
    nicknames: Nicknames
    gaps: Gaps

    async def where(self, channel: str) -> Where | None:
        return await self.channels.where(Origin(channel, self.discord.guild()))


@asynccontextmanager
async def knowing(discord: DiscordServer, *, connected: bool = False) -> AsyncIterator[Known]:
    """Args: connected: whether the gateway tells of channels, or Discord has to be asked for each."""
    async with open_line(set_for(discord)) as line, Errands() as errands:
        who, gaps = await line.log_in(discord.token), Gaps(clock=discord.clock.now)
        connection = Connection(
            discord.token,
            http=line.http,
            hear=lambda name, body: None,
            sessions=gaps,
            condition=Condition("Discord"),
            sleep=lambda seconds: asyncio.sleep(seconds / 100),
        )
        if connected:
            errands.start(connection.run())
            await connection.wait_until_ready()
        servers, nicknames = Servers(who.user_id, told=lambda: connection.guilds, find=connection.guild), Nicknames()
        calls = Calls(line.http, metrics=Metrics())
        yield Known(discord, Channels(calls, guild=servers.find, nicknames=nicknames), servers, nicknames, gaps)


KINDS = [
    (Kind.TEXT, Place.CHANNEL),
    (Kind.ANNOUNCEMENT, Place.CHANNEL),
    (Kind.VOICE, Place.ROOM),
    (Kind.STAGE, Place.ROOM),
    (Kind.FORUM, None),
    (Kind.MEDIA, None),
    (Kind.CATEGORY, None),
]


@pytest.mark.parametrize("connected", [True, False], ids=["told by the gateway", "asked for"])
@pytest.mark.parametrize(("kind", "place"), KINDS, ids=[kind.name.lower() for kind, _ in KINDS])
async def test_a_channel_is_the_place_that_its_kind_makes_it(kind: Kind, place: Place | None, connected: bool) -> None:
    async with discord_server() as discord:
        channel = discord.channel("there", kind=kind)
        async with knowing(discord, connected=connected) as known:
            where = await known.where(channel)

        assert where == (None if place is None else Where(place, channel, discord.guild()))
        if connected and place is not None:
            assert discord.calls_of(ASKED) == []


@pytest.mark.parametrize("connected", [True, False], ids=["told by the gateway", "asked for"])
async def test_threads_and_posts_hang_from_their_channel(connected: bool) -> None:
    async with discord_server() as discord:
        forum, general = discord.channel("help", kind=Kind.FORUM), discord.channel("general")
        thread = await discord.opens_thread("ada", "Lunch")
        post = await discord.opens_post("ada", "Soup", "soup?", channel=forum)
        async with knowing(discord, connected=connected) as known:
            assert await known.where(thread) == Where(Place.THREAD, thread, discord.guild(), general)
            assert await known.where(post) == Where(Place.THREAD, post, discord.guild(), forum)


async def test_a_direct_message_is_told_by_having_no_server() -> None:
    async with discord_server() as discord, knowing(discord) as known:
        line = discord.direct("ada")

        assert await known.channels.where(Origin(line, None)) == Where(Place.DIRECT, line)
        assert discord.calls_of(ASKED) == []


async def test_what_the_gateway_did_not_tell_is_asked_for_once() -> None:
    async with discord_server() as discord:
        thread = await discord.opens_thread("ada", "Lunch")
        await discord.archives(thread)
        async with knowing(discord, connected=True) as known:
            first = await known.where(thread)
            again = await known.where(thread)

        assert first == again == Where(Place.THREAD, thread, discord.guild(), discord.channel("general"))
        assert len(discord.calls_of(ASKED)) == 1


async def test_a_place_that_cannot_be_told_now_is_told_later() -> None:
    async with discord_server() as discord, knowing(discord) as known:
        general = discord.channel("general")
        discord.faults.arm(ASKED, TooMany(120))

        with pytest.raises(PlatformAway):
            await known.where(general)
        assert await known.where(general) == Where(Place.CHANNEL, general, discord.guild())


async def test_a_place_that_is_closed_to_the_bot_is_told_to_be() -> None:
    async with discord_server() as discord, knowing(discord) as known:
        discord.deny(Permission.VIEW_CHANNEL, channel="general")

        with pytest.raises(DiscordClosed):
            await known.where(discord.channel("general"))


# --- names and servers ------------------------------------------------------------------------------


async def test_people_roles_and_channels_are_called_what_they_are_called_in_the_server() -> None:
    async with discord_server() as discord, knowing(discord, connected=True) as known:
        guild, ada = discord.guild(), discord.person("ada")
        told = {"guild_id": guild, "author": {"id": ada}, "member": {"nick": "Countess"}}
        known.nicknames.hear(told)

        assert known.channels.called(guild, ada) == "Countess"
        assert known.channels.called(guild, discord.channel("general")) == "general"
        assert known.channels.called(guild, guild) == "@everyone"
        assert known.channels.called(guild, discord.person("ben")) is None
        assert known.channels.called(None, ada) is None


async def test_the_bot_knows_its_own_role_also_while_the_server_has_an_outage() -> None:
    async with discord_server() as discord, knowing(discord, connected=True) as known:
        guild = discord.guild()
        role = discord.world.guild(guild).managed_role(discord.bot_user_id).id
        assert known.servers.me(guild) == Me(discord.bot_user_id, frozenset({role}))

        await discord.outage()
        await discord.sockets[0].invalidate()
        known.gaps.is_any.clear()
        async with asyncio.timeout(30):
            await known.gaps.is_any.wait()  # the new session is there, and tells nothing of the server

        assert known.servers.me(guild) == Me(discord.bot_user_id, frozenset({role}))


async def test_a_bot_that_came_without_a_role_has_none() -> None:
    async with discord_server() as discord:
        guild = discord.guild("other", with_role=False)
        async with knowing(discord, connected=True) as known:
            assert known.servers.me(guild) == Me(discord.bot_user_id)
            assert known.servers.me(None) == Me(discord.bot_user_id)
