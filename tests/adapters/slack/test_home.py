"""The Home tab."""

import json

from adapters.slack.checks import Channel
from adapters.slack.home import home_view, names_of
from adapters.slack.manifest import COMMAND, SHORTCUTS
from adapters.slack.workspace import Workspace
from tests.support.slack import SaysError, slack_server
from tests.support.slack_clew import ALL_SCOPES, clew_on

ME = Workspace("T1", "T1", "UBOT", "BBOT", "A1", "https://x.slack.com/")


async def test_whoever_opens_the_home_tab_sees_what_the_bot_can_do_and_keeps() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        slack.channel("board", kind="group")
        await slack.opens_home("ada")
        await slack.received("views.publish", ok=True)
        await slack.delivered()
        shown = json.dumps(slack.home("ada"))

    assert all(delivery.is_acknowledged for delivery in slack.deliveries)
    assert "Answers are made by AI and can be wrong" in shown
    assert "What is stored" in shown
    assert f"`{COMMAND} stop`" in shown
    assert all(name in shown for name, _ in SHORTCUTS.values())
    assert f"<#{slack.channel('general')}>" in shown
    assert slack.channel("board") not in shown


async def test_the_messages_tab_is_left_alone() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        await slack.opens_home("ada", tab="messages")
        await slack.delivered()

    assert slack.calls_of("views.publish") == []
    assert all(delivery.is_acknowledged for delivery in slack.deliveries)


async def test_a_home_tab_that_cannot_be_shown_costs_nothing_else() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        slack.faults.arm("views.publish", SaysError("not_enabled"))
        await slack.opens_home("ada")
        await slack.received("views.publish")
        ts = await slack.says("ada", "hello")
        await slack.shown("general", ts)
        await slack.delivered()

    assert all(delivery.is_acknowledged for delivery in slack.deliveries)
    assert len(clew.model.asked) == 1


def test_without_a_channel_it_says_how_to_be_invited() -> None:
    assert "To have me in a channel, invite me with `/invite` and <@UBOT> there." in json.dumps(home_view(ME, []))


def test_of_many_channels_the_first_are_named_and_private_ones_never() -> None:
    rooms = [Channel(f"C{number}", f"room-{number}", is_private=number == 0) for number in range(25)]

    assert names_of(rooms).startswith("<#C1>, <#C2>, ")
    assert names_of(rooms).endswith("<#C20> and 4 more")
    assert names_of(rooms[:1]) == ""


def test_it_fits_into_what_slack_takes() -> None:
    rooms = [Channel(f"C{number:09}", f"room-{number}", is_private=False) for number in range(1000)]
    view = home_view(ME, rooms)

    blocks = view["blocks"]
    assert isinstance(blocks, list)
    assert len(blocks) <= 100
    for block in blocks:
        if block["type"] == "section":
            assert len(block["text"]["text"]) <= 3000
