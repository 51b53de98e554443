"""Answers as Discord is sent them: golden files, and what becomes of what Discord does not know or knows too well."""

import re
from pathlib import Path

import pytest

from adapters.discord.format import (
    FOOTER_LIMIT,
    MESSAGE_LIMIT,
    MOST_PARTS,
    OVERFLOW_NAME,
    PART_LIMIT,
    markdown_of,
    notice,
    plan,
    render,
    subtext,
    with_footer,
)
from adapters.discord.formulas import readable
from adapters.discord.inline import parse
from bot.answers import Answer
from bot.chunks import split
from bot.evidence import Citation
from tests.adapters.discord.reading import code_of, read_message, resolved

GOLDEN = Path(__file__).parent / "golden"
GAP = "\u200b"


@pytest.mark.parametrize("source", sorted(GOLDEN.glob("*.md")), ids=lambda path: path.stem)
def test_markdown_is_sent_as_it_was(source: Path) -> None:
    shown = render(source.read_text(encoding="utf-8"))

    # Zero-width spaces can be seen in a golden file.
    assert shown.replace(GAP, "\N{MIDDLE DOT}") + "\n" == source.with_suffix(".sent").read_text(encoding="utf-8")


# --- the dialect ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markdown", "sent"),
    [
        pytest.param("__bold__ and ___both___", "**bold** and ***both***", id="underscores that are bold"),
        pytest.param("**a __b__ c**", "**a b c**", id="bold in bold"),
        pytest.param("**a *b***", "**a *b***", id="italics at the end of bold"),
        pytest.param("**a**__b__", f"**a**{GAP}**b**", id="bold beside bold"),
        pytest.param("a__b__c, __init", "a\\_\\_b\\_\\_c, \\_\\_init", id="underscores that mark nothing"),
        pytest.param("2*3*4, x**2, 5 * 3", "2\\*3\\*4, x\\*\\*2, 5 * 3", id="products and powers"),
        pytest.param("**one\n\ntwo** three", "\\*\\*one\n\ntwo\\*\\* three", id="a mark that nothing closes"),
        pytest.param("a `b\n\nc` d", "a \\`b\n\nc\\` d", id="a backtick that nothing closes"),
        pytest.param("``a ` b`` ```c```", "`` a ` b `` `c`", id="code spans"),
        pytest.param("#### Small", "**Small**", id="a small heading"),
        pytest.param("# Big #\n## __Bold__", "# Big\n## **Bold**", id="headings"),
        pytest.param("- ## In an item", "- **In an item**", id="a heading in an item"),
        pytest.param("Title\n=====\ntext", "Title\n———\ntext", id="an underlined heading"),
        pytest.param("a\n\n* * *\n\nb", "a\n\n———\n\nb", id="a rule"),
        pytest.param("* a\n    * b\n        1) c", "- a\n  - b\n    1. c", id="nested lists"),
        pytest.param("1. a\n\n   b\n2. c", "1. a\n\n  b\n2. c", id="a paragraph in an item"),
        pytest.param("- [ ] a\n- [X] b", "- ☐ a\n- ☑ b", id="tasks"),
        pytest.param("> a\n>> b\n>c", "> a\n> b\n> c", id="quotes in quotes"),
        pytest.param(">>> a\n\nb", "> a\n\nb", id="a quote that Discord would not end"),
        pytest.param("a<br>b<br/><sub>2</sub><sup>x+1</sup>", "a\nb\n₂ˣ⁺¹", id="HTML"),
        pytest.param("<kbd>Ctrl</kbd> <b>b</b> <u>u</u> <!-- c -->", "`Ctrl` **b** __u__", id="HTML that marks"),
        pytest.param("<b> a </b><i></i>b", "**a** b", id="HTML with blanks inside"),
        pytest.param("List<int> & 1 < 2", "List\\<int> & 1 < 2", id="what looks like HTML"),
        pytest.param("&lt;b&gt; &amp;amp; &copy;", "\\<b> &amp; ©", id="entities"),
        pytest.param("a&#10;# b", "a # b", id="a new line in disguise"),
        pytest.param("a[^1] [^note]\n\n[^1]: b", "a¹ [note]\n\n¹ b", id="footnotes"),
        pytest.param("![a cat](https://e.example/p.png)", "[a cat](<https://e.example/p.png>)", id="a picture"),
        pytest.param("~~~~js\nx\n~~~~", "```js\nx\n```", id="other fences"),
        pytest.param("````\n```\nx\n```\n````", f"```\n`{GAP}`{GAP}`\nx\n`{GAP}`{GAP}`\n```", id="a fence in a fence"),
        pytest.param("```c++ title\nx\n```", "```c++\nx\n```", id="a fence's title"),
        pytest.param("```\n\n```\n\na", "a", id="an empty fence"),
        pytest.param("a\n\n    x = 1\n\n      y\n\nb", "a\n\n```\nx = 1\n\n  y\n```\n\nb", id="indented code"),
        pytest.param("- a\n\n  ```py\n  x\n    y\n  ```", "- a\n\n```py\nx\n  y\n```", id="a fence in an item"),
        pytest.param(
            "\\# a\n\\> b\n1986\\. c\n\\- d\n\\*e\\*", "\\# a\n\\> b\n1986\\. c\n\\- d\n\\*e\\*", id="escapes"
        ),
        pytest.param("-# a\n||b|| c || d", "\\-# a\n|\\|b|\\| c |\\| d", id="Discord's own marks"),
        pytest.param("C:\\Users\\a \\\\host", "C:\\Users\\a \\host", id="backslashes"),
        pytest.param("a  \nb\\\nc", "a\nb\nc", id="broken lines"),
        pytest.param("\ud800a\x00\u202e\r\nb", "?a\nb", id="what nobody sees"),
    ],
)
def test_what_discord_does_not_know_becomes_what_it_knows(markdown: str, sent: str) -> None:
    assert render(markdown) == sent


