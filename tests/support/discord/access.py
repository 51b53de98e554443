"""Whether the bot may do what it asks for: its token, what it sees, its permissions."""

from tests.support.discord.calls import Call
from tests.support.discord.channels import Channel
from tests.support.discord.guilds import Guild
from tests.support.discord.messages import Message
from tests.support.discord.permissions import Permission
from tests.support.discord.refusal import Refused
from tests.support.discord.world import World

P = Permission


class Access:
    """Finds what a call names, and refuses what is not the bot's to see or do ([3] codes)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.is_token_dead = False

    def check(self, call: Call) -> None:
        """Raises Refused with 401 unless the call carries the bot's token."""
        if not self.knows(call.token):
            raise Refused(0)

    def knows(self, token: str | None) -> bool:
        return token == self._world.install.token and not self.is_token_dead

    def guild(self, call: Call) -> Guild:
        """The guild a call names, if the app is in it."""
        guild = self._world.guilds.get(call.params["guild"])
        if guild is None:
            raise Refused(10004)
        return guild

    def channel(self, call: Call) -> Channel:
        """The channel a call names: 10003 when there is none, 50001 when the bot does not see it."""
        channel = self._world.channels.get(call.params["channel"])
        if channel is None:
            raise Refused(10003)
        self.see(channel)
        return channel

    def see(self, channel: Channel) -> None:
        if not self.can_see(channel):
            raise Refused(50001)

    def can_see(self, channel: Channel) -> bool:
        return P.VIEW_CHANNEL in self._world.rights(self._world.me.id, channel)

    def need(self, channel: Channel, permission: Permission) -> None:
        """Raises Refused with 50013 unless the bot may do all of this in the channel."""
        if permission not in self._world.rights(self._world.me.id, channel):
            raise Refused(50013)

    def message(self, call: Call, channel: Channel) -> Message:
        """The message a call names, in its channel. Nobody finds what one person sees."""
        message = channel.messages.get(call.params["message"])
        if message is None:
            raise Refused(10008)
        return message
