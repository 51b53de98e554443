"""The page on loopback: the real core and the real store around a scripted model."""

import asyncio
import itertools
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
from multidict import CIMultiDictProxy
from pydantic import SecretStr

from adapters.web.adapter import LARGEST_FILE, WebAdapter
from adapters.web.events import WEB, read_thread
from adapters.web.pages import About
from bot.attachments import ONLY_INLINE, Intake
from bot.commands import Command
from bot.condensing import Condensing
from bot.dispatch import open_dispatcher
from bot.errors import StoreUnavailable
from bot.function_runs import Functions
from bot.health import HealthReport
from bot.inbox import Inbox
from bot.limits import Limits
from bot.messages import Message, MessageId, Platform, Thread, Turn
from bot.metrics import Metrics
from bot.places import Places
from bot.policy import Policy
from bot.ports import Adapter, Store
from bot.responder import Responder
from storage.sqlite import open_store
from tests.support.commanding import commands_on
from tests.support.core import PATIENT
from tests.support.equipped import equipped
from tests.support.forgetting import forgetting_on
from tests.support.scripted import ScriptedModel

THREAD = "thread0001"
Upload = tuple[str, str, bytes]  # name, type, bytes
ABOUT = About("gemini-3.5-flash-lite", offline=False, version="0.1.0")


@dataclass(frozen=True, slots=True)
class Served:
    """What `WEB_HOST`, `WEB_PORT`, `WEB_TOKEN` and `WEB_ENABLED` say."""

    host: str = "127.0.0.1"
    port: int = 0
    token: SecretStr | None = None
    enabled: bool = True


@dataclass
class ScriptedHealth:
    """Says what a test wants said."""

    trouble: str | None = None

    async def report(self) -> HealthReport:
        return HealthReport(self.trouble is None, {"store": self.trouble or "ok"})


class FailingInbox:
    """The real inbox, unless the disk is full."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self.is_full = False

    async def receive(self, message: Message) -> bool:
        if self.is_full:
            raise StoreUnavailable("disk full")
        return await self._inbox.receive(message)


class Watched:
    """A stream of the page as a browser takes it in."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.threads: list[Any] = []
        self.order: list[str] = []
        self.turns: dict[str, Any] = {}
        self.told: list[tuple[str, Any]] = []
        self._read = bytearray()

    @property
    def answers(self) -> list[str]:
        """The HTML of the answers, in order; empty while there is none."""
        answers = [self.turns[turn]["answer"] for turn in self.order if turn in self.turns]
        return ["".join(answer["blocks"]) if answer else "" for answer in answers]

    @property
    def states(self) -> list[str]:
        return [self.turns[turn]["state"] for turn in self.order if turn in self.turns]

    async def until(self, condition: "Callable[[Watched], bool]") -> None:
        """Take in what comes until *condition* holds."""
        async with asyncio.timeout(120):
            while not condition(self):
                await self.take_in()

    async def take_in(self) -> None:
        """Wait for one event."""
        while b"\n\n" not in self._read:
            piece = await self.response.content.readany()
            if not piece:
                raise EOFError("the stream has ended")
            self._read += piece
        event, _, rest = bytes(self._read).partition(b"\n\n")
        self._read = bytearray(rest)
        fields = dict(line.split(": ", 1) for line in event.decode().split("\n"))
        told = json.loads(fields["data"])
        self.told.append((fields["event"], told))
        if fields["event"] == "threads":
            self.threads = told
        elif fields["event"] == "turns":
            self._take_in_turns(told)

    def _take_in_turns(self, told: Any) -> None:
        self.order = told["order"]
        for change in told["turns"]:
            known = self.turns.get(change["id"], {"answer": None})
            answer = change.get("answer", known["answer"])
            if change.get("answer") is not None:
                before = known["answer"]["blocks"] if known["answer"] else []
                thoughts = known["answer"]["thoughts"] if known["answer"] else None
                asks = known["answer"].get("asks") if known["answer"] else None
                answer = {
                    "thoughts": thoughts,
                    "asks": asks,
                    **answer,
                    "blocks": before[: answer["keep"]] + answer["blocks"],
                }
            self.turns[change["id"]] = {**known, **change, "answer": answer}


@dataclass
class Page:
    """A served page and the two ends a test holds it by."""

    address: str
    store: Store
    model: ScriptedModel
    inbox: FailingInbox
    adapter: WebAdapter
    files: Path
    health: ScriptedHealth
    _ids: Iterator[int] = field(default_factory=itertools.count)

    @asynccontextmanager
    async def watched(self, thread: str = THREAD, *, narrow: bool = False) -> AsyncIterator[Watched]:
        """Look at a thread, as an open page does; through a *narrow* connection little lies in the sockets' buffers."""
        connector = aiohttp.TCPConnector(socket_factory=_narrow_socket if narrow else None)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"{self.address}api/threads/{thread}/events") as response,
        ):
            assert response.status == 200
            yield Watched(response)

    async def turns(self, ended: int, *, thread: str = THREAD) -> list[Turn]:
        """The thread's turns, once this many of them have ended."""
        async with self.watched(thread) as watched:
            await watched.until(lambda seen: sum(state not in {"queued", "running"} for state in seen.states) >= ended)
        return list(await self.store.transcript(named(thread)))

    async def says(
        self, text: str, *, id_: str | None = None, thread: str = THREAD, files: Sequence[Upload] = ()
    ) -> tuple[int, Any]:
        """Post a message as the page does; gives the status and the JSON of the answer."""
        message = {"id": id_ or f"message-{next(self._ids):04}", "text": text}
        url = f"{self.address}api/threads/{thread}/messages"
        form = aiohttp.FormData({"message": json.dumps(message)}, default_to_multipart=True)
        for name, mime_type, data in files:
            form.add_field("files", BytesIO(data), filename=name, content_type=mime_type)
        body: Any = {"data": form} if files else {"json": message}
        async with aiohttp.ClientSession() as session, session.post(url, **body) as response:
            return response.status, await response.json()

    async def gives(
        self, command: str, *, id_: str | None = None, thread: str = THREAD, asked: str = ""
    ) -> tuple[int, Any]:
        """Press the button of a command; *asked* names what a decision is about."""
        body = {"id": id_ or f"command-{next(self._ids):04}", "command": command, "asked": asked}
        url = f"{self.address}api/threads/{thread}/commands"
        async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
            return response.status, await response.json()

    async def asks(self, path: str, method: str = "GET", **request: Any) -> tuple[int, CIMultiDictProxy[str], bytes]:
        """Any request; gives status, headers and body."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{self.address}{path}", allow_redirects=False, **request) as response,
        ):
            return response.status, response.headers, await response.read()

    def lying(self, thread: str = THREAD) -> set[str]:
        """The names of the thread's files on disk, while the page is served."""
        assert self.files.parent.is_dir(), "the folder is gone with the page"
        folder = self.files / thread
        return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def named(thread: str = THREAD) -> Thread:
    return read_thread(thread)


