"""The three platforms and Gemini, loopback and all at once, and the one process of Clew whose lives they outlast."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from adapters.slack.manifest import HTTP_PATH, SCOPES
from bot.offline import Faults, OfflineModel, offline_model
from bot.tools import BUILT_IN
from tests.chaos.clew import HURRIED, SPEED
from tests.chaos.functions import MODULE
from tests.chaos.gemini import Gemini
from tests.chaos.history import End, Life
from tests.chaos.researches import REST, cap_of
from tests.chaos.researches import settings as research_settings
from tests.support.discord import DiscordServer, discord_server
from tests.support.discord import Limits as DiscordLimits
from tests.support.discord import Variants as DiscordVariants
from tests.support.people.discord import DiscordPeople
from tests.support.people.slack import SlackPeople
from tests.support.process import environment, free_port
from tests.support.slack import Delivery, Install, SlackServer, slack_server
from tests.support.slack import Limits as SlackLimits
from tests.support.slack import Variants as SlackVariants

ROOT = Path(__file__).parents[2]
STARTS_WITHIN = 120.0  # seconds
SLACK_RETRIES = (0.0, 1.0, 3.0)  # seconds; Slack's are at once, after one minute and after five
LONGER_THAN_RETRIES = 5.0  # seconds
PRIVATE = "channel-0x"  # of Slack and of Discord: of what is said there Gemini keeps nothing
EVERY_HTTP = 4  # one seed in so many has Slack tell its events over HTTP
SIGNED_WITH = "8f742231b10e8888abcd99yyyzzz85a5"
HEARTBEAT, RESUMABLE = 3.0, 6.0  # seconds; Discord's are some 41 and reported to be 60
# Nobody is started so often as a bot here, and each start asks for a socket: ten times what Slack's tier grants.
SLACK_LIMITS = SlackLimits(speed=SPEED, per_minute={"apps.connections.open": 10})
DISCORD_LIMITS = DiscordLimits(
    create=(5, 5.0 / SPEED),
    edit=(5, 5.0 / SPEED),
    command_writes=(5, 20.0 / SPEED),
    everything=(50, 1.0 / SPEED),
    old_edits=(3, 20.0 / SPEED),
)


@dataclass
class World:
    """Where everything happens. Times are seconds since it began."""

    folder: Path
    gemini: Gemini
    model: OfflineModel
    slack: SlackServer
    discord: DiscordServer
    bug: str | None = None
    most_research: int = 0
    lives: list[Life] = field(default_factory=list)
    disturbances: list[float] = field(default_factory=list)  # of Discord's gateway
    handed_over: dict[str, float] = field(default_factory=dict)  # as it was noted: by a message's ts in Slack
    port: int = field(default_factory=free_port)
    slack_port: int | None = None  # of the bot's, where Slack tells its events over HTTP
    newest: int = 0  # where in the log the newest life begins

    @property
    def now(self) -> float:
        return time.time() - self.gemini.began

    def at(self, moment: float) -> float:
        """A moment in seconds since 1970 in the world's time."""
        return moment - self.gemini.began

    @property
    def private(self) -> Sequence[str]:
        """The ids of the channels of which Gemini keeps nothing."""
        return [self.slack.channel(PRIVATE), self.discord.channel(PRIVATE)]

    @property
    def is_another_day(self) -> bool:
        """Whether the day (UTC) is not the one that it began in."""
        return int(time.time() // 86_400) != int(self.gemini.began // 86_400)

    @property
    def address(self) -> str:
        """Of the page, in every life."""
        return f"http://127.0.0.1:{self.port}"

    def note_handed_over(self) -> None:
        """Note when the first event of each message was taken by the bot; not of messages of which one was lost."""
        lost = {delivery.ts for delivery in self.slack.deliveries if _came_amiss(delivery)}
        self.handed_over.clear()
        for delivery in self.slack.deliveries:
            if delivery.ts is not None and delivery.ts not in lost and delivery.is_acknowledged:
                at = delivery.attempts[-1].at
                self.handed_over[delivery.ts] = min(at, self.handed_over.get(delivery.ts, at))

    @asynccontextmanager
    async def life(self) -> AsyncIterator["Clew"]:
        """One life of the bot, from its very beginning; what still lives when the block ends is killed."""
        settings = {"GEMINI_API_KEY": "test-key", "GEMINI_BASE_URL": self.model.url, "WEB_PORT": str(self.port)}
        settings |= SlackPeople(self.slack).settings | DiscordPeople(self.discord).settings | HURRIED
        settings |= {"PYTHONPATH": str(ROOT), "CLEW_PRIVATE_CHANNELS": ",".join(self.private)}
        settings |= {"CLEW_TOOLS": ",".join(BUILT_IN), "CLEW_FUNCTIONS": MODULE}
        settings |= research_settings(self.most_research)
        if self.slack_port is not None:
            del settings["SLACK_APP_TOKEN"]
            settings |= {"SLACK_SIGNING_SECRET": SIGNED_WITH, "SLACK_PORT": str(self.slack_port)}
        began = self.now
        with (self.folder / "log").open("ab") as log:
            self.newest = log.tell()
            log.write(f"--- a life begins at {began:.1f}\n".encode())
            log.flush()
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.chaos.clew",
                *(("--bug", self.bug) if self.bug else ()),
                cwd=self.folder,
                env=environment(self.folder, settings),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is meant for the machine
            )
        clew = Clew(process)
        listening = asyncio.ensure_future(clew.listen())
        try:
            yield clew
        finally:
            clew.kill()
            await process.wait()
            await listening
            self.lives.append(Life(began, self.now, clew.end))

    def harm(self) -> list[str]:
        """Whom the bot notified, and what it made a platform fetch."""
        return [*SlackPeople(self.slack).harm(), *DiscordPeople(self.discord).harm()]

    def has_caught_up(self) -> bool:
        """Whether the newest life has looked for all that was said while nobody listened."""
        with (self.folder / "log").open("rb") as log:
            log.seek(self.newest)
            said = log.read()
        return all(f"adapters.{name}.catchup: caught up".encode() in said for name in ("slack", "discord"))

    def log(self) -> Sequence[str]:
        return (self.folder / "log").read_text(errors="replace").splitlines()


