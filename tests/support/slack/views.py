"""What can be seen of the workspace, and ways to wait until it is seen."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from tests.support.slack.calls import Call
from tests.support.slack.courier import Courier
from tests.support.slack.deliveries import Ack, Delivery
from tests.support.slack.json_types import JsonObject
from tests.support.slack.mentions import Ping, Unfurl
from tests.support.slack.sockets import Socket, Sockets
from tests.support.slack.status import Status
from tests.support.slack.transcript import Button, Shown, read_buttons, show, transcript
from tests.support.slack.wire import Wire
from tests.support.slack.workspace import Workspace

T = TypeVar("T")
WITHIN = 40.0  # real seconds


class Views:
    """Reads the workspace as people and operators see it. Waiting is by events, bounded by real seconds."""

    def __init__(self, workspace: Workspace, courier: Courier, sockets: Sockets, wire: Wire) -> None:
        self._workspace, self._courier, self._sockets, self._wire = workspace, courier, sockets, wire

    # --- what a person sees ---------------------------------------------------------------------

    def transcript(self, channel: str = "general", thread_ts: str | None = None) -> list[Shown]:
        """The thread with its parent, or the channel's top level; oldest first."""
        return transcript(self._workspace, self._workspace.channel(channel).id, thread_ts)

    def replies(self, channel: str = "general", thread_ts: str | None = None) -> list[Shown]:
        """What the bot said there, oldest first; what only one person sees is not among it."""
        place = self._workspace.channel(channel)
        posts = place.thread(thread_ts) if thread_ts else list(place.top_level())
        return [show(self._workspace, post) for post in posts if post.is_own and not post.is_tombstone]

    def whispers(self, user: str, channel: str | None = None) -> list[Shown]:
        """Everything only this person was shown, in a channel or in every one; oldest first."""
        person = self._workspace.person(user).id
        channels = self._workspace.channels.values() if channel is None else [self._workspace.channel(channel)]
        posts = [post for channel in channels for post in channel.ephemerals if post.ephemeral_for == person]
        return [show(self._workspace, post) for post in sorted(posts, key=lambda post: post.ts)]

    def status(self, channel: str = "general", thread_ts: str = "") -> str | None:
        """The status line of a thread now; None when there is none."""
        return self._workspace.statuses.of(self._workspace.channel(channel).id, thread_ts)

    @property
    def statuses(self) -> list[Status]:
        """Every status that was ever set; an empty text took one away."""
        return self._workspace.statuses.history

    def home(self, user: str) -> JsonObject | None:
        """The Home tab as it was last published to this person."""
        return self._workspace.homes.get(self._workspace.person(user).id)

    def home_buttons(self, user: str) -> list[Button]:
        view = self.home(user) or {"blocks": [], "id": None}
        return read_buttons(view["blocks"], None, view["id"])

    @property
    def modals(self) -> list[JsonObject]:
        return self._workspace.modals

    @property
    def pings(self) -> list[Ping]:
        """Everybody a text of the app notified, or would have."""
        return self._workspace.pings

    @property
    def unfurls(self) -> list[Unfurl]:
        """Links of the app that Slack would have shown a preview of."""
        return self._workspace.unfurls

    # --- what the app did -----------------------------------------------------------------------

    @property
    def calls(self) -> list[Call]:
        """Every request of the app, refused and broken ones too, in the order they came."""
        return self._wire.calls

    def calls_of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    @property
    def acks(self) -> list[Ack]:
        """Every acknowledgement over a socket, accepted or not."""
        return self._sockets.acks

    @property
    def deliveries(self) -> list[Delivery]:
        """Everything that was on its way to the app, with every attempt."""
        return self._courier.deliveries

    @property
    def sockets(self) -> list[Socket]:
        """The open sockets, oldest first."""
        return self._sockets.open

    @property
    def all_sockets(self) -> list[Socket]:
        """Every socket that was ever open."""
        return self._sockets.all

    def disable_sockets(self, is_disabled: bool = True) -> None:
        """Socket Mode is switched off in the app's settings; open sockets are told by `say_disconnect`."""
        self._sockets.is_disabled = is_disabled

    def again(self, delivery: Delivery) -> Delivery:
        """Send the same event once more, with another envelope."""
        return self._courier.again(delivery)

    # --- waiting --------------------------------------------------------------------------------

    async def until(self, look: Callable[[], T | None], *, within: float = WITHIN) -> T:
        """Wait until *look* returns something truthy, and return that. Raises TimeoutError.

        It is asked after every change of the workspace and every request; when something else changed, say
        `look_again`.
        """
        async with asyncio.timeout(within):
            return await self._workspace.bell.until(look)

    def look_again(self) -> None:
        """Let everybody who waits look again: something outside the workspace has changed."""
        self._workspace.bell.ring()

    async def shown(
        self,
        channel: str = "general",
        thread_ts: str | None = None,
        condition: Callable[[list[Shown]], bool] | None = None,
        *,
        whole: int = 1,
        within: float = WITHIN,
    ) -> list[Shown]:
        """Wait for what the bot says in a thread or at a channel's top level.

        Args:
            condition: of the bot's messages there, oldest first.
            whole: without a condition: so many messages, none of them still streaming.

        Raises:
            TimeoutError: with what there was to see.
        """

        def is_there(seen: list[Shown]) -> bool:
            return len(seen) >= whole and not any(shown.is_streaming for shown in seen)

        wanted = condition or is_there

        def look() -> list[Shown] | None:
            seen = self.replies(channel, thread_ts)
            return seen if wanted(seen) else None

        try:
            return await self.until(look, within=within)
        except TimeoutError as error:
            said = [shown.text[:80] for shown in self.replies(channel, thread_ts)]
            raise TimeoutError(f"after {within} s the bot's messages there are {said}") from error

    async def whispered(self, user: str, count: int = 1, *, within: float = WITHIN) -> list[Shown]:
        """Wait until so many messages were shown to this person alone."""

        def look() -> list[Shown] | None:
            return seen if len(seen := self.whispers(user)) >= count else None

        return await self.until(look, within=within)

    async def received(self, method: str, count: int = 1, *, ok: bool = False, within: float = WITHIN) -> list[Call]:
        """Wait until so many calls of a method were answered (well, with *ok*)."""

        def look() -> list[Call] | None:
            calls = [call for call in self.calls_of(method) if call.outcome and (call.is_ok or not ok)]
            return calls if len(calls) >= count else None

        return await self.until(look, within=within)

    async def connected(self, count: int = 1, *, within: float = WITHIN) -> list[Socket]:
        """Wait until so many sockets are open."""
        return await self.until(lambda: self.sockets if len(self.sockets) >= count else None, within=within)

    async def delivered(self, *, within: float = WITHIN) -> list[Delivery]:
        """Wait until nothing is under way to the app any more."""
        await self.until(lambda: self._courier.is_idle, within=within)
        return self.deliveries
