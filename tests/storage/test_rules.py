"""The rules of a thread, told once more as a small model; the store is played against it in random order."""

import asyncio
from dataclasses import dataclass, field, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.errors import StaleTurn
from bot.messages import InteractionId, MessageId, Person, Refusal, Turn, Usage
from bot.messages import TurnState as State
from bot.ports import Retried
from storage.sqlite import open_store
from tests.storage.stores import ADA, BEN, NOON, PAGE, Clock, ids, message

NAMES = st.sampled_from([f"m{number}" for number in range(12)])
PEOPLE = st.sampled_from([ADA, BEN])
REFUSALS = st.sampled_from([None, None, None, Refusal.PERSON])
SAID = st.integers(min_value=0, max_value=9)  # seconds after noon


@dataclass
class Expected:
    """A turn as it ought to be."""

    asker: Person
    refusal: Refusal | None
    epoch: int
    messages: list[str]
    said: dict[str, int] = field(default_factory=dict)  # when, by message
    state: State = State.QUEUED
    is_retry: bool = False
    ended_at: float = 0
    previous: str | None = None
    sealed: bool = False
    stopping: bool = False


@dataclass
class ExpectedThread:
    """A thread as it ought to be: its turns in order, and where it stands."""

    epoch: int = 0
    latest: str | None = None
    known: set[str] = field(default_factory=set)
    commands: dict[str, float] = field(default_factory=dict)  # when each was given
    turns: list[Expected] = field(default_factory=list)

    def of(self, *states: State) -> list[Expected]:
        return [turn for turn in self.turns if turn.state in states]

    @property
    def shown(self) -> list[Expected]:
        return [turn for turn in self.turns if turn.epoch == self.epoch and turn.state is not State.SUPERSEDED]

    def add(self, name: str, author: Person, refusal: Refusal | None, said: int) -> None:
        """Put a message where it belongs among what waits: behind the last that was not said later, or is a retry's."""
        self.known.add(name)
        line = [(turn, one) for turn in self.of(State.QUEUED) for one in turn.messages]
        at = next((at for at in range(len(line), 0, -1) if self._goes_before(*line[at - 1], said)), 0)
        before, after = (line[at - 1][0] if at else None), (line[at][0] if at < len(line) else None)
        alike = [turn is not None and (turn.asker, turn.refusal) == (author, refusal) for turn in (before, after)]
        if before and alike[0] and (before is after or not before.sealed):
            before.messages.insert(before.messages.index(line[at - 1][1]) + 1, name)
            before.said[name] = said
        elif after and alike[1]:
            after.messages.insert(0, name)
            after.said[name] = said
        else:
            if before and before is after:
                cut = before.messages.index(line[at][1])
                after = replace(before, messages=before.messages[cut:])
                before.messages = before.messages[:cut]
                self.turns.insert(self.place_of(before) + 1, after)
            place = self.place_of(after) if after else len(self.turns)
            sealed = after is not None and after.sealed
            self.turns.insert(place, Expected(author, refusal, self.epoch, [name], {name: said}, sealed=sealed))

    def place_of(self, turn: Expected) -> int:
        return next(place for place, one in enumerate(self.turns) if one is turn)

    def _goes_before(self, turn: Expected, name: str, said: int) -> bool:
        return turn.is_retry or turn.said[name] <= said

    def command(self, name: str, now: float) -> bool:
        if name in self.known:
            return False
        self.known.add(name)
        self.commands[name] = now
        for turn in self.of(State.QUEUED):
            turn.sealed = True
        return True


