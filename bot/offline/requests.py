"""What the offline model was asked, and ways to wait for it."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from bot.offline.bell import Bell
from bot.offline.wire import JsonObject


@dataclass(slots=True, eq=False)
class Received:
    """A request, and what has become of it so far."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in any case
    body: JsonObject | None = None  # when it is JSON
    interaction: str | None = None  # the id of the one it created, asked for or deleted
    pieces: int = 0  # of text that went out to the client
    ended: bool = False
    disconnected: bool = False  # the client hung up before the end
    dropped: bool = False  # its connection was broken from our side, by a fault

    @property
    def is_create(self) -> bool:
        """Whether it asked for an answer."""
        return self.method == "POST" and self.path.endswith("/interactions")


LONG = 1000  # characters

RECEIVED = web.RequestKey("received", Received)
"""Where a request being answered carries its note."""


def shortened(value: object) -> object:
    """JSON as it was, but for its long texts, which would fill the memory: only their length is kept."""
    match value:
        case str() if len(value) > LONG:
            return f"({len(value)} characters)"
        case list():
            return [shortened(item) for item in value]
        case dict():
            return {key: shortened(item) for key, item in value.items()}
        case _:
            return value


def _mentions(value: object, text: str) -> bool:
    match value:
        case str():
            return text in value
        case list():
            return any(_mentions(item, text) for item in value)
        case dict():
            return any(_mentions(item, text) for item in value.values())
        case _:
            return False


@dataclass(slots=True)
class Requests:
    """The newest requests, in the order they came."""

    kept: int
    seen: deque[Received] = field(init=False)
    bell: Bell = field(default_factory=Bell)

    def __post_init__(self) -> None:
        self.seen = deque(maxlen=self.kept)

    def add(self, request: Received) -> None:
        """Note a request that has come."""
        self.seen.append(request)
        self.bell.ring()

    def matching(self, *, method: str | None = None, path: str | None = None) -> list[Received]:
        """Those of that method whose path holds *path*."""
        return [
            request
            for request in self.seen
            if (method is None or request.method == method) and (path is None or path in request.path)
        ]

    async def received(self, count: int = 1, *, method: str | None = None, path: str | None = None) -> list[Received]:
        """Wait until so many matching requests have come, and return all of them."""

        def enough() -> list[Received] | None:
            found = self.matching(method=method, path=path)
            return found if len(found) >= count else None

        return await self.bell.until(enough)

    async def streaming(self, *, pieces: int = 1, text: str | None = None) -> Received:
        """Wait for a create whose stream is still open and has sent so many pieces of text.

        Args:
            text: something in the request's body, to tell it from others.
        """

        def open_stream() -> Received | None:
            for request in self.seen:
                told = request.pieces >= pieces and not request.ended
                if told and request.is_create and (text is None or _mentions(request.body, text)):
                    return request
            return None

        return await self.bell.until(open_stream)

    async def hung_up(self, count: int = 1) -> list[Received]:
        """Wait until so many clients have hung up before their answer's end."""

        def enough() -> list[Received] | None:
            found = [request for request in self.seen if request.disconnected]
            return found if len(found) >= count else None

        return await self.bell.until(enough)
