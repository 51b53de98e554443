"""The life of a streamed message: section 5 of the reference, "Streaming"."""

from dataclasses import dataclass, field
from typing import Literal

from tests.support.slack.json_types import JsonObject
from tests.support.slack.refusal import Refused

StreamState = Literal["live", "expired", "stopped", "stopped_by_user"]
Mode = Literal["markdown_text", "chunks"]
CHUNK_TYPES = {"markdown_text": "text", "task_update": "title", "plan_update": "title", "blocks": "blocks"}
TASK_STATUSES = {"pending", "in_progress", "complete", "error"}


@dataclass(slots=True, eq=False)
class Stream:
    """What has been streamed into one message so far, and whether more may come."""

    ends_at: float  # Slack's time; appending does not extend it
    mode: Mode | None = None  # that of the first content
    text: str = ""
    tasks: dict[str, JsonObject] = field(default_factory=dict)
    plan: str | None = None
    blocks: list[JsonObject] = field(default_factory=list)
    _ended: StreamState | None = None

    def state(self, now: float) -> StreamState:
        return self._ended or ("expired" if now >= self.ends_at else "live")

    def is_live(self, now: float) -> bool:
        return self.state(now) == "live"

    def end(self, how: StreamState) -> None:
        self._ended = how

    def check(self, now: float) -> None:
        """Raise Refused unless more may come."""
        match self.state(now):
            case "stopped_by_user":
                raise Refused("stopped_by_user")
            case "expired" | "stopped":
                raise Refused("message_not_in_streaming_state")

    def take(self, markdown: str | None, chunks: list[JsonObject] | None) -> None:
        """Add content, which has to be of the mode the stream began with."""
        mode: Mode | None = "chunks" if chunks else "markdown_text" if markdown else None
        if mode is None:
            return
        if self.mode not in {None, mode}:
            raise Refused("streaming_mode_mismatch")
        self.mode = mode
        self.text += markdown or ""
        for chunk in chunks or []:
            self._take_chunk(chunk)

    def _take_chunk(self, chunk: JsonObject) -> None:
        match chunk["type"]:
            case "markdown_text":
                self.text += chunk["text"]
            case "task_update":
                known = self.tasks.setdefault(chunk["id"], {})
                known.update(chunk)
            case "plan_update":
                self.plan = chunk["title"]
            case "blocks":
                self.blocks.extend(chunk["blocks"])


def check_chunks(chunks: object) -> list[JsonObject]:
    """The chunks of a call, if each is of a form the reference names."""
    if not isinstance(chunks, list):
        raise Refused("invalid_arguments")
    for chunk in chunks:
        needed = CHUNK_TYPES.get(chunk.get("type", "")) if isinstance(chunk, dict) else None
        if needed is None or needed not in chunk:
            raise Refused("invalid_chunks")
        if needed == "title" and len(chunk["title"]) > 256:
            raise Refused("invalid_chunks")
        if chunk["type"] == "task_update" and (chunk.get("status") not in TASK_STATUSES or "id" not in chunk):
            raise Refused("invalid_chunks")
    return chunks
