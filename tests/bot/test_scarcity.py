"""More work than can be done at once, more than can be read, and a model that wants to be asked without end."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace
from functools import partial
from pathlib import Path

from bot.answers import PLAIN, After, AnswerEvent, Manner, Question, Text
from bot.calls import Results
from bot.errors import ModelBusy
from bot.messages import Address, MessageId, Person, PersonId, Said
from storage.sqlite import open_store
from tests.support.core import PATIENT, core
from tests.support.scripted import Asked, ScriptedModel, message, thread_named


class Counting(ScriptedModel):
    """Notes how many answers are being given at the same time, and which question was asked when."""

    def __init__(self) -> None:
        super().__init__()
        self.at_once = self.most_at_once = 0
        self.order: list[str] = []

    async def answer(
        self, question: Question | Results, *, after: After, manner: Manner = PLAIN
    ) -> AsyncGenerator[AnswerEvent, None]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            self.order.extend(
                part.text for part in Asked.told(question, after, manner).question if isinstance(part, Text)
            )
            async for event in super().answer(question, after=after, manner=manner):
                yield event
        finally:
            self.at_once -= 1


async def test_five_thousand_turns_that_wait_at_the_start_are_answered_a_few_at_a_time_each_thread_in_order(
    tmp_path: Path,
) -> None:
    """The longest test of its kind: five thousand turns, five writes each, all through the real store on a disk."""
    url, people = f"sqlite:///{tmp_path / 'clew.db'}", ("ada", "ben")
    waiting = [
        message(f"{thread} {number}", thread=thread_named(f"t{thread}"), by=people[number % 2])
        for number in range(10)
        for thread in range(500)
    ]  # ten turns in each of 500 threads, because the askers take turns
    async with open_store(url) as store:
        await asyncio.gather(*map(store.add, waiting))
    model = Counting()

    async with core(url=url, model=model, concurrency=40) as clew:  # it comes up, whatever waits
        assert clew.metrics.registry.get_sample_value("clew_lanes_waiting") is not None
        is_up_early = len(clew.adapter.order) < 5000
        for number in range(500, 5001, 500):
            await clew.adapter.until(partial(_has, clew.adapter.order, number))
        for thread in range(500):
            assert len(clew.shown(f"t{thread}")) == 10

    assert is_up_early
    assert model.most_at_once <= 40
    for thread in range(500):
        asked = [int(text.split()[1]) for text in model.order if text.split()[0] == str(thread)]
        assert asked == list(range(10))


async def _has(order: list[str], number: int) -> bool:
    return len(order) >= number


async def test_a_model_that_asks_for_no_pause_at_all_is_not_asked_without_end() -> None:
    limits = replace(PATIENT, refused=1.0, first_pause=0.2)
    async with core(limits=limits) as clew:
        for _ in range(100):
            clew.model.will(ModelBusy("429", retry_after=0.0))
        await clew.says("hello")
        (turn,) = await clew.ended(1)

    assert turn.state == "failed"
    assert len(clew.model.asked) <= 6


async def test_who_asks_after_people_said_more_than_is_read_is_told_how_much_was_read() -> None:
    async with core() as clew:
        await clew.says("hello")
        await clew.ended(1)
        for number in range(3):
            await clew.says(f"chat {number}", by="ben", address=Address.OTHERS)
        ben = Person(PersonId("ben"), "Ben")
        clew.adapter.past = [Said(MessageId(f"chat-{number}"), ben, f"chat {number}") for number in (1, 2)]
        clew.adapter.past[0] = replace(clew.adapter.past[0], follows_more=True)
        await clew.says("what do you think?")
        await clew.ended(2)

    assert "chat 2" in clew.model.asked[1].text
    assert "I have read the last 2 messages of it only" in clew.shown()[1]


def test_a_log_line_that_has_to_be_escaped_needs_no_file_when_there_are_no_descriptors_left() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import sys, bot.logs; print('encodings.unicode_escape' in sys.modules)"],
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    assert told.stdout.strip() == b"True"
