"""Short words for tests in which somebody uses a command, a menu or a button."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import Enum, auto
from typing import Any, cast

from bot.errors import StoreUnavailable
from bot.ports import Store
from tests.adapters.discord.answering import is_whole
from tests.support.discord import DiscordServer, DropBefore, Shown
from tests.support.discord_clew import DiscordClew, clew_on
from tests.support.slack_clew import until_logged

logger = logging.getLogger(__name__)

ORIGINAL = "PATCH /webhooks/*"
CALLBACK = "POST /interactions/*"


@asynccontextmanager
async def commanded(discord: DiscordServer, **options: Any) -> AsyncIterator[DiscordClew]:
    """Clew on the loopback Discord, in Discord's time, once its commands are offered; see `clew_on`."""
    async with clew_on(discord, now=discord.clock.now, **options) as clew:
        await discord.until(lambda: discord.commands)
        yield clew


async def answered(discord: DiscordServer, text: str = "what is a clew?", *, channel: str = "general") -> Shown:
    """Somebody asks by a mention, and is answered; the answer."""
    async with until_logged("turn answered", by="bot.responder"):
        question = await discord.says("ada", text, channel=channel)
    return (await discord.shown(question if channel == "general" else channel, is_whole))[-1]


async def shown_question(discord: DiscordServer, channel: str = "general", *, number: int = 1) -> Shown:
    """The message that shows what was asked by a command."""

    def is_there(seen: list[Shown]) -> bool:
        return len(questions(seen)) >= number

    return questions(await discord.shown(channel, is_there))[number - 1]


def questions(seen: list[Shown]) -> list[Shown]:
    return [one for one in seen if one.text.startswith("-# **") and "** asks" in one.text]


def answers(seen: list[Shown]) -> list[Shown]:
    """What of it is neither a question nor small print."""
    return [one for one in seen if not one.text.startswith("-# ")]


def are_answered(number: int) -> Callable[[list[Shown]], bool]:
    """Whether there are so many answers, the last of them whole."""
    return lambda seen: len(answers(seen)) == number and is_whole(answers(seen))


def is_thinking(discord: DiscordServer, channel: str = "general") -> bool:
    """Whether a channel still shows that an answer is about to come."""
    return any(one.is_loading for one in discord.transcript(channel))


class When(Enum):
    """On which side of a deed something happens."""

    BEFORE = auto()
    AFTER = auto()


class Ending:
    """The end of a process, in process: from one deed on nothing it does reaches the store or Discord."""

    def __init__(self, discord: DiscordServer, at: str, when: When) -> None:
        self._at, self._when = at, when
        self.came = asyncio.Event()
        discord.faults.arm("*", DropBefore(), times=None, when=lambda call: self.came.is_set())
        if " " in at:  # a route
            discord.faults.arm(at, DropBefore(), times=None, when=lambda call: self._come())

    def over(self, store: Store) -> Store:
        """The store of the process."""
        return cast("Store", _Ended(store, self))

    def check(self, name: str, when: When) -> None:
        """Let something be done, unless this is the end or it was before."""
        if (name, when) == (self._at, self._when):
            self._come()
        if self.came.is_set():
            raise asyncio.CancelledError

    def _come(self) -> bool:
        self.came.set()
        return True


class _Ended:
    def __init__(self, store: Store, ending: Ending) -> None:
        self._store, self._ending = store, ending

    def __getattr__(self, name: str) -> object:
        method = getattr(self._store, name)
        if not callable(method):
            return method  # what holds methods of its own

        async def ended(*arguments: object, **named: object) -> object:
            self._ending.check(name, When.BEFORE)
            done = await method(*arguments, **named)
            self._ending.check(name, When.AFTER)
            return done

        return ended


class Slow:
    """A store that takes its time with some things, and may fail in the end."""

    def __init__(
        self, store: Store, *, go: asyncio.Event, names: tuple[str, ...] = ("take_in",), fails: bool = False
    ) -> None:
        self._store, self._go, self._names, self._fails = store, go, names, fails

    def as_store(self) -> Store:
        return cast("Store", self)

    def __getattr__(self, name: str) -> object:
        method = getattr(self._store, name)
        if name not in self._names:
            return method

        async def slow(*arguments: object, **named: object) -> object:
            await self._go.wait()
            if self._fails:
                raise StoreUnavailable("the disk is full")
            done = await method(*arguments, **named)
            logger.info("slowly done", extra={"method": name})
            return done

        return slow


class Troubled:
    """A store that fails at something so many times."""

    def __init__(self, store: Store, name: str, *, times: int) -> None:
        self._store, self._name, self._times = store, name, times

    def as_store(self) -> Store:
        return cast("Store", self)

    def __getattr__(self, name: str) -> object:
        method = getattr(self._store, name)
        if name != self._name:
            return method

        async def troubled(*arguments: object, **named: object) -> object:
            self._times -= 1
            if self._times >= 0:
                raise StoreUnavailable("the disk is busy")
            return await method(*arguments, **named)

        return troubled


async def briefly(seconds: float) -> None:
    """For a bot whose pauses are short."""
    await asyncio.sleep(seconds / 20)
