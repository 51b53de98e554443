"""The whole bot as a process, people on one platform, and the offline Gemini: where each line of the product is shown.

    @everywhere
    async def test_it_remembers(scene: Scene) -> None:
        async with scene.clew():
            post = await scene.people.says("my name is Ada")
            await scene.people.looks(post.thread, whole(1))

Platform and model outlive the bot, which is killed with `clew.kill()` and started again with `scene.clew()`.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import aiohttp
import pytest

from adapters.slack.manifest import SCOPES
from bot.offline import Faults, OfflineModel, offline_model
from tests.support.discord import discord_server
from tests.support.people.discord import DiscordPeople
from tests.support.people.page import PagePeople
from tests.support.people.seen import People
from tests.support.people.slack import SlackPeople
from tests.support.process import RunningClew, running_clew
from tests.support.slack import Install, slack_server

PLATFORMS = ("page", "slack", "discord")


@dataclass
class Clock:
    """Gemini's time, in seconds since 1970."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Opened(Protocol):
    """How the bot is met once it runs."""

    def __call__(self, clew: RunningClew) -> AbstractAsyncContextManager[None]: ...


@dataclass
class Scene:
    """A platform with people on it and a Gemini, which outlive the bot."""

    name: str  # of the platform
    people: People
    folder: Path
    model: OfflineModel
    clock: Clock
    _met: Opened
    settings: dict[str, str] = field(default_factory=dict)  # of every run of the bot

    @asynccontextmanager
    async def clew(self, **settings: str) -> AsyncIterator[RunningClew]:
        """The bot, once it hears its platform. Leaving the block kills it unless it has ended."""
        gemini = {"GEMINI_API_KEY": "test-key", "GEMINI_BASE_URL": self.model.url}
        given = {**gemini, **self.people.settings, **self.settings, **settings}
        async with running_clew(self.folder, **given) as clew, self._met(clew):
            yield clew

    async def left_at_gemini(self) -> list[int]:
        """How Gemini answers when it is asked for each interaction it was told to create: a status for each."""
        created = [request.interaction for request in self.model.requests if request.is_create and request.interaction]
        async with aiohttp.ClientSession(headers={"x-goog-api-key": "test-key"}) as session:
            found = []
            for interaction in created:
                async with session.get(f"{self.model.url}/v1/interactions/{interaction}") as response:
                    found.append(response.status)
        return found

    def lies_here(self, text: str) -> bool:
        """Whether something can be read in the files of the database."""
        files = [file for file in self.folder.glob("clew.db*") if file.is_file()]
        return any(text.encode() in file.read_bytes() for file in files)


@asynccontextmanager
async def open_scene(name: str, folder: Path) -> AsyncIterator[Scene]:
    """A platform by its name, with a model of its own; what the bot keeps lies in *folder*."""
    clock = Clock()
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(
            offline_model(
                faults=Faults(),
                pace=0.005,
                clock=clock,
                requests_kept=2000,
                research_rest=0.0,
                record=folder / "record.jsonl",
            )
        )
        people, met = await _PLATFORMS[name](stack)
        yield Scene(name, people, folder, model, clock, met)


async def _page(stack: AsyncExitStack) -> tuple[People, Opened]:
    people = PagePeople()
    return people, lambda clew: people.visiting(clew.address)


async def _slack(stack: AsyncExitStack) -> tuple[People, Opened]:
    slack = await stack.enter_async_context(slack_server(install=Install(scopes=frozenset(SCOPES))))

    @asynccontextmanager
    async def met(clew: RunningClew) -> AsyncIterator[None]:
        await clew.said("over Socket Mode")
        await slack.connected(2)
        yield

    return SlackPeople(slack), met


async def _discord(stack: AsyncExitStack) -> tuple[People, Opened]:
    discord = await stack.enter_async_context(discord_server())

    @asynccontextmanager
    async def met(clew: RunningClew) -> AsyncIterator[None]:
        await clew.said("at the gateway")
        yield

    return DiscordPeople(discord), met


_PLATFORMS: dict[str, Callable[[AsyncExitStack], Awaitable[tuple[People, Opened]]]] = {
    "page": _page,
    "slack": _slack,
    "discord": _discord,
}

everywhere = pytest.mark.parametrize("scene", PLATFORMS, indirect=True)
"""A test on every platform, which gets each one's `scene`."""
