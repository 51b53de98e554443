"""The command line, and the composition root: settings -> store -> Gemini -> core -> platforms -> run."""

import asyncio
import io
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import NoReturn, TypeVar

import aiohttp

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.adapter import Line as DiscordLine
from adapters.discord.adapter import open_line as open_discord
from adapters.discord.invite import read_invite
from adapters.discord.places import DISCORD
from adapters.discord.places import pointed_by as discord_link
from adapters.slack.adapter import Line as SlackLine
from adapters.slack.adapter import SlackAdapter
from adapters.slack.adapter import open_line as open_slack
from adapters.slack.manifest import print_manifest
from adapters.slack.places import SLACK
from adapters.slack.places import pointed_by as slack_link
from adapters.web.adapter import WebAdapter
from adapters.web.events import WEB
from adapters.web.events import pointed_by as page_link
from adapters.web.pages import About
from bot import __version__, descriptors
from bot.approvals import Approvals
from bot.attachments import intake_for
from bot.background import Background
from bot.cancelling import open_cancelling
from bot.chosen_model import beside, open_chosen_model
from bot.cli import outlook, pointed_by, read_arguments
from bot.commands import Commands
from bot.condensing import Condensing
from bot.config import Settings, read_settings
from bot.connecting import Served, connected
from bot.dispatch import open_dispatcher
from bot.errors import StartError
from bot.forgetting import open_forgetting
from bot.gemini_model import GeminiModel
from bot.health import Health
from bot.inbox import Inbox
from bot.insight import Insight, plain_history, plain_usage, since
from bot.limits import Limits
from bot.logs import configure_logs
from bot.messages import Platform, Thread
from bot.metrics import Metrics
from bot.offering import functions_for
from bot.places import Places
from bot.ports import Adapter, Store
from bot.privacy import Privacy
from bot.research import Research
from bot.responder import Responder
from bot.retrieval import AT_ONCE, recollect
from bot.watchdog import Watchdog
from storage.reading import open_reader
from storage.sqlite import open_store

T = TypeVar("T")
_TEXT_KEPT = frozenset({WEB})  # what is said there is kept nowhere else


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``clew`` and of ``python -m bot``."""
    given = read_arguments(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may know fewer letters than people write
    try:
        match given.command:
            case "check":
                print("\n".join(outlook(read_settings())))
            case "health":
                sys.exit(asyncio.run(_ask_health(read_settings())))
            case "thread":
                print("\n".join(asyncio.run(_read_thread(read_settings(), given.link))))
            case "usage":
                print("\n".join(asyncio.run(_read_usage(read_settings(), given.days))))
            case "slack manifest":
                try:
                    print(print_manifest(given.http))
                except ValueError as error:
                    given.parser.error(str(error))
            case "discord invite":
                print(asyncio.run(read_invite(given.client_id, read_settings().discord)))
            case _:
                run(read_settings())
    except StartError as error:
        _give_up(error)


@dataclass(frozen=True, slots=True)
class Bot:
    """A running bot, as far as the command line and the tests need to know it."""

    address: str  # of the page, or of health and metrics alone
    connected: Mapping[str, asyncio.Future[str]]  # each platform's line on what it is connected to, once it is


def _as_it_is(end: T) -> T:
    return end


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What is put around each end by which the bot holds the world; nothing, unless somebody composes it otherwise."""

    limits: Callable[[Limits], Limits] = _as_it_is
    store: Callable[[Store], Store] = _as_it_is
    model: Callable[[GeminiModel], GeminiModel] = _as_it_is
    slack: Callable[[SlackLine], SlackLine] = _as_it_is
    discord: Callable[[DiscordLine], DiscordLine] = _as_it_is


_NOTHING = Around()


