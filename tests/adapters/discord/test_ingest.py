"""What is said in Discord, to whom it is said, and what becomes of it: each message once, in order."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.policy import Follow, Names, Policy
from bot.ports import Store
from tests.adapters.discord.answering import is_whole, saying, words
from tests.adapters.discord.arriving import (
    asked,
    caught_up,
    conversation,
    ended,
    is_confirmed,
    small_print,
    until_waiting,
)
from tests.support.discord import (
    Broken,
    DiscordServer,
    DropBefore,
    Fault,
    Kind,
    MessageType,
    Permission,
    SaysError,
    Variants,
    discord_server,
)
from tests.support.discord_clew import clew_on
from tests.support.scripted import ScriptedModel
from tests.support.slack_clew import failing, interposed, until_logged

CHANNEL, REPLIES = "GET /channels/*", "GET /channels/*/messages"


async def people_talk(discord: DiscordServer) -> str:
    """People talk in a thread of their own, in which the bot is not asked anything; the thread."""
    root = await discord.says("ben", "lunch?", mention=False)
    await discord.opens_thread("ben", "Lunch", message=root)
    await discord.says("ada", "soup", channel=root, mention=False)
    return root


async def heard_all(discord: DiscordServer, channel: str) -> None:
    """Everything that was said in a channel before has been taken in, for this came after it and was answered."""
    seen = len(discord.replies(channel))
    await discord.says("ada", "are you there?", channel=channel)
    await discord.shown(channel, ended(seen + 1))


# --- to whom it is said -------------------------------------------------------------------------


async def test_the_role_that_came_with_the_bot_stands_for_it() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        question = await discord.says("ada", "hello", mention_as="role")

        await discord.shown(question, is_whole)

    assert asked(clew) == ["hello"]


async def test_everyone_other_roles_bots_webhooks_and_notices_are_not_answered() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        role = discord.role("helpers", mentionable=True)
        await discord.says("ada", "hello all", mention_as="everyone")
        await discord.says("ada", f"<@&{role}> hello", mention=False)
        await discord.says("deploys", "done", bot=True)
        await discord.says("feed", "news", webhook=True)
        pinned = await discord.says("ada", "", notice=MessageType.PINNED)
        await discord.pins("ada", pinned)
        question = await conversation(discord, "only this")

        assert asked(clew) == ["only this"]
        assert [thread.id for thread in discord.threads()] == [question]


async def test_other_bots_are_ignored_in_a_thread_that_is_followed_and_so_is_the_bot_itself() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        thread = await conversation(discord)
        await discord.says("deploys", "done", channel=thread, bot=True)
        await discord.says("feed", "news", channel=thread, webhook=True, mention=False)
        await discord.says("ada", "and now?", channel=thread, mention=False)
        await discord.shown(thread, ended(2))

    assert asked(clew) == ["hello", "and now?"]


FOLLOWED = {
    Follow.SMART: (["hello", "in mine", "?"], ["you too?", "?"]),
    Follow.ALWAYS: (["hello", "in mine", "?"], ["you too?", "in theirs", "?"]),
    Follow.MENTION: (["hello", "?"], ["you too?", "?"]),
}


@pytest.mark.parametrize("follow", Follow, ids=[f"follow {mode}" for mode in Follow])
async def test_a_thread_is_followed_as_the_operator_wants_it(follow: Follow) -> None:
    async with discord_server() as discord, clew_on(discord, policy=Policy(follow=follow)) as clew:
        mine, theirs = await conversation(discord), await people_talk(discord)
        for thread, text in ((mine, "in mine"), (theirs, "in theirs")):
            if thread == theirs:
                await discord.says("ben", "you too?", channel=thread)
                await discord.shown(thread, is_whole)
            await discord.says("ben", text, channel=thread, mention=False)
            if text in FOLLOWED[follow][thread == theirs]:
                await discord.shown(thread, ended(2))
            before = len(discord.replies(thread))
            await discord.says("ben", "?", channel=thread)
            await discord.shown(thread, ended(before + 1))

        in_mine, in_theirs = FOLLOWED[follow]
        assert asked(clew) == in_mine + in_theirs


@pytest.mark.parametrize("ping", [True, False], ids=["with a ping", "without one"])
async def test_a_reply_to_another_person_is_theirs(ping: bool) -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        thread = await conversation(discord)
        said = await discord.says("ben", f"<@{discord.person('ada')}> is that so?", channel=thread, mention=False)
        await discord.says("ada", "I think so", channel=thread, reply_to=said, ping=ping, mention=False)
        await heard_all(discord, thread)

        assert len(clew.model.asked) == 2
        assert len(discord.replies(thread)) == 2


async def test_a_reply_to_oneself_goes_on_with_what_one_said() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        thread = await conversation(discord)
        said = await discord.says("ada", "one more", channel=thread, mention=False)
        await discord.shown(thread, ended(2))
        await discord.says("ada", "and another", channel=thread, reply_to=said, mention=False)
        await discord.shown(thread, ended(3))

    assert len(clew.model.asked) == 3


async def test_a_reply_to_the_bots_answer_needs_no_mention_even_without_the_ping() -> None:
    async with discord_server() as discord, clew_on(discord, policy=Policy(follow=Follow.MENTION)) as clew:
        thread = await conversation(discord)
        (answer,) = discord.replies(thread)
        await discord.says("ada", "why?", channel=thread, reply_to=answer.id, ping=False, mention=False)
        await discord.shown(thread, ended(2))

    assert len(clew.model.asked) == 2


# --- where it is said ---------------------------------------------------------------------------


async def test_called_into_other_peoples_thread_it_has_read_what_came_before_with_names() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        thread = await people_talk(discord)
        await discord.says("ben", "what would you take?", channel=thread)
        await discord.shown(thread, is_whole)

        (question,) = clew.model.asked
        assert "[Ben]\nlunch?" in question.history
        assert "[Ada]\nsoup" in question.history


@pytest.mark.parametrize("kind", [Kind.FORUM, Kind.MEDIA], ids=["forum", "media channel"])
async def test_a_post_that_mentions_the_bot_is_answered_in_place_and_followed(kind: Kind) -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        discord.channel("help", kind=kind)
        post = await discord.opens_post("ada", "A clew", "what is a clew?", channel="help")
        (answer,) = await discord.shown(post, is_whole)
        await discord.says("ada", "where from?", channel=post, mention=False)
        await discord.shown(post, ended(2))

        assert answer.reply_to is None
        assert asked(clew) == ["what is a clew?", "where from?"]


async def test_a_post_of_other_people_is_answered_in_only_where_it_is_asked() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        discord.channel("help", kind=Kind.FORUM)
        post = await discord.opens_post("ben", "Soup", "which soup?", channel="help", mention=False)
        await discord.says("ada", "leek", channel=post, mention=False)
        await discord.says("ada", "what do you think?", channel=post)
        await discord.shown(post, is_whole)
        await discord.says("ben", "thank you", channel=post, mention=False)
        await heard_all(discord, post)

        assert "[Ben]\nwhich soup?" in clew.model.asked[0].history
        assert len(clew.model.asked) == 2


async def test_an_announcement_is_answered_in_a_thread_of_its_own_kind() -> None:
    async with discord_server() as discord, clew_on(discord):
        discord.channel("news", kind=Kind.ANNOUNCEMENT)
        question = await discord.says("ada", "hello", channel="news")
        await discord.shown(question, is_whole)

        assert [(thread.id, thread.kind) for thread in discord.threads("news")] == [
            (question, Kind.ANNOUNCEMENT_THREAD)
        ]


@pytest.mark.parametrize("kind", [Kind.VOICE, Kind.STAGE], ids=["voice", "stage"])
async def test_the_chat_of_a_voice_channel_is_one_conversation_in_which_only_mentions_are_answered(kind: Kind) -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        room = discord.channel("talk", kind=kind)
        await discord.says("ada", "hello", channel=room)
        await discord.shown(room, is_whole)
        await discord.says("ben", "hi Ada", channel=room, mention=False)
        again = await discord.says("ada", "and now?", channel=room)
        shown = await discord.shown(room, ended(2))

        assert shown[-1].reply_to == again
        assert clew.model.asked[0].after is None
        assert len(clew.model.asked) == 2


async def test_a_direct_message_is_one_conversation() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        line = discord.direct("ada")
        for number, text in enumerate(("hello", "and now?"), start=1):
            await discord.says("ada", text, channel=line)
            await discord.shown(line, ended(number))

    assert asked(clew) == ["hello", "and now?"]
    assert [one.after for one in clew.model.asked] == [None, "i1"]


async def test_a_private_thread_the_bot_was_added_to_is_answered_in_place() -> None:
    async with discord_server() as discord, clew_on(discord):
        thread = await discord.opens_thread("ada", "Secrets", private=True)
        await discord.adds_to_thread(thread)
        await discord.says("ada", "hello", channel=thread)

        (shown,) = await discord.shown(thread, is_whole)

    assert shown.reply_to is None


async def test_an_archived_thread_that_the_library_does_not_know_goes_on() -> None:
    async with discord_server() as discord:
        async with clew_on(discord) as clew:
            thread = await conversation(discord)
            await discord.archives(thread)
            await clew.discord.delivered()
        async with clew_on(discord) as clew:
            discord.faults.events.arm("lose", "THREAD_UPDATE", times=None)
            await discord.says("ada", "hello again", channel=thread)
            await discord.shown(thread, ended(2))

            assert any(thread in call.path for call in discord.calls_of(CHANNEL))


@pytest.mark.parametrize(
    "fault", [DropBefore(), Broken(503), SaysError(130000, status=503)], ids=["no answer", "503", "overloaded"]
)
async def test_a_channel_that_discord_does_not_tell_of_now_is_asked_for_again(fault: Fault) -> None:
    async with discord_server() as discord:
        async with clew_on(discord):
            thread = await conversation(discord)
            await discord.archives(thread)
        async with clew_on(discord) as clew:
            discord.faults.events.arm("lose", "THREAD_UPDATE", times=None)
            discord.faults.arm(CHANNEL, fault, times=2)
            for text in ("first", "second"):
                await discord.says("ada", text, channel=thread)
            await discord.shown(thread, lambda seen: "second" in "".join(asked(clew)) and is_whole(seen))

            assert asked(clew) == ["first", "second"]


# --- edits and deletions ------------------------------------------------------------------------


async def test_an_edit_that_adds_a_forgotten_mention_counts_once() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        question = await discord.says("ada", "hello", mention=False)
        await discord.edits(question, f"<@{discord.bot_user_id}> hello")
        await discord.shown(question, is_whole)
        await discord.edits(question, f"<@{discord.bot_user_id}> hello!")
        await discord.embeds_appear(question)
        await heard_all(discord, question)

    assert asked(clew) == ["hello", "are you there?"]


async def test_an_edit_of_an_old_message_is_no_question() -> None:
    async with discord_server() as discord:
        old = await discord.says("ada", "hello", mention=False)
        later = discord.clock.now() + 25 * 3600
        async with clew_on(discord, now=lambda: later) as clew:
            await discord.edits(old, f"<@{discord.bot_user_id}> hello")
            await discord.says("ada", "this", mention=True)
            await clew.model.heard(1)

            assert asked(clew) == ["this"]


async def test_an_edit_before_the_turn_starts_replaces_the_question() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        go_on = asyncio.Event()
        clew.model.will(*saying("one ", go_on))
        thread = await discord.says("ada", "first")
        await discord.shown(thread)
        second = await discord.says("ada", "secnod", channel=thread)
        await discord.edits(second, f"<@{discord.bot_user_id}> second")
        await until_waiting(clew, thread, "second")
        go_on.set()
        await discord.shown(thread, ended(2))

    assert asked(clew) == ["first", "second"]


async def test_a_question_that_is_deleted_before_its_turn_is_withdrawn() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        go_on = asyncio.Event()
        clew.model.will(*saying("one ", go_on))
        thread = await discord.says("ada", "first")
        await discord.shown(thread)
        second = await discord.says("ada", "never mind", channel=thread)
        await until_waiting(clew, thread, "never mind")
        await discord.deletes(second)
        await until_waiting(clew, thread)
        go_on.set()
        await discord.shown(thread, is_whole)
        await discord.says("ada", "third", channel=thread)
        await discord.shown(thread, ended(2))

    assert asked(clew) == ["first", "third"]


async def test_questions_that_a_moderator_sweeps_away_together_are_withdrawn() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        go_on = asyncio.Event()
        clew.model.will(*saying("one ", go_on))
        thread = await discord.says("ada", "first")
        await discord.shown(thread)
        swept = [await discord.says("ada", text, channel=thread) for text in ("second", "third")]
        await until_waiting(clew, thread, "second", "third")
        told = {"ids": swept, "channel_id": thread, "guild_id": discord.guild()}
        discord._events.happened("MESSAGE_DELETE_BULK", told, guild_id=discord.guild())
        await until_waiting(clew, thread)
        go_on.set()
        await discord.shown(thread, is_whole)

        assert asked(clew) == ["first"]


async def test_a_persons_reply_in_a_channel_without_threads_is_withdrawn_when_it_is_deleted() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        discord.deny(Permission.CREATE_PUBLIC_THREADS, channel="general")
        more, go_on = asyncio.Event(), asyncio.Event()
        clew.model.will(*saying("one ", more, "two ", go_on))
        question = await discord.says("ada", "first")
        await discord.shown("general")
        more.set()
        (answer,) = await discord.shown("general", lambda seen: seen[0].edits > 0)  # it is known to be the bot's
        second = await discord.says("ada", "never mind", reply_to=answer.id, mention=False, ping=False)
        await until_waiting(clew, question, "never mind")
        await discord.deletes(second)
        await until_waiting(clew, question)
        go_on.set()
        await discord.shown("general", is_whole)

        assert asked(clew) == ["first"]


async def test_a_question_whose_message_is_deleted_before_it_is_told_is_not_answered() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        thread = await conversation(discord)
        discord.faults.events.arm("swap", "MESSAGE_CREATE")
        gone = await discord.says("ada", "never mind", channel=thread)
        await discord.deletes(gone)
        await heard_all(discord, thread)

    assert asked(clew) == ["hello", "are you there?"]


# --- once, in order, through a store that fails ---------------------------------------------------


async def test_an_event_that_comes_twice_is_one_question() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        discord.faults.events.arm("double", times=None)
        thread = await conversation(discord)
        await discord.says("ada", "and now?", channel=thread, mention=False)
        await discord.shown(thread, ended(2))
        await discord.delivered()

    assert asked(clew) == ["hello", "and now?"]


async def test_a_store_that_fails_for_a_while_loses_nothing_and_keeps_the_order() -> None:
    async with (
        discord_server() as discord,
        clew_on(discord, wrap=lambda store: failing(store, "add", times=3)) as clew,
    ):
        line = discord.direct("ada")
        for text in ("first", "second", "third"):
            await discord.says("ada", text, channel=line)
        await discord.shown(line, lambda seen: "third" in "".join(asked(clew)) and is_whole(seen))

        assert asked(clew) == ["first", "second", "third"]


async def test_a_slow_store_keeps_the_order_of_a_channel() -> None:
    is_looking, may_look = asyncio.Event(), asyncio.Event()

    def slow_to_look(store: Store) -> Store:
        async def note(*arguments: Any) -> object:
            is_looking.set()
            await may_look.wait()
            return await store.note(*arguments)

        return interposed(store, note=note)

    async with discord_server() as discord, clew_on(discord, wrap=slow_to_look) as clew:
        thread = await conversation(discord)
        # Of what names nobody it has to be looked up whether it is meant for the bot; a mention needs no look.
        await discord.says("ada", "first", channel=thread, mention=False)
        async with asyncio.timeout(30):
            await is_looking.wait()
        await discord.says("ada", "second", channel=thread)
        await discord.delivered()
        other = await conversation(discord, "elsewhere")  # nobody waits for another channel
        may_look.set()
        await discord.shown(thread, lambda seen: "second" in "".join(asked(clew)) and is_whole(seen))

        assert other != thread
        assert asked(clew) == ["hello", "elsewhere", "first", "second"]


async def test_what_a_failing_store_held_up_does_not_hold_up_other_channels() -> None:
    is_broken = True

    def broken_for_ada(store: Store) -> Store:
        adding = failing(store, "add", times=10_000).add

        async def add(message: Any, **named: Any) -> object:
            do: Callable[..., Awaitable[bool]] = adding if is_broken and message.text == "mine" else store.add
            return await do(message, **named)

        return interposed(store, add=add)

    async with discord_server() as discord, clew_on(discord, wrap=broken_for_ada) as clew:
        async with until_logged("event not stored yet", by="adapters.discord"):
            mine = await discord.says("ada", "mine")
        discord.channel("random")
        theirs = await discord.says("ben", "theirs", channel="random")
        await discord.shown(theirs, is_whole)
        is_broken = False
        await discord.shown(mine, is_whole)

    assert asked(clew) == ["theirs", "mine"]


# --- commands in messages -------------------------------------------------------------------------


COMMANDS = {
    "Reset!": "-# This thread starts afresh",
    "retry": "-# I answer the last question again.",
    "/help": "-# Ask me anything",
    "quiet": "-# I am quiet in this thread from now on",
    "stop": "-# I am not answering anything here just now.",
}


@pytest.mark.parametrize("told", COMMANDS)
async def test_a_command_told_in_the_thread_is_done_and_confirmed_once_in_small_print(told: str) -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        thread = await conversation(discord)
        discord.faults.events.arm("double")
        command = await discord.says("ada", told, channel=thread)
        shown = await discord.shown(thread, is_confirmed)
        await discord.delivered()
        await heard_all(discord, thread)

        (confirmation,) = [one for one in discord.replies(thread) if one.text.startswith("-# ")]
        assert small_print(shown) == [confirmation.text]
        assert confirmation.text.startswith(COMMANDS[told])
        assert (confirmation.reply_to, confirmation.is_silent) == (command, True)
        assert all(line.startswith("-# ") for line in confirmation.text.splitlines())
    assert asked(clew)[-1] == "are you there?"


async def test_a_reset_told_in_a_direct_message_makes_it_start_afresh() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        line = discord.direct("ada")
        await discord.says("ada", "I am Ada", channel=line)
        await discord.shown(line, is_whole)
        await discord.says("ada", "reset", channel=line)
        await discord.shown(line, is_confirmed)
        await discord.says("ada", "who am I?", channel=line)
        await clew.model.heard(2)

    assert [one.after for one in clew.model.asked] == [None, None]


async def test_a_thread_that_was_told_to_be_quiet_waits_for_mentions() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        thread = await conversation(discord)
        await discord.says("ada", "quiet", channel=thread)
        await discord.shown(thread, is_confirmed)
        await discord.says("ada", "among us", channel=thread, mention=False)
        await discord.says("ada", "and you?", channel=thread)
        await clew.model.heard(2)

        assert asked(clew) == ["hello", "and you?"]


async def test_a_stop_told_in_the_thread_ends_the_answer() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying("a beginning", asyncio.Event()))
        thread = await discord.says("ada", "tell me everything")
        await discord.shown(thread)
        await discord.says("ada", "stop", channel=thread)
        shown = await discord.shown(thread, lambda seen: len(seen) == 2 and "Stop" not in seen[0].buttons)

    assert "a beginning" in words(shown[0])
    assert small_print(shown) == ["-# Stopped."]


async def test_a_command_the_store_refuses_is_carried_out_when_it_can_be() -> None:
    async with (
        discord_server() as discord,
        clew_on(discord, wrap=lambda store: failing(store, "reset", times=1)) as clew,
    ):
        thread = await conversation(discord)
        await discord.says("ada", "reset", channel=thread)
        await discord.shown(thread, is_confirmed)
        await discord.says("ada", "who am I?", channel=thread)
        await clew.model.heard(2)

    assert clew.model.asked[1].after is None


async def test_whoever_may_not_ask_may_not_command_either() -> None:
    async with discord_server() as discord:
        mallory = discord.person("mallory")
        blocking = Policy(people=Names(blocked=frozenset({mallory})))
        async with clew_on(discord, policy=blocking) as clew:
            thread = await conversation(discord)
            await discord.says("mallory", "reset", channel=thread)
            await discord.says("ada", "and now?", channel=thread)
            await clew.model.heard(2)

    assert clew.model.asked[1].after == "i1"


@pytest.mark.parametrize("command", ["stop", "help"])
async def test_a_command_is_confirmed_once_over_a_restart(command: str, tmp_path_factory: Any) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('clew') / 'clew.db'}"
    async with discord_server(variants=Variants(nonce_window=0.0)) as discord:
        async with clew_on(discord, url=url) as clew:
            clew.model.will(*saying("a beginning", asyncio.Event()))
            thread = await discord.says("ada", "tell me everything")
            await discord.shown(thread)
            await discord.says("ada", command, channel=thread)
            await discord.shown(thread, is_confirmed)
            await discord.says("ada", "stop", channel=thread)
            await discord.shown(thread, lambda seen: "Stop" not in seen[0].buttons)
        # What was said shortly before the end is read again, and the command with it.
        looked = len(discord.calls_of(REPLIES))
        async with caught_up(discord, url=url):
            # Whether it was confirmed is looked for: after the one command, and after the other.
            await discord.until(
                lambda: len([one for one in discord.calls_of(REPLIES)[looked:] if "after" in one.query]) == 2
            )
            await discord.says("ada", "hello", channel=thread)
            await discord.shown(thread, is_whole)

            assert len(small_print(discord.replies(thread))) == 2


async def test_what_a_dead_process_left_unsaid_about_a_command_is_said_after_the_start(tmp_path_factory: Any) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('clew') / 'clew.db'}"
    async with discord_server() as discord:
        async with clew_on(discord, url=url):
            thread = await conversation(discord)
            discord.faults.arm("POST /channels/*/messages", Broken(503), times=None)
            await discord.says("ada", "reset", channel=thread)
            await discord.until(lambda: discord.faults.fired)
        discord.faults.disarm()
        for _ in range(2):
            async with clew_on(discord, url=url):
                await discord.shown(thread, is_confirmed)

        assert len(small_print(discord.replies(thread))) == 1


# --- names ----------------------------------------------------------------------------------------


async def test_people_go_by_the_names_they_have_in_the_server_also_in_what_is_read_back() -> None:
    async with discord_server() as discord, clew_on(discord, model=ScriptedModel()) as clew:
        ada = discord.person("ada")
        await discord.joins("ada")
        discord.world.guild(discord.guild()).members[ada].nick = "Countess"
        thread = await people_talk(discord)
        await discord.says("ben", "what would you take?", channel=thread)
        await discord.shown(thread, is_whole)

        assert "[Countess]\nsoup" in clew.model.asked[0].history
