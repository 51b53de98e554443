"""A hundred threads in ten channels, with everything going wrong now and then."""

import asyncio

import pytest

from adapters.slack.adapter import Rhythm
from adapters.slack.growing import Pace
from bot.limits import Limits
from tests.support.slack import Clock, Shown, SlackServer, slack_server
from tests.support.slack_clew import ALL_SCOPES, SlackClew, clew_on


def is_whole(shown: list[Shown], number: int) -> bool:
    return len(shown) == number and all(
        not one.is_streaming and {"Retry"} <= {button.text for button in one.buttons} for one in shown[-1:]
    )


async def converse(slack: SlackServer, channel: str, number: int) -> list[Shown]:
    """Ask twice in a thread of one's own, the second time when the first answer stands there."""
    name = f"person{number % 50:02d}x"  # who somebody is can be asked a hundred times a minute
    ts = await slack.says(name, f"({number}) asks once", channel=channel)
    await slack.shown(channel, ts, lambda shown: is_whole(shown, 1), within=60)
    await slack.says(name, f"({number}) asks again", channel=channel, thread_ts=ts, mention=False)
    shown = await slack.shown(channel, ts, lambda shown: is_whole(shown, 2), within=60)
    assert slack.status(channel, ts) is None
    return shown


def asked_by(clew: SlackClew) -> dict[str, object]:
    """What each question was asked after."""
    return {asked.text: asked.after for asked in clew.model.asked}


@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_lost_doubled_or_out_of_order_whatever_goes_wrong(seed: int) -> None:
    clock = Clock(speed=8.0)
    async with slack_server(clock=clock, scopes=ALL_SCOPES, seed=seed) as slack:
        places = [f"channel-{number:02d}x" for number in range(10)]
        for place in places:
            slack.channel(place)
        async with clew_on(slack, clock=clock, rhythm=Rhythm(), pace=Pace(), limits=Limits()) as clew:
            slack.faults.chaos(0.05, seed=seed)
            async with asyncio.TaskGroup() as people:
                talks = [people.create_task(converse(slack, places[number % 10], number)) for number in range(100)]
            slack.faults.chaos(0)
            shown = [talk.result() for talk in talks]
            asked = asked_by(clew)

    for number, (first, second) in enumerate(shown):
        assert f"({number}) asks once" in first.text
        assert f"({number}) asks again" in second.text
    assert len(slack.faults.fired) > 20
    assert len(asked) == 200
    assert len(set(asked.values())) == 101  # None for the hundred first ones, and a chain of its own for each other
    assert not any(call.has_acted for call in slack.calls_of("chat.delete")), "what is posted twice is cleared up, too"
    assert slack.pings == []
