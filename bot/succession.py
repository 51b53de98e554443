"""Which model answers, when one after the other may be taken away."""

import logging
from collections.abc import Sequence

logger = logging.getLogger(__name__)


class Succession:
    """Models by name, of which the first one that Gemini still knows answers.

    A name that Gemini did not know once is not tried again before the next start: models are not brought back.

    Args:
        names: the configured model, then those that take its place.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(dict.fromkeys(names))

    @property
    def present(self) -> str:
        """The one that answers now."""
        return self._names[0]

    def retire(self, name: str) -> bool:
        """Let the next one answer from now on; False when *name* was the last."""
        if name not in self._names:
            return True  # another turn has said so
        if len(self._names) == 1:
            return False
        self._names.remove(name)
        fields = {"model": name, "successor": self.present}
        logger.error("model unknown to Gemini, another one answers: set GEMINI_MODEL to one there is", extra=fields)
        return True
