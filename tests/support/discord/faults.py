"""What can be made to go wrong on the wire, armed by tests only ([9.4], [2.2])."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from tests.support.discord.calls import Call
from tests.support.discord.limits import Scope


@dataclass(frozen=True, slots=True)
class ActThenDrop:
    """The effect happens; the connection is cut before the answer."""


@dataclass(frozen=True, slots=True)
class DropBefore:
    """The connection is cut; nothing happens."""


@dataclass(frozen=True, slots=True)
class TooMany:
    """429. Nothing happens.

    Attributes:
        via: without it, discord.py takes the answer for a ban by Cloudflare ([9.2]).
        scope: ``global`` stops every call of the client, ``shared`` is nobody's fault.
        is_json: Cloudflare's own page otherwise, which is a ban as well.
    """

    retry_after: float = 0.05
    scope: Scope = "user"
    via: bool = True
    is_json: bool = True


@dataclass(frozen=True, slots=True)
class Broken:
    """A status and a body that is no answer of Discord: 5xx, an HTML page, plain text, JSON cut short.

    With `acts`, the effect happens first.
    """

    status: int = 503
    body: str = "upstream connect error"
    content_type: str = "text/html"
    acts: bool = False


@dataclass(frozen=True, slots=True)
class SaysError:
    """Discord refuses: ``{"message": ..., "code": ...}``. Nothing happens."""

    code: int
    status: int = 400
    message: str = "refused by the test"


@dataclass(frozen=True, slots=True)
class Slow:
    """The answer takes a while, in Discord's seconds; the effect comes at its beginning or at its end."""

    seconds: float
    acts_first: bool = True


@dataclass(frozen=True, slots=True)
class Hang:
    """No answer as long as the server runs; with `acts`, the effect happens first."""

    acts: bool = False


@dataclass(frozen=True, slots=True)
class CutBody:
    """A download ends after so many bytes, though more were announced."""

    after: int


@dataclass(frozen=True, slots=True)
class SlowBody:
    """A download comes in pieces of so many bytes, with so many of Discord's seconds between them."""

    chunk: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Redirect:
    """A download is said to be elsewhere: on the foreign host unless `to` says where."""

    to: str | None = None
    status: int = 302


Fault: TypeAlias = ActThenDrop | DropBefore | TooMany | Broken | SaysError | Slow | Hang | CutBody | SlowBody | Redirect

ACT_THEN_502 = Broken(502, acts=True)
HTML_PAGE = Broken(200, "<!DOCTYPE html><html><body>Discord is down for maintenance</body></html>", "text/html")
CUT_JSON = Broken(200, '{"id": "1234567890123456', "application/json")
CLOUDFLARE = TooMany(via=False, is_json=False)

# 500, 502 and 504 are not among them: discord.py sleeps for real seconds then ([5.6]). Ask for them by `kinds`.
CHAOS: tuple[Fault, ...] = (
    ActThenDrop(),
    DropBefore(),
    TooMany(),
    TooMany(scope="global"),
    Broken(503),
    Broken(503, acts=True),
    Slow(0.2),
    Slow(0.2, acts_first=False),
)


@dataclass(slots=True, eq=False)
class _Armed:
    pattern: str
    fault: Fault
    times: int | None
    skip: int
    when: Callable[[Call], bool]


EventFault = Literal["lose", "double", "swap", "delay", "malform"]


@dataclass(slots=True, eq=False)
class _ArmedEvent:
    pattern: str
    fault: EventFault
    times: int | None
    seconds: float


