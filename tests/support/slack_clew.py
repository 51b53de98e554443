"""Clew on the loopback Slack: the whole core on a store in memory, a scripted model, the adapter and the real SDK."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import cast

from pydantic import SecretStr

from adapters.slack.adapter import Line, Rhythm, SlackAdapter, open_line
from adapters.slack.growing import Pace
from adapters.slack.manifest import SCOPES
from adapters.slack.places import SLACK, is_direct
from bot.attachments import ONLY_INLINE, Intake
from bot.commands import Commands
from bot.condensing import Condensing
from bot.dispatch import Dispatcher, open_dispatcher
from bot.errors import StoreUnavailable
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
from tests.support.equipped import AGENT, DAILY, equipped
from tests.support.forgetting import forgetting_on
from tests.support.scripted import ScriptedModel
from tests.support.slack import Clock, SlackServer

BRISK = Rhythm(ping=0.2, quiet=1.0, patience=1.0, pause=0.05, longest_pause=0.2, ack=1.0, token=0.2, catch_up=0.02)
SWIFT = Pace(first=0.05, append=0.1, edit=0.2, unseen=0.2, sign=0.1, doubt=0.2)
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
ALL_SCOPES = tuple(SCOPES)
"""What the stand-in has to be given, so that the start-up checks pass."""


@dataclass(frozen=True, kw_only=True)
class Set:
    """What `SLACK_*` say."""

    bot_token: SecretStr | None
    app_token: SecretStr | None = None
    signing_secret: SecretStr | None = None
    port: int = 0
    api_url: str
    file_hosts: frozenset[str] = frozenset({"127.0.0.1"})


def set_for(slack: SlackServer, *, http: bool = False) -> Set:
    """The settings for a stand-in."""
    return Set(
        bot_token=SecretStr(slack.bot_token),
        app_token=None if http else SecretStr(slack.app_token),
        signing_secret=SecretStr(SECRET) if http else None,
        api_url=slack.api_url,
    )


class Interposed:
    """A store of which some methods are exchanged."""

    def __init__(self, store: Store, **instead: Callable[..., Awaitable[object]]) -> None:
        self._store, self._instead = store, instead

    def __getattr__(self, name: str) -> object:
        return self._instead.get(name) or getattr(self._store, name)


def interposed(store: Store, **instead: Callable[..., Awaitable[object]]) -> Store:
    """*store* with some of its methods exchanged."""
    return cast("Store", Interposed(store, **instead))


def failing(store: Store, method: str, *, times: int) -> Store:
    """*store*, of which a method fails so many times and then does what it should."""
    left = times

    async def fail(*arguments: object, **named: object) -> object:
        nonlocal left
        if left:
            left -= 1
            raise StoreUnavailable("the disk is full")
        return await getattr(store, method)(*arguments, **named)

    return interposed(store, **{method: fail})


class _Listening(logging.Handler):
    def __init__(self, phrase: str) -> None:
        super().__init__()
        self.phrase, self.heard = phrase, asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == self.phrase:
            self.heard.set()


@asynccontextmanager
async def until_logged(phrase: str, *, by: str = "adapters.slack") -> AsyncIterator[None]:
    """Do something, and leave when a line of that phrase has been logged since.

    Args:
        by: the logger: the adapter's, or one of the core's.
    """
    handler, logger = _Listening(phrase), logging.getLogger(by)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
        async with asyncio.timeout(30):
            await handler.heard.wait()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@dataclass
class SlackClew:
    """The bot, and the ends a test holds it by."""

    slack: SlackServer
    store: Store
    model: ScriptedModel
    inbox: Inbox
    commands: Commands
    dispatcher: Dispatcher
    adapter: SlackAdapter
    metrics: Metrics
    line: str = ""  # what the start printed

    def thread(self, ts: str | None = None, *, channel: str = "general") -> Thread:
        """The key of a thread; of the top level when it is a direct message and has no ts."""
        found = self.slack.channel(channel) if not is_direct(channel) else channel
        return Thread(SLACK, self.slack.team_id, found, ts or found)


@asynccontextmanager
async def clew_on(
    slack: SlackServer,
    *,
    http: bool = False,
    settings: Set | None = None,
    policy: Policy | None = None,
    limits: Limits = PATIENT,
    model: ScriptedModel | None = None,
    url: str = "sqlite:///:memory:",
    rhythm: Rhythm = BRISK,
    pace: Pace = SWIFT,
    wrap: Callable[[Store], Store] = lambda store: store,
    wrap_all: Callable[[Store], Store] = lambda store: store,
    wrap_line: Callable[[Line], Line] = lambda line: line,
    drain: float = 2.0,
    inline_limit: int = 1_000_000,
    intake: Callable[[Store], Intake] = lambda store: ONLY_INLINE,
    functions: Functions | None = None,
    agent: str | None = AGENT,
    daily_research: int = DAILY,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Clock | None = None,
) -> AsyncIterator[SlackClew]:
    """Clew, running and connected. Leaving it shuts it down as a signal would.

    Args:
        http: events over HTTP instead of Socket Mode; the stand-in is told where.
        wrap: put around the store for everything that arrives, not for what answers.
        wrap_all: put around the store for everything.
        wrap_line: put around the SDK's client.
        agent: researches, as often as *daily_research* says in a day; without one there is no research.
        clock: what the bot tells the time by and waits on, instead of *now* and *sleep*: Slack's own, when that runs
            faster. Only where the bot bounds a wait for itself (`asyncio.timeout`) seconds stay real, and in the
            dispatcher, whose pauses are a few milliseconds here.
    """
    ticks: Callable[[], float] = time.monotonic if clock is None else clock.now
    if clock is not None:
        now, sleep = clock.now, clock.sleep
    async with AsyncExitStack() as stack:
        settings = settings or set_for(slack, http=http)
        opened = open_store(url, keeps_text=frozenset(), now=time.time if clock is None else clock.now)
        store = wrap_all(await stack.enter_async_context(opened))
        metrics, model, policy = Metrics(), model or ScriptedModel(), policy or Policy()
        line = wrap_line(await stack.enter_async_context(open_line(settings)))
        adapters: dict[Platform, Adapter] = {}
        places = Places(1000, metrics=metrics)
        equipment = await stack.enter_async_context(
            equipped(
                store,
                model,
                adapters,
                limits=limits,
                metrics=metrics,
                places=places,
                functions=functions,
                agent=agent,
                daily=daily_research,
                now=now,
                clock=ticks,
                sleep=sleep,
            )
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
            sleep=sleep,
            clock=ticks,
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
        forgetting = await stack.enter_async_context(
            forgetting_on(store, model, dispatcher, adapters, metrics, now=now)
        )
        heard = wrap(store)
        clew = SlackClew(
            slack=slack,
            store=store,
            model=model,
            inbox=Inbox(heard, policy=policy, wake=dispatcher.wake, metrics=metrics),
            commands=commands_on(
                heard,
                model,
                dispatcher,
                policy=policy,
                now=now,
                forgetting=forgetting,
                approvals=equipment["approvals"],
            ),
            dispatcher=dispatcher,
            adapter=None,  # type: ignore[arg-type]  # it needs the two above
            metrics=metrics,
        )
        clew.adapter = adapters[SLACK] = SlackAdapter(
            settings,
            line=line,
            store=heard,
            inbox=clew.inbox,
            commands=clew.commands,
            metrics=metrics,
            rhythm=rhythm,
            pace=pace,
            now=now,
            clock=ticks,
            sleep=sleep,
            http_host="127.0.0.1",
        )
        await dispatcher.take_up()
        await forgetting.take_up()
        clew.line = await stack.enter_async_context(clew.adapter.serve())
        yield clew
