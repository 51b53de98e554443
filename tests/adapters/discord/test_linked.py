"""What a link leads to in Discord, and for whom it is followed."""

from collections.abc import Mapping

import pytest

from adapters.discord.linked import permissions
from adapters.discord.places import DISCORD
from bot.calls import FunctionCall
from bot.errors import LinkRefused
from bot.function_runs import Functions
from bot.functions import Caller
from bot.messages import Person, PersonId, Thread
from bot.policy import Policy
from bot.read_link import NOTHING, link_reader
from tests.support.discord import DiscordServer, Kind, Permission, discord_server
from tests.support.discord_clew import DiscordClew, clew_on


async def read(clew: DiscordClew, discord: DiscordServer, text: str, *, permits: bool = True) -> list[str]:
    person = Person(PersonId(discord.person("ada")))
    asked_in = Thread(DISCORD, discord.guild(), discord.channel("general"), "1")
    said = await clew.adapter.read_for(person, asked_in, text, permits=lambda thread: permits)
    return [one.text for one in said]


async def read_or_refusal(clew: DiscordClew, discord: DiscordServer, text: str) -> list[str] | str:
    """What is read behind a link, or the sentence that the model is told instead."""
    offered = Functions([link_reader({DISCORD: clew.adapter}, Policy())])
    asked_in = Thread(DISCORD, discord.guild(), discord.channel("general"), "1")
    caller = Caller(Person(PersonId(discord.person("ada"))), asked_in)
    result = await offered.run(FunctionCall("c1", "read_link", {"link": text}), caller)
    if isinstance(result.value, str):
        assert result.is_error
        return result.value
    messages = result.value["messages"]
    assert isinstance(messages, list)
    return [one["text"] for one in messages]


def link(discord: DiscordServer, *steps: str) -> str:
    return "/".join(["https://discord.com/channels", discord.guild(), *steps])


async def test_a_link_leads_to_the_thread_or_to_the_message() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        await discord.says("ada", "hello", mention=False)  # or she is not known on the server
        alone = await discord.says("grace", "lunch?", mention=False)
        thread = await discord.opens_thread("grace", "plans")
        first = await discord.says("grace", "the plan", channel=thread, mention=False)
        await discord.says("ben", "I like it", channel=thread, mention=False)

        assert await read(clew, discord, link(discord, discord.channel("general"), alone)) == ["lunch?"]
        assert (await read(clew, discord, link(discord, thread)))[-2:] == ["the plan", "I like it"]
        assert (await read(clew, discord, f"<{link(discord, thread, first)}>"))[-2:] == ["the plan", "I like it"]


async def test_a_link_is_followed_for_nobody_who_may_not_read_there() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        discord.channel("board")
        said = await discord.says("grace", "the plan", channel="board", mention=False)
        there = link(discord, discord.channel("board"), said)

        async def refused(text: str, *, permits: bool = True) -> str:
            with pytest.raises(LinkRefused) as refusal:
                await read(clew, discord, text, permits=permits)
            return str(refusal.value)

        assert await refused(there) == NOTHING
        await discord.says("ada", "hello", mention=False)
        assert await read(clew, discord, there) == ["the plan"]
        assert await refused(there, permits=False) == NOTHING
        for permission in (Permission.VIEW_CHANNEL, Permission.READ_MESSAGE_HISTORY):
            discord.deny(permission, channel="board", user="ada")
            assert await refused(there) == NOTHING
            discord.allow(permission, channel="board", user="ada")
        assert await refused(there.replace(discord.guild(), "1")) == "That link leads to another server than this one."
        assert await refused(there.replace(discord.guild(), "@me")) == "Direct messages are never read for anybody."
        assert (await refused(link(discord, discord.channel("board")))).startswith("That is a whole channel")
        assert await refused("https://example.org/") == "That is no link to a thread or a message in Discord."


async def test_a_private_thread_is_read_for_its_members_and_for_those_who_manage_threads_alone() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        await discord.says("ada", "hello", mention=False)
        await discord.says("ada", "mine", channel=discord.direct("ada"), mention=False)
        thread = await discord.opens_thread("grace", "board", private=True)
        await discord.adds_to_thread(thread)  # the bot, which may read it from here on
        said = await discord.says("grace", "the plan", channel=thread, mention=False)
        links = [link(discord, thread), link(discord, thread, said)]

        async def seen() -> list[list[str] | str]:
            return [await read_or_refusal(clew, discord, one) for one in links]

        outside = await seen()
        await discord.adds_to_thread(thread, "ada")
        inside = await seen()
        await discord.locks(thread)
        archived = await seen()
        await discord.removes_from_thread(thread, "ada")
        left = await seen()
        discord.allow(Permission.MANAGE_THREADS, channel="general", user="ada")
        manages = await seen()
        discord.deny(Permission.VIEW_CHANNEL, channel="general", user="ada")
        sees_nothing = await seen()

    assert outside == left == sees_nothing == [NOTHING] * 2
    assert inside == archived == manages
    assert all(isinstance(one, list) and one[-1:] == ["the plan"] for one in inside)


