"""Which block of Markdown a line belongs to, as far as cutting between lines needs to know.

Fences follow CommonMark 0.31, section 4.5, inside block quotes and list items too; tables follow GFM.
"""

import re
from dataclasses import dataclass, replace

_MARKERS = r"[-+*]|\d{1,9}[.)]"
_FENCE = re.compile(
    rf"(?P<quote>(?: {{0,3}}>[ ]?)*+)(?P<items>(?: *+(?:{_MARKERS}) {{1,4}}+)*+)(?P<indent> *+)"
    r"(?P<run>(?P<mark>[`~])(?P=mark){2,})(?P<info>.*)"
)
_ITEM = re.compile(rf"(?P<indent> *)(?P<marker>{_MARKERS})(?:(?P<gap> {{1,4}})(?=\S)|\s)")
_QUOTE = re.compile(r"(?: {0,3}>[ ]?)+")
_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]|$)")
_LEAD = re.compile(rf"(?: *+(?:>|(?:{_MARKERS}|#{{1,6}})(?=[ \t])))*+[ \t]*+")
_NO_ROW = set("#>`~*+<")  # a line that begins so is another block


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block that is open.

    The offset is the number of spaces its list item asks of every line; the quote is the block quote's markers.
    """

    run: str
    line: str  # the opening one, less whatever it stood in
    indent: int
    offset: int
    quote: str

    @property
    def closing(self) -> str:
        """What ends the block in the piece it began in."""
        return f"\n{self.quote or ' ' * self.indent}{self.run}"

    def opening(self, *, longest: int) -> str:
        """What begins the block again in another piece, where there is no list item around it."""
        line = f"{self.quote}{self.line}\n"
        return line if len(line) <= longest else f"{self.quote}{self.run}\n"

    def is_left_by(self, line: str) -> bool:
        """Whether a line ends the quote or list item that the block stands in, and so the block."""
        if self.quote:
            return line.lstrip(" ")[:1] != ">"
        return _indent(line) < self.offset and bool(line.strip())

    def is_closed_by(self, line: str) -> bool:
        """Whether a line is the closing fence."""
        rest = self._inner(line)
        bare = rest.strip()
        return rest.startswith(self.run) and not bare.strip(self.run[0])

    def missing(self, line: str) -> int:
        """How many characters an unfinished last line lacks to be the closing fence; 0 when it cannot become one."""
        rest = self._inner(line)
        return len(self.run) - len(rest) if rest and self.run.startswith(rest) else 0

    def may_end_with(self, line: str) -> bool:
        """Whether an unfinished last line may end the block: half a closing fence, or what may stand before one.

        Blanks alone do not say yet whether the line still stands in the block's quote or list item.
        """
        inner = line[len(quote_of(line)) :] if self.quote else line
        if inner.strip():
            return self.missing(line) > 0
        return bool(self.quote or self.offset) or (not inner.strip(" ") and len(inner) <= 3)

    def undivided(self, line: str) -> int:
        """How much of a line of the block stays together, lest its beginning be empty or close the block."""
        rest = self._inner(line)
        if not rest.startswith(self.run):
            return len(quote_of(line)) + 1 if self.quote else 1
        other = rest.lstrip(self.run[0]).lstrip()
        return len(line) - len(other) + 1 if other else 1

    def _inner(self, line: str) -> str:
        """A line less what it stands in, and less the indentation a closing fence may have."""
        if self.quote:
            quoted = _QUOTE.match(line)
            line = line[quoted.end() :] if quoted else line
        rest = line.lstrip(" ")
        return rest if len(line) - len(rest) - self.offset <= 3 else ""


@dataclass(frozen=True, slots=True)
class Place:
    """What the beginning of a line stands in."""

    fence: Fence | None = None
    items: tuple[int, ...] = ()  # the open list items, each with the column its content begins at
    table: str = ""  # the table's header and delimiter row
    header: str = ""  # the line before, when it may turn out to be a table's header
    after_blank: bool = True

    def after(self, line: str, *, longest: int) -> "Place":
        """The place after a whole line.

        Args:
            longest: a fence of more characters than this is taken for ordinary text.
        """
        fence = self.fence
        if fence is not None and not fence.is_left_by(line):
            return self.outside if fence.is_closed_by(line) else self
        place = self.outside if fence else self
        return place._after_text(line, longest) if line.strip() else Place(items=place.items)

    def _after_text(self, line: str, longest: int) -> "Place":
        fence, items, bare = self.opened_by(line, longest=longest), self._items_with(line), line.strip()
        if fence is not None:
            return Place(fence, items, after_blank=False)
        if self.header and "-" in bare and not bare.strip("|:- "):
            return Place(table=f"{self.header}\n{bare}\n", items=items, after_blank=False)
        if self.table and is_row(bare) and items == self.items:
            return replace(self, items=items, after_blank=False)
        return Place(items=items, header=bare if "|" in bare else "", after_blank=False)

    @property
    def outside(self) -> "Place":
        """The same place once its fence is over."""
        return Place(items=self.items)

    def opened_by(self, line: str, *, longest: int) -> Fence | None:
        """The fence that a line opens."""
        found = _FENCE.match(line)
        if found is None or found.end("run") > longest:
            return None
        if found["mark"] == "`" and "`" in found["info"]:
            return None
        quote, items, indent = found["quote"], found["items"], len(found["indent"])
        if quote:
            offset = 0
            fits = indent <= 3
        elif items:
            offset = len(items)
            fits = indent <= 3
        else:
            offset = max((column for column in self.items if column <= indent), default=0)
            fits = indent - offset <= 3
        if not fits:
            return None
        return Fence(found["run"], line[found.start("run") :].rstrip(), indent + len(items), offset, quote)

    def _items_with(self, line: str) -> tuple[int, ...]:
        indent = _indent(line)
        item = _ITEM.match(line)
        if item is None:
            # Without a blank line before it, a line goes on with the paragraph wherever it begins.
            return tuple(column for column in self.items if column <= indent) if self.after_blank else self.items
        outer = tuple(column for column in self.items if column <= indent)
        in_paragraph = outer == self.items and not self.after_blank and not self.table
        if in_paragraph and item["marker"][:-1] not in {"", "1"}:
            return self.items  # a number other than 1 does not break into a paragraph
        if indent - (outer[-1] if outer else 0) > 3:
            return self.items
        return (*outer, indent + len(item["marker"]) + len(item["gap"] or " "))


def undivided(line: str) -> int:
    """How much of a line outside fences stays together, lest its beginning be a mere marker or become a fence."""
    found = _FENCE.match(line)
    if found is None:
        lead = _LEAD.match(line)
        return lead.end() + 1 if lead else 1
    tick = found["info"].find("`") if found["mark"] == "`" else -1
    return found.end("run") if tick < 0 else found.start("info") + tick + 1


def is_row(line: str) -> bool:
    """Whether a line after a table's row is one as well."""
    return line.lstrip()[:1] not in _NO_ROW


def is_heading(line: str) -> bool:
    """Whether a line is a heading."""
    return _HEADING.match(line) is not None


def quote_of(line: str) -> str:
    """The block quote markers that a line begins with."""
    quoted = _QUOTE.match(line)
    return quoted[0] if quoted else ""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
