"""The page as a stage of the contract."""

import html
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from itertools import count
from pathlib import Path

from adapters.web.events import WEB, read_thread
from adapters.web.reply import files_in
from bot.commands import Command
from bot.messages import Thread
from storage.sqlite import open_store
from tests.adapters.contract.life import DRAIN, Life
from tests.adapters.contract.stage import Bot
from tests.support.page import Page, Watched, served_page
from tests.support.people.seen import Post, Seen, Upload, View
from tests.support.scripted import ScriptedModel

_OPEN = {"queued", "running"}


class PageStage:
    """Somebody at a page. Ids are as long as the page lets them be."""

    harmful = (
        "<script>alert(1)</script> <img src=x onerror=alert(2)> ![spy](https://spy.example/a.png) "
        "[run](javascript:alert(3)) <https://ok.example/>"
    )

    def __init__(self, folder: Path) -> None:
        self.model = ScriptedModel()
        self._url, self._files = f"sqlite:///{folder / 'clew.db'}", folder / "files"
        self._numbers = count(1)
        self._said: dict[str, tuple[str, Sequence[Upload]]] = {}
        self._begun: set[Thread] = set()
        self._html: list[str] = []  # every block a browser was given

    @asynccontextmanager
    async def bot(self) -> AsyncIterator[Bot]:
        life = Life()
        async with life.lived(self._run(life)) as bot:
            yield bot

    @asynccontextmanager
    async def _run(self, life: Life) -> AsyncIterator[Page]:
        async with served_page(
            url=self._url,
            files=self._files,
            model=self.model,
            drain=DRAIN,
            wrap_all=life.over_store,
        ) as self._page:
            yield self._page

    # --- what happens -----------------------------------------------------------------------------

    async def says(
        self, text: str, *, thread: Thread | None = None, by: str = "ada", files: Sequence[Upload] = ()
    ) -> Post:
        thread = thread or read_thread(f"{next(self._numbers)}".rjust(40, "t"))
        post = Post(thread, f"{next(self._numbers)}".rjust(64, "m"))
        self._begun.add(thread)
        self._said[post.id] = text, files
        await self.repeats(post)
        return post

    async def repeats(self, post: Post) -> None:
        text, files = self._said[post.id]
        sent = [(file.name, file.mime_type, file.data) for file in files]
        status, told = await self._page.says(text, id_=post.id, thread=post.thread.thread_id, files=sent)
        assert status == 202, told

    async def gives(self, command: Command, thread: Thread) -> str:
        status, told = await self._page.gives(command.value, thread=thread.thread_id)
        assert status == 200, told
        return _words(told["said"])

    async def reads(self, thread: Thread, beginning: str) -> Sequence[str]:
        def read(seen: Watched) -> list[str]:
            said = [_words(told["said"]) for name, told in seen.told if name == "said"]
            return [words for words in said if words.startswith(beginning)]

        async with self._page.watched(thread.thread_id) as watched:
            await watched.until(lambda seen: bool(read(seen)))
            return read(watched)

    async def speaks(self, text: str, *, thread: Thread | None, itself: bool) -> Post:
        raise NotImplementedError

    async def edits(self, post: Post, text: str) -> None:
        raise NotImplementedError

    async def deletes(self, post: Post) -> None:
        raise NotImplementedError

    # --- what is seen -----------------------------------------------------------------------------

    async def heard(self) -> None:
        """What was sent is stored when its request is answered, and nothing else happens here."""

    async def looks(self, thread: Thread, until: Callable[[View], bool] = lambda view: True) -> View:
        async with self._page.watched(thread.thread_id) as watched:
            await watched.until(lambda seen: any(name == "turns" for name, _ in seen.told) and until(self._view(seen)))
            return self._view(watched)

    def _view(self, seen: Watched) -> View:
        self._html += seen.answers
        turns = [seen.turns[turn] for turn in seen.order if turn in seen.turns]
        answers = [
            Seen(turn["id"], turn["answer"]["markdown"] or _words("\n".join(turn["answer"]["blocks"])))
            for turn in turns
            if turn["answer"]
        ]
        return View(tuple(answers), is_working=any(turn["state"] in _OPEN for turn in turns))

    async def saves(self, thread: Thread, number: int) -> Sequence[bytes]:
        async with self._page.watched(thread.thread_id) as watched:
            await watched.until(lambda seen: len(_files(seen)) >= number)
            urls = _files(watched)
        answered = [await self._page.asks(url.removeprefix("/")) for url in urls]
        return [body for status, _, body in answered if status == 200]

    def harm(self) -> Sequence[str]:
        found = _Harm()
        for block in self._html:
            found.feed(block)
        return found.done

    async def left_over(self) -> Sequence[str]:
        async with open_store(self._url, keeps_text=frozenset({WEB})) as store:
            summaries = await store.threads(WEB)
            stray = [f"thread {one.thread.key}" for one in summaries if one.thread not in self._begun]
            for thread in self._begun:
                turns = await store.transcript(thread)
                stray += [f"turn {turn.state}" for turn in turns if turn.ended_at is None]
                wanted = {file.id for file in files_in(turns)}
                lying = {path.name for path in (self._files / thread.thread_id).glob("*")}
                stray += [f"file {name}" for name in lying - wanted]
        return stray


class _Harm(HTMLParser):
    """Finds what a browser would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        acts = tag in {"script", "style", "link", "iframe", "object", "embed", "form", "base", "meta", "svg"}
        does = [
            name
            for name, value in attrs
            if name.startswith("on") or name == "src" or re.match(r"\s*(javascript|data):", value or "")
        ]
        if acts or does:
            self.done.append(self.get_starttag_text() or tag)


def _files(seen: Watched) -> list[str]:
    return [file["url"] for turn in seen.turns.values() if turn["answer"] for file in turn["answer"]["files"]]


def _words(rendered: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", rendered)).strip()


@asynccontextmanager
async def page_stage(folder: Path) -> AsyncIterator[PageStage]:
    """A page whose database and files lie in *folder*."""
    yield PageStage(folder)
