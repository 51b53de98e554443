"""What was asked over HTTP, and what was answered."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.discord.json_types import JsonObject

DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a request: part ``files[number]``."""

    number: int
    filename: str
    data: bytes = field(repr=False)
    content_type: str = "application/octet-stream"


@dataclass(slots=True, eq=False)
class Call:
    """One request.

    Attributes:
        route: verb and pattern: ``PATCH /channels/{channel}/messages/{message}``.
        path: as it was asked, without ``/api/v10``.
        params: what stood where the pattern has braces.
        body: the JSON, or the ``payload_json`` of a form; {} without any.
        status: None while it is under way.
        code: Discord's own, of a refusal.
        outcome: None while it is under way, then ``ok``, ``code 50035``, ``status 502``, or ``dropped`` when the
            client heard nothing.
        has_acted: whether the world was changed (or read), whatever the client was told.
        afterwards: what happens once the answer is out.
    """

    route: str
    path: str
    at: float
    params: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: JsonObject = field(default_factory=dict)
    uploads: tuple[Upload, ...] = ()
    token: str | None = None  # of the header "Authorization: Bot ..."
    status: int | None = None
    code: int | None = None
    outcome: str | None = None
    has_acted: bool = False
    afterwards: list[Callable[[], None]] = field(default_factory=list, repr=False)

    @property
    def is_ok(self) -> bool:
        return self.outcome == "ok"

    @property
    def verb(self) -> str:
        return self.route.partition(" ")[0]

    @property
    def major(self) -> str:
        """What sets rate limit buckets of one route apart: channel, guild, or webhook with its token ([5.4])."""
        found = (self.params.get(name, "") for name in ("channel", "guild", "webhook", "token"))
        return "/".join(part for part in found if part)


async def read_call(request: web.Request, route: str, params: dict[str, str], at: float) -> Call:
    """The call in a request; a form carries its JSON in ``payload_json`` and its files in ``files[n]`` ([9.3])."""
    body: Any = {}
    uploads: list[Upload] = []
    if request.content_type == "multipart/form-data":
        form = await request.post()
        for name, value in form.items():
            if isinstance(value, web.FileField):
                number = int(name.removeprefix("files[").removesuffix("]"))
                uploads.append(Upload(number, value.filename, value.file.read(), value.content_type))
            elif name == "payload_json":
                body = json.loads(value)
    elif request.can_read_body:
        body = await request.json()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return Call(
        route=route,
        path=request.path.removeprefix("/api/v10"),
        at=at,
        params=params,
        query=dict(request.query),
        body=body,
        uploads=tuple(sorted(uploads, key=lambda upload: upload.number)),
        token=token if scheme == "Bot" else None,
    )
