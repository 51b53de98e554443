"""Everything that goes wrong, by a seed: calls, events and connections of both platforms, and the model."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from bot.offline import (
    Afterwards,
    Call,
    CutFault,
    DropFault,
    EmptyFault,
    ErrorEventFault,
    Fault,
    FinalStatusFault,
    ForgetFault,
    InProgressFault,
    PingFault,
    ResetFault,
    SlowFault,
    StallAt,
    StallFault,
    StatusFault,
    ThoughtFault,
    UndecodableFault,
    UnknownFault,
)
from tests.chaos.trouble_research import ResearchTrouble
from tests.chaos.world import World
from tests.support.discord import TooMany as DiscordTooMany
from tests.support.slack import TooMany as SlackTooMany

RATE = 0.04  # share of the calls to a platform that go wrong
FORGETTING = (ForgetFault(400), ForgetFault(403), ForgetFault(404))
_REFUSALS: tuple[Fault, ...] = (
    StatusFault(429),
    StatusFault(429, retry_after="1"),
    StatusFault(500),
    StatusFault(503),
    StatusFault(503, retry_after_ms="300"),
)
_BREAKS: tuple[Fault, ...] = tuple(
    make(afterwards=afterwards)
    for make in (CutFault, ResetFault, DropFault, StallFault, PingFault, ErrorEventFault)
    for afterwards in Afterwards
)
_ODD: tuple[Fault, ...] = (
    SlowFault(0.05),
    StallFault(seconds=1.0),
    StallFault(StallAt.HEADERS, seconds=1.0),
    StallFault(StallAt.FIRST_EVENT),
    EmptyFault(),
    FinalStatusFault("failed", after=3),
    FinalStatusFault("cancelled", after=1),
    ThoughtFault(),
    UnknownFault(),
    UndecodableFault(),
    StatusFault(400),
)
_GETS: tuple[Fault, ...] = (StatusFault(503), StatusFault(429), DropFault(), ResetFault(), InProgressFault())


class Trouble:
    """Makes it, until `ends`. `counts` tells how often there was each kind of it."""

    def __init__(self, world: World, *, seed: int) -> None:
        self._world, self._seed = world, seed
        self._dice = random.Random(f"{seed} trouble")  # noqa: S311 - what goes wrong, not a secret
        self._made: Counter[str] = Counter()

    async def goes_on(self) -> None:
        """Make some, now and then."""
        self._world.slack.faults.chaos(RATE, seed=self._seed)
        self._world.discord.faults.chaos(RATE, seed=self._seed)
        ways: Sequence[tuple[int, Callable[[], Awaitable[None]]]] = [
            (8, self._of_the_model),
            (1, self._of_memory),
            (3, ResearchTrouble(self._world, self._dice).happens),
            (3, self._of_slacks_events),
            (2, self._of_slacks_sockets),
            (3, self._of_discords_events),
            (2, self._of_discords_gateway),
            (1, self._of_edits),
        ]
        while True:
            await asyncio.sleep(self._dice.uniform(0.1, 0.8))
            (way,) = self._dice.choices([way for _, way in ways], [weight for weight, _ in ways])
            await way()

    def ends(self) -> None:
        """Let everything go well from now on."""
        self._world.slack.faults.disarm()
        self._world.discord.faults.disarm()
        self._world.model.faults.disarm()
        self._world.model.faults.release()

    def counts(self) -> Counter[str]:
        counts = Counter(self._made)
        counts.update(f"model {type(fault).__name__}" for fault in self._world.model.faults.taken)
        counts.update(f"slack {type(fault).__name__}" for _, fault in self._world.slack.faults.fired)
        counts.update(f"discord {type(fault).__name__}" for _, fault in self._world.discord.faults.fired)
        counts.update(f"discord event {fault}" for _, fault in self._world.discord.faults.events.fired)
        counts += Counter({"slack limit": self._world.slack.refused, "discord limit": self._world.discord.gate.refused})
        return counts

    # --- the model --------------------------------------------------------------------------------

    async def _of_the_model(self) -> None:
        faults, dice = self._world.model.faults, self._dice
        match dice.choice(["refusal", "break", "break", "break", "odd", "get"]):
            case "refusal":
                faults.arm(dice.choice(_REFUSALS), times=dice.randint(1, 3))
            case "break":
                faults.arm(dice.choice(_BREAKS))
            case "odd":
                faults.arm(dice.choice(_ODD))
            case _:
                faults.arm(dice.choice(_GETS), times=dice.randint(1, 3), on=Call.GET)

    async def _of_memory(self) -> None:
        self._world.gemini.note_outcomes(self._world.model)
        self._world.model.faults.arm(self._dice.choice(FORGETTING))

    # --- Slack ------------------------------------------------------------------------------------

    async def _of_slacks_events(self) -> None:
        slack, dice = self._world.slack, self._dice
        match dice.choice(["lose", "again", "again", "swap"]):
            case "lose":
                slack.faults.events.lose += 1
                self._made["slack event lose"] += 1
            case "swap":
                slack.faults.events.swap += 1
                self._made["slack event swap"] += 1
            case _:
                recent = slack.deliveries[-30:]
                for delivery in dice.sample(recent, k=min(3, len(recent))):
                    if delivery.kind == "events_api":
                        slack.again(delivery)
                        self._made["slack event again"] += 1

    async def _of_slacks_sockets(self) -> None:
        if not self._world.slack.sockets:
            return
        socket = self._dice.choice(self._world.slack.sockets)
        way = self._dice.choice(["refresh", "warning", "close", "reset", "half-open"])
        self._made[f"slack socket {way}"] += 1
        match way:
            case "refresh":
                await socket.say_disconnect("refresh_requested")
            case "warning":
                await socket.say_disconnect("warning")
            case "close":
                await socket.close()
            case "reset":
                socket.reset()
            case _:
                socket.is_half_open = True

    # --- Discord ----------------------------------------------------------------------------------

    async def _of_discords_events(self) -> None:
        way = self._dice.choice(["lose", "double", "swap", "delay"])
        events = self._world.discord.faults.events
        match way:
            case "lose":
                events.arm("lose")
            case "double":
                events.arm("double", self._dice.choice(["MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE"]))
            case "swap":
                events.arm("swap")
            case _:
                events.arm("delay", seconds=0.5)

    async def _of_discords_gateway(self) -> None:
        discord = self._world.discord
        if not discord.sockets:
            return
        socket = self._dice.choice(discord.sockets)
        way = self._dice.choice(["op 7", "op 9", "op 9 resumable", "close 4000", "reset", "forget", "half-open"])
        self._made[f"discord gateway {way}"] += 1
        self._world.disturbances.append(self._world.now)
        match way:
            case "op 7":
                await socket.ask_to_reconnect()
            case "op 9" | "op 9 resumable":
                await socket.invalidate(resumable="resumable" in way)
            case "close 4000":
                await socket.close(4000)
            case "reset":
                socket.reset()
            case "forget":
                discord.forget_sessions()
                socket.reset()
            case _:
                socket.is_half_open = True

    # --- both -------------------------------------------------------------------------------------

    async def _of_edits(self) -> None:
        self._world.slack.faults.arm("chat.update", SlackTooMany(self._dice.choice((1, None))), times=2)
        self._world.slack.faults.arm("chat.appendStream", SlackTooMany(1))
        self._world.discord.faults.arm("PATCH *", DiscordTooMany(1.0), times=2)
