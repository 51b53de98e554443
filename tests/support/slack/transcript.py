"""What a person would see: messages as they are shown, in reading order."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.support.slack import blocks as kit
from tests.support.slack.json_types import JsonObject
from tests.support.slack.posts import Post
from tests.support.slack.streams import StreamState
from tests.support.slack.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Button:
    """Something to click."""

    text: str
    action_id: str
    value: str
    block_id: str
    type: str
    channel: str
    post: Post | None = field(repr=False, compare=False)
    view_id: str | None = None


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file under a message."""

    id: str
    name: str
    title: str
    data: bytes = field(repr=False)
    alt: str = ""  # what it is of, for people who cannot see it


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as somebody sees it.

    Attributes:
        text: Markdown stands as it was sent; of mrkdwn the escaped characters are put back.
        edits: how many times it was changed after it was posted; a stream's growing is no edit.
        stream: None for what was never streamed.
        ephemeral_for: the only person who sees it.
        metadata: nobody sees it; it is here for tests.
    """

    ts: str
    author: str
    text: str
    is_own: bool
    thread_ts: str | None
    buttons: tuple[Button, ...]
    files: tuple[ShownFile, ...]
    edits: int
    is_marked_edited: bool
    stream: StreamState | None
    ephemeral_for: str | None
    is_tombstone: bool
    subtype: str | None
    blocks: tuple[JsonObject, ...] = field(repr=False)
    reactions: tuple[str, ...] = ()
    metadata: JsonObject | None = None
    plan: str | None = None
    tasks: tuple[JsonObject, ...] = ()

    @property
    def is_streaming(self) -> bool:
        return self.stream == "live"

    def button(self, text: str) -> Button:
        """The button of that text. Raises LookupError when there is none."""
        for button in self.buttons:
            if button.text == text:
                return button
        raise LookupError(f"no button {text!r}, only {[button.text for button in self.buttons]}")


def transcript(workspace: Workspace, channel_id: str, thread_ts: str | None) -> list[Shown]:
    """The thread with its parent, or a channel's top level; ephemeral messages stand where they were shown."""
    channel = workspace.channels[channel_id]
    posts = channel.thread(thread_ts) if thread_ts else list(channel.top_level())
    whispers = [post for post in channel.ephemerals if post.thread_ts == thread_ts]
    if thread_ts and len(posts) <= 1:  # [4] ephemerals in a thread show only if it already has replies
        whispers = []
    return [show(workspace, post) for post in sorted([*posts, *whispers], key=lambda post: _order(post.ts))]


def show(workspace: Workspace, post: Post) -> Shown:
    stream = post.stream
    blocks = post.all_blocks()
    return Shown(
        ts=post.ts,
        author=post.author,
        text="This message was deleted." if post.is_tombstone else shown_text(post),
        is_own=post.is_own,
        thread_ts=post.thread_ts,
        buttons=tuple(read_buttons(blocks, post)),
        files=tuple(ShownFile(file.id, file.name, file.title, file.data, file.alt_txt) for file in post.files),
        edits=post.edits,
        is_marked_edited=post.edited_ts is not None,
        stream=stream.state(workspace.clock.now()) if stream else None,
        ephemeral_for=post.ephemeral_for,
        is_tombstone=post.is_tombstone,
        subtype=post.subtype,
        blocks=tuple(blocks),
        reactions=tuple(post.reactions),
        metadata=post.metadata,
        plan=stream.plan if stream else None,
        tasks=tuple(stream.tasks.values()) if stream else (),
    )


def shown_text(post: Post) -> str:
    """The text in front of the reader: blocks are shown instead of `text`, which then is for notifications."""
    if post.markdown is not None:
        more = kit.shown([*(post.stream.blocks if post.stream else []), *post.blocks])
        return "\n".join(part for part in (post.markdown, more) if part)
    return _unescaped(kit.shown(post.blocks) if post.blocks else post.text, post)


def read_buttons(blocks: Iterable[JsonObject], post: Post | None, view_id: str | None = None) -> list[Button]:
    """The buttons in these blocks; feedback buttons count as two."""
    found: list[Button] = []
    for block, element in kit.elements(blocks):
        where = (block.get("block_id", "b1"), element["type"], post.channel if post else "", post, view_id)
        if element["type"] == "feedback_buttons":
            for name in ("positive_button", "negative_button"):
                one = element[name]
                found.append(Button(one["text"]["text"], element["action_id"], one.get("value", ""), *where))
            continue
        text = (element.get("text") or element.get("placeholder") or {}).get("text", "")
        found.append(Button(text, element["action_id"], element.get("value", ""), *where))
    return found


def _unescaped(text: str, post: Post) -> str:
    if any(block.get("type") == "markdown" for block in post.blocks):
        return text
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _order(ts: str) -> tuple[int, int]:
    seconds, _, micros = ts.partition(".")
    return int(seconds), int(micros)
