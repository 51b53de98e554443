"""What is wrong with the connection to a platform at the moment, in sentences for the operator."""

import logging

logger = logging.getLogger(__name__)


class Condition:
    """Notes what is wrong, each thing under its own name, until that is well again.

    Args:
        platform: as people call it.
    """

    def __init__(self, platform: str) -> None:
        self._platform = platform
        self._wrong: dict[str, str] = {}

    def is_wrong(self, what: str, sentence: str) -> None:
        """Note a fault; it is logged when it is a new one."""
        if self._wrong.get(what) != sentence:
            logger.error("platform does not work", extra={"platform": self._platform, "what": what, "reason": sentence})
        self._wrong[what] = sentence

    def is_well(self, what: str) -> None:
        """Take a fault away, if there is one."""
        if self._wrong.pop(what, None) is not None:
            logger.info("platform works again", extra={"platform": self._platform, "what": what})

    @property
    def trouble(self) -> str | None:
        """Everything that is wrong; None when nothing is."""
        return " ".join(self._wrong.values()) or None
