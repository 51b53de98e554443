"""Channels of every kind, threads among them, and the messages in them."""

from dataclasses import dataclass, field
from enum import IntEnum

from tests.support.discord.messages import Message
from tests.support.discord.permissions import Overwrite


class Kind(IntEnum):
    """What a channel is."""

    TEXT = 0
    DM = 1
    VOICE = 2
    CATEGORY = 4
    ANNOUNCEMENT = 5
    ANNOUNCEMENT_THREAD = 10
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    STAGE = 13
    FORUM = 15
    MEDIA = 16


THREADS = frozenset({Kind.ANNOUNCEMENT_THREAD, Kind.PUBLIC_THREAD, Kind.PRIVATE_THREAD})
POSTS = frozenset({Kind.FORUM, Kind.MEDIA})  # hold posts, which are threads, and no messages of their own
VOICES = frozenset({Kind.VOICE, Kind.STAGE})
WRITABLE = frozenset({*THREADS, *VOICES, Kind.TEXT, Kind.DM, Kind.ANNOUNCEMENT})
# [3] what a thread that is opened from a message is, by where the message stands
FROM_MESSAGE = {Kind.TEXT: Kind.PUBLIC_THREAD, Kind.ANNOUNCEMENT: Kind.ANNOUNCEMENT_THREAD}


@dataclass(slots=True, eq=False)
class Threadhood:
    """What a thread is more than a channel.

    Attributes:
        archived_at: when it was last archived or opened.
        starter_id: the message it was opened from; its own id is the same.
    """

    owner_id: str
    archived_at: float
    auto_archive_minutes: int = 4320
    is_archived: bool = False
    is_locked: bool = False
    is_invitable: bool = True
    starter_id: str | None = None
    member_ids: set[str] = field(default_factory=set)
    tag_ids: list[str] = field(default_factory=list)
    total_messages: int = 0


@dataclass(slots=True, eq=False)
class Channel:
    """A channel of a guild, a thread in one, or a direct line between two.

    Attributes:
        guild_id: None for a DM.
        messages: by id, oldest first.
        ephemerals: messages one person sees; they are not in `messages`, and no history brings them.
        last_message_id: of the last message that was ever there, deleted or not.
    """

    id: str
    kind: Kind
    name: str
    guild_id: str | None = None
    parent_id: str | None = None
    position: int = 0
    topic: str | None = None
    overwrites: list[Overwrite] = field(default_factory=list)
    recipient_ids: list[str] = field(default_factory=list)  # of a DM: who beside the bot
    thread: Threadhood | None = None
    needs_tag: bool = False  # of a forum: a post must carry a tag
    tags: dict[str, str] = field(default_factory=dict)  # of a forum: id -> name
    messages: dict[str, Message] = field(default_factory=dict)
    ephemerals: list[Message] = field(default_factory=list)
    last_message_id: str | None = None

    @property
    def is_dm(self) -> bool:
        return self.kind == Kind.DM

    @property
    def is_thread(self) -> bool:
        return self.thread is not None
