"""The loopback Discord's messages: what is posted, edited, read back and refused, with the real SDK."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord
import pytest

from tests.support.discord import DiscordServer, Kind, MessageType, Permission, Variants, discord_server
from tests.support.discord.sdk import Client, client_on, refused

P = Permission


@asynccontextmanager
async def asked(**options: Any) -> AsyncIterator[tuple[DiscordServer, discord.Message]]:
    """A client was just asked something in ``general``; this is how it got the question."""
    async with discord_server(**options) as server, client_on(server) as client:
        yield server, await ask(server, client)


async def ask(server: DiscordServer, client: Client) -> discord.Message:
    await server.says("ada", "hello")
    return await heard(server, client)


async def heard(server: DiscordServer, client: Client, count: int = 1) -> discord.Message:
    """The so-and-so-many-th message of somebody else that came."""

    def look() -> discord.Message | None:
        messages: list[discord.Message] = [args[0] for event, args in client.heard if event == "message"]
        of_others = [message for message in messages if message.author != client.user]
        return of_others[count - 1] if len(of_others) >= count else None

    return await server.until(look)


async def test_a_mention_is_answered_in_a_thread() -> None:
    async with discord_server() as server, client_on(server) as client:
        message = await ask(server, client)
        assert client.user in message.mentions
        thread = await message.create_thread(name="hello", auto_archive_duration=1440)
        await thread.send("hi *there*", nonce="turn:0")
        (shown,) = await server.shown(str(message.id))

        assert (shown.text, shown.author, shown.edits) == ("hi *there*", "Clew", 0)
        assert thread.id == message.id
        assert server.transcript()[0].thread == str(thread.id)
        names = [told.name for told in server.told]
        assert names[-5:] == [
            "MESSAGE_CREATE",  # the question
            "THREAD_CREATE",
            "MESSAGE_UPDATE",  # the question has a thread now
            "MESSAGE_CREATE",  # the thread begins: type 21
            "MESSAGE_CREATE",  # the answer
        ]
        assert [call.route for call in server.calls[-2:]] == [
            "POST /channels/{channel}/messages/{message}/threads",
            "POST /channels/{channel}/messages",
        ]


@pytest.mark.parametrize("order", ["before", "after"])
async def test_a_thread_is_told_of_before_or_after_the_answer_that_made_it(order: str) -> None:
    async with discord_server(variants=Variants(thread_event=order)) as server, client_on(server) as client:  # type: ignore[arg-type]
        message = await ask(server, client)
        await client.http.start_thread_with_message(
            message.channel.id, message.id, name="hello", auto_archive_duration=1440
        )
        assert ("thread_create" in client.names()) == (order == "before")
        await server.until(lambda: "thread_create" in client.names())


@pytest.mark.parametrize("echo", ["before", "after"])
async def test_an_own_message_is_told_before_or_after_the_answer_that_made_it(echo: str) -> None:
    async with discord_server(variants=Variants(echo=echo)) as server, client_on(server) as client:  # type: ignore[arg-type]
        message = await ask(server, client)
        await message.channel.send("hi")
        assert ("hi" in client.said()) == (echo == "before")
        await server.until(lambda: "hi" in client.said())


async def test_a_thread_nobody_tells_of_is_there_all_the_same() -> None:
    variants = Variants(thread_event="never", starter_message=False, thread_marks_message=False)
    async with discord_server(variants=variants) as server, client_on(server) as client:
        message = await ask(server, client)
        thread = await message.create_thread(name="hello")
        await thread.send("hi")
        await server.says("ada", "and?", channel=str(thread.id), mention=False)
        again = await heard(server, client, 2)

        assert "thread_create" not in client.names()
        assert [message.type for message in server.transcript(str(thread.id))] == [MessageType.DEFAULT] * 2
        assert (again.content, again.channel.id) == ("and?", thread.id)


# --- nonces ---------------------------------------------------------------------------------------------


async def test_the_same_nonce_posts_once() -> None:
    async with asked() as (server, message):
        first = await message.channel.send("one", nonce="turn:0")
        again = await message.channel.send("two", nonce="turn:0")
        other = await message.channel.send("three", nonce="turn:1")

        assert (again.id, again.content, again.nonce) == (first.id, "one", "turn:0")
        assert other.id != first.id
        assert [shown.text for shown in server.replies()] == ["one", "three"]


async def test_a_nonce_is_forgotten_after_some_minutes() -> None:
    async with asked() as (server, message):
        await message.channel.send("one", nonce="turn:0")
        server.clock.advance(301)
        await message.channel.send("two", nonce="turn:0")

        assert [shown.text for shown in server.replies()] == ["one", "two"]


@pytest.mark.parametrize(
    ("variants", "texts"),
    [(Variants(same_nonce="creates"), ["one", "two"]), (Variants(nonce_window=0), ["one", "two"])],
)
async def test_a_discord_that_knows_no_nonces_posts_twice(variants: Variants, texts: list[str]) -> None:
    async with asked(variants=variants) as (server, message):
        await message.channel.send("one", nonce="turn:0")
        await message.channel.send("two", nonce="turn:0")

        assert [shown.text for shown in server.replies()] == texts


async def test_the_nonce_of_a_deleted_message_is_not_found() -> None:
    async with asked() as (_, message):
        first = await message.channel.send("one", nonce="turn:0")
        await first.delete()

        assert await refused(message.channel.send("one", nonce="turn:0")) == (404, 10008)


async def test_another_discord_posts_anew_what_was_deleted() -> None:
    async with asked(variants=Variants(deleted_nonce="creates")) as (server, message):
        first = await message.channel.send("one", nonce="turn:0")
        await first.delete()
        await message.channel.send("one", nonce="turn:0")

        assert [shown.text for shown in server.replies()] == ["one"]


# --- what may be said -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"content": "x" * 2001}, (400, 50035)),
        ({"content": ""}, (400, 50006)),
        ({"content": " \n "}, (400, 50006)),
        ({"content": "x", "nonce": "n" * 26}, (400, 50035)),
        ({"content": "x", "embeds": [{"description": "d" * 4097}]}, (400, 50035)),
        ({"content": "x", "embeds": [{"description": "d" * 4000}] * 2}, (400, 50035)),
        ({"content": "x", "embeds": [{"title": "t"}] * 11}, (400, 50035)),
        ({"content": "x", "flags": 1 << 15, "components": [{"type": 10, "content": "y"}]}, (400, 50035)),
        ({"flags": 1 << 15, "components": [{"type": 10, "content": "y" * 4001}]}, (400, 50035)),
        ({"content": "x", "components": [{"type": 10, "content": "y"}]}, (400, 50035)),
        ({"content": "x", "message_reference": {"message_id": "1"}}, (400, 50035)),
        ({"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}, (400, 50035)),
        ({"content": "x", "components": [{"type": 1, "components": []}]}, (400, 50035)),
    ],
)
async def test_what_breaks_a_limit_is_refused(said: dict[str, Any], refusal: tuple[int, int]) -> None:
    async with discord_server() as server, client_on(server) as client:
        message = await ask(server, client)
        route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=message.channel.id)

        assert await refused(client.http.request(route, json=said)) == refusal
        assert server.replies() == []
        assert server.calls[-1].code == refusal[1]


async def test_what_just_keeps_to_the_limits_is_shown() -> None:
    async with asked() as (server, message):
        await message.channel.send("😀" * 2000, nonce="n" * 25)
        (shown,) = server.replies()

        assert len(shown.text) == 2000


async def test_blanks_around_a_text_are_cut_off() -> None:
    async with asked() as (server, message):
        await message.channel.send("\n  hello  \n")

        assert server.replies()[0].text == "hello"


async def test_an_edit_changes_what_it_names_and_counts() -> None:
    async with discord_server() as server, client_on(server) as client:
        message = await ask(server, client)
        view = discord.ui.View()
        view.add_item(discord.ui.Button(label="Stop", custom_id="stop"))
        sent = await message.channel.send("one", view=view)
        await sent.edit(content="two")
        await sent.edit(suppress=True)
        (shown,) = server.replies()

        assert (shown.text, shown.buttons, shown.edits, shown.has_previews_suppressed) == ("two", ("Stop",), 2, True)
        await server.until(lambda: "message_edit" in client.names() or "raw_message_edit" in dict(client.heard))
        view.stop()


async def test_messages_of_others_can_be_neither_edited_nor_deleted() -> None:
    async with asked() as (_, message):
        foreign = message.channel.get_partial_message(message.id)  # type: ignore[union-attr]

        assert await refused(foreign.edit(content="mine")) == (403, 50005)
        assert await refused(foreign.delete()) == (403, 50013)


async def test_what_is_gone_is_not_found() -> None:
    async with asked() as (server, message):
        sent = await message.channel.send("one")
        await server.deletes(str(sent.id))

        assert await refused(sent.edit(content="two")) == (404, 10008)
        await server.closes("general")
        assert await refused(message.channel.send("two")) == (404, 10003)


# --- history --------------------------------------------------------------------------------------------


async def test_a_channel_is_read_from_any_place_in_either_direction() -> None:
    async with discord_server() as server, client_on(server) as client:
        ids = [int(await server.says("ada", f"{number}", mention=False)) for number in range(8)]
        channel: Any = client.get_partial_messageable(int(server.channel("general")))

        async def read(**options: Any) -> list[str]:
            return [message.content async for message in channel.history(**options)]

        assert await read(limit=3) == ["7", "6", "5"]
        assert await read(after=discord.Object(ids[4]), limit=None) == ["5", "6", "7"]
        assert await read(after=discord.Object(ids[1]), limit=2) == ["2", "3"]
        assert await read(before=discord.Object(ids[2]), limit=None) == ["1", "0"]
        assert await read(around=discord.Object(ids[4]), limit=3) == ["5", "4", "3"]
        assert server.calls_of("GET /channels/{channel}/messages")[0].query["limit"] == "3"


async def test_a_long_channel_is_read_page_by_page() -> None:
    async with discord_server() as server, client_on(server) as client:
        ids = [await server.says("ada", f"{number}", mention=False) for number in range(230)]
        channel: Any = client.get_partial_messageable(int(server.channel("general")))
        read = [message.content async for message in channel.history(after=discord.Object(ids[4]), limit=None)]

        assert read == [f"{number}" for number in range(5, 230)]


async def test_the_last_message_is_known_to_whoever_connects_anew() -> None:
    async with discord_server() as server:
        await server.says("ada", "hello", mention=False)
        thread = await server.opens_thread("ada", "a thread")
        last = await server.says("ada", "in the thread", channel=thread, mention=False)
        async with client_on(server) as client:
            (guild,) = client.guilds
            assert guild.text_channels[0].last_message_id is not None
            assert [one.last_message_id for one in guild.threads] == [int(last)]


# --- threads and posts ----------------------------------------------------------------------------------


async def test_a_message_has_one_thread() -> None:
    async with asked() as (_, message):
        thread = await message.create_thread(name="hello")

        assert await refused(message.create_thread(name="again")) == (400, 160004)
        assert (await message.fetch_thread()).id == thread.id


@pytest.mark.parametrize(
    ("channel", "refusal"),
    [("voice", (400, 50024)), ("stage", (400, 50024)), ("thread", (400, 50024)), ("direct", (400, 50024))],
)
async def test_elsewhere_a_message_has_none(channel: str, refusal: tuple[int, int]) -> None:
    async with discord_server() as server, client_on(server) as client:
        places = {
            "voice": server.channel("voice", kind=Kind.VOICE),
            "stage": server.channel("stage", kind=Kind.STAGE),
            "thread": await server.opens_thread("ada", "a thread"),
            "direct": server.direct("ada"),
        }
        said = await server.says("ada", "here", channel=places[channel])
        opened = client.http.start_thread_with_message(
            int(places[channel]), int(said), name="x", auto_archive_duration=60
        )

        assert await refused(opened) == refusal


@pytest.mark.parametrize("body", [{"name": ""}, {"name": "n" * 101}, {"name": "n", "auto_archive_duration": 61}])
async def test_a_threads_name_and_duration_have_limits(body: dict[str, Any]) -> None:
    async with discord_server() as server, client_on(server) as client:
        message = await ask(server, client)
        route = discord.http.Route(
            "POST",
            "/channels/{channel_id}/messages/{message_id}/threads",
            channel_id=message.channel.id,
            message_id=message.id,
        )

        assert await refused(client.http.request(route, json=body)) == (400, 50035)


async def test_too_many_threads_are_refused() -> None:
    async with asked() as (server, message):
        server.cap_threads(0)

        assert await refused(message.create_thread(name="hello")) == (400, 160006)


async def test_in_an_announcement_channel_it_is_an_announcement_thread() -> None:
    async with discord_server() as server, client_on(server) as client:
        server.channel("news", kind=Kind.ANNOUNCEMENT)
        await server.says("ada", "hello", channel="news")
        message = await heard(server, client)
        thread = await message.create_thread(name="hello")

        assert thread.type == discord.ChannelType.news_thread


async def test_a_post_begins_with_a_message_of_its_id() -> None:
    async with discord_server() as server, client_on(server) as client:
        server.channel("help", kind=Kind.FORUM)
        post = await server.opens_post("ada", "How?", "Tell me", channel="help")
        message = await heard(server, client)
        await message.channel.send("Like this.")
        (shown,) = await server.shown(post)

        assert (message.id, message.channel.id) == (int(post), int(post))
        assert isinstance(message.channel, discord.Thread)
        assert shown.text == "Like this."
        assert await refused(message.create_thread(name="x")) == (400, 50024)


async def test_the_bot_opens_posts_and_threads_without_a_message() -> None:
    async with discord_server() as server, client_on(server) as client:
        forum = await client.fetch_channel(int(server.channel("help", kind=Kind.FORUM)))
        general = await client.fetch_channel(int(server.channel("general")))
        assert isinstance(forum, discord.ForumChannel)
        assert isinstance(general, discord.TextChannel)
        post = await forum.create_thread(name="News", content="first")
        thread = await general.create_thread(name="A thread", type=discord.ChannelType.public_thread)

        assert post.message.id == post.thread.id
        assert [one.text for one in server.transcript(str(post.thread.id))] == ["first"]
        assert server.transcript()[-1].type == MessageType.THREAD_CREATED
        assert [one.name for one in server.threads("general")] == [thread.name]


async def test_a_post_to_an_archived_thread_opens_it_and_an_edit_there_fails() -> None:
    async with asked() as (server, message):
        thread = await message.create_thread(name="hello")
        sent = await thread.send("one")
        await server.archives(str(thread.id))

        assert await refused(sent.edit(content="two")) == (400, 50083)
        await thread.send("three")
        await sent.edit(content="two")
        assert [shown.text for shown in server.replies(str(thread.id))] == ["two", "three"]


async def test_another_discord_refuses_a_post_to_an_archived_thread() -> None:
    async with asked(variants=Variants(archived_send="50083", locked_post="50083")) as (server, message):
        thread = await message.create_thread(name="hello")
        await server.archives(str(thread.id))
        assert await refused(thread.send("hello?")) == (400, 50083)
        await server.locks(str(thread.id))
        assert await refused(thread.send("hello?")) == (400, 50083)


async def test_a_thread_can_be_taken_out_of_the_archive() -> None:
    async with asked() as (server, message):
        thread = await message.create_thread(name="hello")
        await server.archives(str(thread.id))

        assert await refused(thread.edit(name="other")) == (400, 50083)
        assert not (await thread.edit(archived=False)).archived


@pytest.mark.parametrize("archived", [True, False])
async def test_nothing_is_posted_to_a_locked_thread(archived: bool) -> None:
    async with asked() as (server, message):
        thread = await message.create_thread(name="hello")
        await server.locks(str(thread.id), archived=archived)

        assert await refused(thread.send("hello?")) == (403, 160005)
        assert await refused(thread.edit(archived=False)) == (403, 50013)


async def test_a_private_thread_is_seen_after_being_added() -> None:
    async with discord_server() as server, client_on(server) as client:
        thread = await server.opens_thread("ada", "secret", private=True)
        await server.says("ada", "unheard", channel=thread, mention=False)
        assert await refused(client.fetch_channel(int(thread))) == (403, 50001)
        await server.adds_to_thread(thread)
        await server.says("ada", "heard", channel=thread, mention=False)

        assert (await heard(server, client)).content == "heard"


# --- permissions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("denied", "refusal"),
    [
        (P.VIEW_CHANNEL, (403, 50001)),
        (P.SEND_MESSAGES, (403, 50013)),
        (P.READ_MESSAGE_HISTORY, (403, 160002)),
        (P.SEND_MESSAGES_IN_THREADS, None),
    ],
)
async def test_what_the_bot_may_not_do_is_refused(denied: Permission, refusal: tuple[int, int] | None) -> None:
    async with asked() as (server, message):
        server.deny(denied, channel="general")

        if refusal is None:
            await message.reply("hi")
        else:
            assert await refused(message.reply("hi")) == refusal


async def test_in_threads_another_permission_decides() -> None:
    async with discord_server() as server, client_on(server) as client:
        message = await ask(server, client)
        thread = await message.create_thread(name="hello")
        server.deny(P.SEND_MESSAGES, channel="general")
        await thread.send("hi")
        server.deny(P.SEND_MESSAGES_IN_THREADS, channel="general")

        assert await refused(thread.send("hi")) == (403, 50013)
        server.deny(P.CREATE_PUBLIC_THREADS, channel="general")
        await server.says("ada", "again")
        assert await refused((await heard(server, client, 2)).create_thread(name="x")) == (403, 50013)


async def test_who_cannot_be_written_to_is_refused() -> None:
    async with discord_server() as server, client_on(server) as client:
        ada = await client.fetch_user(int(server.person("ada", takes_dms=False)))

        assert await refused(ada.send("hi")) == (403, 50007)


async def test_a_revoked_token_is_refused_everywhere() -> None:
    async with asked() as (server, message):
        server.revoke()

        assert await refused(message.channel.send("hi")) == (401, 0)


async def test_a_route_nobody_built_does_not_pass_for_an_outage() -> None:
    with pytest.raises(NotImplementedError, match="GET /guilds/1/vanity-url"):
        async with discord_server() as server, client_on(server) as client:
            with pytest.raises(discord.HTTPException):
                await client.http.request(discord.http.Route("GET", "/guilds/1/vanity-url"))
