"""One process on all three platforms at once, killed ten times at seeded moments of different stories."""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.discord.history import ASIDE
from adapters.slack.manifest import SCOPES
from adapters.slack.places import place_of
from adapters.web.events import read_thread
from bot.messages import Thread
from bot.offline import Faults, OfflineModel, offline_model
from bot.offline.brain import INTRODUCTION
from tests.support.discord import discord_server
from tests.support.people.discord import DiscordPeople
from tests.support.people.page import PagePeople
from tests.support.people.seen import People, Post, Upload, View, whole
from tests.support.people.slack import SlackPeople, command_of
from tests.support.process import RunningClew, running_clew
from tests.support.slack import Install, slack_server
from tests.support.visitor import Visitor

KILLS = 5  # for each of two seeds, of every platform
LONG = "count to 1500"  # 6,400 characters: several messages in Discord
NOTES = Upload("notes.txt", "text/plain", b"Ariadne gave Theseus a ball of thread.")
AFRESH = "This thread starts afresh"
STORIES = ("plain", "long", "file", "merged", "reset")


class Browser(PagePeople):
    """Sends again what did not get through, under the same name, whenever the bot is back."""

    def __init__(self) -> None:
        super().__init__()
        self._unsent: list[tuple[Thread, str, str, Sequence[Upload]]] = []
        self._named = 0
        self.address = ""  # of the present run, or the last one
        self.told: list[str] = []  # about commands

    async def says(
        self, text: str, *, thread: Thread | None = None, by: str = "ada", files: Sequence[Upload] = ()
    ) -> Post:
        self._named += 1
        thread = thread or read_thread(f"thread{self._named:06d}")
        name = f"message-{self._named:06d}"
        self._unsent.append((thread, name, text, files))
        await self.sends_again()
        return Post(thread, name)

    async def sends_again(self) -> None:
        """In the order in which it was written."""
        headers = {"Origin": self.address, "Sec-Fetch-Site": "same-origin"}
        with suppress(aiohttp.ClientError):
            while self._unsent:
                thread, name, text, files = self._unsent[0]
                async with aiohttp.ClientSession(headers=headers) as session:
                    await self._send(Visitor(session, self.address, thread.thread_id), name, text, files)
                del self._unsent[0]

    async def _send(self, visitor: Visitor, name: str, text: str, files: Sequence[Upload]) -> None:
        if text == "reset":
            self.told.append(await visitor.tell(text, id_=name))
        else:
            await visitor.ask(text, id_=name, files={file.name: file.data for file in files})


@dataclass
class Asked:
    """A thread, and what was said in it, oldest first."""

    thread: Thread
    words: list[str] = field(default_factory=list)
    resets: int = 0

    def is_answered_in(self, view: View) -> bool:
        """Whether each is answered once, in order and to the end, and nothing is on its way."""
        said = "\n".join(view.texts)
        counts = [said.count(words) for words in self.words]
        ends = sum("long" in words for words in self.words)
        return (
            not view.is_working
            and counts == [1] * len(self.words)
            and sorted(self.words, key=said.index) == self.words
            and said.count("1499 1500") == ends
            and said.count(INTRODUCTION) <= len(self.words)
        )


