"""What stands in a paragraph -> Discord's dialect, in which letters are letters and nothing resolves to a name. Pure.

Discord's parser knows no flanking rules, looks for a mark's other end through all of the message, and honours
mentions, commands and invitations wherever they stand outside code. So every letter it could make something of is
escaped, and what escapes do not help against is broken by a zero-width space. A link to a channel stays: it pings
nobody, and whoever may not see the channel is not told its name.
"""

import re
from collections.abc import Sequence

from adapters.discord.links import INVITE, can_be_words, looks_like_another, spelled
from adapters.discord.nodes import Address, Code, Link, Mark, Marked, Node, Words, plain

GAP = "\u200b"
_NEIGHBOUR = "."  # stands for what is next to letters and is none

_LITERAL = re.compile(
    rf"(?P<line>(?:(?<=\n)|(?<=\A\n))(?:-#|#{{1,3}}(?=\s)|>|[-+*](?=\s)|\d{{1,9}}\.(?=\s)))"
    r"|(?P<marks>\*+|_+|~~+)"
    r"|(?P<kept><(?:#\d{1,20}|t:-?\d{1,15}(?::[a-z])?|a?:\w{1,32}:\d{1,20})>)"
    r"|(?P<escape>[`\\]|(?<=\|)\||<(?! ))"
    r"|(?P<name>@(?=everyone|here)|\](?=\())"
    rf"|(?P<invite>{INVITE.pattern})",
    re.IGNORECASE,
)
# The end of letters of which the next ones may make one of these.
_UNDECIDED = re.compile(
    r"(?:(?<=\n)(?:-|#{1,3}|>+|[-+*]|\d{1,9}\.?)|\*+|_+|~+|[\\\]]|@[a-z]{0,7}"
    r"|<(?:#\d{0,20}|t(?::(?:-?\d{0,15}(?::[a-z]?)?)?)?|a|a?:\w{0,32}(?::\d{0,20})?)?"
    r"|h(?:t(?:tp?|tps?:?/{0,2})?)?)\Z",
    re.IGNORECASE,
)
_LONGEST_UNDECIDED = 100  # characters


def written(nodes: Sequence[Node], *, whole: bool = True, begins_line: bool = True) -> str:
    """The text for Discord.

    Args:
        whole: nothing follows. Otherwise the last letters are left out as long as the next may change them.
        begins_line: the text stands where Discord reads a block's marker.
    """
    text = ""
    for number, node in enumerate(nodes):
        is_last = number == len(nodes) - 1
        match node:
            case Words(letters):
                before = _NEIGHBOUR if text or not begins_line else "\n"
                if is_last and not whole:
                    letters = _decided(before, letters)
                text += literal(letters, before=before, after="" if is_last else _NEIGHBOUR)
            case _:
                text = _joined(text, _shown(node))
    return text


def _decided(before: str, letters: str) -> str:
    text = before + letters
    end = len(text)
    while held := _UNDECIDED.search(text, max(0, end - _LONGEST_UNDECIDED), end):
        end = held.start()
    return text[len(before) : end]


def literal(letters: str, *, before: str = _NEIGHBOUR, after: str = _NEIGHBOUR) -> str:
    """Letters as Discord has to be told them, to show them as they are.

    Args:
        before, after: the characters around them; a newline before them when they begin a line.
    """
    text = f"{before}{letters}{after}"

    def told(found: re.Match[str]) -> str:
        run, is_around = found[0], found.start() < len(before) or found.end() > len(text) - len(after)
        match "kept" if is_around else found.lastgroup:
            case "kept":
                return run
            case "line":
                return f"{run[:-1]}\\." if run[-1] == "." else f"\\{run}"
            case "marks":
                around = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
                return run if _is_harmless(run, *around) else "".join(f"\\{char}" for char in run)
            case "escape":
                following = text[found.end() : found.end() + 1]
                if run == "<" and following == "@":  # who reads no escapes finds no mention either
                    return f"\\<{GAP}"
                is_letter = run == "\\" and (following.isspace() or (following.isascii() and following.isalnum()))
                return run if is_letter else f"\\{run}"
            case _:
                return run + GAP

    told_text = _LITERAL.sub(told, text)
    return told_text[len(before) : len(told_text) - len(after)]


def _is_harmless(run: str, before: str, after: str) -> bool:
    """Whether a run of marks opens nothing in Discord where it stands."""
    if len(run) > 1 or not before or not after:
        return False
    if run == "*":
        return before.isspace() and after.isspace()
    return before.isalnum() and after.isalnum()


def _shown(node: Node) -> str:
    match node:
        case Code(text):
            return _code(text)
        case Marked(mark, inside):
            return _marked(mark, inside)
        case Mark(mark):
            return mark
        case Link(inside, target, address):
            return _link(inside, target, address)
        case Address(url):
            return _address(url)
        case Words(text):
            return literal(text)


def _joined(text: str, shown: str) -> str:
    """Two pieces, whose marks do not run into one another."""
    if text and shown and text[-1] == shown[0] and text[-1] in "*_~`" and text[-2:-1] != "\\":
        return f"{text}{GAP}{shown}"
    return text + shown


def _code(content: str) -> str:
    if "`" not in content:
        return f"`{content}`"
    return f"`` {content} ``" if "``" not in content else f"`{content.replace('`', 'ˋ')}`"


def _marked(mark: str, inside: Sequence[Node]) -> str:
    shown = written([*without(inside, mark)], begins_line=False)
    bare = shown.strip()
    if not bare:
        return shown
    before, after = shown[: len(shown) - len(shown.lstrip())], shown[len(shown.rstrip()) :]
    return f"{before}{mark}{bare}{mark}{after}"


def without(nodes: Sequence[Node], mark: str) -> Sequence[Node]:
    """The same without emphasis that stands in itself, which Discord would take for its end."""
    found: list[Node] = []
    for node in nodes:
        match node:
            case Marked(inner, inside) if inner == mark or (mark == "***" and inner in mark):
                found += without(inside, mark)
            case Marked(inner, inside) if inner == "***" and mark in {"*", "**"}:
                other = "**" if mark == "*" else "*"
                found.append(Marked(other, tuple(without(inside, mark))))
            case Marked(inner, inside):
                found.append(Marked(inner, tuple(without(inside, mark))))
            case Mark():
                pass
            case _:
                found.append(node)
    return found


def _link(inside: Sequence[Node], target: str, address: str) -> str:
    label = " ".join(plain(inside).split())
    words = " ".join(written(inside, begins_line=False).split())
    if not target:
        shown = address.removeprefix("mailto:")
        return f"{words} ({literal(shown)})" if shown and shown != label else words
    if not label or label.rstrip("/") == target.rstrip("/"):
        return _address(target)
    if INVITE.search(target) or looks_like_another(label, target) or not can_be_words(label):
        return f"{words} ({_address(target)})"
    if re.search(r"[\[\]]", re.sub(r"\[[^\[\]]*\]", "", words)):
        words = words.translate(str.maketrans("[]", "()"))
    url = spelled(target).replace("(", "%28").replace(")", "%29")
    return f"[{words}](<{url}>)"


def _address(url: str) -> str:
    # No brackets keep an invitation from being shown as a card.
    return literal(url) if INVITE.search(url) else f"<{spelled(url)}>"
