"""Public links in what people say, which Gemini can open by itself: pictures, PDFs and films on YouTube.

Nothing is fetched here, so a link is judged by its host and its ending alone.
"""

import re
from pathlib import PurePosixPath
from urllib.parse import SplitResult, parse_qs, urlsplit

from bot.answers import Media, MediaKind

MOST = 10  # with one message; as many films as Gemini takes in one request

_LINK = re.compile(r"https://[^\s<>\"'`|\\^{}\[\]]+", re.IGNORECASE)
_ENDINGS = {
    ".png": (MediaKind.IMAGE, "image/png"),
    ".jpg": (MediaKind.IMAGE, "image/jpeg"),
    ".jpeg": (MediaKind.IMAGE, "image/jpeg"),
    ".webp": (MediaKind.IMAGE, "image/webp"),
    ".gif": (MediaKind.IMAGE, "image/gif"),
    ".heic": (MediaKind.IMAGE, "image/heic"),
    ".heif": (MediaKind.IMAGE, "image/heif"),
    ".bmp": (MediaKind.IMAGE, "image/bmp"),
    ".tif": (MediaKind.IMAGE, "image/tiff"),
    ".tiff": (MediaKind.IMAGE, "image/tiff"),
    ".pdf": (MediaKind.DOCUMENT, "application/pdf"),
}
_YOUTUBE = {"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com"}
_FILM = re.compile(r"[\w-]{11}")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})")
# Names that mean something in somebody's network only. Numbers are no public name either, and end in no letters.
_PRIVATE = re.compile(
    r"(?:.*\.)?(?:localhost|local|localdomain|internal|intranet|private|corp|home|lan|arpa|test|invalid|example|onion)"
)


def public_links(text: str) -> tuple[Media, ...]:
    """What a text links to and Gemini can open, in its order and each once, ten at the most."""
    found = (media for link in _LINK.findall(text) if (media := _linked(_trimmed(link))) is not None)
    return tuple(dict.fromkeys(found))[:MOST]


def _trimmed(link: str) -> str:
    """A link without what stands after it in a sentence."""
    end, unopened = len(link), link.count(")") - link.count("(")
    while link[end - 1] in ".,;:!?*_~" or (link[end - 1] == ")" and unopened > 0):
        unopened -= link[end - 1] == ")"
        end -= 1
    return link[:end]


def _linked(link: str) -> Media | None:
    try:
        parts = urlsplit(link)
        is_default, host = parts.port in {None, 443}, parts.hostname or ""
    except ValueError:
        return None
    if not is_default or parts.username is not None or not _HOST.fullmatch(host) or _PRIVATE.fullmatch(host):
        return None
    if film := _film(parts, host):
        return Media(MediaKind.VIDEO, "", uri=f"https://www.youtube.com/watch?v={film}")
    kind = _ENDINGS.get(PurePosixPath(parts.path).suffix.lower())
    return None if kind is None else Media(*kind, uri=link)


def _film(parts: SplitResult, host: str) -> str | None:
    """The film that a link to YouTube names; None for lists, channels and other hosts."""
    match [host in _YOUTUBE, *parts.path.split("/")[1:]]:
        case [True, "watch"]:
            named = parse_qs(parts.query).get("v", [""])[0]
        case [True, "shorts" | "live" | "embed", named, *_]:
            pass
        case [False, named, *_] if host == "youtu.be":
            pass
        case _:
            return None
    return str(named) if _FILM.fullmatch(str(named)) else None
