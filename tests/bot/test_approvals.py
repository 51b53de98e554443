"""What needs approval: asked once, decided by whoever asked, taken back when the turn ends, and never done unseen."""

import asyncio
from pathlib import Path

import pytest

from bot.answers import Created, InteractionState, TextPiece
from bot.approvals import DECLINED, OVER, STOPPED, UNSURE, Approvals
from bot.calls import FunctionCall
from bot.commands import Command
from bot.errors import AnswerBlocked, PlatformAway, StaleTurn
from bot.messages import InteractionId, MessageId, Person, PersonId, Turn
from bot.policy import Policy
from bot.ports import Approval
from storage.sqlite import open_store
from tests.support.calling import ORDER, ORDERING, Desk, asked_by, call, calls, is_asked, is_settled, told
from tests.support.core import core
from tests.support.scripted import TEST, ScriptedAdapter, ScriptedModel, completed, interaction, message, thread_named


class HastyAdapter(ScriptedAdapter):
    """A platform on which what is asked is approved of at the first opportunity."""

    approvals: Approvals

    async def settle(self, turn: Turn, approval: Approval, words: str) -> None:
        await super().settle(turn, approval, words)
        for one in await self._store.approvals.asked(turn):
            await self.approvals.decide(turn.thread, one.name, approved=True, person=None)


@pytest.mark.parametrize(
    ("command", "value"),
    [
        (Command.APPROVE, "`@here` is on its way"),
        (Command.DECLINE, DECLINED),
    ],
)
async def test_what_needs_approval_is_done_only_when_whoever_asked_approves(command: Command, value: str) -> None:
    async with core(functions=ORDERING) as clew:
        clew.model.will(Created(InteractionId("i1")), calls("i1", ORDER))
        clew.model.will(Created(InteractionId("i2")), TextPiece("So."), completed("i2"))
        await clew.says("order it")
        await clew.adapter.until(lambda: is_asked(clew.adapter))
        ((name, words),) = clew.adapter.asking.items()

        async def decides(person: str) -> str:
            by = MessageId(f"by {person}")
            return await clew.commands.run(command, thread_named(), by, asked=name, person=Person(PersonId(person)))

        ben = await decides("ben")
        still_asking = dict(clew.adapter.asking)
        ada = await decides("ada")
        await clew.ended(1)
        late = await decides("ada")

    assert words == 'May I do this?\n\n- `order` `{"article": "ˋ@hereˋ"}`'
    assert ben == "Only the person who asked can decide that."
    assert still_asking
    assert ada in {"Approved.", "Declined."}
    assert clew.adapter.settled == [ada]
    assert told(clew.model.asked[-1]) == [value]
    assert late == "There is nothing left to decide here."


@pytest.mark.parametrize("command", [Command.STOP, Command.RESET, Command.FORGET])
async def test_a_stop_a_reset_and_forgetting_end_the_asking_and_nothing_is_done(command: Command) -> None:
    async with core(functions=ORDERING) as clew:
        clew.model.will(Created(InteractionId("i1")), calls("i1", ORDER))
        await clew.says("order it")
        await clew.adapter.until(lambda: is_asked(clew.adapter))
        name = asked_by(clew.adapter)
        await clew.tells(command)
        await clew.adapter.until(lambda: is_settled(clew.adapter))
        late = await clew.commands.run(Command.APPROVE, thread_named(), MessageId("x"), asked=name)

    assert clew.adapter.settled == ["Not done: the answer was stopped."]
    assert late == "There is nothing left to decide here."
    assert len(clew.model.asked) == 1


@pytest.mark.parametrize(
    ("decided", "words"), [(None, STOPPED), (False, STOPPED), (True, "Approved.")], ids=["open", "declined", "approved"]
)
async def test_what_was_decided_and_not_shown_before_a_crash_is_shown_when_the_turn_ends(
    decided: bool | None, words: str
) -> None:
    async with open_store("sqlite:///:memory:") as store:
        adapter = ScriptedAdapter(store)
        approvals = Approvals(store.approvals, {TEST: adapter})
        await store.add(message("order it"))
        claim = await store.claim(thread_named())
        assert claim is not None
        await store.approvals.approval(claim.turn, "a")
        adapter.asking["a"] = "May I do this?"
        if decided is not None:
            await store.approvals.decide(thread_named(), "a", approved=decided)
        await approvals.withdraw(claim.turn)

        assert adapter.settled == [words]
        assert [one.approved for one in await store.approvals.asked(claim.turn)] == [bool(decided)]


@pytest.mark.parametrize(
    ("error", "words"),
    [(StaleTurn(), STOPPED), (AnswerBlocked("rules"), OVER)],
    ids=["it was reset", "there is no answer"],
)
async def test_a_turn_that_ends_in_another_way_takes_back_what_was_asked(error: Exception, words: str) -> None:
    async with core() as clew:
        held = asyncio.Event()
        clew.model.will(held, error)
        await clew.says("order it")
        await clew.model.heard(1)
        (turn,) = await clew.store.running()
        await clew.store.approvals.approval(turn, "a")
        clew.adapter.asking["a"] = "May I do this?"
        held.set()
        await clew.ended(1)

    assert clew.adapter.settled == [words]


async def test_a_button_that_is_pressed_before_it_is_waited_for_counts() -> None:
    async with open_store("sqlite:///:memory:") as store, asyncio.timeout(60):
        adapter = HastyAdapter(store)
        approvals = adapter.approvals = Approvals(store.approvals, {TEST: adapter})
        await store.add(message("order it"))
        claim = await store.claim(thread_named())
        assert claim is not None
        await store.approvals.approval(claim.turn, "old")
        adapter.asking["old"] = "May I do this?"

        assert await approvals.refusal(claim.turn, InteractionId("i1"), [ORDER]) is None


