"""What may have been missed: since when in each channel, and in which of its threads. Pure."""

from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from adapters.slack.pages import order, order_at
from adapters.slack.places import is_direct, place_of
from bot.messages import Thread

_MARGIN = 600.0  # seconds before the newest known message that are looked at again: events overtake one another
_CLOCKS = 60.0  # seconds that Slack's clock may be ahead of ours
_MOST_DOUBTS = 2000  # threads


class Gaps:
    """Knows which threads are to be read, and from when on. Times are in seconds since the epoch.

    Args:
        age: seconds; what is older is not looked for.
    """

    def __init__(self, installation_id: str, *, age: float) -> None:
        self._installation_id, self._age = installation_id, age
        self._noted_at = 0.0
        self._last: float | None = None  # when anything was heard at all
        self._since: dict[str, float] = {}  # by the channel
        self._told_from: dict[str, str] = {}  # by the channel, how far back its top level was read: a ts
        self._unsettled: set[Thread] = set()  # of those channels' threads
        self._read: set[Thread] = set()
        self._doubts: OrderedDict[Thread, float] = OrderedDict()
        self.heard: Sequence[str] = ()  # channels, the most recently heard first
        self.others: Sequence[str] = ()

    def note(self, heard: Mapping[str, float], channels: Sequence[str], *, now: float) -> None:
        """Take in how far channels were heard when nothing of the present process had been heard yet.

        Args:
            channels: those the bot is in, also where nobody ever addressed it. There it was last heard when it was
                last heard at all. In a new database that was never: the mentions of the time before it are not for
                this bot to answer.
        """
        self._noted_at = now
        self._last = self._from(max(heard.values()), now) if heard else None
        self._since = {channel: self._from(heard_at, now) for channel, heard_at in heard.items()}
        self.heard = tuple(heard)
        if self._last is not None:
            self.others = tuple(channel for channel in channels if channel not in heard)
            self._since |= dict.fromkeys(self.others, self._last)

    def since(self, thread: Thread) -> float | None:
        """The time after which something may have been missed in a thread; None when nothing can have been."""
        times = [since for since in (self._doubts.get(thread), self._gap(thread)) if since is not None]
        return min(times, default=None)

    def since_in(self, channel: str) -> float:
        """The time after which something may have been missed in a noted channel."""
        return self._since[channel]

    def top_was_read(self, channel: str, *, told_from: str, unsettled: Collection[Thread]) -> None:
        """Take in what a channel's top level tells of its threads: in the others nothing was said since.

        Args:
            told_from: the ts after which everything was read.
            unsettled: the threads of after that time that still have to be read.
        """
        self._told_from[channel] = told_from
        self._unsettled.update(unsettled)

    def came_late(self, thread: Thread, since: float) -> None:
        """Note that something said in a thread after a time may have been passed over, at any time of a run."""
        self._doubts[thread] = min(since, self._doubts.pop(thread, since))
        while len(self._doubts) > _MOST_DOUBTS:
            self._doubts.popitem(last=False)

    @contextmanager
    def reading(self, thread: Thread) -> Iterator[float | None]:
        """Read a thread from the time that this yields, as `since` does; when the block ends well it has been read.

        What comes late while it is read may stand behind what was read, and is a reason to read it again.
        """
        since = self.since(thread)
        doubt = self._doubts.pop(thread, None)
        try:
            yield since
        except BaseException:
            if doubt is not None:
                self.came_late(thread, doubt)
            raise
        if self._gap(thread) is not None:
            self._read.add(thread)

    def close(self) -> None:
        """Everything has been read."""
        self._last, self.heard, self.others = None, (), ()
        for known in (self._since, self._told_from, self._unsettled, self._read):
            known.clear()

    def _gap(self, thread: Thread) -> float | None:
        if thread.installation_id != self._installation_id or thread in self._read:
            return None
        channel, ts = place_of(thread)
        # Slack does not list to a bot who wrote to it directly; whoever does so now may have done so before.
        since = self._since.get(channel, self._last if is_direct(channel) else None)
        if since is None or ts is None:
            return since
        told_from = self._told_from.get(channel)
        is_told_of = told_from is not None and order(ts) > order(told_from) and thread not in self._unsettled
        return None if is_told_of or order(ts) > order_at(self._noted_at + _CLOCKS) else since

    def _from(self, heard_at: float, now: float) -> float:
        return max(heard_at - _MARGIN, now - self._age)
