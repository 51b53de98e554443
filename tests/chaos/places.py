"""A thread on each platform, as people have it and as it stands in the end: the same words for each."""

import asyncio
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import aiohttp

from adapters.discord.faces import WORKING as DISCORD_WORKING
from adapters.discord.format import OVERFLOW_NAME
from adapters.discord.history import ASIDE
from adapters.discord.places import DIRECT, DISCORD
from adapters.slack.places import SLACK, place_of
from adapters.slack.reply import WORKING as SLACK_WORKING
from adapters.web.events import read_thread
from bot.commands import Command
from bot.messages import Thread
from tests.chaos.gemini import TAG, goes_on, read_answer
from tests.chaos.history import Gave, Said, Stood
from tests.chaos.world import World
from tests.support.discord import Shown as DiscordShown
from tests.support.discord import made_at
from tests.support.people.seen import without_remarks
from tests.support.people.slack import command_of
from tests.support.slack import Shown as SlackShown
from tests.support.visitor import Shown as Turn
from tests.support.visitor import Visitor

_AGAIN = 0.2  # seconds before a page tries again what did not get through
Note = tuple[str, bytes]  # a file's name and what is in it
Message = tuple[str, str, bool]  # id, text, and whether a sign says that more is to come


class Place(ABC):
    """A thread, begun by what is said in it first. What people do stands there whether the bot lives or not."""

    can_change = True  # what was said, by editing it or taking it back

    def __init__(self, world: World, number: int) -> None:
        self.world, self.number = world, number
        self.begun: Thread | None = None
        self.said: list[Said] = []
        self.gave: list[tuple[str, Gave]] = []  # with the id of the message it was given by

    @property
    def thread(self) -> Thread:
        assert self.begun is not None, "nothing was said yet"
        return self.begun

    async def says(self, by: str, tag: str, text: str, files: Sequence[Note] = ()) -> Said:
        """Somebody says *text*, which has the tag in it."""
        id_, at = await self._post(by, text, files)
        self.said.append(Said(self.thread, id_, by, [tag], at, files=tuple(name for name, _ in files)))
        return self.said[-1]

    async def edits(self, said: Said, tag: str, text: str) -> None:
        """Whoever said it changes it."""
        said.tags.append(tag)
        said.changed_at = self.world.now
        await self._edit(said, text)

    async def takes_back(self, said: Said) -> None:
        said.is_taken_back, said.changed_at = True, self.world.now
        await self._delete(said)

    async def gives(self, by: str, command: Command) -> None:
        """Somebody gives a command, in words where there are people."""
        gave = Gave(self.thread, command, self.world.now)
        id_, gave.at, gave.told = await self._command(by, command)
        gave.told_at = None if gave.told is None else self.world.now
        self.gave.append((id_, gave))

    def history(self) -> tuple[list[Said], list[Gave]]:
        """All that people did here, as it looks now."""
        for said in self.said:
            said.is_late = self.is_late(said)
        for id_, gave in self.gave:
            if gave.told is None and (told := self.told(id_)) is not None:
                gave.told, gave.told_at = told
        return self.said, [gave for _, gave in self.gave]

    async def is_there(self) -> None:  # noqa: B027 - where nobody has to open it, it is
        """Wait until something can be said in the thread."""

    @abstractmethod
    async def _post(self, by: str, text: str, files: Sequence[Note]) -> tuple[str, float]: ...

    async def _edit(self, said: Said, text: str) -> None:
        raise NotImplementedError

    async def _delete(self, said: Said) -> None:
        raise NotImplementedError

    @abstractmethod
    async def _command(self, by: str, command: Command) -> tuple[str, float, str | None]: ...

    def told(self, given: str) -> tuple[str, float] | None:
        """What stands in the thread about a command, by the id of the message it was given by, and since when."""
        return None

    def is_late(self, said: Said) -> bool:
        """Whether an event of it was lost, or handed over after that of a later message."""
        return False

    @abstractmethod
    def stood(self) -> list[Stood]:
        """What the bot said here, in reading order, less what is about commands."""
        ...

    @abstractmethod
    def left(self) -> list[str]:
        """Signs of work."""
        ...


def joined(messages: Sequence[Message]) -> list[Stood]:
    """The messages of each answer as one; a notice is one message."""
    found: list[list[Message]] = []
    for message in messages:
        question = goes_on(message[1])
        before = next((one for one in reversed(found) if question in read_answer(one[0][1]).tags), None)
        if question is not None and before is not None:
            before.append(message)
        else:
            found.append([message])
    return [_stood(answer) for answer in found]


def _stood(messages: Sequence[Message]) -> Stood:
    text = "\n".join(text for _, text, _ in messages)
    read, grows = read_answer(text), any(grows for *_, grows in messages)
    return Stood(messages[0][0], text, read.tags, read.knew, is_whole=read.is_whole and not grows, is_growing=grows)


