"""Long Markdown is cut into pieces, each of which reads well alone."""

import re

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.chunks import LEAST_LIMIT, cuts, split

A, B = "a" * 40, "b" * 40
HEADER = "| a | b |\n|---|---|\n"
ROWS = [f"| row {number} | x |" for number in range(9)]
FAMILY = "👩‍👩‍👧"


@pytest.mark.parametrize(
    ("markdown", "pieces"),
    [
        pytest.param("", [], id="nothing has no pieces"),
        pytest.param(" \n\n\t\n", [], id="blanks have no pieces"),
        pytest.param("short", ["short"], id="a short text is one piece"),
        pytest.param("a" * 64, ["a" * 64], id="what just fits is one piece"),
        pytest.param(f"```\n{'a' * 56}\n```", [f"```\n{'a' * 56}\n```"], id="a fence that just fits is one piece"),
        pytest.param("\n\n  a \n\n", ["  a"], id="blanks around a text are left out"),
        pytest.param(f"{A}\n\nb b\nb b. {B}", [A, f"b b\nb b. {B}"], id="a blank line before anything else"),
        pytest.param(f"{A}\nb. b {B}", [A, f"b. b {B}"], id="the end of a line before that of a sentence"),
        pytest.param(f"{A}. b {B}", [f"{A}.", f"b {B}"], id="the end of a sentence before that of a word"),
        pytest.param(f"{'あ' * 40}。{'い' * 40}", [f"{'あ' * 40}。", "い" * 40], id="a sentence without a blank after it"),
        pytest.param(f"{A} b b {B}", [f"{A} b b", B], id="the end of a word"),
        pytest.param("a" * 100, ["a" * 64, "a" * 36], id="a word too long for a piece is cut"),
        pytest.param(f"a\n\n{B}b b{B}", [f"a\n\n{B}b", f"b{B}"], id="no cut leaves a piece nearly empty"),
        pytest.param(f"{A}\n\n\n \n{B}", [A, B], id="the blanks at a cut are in neither piece"),
        pytest.param(f"{A}{' ' * 500}{B}", [A, B], id="blanks without end are no text"),
        pytest.param(f"{A}\n\n## Title\n\n{B}", [A, f"## Title\n\n{B}"], id="a heading stays with what it heads"),
        pytest.param(f"a\n{A} `x` `{'b c ' * 5}` d", [f"a\n{A} `x`", f"`{'b c ' * 5}` d"], id="code in a line stays whole"),
        pytest.param(f"{A} [b b b b](https://example.com/x) c", [A, "[b b b b](https://example.com/x) c"], id="so do links"),
        pytest.param(f"{A} [b](https://e.com/x_(y)?z=123456) c", [A, "[b](https://e.com/x_(y)?z=123456) c"], id="odd links"),
        pytest.param(f"{A} <@U123 and a name|somebody or other> c", [A, "<@U123 and a name|somebody or other> c"], id="mentions"),
        pytest.param(f"{A} **bold and bold and bold and** c", [A, "**bold and bold and bold and** c"], id="emphasis"),
        pytest.param(f"{'a' * 63}e\u0301", ["a" * 63, "e\u0301"], id="an accent stays with its letter"),
        pytest.param(f"{'a' * 61}{FAMILY}", ["a" * 61, FAMILY], id="a family stays together"),
        pytest.param(f"{'a' * 61}🇫🇷🇩🇪🇮🇹", [f"{'a' * 61}🇫🇷", "🇩🇪🇮🇹"], id="a flag stays whole"),
        pytest.param(f"> {A} b\n", [f"> {A} b"], id="a short quote"),
        pytest.param(f"> {A} b {B}", [f"> {A} b", f"> {B}"], id="a quoted line that is cut is quoted again"),
        pytest.param(f"> {A}\n> {B}", [f"> {A}", f"> {B}"], id="quoted lines keep their own marks"),
        pytest.param(f"> > {A} b {B}", [f"> > {A} b", f"> > {B}"], id="a quote in a quote"),
        pytest.param(HEADER + "\n".join(ROWS[:4]), [HEADER + "\n".join(ROWS[:3]), HEADER + ROWS[3]], id="a table begins again with its header"),
        pytest.param(f"{HEADER}{ROWS[0]}\n| {'x ' * 18}|", [HEADER + ROWS[0], f"{HEADER}| {'x ' * 18}|"], id="a row stays whole"),
        pytest.param(f"{A}\n{HEADER}{ROWS[0]}", [A, HEADER + ROWS[0]], id="a header stays with its table"),
        pytest.param(f"| {A} |\n|---|\n| b |\n| {'c' * 30} |", [f"| {A} |\n|---|\n| b |", f"| {'c' * 30} |"], id="a header too long is not repeated"),
        pytest.param(f"- a\n  - {A}\n  - b\n  - {B}", [f"- a\n  - {A}\n  - b", f"- {B}"], id="a list within a list goes on as a list"),
    ],
)  # fmt: skip
def test_text_is_cut_where_it_hurts_least(markdown: str, pieces: list[str]) -> None:
    assert list(split(markdown, limit=64)) == pieces


