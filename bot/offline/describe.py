"""What can be told of a file from its first bytes."""

import base64
import binascii
import io

import imagesize  # type: ignore[import-untyped]  # it has no stubs

HEAD = 1 << 20  # bytes of a file that are looked at; kept nowhere
EXCERPT = 300  # characters

_TEXT_TYPES = ("application/json", "application/xml", "application/yaml", "application/x-yaml", "application/toml")


def describe(kind: str, mime_type: str, head: bytes, *, size: int) -> str:
    """A file in a few words: type, picture dimensions, size, how its text begins.

    Args:
        kind: image, audio, video or document.
        head: the first `HEAD` bytes, or all of them.
        size: of the whole file, in bytes.
    """
    facts = [f"{kind} of type {mime_type or 'unknown'}", _measured(size)]
    if kind == "image" and (dimensions := _dimensions(head)) is not None:
        facts.insert(1, "{} × {} pixels".format(*dimensions))
    if mime_type.startswith("text/") or mime_type in _TEXT_TYPES:
        facts.append(f"begins {excerpt(head.decode(errors='replace'))!r}")
    return ", ".join(facts)


def head_of(data: str) -> tuple[bytes, int]:
    """The first bytes of base64 *data*, and how many bytes all of it holds.

    Raises:
        ValueError: the data is not base64.
    """
    length = len(data)
    if length % 4:
        raise ValueError("not base64: its length is no multiple of four")
    try:
        head = base64.b64decode(data[: HEAD // 3 * 4], validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from error
    return head, length // 4 * 3 - data[-2:].count("=")


def excerpt(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text[: EXCERPT * 2].split())
    return line if len(line) <= EXCERPT and len(text) <= EXCERPT * 2 else line[:EXCERPT].rstrip() + " …"


def _dimensions(head: bytes) -> tuple[int, int] | None:
    try:
        width, height = imagesize.get(io.BytesIO(head))
    except Exception:  # the bytes are a stranger's, and imagesize fails in many ways on broken ones
        return None
    return (int(width), int(height)) if width > 0 and height > 0 else None


def _measured(size: int) -> str:
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1000:.1f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"
