"""Questions asked by a command or a menu: shown once, answered once, and read back as they were asked."""

import asyncio

import pytest

from bot.messages import MessageId
from bot.policy import Names, Policy
from bot.ports import Store
from tests.adapters.discord.answering import is_whole
from tests.adapters.discord.interacting import (
    CALLBACK,
    ORIGINAL,
    Slow,
    Troubled,
    answered,
    are_answered,
    briefly,
    commanded,
    questions,
    shown_question,
)
from tests.support.discord import (
    ActThenDrop,
    Broken,
    DropBefore,
    Fault,
    Kind,
    Permission,
    SaysError,
    Variants,
    discord_server,
)
from tests.support.slack_clew import until_logged

ASKED = "-# **Ada** asks\nwhat is a clew?"


# --- where ------------------------------------------------------------------------------------


async def test_a_question_in_a_thread_of_ours_goes_on_with_its_conversation() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        first = await answered(discord)

        await discord.uses("ada", "ask", in_=first.channel, text="where from?")

        await discord.shown(first.channel, are_answered(2))
        assert [asked.after for asked in clew.model.asked] == [None, "i1"]
        assert discord.replies() == []


async def test_a_question_in_other_peoples_thread_is_answered_there_with_what_was_said_before() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        thread = await discord.opens_thread("ben", "lunch")
        await discord.says("ben", "I want soup", channel=thread, mention=False)

        await discord.uses("ada", "ask", in_=thread, text="what does Ben want?")

        await discord.shown(thread, are_answered(1))
        assert "soup" in clew.model.asked[0].history + clew.model.asked[0].text


async def test_a_question_in_a_forum_post_is_answered_there() -> None:
    async with discord_server() as discord, commanded(discord):
        discord.channel("help", kind=Kind.FORUM)
        post = await discord.opens_post("ben", "Broken", "it is broken", channel="help", mention=False)

        await discord.uses("ada", "ask", in_=post, text="how do I mend it?")

        assert len(await discord.shown(post, are_answered(1))) == 2


async def test_a_question_in_a_voice_chat_is_answered_under_it() -> None:
    async with discord_server() as discord, commanded(discord):
        room = discord.channel("talk", kind=Kind.VOICE)

        await discord.uses("ada", "ask", in_=room, text="can you hear me?")

        seen = await discord.shown(room, are_answered(1))
        assert seen[1].reply_to == seen[0].id


async def test_a_question_in_a_direct_message_is_answered_under_it() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        line = discord.direct("ada")

        await discord.uses("ada", "ask", in_=line, text="what is a clew?")
        await discord.shown(line, are_answered(1))
        await discord.says("ada", "where from?", channel=line)

        await discord.shown(line, are_answered(2))
        assert [asked.after for asked in clew.model.asked] == [None, "i1"]


async def test_in_an_announcement_channel_the_answer_is_in_a_thread() -> None:
    async with discord_server() as discord, commanded(discord):
        news = discord.channel("news", kind=Kind.ANNOUNCEMENT)

        await discord.uses("ada", "ask", in_=news, text="what is new?")

        question = await shown_question(discord, news)
        assert await discord.shown(question.id, is_whole)


async def test_where_no_thread_may_be_opened_the_answer_replies_to_the_question() -> None:
    async with discord_server() as discord, commanded(discord):
        discord.deny(Permission.CREATE_PUBLIC_THREADS, channel="general")

        await discord.uses("ada", "ask", text="what is a clew?")

        (question, answer) = await discord.shown("general", are_answered(1))
        assert (question.text, answer.reply_to) == (ASKED, question.id)


async def test_a_channel_for_threads_alone_is_enough() -> None:
    async with discord_server() as discord, commanded(discord):
        discord.deny(Permission.SEND_MESSAGES, channel="general")

        await discord.uses("ada", "ask", text="what is a clew?")

        question = await shown_question(discord)
        assert await discord.shown(question.id, is_whole)


# --- what is asked ----------------------------------------------------------------------------


async def test_a_file_stands_under_the_question_and_is_read_again_for_a_retry() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        file = discord.uploads("maze.txt", b"left, right, left")
        async with until_logged("turn answered", by="bot.responder"):
            await discord.uses("ada", "ask", text="which way?", file=file)
        question = await shown_question(discord)
        discord.takes_back(file)
        (answer,) = await discord.shown(question.id, is_whole)

        async with until_logged("turn answered", by="bot.responder"):
            await discord.presses("ben", discord.button(answer.id, "Retry"))

        assert [one.name for one in question.files] == ["maze.txt"]
        first, again = clew.model.asked
        assert "left, right, left" in first.text
        assert first.text == again.text


