"""The rules of a thread, told once more as a small model; the store is played against it in random order."""

import asyncio
from dataclasses import dataclass, field

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
from tests.storage.stores import ADA, BEN, PAGE, Clock, ids, message

NAMES = st.sampled_from([f"m{number}" for number in range(12)])
PEOPLE = st.sampled_from([ADA, BEN])
REFUSALS = st.sampled_from([None, None, None, Refusal.PERSON])


@dataclass
class Expected:
    """A turn as it ought to be."""

    asker: Person
    refusal: Refusal | None
    epoch: int
    messages: list[str]
    state: State = State.QUEUED
    previous: str | None = None
    sealed: bool = False
    stopping: bool = False


@dataclass
class ExpectedThread:
    """A thread as it ought to be: its turns in order, and where it stands."""

    epoch: int = 0
    latest: str | None = None
    known: set[str] = field(default_factory=set)
    turns: list[Expected] = field(default_factory=list)

    def of(self, *states: State) -> list[Expected]:
        return [turn for turn in self.turns if turn.state in states]

    @property
    def shown(self) -> list[Expected]:
        return [turn for turn in self.turns if turn.epoch == self.epoch and turn.state is not State.SUPERSEDED]

    def command(self, name: str) -> bool:
        if name in self.known:
            return False
        self.known.add(name)
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
        self.opening = open_store("sqlite:///:memory:", now=Clock())
        self.store = self.runner.run(self.opening.__aenter__())

    def teardown(self) -> None:
        self.runner.run(self.opening.__aexit__(None, None, None))
        self.runner.close()

    @rule(name=NAMES, author=PEOPLE, refusal=REFUSALS)
    def a_message_arrives(self, name: str, author: Person, refusal: Refusal | None) -> None:
        accepted = self.runner.run(self.store.add(message(name, by=author, thread=PAGE), refusal=refusal))

        assert accepted == (name not in self.expected.known)
        if not accepted:
            return
        self.expected.known.add(name)
        last = self.expected.turns[-1] if self.expected.turns else None
        if last and last.state is State.QUEUED and not last.sealed and (last.asker, last.refusal) == (author, refusal):
            last.messages.append(name)
        else:
            self.expected.turns.append(Expected(author, refusal, self.expected.epoch, [name]))

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
        stopping = self.runner.run(self.store.stop(PAGE, MessageId(name)))

        running = self.expected.of(State.RUNNING)
        if self.expected.command(name) and running:
            running[0].stopping = True
        if running and running[0].stopping:
            assert stopping is not None
            assert self.running is not None
            assert stopping.id == self.running.id
        else:
            assert stopping is None

    @rule(name=NAMES)
    def the_thread_is_reset(self, name: str) -> None:
        was_reset = self.runner.run(self.store.reset(PAGE, MessageId(name)))

        assert was_reset == self.expected.command(name)
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

        if not self.expected.command(name):
            assert retried is Retried.REPEATED
        elif self.expected.of(State.QUEUED, State.RUNNING):
            assert retried is Retried.BUSY
        elif not self.expected.shown:
            assert retried is Retried.NOTHING
        else:
            assert retried is Retried.QUEUED
            old = self.expected.shown[-1]
            old.state = State.SUPERSEDED
            self.expected.latest = old.previous
            self.expected.turns.append(Expected(old.asker, old.refusal, old.epoch, old.messages))

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
        turn.state, self.running = end, None
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
