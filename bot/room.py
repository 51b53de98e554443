"""Room in memory for the files of questions: there is only so much, and who finds none waits."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Room:
    """So many bytes, given out in the order in which they are asked for.

    Who asks for more than there is gets it when nobody else has any.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @contextmanager
    def share(self) -> Iterator["Share"]:
        """A part of it for one turn, which may grow, and which is given back when the block ends."""
        share = Share(self)
        try:
            yield share
        finally:
            self.give_back(share.size)

    async def take(self, size: int) -> None:
        """Wait for room."""
        if not self._waiting and self._has(size):
            self._taken += size
            return
        is_ours = asyncio.get_running_loop().create_future()
        self._waiting.append((size, is_ours))
        try:
            await is_ours
        except asyncio.CancelledError:
            if is_ours.done() and not is_ours.cancelled():
                self.give_back(size)
            raise

    def add(self, size: int) -> None:
        """Take what may exceed the room, at once."""
        self._taken += size

    def give_back(self, size: int) -> None:
        """Let the next ones have it."""
        self._taken -= size
        while self._waiting:
            wanted, waiter = self._waiting[0]
            if not waiter.done():
                if not self._has(wanted):
                    return
                self._taken += wanted
                waiter.set_result(None)
            self._waiting.popleft()

    def _has(self, size: int) -> bool:
        return self._taken == 0 or self._taken + size <= self._most


class Share:
    """What one turn has of a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.size = 0  # bytes

    async def grow(self, size: int) -> None:
        """Have room for so many bytes more.

        Only the first ones are waited for: two that have some and wait for more would wait for each other.
        """
        if size and self.size:
            self._room.add(size)
        elif size:
            await self._room.take(size)
        self.size += size