@asynccontextmanager
async def open_bot(settings: Settings, *, around: Around = _NOTHING) -> AsyncIterator[Bot]:
    """Everything, wired: running while the block runs, drained and closed when it ends.

    Raises:
        StartError: it cannot run; the text is one sentence for the person at the terminal.
    """
    async with AsyncExitStack() as stack:
        metrics, adapters = Metrics(), dict[Platform, Adapter]()
        # Whoever is entered first is closed last: the platforms stop listening, the turns drain, the rest follows.
        store = around.store(await stack.enter_async_context(open_store(settings.database.url, keeps_text=_TEXT_KEPT)))
        model = around.model(await stack.enter_async_context(open_chosen_model(settings)))
        limits = around.limits(settings.limits)
        slack = discord = None
        if settings.slack.is_set:
            slack = around.slack(await stack.enter_async_context(open_slack(settings.slack)))
        if settings.discord.is_set:
            discord = around.discord(await stack.enter_async_context(open_discord(settings.discord)))
        cancelling = await stack.enter_async_context(
            open_cancelling(store=store.runs, model=model, limits=limits, metrics=metrics)
        )
        places = Places(settings.bot.concurrency, metrics=metrics)
        background = Background(
            model=model,
            store=store.runs,
            limits=limits,
            metrics=metrics,
            left=cancelling.wake,
            parked=places.parked,
        )
        responder = Responder(
            store=store,
            model=model,
            model_name=settings.gemini.model,
            image_model=settings.gemini.image_model,
            adapters=adapters,
            limits=limits,
            inline_limit=settings.bot.inline_mb * 1_000_000,
            intake=intake_for(
                settings.gemini.model,
                shelf=model.files,
                store=store,
                limits=limits,
                most=settings.bot.upload_mb * 1_000_000,
            ),
            condensing=Condensing(model=model, keeper=model, store=store.chains, limits=limits, metrics=metrics),
            background=background,
            research=Research(
                agent=settings.gemini.agent,
                daily=settings.bot.daily_research,
                store=store.runs,
                background=background,
                limits=limits,
                metrics=metrics,
            ),
            links=settings.bot.links,
            toolbox=settings.toolbox,
            functions=functions_for(settings, adapters),
            approvals=(approvals := Approvals(store.approvals, adapters, parked=places.parked)),
            policy=settings.policy,
            metrics=metrics,
        )
        dispatcher = await stack.enter_async_context(
            open_dispatcher(
                store=store,
                responder=responder,
                policy=settings.policy,
                metrics=metrics,
                catch_up=lambda thread: adapters[thread.platform].catch_up(thread),
                limits=limits,
                places=places,
                drain=settings.bot.drain_seconds,
            )
        )
        others: dict[Platform, Callable[[Thread], Awaitable[None]]] = {}
        forgetting = await stack.enter_async_context(
            open_forgetting(
                store=store.forgetting,
                model=model,
                shelf=model.files,
                adapters=adapters,
                others=others,
                stop=dispatcher.stop,
                metrics=metrics,
                keeps_text=_TEXT_KEPT,
                days=settings.bot.retention_days,
            )
        )
        inbox = Inbox(store, policy=settings.policy, wake=dispatcher.wake, metrics=metrics)
        commands = Commands(
            store,
            policy=settings.policy,
            stop=dispatcher.stop,
            see_out=dispatcher.see_out,
            wake=dispatcher.wake,
            forgetting=forgetting,
            privacy=Privacy(
                policy=settings.policy,
                tier=settings.gemini.tier,
                retention_days=settings.bot.retention_days,
                is_offline=settings.gemini.api_key is None,
                keeps_text=_TEXT_KEPT,
                toolbox=settings.toolbox,
                has_research=settings.gemini.agent is not None and settings.bot.daily_research > 0,
            ),
            insight=Insight(
                store=store, keeper=model, policy=settings.policy, is_offline=settings.gemini.api_key is None
            ),
            approvals=approvals,
        )
        platforms: dict[str, Served] = {}
        if slack is not None:
            adapters[SLACK] = platforms["slack"] = SlackAdapter(
                settings.slack, line=slack, store=store, inbox=inbox, commands=commands, metrics=metrics
            )
        if discord is not None:
            adapters[DISCORD] = platforms["discord"] = DiscordAdapter(
                settings.discord, line=discord, store=store, inbox=inbox, commands=commands, metrics=metrics
            )
        watchdog = Watchdog(metrics)
        troubles = {"loop": watchdog.trouble, "descriptors": descriptors.trouble}
        troubles |= {name: adapter.trouble for name, adapter in platforms.items()}
        health = Health(store, troubles=troubles, metrics=metrics)
        await stack.enter_async_context(watchdog.watching())
        await stack.enter_async_context(health.watching())
        web = WebAdapter(
            settings.web,
            store=store,
            inbox=inbox,
            commands=commands,
            files=beside(settings, ".files"),
            health=health,
            registry=metrics.registry,
            about=About(settings.gemini.model, settings.gemini.api_key is None, __version__),
            largest_file=settings.bot.upload_mb * 1_000_000,
        )
        adapters[WEB], others[WEB] = web, web.forgotten
        address = await stack.enter_async_context(web.serve())
        # Not before the port is ours: a start that fails has asked the model nothing.
        await dispatcher.take_up()
        await forgetting.take_up()
        cancelling.take_up()
        yield Bot(address, await stack.enter_async_context(connected(platforms)))


