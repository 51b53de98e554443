"""What no event told of: messages of the time the bot was away."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.discord.places import DISCORD
from bot.policy import Follow, Policy
from tests.adapters.discord.answering import is_whole
from tests.adapters.discord.arriving import asked, caught_up, conversation, ended, is_confirmed
from tests.adapters.discord.looking import READ, desk
from tests.support.discord import (
    Broken,
    Clock,
    DiscordServer,
    DropBefore,
    Fault,
    Kind,
    Permission,
    SaysError,
    TooMany,
    discord_server,
)
from tests.support.discord_clew import BRISK, clew_on
from tests.support.slack_clew import failing, until_logged

HOUR = 3600.0


@pytest.fixture
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database that outlives a process."""
    return f"sqlite:///{tmp_path_factory.mktemp('clew') / 'clew.db'}"


def in_time_of(discord: DiscordServer) -> dict[str, Any]:
    """Options for Clew to live in the time of a stand-in, which may be faster."""
    return {"now": discord.clock.now, "clock": discord.clock.now, "sleep": discord.clock.sleep}


# --- after a start ------------------------------------------------------------------------------


async def test_a_first_start_reads_nothing_that_was_said_before(url: str) -> None:
    async with discord_server() as discord:
        await discord.says("ada", "before you came")
        async with caught_up(discord, url=url) as clew:
            await conversation(discord)

            assert asked(clew) == ["hello"]
            assert discord.calls_of(READ) == []


async def test_mentions_of_the_time_it_was_down_are_found_once_also_where_it_was_never_used(url: str) -> None:
    async with discord_server() as discord:
        discord.channel("random")
        discord.guild("elsewhere")
        discord.channel("there", guild="elsewhere")
        async with clew_on(discord, url=url):
            await conversation(discord)
        missed = [await discord.says("ada", f"in {place}", channel=place) for place in ("general", "random", "there")]
        await discord.says("ben", "not for you", channel="random", mention=False)
        async with clew_on(discord, url=url) as clew:
            for question in missed:
                await discord.shown(question, is_whole)
        async with caught_up(discord, url=url) as later:
            pass

        assert sorted(asked(clew)) == ["in general", "in random", "in there"]
        assert asked(later) == []


async def test_threads_and_posts_of_the_time_it_was_down_are_found(url: str) -> None:
    async with discord_server() as discord:
        discord.channel("help", kind=Kind.FORUM)
        async with clew_on(discord, url=url):
            followed, archived = await conversation(discord, "one"), await conversation(discord, "two")
        await discord.says("ada", "in the thread", channel=followed, mention=False)
        await discord.says("ada", "in the archive", channel=archived, mention=False)
        await discord.archives(archived)
        post = await discord.opens_post("ben", "Soup", "in a post", channel="help")
        async with clew_on(discord, url=url) as clew:
            await discord.shown(followed, ended(2))
            await discord.shown(archived, ended(2))
            await discord.shown(post, is_whole)

        assert sorted(asked(clew)) == ["in a post", "in the archive", "in the thread"]


async def test_what_was_said_in_direct_messages_is_found_in_its_order_however_long_nobody_wrote(url: str) -> None:
    async with discord_server() as discord:
        line = discord.direct("ada")
        async with clew_on(discord, url=url, now=lambda: discord.clock.now() - 72 * HOUR):
            await discord.says("ada", "hello", channel=line)
            await discord.shown(line, is_whole)
        for number in range(1, 6):
            await discord.says("ada", str(number), channel=line)
        async with clew_on(discord, url=url) as clew:
            await discord.shown(line, lambda seen: "5" in asked(clew) and is_whole(seen))

        assert asked(clew) == ["1", "2", "3", "4", "5"]


async def test_what_is_too_old_is_left_unanswered(url: str) -> None:
    async with discord_server() as discord:
        async with clew_on(discord, url=url):
            await conversation(discord)
        await discord.says("ada", "too old")
        discord.clock.advance(25 * HOUR)
        new = await discord.says("ada", "new enough")
        async with caught_up(discord, url=url, now=discord.clock.now) as clew:
            await discord.shown(new, is_whole)

        assert asked(clew) == ["new enough"]


async def test_what_people_said_before_the_bot_was_called_is_not_taken_for_questions(url: str) -> None:
    async with discord_server(clock=Clock(speed=50)) as discord:
        options = {"url": url, "policy": Policy(follow=Follow.ALWAYS), **in_time_of(discord)}
        async with clew_on(discord, **options):
            await conversation(discord)
        root = await discord.says("ben", "lunch?", mention=False)
        await discord.opens_thread("ben", "Lunch", message=root)
        await discord.says("ada", "yes", channel=root, mention=False)
        # It is called before it has read what it missed.
        discord.faults.arm(
            READ, Broken(503), times=30, when=lambda call: root in call.path and "before" not in call.query
        )
        async with clew_on(discord, **options) as clew, until_logged("caught up", by="adapters.discord.catchup"):
            await discord.says("ben", "what is open?", channel=root)
            await discord.shown(root, is_whole)

        assert asked(clew) == ["what is open?"]


