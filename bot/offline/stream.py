"""An answer's events on their way to one client, and the ways in which they do not arrive."""

import asyncio
import socket
import struct
import sys
from collections.abc import Callable

from aiohttp import web

from bot.offline.faults import (
    CutFault,
    ErrorEventFault,
    Fault,
    PingFault,
    RepeatFault,
    ResetFault,
    StallAt,
    StallFault,
)
from bot.offline.requests import RECEIVED
from bot.offline.telling import Telling, breaking_point
from bot.offline.wire import Frame, JsonObject, encode

HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
Told = Callable[[int], None]
"""Hears how many pieces of text have gone out to the client."""


async def deliver(request: web.Request, telling: Telling, *, told: Told) -> web.StreamResponse:
    """Send the stream of an answer to the client that asked for it, up to the fault it may have."""
    fault = telling.fault
    if isinstance(fault, StallFault) and fault.at is StallAt.HEADERS:
        await telling.bell.until(lambda: telling.out > 0 or telling.over)
    response = await _prepared(request)
    at = 0
    breaks = isinstance(fault, ErrorEventFault | CutFault | ResetFault)
    stop = telling.break_at if breaks and telling.break_at is not None else sys.maxsize

    def has_more() -> bool:
        return min(telling.out, stop) > at or telling.over or (breaks and telling.broken)

    while True:
        await _more(response, telling, has_more)
        upto = min(telling.out, stop)
        await _send(response, telling.frames, at, upto, told)
        at = upto
        if telling.broken and at == stop:
            return await broken_off(request, response, fault)
        if telling.over and at == min(telling.out, stop):
            return response


async def replay(
    request: web.Request, telling: Telling, *, last_event_id: str, fault: Fault | None, told: Told
) -> web.StreamResponse:
    """Send the stream again from after an event, and follow it while it is still growing."""
    at = 0 if isinstance(fault, RepeatFault) else _position_after_event(telling.frames, last_event_id)
    breaks_at = breaking_point(telling.frames, fault)
    stop = sys.maxsize if breaks_at is None else max(breaks_at, at)
    response = await _prepared(request)

    def has_more() -> bool:
        return min(telling.out, stop) > at or telling.over or at == stop

    while True:
        await telling.bell.until(has_more)
        upto = max(at, min(telling.out, stop))
        await _send(response, telling.frames, at, upto, told)
        at = upto
        if at == stop:
            return await broken_off(request, response, fault)
        if telling.over and at >= min(telling.out, stop):
            return response


async def broken_off(request: web.Request, response: web.StreamResponse, fault: Fault | None) -> web.StreamResponse:
    """End a stream the way the fault has it."""
    if isinstance(fault, ErrorEventFault):
        error: JsonObject = {"error": {"code": fault.code, "message": fault.message}}
        event = error if fault.bare else {"event_type": "error"} | error
        await response.write(b"event: error\ndata: %b\n\n" % encode(event))
    elif isinstance(fault, ResetFault):
        await reset(request)
    return response


async def reset(request: web.Request) -> None:
    """Break the client's connection, so that it sees a reset. Does not return: the server cancels us."""
    request[RECEIVED].dropped = True
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        if connection is not None:
            # No lingering: closing sends a reset and throws away what is not sent yet.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    await asyncio.Event().wait()


async def _prepared(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(request)
    return response


async def _more(response: web.StreamResponse, telling: Telling, look: Callable[[], bool]) -> None:
    """Wait for more to send; with a comment now and then where the fault asks for them."""
    fault = telling.fault
    if not isinstance(fault, PingFault):
        await telling.bell.until(look)
        return
    while not look():
        try:
            async with asyncio.timeout(fault.every):
                await telling.bell.until(look)
        except TimeoutError:
            await response.write(b": ping\n\n")


async def _send(response: web.StreamResponse, frames: list[Frame], at: int, upto: int, told: Told) -> None:
    if upto > at:
        # Everything there is in one write: at no pace at all, an answer costs one system call.
        await response.write(b"".join([frame.data for frame in frames[at:upto]]))
        if pieces := sum(frame.text is not None for frame in frames[at:upto]):
            told(pieces)


def _position_after_event(frames: list[Frame], event_id: str) -> int:
    mark = b'"event_id":"%b"' % event_id.encode()
    if event_id:
        for at, frame in enumerate(frames):
            # Near its beginning, where no text of a person can stand.
            if mark in frame.data[:120]:
                return at + 1
    return 0