async def _serve(settings: Settings, around: Around) -> None:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    loop.set_exception_handler(descriptors.Shortage())

    def on_signal(number: signal.Signals) -> None:
        if stopping.is_set():
            os._exit(128 + number)  # asked twice: at once. What is stored is taken up by the next start.
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal, number)
    async with open_bot(settings, around=around) as bot:
        print("\n".join(outlook(settings, address=bot.address)), flush=True)
        for name, line in bot.connected.items():
            line.add_done_callback(partial(_tell_connected, name))
        await stopping.wait()
        print("Stopping: running answers get a moment to finish. Once more to leave at once.", flush=True)


def _tell_connected(name: str, line: asyncio.Future[str]) -> None:
    if not line.cancelled():
        print(f"  {name:<9} {line.result()}", flush=True)


def run(settings: Settings, *, around: Around = _NOTHING) -> None:
    """The bot, until a signal ends it; what cannot run is said on stderr, and ends the process with status 1."""
    configure_logs(settings.bot.log_format, settings.bot.log_level, secrets=settings.secrets)
    descriptors.ask_for_more()
    try:
        asyncio.run(_serve(settings, around))
    except StartError as error:
        _give_up(error)
    except BaseExceptionGroup as errors:  # what fails below a task group comes wrapped
        found = errors.subgroup(StartError)
        if found is None:
            raise
        _give_up(found)


def _give_up(error: BaseException) -> NoReturn:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    print(error, file=sys.stderr)
    sys.exit(1)


async def _read_thread(settings: Settings, link: str) -> Iterable[str]:
    """A thread for the terminal, from the database as it lies there and from Gemini. Raises StartError."""
    pointed = pointed_by(link, (slack_link, discord_link, page_link))
    async with open_reader(settings.database.url) as reader:
        thread = await reader.find(pointed)
        if thread is None:
            raise StartError("Clew knows of no such thread; nobody spoke to it there, or it was forgotten since.")
        async with open_chosen_model(settings, borrowed=True) as model:
            found, number = await recollect(thread, store=reader, keeper=model, room=asyncio.Semaphore(AT_ONCE))
    return plain_history(thread, found, number, is_private=settings.policy.is_private(thread))


async def _read_usage(settings: Settings, days: int) -> Iterable[str]:
    """What was used, for the terminal. Raises StartError."""
    async with open_reader(settings.database.url) as reader:
        spent = await reader.spent(since=since(time.time(), days))
    return plain_usage(spent, days=days, is_free=settings.gemini.api_key is None)


async def _ask_health(settings: Settings) -> int:
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask one that listens everywhere
    host = everywhere.get(settings.web.host, settings.web.host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.web.port}/healthz"
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session, session.get(url) as answer:
            print(await answer.text())
            return 0 if answer.status == 200 else 1
    except (aiohttp.ClientError, TimeoutError) as error:
        print(f"Nothing answers at {url} ({type(error).__name__}).", file=sys.stderr)
        return 1


if __name__ == "__main__":
    main()
