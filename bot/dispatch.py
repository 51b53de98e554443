"""Around the turns: a lane for each thread with work, bounded together, taken up at start, drained at the end."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from bot.errors import BotError, CapReached, PlatformAway, StaleTurn, StoreError, TooManyAttempts
from bot.limits import Limits
from bot.messages import Thread, Turn, TurnId, TurnState
from bot.metrics import Metrics
from bot.notices import notice_for
from bot.places import Places
from bot.policy import Policy
from bot.ports import Claim, Store
from bot.responder import Responder
from bot.stopping import StopSwitch

logger = logging.getLogger(__name__)

_MOST_FAILURES = 5
_SOON = 2.0  # seconds; both platforms want to hear of a press within three


@dataclass(slots=True)
class _Lane:
    """The work of one thread. It exists while the thread has any."""

    woken: bool = True  # something was stored since the last look
    behind: bool = False  # something was handed over since the platform last told all that was said
    left_open: Turn | None = None  # by an earlier process
    turn: Turn | None = None  # being answered
    stop: StopSwitch = field(default_factory=StopSwitch)  # for that turn
    over: asyncio.Event = field(default_factory=asyncio.Event)  # that turn is
    in_doubt: bool = False  # a claim failed, and may have taken a turn all the same
    look_again: bool = False  # a stop was stored while a turn was being claimed: it may be meant
    task: "asyncio.Task[None] | None" = field(default=None, repr=False)


class Dispatcher:
    """Sees to it that every stored turn is answered, each thread's in order and no two of them at once.

    Args:
        places: for turns that are answered at the same time, over all threads.
        drain: seconds that running turns are given to finish at the end.
        catch_up: returns when all that was said in a thread is stored; waited for before a thread goes on in which
            something was stored since the start, but no longer than `Limits.catch_up`.
        pause: seconds before a turn that failed with the store is taken up again; doubles up to *longest_pause*.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        *,
        store: Store,
        responder: Responder,
        policy: Policy,
        metrics: Metrics,
        catch_up: Callable[[Thread], Awaitable[None]],
        limits: Limits,
        places: Places,
        drain: float,
        pause: float,
        longest_pause: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._group, self._store, self._responder, self._policy = group, store, responder, policy
        self._metrics, self._drain, self._sleep = metrics, drain, sleep
        self._catch_up, self._limits = catch_up, limits
        self._pause, self._longest_pause, self._places = pause, longest_pause, places
        self._lanes: dict[Thread, _Lane] = {}
        self._is_taken_up = False
        self._closing = False

    def wake(self, thread: Thread) -> None:
        """See to a thread's work; called after a turn was stored, and cheap when there is none."""
        if self._closing or not self._is_taken_up:
            return  # what is stored is found by `take_up`, here or at the next start
        self._see_to(thread).behind = True

    async def stop(self, thread: Thread) -> None:
        """End the thread's running turn now, if the store says that it is to be stopped."""
        lane = self._lanes.get(thread)
        if lane is None:
            return
        if lane.turn is None:
            lane.look_again = True
            return
        # The lane may have gone on to another turn since the stop was stored; that one is not meant.
        switch = lane.stop
        turn = await self._store.turn(lane.turn)
        if turn is not None and turn.stopping:
            switch.press()

    async def see_out(self, thread: Thread, turn: TurnId) -> None:
        """Wait for a turn's end if it is the one being answered, but not for long."""
        lane = self._lanes.get(thread)
        if lane is not None and lane.turn is not None and lane.turn.id == turn:
            with suppress(TimeoutError):
                async with asyncio.timeout(_SOON):
                    await lane.over.wait()

    async def take_up(self) -> None:
        """Go on with everything an earlier process left open, and begin to work."""
        for turn in await self._store.running():
            self._open(turn.thread, _Lane(left_open=turn))
        self._is_taken_up = True
        lagging = await self._store.lagging()
        for thread in await self._store.waiting():
            lane = self._see_to(thread)
            # What was stored before waits for nothing, unless it was to wait: for a search that ended with the process.
            lane.behind = lane.behind or thread.platform in lagging
        if self._lanes:
            logger.info("open turns taken up", extra={"threads": len(self._lanes)})

    async def close(self) -> None:
        """Take nothing more, let running turns finish for a while, and leave the rest to the next start.

        What only waits is left at once.
        """
        self._closing = True
        self._places.close()
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        for lane in self._lanes.values():
            if lane.task is not None and lane.turn is None:
                lane.task.cancel()
        if tasks:
            _, unfinished = await asyncio.wait(tasks, timeout=self._drain)
            for task in unfinished:
                task.cancel()
            if unfinished:
                logger.info("turns left to the next start", extra={"turns": len(unfinished)})

    def _see_to(self, thread: Thread) -> _Lane:
        """The thread's lane, which is going to look at what is stored."""
        lane = self._lanes.get(thread)
        if lane is None:
            lane = _Lane()
            self._open(thread, lane)
        lane.woken = True
        return lane

    def _open(self, thread: Thread, lane: _Lane) -> None:
        self._lanes[thread] = lane
        lane.task = self._group.create_task(self._run(thread, lane))

    async def _run(self, thread: Thread, lane: _Lane) -> None:
        """Answer the thread's turns until none is left."""
        try:
            waited = False  # in vain, before the next turn
            while not self._closing:
                waited = waited or not await self._caught_up(thread, lane, within=self._limits.catch_up)
                async with self._places.place(thread):
                    # More may have been said while it waited for its place, in which others can work meanwhile.
                    if not waited and not await self._caught_up(thread, lane, within=0):
                        continue
                    lane.behind = False
                    if not await self._next(thread, lane):
                        return
                    waited = False
        finally:
            self._lanes.pop(thread, None)

    async def _caught_up(self, thread: Thread, lane: _Lane, *, within: float) -> bool:
        """Wait until what was said in the thread before its next turn is stored too; False when it may not be.

        What the platform hands over meanwhile wakes the lane as well, and is not waited for anew.

        Args:
            within: most seconds that may take; with 0 it has to be so already.
        """
        if not lane.behind or lane.left_open is not None or lane.in_doubt:
            return True
        try:
            async with asyncio.timeout(within):
                await self._catch_up(thread)
        except Exception as error:  # the question is not lost for it: it is answered all the same
            if within:
                lane.behind = False
                self._metrics.failures.labels(type(error).__name__).inc()
                fields = {"thread_key": thread.key, "error": type(error).__name__, "reason": str(error)}
                known = isinstance(error, BotError | TimeoutError)
                logger.warning("not caught up before answering", extra=fields, exc_info=None if known else error)
            return False
        lane.behind = False
        return True

    async def _next(self, thread: Thread, lane: _Lane) -> bool:
        """Answer the oldest turn; False when there was none, and none has come meanwhile."""
        lane.woken = False
        try:
            if lane.left_open is not None:
                # Read anew: it may have waited long for its place, and been told to stop meanwhile.
                turn, lane.left_open = await self._store.turn(lane.left_open), None
                if turn is not None and turn.state is TurnState.RUNNING:
                    await self._see_through(turn, lane, claim=None)
                return True
            lane.look_again = False
            if lane.in_doubt:
                lane.left_open = await self._running_in(thread)
                lane.in_doubt = False
                return True
            claim = await self._store.claim(thread)
            if claim is not None and lane.look_again:
                claim = replace(claim, turn=await self._store.turn(claim.turn) or claim.turn)
        except Exception as error:  # one thread that cannot be read keeps no other from being answered
            self._metrics.failures.labels(type(error).__name__).inc()
            fields = {"thread_key": thread.key, "reason": str(error)}
            logger.error("turn not taken", extra=fields, exc_info=None if isinstance(error, BotError) else error)
            lane.in_doubt = True
            await self._sleep(self._longest_pause)
            return True
        if claim is None:
            # Nothing is awaited between this look and the lane's end, so no wake-up falls in between.
            return lane.woken
        await self._see_through(claim.turn, lane, claim=claim)
        return True

    async def _running_in(self, thread: Thread) -> Turn | None:
        return next((turn for turn in await self._store.running() if turn.thread == thread), None)

    async def _see_through(self, turn: Turn, lane: _Lane, *, claim: Claim | None) -> None:
        """Bring a turn to its end, taking it up again when that fails, from what is written of it."""
        lane.turn, lane.stop, lane.over = turn, StopSwitch(), asyncio.Event()
        pause, failures, fresh = self._pause, 0, claim is not None
        verdict = None if claim is None else self._verdict(claim)
        with self._metrics.running.track_inprogress(), self._metrics.seconds.time():
            try:
                while True:
                    try:
                        await self._attempt(turn, lane.stop, fresh=fresh, verdict=verdict)
                        return
                    except Exception as error:
                        self._report(turn, error)
                        # A store or a platform that is away comes back; what fails otherwise is given up in the end.
                        failures += not isinstance(error, StoreError | PlatformAway)
                    await self._sleep(pause)
                    pause, fresh = min(2 * pause, self._longest_pause), False
                    found = await self._look_again(turn, abandon=failures >= _MOST_FAILURES)
                    if found is None:
                        return
                    turn = found
            finally:
                lane.turn = None
                lane.over.set()

    async def _attempt(self, turn: Turn, stop: StopSwitch, *, fresh: bool, verdict: CapReached | None) -> None:
        """Answer the turn, or tell its thread why not."""
        try:
            if verdict is not None:
                await self._store.uncount(turn)
                raise verdict
            await self._responder.take(turn, stop, fresh=fresh)
        except StaleTurn:
            await self._responder.close(turn)
        except (StoreError, PlatformAway):
            raise
        except Exception as error:
            self._report(turn, error)
            try:
                await self._responder.give_up(turn, error)
            except StaleTurn:
                await self._responder.close(turn)

    def _verdict(self, claim: Claim) -> CapReached | None:
        """What the day's caps say of a turn just claimed."""
        if claim.turn.refusal is None:
            try:
                self._policy.check_caps(claim)
            except CapReached as verdict:
                return verdict
        return None

    async def _look_again(self, turn: Turn, *, abandon: bool) -> Turn | None:
        """The turn as it stands now; None when it has ended, or when the store could only be told that it has to."""
        while True:
            try:
                found = await self._store.turn(turn)
                if found is None or found.state is not TurnState.RUNNING:
                    return None
                if not abandon:
                    return found
                logger.error("turn abandoned, its thread could not be told", extra=turn.fields)
                if found.stopping:
                    await self._store.stopped(found)
                else:
                    await self._store.failed(found, notice=notice_for(TooManyAttempts()), tell=True)
                return None
            except Exception as error:
                self._report(turn, error)
                await self._sleep(self._longest_pause)

    def _report(self, turn: Turn, error: Exception) -> None:
        self._metrics.failures.labels(type(error).__name__).inc()
        fields = {**turn.fields, "error": type(error).__name__, "reason": str(error)}
        if isinstance(error, BotError):
            logger.warning("turn failed", extra=fields)
        else:
            logger.error("turn failed in a way nobody foresaw", extra=fields, exc_info=error)


@asynccontextmanager
async def open_dispatcher(
    *,
    store: Store,
    responder: Responder,
    policy: Policy,
    metrics: Metrics,
    catch_up: Callable[[Thread], Awaitable[None]],
    limits: Limits,
    places: Places,
    drain: float,
    pause: float = 0.5,
    longest_pause: float = 15.0,
) -> AsyncIterator[Dispatcher]:
    """A dispatcher that works while the block runs and is drained when it ends."""
    async with asyncio.TaskGroup() as group:
        dispatcher = Dispatcher(
            group,
            store=store,
            responder=responder,
            policy=policy,
            metrics=metrics,
            catch_up=catch_up,
            limits=limits,
            places=places,
            drain=drain,
            pause=pause,
            longest_pause=longest_pause,
        )
        try:
            yield dispatcher
        finally:
            await dispatcher.close()
