"""Commands, menus and buttons: done once, in every kind of place, and told to whoever used them alone."""

import asyncio
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bot.policy import Names, Policy
from bot.ports import Store
from tests.adapters.discord.answering import is_whole, saying, words
from tests.adapters.discord.interacting import (
    CALLBACK,
    Ending,
    Slow,
    Troubled,
    When,
    answered,
    are_answered,
    briefly,
    commanded,
)
from tests.support.discord import (
    ActThenDrop,
    Broken,
    DiscordServer,
    DropBefore,
    Fault,
    Hang,
    Kind,
    Permission,
    SaysError,
    Shown,
    discord_server,
)
from tests.support.discord_clew import DiscordClew
from tests.support.scripted import ScriptedModel
from tests.support.slack_clew import until_logged


async def told(discord: DiscordServer, user: str = "ada", number: int = 1) -> str:
    """What somebody was told alone, the newest of it."""

    def said() -> list[Shown]:
        return [one for one in discord.whispers(user) if not one.is_loading]

    return (await discord.until(lambda: said() if len(said()) >= number else None))[-1].text


async def growing(discord: DiscordServer, clew: DiscordClew) -> Shown:
    """Somebody asks, and the answer is being given."""
    clew.model.will(*saying("A clew is a ball", asyncio.Event()))
    question = await discord.says("ada", "what is a clew?")
    (shown,) = await discord.shown(question)
    return shown


# --- places -----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["reset", "stop", "retry"])
async def test_a_channel_has_no_conversation_of_its_own_to_command(command: str) -> None:
    async with discord_server() as discord, commanded(discord):
        await discord.uses("ada", command)

        assert "this channel holds no conversation of its own" in await told(discord)


@pytest.mark.parametrize("place", ["channel", "thread", "direct"])
async def test_help_is_to_be_had_everywhere(place: str) -> None:
    async with discord_server() as discord, commanded(discord):
        where = {"channel": "general", "direct": discord.direct("ada")}.get(place)

        await discord.uses("ada", "help", in_=where or await discord.opens_thread("ben", "lunch"))

        assert "`/retry`" in await told(discord)


@pytest.mark.parametrize("place", ["other people's thread", "post", "voice", "direct"])
async def test_a_conversation_is_reset_where_it_is(place: str) -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        match place:
            case "other people's thread":
                where = await discord.opens_thread("ben", "lunch")
            case "post":
                discord.channel("help", kind=Kind.FORUM)
                where = await discord.opens_post("ben", "Broken", "it is broken", channel="help", mention=False)
            case "voice":
                where = discord.channel("talk", kind=Kind.VOICE)
            case _:
                where = discord.direct("ada")
        await answered(discord, "I am Ada", channel=where)

        await discord.uses("ada", "reset", in_=where)
        await discord.says("ada", "who am I?", channel=where)
        await discord.shown(where, are_answered(2))

        assert "afresh" in await told(discord)
        assert clew.model.asked[1].after is None


@pytest.mark.parametrize("place", ["thread", "root", "direct", "replies"])
async def test_a_conversation_is_reset_from_the_menu_of_one_of_its_messages(place: str) -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        if place == "replies":
            discord.deny(Permission.CREATE_PUBLIC_THREADS, channel="general")
        async with until_logged("turn answered", by="bot.responder"):
            asked_in = discord.direct("ada") if place == "direct" else "general"
            question = await discord.says("ada", "I am Ada", channel=asked_in)
        there = {"direct": asked_in, "replies": "general"}.get(place, question)
        (answer,) = await discord.shown(there, is_whole)

        await discord.picks("ada", "Reset from here", question if place == "root" else answer.id)
        reply_to = answer.id if place == "replies" else None
        await discord.says("ada", "who am I?", channel=there, mention=False, reply_to=reply_to, ping=False)
        await discord.shown(there, are_answered(2))

        assert "afresh" in await told(discord)
        assert [asked.after for asked in clew.model.asked] == [None, None]


