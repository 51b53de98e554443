"""A growing answer is shown less its unfinished end."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chunks import settled

LONG = "word " * 41  # more than the 200 characters an open mark is waited for


@pytest.mark.parametrize(
    ("growing", "shown"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("Hello wor", "Hello wor", id="half a word is shown"),
        pytest.param("so **bol", "so ", id="open bold"),
        pytest.param("so **bold**", "so **bold**", id="closed bold"),
        pytest.param("so *it", "so ", id="open italics"),
        pytest.param("so _it_", "so ", id="italics that may go on as a name"),
        pytest.param("so _it_ is", "so _it_ is", id="closed italics"),
        pytest.param("so ~~str", "so ", id="open strikethrough"),
        pytest.param("so ~", "so ", id="half a strikethrough mark"),
        pytest.param("so ~5 kg", "so ~5 kg", id="about"),
        pytest.param("so **bold *and it* a", "so ", id="emphasis in open emphasis"),
        pytest.param("so ***bo*", "so ", id="three marks, one closed"),
        pytest.param("so `co", "so ", id="open code"),
        pytest.param("so `code", "so ", id="code to its last letter"),
        pytest.param("so `code`", "so ", id="code whose last mark may be the first of two"),
        pytest.param("so `code` is", "so `code` is", id="closed code"),
        pytest.param("so `` a ` b", "so ", id="code with a backtick in it"),
        pytest.param("so `**` and", "so `**` and", id="marks in code mean nothing"),
        pytest.param("snake_case_na", "snake_case_na", id="a name with underscores"),
        pytest.param("2*3 and 2**8 ", "2*3 and 2**8 ", id="products and powers"),
        pytest.param("2 * 3", "2 * 3", id="a product with blanks"),
        pytest.param("中文**粗体", "中文", id="bold after letters without blanks"),
        pytest.param("a \\", "a ", id="half an escape"),
        pytest.param("a \\*b", "a \\*b", id="an escaped mark"),
        pytest.param("see [te", "see ", id="a link's text"),
        pytest.param("see [text]", "see ", id="a text that may become a link"),
        pytest.param("see [text](htt", "see ", id="half a link's address"),
        pytest.param("see [text](http://x.y/a_(b", "see ", id="half an address with brackets"),
        pytest.param('see [text](http://x.y "tit', "see ", id="half a link's title"),
        pytest.param("see [text](http://x.y)", "see [text](http://x.y)", id="a whole link"),
        pytest.param("see [1] and", "see [1] and", id="brackets that are no link"),
        pytest.param("see !", "see ", id="perhaps a picture"),
        pytest.param("see ![pic](htt", "see ", id="half a picture"),
        pytest.param("see <https://x", "see ", id="half an autolink"),
        pytest.param("see <@U1", "see ", id="half a mention"),
        pytest.param("see <@U1> ", "see <@U1> ", id="a whole mention"),
        pytest.param("1 < 2", "1 < 2", id="less than"),
        pytest.param("a &am", "a ", id="half an entity"),
        pytest.param("a &amp; b", "a &amp; b", id="a whole entity"),
        pytest.param("R & D", "R & D", id="an ampersand"),
        pytest.param("a\n#", "a\n", id="a heading's marker"),
        pytest.param("a\n## ", "a\n", id="a heading's marker and a blank"),
        pytest.param("a\n## T", "a\n## T", id="a heading"),
        pytest.param("a\n-", "a\n", id="an item's marker, or an underline"),
        pytest.param("a\n- ", "a\n", id="an item's marker and a blank"),
        pytest.param("a\n- b", "a\n- b", id="an item"),
        pytest.param("a\n- **bo", "a\n", id="an item with open bold"),
        pytest.param("a\n- [ ] ", "a\n", id="a task's box"),
        pytest.param("a\n- [ ] b", "a\n- [ ] b", id="a task"),
        pytest.param("a\n1.", "a\n", id="a number's marker"),
        pytest.param("a\n1. b", "a\n1. b", id="a numbered item"),
        pytest.param("a\n> ", "a\n", id="a quote's marker"),
        pytest.param("a\n==", "a\n", id="half an underline"),
        pytest.param("a\n---\n", "a\n---\n", id="a rule, once its line has ended"),
        pytest.param("a\n``", "a\n", id="half a fence"),
        pytest.param("a\n```py", "a\n", id="a fence's opening line"),
        pytest.param("a\n```py\n", "a\n```py\n", id="a fence, once its line has ended"),
        pytest.param("a\n```py\nx = **", "a\n```py\nx = **", id="marks in a fence mean nothing"),
        pytest.param("```\nx\n``", "```\nx\n", id="half a closing fence"),
        pytest.param("```\nx\n ", "```\nx\n", id="a blank before what may be a closing fence"),
        pytest.param("```\nx\n    ", "```\nx\n    ", id="more blanks than a closing fence may have"),
        pytest.param("> ```\n> x\n>", "> ```\n> x\n", id="a quote's mark before what may be a closing fence"),
        pytest.param("```\nx\n```", "```\nx\n```", id="a closing fence"),
        pytest.param("```\nx\n~~", "```\nx\n~~", id="other marks do not close a fence"),
        pytest.param("- a\n  ```\n  x\n  ``", "- a\n  ```\n  x\n", id="half a closing fence in a list"),
        pytest.param("a\n\n| a | b |", "a\n\n", id="a table's header"),
        pytest.param("a\n\n| a | b |\n|--", "a\n\n", id="a table's header and half a delimiter row"),
        pytest.param("| a | b |\n|---|---|\n", "| a | b |\n|---|---|\n", id="a table, once it is known for one"),
        pytest.param("| a | b |\n|---|---|\n| 1 |", "| a | b |\n|---|---|\n| 1 |", id="a table's row"),
        pytest.param("| a |\nno", "| a |\nno", id="what looked like a table and is none"),
        pytest.param(f"so **bold {LONG}", f"so **bold {LONG}", id="bold that is never closed"),
        pytest.param(f"so `code {LONG}", f"so `code {LONG}", id="code that is never closed"),
        pytest.param(f"so [text {LONG}", f"so [text {LONG}", id="a link that is never closed"),
        pytest.param(f"so <b {LONG}", f"so <b {LONG}", id="a tag that is never closed"),
        pytest.param("so **bold\n\nthen", "so **bold\n\nthen", id="what is open ends with its paragraph"),
        pytest.param("so **bold\nthen", "so ", id="and not with its line"),
        pytest.param("- so **bold\n- then", "- so **bold\n- then", id="and with its item"),
    ],
)
def test_what_is_not_finished_is_held_back(growing: str, shown: str) -> None:
    assert settled(growing) == shown


MARKS = ["`", "``", "```", "~~~", "~~", "~", "\n", "\n\n", " ", "    ", "a", "word ", "*", "**", "***", "_", "__"]
MARKS += [
    "[",
    "](",
    "]",
    ")",
    "(",
    "<",
    "<@U1",
    ">",
    "&",
    "&amp",
    ";",
    "!",
    "![",
    "\\",
    "- ",
    "-",
    "1.",
    "1",
    "> ",
    "# ",
    "#",
]
MARKS += [
    "|",
    "| a |",
    "|--|--|",
    "--",
    "=",
    "[ ]",
    "[x] ",
    "中文",
    "x" * 90,
    "```py\n",
    "\n```\n",
    "{",
    "* ",
    "\t",
    "+",
]
texts = st.lists(st.sampled_from(MARKS), max_size=40).map("".join) | st.text("`*_~[]()<>&!\\a |\n-#1.", max_size=40)


@settings(deadline=None, max_examples=500)
@given(texts)
def test_what_was_shown_of_a_growing_text_is_never_taken_back(text: str) -> None:
    before = ""
    for length in range(len(text) + 1):
        shown = settled(text[:length])
        assert text[:length].startswith(shown)
        assert shown.startswith(before)
        before = shown


@settings(deadline=None)
@given(texts)
def test_a_new_paragraph_lets_go_of_everything_before_it(text: str) -> None:
    grown = f"{text}\n\nnext"

    assert settled(grown) == grown