class Town:
    """The three platforms with their people, and a Gemini; they outlive the bot."""

    def __init__(self, folder: Path, model: OfflineModel, slack: SlackPeople, discord: DiscordPeople) -> None:
        self.model, self._folder = model, folder
        self.slack, self.discord, self.browser = slack, discord, Browser()
        self.people: dict[str, People] = {"page": self.browser, "slack": slack, "discord": discord}
        self.asked: dict[str, list[Asked]] = {name: [] for name in self.people}

    @asynccontextmanager
    async def clew(self) -> AsyncIterator[RunningClew]:
        """The bot, from the moment at which its page is served."""
        settings = {"GEMINI_API_KEY": "test-key", "GEMINI_BASE_URL": self.model.url}
        settings |= self.slack.settings | self.discord.settings
        async with running_clew(self._folder, **settings) as clew, self.browser.visiting(clew.address):
            self.browser.address = clew.address
            await self.browser.sends_again()
            yield clew

    async def listens(self) -> None:
        """Wait until the bot hears both platforms that it has to call up."""
        await self.slack.slack.connected(2)
        await self.discord.discord.until(lambda: self.discord.discord.sockets)

    async def begins(self) -> None:
        """Let two threads be there, and be answered, on each platform: one to talk in, one for commands."""
        for name, people in self.people.items():
            for words in ("first of the talk", "first of the commands"):
                post = await people.says(words)
                self.asked[name].append(Asked(post.thread, [words]))
                await people.looks(post.thread, whole(1))

    async def plays(self, name: str, stories: Sequence[str], number: int) -> None:
        """Let people on a platform do what the bot has to see to the end, one thing after the other."""
        for story in stories:
            await self._play(name, story, number)

    async def _play(self, name: str, story: str, number: int) -> None:
        people, (talk, commands, *_) = self.people[name], self.asked[name]
        words = f"({story} {number})"
        match story:
            case "merged":
                for letter in "ab":
                    talk.words.append(f"({story} {number} {letter})")
                    await people.says(talk.words[-1], thread=talk.thread)
            case "reset":
                commands.resets += 1
                if name == "page":
                    commands.words.clear()  # what was reset is not shown there any more
                if name == "discord":  # where it is a command when the bot is named
                    await self.discord.discord.says("ada", "reset", channel=commands.thread.thread_id)
                else:
                    await people.says("reset", thread=commands.thread)
            case _:
                files = [NOTES] if story == "file" else []
                post = await people.says(f"{LONG} {words}" if story == "long" else words, files=files)
                self.asked[name].append(Asked(post.thread, [words]))

    async def judge(self) -> list[str]:
        """Wait for every answer; what does not stand there once, whole and in order, or should not at all."""
        found = []
        for name, people in self.people.items():
            for asked in self.asked[name]:
                try:
                    await people.looks(asked.thread, asked.is_answered_in)
                except TimeoutError as error:
                    found.append(f"{name}, {asked.words}: {error}")
        for name, people in self.people.items():  # once more, for whatever may have come since
            views = [await people.looks(asked.thread) for asked in self.asked[name]]
            told = zip(self.asked[name], views, strict=True)
            found += [f"{name}, {asked.words}: {view}" for asked, view in told if not asked.is_answered_in(view)]
            found += people.harm()
        slack, discord = self.slack.slack, self.discord.discord
        resets = {name: asked[1].resets for name, asked in self.asked.items()}
        with suppress(TimeoutError):
            await slack.until(lambda: self._resets_in_slack() >= resets["slack"], within=90)
            await discord.until(lambda: self._resets_in_discord() >= resets["discord"] or None, within=90)
        said = {"page": len(self.browser.told), "slack": self._resets_in_slack(), "discord": self._resets_in_discord()}
        found += [f"resets: told of {said}, given {resets}"] if said != resets else []
        found += [f"in the channel: {one.text}" for one in slack.replies("general")]
        return found + [f"in the channel: {one.text}" for one in discord.replies("general")]

    def _resets_in_slack(self) -> int:
        shown = self.slack.slack.replies(*place_of(self.asked["slack"][1].thread))
        return sum(AFRESH in one.text for one in shown if command_of(one) is not None)

    def _resets_in_discord(self) -> int:
        shown = self.discord.discord.replies(self.asked["discord"][1].thread.thread_id)
        return sum(AFRESH in one.text for one in shown if one.text.startswith(ASIDE))


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    async with (
        slack_server(install=Install(scopes=frozenset(SCOPES))) as slack,
        discord_server() as discord,
        offline_model(faults=Faults(), pace=0.002, requests_kept=2000) as model,
    ):
        yield Town(folder, model, SlackPeople(slack), DiscordPeople(discord))


def moment(chance: random.Random, here: Town) -> Coroutine[Any, Any, object]:
    """A moment among what the bot is about to do: so many calls of one of those it calls from now on."""
    slack, discord, model = here.slack.slack, here.discord.discord, here.model
    match chance.choice(list(here.people)):
        case "slack":
            calls = len(slack.calls) + chance.randrange(10)
            return slack.until(lambda: len(slack.calls) >= calls)
        case "discord":
            requests = len(discord.calls) + chance.randrange(8)
            return discord.until(lambda: len(discord.calls) >= requests)
        case _:
            return model.received(len(model.creates) + chance.randrange(4), method="POST")


@pytest.mark.parametrize("seed", [0, 1])
async def test_killed_at_any_moment_every_platform_has_every_answer_once_and_whole(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)  # noqa: S311 - which moments, not secrets
    async with town(tmp_path) as here:
        async with here.clew():
            await here.listens()
            await here.begins()
        for kill in range(KILLS):
            async with here.clew() as clew:
                if chance.random() < 0.7:  # else it is killed while it starts, or takes up what the last one left
                    await here.listens()
                is_time = moment(chance, here)
                async with asyncio.TaskGroup() as group:
                    for name in here.people:
                        group.create_task(here.plays(name, chance.sample(STORIES, 3), kill))
                    await is_time
                    clew.kill()
                await clew.ended()
        async with here.clew():
            await here.listens()
            found = await here.judge()

    assert not found, "\n".join(found)
