"""Markdown as the page shows it: golden files, and what no Markdown whatever may bring about."""

import itertools
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.web.format import blocks, growing_markdown_of, html
from bot.answers import Answer, Media, MediaKind
from bot.evidence import Citation
from bot.parts import markdown_of

GOLDEN = Path(__file__).parent / "golden"
TAGS = frozenset(
    {"p", "h3", "h4", "h5", "h6", "em", "strong", "s", "code", "pre", "figure", "figcaption", "blockquote", "a", "div"}
    | {"ul", "ol", "li", "hr", "br", "table", "thead", "tbody", "tr", "th", "td"}
)
ATTRIBUTES = frozenset({"href", "target", "rel", "class", "start", "tabindex", "role", "aria-label"})
VOID = frozenset({"hr", "br"})


class Seen(HTMLParser):
    """What a browser would find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.top = 0
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, "every element is closed"

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.top += not self._open
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag, "elements nest"

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_harmless(text: str) -> Seen:
    seen = Seen(text)
    for tag, attributes in seen.tags:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES
        if tag == "a":
            assert urlsplit(attributes["href"] or "").scheme in {"http", "https", "mailto"}
            assert attributes["rel"] == "noopener noreferrer nofollow"
            assert attributes["target"] == "_blank"
    return seen


@pytest.mark.parametrize("source", sorted(GOLDEN.glob("*.md")), ids=lambda path: path.stem)
def test_markdown_looks_as_it_did(source: Path) -> None:
    shown = html(source.read_text(encoding="utf-8"))

    assert shown + "\n" == source.with_suffix(".html").read_text(encoding="utf-8")
    assert_harmless(shown)


SCRAPS = st.sampled_from(
    [
        *("<script>", "</script>", "<img src=x onerror=a()>", "javascript:a()", "![a](http://e.example/p.png)", "<!--"),
        *("[x](", ")", "](", "[", "]", "<", ">", '"', "'", "&", "&#x3c;", "`", "```", "~~~js", "**", "_", "~~", "\\"),
        *("\n", "\n\n", "    ", "- ", "1. ", "> ", "# ", "|a|b|\n|-|:-:|\n|", "---\n", "http://e.example/", "https://"),
        *(
            "data:text/html,",
            "[r]: http://e.example/ 'x'\n",
            "<http://e.example>",
            "mailto:a@b",
            "onload=",
            "style=",
            "\0",
        ),
    ]
)
MARKDOWN = st.lists(SCRAPS | st.text(max_size=8), max_size=40).map("".join)


@settings(max_examples=300, deadline=None)
@given(MARKDOWN)
def test_no_markdown_brings_a_script_a_picture_or_a_handler(markdown: str) -> None:
    assert_harmless(html(markdown))


@settings(max_examples=200, deadline=None)
@given(MARKDOWN)
def test_every_block_is_one_element(markdown: str) -> None:
    for block in blocks(markdown):
        seen = Seen(block)
        assert seen.top == 1


def test_a_growing_answer_changes_in_its_last_blocks_only() -> None:
    whole = "First paragraph.\n\n- a\n- b\n\n```py\nx = 1\n```\n\nLast one."
    frames = [blocks(whole[:end]) for end in range(len(whole) + 1)]

    for before, after in itertools.pairwise(frames):
        assert before[:-2] == after[: max(0, len(before) - 2)]


def test_half_open_markdown_is_held_back_while_an_answer_grows() -> None:
    assert html(growing_markdown_of(Answer("It is **very"))) == "<p>It is</p>"
    assert html(markdown_of(Answer("It is **very"))) == "<p>It is **very</p>"


def test_sources_are_listed_under_the_answer() -> None:
    answer = Answer(
        "So it is.",
        citations=(
            Citation("https://example.org/a b>c", "Title ](javascript:x) **bold**"),
            Citation("javascript:alert(1)", "bad"),
            Citation("https://example.org/plain"),
        ),
    )

    seen = assert_harmless(html(markdown_of(answer)))

    assert [attributes["href"] for tag, attributes in seen.tags if tag == "a"] == [
        "https://example.org/a%20b%3Ec",
        "https://example.org/plain",
    ]
    assert "Title ](javascript:x) **bold**" in seen.text
    assert "bad" not in seen.text


def test_a_file_that_stayed_at_gemini_is_told_of() -> None:
    shown = markdown_of(Answer("Here.", media=(Media(MediaKind.VIDEO, "video/mp4", uri="https://files.example/1"),)))

    assert "stayed at Gemini" in shown
    assert "files.example" not in shown
