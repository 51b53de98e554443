"""Discord's rate limits: buckets with headers, the global limit, and what counts towards a ban ([5.4], [5.6])."""

import math
import zlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from tests.support.discord.clock import Clock
from tests.support.discord.refusal import Refused

Rate = tuple[int, float]  # so many in so many seconds
Scope = Literal["user", "global", "shared"]

VIA = "1.1 google"  # [9.2] a 429 without it is a Cloudflare ban to discord.py
INVALID = frozenset({401, 403, 429})  # [5.6]
INVALID_WINDOW = 600.0
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Which limits are enforced. None switches one off.

    Attributes:
        create: messages in one channel ([5.4]: about 5 in 5 s, observed by others).
        edit: edits in one channel, whichever message ([5.4]).
        command_writes: registrations of commands ([1]: reported).
        everything: all requests of the bot beside interactions ([5.6]).
        old_edits: edits in one channel of messages older than an hour (30046; its number is not documented).
        routes: further buckets by pattern of the route, ``{"POST /channels/*/typing": (5, 5.0)}``; None frees one.
        invalid: 401, 403 and 429 answers in ten minutes until the address is banned ([5.6]).
    """

    create: Rate | None = (5, 5.0)
    edit: Rate | None = (5, 5.0)
    command_writes: Rate | None = (5, 20.0)
    everything: Rate | None = (50, 1.0)
    old_edits: Rate | None = (3, 20.0)
    routes: dict[str, Rate | None] = field(default_factory=dict)
    invalid: int | None = 10_000

    def of(self, route: str) -> tuple[str, Rate | None]:
        """The bucket of a route and how much it takes. Buckets differ by channel, guild or token ([5.4])."""
        for pattern, rate in self.routes.items():
            if fnmatchcase(route, pattern):
                return pattern, rate
        match route:
            case "POST /channels/{channel}/messages":
                return "create", self.create
            case "PATCH /channels/{channel}/messages/{message}":
                return "edit", self.edit
        verb, _, path = route.partition(" ")
        if path.startswith("/applications/") and "/commands" in path and verb != "GET":
            return "commands", self.command_writes
        return "", None


class TooManyRequests(Refused):
    """A 429 of Discord's own, not of Cloudflare: JSON, and with Via."""

    def __init__(
        self,
        retry_after: float,
        scope: Scope = "user",
        *,
        code: int = 0,
        message: str = "You are being rate limited.",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        told = {
            "Via": VIA,
            "Retry-After": str(max(1, math.ceil(retry_after))),
            "X-RateLimit-Scope": scope,
            **({"X-RateLimit-Global": "true"} if scope == "global" else {}),
        }
        more = {"retry_after": round(retry_after, 3), "global": scope == "global"}
        super().__init__(code, status=429, message=message, headers={**(headers or {}), **told}, **more)
        self.scope = scope
        if not code:
            del self.body["code"]


@dataclass(slots=True, eq=False)
class _Bucket:
    """So many calls from the first one on until it is full again; then anew."""

    name: str
    most: int
    per: float
    left: int = 0
    resets_at: float = -math.inf

    def take(self, now: float) -> bool:
        if now >= self.resets_at:
            self.left, self.resets_at = self.most, now + self.per
        if not self.left:
            return False
        self.left -= 1
        return True


class RateGate:
    """Counts calls and refuses those that are too many.

    The SDK sleeps in real seconds. So what an answer tells it to wait is told in those, however fast Discord's clock
    runs.
    """

    def __init__(self, limits: Limits | None, clock: Clock) -> None:
        self.limits, self._clock = limits, clock
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._invalid: deque[float] = deque()
        self.invalid_total = self.refused = 0  # the second: calls that were one too many
        self.is_banned = False

    def check(self, route: str, major: str, *, is_interaction: bool = False) -> dict[str, str]:
        """Count one call; the headers of its bucket, for whatever the answer is.

        Args:
            route: such as ``POST /channels/{channel}/messages``.
            major: what sets buckets of one route apart: the channel, the guild or the webhook's token.
            is_interaction: interaction endpoints are outside the global limit ([4]).

        Raises:
            TooManyRequests: it is one too many, and was not counted.
        """
        if self.limits is None:
            return {}
        if self.limits.everything is not None and not is_interaction:
            whole = self._bucket("everything", "", self.limits.everything)
            if not whole.take(self._clock.now()):
                self.refused += 1
                raise TooManyRequests(self._wait(whole), "global")
        name, rate = self.limits.of(route)
        if rate is None:
            return {}
        bucket = self._bucket(name, major, rate)
        has_room = bucket.take(self._clock.now())
        headers = self._headers(bucket)
        if not has_room:
            self.refused += 1
            raise TooManyRequests(self._wait(bucket), headers=headers)
        return headers

    def check_edit_of_old(self, channel_id: str, written_at: float) -> None:
        """Count the edit of a message if it is an hour old. Raises TooManyRequests with 30046.

        The 429 comes although the bucket has room: a sub-limit that no header tells of ([5.4], api-docs#4413).
        """
        if self.limits is None or self.limits.old_edits is None or self._clock.now() - written_at < HOUR:
            return
        bucket = self._bucket("old edits", channel_id, self.limits.old_edits)
        if not bucket.take(self._clock.now()):
            message = "Maximum number of edits to messages older than 1 hour reached. Try again later."
            raise TooManyRequests(self._wait(bucket), code=30046, message=message)

    def note(self, status: int, scope: str | None = None) -> None:
        """Count an answer if it was an invalid request ([5.6]: not when the limit is shared with others)."""
        if status not in INVALID or scope == "shared":
            return
        now = self._clock.now()
        self.invalid_total += 1
        self._invalid.append(now)
        while self._invalid[0] <= now - INVALID_WINDOW:
            self._invalid.popleft()
        most = self.limits.invalid if self.limits else None
        self.is_banned = self.is_banned or (most is not None and len(self._invalid) >= most)

    @property
    def invalid(self) -> int:
        """How many invalid requests there were in the last ten minutes."""
        return sum(at > self._clock.now() - INVALID_WINDOW for at in self._invalid)

    def _bucket(self, name: str, major: str, rate: Rate) -> _Bucket:
        bucket = self._buckets.get((name, major))
        if bucket is None or (bucket.most, bucket.per) != rate:
            bucket = self._buckets[name, major] = _Bucket(name, *rate)
        return bucket

    def _wait(self, bucket: _Bucket) -> float:
        wait = max(0.0, bucket.resets_at - self._clock.now()) / self._clock.speed
        return math.ceil(wait * 1000) / 1000  # rounded up, or who waits for exactly this long comes too early

    def _headers(self, bucket: _Bucket) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(bucket.most),
            "X-RateLimit-Remaining": str(bucket.left),
            "X-RateLimit-Reset": f"{bucket.resets_at:.3f}",
            "X-RateLimit-Reset-After": f"{self._wait(bucket):.3f}",
            # A name of no meaning, the same for all channels: the library adds the channel itself ([5.4]).
            "X-RateLimit-Bucket": f"{zlib.crc32(bucket.name.encode()):032x}",
        }