async def test_a_message_that_belongs_to_no_conversation_resets_nothing() -> None:
    async with discord_server() as discord, commanded(discord):
        said = await discord.says("ben", "lunch?", mention=False)

        await discord.picks("ada", "Reset from here", said)

        assert await told(discord) == "That message belongs to no conversation with me."


async def test_a_command_works_where_the_bot_may_not_even_look() -> None:
    async with discord_server() as discord, commanded(discord):
        thread = await discord.opens_thread("ben", "lunch")
        discord.deny(Permission.VIEW_CHANNEL, channel="general")

        await discord.uses("ada", "reset", in_=thread)

        assert "afresh" in await told(discord)


# --- stop and retry ---------------------------------------------------------------------------


async def test_stop_ends_the_answer_that_is_being_given() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        shown = await growing(discord, clew)

        await discord.uses("ben", "stop", in_=shown.channel)

        (last,) = await discord.shown(shown.channel, is_whole)
        assert (await told(discord, "ben"), last.text) == ("Stopped.", "A clew is a ball")


async def test_there_may_be_nothing_to_stop_or_to_retry() -> None:
    async with discord_server() as discord, commanded(discord):
        thread = await discord.opens_thread("ben", "lunch")

        await discord.uses("ada", "stop", in_=thread)
        await discord.uses("ada", "retry", in_=thread)

        assert "not answering anything here" in discord.whispers("ada")[0].text
        assert "there is none here" in await told(discord, number=2)


async def test_retry_has_the_last_question_answered_again_by_whoever_wants_it() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        first = await answered(discord)
        clew.model.will(*saying("A ball of yarn.", name="i2"))

        await discord.uses("ben", "retry", in_=first.channel)

        (again,) = await discord.shown(first.channel, lambda seen: is_whole(seen) and "yarn" in seen[-1].text)
        assert again.id == first.id
        assert await told(discord, "ben") == "I answer the last question again."


async def test_a_button_pressed_twice_works_once() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        first = await answered(discord)
        go = asyncio.Event()
        clew.model.will(*saying(go, "A ball of yarn.", name="i2"))
        button = discord.button(first.id, "Retry")

        await discord.presses("ada", button)
        await clew.model.heard(2)
        button = replace(button, message=discord.message(first.id))
        if "Retry" in [one.label for one in discord.buttons(first.id)]:
            await discord.presses("ada", button)
        go.set()

        await discord.shown(first.channel, lambda seen: is_whole(seen) and "yarn" in seen[-1].text)
        assert len(clew.model.asked) == 2


async def test_the_button_of_an_answer_that_is_not_the_last_any_more_says_so() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        discord.faults.arm("PATCH /channels/*/messages/*", SaysError(50013, status=403), times=None)  # it stays there
        first = await answered(discord)
        async with until_logged("turn answered", by="bot.responder"):
            await discord.says("ada", "where from?", channel=first.channel, mention=False)

        await discord.presses("ada", discord.button(first.id, "Retry"))

        assert "Retry works on the last answer" in await told(discord)
        assert len(clew.model.asked) == 2


