"""Functions for the model, as an operator would write them, held by the test from outside its process.

async with bells() as bells:
    ... await bells.rung(1)     # `ring` is being called
    bells.answer("ding")
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.functions import Caller, function

MODULE = "tests.support.functions"


@function
async def ring(port: int) -> str:
    """Ring a bell, and return what whoever hears it says.

    Args:
        port: of the one who hears it.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return (await reader.readline()).decode()
    finally:
        writer.close()


@function
def who_asks(caller: Caller) -> dict[str, str]:
    """Say who asks, and where."""
    return {"person": caller.person.id, "thread": caller.thread.key}


@function
def fail() -> str:
    """Fail."""
    raise ValueError("the secret reason")


@function(needs_approval=True)
def order(article: str) -> str:
    """Order an article, which costs money."""
    return f"{article} is on its way"


@dataclass
class Bells:
    """Whoever hears the bell."""

    port: int = 0
    times: int = 0  # it was rung
    _held: dict[int, asyncio.StreamWriter] = field(default_factory=dict)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _gone: set[int] = field(default_factory=set)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def call(self) -> str:
        """What to say for the offline model to ring it."""
        return f'call ring with {{"port": {self.port}}}'

    async def rung(self, times: int) -> None:
        """Wait until it was rung so many times."""
        await self._until(lambda: self.times >= times)

    async def left(self, number: int) -> None:
        """Wait until the one who rang it for the so-manieth time does not listen any more."""
        await self._until(lambda: number in self._gone)

    def answer(self, words: str) -> None:
        """Answer everybody who rings, and has had no answer."""
        for writer in self._held.values():
            writer.write(f"{words}\n".encode())
        self._held.clear()

    def hang_up(self) -> None:
        """Listen to nobody any more."""
        for writer in self._open:
            writer.close()

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(holds)

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._changed:
            self.times += 1
            number = self.times
            self._held[number] = writer
            self._open.add(writer)
            self._changed.notify_all()
        try:
            await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()
        async with self._changed:
            self._gone.add(number)
            self._open.discard(writer)
            self._held.pop(number, None)
            self._changed.notify_all()


@asynccontextmanager
async def bells() -> AsyncIterator[Bells]:
    """A bell on loopback."""
    heard = Bells()
    server = await asyncio.start_server(heard.hear, "127.0.0.1", 0)
    heard.port = server.sockets[0].getsockname()[1]
    try:
        yield heard
    finally:
        server.close()
        heard.hang_up()
