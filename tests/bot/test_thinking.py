"""What the model is doing, in one line that holds letters and nothing else."""

import pytest

from bot.answers import Answer, Draft, TextPiece, Thought, ToolUse
from bot.thinking import LONGEST, doing, passage


@pytest.mark.parametrize(
    ("thoughts", "line"),
    [
        pytest.param("", None, id="nothing"),
        pytest.param(" \n\n", None, id="blanks"),
        pytest.param("**Weighing the options**\n\nI look at both.", "Weighing the options", id="a headline"),
        pytest.param("**One**\n\nFirst.\n\n**Two**\n\nThen.", "Two", id="the newest of two"),
        pytest.param("**One**\n\nFirst.\n\n**Tw", "One", id="one that is not whole yet"),
        pytest.param("## Looking it up\nSo far.", "Looking it up", id="a heading"),
        pytest.param("I look at both.\nThen I choose.", "Then I choose.", id="no headline, the last line"),
        pytest.param("**See [here](https://evil.example/x) now**", "See here now", id="a link"),
        pytest.param("**Go to https://evil.example/x or www.evil.example**", "Go to … or …", id="addresses"),
        pytest.param("**@everyone <@U123> <!here>**", "＠everyone ‹＠U123› ‹!here›", id="mentions"),
        pytest.param("**a `b` _c_ ~d~ ||e||**", "a b c d e", id="markup"),
        pytest.param("**\u202egnikniht\x00**", "gnikniht", id="what nobody sees"),
        pytest.param("****\n****", None, id="nothing but marks"),
    ],
)
def test_the_line_is_the_newest_headline(thoughts: str, line: str | None) -> None:
    assert doing(Answer(thoughts=thoughts)) == line


def test_a_long_line_is_cut() -> None:
    line = doing(Answer(thoughts="**" + "weighing " * 40 + "**"))
    assert line is not None
    assert len(line) <= LONGEST
    assert line.endswith("…")


@pytest.mark.parametrize(
    ("tool", "line"),
    [
        pytest.param("google_search", "Searching the web", id="one that is known"),
        pytest.param("<!channel>", "Using a tool", id="one that is not"),
        pytest.param("url_context", "Reading a web page", id="a page"),
        pytest.param("code_execution", "Running code", id="code"),
        pytest.param("google_maps", "Looking at the map", id="maps"),
        pytest.param("file_search", "Looking through files", id="files"),
        pytest.param("asking tickets <@U1>", "Asking tickets ‹＠U1›", id="a server of tools"),
        pytest.param("summing up", "Summing up what was said before", id="a long thread being summed up"),
        pytest.param("reading film.mp4", "Reading film.mp4", id="a file on its way to the model"),
        pytest.param("reading <@U1>*.mp4", "Reading ‹＠U1›.mp4", id="one with a name that pings"),
        pytest.param("reading " + "a" * 99, "Reading " + "a" * 71 + "…", id="one with a long name"),
    ],
)
def test_a_tool_in_use_is_told_before_any_thought(tool: str, line: str) -> None:
    draft = Draft()
    draft.add(Thought("**Wondering**"))
    draft.add(ToolUse(tool))
    assert doing(draft.answer) == line


@pytest.mark.parametrize("event", [Thought("\n\n**Reading what was found**"), TextPiece("Here.")], ids=repr)
def test_a_tool_is_in_use_until_the_model_goes_on(event: Thought | TextPiece) -> None:
    draft = Draft()
    draft.add(ToolUse("google_search"))
    draft.add(event)
    assert draft.answer.tool is None


def test_a_passage_is_as_plain_and_no_longer_than_a_few_lines() -> None:
    assert passage("**Planning**\n\n- Ask <@U1>\n- See https://evil.example/x") == (
        "Planning",
        "- Ask ‹＠U1›",
        "- See …",
    )
    assert passage("\n\n****\n") == ()
    long = passage("\n".join(f"{number} " + "far " * 90 for number in range(40)))
    assert long[-1] == "…"
    assert sum(map(len, long)) < 700
