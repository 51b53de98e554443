"""Slack's rate limits: section 7 of the reference, and the table of section 1."""

import math
from collections import deque
from dataclasses import dataclass, field

from tests.support.slack.clock import Clock
from tests.support.slack.refusal import Refused
from tests.support.slack.variants import Variants

TIERS = {1: 1, 2: 20, 3: 50, 4: 100}  # [7] calls a minute, per method, app and workspace

METHOD_TIERS = {
    "apps.connections.open": 1,
    "chat.startStream": 2,
    "chat.stopStream": 2,
    "conversations.list": 2,
    "chat.update": 3,
    "chat.delete": 3,
    "conversations.replies": 3,
    "conversations.history": 3,
    "conversations.info": 3,
    "conversations.open": 3,
    "conversations.join": 3,
    "users.conversations": 3,
    "bots.info": 3,
    "team.info": 3,
    "reactions.add": 3,
    "reactions.remove": 3,
    "chat.appendStream": 4,
    "chat.postEphemeral": 4,
    "conversations.members": 4,
    "users.info": 4,
    "files.info": 4,
    "files.getUploadURLExternal": 4,
    "files.completeUploadExternal": 4,
    "views.publish": 4,
    "views.open": 4,
    "views.update": 4,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Which limits are enforced.

    Attributes:
        per_minute: other numbers than the tiers' for some methods; None switches one off.
        posts_per_second: posts to one channel; short bursts of `post_burst` are let through ([7]).
        posts_per_minute: the undisclosed ceiling of the whole workspace; none unless given.
        speed: seconds that pass for the limits, and in Retry-After, in one second of Slack's clock.
    """

    per_minute: dict[str, int | None] = field(default_factory=dict)
    posts_per_second: float = 1.0
    post_burst: int = 3
    posts_per_minute: int | None = None
    statuses_per_minute: int = 600  # "special"; far above what a well-behaved app sends
    speed: float = 1.0


class RateGate:
    """Counts calls and refuses those that are too many, with 429 and Retry-After in Slack's whole seconds."""

    def __init__(self, limits: Limits | None, variants: Variants, clock: Clock) -> None:
        self.limits, self._variants, self._clock = limits, variants, clock
        self._calls: dict[str, deque[float]] = {}
        self._tokens: dict[str, tuple[float, float]] = {}  # by channel: how many are left, when that was
        self.refused = 0  # calls

    def check(self, method: str, channel: str | None) -> None:
        """Count one call. Raises Refused when it is one too many; then it is not counted."""
        if self.limits is None:
            return
        if method == "chat.postMessage":
            self._post(channel or "")
            if self.limits.posts_per_minute is not None:
                self._window("posts of the workspace", self.limits.posts_per_minute)
            return
        tier = METHOD_TIERS.get(method)
        most = self.limits.per_minute.get(method, TIERS[tier] if tier else None)
        if method == "assistant.threads.setStatus" and method not in self.limits.per_minute:
            most = self.limits.statuses_per_minute
        if most is not None:
            self._window(method, most)

    def _window(self, name: str, most: int) -> None:
        now, calls = self._now(), self._calls.setdefault(name, deque())
        while calls and calls[0] <= now - 60:
            calls.popleft()
        if len(calls) >= most:
            raise self._refusal(calls[0] + 60 - now)
        calls.append(now)

    def _post(self, channel: str) -> None:
        assert self.limits is not None
        now = self._now()
        left, since = self._tokens.get(channel, (float(self.limits.post_burst), now))
        left = min(float(self.limits.post_burst), left + (now - since) * self.limits.posts_per_second)
        self._tokens[channel] = left, now
        if left < 1:
            raise self._refusal((1 - left) / self.limits.posts_per_second)
        self._tokens[channel] = left - 1, now

    def _now(self) -> float:
        return self._clock.now() * (self.limits.speed if self.limits else 1.0)

    def _refusal(self, wait: float) -> Refused:
        self.refused += 1
        return Refused(self._variants.rate_error, status=429, headers={"Retry-After": str(max(1, math.ceil(wait)))})
