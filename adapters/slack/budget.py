"""How often Slack may be asked: what is left of each method's minute, so that Slack hardly ever has to refuse.

Numbers: https://docs.slack.dev/apis/web-api/rate-limits. A budget is for one app in one workspace.
"""

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from bot.waiting import pause

MINUTE = 60.0  # seconds
POSTS = "chat.postMessage"

_TIER_2, _TIER_3, _TIER_4 = 20, 50, 100
# Of what is not listed Slack takes at least as much, and a lookup that it refuses costs nothing but time.
PER_MINUTE: Mapping[str, int] = {
    "chat.startStream": _TIER_2,
    "chat.stopStream": _TIER_2,
    "chat.appendStream": _TIER_4,
    "chat.update": _TIER_3,
    "chat.delete": _TIER_3,
    "conversations.replies": _TIER_3,
    "conversations.history": _TIER_3,
    "assistant.threads.setStatus": 300,  # "special"; what Slack allows is not told
}
POST_BURST, POSTS_A_SECOND = 2, 1.0  # to one channel

_MOST_LANES = 2000  # channels whose posts are counted
_AFTER_REFUSAL = 60.0  # seconds in which a method is used less, because Slack refused it
_LONG = 5.0  # seconds; Slack asks for so long a wait when a minute is used up, and for less after a burst
_SHUT = 3600.0  # seconds until something is tried again that a channel does not offer


class NoRoom(Exception):
    """A place did not come free in time."""


class Overtaken(Exception):
    """Whoever waited no longer wants the place."""


class Meter(Protocol):
    """Counts the calls of one kind."""

    def wait(self, now: float, *, hurry: bool) -> float:
        """Seconds until one more may begin; infinite when another has to end first."""
        ...

    def begin(self, now: float, *, hurry: bool) -> None: ...
    def end(self, now: float) -> None: ...
    def refused(self, now: float, retry_after: float) -> None: ...


class Window:
    """At most so many calls in any minute.

    A call counts from its beginning until a minute after its end, because only between the two is it known to
    have reached Slack. So no minute of Slack's clock ever holds more, however long the way there is.

    Calls that are in no hurry are spread over the minute, after a third of it went at once.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._ceiling, self._ceiling_until = limit, limit, -math.inf
        self._ended: deque[float] = deque()
        self._running = 0
        self.promised = 0
        self._patient, self._patient_at = limit / 3, -math.inf

    def most(self, now: float) -> int:
        """Calls of a minute, as far as is known."""
        return self._ceiling if now < self._ceiling_until else self._limit

    def free(self, now: float) -> int:
        """Calls that can begin now, beside those that are promised."""
        while self._ended and self._ended[0] + MINUTE <= now:
            self._ended.popleft()
        return self.most(now) - len(self._ended) - self._running - self.promised

    def wait(self, now: float, *, hurry: bool) -> float:
        missing = 1 - self.free(now) - (self.promised if hurry else 0)
        wait = 0.0
        if missing > len(self._ended):
            return self._ceiling_until - now if now < self._ceiling_until else math.inf
        if missing > 0:
            wait = self._ended[missing - 1] + MINUTE - now
        if not hurry and (left := self._patience(now)) < 1:
            wait = max(wait, (1 - left) / self._pace)
        return wait

    def begin(self, now: float, *, hurry: bool) -> None:
        self._running += 1
        if not hurry:
            self._patient, self._patient_at = self._patience(now) - 1, now

    def end(self, now: float) -> None:
        self._running -= 1
        self._ended.append(now)

    def refused(self, now: float, retry_after: float) -> None:
        """Somebody else uses the same limit, or Slack counts in another way: ask for less for a while."""
        if retry_after >= _LONG:
            used = self.most(now) - self.free(now) - self.promised
            self._ceiling = max(2, self._limit // 2, min(used, self.most(now)))
            self._ceiling_until = now + _AFTER_REFUSAL

    @property
    def _pace(self) -> float:
        return self._limit * 2 / 3 / MINUTE

    def _patience(self, now: float) -> float:
        return min(self._limit / 3, self._patient + max(0.0, now - self._patient_at) * self._pace)


class Bucket:
    """So many calls a second, and a few more after a rest."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._at = float(burst), -math.inf

    def _filled(self, now: float) -> float:
        return min(float(self._burst), self._left + max(0.0, now - self._at) * self._rate)

    def wait(self, now: float, *, hurry: bool) -> float:
        return max(0.0, 1 - self._filled(now)) / self._rate

    def begin(self, now: float, *, hurry: bool) -> None:
        self._left, self._at = self._filled(now) - 1, now

    def end(self, now: float) -> None:
        pass

    def refused(self, now: float, retry_after: float) -> None:
        self._left, self._at = min(0.0, self._filled(now)), now

    def is_idle(self, now: float) -> bool:
        return self._filled(now) >= self._burst


