"""Whatever a model writes becomes messages that a platform takes, and a page that runs and fetches nothing."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from adapters.discord import format as discord
from adapters.slack import format as slack
from adapters.web import format as web
from bot.answers import Answer
from bot.evidence import Citation
from tests.support.hostile import TEXTS, often

_HARM = [
    *(
        "<script>",
        "<img src=//e.example/a>",
        "![a](https://e.example/p.png)",
        "[a](javascript:b)",
        "[a](data:text/html,b)",
    ),
    *("<!here>", "<@U1>", "<#C1>", "<!subteam^S1>", "@here", "&lt;!channel&gt;", "<https://e.example|slack.com>"),
    *("```\n", "~~~\n", "- ", "> ", "|a|b|\n|-|-|\n", "\n\n", "# ", "$$", "\\(", "**", "_", "`", "[", "](", "!", "\\"),
]
MARKDOWN = st.lists(st.sampled_from(_HARM) | TEXTS, max_size=12).map("".join)
_TAGS = {
    *("p", "a", "em", "strong", "s", "code", "pre", "figure", "figcaption", "blockquote", "ul", "ol", "li", "hr", "br"),
    *("div", "table", "thead", "tbody", "tr", "th", "td", "h3", "h4", "h5", "h6"),
}
_ATTRIBUTES = {"href", "target", "rel", "class", "tabindex", "role", "aria-label", "start"}


class Elements(HTMLParser):
    """What a browser would make of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]


@often
@given(MARKDOWN, TEXTS, TEXTS)
def test_no_answer_is_cut_into_messages_that_are_too_long_or_too_many(text: str, url: str, title: str) -> None:
    answer = Answer(text, citations=(Citation(f"https://e.example/{url}", title),))

    for_slack = slack.plan(slack.markdown_of(answer))
    growing = slack.plan(slack.growing_markdown_of(answer), whole=False)
    assert all(len(part) <= 12_000 for part in (*for_slack.parts, *growing.parts))
    assert max(len(for_slack.parts), len(growing.parts)) <= slack.MOST_PARTS

    for_discord = discord.plan(discord.markdown_of(answer))
    growing = discord.plan(discord.growing_markdown_of(answer), whole=False)
    assert all(len(part) <= discord.MESSAGE_LIMIT for part in (*for_discord.parts, *growing.parts))
    assert max(len(for_discord.parts), len(growing.parts)) <= discord.MOST_PARTS
    assert len(discord.with_footer("a", text).split("\n", 1)[-1]) <= discord.FOOTER_LIMIT

    for shown in (*for_slack.parts, *for_discord.parts):
        shown.encode()


@often
@given(MARKDOWN)
def test_no_answer_has_a_browser_fetch_or_run_anything(text: str) -> None:
    seen = Elements(web.html(text) + web.html(web.growing_markdown_of(Answer(text))))

    assert seen.tags <= _TAGS
    assert seen.attributes <= _ATTRIBUTES
    assert all(link.startswith(("https://", "http://", "mailto:")) for link in map(str.lower, seen.links))
