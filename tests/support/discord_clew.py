"""Clew on the loopback Discord: the whole core on a store in memory, a scripted model, the adapter and discord.py."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from adapters.discord.adapter import DiscordAdapter, Rhythm, open_line
from adapters.discord.places import DISCORD
from adapters.discord.reply import Pace
from bot.attachments import ONLY_INLINE, Intake
from bot.commands import Commands
from bot.condensing import Condensing
from bot.dispatch import Dispatcher, open_dispatcher
from bot.function_runs import Functions
from bot.inbox import Inbox
from bot.limits import Limits
from bot.messages import Platform, Thread
from bot.metrics import Metrics
from bot.places import Places
from bot.policy import Policy
from bot.ports import Adapter, Store
from bot.responder import Responder
from storage.sqlite import open_store
from tests.support.commanding import commands_on
from tests.support.core import PATIENT
from tests.support.discord import DiscordServer
from tests.support.equipped import equipped
from tests.support.forgetting import forgetting_on
from tests.support.scripted import ScriptedModel

BRISK = Rhythm(pause=0.05, longest_pause=0.2, catch_up=0.01)
SWIFT = Pace(first=0.05, edit=0.1, doubt=0.2)


@dataclass(frozen=True, kw_only=True)
class Set:
    """What `DISCORD_*` say."""

    token: SecretStr | None
    api_url: str
    gateway_url: str
    file_hosts: frozenset[str] = frozenset({"127.0.0.1"})


def set_for(discord: DiscordServer) -> Set:
    """The settings for a stand-in."""
    return Set(token=SecretStr(discord.token), api_url=discord.api_url, gateway_url=discord.gateway_url)


@dataclass
class DiscordClew:
    """The bot, and the ends a test holds it by."""

    discord: DiscordServer
    store: Store
    model: ScriptedModel
    inbox: Inbox
    commands: Commands
    dispatcher: Dispatcher
    adapter: DiscordAdapter
    metrics: Metrics
    line: str = ""  # what the start printed

    def thread(self, message_id: str, *, channel: str = "general") -> Thread:
        """The key of the conversation that hangs from a message of a channel."""
        place = self.discord.channel(channel)
        return Thread(DISCORD, self.discord.guild(), place, message_id)


@asynccontextmanager
async def clew_on(
    discord: DiscordServer,
    *,
    settings: Set | None = None,
    policy: Policy | None = None,
    limits: Limits = PATIENT,
    model: ScriptedModel | None = None,
    url: str = "sqlite:///:memory:",
    rhythm: Rhythm = BRISK,
    pace: Pace = SWIFT,
    wrap: Callable[[Store], Store] = lambda store: store,
    wrap_all: Callable[[Store], Store] = lambda store: store,
    drain: float = 2.0,
    inline_limit: int = 1_000_000,
    intake: Callable[[Store], Intake] = lambda store: ONLY_INLINE,
    now: Callable[[], float] = time.time,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    functions: Functions | None = None,
) -> AsyncIterator[DiscordClew]:
    """Clew, running and connected. Leaving it shuts it down as a signal would.

    Args:
        wrap: put around the store for everything that arrives, not for what answers.
        wrap_all: put around the store for everything.
    """
    async with AsyncExitStack() as stack:
        settings = settings or set_for(discord)
        store = wrap_all(await stack.enter_async_context(open_store(url, keeps_text=frozenset())))
        metrics, model, policy = Metrics(), model or ScriptedModel(), policy or Policy()
        line = await stack.enter_async_context(open_line(settings))
        adapters: dict[Platform, Adapter] = {}
        places = Places(1000, metrics=metrics)
        equipment = await stack.enter_async_context(
            equipped(store, model, adapters, limits=limits, metrics=metrics, places=places, functions=functions)
        )
        responder = Responder(
            store=store,
            model=model,
            model_name="scripted",
            image_model="painter",
            adapters=adapters,
            limits=limits,
            inline_limit=inline_limit,
            intake=intake(store),
            condensing=Condensing(model=model, keeper=model, store=store.chains, limits=limits, metrics=metrics),
            policy=policy,
            metrics=metrics,
            **equipment,
        )
        dispatcher = await stack.enter_async_context(
            open_dispatcher(
                store=store,
                responder=responder,
                policy=policy,
                metrics=metrics,
                catch_up=lambda thread: adapters[thread.platform].catch_up(thread),
                limits=limits,
                places=places,
                drain=drain,
                pause=0.01,
                longest_pause=0.05,
            )
        )
        forgetting = await stack.enter_async_context(forgetting_on(store, model, dispatcher, adapters, metrics))
        heard = wrap(store)
        inbox = Inbox(heard, policy=policy, wake=dispatcher.wake, metrics=metrics)
        commands = commands_on(
            heard, model, dispatcher, policy=policy, forgetting=forgetting, approvals=equipment["approvals"]
        )
        adapter = adapters[DISCORD] = DiscordAdapter(
            settings,
            line=line,
            store=heard,
            inbox=inbox,
            commands=commands,
            metrics=metrics,
            rhythm=rhythm,
            pace=pace,
            now=now,
            clock=clock,
            sleep=sleep,
        )
        clew = DiscordClew(
            discord=discord,
            store=store,
            model=model,
            inbox=inbox,
            commands=commands,
            dispatcher=dispatcher,
            adapter=adapter,
            metrics=metrics,
        )
        await dispatcher.take_up()
        await forgetting.take_up()
        clew.line = await stack.enter_async_context(adapter.serve())
        yield clew
