"""Where a line can be cut that is too long for a piece, and what a cut would tear."""

import re
from bisect import bisect_left
from collections.abc import Iterator

from bot.chunks.blocks import Fence, undivided
from bot.chunks.inline import Spans, tears_a_character

_BLANKS = re.compile(r"\s*")
_WORD_END = re.compile(r"(?<=\S)(?=\s)")
_SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]*_]*+(?=\s)|[。！？]++[」』”’）]*+")


class Within:
    """The places in one line where it can be cut, the last ones first."""

    def __init__(self, text: str, at: int, room: int, line: str, *, fence: Fence | None) -> None:
        self._text, self._room, self._in_fence = text, room, fence is not None
        self._first = at + (fence.undivided(line) if fence else undivided(line))
        self._block_marks = "" if fence else "#>-+="
        self._fence_marks = fence.run[0] if fence else "`~"

    def sentences(self, least: int) -> Iterator[int]:
        """Ends of sentences; code has none."""
        return iter(()) if self._in_fence else self._ends(_SENTENCE_END, least)

    def words(self, least: int) -> Iterator[int]:
        """Ends of words."""
        return self._ends(_WORD_END, least)

    def anywhere(self, least: int) -> int:
        """The last place that tears no character; 0 when there is none."""
        for position in range(self._room, max(self._first, least), -1):
            if not tears_a_character(self._text, position) and self._suits(position):
                return position
        return 0

    def _ends(self, pattern: re.Pattern[str], least: int) -> Iterator[int]:
        first = max(self._first, least)
        found = (match.end() for match in pattern.finditer(self._text, first, self._room + 1))
        return (
            position for position in reversed([*found]) if first <= position <= self._room and self._suits(position)
        )

    def _suits(self, position: int) -> bool:
        """Whether what follows begins no block. Of text that may not have come yet one character is looked at."""
        found = _BLANKS.match(self._text, position)
        start = found.end() if found else position
        following = self._text[start : max(start + 1, min(start + 3, self._room))]
        if following[0] not in self._fence_marks:
            return following[0] not in self._block_marks
        return len(following) == 3 and following != following[0] * 3


class Torn:
    """Which cuts would tear something that stands inside a paragraph.

    Args:
        goes_on: the paragraph, or its last line, that does not end where the window does.
    """

    def __init__(self, text: str, paragraphs: list[tuple[int, int]], goes_on: tuple[int, int] | None) -> None:
        self._text, self._known = text, dict[int, Spans]()
        self._paragraphs = list(paragraphs)
        self._goes_on = goes_on is not None
        if goes_on is not None:
            start, end = goes_on
            if self._paragraphs and self._paragraphs[-1][1] == start:
                start = self._paragraphs.pop()[0]
            self._paragraphs.append((start, max(start, end)))

    def at(self, position: int) -> bool:
        number = bisect_left(self._paragraphs, (position,)) - 1  # the last that begins before
        if number < 0:
            return False
        start, end = self._paragraphs[number]
        if number not in self._known:
            goes_on = self._goes_on and number == len(self._paragraphs) - 1
            self._known[number] = Spans(self._text[start:end], goes_on=goes_on)
        return self._known[number].cover(position - start)