CODE = [f"line {number} of the code" for number in range(9)]


def fenced(opening: str, lines: list[str], closing: str) -> str:
    return "\n".join([opening, *lines, closing])


@pytest.mark.parametrize(
    ("markdown", "pieces"),
    [
        pytest.param(fenced("```py", CODE[:4], "```"), [fenced("```py", CODE[:2], "```"), fenced("```py", CODE[2:4], "```")], id="closed and opened again with its language"),
        pytest.param(fenced("~~~~", CODE[:3], "~~~~"), [fenced("~~~~", CODE[:2], "~~~~"), fenced("~~~~", CODE[2:3], "~~~~")], id="of tildes, as long as it was"),
        pytest.param(fenced("```" + "x" * 20, CODE[:2], "```"), [fenced("```" + "x" * 20, CODE[:1], "```"), fenced("```", CODE[1:2], "```")], id="with a long opening line only once"),
        pytest.param(fenced("  ```", CODE[:3], "  ```"), [fenced("  ```", CODE[:2], "  ```"), "```\n" + CODE[2] + "\n```"], id="indented"),
        pytest.param(fenced("````", [*CODE[:2], "```", "`````"], ""), [fenced("````", CODE[:2], "````"), "````\n```\n`````"], id="closed only by as many marks"),
        pytest.param(fenced("```", [*CODE[:2], "``` no"], "```"), [fenced("```", CODE[:2], "```"), "```\n``` no\n```"], id="closed only by marks alone"),
        pytest.param(fenced("```", [*CODE[:2], "    ```"], "```"), [fenced("```", CODE[:2], "```"), "```\n    ```\n```"], id="not closed by an indented line"),
        pytest.param(fenced("```", CODE[:1], ""), [fenced("```", CODE[:1], "```")], id="closed though its text is not"),
        pytest.param(f"{A}\n```py\n{CODE[0]}\n```", [A, f"```py\n{CODE[0]}\n```"], id="not begun where it does not fit"),
        pytest.param("```\nf\n```\n" + A + "\n\nb\n\n" + B, [f"```\nf\n```\n{A}\n\nb", B], id="over when it is closed"),
        pytest.param(fenced("```", [CODE[0], "", *CODE[1:3]], "```"), [fenced("```", CODE[:1], "```"), fenced("```", CODE[1:3], "```")], id="cut at its blank lines"),
        pytest.param(f"```\n{'x' * 80}\n```", [f"```\n{'x' * 56}\n```", f"```\n{'x' * 24}\n```"], id="with a line too long for a piece"),
        pytest.param(f"```x` {A} b {B}", [f"```x` {A} b", B], id="none where a backtick follows"),
        pytest.param(f"    ```\n{A} b\n{B}", [f"    ```\n{A} b", B], id="none where it is indented code"),
        pytest.param(f"{A} b ``` c c\n{B}", [f"{A} b ``` c c", B], id="none in the middle of a line"),
        pytest.param(fenced("> ```py", [f"> {line}" for line in CODE[:3]], "> ```"), ["> ```py\n> " + CODE[0] + "\n> ```", fenced("> ```py", [f"> {line}" for line in CODE[1:3]], "> ```")], id="within a quote"),
        pytest.param("> ```\n> a\n" + A + "\n\n" + B, [f"> ```\n> a\n{A}", B], id="over with the quote"),
        pytest.param(fenced("1. a\n\n   ```", [f"   {line}" for line in CODE[:3]], "   ```"), [f"1. a\n\n   ```\n   {CODE[0]}\n   ```", fenced("```", CODE[1:3], "```")], id="within a list"),
        pytest.param(fenced("- a\n\n    ```", [f"    {line}" for line in CODE[:3]], "    ```"), [f"- a\n\n    ```\n    {CODE[0]}\n    ```", fenced("```", CODE[1:3], "```")], id="within a list, far in"),
        pytest.param(f"- ```\n  {CODE[0]}\n  {CODE[1]}\n  {CODE[2]}\nover", [f"- ```\n  {CODE[0]}\n  {CODE[1]}\n  ```", f"```\n{CODE[2]}\n```", "over"], id="over with the list"),
    ],
)  # fmt: skip
def test_a_fence_is_whole_in_every_piece(markdown: str, pieces: list[str]) -> None:
    assert list(split(markdown, limit=64)) == pieces


