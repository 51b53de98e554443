"""Death at a chosen moment for a bot in Discord: what it asks of Discord is counted where it arrives."""

from fnmatch import fnmatchcase

from tests.support.discord import ActThenDrop, Call, DiscordServer, DropBefore
from tests.support.reaper import Reaper, When

COUNTED = ("* /channels/*", "* /users/@me/channels", "* /interactions/*", "* /webhooks/*", "GET /cdn/*")
"""The routes of what a bot does about people; the rest is its start, which goes on beside what is counted."""


def over_discord(reaper: Reaper, discord: DiscordServer) -> None:
    """Let the moment be one of a request, too. `DiscordServer.faults` do it, until they are disarmed."""

    def falls_on(call: Call) -> bool:
        is_counted = any(fnmatchcase(call.route, pattern) for pattern in COUNTED)
        return is_counted and reaper.falls_on(f"discord.{call.route}")

    fault = DropBefore() if reaper.when is When.BEFORE else ActThenDrop()
    discord.faults.arm("*", fault, times=None, when=falls_on)
    discord.faults.arm("*", DropBefore(), times=None, when=lambda call: reaper.struck.is_set())
