"""Messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from tests.support.discord.files import File
from tests.support.discord.json_types import JsonObject
from tests.support.discord.users import User


class MessageType(IntEnum):
    """What a message is; only the first and `REPLY` are what somebody typed ([3])."""

    DEFAULT = 0
    CALL = 3
    PINNED = 6
    JOINED = 7
    THREAD_CREATED = 18
    REPLY = 19
    CHAT_INPUT_COMMAND = 20
    THREAD_STARTER = 21
    CONTEXT_MENU_COMMAND = 23
    POLL_RESULT = 46


class Flag(IntFlag):
    """Of a message."""

    CROSSPOSTED = 1 << 0
    SUPPRESS_EMBEDS = 1 << 2
    HAS_THREAD = 1 << 5
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    IS_VOICE_MESSAGE = 1 << 13
    HAS_SNAPSHOT = 1 << 14
    IS_COMPONENTS_V2 = 1 << 15


NO_FLAGS = Flag(0)


@dataclass(frozen=True, slots=True)
class Reference:
    """Another message that a message is about.

    Attributes:
        kind: 0 for a reply, a pin or the start of a thread; 1 for a forward, which carries a snapshot.
    """

    channel_id: str
    message_id: str | None
    guild_id: str | None
    kind: int = 0

    def as_json(self) -> JsonObject:
        told = {"type": self.kind, "channel_id": self.channel_id}
        more = {"message_id": self.message_id, "guild_id": self.guild_id}
        return told | {name: value for name, value in more.items() if value is not None}


@dataclass(slots=True, eq=False)
class Message:
    """One message.

    Attributes:
        author: a webhook's message has its own author: id, name and avatar are the message's.
        mention_ids: users it mentions, by its text and as a reply; what its allowed mentions leave of them.
        edited_at: when somebody edited it; previews and threads that appear are no edits ([3]).
        edits: how many times it was edited.
        ephemeral_for: the only one who sees it.
        more: further fields of its JSON, for instance ``interaction_metadata``.
    """

    id: str
    channel_id: str
    guild_id: str | None
    author: User
    content: str
    at: float
    type: MessageType = MessageType.DEFAULT
    flags: Flag = NO_FLAGS
    attachments: list[File] = field(default_factory=list)
    embeds: list[JsonObject] = field(default_factory=list)
    components: list[JsonObject] = field(default_factory=list)
    mention_ids: list[str] = field(default_factory=list)
    mention_role_ids: list[str] = field(default_factory=list)
    mentions_everyone: bool = False
    reference: Reference | None = None
    snapshots: list[JsonObject] = field(default_factory=list)
    stickers: list[JsonObject] = field(default_factory=list)
    poll: JsonObject | None = None
    nonce: str | int | None = None
    webhook_id: str | None = None
    application_id: str | None = None
    is_tts: bool = False
    is_pinned: bool = False
    edited_at: float | None = None
    edits: int = 0
    reactions: dict[str, list[str]] = field(default_factory=dict)  # emoji -> ids of users
    ephemeral_for: str | None = None
    more: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_ephemeral(self) -> bool:
        return self.ephemeral_for is not None