def _narrow_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol = address[:3]
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
    return made


class NoCommands:
    """Nobody asks for any."""

    async def run(self, command: Command, thread: Thread, by: MessageId, *, asked: str = "") -> str:
        raise AssertionError(command)


@asynccontextmanager
async def page_alone(served: Served) -> AsyncIterator[str]:
    """Serve a page with a store and nothing behind it; gives its address."""
    with TemporaryDirectory() as made:
        async with open_store("sqlite:///:memory:", keeps_text=frozenset({WEB})) as store:
            metrics = Metrics()
            adapter = WebAdapter(
                served,
                store=store,
                inbox=Inbox(store, policy=Policy(), wake=lambda _: None, metrics=metrics),
                commands=NoCommands(),
                files=Path(made) / "files",
                health=ScriptedHealth(),
                registry=metrics.registry,
                about=ABOUT,
            )
            async with adapter.serve() as address:
                yield address


@asynccontextmanager
async def served_page(
    served: Served = Served(),
    *,
    files: Path | None = None,
    url: str = "sqlite:///:memory:",
    model: ScriptedModel | None = None,
    policy: Policy | None = None,
    limits: Limits = PATIENT,
    intake: Callable[[Store], Intake] = lambda store: ONLY_INLINE,
    about: About = ABOUT,
    largest_file: int = LARGEST_FILE,
    beat: float = 15.0,
    pace: float = 0.01,
    keeping: float = 1.0,
    concurrency: int = 100,
    drain: float = 0.5,
    now: Callable[[], float] = time.time,
    wrap_all: Callable[[Store], Store] = lambda store: store,
    wrap_adapter: Callable[[Adapter], Adapter] = lambda adapter: adapter,
    functions: Functions | None = None,
) -> AsyncIterator[Page]:
    """Serve a page while the block runs.

    Args:
        wrap_all: put around the store for everything.
        wrap_adapter: put around the page for what answers.
    """
    with TemporaryDirectory() as made:
        folder = files or Path(made) / "files"
        async with open_store(url, keeps_text=frozenset({WEB})) as opened, AsyncExitStack() as stack:
            store = wrap_all(opened)
            metrics, health, adapters = Metrics(), ScriptedHealth(), dict[Platform, Adapter]()
            model = model or ScriptedModel()
            policy, others = policy or Policy(), dict[Platform, Callable[[Thread], Awaitable[None]]]()
            places = Places(concurrency, metrics=metrics)
            equipment = await stack.enter_async_context(
                equipped(store, model, adapters, limits=limits, metrics=metrics, places=places, functions=functions)
            )
            responder = Responder(
                store=store,
                model=model,
                model_name="scripted",
                image_model="painter",
                adapters=adapters,
                limits=limits,
                inline_limit=15_000_000,
                intake=intake(store),
                condensing=Condensing(model=model, keeper=model, store=store.chains, limits=limits, metrics=metrics),
                policy=policy,
                metrics=metrics,
                **equipment,
            )
            async with (
                open_dispatcher(
                    store=store,
                    responder=responder,
                    policy=policy,
                    metrics=metrics,
                    catch_up=lambda thread: adapters[thread.platform].catch_up(thread),
                    limits=limits,
                    places=places,
                    drain=drain,
                ) as dispatcher,
                forgetting_on(
                    store, model, dispatcher, adapters, metrics, keeps_text=frozenset({WEB}), others=others
                ) as forgetting,
            ):
                inbox = FailingInbox(Inbox(store, policy=policy, wake=dispatcher.wake, metrics=metrics))
                adapter = WebAdapter(
                    served,
                    store=store,
                    inbox=inbox,
                    commands=commands_on(
                        store, model, dispatcher, policy=policy, forgetting=forgetting, approvals=equipment["approvals"]
                    ),
                    files=folder,
                    health=health,
                    registry=metrics.registry,
                    about=about,
                    largest_file=largest_file,
                    beat=beat,
                    pace=pace,
                    keeping=keeping,
                    wrong_token_pause=0.05,
                    now=now,
                )
                adapters[WEB], others[WEB] = wrap_adapter(adapter), adapter.forgotten
                await dispatcher.take_up()
                await forgetting.take_up()
                async with adapter.serve() as address:
                    yield Page(address, store, model, inbox, adapter, folder, health)
