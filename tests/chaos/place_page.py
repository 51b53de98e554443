"""A thread of the page."""

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BytesIO
from typing import Any

import aiohttp

from adapters.web.events import read_thread
from bot.commands import Command
from tests.chaos.gemini import TAG
from tests.chaos.history import Stood
from tests.chaos.places import Given, Note, Place, joined
from tests.chaos.researches import FILE
from tests.chaos.world import World
from tests.support.visitor import Shown as Turn
from tests.support.visitor import Visitor

_AGAIN = 0.2  # seconds before a page tries again what did not get through


class PagePlace(Place):
    """A thread in an open window of a browser, which tries again whatever does not get through."""

    can_change = can_press = False  # what would be pressed there is a command

    def __init__(self, world: World, number: int, session: aiohttp.ClientSession) -> None:
        super().__init__(world, number)
        self.begun = read_thread(f"thread{number:06d}")
        self.window = Visitor(session, world.address, self.begun.thread_id)
        self._session, self._sent = session, 0
        self._opened: dict[str, str] = {}  # what is in files, by their addresses

    async def looks(self) -> None:
        """Show the thread for as long as somebody looks, through all lives of the bot."""
        while True:
            with suppress(aiohttp.ClientError):
                await self.window.follow()
            await asyncio.sleep(_AGAIN)

    async def _post(self, by: str, text: str, files: Sequence[Note], *, names: bool) -> tuple[str, float]:
        at, id_ = self.world.now, self._new_id("message")
        payload = {"id": id_, "text": text}

        def body() -> dict[str, Any]:
            if not files:
                return {"json": payload}
            form = aiohttp.FormData({"message": json.dumps(payload)}, default_to_multipart=True)
            for name, data in files:
                form.add_field("files", BytesIO(data), filename=name, content_type="application/octet-stream")
            return {"data": form}

        await self._send("messages", body)
        return id_, at

    async def _command(self, by: str, command: Command) -> Given:
        id_ = self._new_id("command")
        told = await self._send("commands", lambda: {"json": {"id": id_, "command": command.value}})
        return Given(id_, (re.sub("<[^>]*>", "", str(told["said"])).strip(), self.world.now))

    async def _send(self, what: str, body: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Send it under the same id until it is accepted; the answer's JSON."""
        url = f"{self.world.address}/api/threads/{self.thread.thread_id}/{what}"
        while True:
            with suppress(aiohttp.ClientError):
                async with self._session.post(url, **body()) as response:
                    assert response.status in {200, 202, 503}, await response.text()
                    if response.status != 503:
                        return dict(await response.json())
            await asyncio.sleep(_AGAIN)

    async def tries(self, command: str, *, asked: str) -> str | None:
        """Give a command once, as the page does; what is told about it, or None when it cannot be known."""
        url = f"{self.world.address}/api/threads/{self.thread.thread_id}/commands"
        body = {"id": self._new_id("command"), "command": command, "asked": asked}
        with suppress(aiohttp.ClientError):
            async with self._session.post(url, json=body) as response:
                return str((await response.json())["said"]) if response.status == 200 else None
        return None

    def _new_id(self, kind: str) -> str:
        self._sent += 1
        return f"{kind}-{self.number:06d}-{self._sent:04d}"

    async def was_shown(self) -> None:
        """Wait until each message that was said stands in the window."""
        tags = {said.tags[0] for said in self.said}
        await self.window.until(lambda turns: tags <= set(self._tags_shown()), within=3600)

    def _tags_shown(self) -> list[str]:
        return [tag for turn in self.window.ever for text in turn.questions for tag in TAG.findall(text)]

    def stood(self) -> list[Stood]:
        """Also what went with a reset, as it was last seen; a retry takes the place of what it repeats."""
        here, ever, found = self.window.turns, self.window.ever, list[Stood]()
        for place, turn in enumerate(ever):
            is_repeated = any(later.questions == turn.questions for later in ever[place + 1 :])
            if turn not in here and not is_repeated:
                found += _stood_on_page(turn) if turn.has_ended else [Stood(turn.id, "(reset)", (), (), is_whole=True)]
        return found + [stood for turn in here for stood in _stood_on_page(turn)]

    async def opens_files(self) -> None:
        for url in set(self._attached()) - self._opened.keys():
            async with self._session.get(f"{self.world.address}{url}") as response:
                self._opened[url] = await response.text() if response.status == 200 else f"status {response.status}"

    def saved(self) -> list[str] | None:
        """Nothing is known of those that went with a reset, nor once nobody serves them."""
        return [self._opened.get(url, "never opened") for url in self._attached()]

    def _attached(self) -> list[str]:
        return [file["url"] for turn in self.window.turns for file in turn.files if file["name"] == FILE]

    def left(self) -> list[str]:
        return []  # an open turn is seen by its answer


def _stood_on_page(turn: Turn) -> list[Stood]:
    return joined([(turn.id, turn.text or "", not turn.has_ended)])
