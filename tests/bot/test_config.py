import os
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.config import VARIABLES, Settings, read_settings
from bot.errors import SettingsError
from bot.limits import Limits
from bot.policy import Follow, Names, Policy

ROOT = Path(__file__).parents[2]
TOKEN = "sixteen-is-enough"


def refused(variables: Mapping[str, str], env_file: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        read_settings(variables, env_file)
    return str(caught.value)


def test_with_nothing_set_the_page_runs_on_loopback_and_the_offline_model_answers() -> None:
    settings = read_settings({}, None)

    assert settings.gemini.api_key is None
    assert (settings.web.host, settings.web.port, settings.web.enabled) == ("127.0.0.1", 8080, True)
    assert settings.database.path == Path("clew.db")
    assert settings.limits == Limits()
    assert settings.policy == Policy()
    assert settings.bot.concurrency == 1000
    assert settings.bot.drain_seconds == 8


def test_every_variable_reaches_its_setting(tmp_path: Path) -> None:
    tools = tmp_path / "tools.toml"
    tools.write_text('[[everywhere]]\ntype = "google_maps"\n')
    settings = read_settings(
        {
            "GEMINI_API_KEY": "key-of-somebody",
            "GEMINI_MODEL": "gemini-4-hydrogen",
            "GEMINI_FALLBACK_MODELS": "gemini-3.8-flash, gemini-3.1-flash-lite",
            "GEMINI_IMAGE_MODEL": "gemini-3-pro-image",
            "GEMINI_RESEARCH_AGENT": "deep-research-max-preview-04-2026",
            "GEMINI_BASE_URL": "https://gateway.example/gemini/",
            "GEMINI_API_VERSION": "v1beta",
            "GEMINI_TIER": "Free",
            "SLACK_BOT_TOKEN": "xoxb-1",
            "SLACK_APP_TOKEN": "xapp-1",
            "SLACK_SIGNING_SECRET": "8f742231b10e8888abcd99yyyzzz85a5",
            "SLACK_PORT": "0",
            "SLACK_API_URL": "http://127.0.0.1:8181/api/",
            "SLACK_FILE_HOSTS": "Files.slack.com, 127.0.0.1:8181,",
            "DISCORD_TOKEN": "of-discord",
            "DISCORD_API_URL": "http://127.0.0.1:8182/api/v10",
            "DISCORD_GATEWAY_URL": "ws://127.0.0.1:8182/gw",
            "DISCORD_FILE_HOSTS": "127.0.0.1",
            "DATABASE_URL": "sqlite:////data/clew.db",
            "WEB_HOST": "0.0.0.0",
            "WEB_PORT": "0",
            "WEB_TOKEN": TOKEN,
            "WEB_ENABLED": "no",
            "CLEW_SYSTEM_PROMPT": "You are a pirate.",
            "CLEW_FOLLOW": "Mention",
            "CLEW_GUESTS": "on",
            "CLEW_OUTSIDERS": "true",
            "CLEW_ALLOW_INSTALLATIONS": "T1, T2",
            "CLEW_ALLOW_CHANNELS": "C1",
            "CLEW_ALLOW_PEOPLE": "U1,",
            "CLEW_BLOCK_INSTALLATIONS": "T3",
            "CLEW_BLOCK_CHANNELS": "C3",
            "CLEW_BLOCK_PEOPLE": "U3,U4",
            "CLEW_PRIVATE": "on",
            "CLEW_PRIVATE_CHANNELS": "C1, C2",
            "CLEW_RETENTION_DAYS": "30",
            "CLEW_DAILY_TURNS_PER_PERSON": "20",
            "CLEW_DAILY_TURNS": "500",
            "CLEW_DAILY_RESEARCH": "2",
            "CLEW_RESEARCH_MINUTES": "30",
            "CLEW_RESEARCH_WAIT_SECONDS": "0",
            "CLEW_RESEARCH_POLL_SECONDS": "5",
            "CLEW_BACKGROUND": "Never",
            "CLEW_BACKGROUND_SECONDS": "30",
            "CLEW_CONCURRENCY": "10",
            "CLEW_DRAIN_SECONDS": "0",
            "CLEW_TURN_SECONDS": "120",
            "CLEW_REFUSED_SECONDS": "10.5",
            "CLEW_SILENT_SECONDS": "30",
            "CLEW_INLINE_MB": "5",
            "CLEW_UPLOAD_MB": "50",
            "CLEW_CHAIN_TOKENS": "50000",
            "CLEW_CHAIN_TURNS": "40",
            "CLEW_LINKS": "on",
            "CLEW_TOOLS": "google_search",
            "CLEW_SEARCH_CHANNELS": "C1",
            "CLEW_TOOLS_FILE": str(tools),
            "CLEW_READ_LINKS": "off",
            "CLEW_FUNCTIONS": "warehouse, tools.more",
            "CLEW_LOG_FORMAT": "JSON",
            "CLEW_LOG_LEVEL": "warning",
        },
        None,
    )
    unset = read_settings({}, None)

    for group, field in VARIABLES.values():
        assert getattr(getattr(settings, group), field) != getattr(getattr(unset, group), field), field
    assert settings.gemini.base_url == "https://gateway.example/gemini"
    assert settings.slack.file_hosts == {"files.slack.com", "127.0.0.1:8181"}
    assert settings.database.path == Path("/data/clew.db")
    assert settings.limits == Limits(
        refused=10.5,
        silent=30,
        turn=120,
        long=None,
        run=1800,
        poll=5,
        warning=0,
        chain_turns=40,
        chain_tokens=50_000,
    )
    assert settings.policy == Policy(
        installations=Names(frozenset({"T1", "T2"}), frozenset({"T3"})),
        channels=Names(frozenset({"C1"}), frozenset({"C3"})),
        people=Names(frozenset({"U1"}), frozenset({"U3", "U4"})),
        daily_turns_per_person=20,
        daily_turns=500,
        follow=Follow.MENTION,
        guests=True,
        outsiders=True,
        private=True,
        private_channels=frozenset({"C1", "C2"}),
    )


def test_a_cap_of_nought_is_no_cap() -> None:
    assert read_settings({"CLEW_DAILY_TURNS": "0"}, None).policy.daily_turns is None


def test_research_is_switched_off_with_a_word() -> None:
    assert read_settings({}, None).gemini.agent == "deep-research-preview-04-2026"
    assert read_settings({"GEMINI_RESEARCH_AGENT": "Off"}, None).gemini.agent is None


def test_days_of_nought_are_for_ever() -> None:
    assert read_settings({"CLEW_RETENTION_DAYS": "0"}, None).bot.retention_days is None


def test_limits_of_nought_let_chains_grow() -> None:
    limits = read_settings({"CLEW_CHAIN_TOKENS": "0", "CLEW_CHAIN_TURNS": "0"}, None).limits

    assert (limits.chain_tokens, limits.chain_turns) == (0, 0)


def test_a_variable_set_to_nothing_counts_as_not_set() -> None:
    assert read_settings({"GEMINI_API_KEY": "", "WEB_PORT": "  ", "CLEW_SYSTEM_PROMPT": "\n"}, None) == read_settings(
        {}, None
    )


def test_blanks_around_a_value_are_not_part_of_it() -> None:
    key = read_settings({"GEMINI_API_KEY": " key-of-somebody\n"}, None).gemini.api_key
    assert key is not None
    assert key.get_secret_value() == "key-of-somebody"


@pytest.mark.parametrize(
    "key", ["AIzaSyA-classic", "AQ.new-style.with+slashes/=", "x"], ids=["a classic key", "a newer kind", "a short one"]
)
def test_a_key_is_not_judged_by_its_looks(key: str) -> None:
    assert read_settings({"GEMINI_API_KEY": key}, None).secrets == (key,)


def test_variables_of_other_programs_are_nobodys_business() -> None:
    others = {
        "GEMINI": "{",
        "WEB": "[",
        "BOT": "1",
        "SLACK_CLIENT_ID": "x",
        "WEB_CONCURRENCY": "4",
        "CLEW_TEST_BROWSER": "/b",
    }
    assert read_settings(others, None) == read_settings({}, None)


def test_discord_alone_is_enough_to_serve() -> None:
    settings = read_settings({"WEB_ENABLED": "false", "DISCORD_TOKEN": "of-discord"}, None)

    assert settings.discord.is_set
    assert settings.secrets == ("of-discord",)


@pytest.mark.parametrize(
    "ways_in",
    [{"SLACK_APP_TOKEN": "xapp-1-a"}, {"SLACK_SIGNING_SECRET": "8f7422"}],
    ids=["over Socket Mode", "over HTTP"],
)
def test_slack_alone_is_enough_to_serve(ways_in: dict[str, str]) -> None:
    settings = read_settings({"WEB_ENABLED": "false", "SLACK_BOT_TOKEN": "xoxb-1-b", **ways_in}, None)

    assert settings.slack.is_set
    assert set(settings.secrets) == {"xoxb-1-b", *ways_in.values()}


# --- what stops the start ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        pytest.param(
            {"GEMINI_BASE_URL": "https://gateway.example"},
            "GEMINI_BASE_URL is set and GEMINI_API_KEY is not; set the key that endpoint takes, or remove the URL.",
            id="an endpoint without a key",
        ),
        pytest.param(
            {"GEMINI_BASE_URL": "gateway.example", "GEMINI_API_KEY": "k"},
            "GEMINI_BASE_URL is 'gateway.example'; give a URL such as https://gateway.example.",
            id="an endpoint without a scheme",
        ),
        pytest.param(
            {"GEMINI_BASE_URL": "ftp://gateway.example", "GEMINI_API_KEY": "k"},
            "GEMINI_BASE_URL is 'ftp://gateway.example'; give a URL such as https://gateway.example.",
            id="an endpoint that is not http",
        ),
        pytest.param(
            {"GEMINI_BASE_URL": "https://gateway.example:port", "GEMINI_API_KEY": "k"},
            "GEMINI_BASE_URL is not a URL; give one such as https://gateway.example.",
            id="an endpoint with a broken port",
        ),
        pytest.param(
            {"GEMINI_BASE_URL": "https://gateway.example/v1beta/", "GEMINI_API_KEY": "k"},
            "GEMINI_BASE_URL ends in a version, 'v1beta'; leave that to GEMINI_API_VERSION.",
            id="an endpoint with a version",
        ),
        pytest.param(
            {"GEMINI_BASE_URL": "https://gateway.example/?key=1", "GEMINI_API_KEY": "k"},
            "GEMINI_BASE_URL holds a ? or a #; give the address alone.",
            id="an endpoint with a query",
        ),
        pytest.param(
            {"GEMINI_BASE_URL": "https://me:password@gateway.example", "GEMINI_API_KEY": "k"},
            "GEMINI_BASE_URL holds a user name or a password; put the key into GEMINI_API_KEY.",
            id="an endpoint with a password",
        ),
        pytest.param(
            {"GEMINI_BASE_URL": "http://gateway.example", "GEMINI_API_KEY": "k"},
            "GEMINI_BASE_URL is 'http://gateway.example'; give an https address, since the key travels with every "
            "request.",
            id="a key over plain http",
        ),
        pytest.param(
            {"GEMINI_API_KEY": "two words"},
            "GEMINI_API_KEY holds a blank, a line break or a character outside ASCII; copy it again, in one piece.",
            id="a key with a blank",
        ),
        pytest.param(
            {"GEMINI_API_KEY": "two\nlines"},
            "GEMINI_API_KEY holds a blank, a line break or a character outside ASCII; copy it again, in one piece.",
            id="a key with a line break",
        ),
        pytest.param(
            {"GEMINI_MODEL": "the best one"},
            "GEMINI_MODEL is 'the best one'; give one word without blanks.",
            id="a model that is a phrase",
        ),
        pytest.param(
            {"GEMINI_API_VERSION": "1"},
            "GEMINI_API_VERSION is '1'; give a version such as v1 or v1beta.",
            id="a version without its v",
        ),
        pytest.param(
            {"DATABASE_URL": "mysql://localhost/clew"},
            "DATABASE_URL begins with 'mysql'; give sqlite:///relative/path or sqlite:////absolute/path.",
            id="a foreign database",
        ),
        pytest.param(
            {"DATABASE_URL": "clew.db"},
            "DATABASE_URL has no scheme; give sqlite:///relative/path or sqlite:////absolute/path.",
            id="a bare path",
        ),
        pytest.param(
            {"DATABASE_URL": "postgresql://clew:password@localhost/clew"},
            "DATABASE_URL names a PostgreSQL database, which a later version can use; give sqlite:///clew.db.",
            id="postgres before its time",
        ),
        pytest.param(
            {"DATABASE_URL": "sqlite://clew.db"},
            "DATABASE_URL has too few slashes; give sqlite:///relative/path or sqlite:////absolute/path.",
            id="too few slashes",
        ),
        pytest.param(
            {"DATABASE_URL": "sqlite:///:memory:"},
            "DATABASE_URL names no file; give sqlite:///relative/path or sqlite:////absolute/path.",
            id="a database that forgets",
        ),
        pytest.param(
            {"DATABASE_URL": "sqlite:///clew.db?mode=ro"},
            "DATABASE_URL holds a ? or a #; give the path alone.",
            id="a database with options",
        ),
        pytest.param(
            {"WEB_HOST": "192.0.2.1"},
            "WEB_HOST is '192.0.2.1', which other machines can reach, and WEB_TOKEN is not set; set WEB_TOKEN to at "
            "least 16 characters, or WEB_HOST to 127.0.0.1.",
            id="an open door",
        ),
        pytest.param(
            {"WEB_HOST": "127.0.0.1:9000"},
            "WEB_HOST is '127.0.0.1:9000'; give an address such as 127.0.0.1 or 0.0.0.0, without a port.",
            id="a host with a port",
        ),
        pytest.param(
            {"WEB_HOST": "127.0.0.256"},
            "WEB_HOST is '127.0.0.256'; give an address such as 127.0.0.1 or 0.0.0.0, without a port.",
            id="almost an address",
        ),
        pytest.param(
            {"WEB_PORT": "http"},
            "WEB_PORT is 'http'; give a port from 0 to 65535, where 0 takes any free one.",
            id="a port that is a word",
        ),
        pytest.param(
            {"WEB_PORT": "٨٠٨٠"},
            "WEB_PORT is '٨٠٨٠'; give a port from 0 to 65535, where 0 takes any free one.",
            id="a port in digits nobody types here",
        ),
        pytest.param(
            {"WEB_PORT": "65536"},
            "WEB_PORT is '65536'; give a port from 0 to 65535, where 0 takes any free one.",
            id="a port too high",
        ),
        pytest.param(
            {"WEB_TOKEN": "fifteen-letters"}, "WEB_TOKEN has 15 characters; give at least 16.", id="a short token"
        ),
        pytest.param({"WEB_ENABLED": "maybe"}, "WEB_ENABLED is 'maybe'; give true or false.", id="neither on nor off"),
        pytest.param(
            {"WEB_ENABLED": "false"},
            "WEB_ENABLED is false and no platform is set up, so there is nothing to serve; set WEB_ENABLED=true, or "
            "SLACK_BOT_TOKEN and what goes with it, or DISCORD_TOKEN.",
            id="nothing to serve",
        ),
        pytest.param(
            {"SLACK_BOT_TOKEN": "xoxb-1"},
            "SLACK_BOT_TOKEN is set, and neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is; set SLACK_APP_TOKEN "
            "(xapp-...) for Socket Mode, or SLACK_SIGNING_SECRET for events over HTTP.",
            id="Slack without a way in",
        ),
        pytest.param(
            {"SLACK_APP_TOKEN": "xapp-1"},
            "SLACK_APP_TOKEN is set and SLACK_BOT_TOKEN is not; set the bot token (xoxb-...) that your app shows under "
            "OAuth & Permissions, or remove SLACK_APP_TOKEN.",
            id="an app token alone",
        ),
        pytest.param(
            {"SLACK_SIGNING_SECRET": "8f74"},
            "SLACK_SIGNING_SECRET is set and SLACK_BOT_TOKEN is not; set the bot token (xoxb-...) that your app shows "
            "under OAuth & Permissions, or remove SLACK_SIGNING_SECRET.",
            id="a signing secret alone",
        ),
        pytest.param(
            {"SLACK_BOT_TOKEN": "xapp-1-secret", "SLACK_APP_TOKEN": "xoxb-1-secret"},
            "SLACK_BOT_TOKEN holds an app-level token, which belongs in SLACK_APP_TOKEN; give the token that begins "
            "with xoxb-.\nSLACK_APP_TOKEN holds a bot token, which belongs in SLACK_BOT_TOKEN; give the token that "
            "begins with xapp-.",
            id="tokens swapped",
        ),
        pytest.param(
            {"SLACK_BOT_TOKEN": "xoxp-1-secret", "SLACK_APP_TOKEN": "xapp-1"},
            "SLACK_BOT_TOKEN holds a user token, which Clew has no use for; give the token that begins with xoxb-.",
            id="a user token",
        ),
        pytest.param(
            {"SLACK_BOT_TOKEN": "of-something-else", "SLACK_APP_TOKEN": "xapp-1"},
            "SLACK_BOT_TOKEN does not begin with xoxb-; copy the token again, in one piece.",
            id="no token of Slack",
        ),
        pytest.param(
            {"SLACK_SIGNING_SECRET": "8f 74", "SLACK_BOT_TOKEN": "xoxb-1"},
            "SLACK_SIGNING_SECRET holds a blank, a line break or a character outside ASCII; copy it again, in one "
            "piece.",
            id="a signing secret with a blank",
        ),
        pytest.param(
            {"SLACK_API_URL": "https://slack.com/api"},
            "SLACK_API_URL is 'https://slack.com/api'; give a URL that ends in /api/.",
            id="an API without its last slash",
        ),
        pytest.param(
            {"SLACK_API_URL": "http://slack.com/api/"},
            "SLACK_API_URL is 'http://slack.com/api/'; give an https address, since the token travels with every call.",
            id="a token over plain http",
        ),
        pytest.param(
            {"SLACK_API_URL": "slack.com/api/"},
            "SLACK_API_URL is 'slack.com/api/'; give a URL such as https://slack.com/api/.",
            id="an API without a scheme",
        ),
        pytest.param(
            {"SLACK_API_URL": "https://me:password@slack.com/api/"},
            "SLACK_API_URL holds a user name or a password; give the address alone.",
            id="an API with a password",
        ),
        pytest.param(
            {"SLACK_API_URL": "https://slack.com:x/api/"},
            "SLACK_API_URL is not a URL; give one such as https://slack.com/api/.",
            id="an API with a broken port",
        ),
        pytest.param(
            {"DISCORD_API_URL": "https://discord.com/api/"},
            "DISCORD_API_URL is 'https://discord.com/api/'; give a URL that ends in /api/v10.",
            id="Discord's address without a version",
        ),
        pytest.param(
            {"DISCORD_GATEWAY_URL": "https://gateway.discord.gg/"},
            "DISCORD_GATEWAY_URL is 'https://gateway.discord.gg/'; give a URL such as wss://gateway.discord.gg/.",
            id="a gateway that is no socket",
        ),
        pytest.param(
            {"DISCORD_GATEWAY_URL": "ws://gateway.discord.gg/"},
            "DISCORD_GATEWAY_URL is 'ws://gateway.discord.gg/'; give a wss address, since the token travels with every "
            "call.",
            id="a gateway that everybody can listen to",
        ),
        pytest.param(
            {"SLACK_FILE_HOSTS": "https://files.slack.com"},
            "SLACK_FILE_HOSTS holds 'https://files.slack.com'; give names like files.example.org, with commas between "
            "them.",
            id="a file host that is a URL",
        ),
        pytest.param(
            {"SLACK_FILE_HOSTS": "files.slack.com:0"},
            "SLACK_FILE_HOSTS holds 'files.slack.com:0'; give names like files.example.org, with commas between them.",
            id="a file host with no port at all",
        ),
        pytest.param(
            {"SLACK_FILE_HOSTS": "*.slack.com"},
            "SLACK_FILE_HOSTS holds '*.slack.com'; give names like files.example.org, with commas between them.",
            id="a pattern of file hosts",
        ),
        pytest.param(
            {"SLACK_FILE_HOSTS": ","},
            "SLACK_FILE_HOSTS names no host; give names like files.example.org, with commas between them.",
            id="no file hosts",
        ),
        pytest.param(
            {"CLEW_FOLLOW": "everybody"},
            "CLEW_FOLLOW is 'everybody'; give smart, always or mention.",
            id="a way of following there is not",
        ),
        pytest.param({"CLEW_GUESTS": "some"}, "CLEW_GUESTS is 'some'; give on or off.", id="some guests"),
        pytest.param(
            {"CLEW_ALLOW_PEOPLE": "U1 U2"},
            "CLEW_ALLOW_PEOPLE holds 'U1 U2'; put commas, and nothing else, between the ids.",
            id="a list with blanks",
        ),
        pytest.param(
            {"CLEW_DAILY_TURNS": "-1"},
            "CLEW_DAILY_TURNS is '-1'; give a whole number of turns, or 0 for no cap.",
            id="a negative cap",
        ),
        pytest.param(
            {"CLEW_CHAIN_TOKENS": "500"},
            "CLEW_CHAIN_TOKENS is '500'; give a whole number of tokens from 10000 to 1000000000, or 0 for never.",
            id="a chain of hardly anything",
        ),
        pytest.param(
            {"CLEW_RETENTION_DAYS": "a month"},
            "CLEW_RETENTION_DAYS is 'a month'; give a whole number of days, or 0 to keep for ever.",
            id="a time in words",
        ),
        pytest.param({"GEMINI_TIER": "gold"}, "GEMINI_TIER is 'gold'; give free or paid.", id="a tier there is not"),
        pytest.param(
            {"CLEW_DAILY_TURNS_PER_PERSON": "2.5"},
            "CLEW_DAILY_TURNS_PER_PERSON is '2.5'; give a whole number of turns, or 0 for no cap.",
            id="half a turn",
        ),
        pytest.param(
            {"CLEW_CONCURRENCY": "0"},
            "CLEW_CONCURRENCY is '0'; give a whole number from 1 to 100000.",
            id="nobody answered",
        ),
        pytest.param(
            {"CLEW_DRAIN_SECONDS": "-0.1"},
            "CLEW_DRAIN_SECONDS is '-0.1'; give a number of seconds, 0 or more.",
            id="a negative time",
        ),
        pytest.param(
            {"CLEW_TURN_SECONDS": "nan"},
            "CLEW_TURN_SECONDS is 'nan'; give a number of seconds above 0.",
            id="not a number",
        ),
        pytest.param(
            {"CLEW_REFUSED_SECONDS": "0"},
            "CLEW_REFUSED_SECONDS is '0'; give a number of seconds above 0.",
            id="no time at all",
        ),
        pytest.param(
            {"CLEW_SILENT_SECONDS": "60s"},
            "CLEW_SILENT_SECONDS is '60s'; give a number of seconds above 0.",
            id="a number with a unit",
        ),
        pytest.param(
            {"CLEW_INLINE_MB": "1000"},
            "CLEW_INLINE_MB is '1000'; give a whole number of megabytes from 1 to 70.",
            id="more than a request holds",
        ),
        pytest.param(
            {"CLEW_LOG_FORMAT": "xml"}, "CLEW_LOG_FORMAT is 'xml'; give text or json.", id="a format there is not"
        ),
        pytest.param(
            {"CLEW_LOG_LEVEL": "loud"},
            "CLEW_LOG_LEVEL is 'loud'; give debug, info, warning or error.",
            id="a level there is not",
        ),
        pytest.param(
            {"CLEW_DAILY_TURN": "5"},
            "CLEW_DAILY_TURN is not a setting of this version; did you mean CLEW_DAILY_TURNS?",
            id="a name with a slip",
        ),
        pytest.param(
            {"clew_concurrency": "5"},
            "clew_concurrency is not a setting of this version; did you mean CLEW_CONCURRENCY?",
            id="a name in lower case",
        ),
        pytest.param(
            {"CLEW_ZZZ": "5"},
            "CLEW_ZZZ is not a setting of this version; .env.example lists the settings there are.",
            id="a name like no other",
        ),
    ],
)
def test_a_wrong_or_half_set_value_stops_the_start_with_one_sentence(
    variables: Mapping[str, str], sentence: str
) -> None:
    assert refused(variables) == sentence


