"""A table -> aligned columns in a fence where they fit a phone, else a list with one item for each row. Pure.

What it becomes is decided by its first rows, so that a long one can be shown before it is whole.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from adapters.discord.inline import parse
from adapters.discord.nodes import Address, Link, Marked, Node, plain
from adapters.discord.words import GAP, without, written

WIDEST = 42  # columns of letters of one width that a phone shows without breaking the line
_DECIDING = 10  # rows
_TALLEST = 800  # characters of one fence, so that no message has to cut it; the next begins with the header again
_BETWEEN = "  "

_DELIMITER = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_CELL_END = re.compile(r"(?<!\\)\|")

Row = tuple[str, ...]


def is_row(line: str) -> bool:
    """Whether a line looks like a row of a table."""
    return line.lstrip().startswith("|")


def is_delimiter(line: str) -> bool:
    """Whether a line is the one below a table's header."""
    return _DELIMITER.fullmatch(line) is not None and "|" in line


def table(lines: Sequence[str], *, whole: bool = True) -> list[str]:
    """The lines that show a table.

    Args:
        lines: header, delimiter row and rows, as they were written.
        whole: there are no more rows. Otherwise nothing is shown until there are enough to decide by, and a fence
            is left open; as rows come, more lines are shown at the end.
    """
    if not whole and len(lines) < _DECIDING + 2:
        return []
    sides = [_side(cell) for cell in _cells(lines[1])]
    rows = [_cells(line) for line in (lines[0], *lines[2:])]
    width = max(len(row) for row in rows[: _DECIDING + 1])
    rows = [(*row, *[""] * (width - len(row))) for row in rows]
    deciding = [[parse(cell) for cell in row] for row in rows[: _DECIDING + 1]]
    columns = [max(_columns(plain(cell)) for cell in column) for column in zip(*deciding, strict=False)]
    leads_away = any(_leads_away(cell) for row in deciding for cell in row)
    is_too_wide = sum(columns) + len(_BETWEEN) * (len(columns) - 1) > WIDEST
    if rows[1:] and (is_too_wide or leads_away):
        return [line for row in rows[1:] for line in _item(rows[0], row)]
    return [*_aligned(rows, columns, sides, whole=whole)]


def _cells(line: str) -> Row:
    bare = line.strip().removeprefix("|")
    cells = [cell.strip().replace("\\|", "|") for cell in _CELL_END.split(bare)]
    return tuple(cells[:-1] if len(cells) > 1 and not cells[-1] else cells)


def _side(cell: str) -> str:
    bare = cell.strip()
    return "^" if bare.startswith(":") and bare.endswith(":") else ">" if bare.endswith(":") else "<"


def _leads_away(nodes: Sequence[Node]) -> bool:
    """Whether there is a link in a cell, which a fence would make unusable."""
    return any(
        isinstance(node, Link | Address) or (isinstance(node, Marked) and _leads_away(node.inside)) for node in nodes
    )


# --- columns ----------------------------------------------------------------------------------


def _aligned(rows: Sequence[Row], columns: Sequence[int], sides: Sequence[str], *, whole: bool) -> Iterator[str]:
    shown = [_line(row, columns, sides) for row in rows]
    rule = _BETWEEN.join("-" * max(1, width) for width in columns)
    head, tall = ["```", shown[0], rule], 0
    yield from head
    for line in shown[1:]:
        if tall and tall + len(line) > _TALLEST:
            yield from ("```", "", *head)
            tall = 0
        tall += len(line) + 1
        yield line
    if whole:
        yield "```"


def _line(row: Row, columns: Sequence[int], sides: Sequence[str]) -> str:
    cells = []
    for number, cell in enumerate(row):
        text = " ".join(plain(parse(cell)).split()).replace("`", f"`{GAP}")
        room = max(0, columns[number] - _columns(text)) if number < len(columns) else 0
        side = sides[number] if number < len(sides) else "<"
        left = room if side == ">" else room // 2 if side == "^" else 0
        cells.append(" " * left + text + " " * (room - left))
    return _BETWEEN.join(cells).rstrip() or GAP


def _columns(text: str) -> int:
    """How many columns a text takes where a letter takes one."""
    count = 0
    for char in text:
        if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
            # The mark for emoji makes a wide one of a letter.
            count += char == "\ufe0f"
        else:
            count += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return count


# --- items ------------------------------------------------------------------------------------


def _item(header: Row, row: Row) -> Iterator[str]:
    for number, cell in enumerate(row):
        nodes = parse(cell)
        shown = _written(nodes if number else without(nodes, "**"))
        name = _written(parse(header[number])) if number < len(header) else ""
        if shown or name or not number:
            told = (shown if number or not shown else f"**{shown}**") or "—"
            yield f"{'  ' if number else ''}- {f'{name}: ' if name else ''}{told}"


def _written(nodes: Sequence[Node]) -> str:
    return " ".join(written(nodes, begins_line=False).split())
