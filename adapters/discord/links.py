"""Addresses in a text: where they end, where they lead, and which of them Discord makes more of than a link. Pure."""

import re
import unicodedata
from urllib.parse import urlsplit

BARE_URL = re.compile(r"(?<![^\W_])https?://[^\s<>\"'`|\\^{}。，、；：！？「」『』（）【】]+", re.IGNORECASE)
LONGEST = 1500  # characters of an address; what is longer is text

# A card with a button to join, and no flag turns it off.
_INVITES = r"discord(?:app)?\.(?:gg|gift|new|com/(?:invite|gifts?|template))/"
INVITE = re.compile(_INVITES, re.IGNORECASE)
_DOMAIN = re.compile(r"(?:[a-z]+://)?(?P<host>(?:[\w-]+\.)+[a-z]{2,})(?:[:/?#]\S*)?", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_UNSAFE = re.compile(r"[\s<>\"'`|\\^{}\x00-\x1f\u200b]")
_NAMES = re.compile(r"@(?=everyone|here)", re.IGNORECASE)


def without_punctuation(url: str) -> str:
    """The address without what ends the sentence around it; a bracket belongs to it when it opened it."""
    end, unopened = len(url), url.count(")") - url.count("(")
    while url[end - 1] in ".,;:!?*_~]" or (url[end - 1] == ")" and unopened > 0):
        end -= 1
        unopened -= url[end] == ")"
    return url[:end]


def target_of(address: str) -> str:
    """The address in a link as Markdown spells it, without its escapes; empty when it is not a page's."""
    url = _ESCAPED.sub(r"\1", address.strip()).replace("&amp;", "&")
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in {"http", "https"} and parts.netloc else ""


def spelled(url: str) -> str:
    """An address in which nothing ends the angle brackets around it or is a name."""
    return _NAMES.sub("%40", _UNSAFE.sub(_percent, url))


def looks_like_another(words: str, url: str) -> bool:
    """Whether a link's words name an address that it does not lead to; Discord shows such a link as it is typed."""
    named = _DOMAIN.fullmatch(words.strip())
    return named is not None and _host(named["host"]) != _host(urlsplit(url).hostname or "")


def can_be_words(words: str) -> bool:
    """Whether Discord takes a text for a link's words: not an address, and not an emoji, in a message."""
    return "://" not in words and not any(
        unicodedata.category(char) == "So" or char in "\ufe0f\u200d" for char in words
    )


def _host(name: str) -> str:
    return name.lower().removeprefix("www.")


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace"))
