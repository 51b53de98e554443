"""One life of the bot in a process that outlives it: it can be killed, and one can wait until it has nothing to do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from bot.ports import Adapter, Store
from tests.support.reaper import Reaper, When
from tests.support.slack_clew import interposed

DRAIN = 2.0  # seconds that the bot's last doings may take when it is shut down


class Running(Protocol):
    """A bot as the loopback servers of the platforms start it."""

    @property
    def store(self) -> Store: ...

    @property
    def adapter(self) -> Adapter: ...


class Life:
    """One run of the bot. What it is started with has to be wrapped: by `over_store`, and for its `reaper`."""

    store: Store
    adapter: Adapter

    def __init__(self) -> None:
        self.reaper = Reaper(0, When.BEFORE)
        self._turn_ended = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def over_store(self, store: Store) -> Store:
        reaped = self.reaper.over_store(store)
        ends = ("answered", "failed", "stopped")
        return interposed(reaped, **{name: self._telling(getattr(reaped, name)) for name in ends})

    def _telling(self, end: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def told(*arguments: object, **named: object) -> object:
            ended = await end(*arguments, **named)
            self._turn_ended.set()
            return ended

        return told

    async def idle(self) -> None:
        async with asyncio.timeout(40):
            while await self.store.running() or await self.store.waiting():
                await self._turn_ended.wait()
                self._turn_ended.clear()

    def kill(self) -> None:
        self.reaper.struck.set()
        if self._task is not None:
            self._task.cancel()

    @asynccontextmanager
    async def lived(self, running: AbstractAsyncContextManager[Running]) -> AsyncIterator["Life"]:
        """Run the bot in a task of its own while the block runs, unless it is killed before.

        Not in a task group, which would wrap a failed assertion of the block in a group of exceptions.
        """
        born, is_over = asyncio.Event(), asyncio.Event()

        async def live() -> None:
            try:
                async with running as bot:
                    self.store, self.adapter = bot.store, bot.adapter
                    born.set()
                    await is_over.wait()
            finally:
                born.set()  # it may have failed to start

        self._task = task = asyncio.create_task(live())
        try:
            await born.wait()
            if task.done():
                task.result()
            yield self
        finally:
            is_over.set()
            await asyncio.wait({task})
            if not task.cancelled():
                task.result()
