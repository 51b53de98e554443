"""The real client at the loopback Slack, and what stands around it, for tests of single modules."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.budget import Budget
from adapters.slack.calls import Calls
from adapters.slack.people import People
from adapters.slack.places import SLACK
from adapters.slack.workspace import Workspace
from bot.messages import Thread
from bot.metrics import Metrics
from tests.support.slack import SlackServer


@dataclass(frozen=True)
class Desk:
    """Calls and people in Slack's time."""

    slack: SlackServer
    calls: Calls
    session: aiohttp.ClientSession
    me: Workspace
    people: People
    metrics: Metrics

    def thread(self, channel: str = "general", ts: str | None = None) -> Thread:
        """A thread of a channel; without a ts the top level of a direct message."""
        channel_id = channel if channel[:2] in {"C0", "D0"} else self.slack.channel(channel)
        return Thread(SLACK, self.me.installation_id, channel_id, ts or channel_id)


@asynccontextmanager
async def desk(slack: SlackServer, *, age: float = 3600.0, most: int = 100) -> AsyncIterator[Desk]:
    """A desk in front of *slack*.

    Args:
        age: seconds that people are remembered.
        most: people that are.
    """
    clock, metrics = slack.clock, Metrics()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, session=session, retry_handlers=[])
        budget = Budget(clock=clock.now, sleep=clock.sleep)
        calls = Calls(client, budget, clock=clock.now, sleep=clock.sleep, metrics=metrics)
        me = Workspace(slack.team_id, slack.team_id, slack.bot_user_id, slack.bot_id, slack.app_id, slack.url)
        people = People(calls, me, clock=clock.now, age=age, most=most)
        yield Desk(slack, calls, session, me, people, metrics)
