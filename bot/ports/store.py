"""What the core and the adapters need of a database."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.exchanges import Exchange
from bot.messages import InteractionId, Message, MessageId, Part, Platform, Refusal, Thread, Turn, TurnId, Usage
from bot.ports.approvals import ApprovalStore
from bot.ports.books import BookStore
from bot.ports.catching_up import CatchUpStore, PlacingStore
from bot.ports.chains import ChainStore
from bot.ports.forgetting import ForgettingStore
from bot.ports.runs import RunStore
from bot.ports.uploads import UploadStore


@dataclass(frozen=True, slots=True)
class Claim:
    """A turn taken to be answered, and how many were taken before it today (UTC)."""

    turn: Turn
    today_by_asker: int
    today_in_all: int


class Retried(StrEnum):
    """What became of a wish to have the last turn answered again."""

    QUEUED = "queued"
    NOTHING = "nothing"  # no turn has ended since the last reset
    BUSY = "busy"  # a turn is waiting or being answered
    LATE = "late"  # the last turn was asked for after this was wished
    REPEATED = "repeated"  # this very command was carried out before


@dataclass(frozen=True, slots=True)
class ThreadNote:
    """What decides whether the bot follows a thread unasked."""

    is_known: bool  # the bot was addressed in it before
    is_ours: bool  # it hangs from a message addressed to the bot
    is_quiet: bool  # somebody asked the bot to wait for mentions here
    since: float | None = None  # when the first message to the bot was sent there, in seconds since the epoch


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A command that was carried out, and nobody was told yet."""

    thread: Thread
    command: MessageId
    words: str


@dataclass(frozen=True, slots=True)
class ThreadSummary:
    """A line in a list of threads."""

    thread: Thread
    title: str
    updated_at: float  # seconds since the epoch
    is_open: bool  # a turn is waiting or being answered


class MessageStore(Protocol):
    """What the inbox needs: messages kept before they are acknowledged, each of them once."""

    async def add(self, message: Message, *, refusal: Refusal | None = None) -> bool:
        """Store a message in the turn it belongs to; False when its id is known in the thread already.

        The turns that wait stand in the order of `sent_at`, what was said at the same moment as it was told: a message
        that is told late is put among them, and never before a turn that was taken, or is to be answered again. It
        joins the turn it falls within, or stands beside, when that is of the same person and the same refusal; else it
        begins a turn, and one that it falls within goes on after it as another. Nothing said later joins a turn that a
        command came after.

        A refused message is stored without its text and attachments.
        """
        ...

    async def note(self, thread: Thread) -> ThreadNote:
        """What is known of a thread, for deciding whether a message in it is meant for the bot."""
        ...

    async def overhear(self, message: Message) -> None:
        """Note, in a thread that is known, that something was said to others: its id, and nothing of it.

        A message overheard before may still be added, when it turns out to be meant for the bot.
        """
        ...

    async def knows(self, thread: Thread, message: MessageId) -> bool:
        """Whether a message's id is known in the thread, be it answered, overheard, withdrawn or a command."""
        ...

    async def edit(self, thread: Thread, message: MessageId, text: str) -> bool:
        """Replace a waiting message's text; False when its turn was taken already or it is unknown."""
        ...

    async def withdraw(self, thread: Thread, message: MessageId) -> bool:
        """Take a waiting message back, and its turn when that leaves none; False as with `edit`.

        The id stays known, so that a late redelivery of the message is not taken for a new one; in a thread that is
        known also that of a message whose deletion came first.
        """
        ...


