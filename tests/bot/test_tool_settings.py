"""The settings of tools: what they come to, and one sentence for every mistake, in which no secret is."""

import traceback
from pathlib import Path

import pytest

from bot.cli import outlook
from bot.config import read_settings
from bot.errors import SettingsError
from bot.messages import Platform, Thread

HEADER = "Bearer hush-hush-hush"
GOOD = f"""
[[everywhere]]
type = "google_maps"
latitude = 47.4

[[channels.C0123]]
type = "mcp_server"
name = "tickets"
url = "https://mcp.example.org/?key=also-hush"
headers = {{ Authorization = "{HEADER}", version = "2" }}
"""


def test_names_and_file_come_together_in_the_threads_of_a_channel(tmp_path: Path) -> None:
    file = tmp_path / "tools.toml"
    file.write_text(GOOD)
    settings = read_settings(
        {"CLEW_TOOLS": "code_execution", "CLEW_SEARCH_CHANNELS": "C0123, page", "CLEW_TOOLS_FILE": str(file)}, None
    )

    offered = settings.toolbox.offered_in(Thread(Platform("slack"), "T1", "C0123", "1.2"), is_private=False)
    assert [tool["type"] for tool in offered] == ["code_execution", "google_maps", "mcp_server", "google_search"]
    assert offered[1] == {"type": "google_maps", "latitude": 47.4}
    told = "\n".join(outlook(settings))
    assert "tools     code_execution, google_maps\n" in told
    assert "in C0123: code_execution, google_maps, mcp_server tickets, google_search\n" in told
    assert "in page: code_execution, google_maps, google_search\n" in told
    assert "hush" not in told + repr(settings) + settings.model_dump_json() + repr(settings.bot)
    assert set(settings.secrets) == {HEADER, "hush-hush-hush", "https://mcp.example.org/?key=also-hush"}


def test_pages_are_read_as_a_rule_and_nothing_is_offered_on_demand() -> None:
    assert read_settings({}, None).toolbox.everywhere == ({"type": "url_context"},)
    assert read_settings({"CLEW_TOOLS": "none"}, None).toolbox.everywhere == ()
    assert "none; CLEW_TOOLS offers some" in "\n".join(outlook(read_settings({"CLEW_TOOLS": "none"}, None)))


def test_a_tool_that_is_named_and_described_is_offered_once_as_it_is_described(tmp_path: Path) -> None:
    file = tmp_path / "tools.toml"
    file.write_text('[[everywhere]]\ntype = "google_search"\nsearch_types = ["web_search"]')
    settings = read_settings({"CLEW_TOOLS": "google_search, url_context", "CLEW_TOOLS_FILE": str(file)}, None)

    assert settings.toolbox.everywhere == (
        {"type": "url_context"},
        {"type": "google_search", "search_types": ["web_search"]},
    )


@pytest.mark.parametrize("name", ["none, url_context", "url_context,none"])
def test_none_stands_alone(name: str) -> None:
    with pytest.raises(SettingsError, match="CLEW_TOOLS holds none beside names; give none alone"):
        read_settings({"CLEW_TOOLS": name}, None)
    assert read_settings({"CLEW_TOOLS": "none, none"}, None).toolbox.everywhere == ()


@pytest.mark.parametrize("variable", ["CLEW_SEARCH_CHANNELS", "CLEW_PRIVATE_CHANNELS"])
@pytest.mark.parametrize(
    "name", ["#general", "general", "<#C0123|general>", "https://x.slack.com/archives/C0123", "web"]
)
def test_what_is_no_channels_id_stops_the_start(variable: str, name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({variable: f"C0123, {name}"}, None)

    assert str(caught.value) == (
        f"{variable} holds {name!r}, which is no channel's id; give ids such as C0123ABCD (Slack), "
        "123456789012345678 (Discord) or page."
    )


@pytest.mark.parametrize("name", ["google_serch", "google_maps"])
def test_an_unknown_name_stops_the_start(name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"CLEW_TOOLS": name}, None)

    assert str(caught.value).startswith("CLEW_TOOLS holds ")
    assert str(caught.value).endswith(
        "give google_search, url_context, code_execution or none, and put other tools into CLEW_TOOLS_FILE."
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(None, "there is no such file; give the path of one.", id="no such file"),
        pytest.param(
            b"\xff\xfe", "cannot be read (it is not UTF-8 text); give the path of a TOML file.", id="not text"
        ),
        pytest.param(b'type = "hush"\n[[everywhere\n', "which is not TOML at line 2; mend it.", id="not TOML"),
        pytest.param(b'x = "hush', "which is not TOML", id="an end in the middle"),
        pytest.param(b'[[anywhere]]\ntype = "hush"', "has 'anywhere' in its file; begin each", id="another table"),
        pytest.param(b'[everywhere]\ntype = "hush"', "begin each tool with [[everywhere]], in two", id="one bracket"),
        pytest.param(b'[channels.C1]\ntype = "hush"', "with [[channels.C1]], in two", id="one bracket for a channel"),
        pytest.param(
            b'[[channels.general]]\ntype = "hush"', "[[channels.general]] in its file, which is no", id="a name"
        ),
        pytest.param(b'channels = "hush"', "has a wrong channels in its file", id="no channels"),
        pytest.param(
            b'[[everywhere]]\ntype = "a"\n[[everywhere]]\nname = "hush"',
            'without a type in its file, number 2 of [[everywhere]]; give one such as type = "google_maps".',
            id="no type",
        ),
        pytest.param(b'[[channels.C1]]\ntype = "hush hush"', "number 1 of [[channels.C1]]", id="a type that is none"),
        pytest.param(b'[[everywhere]]\ntype = "function"', "nobody would run it, so take it out.", id="a function"),
        pytest.param(b'[[everywhere]]\ntype = "a"\nheaders = "hush"', "wrong headers in its file", id="no headers"),
        pytest.param(b'[[everywhere]]\ntype = "a"\nx = 2024-01-01', "so put it in quotes.", id="a date"),
        pytest.param(b'[[everywhere]]\ntype = "a"\nx = inf', "so put it in quotes.", id="no number"),
    ],
)
def test_a_wrong_file_stops_the_start_with_one_sentence(content: bytes | None, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "tools.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        read_settings({"CLEW_TOOLS_FILE": str(file)}, None)

    told = str(caught.value)
    assert told.startswith("CLEW_TOOLS_FILE ")
    assert sentence in told
    assert "\n" not in told
    assert "hush" not in "".join(traceback.format_exception(caught.value))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_settings({"CLEW_TOOLS_FILE": str(tmp_path)}, None)
