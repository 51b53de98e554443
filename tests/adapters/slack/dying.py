"""A story that two processes live through: the first dies at a chosen moment, the second takes up what it left."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from adapters.slack.adapter import Rhythm
from adapters.slack.growing import Pace
from adapters.slack.places import SLACK
from adapters.slack.reply import WORKING
from bot.limits import Limits
from storage.sqlite import open_store
from tests.support.reaper import WIRE, Cue, ReapedModel, Reaper, When
from tests.support.scripted import Asked
from tests.support.slack import Clock, Shown, SlackServer, Variants, slack_server
from tests.support.slack_clew import ALL_SCOPES, SlackClew, clew_on

SPEED = 20.0  # Slack's seconds in one real second
# Nothing happens by itself while deeds are counted.
STILL = Rhythm(token=86_400.0, again=(86_400.0,))
IMPATIENT = Variants(retries=(0.0, 5.0, 60.0))  # an event that finds no process between the two comes again sooner
PATIENCE = Limits(refused=4.0, first_pause=1.0)


@dataclass
class Stage:
    """Where a story is played: its Slack, its model, and what people need to remember of it."""

    slack: SlackServer
    model: ReapedModel
    reaper: Reaper
    url: str
    ts: str = ""  # of the message that the thread hangs from
    channel: str = "general"
    go_on: asyncio.Event = field(default_factory=asyncio.Event)  # for a model that waits for it

    @property
    def thread_ts(self) -> str | None:
        """None where answers stand at the top level."""
        return self.ts if self.channel == "general" else None

    @property
    def shown(self) -> list[Shown]:
        """What the bot said in the thread."""
        return self.slack.replies(self.channel, self.thread_ts)

    @property
    def death(self) -> str:
        """For whoever reads a failure."""
        reaper = self.reaper
        if not reaper.struck.is_set():
            return f"nobody died: {reaper.deeds}"
        return f"killed {reaper.when.name.lower()} deed {reaper.k}, {reaper.deeds[reaper.k - 1]}: {reaper.deeds}"

    @property
    def taken_away(self) -> int:
        """How many messages of the bot stood in the thread for a while: what was posted twice is cleared up, too."""
        return sum(call.has_acted for call in self.slack.calls_of("chat.delete"))

    async def unfinished(self) -> list[str]:
        """What was begun and not brought to an end, for people and in the store."""
        left = [f"{one.text[:40]!r} streams" for one in self.shown if one.is_streaming]
        left += [f"{one.text[:40]!r} grows" for one in self.shown if one.text.strip() == WORKING]
        left += ["a Stop button" for one in self.shown for button in one.buttons if button.text == "Stop"]
        if self.thread_ts and (status := self.slack.status(self.channel, self.thread_ts)):
            left.append(f"a status: {status}")
        async with open_store(self.url, keeps_text=frozenset()) as store:
            left += [f"{turn.state} turn" for turn in await store.running()]
            left += [f"work in {thread.key}" for thread in await store.waiting()]
            left += [f"not confirmed: {one.words}" for one in await store.unconfirmed(SLACK)]
        return left


Deed = Callable[[Stage], Coroutine[Any, Any, None]]


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
        has_sent: whether what the first process had written to its sockets gets through although it dies.
    """

    happens: Deed
    before: Deed = _nothing
    tells: Callable[[Stage, Asked], Sequence[Cue]]
    finishes: bool = True
    lasts: tuple[str, ...]
    is_over: Callable[[Stage], bool]
    has_sent: bool = False


async def deaths(story: Story, when: When, folder: Path) -> AsyncIterator[Stage]:
    """The story with a death before or after every deed of the bot, each to be judged when it is over.

    The first time nobody dies, which tells how much there is to do.
    """
    deeds = 0
    for k in count():
        if k > deeds:
            return
        async with slack_server(clock=Clock(speed=SPEED), scopes=ALL_SCOPES, variants=IMPATIENT) as slack:
            stage = await _lived_through(story, slack, f"sqlite:///{folder / f'{k}.db'}", k, when)
        yield stage
        if not stage.reaper.struck.is_set():
            deeds = max(deeds, len(stage.reaper.deeds))


async def _lived_through(story: Story, slack: SlackServer, url: str, k: int, when: When) -> Stage:
    def cut_off() -> None:
        for socket in slack.sockets:
            socket.is_half_open, socket.takes_events = not story.has_sent, False

    reaper = Reaper(k, when, then=cut_off)
    model = ReapedModel(reaper, lambda asked: story.tells(stage, asked), finishes=story.finishes)
    stage = Stage(slack, model, reaper, url)
    try:
        async with asyncio.TaskGroup() as group:
            is_set, ended = asyncio.Event(), asyncio.Event()
            life = group.create_task(_first_life(story, stage, is_set, ended))
            await is_set.wait()
            reaper.over_wire(slack)
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
            await _second_life(story, stage, people)
    except Exception as error:
        error.add_note(stage.death)
        raise
    return stage


async def _done(story: Story, stage: Stage, people: "asyncio.Task[None]") -> None:
    await asyncio.wait({people})
    await stage.reaper.did(*story.lasts)


async def _first_life(story: Story, stage: Stage, is_set: asyncio.Event, ended: asyncio.Event) -> None:
    async with _alive(stage, stage.reaper):
        await story.before(stage)
        await stage.slack.delivered()
        is_set.set()
        await ended.wait()


async def _second_life(story: Story, stage: Stage, people: "asyncio.Task[None]") -> None:
    slack = stage.slack
    for method in WIRE:
        slack.faults.disarm(method)
    stage.model.reaper = survivor = Reaper(0, When.BEFORE)
    survivor.start()
    async with _alive(stage, survivor) as clew:
        await people
        await slack.until(lambda: story.is_over(stage))
        # What the first life did not acknowledge comes again.
        await slack.delivered()
        if await clew.store.unconfirmed(SLACK):
            await survivor.did("store.confirmed")


def _alive(stage: Stage, reaper: Reaper) -> AbstractAsyncContextManager[SlackClew]:
    return clew_on(
        stage.slack,
        url=stage.url,
        model=stage.model,
        clock=stage.slack.clock,
        rhythm=STILL,
        pace=Pace(),
        limits=PATIENCE,
        wrap_all=reaper.over_store,
        wrap_line=reaper.over_line,
    )
