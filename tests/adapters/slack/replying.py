"""A reply, held by both ends: the draft it shows, and the loopback Slack it shows it in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.budget import Budget
from adapters.slack.calls import Calls
from adapters.slack.growing import Pace
from adapters.slack.people import People
from adapters.slack.places import SLACK, thread_of
from adapters.slack.reply import SlackReply, open_reply
from adapters.slack.uploads import Uploader
from adapters.slack.workspace import Workspace
from bot.answers import Draft, TextPiece
from bot.messages import InteractionId, Message, MessageId, Person, PersonId, Standing, Turn
from bot.metrics import Metrics
from bot.ports import Store
from storage.sqlite import open_store
from tests.support.slack import Clock, Limits, Shown, SlackServer, Variants, slack_server

SPEED = 10.0  # Slack's seconds in one real second
TIMEOUT = 1.0  # real seconds of one request

__all__ = ["SLACK", "SPEED", "Desk", "Grown", "calls_to", "desk", "workspace_of"]


def workspace_of(slack: SlackServer) -> Workspace:
    return Workspace(slack.team_id, slack.team_id, slack.bot_user_id, slack.bot_id, slack.app_id, slack.url)


@asynccontextmanager
async def calls_to(
    slack: SlackServer, *, patience: float = TIMEOUT, metrics: Metrics | None = None
) -> AsyncIterator[Calls]:
    """The Web API of a loopback Slack, by its clock."""
    limits = aiohttp.ClientTimeout(total=patience)
    async with aiohttp.ClientSession(timeout=limits) as session:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, session=session, retry_handlers=[])
        budget = Budget(clock=slack.clock.now, sleep=slack.clock.sleep)
        yield Calls(client, budget, sleep=slack.clock.sleep, clock=slack.clock.now, metrics=metrics or Metrics())


@dataclass
class Grown:
    """A reply that is open."""

    turn: Turn
    draft: Draft
    reply: SlackReply

    def says(self, text: str) -> None:
        """The model says more."""
        self.draft.add(TextPiece(text))
        self.reply.changed()

    def waits(self, waits: bool) -> None:
        """A person is waited for, or not any more."""
        self.draft.waits = waits
        self.reply.changed()


@dataclass
class Desk:
    """Everything a reply needs; leaving it and entering another on the same store is a restart."""

    slack: SlackServer
    calls: Calls
    store: Store
    me: Workspace
    uploader: Uploader
    people: People
    pace: Pace = field(default_factory=Pace)
    stopped: list[Turn] = field(default_factory=list)
    was_stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def asked(
        self,
        text: str = "tell me",
        *,
        channel: str = "general",
        by: str = "ada",
        standing: Standing | None = None,
        thread_ts: str | None = None,
    ) -> Turn:
        """Somebody asked, and the turn was taken."""
        ts = await self.slack.says(by, text, channel=channel, thread_ts=thread_ts)
        return await self.taken(ts, text, channel=channel, by=by, standing=standing, thread_ts=thread_ts)

    async def taken(
        self,
        ts: str,
        text: str = "tell me",
        *,
        channel: str = "general",
        by: str = "ada",
        standing: Standing | None = None,
        thread_ts: str | None = None,
    ) -> Turn:
        place = self.slack.find(ts, channel).channel
        thread = thread_of(self.me.installation_id, place, ts, thread_ts)
        author = Person(PersonId(self.slack.person(by)), standing=standing)
        await self.store.add(Message(thread, MessageId(ts), author, text, float(ts)))
        claim = await self.store.claim(thread)
        assert claim is not None
        return claim.turn

    async def begun(self, turn: Turn) -> Turn:
        """The model has taken the turn's question in."""
        await self.store.created(turn, InteractionId("i-1"))
        return await self.again(turn)

    async def again(self, turn: Turn) -> Turn:
        """The turn as it is taken up once more."""
        found = await self.store.turn(turn)
        assert found is not None
        return found

    def open(
        self, turn: Turn, draft: Draft, *, pace: Pace | None = None, clock: Callable[[], float] | None = None
    ) -> AbstractAsyncContextManager[SlackReply]:
        return open_reply(
            turn,
            draft,
            calls=self.calls,
            store=self.store,
            me=self.me,
            files=self.uploader,
            team_of=self.people.team,
            on_stop=self._stop,
            clock=clock or self.slack.clock.now,
            sleep=self.slack.clock.sleep,
            pace=pace or self.pace,
        )

    @asynccontextmanager
    async def answering(
        self, turn: Turn, *, pace: Pace | None = None, clock: Callable[[], float] | None = None
    ) -> AsyncIterator[Grown]:
        """The turn's reply."""
        draft = Draft()
        async with self.open(turn, draft, pace=pace, clock=clock) as reply:
            yield Grown(turn, draft, reply)

    def replies(self, turn: Turn, channel: str = "general") -> list[Shown]:
        """What the bot's messages show in the turn's thread."""
        return self.slack.replies(channel, _thread_ts(turn))

    async def shown(self, turn: Turn, text: str, channel: str = "general") -> Shown:
        """Wait until one message in the thread holds this text."""

        def look() -> Shown | None:
            return next((shown for shown in self.replies(turn, channel) if text in shown.text), None)

        return await self.slack.until(look)

    async def _stop(self, turn: Turn) -> None:
        self.stopped.append(turn)
        self.was_stopped.set()


def _thread_ts(turn: Turn) -> str | None:
    return None if turn.thread.thread_id == turn.thread.channel_id else turn.thread.thread_id


@asynccontextmanager
async def at_desk(slack: SlackServer, store: Store) -> AsyncIterator[Desk]:
    """What one process has: calls, a budget, memory. The store and Slack outlive it."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    async with calls_to(slack) as calls, aiohttp.ClientSession(timeout=timeout) as session:
        me = workspace_of(slack)
        uploader = Uploader(calls, session, me, sleep=slack.clock.sleep)
        yield Desk(slack, calls, store, me, uploader, People(calls, me, clock=slack.clock.now))


@asynccontextmanager
async def desk(
    *, speed: float = SPEED, limits: bool | Limits = False, variants: Variants | None = None
) -> AsyncIterator[Desk]:
    clock = Clock(speed=speed)
    async with (
        open_store("sqlite:///:memory:", now=clock.now) as store,
        slack_server(clock=clock, limits=limits, variants=variants) as slack,
        at_desk(slack, store) as place,
    ):
        yield place
