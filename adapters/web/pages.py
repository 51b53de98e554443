"""The page's own files: HTML, styles and scripts, read once, small, and none of them from anywhere else."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path

_STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class About:
    """What the page says about the bot behind it."""

    model: str
    offline: bool
    version: str


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page."""

    name: str
    content_type: str
    body: bytes
    etag: str


@lru_cache
def assets() -> Sequence[Asset]:
    """What the page loads besides itself."""
    return tuple(_asset(path) for path in sorted(_STATIC.iterdir()) if path.suffix in _TYPES)


def page(about: About, *, most_files: int, largest_file: int) -> str:
    """The page.

    Args:
        most_files: that one message may have.
        largest_file: bytes.
    """
    said = {
        "most_files": str(most_files),
        "largest_file": str(largest_file),
        "model": "offline model" if about.offline else about.model,
        "version": about.version,
        "mode": "offline" if about.offline else "online",
    }
    text = _PAGE
    for name, value in said.items():
        text = text.replace(f"{{{{{name}}}}}", escape(value))
    return text


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(path.name, _TYPES[path.suffix], body, f'"{hashlib.sha256(body).hexdigest()[:24]}"')


_PAGE = (_STATIC / "index.html").read_text(encoding="utf-8")
LOGIN = (_STATIC / "login.html").read_text(encoding="utf-8")
