"""How Discord's clients read a message, as far as it tells code from words, and what they make of the words.

The order and the patterns follow discord/discord-api-docs' message formatting reference and the behaviour of the
desktop client: a fence and a code span begin at any backtick that is not escaped and end at the next run of as
many, wherever in the message that stands; mentions are looked for everywhere else.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ESCAPE = re.compile(r"\\[^0-9A-Za-z\s]")
_FENCE = re.compile(r"```(?:([a-z0-9_+\-.#]+?)\n)?\n*([^\n][\s\S]*?)\n*```", re.IGNORECASE)
_SPAN = re.compile(r"(`+)([\s\S]*?[^`])\1(?!`)")
_MASKED = re.compile(r"\[((?:\[[^\]]*\]|[^\[\]])*)\]\(<([^\s<>]*)>\)")
_AUTOLINK = re.compile(r"<([^: >]+:/[^ >]+)>")
_SPOILER = re.compile(r"\|\|[\s\S]+?\|\|")
_RESOLVED = re.compile(
    r"<@[!&]?\d+>|@everyone|@here|<id:\w+>|<sound:\d+(?::\d+)?>|</[-\w]{1,32}(?: [-\w]{1,32}){0,2}:\d+>"
)
_INVITE = re.compile(r"discord(?:app)?\.(?:gg|com/invite|gift|com/gifts)/[A-Za-z0-9-]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Read:
    """A stretch of a message: ``fence``, ``span``, ``link``, ``spoiler``, ``resolved``, ``invite`` or ``words``."""

    kind: str
    text: str
    target: str = ""


def read_message(text: str) -> list[Read]:
    """A message's content in the order in which a client reads it."""
    return list(_read(text))


def _read(text: str) -> Iterator[Read]:
    at = 0
    while at < len(text):
        if found := _ESCAPE.match(text, at):
            yield Read("words", found[0][1])
        elif found := _FENCE.match(text, at):
            yield Read("fence", found[2])
        elif found := _SPAN.match(text, at):
            yield Read("span", found[2])
        elif found := _MASKED.match(text, at):
            yield from _read(found[1])
            yield Read("link", found[1], found[2])
        elif found := _AUTOLINK.match(text, at):
            yield Read("link", found[1], found[1])
        elif found := _RESOLVED.match(text, at):
            yield Read("resolved", found[0])
        elif found := _INVITE.match(text, at):
            yield Read("invite", found[0])
        elif found := _SPOILER.match(text, at):
            yield Read("spoiler", found[0])
        else:
            yield Read("words", text[at])
            at += 1
            continue
        at = found.end()


def resolved(text: str) -> list[str]:
    """What would be shown as a name, a command, a card or a hidden text."""
    return [part.text for part in read_message(text) if part.kind in {"resolved", "invite", "spoiler"}]


def code_of(text: str) -> list[str]:
    """The contents of fences and code spans."""
    return [part.text for part in read_message(text) if part.kind in {"fence", "span"}]


def stray_ticks(text: str) -> int:
    """Backticks that neither are code nor were escaped: what stands behind them may be read the wrong way round."""
    at = count = 0
    while at < len(text):
        found = _ESCAPE.match(text, at) or _FENCE.match(text, at) or _SPAN.match(text, at)
        count += not found and text[at] == "`"
        at = found.end() if found else at + 1
    return count
