"""Slack's text -> what a person would read in it, and whom it names. Pure.

Slack escapes ``&``, ``<`` and ``>`` and nothing else, and writes whatever is more than text between angle brackets.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

NOBODY: Mapping[str, str] = MappingProxyType({})

_TOKEN = re.compile(r"<([^<>\n]*)>|&(amp|lt|gt);")
_ESCAPES = {"amp": "&", "lt": "<", "gt": ">"}
_AFTER_A_NAME = re.compile(r"(?:[,;:](?=\s))?[ \t\u00a0]*")


def readable(text: str, *, me: str, names: Mapping[str, str] = NOBODY) -> str:
    """A message's text, unescaped once: without the mentions of *me*, everything else in words.

    Args:
        me: the bot's own user id.
        names: what the people are called who are mentioned, by user id. Whoever is not in it and is not
            named by the text itself keeps the id.
    """
    shown: list[str] = []
    rest = 0
    for found in _TOKEN.finditer(text):
        shown.append(text[rest : found.start()])
        rest = found.end()
        if found[2]:
            shown.append(_ESCAPES[found[2]])
        elif _is_mention_of(me, found[1]):
            rest += _gap_after(text, rest, "".join(shown[-1:]))
        else:
            shown.append(_in_words(found[1], names))
    shown.append(text[rest:])
    return "".join(shown).strip()


def mentions(text: str) -> Iterator[str]:
    """Whom a text names: user ids, ``!subteam`` ids, and ``here``, ``channel``, ``everyone``."""
    for found in _TOKEN.finditer(text):
        target = (found[1] or "").partition("|")[0]
        if (target[:1] == "@" and target != "@") or target in {"!here", "!channel", "!everyone", "!group"}:
            yield target[1:]
        elif target.startswith("!subteam^"):
            yield target.removeprefix("!subteam^")


def _is_mention_of(me: str, token: str) -> bool:
    return token.partition("|")[0] == f"@{me}"


def _gap_after(text: str, at: int, before: str) -> int:
    """How much goes with a mention that is left out, so that no gap remains in the sentence."""
    if not before.strip():  # "@Clew, what is ...": the comma belongs to the name
        found = _AFTER_A_NAME.match(text, at)
        return len(found[0]) if found else 0
    return 1 if before[-1].isspace() and text[at : at + 1] in {" ", "\t", "\u00a0"} else 0


def _in_words(token: str, names: Mapping[str, str]) -> str:
    """What stands between angle brackets, as it is shown."""
    target, _, label = token.partition("|")
    label = _unescaped(label)
    match target[:1]:
        case "@":
            return f"@{(names.get(target[1:]) or label or target[1:]).removeprefix('@')}"
        case "#":
            return f"#{(label or target[1:]).removeprefix('#')}"
        case "!":
            return _special(target[1:], label)
        case _:
            return _link(_unescaped(target), label)


def _special(target: str, label: str) -> str:
    kind, _, rest = target.partition("^")
    if kind == "subteam":
        return f"@{(label or rest).removeprefix('@')}"
    if kind == "date":
        return label or rest
    return label if label.startswith("@") else f"@{label or kind}"


def _link(url: str, label: str) -> str:
    address = url.removeprefix("mailto:").removeprefix("tel:")
    # What a person typed as a bare address comes back with itself as its label.
    if not label or label in {url, address} or label == address.partition("://")[2]:
        return address
    return f"{label} ({address})"


def _unescaped(text: str) -> str:
    return re.sub(r"&(amp|lt|gt);", lambda found: _ESCAPES[found[1]], text)