async def test_a_button_decides_what_stands_above_it_and_nothing_that_is_asked_later() -> None:
    async with core(functions=ORDERING) as clew:
        clew.model.will(Created(InteractionId("i1")), calls("i1", ORDER))
        clew.model.will(Created(InteractionId("i2")), calls("i2", FunctionCall("c1", "order", {"article": "a boat"})))
        await clew.says("order it")
        await clew.adapter.until(lambda: is_asked(clew.adapter))
        first = asked_by(clew.adapter)
        await clew.commands.run(Command.DECLINE, thread_named(), MessageId("no"), asked=first)
        await clew.adapter.until(lambda: is_asked(clew.adapter, but=first))
        again = await clew.commands.run(Command.APPROVE, thread_named(), MessageId("twice"), asked=first)
        named_nothing = await clew.commands.run(Command.APPROVE, thread_named(), MessageId("no name"))
        await clew.tells(Command.STOP)
        await clew.ended(1)

    assert again == named_nothing == "There is nothing left to decide here."
    assert clew.adapter.settled == ["Declined.", STOPPED]


async def test_an_answer_that_is_begun_anew_takes_back_what_was_asked_for_the_old_one(tmp_path: Path) -> None:
    url, policy, model = f"sqlite:///{tmp_path}/clew.db", Policy(private=True), ScriptedModel()
    async with core(functions=ORDERING, url=url, policy=policy, model=model, drain=0.0) as clew:
        model.will(Created(InteractionId("i1")), calls("i1", ORDER))
        await clew.says("order it")
        await clew.adapter.until(lambda: is_asked(clew.adapter))
        old = asked_by(clew.adapter)
    model.will(Created(InteractionId("i2")), calls("i2", ORDER))
    async with core(functions=ORDERING, url=url, policy=policy, model=model) as clew:
        await clew.adapter.until(lambda: is_asked(clew.adapter))
        new = asked_by(clew.adapter)
        late = await clew.commands.run(Command.APPROVE, thread_named(), MessageId("x"), asked=old)

    assert new != old
    assert late == "There is nothing left to decide here."


async def test_an_answer_that_is_begun_anew_and_calls_for_nothing_leaves_nothing_to_decide(tmp_path: Path) -> None:
    url, policy, model = f"sqlite:///{tmp_path}/clew.db", Policy(private=True), ScriptedModel()
    async with core(functions=ORDERING, url=url, policy=policy, model=model, drain=0.0) as clew:
        model.will(Created(InteractionId("i1")), calls("i1", ORDER))
        await clew.says("order it")
        await clew.adapter.until(lambda: is_asked(clew.adapter))
        asking = dict(clew.adapter.asking)
    model.will(Created(InteractionId("i2")), TextPiece("So."), completed("i2"))
    async with core(functions=ORDERING, url=url, policy=policy, model=model) as clew:
        clew.adapter.asking |= asking
        await clew.ended(1)

    assert clew.adapter.settled == [OVER]


class AwayAdapter(ScriptedAdapter):
    """A platform on which nothing can be shown to be decided before it was tried so often."""

    away = 1

    async def settle(self, turn: Turn, approval: Approval, words: str) -> None:
        self.away -= 1
        if self.away >= 0:
            raise PlatformAway("503")
        await super().settle(turn, approval, words)


async def test_a_turn_does_not_end_before_its_thread_could_be_told_what_was_decided_and_tells_it_once() -> None:
    async with open_store("sqlite:///:memory:") as store:
        adapter, pauses = AwayAdapter(store), list[float]()

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)

        approvals = Approvals(store.approvals, {TEST: adapter}, sleep=sleep)
        await store.add(message("order it"))
        claim = await store.claim(thread_named())
        assert claim is not None
        turn = claim.turn
        async with asyncio.TaskGroup() as group:
            refusal = group.create_task(approvals.refusal(turn, InteractionId("i1"), [ORDER]))
            await adapter.until(lambda: is_asked(adapter))
            await approvals.decide(turn.thread, asked_by(adapter), approved=True, person=turn.asker)
        assert refusal.result() is None
        assert adapter.settled == []  # it goes on all the same
        adapter.away = 100
        with pytest.raises(PlatformAway):
            await approvals.withdraw(turn, OVER, fresh=True)
        given_up = len(pauses)
        adapter.away = 1
        for _ in range(2):
            await approvals.withdraw(turn, OVER, fresh=True)

    assert adapter.settled == ["Approved."]
    assert adapter.away == -1
    assert (given_up, len(pauses)) == (5, 6)


async def test_what_was_begun_before_a_crash_is_not_done_again_by_itself(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/clew.db"
    desk = Desk()
    desk.held = asyncio.Event()
    functions = desk.needing_approval
    model = ScriptedModel()
    async with core(functions=functions, url=url, model=model, drain=0.0) as clew:
        model.will(Created(InteractionId("i1")), calls("i1", call("a")))
        await clew.says("look")
        await clew.adapter.until(lambda: is_asked(clew.adapter))
        await clew.commands.run(Command.APPROVE, thread_named(), MessageId("x"), asked=asked_by(clew.adapter))
        await desk.begun.acquire()
    model.will_find("i1", interaction("i1", calls("i1", call("a")), state=InteractionState.CALLING))
    model.will(Created(InteractionId("i2")), TextPiece("So."), completed("i2"))
    async with core(functions=functions, url=url, model=model) as clew:
        await clew.ended(1)

    assert desk.calls == ["a for ada"]
    assert told(model.asked[-1]) == [UNSURE]