def test_a_limit_that_cannot_hold_a_fence_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="63 characters cannot hold"):
        split("", limit=LEAST_LIMIT - 1)


# --- any text, any limit ----------------------------------------------------------------------

PLAIN = [
    "`",
    "``",
    "```",
    "````",
    "~~~",
    "~~~~",
    "\n",
    "\n\n",
    " ",
    "a",
    "word ",
    "sentence. ",
    "# ",
    "x" * 50,
    "```py\n",
]
PLAIN += ["\n```\n", "  code\n", HEADER, "| 1 | 2 |\n", " ``` ", "[text](http://x.y)"]
NESTING = [
    "    ",
    "> ",
    "- ",
    "1. ",
    "|",
    "<@U1>",
    "**b**",
    "e\u0301",
    FAMILY,
    "\r\n",
    "\t",
    "\u2003",
    "    ```\n",
    "。",
    "!",
]
NESTING += ["> ```\n> x\n", "- ```\n"]

plain_texts = st.lists(st.sampled_from(PLAIN), max_size=120).map("".join)
texts = st.lists(st.sampled_from(PLAIN + NESTING), max_size=120).map("".join) | st.text(max_size=400)
limits = st.integers(LEAST_LIMIT, 300)
patiently = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])


def without_blanks(text: str) -> str:
    return "".join(text.split())


@patiently
@given(texts, limits)
def test_no_piece_is_over_the_limit_and_none_is_blank(text: str, limit: int) -> None:
    for piece in split(text, limit=limit):
        assert len(piece) <= limit
        assert piece.strip()


@patiently
@given(texts, limits)
def test_the_pieces_hold_the_whole_text_and_show_all_that_is_not_blank(text: str, limit: int) -> None:
    pieces = list(cuts(text, limit=limit))

    assert "".join(piece.body for piece in pieces) == text
    for piece in pieces[:-1]:
        assert without_blanks(piece.shown) == without_blanks(piece.body)
    if pieces:  # but a last line that opens a fence for nothing may be left out
        assert without_blanks(pieces[-1].body).startswith(without_blanks(pieces[-1].shown))


@patiently
@given(texts, limits, st.floats(0, 1))
def test_what_was_cut_off_a_growing_text_stays_as_it_was(text: str, limit: int, grown: float) -> None:
    earlier = list(split(text[: int(len(text) * grown)], limit=limit))[:-1]

    assert list(split(text, limit=limit))[: len(earlier)] == earlier


MARKDOWN = MarkdownIt("commonmark").enable("table")


