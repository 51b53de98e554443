"""What people do about research: they ask for it, and stop it, clear it away, retry it or go on while it runs."""

import random
from asyncio import sleep
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.commands import Command
from tests.chaos.history import Said, Way
from tests.chaos.place_discord import DiscordPlace
from tests.chaos.places import Place

SOON = (0.2, 0.7, 1.2, 2.0, 4.0)  # seconds after which they do something: from the warning on until the report


@dataclass(frozen=True)
class Researching:
    """The deeds of one thread.

    Attributes:
        tag: makes the tag of the next text.
        somebody: says who does it.
    """

    place: Place
    dice: random.Random
    tag: Callable[[], str]
    somebody: Callable[[], str]
    clears: Callable[[Command], Awaitable[None]]

    def ways(self) -> list[tuple[int, Callable[[], Awaitable[None]]]]:
        """What they may do, and how likely each is."""
        ways: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (2, self._waits_for_it),
            (1, self._goes_on),
            (1, self._says_stop),
            (1, self._clears_it_away),
            (1, self._retries),
        ]
        if self.place.can_press:
            ways.append((1, self._presses_stop))
        if self.place.can_change:
            ways.append((1, self._puts_it_right))
        if isinstance(self.place, DiscordPlace):
            ways.append((1, self._types_it))
        return ways

    async def _asks_for_it(self) -> Said:
        name = self.tag()
        return await self.place.says(self.somebody(), name, f"research: {name}, all there is to know of it")

    async def _waits_for_it(self) -> None:
        await self._asks_for_it()

    async def _goes_on(self) -> None:
        """They do not wait for the report, on which the next question is to stand."""
        await self._asks_for_it()
        await sleep(self.dice.choice(SOON))
        name = self.tag()
        await self.place.says(self.somebody(), name, f"{name}?")

    async def _says_stop(self) -> None:
        await self._asks_for_it()
        await sleep(self.dice.choice(SOON))
        await self.place.gives(self.somebody(), Command.STOP)

    async def _presses_stop(self) -> None:
        await self._asks_for_it()
        await sleep(self.dice.choice(SOON))
        by = self.somebody()
        if not await self.place.gives(by, Command.STOP, Way.PRESS) and self.dice.random() < 0.5:
            await self.place.gives(by, Command.STOP, Way.PRESS)

    async def _clears_it_away(self) -> None:
        await self._asks_for_it()
        await sleep(self.dice.choice(SOON))
        await self.clears(self.dice.choice((Command.RESET, Command.FORGET)))

    async def _retries(self) -> None:
        """They want it once more, be it done or not."""
        await self._asks_for_it()
        await sleep(self.dice.choice((*SOON, 6.0)))
        await self.place.gives(self.somebody(), Command.RETRY)

    async def _puts_it_right(self) -> None:
        said = await self._asks_for_it()
        await sleep(self.dice.choice(SOON))
        new = self.tag()
        await self.place.edits(said, new, f"research: {new}, put right")

    async def _types_it(self) -> None:
        assert isinstance(self.place, DiscordPlace)
        name = self.tag()
        await self.place.asks(self.somebody(), name, f"{name}, all there is to know of it", research=True)
