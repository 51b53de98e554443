"""Long Markdown cut into pieces, each of which reads well alone.

A cut is decided by nothing but the text before it and the one character that no longer fits. So when the
text grows, the pieces before the last stay what they were, and a message that was posted is never cut again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from bot.chunks.blocks import Fence, Place, is_heading, is_row, quote_of
from bot.chunks.within import Torn, Within

LEAST_LIMIT = 64  # characters: an opening and a closing fence take up to half of them, the rest is for the text
_SPACE = re.compile(r"\s*")
_BLANK_LINES = re.compile(r"(?:[^\S\n]*+\n)+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, and how it is shown.

    The bodies of all pieces, joined, are the text. What is shown of a body lacks the blanks around it, the
    indentation where a list item was cut, and a closing fence that the closing stands for; the opening and the
    closing are added.
    """

    body: str
    shown: str
    opening: str = ""
    closing: str = ""

    @property
    def text(self) -> str:
        """The piece as it is to be posted; empty only for a text of nothing but blanks."""
        return f"{self.opening}{self.shown}{self.closing}" if self.shown else ""


class _Rank(IntEnum):
    """How good a place between two lines is for a cut."""

    POOR = 0  # it would leave a heading, an opening fence or a table's header behind
    LINE = 1
    GAP = 2  # a blank line inside a fence
    BLOCK = 3


