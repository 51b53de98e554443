"""The page as the ground of a story: somebody has it open, and sends again what did not get through."""

import asyncio
import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from adapters.web.events import WEB
from adapters.web.reply import files_in
from bot.messages import Thread
from bot.ports import Store
from tests.support.page import Page, Watched, named, served_page
from tests.support.reaper import Reaper
from tests.support.work import Bell
from tests.sweep.ground import Cast, Seen, paragraphs

WITHIN = 40.0  # real seconds
_OPEN = {"queued", "running"}
_OVER = {"answered", "failed", "stopped"}


class PageGround:
    """One thread of the page, and the browser that shows it."""

    platform = WEB
    long = (paragraphs(0, 3, words=120), paragraphs(3, 5, words=120))
    unmade = frozenset({"store.placed", "store.confirmed"})
    keeps_what_was_reset = keeps_what_was_asked = False

    def __init__(self, folder: Path) -> None:
        self._files = folder / "files"
        self._bell, self._ids = Bell(), count(1)
        self._page: Page | None = None  # while somebody serves it
        self._seen: Watched | None = None  # since it was opened last
        self._said: list[str] = []  # about commands, at once and later
        self._under_way = 0

    @asynccontextmanager
    async def bot(self, cast: Cast) -> AsyncIterator[Page]:
        async with served_page(
            url=cast.url,
            files=self._files,
            model=cast.model,
            policy=cast.policy,
            limits=cast.limits,
            functions=cast.functions,
            intake=cast.intake,
            wrap_all=cast.reaper.over_store,
            wrap_adapter=cast.reaper.over_adapter,
            pace=0.001,
        ) as page:
            looking = asyncio.create_task(self._look(page))
            self._page = page
            self._bell.ring()
            try:
                yield page
            finally:
                self.cut_off()
                looking.cancel()
                await asyncio.wait({looking})

    async def _look(self, page: Page) -> None:
        """Take in what the browser is told, as long as it is connected."""
        with suppress(aiohttp.ClientError, EOFError):
            async with page.watched() as watched:
                while True:
                    heard = len(watched.told)
                    await watched.take_in()
                    self._said += [_words(told["said"]) for name, told in watched.told[heard:] if name == "said"]
                    if any(name == "turns" for name, _ in watched.told):
                        self._seen = watched
                    self._bell.ring()

    async def settle(self) -> None:
        await self.until(lambda: self._seen)

    def over(self, reaper: Reaper) -> None:
        """Everything that the page does goes through its ports."""

    def cut_off(self) -> None:
        self._page = None

    def mend(self) -> None:
        pass

    # --- what people do ---------------------------------------------------------------------------

    async def asks(self, text: str = "what is a clew?", *, files: Sequence[tuple[str, bytes]] = ()) -> None:
        await self._sends(text, files)

    async def adds(self, text: str) -> None:
        await self._sends(text)

    async def types(self, command: str) -> None:
        self._said.append(_words((await self._sends(f"/{command}"))["said"]))
        self._bell.ring()

    async def retries(self, reaper: Reaper) -> None:
        """Press the button, and once more when nothing came of it."""
        told = await self._tried(lambda page: page.gives("retry", id_=f"retry-{next(self._ids):04}"))
        if told is None and not reaper.has_done("store.retry"):
            told = await self._through(lambda page: page.gives("retry", id_=f"retry-{next(self._ids):04}"))
        self._said += [] if told is None else [_words(told["said"])]

    async def decides(self, label: str, reaper: Reaper) -> None:
        told = None
        while told is None and not reaper.has_done("store.decide"):
            await self.until(lambda: self._asking or self._is_over)
            if not self._asking:
                return  # it was decided in the moment of death, and the next life has gone on from that
            told = await self._tried(partial(self._decides, label.lower(), self._asking[0]["name"]))

    async def _decides(self, command: str, asked: str, page: Page) -> tuple[int, Any]:
        return await page.gives(command, id_=f"decision-{next(self._ids):04}", asked=asked)

    async def _sends(self, text: str, files: Sequence[tuple[str, bytes]] = ()) -> Any:
        """Send a message until it is taken in, under the same name each time."""
        name = f"message-{next(self._ids):04}"
        sent = [(file, "application/octet-stream", data) for file, data in files]
        return await self._through(lambda page: page.says(text, id_=name, files=sent))

    async def _through(self, send: Callable[[Page], Awaitable[tuple[int, Any]]]) -> Any:
        while (told := await self._tried(send)) is None:
            pass
        return told

    async def _tried(self, send: Callable[[Page], Awaitable[tuple[int, Any]]]) -> Any:
        """What the page answers; None when nobody is there any more."""
        page = await self.until(lambda: self._page)
        assert isinstance(page, Page)
        self._under_way += 1
        try:
            status, told = await send(page)
        except aiohttp.ClientError:
            if self._page is page:  # it is dying; its successor has another address
                self._page = None
            return None
        finally:
            self._under_way -= 1
            self._bell.ring()
        assert status in {200, 202}, told
        return told

    # --- what people see --------------------------------------------------------------------------

    @property
    def thread(self) -> Thread:
        return named()

    @property
    def shown(self) -> list[Seen]:
        answers = [_seen(turn) for turn in self._turns if turn["answer"] or turn["state"] in _OPEN]
        asked = [_words(one["words"]) for one in self._asking]
        answers += [Seen(words, buttons=("Approve", "Decline"), is_aside=True) for words in asked]
        # A note takes the place of the one before it, so the same one again is no second one.
        return [*answers, *(Seen(words, is_aside=True) for words in dict.fromkeys(self._said))]

    @property
    def _turns(self) -> list[Any]:
        seen = self._seen
        return [] if seen is None else [seen.turns[turn] for turn in seen.order if turn in seen.turns]

    @property
    def _asking(self) -> list[Any]:
        """What somebody is asked to decide, with its name and words."""
        return [turn["answer"]["asks"] for turn in self._turns if turn["answer"] and turn["answer"].get("asks")]

    @property
    def _is_over(self) -> bool:
        return bool(self._turns) and all(turn["state"] in _OVER for turn in self._turns)

    def shows(self, text: str, *, follows: bool = True) -> Sequence[str]:
        return [text]

    async def until(self, look: Callable[[], object]) -> object:
        async with asyncio.timeout(WITHIN):
            return await self._bell.until(look)

    async def delivered(self) -> None:
        """Wait until every request is answered, and read the page anew."""
        await self.until(lambda: not self._under_way)
        assert self._page is not None
        async with self._page.watched() as watched:
            await watched.until(lambda seen: any(name == "turns" for name, _ in seen.told))
            self._seen = watched

    async def amiss(self, store: Store) -> Sequence[str]:
        turns = await store.transcript(self.thread)
        found = [f"another thread: {one.title}" for one in await store.threads(WEB) if one.thread != self.thread]
        wanted = {file.id for file in files_in(turns)}
        lying = {path.name for path in (self._files / self.thread.thread_id).glob("*")}
        found += [f"a file that nothing refers to: {name}" for name in lying - wanted]
        found += [f"a file that is gone: {name}" for name in wanted - lying]
        return found


def _seen(turn: Any) -> Seen:
    answer = turn["answer"] or {"markdown": None, "blocks": [], "files": []}
    return Seen(
        re.sub(r"!\[[^]]*\]\([^)]*\)", "", answer["markdown"] or _words("\n".join(answer["blocks"]))),
        tuple(file["name"] for file in answer["files"]),
        ("Retry",) if turn["state"] in {"answered", "stopped"} else (),
        grows=turn["state"] not in _OVER or answer["markdown"] is None,
    )


def _words(rendered: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", rendered)).strip()


@asynccontextmanager
async def page_ground(folder: Path) -> AsyncIterator[PageGround]:
    """A page whose files lie in *folder*."""
    yield PageGround(folder)
