"""What every request passes on its way in and out: noted, let in with a key only, refused in the API's words."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.offline.faults import StatusFault
from bot.offline.requests import RECEIVED, Received, Requests, shortened
from bot.offline.wire import ErrorShape, Refused, code_for, encode, error_body

LARGEST_BODY = 160 << 20  # bytes: Gemini's 100 MB inline, in base64, and some
_LARGE_BODY = 1 << 18  # bytes, from which on only a shortened body is kept in the note of a request

BODY = web.RequestKey("body", object)
"""The JSON a request came with, whole; None when it is of another kind."""

_UPLOADING = "/upload/session/"


def front(requests: Requests, key: str | None = None) -> Middleware:
    """The middleware around all endpoints."""

    @web.middleware
    async def pass_through(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        received = Received(request.method, request.path, request.query, request.headers)
        request[RECEIVED] = received
        try:
            await _read_body(request)
            requests.add(received)
            _check_key(request, key)
            return await handler(request)
        except Refused as error:
            return _answer(request, error)
        except web.HTTPException as error:
            return _answer(request, Refused(error.status, code_for(error.status), error.reason))
        except (asyncio.CancelledError, ConnectionError):
            received.disconnected = not received.dropped
            raise
        finally:
            received.ended = True
            requests.bell.ring()

    return pass_through


async def _read_body(request: web.Request) -> None:
    if request.method != "POST" or request.path.startswith(_UPLOADING):
        request[BODY] = None
        return
    raw = await request.read()
    try:
        whole: object = json.loads(raw) if raw else None
    except ValueError as error:
        raise Refused(400, "invalid_request", f"the body is no JSON: {error}") from error
    request[BODY] = whole
    noted = shortened(whole) if len(raw) > _LARGE_BODY else whole
    request[RECEIVED].body = noted if isinstance(noted, dict) else None


def json_response(value: Mapping[str, object], headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer with a JSON body."""
    return web.Response(body=encode(value), content_type="application/json", headers=headers)


def refusal(fault: StatusFault) -> web.Response:
    """The answer a status fault asks for."""
    code = fault.code or code_for(fault.status)
    body = error_body(fault.status, code, fault.message, shape=fault.shape, retry_delay=fault.retry_delay)
    headers = {"retry-after": fault.retry_after, "retry-after-ms": fault.retry_after_ms}
    return web.Response(
        status=fault.status,
        body=body,
        content_type="text/html" if fault.shape is ErrorShape.HTML else "application/json",
        headers={name: value for name, value in headers.items() if value is not None},
    )


def _check_key(request: web.Request, key: str | None) -> None:
    # The address of an upload is a secret of its own, and the SDK sends no key there.
    if request.path.startswith(_UPLOADING):
        return
    given = request.headers.get("x-goog-api-key")
    if not given:
        raise Refused(401, "authentication", "the request has no API key")
    if key is not None and not hmac.compare_digest(given.encode(), key.encode()):
        raise Refused(401, "authentication", "the API key is not valid")


def _answer(request: web.Request, error: Refused) -> web.Response:
    # The part of the SDK that speaks to the files API reads Google's shape only.
    shape = ErrorShape.GOOGLE if "/files" in request.path else ErrorShape.PLAIN
    body = error_body(error.status, error.code, error.message, shape=shape)
    return web.Response(status=error.status, body=body, content_type="application/json")
