"""The manifest, the code and the page for admins say the same."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.slack.actions_payloads import read_shortcut, read_slash
from adapters.slack.checks import Refusal, app_token_sentence, bot_token_sentence, scopes_sentence
from adapters.slack.manifest import (
    COMMANDS,
    EVENTS,
    HTTP_PATH,
    NAME,
    SCOPES,
    SHORTCUTS,
    creation_link,
    manifest,
    manifest_text,
    missing_scopes,
    print_manifest,
)
from bot.config import read_settings
from bot.errors import SettingsError
from tests.adapters.slack.samples import ME, sample
from tests.support.slack.access import SCOPES as SCOPES_OF_METHODS

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs" / "slack.md").read_text(encoding="utf-8")
PROSE = " ".join(DOCS.split())
HISTORY = {"message.channels": "channels", "message.groups": "groups", "message.im": "im", "message.mpim": "mpim"}


def dug(value: Any, *path: str) -> Any:
    for name in path:
        value = value[name]
    return value


def test_the_manifest_is_within_slacks_limits() -> None:
    made = manifest()

    assert len(dug(made, "display_information", "name")) <= 35
    assert len(dug(made, "display_information", "description")) <= 140
    assert 175 <= len(dug(made, "display_information", "long_description")) <= 4_000
    for command in dug(made, "features", "slash_commands"):
        assert re.fullmatch(r"/[a-z-]{1,31}", command["command"])
        assert len(command["description"]) <= 2_000
        assert len(command["usage_hint"]) <= 1_000
    for shortcut in dug(made, "features", "shortcuts"):
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150


def test_people_can_write_to_the_app() -> None:
    home = dug(manifest(), "features", "app_home")

    assert home == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }


def test_socket_mode_needs_no_address() -> None:
    made = manifest()

    assert dug(made, "settings", "socket_mode_enabled") is True
    assert "http" not in json.dumps({**made, "display_information": {}})


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://clew.example.com", f"https://clew.example.com{HTTP_PATH}"),
        ("https://clew.example.com/", f"https://clew.example.com{HTTP_PATH}"),
        ("https://example.com:8443/bots/clew", "https://example.com:8443/bots/clew"),
    ],
)
def test_over_http_everything_comes_to_one_address(given: str, url: str) -> None:
    made = manifest(given)

    assert dug(made, "settings", "socket_mode_enabled") is False
    assert dug(made, "settings", "event_subscriptions", "request_url") == url
    assert dug(made, "settings", "interactivity", "request_url") == url
    assert {command["url"] for command in dug(made, "features", "slash_commands")} == {url}


@pytest.mark.parametrize(
    "given",
    [
        "http://clew.example.com",
        "clew.example.com",
        "https://",
        "https://a b",
        "https://[",
        "https://u:p@e.example",
        "https://e.example?x",
    ],
)
def test_an_address_slack_would_not_take_is_said_to_be_one(given: str) -> None:
    with pytest.raises(ValueError, match=r"give one such as|asks for one such as"):
        manifest(given)


def test_the_link_holds_the_manifest() -> None:
    for url in (None, "https://clew.example.com"):
        link = urlsplit(creation_link(url))
        query = parse_qs(link.query, strict_parsing=True)

        assert (link.scheme, link.netloc, link.path) == ("https", "api.slack.com", "/apps")
        assert query["new_app"] == ["1"]
        assert json.loads(query["manifest_json"][0]) == manifest(url)


def test_what_is_printed_is_the_manifest_and_the_link() -> None:
    printed = print_manifest("https://clew.example.com")
    text, _, rest = printed.partition("\n\n")

    assert json.loads(text) == manifest("https://clew.example.com")
    assert text == manifest_text("https://clew.example.com")
    assert creation_link("https://clew.example.com") in rest


def test_every_event_has_the_scope_it_needs() -> None:
    assert dug(manifest(), "settings", "event_subscriptions", "bot_events") == list(EVENTS)
    assert dug(manifest(), "oauth_config", "scopes", "bot") == list(SCOPES)
    for event, kind in HISTORY.items():
        assert event in EVENTS
        assert f"{kind}:history" in SCOPES
    assert {"app_mention"} <= set(EVENTS)
    assert {"app_mentions:read", "commands"} <= set(SCOPES)


def test_every_method_the_adapter_calls_is_allowed_by_a_scope() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "adapters" / "slack").glob("*.py")
        if path.name not in {"budget.py", "calls.py"}  # which name methods they never call
    )
    called = set(re.findall(r'"((?:[a-z]+\.)+[a-zA-Z]+)"', code)) & SCOPES_OF_METHODS.keys()

    assert {"chat.postMessage", "conversations.replies", "users.conversations", "files.info"} <= called
    for method in called:
        needed = SCOPES_OF_METHODS[method]
        assert not needed or set(needed) & set(SCOPES), method


def test_every_command_and_shortcut_of_the_manifest_is_understood() -> None:
    for command in COMMANDS:
        assert read_slash(sample("slash_command") | {"command": command}, ME) is not None
    for callback_id in SHORTCUTS:
        shortcut = read_shortcut(sample("message_shortcut") | {"callback_id": callback_id}, ME)
        assert shortcut is not None
        assert shortcut.command is not None


def test_missing_scopes_are_named_in_order() -> None:
    assert missing_scopes(",".join(SCOPES)) == []
    assert missing_scopes(" , ".join([*SCOPES, "reactions:write"])) == []
    assert missing_scopes("chat:write,commands") == [
        scope for scope in SCOPES if scope not in {"chat:write", "commands"}
    ]


# --- docs/slack.md ----------------------------------------------------------------------------


def test_the_page_links_to_this_very_manifest() -> None:
    assert f"]({creation_link()})" in DOCS


def test_the_page_lists_exactly_these_scopes_and_events() -> None:
    listed = re.findall(r"^\| `([a-z_:.]+)` \| (.+) \|$", DOCS, re.MULTILINE)

    assert listed == [*SCOPES.items(), *EVENTS.items()]


def test_the_page_tells_of_every_command_and_shortcut_and_of_no_other() -> None:
    assert set(re.findall(r"`(/(?:clew[a-z-]*|research))[ `]", DOCS)) == set(COMMANDS)
    for name, _ in SHORTCUTS.values():
        assert f"**{name}**" in DOCS
    assert f"`@{NAME} reset`" in DOCS
    assert HTTP_PATH in DOCS


def test_the_page_names_settings_that_there_are() -> None:
    operating = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")

    for name in set(re.findall(r"\b(?:SLACK|GEMINI|CLEW)_[A-Z_]+\b", DOCS)):
        assert f"`{name}`" in operating


def said_at_start(**environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read_settings(environ, None)
    return str(caught.value).splitlines()[0]


@pytest.mark.parametrize(
    "sentence",
    [
        pytest.param(said_at_start(SLACK_BOT_TOKEN="xoxb-1"), id="a bot token alone"),
        pytest.param(said_at_start(SLACK_APP_TOKEN="xapp-1"), id="an app token alone"),
        pytest.param(said_at_start(SLACK_BOT_TOKEN="xapp-1", SLACK_APP_TOKEN="xoxb-1"), id="tokens exchanged"),
        pytest.param(bot_token_sentence("invalid_auth"), id="a wrong bot token"),
        pytest.param(bot_token_sentence("token_revoked"), id="a revoked bot token"),
        pytest.param(scopes_sentence(["files:read"]), id="a missing scope"),
        pytest.param(app_token_sentence(Refusal("missing_scope")), id="an app token without its scope"),
        pytest.param(app_token_sentence(Refusal("invalid_auth")), id="a wrong app token"),
        pytest.param(app_token_sentence(Refusal("forbidden_team")), id="no Socket Mode"),
    ],
)
def test_the_page_explains_the_sentences_that_end_a_start(sentence: str) -> None:
    assert f"> {sentence}" in PROSE


def test_the_page_explains_no_sentence_that_is_never_said() -> None:
    assert len(re.findall(r"^> ", DOCS, re.MULTILINE)) == 9
