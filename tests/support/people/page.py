"""Somebody at the page of a bot that runs in a process of its own, seen as an open browser would show it."""

import html
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count

import aiohttp

from adapters.web.events import read_thread
from bot.commands import Command
from bot.messages import Thread
from tests.support.people.seen import WITHIN, Post, Seen, Upload, View
from tests.support.visitor import Shown, Visitor, visitor_at

_OPEN = {"queued", "running"}


class PagePeople:
    """One browser with a window for each thread. It can do nothing while the bot is down."""

    settings: dict[str, str]

    def __init__(self) -> None:
        self.settings = {}
        self._numbers = count(1)
        self._visitors: dict[Thread, Visitor] = {}
        self._address = ""
        self._windows: AsyncExitStack | None = None

    @asynccontextmanager
    async def visiting(self, address: str) -> AsyncIterator[None]:
        """Look at the page of one run of the bot while the block runs."""
        async with AsyncExitStack() as self._windows:
            self._address = address
            self._visitors.clear()
            yield
        self._windows = None

    async def visitor(self, thread: Thread) -> Visitor:
        """The window of a thread."""
        if thread not in self._visitors:
            assert self._windows is not None, "nobody can see the page of a bot that does not run"
            opened = visitor_at(self._address, thread.thread_id)
            self._visitors[thread] = await self._windows.enter_async_context(opened)
        return self._visitors[thread]

    # --- what happens -----------------------------------------------------------------------------

    async def says(
        self, text: str, *, thread: Thread | None = None, by: str = "ada", files: Sequence[Upload] = ()
    ) -> Post:
        thread = thread or read_thread(f"thread{next(self._numbers):06d}")
        post = Post(thread, f"message-{next(self._numbers):06d}")
        await (await self.visitor(thread)).ask(text, id_=post.id, files={file.name: file.data for file in files})
        return post

    async def edits(self, post: Post, text: str) -> None:
        raise NotImplementedError("the page has no way to edit a message")

    async def deletes(self, post: Post) -> None:
        raise NotImplementedError("the page has no way to delete a message")

    async def gives(self, command: Command, thread: Thread) -> str:
        return await (await self.visitor(thread)).tell(command.value, id_=f"command-{next(self._numbers):06d}")

    async def is_told(self, command: Command, thread: Thread, *, by: str = "ada") -> str:
        return html.unescape(re.sub("<[^>]*>", "", await self.gives(command, thread)))

    async def presses(self, label: str, thread: Thread) -> None:
        visitor = await self.visitor(thread)
        if label in {"Approve", "Decline"}:
            turns = await visitor.until(lambda turns: bool(turns) and turns[-1].asks != "", within=WITHIN)
            id_ = f"command-{next(self._numbers):06d}"
            await visitor.tell(label.lower(), id_=id_, asked=turns[-1].asked)
            return
        wanted = _OPEN if label == "Stop" else {"answered", "failed", "stopped"}
        await visitor.until(lambda turns: bool(turns) and turns[-1].state in wanted, within=WITHIN)
        await self.gives(Command(label.lower()), thread)

    async def asked(self, thread: Thread, *, number: int = 1) -> int:
        if self._windows is None:
            return 0  # nobody sees anything
        visitor = await self.visitor(thread)
        await visitor.until(lambda turns: sum(bool(turn.asks) for turn in turns) == number, within=WITHIN)
        return number

    async def reads(self, thread: Thread, beginning: str) -> Sequence[str]:
        return [await (await self.visitor(thread)).told(beginning, within=WITHIN)]

    # --- what is seen -----------------------------------------------------------------------------

    async def looks(self, thread: Thread, until: Callable[[View], bool] = lambda view: True) -> View:
        visitor = await self.visitor(thread)
        try:
            return _view(await visitor.until(lambda turns: until(_view(turns)), within=WITHIN))
        except TimeoutError as error:
            raise TimeoutError(f"what is seen is {_view(visitor.turns)}") from error

    async def watches(self, thread: Thread, until: Callable[[str], bool]) -> str:
        visitor = await self.visitor(thread)
        turns = await visitor.until(lambda turns: bool(turns) and until(turns[-1].doing), within=WITHIN)
        return turns[-1].doing

    async def saves(self, thread: Thread, number: int) -> Sequence[bytes]:
        visitor = await self.visitor(thread)

        def urls(turns: Sequence[Shown]) -> list[str]:
            return [file["url"] for turn in turns for file in turn.files]

        turns = await visitor.until(lambda turns: len(urls(turns)) >= number, within=WITHIN)
        async with aiohttp.ClientSession() as session:
            return [await (await session.get(f"{self._address}{url}")).read() for url in urls(turns)]

    def harm(self) -> Sequence[str]:
        return []  # tests/adapters/web looks at what a browser is given


def _view(turns: Sequence[Shown]) -> View:
    said = [(turn, turn.text if turn.text is not None else turn.growing) for turn in turns]
    answers = tuple(Seen(turn.id, words) for turn, words in said if words or turn.text is not None)
    return View(answers, is_working=any(turn.state in _OPEN or not turn.has_ended for turn in turns))
