"""What the operator may paste to name a thread: every platform reads its own links and no other's."""

import pytest

from adapters.discord.places import DISCORD
from adapters.discord.places import pointed_by as discord_link
from adapters.slack.places import SLACK
from adapters.slack.places import pointed_by as slack_link
from adapters.web.events import WEB
from adapters.web.events import pointed_by as page_link
from bot.cli import pointed_by
from bot.errors import StartError
from bot.messages import MessageId, Platform, Thread
from bot.ports import Pointed

LINKS = (slack_link, discord_link, page_link)
IN_SLACK = "https://acme.slack.com/archives/C012/p1700000000000100"


@pytest.mark.parametrize(
    ("typed", "pointed"),
    [
        pytest.param(IN_SLACK, Pointed(SLACK, "1700000000.000100", "C012"), id="a message of a channel"),
        pytest.param(
            f"{IN_SLACK[:-6]}000200?thread_ts=1700000000.000100&cid=C012",
            Pointed(SLACK, "1700000000.000100", "C012"),
            id="a reply in a thread",
        ),
        pytest.param(IN_SLACK.replace("C012", "D012"), Pointed(SLACK, "D012", "D012"), id="a direct message in Slack"),
        pytest.param(
            "https://discord.com/channels/1/22/333", Pointed(DISCORD, "22", message_id=MessageId("333")), id="Discord"
        ),
        pytest.param("https://ptb.discord.com/channels/@me/22", Pointed(DISCORD, "22"), id="a direct line in Discord"),
        pytest.param("http://127.0.0.1:8080/#abcdefgh", Pointed(WEB, "abcdefgh", "page"), id="a thread of the page"),
        pytest.param(" slack:T1:C1:1.2 ", Thread(Platform("slack"), "T1", "C1", "1.2"), id="a key"),
    ],
)
def test_a_link_is_read_by_its_platform(typed: str, pointed: Pointed | Thread) -> None:
    assert pointed_by(typed, LINKS) == pointed


@pytest.mark.parametrize(
    "typed", ["", "hello", "a:b", "https://example.org/x#abcdefgh", "https://discord.com/invite/x", "http://[", "::::"]
)
def test_what_is_no_link_is_a_sentence(typed: str) -> None:
    with pytest.raises(StartError, match="leads to no thread"):
        pointed_by(typed, LINKS)
