"""Where that ends which begins inside a paragraph: code, emphasis, a link, a tag, a formula. Pure.

Of a text that still grows a question may be open: `OPEN` says that more of it is needed. What is decided once
is decided for good, by the text up to where the decision was made; whatever stays open for too long is only letters.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from adapters.discord.links import BARE_URL, LONGEST, without_punctuation

OPEN: Final = -1  # in place of a position
LOOSE: Final = -2  # emphasis whose other end is too far away to look for
_CODE_PATIENCE = 1000  # characters; longer than what `settled` waits for, so that a long command stays one
_EMPHASIS_PATIENCE = 400
_MOST_MARKS = 40  # within emphasis
_WORDS_PATIENCE = 500
_DEEPEST = 5  # brackets in brackets

_TICKS = re.compile(r"`+")
_MARKS = re.compile(r"\\.|`+|\*+|_+|~+|https?://", re.DOTALL)
_BRACKETS = re.compile(r"\\.|[\[\]]", re.DOTALL)
_BARE = rf"(?:[^\s()<]|\([^\s()]{{0,300}}\)){{0,{LONGEST}}}+"
_ADDRESS = re.compile(
    rf"\([ \t]*+(?:<(?P<angle>[^<>\n]{{0,{LONGEST}}})>|(?P<bare>{_BARE}))"
    r"(?:[ \t]++(?:\"[^\"\n]{0,300}\"|'[^'\n]{0,300}'))?[ \t]*+\)"
)
_ADDRESS_BEGUN = re.compile(
    rf"\([ \t]*+(?:<[^<>\n]{{0,{LONGEST}}}+(?:>|\Z)|{_BARE}(?:\([^\s()]{{0,300}}+\Z)?)"
    r"(?:[ \t]++(?:\"[^\"\n]{0,300}+\"?|'[^'\n]{0,300}+'?)?)?[ \t]*+\Z"
)


@dataclass(frozen=True, slots=True)
class LinkSpan:
    """A link or a picture: where its words end, the address as it is spelt, and where all of it ends."""

    words_end: int
    address: str
    end: int


class Spans:
    """What stands in one paragraph.

    Args:
        whole: nothing follows the text. Otherwise it may go on.
    """

    def __init__(self, text: str, *, whole: bool) -> None:
        self._text, self._whole = text, whole
        self._ticks: dict[int, list[int]] = defaultdict(list)
        for run in _TICKS.finditer(text):
            self._ticks[run.end() - run.start()].append(run.start())

    @property
    def _last_ticks(self) -> int:
        """How many backticks the text ends with; they may become more."""
        return len(self._text) - len(self._text.rstrip("`"))

    def is_open(self, since: int, most: int) -> bool:
        """Whether something that began at *since* may still be closed."""
        return not self._whole and len(self._text) - since <= most

    def code(self, at: int) -> int | None:
        """The end of the code span that a run of backticks at *at* opens (CommonMark 0.31, section 6.1)."""
        text = self._text
        inner = at
        while text[inner : inner + 1] == "`":
            inner += 1
        if inner == len(text):
            return None if self._whole else OPEN
        starts = self._ticks[inner - at]
        number = bisect_left(starts, inner)
        closing = starts[number] if number < len(starts) else None
        last = self._last_ticks
        may_grow = not self._whole and 0 < last <= inner - at and len(text) - last <= inner + _CODE_PATIENCE
        if closing is not None and closing <= inner + _CODE_PATIENCE:
            return OPEN if may_grow and closing + last == len(text) else closing + inner - at
        return OPEN if may_grow or self.is_open(inner, _CODE_PATIENCE) else None

    def emphasis(self, start: int, end: int) -> int | None:  # noqa: PLR0911 - each way it can turn out
        """Where the marks begin that close emphasis which a run of ``*``, ``_`` or ``~`` opens.

        Simpler than CommonMark in one thing: after a letter or digit of ASCII a run opens nothing, for there
        it is a product, a power or a name far more often.
        """
        text, mark, length = self._text, self._text[start], end - start
        if end == len(text):
            return None if self._whole else OPEN
        if not self._opens(start, end) or length > 3 or (mark == "~" and length != 2):
            return None
        inside: list[int] = []  # the lengths of runs of the same mark that are open
        at, count = end, 0
        while (found := _MARKS.search(text, at)) and found.start() <= end + _EMPHASIS_PATIENCE:
            at, count = found.end(), count + 1
            if count > _MOST_MARKS:
                return LOOSE
            if found[0][0] == "`":
                after = self.code(found.start())
                if after == OPEN:
                    return OPEN
                at = after or at
            elif found[0][0] == "h":
                url = BARE_URL.match(text, found.start())
                if url and url.end() == len(text) and self.is_open(url.start(), LONGEST):
                    return OPEN
                at = url.start() + len(without_punctuation(url[0])) if url else at
            elif found[0][0] == mark:
                if at == len(text) and not self._whole:
                    return OPEN
                closing = self._closing(found.start(), at, length, inside)
                if closing is not None:
                    return closing
        if self.is_open(end, _EMPHASIS_PATIENCE):
            return OPEN
        return LOOSE if len(text) - end > _EMPHASIS_PATIENCE else None

    def _closing(self, start: int, end: int, length: int, inside: list[int]) -> int | None:
        """Where a run closes emphasis of so many marks; what it opens or closes inside of that is noted."""
        run = end - start
        if self.closes(start, end):
            if run == length:
                return start
            if inside and run == inside[-1]:
                inside.pop()
                return None
            if inside and run == inside[-1] + length:
                return end - length
        if self._opens(start, end):
            inside.append(run)
        return None

    def _opens(self, start: int, end: int) -> bool:
        text = self._text
        before, after = text[start - 1 : start], text[end : end + 1]
        is_within_word = before.isalnum() and (text[start] == "_" or before.isascii())
        return bool(after) and not after.isspace() and not is_within_word

    def closes(self, start: int, end: int) -> bool:
        """Whether a run can close emphasis."""
        text = self._text
        before, after = text[start - 1 : start], text[end : end + 1]
        return bool(before) and not before.isspace() and not (text[start] == "_" and after.isalnum())

    def link(self, at: int) -> LinkSpan | int | None:
        """The link whose opening bracket stands at *at*."""
        text, depth = self._text, 0
        for found in _BRACKETS.finditer(text, at):
            if found.start() > at + _WORDS_PATIENCE:
                return None
            depth += {"[": 1, "]": -1}.get(found[0], 0)
            if depth > _DEEPEST:
                return None
            if depth == 0:
                return self._address(found.start(), found.end())
        return OPEN if self.is_open(at, _WORDS_PATIENCE) else None

    def _address(self, words_end: int, at: int) -> LinkSpan | int | None:
        text = self._text
        if at == len(text):
            return None if self._whole else OPEN
        if address := _ADDRESS.match(text, at):
            return LinkSpan(words_end, address["angle"] or address["bare"] or "", address.end())
        return OPEN if not self._whole and _ADDRESS_BEGUN.match(text, at) else None
