"""A question asked by a command, as the bot shows it for everybody to read: the conversation hangs from it. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from adapters.discord.payloads import Fields, fields, text
from adapters.discord.people import Me

COMMAND_ANSWER: Final = 20  # the type of a message that answers a command
_HEAD = re.compile(r"-# \*\*(?P<name>[^\n]{1,100}?)\*\* asks(?: about (?P<about>https://\S+))?(?:\n|\Z)")
_SPECIAL = re.compile(r"([\\*_`~|<>\[\]])")


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked by a command."""

    name: str  # of who asked
    text: str


def shown_question(name: str, question: str, *, about: str | None = None) -> str:
    """The text of the message that shows a question.

    Args:
        name: who asks.
        about: the address of the message it is about.
    """
    plain = _SPECIAL.sub(r"\\\1", " ".join(name.split()))[:100]
    head = f"-# **{plain or 'Somebody'}** asks" + (f" about {about}" if about else "")
    return f"{head}\n{question}".rstrip()


def read_question(body: Fields, me: Me) -> Asked | None:
    """The question that a message of ours shows; None when it shows something else."""
    if fields(body.get("author")).get("id") != me.user_id:
        return None
    shown = text(body.get("content"))
    found = _HEAD.match(shown)
    if found is None:
        return None
    return Asked(re.sub(r"\\(.)", r"\1", found["name"]), shown[found.end() :].strip())
