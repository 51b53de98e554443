"""Small things the bot says, each of them once."""

import pytest

from adapters.discord.announcer import small_print
from bot.errors import ThreadClosed
from bot.messages import MessageId
from tests.adapters.discord.interacting import commanded
from tests.support.discord import ActThenDrop, Broken, Fault, Kind, Permission, discord_server
from tests.support.slack_clew import until_logged

POST = "POST /channels/*/messages"


def test_every_line_of_small_print_is_small() -> None:
    assert small_print("One.\n\nTwo.") == "-# One.\n-# Two."


@pytest.mark.parametrize("place", ["thread", "channel", "voice"])
async def test_what_became_of_a_command_is_said_once_in_its_conversation(place: str) -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        channel = "talk" if place == "voice" else "general"
        where = discord.channel(channel, kind=Kind.VOICE)
        root = await discord.says("ben", "lunch?", channel=where, mention=False)
        thread = clew.thread(where if place == "voice" else root, channel=channel)
        if place == "thread":
            where = await discord.opens_thread("ben", "lunch", message=root)
        command = await discord.says("ada", "@Clew reset", channel=where, mention=False)

        for _ in range(2):
            await clew.adapter.confirm(thread, MessageId(command), "Done.")

        assert [(one.text, one.reply_to) for one in discord.replies(where)] == [("-# Done.", command)]
        assert discord.pings_by_bot() == []


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(ActThenDrop(), id="carried out and not answered"),
        pytest.param(Broken(503, acts=True), id="503 after it was carried out"),
    ],
)
async def test_what_became_of_a_command_is_not_said_twice_because_a_call_fails(fault: Fault) -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        root = await discord.says("ben", "lunch?", mention=False)
        discord.faults.arm(POST, fault)

        await clew.adapter.confirm(clew.thread(root), MessageId(root), "Done.")

        assert [one.text for one in discord.replies()] == ["-# Done."]


async def test_what_became_of_a_command_is_said_without_a_reply_where_there_can_be_none() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        root = await discord.says("ben", "lunch?", mention=False)
        # A reply takes the right to read (reference, section 1).
        discord.deny(Permission.READ_MESSAGE_HISTORY, channel="general")

        await clew.adapter.confirm(clew.thread(root), MessageId(root), "Done.")

        assert [(one.text, one.reply_to) for one in discord.replies()] == [("-# Done.", None)]


async def test_what_was_said_of_a_slash_command_confirms_no_other() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        where = discord.channel("general")
        root = await discord.says("ben", "lunch?", mention=False)
        typed = await discord.says("ada", "@Clew reset", channel=where, mention=False)
        slash = str(int(typed) + 1)  # the id of an interaction: no message to refer to

        for command in (slash, typed, slash, typed):
            await clew.adapter.confirm(clew.thread(root), MessageId(command), "Done.")

        assert [(one.text, one.reply_to) for one in discord.replies(where)] == [("-# Done.", None), ("-# Done.", typed)]


async def test_what_became_of_a_command_cannot_be_said_in_a_channel_that_is_closed() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        root = await discord.says("ben", "lunch?", mention=False)
        discord.deny(Permission.VIEW_CHANNEL, channel="general")

        with pytest.raises(ThreadClosed):
            await clew.adapter.confirm(clew.thread(root), MessageId(root), "Done.")


@pytest.mark.parametrize("place", ["the channel", "a thread"])
async def test_who_cannot_be_answered_is_told_directly_with_a_link_to_the_question(place: str) -> None:
    async with discord_server() as discord, commanded(discord):
        where = "general" if place == "the channel" else await discord.opens_thread("ben", "lunch")
        rights = Permission.SEND_MESSAGES | Permission.CREATE_PUBLIC_THREADS | Permission.SEND_MESSAGES_IN_THREADS
        discord.deny(rights, channel="general")

        question = await discord.says("ada", "what is a clew?", channel=where)

        (told,) = await discord.shown(discord.direct("ada"))
        channel = discord.channel("general") if where == "general" else where
        assert f"(<https://discord.com/channels/{discord.guild()}/{channel}/{question}>)" in told.text
        assert "I may not write there" in told.text


@pytest.mark.parametrize("place", ["the channel", "a voice chat"])
async def test_who_cannot_be_replied_to_is_told_directly_what_is_missing(place: str) -> None:
    async with discord_server() as discord, commanded(discord):
        name, kind = ("general", Kind.TEXT) if place == "the channel" else ("talk", Kind.VOICE)
        where = discord.channel(name, kind=kind)
        # Where no thread is opened an answer is a reply, which takes the right to read (reference, section 1).
        discord.deny(Permission.READ_MESSAGE_HISTORY | Permission.CREATE_PUBLIC_THREADS, channel=name)

        await discord.says("ada", "what is a clew?", channel=where)

        (told,) = await discord.shown(discord.direct("ada"))
        assert "I may not read there what was said" in told.text


async def test_who_takes_no_direct_messages_is_left_alone() -> None:
    async with discord_server() as discord, commanded(discord):
        discord.person("ada", takes_dms=False)
        discord.deny(Permission.SEND_MESSAGES | Permission.CREATE_PUBLIC_THREADS, channel="general")
        async with until_logged("somebody not told directly", by="adapters.discord.announcer"):
            await discord.says("ada", "what is a clew?")

        assert discord.replies(discord.direct("ada")) == []
