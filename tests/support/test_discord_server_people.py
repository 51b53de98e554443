"""What people do in the loopback Discord and what they see, as the real SDK hears of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord
import pytest

from tests.support.discord import DiscordServer, Install, Kind, MessageType, Ping, Variants, discord_server
from tests.support.discord.sdk import Client, client_on, refused


@asynccontextmanager
async def server_and_client(**options: object) -> AsyncIterator[tuple[DiscordServer, Client]]:
    async with discord_server(**options) as server, client_on(server) as client:  # type: ignore[arg-type]
        yield server, client


async def heard(server: DiscordServer, client: Client, id_: str) -> discord.Message:
    """How the client got a message."""

    def look() -> discord.Message | None:
        messages: list[discord.Message] = [args[0] for event, args in client.heard if event == "message"]
        return next((message for message in messages if message.id == int(id_)), None)

    return await server.until(look)


# --- how people address the bot ---------------------------------------------------------------------------


async def test_the_bots_own_role_can_be_mentioned_instead_of_the_bot() -> None:
    async with server_and_client() as (server, client):
        message = await heard(server, client, await server.says("ada", "hello", mention_as="role"))

        assert message.mentions == []
        assert message.guild is not None
        assert message.guild.self_role is not None
        assert message.raw_role_mentions == [message.guild.self_role.id]


async def test_everyone_is_not_the_bot() -> None:
    async with server_and_client() as (server, client):
        message = await heard(server, client, await server.says("ada", "hello", mention_as="everyone"))

        assert message.mention_everyone
        assert message.mentions == []


@pytest.mark.parametrize("ping", [True, False])
async def test_a_reply_mentions_whom_it_is_to_if_its_switch_is_on(ping: bool) -> None:
    async with server_and_client() as (server, client):
        channel = client.get_partial_messageable(int(server.channel("general")))
        answer = await channel.send("an answer")
        said = await server.says("ada", "and then?", reply_to=str(answer.id), ping=ping, mention=False)
        message = await heard(server, client, said)

        assert message.type == discord.MessageType.reply
        assert (client.user in message.mentions) == ping
        assert message.raw_mentions == []
        assert message.reference is not None
        assert isinstance(message.reference.resolved, discord.Message)
        assert message.reference.resolved.content == "an answer"


async def test_a_reply_to_what_is_gone_says_so() -> None:
    async with server_and_client() as (server, client):
        first = await server.says("ada", "one")
        said = await server.says("bob", "two", reply_to=first)
        await heard(server, client, said)
        await server.deletes(first)
        again = await client.get_partial_messageable(int(server.channel("general"))).fetch_message(int(said))

        assert again.reference is not None
        assert isinstance(again.reference.resolved, discord.DeletedReferencedMessage)


@pytest.mark.parametrize("counts", [True, False])
async def test_a_mention_inside_code_counts_or_does_not(counts: bool) -> None:
    async with server_and_client(variants=Variants(mentions_in_code=counts)) as (server, client):
        said = await server.says("ada", f"`<@{server.bot_user_id}>`", mention=False)

        assert (client.user in (await heard(server, client, said)).mentions) == counts


async def test_an_edit_may_add_the_forgotten_mention() -> None:
    async with server_and_client() as (server, client):
        said = await server.says("ada", "hello", mention=False)
        await server.edits(said, f"hello <@{server.bot_user_id}>")
        update = await server.until(lambda: dict(client.heard).get("raw_message_edit"))

        assert update[0].message.edited_at is not None
        assert client.user in update[0].message.mentions


async def test_previews_appear_without_anybody_editing() -> None:
    async with server_and_client() as (server, client):
        said = await server.says("ada", "look: https://example.org/", mention=False)
        await server.embeds_appear(said)
        update = await server.until(lambda: dict(client.heard).get("raw_message_edit"))

        assert update[0].message.edited_at is None
        assert update[0].message.embeds[0].url == "https://example.org/"
        assert server.transcript()[0].previews == ("Example",)


# --- what messages are made of ----------------------------------------------------------------------------


async def test_a_forward_carries_what_was_said_elsewhere() -> None:
    async with server_and_client() as (server, client):
        server.channel("random")
        file = server.uploads("notes.txt", b"by heart")
        first = await server.says("bob", "read this", channel="random", files=[file], mention=False)
        message = await heard(server, client, await server.says("ada", forward=first))

        assert (message.content, message.flags.forwarded) == ("", True)
        (snapshot,) = message.message_snapshots
        assert snapshot.content == "read this"
        assert [attachment.filename for attachment in snapshot.attachments] == ["notes.txt"]


async def test_stickers_polls_and_voice_messages_are_told() -> None:
    async with server_and_client() as (server, client):
        sticker = await heard(server, client, await server.says("ada", stickers=["Wave"], mention=False))
        poll = {"question": "Where?", "answers": ["Here", "There"]}
        asked = await heard(server, client, await server.says("ada", poll=poll, mention=False))
        clip = server.uploads("voice-message.ogg", b"OggS", voice_seconds=1.5)
        spoken = await heard(server, client, await server.says("ada", files=[clip], voice=True))

        assert [sticker.name for sticker in sticker.stickers] == ["Wave"]
        assert asked.poll is not None
        assert (asked.poll.question, [answer.text for answer in asked.poll.answers]) == ("Where?", ["Here", "There"])
        assert spoken.flags.voice
        assert spoken.content == ""
        assert spoken.attachments[0].is_voice_message()


async def test_bots_and_webhooks_are_told_from_people() -> None:
    async with server_and_client() as (server, client):
        bot = await heard(server, client, await server.says("robbie", "beep", bot=True))
        hook = await heard(server, client, await server.says("relay", "news", webhook=True))

        assert (bot.author.bot, bot.webhook_id) == (True, None)
        assert (hook.author.bot, hook.webhook_id) == (True, hook.author.id)


async def test_notices_of_discord_itself_are_no_text_of_people() -> None:
    async with server_and_client() as (server, client):
        said = await server.says("ada", "hello")
        pin = await heard(server, client, await server.pins("ada", said))
        result = await heard(server, client, await server.says("ada", "", notice=MessageType.POLL_RESULT))

        assert (pin.type, result.type.value) == (discord.MessageType.pins_add, 46)


async def test_a_direct_message_needs_no_mention_and_has_no_guild() -> None:
    async with server_and_client() as (server, client):
        message = await heard(server, client, await server.says("ada", "hello", channel=server.direct("ada")))
        await message.channel.send("hi")

        assert message.guild is None
        assert isinstance(message.channel, discord.DMChannel)
        assert [shown.text for shown in server.transcript(server.direct("ada"))] == ["hello", "hi"]


async def test_a_direct_line_can_be_opened_by_the_bot() -> None:
    async with server_and_client() as (server, client):
        ada = await client.fetch_user(int(server.person("ada")))
        await ada.send("hello")

        assert [shown.text for shown in server.replies(server.direct("ada"))] == ["hello"]


async def test_people_talk_in_every_kind_of_channel() -> None:
    kinds = [Kind.TEXT, Kind.ANNOUNCEMENT, Kind.VOICE, Kind.STAGE]
    async with discord_server() as server:
        for kind in kinds:
            server.channel(kind.name.lower(), kind=kind)
        for kind in (Kind.FORUM, Kind.MEDIA):
            server.channel(kind.name.lower(), kind=kind, tags=("question",))
        async with client_on(server) as client:
            for kind in kinds:
                said = await server.says("ada", kind.name, channel=kind.name.lower())
                message = await heard(server, client, said)
                assert message.channel.type is not None
                assert message.channel.type.value == kind
            for kind in (Kind.FORUM, Kind.MEDIA):
                post = await server.opens_post("ada", "A post", kind.name, channel=kind.name.lower())
                message = await heard(server, client, post)
                assert isinstance(message.channel, discord.Thread)
                assert message.channel.parent is not None
                assert message.channel.parent.type.value in {Kind.FORUM, Kind.MEDIA}


# --- what people see of the bot ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (None, {"everyone", "role", "user", "reply"}),
        (discord.AllowedMentions.none(), set()),
        (discord.AllowedMentions(users=True), {"everyone", "role", "user", "reply"}),  # [0.5] the rest stays allowed
        (discord.AllowedMentions(everyone=False, roles=False, users=True, replied_user=False), {"user"}),
        (discord.AllowedMentions(everyone=False, roles=False, users=False, replied_user=True), {"reply"}),
    ],
)
async def test_who_is_pinged_follows_from_the_text_and_what_it_may(
    allowed: discord.AllowedMentions | None, expected: set[str]
) -> None:
    async with server_and_client() as (server, client):
        role, bob = server.role("crew", mentionable=True), server.person("bob")
        message = await heard(server, client, await server.says("ada", "hello"))
        text = f"@everyone <@&{role}> <@{bob}> and in code: `<@{server.person('cleo')}>`"
        sent = await (message.reply(text) if allowed is None else message.reply(text, allowed_mentions=allowed))

        assert {ping.kind for ping in server.pings_by_bot()} == expected
        if "user" in expected:
            assert Ping(str(message.channel.id), str(sent.id), "user", bob, server.bot_user_id) in server.pings


async def test_an_edit_pings_nobody() -> None:
    async with server_and_client() as (server, client):
        message = await heard(server, client, await server.says("ada", "hello"))
        sent = await message.channel.send("wait")
        await sent.edit(content="@everyone")

        assert server.pings_by_bot() == []


async def test_a_silent_message_pings_without_a_sound() -> None:
    async with server_and_client() as (server, client):
        message = await heard(server, client, await server.says("ada", "hello"))
        await message.reply("hi", silent=True)

        assert [ping.is_silent for ping in server.pings_by_bot()] == [True]
        assert server.replies()[0].is_silent


async def test_links_show_previews_unless_they_are_suppressed() -> None:
    async with server_and_client() as (server, client):
        message = await heard(server, client, await server.says("ada", "hello"))
        await message.channel.send("https://a.example <https://b.example> `https://c.example`")
        await message.channel.send("https://d.example", suppress_embeds=True)

        assert [preview.url for preview in server.previews] == ["https://a.example"]


async def test_typing_is_seen_for_ten_seconds_or_until_something_is_said() -> None:
    async with server_and_client() as (server, client):
        message = await heard(server, client, await server.says("ada", "hello"))
        assert server.typing() is None
        await message.channel.typing()
        assert server.typing() is not None
        server.clock.advance(10)
        assert server.typing() is None
        await message.channel.typing()
        await message.channel.send("hi")
        assert server.typing() is None


async def test_a_member_who_is_timed_out_only_reads() -> None:
    async with server_and_client() as (server, client):
        message = await heard(server, client, await server.says("ada", "hello"))
        server.time_out(60)

        assert await refused(message.channel.send("hi")) == (403, 50013)
        server.clock.advance(61)
        await message.channel.send("hi")


async def test_who_waits_for_what_never_comes_is_told_what_there_was() -> None:
    async with server_and_client() as (server, client):
        message = await heard(server, client, await server.says("ada", "hello"))
        await message.channel.send("hi")

        with pytest.raises(TimeoutError, match=r"\['hi'\]"):
            await server.shown(whole=2, within=0.01)


async def test_content_is_hidden_over_rest_too_while_the_switch_in_the_portal_is_off() -> None:
    wanted = discord.Intents(guilds=True, guild_messages=True)
    install = Install(has_message_content=False)
    async with discord_server(install=install) as server, client_on(server, intents=wanted) as client:
        said = await server.says("ada", "for all", mention=False)
        channel = client.get_partial_messageable(int(server.channel("general")))

        assert (await channel.fetch_message(int(said))).content == ""


# --- many -------------------------------------------------------------------------------------------------


async def test_hundreds_of_threads_are_served() -> None:
    async with server_and_client() as (server, client):

        async def answer(number: int) -> None:
            message = await heard(server, client, asked[number])
            thread = await message.create_thread(name=f"{number}")
            await thread.send(f"answer {number}", nonce=f"{number}")

        asked = [await server.says("ada", f"question {number}") for number in range(200)]
        async with asyncio.TaskGroup() as group:
            for number in range(200):
                group.create_task(answer(number))

        for number, question in enumerate(asked):
            assert [shown.text for shown in server.replies(question)] == [f"answer {number}"]