def test_emphasis_stays_emphasis_however_long_it_is() -> None:
    words = "many words " * 60 + "more"

    assert render(f"__{words}__ and *{words}*") == f"**{words}** and *{words}*"


@pytest.mark.parametrize(
    "begun", ["`a`", "**a**", "[a]", "[a](https://e", "https://e.example", "$x$", "&am", "<b>a", "\\", "\\[ x", "[^1]"]
)
def test_nothing_is_decided_about_an_end_that_may_go_on(begun: str) -> None:
    assert parse(begun, whole=False) == ()
    assert len(parse(f"{begun} and\n", whole=True)) > 0


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        (r"x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}", "x = (-b ± √(b² - 4ac))/2a"),
        (r"e^{i\pi} + 1 = 0", "e^(iπ) + 1 = 0"),
        (r"\sum_{i=1}^{n} i^2 \leq \infty", "∑ᵢ₌₁ⁿ i² ≤ ∞"),
        (r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}", "a b\nc d"),
        (r"\left\{ x \in \mathbb{R} \mid \text{x is odd} \right\}", "{ x ∈ ℝ ∣ x is odd }"),
        (r"\unknown{a} \foo", "a foo"),
    ],
)
def test_a_formula_can_be_read(tex: str, shown: str) -> None:
    assert readable(tex) == shown


@pytest.mark.parametrize(
    "text", ["It costs $5 and $10.", "$5, or 6$ at most", "US$3/A$4", "$HOME/$USER", "\\(aside\\) and \\[note\\]"]
)
def test_money_and_brackets_are_no_formulas(text: str) -> None:
    assert render(text) == text.replace("\\", "")


# --- tables -----------------------------------------------------------------------------------


def test_a_narrow_table_stands_in_columns_whatever_its_letters() -> None:
    shown = render("| Wer | Zahl |\n|:--|--:|\n| 日本 | 1 |\n| e\u0301a | 22 |\n| **b** `c` | |")

    assert shown == "```\nWer   Zahl\n----  ----\n日本     1\ne\u0301a      22\nb c\n```"


@pytest.mark.parametrize(
    "cell", ["a cell that is longer than what a phone shows", "[page](https://e.example)", "https://e.example"]
)
def test_a_table_that_is_too_wide_or_leads_away_is_a_list(cell: str) -> None:
    shown = render(f"| Name | What |\n|---|---|\n| __a__ | {cell} |\n| b | |")

    assert shown.split("\n")[0] == "- Name: **a**"
    assert shown.split("\n")[1].startswith("  - What: ")
    assert shown.split("\n")[2:] == ["- Name: **b**", "  - What: —"]
    assert "```" not in shown


