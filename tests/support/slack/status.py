"""The line under a thread that says what the app is doing: section 5, "Status line"."""

from dataclasses import dataclass

from tests.support.slack.clock import Clock, Timer
from tests.support.slack.work import Bell

LIFE = 120.0  # seconds; it vanishes after 2 minutes without a message


@dataclass(frozen=True, slots=True)
class Status:
    """One status that was set. An empty text took it away."""

    channel: str
    thread_ts: str
    text: str
    loading_messages: tuple[str, ...]
    at: float


class Statuses:
    """Which thread shows which status now, and which were ever set."""

    def __init__(self, clock: Clock, bell: Bell) -> None:
        self._clock, self._bell = clock, bell
        self._shown: dict[tuple[str, str], Status] = {}
        self._timers: dict[tuple[str, str], Timer] = {}
        self.history: list[Status] = []

    def set(self, channel: str, thread_ts: str, text: str, loading_messages: tuple[str, ...]) -> None:
        status = Status(channel, thread_ts, text, loading_messages, self._clock.now())
        self.history.append(status)
        self.clear(channel, thread_ts)
        if text:
            self._shown[channel, thread_ts] = status
            self._timers[channel, thread_ts] = self._clock.after(LIFE, lambda: self._expire(status))
        self._bell.ring()

    def clear(self, channel: str, thread_ts: str) -> None:
        if (channel, thread_ts) in self._shown:
            del self._shown[channel, thread_ts]
            self._timers.pop((channel, thread_ts)).cancel()

    def of(self, channel: str, thread_ts: str) -> str | None:
        status = self._shown.get((channel, thread_ts))
        return status.text if status else None

    def _expire(self, status: Status) -> None:
        if self._shown.get((status.channel, status.thread_ts)) is status:
            self.clear(status.channel, status.thread_ts)
            self._bell.ring()