def unclosed_fences(markdown: str) -> int:
    """How many fences a full parser finds that nothing closes: they lack a line for the closing fence."""
    fences = [token for token in MARKDOWN.parse(markdown) if token.type == "fence" and token.map]
    return sum(token.map[1] - token.map[0] - 1 == token.content.count("\n") for token in fences if token.map)


@patiently
@given(plain_texts, limits)
def test_every_fence_is_closed_in_its_piece(text: str, limit: int) -> None:
    assume(not re.search(rf"([`~])\1{{{limit // 4 - 4}}}|^ {{4}}", text, re.MULTILINE))

    for piece in split(text, limit=limit):
        assert unclosed_fences(piece) == 0


words = st.lists(
    st.sampled_from(["alpha", "beta.", "`code`", "[a link](http://x.y/z)", "**bold words**", "long" * 12, "<@U123>"]),
    min_size=1,
    max_size=40,
).map(" ".join)
code = st.lists(
    st.sampled_from(["x = 1", "", "    indented", "y" * 30, "``` not closing", "# no heading", "- no item", "~~~x"]),
    max_size=15,
).map("\n".join)
fences = st.builds(
    "{0}{1}\n{2}\n{0}".format, st.sampled_from(["```", "````", "~~~"]), st.sampled_from(["", "python", "a title"]), code
)
tables = st.integers(1, 20).map(lambda rows: HEADER + "\n".join(["| a | b |"] * rows))
blocks = words | fences | tables


def indented(text: str, by: str) -> str:
    return "\n".join(by + line if line else line for line in text.split("\n"))


def item(marker: str, contents: list[str]) -> str:
    return marker + indented("\n\n".join(contents), " " * len(marker)).lstrip()


items = st.builds(item, st.sampled_from(["- ", "1. ", "* "]), st.lists(blocks, min_size=1, max_size=3))
nested = st.builds(lambda outer, inner: f"{outer}\n{indented(inner, '   ')}", items, items)
quotes = st.lists(blocks, min_size=1, max_size=3).map(
    lambda quoted: indented("\n\n".join(quoted).replace("\n\n", "\n \n"), "> ")
)
answers = st.lists(blocks | items | nested | quotes | words.map(lambda text: f"## {text[:30]}"), max_size=8).map(
    "\n\n".join
)


@patiently
@given(answers, st.integers(80, 400))
def test_code_stays_code_and_text_stays_text_wherever_an_answer_is_cut(answer: str, limit: int) -> None:
    def code_of(markdown: str) -> str:
        blocks = [token for token in MARKDOWN.parse(markdown) if token.type in {"fence", "code_block"}]
        return without_blanks("".join(token.content for token in blocks))

    pieces = list(split(answer, limit=limit))

    assert "".join(code_of(piece) for piece in pieces) == code_of(answer)
    assert sum(unclosed_fences(piece) for piece in pieces) == 0


@pytest.mark.parametrize(
    "unit",
    [
        "word ",
        "x",
        "a line\n",
        "`a",
        "`",
        "[",
        "[](a",
        "<a",
        ".",
        "-",
        "e\u0301",
        "> ",
        "- ",
        "**a",
        "\\",
        "🇩🇪",
        "a ` ",
        "\n",
    ],
)
@pytest.mark.parametrize("beginning", ["", "```\n", HEADER, "``` "])
def test_a_hostile_text_of_a_hundred_thousand_characters_is_cut_while_one_waits(unit: str, beginning: str) -> None:
    text = beginning + unit * (100_000 // len(unit)) + "."

    pieces = list(cuts(text, limit=2000))

    assert "".join(piece.body for piece in pieces) == text
    assert len(pieces) < 110


def test_a_million_characters_are_no_trouble() -> None:
    text = ("Some words of text that go on. " * 20 + "\n\n```py\n" + "x = 1\n" * 100 + "```\n\n") * 780

    pieces = list(cuts(text, limit=2000))

    assert len(text) > 950_000
    assert "".join(piece.body for piece in pieces) == text
    assert len(pieces) < 900
