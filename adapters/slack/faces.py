"""What one message of a reply shows, and the forms in which Slack may take it. Pure."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from adapters.slack.buttons import Block, Buttons, buttons_block
from adapters.slack.format import mrkdwn
from bot.chunks import split
from bot.messages import MessageId, TurnId

_SHORT = 300  # characters of the text that notifications show
_SECTION = 2_500  # characters of Markdown in a section; Slack takes 3,000, escaped

Content = dict[str, Any]
"""Arguments of a call."""


@dataclass(frozen=True, slots=True)
class Face:
    """Markdown that is safe to send, and the buttons under it."""

    text: str
    buttons: Buttons = Buttons.NONE

    def digest(self, turn: TurnId) -> str:
        """Of everything that is seen; the buttons of another turn are other buttons."""
        shown = "\0".join((turn, self.buttons.name, self.text))
        return hashlib.sha256(shown.encode("utf-8", "replace")).hexdigest()

    def forms(self, turn: TurnId, *, edits: bool) -> Iterator[Content]:
        """The arguments that show it, the best form first; another is for when Slack does not take the one before.

        Args:
            edits: it takes the place of what a message showed, buttons included.
        """
        buttons = buttons_block(self.buttons, turn)
        if buttons or edits:
            yield {"blocks": [{"type": "markdown", "text": self.text}, *buttons], "text": self._short}
        yield {"markdown_text": self.text}
        sections: list[Block] = [
            {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn(piece)[:3000]}}
            for piece in split(self.text, limit=_SECTION)
        ]
        yield {"blocks": [*sections, *buttons], "text": self._short}

    def bare(self, turn: TurnId) -> Content:
        """The arguments of an edit that takes the buttons away and changes nothing else."""
        return next(replace(self, buttons=Buttons.NONE).forms(turn, edits=True))

    @property
    def _short(self) -> str:
        return self.text if len(self.text) <= _SHORT else f"{self.text[:_SHORT]}…"


@dataclass(frozen=True, slots=True)
class Held:
    """A message that holds the buttons of a turn that ended.

    Attributes:
        bare: the arguments of an edit after which it shows the same without them.
    """

    ts: MessageId
    bare: Content
