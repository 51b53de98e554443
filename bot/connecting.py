"""Platforms that have to be connected to, and are kept so, each on its own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from bot.ports import Adapter


class Served(Adapter, Protocol):
    """A platform that has to be connected to."""

    def trouble(self) -> str | None: ...
    def serve(self) -> AbstractAsyncContextManager[str]: ...


@asynccontextmanager
async def connected(platforms: Mapping[str, Served]) -> AsyncIterator[Mapping[str, asyncio.Future[str]]]:
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
