"""The port the stand-in listens on, which may be closed for a while."""

from aiohttp import web

HOST = "127.0.0.1"


class Listening:
    """Listens on one port of loopback; the same one again after a pause."""

    def __init__(self, runner: web.AppRunner) -> None:
        self._runner = runner
        self._port = 0
        self._site: web.TCPSite | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    async def start(self) -> None:
        if self._site is not None:
            return
        self._site = web.TCPSite(self._runner, HOST, self._port, reuse_address=True)
        await self._site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and cut every open connection."""
        if self._site is None:
            return
        await self._site.stop()
        self._site = None
        assert self._runner.server is not None
        for connection in self._runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()
