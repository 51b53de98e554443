"""What became of messages a moment ago. Slack promises no order between events, and two sockets keep none."""

import math
from collections import OrderedDict
from collections.abc import Callable

from bot.messages import MessageId, Thread

# An event that was not acknowledged comes again at once, after one minute and after five. (Reference: the Events API.)
_AGE = 600.0  # seconds
_MOST = 10_000  # messages; Slack hands over 30,000 events of a workspace in an hour


class Changes:
    """Remembers when a message was changed last, so that an older event about it, coming late, changes nothing.

    In memory, for a while: a deletion that comes first is nearly always one of what people said to each other, which
    is not to leave a row each in the database. A restart forgets them, and asks for little of it: what was never
    handed over is read from Slack after it, where a deleted message is not found. Only an event that Slack is still
    trying to hand over then, of a message whose deletion the process before took, makes a question of what is gone.

    Args:
        now: seconds from any beginning.
    """

    def __init__(self, now: Callable[[], float], *, age: float = _AGE, most: int = _MOST) -> None:
        self._now, self._age, self._most = now, age, most
        self._changed: OrderedDict[tuple[str, str, MessageId], tuple[float, float]] = OrderedDict()

    def note(self, thread: Thread, message: MessageId, at: float) -> None:
        """A message was edited at a time, in seconds since the epoch."""
        key, now = _key(thread, message), self._now()
        self._changed[key] = at, now
        self._changed.move_to_end(key)
        while len(self._changed) > self._most or next(iter(self._changed.values()))[1] < now - self._age:
            self._changed.popitem(last=False)

    def note_deletion(self, thread: Thread, message: MessageId) -> None:
        """A message was deleted: nothing comes after that."""
        self.note(thread, message, math.inf)

    def overtook(self, thread: Thread, message: MessageId, at: float) -> bool:
        """Whether what a message was at a time is not what it is now."""
        return self._last(thread, message) > at

    def is_deleted(self, thread: Thread, message: MessageId) -> bool:
        """Whether a message was deleted."""
        return self._last(thread, message) == math.inf

    def _last(self, thread: Thread, message: MessageId) -> float:
        changed_at, _ = self._changed.get(_key(thread, message), (-math.inf, 0.0))
        return changed_at


def _key(thread: Thread, message: MessageId) -> tuple[str, str, MessageId]:
    """A message by its channel alone: the event of a deletion may not tell which thread it was in."""
    return thread.installation_id, thread.channel_id, message
