"""A story in miniature of something that needs approval: a model that calls for it, and the desk where it is done."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from adapters.slack.places import place_of
from bot.__main__ import Around
from bot.answers import (
    PLAIN,
    ActionRequired,
    After,
    AnswerEvent,
    Completed,
    Created,
    Interaction,
    InteractionState,
    Manner,
    Question,
)
from bot.calls import FunctionCall, Results
from bot.function_runs import Functions
from bot.functions import function, read_function
from bot.messages import InteractionId, Usage
from tests.chaos.approving import APPROVE
from tests.chaos.functions import sent
from tests.chaos.history import History
from tests.chaos.history_functions import CALL, Asking, Call, Decision, Mark
from tests.chaos.history_functions import Functions as Noted
from tests.chaos.small import KnowingModel, Small, small
from tests.support.people.slack import command_of
from tests.support.slack import Shown


class CallingModel(KnowingModel):
    """Calls for something that needs approval before it answers each question."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(now, held=frozenset(), refused=frozenset())
        self.calls: dict[str, Call] = {}
        self.told: list[list[dict[str, str]]] = []
        self._questions: dict[InteractionId, Question] = {}

    async def answer(
        self, question: Question | Results, *, after: After, manner: Manner = PLAIN
    ) -> AsyncGenerator[AnswerEvent, None]:
        if isinstance(question, Results):
            results = {one.call: str(one.value) for one in question.results}
            self.told.append([results])
            assert isinstance(after, str)
            async for event in super().answer(self._questions[after], after=after, manner=manner):
                if isinstance(event, Created):
                    self.record[-1] = replace(self.record[-1], results=results)
                yield event
            return
        async for event in super().answer(question, after=after, manner=manner):
            if isinstance(event, Created):
                self._questions[event.interaction] = question
                yield event
            elif isinstance(event, Completed):
                yield self._call(event.interaction)

    def _call(self, interaction: InteractionId) -> ActionRequired:
        name = f"call-0-{int(interaction[1:]):08d}"
        asked = next(one for one in self.record if one.id == interaction)
        self.calls[name] = Call(name, "send", asked.tags, interaction)
        return ActionRequired(interaction, (FunctionCall(name, "send", {"call": name}),), Usage())

    async def look_up(self, interaction: InteractionId) -> Interaction:
        if interaction in self._questions:
            return Interaction(interaction, InteractionState.CALLING, (self._call(interaction),))
        return await super().look_up(interaction)


@dataclass
class Desk:
    """Where things are done. What is done there is not returned while it is closed."""

    now: Callable[[], float]
    marks: list[Mark] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    is_open: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def functions(self) -> Functions:
        @function(needs_approval=True, seconds=60.0)
        async def send(call: str) -> str:
            """Send something."""
            self.marks.append(Mark(call, self.now()))
            self.done.set()
            await self.is_open.wait()
            return sent(call)

        return Functions([read_function(send)])


@dataclass
class Sending:
    """The story, and the ends it is held by."""

    it: Small
    model: CallingModel
    desk: Desk
    decisions: list[Decision] = field(default_factory=list)

    async def is_asked(self) -> bool:
        """Wait until somebody is asked; False when the answer is there without."""

        def found() -> list[bool] | None:
            if any("over" in one.text for one in self._shown()):
                return [False]
            return [True] if any(one.is_open for one in self._asking()) else None

        (is_asked,) = await self.it.slack.until(found, within=60)
        return is_asked

    async def approves(self, *, by: str = "ada") -> str:
        """Somebody approves of what is asked; what they are told."""
        asking = next(one for one in self._asking() if one.is_open)
        button = next(one for one in self._shown() if one.ts == asking.id).button(APPROVE)
        decision = Decision(self.it.begun, asking.calls, by, by == "ada", approves=True, at=self.it.now())
        self.decisions.append(decision)
        before = len(self.it.slack.whispers(by))
        await self.it.slack.clicks(button, by=by)
        said = await self.it.slack.until(lambda: self.it.slack.whispers(by)[before:], within=60)
        decision.told = said[0].text
        return said[0].text

    def collect(self) -> History:
        """What is to be judged."""
        history = self.it.collect()
        history.functions = Noted(self.model.calls, self.desk.marks, self._asking(), self.decisions, self.model.told)
        return history

    def _shown(self) -> list[Shown]:
        return self.it.slack.replies(*place_of(self.it.begun))

    def _asking(self) -> list[Asking]:
        return [
            Asking(self.it.begun, one.ts, tuple(CALL.findall(one.text)), any(b.text == APPROVE for b in one.buttons))
            for one in self._shown()
            if str(command_of(one)).startswith("approval-")
        ]


@asynccontextmanager
async def sending(folder: Path, bug: Callable[[], Around]) -> AsyncIterator[Sending]:
    """A workspace, a model and a desk that outlive the bot, which is given a bug."""
    async with small(folder, bug) as it:
        model, desk = CallingModel(it.now), Desk(it.now)
        it.model, it.functions = model, desk.functions
        yield Sending(it, model, desk)
