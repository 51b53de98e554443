"""A story that two processes live through: the first dies at a chosen moment, the second takes up what it left."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Generic, TypeVar

from bot.answers import TextPiece
from bot.function_runs import Functions
from bot.functions import Function
from bot.limits import Limits
from bot.policy import Policy
from tests.support.agent import Doing
from tests.support.reaper import Cue, ReapedModel, Reaper, When
from tests.support.scripted import Asked
from tests.sweep.ground import GREETING, PATIENCE, Cast, Ground, Seen

WITHIN = 60.0  # real seconds for what nobody sees

G = TypeVar("G", bound=Ground)
G_co = TypeVar("G_co", bound=Ground, covariant=True)


@dataclass
class Stage(Generic[G_co]):
    """Where a story is played."""

    ground: G_co
    model: ReapedModel
    reaper: Reaper
    story: "Story[Any]"
    url: str
    go_on: asyncio.Event = field(default_factory=asyncio.Event)  # for a model that waits for it
    done: list[str] = field(default_factory=list)  # by people and by functions, where the order counts

    @property
    def asked(self) -> list[Asked]:
        """What the model was asked, less what was asked before the story."""
        return [asked for asked in self.model.asked if GREETING not in asked.text]

    @property
    def answers(self) -> list[Seen]:
        """What the bot said in answer."""
        return [one for one in self.ground.shown if not one.is_aside]

    def said(self, words: str) -> int:
        """How many messages say this, about commands too."""
        return sum(words in one.text for one in self.ground.shown)

    @property
    def is_calm(self) -> bool:
        """Something was answered, and nothing is on its way."""
        return bool(self.answers) and not any(one.grows for one in self.answers)

    def sees(self, words: str) -> Callable[[], Coroutine[Any, Any, object]]:
        """For a model that waits until these words can be read."""

        async def seen() -> object:
            return await self.ground.until(lambda: self.said(words))

        return seen

    @property
    def death(self) -> str:
        """For whoever reads a failure."""
        reaper = self.reaper
        if not reaper.struck.is_set():
            return f"nobody died: {reaper.deeds}"
        return f"killed {reaper.when.name.lower()} deed {reaper.k}, {reaper.deeds[reaper.k - 1]}: {reaper.deeds}"


async def nothing(stage: Stage[G]) -> None:
    """What happens where nothing does."""


@dataclass(frozen=True, kw_only=True)
class Story(Generic[G]):
    """What people do, and what comes of it.

    Attributes:
        happens: what people do. They do it whether the bot lives or not.
        before: what has happened when the counting begins.
        tells: how the model answers.
        finishes: whether the model ever comes to the end of an answer.
        lasts: the commits after which the bot has nothing more to do.
        is_over: what people see in the end.
        meanwhile: what happens between the two lives.
        uploads: whether films go to Gemini beforehand.
        works: what Gemini does about what it is asked in the background.
        functions: what the model may call.
        is_fetched: whether an answer that was begun can be fetched, so that none is paid for twice.
        superseded: the answers that a later one replaces.
    """

    happens: Callable[[Stage[G]], Coroutine[Any, Any, None]]
    before: Callable[[Stage[G]], Coroutine[Any, Any, None]] = nothing
    tells: Callable[[Stage[G], Asked], Sequence[Cue]]
    finishes: bool = True
    lasts: tuple[str, ...]
    is_over: Callable[[Stage[G]], bool]
    meanwhile: Callable[[Stage[G]], Coroutine[Any, Any, None]] = nothing
    policy: Policy = field(default_factory=Policy)
    uploads: bool = False
    works: Callable[[Stage[G], Asked], Sequence[Doing]] = lambda stage, asked: ()
    functions: Callable[[Stage[G]], Sequence[Function]] = lambda stage: ()
    limits: Limits = PATIENCE
    is_fetched: bool = True
    superseded: int = 0


Place = Callable[[Path], AbstractAsyncContextManager[G]]
"""How a platform is opened, with a folder of its own for whatever lies on the disk."""


async def deaths(story: Story[G], place: Place[G], when: When, folder: Path) -> AsyncIterator[Stage[G]]:
    """The story with a death before or after every deed of the bot, each to be judged when it is over.

    The first time nobody dies, which tells how much there is to do.
    """
    deeds = 0
    for k in count():
        if k > deeds:
            return
        home = folder / str(k)
        home.mkdir()
        async with place(home) as ground:
            stage = await _lived_through(story, ground, f"sqlite:///{home / 'clew.db'}", k, when)
        yield stage
        if not stage.reaper.struck.is_set():
            deeds = max(deeds, len(stage.reaper.deeds))


async def _lived_through(story: Story[G], ground: G, url: str, k: int, when: When) -> Stage[G]:
    reaper = Reaper(k, when, then=ground.cut_off)
    model = ReapedModel(
        reaper,
        lambda asked: _told(story, stage, asked),
        works=lambda asked: story.works(stage, asked),
        finishes=story.finishes,
    )
    stage = Stage(ground, model, reaper, story, url)
    try:
        async with asyncio.TaskGroup() as group:
            is_set, ended = asyncio.Event(), asyncio.Event()
            life = group.create_task(_first_life(story, stage, is_set, ended))
            await is_set.wait()
            ground.over(reaper)
            reaper.start()
            people = group.create_task(story.happens(stage))
            done = group.create_task(_done(story, stage, people))
            struck = group.create_task(reaper.struck.wait())
            await asyncio.wait({done, struck, life}, return_when=asyncio.FIRST_COMPLETED)
            if reaper.struck.is_set():
                life.cancel()
            ended.set()
            await asyncio.wait({life})
            done.cancel()
            struck.cancel()
            ground.mend()
            await story.meanwhile(stage)
            await _second_life(story, stage, people)
    except Exception as error:
        error.add_note(stage.death)
        error.add_note(f"seen: {[(one.text[:60], one.buttons, one.grows) for one in ground.shown]}")
        raise
    return stage


def _told(story: Story[G], stage: Stage[G], asked: Asked) -> Sequence[Cue]:
    return [TextPiece("Good morning.")] if GREETING in asked.text else story.tells(stage, asked)


async def _done(story: Story[G], stage: Stage[G], people: "asyncio.Task[None]") -> None:
    await asyncio.wait({people})
    async with asyncio.timeout(WITHIN):
        await stage.reaper.did(*(commit for commit in story.lasts if commit not in stage.ground.unmade))


def _cast(story: Story[G], stage: Stage[G], reaper: Reaper) -> Cast:
    functions = Functions(story.functions(stage))
    return Cast(stage.url, stage.model, reaper, story.policy, story.uploads, functions, story.limits)


async def _first_life(story: Story[G], stage: Stage[G], is_set: asyncio.Event, ended: asyncio.Event) -> None:
    async with stage.ground.bot(_cast(story, stage, stage.reaper)):
        await stage.ground.settle()
        await story.before(stage)
        await stage.ground.delivered()
        is_set.set()
        await ended.wait()


async def _second_life(story: Story[G], stage: Stage[G], people: "asyncio.Task[None]") -> None:
    ground = stage.ground
    stage.model.reaper = survivor = Reaper(0, When.BEFORE)
    survivor.start()
    async with ground.bot(_cast(story, stage, survivor)) as bot:
        await people
        await ground.until(lambda: story.is_over(stage))
        # What the first life did not acknowledge comes again.
        await ground.delivered()
        if await bot.store.unconfirmed(ground.platform):
            await survivor.did("store.confirmed")
        if await bot.store.forgetting.to_forget():
            await survivor.did("store.reported")
        if unwanted := await bot.store.runs.unwanted():
            async with asyncio.timeout(WITHIN):
                await survivor.did(*["store.ended"] * len(unwanted))
