"""What a reply in Discord takes for its own when it does not know whether its post came through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.answers import Notice
from bot.messages import Message, MessageId, Person, PersonId, Thread, Turn
from bot.ports import Store
from storage.sqlite import open_store
from tests.adapters.discord.replying import SPEED, Desk, at_desk
from tests.support.discord import Clock, DiscordServer, DropBefore, Hang, discord_server

POST = "POST /channels/{channel}/messages"
AWAY, TOO_LONG = "Gemini is away just now.", "That took too long."


@asynccontextmanager
async def discord_and_store() -> AsyncIterator[tuple[DiscordServer, Store]]:
    """What outlives a process."""
    clock = Clock(speed=SPEED)
    async with (
        open_store("sqlite:///:memory:", now=clock.now) as store,
        discord_server(clock=clock) as discord,
    ):
        yield discord, store


async def asked_again(place: Desk, thread: Thread) -> None:
    """The next question of a conversation is stored; it waits for its turn."""
    question = await place.discord.says("ada", "and now?", channel=thread.channel_id)
    author = Person(PersonId(place.discord.person("ada")))
    await place.store.add(Message(thread, MessageId(question), author, "and now?", place.discord.clock.now()))


async def ended_with(place: Desk, turn: Turn, notice: str) -> None:
    async with place.answering(turn) as grown:
        await grown.ends(Notice(notice))


async def forgotten(store: Store, thread: Thread) -> None:
    """Everything of the earlier turns is erased."""
    assert await store.forgetting.forget(thread, MessageId("1"))
    one = await store.forgetting.forgotten(thread)
    assert one is not None
    assert await store.forgetting.erase(one, report="")


async def claimed(store: Store, thread: Thread) -> Turn:
    claim = await store.claim(thread)
    assert claim is not None
    return claim.turn


async def test_a_turn_that_is_forgotten_keeps_its_message_whatever_the_next_one_is_in_doubt_of() -> None:
    async with discord_and_store() as (discord, store):
        line = discord.direct("ada")
        async with at_desk(discord, store) as first:
            old = await first.asked(channel=line)
            await asked_again(first, old.thread)  # so that what ends the first turn stands after the second question
            await ended_with(first, old, AWAY)
            await store.failed(old, notice=AWAY, tell=False)
            await forgotten(store, old.thread)
            new = await claimed(store, old.thread)
            discord.faults.arm(POST, DropBefore(), times=None)
            async with first.answering(new) as grown:
                grown.says("A clew")
                await discord.received(POST, 2)
                grown.reply.abandon()
            discord.faults.disarm()
        async with at_desk(discord, store) as second:
            await ended_with(second, await second.again(new), TOO_LONG)

        assert [one.text for one in discord.replies(line)] == [AWAY, TOO_LONG]


async def test_a_notice_that_was_not_written_down_is_found_minutes_later_and_stands_once() -> None:
    said = f"{AWAY} <:clew:1234>"
    async with discord_and_store() as (discord, store):
        line = discord.direct("ada")
        async with at_desk(discord, store) as first:
            turn = await first.asked(channel=line)
            discord.faults.arm(POST, Hang(acts=True))
            async with first.answering(turn) as grown:
                ending = asyncio.create_task(grown.ends(Notice(said)))
                (post,) = await discord.until(lambda: discord.replies(line))
                ending.cancel()
        await discord.edits(post.id, post.text.replace("<:clew:1234>", ":clew:"))  # as an emoji of elsewhere becomes
        discord.clock.advance(400)  # and the nonce is forgotten
        async with at_desk(discord, store) as second:
            await ended_with(second, await second.again(turn), said)

        assert [one.id for one in discord.replies(line)] == [post.id]
        assert len(discord.calls_of(POST)) == 1
