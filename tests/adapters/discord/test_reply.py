"""What people see of an answer in Discord: growing, in parts, with files, stopped, and in places that are closed."""

import asyncio

import pytest

from adapters.discord.faces import FILE_LIMIT
from bot.answers import Media, MediaKind
from bot.errors import AnswerBlocked
from bot.notices import notice_for
from tests.adapters.discord.answering import PICTURE, is_whole, saying, words
from tests.support.discord import (
    ActThenDrop,
    Broken,
    DropBefore,
    Fault,
    Permission,
    SaysError,
    TooMany,
    discord_server,
)
from tests.support.discord_clew import clew_on
from tests.support.slack_clew import until_logged

PARAGRAPHS = [f"Paragraph {number}. " + "thread " * 60 for number in range(60)]
POST, EDIT = "POST /channels/*/messages", "PATCH /channels/*/messages/*"
OPEN = "POST /channels/*/messages/*/threads"


async def test_an_answer_grows_by_edits_beside_a_stop_button() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        more, rest = asyncio.Event(), asyncio.Event()
        clew.model.will(*saying("A clew is ", more, "a ball ", rest, "of thread."))
        question = await discord.says("ada", "what is a clew?")

        (first,) = await discord.shown(question)
        more.set()
        (second,) = await discord.shown(question, lambda seen: "a ball" in seen[0].text)
        rest.set()
        (last,) = await discord.shown(question, is_whole)

        assert (first.text, first.buttons) == ("A clew is", ("Stop",))
        assert (second.text, second.buttons) == ("A clew is a ball", ("Stop",))
        assert words(last) == "A clew is a ball of thread."
        assert first.id == second.id == last.id


async def test_typing_is_shown_until_there_are_words() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        go = asyncio.Event()
        clew.model.will(*saying(go, "A ball of thread."))
        question = await discord.says("ada", "what is a clew?")

        await discord.received("POST /channels/*/typing")
        go.set()
        await discord.shown(question, is_whole)

        assert len(discord.calls_of("POST /channels/*/typing")) == 1
        assert discord.typing(question) is None


async def test_a_long_answer_arrives_in_reading_order_in_parts_of_which_only_the_first_makes_a_sound() -> None:
    text = "\n\n".join(PARAGRAPHS[:12])
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying(text))
        question = await discord.says("ada", "tell me everything")

        shown = await discord.shown(question, is_whole)

    assert len(shown) > 2
    assert "\n\n".join(map(words, shown)).split() == text.split()
    assert all(len(message.text) <= 2000 for message in shown)
    assert [message.is_silent for message in shown] == [False] + [True] * (len(shown) - 1)
    assert all(message.buttons == () for message in shown[:-1])


async def test_what_is_over_six_parts_is_in_a_file_and_the_last_line_says_so() -> None:
    text = "\n\n".join(PARAGRAPHS)
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying(text))
        question = await discord.says("ada", "tell me everything")

        shown = await discord.shown(question, lambda seen: is_whole(seen) and bool(seen[-1].files))

    assert len(shown) == 6
    (file,) = shown[-1].files
    assert file.name == "answer.md"
    assert file.data.decode().split()[: len(text.split())] == text.split()
    assert "answer.md" in shown[-1].text.splitlines()[-1]


async def test_pictures_the_model_makes_are_attached() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying("Here it is.", PICTURE))
        question = await discord.says("ada", "draw a clew")

        (shown,) = await discord.shown(question, is_whole)

    assert [(file.name, file.data) for file in shown.files] == [("image-1.png", PICTURE.data)]


async def test_a_file_too_large_for_discord_is_named_and_the_words_arrive() -> None:
    film = Media(MediaKind.VIDEO, "video/mp4", b"0" * (FILE_LIMIT + 1))
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying("Here it is.", film))
        question = await discord.says("ada", "make a film")

        (shown,) = await discord.shown(question, is_whole)

    assert shown.files == ()
    assert "Here it is." in shown.text
    assert "too large" in shown.text


async def test_a_server_with_boosts_takes_larger_files() -> None:
    film = Media(MediaKind.VIDEO, "video/mp4", b"0" * (FILE_LIMIT + 1))
    async with discord_server() as discord:
        discord.boost(2)
        async with clew_on(discord) as clew:
            clew.model.will(*saying("Here it is.", film))
            question = await discord.says("ada", "make a film")

            (shown,) = await discord.shown(question, is_whole)

    assert [len(file.data) for file in shown.files] == [FILE_LIMIT + 1]
    assert words(shown) == "Here it is."


async def test_nothing_the_model_says_pings_anybody_or_shows_a_preview() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        ada = discord.person("ada")
        clew.model.will(*saying(f"@everyone @here <@{ada}> look at https://example.org/ and discord.gg/abc"))
        question = await discord.says("ada", "call everybody")

        (shown,) = await discord.shown(question, is_whole)

        assert discord.pings_by_bot() == []
        assert shown.previews == ()
        assert shown.has_previews_suppressed


async def test_a_notice_stands_where_the_answer_would() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(AnswerBlocked("safety"))
        question = await discord.says("ada", "say something bad")

        (shown,) = await discord.shown(question)

    assert shown.text == notice_for(AnswerBlocked("safety"))