async def test_commands_of_the_time_it_was_down_are_carried_out(url: str) -> None:
    async with discord_server() as discord:
        async with clew_on(discord, url=url):
            thread = await conversation(discord)
        await discord.says("ada", "reset", channel=thread)
        await discord.says("ada", "who am I?", channel=thread)
        async with clew_on(discord, url=url) as clew:
            await discord.shown(thread, is_confirmed)
            await clew.model.heard(1)

        assert clew.model.asked[0].after is None
        assert asked(clew) == ["who am I?"]


async def test_what_bots_and_the_bot_itself_said_meanwhile_is_not_taken_for_questions(url: str) -> None:
    async with discord_server() as discord:
        async with clew_on(discord, url=url):
            thread = await conversation(discord)
        await discord.says("deploys", "done", channel=thread, bot=True)
        await discord.says("feed", "news", webhook=True)
        async with caught_up(discord, url=url) as clew:
            assert asked(clew) == []
            assert discord.calls_of(READ)


async def test_the_role_that_came_with_the_bot_stands_for_it_in_what_is_read_back(url: str) -> None:
    async with discord_server() as discord:
        async with clew_on(discord, url=url):
            await conversation(discord)
        missed = await discord.says("ada", "by its role", mention_as="role")
        async with clew_on(discord, url=url):
            await discord.shown(missed, is_whole)


async def test_where_the_start_was_left_before_all_was_looked_through_the_next_one_goes_on(url: str) -> None:
    async with discord_server() as discord:
        async with clew_on(discord, url=url):
            await conversation(discord, "before")
        missed = await discord.says("ada", "missed")
        discord.faults.arm(READ, Broken(503), times=None, when=lambda call: discord.channel("general") in call.path)
        # What is said after the start is heard, and would hide what was missed.
        later = discord.clock.now() + HOUR
        async with clew_on(discord, url=url, now=lambda: later):
            discord.clock.advance(HOUR)
            await conversation(discord, "meanwhile")
        discord.faults.disarm()
        async with clew_on(discord, url=url, now=lambda: later):
            await discord.shown(missed, is_whole)


# --- whatever fails -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(DropBefore(), id="no answer"),
        pytest.param(Broken(503), id="503"),
        pytest.param(TooMany(0.05), id="a rate limit"),
        pytest.param(TooMany(120), id="a rate limit that is too long to wait for"),
        pytest.param(SaysError(130000, status=503), id="overloaded"),
    ],
)
async def test_catching_up_goes_on_when_discord_is_back(url: str, fault: Fault) -> None:
    async with discord_server(clock=Clock(speed=50)) as discord:
        async with clew_on(discord, url=url, **in_time_of(discord)):
            thread = await conversation(discord)
        missed = await discord.says("ada", "missed")
        await discord.says("ada", "more", channel=thread, mention=False)
        discord.faults.arm(READ, fault, times=6)
        async with clew_on(discord, url=url, **in_time_of(discord)) as clew:
            await discord.shown(missed, is_whole)
            await discord.shown(thread, ended(2))

        assert sorted(asked(clew)) == ["missed", "more"]


async def test_what_cannot_be_kept_now_is_found_again_and_keeps_its_order(url: str) -> None:
    async with discord_server(clock=Clock(speed=50)) as discord:
        line = discord.direct("ada")
        async with clew_on(discord, url=url, **in_time_of(discord)):
            await discord.says("ada", "0", channel=line)
            await discord.shown(line, is_whole)
        for number in range(1, 4):
            await discord.says("ada", str(number), channel=line)
        async with clew_on(
            discord, url=url, **in_time_of(discord), wrap=lambda store: failing(store, "add", times=2)
        ) as clew:
            await discord.shown(line, lambda seen: "3" in asked(clew) and is_whole(seen))

        assert asked(clew) == ["1", "2", "3"]


@pytest.mark.parametrize("method", ["places", "active", "note", "caught_up"])
async def test_a_store_that_cannot_tell_where_to_look_is_asked_again(url: str, method: str) -> None:
    async with discord_server() as discord:
        async with clew_on(discord, url=url):
            await conversation(discord)
        missed = await discord.says("ada", "missed")
        async with caught_up(discord, url=url, wrap=lambda store: failing(store, method, times=2)):
            await discord.shown(missed, is_whole)


