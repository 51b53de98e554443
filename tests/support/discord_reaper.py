"""Death at a chosen moment for a bot in Discord: what it asks of Discord is counted where it arrives."""

from fnmatch import fnmatchcase

from tests.support.discord import ActThenDrop, Call, DiscordServer, DropBefore
from tests.support.reaper import Reaper, When

COUNTED = ("* /channels/*", "* /users/@me/channels", "* /interactions/*", "* /webhooks/*", "GET /cdn/*")
"""The routes of what a bot does about people; the rest is its start, which goes on beside what is counted."""


class DiscordReaper(Reaper):
    """Counts, beside commits and questions to the model, every request that reaches a loopback Discord."""

    def over_discord(self, discord: DiscordServer) -> None:
        """Let the moment be one of a request, too. `DiscordServer.faults` do it, until they are disarmed."""
        fault = DropBefore() if self.when is When.BEFORE else ActThenDrop()
        discord.faults.arm("*", fault, times=None, when=self._dies_in)
        discord.faults.arm("*", DropBefore(), times=None, when=lambda call: self.struck.is_set())

    def _dies_in(self, call: Call) -> bool:
        is_counted = any(fnmatchcase(call.route, pattern) for pattern in COUNTED)
        if self.struck.is_set() or not is_counted or not self._is_mine(f"discord.{call.route}"):
            return False
        self._strike()
        return True
