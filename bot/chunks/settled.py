"""A growing answer less its unfinished end, so that nobody sees half a link turn into a whole one.

What is decided about a stretch of text is decided for good: by its own characters and at most the one
after it, or by how long it has stayed open. That is why what is shown never gets shorter.
"""

import re
from dataclasses import dataclass

from bot.chunks.blocks import Place, is_heading

_PATIENCE = 200  # characters; what is not closed by then is shown as it stands
_LONGEST_ADDRESS = 1000  # characters
_DEEPEST = 5  # brackets in brackets
_OPEN = -1  # in place of a position: it is not known yet where this ends

# A line that would be shown as an empty heading, item or quote, or would turn the line above into a heading.
_WITHIN = r"[ \t]*+(?:>[ \t]?+)*+[ \t]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)*+"  # quotes and list items
_MARKER_ONLY = re.compile(_WITHIN + r"(?:#{1,6}|[*_]+|\+|-+|=+|\d{1,9}[.)]?)?[ \t]*+(?:\[[ xX]?\]?)?[ \t]*+\Z")
_NEW_BLOCK = re.compile(r"[ \t]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]|>|\||#{1,6}[ \t])")
_PERHAPS_FENCE = re.compile(_WITHIN + r"(?:`{1,2}|~{1,2}|`{3,}[^`]*|~{3,}.*)\Z")
_SPECIAL = re.compile(r"\\|`+|\*+|_+|~+|\[|<|&|!(?=\[|\Z)")
_INSIDE_EMPHASIS = re.compile(r"\\.?|`+|\*+|_+|~+", re.DOTALL)
_TICKS = re.compile(r"`+")
_BRACKETS = re.compile(r"\\.|[\[\]]", re.DOTALL)
_ADDRESS = re.compile(r"\((?:[^()\s]|\([^()\s]*+(?:\)|\Z)|[ \t])*+")
_TAG = re.compile(rf"[^<>\n]{{0,{_PATIENCE}}}")
_ENTITY = re.compile(r"#?\w{0,31}")


def settled(markdown: str) -> str:
    """Leave out the unfinished end of a text that is still growing.

    Held back are: emphasis, code, a link, a mention or an entity that is not closed yet; a line that may
    become a fence; the marker of a heading, list item or quote with no text yet; a table until its second
    row shows that it is one. Whatever stays open for 200 characters is shown as it stands. Inside a fence
    only what may be its closing line is held back.

    What it returns is a beginning of *markdown*, and as that grows it never gets shorter. Of a finished
    text, show the whole.
    """
    end = _read(markdown)
    last = markdown[end.line :]
    if end.place.fence is not None:
        return markdown[: end.line] if end.place.fence.may_end_with(last) else markdown
    if end.is_table_row(last):
        return markdown
    if end.header is not None and not last.strip("|:- \t"):
        return _less_marker(markdown[: end.header])
    if last.lstrip().startswith("|"):
        return _less_marker(markdown[: end.line])
    if len(last) <= _PATIENCE and _PERHAPS_FENCE.match(last):
        markdown = markdown[: end.line]
    block = end.line if _NEW_BLOCK.match(last) else end.block
    return _less_marker(markdown[: _first_open(markdown, min(block, len(markdown)))])


# --- lines ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _End:
    """What a text's last line stands in."""

    line: int  # where it begins
    place: Place
    block: int  # where the paragraph begins that it may go on with
    header: int | None  # where the line before begins, when that may be a table's header

    def is_table_row(self, last: str) -> bool:
        """Whether the last line belongs to a table that is known to be one."""
        return bool(self.place.table) and last.lstrip().startswith("|")


def _read(markdown: str) -> _End:
    place, line, block, header = Place(), 0, 0, None
    while (newline := markdown.find("\n", line)) >= 0:
        text, before = markdown[line : newline + 1], place
        place = before.after(text, longest=_PATIENCE)
        header = line if place.header and text.lstrip().startswith("|") else None
        if before.fence or place.fence or is_heading(text) or not text.strip():
            block = newline + 1
        elif _NEW_BLOCK.match(text):
            block = line
        line = newline + 1
    last = markdown[line:]
    if place.fence is not None and last.strip() and place.fence.is_left_by(last):
        place = place.outside
    return _End(line, place, block, header)


