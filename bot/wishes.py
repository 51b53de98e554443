"""What a question wishes for beside words, by a command and by nothing else: a picture, or research. Pure."""

import re
from collections.abc import Iterable

from bot.messages import Message

_WISH = re.compile(
    r"\s*(?:/(?P<command>imagine|research)(?=[\s:]|\Z):?|(?P<word>imagine|research):)\s*(?P<words>.*)",
    re.IGNORECASE | re.DOTALL,
)
_PICTURE, _RESEARCH = "imagine", "research"


def wish_of(text: str | None) -> str | None:
    """What is wished for: the text without ``/imagine`` or ``imagine:``, ``/research`` or ``research:``.

    None when it is a plain text. Slack takes whatever begins with a slash for a command of its own, hence the
    second forms.
    """
    found = _WISH.fullmatch(text or "")
    return None if found is None else found["words"].strip()


def wish_for_a_picture(messages: Iterable[Message]) -> bool:
    """Whether one of the messages that are answered together wishes for a picture."""
    return _is_wished(_PICTURE, messages)


def wish_for_research(messages: Iterable[Message]) -> bool:
    """Whether one of the messages that are answered together wishes for research."""
    return _is_wished(_RESEARCH, messages)


def _is_wished(command: str, messages: Iterable[Message]) -> bool:
    found = (_WISH.fullmatch(message.text or "") for message in messages)
    return any((wish["command"] or wish["word"]).lower() == command for wish in found if wish is not None)
