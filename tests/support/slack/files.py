"""Files of the workspace, in every form section 3 of the reference has a row for."""

from dataclasses import dataclass, field
from typing import Literal

from tests.support.slack.json_types import JsonObject

FileMode = Literal["hosted", "snippet", "external", "tombstone", "file_access", "access_denied", "not_found", "canvas"]

_TYPES = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "application/pdf": "pdf",
    "text/plain": "text",
    "audio/mp4": "m4a",
    "video/mp4": "mp4",
    "application/vnd.slack-docs": "quip",
}


@dataclass(slots=True, eq=False)
class File:
    """A file and what Slack says of it.

    Attributes:
        size: what the file object says; the bytes may be more or fewer.
        mode: ``file_access`` is the stub of Slack Connect that only has an id until files.info is asked.
    """

    id: str
    name: str
    data: bytes
    mimetype: str
    owner: str
    created: int
    base: str
    team_id: str
    title: str
    mode: FileMode = "hosted"
    size: int | None = None
    filetype: str | None = None
    subtype: Literal["slack_audio", "slack_video"] | None = None
    duration_ms: int | None = None
    external_url: str | None = None
    shares: list[tuple[str, str, str | None]] = field(default_factory=list)  # channel, ts, thread_ts
    is_own: bool = False
    alt_txt: str = ""
    is_deleted: bool = False

    @property
    def path(self) -> str:
        return f"/files-pri/{self.team_id}-{self.id}/{self.name}"

    @property
    def download_path(self) -> str:
        return f"/files-pri/{self.team_id}-{self.id}/download/{self.name}"

    def in_message(self) -> JsonObject:
        """The file as a message carries it: for some modes hardly anything."""
        match self.mode:
            case "file_access":  # [3] Slack Connect: only an id, files.info first
                return {"id": self.id, "mode": "file_access", "file_access": "check_file_info"}
            case "access_denied":
                return {"id": self.id, "mode": "file_access", "file_access": "access_denied"}
            case "not_found":
                return {"id": self.id, "mode": "file_access", "file_access": "file_not_found"}
            case "tombstone":
                return {"id": self.id, "mode": "tombstone"}
        return {"id": self.id, "mode": "tombstone"} if self.is_deleted else self.as_json()

    def as_json(self) -> JsonObject:
        is_external = self.mode == "external"
        url = self.external_url if is_external and self.external_url else f"{self.base}{self.path}"
        told: JsonObject = {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.title,
            "mimetype": self.mimetype,
            "filetype": self.filetype or _TYPES.get(self.mimetype, "binary"),
            "pretty_type": (self.filetype or _TYPES.get(self.mimetype, "Binary")).upper(),
            "user": self.owner,
            "user_team": self.team_id,
            "editable": self.mode == "snippet",
            "size": len(self.data) if self.size is None else self.size,
            "mode": "hosted" if self.mode in {"file_access", "access_denied", "not_found", "tombstone"} else self.mode,
            "is_external": is_external,
            "external_type": "gdrive" if is_external else "",
            "is_public": True,
            "url_private": url,
            "permalink": f"{self.base}/files/{self.owner}/{self.id}/{self.name}",
            "file_access": "visible",
            "has_rich_preview": False,
        }
        if not is_external:
            told["url_private_download"] = f"{self.base}{self.download_path}"
        if self.alt_txt:
            told["alt_txt"] = self.alt_txt
        if self.subtype:
            told |= {"subtype": self.subtype, "duration_ms": self.duration_ms or 1000}
        return told

    def info(self) -> JsonObject:
        """What files.info tells, with where the file is shared."""
        shares: JsonObject = {}
        for channel, ts, thread_ts in self.shares:
            share = {"ts": ts, **({"thread_ts": thread_ts} if thread_ts else {})}
            shares.setdefault(channel, []).append(share)
        return self.as_json() | {"shares": {"public": shares}, "channels": sorted(shares)}
