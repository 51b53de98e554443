"""What Discord's adapter is made of once it knows who it is."""

from dataclasses import dataclass

from adapters.discord.announcer import Announcer
from adapters.discord.approving import Approving
from adapters.discord.catchup import CatchUp
from adapters.discord.channels import Channels
from adapters.discord.files import Downloads
from adapters.discord.gaps import Gaps
from adapters.discord.gateway import Connection
from adapters.discord.ingest import Ingest
from adapters.discord.interactions import Interactions
from adapters.discord.line import Identity
from adapters.discord.pages import Pages
from adapters.discord.people import Nicknames
from adapters.discord.servers import Servers
from adapters.discord.threads import Threads
from bot.confirmations import Confirmations
from bot.watching import Watching


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What needs to know who we are."""

    identity: Identity
    connection: Connection
    gaps: Gaps
    nicknames: Nicknames
    servers: Servers
    threads: Threads
    channels: Channels
    pages: Pages
    downloads: Downloads
    announcer: Announcer
    approving: Approving


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What goes on while Discord is served."""

    ingest: Ingest
    interactions: Interactions
    confirmations: Confirmations
    catch_up: CatchUp
    watching: Watching
