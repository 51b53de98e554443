"""chat.startStream, appendStream, stopStream: section 5 of the reference, "Streaming"."""

from tests.support.slack.access import Access
from tests.support.slack.blocks import MARKDOWN, PAYLOAD, check_blocks, texts
from tests.support.slack.calls import Call
from tests.support.slack.channels import Channel
from tests.support.slack.contents import Content, notice_pings, read_metadata
from tests.support.slack.json_types import JsonObject
from tests.support.slack.posts import Post
from tests.support.slack.refusal import Refused
from tests.support.slack.streams import Stream, check_chunks
from tests.support.slack.workspace import Workspace

SESSION_STATUSES = {"processing", "active", "suspended", "closed"}


class Streams:
    """The three calls of a stream's life."""

    def __init__(self, workspace: Workspace, access: Access) -> None:
        self._workspace, self._access = workspace, access
        self.methods = {
            "chat.startStream": self.start,
            "chat.appendStream": self.append,
            "chat.stopStream": self.stop,
        }

    def start(self, call: Call) -> JsonObject:
        workspace, variants = self._workspace, self._workspace.variants
        channel = self._access.writable(call)
        if channel.kind not in variants.streams_in:
            raise Refused("channel_type_not_supported")
        root = channel.posts.get(call.text("thread_ts") or "")
        if root is None or root.is_reply:  # [5] a thread is needed everywhere
            raise Refused("invalid_thread_ts")
        if not channel.is_direct:  # [5] outside DMs both recipient ids are needed
            for name in ("recipient_team_id", "recipient_user_id"):
                if call.text(name) is None:
                    raise Refused(f"missing_{name}")
        markdown, chunks = self._read(call)
        stream = Stream(ends_at=workspace.clock.now() + variants.stream_life)
        self._take(stream, markdown, chunks)
        install = workspace.install
        post = Post(
            channel=channel.id,
            ts=workspace.new_ts(channel),
            author=install.bot_user_id,
            markdown=stream.text,
            thread_ts=root.ts,
            is_own=True,
            bot_id=install.bot_id,
            app_id=install.app_id,
            stream=stream,
        )
        workspace.post(post)
        notice_pings(workspace, post, call)
        workspace.clock.after(variants.stream_life + 0.001, workspace.bell.ring)  # whoever watches sees it die
        return {"channel": channel.id, "ts": post.ts}

    def append(self, call: Call) -> JsonObject:
        channel, post, stream = self._streaming(call)
        markdown, chunks = self._read(call)
        if not markdown and not chunks:
            raise Refused("no_text")
        self._take(stream, markdown, chunks)
        post.markdown = stream.text
        notice_pings(self._workspace, post, call)
        return {"channel": channel.id, "ts": post.ts}

    def stop(self, call: Call) -> JsonObject:
        workspace = self._workspace
        channel, post, stream = self._streaming(call)
        markdown, chunks = self._read(call)
        if chunks == [] and not workspace.variants.empty_chunks_on_stop:
            raise Refused("invalid_arguments")
        blocks = call.structure("blocks")
        checked = [] if blocks is None else check_blocks(blocks, workspace.variants)  # [5] 50 + 50
        content = Content()
        read_metadata(call, content, workspace)
        if (status := call.text("session_status")) is not None and status not in SESSION_STATUSES:
            raise Refused("invalid_arguments")
        self._take(stream, markdown, chunks)
        workspace.change(post, lambda post: self._finish(post, stream, checked, content))
        notice_pings(workspace, post, call)
        told = workspace.told(post, metadata=True)
        return content.answered({"channel": channel.id, "ts": post.ts, "message": told})

    def _finish(self, post: Post, stream: Stream, blocks: list[JsonObject], content: Content) -> None:
        stream.end("stopped")
        post.markdown = stream.text
        post.blocks = blocks
        post.metadata = content.metadata

    def _streaming(self, call: Call) -> tuple[Channel, Post, Stream]:
        channel = self._access.channel(call)
        if channel.is_archived:
            raise Refused("is_archived")
        post = channel.posts.get(call.text("ts") or "")
        if post is None or post.is_tombstone:
            raise Refused("message_not_found")
        if not post.is_own:
            raise Refused("message_not_owned_by_app")
        if post.stream is None:
            raise Refused("message_not_in_streaming_state")
        post.stream.check(self._workspace.clock.now())
        return channel, post, post.stream

    def _read(self, call: Call) -> tuple[str | None, list[JsonObject] | None]:
        markdown, chunks = call.text("markdown_text"), call.structure("chunks")
        if markdown is not None and chunks:
            raise Refused("streaming_mode_mismatch")
        if len(markdown or "") > MARKDOWN:
            raise Refused("msg_too_long")
        if chunks is None:
            return markdown, None
        checked = check_chunks(chunks)
        if sum(len(chunk["text"]) for chunk in checked if chunk["type"] == "markdown_text") > MARKDOWN:
            raise Refused("msg_too_long")
        blocks = [block for chunk in checked if chunk["type"] == "blocks" for block in chunk["blocks"]]
        check_blocks(blocks, self._workspace.variants)
        return markdown, checked

    def _take(self, stream: Stream, markdown: str | None, chunks: list[JsonObject] | None) -> None:
        total = self._workspace.variants.stream_total
        added = len(markdown or "") + sum(len(c["text"]) for c in chunks or [] if c["type"] == "markdown_text")
        if total is not None and len(stream.text) + added > total:  # [12] the limit, if any, is unknown
            raise Refused("msg_too_long")
        new = [block for chunk in chunks or [] if chunk["type"] == "blocks" for block in chunk["blocks"]]
        if (
            len(stream.blocks) + len(new) > 50
            or sum(len(t) for b in [*stream.blocks, *new] for t in texts(b)) > PAYLOAD
        ):
            raise Refused("msg_blocks_too_long")
        stream.take(markdown, chunks)
