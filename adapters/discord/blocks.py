"""The model's Markdown -> Discord's dialect, block by block. Pure.

Discord has three sizes of headings, lists, quotes of one level and fences of three backticks; no tables, rules,
pictures, HTML or LaTeX. Code moves to the left margin, where it can be copied.
"""

import re

from adapters.discord.inline import parse
from adapters.discord.nodes import Marked
from adapters.discord.tables import is_delimiter, is_row, table
from adapters.discord.words import GAP, written
from bot.chunks.blocks import Fence, Place

_RULE = "———"
_LONGEST_FENCE = 200  # characters; as `settled` sees it
_INDENT = "  "

_QUOTE = re.compile(r" *(?:> ?)+")
_HEADING = re.compile(r"(?P<marks>#{1,6})(?:[ \t]+(?P<text>.*)|$)")
_CLOSING_MARKS = re.compile(r"(?:^|[ \t]+)#+[ \t]*$")
_ITEM = re.compile(r" *(?:(?P<bullet>[-+*])|(?P<number>\d{1,9})[.)])(?:[ \t]+(?P<text>.*)|$)")
_TASK = re.compile(r"\[(?P<mark>[ xX])\][ \t]+")
_LINE = re.compile(r" *(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")  # across the page
_UNDERLINE = re.compile(r" *(?:-{2,}|={2,})[ \t]*$")
_LANGUAGE = re.compile(r"[A-Za-z0-9_+\-.#]{1,30}")
_MARKER_ONLY = re.compile(
    r"[ >]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)*+(?:[-+*]+|_+|=+|#{1,6}|\d{1,9}[.)]?|`{1,2}|`{3,}[^`]*|~+|~{3,}.*)?[ \t]*+"
    r"(?:\[[ xX]?\]?)?[ \t]*+\Z"
)
_NEW_BLOCK = re.compile(r"[ \t]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]|\||#{1,6}[ \t])")


def rendered(markdown: str, *, whole: bool = True) -> str:
    """The text for Discord. A fence that is open at its end stays open.

    Args:
        markdown: less its unfinished end (`settled`) when it is not whole.
        whole: nothing follows. Otherwise an end is left out of which more text may make something else; as the
            text grows, what is shown only grows at its end.
    """
    reader = _Reader()
    *lines, last = markdown.split("\n")
    for line in lines:
        reader.read(line)
    return reader.end(last, whole=whole)


