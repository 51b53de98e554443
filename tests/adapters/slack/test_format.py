"""Answers as Slack is sent them: golden files, and what no Markdown whatever may bring about."""

import re
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.slack.format import (
    MOST_PARTS,
    PART_LIMIT,
    growing_markdown_of,
    markdown_of,
    mrkdwn,
    plan,
    render,
)
from bot.answers import Answer, Media, MediaKind
from bot.chunks import settled
from bot.evidence import Citation
from bot.parts import cleaned
from tests.support.slack.blocks import check_blocks
from tests.support.slack.mentions import find_pings
from tests.support.slack.variants import Variants

GOLDEN = Path(__file__).parent / "golden"
GAP = "\u200b"

SCRAPS = st.sampled_from(
    [
        *("<!channel>", "<!here>", "<!everyone|all>", "<!subteam^S0DEVS0000|@devs>", "<@U0ADA00000>", "<@W1|ada>"),
        *("<!HERE>", "<@u0ada00000>", "<", "!", "@", "U0ADA00000", "here", "channel", ">", "|x>", "<!", "<@", "<<"),
        *("&lt;", "&gt;", "&#60;", "&#x3C;", "&#33;", "&excl;", "&commat;", "&#64;", "&amp;", "&", ";", "\\", "\x00"),
        *(
            "`",
            "``",
            "```\n",
            "```py\n",
            "~~~\n",
            "    ",
            "*",
            "**",
            "_",
            "~~",
            "[",
            "]",
            "(",
            ")",
            "](",
            "![",
            "![a](",
        ),
        *(
            "https://e.example/p.png",
            "javascript:a()",
            "data:text/html,x",
            "mailto:a@e.example",
            "[1]: ",
            "[![a](b)](c)",
        ),
        *(
            "\n",
            "\n\n",
            "\r\n",
            " ",
            "- ",
            "1. ",
            "> ",
            "# ",
            "|a|b|\n|-|-|\n|1|2|\n",
            "---\n",
            "word ",
            "\u202e",
            "\ud800",
        ),
        *(
            "<https://e.example|x>",
            "<javascript:a()|x>",
            "std::vector<std::string>",
            "@channel ",
            "@everyone",
            "a@here.de",
        ),
    ]
)
HOSTILE = st.lists(SCRAPS, max_size=30).map("".join) | st.text(max_size=80)


# --- golden files -----------------------------------------------------------------------------


@pytest.mark.parametrize("source", sorted(GOLDEN.glob("*.md")), ids=lambda path: path.stem)
def test_markdown_is_sent_as_it_was(source: Path) -> None:
    shown = render(source.read_text(encoding="utf-8"))

    assert visible(shown) == source.with_suffix(".sent").read_text(encoding="utf-8")


@pytest.mark.parametrize("source", sorted(GOLDEN.glob("*.md")), ids=lambda path: path.stem)
def test_the_older_dialect_reads_as_it_did(source: Path) -> None:
    shown = mrkdwn(source.read_text(encoding="utf-8"))

    assert visible(shown) + "\n" == source.with_suffix(".mrkdwn").read_text(encoding="utf-8")


def visible(text: str) -> str:
    """A text in which the zero-width spaces can be seen in a golden file."""
    return text.replace(GAP, "\N{MIDDLE DOT}")


# --- pings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<!channel>", id="everybody in the channel"),
        pytest.param("<!here|here>", id="with a label"),
        pytest.param("<!EVERYONE>", id="in capitals"),
        pytest.param("<!subteam^S0DEVS0000>", id="a group"),
        pytest.param("<@U0ADA00000>", id="a person"),
        pytest.param("`<@U0ADA00000>`", id="in code"),
        pytest.param("```\n<!here>\n```", id="in a fenced block"),
        pytest.param("    <!here>", id="in an indented block"),
        pytest.param("\\<!here>", id="with an escape before it"),
        pytest.param("<\\!here>", id="with an escape inside, which Markdown takes away"),
        pytest.param("&lt;!here&gt;", id="in entities"),
        pytest.param("<&#33;here>", id="with an entity inside"),
        pytest.param("&#x3c;&commat;U0ADA00000>", id="in entities of both kinds"),
        pytest.param("[<!here>](https://e.example)", id="as the words of a link"),
        pytest.param("[x](<!here>)", id="as the target of a link"),
        pytest.param("![<!here>](https://e.example/p.png)", id="as the words of a picture"),
        pytest.param("<https://e.example|<!here>>", id="inside another token"),
        pytest.param("<<!here>>", id="in two pairs of brackets"),
        pytest.param("<!he\x00re>", id="with a control character in it"),
        pytest.param("<!he\u202ere>", id="with a mark that turns the writing over"),
        pytest.param("|a|b|\n|-|-|\n|<!here>|<@U0ADA00000>|", id="in a table"),
        pytest.param("[![<!here>](a)](https://e.example)", id="in a picture that is a link"),
    ],
)
def test_nobody_is_pinged(text: str) -> None:
    shown = render(text)

    assert not find_pings(shown)
    assert not find_pings(resolved(shown)), "neither once Markdown has resolved escapes and entities"
    assert not find_pings(mrkdwn(text))
    assert shown.count(GAP) >= 1 or "\x00" in text


