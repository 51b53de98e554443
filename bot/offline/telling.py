"""An answer while it is being generated, and while somebody listens to it."""

from collections.abc import Awaitable, Callable

from bot.offline.answers import Plan, ending_frames, frames_for, plan_of, position_after
from bot.offline.arming import Faults
from bot.offline.bell import Bell
from bot.offline.faults import (
    Afterwards,
    CutFault,
    DropFault,
    ErrorEventFault,
    Fault,
    PingFault,
    RepeatFault,
    ResetFault,
    SlowFault,
    StallAt,
    StallFault,
    ThoughtFault,
)
from bot.offline.interactions import Interaction, Interactions
from bot.offline.wire import Frame, JsonObject

Sleep = Callable[[float], Awaitable[None]]

_STEP_ENDS = b"event: step.stop\n"


class Telling:
    """The stream of one running interaction: generated once, followed by any number of listeners.

    Generation does not wait for listeners: an answer goes on when its client has hung up.
    """

    def __init__(self, interaction: Interaction, plan: Plan, *, fault: Fault | None, faults: Faults) -> None:
        self.interaction = interaction
        self.plan = plan
        self.fault = fault
        self._faults = faults
        self.frames: list[Frame] = frames_for(interaction, plan, fault=fault)
        self.out = 0  # how many of the frames are generated
        self.over = False  # no more will be
        self.forgotten = False  # in the middle of it
        self.break_at = breaking_point(self.frames, fault)
        self.broken = False  # generation has come to the break, and the interaction is what it is to be afterwards
        self.bell = Bell()
        self.halted = False  # it is cancelled, and does not say so yet
        self._left = False

    @property
    def takes_time(self) -> bool:
        """Whether a fault makes it last."""
        stalls = isinstance(self.fault, ThoughtFault) and self.fault.stalls
        return stalls or isinstance(self.fault, StallFault | PingFault | SlowFault)

    def listener_left(self) -> None:
        """The client that asked has gone, one way or the other."""
        self._left = True
        self._faults.look_again()

    def halt(self) -> None:
        """Tell nothing more, and leave it to others to say that it has ended."""
        self.halted = True
        self._faults.look_again()

    @property
    def steps_so_far(self) -> list[JsonObject]:
        """The steps that were told to their end."""
        ended = sum(frame.data.startswith(_STEP_ENDS) for frame in self.frames[: self.out])
        return self.plan.steps[:ended]

    async def generate(self, interactions: Interactions, *, pace: float, sleep: Sleep, rest: float = 0.0) -> None:
        """Tell the answer, frame by frame, and settle the interaction.

        Args:
            rest: seconds after each step.
        """
        pace = self.fault.pace if isinstance(self.fault, SlowFault) else pace
        last = len(self.frames) - 2  # the end of the interaction and of the stream
        for at in range(last):
            if at == self.break_at and not await self._goes_on(interactions):
                return self._end()
            self.out = at + 1
            if pace > 0:
                self.bell.ring()
                await sleep(pace)
            if rest > 0 and self.frames[at].data.startswith(_STEP_ENDS):
                await sleep(rest)
            if not self.interaction.is_running or self.halted:
                return self._end()  # cancelled
        if self.break_at == last and not await self._goes_on(interactions):
            return self._end()
        # Settled first: whoever hears of the end may go on from it at once.
        plan = self.plan
        interactions.settle(
            self.interaction,
            plan.status,
            steps=plan.steps,
            usage=plan.usage,
            errors=plan.errors,
            continuation_token=plan.continuation_token,
        )
        self.out = len(self.frames)
        return self._end()

    def cancel(self, interactions: Interactions) -> None:
        """End the interaction where it stands, with what was told of it."""
        interactions.settle(self.interaction, "cancelled", steps=self._told(), usage=None)
        self._end()
        self._faults.look_again()

    def _end(self) -> None:
        ended_early = self.out < len(self.frames) and not self.interaction.is_running
        if ended_early and not self.over:
            # Whoever still listens, or asks for the stream again, hears how it ended.
            self.frames[self.out :] = ending_frames(self.interaction, plan_of(self.interaction), number=self.out + 1)
            self.out = len(self.frames)
        # What is to stay in progress is never over: its listeners wait as they would for the real one.
        self.over = not self.interaction.is_running or self.forgotten
        self.bell.ring()

    async def _goes_on(self, interactions: Interactions) -> bool:
        """Sit out a stall and do what the fault says becomes of the interaction; whether to generate on."""
        goes_on = True
        match self.fault:
            case StallFault(seconds=seconds, afterwards=afterwards):
                if await self._left_in_stall(seconds):
                    goes_on = self._abandon(interactions, afterwards)
            case PingFault(afterwards=afterwards):
                if await self._left_in_stall(None):
                    goes_on = self._abandon(interactions, afterwards)
            case ThoughtFault():
                await self._left_in_stall(None)
            case ErrorEventFault() | CutFault() | ResetFault() | DropFault():
                goes_on = self._abandon(interactions, self.fault.afterwards)
        self.broken = True
        self.bell.ring()
        return goes_on and self.interaction.is_running and not self.halted

    async def _left_in_stall(self, seconds: float | None) -> bool:
        """Sit out a stall; whether the client has left in it."""
        self.bell.ring()
        await self._faults.stall(lambda: self._left or self.halted or not self.interaction.is_running, seconds=seconds)
        return self._left

    def _abandon(self, interactions: Interactions, afterwards: Afterwards) -> bool:
        match afterwards:
            case Afterwards.COMPLETED:
                return True
            case Afterwards.FAILED:
                error: JsonObject = {"code": "api_error", "message": "generation broke off"}
                if isinstance(self.fault, ErrorEventFault):
                    error = {"code": self.fault.code, "message": self.fault.message}
                interactions.settle(self.interaction, "failed", steps=self._told(), usage=None, errors=[error])
            case Afterwards.CANCELLED:
                interactions.settle(self.interaction, "cancelled", steps=self._told(), usage=None)
            case Afterwards.UNKNOWN:
                interactions.forget(self.interaction.id)
                self.forgotten = True
            case Afterwards.IN_PROGRESS:
                pass
        return False

    def _told(self) -> list[JsonObject]:
        text = "".join(frame.text for frame in self.frames[: self.out] if frame.text is not None)
        return [{"type": "model_output", "content": [{"type": "text", "text": text}]}] if text else []


def breaking_point(frames: list[Frame], fault: Fault | None) -> int | None:
    """The frame before which the fault breaks the stream; None when it does not."""
    match fault:
        case DropFault() | StallFault(at=StallAt.HEADERS | StallAt.FIRST_EVENT):
            return 0
        case ThoughtFault(stalls=True) | StallFault(at=StallAt.WORDS):
            return next((at for at, frame in enumerate(frames) if frame.text is not None), None)
        case StallFault(after=after) | PingFault(after=after) | ErrorEventFault(after=after):
            return position_after(frames, after)
        case CutFault(after=after) | ResetFault(after=after) | RepeatFault(after=after):
            return position_after(frames, after)
        case _:
            return None
