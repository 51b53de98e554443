"""What Slack does not document, or does one way here and another there: a test chooses which Slack it talks to.

The numbers in brackets are sections of the Slack reference.
"""

from dataclasses import dataclass
from typing import Literal

# [1] what the manifest of the reference asks for
MANIFEST_SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "groups:history",
        "im:history",
        "mpim:history",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "reactions:write",
        "users:read",
    }
)
MANIFEST_EVENTS = frozenset(
    {
        "app_mention",
        "message.channels",
        "message.groups",
        "message.im",
        "message.mpim",
        "app_home_opened",
        "app_uninstalled",
        "tokens_revoked",
    }
)
ALL_KINDS = frozenset({"channel", "group", "im", "mpim"})


@dataclass(frozen=True, slots=True)
class Variants:
    """One possible Slack. The defaults are what the reference says, or the likelier of two."""

    acks_over_new_socket: bool = True  # [2, 12] is an ack accepted on another socket than its envelope's?
    same_envelope_again: bool = False  # [2] bolt-js 2487: a redelivery under the same envelope id, with attempt 0
    retries: tuple[float, ...] = (0.0, 60.0, 300.0)  # [2] seconds before each retry: at once, 1 min, 5 min
    ack_within: float = 3.0  # [2] seconds
    first_attempt_is_named: bool = True  # [2] first deliveries over a socket carry retry_attempt 0

    stream_life: float = 300.0  # [5] seconds from the start, however busy
    stream_total: int | None = None  # [12] characters of one streamed message; unknown
    streams_in: frozenset[str] = ALL_KINDS  # [12] mpim is unconfirmed; elsewhere channel_type_not_supported
    empty_chunks_on_stop: bool = True  # [12] the SDK's helper sends chunks=[]

    client_msg_id_dedups: bool = False  # [5, 12] a second post with the same client_msg_id answers the first one
    markdown_blocks_together: bool = True  # [5] 12,000 for all markdown blocks; a third party measured it per block
    metadata_too_large: Literal["warning", "error"] = "warning"  # [5] posted without it, says the third party
    keeps_markdown_blocks: bool = True  # [5] Slack expands them into others; are they read back as they were sent?
    keeps_text_of_markdown: bool = True  # is the text of a markdown message in `text` when it is read back?
    edit_window: float | None = None  # seconds after which chat.update answers edit_window_closed
    reply_to_deleted: Literal["thread_not_found", "accepted"] = "thread_not_found"
    tombstone_told_as: Literal["message_changed", "message_deleted"] = "message_changed"  # [3]

    parent_on_every_page: bool = True  # the parent heads every page of conversations.replies, whatever `oldest` says
    mentions_from_outside: bool = False  # [3] app_mention from channels the bot is not in
    edits_mention: bool = False  # does an edit that adds a mention make an app_mention, beside message_changed?
    echoes: bool = True  # [3] own posts and edits come back as events

    share_after: float = 0.2  # [6] seconds until an uploaded file is shared; asynchronous
    login_page: Literal["html", "redirect"] = "html"  # [6] how a download without files:read is refused
    names_scopes: bool = True  # x-oauth-scopes on answers
    rate_error: Literal["ratelimited", "rate_limited"] = "ratelimited"  # [7]
    no_socket_reason: str = "timeout"  # retry_reason after a delivery that found no socket


@dataclass(frozen=True, slots=True)
class Install:
    """How the app is installed, and what it may do and hear."""

    scopes: frozenset[str] = MANIFEST_SCOPES
    events: frozenset[str] = MANIFEST_EVENTS
    team_id: str = "T0CLEWTEAM"
    enterprise_id: str | None = None
    is_enterprise_install: bool = False
    app_id: str = "A0CLEWAPP1"
    bot_id: str = "B0CLEWBOT1"
    bot_user_id: str = "U0CLEWBOT1"
    bot_name: str = "clew"
    bot_token: str = "xoxb-100-200-stand-in"
    app_token: str = "xapp-1-A0CLEWAPP1-300-stand-in"
