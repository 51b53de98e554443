"""Plays a fault on one request: the only place that cuts connections or answers nonsense."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from tests.support.slack.calls import DROPPED, Call
from tests.support.slack.clock import Clock
from tests.support.slack.faults import (
    ActThenDrop,
    Broken,
    CutBody,
    DropBefore,
    Fault,
    Faults,
    Hang,
    SaysError,
    Slow,
    TooMany,
)
from tests.support.slack.work import Bell, Tasks

Act = Callable[[], Awaitable[web.StreamResponse]]


class Wire:
    """Every request goes through here, so that each can be made to fail, is noted, and ends when the server does."""

    def __init__(self, faults: Faults, *, clock: Clock, bell: Bell, tasks: Tasks) -> None:
        self.faults, self._clock, self._bell, self._tasks = faults, clock, bell, tasks
        self.calls: list[Call] = []
        self.closing = asyncio.Event()

    async def serve(self, request: web.Request, call: Call, act: Act) -> web.StreamResponse:
        """Answer *call* by *act*, or as the fault armed for it says."""
        self.calls.append(call)
        self._bell.ring()
        try:
            fault = self.faults.take(call)
            if fault is None:
                return await self._acted(call, act)
            return await self._play(fault, request, call, act)
        except (ConnectionError, web.HTTPException):
            raise
        except Exception as error:  # a call the stand-in does not understand must not pass for an outage of Slack
            self._tasks.note(error)
            raise
        finally:
            call.outcome = call.outcome or DROPPED
            self._bell.ring()

    async def _acted(self, call: Call, act: Act) -> web.StreamResponse:
        answer = await act()
        call.has_acted = call.outcome == "ok"
        return answer

    async def _play(  # noqa: PLR0911 - a flat match, one answer a fault
        self, fault: Fault, request: web.Request, call: Call, act: Act
    ) -> web.StreamResponse:
        match fault:
            case ActThenDrop():
                await self._acted(call, act)
                call.outcome = DROPPED
                return cut(request)
            case DropBefore():
                call.outcome = DROPPED
                return cut(request)
            case TooMany(retry_after, error):
                call.outcome = error
                headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
                return web.json_response({"ok": False, "error": error}, status=429, headers=headers)
            case SaysError(error, status, more):
                call.outcome = error
                return web.json_response({"ok": False, "error": error, **more}, status=status)
            case Broken(status, body, content_type, acts):
                if acts:
                    await self._acted(call, act)
                call.outcome = f"status {status}"
                return web.Response(status=status, text=body, content_type=content_type)
            case Slow(seconds, acts_first):
                if not acts_first:
                    await self._pause(seconds)
                    return await self._acted(call, act)
                answer = await self._acted(call, act)
                await self._pause(seconds)
                return answer
            case Hang(acts):
                if acts:
                    await self._acted(call, act)
                call.outcome = DROPPED
                self._bell.ring()
                await self.closing.wait()
                return cut(request)
            case CutBody(after):
                answer = await self._acted(call, act)
                assert isinstance(answer, web.Response), "only bodies known as a whole can be cut"
                return await _cut_body(request, answer, after)

    async def _pause(self, seconds: float) -> None:
        waiting = asyncio.ensure_future(self._clock.sleep(seconds))
        closing = asyncio.ensure_future(self.closing.wait())
        try:
            await asyncio.wait({waiting, closing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            closing.cancel()


def cut(request: web.Request) -> web.Response:
    """Cut the connection under a request; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _cut_body(request: web.Request, whole: web.Response, after: int) -> web.StreamResponse:
    body = whole.body if isinstance(whole.body, bytes) else b""
    part = web.StreamResponse(headers={"Content-Type": whole.content_type, "Content-Length": str(len(body))})
    await part.prepare(request)
    await part.write(body[:after])
    return cut(request)


def json_answer(body: object, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(text=json.dumps(body), status=status, headers=headers, content_type="application/json")
