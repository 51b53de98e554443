"""A bot that hears a loopback Slack and looks for what it missed there: a store, an inbox and no answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from adapters.slack.catchup import CatchUp
from adapters.slack.events import Commanded, Deleted, Edited, Posted, read_event
from bot.commands import Command
from bot.inbox import Inbox
from bot.messages import Thread
from bot.policy import Follow, Policy
from bot.ports import Store
from storage.sqlite import open_store
from tests.adapters.slack.desk import Desk, desk
from tests.support.slack import SlackServer, Twins
from tests.support.slack.deliveries import Delivery

_SECRET = "a-secret"


@dataclass
class Bot:
    """What hears Slack and catches up: a store, an inbox, and the way in that live events take as well."""

    at: Desk
    store: Store
    inbox: Inbox
    refuses: int = 0  # so many of the next messages cannot be kept
    heard: list[str] = field(default_factory=list)  # the ids that came in, in this order, the known ones as well
    commands: list[Command] = field(default_factory=list)
    woken: Callable[[Thread], None] = lambda thread: None  # told of threads in which something was stored

    def __post_init__(self) -> None:
        self._took = asyncio.Event()

    async def accept(self, body: Mapping[str, object]) -> bool:
        if self.refuses:
            self.refuses -= 1
            return False
        await self._take(body)
        self._took.set()
        return True

    async def _take(self, body: Mapping[str, object]) -> None:
        match read_event(body, self.at.me):
            case Posted(message):
                await self.inbox.receive(message)
                self.heard.append(message.id)
            case Commanded(command=command):
                self.commands.append(command)
            case Edited() | Deleted() | None:
                pass

    def catch_up(self, *, channels: Sequence[str] = (), **options: float) -> CatchUp:
        """Catching up that spends no time: where it would sleep, Slack's clock jumps ahead.

        Args:
            channels: the ids of those the bot is told to be in.
        """
        clock = self.at.slack.clock

        async def jump(seconds: float) -> None:
            clock.advance(seconds)
            await asyncio.sleep(0)

        return CatchUp(
            self.at.calls,
            self.store,
            self.at.me,
            self.accept,
            channels=channels,
            clock=clock.now,
            sleep=jump,
            **options,  # type: ignore[arg-type]  # numbers
        )

    async def hears(self, ts: str) -> None:
        """Wait until this message came in."""
        async with asyncio.timeout(40):
            while ts not in self.heard:
                self._took.clear()
                await self._took.wait()

    async def asked(self, thread: Thread) -> list[str]:
        """The texts that wait in a thread, or were answered there."""
        turns = await self.store.transcript(thread)
        return [message.text or "" for turn in turns for message in turn.messages]


@asynccontextmanager
async def bot_at(
    slack: SlackServer, *, follow: Follow = Follow.SMART, url: str = "sqlite:///:memory:"
) -> AsyncIterator[Bot]:
    """A bot that is down, until it is `hearing`."""
    async with desk(slack) as at, open_store(url, now=slack.clock.now) as store:
        slack.mute_events()  # nothing that happens reaches the bot, unless it is `hearing`

        def wake(thread: Thread) -> None:
            bot.woken(thread)

        bot = Bot(at, store, Inbox(store, policy=Policy(follow=follow), wake=wake, metrics=at.metrics))
        yield bot


@asynccontextmanager
async def hearing(bot: Bot) -> AsyncIterator[None]:
    """Let events reach the bot while the block runs. Around it the bot is down, and what is sent then is gone."""
    slack = bot.at.slack

    async def take(request: web.Request) -> web.Response:
        is_kept = await bot.accept(json.loads(await request.read()))
        return web.Response(status=200 if is_kept else 503)

    app = web.Application()
    app.router.add_post("/slack/events", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        slack.use_http(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events", _SECRET)
        slack.mute_events(False)
        yield
        await slack.delivered()
    finally:
        slack.mute_events()
        await runner.cleanup()


def reads(slack: SlackServer) -> list[tuple[str, float]]:
    """What was read again, and when."""
    return [(call.text("ts") or call.text("channel") or "", call.at) for call in slack.calls if "conv" in call.method]


async def held_up(slack: SlackServer, user: str, text: str, **said: object) -> tuple[str, Delivery]:
    """Somebody says something, and the event that tells of it comes when `slack.again` is called: late."""
    await slack.delivered()
    slack.faults.events.lose = 1
    ts = await slack.says(user, text, twins=Twins.ONLY_MESSAGE, **said)  # type: ignore[arg-type]  # of `says`
    await slack.delivered()
    return ts, slack.deliveries[-1]
