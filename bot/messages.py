"""The values everything else speaks of: threads, messages, turns and what a reply put where.

All of them are frozen: they compare, hash, print well and cross tasks without a lock.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

Platform = NewType("Platform", str)
"""The name of a platform's folder in ``adapters``: ``slack``, ``discord``, ``web``."""

PersonId = NewType("PersonId", str)
MessageId = NewType("MessageId", str)
"""A message, spelled as its platform spells it; unique within its thread."""

AttachmentId = NewType("AttachmentId", str)
TurnId = NewType("TurnId", str)
InteractionId = NewType("InteractionId", str)
"""One exchange as Gemini stores it; opaque and of any length."""


@dataclass(frozen=True, slots=True)
class Thread:
    """One conversation: a reply chain in a channel of a platform.

    Ids stay text, spelled as the platform spells them. A Slack ``thread_ts`` read
    as a float loses its last digits and then names a different thread.

    Raises:
        ValueError: an id is empty or holds a colon, which the key is joined with.
    """

    platform: Platform
    installation_id: str
    channel_id: str
    thread_id: str

    def __post_init__(self) -> None:
        for part in (self.platform, self.installation_id, self.channel_id, self.thread_id):
            if not part or ":" in part:
                raise ValueError(f"a thread's ids are never empty and hold no colon: {part!r}")

    @property
    def key(self) -> str:
        """The one name of this thread, in the store and in every log line."""
        return f"{self.platform}:{self.installation_id}:{self.channel_id}:{self.thread_id}"

    @classmethod
    def from_key(cls, key: str) -> "Thread":
        """Read back what `key` wrote."""
        platform, installation_id, channel_id, thread_id = key.split(":")
        return cls(Platform(platform), installation_id, channel_id, thread_id)


class Standing(StrEnum):
    """What somebody is to the installation that the bot serves."""

    MEMBER = "member"
    GUEST = "guest"
    OUTSIDER = "outsider"  # of another organisation, in a shared channel


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes in a thread; name and standing are None while they are not known."""

    id: PersonId
    name: str | None = None
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message, or that the model made for a reply.

    Name, type and size are what the platform or the sender claims; the bytes decide.
    """

    id: AttachmentId
    name: str
    mime_type: str | None = None
    size: int | None = None  # bytes
    alt: str | None = None  # what it is of, for those who cannot see it; of what the model made


class Refusal(StrEnum):
    """Why the policy keeps a message from being read at all."""

    INSTALLATION = "installation"
    CHANNEL = "channel"
    PERSON = "person"
    GUEST = "guest"
    OUTSIDER = "outsider"


class Address(StrEnum):
    """Whom a message is meant for, as far as it says so itself."""

    DIRECT = "direct"  # said where nobody but the bot listens: a direct message, the page
    MENTION = "mention"  # names the bot
    OPEN = "open"  # names nobody
    OTHERS = "others"  # names somebody else, and not the bot


@dataclass(frozen=True, slots=True)
class Message:
    """What one person sent, as its platform handed it over.

    The text is None when it was never kept (a refused message) or has been blanked since.
    """

    thread: Thread
    id: MessageId
    author: Person
    text: str | None
    sent_at: float  # seconds since the epoch
    attachments: tuple[Attachment, ...] = ()
    address: Address = Address.DIRECT
    is_root: bool = False  # its thread hangs from it: nothing was said there before


@dataclass(frozen=True, slots=True)
class Part:
    """One message of a reply: where it stands and what it shows.

    The store keeps the text and the attachments only for platforms that keep no history of their own.
    """

    number: int  # 0 is the first
    message_id: MessageId
    digest: str  # of what the message shows, to tell whether it must be edited
    text: str | None = None
    attachments: tuple[Attachment, ...] = ()


class TurnState(StrEnum):
    """Where a turn stands. The first two are open, the others are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    ANSWERED = "answered"
    FAILED = "failed"
    STOPPED = "stopped"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost, in tokens as Gemini counts them, and in queries to Google Search."""

    input_tokens: int = 0
    output_tokens: int = 0
    thought_tokens: int = 0
    cached_tokens: int = 0
    tool_tokens: int = 0
    total_tokens: int = 0
    searches: int = 0
    held_tokens: int | None = field(default=None, compare=False)  # see `chain_tokens`

    @property
    def chain_tokens(self) -> int:
        """What the chain holds after it: of an answer in several rounds, what went into the last and came out of it."""
        return self.input_tokens + self.output_tokens if self.held_tokens is None else self.held_tokens

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.thought_tokens + other.thought_tokens,
            self.cached_tokens + other.cached_tokens,
            self.tool_tokens + other.tool_tokens,
            self.total_tokens + other.total_tokens,
            self.searches + other.searches,
            held_tokens=other.chain_tokens
            or self.chain_tokens,  # each goes on from the one before it, all of which it takes in again
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """The messages that are answered together, and how far their answer has come."""

    id: TurnId
    thread: Thread
    epoch: int  # the thread's, when the turn was queued or the thread last reset
    state: TurnState
    messages: tuple[Message, ...]  # of one person, oldest first, never empty
    created_at: float  # seconds since the epoch
    previous: InteractionId | None = None  # where the thread stood when the turn was taken
    interaction: InteractionId | None = None  # the newest one created for it
    asks: int = 0  # how often the model was asked, or was about to be
    parts: tuple[Part, ...] = ()  # what stands in the thread already
    stopping: bool = False  # somebody pressed stop
    refusal: Refusal | None = None
    notice: str | None = None  # what the thread was told instead of an answer
    tell: bool = False  # it ended without an answer, and its question is told to the next turn
    summary: InteractionId | None = None  # sums up what was said before: asked after that, and not after `previous`
    ended_at: float | None = None  # seconds since the epoch
    since: float | None = None  # when its thread was last reset, in seconds since the epoch: older things are forgotten
    agent: str | None = None  # that researches for it, or was about to
    begun_at: float | None = None  # when its interaction was begun in the background, in seconds since the epoch
    overheard: frozenset[MessageId] = frozenset()  # said in the thread, to others, and not yet told to the model

    @property
    def fields(self) -> dict[str, str]:
        """What a log line about this turn carries."""
        return {"turn": self.id, "thread_key": self.thread.key}

    @property
    def asker(self) -> Person:
        """The person whose messages these are."""
        return self.messages[0].author


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a thread's past, read back from its platform.

    The author is None for what the bot itself said.
    """

    message_id: MessageId
    author: Person | None
    text: str
    attachments: tuple[Attachment, ...] = ()
    follows_more: bool = False  # than was read: the thread is longer
