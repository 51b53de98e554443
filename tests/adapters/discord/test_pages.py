"""Conversations read back from a Discord on loopback, through the real discord.py."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
import pytest

from adapters.discord.calls import Calls
from adapters.discord.events import Edited, Posted, read_deleted, read_edited, read_post, read_posted
from adapters.discord.files import Downloads
from adapters.discord.history import history, read
from adapters.discord.pages import Pages
from adapters.discord.people import Me
from adapters.discord.places import Kind, Where, thread_of
from bot.errors import AttachmentUnreadable, MessageGone, ThreadClosed, Unreadable
from bot.messages import Address, Message, MessageId, Said
from bot.metrics import Metrics
from tests.support.discord import DiscordServer, discord_server
from tests.support.discord import Kind as ChannelKind
from tests.support.discord.sdk import Client, client_on

LAST = MessageId("9999999999999999999")


@dataclass(frozen=True, slots=True)
class Desk:
    """A bot that listens to a Discord and can read back in it."""

    server: DiscordServer
    client: Client
    reader: Pages
    me: Me

    @property
    def general(self) -> Where:
        return Where(Kind.CHANNEL, self.server.channel("general"), self.server.guild())

    def inside(self, thread: str, parent: str | None = None) -> Where:
        return Where(Kind.THREAD, thread, self.server.guild(), parent or self.general.channel_id)

    async def heard(self, kind: str, message: str) -> dict[str, Any]:
        """What the gateway tells of a message, as it stands on the wire."""

        def frames() -> list[dict[str, Any]]:
            told = [json.loads(args[0]) for event, args in self.client.heard if event == "socket_raw_receive"]
            return [frame["d"] for frame in told if frame.get("t") == kind and message in json.dumps(frame["d"])]

        await self.server.until(lambda: bool(frames()))
        return frames()[-1]

    async def asks(self, text: str, **more: Any) -> Message:
        """Somebody says something in the channel, and it is read as it is heard."""
        message = await self.server.says("ada", text, **more)
        event = read_posted(await self.heard("MESSAGE_CREATE", message), self.me, self.general)
        assert isinstance(event, Posted)
        return event.message

    async def answers(self, channel: str, text: str, reply_to: str | None = None) -> MessageId:
        reference = self.client.get_partial_messageable(int(channel))
        answered = reference.get_partial_message(int(reply_to)) if reply_to else None
        sent = await (reference.send(text) if answered is None else answered.reply(text))
        return MessageId(str(sent.id))

    async def past(self, message: Message, *, before: MessageId = LAST, since: float | None = None) -> list[Said]:
        return await history(self.reader, self.me, message.thread, before=before, since=since)


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    async with discord_server() as server, client_on(server, enable_debug_events=True, max_messages=None) as client:
        calls = Calls(client.http, metrics=Metrics())
        role = client.guilds[0].self_role
        assert role is not None
        yield Desk(server, client, Pages(calls), Me(server.bot_user_id, frozenset({str(role.id)})))


def spoken(said: Sequence[Said]) -> list[tuple[str | None, str]]:
    """Who said what; None is the bot."""
    return [(one.author.name if one.author else None, one.text) for one in said]


# --- one message, told in several ways ----------------------------------------------------------


@pytest.mark.parametrize("mention_as", ["user", "role"])
async def test_a_message_is_the_same_when_it_is_heard_and_when_it_is_read_back(
    mention_as: Literal["user", "role"],
) -> None:
    async with desk() as at:
        file = at.server.uploads("plan.pdf", b"%PDF-1.7")
        heard = await at.asks("what is a clew?", mention_as=mention_as, files=[file])

        assert heard.address is Address.MENTION
        assert (heard.text, heard.is_root) == ("what is a clew?", True)
        assert read_post(await at.reader.one(at.general.channel_id, heard.id), at.me, at.general) == heard
        (page,) = await at.reader.page(at.general.channel_id, before=LAST)
        assert read_post(page, at.me, at.general) == heard
        assert await read(at.reader, at.me, heard) == heard


async def test_an_edit_is_told_and_a_preview_is_none() -> None:
    async with desk() as at:
        asked = await at.asks("see https://example.org/")
        await at.server.embeds_appear(asked.id)
        preview = await at.heard("MESSAGE_UPDATE", asked.id)
        await at.server.edits(asked.id, f"<@{at.me.user_id}> never mind")
        await at.server.until(lambda: len([1 for event, _ in at.client.heard if event == "raw_message_edit"]) == 2)
        edit = read_edited(await at.heard("MESSAGE_UPDATE", "never mind"), at.me, at.general)

        assert read_edited(preview, at.me, at.general) is None
        assert isinstance(edit, Edited)
        assert (edit.message.text or "").startswith("never mind")


async def test_a_deletion_is_told_in_the_thread_that_the_message_would_have_had() -> None:
    async with desk() as at:
        asked = await at.asks("what is a clew?")
        await at.server.deletes(asked.id)

        (gone,) = read_deleted(await at.heard("MESSAGE_DELETE", asked.id), at.general)

        assert (gone.thread, gone.message_id) == (asked.thread, asked.id)
        with pytest.raises(MessageGone):
            await read(at.reader, at.me, asked)


async def test_a_forwarded_message_and_a_reply_bring_what_they_are_about() -> None:
    async with desk() as at:
        bens = await at.server.says("ben", "It leads out.", mention=False)
        forward = await at.server.says("ada", forward=bens, channel=at.server.direct("ada"))
        reply = await at.server.says("ada", "is he right?", reply_to=bens)

        in_direct = Where(Kind.DIRECT, at.server.direct("ada"))
        forwarded = read_posted(await at.heard("MESSAGE_CREATE", forward), at.me, in_direct)
        replied = read_posted(await at.heard("MESSAGE_CREATE", reply), at.me, at.general)

        assert isinstance(forwarded, Posted)
        assert isinstance(replied, Posted)
        assert forwarded.message.text == "Forwarded:\n> It leads out."
        assert replied.message.text == "is he right?\n\nIn reply to Ben:\n> It leads out."


# --- a conversation -----------------------------------------------------------------------------


async def test_a_thread_is_told_from_the_message_it_was_opened_from() -> None:
    async with desk() as at:
        asked = await at.asks("Which one?")
        thread = await at.server.opens_thread("ben", "Which one?", message=asked.id)
        await at.answers(thread, "This one.")
        last = await at.server.says("ben", "Really?", channel=thread, mention=False)

        assert spoken(await at.past(asked)) == [("Ada", "Which one?"), (None, "This one."), ("Ben", "Really?")]
        assert spoken(await at.past(asked, before=MessageId(last))) == [("Ada", "Which one?"), (None, "This one.")]


async def test_a_post_in_a_forum_is_told_whole_and_so_is_a_thread_that_hangs_from_no_message() -> None:
    async with desk() as at:
        forum = at.server.channel("ideas", kind=ChannelKind.FORUM)
        post = await at.server.opens_post("ada", "A maze", "Is this right?", channel=forum)
        alone = await at.server.opens_thread("ada", "Alone")
        for place in (post, alone):
            await at.server.says("ben", "I think so.", channel=place, mention=False)

        in_post = thread_of(at.inside(post, forum), post)
        in_thread = thread_of(at.inside(alone), alone)

        past = await history(at.reader, at.me, in_post, before=LAST, since=None)
        assert spoken(past) == [("Ada", "Is this right?"), ("Ben", "I think so.")]
        past = await history(at.reader, at.me, in_thread, before=LAST, since=None)
        assert spoken(past) == [("Ben", "I think so.")]


async def test_without_a_thread_the_replies_in_the_channel_are_the_conversation() -> None:
    async with desk() as at:
        asked = await at.asks("Which one?")
        answer = await at.answers(at.general.channel_id, "This one.", reply_to=asked.id)
        await at.server.says("ben", "lunch?", mention=False)
        await at.server.says("ada", "Why?", reply_to=answer, mention=False)

        assert spoken(await at.past(asked)) == [("Ada", "Which one?"), (None, "This one."), ("Ada", "Why?")]


async def test_a_channel_that_is_gone_is_closed() -> None:
    async with desk() as at:
        asked = await at.asks("Which one?")
        await at.server.closes("general")

        with pytest.raises(ThreadClosed):
            await at.past(asked)
        with pytest.raises(ThreadClosed):
            await read(at.reader, at.me, asked)


# --- files --------------------------------------------------------------------------------------


async def test_a_file_is_fetched_though_the_address_it_came_with_has_expired_long_ago() -> None:
    async with desk() as at, aiohttp.ClientSession() as session:
        file = at.server.uploads("plan.pdf", b"%PDF-1.7")
        asked = await at.asks("what does it say?", files=[file])
        at.server.clock.advance(7 * 86_400)

        get = Downloads(at.reader.one, session, ["127.0.0.1"])
        data = b"".join([piece async for piece in get.download(asked, asked.attachments[0])])

        assert data == b"%PDF-1.7"


async def test_a_file_whose_message_was_deleted_is_gone() -> None:
    async with desk() as at, aiohttp.ClientSession() as session:
        file = at.server.uploads("plan.pdf", b"%PDF-1.7")
        asked = await at.asks("what does it say?", files=[file])
        await at.server.deletes(asked.id)

        with pytest.raises(AttachmentUnreadable) as caught:
            await anext(Downloads(at.reader.one, session, ["127.0.0.1"]).download(asked, asked.attachments[0]))

        assert caught.value.reason is Unreadable.GONE