def _less_marker(markdown: str) -> str:
    """The text without a last line that is nothing but a marker."""
    line = markdown.rfind("\n") + 1
    return markdown[:line] if _MARKER_ONLY.match(markdown, line) else markdown


# --- inside a paragraph -----------------------------------------------------------------------


def _first_open(text: str, at: int) -> int:
    """Where the first thing begins that is not closed, at *at* or later; the text's end when all is closed."""
    while found := _SPECIAL.search(text, at):
        at = _end_of(text, found)
        if at == _OPEN:
            return found.start()
    return len(text)


def _end_of(text: str, found: re.Match[str]) -> int:
    """Where what begins with a special character ends, be it a span or just the character."""
    mark, end = found[0][0], found.end()
    match mark:
        case "\\" | "!" | "<" if end == len(text):
            return _OPEN
        case "\\":
            return end + 1
        case "`":
            return _end_of_code(text, end, len(found[0]))
        case "[" | "!":
            return _end_of_link(text, end + (mark == "!"))
        case "<" | "&":
            return _end_of_tag(text, end) if mark == "<" else _end_of_entity(text, end)
        case _:
            return _end_of_emphasis(text, found.start(), end)


def _unless_too_long(text: str, since: int, most: int = _PATIENCE) -> int:
    """Open, or taken for ordinary text since it has been open for too long."""
    return _OPEN if len(text) - since <= most else since


def _end_of_code(text: str, start: int, ticks: int) -> int:
    if start == len(text):
        return _OPEN
    for run in _TICKS.finditer(text, start):
        length = run.end() - run.start()
        if run.start() > start + _PATIENCE:
            break
        if run.end() == len(text) and length <= ticks:  # it may grow
            return _OPEN
        if length == ticks:
            return run.end()
    return _unless_too_long(text, start)


def _end_of_emphasis(text: str, start: int, end: int) -> int:
    """Where emphasis ends that a run of ``*``, ``_`` or ``~`` may open.

    Simpler than CommonMark in one thing: after a letter or digit of ASCII a run opens nothing, for there
    it is a product, a power or a name far more often.
    """
    mark, length, before, after = text[start], end - start, text[start - 1 : start], text[end : end + 1]
    if (before.isalnum() and (mark == "_" or before.isascii())) or after.isspace():
        return end
    if mark == "~" and length != 2:
        return _OPEN if length == 1 and not after else end
    at = end
    while after and (found := _INSIDE_EMPHASIS.search(text, at)) and found.start() <= end + _PATIENCE:
        at = found.end()
        if found[0][0] == "`":
            at = _end_of_code(text, at, len(found[0]))
            if at == _OPEN:
                break
        elif found[0][0] == mark and len(found[0]) >= length and not text[found.start() - 1].isspace():
            if mark != "_":
                return at
            if at == len(text):
                return _OPEN
            if not text[at].isalnum():
                return at
    return _unless_too_long(text, end)


def _end_of_link(text: str, start: int) -> int:
    depth = 1
    for found in _BRACKETS.finditer(text, start):
        if found.start() > start + _PATIENCE:
            break
        depth += {"[": 1, "]": -1}.get(found[0], 0)
        if depth > _DEEPEST:
            return start
        if depth == 0:
            return _end_of_address(text, start, found.end())
    return _unless_too_long(text, start)


def _end_of_address(text: str, start: int, at: int) -> int:
    if at == len(text):
        return _OPEN
    address = _ADDRESS.match(text, at)
    if address is None:
        return start
    if address.end() == len(text):
        return _OPEN if len(text) - at <= _LONGEST_ADDRESS else start
    return address.end() + 1 if text[address.end()] == ")" else start


def _end_of_entity(text: str, start: int) -> int:
    entity = _ENTITY.match(text, start)
    return _OPEN if entity and entity.end() == len(text) and entity.end() - start < 32 else start


def _end_of_tag(text: str, start: int) -> int:
    if not (text[start].isalpha() or text[start] in "/@#!:"):
        return start
    tag = _TAG.match(text, start)
    end = tag.end() if tag else start
    if end == len(text):
        return _unless_too_long(text, start + 1)
    return end + 1 if text[end] == ">" else start
