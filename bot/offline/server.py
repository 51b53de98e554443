"""The offline model: a server of the Gemini Interactions API on loopback, spoken to through the real SDK."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from aiohttp import web

from bot.offline.acting import Acting, act
from bot.offline.arming import Faults
from bot.offline.bell import Tasks
from bot.offline.brain import Brain, answer
from bot.offline.files import Files
from bot.offline.generation import Generation
from bot.offline.interactions import RETENTION, Interactions
from bot.offline.record import Record
from bot.offline.requests import Received, Requests
from bot.offline.research import Researcher, researched
from bot.offline.routes import Routes
from bot.offline.telling import Sleep
from bot.offline.wire import JsonObject


class OfflineModel:
    """The running server: where it is, what it was asked, and ways to wait for that."""

    def __init__(
        self,
        url: str,
        faults: Faults,
        requests: Requests,
        *,
        interactions: Interactions,
        generation: Generation,
        files: Files,
    ) -> None:
        self.url = url  # for the SDK's base_url: without a version
        self.faults = faults
        self.files = files  # whose habits may be changed on the way
        self._requests = requests
        self._interactions, self._generation = interactions, generation

    @property
    def at_work(self) -> list[str]:
        """The interactions that are being answered and paid for, deleted ones as well."""
        return self._generation.at_work

    @property
    def requests(self) -> deque[Received]:
        """The newest requests, oldest of them first."""
        return self._requests.seen

    @property
    def creates(self) -> list[JsonObject]:
        """The bodies of the newest creates."""
        return [request.body or {} for request in self.requests if request.is_create]

    async def received(self, count: int = 1, *, method: str | None = None, path: str | None = None) -> list[Received]:
        """Wait until *count* requests of that method, with *path* in their path, have come; all of them."""
        return await self._requests.received(count, method=method, path=path)

    async def streaming(self, *, pieces: int = 1, text: str | None = None) -> Received:
        """Wait for a create whose stream is open and has sent so many pieces of text to the client.

        Args:
            text: something in the request's body, to tell it from others.
        """
        return await self._requests.streaming(pieces=pieces, text=text)

    async def hung_up(self, count: int = 1) -> list[Received]:
        """Wait until *count* clients have hung up before the end of their answer."""
        return await self._requests.hung_up(count)

    async def settled(self, interaction: str) -> str:
        """Wait until an interaction has ended; its status."""
        return await self._interactions.bell.until(
            lambda: None if (found := self._interactions.find(interaction)).is_running else found.status
        )

    def interaction(self, id_: str) -> JsonObject:
        """An interaction as a get with its input would answer it. Raises Refused when it is not known."""
        return self._interactions.find(id_).as_json(include_input=True)


@asynccontextmanager
async def offline_model(
    *,
    record: Path | None = None,
    key: str | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    faults: Faults | None = None,
    brain: Brain | None = None,
    acting: Acting = act,
    researcher: Researcher = researched,
    pace: float = 0.02,
    retention: float = RETENTION,
    research_rest: float = 4.0,
    cancel_lag: int = 1,
    file_polls: int = 1,
    minds_lost_files: Literal[400, 403] | None = None,
    requests_kept: int = 256,
    clock: Callable[[], float] = time.time,
    sleep: Sleep = asyncio.sleep,
    new_id: Callable[[], str] = lambda: secrets.token_hex(16),
) -> AsyncIterator[OfflineModel]:
    """Serve until the context is left; then streams end at once, and what was in progress has failed.

    Args:
        record: the file interactions and files are kept in; without it they end with the server.
        key: what an API key must be; None lets any do.
        port: 0 takes any free one.
        faults: what is to go wrong, armed by whoever holds it.
        brain: says the answers; the default one echoes, remembers and describes files.
        acting: uses tools and calls functions; the default one does what it is asked in so many words.
        researcher: what every agent does; its text is the report.
        pace: seconds between two events of a stream; 0 sends an answer as a whole.
        retention: seconds an interaction is kept.
        research_rest: seconds that an agent takes for each of its steps.
        cancel_lag: how many gets see what was cancelled in the background still in progress.
        file_polls: how many gets see an uploaded film or sound still in PROCESSING.
        minds_lost_files: how a create is refused that goes on from what named an uploaded file which has expired; None
            lets it go on.
        requests_kept: how many of the newest requests can be looked at.

    Raises:
        OSError: the port is taken, or the record cannot be written.
    """
    faults = faults if faults is not None else Faults()
    book = Record(record)
    entries = await asyncio.to_thread(book.open)
    interactions = Interactions(book, clock=clock, retention=retention)
    files = Files(book, clock=clock, new_id=new_id, polls=file_polls, mind=minds_lost_files)
    files.restore({key: entry for key, entry in entries.items() if key.startswith("files/")})
    interactions.restore({key: entry for key, entry in entries.items() if not key.startswith("files/")})
    requests = Requests(requests_kept)
    try:
        async with Tasks() as tasks:
            generation = Generation(
                interactions,
                tasks=tasks,
                faults=faults,
                brain=brain or answer,
                acting=acting,
                researcher=researcher,
                pace=pace,
                rest=research_rest,
                lag=cancel_lag,
                sleep=sleep,
                clock=clock,
                new_id=new_id,
            )
            app = Routes(interactions, generation, files, faults, requests).app(key)
            # Cancelling the handler is how a client's hanging up is noticed. Nobody waits for open streams at the end.
            runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.05)
            await runner.setup()
            try:
                site = web.TCPSite(runner, host, port)
                await site.start()
                address, bound = runner.addresses[0][:2]
                shown = f"[{address}]" if ":" in address else address
                yield OfflineModel(
                    f"http://{shown}:{bound}",
                    faults,
                    requests,
                    interactions=interactions,
                    generation=generation,
                    files=files,
                )
            finally:
                await runner.cleanup()
    finally:
        book.close()
