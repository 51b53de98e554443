"""Questions that were overtaken by what was said after them: missed in a gap, or told late."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bot.errors import ContextLost
from tests.adapters.discord.answering import is_whole
from tests.adapters.discord.arriving import asked, caught_up, conversation, ended, is_confirmed, small_print
from tests.adapters.discord.looking import READ
from tests.support.core import PATIENT
from tests.support.discord import Broken, Clock, DiscordServer, Kind, Permission, Slow, discord_server
from tests.support.discord_clew import BRISK, DiscordClew, clew_on
from tests.support.scripted import answer

UNHURRIED = replace(BRISK, late=0.2)  # what is said as soon as Discord hears comes before the server is known


@pytest.fixture
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database that outlives a process."""
    return f"sqlite:///{tmp_path_factory.mktemp('clew') / 'clew.db'}"


@asynccontextmanager
async def back(
    discord: DiscordServer, live: Callable[[], Awaitable[object]], **options: Any
) -> AsyncIterator[DiscordClew]:
    """Clew, started again; something is said as soon as it can be heard, before it knows its servers."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_said_live(discord, live))
        async with clew_on(discord, rhythm=UNHURRIED, **options) as clew:
            yield clew


async def _said_live(discord: DiscordServer, live: Callable[[], Awaitable[object]]) -> None:
    """Say something as soon as the next session has begun."""
    sessions = len(discord.sessions)
    await discord.until(
        lambda: any(name == "GUILD_CREATE" for one in discord.sessions[sessions:] for _, name in one.sent)
    )
    await live()


@pytest.mark.parametrize(
    ("place", "first", "second"),
    [
        ("a thread", "ada", "ben"),
        ("a thread", "ada", "ada"),
        ("a post", "ben", "ada"),
        ("a direct message", "ada", "ada"),
        ("a voice channel", "ben", "ada"),
        ("replies in a channel", "ada", "ben"),
    ],
)
async def test_a_question_said_after_a_start_waits_for_the_one_that_was_missed_before_it(
    url: str, place: str, first: str, second: str
) -> None:
    async with discord_server() as discord:
        match place:
            case "a post":
                discord.channel("help", kind=Kind.FORUM)
            case "a direct message":
                channel = discord.direct("ada")
            case "a voice channel":
                channel = discord.channel("talk", kind=Kind.VOICE)
            case "replies in a channel":
                channel = discord.channel("general")
                discord.deny(Permission.CREATE_PUBLIC_THREADS, channel="general")
        async with clew_on(discord, url=url, now=discord.clock.now):
            if place == "a post":
                channel = await discord.opens_post("ada", "A clew", "hello", channel="help")
            else:
                question = await discord.says("ada", "hello", channel="general" if place == "a thread" else channel)
                channel = question if place == "a thread" else channel
            (shown,) = await discord.shown(channel, is_whole)
            discord.clock.advance(3600)
            await discord.says("ada", "later", channel=channel)
            await discord.shown(channel, ended(2))
        reply_to = shown.id if place == "replies in a channel" else None

        async def live() -> None:
            await discord.says(second, "live", channel=channel, reply_to=reply_to)

        await discord.says(first, "missed", channel=channel, reply_to=reply_to)
        discord.faults.arm(READ, Slow(0.2), times=None, when=lambda call: channel in call.path)
        async with back(discord, live, url=url, now=discord.clock.now) as clew:
            await discord.shown(channel, lambda seen: "live" in asked(clew) and is_whole(seen))

        assert asked(clew) == ["missed", "live"]


async def test_a_question_said_after_a_new_session_waits_for_the_one_that_was_missed_before_it() -> None:
    async with discord_server(clock=Clock(speed=20)) as discord, clew_on(discord, sleep=discord.clock.sleep) as clew:
        thread = await conversation(discord)
        discord.mute_events()
        await discord.says("ada", "missed", channel=thread)
        discord.mute_events(False)
        async with asyncio.TaskGroup() as group:
            group.create_task(_said_live(discord, lambda: discord.says("ben", "live", channel=thread)))
            await discord.sockets[0].invalidate()
        await discord.shown(thread, lambda seen: "live" in asked(clew) and is_whole(seen))

        assert asked(clew) == ["hello", "missed", "live"]


async def test_a_question_in_a_thread_that_people_opened_waits_for_the_missed_one_it_was_opened_from(url: str) -> None:
    async with discord_server() as discord:
        async with clew_on(discord, url=url):
            await conversation(discord)
        root = await discord.says("ada", "missed")
        await discord.opens_thread("ben", "More of it", message=root)
        discord.faults.arm(READ, Slow(0.2), times=None, when=lambda call: discord.channel("general") in call.path)
        async with back(discord, lambda: discord.says("ben", "live", channel=root), url=url) as clew:
            await discord.shown(root, lambda seen: "live" in asked(clew) and is_whole(seen))

        assert asked(clew) == ["missed", "live"]


async def test_what_begins_after_the_gap_waits_for_nothing(url: str) -> None:
    async with discord_server() as discord:
        async with clew_on(discord, url=url):
            await conversation(discord)
        missed = await discord.says("ada", "missed")
        discord.faults.arm(READ, Slow(3600), when=lambda call: discord.channel("general") in call.path)
        async with clew_on(discord, url=url, limits=replace(PATIENT, catch_up=3600.0)) as clew:
            await discord.until(lambda: discord.calls_of(READ))
            new = await discord.says("ada", "new")
            await discord.shown(new, is_whole)
            assert asked(clew) == ["new"]

            discord.clock.advance(3600)
            await discord.shown(missed, is_whole)


async def test_where_nothing_was_missed_a_question_costs_no_reading(url: str) -> None:
    async with discord_server() as discord:
        async with clew_on(discord, url=url):
            thread = await conversation(discord)
        async with caught_up(discord, url=url) as clew:
            before = len(discord.calls_of(READ))
            await discord.says("ada", "live", channel=thread)
            await discord.shown(thread, ended(2))

            assert len(discord.calls_of(READ)) == before
        assert asked(clew) == ["live"]


async def test_what_cannot_be_read_holds_nobody_up_for_ever(url: str) -> None:
    async with discord_server() as discord:
        async with clew_on(discord, url=url):
            thread = await conversation(discord)
        await discord.says("ada", "missed", channel=thread)
        discord.faults.arm(READ, Broken(503), times=None)
        limits = replace(PATIENT, catch_up=0.5)
        async with back(discord, lambda: discord.says("ben", "live", channel=thread), url=url, limits=limits) as clew:
            await discord.shown(thread, ended(2))

        assert asked(clew) == ["live"]


# --- what was overtaken all the same ------------------------------------------------------------------


@pytest.mark.parametrize("is_root", [False, True], ids=["a follow-up", "the first of its thread"])
async def test_a_question_that_came_late_is_told_what_overtook_it_when_gemini_has_lost_that(is_root: bool) -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        thread = None if is_root else await conversation(discord)
        discord.faults.events.arm("lose")
        late = await discord.says("ada", "first?", channel=thread or "general")
        if is_root:
            await discord.opens_thread("ada", "More of it", message=late)
        thread = thread or late
        await discord.says("ben", "second?", channel=thread)
        await discord.shown(thread, ended(1 if is_root else 2))
        clew.model.will(ContextLost("404"))

        await discord.edits(late, f"<@{discord.bot_user_id}> first!")  # which tells of it after all
        await discord.shown(thread, ended(2 if is_root else 3))

    assert asked(clew)[-1:] == ["first!"]
    assert "]\nsecond?" in clew.model.asked[-1].history


@pytest.mark.parametrize(
    ("command", "words"), [("retry", "Your retry reached me late"), ("stop", "I am not answering anything")]
)
async def test_a_command_that_is_found_late_does_nothing_to_what_was_asked_since(command: str, words: str) -> None:
    async with discord_server(clock=Clock(speed=20)) as discord, clew_on(discord, sleep=discord.clock.sleep) as clew:
        thread = await conversation(discord)
        discord.mute_events()
        await discord.says("ada", command, channel=thread)
        discord.mute_events(False)
        go_on = asyncio.Event()
        clew.model.will(go_on, *answer("i2", "This is the newer one."))
        await discord.says("ben", "newer?", channel=thread)
        await clew.model.heard(2)
        if command == "retry":
            go_on.set()
            await discord.shown(thread, ended(2))
        await discord.sockets[0].invalidate()
        await discord.shown(thread, is_confirmed)
        go_on.set()
        await discord.shown(thread, lambda seen: any("This is the newer one." in one.text for one in seen))

        assert asked(clew) == ["hello", "newer?"]
        (told,) = small_print(discord.replies(thread))
        assert words in told
