"""Long Markdown is cut into pieces, each of which reads well alone."""

import re

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.chunks import LEAST_LIMIT, cuts, split

A, B = "a" * 40, "b" * 40
HEADER = "|a|b|\n|-|-|\n"
ROWS = [f"| row {number} | x |" for number in range(9)]
ROW = f"| {'x ' * 18}|"
LINK = "[b b](https://example.com/b_(c)?d)"
CODE_SPAN = f"`{'b c ' * 5}`"
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
        pytest.param(f"{'あ' * 40}。{B}", [f"{'あ' * 40}。", B], id="a sentence without a blank after it"),
        pytest.param(f"{A} b b {B}", [f"{A} b b", B], id="the end of a word"),
        pytest.param("a" * 100, ["a" * 64, "a" * 36], id="a word too long for a piece is cut"),
        pytest.param(f"a\n\n{B}b b{B}", [f"a\n\n{B}b", f"b{B}"], id="no cut leaves a piece nearly empty"),
        pytest.param(f"{A}\n\n\n \n{B}", [A, B], id="the blanks at a cut are in neither piece"),
        pytest.param(f"{A}{' ' * 500}{B}", [A, B], id="blanks without end are no text"),
        pytest.param(f"{A}\n\n## Title\n\n{B}", [A, f"## Title\n\n{B}"], id="a heading stays with what it heads"),
        pytest.param(f"{A} `x` {CODE_SPAN} d", [f"{A} `x`", f"{CODE_SPAN} d"], id="code in a line stays whole"),
        pytest.param(f"{A} b ```{B}```", [A, f"b ```{B}```"], id="even in three backticks"),
        pytest.param(f"{A} b {LINK} c", [f"{A} b", f"{LINK} c"], id="a link stays whole"),
        pytest.param(f"{A} b !{LINK} c", [f"{A} b", f"!{LINK} c"], id="a picture stays whole"),
        pytest.param(
            f"{A} b <@U123 and a long name> c", [f"{A} b", "<@U123 and a long name> c"], id="so does a mention"
        ),
        pytest.param(f"{A} b **{'bold ' * 5}bold** c", [f"{A} b", f"**{'bold ' * 5}bold** c"], id="so does emphasis"),
        pytest.param(f"{A} `a b {B} {B}", [A, f"`a b {B}", B], id="what is never closed is no reason"),
        pytest.param(f"{'a' * 63}e\u0301", ["a" * 63, "e\u0301"], id="an accent stays with its letter"),
        pytest.param(f"{'a' * 61}{FAMILY}", ["a" * 61, FAMILY], id="a family stays together"),
        pytest.param(f"{'a' * 61}🇫🇷🇩🇪🇮🇹", [f"{'a' * 61}🇫🇷", "🇩🇪🇮🇹"], id="a flag stays whole"),
        pytest.param(f"> {A} b\n", [f"> {A} b"], id="a short quote"),
        pytest.param(f"> {A} b {B}", [f"> {A} b", f"> {B}"], id="a quoted line that is cut is quoted again"),
        pytest.param(f"> {A}\n> {B}", [f"> {A}", f"> {B}"], id="quoted lines keep their own marks"),
        pytest.param(f"> > {A} b {B}", [f"> > {A} b", f"> > {B}"], id="a quote in a quote"),
        pytest.param(
            HEADER + "\n".join(ROWS[:4]),
            [HEADER + "\n".join(ROWS[:3]), HEADER + ROWS[3]],
            id="a table begins again with its header",
        ),
        pytest.param(f"{HEADER}{ROWS[0]}\n{ROW}", [HEADER + ROWS[0], HEADER + ROW], id="a row stays whole"),
        pytest.param(f"{A}\n{HEADER}{ROWS[0]}", [A, HEADER + ROWS[0]], id="a header stays with its table"),
        pytest.param(
            f"| {A} |\n|---|\n| b |\n| {'c' * 30} |",
            [f"| {A} |\n|---|\n| b |", f"| {'c' * 30} |"],
            id="a long header is not repeated",
        ),
        pytest.param(f"{HEADER}{ROW}\n\n{B}", [HEADER + ROW, B], id="a table ends with a blank line"),
        pytest.param(
            f"- a\n  - {A}\n  - b\n  - {B}", [f"- a\n  - {A}\n  - b", f"- {B}"], id="an inner list stays a list"
        ),
    ],
)
def test_text_is_cut_where_it_hurts_least(markdown: str, pieces: list[str]) -> None:
    assert list(split(markdown, limit=64)) == pieces


