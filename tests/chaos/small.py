"""Chaos in miniature, for showing one bug: Clew in process on the loopback Slack, and a model that says what it knows.

What happened is written down as the machine writes it down, for the same judge.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from adapters.slack.places import place_of
from adapters.slack.reply import WORKING
from bot.__main__ import Around
from bot.answers import (
    PLAIN,
    After,
    AnswerEvent,
    Created,
    Interaction,
    InteractionState,
    Manner,
    Question,
    Text,
    TextPiece,
    UserStep,
)
from bot.calls import Results
from bot.commands import Command
from bot.errors import InteractionLost, KeyRejected
from bot.function_runs import Functions
from bot.gemini_model import GeminiModel
from bot.history import without_past
from bot.messages import InteractionId, Thread
from bot.policy import Policy
from tests.chaos.bugs import SOUND
from tests.chaos.gemini import read_answer
from tests.chaos.history import Asked, End, Gave, History, Life, Outcome, Said, Stood, Way
from tests.chaos.places import REPORT
from tests.chaos.researches import AGENT, opens_report
from tests.support.people.slack import SlackPeople, command_of
from tests.support.scripted import ScriptedModel, completed
from tests.support.slack import Button, Shown, SlackServer, slack_server
from tests.support.slack_clew import ALL_SCOPES, SlackClew, clew_on

_TAG = re.compile(r"q\d{5}")
_ANSWER = re.compile(r"to (?P<tags>(?:q\d{5} ?)+)(?:, knowing (?P<knew>(?:q\d{5} )*)(?P<end>over)?)?")


class KnowingModel(ScriptedModel):
    """Says which questions it was asked and which it knows from before; finishes what it began, though the bot dies.

    Args:
        held: tags of questions of which it tells nothing but its first words, until `let_go`.
        refused: tags of questions it does not answer at all.
    """

    def __init__(self, now: Callable[[], float], *, held: frozenset[str], refused: frozenset[str]) -> None:
        super().__init__()
        self.record: list[Asked] = []
        self._now, self._held, self._refused = now, held, refused
        self._told: dict[InteractionId, tuple[TextPiece, TextPiece]] = {}
        self.let_go = asyncio.Event()
        self.heard_out = 0  # how many of its answers were listened to until their end

    async def answer(
        self, question: Question | Results, *, after: After, manner: Manner = PLAIN
    ) -> AsyncGenerator[AnswerEvent, None]:
        asked = self._asked(() if isinstance(question, Results) else question, after, manner)
        name, tags, knew = InteractionId(asked.id), asked.tags, asked.knew
        self.record.append(asked)
        pieces = (TextPiece(f"to {' '.join(tags)}, "), TextPiece(f"knowing {''.join(f'{tag} ' for tag in knew)}over"))
        self._told[name] = pieces
        yield Created(name)
        yield pieces[0]
        if set(tags) & self._held:
            await self.let_go.wait()
        yield pieces[1]
        try:
            yield completed(name)
        finally:
            self.heard_out += 1

    def _asked(self, question: Question, after: After, manner: Manner) -> Asked:
        texts = [part.text for part in question if isinstance(part, Text)]
        own = without_past(texts)
        tags, before = _tags(own), _tags(text for text in texts if text not in own)
        if set(tags) & self._refused:
            raise KeyRejected("the key")
        knew = tuple(sorted({*before, *self._known(after)}))
        before_it = after if isinstance(after, str) else None
        name = f"i{len(self.record) + 1}"
        return Asked(name, tags, knew, self._now(), before_it, manner.is_stored, Outcome.COMPLETED)

    async def look_up(self, interaction: InteractionId) -> Interaction:
        if interaction not in self._told:
            raise InteractionLost(interaction)
        first, last = self._told[interaction]
        events = (Created(interaction), first, last, completed(interaction))
        return Interaction(interaction, InteractionState.COMPLETED, events)

    def _known(self, after: After) -> tuple[str, ...]:
        if isinstance(after, tuple):
            steps = [step.content for step in after if isinstance(step, UserStep)]
            return _tags(part.text for content in steps for part in content if isinstance(part, Text))
        found = next((asked for asked in self.record if asked.id == after), None)
        return () if found is None else (*found.knew, *found.tags)


def _tags(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag for text in texts for tag in _TAG.findall(text)))


@dataclass
class Small:
    """One thread of a workspace, its people, and what they saw."""

    slack: SlackServer
    people: SlackPeople
    model: KnowingModel
    bug: Callable[[], Around]
    url: str
    now: Callable[[], float]
    history: History
    is_private: bool
    most_research: int
    thread: Thread | None = None
    functions: Functions | None = None

    @asynccontextmanager
    async def life(self, *, drain: float = 20.0) -> AsyncIterator[SlackClew]:
        """The bot, alive. Leaving it lets it end its turns for *drain* seconds, and the rest to the next life."""
        around, began = self.bug(), self.now()
        async with clew_on(
            self.slack,
            model=cast("KnowingModel", around.model(cast("GeminiModel", self.model))),
            wrap_all=around.store,
            wrap_line=around.slack,
            url=self.url,
            drain=drain,
            policy=Policy(private=self.is_private),
            functions=self.functions,
            agent=AGENT,
            daily_research=self.most_research,
        ) as clew:
            yield clew
        self.history.lives.append(Life(began, self.now(), End.STOPPED))

    @property
    def begun(self) -> Thread:
        assert self.thread is not None, "nothing was said yet"
        return self.thread

    def _shown(self) -> list[Shown]:
        return self.slack.replies(*place_of(self.begun))

    async def says(self, tag: str, *, by: str = "ada", wish: str = "") -> None:
        post = await self.people.says(f"{wish}{tag}?", thread=self.thread, by=by)
        self.thread = post.thread
        self.history.said.append(Said(post.thread, post.id, by, [tag], self.now()))

    async def chats(self, tag: str) -> None:
        """Somebody says something in the thread that names nobody."""
        channel, thread_ts = place_of(self.begun)
        ts = await self.slack.says("ada", f"{tag}?", channel=channel, thread_ts=thread_ts, mention=False)
        self.history.said.append(Said(self.begun, ts, "ada", [tag], self.now(), is_named=False))

    async def gives(self, command: Command) -> None:
        gave = Gave(self.begun, command, self.now())
        self.history.gave.append(gave)
        gave.told, gave.told_at = await self.people.gives(command, self.begun), self.now()

    async def presses(self, button: Button) -> None:
        gave = Gave(self.begun, Command(button.text.lower()), self.now(), way=Way.PRESS, button=button.value)
        self.history.gave.append(gave)
        before = len(self.slack.whispers("ada"))
        await self.slack.clicks(button)
        said = await self.slack.until(lambda: self.slack.whispers("ada")[before:], within=60)
        gave.told, gave.told_at = said[0].text, self.now()

    async def has(self, label: str, *, other_than: Button | None = None) -> Button:
        """The last button of that label, once there is one, or another one than that."""
        gone = other_than and other_than.value

        def found() -> Button | None:
            buttons = [button for one in self._shown() for button in one.buttons if button.text == label]
            return next((button for button in reversed(buttons) if button.value != gone), None)

        return await self.slack.until(found, within=60)

    async def sees(self, tag: str, *, whole: bool = True) -> None:
        """Wait until an answer names a question, to its last word or only so far."""
        await self.slack.until(
            lambda: any(tag in one.tags and one.is_whole >= whole for one in self._stood()), within=60
        )

    async def ended(self, number: int) -> None:
        """Wait until so many answers and notices stand there, and none grows."""
        await self.slack.until(lambda: len(self._stood()) == number and all(one.is_whole for one in self._stood()))

    def collect(self) -> History:
        """What is to be judged."""
        thread = self.begun
        status = self.slack.status(thread.channel_id, thread.thread_id)
        deleted = self.model.deleted
        self.history.asked = [replace(one, is_there=one.id not in deleted) for one in self.model.record]
        self.history.saved = {thread: [file.data.decode() for one in self._shown() for file in one.files]}
        self.history.most_research = self.most_research
        for gave in self.history.gave:
            gave.told_times = sum(text == gave.told for text in self._told())
        self.history.reports = {thread: sum(text.startswith(REPORT) for text in self._told())}
        self.history.private = [thread] * self.is_private
        self.history.stood = {thread: self._stood()}
        self.history.harm = self.people.harm()
        self.history.left = [status] if status else []
        return self.history

    def _told(self) -> list[str]:
        """What is said about commands in the thread."""
        return [one.text for one in self._shown() if command_of(one) is not None]

    async def is_told(self, beginning: str) -> None:
        """Wait until something about commands stands there that begins so."""
        await self.people.reads(self.begun, beginning)

    def _stood(self) -> list[Stood]:
        shown = [one for one in self._shown() if command_of(one) is None]
        return [_read(one) for one in shown if not opens_report(one.text) and not one.files]


def _read(shown: Shown) -> Stood:
    said = _ANSWER.search(shown.text)
    report = read_answer(shown.text)
    buttons = {button.text for button in shown.buttons}
    grows = shown.is_streaming or shown.text == WORKING or "Stop" in buttons
    if report.tags:
        whole = report.is_whole and not grows
        return Stood(shown.ts, shown.text, report.tags, report.knew, whole, grows)
    if said is None:
        return Stood(shown.ts, shown.text, (), (), is_whole=not grows, is_growing=grows)
    knew = tuple((said["knew"] or "").split())
    return Stood(shown.ts, shown.text, tuple(said["tags"].split()), knew, said["end"] is not None, grows)


@asynccontextmanager
async def small(
    folder: Path,
    bug: Callable[[], Around] = SOUND,
    *,
    held: Iterable[str] = (),
    refused: Iterable[str] = (),
    is_private: bool = False,
    most_research: int = 5,
    of_model: type[KnowingModel] = KnowingModel,
) -> AsyncIterator[Small]:
    """A workspace and a model that outlive the bot, which is given a bug."""
    began = time.monotonic()

    def now() -> float:
        return time.monotonic() - began

    async with slack_server(scopes=ALL_SCOPES) as slack:
        model = of_model(now, held=frozenset(held), refused=frozenset(refused))
        # A story waits until it has seen what it ends the bot after, so nothing of it is in flight then.
        history = History(seed=0, in_flight=0.0)
        url = f"sqlite:///{folder / 'clew.db'}"
        yield Small(slack, SlackPeople(slack), model, bug, url, now, history, is_private, most_research)