@dataclass(frozen=True, slots=True)
class _Between:
    """A place between two lines."""

    at: int
    place: Place
    rank: _Rank


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a piece begins. The quote is that of the line it begins in the middle of."""

    at: int = 0
    place: Place = field(default_factory=Place)
    within_line: bool = False
    quote: str = ""


def cuts(markdown: str, *, limit: int) -> Iterator[Piece]:
    """Cut a text as `split` does, and tell of each piece what was added to it.

    Raises:
        ValueError: *limit* is under `LEAST_LIMIT`.
    """
    if limit < LEAST_LIMIT:
        raise ValueError(f"{limit} characters cannot hold an opening fence, one line and a closing fence")
    return _cuts(markdown, limit)


def _cuts(text: str, limit: int) -> Iterator[Piece]:
    start: _Start | None = _Start()
    while start is not None and start.at < len(text):
        piece, start = _Window(text, start, limit).cut()
        yield piece


class _Window:
    """The part of the text that one piece can hold, read line by line until it is full.

    Positions are the text's own; `_end` is where the piece is full if nothing needs to be closed.
    """

    def __init__(self, text: str, start: _Start, limit: int) -> None:
        self._text, self._start = text, start
        self._longest = limit // 4  # of a fence, an opening line, a table's header: what is repeated stays small
        self._between: list[_Between] = []
        self._paragraphs: list[tuple[int, int]] = []

        first = self._skip_blanks(start.at)
        line = start.at if start.within_line else text.rfind("\n", start.at, first) + 1 or start.at
        self._place = start.place
        self._at = line
        self._leave_fence(text[line : first + 1])
        self._reopened = self._place.fence
        self._opening = self._opening_of(text[first : first + 1])
        self._indent = self._indent_of(first - line)
        self._visible = line + min(first - line, self._indent)
        self._end = self._visible - len(self._opening) + limit

    def _opening_of(self, first: str) -> str:
        quote = self._start.quote if self._start.within_line and len(self._start.quote) <= self._longest else ""
        if self._reopened is not None:
            return self._reopened.opening(longest=self._longest) + quote
        if self._start.within_line:
            return quote
        table = self._place.table
        return table if len(table) <= self._longest and is_row(first) else ""

    def _indent_of(self, first: int) -> int:
        """How far the piece's lines are moved to the left, since the list item around them stays behind."""
        if first > self._longest:
            return first
        if self._reopened is not None:
            return 0 if self._reopened.quote else self._reopened.indent
        item = self._place.items[-1] if self._place.items else 0
        return item if self._start.within_line else min(first, item)

    def _skip_blanks(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return found.end() if found else at

    # --- reading ------------------------------------------------------------------------------

    def cut(self) -> tuple[Piece, _Start | None]:
        """The piece, and where the next one begins; None when there is none."""
        while True:
            first = self._skip_blanks(self._at)
            if first == len(self._text):
                return self._rest("")
            newline = self._text.rfind("\n", self._at, first)
            if newline >= 0:
                self._pass_blank_lines(newline + 1)
            line_end = self._line_end(first)
            if line_end is None:
                return self._cut_before(self._text[self._at : max(self._end, self._at) + 1])
            line, whole = self._text[self._at : line_end], line_end < len(self._text)
            fence = self._place.fence
            if self._leave_fence(line) and fence is self._reopened and fence is not None and not fence.quote:
                # The list item that would end the block stayed in the piece before.
                return self._between_lines(_Between(self._at, self._place, _Rank.BLOCK), fence)
            after = self._after(line)
            if self._at + len(line.rstrip()) + self._cost(line, after.fence, whole=whole) > self._end:
                return self._cut_before(line)
            if not whole:
                return self._rest(line)
            self._pass_line(line, after, line_end + 1)

    def _line_end(self, first: int) -> int | None:
        """Where the line ends that begins with *first*; None when that is not to be known within the window."""
        end = max(self._end, first)
        newline = self._text.find("\n", first, end + 1)
        if newline >= 0:
            return newline
        if first >= self._end:
            return None
        after = self._skip_blanks(end) if end < len(self._text) else len(self._text)
        newline = self._text.find("\n", end, after)
        if newline >= 0:
            return newline
        return after if after == len(self._text) else None

    def _after(self, line: str) -> Place:
        if self._is_remainder:
            inside = self._place.fence or self._place.table
            return self._place if inside else Place(items=self._place.items, after_blank=False)
        return self._place.after(line + "\n", longest=self._longest)

    def _leave_fence(self, line: str) -> bool:
        """Step out of a fence whose quote or list item ends before this line."""
        fence = self._place.fence
        if fence is None or self._is_remainder or not fence.is_left_by(line):
            return False
        self._place = self._place.outside
        return True

    @property
    def _is_remainder(self) -> bool:
        """Whether the line is the rest of one that began in the piece before: it opens and closes nothing."""
        return self._start.within_line and self._at == self._start.at

    def _cost(self, line: str, after: Fence | None, *, whole: bool) -> int:
        """How much would have to be added if the piece ended with this line."""
        before = self._place.fence
        if not whole and before is None:
            return 0  # it opens a fence only if it ends as it looks now
        missing = before.missing(line) if before is not None and not whole else 0
        return missing or len(self._closing(after))

    def _closing(self, fence: Fence | None) -> str:
        if fence is None:
            return ""
        return f"\n{fence.quote}{fence.run}" if fence is self._reopened else fence.closing

    def _pass_blank_lines(self, at: int) -> None:
        last = self._between[-1] if self._between else None
        is_poor = last is not None and last.at == self._at and last.rank is _Rank.POOR
        self._at = at
        self._place = self._place.after("\n", longest=self._longest)
        self._note(_Rank.POOR if is_poor else _Rank.GAP if self._place.fence else _Rank.BLOCK)

    def _pass_line(self, line: str, after: Place, at: int) -> None:
        before = self._place
        self._regrade(line, after)
        if before.fence is None and after.fence is None:
            if self._paragraphs and self._paragraphs[-1][1] == self._at:
                self._paragraphs[-1] = (self._paragraphs[-1][0], at)
            else:
                self._paragraphs.append((self._at, at))
        opened, closed = before.fence is None and after.fence is not None, before.fence is not None and not after.fence
        begun = bool(after.table and not before.table)
        self._at, self._place = at, after
        if opened or begun or (after.fence is None and is_heading(line)):
            self._note(_Rank.POOR)
        else:
            self._note(_Rank.BLOCK if closed else _Rank.LINE)

    def _note(self, rank: _Rank) -> None:
        if self._at > self._visible:
            self._between.append(_Between(self._at, self._place, rank))

    def _regrade(self, line: str, after: Place) -> None:
        """Think again about the place before a line, now that the line is known."""
        if not self._between or self._between[-1].at != self._at:
            return
        last = self._between.pop()
        opens = after.fence and not self._place.fence
        if after.table and not self._place.table:
            self._between.append(_Between(last.at, last.place, _Rank.POOR))
        elif opens and last.rank >= _Rank.LINE:
            self._between.append(_Between(last.at, last.place, _Rank.BLOCK))
        else:
            self._between.append(last)

    # --- cutting ------------------------------------------------------------------------------

    def _rest(self, line: str) -> tuple[Piece, None]:
        """The last piece, which ends with *line*."""
        fence, end = self._after(line).fence if line else self._place.fence, len(self._text)
        if fence is None:
            return self._piece(end, "", end), None
        if self._place.fence is not None:
            missing = fence.missing(line)
            return self._piece(end, fence.run[-missing:] if missing else self._closing(fence), end), None
        # The line opens a fence that holds nothing yet. Where there is no room to close it, it is not shown;
        # where there is nothing else to show, the end of its title is not.
        closing = self._closing(fence)
        room = self._end - len(closing)
        if self._at + len(line.rstrip()) > room and self._at > self._visible:
            return self._piece(end, "", self._at), None
        return self._piece(end, closing, min(end, room)), None

    def _cut_before(self, line: str) -> tuple[Piece, _Start | None]:
        """Cut where it hurts least, at the latest in this line, which does not fit."""
        after = self._after(line)
        if self._place.fence is None and after.fence is None:
            # A backtick further on makes it no fence, but what stays of the line in this piece would be one.
            line = line[: max(0, self._end - self._at)]
            after = self._after(line)
        self._regrade(line, after)
        opens = after.fence is not None and self._place.fence is None
        if opens and self._at > self._visible:
            return self._between_lines(_Between(self._at, self._place, _Rank.BLOCK), None)
        fence = after.fence if opens else self._place.fence
        room = self._end - len(self._closing(fence))
        half, floor = (self._visible + (room - self._visible) // part for part in (2, 8))
        is_row_of_table = fence is None and bool(self._place.table) and bool(after.table)

        within = Within(self._text, self._at, room, line, fence=self._place.fence)
        torn = Torn(self._text, self._paragraphs, goes_on=None if fence else (self._at, room))

        good = [between for between in reversed(self._between) if between.rank > _Rank.POOR]
        whole = [between for between in good if not torn.at(between.at)]
        for rank, least in ((_Rank.BLOCK, half), (_Rank.GAP, half), (_Rank.LINE, 0 if is_row_of_table else half)):
            for between in whole:
                if between.rank >= rank and between.at >= least:
                    return self._between_lines(between, between.place.fence)
        words = [position for position in within.words(floor) if not torn.at(position)]
        sentences = (position for position in within.sentences(half) if not torn.at(position))
        position = next(sentences, words[0] if words else 0)
        if position < half and whole and max(position, floor) <= whole[0].at:
            return self._between_lines(whole[0], whole[0].place.fence)
        if not position and good and good[0].at >= half:
            return self._between_lines(good[0], good[0].place.fence)
        position = position or next(within.words(half), 0) or within.anywhere(floor)
        if not position and self._between:
            return self._between_lines(self._between[-1], self._between[-1].place.fence)
        return self._within_line(position or room, after, fence, line)

    def _between_lines(self, between: _Between, fence: Fence | None) -> tuple[Piece, _Start | None]:
        at, place = between.at, between.place
        first = self._skip_blanks(at)
        if fence is not None and self._text.startswith(fence.run[0], first):
            # The closing fence follows: the piece is closed without it, and the next need not begin with it.
            line_end = self._text.find("\n", first)
            line_end = line_end if line_end >= 0 else len(self._text)
            line = self._text[self._text.rfind("\n", 0, first) + 1 : line_end]
            if fence.is_closed_by(line) and not fence.is_left_by(line):
                at, place = line_end + 1, place.outside
        piece = self._piece(min(at, len(self._text)), self._closing(fence), between.at)
        return piece, _Start(at, place) if at < len(self._text) else None

    def _within_line(self, position: int, after: Place, fence: Fence | None, line: str) -> tuple[Piece, _Start]:
        at = self._skip_blanks(position)
        quote = self._start.quote if self._is_remainder else quote_of(line)
        return self._piece(at, self._closing(fence), position), _Start(at, after, within_line=True, quote=quote)

    def _piece(self, at: int, closing: str, shown_to: int) -> Piece:
        """The piece whose body ends at *at* and which shows nothing after *shown_to*."""
        shown = self._text[self._start.at : shown_to].rstrip()
        blank = _BLANK_LINES.match(shown)
        shown = shown[blank.end() :] if blank else shown
        if self._indent:
            shown = _moved_left(shown + closing, self._indent, spare_first=self._start.within_line)
            added = shown.rindex("\n") if closing.startswith("\n") else len(shown) - len(closing)
            shown, closing = shown[:added], shown[added:]
        return Piece(self._text[self._start.at : at], shown, self._opening, closing)


def _moved_left(text: str, columns: int, *, spare_first: bool) -> str:
    """The text with so much indentation less, as far as its lines have it."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if number == 0 and spare_first:
            continue
        bare = line.lstrip()
        if bare and len(line) - len(bare) < columns:
            break
        lines[number] = line[columns:]
    return "\n".join(lines)
