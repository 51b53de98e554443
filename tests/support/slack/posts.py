"""A message as Slack keeps it, and as the Web API and events tell it."""

from dataclasses import dataclass, field

from tests.support.slack.files import File
from tests.support.slack.json_types import JsonObject
from tests.support.slack.streams import Stream
from tests.support.slack.variants import Install


@dataclass(slots=True, eq=False)
class Post:
    """One message. `text` is as it goes over the wire; `markdown` is what a markdown_text said, when there was one."""

    channel: str
    ts: str
    author: str
    text: str = ""
    markdown: str | None = None
    thread_ts: str | None = None
    subtype: str | None = None
    blocks: list[JsonObject] = field(default_factory=list)
    attachments: list[JsonObject] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    metadata: JsonObject | None = None
    edited_by: str | None = None
    edited_ts: str | None = None
    edits: int = 0
    is_own: bool = False
    bot_id: str | None = None
    app_id: str | None = None
    username: str | None = None
    client_msg_id: str | None = None
    user_team: str | None = None
    stream: Stream | None = None
    ephemeral_for: str | None = None
    response_url: str | None = None  # through which this message may still be replaced
    is_tombstone: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)
    replies: list["Post"] = field(default_factory=list)

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def root_ts(self) -> str:
        return self.thread_ts or self.ts

    @property
    def is_top_level(self) -> bool:
        return not self.is_reply or self.subtype == "thread_broadcast"

    def as_json(  # noqa: PLR0912 - a flat list of what may be told
        self, install: Install, *, root: "Post | None" = None, metadata: bool = False, keeps_text: bool = True
    ) -> JsonObject:
        """The message object of the Web API and of events ([3]).

        Args:
            root: the thread's parent, for a reply.
            metadata: whether the app's metadata is told ([11]: only when it is asked for).
            keeps_text: whether a markdown message has its text in `text`, too.
        """
        told: JsonObject = {"type": "message", "ts": self.ts}
        if self.is_tombstone:
            told |= {"subtype": "tombstone", "user": "USLACKBOT", "text": "This message was deleted.", "hidden": True}
            return told | self._as_parent()
        told |= {"user": self.author, "text": self.text}
        if self.markdown is not None:
            told["text"] = self.markdown if keeps_text else ""
        if self.subtype:
            told["subtype"] = self.subtype
        if self.client_msg_id:
            told["client_msg_id"] = self.client_msg_id
        if not self.files:  # [3] slack-api-specs 62: posts with files have no team
            told["team"] = self.user_team or install.team_id
        told |= self._as_bot(install)
        if shown := self.all_blocks():
            told["blocks"] = shown
        if self.attachments:
            told["attachments"] = self.attachments
        if self.files:
            told |= {"files": [file.in_message() for file in self.files], "upload": True, "display_as_bot": False}
        if self.edited_ts:
            told["edited"] = {"user": self.edited_by, "ts": self.edited_ts}
        if self.reactions:
            told["reactions"] = [{"name": name, "users": u, "count": len(u)} for name, u in self.reactions.items()]
        if metadata and self.metadata is not None:
            told["metadata"] = self.metadata
        if self.is_reply:
            told["thread_ts"] = self.thread_ts
            if root is not None:
                told["parent_user_id"] = root.author
                if self.subtype == "thread_broadcast":
                    told["root"] = root.as_json(install, keeps_text=keeps_text)
        return told | self._as_parent()

    def _as_parent(self) -> JsonObject:
        if self.is_reply or not self.replies:
            return {}
        users = list(dict.fromkeys(reply.author for reply in self.replies))
        return {
            "thread_ts": self.ts,  # [3] a parent with replies has thread_ts == ts
            "reply_count": len(self.replies),
            "reply_users_count": len(users),
            "latest_reply": self.replies[-1].ts,
            "reply_users": users[:5],
            "is_locked": False,
            "subscribed": False,
        }

    def _as_bot(self, install: Install) -> JsonObject:
        if self.bot_id is None:
            return {}
        told: JsonObject = {"bot_id": self.bot_id}
        if self.app_id:
            name = install.bot_name if self.is_own else "other"
            told["app_id"] = self.app_id
            told["bot_profile"] = {"id": self.bot_id, "app_id": self.app_id, "name": name, "deleted": False}
        return told

    def all_blocks(self) -> list[JsonObject]:
        """The blocks it is shown as: those of a stream's text, of its chunks and of its end, in this order."""
        if self.markdown is None:
            return self.blocks or self._typed_blocks()
        return [*self._typed_blocks(), *(self.stream.blocks if self.stream else []), *self.blocks]

    def _typed_blocks(self) -> list[JsonObject]:
        """What a person types, and what markdown_text becomes, is a rich_text block; only its text matters here."""
        text = self.text if self.markdown is None else self.markdown
        return [_rich_text(text) | {"block_id": f"b{self.ts[-4:]}"}] if text else []


def expanded(block: JsonObject) -> JsonObject:
    """What a block may be when it is read back: a markdown block is another one by then ([5]); its text is there."""
    return _rich_text(block["text"]) if block["type"] == "markdown" else block


def _rich_text(text: str) -> JsonObject:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [section]}
