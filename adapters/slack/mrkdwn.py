"""Markdown -> mrkdwn, Slack's older dialect, for the few places that take nothing else. Pure.

It has no headings, tables or pictures: those become bold lines, code and links. Whatever is not ours to write,
``<`` above all, is escaped, so no token of the text's own survives.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.slack.harmless import harmless

_GAP = "\u200b"
_MARKS = {"strong": "*", "em": "_", "s": "~"}
_SAME = re.compile(r"<([^<>|]+)\|\1>")  # a link whose words are its address
_NAMES = re.compile(r"(?<![^\W_])@(?=(?:channel|here|everyone))", re.IGNORECASE)


def mrkdwn(markdown: str, *, longest: int | None = None) -> str:
    """A text for ``text`` and for ``mrkdwn`` objects.

    Args:
        longest: most characters it may have; what is longer ends with a block and an ellipsis.
    """
    blocks = list(_blocks(_MARKDOWN.parse(harmless(markdown))))
    whole = "\n\n".join(blocks)
    if longest is None or len(whole) <= longest:
        return whole
    kept = ""
    for block in blocks:
        longer = f"{kept}\n\n{block}" if kept else block
        if len(longer) > longest - 2:
            break
        kept = longer
    return f"{kept}\n…" if kept else f"{_torn(whole[: longest - 1])}…"


def _torn(text: str) -> str:
    """A text cut anywhere, less a token or an entity that was cut in two."""
    return re.sub(r"(?:<[^<>]*|&\w*)\Z", "", text)


# --- blocks -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Block:
    """A block with what stands in it."""

    opening: Token
    inside: Sequence[Token]


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    """Each block as text, none of them empty."""
    for block in _grouped(tokens):
        shown = _shown(block)
        if shown.strip():
            yield shown


def _grouped(tokens: Sequence[Token]) -> Iterator[_Block]:
    at = 0
    while at < len(tokens):
        first, end = at, at + 1
        nesting: int = tokens[at].nesting
        while nesting > 0:
            nesting += tokens[end].nesting
            end += 1
        inside = tokens[first + 1 : end - 1] if end - first > 1 else ()
        yield _Block(tokens[first], inside)
        at = end


def _shown(block: _Block) -> str:  # noqa: PLR0911 - a flat match, one line a kind of block
    match block.opening.type:
        case "inline":
            return _inline(block.opening.children or [])
        case "heading_open":
            words = _inline(block.inside[0].children or [], bare=True)
            return f"*{words}*" if words.strip() else ""
        case "fence" | "code_block":
            return _fenced(block.opening.content)
        case "table_open":
            return _fenced(_table(block.inside))
        case "hr":
            return "———"
        case "blockquote_open":
            inside = "\n\n".join(_blocks(block.inside))
            return "\n".join(f"> {line}".rstrip() for line in inside.splitlines())
        case "bullet_list_open" | "ordered_list_open":
            return _list(block)
        case _:
            return "\n\n".join(_blocks(block.inside))


def _list(block: _Block) -> str:
    number = int(block.opening.attrGet("start") or 1) if block.opening.type == "ordered_list_open" else None
    lines = []
    for item in _grouped(block.inside):
        marker = "•" if number is None else f"{number}."
        number = None if number is None else number + 1
        first, *rest = "\n".join(_blocks(item.inside)).splitlines() or [""]
        lines += [f"{marker} {first}".rstrip(), *(f"    {line}" for line in rest)]
    return "\n".join(lines)


def _fenced(content: str) -> str:
    inside = _escaped(content.rstrip("\n")).replace("```", f"`{_GAP}`{_GAP}`")
    return f"```\n{inside}\n```"


def _table(tokens: Sequence[Token]) -> str:
    """A table as aligned columns, for letters of one width."""
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_plain(token.children or []))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


# --- inside a paragraph -----------------------------------------------------------------------


def _inline(tokens: Sequence[Token], *, bare: bool = False) -> str:
    """A paragraph's words; *bare* without emphasis, for what is emphasised as a whole."""
    shown: list[str] = []
    link: str | None = None
    for token in tokens:
        kind = token.type.removesuffix("_open").removesuffix("_close")
        match kind:
            case "text" | "html_inline" | "text_special":
                shown.append(_NAMES.sub(f"@{_GAP}", _escaped(token.content)))
            case "code_inline":
                shown.append(f"`{_escaped(token.content).replace('`', chr(0x2CB))}`")
            case "softbreak" | "hardbreak":
                shown.append("\n")
            case "image":
                label = _label(_plain(token.children or []) or "picture")
                shown.append(label if link else f"{_opened(str(token.attrGet('src') or ''))}{label}>")
            case "link" if token.nesting > 0:
                link = _opened(str(token.attrGet("href") or ""))
                shown.append(link)
            case "link":
                shown.append(">" if link else "")
                link = None
            case _ if kind in _MARKS and not bare:
                shown.append(_MARKS[kind])
    return _SAME.sub(r"<\1>", "".join(shown))


def _opened(url: str) -> str:
    """The beginning of a link, before its label."""
    target = re.sub(r"[<>|\s\"`]", lambda found: f"%{ord(found[0]):02X}", url)
    return f"<{target.replace('&', '&amp;')}|"


def _plain(tokens: Sequence[Token]) -> str:
    return "".join(_plain(token.children) if token.children else token.content or " " for token in tokens).strip()


def _label(text: str) -> str:
    return _NAMES.sub(f"@{_GAP}", _escaped(text))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _leads_to_a_page(url: str) -> bool:
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return False
    return parts.scheme == "mailto" or (parts.scheme in {"http", "https"} and bool(parts.netloc))


_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_MARKDOWN.validateLink = _leads_to_a_page  # type: ignore[method-assign]  # the documented way to set it