CODE = "some twenty letters.\nand some twenty more"
MORE = "and yet another line."


@pytest.mark.parametrize(
    ("markdown", "pieces"),
    [
        pytest.param(
            f"```py\n{CODE}\n{MORE}\n```",
            [f"```py\n{CODE}\n```", f"```py\n{MORE}\n```"],
            id="closed and opened again with its language",
        ),
        pytest.param(
            f"~~~~\n{CODE}\n{MORE}\n~~~~", [f"~~~~\n{CODE}\n~~~~", f"~~~~\n{MORE}\n~~~~"], id="of tildes, as many"
        ),
        pytest.param(
            f"``` {'x' * 16}\n{CODE}\n```",
            [f"``` {'x' * 16}\n{CODE[:20]}\n```", f"```\n{CODE[21:]}\n```"],
            id="with a long opening line only once",
        ),
        pytest.param(
            f"  ```\n  {CODE}\n  {MORE}\n  ```",
            [f"  ```\n  {CODE}\n  ```", f"```\n{MORE}\n```"],
            id="indented a little",
        ),
        pytest.param(
            f"````\n{CODE}\n```\n{MORE}\n`````",
            [f"````\n{CODE}\n```\n````", f"````\n{MORE}\n`````"],
            id="closed only by as many marks",
        ),
        pytest.param(
            f"```\n{CODE}\n``` no\n{MORE}\n```",
            [f"```\n{CODE}\n``` no\n```", f"```\n{MORE}\n```"],
            id="closed only by marks alone",
        ),
        pytest.param(
            f"```\n{CODE}\n    ```\n{MORE}\n```",
            [f"```\n{CODE}\n    ```\n```", f"```\n{MORE}\n```"],
            id="not closed by a line far in",
        ),
        pytest.param(
            f"```\n{CODE}\n~~~\n{MORE}\n```",
            [f"```\n{CODE}\n~~~\n```", f"```\n{MORE}\n```"],
            id="not closed by other marks",
        ),
        pytest.param(f"```\n{CODE}", [f"```\n{CODE}\n```"], id="closed though its text is not"),
        pytest.param(f"```{'x' * 61}", [f"```{'x' * 57}\n```"], id="closed with its title cut short"),
        pytest.param(
            f"{A} {'b' * 16}\n```", [f"{A} {'b' * 16}"], id="not shown where it holds nothing and does not fit"
        ),
        pytest.param(
            f"```\n{CODE}\nthe last line\n\n`````\nover",
            [f"```\n{CODE}\nthe last line\n```", "over"],
            id="not begun again only to be closed",
        ),
        pytest.param(f"{A}\n```py\n{MORE}\n```", [A, f"```py\n{MORE}\n```"], id="not begun where it does not fit"),
        pytest.param(f"```\nf\n```\n{A}\n\nb\n\n{B}", [f"```\nf\n```\n{A}\n\nb", B], id="over when it is closed"),
        pytest.param(
            f"```\n{CODE}\n\nf\ng\n{MORE}\n```",
            [f"```\n{CODE}\n```", f"```\nf\ng\n{MORE}\n```"],
            id="cut at its blank lines",
        ),
        pytest.param(
            f"```\n{'x' * 80}\n```",
            [f"```\n{'x' * 56}\n```", f"```\n{'x' * 24}\n```"],
            id="with a line too long for a piece",
        ),
        pytest.param(f"```x` {A} b {B}", [f"```x` {A} b", B], id="none where a backtick follows"),
        pytest.param(f"    ```\n{A} b\n{B}", [f"    ```\n{A} b", B], id="none where it is indented code"),
        pytest.param(f"{A} b ``` c c\n{B}", [f"{A} b ``` c c", B], id="none in the middle of a line"),
        pytest.param(
            f"> ```py\n> {A}\n> {MORE}\n> ```",
            [f"> ```py\n> {A}\n> ```", f"> ```py\n> {MORE}\n> ```"],
            id="within a quote",
        ),
        pytest.param(f"> ```\n> a\n{A}\n\n{B}", [f"> ```\n> a\n{A}", B], id="over with the quote"),
        pytest.param(
            f"> ```\n> {'x' * 70}\n> ```",
            [f"> ```\n> {'x' * 50}\n> ```", f"> ```\n> {'x' * 20}\n> ```"],
            id="within a quote, with a line too long",
        ),
        pytest.param(
            f"1. a\n\n   ```\n   {A}\n   {MORE}\n   ```",
            [f"1. a\n\n   ```\n   {A}\n   ```", f"```\n{MORE}\n```"],
            id="within a list",
        ),
        pytest.param(
            f"- a\n\n    ```\n    {'a' * 30}\n    {MORE}\n    ```",
            [f"- a\n\n    ```\n    {'a' * 30}\n    ```", f"```\n{MORE}\n```"],
            id="within a list, far in",
        ),
        pytest.param(
            f"- ```\n  {A}\n  {MORE}\nover",
            [f"- ```\n  {A}\n  ```", f"```\n{MORE}\n```", "over"],
            id="over with the list",
        ),
        pytest.param(
            f"- {A}\n- b\n\n  ```\n  {MORE}\n  ```\n  c",
            [f"- {A}\n- b", f"```\n{MORE}\n```\nc"],
            id="moved to the left with the rest of its list",
        ),
    ],
)
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
def test_the_pieces_hold_the_whole_text_and_show_all_that_can_be_read(text: str, limit: int) -> None:
    pieces = list(cuts(text, limit=limit))

    assert "".join(piece.body for piece in pieces) == text
    for piece in pieces:
        shown, body = without_blanks(piece.shown), without_blanks(piece.body)
        assert body.startswith(shown)
        # A closing fence may be left out where one was added, and at the end an opening one with nothing in it.
        assert not body.removeprefix(shown).strip("`~>") or piece is pieces[-1]


