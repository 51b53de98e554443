"""The permissions, the code and the page for admins say the same."""

import re
from pathlib import Path

import discord
import pytest

from adapters.discord.application import (
    COMMANDS,
    INTENTS,
    LONGEST_QUESTION,
    PERMISSIONS,
    are_set,
    intents,
    invite_link,
    permissions,
)
from adapters.discord.gateway import BAD_TOKEN, NO_INTENT
from tests.support.discord import Broken, Fault, SaysError, discord_server
from tests.support.discord_clew import clew_on

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs" / "discord.md").read_text(encoding="utf-8")
PROSE = " ".join(DOCS.split())


def rows(heading: str) -> dict[str, str]:
    """The rows of the table of the page that begins with this column."""
    table = DOCS.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", table, re.MULTILINE)[1:])


def spelled(name: str) -> str:
    """A permission or an intent as Discord's own pages spell it."""
    small = {"in": "in", "dm": "DM"}
    return " ".join(small.get(word, word.capitalize()) for word in name.split("_"))


def test_the_page_names_the_permissions_and_what_each_is_for() -> None:
    assert {spelled(name): why for name, why in PERMISSIONS.items()} == rows("permission")


def test_the_page_names_the_intents_and_what_each_brings() -> None:
    assert {spelled(name): why for name, why in INTENTS.items()} == rows("intent")


def test_the_page_tells_the_sentences_that_end_a_start() -> None:
    assert f"> {BAD_TOKEN}" in DOCS
    assert f"> {NO_INTENT}" in DOCS


def test_the_page_names_every_command() -> None:
    for command in COMMANDS:
        shown = f"`/{command['name']}`" if command["type"] == 1 else f"**{command['name']}**"
        assert shown in PROSE, shown


def test_the_link_asks_for_those_permissions_and_no_others() -> None:
    link = invite_link("123456789012345678")

    assert "client_id=123456789012345678" in link
    assert "scope=bot+applications.commands" in link
    assert link.endswith(f"permissions={permissions().value}")
    # https://docs.discord.com/developers/topics/permissions: bits 10, 11, 15, 16, 20, 35 and 38.
    assert permissions().value == 1 << 10 | 1 << 11 | 1 << 15 | 1 << 16 | 1 << 20 | 1 << 35 | 1 << 38


def test_message_content_is_the_only_privileged_intent() -> None:
    assert intents().message_content
    assert not intents().members
    assert not intents().presences
    assert discord.Intents(**dict.fromkeys(INTENTS, True)).value == intents().value


def test_the_commands_are_within_discords_limits() -> None:
    for command in COMMANDS:
        name = str(command["name"])
        if command["type"] == 1:
            assert re.fullmatch(r"[a-z]{1,32}", name)
            assert 1 <= len(str(command["description"])) <= 100
        else:
            assert 1 <= len(name) <= 32
    assert LONGEST_QUESTION + 200 <= 2000  # with the line that says who asks


def told(**option: object) -> list[dict[str, object]]:
    """The commands as Discord tells them: with much beside, and without what is empty; *option* is in all options."""
    commands = [
        {
            "id": "1",
            "application_id": "2",
            "version": "3",
            "default_member_permissions": None,
            **{name: value for name, value in command.items() if value != []},
            **({} if command.get("options") else {"options": []}),
        }
        for command in COMMANDS
    ]
    for command in commands:
        listed = command["options"]
        assert isinstance(listed, list)
        command["options"] = [{**each, **option} for each in listed]
    return commands


def test_commands_that_discord_has_are_known_again() -> None:
    assert are_set(told())


@pytest.mark.parametrize(
    "other",
    [
        pytest.param([], id="none yet"),
        pytest.param(told()[1:], id="one is missing"),
        pytest.param([*told(), {"type": 1, "name": "old", "description": "From before"}], id="one too many"),
        pytest.param([{**told()[0], "description": "Else"}, *told()[1:]], id="another description"),
        pytest.param([{**told()[0], "options": []}, *told()[1:]], id="options are missing"),
        pytest.param([{**told()[0], "contexts": [0]}, *told()[1:]], id="not in direct messages"),
        pytest.param(told(required=True), id="an option must be given"),
    ],
)
def test_a_change_of_the_commands_is_noticed(other: list[dict[str, object]]) -> None:
    assert not are_set(other)


# --- setting them -----------------------------------------------------------------------------


async def test_commands_are_set_at_the_first_start_and_not_at_the_second() -> None:
    async with discord_server() as server:
        for _ in range(2):
            async with clew_on(server):
                await server.received("GET /applications/*")
                await server.until(lambda: server.commands)

        assert are_set(server.commands)
        assert len(server.command_writes) == 1


async def test_commands_are_not_set_again_when_the_connection_is() -> None:
    async with discord_server() as server, clew_on(server):
        await server.until(lambda: server.commands)
        (socket,) = server.sockets
        server.forget_sessions()
        await socket.invalidate()
        await server.until(lambda: len(server.sessions) == 2)

        assert len(server.calls_of("GET /applications/*")) == 1


async def test_commands_that_changed_are_set_again() -> None:
    async with discord_server() as server:
        async with clew_on(server):
            await server.until(lambda: server.commands)
        server.commands[0]["description"] = "From before"

        async with clew_on(server):
            await server.until(lambda: are_set(server.commands))

        assert len(server.command_writes) == 2


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(SaysError(30034), id="too many today"),
        pytest.param(SaysError(50001, status=403), id="not allowed"),
        pytest.param(Broken(503), id="not now"),
    ],
)
async def test_a_start_does_not_wait_for_the_commands(fault: Fault) -> None:
    async with discord_server() as server:
        server.faults.arm("PUT /applications/*", fault, times=None)
        async with clew_on(server):
            await server.received("PUT /applications/*")
            question = await server.says("ada", "what is a clew?")

            await server.shown(question)
            assert server.commands == []


async def test_commands_that_could_not_be_set_are_set_later() -> None:
    async with discord_server() as server:
        server.faults.arm("PUT /applications/*", Broken(503), times=2)
        async with clew_on(server):
            await server.until(lambda: are_set(server.commands))