class TurnStore(Protocol):
    """What answering needs. Every write is one transaction and durable when it returns."""

    async def waiting(self) -> Sequence[Thread]:
        """The threads with a queued turn, the longest waiting first."""
        ...

    async def running(self) -> Sequence[Turn]:
        """The turns that were being answered when an earlier process ended, oldest first."""
        ...

    async def claim(self, thread: Thread) -> Claim | None:
        """Take the thread's oldest queued turn, unless one is running: it is running from here on.

        The turn's `previous` is where the thread stands now, and `asks` is 1.
        A turn whose asker is refused is not counted among the day's turns.
        """
        ...

    async def uncount(self, turn: Turn) -> None:
        """Leave a claimed turn out of the day's count, because a cap kept it from being asked."""
        ...

    async def asking(self, turn: Turn, *, after: InteractionId | None) -> None:
        """Note that the model is asked again, and from where. Raises StaleTurn."""
        ...

    async def created(self, turn: Turn, interaction: InteractionId) -> None:
        """Note the interaction that is answering the turn; that it exists is noted even for a stale one.

        Raises:
            StaleTurn: the turn is not the running one of its thread's epoch.
        """
        ...

    async def shown(self, turn: Turn, part: Part) -> None:
        """Note what a part of the reply shows, and where.

        Raises:
            StaleTurn: the thread was reset since, and the turn is not being stopped.
        """
        ...

    async def answered(
        self,
        turn: Turn,
        *,
        interaction: InteractionId,
        usage: Usage,
        model: str,
        told: Set[MessageId] = frozenset(),
        exchange: Exchange | None = None,
    ) -> None:
        """End the turn with its answer, and let the thread stand on it. Raises StaleTurn.

        *told* are the overheard messages that the model has heard of with this turn. *exchange* is kept when Gemini
        keeps nothing; without one, none of the thread's is kept any longer.
        """
        ...

    async def exchanges(self, turn: Turn) -> Sequence[Exchange]:
        """The kept exchanges that lead up to where the turn goes on from, as far as there is room, oldest first.

        None when the one it goes on from is not kept.
        """
        ...

    async def is_at_gemini(self, turn: Turn) -> bool:
        """Whether the interaction the turn goes on from is one that Gemini was let to keep."""
        ...

    async def failed(self, turn: Turn, *, notice: str, tell: bool) -> None:
        """End the turn with a notice; *tell* its question to the next turn. Raises StaleTurn."""
        ...

    async def stopped(self, turn: Turn) -> None:
        """End the turn as stopped. Where the thread stands does not change."""
        ...

    async def refuse(self, turn: Turn, refusal: Refusal) -> bool:
        """Note that the policy refuses a turn after all; False when its asker was told so once before.

        Its messages are blanked and it counts for nothing. Raises StaleTurn.
        """
        ...

    async def never_told(self, thread: Thread) -> Set[MessageId]:
        """The messages of a thread that the model must not hear of: what was blocked or refused, commands, notices."""
        ...

    async def untold(self, turn: Turn) -> Sequence[Turn]:
        """The stopped and failed turns before this one that no answered turn has heard of, oldest first."""
        ...

    async def turn(self, turn: Turn) -> Turn | None:
        """A turn as it stands now."""
        ...


class ControlStore(Protocol):
    """What the commands need. The message that carried a command makes it happen once.

    One that is told late does nothing to a turn that was asked for after *sent_at* (seconds since the epoch).
    """

    async def stop(
        self, thread: Thread, command: MessageId, *, turn: TurnId | None = None, sent_at: float | None = None
    ) -> Turn | None:
        """Mark the running turn as to be stopped and return it; None when there is none.

        The same command again marks nothing, and returns the turn that is still being stopped or was stopped since.

        With *turn* only that one is meant.
        """
        ...

    async def reset(self, thread: Thread, command: MessageId) -> bool:
        """Raise the thread's epoch, so that it stands on nothing; False when carried out before.

        The running turn is marked as to be stopped, the queued ones move to the new epoch,
        and the text kept of older epochs is blanked.
        """
        ...

    async def quieten(self, thread: Thread, command: MessageId) -> bool:
        """Let the bot wait for mentions in a thread from now on; False when carried out before."""
        ...

    async def confirming(self, thread: Thread, command: MessageId, words: str) -> bool:
        """Note what is to be said about a command, before it is said; False when that was noted before."""
        ...

    async def confirmed(self, thread: Thread, command: MessageId) -> None:
        """Note that it was said."""
        ...

    async def unconfirmed(self, platform: Platform) -> Sequence[Unconfirmed]:
        """What is still to be said about commands."""
        ...

    async def retry(
        self, thread: Thread, command: MessageId, *, turn: TurnId | None = None, sent_at: float | None = None
    ) -> Retried:
        """Queue the messages of the last ended turn that was not refused again, in its place.

        With *turn* only that one is meant.

        The old turn is superseded, the new one takes over its messages and parts, less what is kept of their text, and
        the thread stands where the old one began.
        """
        ...


class TranscriptStore(Protocol):
    """What a platform needs that keeps its threads here and nowhere else."""

    async def threads(self, platform: Platform) -> Sequence[ThreadSummary]:
        """The platform's threads of late, the latest first. The title is the first question's beginning."""
        ...

    async def transcript(self, thread: Thread) -> Sequence[Turn]:
        """Every turn of the thread's epoch that was not superseded, in order, with its parts."""
        ...


class Store(
    MessageStore, TurnStore, ControlStore, TranscriptStore, CatchUpStore, PlacingStore, BookStore, UploadStore, Protocol
):
    """Where threads and turns stand."""

    @property
    def forgetting(self) -> ForgettingStore: ...

    @property
    def chains(self) -> ChainStore: ...

    @property
    def runs(self) -> RunStore: ...

    @property
    def approvals(self) -> ApprovalStore: ...

    async def check(self) -> None:
        """Commit something small. Raises StoreUnavailable when that fails."""
        ...
