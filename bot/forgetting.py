"""Threads forgotten: everything of them removed at Gemini and here, when somebody asks or after a time."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from bot.confirmations import report_of
from bot.errors import (
    FileLost,
    InteractionLost,
    KeyRejected,
    ModelError,
    ModelRefused,
    PlatformAway,
    PlatformError,
    StoreError,
)
from bot.messages import MessageId, Platform, Thread
from bot.metrics import Metrics
from bot.ports import Adapter, ForgettingStore, Forgotten, Model, Undeleted
from bot.reports import BEGUN, BEGUN_BEFORE, report_on

logger = logging.getLogger(__name__)

DAY, HOUR = 86_400.0, 3_600.0  # seconds
_AT_ONCE = 50  # threads forgotten at the same time because of their age
_MOST_CALLS = 4  # to Gemini at the same time: nobody waits for these, and people wait for others
_FIRST = 60.0  # seconds that a report waits for the answer to its command, above which it would make no sense
_LATEST = 7 * DAY  # seconds after which a report that could not be given is given up
T = TypeVar("T", bound=str)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long deletions and reports are tried, in seconds."""

    call: float = 30.0  # that one deletion may take
    tries: int = 20  # failures in a row before Gemini counts as away
    pause: float = 1.0  # before the next try; doubles
    longest_pause: float = 300.0
    look: float = 1.0  # between two looks at a turn that is coming to its end


class Shelf(Protocol):
    """Where Gemini keeps files, as far as they are to be deleted; see `FileShelf`."""

    async def delete_file(self, name: str) -> None: ...


