"""A hundred threads in ten channels: events come twice, in the wrong order, late or never, sockets break, calls fail,
and people say more, change their words and take them back while they wait.
"""

import asyncio
import random
import re
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import pytest

from adapters.slack.adapter import Rhythm
from adapters.slack.growing import Pace
from adapters.slack.reply import WORKING
from bot.answers import PLAIN, After, AnswerEvent, Created, Manner, Question, TextPiece
from bot.calls import Results
from bot.limits import Limits
from bot.messages import InteractionId
from tests.support.scripted import Asked, ScriptedModel, completed, interaction
from tests.support.slack import Clock, Shown, SlackServer, Twins, Variants, slack_server
from tests.support.slack_clew import ALL_SCOPES, clew_on

THREADS, CHANNELS = 100, 10
SPEED = 16.0  # Slack's seconds in one real second
RHYTHM = Rhythm(ping=0.2, quiet=0.6, patience=2.0, pause=1.0, longest_pause=8.0, token=600.0)
# Not after one minute and after five, so that it is over sooner; and so often that nothing said while the first answer
# is waited for is given up, since nobody looks for what is lost in a thread before something was answered there.
SOONER = Variants(retries=(0.0, 20.0, 20.0, 20.0, 40.0, 60.0))
WITHIN = 90.0  # real seconds
UNLIMITED = Limits(silent=900.0, turn=900.0)  # a first answer waits for as long as people take to say more
HEARD = [Twins.MENTION_FIRST, Twins.MESSAGE_FIRST, Twins.ONLY_MENTION, Twins.ONLY_MESSAGE]

_MARK = re.compile(r"\((\d+)\.(\d+)\)")


def marks_in(text: str) -> list[tuple[int, int]]:
    """The questions that a text speaks of: thread and number."""
    return [(int(thread), int(number)) for thread, number in _MARK.findall(text)]


class PatientModel(ScriptedModel):
    """Repeats the question and calls everybody, in two breaths. A thread's first answer waits until it may come."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.may_answer: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)
        self._clock = clock

    async def answer(
        self, question: Question | Results, *, after: After, manner: Manner = PLAIN
    ) -> AsyncGenerator[AnswerEvent, None]:
        self.asked.append(Asked.told(question, after, manner))
        text, name = self.asked[-1].text, InteractionId(f"i{len(self.asked)}")
        created, first, second, last = (
            Created(name),
            TextPiece(f"<!channel> {text}"),
            TextPiece(" <!here>"),
            completed(name),
        )
        yield created
        await self.may_answer[marks_in(text)[0][0]].wait()
        yield first
        await self._clock.sleep(2.0)
        yield second
        # Slack may be away for so long that the end of the turn is tried again.
        self.will_find(name, interaction(name, created, first, second, last))
        yield last


@dataclass
class Talk:
    """One thread, and what is to be answered in it."""

    slack: SlackServer
    model: PatientModel
    number: int
    channel: str
    dice: random.Random
    ts: str = ""
    asked: list[tuple[int, int]] = field(default_factory=list)
    taken_back: list[tuple[int, int]] = field(default_factory=list)

    @property
    def shown(self) -> list[Shown]:
        return self.slack.replies(self.channel, self.ts)

    @property
    def answered(self) -> list[tuple[int, int]]:
        """The questions that the bot's messages speak of, in the order in which they stand there."""
        return [mark for one in self.shown for mark in marks_in(one.text)]

    @property
    def chain(self) -> list[object]:
        """What the model was asked after each time: nothing, or which of the answers in this thread."""
        asks = [(f"i{n}", asked.after) for n, asked in enumerate(self.model.asked, 1) if self._is_mine(asked)]
        names = [name for name, _ in asks]
        return ["nothing" if after is None else names.index(str(after)) for _, after in asks]

    def _is_mine(self, asked: Asked) -> bool:
        return marks_in(asked.text)[0][0] == self.number

    async def hold(self) -> None:
        await self.begins()
        await self.says_more()
        self.model.may_answer[self.number].set()
        await self.all_is_answered()
        await self.is_not_heard()
        await self.all_is_answered()

    async def begins(self) -> None:
        self.ts = await self._says("first", twins=self.dice.choice(HEARD))
        await self._was_heard(self.ts)

    async def says_more(self) -> None:
        """Say more while the first answer is on its way. What is said next is said when the last was heard."""
        for what in self.dice.sample([self._goes_on, self._changes, self._takes_back, self._joins], k=2):
            await what()

    async def is_not_heard(self) -> None:
        """Say something of which no event tells."""
        await self._says("unheard", twins=Twins.NEITHER)

    async def all_is_answered(self) -> None:
        def look() -> bool:
            return Counter(self.answered) >= Counter(self.asked) and bool(self.shown[-1].buttons)

        await self.slack.until(look, within=WITHIN)

    # --- what people do while they wait -----------------------------------------------------------

    async def _goes_on(self) -> None:
        await self._was_heard(await self._says("and more", mention=False))

    async def _changes(self) -> None:
        ts = await self._says("mistaken", mention=False)
        await self._was_heard(ts)
        (mark,) = self.asked[-1:]
        await self.slack.edits(ts, f"({mark[0]}.{mark[1]}) put right", channel=self.channel)
        await self._was_heard(ts)

    async def _takes_back(self) -> None:
        ts = await self._says("never mind", mention=False)
        await self._was_heard(ts)
        self.taken_back.append(self.asked.pop())
        await self.slack.deletes(ts, channel=self.channel)
        await self._was_heard(ts)

    async def _joins(self) -> None:
        """Somebody else asks in between."""
        await self._was_heard(await self._says("me, too", by="guest", twins=self.dice.choice(HEARD)))

    async def _says(
        self, text: str, *, by: str = "host", mention: bool = True, twins: Twins = Twins.ONLY_MESSAGE
    ) -> str:
        mark = self.number, len(self.asked) + len(self.taken_back) + 1
        self.asked.append(mark)
        return await self.slack.says(
            f"{by}{self.number % 25:02d}x",
            f"({mark[0]}.{mark[1]}) {text}",
            channel=self.channel,
            thread_ts=self.ts or None,
            mention=mention,
            twins=twins,
        )

    async def _was_heard(self, ts: str) -> None:
        """Wait until all events about a message so far were acknowledged, so that what comes next comes next."""
        about = [delivery for delivery in self.slack.deliveries if delivery.ts == ts]
        await self.slack.until(lambda: all(one.outcome is not None for one in about), within=WITHIN)


