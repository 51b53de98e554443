"""Commands, menus and buttons of the loopback Discord, driven by discord.py's command tree and dynamic items."""

from typing import Any

import discord
import pytest

from tests.support.discord import Broken, Clock, DiscordServer, Install, Interaction, discord_server
from tests.support.discord.sdk import client_on, intents, refused
from tests.support.discord.sdk_commands import Stop, bot_on, defer, raw, say


def callback(used: Interaction) -> str:
    return f"/interactions/{used.id}/{used.token}/callback"


def hook(server: DiscordServer, used: Interaction) -> str:
    return f"/webhooks/{server.application_id}/{used.token}"


async def test_a_command_is_deferred_then_answered_in_place_and_followed_up() -> None:
    async with discord_server() as server, bot_on(server, defer) as bot:
        held: list[discord.Interaction[Any]] = []

        async def do(interaction: discord.Interaction[Any]) -> None:
            await interaction.response.defer(thinking=True)
            held.append(interaction)

        bot.do = do
        used = await server.uses("ada", "ask", text="why?")
        assert used.is_thinking
        assert server.replies()[0].is_loading

        await server.until(lambda: held)
        await held[0].edit_original_response(content="part")
        assert not used.is_thinking
        sent = await held[0].edit_original_response(content="part one")
        await held[0].followup.send("part two")
        assert (await held[0].original_response()).content == "part one"

        assert bot.asked == [("why?", None)]
        assert [(shown.text, shown.edits) for shown in server.replies()] == [("part one", 1), ("part two", 0)]
        assert server.replies()[1].reply_to == str(sent.id)
        assert (sent.type, sent.author.id) == (discord.MessageType.chat_input_command, int(server.bot_user_id))
        told = [told.data["content"] for told in server.told_of("MESSAGE_CREATE")]
        assert told == ["", "part two"]  # own posts come back as events, "thinking" too


