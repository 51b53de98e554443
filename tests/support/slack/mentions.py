"""What in a text would have notified somebody, or shown a preview of a link."""

import re
from dataclasses import dataclass
from typing import Literal

PingKind = Literal["everyone", "group", "user"]
_TOKENS = re.compile(r"<(?:!(channel|here|everyone)|!subteam\^([A-Z0-9]+)|@([UW][A-Z0-9]+))(?:\|[^<>]*)?>")
_NAMES = re.compile(r"(?<![\w@<!])@(channel|here|everyone)\b")  # only with link_names or parse=full
_LINKS = re.compile(r"https?://[^\s<>|)\]\"']+")


@dataclass(frozen=True, slots=True)
class Ping:
    """Somebody who was notified by a text of the app. Recorded once a message and token, also inside code ([5])."""

    channel: str
    ts: str
    kind: PingKind
    whom: str  # channel, here, everyone, or an id
    token: str
    method: str


@dataclass(frozen=True, slots=True)
class Unfurl:
    """A link in a post of the app that Slack would have shown a preview of."""

    channel: str
    ts: str
    url: str


def find_pings(text: str, *, names: bool = False) -> list[tuple[PingKind, str, str]]:
    """The tokens Slack parses in *text*: kind, whom, and the token as written."""
    found: list[tuple[PingKind, str, str]] = []
    for match in _TOKENS.finditer(text):
        everyone, group, user = match.groups()
        kind: PingKind = "everyone" if everyone else "group" if group else "user"
        found.append((kind, everyone or group or user, match[0]))
    if names:
        found.extend(("everyone", match[1], match[0]) for match in _NAMES.finditer(text))
    return found


def find_links(text: str) -> list[str]:
    return _LINKS.findall(text)
