"""The buttons under answers, and how they are told apart."""

from typing import Any

import pytest

from adapters.discord.buttons import Buttons, Press, components, read_custom_id
from bot.messages import TurnId

LONGEST = TurnId("f" * 64)


def row(buttons: Buttons, turn: TurnId) -> list[dict[str, Any]]:
    """The buttons of the one row there is."""
    (found,) = components(buttons, turn)
    inner = found["components"]
    assert isinstance(inner, list)
    return inner


@pytest.mark.parametrize(
    ("buttons", "press"),
    [
        pytest.param(Buttons.GROWING, Press.STOP, id="an answer that grows"),
        pytest.param(Buttons.WHOLE, Press.RETRY, id="a whole answer"),
    ],
)
def test_a_button_is_known_again_by_its_id(buttons: Buttons, press: Press) -> None:
    (button,) = row(buttons, LONGEST)

    assert read_custom_id(button["custom_id"]) == (press, LONGEST)
    assert len(button["custom_id"]) <= 100  # https://docs.discord.com/developers/components/reference, "Custom ID"
    assert button["label"] == press.capitalize()


def test_without_buttons_there_is_no_empty_row() -> None:
    assert components(Buttons.NONE, LONGEST) == []


@pytest.mark.parametrize(
    "custom_id", ["", "vote:1", "clew:stop:", "clew:reset:t1", "clew:stop:t1:x", "xclew:stop:t1", "clew:stop:t1\n"]
)
def test_buttons_of_others_are_none_of_ours(custom_id: str) -> None:
    assert read_custom_id(custom_id) is None