async def test_the_first_follow_up_takes_the_place_of_the_thinking() -> None:
    async def do(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(thinking=True)
        await interaction.followup.send("first")
        await interaction.followup.send("second")

    async with discord_server() as server, bot_on(server, do):
        used = await server.uses("ada", "ask", text="why?")
        await server.shown("general", whole=2)
        assert (used.text, [message.content for message in used.followups]) == ("first", ["second"])


async def test_an_answer_at_once_comes_back_with_the_message() -> None:
    async with discord_server() as server, bot_on(server, say) as bot:
        ids: list[int | None] = []

        async def do(interaction: discord.Interaction[Any]) -> None:
            done = await interaction.response.send_message("**done**", view=discord.ui.View().add_item(Stop("1f")))
            ids.append(done.message_id)

        bot.do = do
        used = await server.uses("ada", "ask", text="why?")
        (shown,) = await server.shown()
        await server.until(lambda: ids)

        assert (used.text, shown.buttons, ids) == ("**done**", ("Stop",), [int(shown.id)])


async def test_what_is_ephemeral_is_shown_to_one_person_and_reaches_the_app_as_if_it_were_direct() -> None:
    async def do(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.send_message("just you", ephemeral=True)
        await interaction.followup.send("this too", ephemeral=True)
        await interaction.followup.send("everybody")
        await interaction.edit_original_response(content="just you!")

    async with discord_server() as server, bot_on(server, do) as bot:
        used = await server.uses("ada", "ask", text="why?")
        await server.until(lambda: used.text == "just you!")

        assert [shown.text for shown in server.whispers("ada")] == ["just you!", "this too"]
        assert server.whispers("bob") == []
        assert [shown.text for shown in server.replies()] == ["everybody"]
        heard = [args[0] for name, args in bot.heard if name == "message"]
        assert [message.guild is None for message in heard] == [True, True, False]
        told = server.told_of("MESSAGE_CREATE")[0].data
        assert (told["content"], told.keys() & {"guild_id", "member"}) == ("just you", set())
        place = bot.get_partial_messageable(int(server.channel("general")))
        assert await refused(place.fetch_message(int(server.whispers("ada")[0].id))) == (404, 10008)


async def test_who_does_not_listen_to_direct_messages_does_not_hear_of_ephemeral_ones() -> None:
    async def do(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.send_message("just you", ephemeral=True)
        await interaction.followup.send("everybody")

    deaf = intents()
    deaf.dm_messages = False
    async with discord_server() as server, bot_on(server, do, intents=deaf) as bot:
        await server.uses("ada", "ask", text="why?")
        await server.until(bot.said)
        assert bot.said() == ["everybody"]


async def test_a_deferral_decides_who_sees_the_answer() -> None:
    async def do(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True)
        await interaction.followup.send("hidden all the same")

    async with discord_server() as server, bot_on(server, do):
        await server.uses("ada", "ask", text="why?")
        await server.until(lambda: [shown.text for shown in server.whispers("ada")] == ["hidden all the same"])
        assert server.replies() == []


async def test_who_acknowledges_after_three_seconds_is_too_late() -> None:
    async with discord_server() as server, bot_on(server, say) as bot:

        async def late(interaction: discord.Interaction[Any]) -> None:
            server.clock.advance(3.1)
            await interaction.response.defer()

        bot.do = late
        used = await server.uses("ada", "ask", text="why?")
        await server.until(lambda: bot.errors)

        assert used.has_failed
        assert isinstance(bot.errors[0], discord.NotFound)
        assert bot.errors[0].code == 10062
        assert await raw(server, "PATCH", f"{hook(server, used)}/messages/@original", {"content": "x"}) == (404, 10015)


async def test_nobody_answering_is_seen_as_a_failure() -> None:
    async with discord_server(clock=Clock(speed=100)) as server, bot_on(server, say):
        await server.stop_gateway()
        used = await server.uses("ada", "ask", text="why?")

        assert (used.has_failed, used.is_acknowledged, used.original) == (True, False, None)


async def test_only_one_process_can_acknowledge() -> None:
    async with discord_server() as server, bot_on(server, say):
        used = await server.uses("ada", "ask", text="why?")
        assert await raw(server, "POST", callback(used), {"type": 5}) == (400, 40060)
        wrong = callback(used).replace(used.token, "wrong")
        assert await raw(server, "POST", wrong, {"type": 5}) == (404, 10062)


async def test_a_token_dies_after_a_quarter_of_an_hour() -> None:
    async with discord_server() as server, bot_on(server, say):
        used = await server.uses("ada", "ask", text="why?")
        original = f"{hook(server, used)}/messages/@original"
        server.clock.advance(890)
        assert await raw(server, "PATCH", original, {"content": "just in time"}) == (200, None)
        server.clock.advance(20)
        assert await raw(server, "PATCH", original, {"content": "x"}) == (401, 50027)
        assert await raw(server, "POST", hook(server, used), {"content": "x"}) == (401, 50027)
        assert used.text == "just in time"


async def test_an_answer_that_was_taken_back_is_gone() -> None:
    async with discord_server() as server, bot_on(server, say):
        used = await server.uses("ada", "ask", text="why?")
        original = f"{hook(server, used)}/messages/@original"
        assert await raw(server, "DELETE", original) == (204, None)
        assert await raw(server, "GET", original) == (404, 10008)
        assert server.replies() == []
        with pytest.raises(LookupError):
            _ = used.text


async def test_a_follow_up_whose_answer_is_lost_is_there_twice_since_the_sdk_tries_again() -> None:
    async with discord_server() as server, bot_on(server, say) as bot:
        used = await server.uses("ada", "ask", text="why?")
        server.faults.arm("POST /webhooks/*", Broken(502, acts=True))
        webhook = discord.Webhook.partial(int(server.application_id), used.token, client=bot)
        await webhook.send("once", wait=True)

        assert [shown.text for shown in server.replies()] == ["done", "once", "once"]


async def test_follow_ups_may_be_limited_as_they_are_where_only_a_user_installed_the_app() -> None:
    async with discord_server() as server, bot_on(server, say):
        server.most_followups = 5
        used = await server.uses("ada", "ask", text="why?")
        asked = [await raw(server, "POST", hook(server, used), {"content": f"{number}"}) for number in range(6)]
        assert asked == [(200, None)] * 5 + [(400, 40094)]


async def test_a_command_brings_its_file_under_an_address_of_its_own_kind() -> None:
    async with discord_server() as server, bot_on(server, say) as bot:
        file = server.uploads("notes.txt", b"read me")
        await server.uses("ada", "ask", text="what is this?", file=file)
        (_, attachment) = bot.asked[0]

        assert "/ephemeral-attachments/" in attachment.url
        assert (attachment.ephemeral, await attachment.read()) == (True, b"read me")


async def test_a_command_in_a_direct_message_has_a_user_and_no_guild() -> None:
    async with discord_server() as server, bot_on(server, say) as bot:
        seen: list[discord.Interaction[Any]] = []

        async def do(interaction: discord.Interaction[Any]) -> None:
            seen.append(interaction)
            await interaction.response.send_message("here", ephemeral=True)

        bot.do = do
        await server.uses("ada", "ask", in_=server.direct("ada"), text="why?")
        await server.uses("ada", "ask", text="why?")

        direct, in_guild = seen
        assert (direct.guild, direct.context.dm_channel, type(direct.user)) == (None, True, discord.User)
        assert isinstance(in_guild.user, discord.Member)
        assert in_guild.app_permissions.send_messages
        assert in_guild.filesize_limit == 10 * 1024 * 1024


async def test_a_menu_tells_the_message_whole_even_without_the_intent() -> None:
    async with (
        discord_server(install=Install(has_message_content=False)) as server,
        bot_on(server, say, intents=intents(content=False)) as bot,
    ):
        said = await server.says("ada", "the words", mention=False)
        used = await server.picks("bob", "Ask about this", said)

        assert bot.said()[0] == ""
        assert (bot.asked[0][0], used.original is not None) == ("the words", True)
        assert used.original is not None
        assert used.original.type == 23


async def test_a_button_works_in_a_message_that_another_process_sent() -> None:
    async with discord_server() as server, bot_on(server, say) as bot:

        async def do(interaction: discord.Interaction[Any]) -> None:
            await interaction.response.defer()

        bot.do = do
        async with client_on(server) as other:
            view = discord.ui.View().add_item(Stop("1f"))
            sent = await other.get_partial_messageable(int(server.channel("general"))).send("working", view=view)
        used = await server.presses("bob", server.button(str(sent.id), "Stop"))

        assert bot.asked == [("stop", "1f")]
        assert (used.answered_with, len(server.replies())) == (6, 1)


async def test_a_press_may_change_its_message_or_answer_below_it() -> None:
    async with discord_server() as server, bot_on(server, say) as bot:

        async def change(interaction: discord.Interaction[Any]) -> None:
            await interaction.response.edit_message(content="stopped", view=None)
            await interaction.followup.send("for you", ephemeral=True)

        view = (
            discord.ui.View()
            .add_item(Stop("1f"))
            .add_item(discord.ui.Button(label="off", custom_id="x", disabled=True))
        )
        channel = bot.get_partial_messageable(int(server.channel("general")))
        sent = await channel.send("working", view=view)
        stop, off = server.buttons(str(sent.id))
        with pytest.raises(LookupError, match="disabled"):
            await server.presses("bob", off)
        await server.presses("bob", stop)
        bot.do = change
        await server.presses("bob", stop)
        await server.whispered("bob")

        assert [(shown.text, shown.reply_to, shown.buttons) for shown in server.replies()] == [
            ("stopped", None, ()),
            ("done", str(sent.id), ()),
        ]
        with pytest.raises(LookupError, match="no longer"):
            await server.presses("bob", stop)


async def test_a_thread_that_was_closed_between_the_two_answers_takes_no_more() -> None:
    async with discord_server() as server, bot_on(server, say):
        thread = await server.opens_thread("ada", "talk", message=await server.says("ada", "hello"))
        used = await server.uses("ada", "ask", in_=thread, text="why?")
        await server.archives(thread)

        original = f"{hook(server, used)}/messages/@original"
        assert await raw(server, "PATCH", original, {"content": "x"}) == (400, 50083)
        with pytest.raises(LookupError, match="archived"):
            await server.uses("ada", "ask", in_=thread, text="why?")


async def test_answers_keep_to_the_same_limits_as_messages() -> None:
    async with discord_server() as server, bot_on(server, say) as bot:
        codes: list[tuple[int, int]] = []

        async def do(interaction: discord.Interaction[Any]) -> None:
            codes.append(await refused(interaction.response.send_message("x" * 2001)))
            await interaction.response.send_message("x" * 2000)

        bot.do = do
        used = await server.uses("ada", "ask", text="why?")
        assert (codes, len(used.text)) == ([(400, 50035)], 2000)


async def test_an_answer_pings_nobody_unless_it_may() -> None:
    async def do(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(thinking=True)
        nobody = discord.AllowedMentions.none()
        await interaction.edit_original_response(content=f"<@{interaction.user.id}>", allowed_mentions=nobody)
        await interaction.followup.send(f"<@{interaction.user.id}>")

    async with discord_server() as server, bot_on(server, do):
        await server.uses("ada", "ask", text="why?")
        (_, second) = await server.shown(whole=2)
        assert [(ping.whom, ping.message) for ping in server.pings_by_bot()] == [(server.person("ada"), second.id)]
