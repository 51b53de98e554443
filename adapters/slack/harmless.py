"""A model's Markdown, with what Slack would make more of than text taken out. Pure.

Slack takes Markdown as it is, but it also honours its own ``<!channel>``, ``<@U123>`` and ``<url|label>`` in it, in
code too. A zero-width space after the ``<`` is not seen and makes a token text.

Two rules, since code is copied: in prose everything that could be a token once escapes and entities are
resolved is broken; in code, where nothing is resolved, only what is a token as it stands.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from bot.chunks.blocks import Place, is_heading
from bot.parts import cleaned

_GAP = "\u200b"
_PATIENCE = 200  # characters of a code span; as for a growing text, so that both see the same spans
_NEW_BLOCK = re.compile(r"[ \t]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]|>|\||#{1,6}[ \t])")
_TICKS = re.compile(r"(?<!\\)`+")

_PAGES = r"(?i:https?://|mailto:)"
_OPENS = r"<|&(?:lt|LT);?|&#0{0,6}60;?|&#[xX]0{0,6}3[cC];?"
_PINGS = r"!(?![-\[\u200b])|@|&(?:excl|commat);|&#0{0,6}(?:33|64);?(?!\d)|&#[xX]0{0,6}(?:21|40);?(?![0-9A-Fa-f])"
_RISKY = re.compile(
    r"(?P<escape>\\[\\!\[])"
    r"|\[!\[(?P<badge>[^\[\]\n]{0,200})\]\([^()\s]{0,1000}\)(?=\]\()"
    r"|(?P<nameless>!\[(?=\]\())"
    r"|(?P<picture>!(?=\[[^\[\]\n]{1,200}\][(\[]))"
    r"|(?P<odd_picture>!++(?=\[))"
    rf"|(?P<elsewhere>\](?=[(:]\s*+<?(?!{_PAGES})))"
    # Markdown takes the marks and the backslashes away that stand between.
    rf"|(?P<token>{_OPENS})(?=[\\*_~`]*+(?:{_PINGS})|(?!{_PAGES})[A-Za-z][A-Za-z0-9+.-]{{1,31}}:)"
    r"|(?P<name>(?<![^\W_])@)(?=(?i:channel|here|everyone))"
)
# What Slack's own parser takes for a token, and the addresses that run something.
_TOKENS = re.compile(
    r"<(?=!(?:channel|here|everyone|group|subteam)|@[UW][A-Z0-9]*(?:[|>]|\Z)|(?:javascript|vbscript|data):)",
    re.IGNORECASE,
)
# What the next characters may turn into one of these things.
_UNDECIDED = re.compile(
    r"(?:\](?:[(:]\s*+<?[A-Za-z]{0,7}:?/?)?"
    r"|(?:<|&#?\w{1,12};)[^<>\s]{0,40}|&#?\w{0,12}"
    r"|(?<![^\W_])@\w{0,8}"
    r"|!+(?:\[[^\[\]\n]{0,200}\]?)?"
    r"|\\)\Z"
)
_TOKEN_BEGUN = re.compile(r"<[^<>\s]{0,40}\Z")


def harmless(markdown: str) -> str:
    """The same text, in which nothing pings, shows a picture, or leads to anything but a page or a mailbox.

    A picture becomes a link to it: loading it would tell its host who reads this and when. A link to elsewhere is
    shown as it was written.
    """
    text = cleaned(markdown)
    code = list(_code(text))
    starts = [span.start for span in code]

    def changed(found: re.Match[str]) -> str:
        at = bisect_right(starts, found.start()) - 1
        if at >= 0 and found.start() < code[at].end:
            return found[0]
        match found.lastgroup:
            case "escape":
                return found[0]
            case "badge":  # a picture that is a link already: its words remain
                words = found["badge"].strip() or "picture"
                return "[" + re.sub(r"[<&@!]", lambda char: char[0] + _GAP, words)
            case "nameless":
                return "[picture"
            case "picture":
                return ""
            case _:
                return found[0] + _GAP

    return _TOKENS.sub(lambda found: found[0] + _GAP, _RISKY.sub(changed, text))


def decided(markdown: str) -> str:
    """A growing text less an end that more of it may turn into something `harmless` changes.

    Args:
        markdown: as `settled` leaves it, so that code spans in it are closed.
    """
    code = list(_code(markdown))
    last = code[-1] if code else _Code(0, 0)
    is_fenced = last.is_fenced and last.end == len(markdown)
    undecided, since = (_TOKEN_BEGUN, last.start) if is_fenced else (_UNDECIDED, last.end)
    end = len(markdown)
    # What begins undecided stays so while it is cut, so it may be cut bit by bit; a long look at each would take long.
    while found := _last(undecided, markdown, since, end):
        end = found.start()
    return markdown[:end]


def _last(pattern: re.Pattern[str], text: str, since: int, end: int) -> re.Match[str] | None:
    """What the text ends in, as far as that is something: looked for in a few characters first."""
    return pattern.search(text, max(since, end - 16), end) or pattern.search(text, max(since, end - 300), end)


@dataclass(frozen=True, slots=True)
class _Code:
    """Where code stands."""

    start: int
    end: int
    is_fenced: bool = False


def _code(text: str) -> Iterator[_Code]:
    """The code of a text in order: the lines of fenced blocks, and spans inside paragraphs."""
    place, at, paragraph = Place(), 0, 0
    for line in text.split("\n"):
        before, place = place, place.after(line, longest=_PATIENCE)
        is_fenced = bool(before.fence or place.fence)
        if is_fenced or is_heading(line) or not line.strip() or _NEW_BLOCK.match(line):
            yield from _spans(text, paragraph, at)
            paragraph = at
        at = min(at + len(line) + 1, len(text))
        if is_fenced:
            yield _Code(paragraph, at, is_fenced=True)
            paragraph = at
    yield from _spans(text, paragraph, at)


def _spans(text: str, start: int, end: int) -> Iterator[_Code]:
    """Code spans: from a run of backticks to the next one of the same length (CommonMark 0.31, section 6.1)."""
    runs = [found.span() for found in _TICKS.finditer(text, start, end)]
    resume = start
    for number, (opened, inner) in enumerate(runs):
        if opened < resume:
            continue
        for begin, ending in runs[number + 1 : number + 2 + _PATIENCE]:
            if begin > inner + _PATIENCE:
                break
            if ending - begin == inner - opened:
                yield _Code(opened, ending)
                resume = ending
                break
