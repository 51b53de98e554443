"""The buttons under an answer, and how they are told apart when somebody presses one, after a restart too."""

import re
from enum import Enum, StrEnum

_PRESSED = re.compile(r"clew:(stop|retry|approve|decline):([0-9a-zA-Z_-]{1,64})")
_ROW, _BUTTON, _GREY = 1, 2, 2  # types of components, and a style

Component = dict[str, object]


class Press(StrEnum):
    """What pressing a button means."""

    STOP = "stop"
    RETRY = "retry"
    APPROVE = "approve"
    DECLINE = "decline"


class Buttons(Enum):
    """Which buttons stand under a message."""

    NONE = ()
    GROWING = (Press.STOP,)
    WHOLE = (Press.RETRY,)
    ASKING = (Press.APPROVE, Press.DECLINE)


def components(buttons: Buttons, name: str) -> list[Component]:
    """The rows of components that show these buttons, of a turn or of something that is asked; none for none."""
    if not buttons.value:
        return []
    row = [
        {"type": _BUTTON, "style": _GREY, "label": press.capitalize(), "custom_id": f"clew:{press}:{name}"}
        for press in buttons.value
    ]
    return [{"type": _ROW, "components": row}]


def read_custom_id(custom_id: str) -> tuple[Press, str] | None:
    """Which of our buttons that is, and the name it was given; None for anything else."""
    found = _PRESSED.fullmatch(custom_id)
    return None if found is None else (Press(found[1]), found[2])
