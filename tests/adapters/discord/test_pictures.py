"""Pictures in Discord: asked for by command, and attached where they came between the words."""

import asyncio

import pytest

from adapters.discord import showing
from adapters.discord.buttons import Buttons
from adapters.discord.faces import FILE_LIMIT, NOT_SENT
from adapters.discord.format import MOST_PARTS
from bot.answers import Answer, Draft, Media, MediaKind, TextPiece
from tests.adapters.discord.answering import PICTURE, is_whole, saying, words
from tests.adapters.discord.interacting import commanded
from tests.support.discord import discord_server
from tests.support.discord_clew import clew_on

SONG = Media(MediaKind.AUDIO, "audio/ogg", b"OggS a song of kites")


def told(*events: str | Media) -> Answer:
    draft = Draft()
    for event in events:
        draft.add(TextPiece(event) if isinstance(event, str) else event)
    return draft.answer


async def test_a_command_has_the_image_model_make_a_picture_and_the_same_again_changes_it() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        clew.model.will(*saying("Here it is.", PICTURE))
        await discord.uses("ada", "imagine", prompt="a red kite")
        await clew.model.heard(1)
        (asked,) = [one for one in discord.replies("general") if "asks" in one.text]
        (shown,) = await discord.shown(asked.id, is_whole)
        await discord.says("ada", "imagine: at night", channel=asked.id)
        await clew.model.heard(2)
        await discord.says("ada", "what bird is it?", channel=asked.id)
        await clew.model.heard(3)

    assert asked.text.splitlines()[1:] == ["/imagine a red kite"]
    assert [file.name for file in shown.files] == ["image-1.png"]
    assert [(one.text.rpartition("] ")[2], one.after, one.manner.model) for one in clew.model.asked] == [
        ("a red kite", None, "painter"),
        ("at night", "i1", "painter"),
        ("what bird is it?", "i2", None),
    ]


async def test_a_retry_of_a_command_keeps_the_wish() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        await discord.uses("ada", "imagine", prompt="a red kite")
        await clew.model.heard(1)
        (asked,) = [one for one in discord.replies("general") if "asks" in one.text]
        (shown,) = await discord.shown(asked.id, is_whole)
        await discord.presses("ada", discord.button(shown.id, "Retry"))
        await clew.model.heard(2)

    assert [one.manner.model for one in clew.model.asked] == ["painter", "painter"]


async def test_files_stand_where_they_came_between_the_words_with_what_they_are_of() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying("A kite:\n", PICTURE, "Its song:\n", SONG, "That was it."))
        question = await discord.says("ada", "/imagine a kite that sings")
        kite, song, rest = await discord.shown(question, is_whole, whole=3)

    assert [words(shown) for shown in (kite, song, rest)] == ["A kite:", "Its song:", "That was it."]
    assert [(file.name, file.data) for shown in (kite, song, rest) for file in shown.files] == [
        ("image-1.png", PICTURE.data),
        ("audio-2.ogg", SONG.data),
    ]
    assert [kite.files[0].alt, song.files[0].alt] == ["A kite: (image made by AI)", "Its song: (audio made by AI)"]
    assert [shown.buttons for shown in (kite, song, rest)] == [(), (), ("Retry",)]


def test_a_picture_may_come_before_all_words() -> None:
    picture, text = showing.whole(told(PICTURE, "There."), asked="a kite", limit=FILE_LIMIT)
    assert (picture.text, [file.description for file in picture.files]) == ("", ["a kite (image made by AI)"])
    assert (text.text, text.files, text.buttons) == ("There.", (), Buttons.WHOLE)


def test_too_many_passages_are_one_text_with_marks_and_the_files_under_it() -> None:
    parted = told(*(event for number in range(MOST_PARTS + 1) for event in (f"Number {number}.", PICTURE)), "Done.")
    (shown,) = showing.whole(parted, asked=None, limit=FILE_LIMIT)
    assert [file.name for file in shown.files] == [f"image-{number}.png" for number in range(1, MOST_PARTS + 2)]
    assert shown.text.startswith("Number 0.\n\n*↓ image-1.png*\n\nNumber 1.")


def test_a_file_too_large_is_told_where_it_came() -> None:
    film = Media(MediaKind.VIDEO, "video/mp4", b"0" * (FILE_LIMIT + 1))
    shown = showing.whole(told("A film:", film, "Done."), asked=None, limit=FILE_LIMIT)
    assert [face.text for face in shown] == [f"A film:\n\n{NOT_SENT}", "Done."]


def test_where_the_only_file_is_left_out_nobody_is_sent_to_look_for_it() -> None:
    film = Media(MediaKind.VIDEO, "video/mp4", b"0" * (FILE_LIMIT + 1))
    for shown in showing.whole(told(film), asked=None, limit=FILE_LIMIT), showing.without_files(told(PICTURE)):
        assert [(face.text, face.buttons) for face in shown] == [(NOT_SENT, Buttons.WHOLE)]


@pytest.mark.parametrize(
    ("events", "texts"),
    [
        pytest.param(("A kite", PICTURE), ("A kite",), id="nothing after it"),
        pytest.param(("A kite", PICTURE, "flies"), ("A kite", "flies"), id="words after it"),
    ],
)
def test_a_growing_answer_is_cut_where_files_came(events: tuple[str | Media, ...], texts: tuple[str, ...]) -> None:
    assert showing.growing(told(*events)) == texts


async def test_a_picture_before_all_words_takes_the_first_place_when_the_answer_is_whole() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        end = asyncio.Event()
        clew.model.will(*saying(PICTURE, "There it flies", end, "."))
        question = await discord.says("ada", "/imagine a kite")
        await discord.shown(question, lambda seen: [one.text for one in seen] == ["There it flies"])
        end.set()
        picture, text = await discord.shown(question, is_whole, whole=2)

    assert (picture.text, [file.data for file in picture.files]) == ("", [PICTURE.data])
    assert (words(text), text.files) == ("There it flies.", ())
