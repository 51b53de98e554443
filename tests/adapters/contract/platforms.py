"""The platforms that keep the contract, and what of it some of them cannot be asked."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from pathlib import Path

import pytest

from tests.adapters.contract.discord_stage import discord_stage
from tests.adapters.contract.page_stage import page_stage
from tests.adapters.contract.slack_stage import slack_stage
from tests.adapters.contract.stage import Stage


class Can(Enum):
    """What not every platform can do."""

    SPEAK_AS_A_BOT = auto()
    HOLD_SEVERAL_PEOPLE = auto()
    CHANGE_WHAT_WAS_SAID = auto()
    NAME_ITS_ANSWERS = auto()


@dataclass(frozen=True, slots=True)
class Platform:
    """How a platform is put on stage in a folder, and why it cannot do what it cannot."""

    open: Callable[[Path], AbstractAsyncContextManager[Stage]]
    cannot: Mapping[Can, str] = field(default_factory=dict)


PLATFORMS = {
    "page": Platform(
        page_stage,
        {
            Can.SPEAK_AS_A_BOT: "nothing but a person's request gets to the page's inbox",
            Can.HOLD_SEVERAL_PEOPLE: "whoever is at the page is the same person to it",
            Can.CHANGE_WHAT_WAS_SAID: "the page has no way to edit or delete a message",
            Can.NAME_ITS_ANSWERS: "a browser is given turns; what an answer is called stays in the store",
        },
    ),
    "slack over sockets": Platform(slack_stage),
    "slack over http": Platform(partial(slack_stage, is_http=True)),
    "slack directly": Platform(
        partial(slack_stage, is_direct=True),
        {Can.HOLD_SEVERAL_PEOPLE: "a direct line is one person's"},
    ),
    "discord": Platform(discord_stage),
    "discord directly": Platform(
        partial(discord_stage, is_direct=True),
        {Can.HOLD_SEVERAL_PEOPLE: "a direct line is one person's"},
    ),
}
"""A platform joins with a line here. What it cannot do is not asked of it, which is no skip: there is no such case."""


def where(*needed: Can) -> pytest.MarkDecorator:
    """The platforms that can do all of this; the test gets each one's `stage`."""
    able = [name for name, platform in PLATFORMS.items() if not set(needed) & platform.cannot.keys()]
    return pytest.mark.parametrize("stage", able, indirect=True)


everywhere = where()