class EventFaults:
    """What goes wrong with the next events on their way through the gateway.

    lose: it never arrives and a resumed session does not bring it ([2.3] silent loss without a disconnect).
    double: it comes twice, under two sequence numbers.
    swap: it comes after the next event of the same session.
    delay: it comes so many of Discord's seconds later, and overtakes nothing: what follows waits.
    malform: its payload is one that the client cannot read ([0.6]: that ends `client.start()`).
    """

    def __init__(self) -> None:
        self._armed: list[_ArmedEvent] = []
        self._chance: tuple[float, random.Random] | None = None
        self.fired: list[tuple[str, EventFault]] = []

    def arm(
        self, fault: EventFault, event: str = "MESSAGE_CREATE", *, times: int | None = 1, seconds: float = 1.0
    ) -> None:
        """Let the next events of that name (or pattern) go wrong.

        Args:
            times: how many; None means until `disarm`.
            seconds: of a delay.
        """
        self._armed.append(_ArmedEvent(event, fault, times, seconds))

    def disarm(self) -> None:
        self._armed, self._chance = [], None

    def happen_at_random(self, rate: float, seed: int) -> None:
        """Let a share of the messages come twice or swapped. None is lost by this."""
        self._chance = (rate, random.Random(seed)) if rate else None  # noqa: S311 - seeded, to be run again

    def take(self, event: str) -> tuple[EventFault, float] | None:
        """What this event is to suffer, and the seconds of a delay."""
        for armed in self._armed:
            if fnmatchcase(event, armed.pattern):
                if armed.times is not None:
                    armed.times -= 1
                    if armed.times == 0:
                        self._armed.remove(armed)
                self.fired.append((event, armed.fault))
                return armed.fault, armed.seconds
        if self._chance is not None and event == "MESSAGE_CREATE":
            rate, dice = self._chance
            if dice.random() < rate:
                kinds: tuple[EventFault, ...] = ("double", "swap")
                kind = dice.choice(kinds)
                self.fired.append((event, kind))
                return kind, 0.0
        return None


class Faults:
    """Arm what is to go wrong; `fired` tells what did."""

    def __init__(self) -> None:
        self.events = EventFaults()
        self.fired: list[tuple[Call, Fault]] = []
        self.refuse_gateway: int | None = None  # a status: the gateway's URL answers with it
        self._armed: list[_Armed] = []
        self._chaos: tuple[float, Sequence[Fault], str, random.Random] | None = None

    def arm(
        self,
        route: str,
        fault: Fault,
        *,
        times: int | None = 1,
        skip: int = 0,
        when: Callable[[Call], bool] = lambda call: True,
    ) -> None:
        """Let calls of *route* go wrong.

        Args:
            route: a route or pattern: ``POST /channels/*/messages``, ``PATCH *``, ``*``. Beside the API there are
                ``GET /cdn/*`` and ``GET /media/*`` for downloads.
            times: how many calls; None means until `disarm`.
            skip: how many matching calls go well first.
            when: which calls of the route.
        """
        self._armed.append(_Armed(route, fault, times, skip, when))

    def disarm(self, route: str | None = None) -> None:
        """Let everything go well again, or the calls armed by that route or pattern."""
        self._armed = [armed for armed in self._armed if route is not None and armed.pattern != route]
        if route is None:
            self._chaos, self.refuse_gateway = None, None
            self.events.disarm()

    def chaos(self, rate: float, *, seed: int = 0, routes: str = "*", kinds: Sequence[Fault] = CHAOS) -> None:
        """From now on a share of the calls goes wrong at random, and of the messages; a rate of 0 ends it."""
        self.events.happen_at_random(rate, seed)
        # Seeded, so that a failing run can be run again.
        self._chaos = (rate, kinds, routes, random.Random(seed)) if rate else None  # noqa: S311 - which fault, not a secret

    def take(self, call: Call) -> Fault | None:
        """The fault this call is to suffer."""
        for armed in self._armed:
            if not fnmatchcase(call.route, armed.pattern) or not armed.when(call):
                continue
            if armed.skip:
                armed.skip -= 1
                continue
            if armed.times is not None:
                armed.times -= 1
                if armed.times == 0:
                    self._armed.remove(armed)
            return self._note(call, armed.fault)
        if self._chaos is not None:
            rate, kinds, routes, dice = self._chaos
            if fnmatchcase(call.route, routes) and dice.random() < rate:
                return self._note(call, dice.choice(kinds))
        return None

    def _note(self, call: Call, fault: Fault) -> Fault:
        self.fired.append((call, fault))
        return fault
