"""The command line, and the composition root: settings -> store -> Gemini -> core -> platforms -> run."""

import argparse
import asyncio
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn, Protocol

import aiohttp

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.adapter import open_line as open_discord
from adapters.discord.invite import read_invite
from adapters.discord.places import DISCORD
from adapters.slack.adapter import SlackAdapter
from adapters.slack.adapter import open_line as open_slack
from adapters.slack.manifest import print_manifest
from adapters.slack.places import SLACK
from adapters.web.adapter import WebAdapter
from adapters.web.events import WEB
from adapters.web.pages import About
from bot import __version__
from bot.commands import Commands
from bot.config import Settings, read_settings
from bot.dispatch import open_dispatcher
from bot.errors import StartError
from bot.gemini import open_model
from bot.health import Health
from bot.inbox import Inbox
from bot.logs import configure_logs
from bot.messages import Platform
from bot.metrics import Metrics
from bot.offline import offline_model
from bot.ports import Adapter, Model
from bot.responder import Responder
from storage.sqlite import open_store


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``clew`` and of ``python -m bot``."""
    parser = argparse.ArgumentParser(
        prog="clew", description="Gemini in Slack and Discord threads, keeping the place of every conversation."
    )
    parser.add_argument("--version", action="version", version=f"clew {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("run", help="start the bot (the default)")
    commands.add_parser("check", help="read the settings, say what would run, and change nothing")
    commands.add_parser("health", help="ask the running bot how it is; exit 0 when it is well")
    slack = commands.add_parser("slack", help="set Slack up").add_subparsers(dest="step", metavar="STEP", required=True)
    manifest = slack.add_parser("manifest", help="print the app's manifest, and a link that creates the app from it")
    manifest.add_argument("--http", metavar="URL", help="take events over HTTP at this address, not by Socket Mode")
    discord = commands.add_parser("discord", help="set Discord up")
    discord_steps = discord.add_subparsers(dest="step", metavar="STEP", required=True)
    invite = discord_steps.add_parser("invite", help="print the link that puts the bot into a server")
    invite.add_argument("--client-id", metavar="ID", help="the application's id; without it DISCORD_TOKEN is asked")
    given = parser.parse_args(arguments)
    match given.command:
        case "check":
            settings = _settings()
            print("\n".join(_outlook(settings)))
        case "health":
            sys.exit(asyncio.run(_ask_health(_settings())))
        case "slack":
            try:
                print(print_manifest(given.http))
            except ValueError as error:
                manifest.error(str(error))
        case "discord":
            try:
                print(asyncio.run(read_invite(given.client_id, _settings().discord)))
            except StartError as error:
                _give_up(error)
        case _:
            _run(_settings())


@dataclass(frozen=True, slots=True)
class Bot:
    """A running bot, as far as the command line and the tests need to know it."""

    address: str  # of the page, or of health and metrics alone
    connected: Mapping[str, asyncio.Future[str]]  # each platform's line on what it is connected to, once it is


class Served(Adapter, Protocol):
    """A platform that has to be connected to."""

    def trouble(self) -> str | None: ...
    def serve(self) -> AbstractAsyncContextManager[str]: ...


@asynccontextmanager
async def open_bot(settings: Settings) -> AsyncIterator[Bot]:
    """Everything, wired: running while the block runs, drained and closed when it ends.

    Raises:
        StartError: it cannot run; the text is one sentence for the person at the terminal.
    """
    async with AsyncExitStack() as stack:
        metrics, adapters = Metrics(), dict[Platform, Adapter]()
        # Whoever is entered first is closed last: the platforms stop listening, the turns drain, the rest follows.
        store = await stack.enter_async_context(open_store(settings.database.url, keeps_text=frozenset({WEB})))
        model = await stack.enter_async_context(_model(settings))
        slack = await stack.enter_async_context(open_slack(settings.slack)) if settings.slack.is_set else None
        discord = await stack.enter_async_context(open_discord(settings.discord)) if settings.discord.is_set else None
        responder = Responder(
            store=store,
            model=model,
            model_name=settings.gemini.model,
            adapters=adapters,
            limits=settings.limits,
            inline_limit=settings.bot.inline_mb * 1_000_000,
            policy=settings.policy,
            metrics=metrics,
        )
        dispatcher = await stack.enter_async_context(
            open_dispatcher(
                store=store,
                responder=responder,
                policy=settings.policy,
                metrics=metrics,
                concurrency=settings.bot.concurrency,
                drain=settings.bot.drain_seconds,
            )
        )
        inbox = Inbox(store, policy=settings.policy, wake=dispatcher.wake, metrics=metrics)
        commands = Commands(
            store, policy=settings.policy, stop=dispatcher.stop, see_out=dispatcher.see_out, wake=dispatcher.wake
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
        health = Health(store, platforms={name: adapter.trouble for name, adapter in platforms.items()})
        await stack.enter_async_context(health.watching())
        web = WebAdapter(
            settings.web,
            store=store,
            inbox=inbox,
            commands=commands,
            files=_beside(settings, ".files"),
            health=health,
            registry=metrics.registry,
            about=About(settings.gemini.model, settings.gemini.api_key is None, __version__),
        )
        adapters[WEB] = web
        address = await stack.enter_async_context(web.serve())
        # Not before the port is ours: a start that fails has asked the model nothing.
        await dispatcher.take_up()
        yield Bot(address, await stack.enter_async_context(_connected(platforms)))


@asynccontextmanager
async def _connected(platforms: Mapping[str, Served]) -> AsyncIterator[Mapping[str, asyncio.Future[str]]]:
    """Platforms being connected and kept so while the block runs. None waits for another, nor the page for any.

    Raises:
        StartError: one can never be connected as it is set.
    """
    lines: dict[str, asyncio.Future[str]] = {name: asyncio.get_running_loop().create_future() for name in platforms}
    ending = asyncio.Event()

    async def keep(name: str, adapter: Served) -> None:
        async with adapter.serve() as line:
            lines[name].set_result(line)
            await ending.wait()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(keep(name, adapter)) for name, adapter in platforms.items()]
        try:
            yield lines
        finally:
            ending.set()
            for task, line in zip(tasks, lines.values(), strict=True):
                if not line.done():  # still waiting for its platform
                    task.cancel()


@asynccontextmanager
async def _model(settings: Settings) -> AsyncIterator[Model]:
    """Gemini, or without a key the offline model, spoken to in the same way."""
    async with AsyncExitStack() as stack:
        gemini = settings.gemini
        if gemini.api_key is not None:
            key, url = gemini.api_key.get_secret_value(), gemini.base_url
        else:
            key = secrets.token_hex()  # nobody else on this machine has any business with it
            record = _beside(settings, ".offline.jsonl")
            url = (await stack.enter_async_context(offline_model(record=record, key=key, requests_kept=0))).url
        yield await stack.enter_async_context(
            open_model(
                api_key=key,
                model=gemini.model,
                base_url=url,
                api_version=gemini.api_version,
                concurrency=settings.bot.concurrency,
                system_instruction=settings.bot.system_prompt,
            )
        )


def _beside(settings: Settings, suffix: str) -> Path:
    path = settings.database.path
    return path.with_name(path.name + suffix)  # the whole name: two databases side by side share nothing


async def _serve(settings: Settings) -> None:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()

    def on_signal(number: signal.Signals) -> None:
        if stopping.is_set():
            os._exit(128 + number)  # asked twice: at once. What is stored is taken up by the next start.
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal, number)
    async with open_bot(settings) as bot:
        print("\n".join(_outlook(settings, address=bot.address)), flush=True)
        for name, line in bot.connected.items():
            line.add_done_callback(partial(_tell_connected, name))
        await stopping.wait()
        print("Stopping: running answers get a moment to finish. Once more to leave at once.", flush=True)


def _tell_connected(name: str, line: asyncio.Future[str]) -> None:
    if not line.cancelled():
        print(f"  {name:<9} {line.result()}", flush=True)


def _run(settings: Settings) -> None:
    configure_logs(settings.bot.log_format, settings.bot.log_level, secrets=settings.secrets)
    try:
        asyncio.run(_serve(settings))
    except StartError as error:
        _give_up(error)
    except BaseExceptionGroup as errors:  # what fails below a task group comes wrapped
        found = errors.subgroup(StartError)
        if found is None:
            raise
        _give_up(found)


def _settings() -> Settings:
    try:
        return read_settings()
    except StartError as error:
        _give_up(error)


def _give_up(error: BaseException) -> NoReturn:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    print(error, file=sys.stderr)
    sys.exit(1)


def _outlook(settings: Settings, *, address: str | None = None) -> list[str]:
    """What runs, what does not, and which variable would change that.

    Args:
        address: of the page; None when nothing has been started.
    """
    web, gemini = settings.web, settings.gemini
    page = address or f"http://{web.host}:{web.port or '(any free port)'}"
    connects = "set up" if address is None else "connecting"
    caps = [name for name in ("daily_turns_per_person", "daily_turns") if getattr(settings.bot, name)]
    return [
        f"Clew {__version__}",
        f"  page      {page}" if web.enabled else "  page      off; WEB_ENABLED=true turns it on",
        f"  model     {gemini.model} at Gemini"
        if gemini.api_key
        else "  model     the built-in offline model; GEMINI_API_KEY turns Gemini on",
        f"  database  {settings.database.path}",
        f"  Slack     {connects}"
        if settings.slack.is_set
        else "  Slack     off; SLACK_BOT_TOKEN and SLACK_APP_TOKEN turn it on, and docs/slack.md says how",
        f"  Discord   {connects}"
        if settings.discord.is_set
        else "  Discord   off; DISCORD_TOKEN turns it on, and docs/discord.md says how",
        *([] if caps else ["  no daily cap: CLEW_DAILY_TURNS and CLEW_DAILY_TURNS_PER_PERSON set one"]),
    ]


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