@pytest.mark.parametrize("label", ["Stop", "Retry"])
async def test_a_button_works_after_a_restart(label: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with discord_server() as discord:
        async with commanded(discord, url=url, drain=0.0) as clew:
            shown = await growing(discord, clew) if label == "Stop" else await answered(discord)
        model = ScriptedModel()
        model.will(*saying("A ball of yarn", *([asyncio.Event()] if label == "Stop" else []), name="i2"))
        async with commanded(discord, url=url, model=model) as clew:
            if label == "Stop":
                await clew.model.heard(1)

            await discord.presses("ada", discord.button(shown.id, label))

            seen = await discord.shown(shown.channel, lambda seen: is_whole(seen) and len(clew.model.asked) == 1)
            assert await told(discord) == ("Stopped." if label == "Stop" else "I answer the last question again.")
            assert len(seen) == 1


# --- who may not ------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["person", "channel"])
async def test_who_may_not_use_the_bot_changes_nothing(whose: str) -> None:
    async with discord_server() as discord:
        blocked = frozenset({discord.person("ben"), discord.channel("secret")})
        policy = Policy(people=Names(blocked=blocked), channels=Names(blocked=blocked))
        async with commanded(discord, policy=policy) as clew:
            thread = await discord.opens_thread("ada", "lunch", channel="general" if whose == "person" else "secret")
            who = "ben" if whose == "person" else "ada"

            await discord.uses(who, "reset", in_=thread)

            assert "not allowed" in await told(discord, who)
            assert await clew.store.parcels(clew.adapter.platform) == []


# --- trouble ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(ActThenDrop(), id="carried out and not answered"),
        pytest.param(DropBefore(), id="not carried out"),
        pytest.param(Broken(503), id="503"),
        pytest.param(Broken(503, acts=True), id="503 after it was carried out"),
    ],
)
async def test_what_became_of_a_command_is_told_once_though_a_call_fails(fault: Fault) -> None:
    async with discord_server() as discord, commanded(discord):
        first = await answered(discord)
        discord.faults.arm(CALLBACK, fault)

        await discord.uses("ada", "reset", in_=first.channel)

        assert "afresh" in await told(discord)
        assert len(discord.whispers("ada")) == 1
        assert len(discord.replies(first.channel)) == 1


async def test_a_reset_that_cannot_be_told_alone_is_told_in_the_thread() -> None:
    async with discord_server() as discord, commanded(discord):
        first = await answered(discord)
        discord.faults.arm(CALLBACK, SaysError(10062, status=404), times=None)
        discord.faults.arm("PATCH /webhooks/*", SaysError(10015, status=404), times=None)

        await asyncio.wait({asyncio.ensure_future(discord.uses("ada", "reset", in_=first.channel))}, timeout=0.5)

        (_, said) = await discord.shown(first.channel, whole=2)
        assert said.text.startswith("-# This thread starts afresh")


async def test_a_command_that_hangs_on_its_way_back_holds_up_no_other() -> None:
    async with discord_server() as discord, commanded(discord):
        first = await answered(discord)
        discord.faults.arm(CALLBACK, Hang())

        async with asyncio.TaskGroup() as group:
            group.create_task(discord.uses("ada", "help", in_=first.channel))
            await discord.until(lambda: discord.calls_of(CALLBACK))
            other = await discord.uses("ben", "help", in_=first.channel)

        assert not other.has_failed


async def test_a_command_that_is_told_twice_is_carried_out_once() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        first = await answered(discord)
        discord.faults.events.arm("double", "INTERACTION_CREATE")

        async with until_logged("turn answered", by="bot.responder"):
            await discord.uses("ada", "retry", in_=first.channel)
        await discord.delivered()

        assert len(clew.model.asked) == 2
        assert len(discord.whispers("ada")) == 1


@pytest.mark.parametrize("names", [("take_in",), ("reset",)], ids=["to keep it", "to carry it out"])
async def test_a_store_that_takes_long_keeps_discord_waiting_and_not_the_person(names: tuple[str, ...]) -> None:
    async with discord_server() as discord:
        go = asyncio.Event()
        async with commanded(discord, wrap=lambda store: Slow(store, go=go, names=names).as_store()):
            thread = await discord.opens_thread("ben", "lunch")

            used = await discord.uses("ada", "reset", in_=thread)
            was_thinking = used.is_thinking
            go.set()

            assert "afresh" in await told(discord)
            assert was_thinking
            assert len(discord.whispers("ada")) == 1


async def test_a_command_that_cannot_be_kept_is_said_to_have_failed() -> None:
    async with discord_server() as discord:

        def wrap(store: Store) -> Store:
            return Troubled(store, "take_in", times=1).as_store()

        async with commanded(discord, wrap=wrap):
            await discord.uses("ada", "help")

            assert "try it again" in await told(discord)


