"""Whatever people type is a command, a wish, a link or none; whatever something is called, its label is one line."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from adapters.discord import places as discord
from adapters.slack import places as slack
from adapters.web import events as web
from bot.attachments import label_name
from bot.cli import pointed_by
from bot.commands import Command, command_of, read_command
from bot.errors import StartError
from bot.links import MOST, public_links
from bot.messages import Thread
from bot.ports import Pointed
from bot.wishes import wish_of
from tests.support.hostile import TEXTS, often, unstorable

LINKS = (slack.pointed_by, discord.pointed_by, web.pointed_by)
TYPED = st.lists(
    TEXTS
    | st.sampled_from([*(command.value for command in Command), "/", "`", "*", " ", "\n", ":", "imagine", "RESET", "!"])
    | st.sampled_from(["https://", "youtu.be/", "a.example/b.png", "?thread_ts=", "#", "<", ">", "|", "&amp;", "@"]),
    max_size=6,
).map("".join)


@often
@given(TYPED)
def test_whatever_is_typed_is_a_command_or_none(text: str) -> None:
    assert read_command(text) in {None, *Command}
    assert command_of(text) in {None, *Command}
    assert command_of(text) is None or len(text.strip()) < 200  # nothing that says more than the command is one
    wish = wish_of(text)
    assert wish is None or len(wish) <= len(text)


@often
@given(TYPED)
def test_whatever_is_typed_leads_to_a_thread_or_is_refused_in_a_line(text: str) -> None:
    refused: list[str] = []
    try:
        found = pointed_by(text, LINKS)
    except StartError as error:
        refused.append(str(error))
    else:
        assert isinstance(found, Pointed | Thread)
    assert all(sentence.isprintable() for sentence in refused)


@given(TYPED)
def test_no_words_link_to_more_than_gemini_opens_nor_into_a_network(text: str) -> None:
    links = public_links(text)

    assert len(links) <= MOST
    assert all((link.uri or "").startswith("https://") for link in links)
    assert unstorable([link.uri for link in links]) == []


@often
@given(TEXTS | st.text())
def test_whatever_something_is_called_its_label_is_short_and_one_line(name: str) -> None:
    label = label_name(name)

    assert 0 < len(label) <= 100
    assert not {unicodedata.category(char) for char in label} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not set(label) & set("[]`<>")
    assert label == label_name(label)
