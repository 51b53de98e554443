"""Discord's text -> what a person would read in it. Pure.

People type Markdown, which stays. Whatever Discord shows as something else than it is typed stands between angle
brackets; in code it is shown as it stands.
"""

import re
from datetime import UTC, datetime

from adapters.discord.people import Called, Me, unknown

# https://docs.discord.com/developers/reference, "Message Formatting"
_TOKEN = re.compile(
    r"""(?<!`)(?P<fence>`{1,3})(?!`).+?(?<!`)(?P=fence)(?!`)   # code
      | <@!?(?P<user>[0-9]{15,20})>
      | <@&(?P<role>[0-9]{15,20})>
      | <\#(?P<channel>[0-9]{15,20})>
      | <(?P<command>/[^:<>\n]{1,100}):[0-9]{15,20}>
      | <a?(?P<emoji>:\w{1,40}:)[0-9]{15,20}>
      | <t:(?P<time>-?[0-9]{1,13})(?::[tTdDfFsSR])?>
      | <id:(?P<page>[a-z-]{1,20})(?::[0-9]{15,20})?>
      | <(?P<url>https?://[^\s<>]+)>                           # without a preview
    """,
    re.VERBOSE | re.DOTALL,
)
_AFTER_A_NAME = re.compile(r"(?:[,;:](?=\s))?[ \t\u00a0]*")
_PAGES = {"guide": "Server Guide", "browse": "Browse Channels", "customize": "Channels & Roles", "home": "Home"}


def readable(text: str, *, me: Me | None = None, called: Called = unknown) -> str:
    """A message's text with everything in words.

    Args:
        me: whose mentions are left out: in what is said to the bot they are no part of it.
        called: whoever it does not know keeps the id.
    """
    shown: list[str] = []
    rest = 0
    for found in _TOKEN.finditer(text):
        shown.append(text[rest : found.start()])
        rest = found.end()
        if me is not None and (found["user"] == me.user_id or found["role"] in me.role_ids):
            rest += _gap_after(text, rest, "".join(shown[-1:]))
        else:
            shown.append(_in_words(found, called))
    shown.append(text[rest:])
    return "".join(shown).strip()


def quoted(text: str) -> str:
    """A text as a quotation in Markdown."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _gap_after(text: str, at: int, before: str) -> int:
    """How much goes with a mention that is left out, so that no gap remains in the sentence."""
    if not before.strip():  # "@Clew, what is ...": the comma belongs to the name
        found = _AFTER_A_NAME.match(text, at)
        return len(found[0]) if found else 0
    return 1 if before[-1].isspace() and text[at : at + 1] in {" ", "\t", "\u00a0"} else 0


def _in_words(found: re.Match[str], called: Called) -> str:
    match found.lastgroup:
        case "user" | "role":
            return f"@{called(found[found.lastgroup]) or found[found.lastgroup]}"
        case "channel":
            return f"#{called(found['channel']) or found['channel']}"
        case "time":
            return _time(int(found["time"])) or found[0]
        case "page":
            return f"#{_PAGES.get(found['page'], found['page'])}"
        case "command" | "emoji" | "url":
            return found[found.lastgroup]
        case _:
            return found[0]


def _time(seconds: int) -> str | None:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return None
