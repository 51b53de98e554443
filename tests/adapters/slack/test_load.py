"""Many questions at once through the whole bot, with Slack's limits enforced and everybody on Slack's clock."""

import asyncio
import random
from collections.abc import AsyncGenerator

from adapters.slack.adapter import Rhythm
from adapters.slack.growing import Pace
from bot.answers import PLAIN, After, AnswerEvent, Created, Manner, Question, TextPiece
from bot.calls import Results
from bot.limits import Limits as Patience
from bot.messages import InteractionId
from bot.notices import FOLLOWING
from tests.support.scripted import Asked, ScriptedModel, completed
from tests.support.slack import Clock, Limits, SlackServer, slack_server
from tests.support.slack_clew import ALL_SCOPES, clew_on

QUESTIONS, CHANNELS, WORDS = 50, 10, 30
SPEED = 6.0  # Slack's seconds in one real second


class TalkingModel(ScriptedModel):
    """Thinks for a second or two, and tells a word every half second or so."""

    def __init__(self, clock: Clock, dice: random.Random) -> None:
        super().__init__()
        self._clock, self._dice = clock, dice

    async def answer(
        self, question: Question | Results, *, after: After, manner: Manner = PLAIN
    ) -> AsyncGenerator[AnswerEvent, None]:
        self.asked.append(Asked.told(question, after, manner))
        name = InteractionId(f"i{len(self.asked)}")
        yield Created(name)
        await self._clock.sleep(1 + self._dice.random())
        for piece in pieces(Asked.told(question, after, manner).text):
            yield TextPiece(piece)
            await self._clock.sleep(0.2 + 0.4 * self._dice.random())
        yield completed(name)


def pieces(question: str) -> list[str]:
    return [*(f"{question}, word {number}; " for number in range(WORDS)), "the end."]


async def ask(slack: SlackServer, number: int, dice: random.Random) -> tuple[str, str]:
    """Ask at some moment of the first two seconds, in a thread of one's own; its channel and its ts."""
    channel = f"channel-{number % CHANNELS}"
    await slack.clock.sleep(2 * dice.random())
    ts = await slack.says(f"person-{number:02d}x", f"question {number}", channel=channel)
    await slack.shown(
        channel, ts, lambda shown: bool(shown) and any(button.text == "Retry" for button in shown[-1].buttons)
    )
    return channel, ts


async def test_fifty_questions_in_two_seconds_have_fifty_whole_answers_within_the_limits_of_slack() -> None:
    dice, clock = random.Random(7), Clock(speed=SPEED)  # noqa: S311 - seeded, so that a failing run can be run again
    model = TalkingModel(clock, dice)
    async with slack_server(clock=clock, scopes=ALL_SCOPES) as slack:
        for number in range(CHANNELS):
            slack.channel(f"channel-{number}")
        async with clew_on(slack, model=model, clock=clock, rhythm=Rhythm(), pace=Pace(), limits=Patience()):
            slack.limits = Limits()  # the tiers of the reference's section 1, and a post a second to a channel
            async with asyncio.TaskGroup() as people:
                asking = [people.create_task(ask(slack, number, dice)) for number in range(QUESTIONS)]
        places = [one.result() for one in asking]

    for number, (channel, ts) in enumerate(places):
        (shown,) = slack.replies(channel, ts)
        assert shown.text == "".join(pieces(f"question {number}")) + f"\n\n_{FOLLOWING}_"
        assert slack.status(channel, ts) is None
    assert sorted(asked.text for asked in model.asked) == sorted(f"question {number}" for number in range(QUESTIONS))
    # The budget is there first. Calls that were sent in time may come in one heap on a machine that is busy otherwise.
    refused = [call for call in slack.calls if not call.is_ok]
    assert len(refused) <= len(slack.calls) / 10, refused
    # What can be streamed is streamed, and the rest grows by edits.
    for method in ("chat.startStream", "chat.appendStream", "chat.update"):
        assert len(slack.calls_of(method)) >= 15