async def test_a_question_may_be_a_file_alone() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        await discord.uses("ada", "ask", file=discord.uploads("maze.txt", b"left, right, left"))

        question = await shown_question(discord)
        await discord.shown(question.id, is_whole)
        assert question.text == "-# **Ada** asks"
        assert "left, right, left" in clew.model.asked[0].text


async def test_a_question_of_nothing_is_not_asked() -> None:
    async with discord_server() as discord, commanded(discord):
        await discord.uses("ada", "ask")

        (told,) = await discord.whispered("ada")
        assert "takes a text, a file, or both" in told.text
        assert discord.replies() == []


async def test_a_message_is_asked_about_with_its_files_and_again_for_a_retry() -> None:
    long = "left and right, " * 240  # 3840 characters, as people with Nitro may write
    async with discord_server() as discord, commanded(discord) as clew:
        said = await discord.says("ben", long, mention=False, files=[discord.uploads("maze.txt", b"a plan of it")])

        async with until_logged("turn answered", by="bot.responder"):
            await discord.picks("ada", "Ask Clew about this", said)
        question = await shown_question(discord)
        *_, answer = await discord.shown(question.id, is_whole)
        async with until_logged("turn answered", by="bot.responder"):
            await discord.presses("ada", discord.button(answer.id, "Retry"))

        first, again = clew.model.asked
        assert "About this message of Ben:" in first.text
        assert (first.text.count("left and right"), "a plan of it" in first.text) == (240, True)
        assert again.text == first.text
        assert len(question.text) <= 2000


async def test_a_message_of_the_bots_own_is_said_to_be_the_models() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        first = await answered(discord)

        await discord.picks("ben", "Ask Clew about this", first.id)

        await discord.shown(first.channel, are_answered(2))
        assert "About this message of yours:" in clew.model.asked[-1].text


async def test_a_message_that_is_gone_is_asked_about_again_with_what_is_shown_of_it() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        said = await discord.says("ben", "left and right", mention=False)
        async with until_logged("turn answered", by="bot.responder"):
            await discord.picks("ada", "Ask Clew about this", said)
        question = await shown_question(discord)
        (answer,) = await discord.shown(question.id, is_whole)
        await discord.deletes(said)

        async with until_logged("turn answered", by="bot.responder"):
            await discord.presses("ada", discord.button(answer.id, "Retry"))

        assert clew.model.asked[1].text == clew.model.asked[0].text


async def test_a_rebuilt_thread_begins_with_what_was_asked_about_and_its_files() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        said = await discord.says(
            "ben", "left and right", mention=False, files=[discord.uploads("maze.txt", b"a plan of it")]
        )
        await discord.picks("ada", "Ask Clew about this", said)
        question = await shown_question(discord)
        (answer,) = await discord.shown(question.id, is_whole)

        past = await clew.adapter.history(clew.thread(question.id), before=MessageId(answer.id), since=None)

        (first,) = past
        assert first.author is not None
        assert first.author.name == "Ada"
        assert first.text == "About this message of Ben:\n> left and right"
        assert [file.name for file in first.attachments] == ["maze.txt"]


async def test_where_no_thread_can_be_opened_from_a_menu_the_answer_replies_to_the_question() -> None:
    async with discord_server(variants=Variants(menu_threads=False)) as discord, commanded(discord) as clew:
        said = await discord.says("ben", "left and right", mention=False)
        await discord.picks("ada", "Ask Clew about this", said)
        (question, first) = await discord.shown("general", are_answered(1))

        await discord.says("ada", "and then?", reply_to=first.id, mention=False, ping=False)

        await discord.shown("general", are_answered(2))
        assert first.reply_to == question.id
        assert [asked.after for asked in clew.model.asked] == [None, "i1"]


async def test_nobody_is_pinged_by_what_is_asked() -> None:
    async with discord_server() as discord, commanded(discord):
        ben = discord.person("ben")

        await discord.uses("ada", "ask", text=f"@everyone <@{ben}> look at https://example.org/")

        question = await shown_question(discord)
        assert discord.pings_by_bot() == []
        assert question.has_previews_suppressed


async def test_a_mention_in_a_question_is_a_name_for_the_model() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        await discord.uses("ada", "ask", text=f"what is <#{discord.channel('general')}> for?")

        await clew.model.heard(1)
        assert "what is #general for?" in clew.model.asked[0].text


# --- files that cannot be had -----------------------------------------------------------------