def resolved(markdown: str) -> str:
    """The words that Markdown makes of a text."""

    def words(tokens: list[Token]) -> str:
        told = (words(token.children) if token.children else token.content for token in tokens)
        return ("\n" if any(token.block for token in tokens) else "").join(told)

    return words(MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).parse(markdown))


@given(HOSTILE)
@example("!![a](https://e.example)")
@example("<![@U0ADA00000>](x)")
@example("![](<!here>)")
@example("`<\n\n!here>`")
@settings(max_examples=400)
def test_no_text_whatever_pings_anybody(text: str) -> None:
    shown = render(text)

    assert not find_pings(shown)
    assert not find_pings(resolved(shown))
    assert not find_pings(mrkdwn(text))
    for part in plan(text).parts:
        assert not find_pings(part)
    if "`" not in text and "~" not in text:
        assert not find_pings(shown, names=True)


@given(HOSTILE, st.integers(0, 300))
def test_no_cut_brings_a_ping_about(text: str, longest: int) -> None:
    assert not find_pings(render(text)[:longest])
    short = mrkdwn(text, longest=longest + 10)
    assert not find_pings(short)
    assert len(short) <= longest + 10


@given(HOSTILE)
@settings(max_examples=400)
def test_nothing_is_shown_or_opened_but_pages_and_mailboxes(text: str) -> None:
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table"])
    markdown.validateLink = lambda url: True  # type: ignore[method-assign]  # the documented way to set it

    for token in flat(markdown.parse(render(text))):
        assert token.type != "image"
        if token.type == "link_open":
            assert re.match(r"(?i)https?://|mailto:", str(token.attrGet("href")))


def flat(tokens: list[Token]) -> list[Token]:
    return [one for token in tokens for one in (token, *flat(token.children or []))]


@given(HOSTILE)
def test_rendering_twice_changes_nothing_more(text: str) -> None:
    assert render(render(text)) == render(text)


@given(st.text(st.characters(exclude_categories=["C"], exclude_characters="<&@![]\\`~")))
def test_ordinary_text_is_sent_as_it_is(text: str) -> None:
    assert render(text) == text


def test_names_for_everybody_are_broken_in_prose_and_left_alone_in_code_and_addresses() -> None:
    assert render("@here `@here` a@here.example") == f"@{GAP}here `@here` a@here.example"
    assert not find_pings(render("**@channel** _@Everyone_"), names=True)


def test_code_can_be_copied() -> None:
    code = (
        "```cpp\nstd::vector<std::string> a = m[i](x);\n<!DOCTYPE html><!-- x -->\n#include <a.h>\n```\n"
        "`List<@NonNull String>` and `![a](b.png)`\n"
    )

    assert render(code) == code


# --- growing ----------------------------------------------------------------------------------


@given(HOSTILE)
@settings(max_examples=400)
def test_what_is_shown_of_a_growing_answer_only_grows(text: str) -> None:
    shown, longest = "", 0
    for end in range(len(text) + 1):
        # A table's open row is the one thing that may be held back again once its line ends.
        if len(settled(cleaned(text[:end]))) < longest:
            continue
        longest = len(settled(cleaned(text[:end])))
        grown = render(growing_markdown_of(Answer(text[:end])))
        # Blanks at the end of a text are not seen until something follows them.
        assert grown.startswith(shown.rstrip()), (shown, grown)
        shown = grown


@pytest.mark.parametrize("source", sorted(GOLDEN.glob("*.md")), ids=lambda path: path.stem)
def test_an_answer_that_grew_is_the_answer(source: Path) -> None:
    whole = source.read_text(encoding="utf-8")
    shown = [render(growing_markdown_of(Answer(whole[:end]))) for end in range(len(whole) + 1)]

    for before, after in zip(shown, [*shown[1:], render(markdown_of(Answer(whole)))], strict=True):
        assert after.startswith(before.rstrip())


