"""Socket Mode: sections 2 and 11 of the reference."""

import asyncio
import json
import random
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import WSMsgType, web

from tests.support.slack.clock import Clock
from tests.support.slack.deliveries import Ack, Delivery, Tried
from tests.support.slack.faults import Faults
from tests.support.slack.json_types import JsonObject
from tests.support.slack.variants import Install, Variants
from tests.support.slack.work import Bell

MOST = 10  # [2] open sockets of one app
Reason = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]


@dataclass(slots=True, eq=False)
class Socket:
    """One connection of the app.

    Attributes:
        is_half_open: nothing gets through any more in either direction, and nobody has closed it.
        takes_events: a socket that was warned gets no new envelopes.
        sent: the envelopes and frames written to it.
    """

    number: int
    request: web.Request
    stream: web.WebSocketResponse
    is_half_open: bool = False
    takes_events: bool = True
    pings: int = 0
    sent: list[JsonObject] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return not self.stream.closed

    async def send(self, frame: JsonObject) -> None:
        self.sent.append(frame)
        if not self.is_half_open:
            with suppress(ConnectionError):  # the other side may be gone before we know
                await self.stream.send_str(json.dumps(frame))

    async def say_disconnect(self, reason: Reason) -> None:
        """Tell the app to connect anew ([2]); closing the socket is another step."""
        self.takes_events = False
        await self.send({"type": "disconnect", "reason": reason, "debug_info": {"host": "wss-1"}})

    async def close(self) -> None:
        """A close frame."""
        await self.stream.close()

    def reset(self) -> None:
        """The connection is gone without a word."""
        if self.request.transport is not None:
            self.request.transport.abort()


@dataclass(slots=True, eq=False)
class _Envelope:
    delivery: Delivery
    socket: Socket
    acknowledged: asyncio.Future[JsonObject | None]

    def give_up(self) -> None:
        if not self.acknowledged.done():
            self.acknowledged.cancel()


class Sockets:
    """The sockets of the app, and the envelopes that went out over them."""

    may_reorder = False

    def __init__(
        self,
        install: Install,
        variants: Variants,
        faults: Faults,
        *,
        clock: Clock,
        bell: Bell,
        dice: random.Random,
    ) -> None:
        self._install, self._variants, self._faults = install, variants, faults
        self._clock, self._bell, self._random = clock, bell, dice
        self._tickets: set[str] = set()
        self._envelopes: dict[str, _Envelope] = {}
        self.all: list[Socket] = []
        self.acks: list[Ack] = []
        self.is_disabled = False

    @property
    def open(self) -> list[Socket]:
        return [socket for socket in self.all if socket.is_open]

    def ticket(self) -> str:
        """A ticket for one connection ([2] the URL is good once)."""
        ticket = self._new_uuid()
        self._tickets.add(ticket)
        return ticket

    async def connect(self, request: web.Request) -> web.StreamResponse:
        if self._faults.refuse_sockets is not None:
            return web.Response(status=self._faults.refuse_sockets)
        if request.query.get("ticket") not in self._tickets:
            return web.Response(status=401, text="ticket spent or unknown")
        self._tickets.discard(request.query["ticket"])
        stream = web.WebSocketResponse(autoping=False, timeout=0.5)
        await stream.prepare(request)
        socket = Socket(len(self.all) + 1, request, stream)
        is_one_too_many = len(self.open) >= MOST
        if not is_one_too_many and not self.is_disabled:
            self.all.append(socket)
            await socket.send(self._hello())
            self._bell.ring()
            await self._listen(socket)
            self._bell.ring()
            return stream
        await socket.say_disconnect("too_many_websockets" if is_one_too_many else "link_disabled")
        await socket.close()
        return stream

    async def attempt(self, delivery: Delivery, number: int, reason: str) -> Tried:
        """Send an envelope to one arbitrary socket ([2]) and wait for its acknowledgement."""
        ready = [socket for socket in self.open if socket.takes_events]
        if not ready:  # [2] a delivery that failed; it is tried again
            return Tried(self._variants.no_socket_reason)
        socket = self._random.choice(ready)
        envelope_id, frame = self._frame(delivery, number, reason)
        envelope = _Envelope(delivery, socket, asyncio.get_running_loop().create_future())
        self._envelopes[envelope_id] = envelope
        timer = self._clock.after(self._variants.ack_within, envelope.give_up)
        await socket.send(frame)
        try:
            await asyncio.wait([envelope.acknowledged])
        finally:
            timer.cancel()
        if envelope.acknowledged.cancelled():
            return Tried("timeout", where=socket.number)
        return Tried(None, envelope.acknowledged.result(), socket.number)

    async def close(self) -> None:
        for socket in self.open:
            socket.reset() if socket.is_half_open else await socket.close()

    def _frame(self, delivery: Delivery, number: int, reason: str) -> tuple[str, JsonObject]:
        envelope_id = self._new_uuid()
        is_same = self._variants.same_envelope_again and number > 0
        if is_same:  # [2] bolt-js 2487
            envelope_id = next(id_ for id_, sent in self._envelopes.items() if sent.delivery is delivery)
        frame: JsonObject = {
            "envelope_id": envelope_id,
            "type": delivery.kind,
            "accepts_response_payload": delivery.kind != "events_api",
            "payload": delivery.payload,
        }
        if delivery.kind == "events_api" and (number or self._variants.first_attempt_is_named):
            frame |= {"retry_attempt": 0 if is_same else number, "retry_reason": "" if is_same else reason}
        return envelope_id, frame

    async def _listen(self, socket: Socket) -> None:
        async for message in socket.stream:
            if socket.is_half_open:
                continue
            if message.type == WSMsgType.PING:
                socket.pings += 1
                with suppress(ConnectionError):
                    await socket.stream.pong(message.data)  # [11] with the same data
            elif message.type == WSMsgType.TEXT:
                self._acknowledge(socket, json.loads(message.data))
            self._bell.ring()

    def _acknowledge(self, socket: Socket, said: JsonObject) -> None:
        envelope = self._envelopes.get(said["envelope_id"])
        if envelope is None:
            return
        is_in_time = not envelope.acknowledged.done()
        is_accepted = is_in_time and (envelope.socket is socket or self._variants.acks_over_new_socket)
        ack = Ack(
            said["envelope_id"],
            envelope.delivery,
            said.get("payload"),
            socket.number,
            envelope.socket.number,
            self._clock.now(),
            is_accepted,
        )
        self.acks.append(ack)
        if is_accepted:
            envelope.acknowledged.set_result(ack.payload)

    def _hello(self) -> JsonObject:
        debug = {"host": "applink-1", "approximate_connection_time": 3600}
        return {
            "type": "hello",
            "num_connections": len(self.open),
            "connection_info": {"app_id": self._install.app_id},
            "debug_info": debug,
        }

    def _new_uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
