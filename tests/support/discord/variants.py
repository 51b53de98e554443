"""What Discord does not document, or does one way here and another there: a test chooses which one it talks to.

The numbers in brackets are sections of the Discord reference.
"""

from dataclasses import dataclass
from typing import Literal

from tests.support.discord.permissions import INVITED, Permission


@dataclass(frozen=True, slots=True)
class Variants:
    """One possible Discord. The defaults are what the reference says, or the likelier of two."""

    nonce_window: float = 300.0  # [5.2] "some minutes": seconds a nonce is remembered, by author
    same_nonce: Literal["first message", "creates"] = "first message"  # [5.2]; else as without enforce_nonce
    deleted_nonce: Literal["10008", "creates"] = "10008"  # [5.2] the first message was deleted meanwhile

    thread_event: Literal["before", "after", "never"] = "before"  # [9.2] THREAD_CREATE and the answer that made it
    echo: Literal["before", "after"] = "before"  # [9.2] MESSAGE_CREATE of an own post, and the post's answer
    starter_message: bool = True  # [3] does a thread begin with a message of type 21?
    thread_marks_message: bool = True  # MESSAGE_UPDATE of the message a thread was opened from (flag 1<<5)
    menu_threads: bool = True  # may a thread be opened from the answer to a menu's command? From a command's it may
    trims: bool = True  # are blanks around a message's text cut off?
    mentions_in_code: bool = False  # is `<@id>` inside code a mention?

    archived_send: Literal["reopens", "50083"] = "reopens"  # [3] a post to an archived thread that is not locked
    locked_post: Literal["160005", "50083"] = "160005"  # [3, 8] a post to a locked and archived thread

    heartbeat_interval: float = 41.25  # [9.3] seconds
    resumable_for: float = 60.0  # [2.2] seconds after the connection is gone; reported, not documented
    buffer: int | None = None  # [2.2] events kept for a resume; max(100, min(3500, guilds x 75)) unless given
    most_guilds: int = 2500  # [2.4] of one connection; more need shards (4011)
    identifies_left: int = 1000  # [2.1] a day
    max_concurrency: int = 1  # [2.4]
    identify_every: float = 0.0  # [2.4] seconds between two of one group of shards; Discord's are 5
    shards: int = 1  # what GET /gateway/bot recommends


@dataclass(frozen=True, slots=True)
class Install:
    """The app: what the developer portal says about it, and how it came into the guild.

    Attributes:
        has_message_content: whether the privileged intent is switched on in the portal ([1]).
        permissions: of the role the invite link made; [1] they are the reference's.
    """

    application_id: str = "1100000000000000001"
    bot_user_id: str = "1200000000000000001"  # apps of today have one id for both; old ones do not
    bot_name: str = "Clew"
    token: str = "stand-in.discord.token"
    owner: str = "grace"
    has_message_content: bool = True
    has_members: bool = False
    has_presences: bool = False
    permissions: Permission = INVITED
