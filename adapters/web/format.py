"""Markdown -> HTML, for text that may be hostile: no scripts, no pictures from anywhere, no way out but plain links."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from bot.answers import Answer
from bot.chunks import settled
from bot.marks import FOLD, PLACE
from bot.messages import AttachmentId, MessageId

_BARE_URL = re.compile(r"https?://[^\s<>\"'`|\\^{}\x00-\x20]+", re.IGNORECASE)


def growing_markdown_of(answer: Answer) -> str:
    """What the page shows of an answer that still grows: half-open Markdown is held back."""
    growing = replace(answer, text=settled(answer.text)).markdown
    return "\n\n".join(block for block in (answer.opening, growing) if block)


def blocks_with(
    markdown: str, files: Collection[AttachmentId], messages: Collection[MessageId] = ()
) -> tuple[str, ...]:
    """The same as `blocks`, with an empty element where one of these files stands, and these messages' code folded.

    The ids of both are known to nobody who could write them into an answer.
    """
    shown: list[str] = []
    start = 0
    for found in FOLD.finditer(markdown):
        if found[1] in messages:
            shown += _with_places(markdown[start : found.start()], files)
            inside = "\n".join(blocks(found[2]))
            shown.append(f'<details class="ran"><summary>Code that was run</summary>{inside}</details>')
            start = found.end()
    return (*shown, *_with_places(markdown[start:], files))


def _with_places(markdown: str, files: Collection[AttachmentId]) -> tuple[str, ...]:
    shown: list[str] = []
    start = 0
    for found in PLACE.finditer(markdown):
        if found[1] in files:
            shown += blocks(markdown[start : found.start()])
            shown.append(f'<figure class="placed" data-file="{found[1]}"></figure>')
            start = found.end()
    return (*shown, *blocks(markdown[start:]))


@lru_cache(maxsize=256)
def blocks(markdown: str) -> tuple[str, ...]:
    """The HTML of each top-level block, every one of them a single element.

    An answer that grows changes in its last blocks only, so the difference between two frames is a short tail.
    Equal texts are rendered once for everybody who looks at them.
    """
    env: EnvType = {}
    return tuple(
        str(_MARKDOWN.renderer.render(block, _MARKDOWN.options, env)).strip()
        for block in _top_level(_MARKDOWN.parse(markdown, env))
    )


def html(markdown: str) -> str:
    """All the blocks in one piece."""
    return "\n".join(blocks(markdown))


def _top_level(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    block: list[Token] = []
    depth = 0
    for token in tokens:
        block.append(token)
        depth += token.nesting
        if depth == 0:
            yield block
            block = []


def _is_safe(url: str) -> bool:
    """Whether a link may lead there."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return False
    return parts.scheme == "mailto" or (parts.scheme in {"http", "https"} and bool(parts.netloc))


def _drop_links_to_nowhere(state: StateCore) -> None:
    """`[words]()` is a link in CommonMark, to the page itself, and passes the parser's own look at addresses."""
    for block in state.tokens:
        kept: list[Token] = []
        leads: list[bool] = []  # of the open links
        for token in block.children or ():
            if token.type == "link_open":
                leads.append(bool(token.attrGet("href")))
            leads_somewhere = not token.type.startswith("link_") or leads[-1]
            if token.type == "link_close":
                leads.pop()
            if leads_somewhere:
                kept.append(token)
        if block.children:
            block.children = kept


def _link_bare_urls(state: StateCore) -> None:
    for block in state.tokens:
        if block.type != "inline" or not block.children or "://" not in block.content:
            continue
        linked: list[Token] = []
        links = 0  # open ones around the token
        for token in block.children:
            links += token.nesting if token.type in {"link_open", "link_close"} else 0
            if token.type == "text" and not links:
                linked.extend(_with_links(token))
            else:
                linked.append(token)
        block.children = linked


def _with_links(text: Token) -> Iterator[Token]:
    rest = 0
    for found in _BARE_URL.finditer(text.content):
        url = _without_punctuation(found[0])
        target = _MARKDOWN.normalizeLink(url)
        if not _is_safe(target):
            continue
        yield _text(text.content[rest : found.start()], text.level)
        yield Token("link_open", "a", 1, attrs={"href": target}, level=text.level, info="auto")
        yield _text(url, text.level + 1)
        yield Token("link_close", "a", -1, level=text.level, info="auto")
        rest = found.start() + len(url)
    yield _text(text.content[rest:], text.level)


def _text(content: str, level: int) -> Token:
    return Token("text", "", 0, content=content, level=level)


def _without_punctuation(url: str) -> str:
    """The address without what ends the sentence around it; a bracket belongs to it when it opened it."""
    end, unopened = len(url), url.count(")") - url.count("(")
    while url[end - 1] in ".,;:!?*_~]" or (url[end - 1] == ")" and unopened > 0):
        end -= 1
        unopened -= url[end] == ")"
    return url[:end]


# --- what an element looks like ---------------------------------------------------------------------------------


def _link(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    target = escapeHtml(str(tokens[at].attrGet("href") or ""))
    return f'<a href="{target}" target="_blank" rel="noopener noreferrer nofollow">'


def _picture(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    # Loading it would tell its host who reads this and when, so a picture is only ever a link to one.
    token = tokens[at]
    label = escapeHtml(self.renderInlineAsText(token.children or [], options, env).strip() or "picture")
    target = str(token.attrGet("src") or "")
    in_link = sum(other.nesting for other in tokens[:at] if other.type in {"link_open", "link_close"}) > 0
    if in_link or not _is_safe(target):
        return label
    return f'<a href="{escapeHtml(target)}" target="_blank" rel="noopener noreferrer nofollow">{label}</a>'


def _code(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[at]
    language = escapeHtml((token.info.split() or [""])[0][:24])
    label = f'<figcaption class="language">{language}</figcaption>' if language else ""
    return f'<figure class="code">{label}<pre tabindex="0"><code>{escapeHtml(token.content)}</code></pre></figure>\n'


def _heading(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    # The page's own headings stand above those of an answer.
    level = int(tokens[at].tag[1:])
    slash = "/" if tokens[at].nesting < 0 else ""
    classes = "" if slash else f' class="heading-{level}"'
    return f"<{slash}h{min(level + 2, 6)}{classes}>"


def _table_open(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    return '<div class="table" role="region" aria-label="Table" tabindex="0"><table>\n'


def _table_close(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    return "</table></div>\n"


def _cell(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    # The alignment comes as an inline style, which the page's content policy forbids.
    side = str(tokens[at].attrGet("style") or "").rpartition(":")[2]
    return f'<{tokens[at].tag} class="{side}">' if side in {"left", "center", "right"} else f"<{tokens[at].tag}>"


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    markdown.validateLink = _is_safe  # type: ignore[method-assign]  # the documented way to set it
    markdown.core.ruler.after("text_join", "links_to_nowhere", _drop_links_to_nowhere)
    markdown.core.ruler.after("links_to_nowhere", "bare_urls", _link_bare_urls)
    rules = {
        "link_open": _link,
        "image": _picture,
        "fence": _code,
        "code_block": _code,
        "heading_open": _heading,
        "heading_close": _heading,
        "table_open": _table_open,
        "table_close": _table_close,
        "th_open": _cell,
        "td_open": _cell,
    }
    for name, rule in rules.items():
        markdown.add_render_rule(name, rule)
    return markdown


_MARKDOWN = _markdown()
