"""Registering commands with the loopback Discord, and who is offered them where."""

from typing import Any

import discord
import pytest

from tests.support.discord import Permission, discord_server
from tests.support.discord.sdk import client_on, refused, running
from tests.support.discord.sdk_commands import CommandBot, bot_on, say


async def test_commands_are_offered_once_they_are_registered_and_keep_their_ids() -> None:
    async with discord_server() as server, running(server, CommandBot(server, say)) as bot:
        with pytest.raises(LookupError, match="no command"):
            await server.uses("ada", "ask", text="why?")
        await bot.tree.sync()
        first = server.commands
        await bot.tree.sync()
        again = server.commands
        await server.uses("ada", "ask", text="why?")

        assert [command["name"] for command in first] == ["ask", "Ask about this"]
        assert again == first
        assert len(server.command_writes) == 2
        assert {command.id for command in await bot.tree.fetch_commands()} == {int(one["id"]) for one in first}


async def test_a_command_that_changed_is_another_version_of_the_same() -> None:
    async with discord_server() as server, client_on(server) as client:
        seen = []
        for description in ("old", "new"):
            said: Any = [{"name": "ask", "description": description}]
            await client.http.bulk_upsert_global_commands(int(server.application_id), said)
            seen += server.commands

        assert [command["description"] for command in seen] == ["old", "new"]
        assert seen[0]["id"] == seen[1]["id"]
        assert seen[0]["version"] != seen[1]["version"]


async def test_a_guild_s_commands_are_not_offered_elsewhere() -> None:
    async with discord_server() as server, running(server, CommandBot(server, say)) as bot:
        home = discord.Object(server.guild())
        bot.tree.copy_global_to(guild=home)
        await bot.tree.sync(guild=home)
        await server.uses("ada", "ask", text="why?")
        for place in (server.direct("ada"), server.channel("lounge", guild=server.guild("elsewhere"))):
            with pytest.raises(LookupError, match="no command"):
                await server.uses("ada", "ask", in_=place, text="why?")


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        pytest.param([{"name": "Ask", "description": "x"}], 50035, id="a capital letter"),
        pytest.param([{"name": "a b", "description": "x"}], 50035, id="a blank"),
        pytest.param([{"name": "ask", "description": ""}], 50035, id="no description"),
        pytest.param([{"name": "ask", "description": "x" * 101}], 50035, id="a long description"),
        pytest.param([{"name": "Ask this", "type": 3, "description": "x"}], 50035, id="a menu with a description"),
        pytest.param([{"name": "ask", "description": "x"}] * 2, 50035, id="two of a name"),
        pytest.param([{"name": f"m{n}", "type": 3} for n in range(16)], 30032, id="too many menus"),
        pytest.param(
            [
                {
                    "name": "ask",
                    "description": "x",
                    "options": [
                        {"name": "a", "type": 3, "description": "x"},
                        {"name": "b", "type": 3, "description": "x", "required": True},
                    ],
                }
            ],
            50035,
            id="a required option after another",
        ),
    ],
)
async def test_commands_that_could_not_be_offered_are_refused_all_together(said: Any, refusal: int) -> None:
    async with discord_server() as server, bot_on(server, say) as bot:
        before = server.commands
        put = bot.http.bulk_upsert_global_commands(int(server.application_id), said)
        assert (await refused(put))[1] == refusal
        assert server.commands == before


async def test_two_hundred_new_commands_a_day_are_the_most() -> None:
    async with discord_server() as server, client_on(server) as client:
        app = int(server.application_id)

        def named(start: int, count: int) -> Any:
            return [{"name": f"c{number}", "description": "x"} for number in range(start, start + count)]

        await client.http.bulk_upsert_global_commands(app, named(0, 100))
        await client.http.bulk_upsert_global_commands(app, named(0, 100))  # nothing new in it
        await client.http.bulk_upsert_global_commands(app, named(100, 100))
        assert await refused(client.http.bulk_upsert_global_commands(app, named(200, 1))) == (400, 30034)
        server.clock.advance(86_400)
        await client.http.bulk_upsert_global_commands(app, named(200, 1))


async def test_people_without_the_permission_are_offered_no_commands() -> None:
    async with discord_server() as server, bot_on(server, say):
        server.deny(Permission.USE_APPLICATION_COMMANDS, channel="general", user="ada")
        with pytest.raises(LookupError, match="may not"):
            await server.uses("ada", "ask", text="why?")
        await server.uses("bob", "ask", text="why?")


async def test_commands_work_where_the_bot_sees_nothing() -> None:
    async with discord_server() as server, bot_on(server, say) as bot:
        server.deny(Permission.VIEW_CHANNEL, channel="general")
        used = await server.uses("ada", "ask", text="why?")

        assert used.text == "done"
        channel = bot.get_partial_messageable(int(server.channel("general")))
        assert await refused(channel.send("x")) == (403, 50001)
