"""What the gateway remembers of a client beyond its connection, so that it can resume ([2.2])."""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tests.support.discord.intents import EVERYBODY, Intent
from tests.support.discord.json_types import JsonObject


class Outlet(Protocol):
    """A connection, as far as a session needs one."""

    def put(self, frame: str) -> None: ...
    def pause(self, seconds: float) -> None: ...
    def reset(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for whoever asked for it.

    Attributes:
        intents: any of these brings it; none at all: it comes to everybody.
        tell: its payload, for an app with or without the message content intent.
    """

    name: str
    guild_id: str | None
    intents: Intent
    tell: Callable[[bool], JsonObject]


@dataclass(slots=True, eq=False)
class Session:
    """One client's place in the stream of events.

    Attributes:
        shard: which of how many.
        lost_at: when its connection went; None while it has one.
        is_over: the client left for good, or was told that it is invalid.
        sent: names of the events it was told, in order, with their sequence numbers.
    """

    id: str
    intents: Intent
    shard: tuple[int, int]
    buffer: deque[tuple[int, str]]
    sequence: int = 0
    socket: Outlet | None = None
    lost_at: float | None = None
    is_over: bool = False
    sent: list[tuple[int, str]] = field(default_factory=list)
    held: Event | None = None  # swapped with the one after it

    def takes(self, event: Event) -> bool:
        """Whether it asked for this, and it is its shard's ([2.4]: direct messages are the first one's)."""
        number, count = self.shard
        home = (int(event.guild_id) >> 22) % count if event.guild_id else 0
        return home == number and (event.intents == EVERYBODY or bool(event.intents & self.intents))

    def say(self, name: str, data: JsonObject) -> None:
        """Tell one event: over the connection if there is one, and later to whoever resumes."""
        self.sequence += 1
        frame = json.dumps({"op": 0, "t": name, "s": self.sequence, "d": data})
        self.buffer.append((self.sequence, frame))
        self.sent.append((self.sequence, name))
        if self.socket is not None:
            self.socket.put(frame)

    def missed_since(self, sequence: int) -> list[str] | None:
        """The frames after a sequence number; None when some of them are forgotten."""
        oldest = self.buffer[0][0] if self.buffer else self.sequence + 1
        if sequence + 1 < oldest:
            return None
        return [frame for number, frame in self.buffer if number > sequence]
