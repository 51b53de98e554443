"""Long chains: a thread goes on from a summary before it grows too long, and nobody notices anything else of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from bot.answers import Completed, Created, Interaction, InteractionState, TextPiece, UserStep
from bot.commands import Command
from bot.condensing import SUM_UP
from bot.errors import (
    AnswerBlocked,
    AnswerBroken,
    ContextLost,
    KeyRejected,
    ModelBusy,
    QuestionRejected,
    StoreUnavailable,
)
from bot.messages import Address, InteractionId, MessageId, Person, PersonId, Said, TurnState, Usage
from bot.policy import Policy
from bot.ports import Store
from bot.reports import BEGUN
from tests.support.core import PATIENT, Core, core
from tests.support.scripted import NEVER, Asked, Cue, ScriptedModel, answer, interaction, thread_named

AFTER_TWO = replace(PATIENT, chain_turns=2, chain_tokens=0)
SUMMARY = answer("sum", "Ada keeps bees.")


class KeepingModel(ScriptedModel):
    """Keeps every answer it told, to be looked up."""

    async def look_up(self, interaction_id: InteractionId) -> Interaction:
        if interaction_id in self.interactions or interaction_id not in self.kept:
            return await super().look_up(interaction_id)
        self.looked_up.append(interaction_id)
        kept = self.kept[interaction_id]
        if kept.status != "completed":
            return interaction(interaction_id, state=InteractionState.BROKEN)
        return interaction(interaction_id, TextPiece(kept.answer), Completed(interaction_id, kept.usage))


@asynccontextmanager
async def condensing_core(**settings: Any) -> AsyncIterator[Core]:
    async with core(**{"limits": AFTER_TWO, **settings}) as clew:
        yield clew


async def asks(clew: Core, *questions: str) -> None:
    """Ask one after the other, each when the one before has been answered."""
    for question in questions:
        done = len(await clew.ended(0))
        await clew.says(question)
        await clew.ended(done + 1)


async def at_the_limit(clew: Core, *summary: Cue) -> None:
    """Two answered turns, and a model that will tell this when it is asked for a summary."""
    await asks(clew, "one", "two")
    clew.model.will(*(summary or SUMMARY))


def told_after(asked: Asked) -> str:
    """The text of the one step that went before a question."""
    assert isinstance(asked.after, tuple)
    (step,) = asked.after
    assert isinstance(step, UserStep)
    return asked.history


def is_summary(asked: Asked) -> bool:
    return asked.text == SUM_UP


# --- when, and how ----------------------------------------------------------------------------


async def test_a_chain_at_its_limit_is_summed_up_and_the_question_goes_on_from_that() -> None:
    async with condensing_core() as clew:
        await at_the_limit(clew)
        await asks(clew, "three", "four")

    _, _, summary, third, fourth = clew.model.asked
    assert (summary.text, summary.after) == (SUM_UP, "i2")
    assert "Ada keeps bees." in told_after(third)
    assert "[the person]\none\n\n[you]\nanswer 1 to one\n\n[the person]\ntwo\n\n[you]\nanswer 2 to two" in third.history
    assert third.text == "three"
    assert (fourth.text, fourth.after) == ("four", "i4")
    assert clew.shown() == ["answer 1 to one", "answer 2 to two", "answer 4 to three", "answer 5 to four"]


async def test_the_new_chain_is_summed_up_in_its_turn() -> None:
    async with condensing_core() as clew:
        await asks(clew, *(f"question {number}" for number in range(1, 10)))

    assert [is_summary(asked) for asked in clew.model.asked] == [number % 3 == 2 for number in range(13)]


async def test_a_chain_of_too_many_tokens_is_summed_up() -> None:
    async with condensing_core(limits=replace(PATIENT, chain_turns=0, chain_tokens=1000)) as clew:
        long = Completed(InteractionId("i1"), Usage(input_tokens=900, output_tokens=100, total_tokens=1000))
        clew.model.will(Created(InteractionId("i1")), TextPiece("long"), long)
        await asks(clew, "one", "two", "three")

    assert [is_summary(asked) for asked in clew.model.asked] == [False, True, False, False]


async def test_without_limits_a_chain_grows() -> None:
    async with condensing_core(limits=replace(PATIENT, chain_turns=0, chain_tokens=0)) as clew:
        await asks(clew, "one", "two", "three", "four")

    assert [asked.after for asked in clew.model.asked] == [None, "i1", "i2", "i3"]


async def test_what_a_fresh_chain_begins_with_is_bounded() -> None:
    async with condensing_core(limits=replace(PATIENT, chain_turns=2, chain_tokens=400)) as clew:
        for name in ("i1", "i2"):
            clew.model.will(*answer(name, "x" * 10_000))
        await at_the_limit(clew, *answer("sum", "y" * 10_000))
        await asks(clew, "three")

    told = told_after(clew.model.asked[-1])
    assert (told.count("x"), told.count("y")) < (400, 210)
    assert "[the person]\ntwo" in told


async def test_the_thread_is_told_that_it_is_being_summed_up_as_long_as_that_takes() -> None:
    async with condensing_core() as clew:
        await at_the_limit(clew)
        await asks(clew, "three")

    assert clew.adapter.replies[-1].tools[:2] == ["summing up", None]


async def test_a_retry_is_no_turn_more_and_uses_the_summary_again() -> None:
    async with condensing_core(model=KeepingModel()) as clew:
        await at_the_limit(clew)
        await asks(clew, "three")
        await clew.tells(Command.RETRY)
        await clew.model.heard(5)
        await clew.ended(3)
        await asks(clew, "four")

    assert [is_summary(asked) for asked in clew.model.asked] == [False, False, True, False, False, False]
    assert told_after(clew.model.asked[4]) == told_after(clew.model.asked[3])
    assert clew.model.asked[5].after == "i5"


async def test_a_wished_for_picture_is_made_from_what_was_shown_before() -> None:
    async with condensing_core() as clew:
        await asks(clew, "one", "two", "/imagine a bee", "four")

    assert [asked.after for asked in clew.model.asked][:4] == [None, "i1", "i2", "i3"]
    assert is_summary(clew.model.asked[3])


async def test_a_private_thread_is_not_summed_up() -> None:
    async with condensing_core(policy=Policy(private=True)) as clew:
        await asks(clew, "one", "two", "three", "four")

    assert not any(is_summary(asked) for asked in clew.model.asked)


# --- true memory ------------------------------------------------------------------------------


async def test_what_no_interaction_holds_is_told_once_with_the_question() -> None:
    async with condensing_core() as clew:
        await asks(clew, "one", "two")
        await clew.says("lunch is at noon", by="bob", address=Address.OTHERS)
        clew.adapter.past = [Said(MessageId("lunch-is-at-noon"), Person(PersonId("bob"), "Bob"), "lunch is at noon")]
        clew.model.will(*SUMMARY)
        clew.model.will(KeyRejected("401"))
        await asks(clew, "three")
        clew.adapter.past.append(Said(MessageId("three"), Person(PersonId("ada"), "Ada"), "three"))
        clew.model.will(*answer("sum2", "Ada still keeps bees."))
        await asks(clew, "four", "five")

    fourth, fifth = clew.model.asked[-2:]
    assert "Ada still keeps bees." in told_after(fourth)
    assert fourth.text.count("lunch is at noon") == fourth.text.count("three") == 1
    assert "lunch" not in fourth.history
    assert (fifth.text, fifth.after) == ("five", "i6")


async def test_a_reset_while_it_is_summed_up_leaves_nothing_behind() -> None:
    async with condensing_core() as clew:
        await at_the_limit(clew, Created(InteractionId("sum")), NEVER)
        await clew.says("three")
        await clew.model.heard(3)
        await clew.tells(Command.RESET)
        await clew.adapter.until(lambda: _none_is_running(clew))
        await clew.says("four")
        await clew.ended(1)

    assert (clew.model.asked[-1].text, clew.model.asked[-1].after) == ("four", None)
    assert len(clew.model.asked) == 4


async def test_a_stop_while_it_is_summed_up_ends_the_turn_and_the_next_one_tries_again() -> None:
    async with condensing_core() as clew:
        await at_the_limit(clew, Created(InteractionId("stopped")), NEVER)
        await clew.says("three")
        await clew.model.heard(3)
        await clew.tells(Command.STOP)
        turns = await clew.ended(3)
        clew.model.will(*SUMMARY)
        await asks(clew, "four")

    assert turns[2].state is TurnState.STOPPED
    assert clew.model.asked[3].after == "i2"
    assert "Ada keeps bees." in told_after(clew.model.asked[4])
    assert clew.model.asked[4].text.count("three") == 1


async def _none_is_running(clew: Core) -> bool:
    return not await clew.store.running()


# --- no summary to be had ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "cues",
    [
        pytest.param([ModelBusy("429")], id="refused"),
        pytest.param([QuestionRejected("invalid", chained=True)], id="rejected"),
        pytest.param([Created(InteractionId("sum")), TextPiece("half"), AnswerBroken("cut")], id="broken"),
        pytest.param([Created(InteractionId("sum")), TextPiece("half")], id="never completed"),
        pytest.param([Created(InteractionId("sum")), AnswerBlocked("SAFETY")], id="blocked"),
        pytest.param(answer("sum", " "), id="empty"),
    ],
)
async def test_a_question_goes_on_from_its_chain_when_there_is_no_summary(cues: list[Cue]) -> None:
    async with condensing_core() as clew:
        await at_the_limit(clew, *cues)
        await asks(clew, "three")
        failed = [sample.value for metric in clew.metrics.failures.collect() for sample in metric.samples]
        clew.model.will(*answer("sum2", "Ada keeps bees."))
        await asks(clew, "four")
        turns = await clew.ended(4)

    third, again, fourth = clew.model.asked[3:]
    assert (third.text, third.after) == ("three", "i2")
    assert failed[0] == 1
    assert (again.text, again.after) == (SUM_UP, "i4")
    assert "Ada keeps bees." in told_after(fourth)
    assert [turn.state for turn in turns] == [TurnState.ANSWERED] * 4


async def test_a_summary_in_vain_is_not_asked_for_again_before_the_chain_has_grown_by_half_a_limit() -> None:
    async with condensing_core(limits=replace(AFTER_TWO, chain_turns=4)) as clew:
        await asks(clew, "one", "two", "three", "four")
        clew.model.will(ModelBusy("429"))
        await asks(clew, "five", "six", "seven")

    assert [at for at, asked in enumerate(clew.model.asked) if is_summary(asked)] == [4, 7]


async def test_nor_before_it_has_so_many_more_tokens() -> None:
    async with condensing_core(limits=replace(PATIENT, chain_turns=0, chain_tokens=100)) as clew:
        for number, tokens in enumerate((100, 149, 198, 199)):
            if number == 1:
                clew.model.will(ModelBusy("429"))
            name = InteractionId(f"long{number}")
            clew.model.will(Created(name), TextPiece("long"), Completed(name, Usage(tokens, total_tokens=tokens)))
            await asks(clew, f"question {number}")
        await asks(clew, "the last one")

    assert [at for at, asked in enumerate(clew.model.asked) if is_summary(asked)] == [1, 5]


async def test_a_summary_that_falls_silent_is_not_waited_for_without_end() -> None:
    async with condensing_core(limits=replace(AFTER_TWO, silent=0.5)) as clew:
        await at_the_limit(clew, Created(InteractionId("sum")), NEVER)
        await asks(clew, "three")

    assert clew.model.asked[-1].after == "i2"


async def test_a_chain_that_gemini_has_lost_is_told_from_the_platform() -> None:
    async with condensing_core() as clew:
        await at_the_limit(clew, ContextLost("gone"))
        clew.model.will(ContextLost("gone"))
        clew.adapter.past = [Said(MessageId("one"), Person(PersonId("ada"), "Ada"), "one")]
        await asks(clew, "three", "four")

    assert "[Ada]\none" in clew.model.asked[4].history
    assert clew.model.asked[5].after == "i5"


# --- death ------------------------------------------------------------------------------------


class Dying:
    """A store, or a part of it, at one of whose calls the process dies: before it, or after it was carried out."""

    def __init__(self, store: object, call: str, *, after: bool, chains: "Dying | None" = None) -> None:
        self._store, self._call, self._after, self._chains = store, call, after, chains
        self.armed = False
        self.died, self.buried = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        found: Any = getattr(self._store, name)
        if name == "chains":
            return self._chains
        if name != self._call and not self.died.is_set():
            return found

        async def carried_out(*arguments: object, **named: object) -> object:
            if self.armed and (not self._after or self.died.is_set()):
                await self._die()
            result: object = await cast("Callable[..., Awaitable[object]]", found)(*arguments, **named)
            if self.armed:
                await self._die()
            return result

        return carried_out

    async def _die(self) -> None:
        self.died.set()
        await self.buried.wait()  # what is seen to its end, whatever happens, would never come to one
        raise StoreUnavailable("the process is dead")


def dying(store: Store, call: str, *, after: bool) -> Dying:
    """*store*, with one death for all its parts."""
    part = Dying(store.chains, call, after=after)
    whole = Dying(store, call, after=after, chains=part)
    part.died, part.buried = whole.died, whole.buried
    return whole


CALLS = ("chain", "summing_up", "summed_up", "created", "shown", "answered")


@pytest.mark.parametrize("after", [False, True], ids=["before it", "after it"])
@pytest.mark.parametrize("call", CALLS)
async def test_a_death_at_any_moment_costs_no_answer_and_no_memory(call: str, tmp_path: Path, *, after: bool) -> None:
    url, model, stores = f"sqlite:///{tmp_path / 'clew.db'}", KeepingModel(), list[Dying]()

    def wrap(store: Store) -> Store:
        stores.append(dying(store, call, after=after))
        return cast("Store", stores[0])

    async with condensing_core(url=url, model=model, wrap=wrap, drain=0.0) as clew:
        await at_the_limit(clew)
        stores[0].armed = stores[0].chains.armed = True
        await clew.says("three")
        async with asyncio.timeout(30):
            await stores[0].died.wait()
        stores[0].buried.set()
    async with condensing_core(url=url, model=model) as clew:
        turns = await clew.ended(3)
        await asks(clew, "four")
        # What the model was asked for and nobody could note can be bought again, and be deleted by nobody.
        cut_off = call in {"summing_up", "created"}
        assert len(model.asked) == 5 + cut_off
        assert await clew.tells(Command.FORGET) == BEGUN
        await model.told_to_delete(5 + (cut_off and after))

    thirds = [asked for asked in model.asked if asked.text == "three"]
    assert [turn.state for turn in turns] == [TurnState.ANSWERED] * 3
    assert turns[2].previous == "i2"
    assert all("bees" in told_after(asked) or "Sum up" in told_after(asked) for asked in thirds)
    assert (model.asked[-1].text, model.asked[-1].after) == ("four", turns[2].interaction)


async def test_a_summary_that_was_paid_for_is_fetched_after_a_death(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with condensing_core(url=url, drain=0.0) as clew:
        await at_the_limit(clew, Created(InteractionId("sum")), NEVER)
        await clew.says("three")
        await clew.adapter.until(lambda: _is_summing_up(clew))
    model = ScriptedModel()
    usage = Usage(input_tokens=30, output_tokens=3, total_tokens=33)
    found = interaction("sum", TextPiece("Ada keeps bees."), Completed(InteractionId("sum"), usage))
    model.will_find("sum", interaction("sum", state=InteractionState.RUNNING), found)
    async with condensing_core(url=url, model=model) as clew:
        await clew.ended(3)
        (booked, *_), _ = await clew.store.booked(thread_named(), most=1)

    (third,) = model.asked
    assert booked.usage is not None
    assert booked.usage.total_tokens == 33 + 8, "the summary's, which nobody had noted, and the answer's"
    assert "Ada keeps bees." in told_after(third)
    assert third.text == "three"


async def _is_summing_up(clew: Core) -> bool:
    running = await clew.store.running()
    return bool(running and running[0].summary)


# --- what it costs, and where it goes ---------------------------------------------------------


async def test_a_summary_is_on_the_bill_of_its_turn_and_no_part_of_the_chain() -> None:
    async with condensing_core() as clew:
        await at_the_limit(clew)
        await asks(clew, "three")
        booked, number = await clew.store.booked(thread_named(), most=5)
        chain = await clew.store.chains.chain((await clew.ended(3))[2], most=10)

    assert number == 3
    assert [turn.usage.total_tokens for turn in booked if turn.usage] == [16, 8, 8]
    assert (chain.turns, chain.tokens, chain.interactions) == (1, 8, ("i4",))


async def test_forgetting_deletes_the_summary_at_gemini_too() -> None:
    async with condensing_core() as clew:
        await at_the_limit(clew)
        await asks(clew, "three")
        assert await clew.tells(Command.FORGET) == BEGUN
        await clew.model.told_to_delete(4)

    assert sorted(clew.model.deleted) == ["i1", "i2", "i4", "sum"]


async def test_nothing_of_a_summary_stands_in_the_history_of_the_thread() -> None:
    async with condensing_core() as clew:
        await at_the_limit(clew)
        await asks(clew, "three")
        history = await clew.commands.run(Command.HISTORY, thread_named(), MessageId("look"))

    assert "three" in history
    assert "bees" not in history
    assert "Sum up" not in history
