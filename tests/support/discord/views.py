"""What can be seen of the world, and ways to wait until it is seen."""

import asyncio
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TypeVar

from tests.support.discord.calls import Call
from tests.support.discord.channels import Channel
from tests.support.discord.gateway import Gateway, Told
from tests.support.discord.mentions import Ping, Preview
from tests.support.discord.messages import Message
from tests.support.discord.sessions import Session
from tests.support.discord.sockets import Socket
from tests.support.discord.transcript import Shown, show, transcript
from tests.support.discord.wire import Wire
from tests.support.discord.world import World

T = TypeVar("T")
WITHIN = 40.0  # real seconds
POST = "POST /channels/{channel}/messages"
EDIT = "PATCH /channels/{channel}/messages/{message}"


class Views:
    """Reads the world as people and operators see it. Waiting is by events, bounded by real seconds."""

    def __init__(self, world: World, gateway: Gateway, wire: Wire) -> None:
        self._world, self._gateway, self._wire = world, gateway, wire

    # --- what a person sees -------------------------------------------------------------------------

    def transcript(self, channel: str = "general") -> list[Shown]:
        """Everything in a channel, thread or DM, oldest first, with what only one person sees."""
        return transcript(self._world, self._world.channel(channel))

    def replies(self, channel: str = "general") -> list[Shown]:
        """What the bot said there for everybody, oldest first, without notices of Discord's own."""
        messages = self._world.channel(channel).messages.values()
        return [show(self._world, message) for message in messages if self._is_said_by_me(message)]

    def whispers(self, user: str) -> list[Shown]:
        """Everything only this person was shown, in every channel; oldest first."""
        person = self._world.user(user).id
        channels = self._world.channels.values()
        found = [one for channel in channels for one in channel.ephemerals if one.ephemeral_for == person]
        return [show(self._world, message) for message in sorted(found, key=lambda message: int(message.id))]

    def thread_of(self, message_id: str) -> Channel | None:
        """The thread that was opened from a message."""
        return self._world.channels.get(message_id)

    def threads(self, channel: str = "general") -> list[Channel]:
        """The threads or posts of a channel, oldest first."""
        parent = self._world.channel(channel).id
        return [one for one in self._world.channels.values() if one.is_thread and one.parent_id == parent]

    def typing(self, channel: str = "general", user: str | None = None) -> float | None:
        """Until when somebody (the bot) is shown as typing, in Discord's time; None when nobody sees that now."""
        place = self._world.channels.get(channel) or self._world.channel(channel)
        who = self._world.user(user).id if user else self._world.me.id
        until = self._world.typing_until.get(place.id, {}).get(who)
        return until if until is not None and until > self._world.clock.now() else None

    @property
    def pings(self) -> list[Ping]:
        """Everybody who was ever notified."""
        return self._world.pings

    def pings_by_bot(self) -> list[Ping]:
        return [ping for ping in self._world.pings if ping.by == self._world.me.id]

    @property
    def previews(self) -> list[Preview]:
        """Links of the bot that Discord would have shown a preview of."""
        return self._world.previews

    def message(self, message_id: str) -> Message:
        """The message of that id, wherever it stands. Raises LookupError."""
        return self._world.find(message_id)

    # --- what the app did ---------------------------------------------------------------------------

    @property
    def calls(self) -> list[Call]:
        """Every request of the app, refused and broken ones too, in the order they came."""
        return self._wire.calls

    def calls_of(self, route: str) -> list[Call]:
        """The requests of a route or pattern: ``POST /channels/*/messages``."""
        return [call for call in self.calls if fnmatchcase(call.route, route)]

    @property
    def sockets(self) -> list[Socket]:
        """The open connections to the gateway, oldest first."""
        return self._gateway.open

    @property
    def all_sockets(self) -> list[Socket]:
        """Every connection there ever was."""
        return self._gateway.all

    @property
    def sessions(self) -> list[Session]:
        """Every session, oldest first; one per IDENTIFY."""
        return list(self._gateway.sessions.values())

    @property
    def told(self) -> list[Told]:
        """Every event that happened, whether anybody asked for it or not."""
        return self._gateway.told

    def told_of(self, name: str) -> list[Told]:
        return [told for told in self.told if told.name == name]

    # --- waiting ------------------------------------------------------------------------------------

    async def until(self, look: Callable[[], T | None], *, within: float = WITHIN) -> T:
        """Wait until *look* returns something truthy, and return that. Raises TimeoutError.

        It is asked after every change of the world, every request and every frame; when something else changed, say
        `look_again`.
        """
        async with asyncio.timeout(within):
            return await self._world.bell.until(look)

    def look_again(self) -> None:
        """Let everybody who waits look again: something outside has changed."""
        self._world.bell.ring()

    async def shown(
        self,
        channel: str = "general",
        condition: Callable[[list[Shown]], bool] | None = None,
        *,
        whole: int = 1,
        within: float = WITHIN,
    ) -> list[Shown]:
        """Wait for what the bot says in a channel, thread or DM; the channel may be yet to come.

        Args:
            channel: an id or a name; the id of a message means the thread that is opened from it.
            condition: of the bot's messages there, oldest first.
            whole: without a condition: so many messages.

        Raises:
            TimeoutError: with what there was to see.
        """

        def seen() -> list[Shown]:
            try:
                return self.replies(channel)
            except LookupError:
                return []

        wanted = condition or (lambda seen: len(seen) >= whole)
        try:
            return await self.until(lambda: found if (found := seen()) and wanted(found) else None, within=within)
        except TimeoutError as error:
            said = [shown.text[:80] for shown in seen()]
            raise TimeoutError(f"after {within} s the bot's messages there are {said}") from error

    async def whispered(self, user: str, count: int = 1, *, within: float = WITHIN) -> list[Shown]:
        """Wait until so many messages were shown to this person alone."""

        def look() -> list[Shown] | None:
            return seen if len(seen := self.whispers(user)) >= count else None

        return await self.until(look, within=within)

    async def received(self, route: str, count: int = 1, *, ok: bool = False, within: float = WITHIN) -> list[Call]:
        """Wait until so many calls of a route were answered (well, with *ok*)."""

        def look() -> list[Call] | None:
            calls = [call for call in self.calls_of(route) if call.outcome and (call.is_ok or not ok)]
            return calls if len(calls) >= count else None

        return await self.until(look, within=within)

    async def connected(self, count: int = 1, *, within: float = WITHIN) -> list[Socket]:
        """Wait until so many connections have a session."""
        return await self.until(lambda: self.sockets if len(self.sockets) >= count else None, within=within)

    async def delivered(self) -> None:
        """Wait until every event that was told is written to whoever is connected."""
        await self._gateway.settled()

    def _is_said_by_me(self, message: Message) -> bool:
        return message.author.id == self._world.me.id and message.type in {0, 19, 20, 23}
