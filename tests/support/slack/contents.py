"""What a call wants to say: its text, blocks and metadata, checked against section 5 of the reference."""

import json
from dataclasses import dataclass, field

from tests.support.slack.blocks import MARKDOWN, check_blocks, parsed
from tests.support.slack.calls import Call
from tests.support.slack.json_types import JsonObject
from tests.support.slack.mentions import Unfurl, find_links, find_pings
from tests.support.slack.posts import Post
from tests.support.slack.refusal import Refused
from tests.support.slack.workspace import Workspace

POST_TEXT = 40_000  # cut on post
UPDATE_TEXT = 4_000  # refused on update
METADATA = 4_000  # bytes


@dataclass(slots=True)
class Content:
    """What one message is to hold. None means the call did not say."""

    text: str | None = None
    markdown: str | None = None
    blocks: list[JsonObject] | None = None
    attachments: list[JsonObject] | None = None
    metadata: JsonObject | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.markdown or self.blocks or self.attachments)

    def answered(self, body: JsonObject) -> JsonObject:
        """The answer with the warnings that belong to it."""
        if self.warnings:
            body |= {"warning": ",".join(self.warnings), "response_metadata": {"warnings": self.warnings}}
        return body


def read_content(call: Call, workspace: Workspace, *, longest_text: int | None = None) -> Content:
    """The content of a chat call. Raises Refused when Slack would not take it.

    Args:
        longest_text: more `text` than this is msg_too_long instead of being cut.
    """
    content = Content(text=call.text("text"), markdown=call.text("markdown_text"))
    if content.markdown is not None:
        if "text" in call.args or "blocks" in call.args:  # [5] it excludes text and blocks
            raise Refused("markdown_text_conflict")
        if len(content.markdown) > MARKDOWN:
            raise Refused("msg_too_long")
    if (blocks := call.structure("blocks")) is not None:
        content.blocks = check_blocks(blocks, workspace.variants)
    if (attachments := call.structure("attachments")) is not None:
        content.attachments = attachments
    if content.text is not None:
        if longest_text is not None and len(content.text) > longest_text:
            raise Refused("msg_too_long")
        if len(content.text) > POST_TEXT:
            content.text = content.text[:POST_TEXT]
            content.warnings.append("message_truncated")
    read_metadata(call, content, workspace)
    return content


def read_metadata(call: Call, content: Content, workspace: Workspace) -> None:
    """Take the metadata over, if it is small enough ([5] about 4,000 bytes)."""
    metadata = call.structure("metadata")
    if metadata is None:
        return
    if not isinstance(metadata, dict) or not {"event_type", "event_payload"} <= metadata.keys():
        raise Refused("invalid_metadata_format")
    if len(json.dumps(metadata).encode()) > METADATA:
        if workspace.variants.metadata_too_large == "error":
            raise Refused("metadata_too_large")
        content.warnings.append("metadata_too_large")
        return
    content.metadata = metadata


def notice_pings(workspace: Workspace, post: Post, call: Call) -> None:
    """Note whom the post notifies now, and which links it would show previews of."""
    is_named = call.flag("link_names") or call.args.get("parse") == "full"
    for text in _read_texts(post):
        for kind, whom, token in find_pings(text, names=is_named):
            workspace.note_ping(post, kind, whom, token, call.method)


def notice_unfurls(workspace: Workspace, post: Post, call: Call) -> None:
    # [5] Only both switches together turn previews off; a link to media would unfurl by default.
    if all(name in call.args and not call.flag(name) for name in ("unfurl_links", "unfurl_media")):
        return
    links = [link for text in _read_texts(post) for link in find_links(text)]
    workspace.unfurls.extend(Unfurl(post.channel, post.ts, link) for link in dict.fromkeys(links))


def _read_texts(post: Post) -> list[str]:
    """Every text of a post that Slack looks for mentions in."""
    read = [post.text, post.markdown or "", *parsed(post.blocks)]
    for attachment in post.attachments:
        read += [str(attachment.get(name) or "") for name in ("pretext", "text", "fallback")]
        read += parsed(attachment.get("blocks", []))
    if (stream := post.stream) is not None:
        read += [stream.text, *parsed(stream.blocks)]
        read += [str(task.get(name) or "") for task in stream.tasks.values() for name in ("details", "output")]
    return read