# --- Slack ----------------------------------------------------------------------------------------


class SlackPlace(Place):
    """A thread of a channel, or somebody's direct line to the bot."""

    def __init__(
        self, world: World, number: int, *, channel: str, is_direct: bool, mentions: Callable[[], bool]
    ) -> None:
        super().__init__(world, number)
        self._slack, self._is_direct, self._mentions = world.slack, is_direct, mentions
        self._place = self._slack.direct(channel) if is_direct else self._slack.channel(channel)

    async def _post(self, by: str, text: str, files: Sequence[Note]) -> tuple[str, float]:
        sent = [self._slack.uploads(name, data, by=by) for name, data in files]
        ts = await self._slack.says(
            by,
            text,
            channel=self._place,
            thread_ts=place_of(self.begun)[1] if self.begun else None,
            files=sent,
            mention=self._mentions() or not self._is_followed(),
        )
        if self.begun is None:
            self.begun = Thread(SLACK, self._slack.team_id, self._place, self._place if self._is_direct else ts)
        return ts, self.world.at(float(ts))

    def _is_followed(self) -> bool:
        """Whether the bot can know that the thread began with a mention of it; until then each needs one of its own."""
        first = self.said[0].id if self.said else None
        return any(delivery.ts == first and delivery.is_acknowledged for delivery in self._slack.deliveries)

    async def _edit(self, said: Said, text: str) -> None:
        named = f"<@{self._slack.bot_user_id}>"
        was = self._slack.find(said.id, self._place).text
        await self._slack.edits(said.id, f"{named} {text}" if named in was else text, channel=self._place)

    async def _delete(self, said: Said) -> None:
        await self._slack.deletes(said.id, channel=self._place)

    async def _command(self, by: str, command: Command) -> tuple[str, float, str | None]:
        place, thread_ts = place_of(self.thread)
        ts = await self._slack.says(by, command.value, channel=place, thread_ts=thread_ts)
        return ts, self.world.at(float(ts)), None

    def told(self, given: str) -> tuple[str, float] | None:
        shown = next((one for one in self._slack.replies(*place_of(self.thread)) if command_of(one) == given), None)
        return None if shown is None else (shown.text, self.world.at(float(shown.ts)))

    def is_late(self, said: Said) -> bool:
        handed = self.world.handed_over
        mine = handed.get(said.id)
        later = [handed.get(one.id) for one in self.said if one.at > said.at]
        return mine is None or any(other is not None and other < mine for other in later)

    def stood(self) -> list[Stood]:
        shown = [one for one in self._slack.replies(*place_of(self.thread)) if command_of(one) is None]
        return joined([(one.ts, without_remarks(one.text), _grows_in_slack(one)) for one in shown])

    def left(self) -> list[str]:
        place, thread_ts = place_of(self.thread)
        line = self._slack.status(place, thread_ts) if thread_ts else None
        return [f"the line {line!r} in {self.thread.key}"] if line else []


def _grows_in_slack(shown: SlackShown) -> bool:
    return shown.is_streaming or shown.text in {"", SLACK_WORKING} or "Stop" in {one.text for one in shown.buttons}


# --- Discord --------------------------------------------------------------------------------------


