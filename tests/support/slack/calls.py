"""What was asked of the Web API, and what it answered."""

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.support.slack.json_types import JsonObject

DROPPED = "dropped"


@dataclass(slots=True, eq=False)
class Call:
    """One call.

    Attributes:
        outcome: None while it is under way, then ``ok``, an error's name, or ``dropped`` when the client heard nothing.
        has_acted: whether the workspace was changed (or read), whatever the client was told.
    """

    method: str
    args: JsonObject
    token: str | None
    at: float
    outcome: str | None = None
    has_acted: bool = False
    http_method: str = "POST"

    @property
    def is_ok(self) -> bool:
        return self.outcome == "ok"

    def flag(self, name: str) -> bool:
        """A boolean argument; the SDK writes 0 and 1 into query strings."""
        return str(self.args.get(name, "")).lower() in {"1", "true"}

    def text(self, name: str) -> str | None:
        value = self.args.get(name)
        return None if value in {None, ""} else str(value)

    def structure(self, name: str) -> Any:
        """An argument that is JSON, inside a JSON body or as text in a form."""
        value = self.args.get(name)
        return json.loads(value) if isinstance(value, str) and value else value


async def read_call(request: web.Request, at: float) -> Call:
    """The call in a request: query, form and JSON all carry arguments ([11])."""
    args: JsonObject = dict(request.query)
    if request.content_type == "application/json":
        args |= await request.json()
    elif request.can_read_body:
        args |= dict(await request.post())
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    said = token if scheme == "Bearer" else args.pop("token", None)
    return Call(request.match_info["method"], args, said, at, http_method=request.method)