@pytest.mark.parametrize("scrap", ["[", "](", "<", "`", "` ", "![", "![a", "&#", "@", "<*", "](\n", "*a", "\\"])
def test_hostile_text_costs_no_more_than_its_length(scrap: str) -> None:
    text = scrap * (20_000 // len(scrap))
    begun = time.process_time()

    render(text)
    plan(text)
    mrkdwn(text, longest=3_000)
    growing_markdown_of(Answer(text))

    assert time.process_time() - begun < 5


# --- parts ------------------------------------------------------------------------------------


def test_an_answer_that_fits_is_one_message_and_no_file() -> None:
    planned = plan("Hello.")

    assert (planned.parts, planned.overflow) == (("Hello.",), None)
    assert plan("").parts == ()


def test_a_long_answer_is_cut_into_messages_that_slack_takes() -> None:
    text = "\n\n".join(f"Paragraph {number}. " + "word " * 100 for number in range(60))

    planned = plan(text)

    assert 1 < len(planned.parts) <= MOST_PARTS
    assert planned.overflow is None
    assert all(len(part) <= PART_LIMIT for part in planned.parts)
    assert re.findall(r"Paragraph \d+", "".join(planned.parts)) == re.findall(r"Paragraph \d+", text)


def test_the_length_that_counts_is_the_one_that_is_sent() -> None:
    planned = plan("<!here> " * (PART_LIMIT // 8))

    assert len(planned.parts) == 2
    assert all(len(part) <= PART_LIMIT for part in planned.parts)


def test_a_very_long_answer_goes_on_in_a_file_and_its_last_line_says_so() -> None:
    text = "\n\n".join(f"Paragraph {number}. " + "word " * 100 for number in range(200))

    planned = plan(text)
    growing = plan(text, whole=False)

    assert len(planned.parts) == MOST_PARTS
    assert planned.parts[-1].endswith("_This answer goes on. All of it is in `answer.md`, here in the thread._")
    assert planned.overflow == text.encode()
    assert all(len(part) <= 12_000 for part in planned.parts)
    assert growing.overflow is None
    assert planned.parts[:-1] == growing.parts[:-1]
    assert planned.parts[-1].startswith(growing.parts[-1])


def test_the_file_says_what_the_thread_would_have_said_and_the_last_line_stands_outside_code() -> None:
    text = "```\n" + "x = 1\n" * 9_000 + "```\n"

    last = plan(text).parts[-1]

    assert last.count("```") == 2
    assert last.rindex("```") < last.index("_This answer goes on")


def test_an_answer_of_many_headings_is_cut_before_slack_counts_too_many_blocks() -> None:
    text = "\n".join(f"## Heading {number}\nText.\n\n---\n" for number in range(50))
    buttons = {"type": "actions", "elements": []}

    parts = plan(text).parts

    assert len(parts) > 1
    for part in parts:
        check_blocks([{"type": "markdown", "text": without_gaps(part)}, buttons], Variants())
    assert re.findall(r"Heading \d+", "".join(parts)) == re.findall(r"Heading \d+", text)


@given(
    st.lists(
        st.sampled_from(["## H\n", "text\n", "\n", "---\n", "|a|b|\n|-|-|\n|1|2|\n", "```\n", "- x\n"]), max_size=150
    )
)
def test_parts_keep_everything_and_stay_as_they_were_while_the_answer_grows(lines: list[str]) -> None:
    whole = plan("".join(lines), whole=False).parts

    for part in whole:
        check_blocks([{"type": "markdown", "text": without_gaps(part)}], Variants())
    for count in range(0, len(lines), 20):
        parts = plan("".join(lines[:count]), whole=False).parts
        assert parts[:-1] == whole[: max(0, len(parts) - 1)]


def without_gaps(markdown: str) -> str:
    """A text as it is counted: an empty line is no block."""
    return re.sub(r"\n{2,}", "\n", markdown)


# --- the whole answer -------------------------------------------------------------------------


def test_sources_are_listed_under_the_answer() -> None:
    answer = Answer(
        "Yes.",
        citations=(
            Citation("https://e.example/a_(b)?x=1|2", "A [bold] <!here> title"),
            Citation("https://e.example/a_(b)?x=1|2", "A [bold] <!here> title"),
            Citation("javascript:a()", "no"),
            Citation("https://e.example/plain"),
        ),
        remarks=("The answer was cut short.",),
    )

    shown = markdown_of(answer)

    assert shown == (
        "Yes.\n\n_The answer was cut short._\n\n**Sources**\n\n"
        "1. [A \\[bold\\] \\<\\!here\\> title](https://e.example/a_%28b%29?x=1%7C2)\n"
        "2. [https://e.example/plain](https://e.example/plain)"
    )
    assert not find_pings(resolved(render(shown)))
    assert [
        token.attrGet("href") for token in flat(MarkdownIt().parse(render(shown))) if token.type == "link_open"
    ] == [
        "https://e.example/a_%28b%29?x=1%7C2",
        "https://e.example/plain",
    ]


def test_a_file_that_stayed_at_gemini_is_spoken_of() -> None:
    answer = Answer("Here.", media=(Media(MediaKind.VIDEO, "video/mp4", uri="https://e.example/v"),))

    assert "cannot be shown here" in markdown_of(answer)


@given(st.lists(SCRAPS, max_size=6).map("".join), st.lists(SCRAPS, max_size=6).map("".join))
def test_no_source_whatever_pings_or_breaks_out(url: str, title: str) -> None:
    shown = render(markdown_of(Answer("a", citations=(Citation(f"https://e.example/{url}", title),))))

    assert not find_pings(shown)
    assert not find_pings(resolved(shown))
