"""Numbers in an answer, at the end of each sentence that comes from a source: ``It rains. [1]``. Pure.

Gemini tells where the words end that come from somewhere as a count: of bytes of UTF-8 as it says, of characters as
others say. In the wrong place a number would tear a word or a link. So there is one only where nothing speaks against
it, and every source is listed under the answer either way.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from operator import attrgetter

from bot.answers import Answer
from bot.chunks import settled
from bot.chunks.blocks import Place, is_heading
from bot.evidence import Cited
from bot.sources import GLUE, number_of, numbers_of

_MOST = 4  # numbers in one place
_LONGEST = 200_000  # characters of an answer; a longer one is left as it is
_LONGEST_PARAGRAPH = 50  # lines
_MOST_BEFORE = 5_000  # characters of a paragraph before a number
# Numbers of the model's own, which ours could be taken for, and what makes a link of any number.
_NUMBERED = re.compile(
    rf"(?<![\w\])])\[\^?\d{{1,3}}(?:\s*[,;–-]\s*\d{{1,3}})*\]|\[cite\b|{GLUE}\[|^ {{0,3}}\[[^\]\n]+\]:", re.MULTILINE
)
_STOPS, _WIDE_STOPS = ".!?…", "。！？"
_MARKS = "\"'”’»)*_~"  # that may stand after the stop that ends a sentence
_TO_THE_END = re.compile(rf"[{_STOPS}]*+[{re.escape(_MARKS)}]*+")
_ITEM = re.compile(r"[ \t]*+(?:>[ \t]?)*+(?:[-*+]|\d{1,9}[.)])[ \t]")
_INDENTED = re.compile(r" {4}|\t")


def with_numbers(answer: Answer) -> Answer:
    """The answer with the numbers of its sources in its text, as they are in the list under it."""
    if not answer.cited or len(answer.text) > _LONGEST or _NUMBERED.search(answer.text):
        return answer
    numbers, ends = numbers_of(answer.citations), _Ends(answer.text)
    found: dict[int, set[int]] = {}  # by where they are to stand
    for _, piece in groupby(answer.cited, key=attrgetter("begins")):
        for cited, at in _placed(answer.text, [*piece], ends):
            number = number_of(cited.citation, numbers)
            if number is not None:
                found.setdefault(at, set()).add(number)
    marks = {at: GLUE + "".join(f"[{number}]" for number in sorted(found[at])[:_MOST]) for at in sorted(found)}
    return replace(answer, text=_with(answer.text, marks), places=tuple(_moved(at, marks) for at in answer.places))


def _with(text: str, marks: dict[int, str]) -> str:
    cuts = [0, *marks, len(text)]
    passages = [text[start:end] for start, end in pairwise(cuts)]
    return "".join(passage + mark for passage, mark in zip(passages, [*marks.values(), ""], strict=True))


def _moved(place: int, marks: dict[int, str]) -> int:
    return place + sum(len(mark) for at, mark in marks.items() if at <= place)


# --- what was counted -------------------------------------------------------------------------


def _placed(text: str, piece: Sequence[Cited], ends: "_Ends") -> list[tuple[Cited, int]]:
    """The citations of one piece of text whose numbers have a place, and the place."""
    begins = piece[0].begins
    words = text[begins : piece[0].ends]
    told = [(cited, cited.citation.end) for cited in piece if cited.citation.end is not None]
    starts = [cited.citation.start or 0 for cited, _ in told]
    readings = []
    for read in (_bytes, _characters):  # in doubt they are bytes, as Google says
        at = read(words, [*starts, *(end for _, end in told)])
        if at is not None and not any(_is_inside_word(words, one) for one in at):
            readings.append([ends.after(begins + one) for one in at[len(starts) :]])
    best = max(readings, key=lambda places: sum(place is not None for place in places), default=[])
    placed = zip(told, best, strict=False)
    return [(cited, place) for (cited, _), place in placed if place is not None and place <= cited.ends]


def _bytes(text: str, counts: Sequence[int]) -> Sequence[int] | None:
    """Counts of bytes as counts of characters; None when they cannot be that."""
    encoded, found = text.encode("utf-8", "replace"), {0: 0}
    last = 0
    for count in sorted({*counts}):
        try:
            found[count] = found[last] + len(encoded[last:count].decode())
        except UnicodeDecodeError:
            return None
        last = count
    return [found[count] for count in counts] if min(counts, default=0) >= 0 and last <= len(encoded) else None


def _characters(text: str, counts: Sequence[int]) -> Sequence[int] | None:
    return counts if all(0 <= count <= len(text) for count in counts) else None


def _is_inside_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


# --- where a number can stand -----------------------------------------------------------------


class _Ends:
    """The ends of sentences and of lines in a text, where they are in no code, link, table or heading."""

    def __init__(self, text: str) -> None:
        self._text, self._lines = text, text.split("\n")
        self._starts, self._is_code = list[int](), list[bool]()
        place, at = Place(), 0
        for line in self._lines:
            before, place = place, place.after(line, longest=len(text))
            self._starts.append(at)
            self._is_code.append(before.fence is not None or place.fence is not None)
            at += len(line) + 1

    def after(self, at: int) -> int | None:
        """Where a number of what ends there is to stand; None when there is no such place, or it is not sure."""
        text = self._text
        while at > 0 and text[at - 1].isspace():
            at -= 1
        found = _TO_THE_END.match(text, at)
        at = found.end() if found else at
        number = bisect_right(self._starts, at) - 1
        start, line = self._starts[number], self._lines[number]
        words = text[start:at].rstrip(_MARKS)
        is_wide = words[-1:] in _WIDE_STOPS and text[at : at + 1] not in {"(", "[", ":"}
        ends_here = is_wide or not text[at : at + 1].strip()
        is_an_end = words[-1:] in {*_STOPS, *_WIDE_STOPS} or not line[at - start :].strip()
        is_sure = self._is_prose(number) and any(letter.isalpha() for letter in words) and text[at - 1] != "\\"
        return at if words and ends_here and is_an_end and is_sure and self._is_closed(number, at) else None

    def _is_prose(self, number: int) -> bool:
        """Whether a line is nothing but words."""
        line = self._lines[number]
        is_indented = _INDENTED.match(line) is not None and _ITEM.match(line) is None
        is_other = is_heading(line) or "|" in line or line.lstrip().startswith("<")
        return not (self._is_code[number] or is_indented or is_other)

    def _goes_on(self, number: int) -> bool:
        """Whether the next line may belong to the paragraph of this one."""
        return bool(self._lines[number].strip()) and not self._is_code[number]

    def _is_closed(self, number: int, at: int) -> bool:
        """Whether everything that begins in the paragraph before a place has come to its end there."""
        first = number
        while first > 0 and not _ITEM.match(self._lines[first]) and self._goes_on(first - 1):
            first -= 1
            if number - first > _LONGEST_PARAGRAPH:
                return False
        before = self._text[self._starts[first] : at] + " "
        if len(before) > _MOST_BEFORE:
            return False
        is_even = before.count("`") % 2 == 0 and before.count("$$") % 2 == 0
        is_paired = before.count("[") <= before.count("]") and before.count("\\(") == before.count("\\)")
        return is_even and is_paired and settled(before) == before
