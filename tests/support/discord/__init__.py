"""A loopback Discord for the real discord.py: REST, gateway and files, as the Discord reference describes them.

    async with discord_server() as discord:
        question = await discord.says("ada", "hello")
        shown = await discord.shown(question)  # in the thread that was opened from it

Comments such as [5.2] name the section of the reference a rule comes from. Where Discord is undocumented, `Variants`
chooses.
"""

from tests.support.clock import Clock
from tests.support.discord.calls import DROPPED, Call, Upload
from tests.support.discord.channels import Channel, Kind
from tests.support.discord.faults import (
    ACT_THEN_502,
    CHAOS,
    CLOUDFLARE,
    CUT_JSON,
    HTML_PAGE,
    ActThenDrop,
    Broken,
    CutBody,
    DropBefore,
    EventFaults,
    Fault,
    Faults,
    Hang,
    Redirect,
    SaysError,
    Slow,
    SlowBody,
    TooMany,
)
from tests.support.discord.files import File
from tests.support.discord.intents import Intent
from tests.support.discord.interactions import Button, Interaction
from tests.support.discord.limits import Limits
from tests.support.discord.mentions import Ping, Preview
from tests.support.discord.messages import Flag, Message, MessageType
from tests.support.discord.permissions import Permission
from tests.support.discord.server import DiscordServer, discord_server
from tests.support.discord.sessions import Session
from tests.support.discord.snowflakes import made_at, oldest_at
from tests.support.discord.sockets import Socket
from tests.support.discord.transcript import Shown, ShownFile
from tests.support.discord.variants import Install, Variants

__all__ = [
    "ACT_THEN_502",
    "CHAOS",
    "CLOUDFLARE",
    "CUT_JSON",
    "DROPPED",
    "HTML_PAGE",
    "ActThenDrop",
    "Broken",
    "Button",
    "Call",
    "Channel",
    "Clock",
    "CutBody",
    "DiscordServer",
    "DropBefore",
    "EventFaults",
    "Fault",
    "Faults",
    "File",
    "Flag",
    "Hang",
    "Install",
    "Intent",
    "Interaction",
    "Kind",
    "Limits",
    "Message",
    "MessageType",
    "Permission",
    "Ping",
    "Preview",
    "Redirect",
    "SaysError",
    "Session",
    "Shown",
    "ShownFile",
    "Slow",
    "SlowBody",
    "Socket",
    "TooMany",
    "Upload",
    "Variants",
    "discord_server",
    "made_at",
    "oldest_at",
]
