"""The HTTP front of the stand-in: Web API, files, response URLs and the socket's door, every one of them breakable."""

import inspect
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from tests.support.slack.access import SCOPES, Access
from tests.support.slack.api_chat import Chat
from tests.support.slack.api_conversations import Conversations
from tests.support.slack.api_files import LOGIN_PAGE, Files
from tests.support.slack.api_people import People, Surroundings
from tests.support.slack.api_streams import Streams
from tests.support.slack.calls import Call, read_call
from tests.support.slack.interactions import Interactions
from tests.support.slack.json_types import JsonObject
from tests.support.slack.limits import RateGate
from tests.support.slack.refusal import Refused
from tests.support.slack.sockets import Sockets
from tests.support.slack.triggers import Triggers
from tests.support.slack.wire import Wire, json_answer
from tests.support.slack.workspace import Workspace

Method = Callable[[Call], JsonObject]
Play = Callable[[web.Request, Call], Awaitable[web.Response]]


class WebApi:
    """Routes requests to the families of methods, through tokens, scopes and rate limits."""

    def __init__(
        self,
        workspace: Workspace,
        access: Access,
        *,
        gate: RateGate,
        wire: Wire,
        sockets: Sockets,
        triggers: Triggers,
        interactions: Interactions,
    ) -> None:
        self._workspace, self._access, self._gate, self._wire = workspace, access, gate, wire
        self._sockets, self._interactions = sockets, interactions
        self._files = Files(workspace, access)
        self._methods: Mapping[str, Method] = {
            "apps.connections.open": self._open_connection,
            **Chat(workspace, access).methods,
            **Streams(workspace, access).methods,
            **Conversations(workspace, access).methods,
            **People(workspace).methods,
            **Surroundings(workspace, access, triggers).methods,
            **self._files.methods,
        }
        self.foreign_visits: list[tuple[str, str | None]] = []  # path, Authorization header

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/link", self._sockets.connect)
        app.router.add_get("/files-pri/{file}/download/{name}", self._download)
        app.router.add_get("/files-pri/{file}/{name}", self._download)
        app.router.add_post("/upload/v1/{ticket}", self._upload)
        app.router.add_post("/response/{ticket}", self._response)
        app.router.add_get("/signin", self._sign_in)
        app.router.add_get("/elsewhere/{rest:.*}", self._elsewhere)
        return app

    async def _api(self, request: web.Request) -> web.StreamResponse:
        call = await read_call(request, self._workspace.clock.now())

        async def act() -> web.StreamResponse:
            try:
                self._access.check(call)
                self._gate.check(call.method, call.text("channel"))
                found = self._methods[call.method](call)
                body: JsonObject = await found if inspect.isawaitable(found) else found
            except Refused as error:
                call.outcome = error.error
                return json_answer(error.body, status=error.status, headers=self._scopes(call) | error.headers)
            call.outcome = "ok"
            return json_answer({"ok": True, **body}, headers=self._scopes(call))

        return await self._wire.serve(request, call, act)

    def _scopes(self, call: Call) -> dict[str, str]:
        if not self._workspace.variants.names_scopes or call.token != self._workspace.install.bot_token:
            return {}
        headers = {"x-oauth-scopes": ",".join(sorted(self._access.scopes))}
        if needed := SCOPES.get(call.method):
            headers["x-accepted-oauth-scopes"] = ",".join(needed)
        return headers

    def _open_connection(self, call: Call) -> JsonObject:
        if self._sockets.is_disabled:
            raise Refused("forbidden_team")
        address = self._workspace.base.replace("http://", "ws://")
        return {"url": f"{address}/link?ticket={self._sockets.ticket()}&app_id={self._workspace.install.app_id}"}

    async def _download(self, request: web.Request) -> web.StreamResponse:
        return await self._outside_api(request, "file.download", self._files.download)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        return await self._outside_api(request, "file.upload", self._files.upload)

    async def _response(self, request: web.Request) -> web.StreamResponse:
        async def respond(request: web.Request, call: Call) -> web.Response:
            return self._interactions.respond(request.match_info["ticket"], await request.json(), call)

        return await self._outside_api(request, "response_url", respond)

    async def _outside_api(self, request: web.Request, name: str, play: Play) -> web.StreamResponse:
        scheme, _, said = request.headers.get("Authorization", "").partition(" ")
        args = {"path": request.path, **request.match_info}
        token = said if scheme == "Bearer" else None
        call = Call(name, args, token, self._workspace.clock.now(), http_method=request.method)
        return await self._wire.serve(request, call, lambda: play(request, call))

    async def _sign_in(self, request: web.Request) -> web.Response:
        return web.Response(text=LOGIN_PAGE, content_type="text/html")

    async def _elsewhere(self, request: web.Request) -> web.Response:
        """What stands for other hosts: nothing should ever be fetched from here, least of all with a token."""
        self.foreign_visits.append((request.path, request.headers.get("Authorization")))
        return web.Response(text="a page of somebody else")
