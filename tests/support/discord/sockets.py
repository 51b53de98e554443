"""One connection to the gateway: frames out, compressed as asked, and ways to break it ([9.2])."""

import asyncio
import json
import zlib
from contextlib import suppress

from aiohttp import web

from tests.support.discord.clock import Clock
from tests.support.discord.json_types import JsonObject
from tests.support.discord.sessions import Session

ZLIB = "zlib-stream"


class Socket:
    """A websocket of a client.

    Attributes:
        is_half_open: nothing gets through any more in either direction, and nobody has closed it.
        is_closed_by_us: [9.2] aiohttp says 1000 of a socket that we closed with anything else.
        heartbeats: how many came.
        close_code: with which the client closed it; None if it did not.
    """

    def __init__(self, number: int, request: web.Request, clock: Clock) -> None:
        self.number, self._request, self._clock = number, request, clock
        self.stream = web.WebSocketResponse(timeout=0.5, compress=False)
        # [9.2] one compression context for the life of the connection
        self._zlib = zlib.compressobj() if request.query.get("compress") == ZLIB else None
        self._outbox: asyncio.Queue[str | float] = asyncio.Queue()
        self.session: Session | None = None
        self.is_half_open = False
        self._pauses = 0
        self.is_closed_by_us = False
        self.heartbeats = 0
        self.close_code: int | None = None

    @property
    def is_open(self) -> bool:
        return self.stream.prepared and not self.stream.closed

    @property
    def shard(self) -> int | None:
        return self.session.shard[0] if self.session else None

    # --- what a test does to it ---------------------------------------------------------------------

    async def ask_to_reconnect(self) -> None:
        """Op 7: the client is to resume over another connection."""
        await self.send({"op": 7, "d": None})

    async def invalidate(self, *, resumable: bool = False) -> None:
        """Op 9: the session is invalid; unless it is resumable, what is missed meanwhile is lost ([2.2])."""
        if not resumable and self.session is not None:
            self.session.is_over = True
        await self.send({"op": 9, "d": resumable})

    async def close(self, code: int = 4000) -> None:
        """A close frame."""
        self.is_closed_by_us = True
        with suppress(ConnectionError):
            await self.stream.close(code=code)

    def reset(self) -> None:
        """The connection is gone without a word."""
        self.is_closed_by_us = True
        if self._request.transport is not None:
            self._request.transport.abort()

    # --- frames -------------------------------------------------------------------------------------

    def put(self, frame: str) -> None:
        """Send a frame after those that wait."""
        self._outbox.put_nowait(frame)

    def pause(self, seconds: float) -> None:
        """Let what comes after what waits be late by so many of Discord's seconds."""
        self._pauses += 1
        self._outbox.put_nowait(seconds)

    async def send(self, payload: JsonObject) -> None:
        """Send a frame now, before those that wait."""
        await self._write(json.dumps(payload))

    async def pump(self) -> None:
        """Write what is put, one after the other, as long as the connection lasts."""
        while True:
            frame = await self._outbox.get()
            if isinstance(frame, str):
                await self._write(frame)
            else:
                await self._clock.sleep(frame)
                self._pauses -= 1
            self._outbox.task_done()

    async def written(self) -> None:
        """Wait until nothing waits to be written, unless what waits is to be late."""
        if not self._pauses:
            await self._outbox.join()

    async def _write(self, frame: str) -> None:
        if self.is_half_open or not self.is_open:
            return
        with suppress(ConnectionError):  # the other side may be gone before we know
            if self._zlib is None:
                await self.stream.send_str(frame)
                return
            # No await between the two: the client reads the frames through one decompressor.
            packed = self._zlib.compress(frame.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH)
            await self.stream.send_bytes(packed)
