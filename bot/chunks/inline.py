"""What stands inside a line and is better not torn: code, links, mentions, emphasis, joined characters."""

import re
import unicodedata
from bisect import bisect_left

_TICKS = re.compile(r"(?<!\\)`+")
_LONGEST_OPEN = 300  # characters; whatever is still open so far back is a stray mark
# Every repetition is bounded or begins where the last one ended, so hostile text costs no more than its length.
_WHOLE = re.compile(
    r"!?\[[^\[\]\n]{0,500}\]\((?:[^()\s]|\([^()\s]{0,500}\)){0,2000}(?:[ \t]+\"[^\"\n]{0,300}\")?\)"  # link, picture
    r"|<[^<>\s][^<>\n]{0,500}>"  # autolink, mention, tag
    r"|(?P<mark>\*\*|__|~~)(?=\S)[^\n*_~`]{1,200}(?P=mark)"
)
_OPEN = re.compile(
    r"(?:!?\[[^\[\]\n]{0,500}(?:\](?:\([^()\s]{0,2000})?)?"
    r"|<(?:[^<>\s][^<>\n]{0,500})?"
    r"|(?:\*\*|__|~~)(?=\S)[^\n*_~`]{1,200})\Z"
)
_ZERO_WIDTH_JOINER = "\u200d"


class Spans:
    """The stretches of a paragraph that a cut should not tear, in its text's own positions.

    Args:
        goes_on: more of the paragraph follows, so what is still open at the end may be closed there.
    """

    def __init__(self, text: str, *, goes_on: bool) -> None:
        spans = [*_code(text, goes_on=goes_on), *(found.span() for found in _WHOLE.finditer(text))]
        begun = _OPEN.search(text, max(0, len(text) - _LONGEST_OPEN)) if goes_on else None
        if begun:
            spans.append((begun.start(), len(text) + 1))
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(spans):
            if self._ends and start < self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def cover(self, position: int) -> bool:
        """Whether a cut at *position* would tear one of them."""
        last = bisect_left(self._starts, position) - 1
        return last >= 0 and position < self._ends[last]


def _code(text: str, *, goes_on: bool) -> list[tuple[int, int]]:
    """Code spans: from a run of backticks to the next one of the same length (CommonMark 0.31, section 6.1)."""
    runs = [found.span() for found in _TICKS.finditer(text)]
    partner: list[int | None] = [None] * len(runs)
    seen: dict[int, int] = {}
    for number in range(len(runs) - 1, -1, -1):
        start, end = runs[number]
        partner[number] = seen.get(end - start)
        seen[end - start] = number
    spans = []
    number = 0
    while number < len(runs):
        start, closing = runs[number][0], partner[number]
        if closing is None:
            if goes_on and len(text) - start <= _LONGEST_OPEN:
                spans.append((start, len(text) + 1))
            number += 1
        else:
            spans.append((start, runs[closing][1]))
            number = closing + 1
    return spans


def tears_a_character(text: str, position: int) -> bool:
    """Whether what reads as one character stands on both sides: an accent and its letter, the people of a family.

    A cheap part of Unicode's rules for grapheme clusters (UAX 29).
    """
    before, after = text[position - 1 : position], text[position : position + 1]
    if not before or not after:
        return False
    if _ZERO_WIDTH_JOINER in (before, after) or (before, after) == ("\r", "\n") or before == "\\":
        return True
    if unicodedata.category(after)[0] == "M" or "\U0001f3fb" <= after <= "\U0001f3ff":  # marks and skin tones
        return True
    return _is_half_flag(after) and _half_flags_before(text, position) % 2 == 1


def _is_half_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _half_flags_before(text: str, position: int) -> int:
    count = 0
    while count < 64 and position > count and _is_half_flag(text[position - count - 1]):
        count += 1
    return count