def test_a_long_table_says_in_every_part_what_its_columns_are() -> None:
    rows = "\n".join(f"| row {number} | {number * number} |" for number in range(300))

    parts = plan(f"| Number | Square |\n|---|---|\n{rows}").parts

    assert len(parts) > 2
    for part in parts:
        assert re.match(r"```\nNumber +Square\n-+ +-+\nrow", part)
        assert part.endswith("\n```")


def test_a_table_with_nothing_in_it_shows_its_header() -> None:
    assert render("| a | b |\n|---|---|") == "```\na  b\n-  -\n```"


# --- harmless ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("@everyone", id="everybody"),
        pytest.param("a@here", id="everybody who is online, in an address"),
        pytest.param("@EVERYONE", id="in capitals"),
        pytest.param("<@80351110224678912>", id="a person"),
        pytest.param("<@!80351110224678912>", id="a person by an older spelling"),
        pytest.param("<@&80351110224678912>", id="a role"),
        pytest.param("<id:browse>", id="a tab of the server"),
        pytest.param("</ask:80351110224678912>", id="a command"),
        pytest.param("\\<@80351110224678912>", id="with an escape before it"),
        pytest.param("&lt;&#64;80351110224678912&gt;", id="in entities"),
        pytest.param("<b></b>@<!-- -->everyone <@<b></b>80351110224678912>", id="with HTML inside that is left out"),
        pytest.param("[<@80351110224678912>](https://e.example)", id="as the words of a link"),
        pytest.param("[x](<@80351110224678912>)", id="as the target of a link"),
        pytest.param("**<@80351110224678912>** # @here", id="in bold"),
        pytest.param("# @everyone\n#### <@80351110224678912>", id="in headings"),
        pytest.param("|a|b|\n|-|-|\n|@everyone|[x](https://e.example)|", id="in a table that is a list"),
        pytest.param("discord.gg/abc", id="an invitation"),
        pytest.param("[join](https://discord.com/invite/abc)", id="an invitation behind words"),
        pytest.param("<https://discord.gg/abc>", id="an invitation in brackets"),
        pytest.param("||hidden||", id="a spoiler"),
    ],
)
def test_nothing_pings_resolves_to_a_name_or_is_shown_as_a_card(text: str) -> None:
    assert resolved(render(text)) == []


def test_channels_times_and_emoji_stay_what_they_are() -> None:
    text = "<#80351110224678912> <t:1700000000:R> <:clew:80351110224678912> <a:clew:80351110224678912>"

    assert render(text) == text


def test_code_can_be_copied() -> None:
    code = '```py\nawait channel.send("<@80351110224678912> @everyone ||x|| https://e.example __init__")\n```'

    assert render(code) == code
    assert code_of(render("`<@1> @here` and `a__b`")) == ["<@1> @here", "a__b"]


@pytest.mark.parametrize(
    ("markdown", "sent"),
    [
        pytest.param("See https://e.example/a_b.", "See <https://e.example/a_b>.", id="at the end of a sentence"),
        pytest.param("(https://e.example/a_(b))", "(<https://e.example/a_(b)>)", id="in brackets"),
        pytest.param("**https://e.example**", "**<https://e.example>**", id="in bold"),
        pytest.param("<https://e.example>", "<https://e.example>", id="in brackets of its own"),
        pytest.param("`https://e.example`", "`https://e.example`", id="in code"),
        pytest.param("[a](https://e.example/b_(c) 'd')", "[a](<https://e.example/b_%28c%29>)", id="behind words"),
        pytest.param("[[1]](https://e.example)", "[[1]](<https://e.example>)", id="behind a number"),
        pytest.param("[a] b](https://e.example)", f"[a] b]{GAP}(<https://e.example>)", id="behind a stray bracket"),
        pytest.param("[https://e.example](https://e.example/)", "<https://e.example/>", id="behind itself"),
        pytest.param(
            "[https://good.example](https://evil.example)",
            "<https://good.example> (<https://evil.example>)",
            id="behind another address",
        ),
        pytest.param(
            "[www.good.example](https://evil.example)", "www.good.example (<https://evil.example>)", id="another host"
        ),
        pytest.param(
            "[good.example](https://www.good.example/a)", "[good.example](<https://www.good.example/a>)", id="same host"
        ),
        pytest.param("[🎉 party](https://e.example)", "🎉 party (<https://e.example>)", id="behind an emoji"),
        pytest.param("[run](javascript:a())", "run (javascript:a())", id="no page"),
        pytest.param("[mail](mailto:a@e.example)", "mail (a@e.example)", id="a mailbox"),
        pytest.param(
            "[x](https://e.example/@everyone)", "[x](<https://e.example/%40everyone>)", id="with a name in it"
        ),
        pytest.param("[a](b c)", f"[a]{GAP}(b c)", id="no link"),
    ],
)
def test_a_link_leads_where_it_says_and_shows_no_preview(markdown: str, sent: str) -> None:
    assert render(markdown) == sent


