"""Waiting for whatever comes first, time passing or something happening; and work that goes on beside other work."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager


async def pause(
    seconds: float, *events: asyncio.Event | None, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Wait until the time is over or one of the events is set. An infinite time is never over."""
    happenings = [event for event in events if event is not None]
    if seconds <= 0 or any(event.is_set() for event in happenings):
        await asyncio.sleep(0)
        return
    waits: list[asyncio.Future[bool]] = [asyncio.ensure_future(event.wait()) for event in happenings]
    if seconds < math.inf:
        waits.append(asyncio.ensure_future(_slept(seconds, sleep)))
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def _slept(seconds: float, sleep: Callable[[float], Awaitable[None]]) -> bool:
    await sleep(seconds)
    return True


@asynccontextmanager
async def beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Let endless work go on while the block runs."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        try:
            yield
        finally:
            task.cancel()
