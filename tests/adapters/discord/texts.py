"""Texts a model might write, and texts it is made to write, for properties that hold for all of them."""

import re
from itertools import count

from hypothesis import strategies as st

_MENTIONS = [
    *("@everyone", "@here", "@every", "<@80351110224678912>", "<@!80351110224678912>", "<@&80351110224678912>"),
    *("<#80351110224678912>", "<id:browse>", "</ask:80351110224678912>", "<t:1:R>", "<:x:80351110224678912>", "<@"),
    *("80351110224678912>", "||", "|", "-# ", ">>> ", "discord.gg/abc", "https://discord.gg/abc", "discord", ".gg/a"),
]
_MARKS = [
    *("`", "``", "```", "```\n", "```py\n", "~~~\n", "~~", "~", "*", "**", "***", "_", "__", "___", "\\", "\\\n"),
    *("[", "]", "(", ")", "](", "![", "[^1]", "[^1]:", "[ ] ", "<", ">", "<b>", "</b>", "<br>", "<code>", "</code>"),
    *("<sub>2</sub>", "<!--", "-->", "&lt;", "&#64;", "&amp", ";", "&", "$", "$$", "\\(", "\\)", "\\[", "\\]", "^2"),
]
_BLOCKS = [
    *("\n", "\n\n", "\r\n", " ", "  ", "    ", "\t", "- ", "* ", "+ ", "1. ", "2) ", "7", "> ", ">", "# ", "#### "),
    *("#", "---\n", "===\n", "***\n", "--", "=", "|", "|a|b|\n", "|-|-|\n", "|1|2|\n", "| :-: |\n", "- ```\n"),
    *("  ```\n", "    x\n"),
]
_WORDS = [
    *("word ", "word", "a", "https://e.example/p", "http://", "https://e.example/a_(b).", "<https://e.example>"),
    *("[x](https://e.example)", "[https://a.example](https://b.example)", "javascript:a()", "mailto:a@e.example"),
    *("日本", "🎉", "\u202e", "\ud800", "\x00", "e\u0301", "\\frac{a}{b}", "x" * 60),
]
SCRAPS = [*_MENTIONS, *_MARKS, *_BLOCKS, *_WORDS]
HOSTILE = st.lists(st.sampled_from(SCRAPS), max_size=25).map("".join) | st.text(
    "`*_~[]()<>&!\\a |\n-#1.$@:h", max_size=40
)

# --- answers whose words are numbered: W is one that has to appear in its turn, T one that only has to appear -------

_PHRASES = [
    *("W W W. ", "W **W W** W ", "*W* W, ", "__W__ ", "~~W~~ ", "`W W` ", "``W`` ", "[W W](https://e.example/a) "),
    *("<b>W</b> W<br>W ", "W_W W*W ", "$W^2$ ", "\\(\\frac{W}{W}\\) ", "![W](https://e.example/p.png) ", "W[^1] "),
    *("https://e.example/W ", "<https://e.example/W> ", "W || W ", "@everyone W ", "日本語W。", "🎉 W ", "&lt;W&gt; "),
]
_PARAGRAPHS = st.lists(st.sampled_from(_PHRASES), min_size=1, max_size=40).map(lambda many: "".join(many).strip())
_LINES = st.lists(st.sampled_from(["W = W(W)", "", "    W", "# W", "``` W", "'''W", "W" + "-" * 60]), max_size=40)
_FENCES = st.builds(
    "{0}{1}\nW\n{2}\n{0}".format,
    st.sampled_from(["```", "````", "~~~"]),
    st.sampled_from(["", "python", "c++ title"]),
    _LINES.map("\n".join),
)
_ROWS = st.sampled_from(
    ["| T | T |", "| `T` | **T** T T |", "| T T T T T T T T T T | T |", "| [T](https://e.example) | |"]
)
_TABLES = st.lists(_ROWS, min_size=2, max_size=40).map(lambda rows: "\n".join([rows[0], "|---|:-:|", *rows[1:]]))
_ITEMS = st.lists(
    st.builds(
        "{}{} {}".format,
        st.sampled_from(["", "", "  ", "   ", "    "]),
        st.sampled_from(["-", "*", "1.", "2)", "- [ ]", "- [x]"]),
        st.sampled_from(_PHRASES),
    ),
    min_size=1,
    max_size=15,
).map("\n".join)
_QUOTES = st.lists(_PARAGRAPHS | _FENCES, min_size=1, max_size=2).map(
    lambda quoted: "\n".join(f"> {line}" for line in "\n\n".join(quoted).split("\n"))
)
_HEADINGS = st.sampled_from(["# W W", "## **W**", "#### W *W* ##", "W W\n=====", "---", "    W\n      W"])
ANSWERS = st.lists(_PARAGRAPHS | _FENCES | _TABLES | _ITEMS | _QUOTES | _HEADINGS, min_size=1, max_size=14).map(
    lambda blocks: _numbered("\n\n".join(blocks))
)


def _numbered(text: str) -> str:
    numbers = count(100)
    return re.sub(r"\b[WT](?![a-z])|(?<=語)W|(?<=_)W", lambda found: f"{found[0].lower()}{next(numbers)}x", text)


def words(text: str, kind: str = "w") -> list[str]:
    """The numbered words of a text, each where it appears first."""
    return list(dict.fromkeys(re.findall(rf"{kind}\d{{3,}}x", text)))
