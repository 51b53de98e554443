"""Texts a model might write, and texts it is made to write, for properties that hold for all of them."""

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
    *("\n", "\n\n", "\r\n", " ", "  ", "    ", "\t", "- ", "* ", "+ ", "1. ", "2) ", "7", "> ", ">", "# ", "#### ", "#"),
    *("---\n", "===\n", "***\n", "--", "=", "|", "|a|b|\n", "|-|-|\n", "|1|2|\n", "| :-: |\n", "- ```\n", "  ```\n"),
]
_WORDS = [
    *("word ", "word", "a", "https://e.example/p", "http://", "https://e.example/a_(b).", "<https://e.example>"),
    *("[x](https://e.example)", "[https://a.example](https://b.example)", "javascript:a()", "mailto:a@e.example"),
    *("日本", "🎉", "\u202e", "\ud800", "\x00", "e\u0301", "frac{a}{b}", "x" * 60),
]
SCRAPS = st.sampled_from([*_MENTIONS, *_MARKS, *_BLOCKS, *_WORDS])
HOSTILE = st.lists(SCRAPS, max_size=30).map("".join) | st.text("`*_~[]()<>&!\\a |\n-#1.$@:h", max_size=40)
ANSWERS = HOSTILE