class OneThread(RuleBasedStateMachine):
    """Messages, commands, claims and ends of one thread, in whatever order."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.expected = ExpectedThread()
        self.running: Turn | None = None
        self.interactions = 0

    @initialize()
    def open(self) -> None:
        self.clock = Clock()
        self.opening = open_store("sqlite:///:memory:", now=self.clock)
        self.store = self.runner.run(self.opening.__aenter__())

    def teardown(self) -> None:
        self.runner.run(self.opening.__aexit__(None, None, None))
        self.runner.close()

    @rule(name=NAMES, author=PEOPLE, refusal=REFUSALS, said=SAID)
    def a_message_arrives(self, name: str, author: Person, refusal: Refusal | None, said: int) -> None:
        told = message(name, by=author, thread=PAGE, sent_at=NOON + said)
        accepted = self.runner.run(self.store.add(told, refusal=refusal))

        assert accepted == (name not in self.expected.known)
        if accepted:
            self.expected.add(name, author, refusal, said)

    @rule(name=NAMES)
    def a_message_is_withdrawn(self, name: str) -> None:
        withdrawn = self.runner.run(self.store.withdraw(PAGE, MessageId(name)))

        turn = next((turn for turn in self.expected.of(State.QUEUED) if name in turn.messages), None)
        assert withdrawn == (turn is not None)
        if self.expected.known:  # in a known thread, a message withdrawn before it came is known from then on
            self.expected.known.add(name)
        if turn is not None:
            turn.messages.remove(name)
            if not turn.messages:
                self.expected.turns.remove(turn)

    @rule(name=NAMES)
    def stop_is_pressed(self, name: str) -> None:
        self.clock.tick()
        stopping = self.runner.run(self.store.stop(PAGE, MessageId(name)))

        running = self.expected.of(State.RUNNING)
        is_new = self.expected.command(name, self.clock.now)
        if is_new and running:
            running[0].stopping = True
        meant = [turn for turn in running if turn.stopping]
        if not is_new and name in self.expected.commands and not meant:  # told again, it tells what it did
            given = self.expected.commands[name]
            meant = [turn for turn in self.expected.of(State.STOPPED) if turn.ended_at >= given]
        assert (ids(stopping) if stopping else None) == (meant[0].messages if meant else None)

    @rule(name=NAMES)
    def the_thread_is_reset(self, name: str) -> None:
        was_reset = self.runner.run(self.store.reset(PAGE, MessageId(name)))

        assert was_reset == self.expected.command(name, self.clock.now)
        if was_reset:
            self.expected.epoch += 1
            self.expected.latest = None
            for turn in self.expected.of(State.RUNNING):
                turn.stopping = True
            for turn in self.expected.of(State.QUEUED):
                turn.epoch = self.expected.epoch

    @rule(name=NAMES)
    def the_last_turn_is_retried(self, name: str) -> None:
        retried = self.runner.run(self.store.retry(PAGE, MessageId(name)))

        retriable = [turn for turn in self.expected.shown if turn.refusal is None]
        if not self.expected.command(name, self.clock.now):
            assert retried is Retried.REPEATED
        elif self.expected.of(State.QUEUED, State.RUNNING):
            assert retried is Retried.BUSY
        elif not retriable:
            assert retried is Retried.NOTHING
        else:
            assert retried is Retried.QUEUED
            old = retriable[-1]
            old.state = State.SUPERSEDED
            self.expected.latest = old.previous
            again = replace(old, state=State.QUEUED, previous=None, sealed=False, stopping=False, is_retry=True)
            self.expected.turns.append(again)

    @rule()
    def a_turn_is_claimed(self) -> None:
        claim = self.runner.run(self.store.claim(PAGE))

        queued = self.expected.of(State.QUEUED)
        if self.expected.of(State.RUNNING) or not queued:
            assert claim is None
            return
        assert claim is not None
        self.running = claim.turn
        assert (claim.turn.previous, claim.turn.refusal) == (self.expected.latest, queued[0].refusal)
        queued[0].state, queued[0].previous = State.RUNNING, self.expected.latest

    @precondition(lambda self: self.running is not None)
    @rule(end=st.sampled_from([State.ANSWERED, State.FAILED, State.STOPPED]))
    def the_turn_ends(self, end: State) -> None:
        assert self.running is not None
        self.interactions += 1
        interaction = InteractionId(f"v1_{self.interactions}")
        (turn,) = self.expected.of(State.RUNNING)
        try:
            match end:
                case State.ANSWERED:
                    answering = self.store.answered(self.running, interaction=interaction, usage=Usage(), model="m")
                    self.runner.run(answering)
                case State.FAILED:
                    self.runner.run(self.store.failed(self.running, notice="Sorry.", tell=True))
                case _:
                    self.runner.run(self.store.stopped(self.running))
        except StaleTurn:
            assert turn.epoch < self.expected.epoch
            return
        assert turn.epoch == self.expected.epoch or end is State.STOPPED
        turn.state, turn.ended_at, self.running = end, self.clock.now, None
        if end is State.ANSWERED:
            self.expected.latest = interaction

    @invariant()
    def the_page_shows_what_it_should(self) -> None:
        transcript = self.runner.run(self.store.transcript(PAGE))

        shown = [(ids(turn), turn.state, turn.asker, turn.refusal, turn.stopping) for turn in transcript]
        assert shown == [
            (turn.messages, turn.state, turn.asker, turn.refusal, turn.stopping) for turn in self.expected.shown
        ]

    @invariant()
    def whoever_waits_is_known_to_wait(self) -> None:
        assert (self.runner.run(self.store.waiting()) == [PAGE]) == bool(self.expected.of(State.QUEUED))
        open_ones = self.expected.of(State.QUEUED, State.RUNNING)
        listed = self.runner.run(self.store.threads(PAGE.platform))
        assert any(summary.is_open for summary in listed) == bool(open_ones)

    @precondition(lambda self: self.running is not None)
    @invariant()
    def the_next_answer_hears_of_what_broke_off(self) -> None:
        assert self.running is not None
        (turn,) = self.expected.of(State.RUNNING)
        told: list[list[str]] = []
        if turn.epoch == self.expected.epoch:
            for before in self.expected.shown[: self.expected.shown.index(turn)]:
                told = [] if before.state is State.ANSWERED else [*told, before.messages]
        assert [ids(each) for each in self.runner.run(self.store.untold(self.running))] == told


def test_a_thread_keeps_its_rules_in_whatever_order_things_happen() -> None:
    run_state_machine_as_test(OneThread, settings=settings(max_examples=60, stateful_step_count=30, deadline=None))