def test_sources_are_listed_under_the_answer() -> None:
    answer = Answer("Yes.", citations=(Citation("https://e.example/a_(b)", "A [bold] <@80351110224678912> title"),))

    shown = render(markdown_of(answer))

    assert shown.startswith("Yes.\n\n**Sources**\n\n1. [A [bold] \\<")
    assert [part.target for part in read_message(shown) if part.kind == "link"] == ["https://e.example/a_%28b%29"]
    assert resolved(shown) == []


# --- parts ------------------------------------------------------------------------------------


def test_an_answer_that_fits_is_one_message_and_no_file() -> None:
    planned = plan("Hello.")

    assert (planned.parts, planned.overflow) == (("Hello.",), None)
    assert plan("").parts == plan("<!-- nothing -->\n\n```\n```").parts == ()
    assert plan("&nbsp;a&nbsp;").parts == ("a",)


def test_the_length_that_counts_is_the_one_that_is_sent() -> None:
    parts = plan("@everyone **x** | " * 100).parts + plan("||" * PART_LIMIT).parts

    assert len(parts) > 3
    assert all(len(part) <= PART_LIMIT for part in parts)


def test_code_that_is_cut_is_code_of_the_same_language_in_every_part() -> None:
    text = "- item\n\n  ````python\n" + "  print('```')\n" * 300 + "  ````\n"

    parts = plan(text).parts

    assert len(parts) > 2
    for part in parts:
        assert "```python\nprint(" in part
        assert len(code_of(part)) == 1


def test_a_very_long_answer_goes_on_in_a_file_and_its_last_line_says_so() -> None:
    text = "\n\n".join(f"Paragraph {number}. " + "word " * 100 for number in range(40))

    planned, growing = plan(text), plan(text, whole=False)

    assert len(planned.parts) == MOST_PARTS
    assert planned.parts[-1].endswith(f"\n-# This answer goes on. All of it is in `{OVERFLOW_NAME}`.")
    assert planned.overflow == text.encode()
    assert growing.overflow is None
    assert planned.parts[:-1] == growing.parts[:-1]
    assert planned.parts[-1].startswith(growing.parts[-1])


def test_the_last_line_stands_outside_code_and_leaves_room_for_a_footer() -> None:
    last = with_footer(plan("```\n" + "x" * 1799 + "\n" + "x = 1\n" * 9_000 + "```\n").parts[-1], "word " * 100)

    assert last.rindex("```") < last.index("\n-# This answer goes on")
    assert len(last) <= MESSAGE_LIMIT


# --- small lines ------------------------------------------------------------------------------


def test_small_lines_are_subtext_that_pings_nobody() -> None:
    assert subtext("Thinking…") == "-# Thinking…"
    assert subtext("_Searching_\n\nfor @everyone") == f"-# _Searching_\n-# for @{GAP}everyone"
    assert subtext("") == ""


def test_a_footer_stands_under_its_part_and_is_short() -> None:
    assert with_footer("Hello.", "gemini-3.5-flash-lite") == "Hello.\n-# gemini-3.5-flash-lite"
    assert with_footer("Hello.", "") == "Hello."
    assert with_footer("", "made by Clew") == "-# made by Clew"
    longest = with_footer("x" * PART_LIMIT, "word " * 100)
    assert len(longest) <= PART_LIMIT + FOOTER_LIMIT
    assert longest.endswith("…")


def test_a_notice_is_one_message() -> None:
    assert notice("Left out `a.exe`: I cannot read it. @here") == f"Left out `a.exe`: I cannot read it. @{GAP}here"
    assert len(notice("word " * 1000)) <= PART_LIMIT
    assert notice("") == ""


def test_splitting_what_is_sent_never_tears_a_link() -> None:
    text = "words and " * 12 + "[a link of some words](https://e.example/a/b/c) "

    for part in split(render(text * 60), limit=PART_LIMIT):
        assert part.count("](<") == part.count(">)") == len([one for one in read_message(part) if one.kind == "link"])
