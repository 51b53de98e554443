"""chat.* but for streams: section 5 of the reference."""

from tests.support.slack.access import Access
from tests.support.slack.calls import Call
from tests.support.slack.channels import Channel
from tests.support.slack.contents import (
    UPDATE_TEXT,
    Content,
    notice_pings,
    notice_unfurls,
    read_content,
)
from tests.support.slack.json_types import JsonObject
from tests.support.slack.posts import Post
from tests.support.slack.refusal import Refused
from tests.support.slack.workspace import Workspace


class Chat:
    """Posting, editing and deleting."""

    def __init__(self, workspace: Workspace, access: Access) -> None:
        self._workspace, self._access = workspace, access
        self.methods = {
            "chat.postMessage": self.post_message,
            "chat.postEphemeral": self.post_ephemeral,
            "chat.update": self.update,
            "chat.delete": self.delete,
            "chat.getPermalink": self.get_permalink,
        }

    def post_message(self, call: Call) -> JsonObject:
        workspace = self._workspace
        channel = self._access.writable(call)
        content = read_content(call, workspace)
        if content.is_empty:
            raise Refused("no_text")
        thread_ts = self._thread(call, channel)
        again = self._twin(call, channel)
        if again is None:
            again = self._new(channel, content, thread_ts=thread_ts)
            again.client_msg_id = call.text("client_msg_id")
            again.subtype = "thread_broadcast" if thread_ts and call.flag("reply_broadcast") else None
            again.username = call.text("username")
            workspace.post(again)
            notice_pings(workspace, again, call)
            notice_unfurls(workspace, again, call)
        told = workspace.told(again, metadata=True)
        return content.answered({"channel": channel.id, "ts": again.ts, "message": told})

    def post_ephemeral(self, call: Call) -> JsonObject:
        workspace = self._workspace
        channel = self._access.writable(call)
        content = read_content(call, workspace)
        if content.is_empty:
            raise Refused("no_text")
        person = call.text("user")
        if person not in channel.members:
            raise Refused("user_not_in_channel")
        post = self._new(channel, content, thread_ts=self._thread(call, channel))
        post.ephemeral_for = person
        workspace.post(post)
        notice_pings(workspace, post, call)
        return {"message_ts": post.ts}

    def update(self, call: Call) -> JsonObject:
        workspace = self._workspace
        channel = self._access.channel(call)
        post = self.own_post(call, channel, otherwise="cant_update_message")
        content = read_content(call, workspace, longest_text=UPDATE_TEXT)
        now = workspace.clock.now()
        if post.stream is not None and post.stream.is_live(now):  # [5] listed on the chat.update page
            raise Refused("streaming_state_conflict")
        window = workspace.variants.edit_window
        if window is not None and now - float(post.ts) > window:
            raise Refused("edit_window_closed")
        if content.is_empty and content.blocks is None and content.attachments is None:
            raise Refused("no_text")
        workspace.change(post, lambda post: self._change(post, content))
        notice_pings(workspace, post, call)
        told = workspace.told(post, metadata=True)
        return content.answered({"channel": channel.id, "ts": post.ts, "text": told["text"], "message": told})

    def delete(self, call: Call) -> JsonObject:
        channel = self._access.channel(call)
        post = self.own_post(call, channel, otherwise="cant_delete_message")
        self._workspace.delete(post)
        return {"channel": channel.id, "ts": post.ts}

    def get_permalink(self, call: Call) -> JsonObject:
        channel = self._access.channel(call)
        post = channel.posts.get(call.text("message_ts") or "")
        if post is None:
            raise Refused("message_not_found")
        link = f"{self._workspace.base}/archives/{channel.id}/p{post.ts.replace('.', '')}"
        if post.is_reply:
            link += f"?thread_ts={post.thread_ts}&cid={channel.id}"
        return {"channel": channel.id, "permalink": link}

    def own_post(self, call: Call, channel: Channel, *, otherwise: str) -> Post:
        """The post a call means, which has to be the app's own."""
        post = channel.posts.get(call.text("ts") or "")
        if post is None or post.is_tombstone:
            raise Refused("message_not_found")
        if not post.is_own:
            raise Refused(otherwise)
        return post

    def _change(self, post: Post, content: Content) -> None:
        # Slack's page of chat.update: blocks not sent are kept unless text is; with blocks there is no "(edited)".
        if content.text is not None or content.markdown is not None or content.blocks is not None:
            post.stream = None
            post.blocks = content.blocks or []
            post.markdown = content.markdown
            post.text = content.text or ""
        if content.attachments is not None:
            post.attachments = content.attachments
        if content.metadata is not None:  # [5] old metadata is kept unless new is sent
            post.metadata = content.metadata
        post.edits += 1
        if not content.blocks:
            post.edited_by = post.author
            post.edited_ts = f"{self._workspace.clock.now():.6f}"

    def _new(self, channel: Channel, content: Content, *, thread_ts: str | None) -> Post:
        install = self._workspace.install
        return Post(
            channel=channel.id,
            ts=self._workspace.new_ts(channel),
            author=install.bot_user_id,
            text=content.text or "",
            markdown=content.markdown,
            blocks=content.blocks or [],
            attachments=content.attachments or [],
            metadata=content.metadata,
            thread_ts=thread_ts,
            is_own=True,
            bot_id=install.bot_id,
            app_id=install.app_id,
        )

    def _thread(self, call: Call, channel: Channel) -> str | None:
        thread_ts = call.text("thread_ts")
        if thread_ts is None:
            return None
        root = channel.posts.get(thread_ts)
        if root is None:
            if self._workspace.variants.reply_to_deleted == "accepted":
                return thread_ts
            raise Refused("thread_not_found")
        if root.is_reply:  # [3] never pass a reply's ts as thread_ts; refused here so that it is noticed
            raise Refused("cannot_reply_to_message")
        return thread_ts

    def _twin(self, call: Call, channel: Channel) -> Post | None:
        said = call.text("client_msg_id")
        if said is None or not self._workspace.variants.client_msg_id_dedups:
            return None
        return next((post for post in channel.posts.values() if post.client_msg_id == said), None)