async def test_a_link_names_nothing_of_what_it_leads_to_when_it_is_refused() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        await discord.says("ada", "hello", mention=False)
        line = discord.direct("ada")
        mine = await discord.says("ada", "the plan", channel=line)
        thread = await discord.opens_thread("grace", "the plan", private=True)
        discord.guild("elsewhere")
        abroad = discord.channel("abroad", guild="elsewhere")
        theirs = await discord.says("ada", "the plan", channel=abroad, mention=False)
        discord.channel("stage", kind=Kind.VOICE)
        spoken = await discord.says("ada", "the plan", channel="stage", mention=False)
        heard = await read_or_refusal(clew, discord, link(discord, discord.channel("stage"), spoken))
        discord.deny(Permission.CONNECT, channel="stage", user="ada")
        refusals = [
            await read_or_refusal(clew, discord, link(discord, discord.channel("stage"), spoken)),
            # A channel of another server, which the bot and she may both read, behind the server that was asked in.
            await read_or_refusal(clew, discord, link(discord, abroad, theirs)),
            # The id of a direct line, or of nothing at all, behind the server that was asked in.
            await read_or_refusal(clew, discord, link(discord, line, mine)),
            await read_or_refusal(clew, discord, link(discord, "111111111111111111", "111111111111111112")),
            # A private thread that the bot itself may not see.
            await read_or_refusal(clew, discord, link(discord, thread)),
        ]

    assert heard == ["the plan"]
    assert refusals[:1] * 5 == refusals  # whatever the reason, nobody learns it
    assert refusals[0] == NOTHING


VIEW, READ = 1 << 10, 1 << 16


def overwrite(id_: str, *, allow: int = 0, deny: int = 0) -> Mapping[str, object]:
    return {"id": id_, "allow": str(allow), "deny": str(deny)}


@pytest.mark.parametrize(
    ("roles", "owner", "overwrites", "held"),
    [
        pytest.param((), "9", (), VIEW, id="what everybody may"),
        pytest.param(("5",), "9", (), VIEW | READ, id="what a role may as well"),
        pytest.param(("5",), "9", (overwrite("1", deny=VIEW | READ),), 0, id="everybody's overwrite takes it away"),
        pytest.param(
            ("5",), "9", (overwrite("1", deny=VIEW), overwrite("5", allow=VIEW)), VIEW | READ, id="a role's gives it"
        ),
        pytest.param(
            ("5", "6"),
            "9",
            (overwrite("5", deny=VIEW), overwrite("6", allow=VIEW)),
            VIEW | READ,
            id="of several roles, allowing wins",
        ),
        pytest.param(
            ("5",), "9", (overwrite("5", allow=VIEW), overwrite("7", deny=VIEW)), READ, id="the member's wins over all"
        ),
        pytest.param((), "9", (overwrite("8", allow=READ),), VIEW, id="another role's is nothing to them"),
    ],
)
def test_rights_are_computed_as_discord_does(
    roles: tuple[str, ...], owner: str, overwrites: tuple[Mapping[str, object], ...], held: int
) -> None:
    server = {
        "id": "1",
        "owner_id": owner,
        "roles": [
            {"id": "1", "permissions": str(VIEW)},
            {"id": "5", "permissions": str(READ)},
            {"id": "6", "permissions": "0"},
        ],
    }
    channel = {"permission_overwrites": list(overwrites)}

    assert permissions(server, {"roles": list(roles)}, channel, "7") == held


def test_owners_and_administrators_may_read_everything() -> None:
    server = {"id": "1", "owner_id": "7", "roles": [{"id": "5", "permissions": str(1 << 3)}]}
    channel = {"permission_overwrites": [overwrite("1", deny=VIEW)]}

    assert permissions(server, {"roles": []}, channel, "7") & VIEW
    assert permissions(server, {"roles": ["5"]}, channel, "8") & VIEW
    assert permissions(server, {"roles": []}, channel, "8") == 0