async def test_a_channel_that_is_closed_to_the_bot_does_not_hold_up_the_others(url: str) -> None:
    async with discord_server() as discord:
        discord.channel("random")
        async with clew_on(discord, url=url):
            await conversation(discord)
            await conversation(discord, "there", channel="random")
        missed = await discord.says("ada", "missed")
        await discord.says("ada", "nobody sees this", channel="random")
        discord.deny(Permission.VIEW_CHANNEL, channel="random")
        async with caught_up(discord, url=url) as clew:
            await discord.shown(missed, is_whole)

        refused = [call for call in discord.calls_of(READ) if discord.channel("random") in call.path]
        assert asked(clew) == ["missed"]
        assert len(refused) == 1


async def test_a_channel_that_cannot_be_read_now_does_not_hold_up_what_is_missed_later() -> None:
    async with discord_server(clock=Clock(speed=50)) as discord, clew_on(discord, **in_time_of(discord)) as clew:
        await conversation(discord)
        broken, whole = discord.channel("broken"), discord.channel("whole")
        discord.faults.arm(READ, Broken(503), times=None, when=lambda call: broken in call.path)
        for channel in (broken, whole):
            discord.mute_events()
            missed = await discord.says("ada", f"missed in {channel}", channel=channel)
            discord.mute_events(False)
            (socket,) = discord.sockets
            await socket.invalidate()
            await discord.until(lambda: broken in "".join(call.path for call in discord.calls_of(READ)) or None)
        await discord.shown(missed, is_whole)

        assert asked(clew) == ["hello", f"missed in {whole}"]


async def test_once_all_was_looked_through_the_next_start_begins_where_this_one_ended() -> None:
    async with discord_server(clock=Clock(speed=50)) as discord, clew_on(discord, **in_time_of(discord)) as clew:
        await conversation(discord)
        async with until_logged("caught up", by="adapters.discord.catchup"):
            await discord.sockets[0].invalidate()
        newest = await conversation(discord, "newest")
        (place,) = await clew.store.places(DISCORD)

        assert place.newest == newest


# --- bounds -----------------------------------------------------------------------------------------


async def test_of_too_many_messages_the_newest_are_found_in_their_order() -> None:
    async with desk() as at:
        line = at.discord.direct("ada")
        await at.knows(line, at.discord.clock.now())
        for number in range(250):
            await at.discord.says("ada", str(number), channel=line)

        await at.look(most=120)

        assert at.found == [str(number) for number in range(130, 250)]
        assert len(at.discord.calls_of(READ)) == 2


async def test_all_messages_of_several_pages_are_found_in_their_order() -> None:
    async with desk() as at:
        line = at.discord.direct("ada")
        await at.knows(line, at.discord.clock.now())
        for number in range(250):
            await at.discord.says("ada", str(number), channel=line)

        await at.look()

        assert at.found == [str(number) for number in range(250)]


async def test_of_too_many_channels_those_heard_the_latest_are_looked_at() -> None:
    async with desk() as at:
        for number, name in enumerate(("ada", "ben", "cleo")):
            line = at.discord.direct(name)
            await at.knows(line, at.discord.clock.now() - 100 + number)
            await at.discord.says(name, f"from {name}", channel=line)

        await at.look(most_channels=2)

        assert at.found == ["from cleo", "from ben"]


# --- events that are lost without a disconnect --------------------------------------------------------


@pytest.mark.parametrize("where", ["a thread", "a post", "a direct message", "a voice channel"])
async def test_an_event_that_was_lost_without_a_disconnect_is_found_after_the_answer(where: str) -> None:
    watchful = replace(BRISK, again=(0.2, 0.4, 0.8), watch=0.01)
    async with discord_server() as discord, clew_on(discord, rhythm=watchful) as clew:
        match where:
            case "a thread":
                channel = await conversation(discord)
            case "a post":
                discord.channel("help", kind=Kind.FORUM)
                channel = await discord.opens_post("ada", "A clew", "hello", channel="help")
            case "a direct message":
                channel = discord.direct("ada")
                await discord.says("ada", "hello", channel=channel)
            case _:
                channel = discord.channel("talk", kind=Kind.VOICE)
                await discord.says("ada", "hello", channel=channel)
        await discord.shown(channel, is_whole)
        discord.faults.events.arm("lose")
        await discord.says("ada", "lost", channel=channel)
        await discord.shown(channel, ended(2))

        assert asked(clew) == ["hello", "lost"]


async def test_where_no_thread_could_be_opened_a_lost_reply_is_found_too() -> None:
    watchful = replace(BRISK, again=(0.2, 0.4, 0.8), watch=0.01)
    async with discord_server() as discord, clew_on(discord, rhythm=watchful) as clew:
        discord.deny(Permission.CREATE_PUBLIC_THREADS, channel="general")
        await discord.says("ada", "hello")
        (answer,) = await discord.shown("general", is_whole)
        discord.faults.events.arm("lose")
        await discord.says("ada", "lost", reply_to=answer.id, mention=False, ping=False)
        await discord.shown("general", ended(2))

        assert [one.after for one in clew.model.asked] == [None, "i1"]
