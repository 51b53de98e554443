"""A paragraph of the model's Markdown -> what stands in it: words, code, emphasis, links. Pure.

HTML and LaTeX, which Discord shows as they are typed, are read as well, as far as people write them in answers.
"""

import html
import re
from dataclasses import dataclass

from adapters.discord.formulas import is_formula, lowered, raised, readable
from adapters.discord.links import BARE_URL, LONGEST, target_of, without_punctuation
from adapters.discord.nodes import Address, Code, Link, Mark, Marked, Node, Words, unlinked
from adapters.discord.spans import LOOSE, OPEN, LinkSpan, Spans

_DEEPEST = 6
_SPECIAL = re.compile(r"\\|`+|\*+|_+|~~+|!?\[|<|&|\$|https?://", re.IGNORECASE)
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ENTITY_BEGUN = re.compile(r"&#?\w{0,32}\Z")
_FOOTNOTE = re.compile(r"\[\^(?P<name>[^\s\[\]^]{1,40})\](?P<colon>:?)")

_AUTOLINK = re.compile(
    rf"<(?:(?P<url>https?://[^\s<>]{{1,{LONGEST}}})|(?:mailto:)?(?P<mail>[^\s<>@:]{{1,100}}@[^\s<>@]{{1,200}}))>",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--.{0,1000}?-->", re.DOTALL)
_MARKS = {
    **dict.fromkeys(("b", "strong", "summary"), "**"),
    **dict.fromkeys(("i", "em", "cite", "var"), "*"),
    **dict.fromkeys(("s", "del", "strike"), "~~"),
    **dict.fromkeys(("u", "ins"), "__"),
}
_CODES = {"code", "kbd", "samp", "tt"}
_PAIRED = "|".join((*_MARKS, *_CODES, "sup", "sub", "a"))
_PAIR = re.compile(
    rf"<(?P<tag>{_PAIRED})(?P<attributes>\s[^<>\n]{{0,{LONGEST}}})?>(?P<inside>[^<>\n]{{0,300}})</(?P=tag)\s*>",
    re.IGNORECASE,
)
_PAIR_BEGUN = re.compile(
    rf"<(?:{_PAIRED})(?:\s[^<>\n]{{0,{LONGEST}}})?>[^<>\n]{{0,300}}(?:<(?:/[a-z]{{0,10}}\s*)?)?\Z", re.IGNORECASE
)
_TAG = re.compile(
    rf"</?(?P<name>br|hr|p|div|span|details|center|font|big|small|mark|q|abbr|{_PAIRED})(?:\s[^<>\n]{{0,{LONGEST}}})?/?>",
    re.IGNORECASE,
)
_ANGLE_BEGUN = re.compile(
    rf"<(?:[^\s<>]{{0,300}}|https?://[^\s<>]{{0,{LONGEST}}}|[a-z]{{1,10}}\s[^<>\n]{{0,{LONGEST}}}|!--.{{0,1000}})\Z",
    re.IGNORECASE | re.DOTALL,
)
_HREF = re.compile(r"\bhref\s*=\s*[\"']?([^\"'<>\s]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of formula: what it ends with, what it looks like, and how it looks as long as it is not whole."""

    closing: str
    whole: re.Pattern[str]
    begun: re.Pattern[str]
    is_display: bool = False  # it stands in lines of its own


_LONGEST_FORMULA = 1000  # characters
_FORMULAS = (
    _Kind("$$", re.compile(r"\$\$([^$]{1,1000})\$\$"), re.compile(r"\$(?:\$(?:[^$]{1,1000}\$?)?)?\Z"), is_display=True),
    _Kind(
        "$",
        re.compile(r"(?<![\w$])\$([^\s$](?:[^$\n]{0,200}[^\s$\\])?)\$(?![\w$])"),
        re.compile(r"\$(?:[^\s$][^$\n]{0,201}\$?)?\Z"),
    ),
    _Kind(r"\)", re.compile(r"\\\(((?:(?!\\\)).){1,300})\\\)"), re.compile(r"\\(?:\((?:(?!\\\)).){0,300}\\?)?\Z")),
    _Kind(
        r"\]",
        re.compile(r"\\\[((?=\s|[^\]\n]*[\\^_=+])(?:(?!\\\])[\s\S]){1,1000})\\\]"),
        re.compile(r"\\(?:\[(?:(?!\\\])[\s\S]){0,1000}\\?)?\Z"),
        is_display=True,
    ),
)


def parse(text: str, *, whole: bool = True, depth: int = 0) -> tuple[Node, ...]:
    """What stands in a paragraph, its lines divided by newlines.

    Args:
        whole: nothing follows. Otherwise an end is left out of which more text may make something else; as the
            text grows, what is found in it only grows at its end.
        depth: how deep in emphasis and links the text stands.
    """
    return _Reader(text, whole=whole, depth=depth).read()


class _Reader:
    """Reads one paragraph from left to right. Each reading method takes what begins at a position and gives its end."""

    def __init__(self, text: str, *, whole: bool, depth: int) -> None:
        self._text, self._whole, self._depth = text, whole, depth
        self._spans = Spans(text, whole=whole)
        self._loose: set[str] = set()  # marks whose other end may come
        self._nodes: list[Node] = []

    def read(self) -> tuple[Node, ...]:
        at = 0
        while found := _SPECIAL.search(self._text, at):
            self._say(self._text[at : found.start()])
            at = self._special(found)
            if at == OPEN:
                return tuple(self._nodes)
        self._say(self._text[at:])
        return tuple(self._nodes)

    def _special(self, found: re.Match[str]) -> int:  # noqa: PLR0911 - a flat match, one line a kind of mark
        at = found.start()
        match found[0][0]:
            case "\\":
                return self._formula(at) or self._escape(at)
            case "`":
                return self._code(at, found.end())
            case "[" | "!":
                return self._footnote(at) or self._link(at, found.end())
            case "<":
                return self._angle(at)
            case "&":
                return self._entity(at)
            case "$":
                return self._formula(at) or self._letters(at, at + 1)
            case "h" | "H":
                return self._address(at)
            case _:
                return self._emphasis(at, found.end())

    # --- words --------------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        if not text:
            return
        last = self._nodes[-1] if self._nodes else None
        if isinstance(last, Words):
            self._nodes[-1] = Words(last.text + text)
        else:
            self._nodes.append(Words(text))

    def _letters(self, at: int, end: int) -> int:
        self._say(self._text[at:end])
        return end

    def _escape(self, at: int) -> int:
        following = self._text[at + 1 : at + 2]
        if not following and not self._whole:
            return OPEN
        if following == "\n":  # a line that is broken on purpose; Discord breaks them all
            return at + 1
        if following in _PUNCTUATION:
            self._say(following)
            return at + 2
        return self._letters(at, at + 1)

    def _entity(self, at: int) -> int:
        if found := _ENTITY.match(self._text, at):
            # A newline or a control in disguise would begin a line, and is not wanted there.
            self._say("".join(char if char.isprintable() else " " for char in html.unescape(found[0])))
            return found.end()
        if not self._whole and _ENTITY_BEGUN.match(self._text, at):
            return OPEN
        return self._letters(at, at + 1)

    def _formula(self, at: int) -> int | None:
        text, last = self._text, at + _LONGEST_FORMULA + 4
        for kind in _FORMULAS:
            found = kind.whole.match(text, at) if text.find(kind.closing, at + 1, last) > 0 else None
            if found and (self._whole or found.end() < len(text)):
                if is_formula(found[1]):
                    shown = readable(found[1])
                    self._say(f"\n{shown}\n" if kind.is_display else shown.replace("\n", "; "))
                    return found.end()
            elif found or (not self._whole and len(text) <= last and kind.begun.match(text, at)):
                return OPEN
        return None

    # --- spans --------------------------------------------------------------------------------

    def _code(self, at: int, inner: int) -> int:
        end = self._spans.code(at)
        if end is None:
            return self._letters(at, inner)
        if end != OPEN:
            content = self._text[inner : end - (inner - at)].replace("\n", " ")
            if content[0] == content[-1] == " " and content.strip():
                content = content[1:-1]
            self._nodes.append(Code(content))
        return end

    def _emphasis(self, at: int, end: int) -> int:
        closing = self._spans.emphasis(at, end) if self._depth < _DEEPEST else None
        mark = {"__": "**", "___": "***"}.get(self._text[at:end], self._text[at:end])
        if closing is None:
            if end == len(self._text) and not self._whole:
                return OPEN
            if mark in self._loose and self._spans.closes(at, end):
                self._loose.discard(mark)
                self._nodes.append(Mark(mark))
                return end
            return self._letters(at, end)
        if closing == OPEN:
            return OPEN
        if closing == LOOSE:
            self._loose.add(mark)
            self._nodes.append(Mark(mark))
            return end
        self._nodes.append(Marked(mark, self._inside(end, closing)))
        return closing + end - at

    def _inside(self, start: int, end: int) -> tuple[Node, ...]:
        return parse(self._text[start:end], depth=self._depth + 1)

    def _footnote(self, at: int) -> int | None:
        found = _FOOTNOTE.match(self._text, at)
        if found is None:
            return None
        if found.end() == len(self._text) and not self._whole:
            return OPEN
        if self._text[found.end("name") + 1 : found.end("name") + 2] == "(":
            return None
        is_definition = found["colon"] and (at == 0 or self._text[at - 1] == "\n")
        name = found["name"]
        self._say(raised(name) if name.isascii() and name.isdigit() else f"[{name}]")
        return found.end() if is_definition else found.end("name") + 1

    def _link(self, at: int, bracket: int) -> int:
        span = self._spans.link(bracket - 1) if self._depth < _DEEPEST else None
        if span is None:
            # What is not a picture after all may be a link, and a bracket in it one of its own.
            return self._letters(at, bracket)
        if not isinstance(span, LinkSpan):
            return span
        inside = self._inside(bracket, span.words_end)
        if self._text[at] == "!" and not any(not isinstance(node, Words) or node.text.strip() for node in inside):
            inside = (Words("picture"),)
        self._nodes.append(Link(unlinked(inside), target_of(span.address), span.address))
        return span.end

    def _address(self, at: int) -> int:
        found = BARE_URL.match(self._text, at)
        if found is None:
            return self._letters(at, at + 4)
        if found.end() == len(self._text) and self._spans.is_open(at, LONGEST):
            return OPEN
        url = without_punctuation(found[0])
        target = target_of(url)
        if len(found[0]) > LONGEST or not target:
            return self._letters(at, at + len(url))
        self._nodes.append(Address(target))
        return at + len(url)

    # --- HTML ---------------------------------------------------------------------------------

    def _angle(self, at: int) -> int:
        text = self._text
        if found := _AUTOLINK.match(text, at):
            target = target_of(found["url"]) if found["url"] else ""
            if target:
                self._nodes.append(Address(target))
            else:
                self._say(found["mail"] or found["url"])
            return found.end()
        if found := _COMMENT.match(text, at):
            return found.end()
        if found := _PAIR.match(text, at):
            self._pair(found)
            return found.end()
        if not self._whole and (_PAIR_BEGUN.match(text, at) or _ANGLE_BEGUN.match(text, at)):
            return OPEN
        if found := _TAG.match(text, at):
            self._say("\n" if found["name"].lower() in {"br", "hr", "p", "div"} else "")
            return found.end()
        return self._letters(at, at + 1)

    def _pair(self, found: re.Match[str]) -> None:
        tag, inside = found["tag"].lower(), found["inside"]
        if not inside.strip():
            self._say(inside)
        elif tag in _CODES:
            self._nodes.append(Code(html.unescape(inside)))
        elif tag in {"sup", "sub"}:
            self._say(raised(inside) if tag == "sup" else lowered(inside))
        elif tag == "a":
            href = _HREF.search(found["attributes"] or "")
            address = href[1] if href else ""
            self._nodes.append(Link(self._inside(*found.span("inside")), target_of(address), address))
        else:
            self._nodes.append(Marked(_MARKS[tag], self._inside(*found.span("inside"))))
