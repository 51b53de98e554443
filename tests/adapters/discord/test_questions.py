"""How a question asked by a command is shown, and read back."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.discord.application import LONGEST_QUESTION
from adapters.discord.attachments import Missing
from adapters.discord.format import render
from adapters.discord.questions import (
    Asked,
    asker_name,
    question_of,
    read_question,
    shown_question,
    without_file,
    words_about,
)
from bot.messages import MessageId
from tests.adapters.discord.samples import ADA, BEN, GENERAL, ME, SERVER


def post(content: str, **more: Any) -> dict[str, Any]:
    """A message of the bot's own."""
    return {"id": "5", "channel_id": GENERAL, "author": {"id": ME.user_id}, "content": content, **more}


def read_back(asked: Asked) -> Asked | None:
    return read_question(post(shown_question(asked, channel=GENERAL, guild_id=SERVER).strip()), ME)


SAID = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=200).map(str.strip)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=100).map(asker_name)


@given(NAMES, SAID, st.none() | st.just(MessageId(ADA)), st.none() | st.sampled_from(Missing), SAID)
@example("**x** asks", "-# **Ben** asks\nme", None, None, "")
@example("a\\", "", None, Missing.TOO_LARGE, "`-#`.txt")
@example("[Ada](https://example.org)", "```\nleft", MessageId(ADA), Missing.UNREADABLE, "a\nb")
def test_a_question_is_read_back_as_it_was_shown(
    name: str, text: str, about: MessageId | None, why: Missing | None, file: str
) -> None:
    without = None if why is None else without_file(file, why)
    asked = Asked(name, text, about, without)

    assert read_back(asked) == asked


def test_a_name_is_shown_as_it_is_spelled() -> None:
    shown = shown_question(Asked("*Ada* [x](https://example.org) @everyone", "why?"))

    assert shown == "-# **\\*Ada\\* \\[x\\](https\\://example.org) @everyone** asks\nwhy?"


def test_the_longest_question_of_the_longest_name_is_shown_whole() -> None:
    asked = Asked("*" * 32, "a" * LONGEST_QUESTION)

    assert len(shown_question(asked)) <= 2000
    assert read_back(asked) == asked


def test_of_a_long_message_that_is_asked_about_the_beginning_is_shown() -> None:
    asked = Asked("Ada", "> a\n" * 1000, MessageId(ADA), without_file("b" * 300, Missing.TOO_LARGE))

    shown = shown_question(asked, channel=GENERAL, guild_id=SERVER)
    found = read_back(asked)

    assert len(shown) <= 2000
    assert found is not None
    assert (found.about, found.without) == (asked.about, asked.without)
    assert asked.text.startswith(found.text)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({**post("-# **Ada** asks\nwhy?"), "author": {"id": BEN}}, id="somebody else's"),
        pytest.param(post("-# Stopped."), id="small print"),
        pytest.param(post("**Ada** asks\nwhy?"), id="no small print"),
        pytest.param(post(render("-# **Ada** asks\nwhy?")), id="an answer that looks like one"),
        pytest.param(post(""), id="nothing"),
        pytest.param({}, id="no message"),
    ],
)
def test_what_shows_no_question_is_none(body: dict[str, Any]) -> None:
    assert read_question(body, ME) is None


def test_a_question_about_a_message_is_its_words_and_all_the_files() -> None:
    said = {
        "id": "7",
        "channel_id": GENERAL,
        "author": {"id": BEN, "username": "ben", "global_name": "Ben"},
        "content": f"ask <@{ADA}>",
        "attachments": [{"id": "8", "filename": "plan.png"}],
    }
    asked = Asked("Ada", "cut", MessageId("7"))
    body = post("", attachments=[{"id": "6", "filename": "own.png"}])

    question = question_of(body, asked, ME, about=said, called={ADA: "Countess"}.get)

    assert question.text == "About this message of Ben:\n> ask @Countess"
    assert [file.id for file in question.attachments] == [f"{GENERAL}/5/6", f"{GENERAL}/7/8"]
    assert question_of(body, asked, ME).text == "cut"


@pytest.mark.parametrize(
    ("author", "content", "shown"),
    [
        pytest.param({"id": ME.user_id}, "left", "About this message of yours:\n> left", id="the bot's own"),
        pytest.param({}, "a\nb", "About this message of somebody:\n> a\n> b", id="nobody's"),
        pytest.param({"id": BEN, "username": "ben"}, "", "About this message of ben:\n> (no words)", id="no words"),
    ],
)
def test_a_message_that_is_asked_about_is_quoted_with_whose_it_is(
    author: dict[str, str], content: str, shown: str
) -> None:
    assert words_about({"author": author, "content": content}, ME) == shown
