"""Whether this process does its work: the store commits, the event loop turns, the platforms are connected."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.errors import StoreError
from bot.ports import Store


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What was found, by name; ``ok`` or what is wrong."""

    ok: bool
    checks: dict[str, str]


class Health:
    """Asks everything that can fail.

    Args:
        platforms: each platform's own word on its connection: None when it is fine, else what is wrong.
        beat: seconds between two looks at the event loop.
        late: seconds the loop may be late before that counts as a fault.
        patience: seconds a commit may take.
    """

    def __init__(
        self,
        store: Store,
        *,
        platforms: Mapping[str, Callable[[], str | None]],
        beat: float = 1.0,
        late: float = 5.0,
        patience: float = 5.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._platforms = store, platforms
        self._beat, self._late, self._patience = beat, late, patience
        self._sleep, self._clock = sleep, clock
        self._worst_lag = 0.0

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Measure, while the block runs, how late the event loop is."""
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch())
            try:
                yield
            finally:
                watch.cancel()

    async def _watch(self) -> None:
        while True:
            before = self._clock()
            await self._sleep(self._beat)
            # Halved with every beat, so that a stall is seen by the next few reports and then forgotten.
            self._worst_lag = max(self._worst_lag / 2, self._clock() - before - self._beat)

    async def report(self) -> HealthReport:
        """Look at everything now."""
        checks = {"store": await self._store_check(), "loop": self._loop_check()}
        for name, trouble in self._platforms.items():
            checks[name] = trouble() or "ok"
        return HealthReport(all(found == "ok" for found in checks.values()), checks)

    async def _store_check(self) -> str:
        try:
            async with asyncio.timeout(self._patience):
                await self._store.check()
        except StoreError as error:
            return str(error)
        except TimeoutError:
            return f"no commit within {self._patience:g} s"
        return "ok"

    def _loop_check(self) -> str:
        return "ok" if self._worst_lag < self._late else f"the event loop was {self._worst_lag:.1f} s late"
