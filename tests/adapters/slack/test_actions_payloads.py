"""What people do beside writing: commands, buttons, shortcuts, the Home tab."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.actions_payloads import read_action, read_home_opened, read_shortcut, read_slash
from adapters.slack.places import SLACK, Link, read_link
from bot.commands import Command
from bot.messages import MessageId, Thread
from tests.adapters.slack.samples import ADA, DIRECT, GENERAL, ME, ROOT, TS, sample
from tests.adapters.slack.test_events import JSON, bent

LINK = "https://clew.slack.com/archives/C0GENERAL0/p1700000123000200?thread_ts=1700000000.000100&cid=C0GENERAL0"
LINKED = Thread(SLACK, "T0CLEWTEAM", GENERAL, ROOT)
CONVERSATION = Thread(SLACK, "T0CLEWTEAM", DIRECT, DIRECT)


@pytest.mark.parametrize(
    ("typed", "command", "thread", "has_bad_link"),
    [
        pytest.param("", Command.HELP, None, False, id="nothing asks for help"),
        pytest.param("help", Command.HELP, None, False, id="help"),
        pytest.param("Help me", Command.HELP, None, False, id="help with more words"),
        pytest.param("stop", Command.STOP, None, False, id="stop"),
        pytest.param("reset", Command.RESET, None, False, id="reset without a link"),
        pytest.param(f"reset {LINK}", Command.RESET, LINKED, False, id="reset with a link"),
        pytest.param(f"  RESET   <{LINK}|that> ", Command.RESET, LINKED, False, id="reset with an escaped link"),
        pytest.param("reset the router", Command.RESET, None, True, id="reset with something else"),
        pytest.param("what is a clew?", None, None, True, id="a question"),
    ],
)
def test_a_slash_command_is_read(
    typed: str, command: Command | None, thread: Thread | None, has_bad_link: bool
) -> None:
    slash = read_slash(sample("slash_command") | {"text": typed}, ME)

    assert slash is not None
    assert (slash.command, slash.thread, slash.has_bad_link) == (command, thread, has_bad_link)
    assert (slash.person.id, slash.channel_id, slash.is_direct) == (ADA, GENERAL, False)
    assert (slash.trigger_id, slash.response_url) == ("1.2.slash", "https://hooks.slack.com/commands/T0CLEWTEAM/1/x")


@pytest.mark.parametrize(
    ("typed", "command", "thread", "has_bad_link"),
    [
        pytest.param("", Command.RESET, None, False, id="alone"),
        pytest.param(LINK, Command.RESET, LINKED, False, id="with a link"),
        pytest.param("help", Command.HELP, None, False, id="asking for help"),
        pytest.param("now", Command.RESET, None, True, id="with something else"),
    ],
)
def test_the_short_reset_takes_a_link_only(
    typed: str, command: Command | None, thread: Thread | None, has_bad_link: bool
) -> None:
    slash = read_slash(sample("slash_command") | {"command": "/clew-reset", "text": typed}, ME)

    assert slash is not None
    assert (slash.command, slash.thread, slash.has_bad_link) == (command, thread, has_bad_link)


def test_a_command_in_a_direct_message_is_about_that_conversation() -> None:
    slash = read_slash(sample("slash_command_in_direct_message"), ME)

    assert slash is not None
    assert (slash.is_direct, slash.thread, slash.command) == (True, CONVERSATION, Command.RESET)


def test_somebody_elses_command_is_not_ours() -> None:
    assert read_slash(sample("slash_command") | {"command": "/remind"}, ME) is None


@pytest.mark.parametrize(
    ("text", "link"),
    [
        pytest.param(LINK, Link("clew.slack.com", GENERAL, MessageId(TS), ROOT), id="of a reply"),
        pytest.param(LINK.replace("&", "&amp;"), Link("clew.slack.com", GENERAL, MessageId(TS), ROOT), id="escaped"),
        pytest.param(
            "https://clew.slack.com/archives/C0GENERAL0/p1700000123000200",
            Link("clew.slack.com", GENERAL, MessageId(TS), None),
            id="of a parent",
        ),
        pytest.param("https://clew.slack.com/archives/C0GENERAL0", None, id="of a channel"),
        pytest.param("https://clew.slack.com/archives/C0GENERAL0/p17", None, id="cut short"),
        pytest.param(f"{LINK} please", None, id="with a word behind it"),
        pytest.param("javascript:/archives/C0GENERAL0/p1700000123000200", None, id="of no page"),
        pytest.param("https://[", None, id="no address at all"),
    ],
)
def test_a_link_to_a_message_is_read(text: str, link: Link | None) -> None:
    assert read_link(text) == link


def test_links_to_other_sites_and_messages_of_a_direct_line() -> None:
    def linked(url: str) -> Thread | None:
        slash = read_slash(sample("slash_command") | {"text": f"reset {url}"}, ME)
        assert slash is not None
        return slash.thread

    assert linked(LINK.replace("clew.slack.com", "clew.example.com")) is None
    assert linked(LINK.replace("clew.slack.com", "org.enterprise.slack.com")) == LINKED
    assert linked("https://clew.slack.com/archives/D0ADA00000/p1700000123000200") == CONVERSATION


def test_a_button_tells_its_turn_and_its_thread() -> None:
    pressed = read_action(sample("button"), ME)

    assert pressed is not None
    assert (pressed.action_id, pressed.turn) == ("clew_stop", "01HF000000000000000000TURN")
    assert (pressed.thread, pressed.message_id, pressed.is_ephemeral) == (LINKED, TS, False)
    assert (pressed.person.id, pressed.trigger_id) == (ADA, "1.2.click")


def test_a_button_in_a_direct_message_belongs_to_the_conversation() -> None:
    pressed = read_action(sample("button_in_direct_message"), ME)

    assert pressed is not None
    assert pressed.thread == CONVERSATION


def test_a_button_that_only_one_person_sees_tells_the_thread_it_stands_for() -> None:
    pressed = read_action(sample("button_only_one_person_sees"), ME)

    assert pressed is not None
    assert (pressed.chosen, pressed.turn, pressed.is_ephemeral) == (LINKED, None, True)


def test_a_button_on_the_home_tab_stands_in_no_thread() -> None:
    pressed = read_action(sample("button_on_the_home_tab"), ME)

    assert pressed is not None
    assert (pressed.thread, pressed.message_id, pressed.channel_id) == (None, None, None)


def test_whoever_clicks_from_elsewhere_names_the_same_thread() -> None:
    payload = sample("button")
    payload["team"]["id"] = payload["user"]["team_id"] = "T0ELSEWHER"

    pressed = read_action(payload, ME)

    assert pressed is not None
    assert pressed.thread == LINKED


def test_the_shortcut_is_about_the_thread_of_its_message() -> None:
    shortcut = read_shortcut(sample("message_shortcut"), ME)

    assert shortcut is not None
    assert (shortcut.command, shortcut.thread, shortcut.message_id) == (Command.RESET, LINKED, TS)
    assert (shortcut.person.id, shortcut.trigger_id, shortcut.channel_id) == (ADA, "1.2.shortcut", GENERAL)


def test_the_shortcut_on_a_message_without_replies_is_about_that_message() -> None:
    payload = sample("message_shortcut")
    del payload["message"]["thread_ts"]

    shortcut = read_shortcut(payload, ME)

    assert shortcut is not None
    assert shortcut.thread.thread_id == TS


def test_it_is_seen_who_opened_which_tab() -> None:
    opened = read_home_opened(sample("home_opened"), ME)

    assert opened is not None
    assert (opened.person.id, opened.tab) == (ADA, "home")
    assert read_home_opened(sample("message_with_mention"), ME) is None


@given(st.one_of(JSON, bent()))
def test_no_payload_whatever_raises(body: Any) -> None:
    for read in (read_slash, read_action, read_shortcut, read_home_opened):
        read(body, ME)
    pressed = read_action(body, ME)
    if pressed is not None:
        _ = pressed.turn, pressed.chosen


@given(st.text())
def test_no_text_whatever_is_too_odd_for_a_link(text: str) -> None:
    read_link(text)
    read_link(f"https://clew.slack.com/archives/{text}")
