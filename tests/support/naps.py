"""A clock for one sleeper: time passes when the test says so, by as much as it says."""

import asyncio


class Naps:
    """`sleep` and `now` fit wherever something that runs by itself lets its own be passed in."""

    def __init__(self, now: float = 0.0) -> None:
        self._now = now
        self._over: asyncio.Queue[float] = asyncio.Queue()
        self._asleep = asyncio.Event()

    def now(self) -> float:
        return self._now

    async def sleep(self, _: float) -> None:
        self._asleep.set()
        seconds = await self._over.get()
        self._asleep.clear()
        self._now += seconds

    async def begun(self) -> None:
        """Wait until the sleeper has done its work and sleeps."""
        async with asyncio.timeout(30):
            await self._asleep.wait()

    async def over(self, seconds: float) -> None:
        """Let its nap have taken so long, and wait until it sleeps again."""
        await self.begun()
        self._asleep.clear()
        self._over.put_nowait(seconds)
        await self.begun()
