"""The HTTP front: one table of routes, through which every request passes."""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import web

from tests.support.discord.access import Access
from tests.support.discord.calls import Call, read_call
from tests.support.discord.json_types import JsonObject
from tests.support.discord.refusal import Refused
from tests.support.discord.wire import Wire, json_answer
from tests.support.discord.world import World
from tests.support.work import Tasks

PREFIX = "/api/v10"
Play = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call answers, if it does not raise `Refused`."""

    body: JsonObject | list[JsonObject] | None = None
    status: int = 200


NOTHING_TO_SAY = Answer(status=204)
Act = Callable[[Call], Answer | Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table.

    Attributes:
        pattern: without ``/api/v10``; what stands in braces is in the call's `params`.
        is_open: needs no bot token; the address itself proves who asks (webhooks, interactions).
    """

    verb: str
    pattern: str
    act: Act
    is_open: bool = False

    @property
    def name(self) -> str:
        return f"{self.verb} {self.pattern}"


class Rest:
    """Serves the table: fault and rate limit first, then token, then the route's act."""

    def __init__(self, world: World, access: Access, wire: Wire, routes: Iterable[Route], *, tasks: Tasks) -> None:
        self._world, self._access, self._wire, self._tasks = world, access, wire, tasks
        self._routes = list(routes)

    def add_to(self, app: web.Application) -> None:
        for route in self._routes:
            app.router.add_route(route.verb, PREFIX + route.pattern, self._door(route))
        app.router.add_route("*", PREFIX + "/{rest:.*}", self._stranger)

    def outside_api(self, name: str, play: Play) -> Play:
        """Serve what is not the API, such as files: it is noted and can be made to fail as *name*."""

        async def serve(request: web.Request) -> web.StreamResponse:
            call = Call(name, request.path_qs, self._world.clock.now(), params=dict(request.match_info))
            return await self._wire.serve(request, call, lambda: play(request), is_api=False)

        return serve

    def _door(self, route: Route) -> Play:
        async def serve(request: web.Request) -> web.StreamResponse:
            call = await read_call(request, route.name, dict(request.match_info), self._world.clock.now())

            async def act() -> web.StreamResponse:
                if not route.is_open:
                    self._access.check(call)
                found = route.act(call)
                answer = await found if inspect.isawaitable(found) else found
                if answer.status == 204:
                    return web.Response(status=204)
                return json_answer(answer.body, status=answer.status)

            answer = await self._wire.serve(request, call, act)
            if call.afterwards:  # what the gateway tells only once the answer is out
                with suppress(ConnectionError):  # a fault may have cut it; what happened is told all the same
                    await answer.prepare(request)
                    await answer.write_eof()
                for happen in call.afterwards:
                    happen()
            return answer

        return serve

    async def _stranger(self, request: web.Request) -> web.StreamResponse:
        name = f"{request.method} {request.path.removeprefix(PREFIX)}"
        call = Call(name, request.path, self._world.clock.now())

        async def act() -> web.StreamResponse:
            # The test fails in the end, and no SDK tries five times before that.
            self._tasks.note(NotImplementedError(f"the stand-in does not know {name}"))
            raise Refused(0, status=404, message="404: Not Found")

        return await self._wire.serve(request, call, act)
