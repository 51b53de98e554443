"""What a responder has beside its questions and answers, as the composition root wires it: research, and functions."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypedDict

from bot.approvals import Approvals
from bot.background import Background
from bot.cancelling import open_cancelling
from bot.function_runs import Functions
from bot.limits import Limits
from bot.messages import Platform
from bot.metrics import Metrics
from bot.places import Places
from bot.ports import Adapter, Store
from bot.research import Research
from tests.support.scripted import ScriptedModel

AGENT = "researcher"
DAILY = 5  # researches


class Equipment(TypedDict):
    """What `Responder` takes of it."""

    background: Background
    research: Research
    functions: Functions
    approvals: Approvals


@asynccontextmanager
async def equipped(
    store: Store,
    model: ScriptedModel,
    adapters: Mapping[Platform, Adapter],
    *,
    limits: Limits,
    metrics: Metrics,
    places: Places,
    functions: Functions | None = None,
    agent: str | None = AGENT,
    daily: int = DAILY,
    now: Callable[[], float] = time.time,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Equipment]:
    """All of it; what an earlier process left running at Gemini is seen to."""
    async with open_cancelling(
        store=store.runs, model=model, limits=limits, metrics=metrics, pause=0.01, clock=clock, sleep=sleep
    ) as cancelling:
        background = Background(
            model=model,
            store=store.runs,
            limits=limits,
            metrics=metrics,
            left=cancelling.wake,
            sleep=sleep,
            clock=clock,
            now=now,
            parked=places.parked,
        )
        research = Research(
            agent=agent,
            daily=daily,
            store=store.runs,
            background=background,
            limits=limits,
            metrics=metrics,
            sleep=sleep,
        )
        cancelling.take_up()
        yield Equipment(
            background=background,
            research=research,
            functions=functions or Functions(),
            approvals=Approvals(store.approvals, adapters, parked=places.parked, now=now),
        )
