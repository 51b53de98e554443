"""A loopback Slack for the real SDK: Web API, Socket Mode and HTTP events, as the Slack reference describes them.

    async with slack_server() as slack:
        ts = await slack.says("ada", "hello")
        shown = await slack.shown("general", ts)

Comments such as [5] name the section of the reference a rule comes from. Where Slack is undocumented, `Variants`
chooses.
"""

from tests.support.slack.acts import escaped
from tests.support.slack.calls import DROPPED, Call
from tests.support.slack.clock import Clock
from tests.support.slack.deliveries import Ack, Attempt, Delivery
from tests.support.slack.faults import (
    CHAOS,
    CUT_JSON,
    HTML_PAGE,
    PLAIN_TEXT,
    ActThenDrop,
    Broken,
    CutBody,
    DropBefore,
    EventFaults,
    Fault,
    Faults,
    Hang,
    SaysError,
    Slow,
    TooMany,
)
from tests.support.slack.files import File
from tests.support.slack.http_events import Answered, HttpEvents
from tests.support.slack.interactions import Feedback
from tests.support.slack.limits import Limits
from tests.support.slack.mentions import Ping, Unfurl
from tests.support.slack.server import SlackServer, slack_server
from tests.support.slack.sockets import Socket
from tests.support.slack.status import Status
from tests.support.slack.transcript import Button, Shown, ShownFile
from tests.support.slack.twins import Twins
from tests.support.slack.variants import Install, Variants

__all__ = [
    "CHAOS",
    "CUT_JSON",
    "DROPPED",
    "HTML_PAGE",
    "PLAIN_TEXT",
    "Ack",
    "ActThenDrop",
    "Answered",
    "Attempt",
    "Broken",
    "Button",
    "Call",
    "Clock",
    "CutBody",
    "Delivery",
    "DropBefore",
    "EventFaults",
    "Fault",
    "Faults",
    "Feedback",
    "File",
    "Hang",
    "HttpEvents",
    "Install",
    "Limits",
    "Ping",
    "SaysError",
    "Shown",
    "ShownFile",
    "SlackServer",
    "Slow",
    "Socket",
    "Status",
    "TooMany",
    "Twins",
    "Unfurl",
    "Variants",
    "escaped",
    "slack_server",
]
