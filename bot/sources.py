"""Where an answer comes from, as it stands under it: a numbered list, and what Google suggests. Markdown. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

from bot.evidence import Citation, Suggestion
from bot.suggestions import MOST as MOST_SUGGESTIONS

MOST = 10  # sources that are listed
GLUE = "\u00a0"
"""Stands before the numbers of sources in an answer: they are on no line by themselves, and known for ours by it."""

_HEADING = "**Sources**"
_SUGGESTS = "Google suggests:"
_LONGEST_TITLE = 120  # characters
_LONGEST_URL = 1_000  # characters; a longer one could not be cut anywhere
_SEARCH = "https://www.google.com/search?q="
# Where Google's search leads through a page of its own, the address is another one each time.
_REDIRECT = "vertexaisearch.cloud.google.com"
_TRACKING = re.compile(r"utm_\w+|gclid|fbclid|msclkid|mc_[ce]id|srsltid", re.IGNORECASE)
# As Slack and Discord give it back, too.
_IS_HEADING = re.compile(r"\*{0,2}Sources\*{0,2}\s*")
_NUMBERS = re.compile(rf"{GLUE}(?:\[\d{{1,2}}\])+")
_IS_LISTED = re.compile(r"\s*(?:\d+\. .*|and \d+ more|Google suggests: .*)?")


@dataclass(frozen=True, slots=True)
class _Source:
    url: str  # none for a name alone
    title: str | None


def sources_of(citations: Iterable[Citation], suggestions: Sequence[Suggestion]) -> Iterator[str]:
    """Yield the blocks that stand under an answer: the list, how many are not in it, and Google's suggestions."""
    found = list(_each_once(citations))
    if found:
        numbered = (f"{number}. {_line(source)}" for number, source in enumerate(found[:MOST], 1))
        yield f"{_HEADING}\n\n" + "\n".join(numbered)
    if len(found) > MOST:
        yield f"and {len(found) - MOST} more"
    # Where Google gives no links of its own, people can look at what the model searched for.
    links = {one.words: one.url for one in suggestions if one.url is not None}
    links = links or {one.words: _SEARCH + quote(one.words, safe="") for one in suggestions}
    if links:
        linked = [f"[{_label(words)}]({_target(url)})" for words, url in list(links.items())[:MOST_SUGGESTIONS]]
        yield f"{_SUGGESTS} {' · '.join(linked)}"


def numbers_of(citations: Iterable[Citation]) -> Mapping[object, int]:
    """The numbers of those that are listed under an answer, for `number_of`."""
    listed = [*_each_once(citations)][:MOST]
    return {_key(source.url, source.title): number for number, source in enumerate(listed, 1)}


def number_of(citation: Citation, numbers: Mapping[object, int]) -> int | None:
    """The number of what is cited; None when it is not listed."""
    return numbers.get(_key(citation.url.strip(), citation.title))


def without_sources(markdown: str) -> str:
    """An answer less what `sources_of` put under it, and less its numbers: told again, nobody needs them."""
    return _NUMBERS.sub("", _without_list(markdown))


def _without_list(markdown: str) -> str:
    lines = markdown.rstrip().split("\n")
    end = len(lines)
    while end and _IS_LISTED.fullmatch(lines[end - 1]):
        end -= 1
    if end and _IS_HEADING.fullmatch(lines[end - 1]):
        lines = lines[: end - 1]
    elif lines[-1].startswith(_SUGGESTS):
        lines.pop()
    else:
        return markdown
    return "\n".join(lines).rstrip()


def _each_once(citations: Iterable[Citation]) -> Iterator[_Source]:
    """Yield the pages and files in their order, each once, by the first title that it was given."""
    found: dict[object, _Source] = {}
    for citation in citations:
        url, title = citation.url.strip(), citation.title
        if (key := _key(url, title)) is None:
            continue
        known = found.get(key)
        if known is None:
            found[key] = _Source(url, title)
        elif not known.title and title:
            found[key] = _Source(known.url, title)
    yield from found.values()


def _key(url: str, title: str | None) -> object:
    """What makes two citations the same source; None for one that cannot be shown."""
    if not url:
        return ("file", title) if title else None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return None
    if parts.hostname == _REDIRECT and title:
        return ("redirect", title.casefold())
    asked = [one for one in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(one[0])]
    return (parts.netloc.lower(), parts.path.rstrip("/"), *asked)


def _line(source: _Source) -> str:
    words = _label(source.title or source.url)
    return f"[{words}]({_target(source.url)})" if source.url and len(source.url) <= _LONGEST_URL else words


def _label(text: str) -> str:
    words = " ".join(text.split())
    words = words if len(words) <= _LONGEST_TITLE else words[: _LONGEST_TITLE - 1].rstrip() + "…"
    # Anything a title could open in Markdown, a link's end above all, is only a letter here.
    return re.sub(r"([\\`*_\[\]<>!|~#&])", r"\\\1", words)


def _target(url: str) -> str:
    return re.sub(r"[<>\\|()]|[^!-~]", _percent, url)


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace"))
