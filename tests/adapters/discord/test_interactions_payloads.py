"""What Discord tells of commands, menus and buttons, as values."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.interactions_payloads import Asking, Call, Told, read_call, read_interaction
from adapters.discord.payloads import id_at
from adapters.discord.places import Kind, Where
from bot.commands import Command
from bot.messages import Person, PersonId, Standing, TurnId
from tests.adapters.discord.samples import ADA, BEN, DIRECT, GENERAL, ROOT, SERVER, VOICE

CALL = Call("900000000000000800", "the token", "900000000000000801")
VIEW, SEND, CONNECT, OPEN_THREADS, SEND_IN_THREADS = (1 << bit for bit in (10, 11, 20, 35, 38))
MESSAGE = {"id": BEN, "content": "left", "author": {"id": BEN, "username": "ben"}}
MENU = {"type": 3, "target_id": BEN, "resolved": {"messages": {BEN: MESSAGE}}}
FILE = {"id": "5", "filename": "maze.txt", "url": "https://cdn.discordapp.com/maze.txt"}


def told(data: dict[str, Any], *, kind: int = 2, **more: Any) -> dict[str, Any]:
    """An interaction in a text channel, as the gateway tells it."""
    return {
        "id": CALL.id,
        "token": CALL.token,
        "application_id": CALL.application_id,
        "type": kind,
        "channel_id": GENERAL,
        "channel": {"id": GENERAL, "type": 0},
        "guild_id": SERVER,
        "app_permissions": str(VIEW | SEND),
        "member": {"nick": "Countess", "user": {"id": ADA, "username": "ada"}},
        "data": data,
        **more,
    }


def asks(text: str = "why?", **more: Any) -> dict[str, Any]:
    return told({"type": 1, "name": "ask", "options": [{"name": "text", "value": text}]}, **more)


def test_a_question_is_read_with_who_asks_where() -> None:
    read = read_interaction(asks(" why? "))

    ada = Person(PersonId(ADA), "Countess", Standing.MEMBER)
    assert read == Asking(CALL, ada, Where(Kind.CHANNEL, GENERAL, SERVER), "why?")


def test_the_file_of_a_question_is_the_one_that_was_chosen() -> None:
    options = [{"name": "file", "value": "5"}]
    data = {"name": "ask", "options": options, "resolved": {"attachments": {"5": FILE, "6": {}}}}

    read = read_interaction(told(data))

    assert isinstance(read, Asking)
    assert read.file == FILE


@pytest.mark.parametrize("name", ["imagine", "research"])
def test_a_wish_is_read_as_it_would_have_been_typed(name: str) -> None:
    read = read_interaction(told({"type": 1, "name": name, "options": [{"name": "prompt", "value": "red kites "}]}))

    assert isinstance(read, Asking)
    assert read.text == f"/{name} red kites"


def test_a_menus_question_is_about_the_message_that_was_chosen() -> None:
    read = read_interaction(told({**MENU, "name": "Ask Clew about this"}))

    assert isinstance(read, Asking)
    assert read.about == {"channel_id": GENERAL, **MESSAGE}


@pytest.mark.parametrize(
    ("data", "command", "message"),
    [
        pytest.param({"name": "reset"}, Command.RESET, None, id="a command"),
        pytest.param({"name": "help"}, Command.HELP, None, id="help"),
        pytest.param({**MENU, "name": "Reset from here"}, Command.RESET, BEN, id="a menu"),
    ],
)
def test_what_the_bot_is_told_is_read(data: dict[str, Any], command: Command, message: str | None) -> None:
    read = read_interaction(told(data))

    assert isinstance(read, Told)
    assert (read.command, read.message_id, read.turn) == (command, message, None)


def test_a_button_is_read_with_its_turn_and_its_message() -> None:
    read = read_interaction(told({"custom_id": "clew:retry:t1"}, kind=3, message={"id": BEN}))

    assert isinstance(read, Told)
    assert (read.command, read.turn, read.message_id) == (Command.RETRY, TurnId("t1"), BEN)


@pytest.mark.parametrize(
    ("more", "where"),
    [
        pytest.param({}, Where(Kind.CHANNEL, GENERAL, SERVER), id="a channel"),
        pytest.param(
            {"channel": {"id": ROOT, "type": 11, "parent_id": GENERAL}},
            Where(Kind.THREAD, ROOT, SERVER, GENERAL),
            id="a thread",
        ),
        pytest.param({"channel": {"id": VOICE, "type": 2}}, Where(Kind.ROOM, VOICE, SERVER), id="a voice chat"),
        pytest.param(
            {"channel": {"id": DIRECT, "type": 1}, "guild_id": None, "member": None, "user": {"id": ADA}},
            Where(Kind.DIRECT, DIRECT),
            id="a direct message",
        ),
    ],
)
def test_the_place_is_told_with_it(more: dict[str, Any], where: Where) -> None:
    read = read_interaction(asks(**more))

    assert isinstance(read, Asking)
    assert read.where == where


@pytest.mark.parametrize(
    ("channel_type", "rights", "is_enough"),
    [
        pytest.param(0, VIEW | SEND, True, id="writing in a channel"),
        pytest.param(0, VIEW | OPEN_THREADS | SEND_IN_THREADS, True, id="threads alone"),
        pytest.param(0, VIEW | OPEN_THREADS, False, id="threads nobody may write in"),
        pytest.param(0, SEND, False, id="a channel it does not see"),
        pytest.param(0, 1 << 3, True, id="an administrator"),
        pytest.param(2, VIEW | SEND | CONNECT, True, id="a voice chat"),
        pytest.param(2, VIEW | SEND, False, id="a voice channel it may not enter"),
    ],
)
def test_whether_the_bot_may_write_there_is_told_with_it(channel_type: int, rights: int, is_enough: bool) -> None:
    read = read_interaction(asks(channel={"id": GENERAL, "type": channel_type}, app_permissions=str(rights)))

    assert isinstance(read, Asking)
    assert read.can_write is is_enough


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(told({"name": "old"}), id="a command of another version"),
        pytest.param(told({"custom_id": "vote:1"}, kind=3), id="a button that is none of ours"),
        pytest.param(told({"name": "Reset from here"}), id="a menu without its message"),
        pytest.param(told({}, kind=4), id="what somebody is typing"),
        pytest.param(asks(channel={"id": GENERAL, "type": 4}), id="a place where nobody can speak"),
        pytest.param(asks(member={}), id="nobody"),
    ],
)
def test_what_the_bot_does_not_offer_can_still_be_answered(body: dict[str, Any]) -> None:
    assert read_interaction(body) is None
    assert read_call(body) == CALL


def test_a_token_is_good_for_fourteen_minutes_from_when_it_was_made() -> None:
    call = Call(id_at(1_700_000_000.0), "the token", CALL.application_id)

    assert call.good_until == pytest.approx(1_700_000_840.0, abs=0.01)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([ADA, "ask", "reset"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*told({}), "name", "options", "resolved", "messages", "target_id", "custom_id", "id", "type"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(list(told({}))), JSON), JSON)
def test_anything_at_all_can_be_told(more: dict[str, Any], data: Any) -> None:
    for body in (more, {**told({}), **more}, told({"name": "ask", "options": data, "resolved": data})):
        read_interaction(body)
        read_call(body)