class _Lane:
    """Whoever waits for the same meter: first come, first served, and those in a hurry before all others."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.hurried: deque[asyncio.Event] = deque()
        self.patient: deque[asyncio.Event] = deque()

    @property
    def first(self) -> asyncio.Event | None:
        return next(iter(self.hurried or self.patient), None)

    def poke(self) -> None:
        if (first := self.first) is not None:
            first.set()


class Promise:
    """Calls kept free for whoever will have to make them: given back one by one, or all at the end."""

    def __init__(self, budget: "Budget", methods: tuple[str, ...]) -> None:
        self._budget, self._methods = budget, list(methods)

    def use(self, method: str) -> None:
        """Give one kept call back, because it is about to be made."""
        if method in self._methods:
            self._methods.remove(method)
            self._budget.give_back(method)

    def release(self) -> None:
        """Give back what is left."""
        for method in list(self._methods):
            self.use(method)


class Budget:
    """Gives out places for calls, and promises of places.

    Args:
        per_minute: the limits; a method that has none is not held back.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        per_minute: Mapping[str, int] = PER_MINUTE,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._windows = {method: Window(limit) for method, limit in per_minute.items()}
        self._lanes: OrderedDict[tuple[str, str | None], _Lane] = OrderedDict(
            ((method, None), _Lane(window)) for method, window in self._windows.items()
        )
        self._blocked: dict[str, float] = {}  # until when, as Slack said
        self._shut: dict[tuple[str, str], float] = {}

    @asynccontextmanager
    async def place(
        self,
        method: str,
        channel: str | None = None,
        *,
        hurry: bool = True,
        until: float = math.inf,
        unless: asyncio.Event | None = None,
    ) -> AsyncIterator[None]:
        """A place for one call, held while the block runs. Cancelled while it waits, it leaves no trace.

        Args:
            hurry: before everybody who is not, and out of what was promised if it must be.
            until: when to give up waiting, on the budget's clock.
            unless: an event after which the place is no longer wanted.

        Raises:
            NoRoom: it would be *until* before there is one.
            Overtaken: *unless* happened.
        """
        lane = self._lane(method, channel)
        if lane is None:
            await self._wait_out(method, until, unless)
            yield
            return
        await self._enter(lane, method, hurry=hurry, until=until, unless=unless)
        try:
            yield
        finally:
            lane.meter.end(self._clock())
            lane.poke()

    def refused(self, method: str, *, channel: str | None, retry_after: float) -> None:
        """Slack refused a call for being one too many, and named a time (seconds) to stay away from the method."""
        now = self._clock()
        self._blocked[method] = max(self._blocked.get(method, -math.inf), now + retry_after)
        lane = self._lane(method, channel)
        if lane is not None:
            lane.meter.refused(now, retry_after)

    def promise(self, *methods: str) -> Promise | None:
        """Keep one call of each method free; None when that would leave too few for everybody else."""
        now = self._clock()
        for method in methods:
            window = self._windows.get(method)
            if self._blocked.get(method, -math.inf) > now or (
                window is not None and window.free(now) - methods.count(method) < _spare(window, now)
            ):
                return None
        for method in methods:
            if (window := self._windows.get(method)) is not None:
                window.promised += 1
        return Promise(self, methods)

    def give_back(self, method: str) -> None:
        """See `Promise`."""
        if (window := self._windows.get(method)) is not None:
            window.promised -= 1
            self._lanes[method, None].poke()

    def shut(self, method: str, where: str) -> None:
        """Remember for an hour that a method is of no use in a channel, or for somebody."""
        if len(self._shut) >= _MOST_LANES:
            self._shut.clear()
        self._shut[method, where] = self._clock() + _SHUT

    def is_shut(self, method: str, where: str) -> bool:
        return self._shut.get((method, where), -math.inf) > self._clock()

    # --- waiting --------------------------------------------------------------------------------

    async def _enter(
        self, lane: _Lane, method: str, *, hurry: bool, until: float, unless: asyncio.Event | None
    ) -> None:
        poked = asyncio.Event()
        queue = lane.hurried if hurry else lane.patient
        queue.append(poked)
        try:
            while True:
                if unless is not None and unless.is_set():
                    raise Overtaken(method)
                now = self._clock()
                wait = math.inf
                if lane.first is poked:
                    wait = max(lane.meter.wait(now, hurry=hurry), self._blocked.get(method, now) - now)
                    if wait <= 0:
                        lane.meter.begin(now, hurry=hurry)
                        return
                if now >= until or (wait < math.inf and now + wait > until):
                    raise NoRoom(method)
                await pause(min(wait, until - now), poked, unless, sleep=self._sleep)
                poked.clear()
        finally:
            queue.remove(poked)
            lane.poke()

    async def _wait_out(self, method: str, until: float, unless: asyncio.Event | None) -> None:
        """Of a method without a limit only what Slack says is obeyed."""
        while (wait := self._blocked.get(method, -math.inf) - self._clock()) > 0:
            if self._clock() + wait > until:
                raise NoRoom(method)
            await pause(wait, unless, sleep=self._sleep)
            if unless is not None and unless.is_set():
                raise Overtaken(method)

    def _lane(self, method: str, channel: str | None) -> _Lane | None:
        if method != POSTS:
            return self._lanes.get((method, None))
        key = (method, channel)
        if key not in self._lanes:
            self._sweep()
            self._lanes[key] = _Lane(Bucket(POSTS_A_SECOND, POST_BURST))
        self._lanes.move_to_end(key)
        return self._lanes[key]

    def _sweep(self) -> None:
        """Forget channels that nobody posts to, so that their number stays bounded."""
        if len(self._lanes) < _MOST_LANES:
            return
        now = self._clock()
        for key, lane in list(self._lanes.items()):
            if isinstance(lane.meter, Bucket) and lane.first is None and lane.meter.is_idle(now):
                del self._lanes[key]


def _spare(window: Window, now: float) -> int:
    """Calls that no promise may take: somebody may be in a hurry without having known it before."""
    return window.most(now) // 10
