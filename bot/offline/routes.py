"""The paths of the Interactions API, under both versions it has."""

from collections.abc import Callable

from aiohttp import web

from bot.offline.arming import Faults
from bot.offline.faults import (
    Call,
    CutFault,
    DropFault,
    ErrorEventFault,
    Fault,
    ForgetFault,
    InProgressFault,
    ResetFault,
    StallFault,
    StatusFault,
    UploadFault,
)
from bot.offline.files import Files
from bot.offline.front import BODY, LARGEST_BODY, front, json_response, refusal
from bot.offline.generation import Generation
from bot.offline.interactions import Interactions
from bot.offline.orders import read_order
from bot.offline.requests import RECEIVED, Received, Requests
from bot.offline.stream import deliver, replay, reset
from bot.offline.telling import Telling
from bot.offline.wire import JsonObject, Refused, text_in


class Routes:
    """What each path does."""

    def __init__(
        self, interactions: Interactions, generation: Generation, files: Files, faults: Faults, requests: Requests
    ) -> None:
        self._interactions = interactions
        self._generation = generation
        self._files = files
        self._faults = faults
        self._requests = requests

    def app(self, key: str | None = None) -> web.Application:
        """All of it as an application, for those who know the key."""
        app = web.Application(middlewares=[front(self._requests, key)], client_max_size=LARGEST_BODY)
        version = "/{version:v1|v1beta}"
        app.add_routes(
            [
                web.post(version + "/interactions", self._create),
                web.get(version + "/interactions/{id}", self._get, allow_head=False),
                web.post(version + "/interactions/{id}/cancel", self._cancel),
                web.delete(version + "/interactions/{id}", self._delete),
                web.post("/upload" + version + "/files", self._begin_upload),
                web.post("/upload/session/{session}", self._upload),
                web.get(version + "/files/{id}", self._get_file, allow_head=False),
                web.delete(version + "/files/{id}", self._delete_file),
            ]
        )
        return app

    def _teller(self, received: Received) -> Callable[[int], None]:
        def told(pieces: int) -> None:
            received.pieces += pieces
            self._requests.bell.ring()

        return told

    def _taken(self, call: Call, narrower: Call | None) -> Fault | None:
        return (None if narrower is None else self._faults.take(narrower)) or self._faults.take(call)

    # --- interactions --------------------------------------------------------------------------

    async def _create(self, request: web.Request) -> web.StreamResponse:
        is_background = (request[RECEIVED].body or {}).get("background") is True
        fault = self._taken(Call.CREATE, Call.BEGIN if is_background else None)
        if isinstance(fault, StatusFault):
            return refusal(fault)
        if isinstance(fault, ForgetFault):
            self._interactions.forget_all(status=fault.status)
        received = request[RECEIVED]
        order = read_order(request[BODY], self._files.describe)
        for earlier in self._interactions.chain(order.previous):
            self._files.check(earlier.input)
        telling = await self._generation.begin(order, fault)
        received.interaction = telling.interaction.id
        try:
            if isinstance(fault, DropFault):
                return await self._dropped(request, telling)
            if order.stream:
                return await deliver(request, telling, told=self._teller(received))
            if order.background:
                return json_response(telling.interaction.as_json())
            return await self._unary(request, telling, fault)
        finally:
            if not order.background:  # which nobody needs to listen to
                telling.listener_left()

    async def _unary(self, request: web.Request, telling: Telling, fault: Fault | None) -> web.StreamResponse:
        await telling.bell.until(lambda: telling.over or telling.broken)
        if isinstance(fault, ErrorEventFault):
            raise Refused(500, fault.code, fault.message)
        if isinstance(fault, CutFault | ResetFault):
            return await self._dropped(request, telling)
        await telling.bell.until(lambda: telling.over)
        return json_response(telling.interaction.as_json())

    async def _dropped(self, request: web.Request, telling: Telling | None) -> web.StreamResponse:
        if telling is not None:
            await telling.bell.until(lambda: telling.over or telling.broken)
        await reset(request)
        raise AssertionError("unreachable: the server ends a request whose connection is gone")

    async def _get(self, request: web.Request) -> web.StreamResponse:
        is_background = self._interactions.is_background(request.match_info["id"])
        fault = self._taken(Call.GET, Call.LOOK if is_background else None)
        if isinstance(fault, StatusFault):
            return refusal(fault)
        if isinstance(fault, ForgetFault):
            self._interactions.forget_all(status=fault.status)
        if isinstance(fault, DropFault):
            return await self._dropped(request, None)
        interaction = self._interactions.find(request.match_info["id"])
        received = request[RECEIVED]
        received.interaction = interaction.id
        if request.query.get("stream") == "true":
            if isinstance(fault, InProgressFault):
                fault = CutFault(after=0)  # it was begun, and nothing comes
            return await replay(
                request,
                self._generation.telling_of(interaction),
                last_event_id=request.query.get("last_event_id", ""),
                fault=fault,
                told=self._teller(received),
            )
        if isinstance(fault, ErrorEventFault):
            raise Refused(500, fault.code, fault.message)
        if isinstance(fault, CutFault | ResetFault):
            return await self._dropped(request, None)
        steps = self._generation.so_far(interaction)
        shown = interaction.as_json(include_input=request.query.get("include_input") == "true")
        if interaction.is_running:
            shown["steps"] = steps
        if isinstance(fault, InProgressFault):
            shown = {key: value for key, value in shown.items() if key not in {"usage", "errors"}}
            shown |= {"status": "in_progress", "steps": []}
        return json_response(shown)

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        fault = self._faults.take(Call.CANCEL)
        if isinstance(fault, StatusFault):
            return refusal(fault)
        interaction = self._interactions.find(request.match_info["id"])
        self._generation.cancel(interaction)
        return json_response(interaction.as_json())

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        fault = self._faults.take(Call.DELETE)
        if isinstance(fault, StatusFault):
            return refusal(fault)
        interaction = self._interactions.find(request.match_info["id"])
        self._interactions.forget(interaction.id)
        request[RECEIVED].interaction = interaction.id
        return json_response({})

    # --- files ---------------------------------------------------------------------------------

    async def _begin_upload(self, request: web.Request) -> web.StreamResponse:
        fault = self._faults.take(Call.UPLOAD)
        if isinstance(fault, StatusFault):
            return refusal(fault)
        body = request[RECEIVED].body or {}
        file = body.get("file")
        about: JsonObject = file if isinstance(file, dict) else {}
        session = self._files.begin(
            name=text_in(about, "name"),
            display_name=text_in(about, "display_name") or text_in(about, "displayName"),
            mime_type=request.headers.get("X-Goog-Upload-Header-Content-Type", "application/octet-stream"),
            fault=fault if isinstance(fault, UploadFault | StallFault) else None,
        )
        url = f"{request.scheme}://{request.host}/upload/session/{session}"
        return json_response({}, headers={"x-goog-upload-url": url, "x-goog-upload-status": "active"})

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        session = request.match_info["session"]
        upload = self._files.upload(session)
        if request.headers.get("X-Goog-Upload-Offset", str(upload.size)) != str(upload.size):
            raise Refused(400, "out_of_range", f"the upload stands at {upload.size} bytes")
        async for piece in request.content.iter_chunked(1 << 16):
            upload.add(piece)
        if "finalize" not in request.headers.get("X-Goog-Upload-Command", ""):
            received = {"x-goog-upload-status": "active", "x-goog-upload-size-received": str(upload.size)}
            return json_response({}, headers=received)
        if isinstance(upload.fault, StallFault):
            await self._faults.stall(lambda: False, seconds=upload.fault.seconds)
        file = self._files.finish(session, url=f"{request.scheme}://{request.host}/v1")
        return json_response({"file": file}, headers={"x-goog-upload-status": "final"})

    async def _get_file(self, request: web.Request) -> web.StreamResponse:
        return json_response(self._files.get(f"files/{request.match_info['id']}"))

    async def _delete_file(self, request: web.Request) -> web.StreamResponse:
        self._files.delete(f"files/{request.match_info['id']}")
        return json_response({})