class _Reader:
    """Reads line after line, and knows what they stand in."""

    def __init__(self) -> None:
        self._shown: list[str] = []
        self._after_blank = False  # an empty line is shown when something follows it
        self._is_unfinished = False  # the line that is read may go on
        self._is_quoted = False
        self._place = Place()
        self._indented: int | None = None  # the column at which a block of indented code begins
        self._opening = ""  # of a fence that has nothing in it yet
        self._empty_code = 0  # empty lines of code that are shown when something follows them
        self._paragraph: list[str] = []
        self._lead, self._indent = "", ""  # what stands before its first line, and before the others
        self._rows: list[str] = []  # of a table

    def read(self, line: str) -> None:
        """Take in a line."""
        if self._read_code(line):
            return
        inner = self._unquoted(line)
        if not inner.strip():
            self._end_block()
            self._place = self._place.after("\n", longest=_LONGEST_FENCE)
            self._after_blank = True
        elif (column := self._column_of_code(inner)) is not None:
            self._end_block()
            self._indented, self._opening = column, "```"
            self._show_code(inner[column:])
        else:
            after = self._place.after(inner, longest=_LONGEST_FENCE)
            self._read_text(inner, after)
            self._place = after

    def end(self, last: str, *, whole: bool) -> str:
        """The text, once the last line is taken in."""
        if whole:
            self.read(last)
            self._end_block()
            return "\n".join(self._shown)
        if not self._is_undecided(last):
            self._is_unfinished = True
            self.read(last)
        if self._rows:
            self._show(*table(self._rows, whole=False))
        elif self._paragraph and not self._may_be_header:
            self._show_paragraph(whole=False)
        return "\n".join(self._shown)

    def _is_undecided(self, last: str) -> bool:
        """Whether it takes more of a line to know what it is."""
        inner = self._in_same_quote(last)
        if inner is None or not inner.strip():
            return not last.strip()
        fence = self._place.fence
        if fence is not None and not fence.is_left_by(inner):
            return False
        if self._indented is not None and _indentation(inner) >= self._indented:
            return False
        return bool(_MARKER_ONLY.match(inner)) or (self._may_be_header and not inner.strip("|:- \t"))

    # --- code ---------------------------------------------------------------------------------

    def _read_code(self, line: str) -> bool:
        """Take in a line of code, or what ends it; whether it was one."""
        fence = self._place.fence
        if fence is None and self._indented is None:
            return False
        inner = self._in_same_quote(line)
        if fence is None:
            is_code = inner is not None and (_indentation(inner) >= (self._indented or 0) or not inner.strip())
            if inner is not None and is_code:
                self._show_code(inner[self._indented :])
                return True
        elif inner is not None and not fence.is_left_by(inner):
            may_end = self._is_unfinished and (fence.is_closed_by(inner) or fence.may_end_with(inner))
            if not may_end and fence.is_closed_by(inner):
                self._empty_code = 0
                self._end_code()
            elif not may_end:
                self._show_code(inner[min(fence.indent, _indentation(inner)) :])
            return True
        self._end_code()
        return False

    def _column_of_code(self, line: str) -> int | None:
        """Where a line of indented code begins, if it is one: four columns in from what it stands in."""
        indent = _indentation(line)
        if self._paragraph or self._rows or not self._place.after_blank:
            return None
        outer = max((column for column in self._place.items if column <= indent), default=0)
        return outer + 4 if indent - outer >= 4 else None

    def _open_fence(self, line: str, fence: Fence) -> None:
        self._end_block()
        item = _ITEM.match(line)
        if item and item["number"]:
            self._show(f"{item['number']}.")
        info = fence.line[len(fence.run) :].split()
        language = info[0] if info and _LANGUAGE.fullmatch(info[0]) else ""
        self._opening = f"```{language}"

    def _show_code(self, code: str) -> None:
        if not code.strip():
            self._empty_code += 1
            return
        if self._opening:  # empty lines above the code are not shown by Discord either
            self._show(self._opening)
            self._opening, self._empty_code = "", 0
        if self._is_unfinished:
            code = code.rstrip("`")  # more of them are shown in another way
        self._show(*[""] * self._empty_code, re.sub("`{3,}", lambda run: GAP.join(run[0]), code))
        self._empty_code = 0

    def _end_code(self) -> None:
        if not self._opening:
            self._show("```")
        self._after_blank |= bool(self._empty_code)
        self._opening, self._empty_code, self._indented = "", 0, None
        self._place = self._place.outside

    # --- quotes -------------------------------------------------------------------------------

    def _in_same_quote(self, line: str) -> str | None:
        """A line less the marks of the quote that it goes on with; None when it leaves it."""
        if not self._is_quoted:
            return line
        quote = _QUOTE.match(line)
        return line[quote.end() :] if quote else None

    def _unquoted(self, line: str) -> str:
        """A line less its quote marks, of which Discord knows one level."""
        is_code = not self._is_quoted and self._column_of_code(line) is not None
        quote = None if is_code else _QUOTE.match(line)
        if bool(quote) != self._is_quoted:
            self._end_block()
            self._is_quoted, self._place = bool(quote), Place()
        return line[quote.end() :] if quote else line

    # --- text ---------------------------------------------------------------------------------

    def _read_text(self, line: str, after: Place) -> None:
        if after.fence is not None:
            if not self._is_unfinished:
                self._open_fence(line, after.fence)
        elif self._rows and is_row(line):
            if not self._is_unfinished:
                self._rows.append(line)
        elif self._may_be_header and is_delimiter(line):
            self._rows, self._paragraph = [*self._paragraph, line], []
        elif heading := _HEADING.match(line.strip()):
            self._end_block()
            indent = _INDENT * len(after.items)
            self._show_heading(indent, len(heading["marks"]) if not indent else 4, heading["text"] or "")
        elif _LINE.match(line) or (self._paragraph and _UNDERLINE.match(line)):
            self._end_block()
            if not self._is_unfinished:
                self._show(_RULE)
        elif (item := _ITEM.match(line)) and len(after.items) == len(self._outer(line)) + 1:
            self._end_block()
            self._read_item(item, depth=len(after.items) - 1)
        else:
            if self._rows or not self._paragraph or _NEW_BLOCK.match(line):
                self._end_block()
                self._lead = self._indent = _INDENT * len(after.items)
            self._paragraph.append(line.strip())

    def _outer(self, line: str) -> tuple[int, ...]:
        """The items that an item beginning in this line would stand in."""
        return tuple(column for column in self._place.items if column <= _indentation(line))

    @property
    def _may_be_header(self) -> bool:
        """Whether the paragraph may turn out to be a table's header."""
        return len(self._paragraph) == 1 and is_row(self._paragraph[0]) and not self._lead.strip()

    def _read_item(self, item: re.Match[str], *, depth: int) -> None:
        text = (item["text"] or "").strip()
        lead = _INDENT * depth + (f"{item['number']}. " if item["number"] else "- ")
        if task := _TASK.match(text):
            text = f"{'☐' if task['mark'] == ' ' else '☑'} {text[task.end() :]}"
        if heading := _HEADING.match(text):
            self._show_heading(lead, 4, heading["text"] or "")
        elif text:
            self._lead, self._indent, self._paragraph = lead, _INDENT * (depth + 1), [text]
        elif item["number"]:
            self._show(lead.rstrip())

    def _show_heading(self, lead: str, level: int, text: str) -> None:
        """A heading; bold where Discord has none that is so small."""
        is_bold = level > 3
        if self._is_unfinished and is_bold:
            return
        closing = r"[ \t]*#*[ \t]*\Z" if self._is_unfinished else _CLOSING_MARKS
        nodes = parse(re.sub(closing, "", text).strip(), whole=not self._is_unfinished)
        if is_bold:
            nodes = (Marked("**", nodes),)
        shown = " ".join(written(nodes, whole=not self._is_unfinished, begins_line=False).split())
        if shown:
            self._show(f"{lead}{shown}" if is_bold else f"{'#' * level} {shown}")

    # --- what is shown ------------------------------------------------------------------------

    def _end_block(self) -> None:
        if self._rows:
            self._show(*table(self._rows))
        elif self._paragraph:
            self._show_paragraph(whole=True)
        self._rows, self._paragraph = [], []

    def _show_paragraph(self, *, whole: bool) -> None:
        text = written(parse("\n".join(self._paragraph), whole=whole), whole=whole)
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        self._show(*(f"{self._indent if number else self._lead}{line}" for number, line in enumerate(lines)))

    def _show(self, *lines: str) -> None:
        if not lines:
            return
        mark = "> " if self._is_quoted else ""
        if self._after_blank and self._shown:
            self._shown.append(mark if self._shown[-1].startswith("> ") else "")
        self._after_blank = False
        self._shown += (f"{mark}{line}" for line in lines)


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
