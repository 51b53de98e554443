"""The link that puts the bot into a server, as ``clew discord invite`` prints it."""

from dataclasses import replace

import pytest

from adapters.discord.application import PERMISSIONS, invite_link
from adapters.discord.gateway import BAD_TOKEN
from adapters.discord.invite import read_invite
from bot.errors import StartError
from tests.support.discord import Broken, Install, discord_server
from tests.support.discord_clew import set_for

CLIENT = "123456789012345678"


async def test_the_link_is_of_the_application_that_was_named() -> None:
    async with discord_server() as discord:
        told = await read_invite(CLIENT, replace(set_for(discord), token=None))

        link, _, asked_for = told.partition("\n")
        assert link == invite_link(CLIENT)
        assert all(name.replace("_", " ") in asked_for and why in asked_for for name, why in PERMISSIONS.items())
        assert discord.calls == []


async def test_without_a_name_discord_is_asked_whose_the_token_is() -> None:
    # Old applications have another id than their bot.
    async with discord_server(install=Install(application_id=CLIENT, bot_user_id="223456789012345678")) as discord:
        told = await read_invite(None, set_for(discord))

        assert told.startswith(invite_link(CLIENT))


@pytest.mark.parametrize(
    ("client_id", "has_token", "sentence"),
    [
        pytest.param("Clew", True, "'Clew' is not the id of an application", id="a name and no id"),
        pytest.param("0", True, "is not the id of an application", id="no such number"),
        pytest.param(None, False, "Give the application's id with --client-id", id="neither"),
    ],
)
async def test_what_is_missing_is_said(client_id: str | None, has_token: bool, sentence: str) -> None:
    async with discord_server() as discord:
        settings = set_for(discord)

        with pytest.raises(StartError, match=sentence):
            await read_invite(client_id, settings if has_token else replace(settings, token=None))


async def test_a_token_that_is_no_longer_good_is_said_to_be() -> None:
    async with discord_server() as discord:
        discord.revoke()

        with pytest.raises(StartError) as told:
            await read_invite(None, set_for(discord))

        assert str(told.value) == BAD_TOKEN


async def test_whoever_wants_the_link_is_not_kept_waiting_for_ever() -> None:
    async with discord_server() as discord:
        discord.faults.arm("GET /users/@me", Broken(503), times=None)

        with pytest.raises(StartError, match="--client-id"):
            await read_invite(None, set_for(discord), patience=0.2)