async def test_the_stop_button_ends_the_answer_and_keeps_what_was_said() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying("A clew is a ball", asyncio.Event()))
        question = await discord.says("ada", "what is a clew?")
        (growing,) = await discord.shown(question)

        await discord.presses("ada", discord.button(growing.id, "Stop"))

        (shown,) = await discord.shown(question, is_whole)
        assert shown.text == "A clew is a ball"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(ActThenDrop(), id="carried out and not answered"),
        pytest.param(DropBefore(), id="not carried out"),
        pytest.param(Broken(503), id="503"),
        pytest.param(Broken(503, acts=True), id="503 after it was carried out"),
        pytest.param(TooMany(retry_after=0.05), id="a rate limit"),
        pytest.param(TooMany(retry_after=0.05, scope="global"), id="a global rate limit"),
    ],
)
@pytest.mark.parametrize("route", [OPEN, POST, EDIT, "POST /channels/*/typing"])
async def test_a_call_that_fails_neither_loses_the_answer_nor_doubles_it(route: str, fault: Fault) -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        more = asyncio.Event()
        clew.model.will(*saying("A clew is ", more, "a ball of thread."))
        discord.faults.arm(route, fault)
        question = await discord.says("ada", "what is a clew?")
        await discord.shown(question)
        more.set()

        (shown,) = await discord.shown(question, is_whole)
        await discord.delivered()

        assert words(shown) == "A clew is a ball of thread."
        assert len(discord.replies(question)) == 1
        assert discord.faults.fired


async def test_a_ban_by_cloudflare_is_waited_out() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying("A ball of thread."))
        discord.faults.arm(POST, TooMany(retry_after=1, via=False, is_json=False))
        question = await discord.says("ada", "what is a clew?")

        (shown,) = await discord.shown(question, is_whole)

    assert words(shown) == "A ball of thread."


async def test_where_no_thread_may_be_opened_it_answers_with_a_reply_and_a_reply_to_that_goes_on() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        discord.deny(Permission.CREATE_PUBLIC_THREADS, channel="general")
        async with until_logged("turn answered", by="bot.responder"):
            question = await discord.says("ada", "what is a clew?")
        (first,) = await discord.shown("general", is_whole)

        further = await discord.says("ada", "where from?", reply_to=first.id, mention=False, ping=False)
        (_, second) = await discord.shown("general", lambda seen: len(seen) == 2 and is_whole(seen))

        assert (first.reply_to, second.reply_to) == (question, further)
        assert [asked.after for asked in clew.model.asked] == [None, "i1"]


async def test_where_there_are_too_many_threads_it_answers_with_a_reply() -> None:
    async with discord_server() as discord, clew_on(discord):
        discord.cap_threads(0)
        question = await discord.says("ada", "what is a clew?")

        (shown,) = await discord.shown("general", is_whole)

    assert shown.reply_to == question


async def test_a_thread_that_somebody_opened_first_is_used() -> None:
    async with discord_server() as discord, clew_on(discord):
        discord.faults.arm(OPEN, SaysError(160004), times=1)
        question = await discord.says("ada", "what is a clew?")
        await discord.opens_thread("ada", "mine", message=question)

        (shown,) = await discord.shown(question, is_whole)

    assert shown.channel == question


async def test_an_answer_whose_thread_is_archived_meanwhile_is_finished() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        rest = asyncio.Event()
        clew.model.will(*saying("A clew is ", rest, "a ball of thread."))
        question = await discord.says("ada", "what is a clew?")
        await discord.shown(question)

        await discord.archives(question)
        rest.set()

        (shown,) = await discord.shown(question, is_whole)
        assert words(shown) == "A clew is a ball of thread."


async def test_an_answer_that_is_deleted_while_it_grows_is_posted_again() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        rest = asyncio.Event()
        clew.model.will(*saying("A clew is ", rest, "a ball of thread."))
        question = await discord.says("ada", "what is a clew?")
        (growing,) = await discord.shown(question)

        await discord.deletes(growing.id)
        rest.set()

        (shown,) = await discord.shown(question, is_whole)
        assert words(shown) == "A clew is a ball of thread."


async def test_an_asker_who_cannot_be_answered_there_is_told_directly() -> None:
    async with discord_server() as discord, clew_on(discord):
        discord.deny(Permission.SEND_MESSAGES, channel="general")
        discord.deny(Permission.CREATE_PUBLIC_THREADS, channel="general")
        await discord.says("ada", "what is a clew?")

        (told,) = await discord.shown(discord.direct("ada"))

        assert "I may not write there" in told.text
        assert discord.replies("general") == []


async def test_an_answer_that_the_server_moderates_away_is_said_to_be() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying("Something rude."))
        discord.faults.arm(POST, SaysError(200000), times=None, when=lambda call: "rude" in str(call.body))
        question = await discord.says("ada", "say something rude")

        (shown,) = await discord.shown(question, is_whole)

    assert "AutoMod" in shown.text


async def test_an_answer_given_again_takes_the_place_of_a_longer_one() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying("\n\n".join(PARAGRAPHS[:12])))
        clew.model.will(*saying("Short.", name="i2"))
        async with until_logged("turn answered", by="bot.responder"):
            question = await discord.says("ada", "tell me everything")
        first = await discord.shown(question, is_whole)

        await discord.presses("ada", discord.button(first[-1].id, "Retry"))

        shown = await discord.shown(question, lambda seen: len(seen) == 1 and is_whole(seen))
        assert [words(message) for message in shown] == ["Short."]
        assert shown[0].id == first[0].id
