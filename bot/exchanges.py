"""Questions and answers as they are kept here when Gemini keeps nothing of them."""

import re
from dataclasses import dataclass, field

from bot.answers import Media, ModelStep, Question, Source, Text
from bot.messages import AttachmentId, InteractionId

MOST_CHARACTERS = 400_000  # some 100,000 tokens: as much of a thread as is told again from its platform
MOST_BYTES = 15_000_000  # files the model made included, in base64

Kept = Text | Media | Source
"""A piece of a question as it is kept: a file is kept as where it stands."""

_FILE = re.compile(r'"data":"[A-Za-z0-9+/=_-]*"')


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer, to be told to the model with every later question of the thread."""

    previous: InteractionId | None  # of the exchange it goes on from; None when it goes on from none that is kept
    said: tuple[tuple[Kept, ...], ...] = field(repr=False)  # the user inputs
    answered: tuple[ModelStep, ...] = field(repr=False)
    is_cut: bool = False  # the model was not told of all that was said before, for want of room
    missing: frozenset[AttachmentId] = frozenset()  # what could not be had again of the files of earlier exchanges

    @property
    def characters(self) -> int:
        """How much text there is to tell, files left aside."""
        said = sum(len(part.text) for told in self.said for part in told if isinstance(part, Text))
        files = sum(len(found[0]) for step in self.answered for found in _FILE.finditer(step.json))
        return said + sum(len(step.json) for step in self.answered) - files

    @property
    def bytes(self) -> int:
        """How much there is to send, more or less, but for the files that have to be read again."""
        said = sum(len(part.text) for told in self.said for part in told if isinstance(part, Text))
        return said + sum(len(step.json) for step in self.answered)


def kept_of(question: Question) -> tuple[Kept, ...]:
    """A question as it is kept: no bytes, and for what a file became, however many pieces, where the file stands."""
    kept: list[Kept] = []
    for content in question:
        if content.source is not None:
            if not kept or kept[-1] != content.source:
                kept.append(content.source)
        elif isinstance(content, Media) and content.data is not None:
            kept.append(Text("[a file that could not be kept]"))
        else:
            kept.append(content)
    return tuple(kept)
