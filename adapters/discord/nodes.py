"""What stands in a paragraph."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """Letters that mean nothing but themselves."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """A code span's content."""

    text: str


@dataclass(frozen=True, slots=True)
class Marked:
    """Emphasis, in Discord's marks: ``__`` underlines."""

    mark: str
    inside: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark whose other end is further away than anybody looks."""

    mark: str


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead somewhere; the target is empty when that is no page."""

    inside: "tuple[Node, ...]"
    target: str
    address: str


@dataclass(frozen=True, slots=True)
class Address:
    """A page's address that stands in the text as it is."""

    url: str


Node = Words | Code | Marked | Mark | Link | Address


def plain(nodes: Sequence[Node]) -> str:
    """The words alone, with the addresses that links lead to."""

    def words(node: Node) -> str:
        match node:
            case Words(text) | Code(text):
                return text
            case Marked(inside=inside):
                return plain(inside)
            case Link(inside, address=address):
                label = plain(inside)
                return label if label == address or not address else f"{label} ({address})"
            case Address(url):
                return url
            case Mark():
                return ""

    return "".join(map(words, nodes))


def unlinked(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The same with the words of links in their place: a picture that is a link leads where the link does."""
    found: list[Node] = []
    for node in nodes:
        found += unlinked(node.inside) if isinstance(node, Link) else (node,)
    return tuple(found)