class DiscordPlace(Place):
    """A thread that the bot opens from a message in a channel, or somebody's direct line to it."""

    def __init__(
        self, world: World, number: int, *, channel: str, is_direct: bool, mentions: Callable[[], bool]
    ) -> None:
        super().__init__(world, number)
        self._discord, self._is_direct, self._mentions = world.discord, is_direct, mentions
        self._place = self._discord.direct(channel) if is_direct else self._discord.channel(channel)
        self._late: set[str] = set()

    async def is_there(self) -> None:
        here = self.thread.thread_id
        await self._discord.until(lambda: here in self._discord.world.channels or None, within=3600)

    async def _post(self, by: str, text: str, files: Sequence[Note]) -> tuple[str, float]:
        sent = [self._discord.uploads(name, data) for name, data in files]
        was_heard, faults = self._is_heard(), len(self._discord.faults.events.fired)
        id_ = await self._discord.says(
            by,
            text,
            channel=self.begun.thread_id if self.begun else self._place,
            mention=self.begun is None or self._mentions(),
            files=sent,
        )
        if not was_heard or len(self._discord.faults.events.fired) > faults:
            self._late.add(id_)
        if self.begun is None:
            installation = DIRECT if self._is_direct else self._discord.guild()
            self.begun = Thread(DISCORD, installation, self._place, self._place if self._is_direct else id_)
        return id_, self.world.at(made_at(id_))

    def _is_heard(self) -> bool:
        sockets = self._discord.sockets
        return bool(sockets) and not any(socket.is_half_open for socket in sockets)

    async def _edit(self, said: Said, text: str) -> None:
        named = f"<@{self._discord.bot_user_id}>"
        was = self._discord.message(said.id).content
        await self._discord.edits(said.id, f"{named} {text}" if named in was else text)

    async def _delete(self, said: Said) -> None:
        await self._discord.deletes(said.id)

    async def _command(self, by: str, command: Command) -> tuple[str, float, str | None]:
        id_ = await self._discord.says(by, command.value, channel=self.thread.thread_id, mention=not self._is_direct)
        return id_, self.world.at(made_at(id_)), None

    def told(self, given: str) -> tuple[str, float] | None:
        for one in self._replies():
            if one.reply_to == given and one.text.startswith(ASIDE):
                words = "\n".join(line.removeprefix(ASIDE) for line in one.text.splitlines())
                return words, self.world.at(made_at(one.id))
        return None

    def is_late(self, said: Said) -> bool:
        """What was on its way when the gateway was disturbed is told by a resume, or read later."""
        return said.id in self._late or any(-0.2 <= at - said.at <= 1.0 for at in self.world.disturbances)

    def _replies(self) -> Sequence[DiscordShown]:
        here = self.thread.thread_id
        return self._discord.replies(here) if here in self._discord.world.channels else []

    def stood(self) -> list[Stood]:
        shown = [one for one in self._replies() if not one.text.startswith(ASIDE)]
        return joined([(one.id, _text_in_discord(one), _grows_in_discord(one)) for one in shown])

    def left(self) -> list[str]:
        types = self._discord.typing(self.thread.thread_id) if self._replies() else None
        return [f"typing in {self.thread.key}"] if types is not None else []


def _text_in_discord(shown: DiscordShown) -> str:
    # What is too long for messages is read in the file under the last of them.
    files = [file.data.decode() for file in shown.files if file.name == OVERFLOW_NAME]
    return without_remarks(files[0] if files else shown.text)


def _grows_in_discord(shown: DiscordShown) -> bool:
    return shown.text == DISCORD_WORKING or "Stop" in shown.buttons


# --- the page -------------------------------------------------------------------------------------


class PagePlace(Place):
    """A thread in an open window of a browser, which tries again whatever does not get through."""

    can_change = False

    def __init__(self, world: World, number: int, session: aiohttp.ClientSession) -> None:
        super().__init__(world, number)
        self.begun = read_thread(f"thread{number:06d}")
        self._window = Visitor(session, world.address, self.begun.thread_id)
        self._session, self._sent = session, 0

    async def looks(self) -> None:
        """Show the thread for as long as somebody looks, through all lives of the bot."""
        while True:
            with suppress(aiohttp.ClientError):
                await self._window.follow()
            await asyncio.sleep(_AGAIN)

    async def _post(self, by: str, text: str, files: Sequence[Note]) -> tuple[str, float]:
        at, id_ = self.world.now, self._new_id("message")
        payload = {"id": id_, "text": text}

        def body() -> dict[str, Any]:
            if not files:
                return {"json": payload}
            form = aiohttp.FormData({"message": json.dumps(payload)}, default_to_multipart=True)
            for name, data in files:
                form.add_field("files", data, filename=name, content_type="text/plain")
            return {"data": form}

        await self._send("messages", body)
        return id_, at

    async def _command(self, by: str, command: Command) -> tuple[str, float, str | None]:
        at, id_ = self.world.now, self._new_id("command")
        told = await self._send("commands", lambda: {"json": {"id": id_, "command": command.value}})
        return id_, at, re.sub("<[^>]*>", "", str(told["said"])).strip()

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

    def _new_id(self, kind: str) -> str:
        self._sent += 1
        return f"{kind}-{self.number:06d}-{self._sent:04d}"

    async def was_shown(self) -> None:
        """Wait until each message that was said stands in the window."""
        tags = {said.tags[0] for said in self.said}
        await self._window.until(lambda turns: tags <= set(self._tags_shown()), within=3600)

    def _tags_shown(self) -> list[str]:
        return [tag for turn in self._window.ever for text in turn.questions for tag in TAG.findall(text)]

    def stood(self) -> list[Stood]:
        """Also what went with a reset, as it was last seen; a retry takes the place of what it repeats."""
        here, found = self._window.turns, list[Stood]()
        for turn in (turn for turn in self._window.ever if turn not in here):
            repeated = [later for later in self._window.ever if later is not turn and later.questions == turn.questions]
            if not repeated:
                found += _stood_on_page(turn) if turn.has_ended else [Stood(turn.id, "(reset)", (), (), is_whole=True)]
        return found + [stood for turn in here for stood in _stood_on_page(turn)]

    def left(self) -> list[str]:
        return []  # an open turn is seen by its answer


def _stood_on_page(turn: Turn) -> list[Stood]:
    return joined([(turn.id, turn.text or "", not turn.has_ended)])
