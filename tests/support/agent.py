"""What goes on at Gemini by itself, and outlives the bot: begun, looked at now and then, and perhaps cancelled."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bot.answers import AnswerEvent, Created, Interaction, InteractionState
from bot.errors import InteractionLost, QuestionRejected
from bot.messages import InteractionId
from tests.support.scripted import completed

Wait = Callable[[], Awaitable[object]]
Doing = AnswerEvent | Wait
"""What it does: tell something, or wait."""


@dataclass
class Run:
    """One of them.

    Attributes:
        doing: what it is still to do.
        watched: by whom it was looked at last.
    """

    id: InteractionId
    doing: list[Doing]
    told: list[AnswerEvent] = field(default_factory=list)
    state: InteractionState = InteractionState.RUNNING
    is_cancelled: bool = False
    watched: object = None

    @property
    def runs(self) -> bool:
        return self.state is InteractionState.RUNNING

    @property
    def seen(self) -> Interaction:
        return Interaction(self.id, self.state, tuple(self.told))

    @property
    def next_wait(self) -> Wait | None:
        """What it waits for now, or will after it has told something."""
        return next((one for one in self.doing if not isinstance(one, AnswerEvent)), None)

    def tell(self) -> None:
        """Tell what comes before the next wait."""
        while self.doing and isinstance(one := self.doing[0], AnswerEvent):
            self.told.append(one)
            del self.doing[0]

    def end(self, state: InteractionState) -> None:
        is_whole = state is InteractionState.COMPLETED
        self.told = [Created(self.id), *self.told, completed(self.id)] if is_whole else []
        self.state = state


class Agent:
    """Begins and cancels them.

    A process that looks for the first time sees what was done before the next wait; after that, what was done since. It
    takes a look until what was cancelled says so.
    """

    def __init__(self) -> None:
        self.runs: dict[InteractionId, Run] = {}

    def begin(self, doing: Sequence[Doing]) -> InteractionId:
        run = Run(InteractionId(f"run{len(self.runs) + 1}"), list(doing))
        self.runs[run.id] = run
        return run.id

    def cancel(self, interaction: InteractionId) -> None:
        run = self.runs.get(interaction)
        if run is None:
            raise InteractionLost(interaction)
        if not run.runs:
            raise QuestionRejected("failed_precondition", chained=True)
        run.is_cancelled = True

    async def look_up(
        self, interaction: InteractionId, *, by: object, wait: Callable[[Awaitable[object]], Awaitable[None]]
    ) -> Interaction:
        """How far it is.

        Args:
            by: the process that looks.
            wait: waits as long as that lives.
        """
        run = self.runs[interaction]
        seen, is_first, run.watched = run.seen, run.watched is not by, by
        if run.is_cancelled and run.runs:
            run.end(InteractionState.BROKEN)
            return seen
        if not run.runs:
            return seen
        if (waited := run.next_wait) is not None:
            run.tell()
        if is_first:
            return run.seen
        if waited is not None:
            await wait(waited())
            if run.is_cancelled or not run.doing:
                return run.seen
            del run.doing[0]
        run.tell()
        if not run.doing:
            run.end(InteractionState.COMPLETED)
        return run.seen