async def test_a_file_that_is_too_large_is_named_and_again_for_a_retry() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        file = discord.uploads("film.mp4", b"0", size=30_000_000)
        async with until_logged("turn answered", by="bot.responder"):
            await discord.uses("ada", "ask", text="what is it?", file=file)
        question = await shown_question(discord)
        (answer,) = await discord.shown(question.id, is_whole)
        async with until_logged("turn answered", by="bot.responder"):
            await discord.presses("ada", discord.button(answer.id, "Retry"))
        (again,) = await discord.shown(question.id, is_whole)

        assert question.text.splitlines()[1:] == ["what is it?", "-# Without `film.mp4`: it is too large for me."]
        assert discord.calls_of("GET /cdn/*") == []
        for shown in (answer, again):
            assert "Left out `film.mp4`: I take files up to 10 MB" in shown.text
        assert clew.model.asked[0].text == clew.model.asked[1].text
        assert "film.mp4 was left out: it is too large" in clew.model.asked[0].text


async def test_a_file_that_is_larger_than_it_says_is_not_read_to_its_end() -> None:
    async with discord_server() as discord, commanded(discord):
        file = discord.uploads("film.mp4", b"0" * 11_000_000, size=10)

        await discord.uses("ada", "ask", text="what is it?", file=file)

        assert "too large" in (await shown_question(discord)).text


@pytest.mark.parametrize("trouble", ["gone", "expired", "foreign"])
async def test_a_file_that_cannot_be_fetched_is_named(trouble: str) -> None:
    async with discord_server() as discord, commanded(discord):
        url = discord.elsewhere("maze.txt") if trouble == "foreign" else None
        file = discord.uploads("maze.txt", b"left, right, left", url=url)
        if trouble == "gone":
            discord.takes_back(file)
        if trouble == "expired":
            discord.cdn.life = -1.0

        await discord.uses("ada", "ask", text="which way?", file=file)

        question = await shown_question(discord)
        (answer,) = await discord.shown(question.id, is_whole)
        assert question.text.endswith("-# Without `maze.txt`: I could not fetch it.")
        assert "Left out `maze.txt`" in answer.text
        assert discord.foreign_visits == []


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(SaysError(40005, status=413), id="too large for the server"),
        pytest.param(SaysError(50013, status=403), id="files are not allowed"),
    ],
)
async def test_a_question_whose_file_discord_refuses_is_asked_without_it(fault: Fault) -> None:
    async with discord_server() as discord, commanded(discord):
        discord.faults.arm(ORIGINAL, fault, times=1)

        await discord.uses("ada", "ask", text="which way?", file=discord.uploads("maze.txt", b"left"))

        question = await shown_question(discord)
        assert question.files == ()
        assert "Without `maze.txt`" in question.text
        assert await discord.shown(question.id, is_whole)


# --- who may not ------------------------------------------------------------------------------


@pytest.mark.parametrize("whom", ["person", "channel", "server"])
async def test_who_may_not_ask_is_told_alone_and_nothing_is_shown_or_fetched(whom: str) -> None:
    async with discord_server() as discord:
        policy = {
            "person": Policy(people=Names(blocked=frozenset({discord.person("ada")}))),
            "channel": Policy(channels=Names(blocked=frozenset({discord.channel("general")}))),
            "server": Policy(installations=Names(blocked=frozenset({discord.guild()}))),
        }[whom]
        async with commanded(discord, policy=policy) as clew:
            await discord.uses("ada", "ask", text="a secret", file=discord.uploads("maze.txt", b"left"))

            (told,) = await discord.whispered("ada")
            assert "not allowed" in told.text
            assert discord.replies() == []
            assert discord.calls_of("GET /cdn/*") == []
            assert clew.model.asked == []


async def test_who_has_used_up_the_day_is_told_under_the_question() -> None:
    async with discord_server() as discord, commanded(discord, policy=Policy(daily_turns_per_person=1)) as clew:
        await answered(discord)

        await discord.uses("ada", "ask", text="and now?")

        question = await shown_question(discord)
        (told,) = await discord.shown(question.id)
        assert "used your one turn" in told.text
        assert len(clew.model.asked) == 1


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        pytest.param(Kind.TEXT, Permission.VIEW_CHANNEL, id="a hidden channel"),
        pytest.param(Kind.TEXT, Permission.SEND_MESSAGES | Permission.CREATE_PUBLIC_THREADS, id="a channel to read"),
        pytest.param(Kind.VOICE, Permission.CONNECT, id="a voice channel it may not enter"),
    ],
)
async def test_where_the_bot_may_not_write_the_asker_is_told_what_is_missing(kind: Kind, missing: Permission) -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        place = discord.channel("closed", kind=kind)
        discord.deny(missing, channel=place)

        await discord.uses("ada", "ask", in_=place, text="what is a clew?")

        (told,) = await discord.whispered("ada")
        assert "I may not write in this channel" in told.text
        assert clew.model.asked == []


