"""conversations.*: reading threads and channels back, and finding them."""

import base64
from collections.abc import Sequence
from typing import TypeVar

from tests.support.slack.access import Access
from tests.support.slack.calls import Call
from tests.support.slack.channels import READ_SCOPES, Channel
from tests.support.slack.json_types import JsonObject
from tests.support.slack.posts import Post
from tests.support.slack.refusal import Refused
from tests.support.slack.workspace import Workspace

T = TypeVar("T")


class Conversations:
    """The reads of conversations, page by page."""

    def __init__(self, workspace: Workspace, access: Access) -> None:
        self._workspace, self._access = workspace, access
        self.methods = {
            "conversations.replies": self.replies,
            "conversations.history": self.history,
            "conversations.info": self.info,
            "conversations.list": self.list_all,
            "conversations.members": self.members,
            "conversations.open": self.open,
            "conversations.join": self.join,
            "users.conversations": self.of_user,
        }

    def replies(self, call: Call) -> JsonObject:
        channel = self._access.readable(call)
        ts = call.text("ts") or ""
        post = channel.posts.get(ts)
        if post is None:
            raise Refused("thread_not_found")
        if post.is_reply:  # its page: without replies, just the single message is returned
            return {"messages": [self._told(call, post)], "has_more": False}
        root, *rest = channel.thread(ts)
        wanted = [reply for reply in rest if _is_between(call, reply.ts)]
        page, cursor = _page(call, wanted, most=1000, usual=1000)
        is_first = call.text("cursor") is None
        heads = [root] if is_first or self._workspace.variants.parent_on_every_page else []
        return _paged({"messages": [self._told(call, post) for post in [*heads, *page]]}, cursor)

    def history(self, call: Call) -> JsonObject:
        channel = self._access.readable(call)
        wanted = [post for post in reversed(list(channel.top_level())) if _is_between(call, post.ts)]
        page, cursor = _page(call, wanted, most=999)
        told = [self._told(call, post) for post in page]
        return _paged({"messages": told, "pin_count": 0}, cursor)

    def info(self, call: Call) -> JsonObject:
        return {"channel": self._access.described(call).as_json(self._workspace.install)}

    def list_all(self, call: Call) -> JsonObject:
        return self._listed(call, self._kinds(call))

    def of_user(self, call: Call) -> JsonObject:
        person = call.text("user") or self._workspace.install.bot_user_id
        return self._listed(call, [channel for channel in self._kinds(call) if person in channel.members])

    def members(self, call: Call) -> JsonObject:
        channel = self._access.described(call)
        page, cursor = _page(call, sorted(channel.members), most=1000)
        return _paged({"members": page}, cursor)

    def open(self, call: Call) -> JsonObject:
        workspace = self._workspace
        if (said := call.text("channel")) is not None:
            channel = workspace.channels.get(said)
            if channel is None or channel.kind not in {"im", "mpim"}:
                raise Refused("channel_not_found")
            return {"channel": channel.as_json(workspace.install)}
        users = (call.text("users") or "").split(",")
        if any(user not in workspace.people for user in users):
            raise Refused("user_not_found")
        people = [workspace.people[user] for user in users]
        if len(people) == 1:
            self._access.need("im:write")
            opened = workspace.direct(people[0])
        else:
            self._access.need("mpim:write")
            name = "mpdm-" + "-".join(sorted(person.name for person in people))
            opened = workspace.open_channel(name, "mpim", {*users, workspace.install.bot_user_id})
        return {"channel": {"id": opened.id, **(opened.as_json(workspace.install) if call.flag("return_im") else {})}}

    def join(self, call: Call) -> JsonObject:
        channel = self._access.channel(call)
        if channel.kind != "channel":
            raise Refused("method_not_supported_for_channel_type")
        if channel.is_archived:
            raise Refused("is_archived")
        channel.members.add(self._workspace.install.bot_user_id)
        return {"channel": channel.as_json(self._workspace.install)}

    def _kinds(self, call: Call) -> list[Channel]:
        names = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
        asked = (call.text("types") or "public_channel").split(",")
        if not set(asked) <= names.keys():
            raise Refused("invalid_types")
        kinds = [names[kind] for kind in asked]
        for kind in kinds:  # every type asked for needs its own scope
            self._access.need(READ_SCOPES[kind])
        channels = [c for c in self._workspace.channels.values() if c.kind in kinds and self._access.can_see(c)]
        return [c for c in channels if not (call.flag("exclude_archived") and c.is_archived)]

    def _listed(self, call: Call, channels: Sequence[Channel]) -> JsonObject:
        page, cursor = _page(call, channels, most=1000)
        return _paged({"channels": [channel.as_json(self._workspace.install) for channel in page]}, cursor)

    def _told(self, call: Call, post: Post) -> JsonObject:
        # [11] metadata is returned only with include_all_metadata
        return self._workspace.told(post, metadata=call.flag("include_all_metadata"))


def _is_between(call: Call, ts: str) -> bool:
    """Whether a message is in the time the call asks for; the ends count only with `inclusive`."""
    oldest, latest, is_inclusive = call.text("oldest"), call.text("latest"), call.flag("inclusive")
    at = float(ts)  # compared only; ids stay text
    if oldest is not None and not (at > float(oldest) or (is_inclusive and at == float(oldest))):
        return False
    return latest is None or at < float(latest) or (is_inclusive and at == float(latest))


def _page(call: Call, everything: Sequence[T], *, most: int, usual: int = 100) -> tuple[Sequence[T], str]:
    """One page and the cursor of the next one; an empty cursor is the end."""
    limit = int(call.args.get("limit") or usual)
    if not 1 <= limit <= most:
        raise Refused("invalid_limit")
    start = 0
    if (cursor := call.text("cursor")) is not None:
        try:
            start = int(base64.b64decode(cursor).decode().removeprefix("from:"))
        except ValueError as error:
            raise Refused("invalid_cursor") from error
    end = start + limit
    return everything[start:end], base64.b64encode(f"from:{end}".encode()).decode() if end < len(everything) else ""


def _paged(body: JsonObject, cursor: str) -> JsonObject:
    if "messages" in body:
        body["has_more"] = bool(cursor)
    return body | {"response_metadata": {"next_cursor": cursor}}
