"""The buttons under an answer, and how they are told apart when somebody presses one."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final

STOP: Final = "clew_stop"  # action ids
RETRY: Final = "clew_retry"
RESET: Final = "clew_reset"
APPROVE: Final = "clew_approve"
DECLINE: Final = "clew_decline"
BLOCK: Final = "clew_answer"

Block = dict[str, object]


class Buttons(Enum):
    """Which buttons stand with a message; the value of each is its turn's id, or the name of what is asked."""

    NONE = ()
    GROWING = ((STOP, "Stop"),)
    WHOLE = ((RETRY, "Retry"), (RESET, "Reset"))
    ASKING = ((APPROVE, "Approve"), (DECLINE, "Decline"))


def buttons_block(buttons: Buttons, value: str) -> list[Block]:
    """The block that shows these buttons; none for none."""
    if not buttons.value:
        return []
    elements = [
        {"type": "button", "action_id": action, "text": {"type": "plain_text", "text": label}, "value": value}
        for action, label in buttons.value
    ]
    return [{"type": "actions", "block_id": BLOCK, "elements": elements}]


def offers(block: Mapping[str, object], action_id: str) -> bool:
    """Whether a block of a message holds such a button."""
    elements = block.get("elements")
    return isinstance(elements, list) and any(
        isinstance(element, Mapping) and element.get("action_id") == action_id for element in elements
    )


def without_buttons(blocks: Iterable[Mapping[str, object]]) -> list[Block]:
    """The blocks of a message less those of ours that hold buttons."""
    return [
        dict(block)
        for block in blocks
        if not any(offers(block, action) for action in (STOP, RETRY, RESET, APPROVE, DECLINE))
    ]