async def test_a_question_that_the_server_moderates_away_is_said_to_be() -> None:
    async with discord_server() as discord, commanded(discord):
        discord.faults.arm(ORIGINAL, SaysError(200000), times=1)

        used = await discord.uses("ada", "ask", text="something rude")

        await discord.until(lambda: not used.is_thinking)
        assert "AutoMod" in used.text


# --- trouble ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(ActThenDrop(), id="carried out and not answered"),
        pytest.param(DropBefore(), id="not carried out"),
        pytest.param(Broken(503), id="503"),
        pytest.param(Broken(503, acts=True), id="503 after it was carried out"),
        pytest.param(SaysError(10062, status=404), id="too late"),
    ],
)
@pytest.mark.parametrize("route", [CALLBACK, ORIGINAL])
async def test_a_question_survives_a_call_that_fails(route: str, fault: Fault) -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        discord.faults.arm(route, fault)

        await discord.uses("ada", "ask", text="what is a clew?")

        question = await shown_question(discord)
        await discord.shown(question.id, are_answered(1))
        await discord.delivered()
        assert discord.faults.fired
        assert [one.text for one in questions(discord.replies())] == [ASKED]
        assert len(clew.model.asked) == 1


async def test_a_question_that_is_told_twice_is_asked_once() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        discord.faults.events.arm("double", "INTERACTION_CREATE")

        async with until_logged("turn answered", by="bot.responder"):
            await discord.uses("ada", "ask", text="what is a clew?")

        await discord.delivered()
        assert len(questions(discord.replies())) == 1
        assert len(clew.model.asked) == 1


async def test_with_a_slow_store_discord_is_answered_before_it() -> None:
    async with discord_server() as discord:
        go = asyncio.Event()
        async with commanded(discord, wrap=lambda store: Slow(store, go=go).as_store()) as clew:
            used = await discord.uses("ada", "ask", text="what is a clew?")
            was_thinking = used.is_thinking
            go.set()

            question = await shown_question(discord)
            await discord.shown(question.id, is_whole)
            assert was_thinking
            assert len(clew.model.asked) == 1


@pytest.mark.parametrize("is_slow", [False, True], ids=["at once", "after a while"])
async def test_a_store_that_fails_gives_the_question_back(is_slow: bool) -> None:
    async with discord_server() as discord:
        go = asyncio.Event()
        if not is_slow:
            go.set()
        async with commanded(discord, wrap=lambda store: Slow(store, go=go, fails=True).as_store()) as clew:
            used = await discord.uses("ada", "ask", text="what is a clew?")
            go.set()

            await discord.until(lambda: not used.is_thinking)
            assert "Something went wrong" in used.text
            assert used.text.endswith("what is a clew?")
            assert clew.model.asked == []


async def test_a_question_that_cannot_be_queued_yet_is_queued_later_with_the_file_it_showed() -> None:
    async with discord_server() as discord:

        def wrap(store: Store) -> Store:
            return Troubled(store, "add", times=2).as_store()

        async with commanded(discord, wrap=wrap, sleep=briefly) as clew:
            await discord.uses("ada", "ask", text="which way?", file=discord.uploads("maze.txt", b"left"))

            question = await shown_question(discord)
            await discord.shown(question.id, is_whole)
            assert "left" in clew.model.asked[0].text
            assert len(discord.calls_of("GET /cdn/*")) == 2  # for the command, and for the model
            assert len(questions(discord.replies())) == 1


async def test_a_question_that_comes_while_old_ones_are_taken_up_is_not_taken_for_one() -> None:
    async with discord_server() as discord:
        look, queue = asyncio.Event(), asyncio.Event()

        def wrap(store: Store) -> Store:
            return Slow(Slow(store, go=queue, names=("add",)).as_store(), go=look, names=("parcels",)).as_store()

        async with commanded(discord, wrap=wrap) as clew:
            await discord.uses("ada", "ask", text="what is a clew?")
            question = await shown_question(discord)
            async with until_logged("slowly done", by="tests.adapters.discord.interacting"):
                look.set()
            queue.set()

            await discord.shown(question.id, is_whole)
            assert len(discord.calls_of(ORIGINAL)) == 1
            assert discord.calls_of("GET /webhooks/*") == []
            assert len(clew.model.asked) == 1