@pytest.mark.parametrize("name", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_loopback_needs_no_token_and_takes_plain_http(name: str) -> None:
    in_url = f"[{name}]" if name == "::1" else name
    settings = read_settings(
        {"WEB_HOST": name, "GEMINI_API_KEY": "k", "GEMINI_BASE_URL": f"http://{in_url}:8081"}, None
    )
    assert settings.web.token is None


def test_several_mistakes_are_told_at_once_a_sentence_each() -> None:
    told = refused({"WEB_PORT": "x", "CLEW_CONCURRENCY": "many", "CLEW_DRAIN": "3"}).splitlines()

    assert [sentence.split()[0] for sentence in told] == ["CLEW_DRAIN", "WEB_PORT", "CLEW_CONCURRENCY"]


# --- secrets ----------------------------------------------------------------------------------


def test_a_secret_is_in_no_picture_of_the_settings() -> None:
    settings = read_settings({"GEMINI_API_KEY": "the-key-itself", "WEB_TOKEN": TOKEN}, None)

    for picture in (repr(settings), str(settings), settings.model_dump_json(), f"{settings.gemini} {settings.web}"):
        assert "the-key-itself" not in picture
        assert TOKEN not in picture
    assert settings.secrets == ("the-key-itself", TOKEN)


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"GEMINI_API_KEY": "hush hush"}, id="a broken key"),
        pytest.param({"WEB_TOKEN": "hush"}, id="a short token"),
        pytest.param({"DATABASE_URL": "postgresql://clew:hush@db/clew"}, id="a password in the database's URL"),
        pytest.param({"DATABASE_URL": "mysql://clew:hush@db/clew"}, id="a password for a foreign database"),
        pytest.param({"GEMINI_BASE_URL": "https://hush@x.example", "GEMINI_API_KEY": "hush"}, id="a key in the URL"),
        pytest.param({"GEMINI_API_KEY": "hush", "WEB_PORT": "x"}, id="a good key beside a mistake"),
    ],
)
def test_a_secret_is_in_no_error_nor_in_its_traceback(variables: Mapping[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(variables, None)

    assert "hush" not in "".join(traceback.format_exception(caught.value))


def test_settings_cannot_be_changed() -> None:
    settings = read_settings({}, None)
    with pytest.raises(ValidationError):
        settings.web.port = 1  # type: ignore[misc]  # it is what is tried here
    with pytest.raises(ValidationError):
        settings.web = settings.web  # type: ignore[misc]  # it is what is tried here


# --- the file ---------------------------------------------------------------------------------


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("# mine\nWEB_PORT=1\nexport GEMINI_MODEL='gemini-4-carbon' # the best\n")

    settings = read_settings({"WEB_PORT": "2"}, env_file)

    assert (settings.web.port, settings.gemini.model) == (2, "gemini-4-carbon")


def test_a_file_value_is_taken_as_it_stands(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_bytes(b'\xef\xbb\xbfGEMINI_API_KEY=a${HOME}b\r\nCLEW_SYSTEM_PROMPT="Two\\nlines"\r\n')

    settings = read_settings({}, env_file)

    assert settings.secrets == ("a${HOME}b",)
    assert settings.bot.system_prompt == "Two\nlines"


def test_no_file_is_no_mistake(tmp_path: Path) -> None:
    assert read_settings({}, tmp_path / ".env") == read_settings({}, None)


def test_a_misspelt_name_in_the_file_stops_the_start_too(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("CLEW_LOG_FORMT=json\n")

    assert refused({}, env_file) == "CLEW_LOG_FORMT is not a setting of this version; did you mean CLEW_LOG_FORMAT?"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"WEB_PORT=1\nGEMINI_API_KEY\n", ", line 2, is not of the form NAME=value; ", id="a name alone"),
        pytest.param(b"WEB_PORT=1\n\n'oops\n", ", line 2, is not of the form NAME=value; ", id="an open quote"),
        pytest.param(b"WEB_TOKEN=\xff\xfe\n", " cannot be read (it is not UTF-8 text); ", id="bytes"),
    ],
)
def test_a_broken_file_stops_the_start(tmp_path: Path, content: bytes, reason: str) -> None:
    env_file = tmp_path / ".env"
    env_file.write_bytes(content)

    assert f"{env_file}{reason}" in refused({}, env_file)


def test_a_folder_in_the_files_place_stops_the_start(tmp_path: Path) -> None:
    assert refused({}, tmp_path) == f"{tmp_path} cannot be read (Is a directory); mend it, or move it away."


def test_left_to_itself_it_reads_the_process_and_the_file_where_it_was_started(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WEB_PORT=1234\nGEMINI_MODEL=from-file\n")
    told = subprocess.run(
        [sys.executable, "-c", "from bot.config import read_settings as r; s = r(); print(s.web.port, s.gemini.model)"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "GEMINI_MODEL": "from-environment", "WEB": "{"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert told.stdout == "1234 from-environment\n"


def test_every_setting_says_what_it_is() -> None:
    for group, field in VARIABLES.values():
        assert type(getattr(Settings(), group)).model_fields[field].description
