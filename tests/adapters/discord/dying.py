"""A story that two processes live through: the first dies at a chosen moment, the second takes up what it left."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from adapters.discord.adapter import Rhythm
from adapters.discord.faces import WORKING
from adapters.discord.places import DISCORD
from adapters.discord.reply import Pace
from adapters.discord.slots import POSTING
from bot.answers import TextPiece
from bot.limits import Limits
from storage.sqlite import open_store
from tests.support.discord import Clock, DiscordServer, Shown, Variants, discord_server
from tests.support.discord_clew import clew_on
from tests.support.discord_reaper import DiscordReaper
from tests.support.reaper import Cue, ReapedModel, When
from tests.support.scripted import Asked
from tests.support.slack_clew import until_logged

USUAL = Variants()
SPEED = 20.0  # Discord's seconds in one real second
STILL = Rhythm(again=(86_400.0,), late=0.02)  # nothing happens by itself while deeds are counted
GREETING = "good morning"  # said before the story begins
PATIENCE = Limits(refused=4.0, first_pause=0.05)


@dataclass
class Stage:
    """Where a story is played: its Discord, its model, and what people need to remember of it."""

    discord: DiscordServer
    model: ReapedModel
    reaper: DiscordReaper
    url: str
    question: str = ""  # the message that was asked first
    place: str = ""  # the thread or channel in which the answers stand
    go_on: asyncio.Event = field(default_factory=asyncio.Event)  # for a model that waits for it

    async def asks(self, text: str = "what is a clew?", **more: object) -> None:
        """Ask in the channel; the answer stands in the thread that is opened from it."""
        self.question = self.place = await self.discord.says("ada", text, **more)  # type: ignore[arg-type]

    @property
    def shown(self) -> list[Shown]:
        """What the bot said in answer."""
        try:
            seen = self.discord.replies(self.place)
        except LookupError:
            return []
        return [one for one in seen if int(one.id) > int(self.question)]

    @property
    def asked(self) -> int:
        """How often the model was asked."""
        return sum(GREETING not in asked.text for asked in self.model.asked)

    def until(self, words: str) -> Callable[[], Awaitable[object]]:
        """For a model that waits until these words can be seen."""
        return lambda: self.discord.until(lambda: any(words in one.text for one in self.shown))

    @property
    def death(self) -> str:
        """For whoever reads a failure."""
        reaper = self.reaper
        if not reaper.struck.is_set():
            return f"nobody died: {reaper.deeds}"
        return f"killed {reaper.when.name.lower()} deed {reaper.k}, {reaper.deeds[reaper.k - 1]}: {reaper.deeds}"

    async def unfinished(self) -> list[str]:
        """What was begun and not brought to an end, for people and in the store."""
        left = [f"{one.text[:40]!r} grows" for one in self.shown if one.text == WORKING or "Stop" in one.buttons]
        left += ["a typing sign"] if self.shown and self.discord.typing(self.place) else []
        left += ["a silent command" for one in self.discord.interactions if one.is_thinking]
        async with open_store(self.url, keeps_text=frozenset()) as store:
            left += [f"{turn.state} turn" for turn in await store.running()]
            left += [f"work in {thread.key}" for thread in await store.waiting()]
            left += [f"not confirmed: {one.words}" for one in await store.unconfirmed(DISCORD)]
            for thread in await store.active(DISCORD, since=0.0):
                parts = [part for turn in await store.transcript(thread) for part in turn.parts]
                left += ["a part about to be posted" for part in parts if part.message_id == POSTING]
        return left


async def _nothing(stage: Stage) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Story:
    """What people do, and what comes of it.

    Attributes:
        happens: what people do. They do it whether the bot lives or not.
        before: what has happened when the counting begins.
        tells: how the model answers.
        finishes: whether the model ever comes to the end of an answer.
        lasts: the commits after which the bot has nothing more to do.
        is_over: what people see in the end.
        variants: which Discord it is.
        meanwhile: what happens between the two lives.
    """

    happens: Callable[[Stage], Awaitable[None]]
    before: Callable[[Stage], Awaitable[None]] = _nothing
    tells: Callable[[Stage, Asked], Sequence[Cue]]
    finishes: bool = True
    lasts: tuple[str, ...]
    is_over: Callable[[Stage], bool]
    variants: Variants = USUAL
    meanwhile: Callable[[Stage], Awaitable[None]] = _nothing


async def deaths(story: Story, when: When, folder: Path) -> AsyncIterator[Stage]:
    """The story with a death before or after every deed of the bot, each to be judged when it is over.

    The first time nobody dies, which tells how much there is to do.
    """
    deeds = 0
    for k in count():
        if k > deeds:
            return
        async with discord_server(clock=Clock(speed=SPEED), variants=story.variants) as discord:
            stage = await _lived_through(story, discord, f"sqlite:///{folder / f'{k}.db'}", k, when)
        yield stage
        if not stage.reaper.struck.is_set():
            deeds = max(deeds, len(stage.reaper.deeds))


async def _lived_through(story: Story, discord: DiscordServer, url: str, k: int, when: When) -> Stage:
    def cut_off() -> None:
        for socket in discord.sockets:  # a dead process hears nothing, though its tasks are still to be cleaned up here
            socket.is_half_open = True

    reaper = DiscordReaper(k, when, then=cut_off)
    model = ReapedModel(reaper, lambda asked: _told(story, stage, asked), finishes=story.finishes)
    stage = Stage(discord, model, reaper, url)
    try:
        async with asyncio.TaskGroup() as group:
            is_set, ended = asyncio.Event(), asyncio.Event()
            life = group.create_task(_first_life(story, stage, is_set, ended))
            await is_set.wait()
            reaper.over_discord(discord)
            reaper.start()
            people = group.create_task(_people(story, stage))
            done = group.create_task(_done(story, stage, people))
            struck = group.create_task(reaper.struck.wait())
            await asyncio.wait({done, struck, life}, return_when=asyncio.FIRST_COMPLETED)
            if reaper.struck.is_set():
                life.cancel()
            ended.set()
            await asyncio.wait({life})
            done.cancel()
            struck.cancel()
            discord.faults.disarm()
            await story.meanwhile(stage)
            await _second_life(story, stage, people)
    except Exception as error:
        error.add_note(stage.death)
        raise
    return stage


def _told(story: Story, stage: Stage, asked: Asked) -> Sequence[Cue]:
    return [TextPiece("Good morning.")] if GREETING in asked.text else story.tells(stage, asked)


async def _people(story: Story, stage: Stage) -> None:
    await story.happens(stage)


async def _done(story: Story, stage: Stage, people: "asyncio.Task[None]") -> None:
    await asyncio.wait({people})
    await stage.reaper.did(*story.lasts)


async def _first_life(story: Story, stage: Stage, is_set: asyncio.Event, ended: asyncio.Event) -> None:
    discord, reaper = stage.discord, stage.reaper
    async with clew_on(
        discord,
        url=stage.url,
        model=stage.model,
        rhythm=STILL,
        pace=Pace(),
        limits=PATIENCE,
        wrap_all=reaper.over_store,
        drain=0.0,
        now=discord.clock.now,
        clock=discord.clock.now,
        sleep=discord.clock.sleep,
    ):
        await discord.until(lambda: discord.commands)
        # A bot that was never asked anything, or never by this person directly, has nowhere to catch up.
        async with until_logged("turn answered", by="bot.responder"):
            await discord.says("ada", GREETING, channel=discord.direct("ada"))
        await story.before(stage)
        await discord.delivered()
        is_set.set()
        await ended.wait()


async def _second_life(story: Story, stage: Stage, people: "asyncio.Task[None]") -> None:
    discord = stage.discord
    stage.model.reaper = survivor = DiscordReaper(0, When.BEFORE)
    survivor.start()
    async with clew_on(
        discord,
        url=stage.url,
        model=stage.model,
        rhythm=STILL,
        pace=Pace(),
        limits=PATIENCE,
        wrap_all=survivor.over_store,
        drain=2.0,
        now=discord.clock.now,
        clock=discord.clock.now,
        sleep=discord.clock.sleep,
    ) as clew:
        await people
        await discord.until(lambda: story.is_over(stage))
        await discord.delivered()
        if await clew.store.unconfirmed(DISCORD):
            await survivor.did("store.confirmed")
