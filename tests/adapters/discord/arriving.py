"""Short words for tests of what arrives from Discord."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from bot.messages import TurnState
from tests.adapters.discord.answering import is_whole
from tests.support.discord import DiscordServer, Shown
from tests.support.discord_clew import DiscordClew, clew_on
from tests.support.slack_clew import until_logged

"""Limits for what takes its time: a model that waits for the test, a connection that comes back."""

_SAID = re.compile(r"^\[\w+\] (.+)$", re.MULTILINE)


def asked(clew: DiscordClew) -> list[str]:
    """The messages the model was asked about, in order, without the names before them and what came before."""
    return [line for one in clew.model.asked for line in _SAID.findall(one.text)]


def ended(number: int) -> Callable[[list[Shown]], bool]:
    """Whether there are so many messages and the last of them is a whole answer."""
    return lambda seen: len(seen) == number and is_whole(seen)


def is_confirmed(seen: list[Shown]) -> bool:
    """Whether something was said of a command."""
    return bool(small_print(seen))


def small_print(seen: list[Shown]) -> list[str]:
    """What the bot said of commands."""
    return [one.text for one in seen if one.text.startswith("-# ")]


async def conversation(discord: DiscordServer, text: str = "hello", *, channel: str = "general") -> str:
    """Somebody asks in a channel, is answered, and the turn has ended; the thread."""
    async with until_logged("turn answered", by="bot.responder"):
        question = await discord.says("ada", text, channel=channel)
        await discord.shown(question, is_whole)
    return question


async def until_waiting(clew: DiscordClew, thread: str, *texts: str) -> None:
    """Wait until these are the messages that wait in a thread, or begin them: what they reply to comes after."""
    key = clew.thread(thread)

    async def waiting() -> list[str]:
        turns = await clew.store.transcript(key)
        queued = [message for turn in turns if turn.state is TurnState.QUEUED for message in turn.messages]
        return [(message.text or "").partition("\n")[0] for message in queued]

    async with asyncio.timeout(30):
        while await waiting() != list(texts):
            pass  # reading the store lets everything else go on


@asynccontextmanager
async def caught_up(discord: DiscordServer, **options: Any) -> AsyncIterator[DiscordClew]:
    """Clew on the loopback Discord, once it has looked for all that was missed; see `clew_on`."""
    async with AsyncExitStack() as stack:
        async with until_logged("caught up", by="adapters.discord.catchup"):
            clew = await stack.enter_async_context(clew_on(discord, **options))
        yield clew
