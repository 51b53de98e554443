"""Conversations of every kind, and the posts in them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from tests.support.slack.json_types import JsonObject
from tests.support.slack.posts import Post
from tests.support.slack.variants import Install

ChannelKind = Literal["channel", "group", "im", "mpim"]
HISTORY_SCOPES = {"channel": "channels:history", "group": "groups:history", "im": "im:history", "mpim": "mpim:history"}
READ_SCOPES = {"channel": "channels:read", "group": "groups:read", "im": "im:read", "mpim": "mpim:read"}
EVENT_NAMES = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}


@dataclass(slots=True, eq=False)
class Channel:
    """A public channel, a private one (`group`), a direct message or a group of them."""

    id: str
    name: str
    kind: ChannelKind
    members: set[str]
    created: int
    is_archived: bool = False
    is_ext_shared: bool = False  # Slack Connect
    is_read_only: bool = False  # only admins may post
    posts: dict[str, Post] = field(default_factory=dict)
    ephemerals: list[Post] = field(default_factory=list)
    last_micros: int = 0

    @property
    def is_direct(self) -> bool:
        return self.kind == "im"

    def add(self, post: Post) -> None:
        if post.ephemeral_for is not None:
            self.ephemerals.append(post)
            return
        self.posts[post.ts] = post
        if post.is_reply and (root := self.posts.get(post.root_ts)) is not None:
            root.replies.append(post)

    def remove(self, post: Post) -> None:
        """Forget a deleted post; a parent that still has replies stays as a tombstone ([3])."""
        if post.replies:
            post.is_tombstone = True
            return
        del self.posts[post.ts]
        if post.is_reply and (root := self.posts.get(post.root_ts)) is not None:
            root.replies.remove(post)
            if root.is_tombstone and not root.replies:
                del self.posts[root.ts]

    def thread(self, root_ts: str) -> list[Post]:
        """The parent and its replies, oldest first; only these when the parent is gone."""
        root = self.posts.get(root_ts)
        if root is None:
            return [post for post in self.posts.values() if post.thread_ts == root_ts]
        return [root, *root.replies]

    def top_level(self) -> Iterator[Post]:
        """What stands in the channel itself, oldest first."""
        return (post for post in self.posts.values() if post.is_top_level)

    def as_json(self, install: Install) -> JsonObject:
        told: JsonObject = {
            "id": self.id,
            "created": self.created,
            "is_archived": self.is_archived,
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "group",
            "is_im": self.kind == "im",
            "is_mpim": self.kind == "mpim",
            "is_private": self.kind != "channel",
            "is_shared": self.is_ext_shared,
            "is_ext_shared": self.is_ext_shared,
            "is_org_shared": False,
            "is_member": install.bot_user_id in self.members,
            "context_team_id": install.team_id,
        }
        if self.is_direct:
            other = next((m for m in sorted(self.members) if m != install.bot_user_id), install.bot_user_id)
            return told | {"user": other, "is_open": True}
        return told | {"name": self.name, "name_normalized": self.name, "num_members": len(self.members)}
