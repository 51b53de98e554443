"""What the adapters need of a database where something came late, or has no place yet."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from bot.messages import MessageId, Platform, Thread


@dataclass(frozen=True, slots=True)
class Parcel:
    """Something a platform handed over that has no thread yet: a command, say, whose answer will begin one."""

    platform: Platform
    id: str  # the platform's own
    content: str  # the adapter's own business
    until: float  # seconds since the epoch, when it will be of no more use, nor come again


@dataclass(frozen=True, slots=True)
class Place:
    """A channel in which the bot has been addressed, and how far it was heard there."""

    platform: Platform
    installation_id: str
    channel_id: str
    newest: MessageId  # the newest message known there
    heard_at: float  # what was sent there until then is known, in seconds since the epoch


class CatchUpStore(Protocol):
    """What an adapter needs to look for what it was not told."""

    async def places(self, platform: Platform) -> Sequence[Place]:
        """The channels in which something was ever stored, the most recently heard first, and how far each was heard.

        Where nothing but commands was given, that is as far as the first of them came.

        That is noted, and told again the same until `caught_up`: what arrives meanwhile does not hide a gap behind it.
        A channel in which the bot is addressed only meanwhile was heard as far as any other of its installation.
        """
        ...

    async def caught_up(self, platform: Platform) -> None:
        """Note that everything before what was heard last has been looked through."""
        ...

    async def lagging(self) -> Set[Platform]:
        """The platforms for which `places` was told and `caught_up` was not since, be it by a process that died."""
        ...

    async def active(self, platform: Platform, *, since: float) -> Sequence[Thread]:
        """The threads in which a turn was stored or ended after *since* (seconds since the epoch), newest first.

        Those that were forgotten since come last.
        """
        ...


class PlacingStore(Protocol):
    """What an adapter needs where a message does not say which thread it belongs to."""

    async def take_in(self, parcel: Parcel) -> bool:
        """Keep something until it is `placed`; False when its id is known."""
        ...

    async def parcels(self, platform: Platform) -> Sequence[Parcel]:
        """What was taken in and not placed, what is of use the shortest time first."""
        ...

    async def placed(self, parcel: Parcel) -> None:
        """Note that it came into a thread, or to nothing: its content is blanked."""
        ...

    async def thread_of(self, platform: Platform, message: MessageId) -> Thread | None:
        """The thread a message was said in, by the bot or to it; for platforms whose ids are unique everywhere."""
        ...
