"""Every request goes through here, is counted and noted: the only place that cuts connections or answers nonsense."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from tests.support.discord.calls import DROPPED, Call
from tests.support.discord.clock import Clock
from tests.support.discord.faults import (
    ActThenDrop,
    Broken,
    CutBody,
    DropBefore,
    Fault,
    Faults,
    Hang,
    Redirect,
    SaysError,
    Slow,
    SlowBody,
    TooMany,
)
from tests.support.discord.limits import VIA, RateGate, TooManyRequests
from tests.support.discord.refusal import Refused
from tests.support.work import Bell, Tasks

Act = Callable[[], Awaitable[web.StreamResponse]]
CLOUDFLARE_PAGE = "<!DOCTYPE html><html><title>Access denied | discord.com used Cloudflare</title></html>"


class Wire:
    """Lets calls act, or go wrong as the fault armed for them says, and turns refusals into answers."""

    def __init__(self, faults: Faults, gate: RateGate, *, clock: Clock, bell: Bell, tasks: Tasks) -> None:
        self.faults, self.gate, self._clock, self._bell, self._tasks = faults, gate, clock, bell, tasks
        self.calls: list[Call] = []
        self.closing = asyncio.Event()

    async def serve(self, request: web.Request, call: Call, act: Act, *, is_api: bool = True) -> web.StreamResponse:
        """Answer *call* by *act*, which may raise `Refused`. What is not the API (files) has no rate limits."""
        self.calls.append(call)
        self._bell.ring()
        try:
            fault = self.faults.take(call)
            if fault is None:
                return await self._acted(call, act, is_api)
            return await self._play(fault, request, call, lambda: self._acted(call, act, is_api))
        except (ConnectionError, web.HTTPException):
            raise
        except Exception as error:  # a call the stand-in does not understand must not pass for an outage of Discord
            self._tasks.note(error)
            raise
        finally:
            call.outcome = call.outcome or DROPPED
            self._bell.ring()

    async def _acted(self, call: Call, act: Act, is_api: bool) -> web.StreamResponse:
        headers: Mapping[str, str] = {}
        try:
            if is_api:
                if self.gate.is_banned:  # [5.6] by Cloudflare: no JSON, no Via
                    return self._answered(call, web.Response(status=429, text=CLOUDFLARE_PAGE, headers={}))
                headers = self.gate.check(call.route, call.major, is_interaction=_is_interaction(call))
            answer = await act()
        except Refused as error:
            call.code = error.code
            answer = json_answer(error.body, status=error.status, headers=error.headers)
        answer.headers.update({name: value for name, value in headers.items() if name not in answer.headers})
        call.has_acted = call.code is None and answer.status < 400
        return self._answered(call, answer)

    def _answered(self, call: Call, answer: web.StreamResponse) -> web.StreamResponse:
        call.status = answer.status
        if answer.status < 400:
            call.outcome = "ok"
        else:
            call.outcome = f"code {call.code}" if call.code else f"status {answer.status}"
        self.gate.note(answer.status, answer.headers.get("X-RateLimit-Scope"))
        return answer

    async def _play(  # noqa: PLR0911, PLR0912 - a flat match, one answer a fault
        self, fault: Fault, request: web.Request, call: Call, act: Act
    ) -> web.StreamResponse:
        match fault:
            case ActThenDrop():
                await act()
                return self._cut(request, call)
            case DropBefore():
                return self._cut(request, call)
            case TooMany(retry_after, scope, via, is_json):
                return self._answered(call, _too_many(retry_after, scope=scope, via=via, is_json=is_json))
            case SaysError(code, status, message):
                call.code = code
                return self._answered(call, json_answer({"message": message, "code": code}, status=status))
            case Broken(status, body, content_type, acts):
                if acts:
                    await act()
                call.outcome, call.status = f"status {status}", status
                # The type stands bare, so that even JSON that is cut short is taken for JSON ([9.2]).
                return web.Response(status=status, body=body.encode(), headers={"Content-Type": content_type})
            case Slow(seconds, acts_first):
                if not acts_first:
                    await self._pause(seconds)
                    return await act()
                answer = await act()
                await self._pause(seconds)
                return answer
            case Hang(acts):
                if acts:
                    await act()
                call.outcome = DROPPED
                self._bell.ring()
                await self.closing.wait()
                return self._cut(request, call)
            case CutBody(after):
                answer = await act()
                await self._send_part(request, answer, after=after)
                return self._cut(request, call)
            case SlowBody(chunk, seconds):
                return await self._send_part(request, await act(), chunk=chunk, seconds=seconds)
            case Redirect(to, status):
                where = to or str(request.url.with_host("localhost").with_path("/elsewhere" + request.path))
                call.outcome, call.status = f"status {status}", status
                return web.Response(status=status, headers={"Location": where})

    async def _send_part(
        self,
        request: web.Request,
        whole: web.StreamResponse,
        *,
        after: int | None = None,
        chunk: int | None = None,
        seconds: float = 0.0,
    ) -> web.StreamResponse:
        """Announce a whole body and send it in pieces, or only its beginning."""
        assert isinstance(whole, web.Response), "only bodies known as a whole can be cut"
        body = whole.body if isinstance(whole.body, bytes) else b""
        headers = {"Content-Type": whole.headers["Content-Type"], "Content-Length": str(len(body))}
        part = web.StreamResponse(status=whole.status, headers=headers)
        await part.prepare(request)
        sent = body[:after]
        step = chunk or len(sent) or 1
        for start in range(0, len(sent), step):
            if start:
                await self._pause(seconds)
            await part.write(sent[start : start + step])
        return part

    def _cut(self, request: web.Request, call: Call) -> web.Response:
        call.outcome = DROPPED
        return cut(request)

    async def _pause(self, seconds: float) -> None:
        waiting = asyncio.ensure_future(self._clock.sleep(seconds))
        closing = asyncio.ensure_future(self.closing.wait())
        try:
            await asyncio.wait({waiting, closing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            closing.cancel()


def _is_interaction(call: Call) -> bool:
    return "/interactions/" in call.route or "/webhooks/" in call.route


def _too_many(retry_after: float, *, scope: str, via: bool, is_json: bool) -> web.Response:
    if not is_json:
        headers = {"Via": VIA} if via else {}
        return web.Response(status=429, text=CLOUDFLARE_PAGE, content_type="text/html", headers=headers)
    refusal = TooManyRequests(retry_after, scope)  # type: ignore[arg-type]  # a Scope, by the fault's own field
    headers = {name: value for name, value in refusal.headers.items() if via or name != "Via"}
    return json_answer(refusal.body, status=429, headers=headers)


def cut(request: web.Request) -> web.Response:
    """Cut the connection under a request; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def json_answer(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON with the bare content type: with a charset discord.py takes it for text ([9.2])."""
    told = {**(headers or {}), "Content-Type": "application/json"}
    return web.Response(body=json.dumps(body).encode(), status=status, headers=told)
