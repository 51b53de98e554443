"""A hundred threads in ten channels, with everything going wrong now and then."""

import asyncio
import random
from collections.abc import AsyncGenerator
from functools import partial

import pytest

from bot.answers import PLAIN, After, AnswerEvent, Manner, Question
from bot.calls import Results
from tests.adapters.discord.answering import is_whole
from tests.support.discord import DiscordServer, Shown, discord_server
from tests.support.discord_clew import clew_on
from tests.support.scripted import Asked, ScriptedModel

THREADS, CHANNELS = 100, 10


class SlowModel(ScriptedModel):
    """Takes a while for each answer, so that people go on talking meanwhile."""

    def __init__(self, discord: DiscordServer, dice: random.Random) -> None:
        super().__init__()
        self._discord, self._dice = discord, dice

    async def answer(
        self, question: Question | Results, *, after: After, manner: Manner = PLAIN
    ) -> AsyncGenerator[AnswerEvent, None]:
        answering = super().answer(question, after=after, manner=manner)
        yield await anext(answering)
        await self._discord.clock.sleep(self._dice.random() / 5)
        async for event in answering:
            yield event


def text_of(seen: list[Shown]) -> str:
    return "\n".join(one.text for one in seen)


def says_once(seen: list[Shown], *pieces: str) -> bool:
    return [text_of(seen).count(piece) for piece in pieces] == [1] * len(pieces) and is_whole(seen)


async def converse(discord: DiscordServer, number: int) -> list[Shown]:
    """Talk in a thread of one's own: ask, go on when there is an answer, put something right, take something back."""
    name = f"person{number:02d}x"
    await discord.clock.sleep(number / 50)
    question = await discord.says(name, f"({number}) asks.", channel=f"channel-{number % CHANNELS:02d}x")
    await discord.shown(question, partial_once(f"({number}) asks."), within=60)
    say = partial(discord.says, name, channel=question, mention=False)
    await say(f"({number}) goes on.")
    added = await say(f"({number}) adds a wrong thing.")
    taken_back = await say(f"({number}) says too much.")
    await discord.edits(added, f"({number}) adds a right thing.")
    await discord.deletes(taken_back)
    wanted = (f"({number}) asks.", f"({number}) goes on.", f"({number}) adds a ")
    return await discord.shown(question, partial_once(*wanted), within=60)


def partial_once(*pieces: str) -> "partial[bool]":
    return partial(_once, pieces)


def _once(pieces: tuple[str, ...], seen: list[Shown]) -> bool:
    return says_once(seen, *pieces)


async def disturb(discord: DiscordServer, dice: random.Random) -> None:
    """Break the gateway's connection in one way after another."""
    ways = ["op 7", "op 9, to be resumed", "op 9", "close 4000", "reset"]
    for number, way in enumerate(dice.sample(ways, len(ways))):
        told = 300 * (number + 1)
        await discord.until(lambda told=told: len(discord.told) > told, within=60)  # type: ignore[misc]
        (socket, *_) = await discord.connected()
        match way:
            case "op 7":
                await socket.ask_to_reconnect()
            case "close 4000":
                await socket.close(4000)
            case "reset":
                socket.reset()
            case _:
                await socket.invalidate(resumable="resumed" in way)


def chain_of(asked: list[Asked], number: int) -> list[object]:
    """What the questions of one thread were asked after: None at first, then the one before."""
    mine = [(f"i{place}", one) for place, one in enumerate(asked, 1) if f"({number}) " in one.text]
    before = [None, *(name for name, _ in mine)]
    return [one.after == after for (_, one), after in zip(mine, before, strict=False)]


@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_lost_doubled_or_out_of_order_whatever_goes_wrong(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - seeded, so that a failing run can be run again
    async with discord_server(seed=seed) as discord:
        for number in range(CHANNELS):
            discord.channel(f"channel-{number:02d}x")
        async with clew_on(discord, model=SlowModel(discord, dice)) as clew:
            # A bot that nobody ever asked has nothing to catch up with.
            await discord.shown(await discord.says("ada", "hello"), is_whole)
            discord.faults.chaos(0.05, seed=seed)
            async with asyncio.TaskGroup() as people:
                trouble = people.create_task(disturb(discord, dice))
                talks = [people.create_task(converse(discord, number)) for number in range(THREADS)]
                await asyncio.wait(talks)
                is_disturbed = trouble.done()
                trouble.cancel()
            discord.faults.chaos(0)
            shown = [talk.result() for talk in talks]
            asked = clew.model.asked

    overtaken = 0
    for number, seen in enumerate(shown):
        text = text_of(seen)
        asks, goes_on, adds = (text.index(f"({number}) {words}") for words in ("asks.", "goes on.", "adds a "))
        assert asks < min(goes_on, adds)
        overtaken += adds < goes_on
        assert text.count("says too much.") <= 1
        assert all(f"({other}) " not in text for other in range(THREADS) if other != number)
        assert all(chain_of(asked, number))
    assert overtaken <= sum(fault == "swap" for _, fault in discord.faults.events.fired), "as Discord told them"
    assert is_disturbed
    assert len(discord.faults.fired) > 20
    assert len(discord.faults.events.fired) > 5
    assert sum("wrong thing" in one.text for one in asked) < THREADS
    assert discord.pings_by_bot() == []


async def test_what_was_missed_before_a_session_is_found_though_that_session_breaks_and_is_resumed() -> None:
    async with discord_server() as discord, clew_on(discord):
        await discord.shown(await discord.says("ada", "hello"), is_whole)
        discord.mute_events()
        missed = await discord.says("ada", "is anybody there?")
        discord.mute_events(False)
        discord.forget_sessions()
        await discord.sockets[0].close(4000)
        await discord.until(lambda: len(discord.sessions) == 2 and discord.sockets)

        await discord.sockets[0].close(4000)

        (shown,) = await discord.shown(missed, is_whole)
        assert "is anybody there?" in shown.text