class _Refusals:
    """How long Gemini has refused deletions in a row."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.end()

    def end(self) -> None:
        """It did what it was asked."""
        self._left, self._pause = self._patience.tries, self._patience.pause

    def pause(self, wished: float | None) -> float | None:
        """Seconds until it is asked again, as long as it wishes within reason; None when that was tried enough."""
        self._left -= 1
        if self._left <= 0:
            return None  # and from now on every one is tried once
        pause, self._pause = self._pause, min(2 * self._pause, self._patience.longest_pause)
        return min(max(pause, wished or 0.0), self._patience.longest_pause)


class Forgetting:
    """Forgets threads, each in a task of its own, from what the store says is still to be done.

    Args:
        shelf: where files are deleted.
        adapters: filled before the first thread is forgotten; they give the reports.
        others: what else keeps something of a thread, by its platform; called when the store has erased it.
        stop: ends a thread's running turn.
        keeps_text: the platforms on which nothing stands once it is erased here.
        days: after which a thread in which nothing happened is forgotten; None for never.
        now: seconds since the epoch.
        clock: seconds that pass, whatever becomes of the date.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        *,
        store: ForgettingStore,
        model: Model,
        shelf: Shelf,
        adapters: Mapping[Platform, Adapter],
        others: Mapping[Platform, Callable[[Thread], Awaitable[None]]],
        stop: Callable[[Thread], Awaitable[None]],
        metrics: Metrics,
        keeps_text: frozenset[Platform],
        days: int | None,
        patience: Patience,
        now: Callable[[], float],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._group, self._store, self._model, self._shelf = group, store, model, shelf
        self._adapters, self._others, self._stop = adapters, others, stop
        self._metrics, self._keeps_text, self._days, self._patience = metrics, keeps_text, days, patience
        self._now, self._clock, self._sleep = now, clock, sleep
        self._calls = asyncio.Semaphore(_MOST_CALLS)
        self._busy: dict[Thread, bool] = {}  # whether it was told to be forgotten since its task looked last
        self._old: set[Thread] = set()  # those of them that are forgotten because of their age
        self._tasks: set[asyncio.Task[None]] = set()

    async def forget(self, thread: Thread, by: MessageId) -> str:
        """Begin to forget a thread, once for each message *by*, and return at once what to say about it. Markdown.

        The report of what was deleted follows in the thread by itself.

        Raises:
            StoreError: it is not certain to have begun; it can be told again with the same *by*.
        """
        is_new = await self._store.forget(thread, by)
        self._see_to(thread)  # first: it is written down, and is done even when nobody can be stopped just now
        if not is_new:
            return BEGUN_BEFORE
        await self._stop(thread)
        return BEGUN

    async def take_up(self) -> None:
        """Go on with what an earlier process left, and begin to look for old threads. Raises StoreError."""
        for thread in await self._store.to_forget():
            self._see_to(thread)
        if self._days:
            self._begin(self._watch_ages(self._days * DAY))

    def close(self) -> None:
        """End it; the next start goes on from what is written."""
        for task in self._tasks:
            task.cancel()

    def _see_to(self, thread: Thread) -> None:
        if thread in self._busy:
            self._busy[thread] = True
        else:
            self._busy[thread] = False
            self._begin(self._see_through(thread))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch_ages(self, age: float) -> None:
        """Forget what is too old, now and every hour from now on; not too much of it at once."""
        now, ticks = self._now(), self._clock()
        while True:
            # A date that jumps ahead makes everything old, and is mended as a rule: it is believed at the next look.
            expected = now + self._clock() - ticks
            now, ticks = self._now(), self._clock()
            if now > expected + HOUR:
                logger.warning("clock jumped ahead", extra={"hours": round((now - expected) / HOUR, 1)})
            room, found = _AT_ONCE - len(self._old), 0
            try:
                if room > 0:
                    threads = await self._store.forget_old(before=min(now, expected) - age, most=room)
                    found = len(threads)
                    for thread in threads:
                        logger.info("thread is old, forgetting it", extra={"thread_key": thread.key})
                        self._old.add(thread)
                        self._see_to(thread)
            except StoreError as error:
                self._failed(error, "old threads not looked for", {})
            except Exception as error:  # the bot goes on, and looks again in an hour
                self._metrics.failures.labels(type(error).__name__).inc()
                logger.exception("old threads not looked for, in a way nobody foresaw")
            await self._sleep(HOUR if found < room else self._patience.look)

    async def _see_through(self, thread: Thread) -> None:
        """Forget a thread, from whatever is left of it to forget, until the store says that it is done."""
        fields, pause = {"thread_key": thread.key}, self._patience.pause
        try:
            while True:
                self._busy[thread] = False
                try:
                    await self._work(thread)
                except StoreError as error:
                    self._failed(error, "thread not forgotten yet", fields)
                    await self._sleep(pause)
                    pause = min(2 * pause, self._patience.longest_pause)
                    continue
                # Nothing is awaited between this look and the end, so no command falls in between.
                if not self._busy[thread]:
                    return
        except Exception as error:  # one thread keeps no other from being forgotten; the next start tries again
            self._metrics.failures.labels(type(error).__name__).inc()
            logger.exception("thread not forgotten, in a way nobody foresaw", extra=fields)
        finally:
            del self._busy[thread]
            self._old.discard(thread)

    async def _work(self, thread: Thread) -> None:
        """Do what is next, and next, until nothing is left or nobody is there to be told of it."""
        refusals = _Refusals(self._patience)
        pause = self._patience.pause
        while (one := await self._store.forgotten(thread)) is not None:
            if one.report is None:
                if await self._delete_one(thread, refusals):
                    continue
                words = "" if one.command is None else report_on(one, stays=thread.platform not in self._keeps_text)
                if not await self._store.erase(one, report=words):
                    await self._sleep(self._patience.look)  # its last turn is coming to its end
                continue
            if not one.is_confirmed and 0 <= self._now() - one.begun_at < _FIRST:  # the date may have been put back
                await self._sleep(self._patience.look)
                continue
            if thread.platform in self._others:
                await self._others[thread.platform](thread)
            if one.report and thread.platform not in self._adapters:
                logger.warning("nobody told: the platform is not set up", extra={"thread_key": thread.key})
                return
            if not one.report or await self._is_told(one):
                self._note(one)
                await self._store.reported(one)
            else:
                await self._sleep(pause)
                pause = min(2 * pause, self._patience.longest_pause)

    async def _delete_one(self, thread: Thread, refusals: _Refusals) -> bool:
        """Try one interaction or file at Gemini; False when every one was tried."""
        interaction = await self._store.to_delete(thread)
        if interaction is not None:
            reason = await self._delete(self._model.delete, interaction, refusals)
            if reason is None:
                await self._store.deleted(thread, interaction)
            else:
                await self._store.undeleted(thread, interaction, reason)
            self._count("interaction", reason)
            return True
        file = await self._store.file_to_delete(thread)
        if file is None:
            return False
        reason = await self._delete(self._shelf.delete_file, file.name, refusals)
        if reason is Undeleted.UNKNOWN and (file.uri is None or file.expires_at <= self._now()):
            reason = None  # it never arrived, or is gone by itself; any other is kept for another key
        await self._store.file_tried(thread, file.name, is_gone=reason is None)
        self._count("file", reason)
        return True

    async def _delete(self, delete: Callable[[T], Awaitable[None]], name: T, refusals: _Refusals) -> Undeleted | None:
        """Delete something at Gemini; why it could not be when it could not, after trying for long."""
        while True:
            wished = None
            try:
                async with self._calls, asyncio.timeout(self._patience.call):
                    await delete(name)
            except (ModelRefused, TimeoutError) as error:
                wished = error.retry_after if isinstance(error, ModelRefused) else None
            except (InteractionLost, FileLost):
                return Undeleted.UNKNOWN
            except ModelError as error:
                self._metrics.failures.labels(type(error).__name__).inc()
                return Undeleted.KEY if isinstance(error, KeyRejected) else Undeleted.REFUSED
            else:
                refusals.end()
                return None
            pause = refusals.pause(wished)
            if pause is None:
                return Undeleted.AWAY
            await self._sleep(pause)

    async def _is_told(self, one: Forgotten) -> bool:
        """Give the report, unless that is tried in vain for long; False when it may be tried again."""
        fields = {"thread_key": one.thread.key}
        try:
            name = report_of(one.command or MessageId(""), one.begun_at)
            await self._adapters[one.thread.platform].confirm(one.thread, name, one.report or "")
        except PlatformAway as error:
            if self._now() - one.begun_at < _LATEST:
                logger.info("forgetting not reported yet", extra={**fields, "reason": str(error)})
                return False
            logger.warning("forgetting not reported", extra={**fields, "reason": str(error)})
        except PlatformError as error:
            logger.warning("forgetting not reported", extra={**fields, "reason": str(error)})
        return True

    def _note(self, one: Forgotten) -> None:
        self._metrics.forgotten.labels("age" if one.command is None else "asked").inc()
        left = {f"left_{reason}": number for reason, number in one.undeleted.items()}
        fields = {"thread_key": one.thread.key, "interactions": one.deleted, "files": one.files}
        logger.info("thread forgotten", extra={**fields, **left, "files_left": one.files_left})

    def _count(self, kind: str, reason: Undeleted | None) -> None:
        self._metrics.deletions.labels(kind, reason or "deleted").inc()

    def _failed(self, error: StoreError, phrase: str, fields: dict[str, str]) -> None:
        self._metrics.failures.labels(type(error).__name__).inc()
        logger.warning(phrase, extra={**fields, "reason": str(error)})


@asynccontextmanager
async def open_forgetting(
    *,
    store: ForgettingStore,
    model: Model,
    shelf: Shelf,
    adapters: Mapping[Platform, Adapter],
    others: Mapping[Platform, Callable[[Thread], Awaitable[None]]],
    stop: Callable[[Thread], Awaitable[None]],
    metrics: Metrics,
    keeps_text: frozenset[Platform],
    days: int | None = None,
    patience: Patience = Patience(),
    now: Callable[[], float] = time.time,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Forgetting]:
    """What forgets threads while the block runs."""
    async with asyncio.TaskGroup() as group:
        forgetting = Forgetting(
            group,
            store=store,
            model=model,
            shelf=shelf,
            adapters=adapters,
            others=others,
            stop=stop,
            metrics=metrics,
            keeps_text=keeps_text,
            days=days,
            patience=patience,
            now=now,
            clock=clock,
            sleep=sleep,
        )
        try:
            yield forgetting
        finally:
            forgetting.close()