class Clew:
    """A started process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._said: list[str] = []
        self._news = asyncio.Condition()
        self.end = End.CRASHED

    async def listen(self) -> None:
        """Take in what it prints, until it ends."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            async with self._news:
                self._said.append(line.decode())
                self._news.notify_all()
        async with self._news:
            self._said.append("")
            self._news.notify_all()

    @property
    def has_ended(self) -> bool:
        return self._process.returncode is not None

    async def is_served(self) -> None:
        """Wait until its page is up, or it has ended."""
        await self._printed("page ")

    async def hears(self) -> None:
        """Wait until it hears both platforms, or it has ended."""
        await self._printed("over ")  # Socket Mode, or HTTP
        await self._printed("at the gateway")

    async def _printed(self, words: str) -> None:
        async with asyncio.timeout(STARTS_WITHIN), self._news:
            await self._news.wait_for(lambda: any(words in line or not line for line in self._said))

    def kill(self) -> None:
        """SIGKILL: no last words. Nothing happens when it has ended."""
        self._signal(signal.SIGKILL, End.KILLED)

    async def stop(self) -> None:
        """SIGTERM, and wait for its end."""
        self._signal(signal.SIGTERM, End.STOPPED)
        with suppress(TimeoutError):
            async with asyncio.timeout(STARTS_WITHIN):
                await self._process.wait()

    def _signal(self, number: signal.Signals, end: End) -> None:
        if self._process.returncode is None:
            self.end = end if self.end is End.CRASHED else self.end
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)


def _came_amiss(delivery: Delivery) -> bool:
    """Whether an event was lost, or one of a change did not come through at once: it tells of its message no more."""
    is_change = delivery.name.endswith(("message_changed", "message_deleted"))
    return delivery.outcome == "lost" or (is_change and (delivery.retries > 0 or not delivery.is_acknowledged))


@asynccontextmanager
async def open_world(folder: Path, *, seed: int, bug: str | None = None) -> AsyncIterator[World]:
    """All of it but the bot. What the bot keeps, and its log, lies in *folder*."""
    gemini = Gemini()
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(
            slack_server(
                install=Install(scopes=frozenset(SCOPES)),
                variants=SlackVariants(retries=SLACK_RETRIES),
                limits=SLACK_LIMITS,
                seed=seed,
            )
        )
        discord = await stack.enter_async_context(
            discord_server(
                variants=DiscordVariants(heartbeat_interval=HEARTBEAT, resumable_for=RESUMABLE, buffer=3500),
                limits=DISCORD_LIMITS,
                seed=seed,
            )
        )
        model = await stack.enter_async_context(
            offline_model(
                faults=Faults(),
                pace=0.004,
                requests_kept=1_000_000,
                brain=gemini.brain,
                acting=gemini.acts,
                researcher=gemini.researcher,
                research_rest=REST,
                cancel_lag=seed % 3,
                new_id=gemini.new_id,
            )
        )
        world = World(folder, gemini, model, slack, discord, bug, cap_of(seed))
        if seed % EVERY_HTTP == 0:
            world.slack_port = free_port()
            slack.use_http(f"http://127.0.0.1:{world.slack_port}{HTTP_PATH}", SIGNED_WITH)
        yield world
