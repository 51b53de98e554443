"""Answers that grow in Discord, and long ones: what holds for any text whatever."""

import re
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from adapters.discord.format import PART_LIMIT, growing_markdown_of, markdown_of, plan, render
from bot.answers import Answer
from bot.chunks import split
from tests.adapters.discord.reading import code_of, read_message, resolved, stray_ticks
from tests.adapters.discord.texts import ANSWERS, HOSTILE, SCRAPS, words
from tests.support.discord.mentions import read_mentions

GOLDEN = Path(__file__).parent / "golden"
thoroughly = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])


def grown(text: str) -> str:
    """What is rendered of an answer that may go on."""
    return render(growing_markdown_of(Answer(text)), whole=False).rstrip()


def growing_parts(text: str) -> tuple[str, ...]:
    return plan(growing_markdown_of(Answer(text)), whole=False).parts


# --- any text ---------------------------------------------------------------------------------


@thoroughly
@given(HOSTILE)
@example("***http://***~__$$")
@example("> - ```\n> + - ```\n")
@example(">| :-: |\n> | :-: |\n")
@example("```py\n```py\n```py\n")
@example("$)$$")
@example(f"`{'x' * 250}``")
@example(f"*{'x' * 250}**")
@example(f"**{'word ' * 90}** a")
@example("|a|\n|-|\n|1|\ntext\n|h|\n|-|\n|2|\n")
@example("\\[x\n= 1\n\\]")
@example("a <b>x</b> &lt;@1> &#64;everyone @<b></b>here")
def test_what_is_shown_of_a_growing_answer_only_grows(text: str) -> None:
    shown = ""
    for end in range(len(text) + 1):
        before, shown = shown, grown(text[:end])
        assert shown.startswith(before)

    assert render(markdown_of(Answer(text))).startswith(shown)


@thoroughly
@given(HOSTILE)
@example("&lt;|-|-|\n```py\n<https://e.example>https://discord.gg/abc")
@example("`a`<b></b>`b` @everyone")
@example("\\\\`@everyone`")
@example("~~~\n```\n~~~\n@everyone")
@example("```\n```\n\n@everyone\n\n```\n```")
@example("a ``` b\n\n```\n@everyone\n```")
@example("- `a\n- b` @here")
def test_no_text_whatever_is_read_as_a_mention_a_command_a_card_or_a_spoiler(text: str) -> None:
    for part in (*plan(text).parts, *growing_parts(text)):
        assert resolved(part) == []
        assert stray_ticks(part) == 0


@thoroughly
@given(HOSTILE.filter(lambda text: "`" not in text and "~~~" not in text and "    " not in text and "|" not in text))
def test_outside_code_no_text_whatever_names_anybody_even_to_who_reads_no_escapes(text: str) -> None:
    named = read_mentions(render(text.replace("<code>", "").replace("\t", "")), in_code=True)

    assert (named.user_ids, named.role_ids, named.everyone) == ((), (), None)


@thoroughly
@given(HOSTILE, st.integers(64, 200))
def test_no_cut_brings_a_mention_about_or_leaves_a_fence_open(text: str, limit: int) -> None:
    for part in split(render(text), limit=limit):
        named = read_mentions(part)
        assert (named.user_ids, named.role_ids) == ((), ())
        assert part.count("```") % 2 == 0


@thoroughly
@given(HOSTILE)
def test_no_text_whatever_shows_a_preview(text: str) -> None:
    for part in plan(text).parts:
        words_alone = "".join(read.text if read.kind == "words" else "\0" for read in read_message(part))
        assert not re.search(r"(?<![^\W_])https?://e\.example", words_alone)


@thoroughly
@given(st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="`*_~[]<>&!\\|$#-+.)@:=")))
def test_ordinary_words_are_sent_as_they_are(text: str) -> None:
    assert render(f"a{text}") == f"a{text}"


# --- long answers -----------------------------------------------------------------------------


@thoroughly
@given(ANSWERS)
def test_every_word_of_an_answer_is_in_its_parts_in_order(answer: str) -> None:
    shown = "\n".join(part.strip() for part in split(render(answer), limit=PART_LIMIT))

    assert words(shown) == words(answer)
    assert set(words(shown, "t")) == set(words(answer, "t"))


@thoroughly
@given(ANSWERS, st.integers(150, 400))
def test_every_word_is_there_wherever_an_answer_is_cut(answer: str, limit: int) -> None:
    assert words("\n".join(split(render(answer), limit=limit))) == words(answer)


@thoroughly
@given(ANSWERS)
def test_code_is_the_code_that_was_written(answer: str) -> None:
    written = [
        token.content
        for token in MarkdownIt("commonmark").enable("table").parse(answer)
        if token.type in {"fence", "code_block"} and token.level == 0
    ]
    sent = "".join(split(render(answer), limit=1_000_000))  # closes what is open at the end
    shown = [text.replace("\u200b", "").rstrip() for text in code_of(sent)]

    for code in filter(str.strip, written):
        assert code.strip("\n").rstrip() in shown


@settings(thoroughly, max_examples=60)
@given(st.lists(ANSWERS, min_size=2, max_size=3).map("\n\n".join), st.integers(1, 400))
def test_a_part_that_was_followed_by_another_never_changes(answer: str, step: int) -> None:
    whole = plan(markdown_of(Answer(answer)))
    earlier: tuple[str, ...] = ()
    for end in [*range(0, len(answer), max(step, len(answer) // 60)), len(answer)]:
        parts = growing_parts(answer[:end])
        assert parts[: len(earlier)] == earlier
        assert all(part.strip() and len(part) <= PART_LIMIT for part in parts)
        assert all(part.count("```") % 2 == 0 for part in parts)
        earlier = parts[:-1]

    assert whole.parts[: len(earlier)] == earlier


@pytest.mark.parametrize("source", sorted(GOLDEN.glob("*.md")), ids=lambda path: path.stem)
def test_an_answer_that_grew_is_the_answer(source: Path) -> None:
    whole = source.read_text(encoding="utf-8")
    shown = [grown(whole[:end]) for end in range(len(whole) + 1)]

    for before, after in zip(shown, [*shown[1:], render(markdown_of(Answer(whole)))], strict=True):
        assert after.startswith(before)


def test_a_growing_answer_is_shown_soon() -> None:
    """All but its last word, which may become something else, is shown of ordinary prose."""
    text = "It costs nothing, as **far** as I know; see the `README` or ask (politely) in #help, and so on."

    for end in range(10, len(text)):
        assert len(grown(text[:end])) > end - 12


def test_a_long_table_is_shown_before_it_is_whole() -> None:
    rows = [f"| row {number} | {number * number} |" for number in range(40)]
    text = "\n".join(["| Number | Square |", "|---|---|", *rows])

    assert grown("\n".join(text.split("\n")[:8]) + "\n") == ""
    assert "row 19" in grown("\n".join(text.split("\n")[:23]) + "\n")


@pytest.mark.parametrize("scrap", [*filter(str.strip, SCRAPS), "*a ", "`a", "<a", "$a", "[](", "[a](b ", "![a"])
def test_hostile_text_costs_no_more_than_its_length(scrap: str) -> None:
    text = scrap * (10_000 // len(scrap))
    begun = time.process_time()

    plan(text)
    growing_parts(text)

    assert time.process_time() - begun < 5
