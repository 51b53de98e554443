"""Search suggestions out of the HTML that Google gives them in. Pure.

Google asks that they be shown with an answer that rests on its search, each leading to Google's own page of results.
Chats show no HTML, so of each remain the words and the link.
"""

from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

from bot.evidence import Suggestion

MOST = 10  # of one search
LONGEST = 100  # characters of the words of one

_LONGEST_HTML = 100_000  # characters; it is parsed on the event loop
_LONGEST_LINK = 1_000  # characters


def suggested_by(html: str) -> Iterator[Suggestion]:
    """Yield what Google suggests; nothing that leads anywhere but to Google."""
    links = _Links()
    links.feed(html[:_LONGEST_HTML])
    links.close()
    for href, text in links.found[:MOST]:
        words = in_one_line(text)
        if words and _leads_to_google(href):
            yield Suggestion(words, href)


def in_one_line(text: str) -> str:
    """The words of a search, cut where they are too many."""
    words = " ".join(text.split())
    return words if len(words) <= LONGEST else words[: LONGEST - 1].rstrip() + "…"


def _leads_to_google(href: str) -> bool:
    try:
        parts = urlsplit(href)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    is_google = host == "google.com" or host.endswith(".google.com")
    is_plain = "@" not in parts.netloc and port is None and len(href) <= _LONGEST_LINK
    return parts.scheme == "https" and is_google and is_plain


class _Links(HTMLParser):
    """The links of a page: where each leads, and its words."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []
        self._href: str | None = None
        self._words: list[str] = []

    def close(self) -> None:
        super().close()
        self._end()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._end()
            self._href = (dict(attrs).get("href") or "").strip()

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._end()

    def handle_data(self, data: str) -> None:
        if self._href is not None:
            self._words.append(data)

    def _end(self) -> None:
        if self._href is not None:
            self.found.append((self._href, "".join(self._words)))
        self._href, self._words = None, []