async def test_a_long_question_that_cannot_be_kept_is_given_back() -> None:
    async with discord_server() as discord:

        def wrap(store: Store) -> Store:
            return Troubled(store, "take_in", times=1).as_store()

        async with commanded(discord, wrap=wrap):
            await discord.uses("ada", "ask", text="What is `a || b`? " + "|" * 1700)

            assert "What is" in await told(discord)


async def test_a_command_that_cannot_be_carried_out_yet_is_carried_out_later() -> None:
    async with discord_server() as discord:

        def wrap(store: Store) -> Store:
            return Troubled(store, "reset", times=3).as_store()

        async with commanded(discord, wrap=wrap, sleep=briefly):
            thread = await discord.opens_thread("ben", "lunch")

            await discord.uses("ada", "reset", in_=thread)

            assert "afresh" in await told(discord)


async def test_a_command_of_another_version_is_said_to_be_unknown() -> None:
    async with discord_server() as discord, commanded(discord):
        url = f"{discord.api_url}/applications/{discord.application_id}/commands"
        old = {"type": 1, "name": "old", "description": "From before"}
        async with aiohttp.ClientSession(headers={"Authorization": f"Bot {discord.token}"}) as session:
            await session.post(url, json=old)

        await discord.uses("ada", "old")

        assert "do not know that command" in await told(discord)


# --- restarts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "when"),
    [
        pytest.param("take_in", When.AFTER, id="stored"),
        pytest.param("retry", When.AFTER, id="carried out"),
        pytest.param("placed", When.BEFORE, id="told"),
    ],
)
async def test_a_command_whose_process_ends_is_carried_out_once(tmp_path: Path, at: str, when: When) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with discord_server() as discord:
        async with commanded(discord, url=url) as clew:
            first = await answered(discord)
        ending = Ending(discord, at, when)
        async with commanded(discord, url=url, wrap_all=ending.over, drain=0.0):
            await discord.uses("ada", "retry", in_=first.channel)
            await ending.came.wait()
        discord.faults.disarm()

        model = ScriptedModel()
        model.will(*saying("A ball of yarn.", name="i2"))
        async with commanded(discord, url=url, model=model) as clew:
            (again,) = await discord.shown(first.channel, lambda seen: is_whole(seen) and "yarn" in seen[-1].text)

            assert words(again) == "A ball of yarn."
            assert len(clew.model.asked) == 1
            assert await clew.store.parcels(clew.adapter.platform) == []


async def test_a_command_of_an_hour_ago_is_not_carried_out_any_more(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with discord_server() as discord:
        async with commanded(discord, url=url):
            first = await answered(discord)
        ending = Ending(discord, "take_in", When.AFTER)
        async with commanded(discord, url=url, wrap_all=ending.over, drain=0.0):
            await discord.uses("ada", "reset", in_=first.channel)
        discord.faults.disarm()
        discord.clock.advance(3600.0)

        async with commanded(discord, url=url) as clew:
            await discord.says("ada", "where from?", channel=first.channel, mention=False)
            await discord.shown(first.channel, are_answered(2))
            assert [asked.after for asked in clew.model.asked] == ["i1"]
            assert await clew.store.parcels(clew.adapter.platform) == []


# --- what discord tells of the bot's own answers ----------------------------------------------


async def test_what_the_bot_says_to_somebody_alone_is_no_direct_message() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        thread = await discord.opens_thread("ben", "lunch")

        await discord.uses("ada", "help", in_=thread)
        await told(discord)
        await discord.uses("ada", "ask", in_=thread, text="what is a clew?")
        await discord.shown(thread, are_answered(1))
        await discord.delivered()

        created = [one.data for one in discord.told_of("MESSAGE_CREATE")]
        assert [one for one in created if "guild_id" not in one]  # it comes as one
        assert [one for one in created if int(one["flags"]) & 1 << 7]  # and the question comes empty first
        assert len(clew.model.asked) == 1
        assert {place.channel_id for place in await clew.store.places(clew.adapter.platform)} == {
            discord.channel("general")
        }
