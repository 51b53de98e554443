"""Long Markdown cut into pieces a platform will take, and growing Markdown less its unfinished end."""

from collections.abc import Iterator

from bot.chunks.blocks import Place
from bot.chunks.cuts import LEAST_LIMIT, Piece, cuts
from bot.chunks.settled import settled

__all__ = ["LEAST_LIMIT", "Piece", "closed", "cuts", "settled", "split"]


def split(markdown: str, *, limit: int) -> Iterator[str]:
    """Cut a reply into pieces a platform will take, never inside a fenced block without closing it.

    A cut is made at a blank line if that leaves the piece half full, else at the end of a line, a sentence, a
    word, or where it must be. A fence that is cut is closed and opened again in the next piece, a table begins
    again with its header, a quoted line with its marks. A text of nothing but blanks has no pieces.

    When a text grows, all its pieces but the last stay as they were.

    Args:
        limit: most code points in one piece, fences included.

    Raises:
        ValueError: *limit* cannot hold an opening fence, one line and a closing fence: it is under `LEAST_LIMIT`.

    Fences follow CommonMark 0.31, section 4.5. One longer than a quarter of the limit is taken for text.
    """
    pieces = cuts(markdown, limit=limit)
    return (piece.text for piece in pieces if piece.text)


def closed(markdown: str) -> str:
    """The text with its last fence closed, so that what is put under it stands outside."""
    place = Place()
    for line in markdown.split("\n"):
        place = place.after(line, longest=len(markdown))
    return markdown if place.fence is None else markdown + place.fence.closing
