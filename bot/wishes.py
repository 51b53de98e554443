"""What a question wishes for beside words: a picture, asked for by a command and by nothing else. Pure."""

import re
from collections.abc import Iterable

from bot.messages import Message

_IMAGINE = re.compile(r"\s*(?:/imagine(?=[\s:]|\Z):?|imagine:)\s*(?P<words>.*)", re.IGNORECASE | re.DOTALL)


def wish_of(text: str | None) -> str | None:
    """What a picture is wished for of: the text without ``/imagine`` or ``imagine:``; None when it is a plain text.

    Slack takes whatever begins with a slash for a command of its own, hence the second form.
    """
    found = _IMAGINE.fullmatch(text or "")
    return None if found is None else found["words"].strip()


def wish_for_a_picture(messages: Iterable[Message]) -> bool:
    """Whether one of the messages that are answered together wishes for a picture."""
    return any(wish_of(message.text) is not None for message in messages)
