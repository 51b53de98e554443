"""A bot with a command, a menu and a button, run by discord.py: for the tests of the stand-in itself."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp
import discord
from discord import app_commands

from tests.support.discord.sdk import Client, running
from tests.support.discord.server import DiscordServer

Do = Callable[["discord.Interaction[Any]"], Awaitable[object]]


class CommandBot(Client):
    """A client whose commands and buttons do what the test wants."""

    def __init__(self, server: DiscordServer, do: Do, **options: Any) -> None:
        super().__init__(server, **options)
        self.do = do
        self.asked: list[tuple[str, Any]] = []
        self.errors: list[BaseException] = []
        self.tree = app_commands.CommandTree(self)
        self.tree.error(self.note)
        self.add_dynamic_items(Stop)

        @self.tree.command(description="Ask")
        async def ask(interaction: discord.Interaction[Any], text: str, file: discord.Attachment | None = None) -> None:
            self.asked.append((text, file))
            await self.do(interaction)
            server.look_again()

        @self.tree.context_menu(name="Ask about this")
        async def about(interaction: discord.Interaction[Any], message: discord.Message) -> None:
            self.asked.append((message.content, message))
            await self.do(interaction)

    async def note(self, _: discord.Interaction[Any], error: app_commands.AppCommandError) -> None:
        self.errors.append(error.__cause__ or error)
        self.server.look_again()


class Stop(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"stop:(?P<job>[0-9a-f]+)"):
    """A button that works in messages this process never sent."""

    def __init__(self, job: str) -> None:
        super().__init__(discord.ui.Button(label="Stop", custom_id=f"stop:{job}"))
        self.job = job

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["job"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        bot = interaction.client
        assert isinstance(bot, CommandBot)
        bot.asked.append(("stop", self.job))
        await bot.do(interaction)


@asynccontextmanager
async def bot_on(server: DiscordServer, do: Do, **options: Any) -> AsyncIterator[CommandBot]:
    """A bot that is ready, with its commands registered."""
    async with running(server, CommandBot(server, do, **options)) as bot:
        await bot.tree.sync()
        yield bot


async def defer(interaction: discord.Interaction[Any]) -> None:
    await interaction.response.defer(thinking=True)


async def say(interaction: discord.Interaction[Any]) -> None:
    await interaction.response.send_message("done")


async def raw(server: DiscordServer, verb: str, path: str, body: Any = None) -> tuple[int, Any]:
    """One request as a process without a bot token makes it: status and code."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(verb, f"{server.api_url}{path}", json=body) as response,
    ):
        told = await response.json() if response.status != 204 else {}
        return response.status, told.get("code")