MARKS = [
    "`",
    "``",
    "```",
    "~~~",
    "[",
    "](",
    ")",
    "<",
    ">",
    "**",
    " ",
    "\n",
    "\n\n",
    "x",
    "x x",
    ". ",
    "|",
    "|-|\n",
    "- ",
    "# ",
]
near_the_end = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "```\n", "> ", "- x\n  ```\n", "|x|\n|-|\n"]),
    st.sampled_from(["y", "y ", "y. ", "y\n", "y\n\n"]).flatmap(
        lambda unit: st.integers(20, 62).map(lambda n: (unit * n)[:n])
    ),
    st.lists(st.sampled_from(MARKS), max_size=30).map("".join),
)


@settings(patiently, max_examples=500)
@given(near_the_end | st.lists(st.sampled_from(PLAIN + NESTING), max_size=40).map("".join))
def test_what_was_cut_off_a_growing_text_stays_as_it_was(text: str) -> None:
    earlier: list[str] = []
    for length in range(len(text) + 1):
        pieces = list(split(text[:length], limit=LEAST_LIMIT))
        assert pieces[: len(earlier)] == earlier
        earlier = pieces[:-1]


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
    st.sampled_from(["x = 1", "", "    far in", "y" * 30, "``` not closing", "# no heading", "- no item", "~~~x"]),
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
    lambda quoted: "\n".join(f"> {line}" for line in "\n\n".join(quoted).split("\n"))
)
headings = words.map(lambda text: f"## {text[:30]}")
answers = st.lists(blocks | items | nested | quotes | headings, max_size=8).map("\n\n".join)


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
