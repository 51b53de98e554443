"""A person at the page, without a browser: asks over HTTP and sees what the page would be told."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import aiohttp


@dataclass
class Shown:
    """A turn as the page shows it."""

    id: str
    state: str = ""
    questions: list[str] = field(default_factory=list)
    kind: str | None = None  # answer, notice
    text: str | None = None  # Markdown of what it ended with
    blocks: list[str] = field(default_factory=list)  # HTML, while it grows and when it has ended
    files: list[dict[str, Any]] = field(default_factory=list)  # of the answer
    frames: int = 0
    tool: str = ""  # in use now
    asks: str = ""  # HTML: what is to be approved of
    asked: str = ""  # the name of that
    thoughts: str = ""  # shown now, their headline first

    @property
    def doing(self) -> str:
        """What the bot is said to do at the moment, besides answering."""
        return f"{self.tool} {self.thoughts}".strip()

    @property
    def growing(self) -> str:
        """The words of an answer as far as they have come."""
        return re.sub("<[^>]*>", "", "\n\n".join(self.blocks))

    @property
    def has_ended(self) -> bool:
        return self.state in {"answered", "failed", "stopped"} and self.text is not None


class Visitor:
    """Somebody who looks at one thread of the page and asks in it."""

    def __init__(self, session: aiohttp.ClientSession, address: str, thread: str) -> None:
        self._session, self._address, self.thread = session, address, thread
        self._turns: dict[str, Shown] = {}
        self._order: list[str] = []
        self._news = asyncio.Condition()
        self._asked = 0
        self._said: list[str] = []

    @property
    def turns(self) -> list[Shown]:
        return [self._turns[turn] for turn in self._order if turn in self._turns]

    @property
    def ever(self) -> list[Shown]:
        """Every turn that was ever shown, as it was last seen: those that are gone by a reset or a retry as well."""
        return list(self._turns.values())

    async def ask(self, text: str, *, id_: str | None = None, files: Mapping[str, bytes] | None = None) -> None:
        """Send a question, with files by name; returns when it is stored."""
        self._asked += 1
        payload = {"id": id_ or f"{self.thread}-{self._asked:04d}-{'x' * 8}", "text": text}
        form = aiohttp.FormData()
        form.add_field("message", json.dumps(payload), content_type="application/json")
        for name, data in (files or {}).items():
            form.add_field("files", BytesIO(data), filename=name, content_type="application/octet-stream")
        url = f"{self._address}/api/threads/{self.thread}/messages"
        body: dict[str, Any] = {"data": form} if files else {"json": payload}
        async with self._session.post(url, **body) as response:
            assert response.status == 202, await response.text()

    async def health(self) -> dict[str, str]:
        """What the bot says of itself, over a connection that stands."""
        async with self._session.get(f"{self._address}/healthz") as response:
            checks: dict[str, str] = (await response.json())["checks"]
            return checks

    async def tell(self, command: str, *, id_: str, asked: str = "") -> str:
        url = f"{self._address}/api/threads/{self.thread}/commands"
        async with self._session.post(url, json={"id": id_, "command": command, "asked": asked}) as response:
            assert response.status == 200, await response.text()
            return str((await response.json())["said"])

    async def until(self, condition: Callable[[list[Shown]], bool], *, within: float = 40) -> list[Shown]:
        """Wait until what the page shows fulfils *condition*."""
        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(lambda: condition(self.turns))
        return self.turns

    async def ended(self, number: int, *, within: float = 40) -> list[Shown]:
        """The thread once *number* turns have ended and none is open."""
        return await self.until(
            lambda turns: len(turns) >= number and all(turn.has_ended for turn in turns), within=within
        )

    async def follow(self) -> None:
        """Take in what the page is told, until the connection ends."""
        url = f"{self._address}/api/threads/{self.thread}/events"
        async with self._session.get(url, timeout=aiohttp.ClientTimeout(total=None)) as response:
            name = ""
            async for raw in response.content:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: ") and name == "turns":
                    await self._take_in(json.loads(line.removeprefix("data: ")))
                elif line.startswith("data: ") and name == "said":
                    await self._hear(json.loads(line.removeprefix("data: "))["said"])

    async def told(self, beginning: str, *, within: float = 60) -> str:
        """Wait until the page is told something about a command that begins so; as text."""

        def found() -> str | None:
            return next((words for words in self._said if words.startswith(beginning)), None)

        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(lambda: found() is not None)
        return found() or ""

    async def _hear(self, said: str) -> None:
        async with self._news:
            self._said.append(re.sub("<[^>]*>", "", said).strip())
            self._news.notify_all()

    async def _take_in(self, told: dict[str, Any]) -> None:
        async with self._news:
            self._order = told["order"]
            for change in told["turns"]:
                shown = self._turns.setdefault(change["id"], Shown(change["id"]))
                shown.state = change.get("state", shown.state)
                if "questions" in change:
                    shown.questions = [question["text"] for question in change["questions"]]
                if "answer" in change:
                    answer = change["answer"] or {"kind": None, "markdown": None}
                    shown.kind, shown.text = answer["kind"], answer["markdown"]
                    shown.blocks = [*shown.blocks[: answer.get("keep", 0)], *answer.get("blocks", ())]
                    shown.files = answer.get("files", [])
                    shown.frames += 1
                    shown.tool = answer.get("tool") or ""
                    if "asks" in answer or change["answer"] is None:
                        asks = answer.get("asks") or {"name": "", "words": ""}
                        shown.asks, shown.asked = asks["words"], asks["name"]
                    if "thoughts" in answer or change["answer"] is None:
                        thoughts = answer.get("thoughts") or {"headline": "", "blocks": []}
                        shown.thoughts = " ".join([thoughts["headline"], *thoughts["blocks"]]).strip()
            self._news.notify_all()


@asynccontextmanager
async def visitor_at(address: str, thread: str) -> AsyncIterator[Visitor]:
    """A page that is open while the block runs. What the server takes with it when it is killed is no failure."""
    async with aiohttp.ClientSession(headers={"Origin": address, "Sec-Fetch-Site": "same-origin"}) as session:
        client = Visitor(session, address, thread)
        async with asyncio.TaskGroup() as group:
            following = group.create_task(_following(client))
            try:
                yield client
            finally:
                following.cancel()


async def _following(client: Visitor) -> None:
    with suppress(aiohttp.ClientError):
        await client.follow()
