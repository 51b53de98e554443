"""What can be made to go wrong on the wire, armed by tests only."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TypeAlias

from tests.support.slack.calls import Call
from tests.support.slack.json_types import JsonObject


@dataclass(frozen=True, slots=True)
class ActThenDrop:
    """The effect happens; the connection is cut before the answer."""


@dataclass(frozen=True, slots=True)
class DropBefore:
    """The connection is cut; nothing happens."""


@dataclass(frozen=True, slots=True)
class TooMany:
    """429, with or without Retry-After. Nothing happens."""

    retry_after: int | None = 1
    error: str = "ratelimited"


@dataclass(frozen=True, slots=True)
class Broken:
    """A status and a body that is no Slack answer: 5xx, an HTML page, plain text, JSON cut short.

    With `acts`, the effect happens first.
    """

    status: int = 503
    body: str = "upstream connect error"
    content_type: str = "text/html"
    acts: bool = False


@dataclass(frozen=True, slots=True)
class SaysError:
    """Slack refuses: ``{"ok": false, "error": ...}``. Nothing happens."""

    error: str
    status: int = 200
    more: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slow:
    """The answer takes a while, in Slack's seconds; the effect comes at its beginning or at its end."""

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


Fault: TypeAlias = ActThenDrop | DropBefore | TooMany | Broken | SaysError | Slow | Hang | CutBody

HTML_PAGE = Broken(200, "<!DOCTYPE html><html><body>Slack is down for maintenance</body></html>", "text/html")
PLAIN_TEXT = Broken(200, "ok", "text/plain")
CUT_JSON = Broken(200, '{"ok": true, "cha', "application/json")

CHAOS: tuple[Fault, ...] = (
    ActThenDrop(),
    DropBefore(),
    TooMany(1),
    Broken(503),
    Broken(500, "oops", "text/plain"),
    Broken(502, acts=True),
    HTML_PAGE,
    Slow(0.2),
)


@dataclass(slots=True, eq=False)
class _Armed:
    pattern: str
    fault: Fault
    times: int | None
    skip: int
    when: Callable[[Call], bool]


class EventFaults:
    """What goes wrong with the next events on their way to the app; the numbers count down to 0.

    Attributes:
        lose: these never arrive, and are never sent again.
        double: these come twice: same event_id, another envelope.
        swap: of these mentions the pair of events comes in the other order.
        delay: Slack's seconds every delivery takes longer.
    """

    def __init__(self) -> None:
        self.lose, self.double, self.swap, self.delay = 0, 0, 0, 0.0
        self._chance: tuple[float, random.Random] | None = None

    def happen_at_random(self, rate: float, seed: int) -> None:
        """Let a share of the events come twice, and of the pairs the other way round. None is lost by this."""
        self._chance = (rate, random.Random(seed)) if rate else None  # noqa: S311 - seeded, to be run again

    def loses(self) -> bool:
        self.lose, was = max(0, self.lose - 1), self.lose
        return was > 0

    def doubles(self) -> bool:
        self.double, was = max(0, self.double - 1), self.double
        return was > 0 or self._by_chance()

    def swaps(self) -> bool:
        self.swap, was = max(0, self.swap - 1), self.swap
        return was > 0 or self._by_chance()

    def _by_chance(self) -> bool:
        return self._chance is not None and self._chance[1].random() < self._chance[0]


class Faults:
    """Arm what is to go wrong; `fired` tells what did."""

    def __init__(self) -> None:
        self.events = EventFaults()
        self.fired: list[tuple[Call, Fault]] = []
        self.refuse_sockets: int | None = None  # a status: the socket's URL answers with it
        self._armed: list[_Armed] = []
        self._chaos: tuple[float, Sequence[Fault], str, random.Random] | None = None

    def arm(
        self,
        method: str,
        fault: Fault,
        *,
        times: int | None = 1,
        skip: int = 0,
        when: Callable[[Call], bool] = lambda call: True,
    ) -> None:
        """Let calls of *method* go wrong.

        Args:
            method: a name or pattern: ``chat.postMessage``, ``chat.*``, ``*``. Beside the Web API there are
                ``file.download``, ``file.upload`` and ``response_url``.
            times: how many calls; None means until `disarm`.
            skip: how many matching calls go well first.
            when: which calls of the method.
        """
        self._armed.append(_Armed(method, fault, times, skip, when))

    def disarm(self, method: str | None = None) -> None:
        """Let everything go well again, or the calls armed by that name or pattern."""
        self._armed = [armed for armed in self._armed if method is not None and armed.pattern != method]
        if method is None:
            self._chaos, self.events, self.refuse_sockets = None, EventFaults(), None

    def chaos(self, rate: float, *, seed: int = 0, methods: str = "*", kinds: Sequence[Fault] = CHAOS) -> None:
        """From now on a share of the calls goes wrong at random, and of the events; a rate of 0 ends it."""
        self.events.happen_at_random(rate, seed)
        # Seeded, so that a failing run can be run again.
        self._chaos = (rate, kinds, methods, random.Random(seed)) if rate else None  # noqa: S311 - which fault, not a secret

    def take(self, call: Call) -> Fault | None:
        """The fault this call is to suffer."""
        for armed in self._armed:
            if not fnmatchcase(call.method, armed.pattern) or not armed.when(call):
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
            rate, kinds, methods, dice = self._chaos
            if fnmatchcase(call.method, methods) and dice.random() < rate:
                return self._note(call, dice.choice(kinds))
        return None

    def _note(self, call: Call, fault: Fault) -> Fault:
        self.fired.append((call, fault))
        return fault
