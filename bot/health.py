"""Whether this process does its work: the store commits, the event loop turns, the platforms are connected."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from bot.errors import StoreError
from bot.metrics import Metrics
from bot.ports import Store
from bot.waiting import beside

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What was found, by name; ``ok`` or what is wrong."""

    ok: bool
    checks: dict[str, str]


class Health:
    """Asks everything that can fail.

    Args:
        troubles: each part's own word on itself: None when it is fine, else what is wrong.
        patience: seconds a commit may take; less than anybody who asks for a report would wait.
        look: seconds between two looks that are taken though nobody asks, so that log and metrics tell it too.
    """

    def __init__(
        self,
        store: Store,
        *,
        troubles: Mapping[str, Callable[[], str | None]],
        metrics: Metrics,
        patience: float = 3.0,
        look: float = 60.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store, self._troubles, self._metrics = store, troubles, metrics
        self._patience, self._look, self._sleep = patience, look, sleep
        self._found: dict[str, str] = {}

    def watching(self) -> AbstractAsyncContextManager[None]:
        """Look at everything from time to time, while the block runs."""
        return beside(self._watch())

    async def _watch(self) -> None:
        while True:
            await self.report()
            await self._sleep(self._look)

    async def report(self) -> HealthReport:
        """Look at everything now."""
        checks = {"store": await self._store_check()}
        for name, trouble in self._troubles.items():
            checks[name] = trouble() or "ok"
        for name, found in checks.items():
            self._note(name, found)
        return HealthReport(all(found == "ok" for found in checks.values()), checks)

    def _note(self, name: str, found: str) -> None:
        """Tell the metric what was found, and the log when that has changed."""
        before, self._found[name] = self._found.get(name, "ok"), found
        self._metrics.healthy.labels(name).set(found == "ok")
        if found == "ok" and before != "ok":
            logger.info("healthy again", extra={"check": name})
        elif found != "ok" and before == "ok":
            logger.error("not healthy", extra={"check": name, "reason": found})

    async def _store_check(self) -> str:
        try:
            async with asyncio.timeout(self._patience):
                await self._store.check()
        except StoreError as error:
            return str(error)
        except TimeoutError:
            return f"no commit within {self._patience:g} s: another program locks the database, or the disk hangs"
        return "ok"
