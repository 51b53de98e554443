"""Where files are fetched: signed addresses that expire, a proxy, and somebody else's host ([6])."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web

from tests.support.discord.files import SPOILER, File, kind_of
from tests.support.discord.world import World

DAY = 86_400.0
GONE = "This content is no longer available."


class Cdn:
    """Signs the addresses of files and serves them.

    Every payload is told with fresh addresses, so reading a message again refreshes them ([6]).

    Attributes:
        life: seconds an address is good for.
        expired_status: 404 or 403; bots must take both as "read the message again".
        foreign_visits: fetches from where other people's hosts would be: path and Authorization header.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.life = DAY
        self.expired_status = 404
        self.foreign_visits: list[tuple[str, str | None]] = []
        world.link = self.link

    def make(self, name: str, data: bytes, channel: str = "0", **more: Any) -> File:
        """A file that can be fetched from now on; *more* are further fields of `File`.

        What posts it says which channel it is in; its address follows.
        """
        more = {"content_type": kind_of(name), "is_spoiler": name.startswith(SPOILER), **more}
        file = File(id=self._world.ids.new(), name=name, data=data, channel=channel, **more)
        self._world.files[file.id] = file
        return file

    def link(self, file: File, door: str = "cdn") -> str:
        """A signed address that works until its `ex` ([6]: hexadecimal seconds)."""
        issued = int(self._world.clock.now())
        expiry = int(issued + self.life)
        query = {"ex": f"{expiry:x}", "is": f"{issued:x}", "hm": self._signature(file.path, expiry, issued)}
        return f"{self._world.base}/{door}/{quote(file.path)}?{urlencode(query)}&"

    def elsewhere(self, name: str) -> str:
        """An address on a host that is not Discord's; visits are noted."""
        return f"{self._world.base.replace('127.0.0.1', 'localhost')}/elsewhere/{quote(name)}"

    async def download(self, request: web.Request) -> web.Response:
        """The bytes for whoever has a good address. No token is asked for, and none should be sent."""
        file = self._world.files.get(request.match_info["file"])
        path = "/".join(request.match_info[part] for part in ("kind", "channel", "file", "name"))
        if file is None or file.is_gone or path != file.path:
            return web.Response(status=404, text=GONE)
        if not self._is_good(path, request.query):
            return web.Response(status=self.expired_status, text=GONE)
        return web.Response(body=file.data, headers={"Content-Type": file.content_type or "application/octet-stream"})

    async def foreign(self, request: web.Request) -> web.Response:
        """What stands for other hosts: nothing should ever be fetched from here, least of all with a token."""
        self.foreign_visits.append((request.path, request.headers.get("Authorization")))
        return web.Response(text="a page of somebody else")

    def _is_good(self, path: str, query: Mapping[str, str]) -> bool:
        try:
            expiry, issued = int(query["ex"], 16), int(query["is"], 16)
        except (KeyError, ValueError):
            return False
        wanted = self._signature(path, expiry, issued)
        return hmac.compare_digest(query.get("hm", ""), wanted) and self._world.clock.now() < expiry

    def _signature(self, path: str, expiry: int, issued: int) -> str:
        return hmac.new(b"stand-in", f"{path}?{expiry:x}&{issued:x}".encode(), hashlib.sha256).hexdigest()