async def trouble(slack: SlackServer, dice: random.Random) -> None:
    """Break a socket now and then, in every way there is, and send old events once more."""
    while True:
        await slack.clock.sleep(dice.uniform(2, 6))
        if slack.deliveries:
            for delivery in dice.sample(slack.deliveries, k=min(3, len(slack.deliveries))):
                slack.again(delivery)
        socket = dice.choice(slack.sockets) if len(slack.sockets) > 1 else None
        if socket is None:
            continue
        match dice.choice(["refresh", "close", "reset", "silence"]):
            case "refresh":
                await socket.say_disconnect("refresh_requested")
            case "close":
                await socket.close()
            case "reset":
                socket.reset()
            case "silence":
                socket.is_half_open = True


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_question_is_answered_once_and_in_order_whatever_becomes_of_events_sockets_and_calls(
    seed: int,
) -> None:
    dice, clock = random.Random(seed), Clock(speed=SPEED)  # noqa: S311 - seeded, so that a failing run can be run again
    async with slack_server(clock=clock, scopes=ALL_SCOPES, variants=SOONER, seed=seed) as slack:
        places = [slack.channel(f"channel-{number:02d}x") for number in range(CHANNELS)]
        model = PatientModel(clock)
        talks = [
            Talk(slack, model, number, places[number % CHANNELS], random.Random(f"{seed} {number}"))  # noqa: S311 - what is said, not a secret
            for number in range(THREADS)
        ]
        async with clew_on(slack, model=model, clock=clock, rhythm=RHYTHM, pace=Pace(), limits=UNLIMITED):
            slack.faults.chaos(0.05, seed=seed)
            slack.faults.events.happen_at_random(0.2, seed)
            async with asyncio.TaskGroup() as group:
                troubling = group.create_task(trouble(slack, dice))
                async with asyncio.TaskGroup() as people:
                    for talk in talks:
                        people.create_task(talk.hold())
                troubling.cancel()
            slack.faults.chaos(0)
            await slack.delivered(within=WITHIN)

    for talk in talks:
        assert talk.answered == talk.asked
        assert talk.chain == ["nothing", *range(len(talk.chain) - 1)]
        assert slack.status(talk.channel, talk.ts) is None
        assert not any(one.is_streaming or one.text == WORKING for one in talk.shown)
        assert not any("mistaken" in one.text for one in talk.shown)
    assert Counter(mark for asked in model.asked for mark in marks_in(asked.text)) == Counter(
        mark for talk in talks for mark in talk.asked
    )
    assert len(slack.faults.fired) > 40
    assert not any(call.has_acted for call in slack.calls_of("chat.delete")), "what is posted twice is cleared up, too"
    assert slack.pings == []
