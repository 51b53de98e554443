"""Files under messages, as section 6 of the reference describes them, and what a request uploads."""

import base64
import mimetypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.support.discord.calls import Call
from tests.support.discord.json_types import JsonObject
from tests.support.discord.refusal import Refused, invalid

MIB = 1024 * 1024
FILE_LIMIT = 10 * MIB  # [5.1] by default
REQUEST_LIMIT = 25 * MIB  # [5.1] the whole request
MOST_FILES = 10
SPOILER = "SPOILER_"
SPOILER_FLAG = 1 << 5


@dataclass(slots=True, eq=False)
class File:
    """A file and what Discord says of it.

    Attributes:
        content_type: None is not told at all; a text's may carry ``; charset=utf-8`` ([6]).
        size: what the attachment says; the bytes may be more or fewer.
        is_ephemeral: the option of a command, or under a message that one person sees.
        duration: seconds; with a waveform it makes a voice message.
        url: where it is said to be instead of on the CDN.
    """

    id: str
    name: str
    data: bytes
    channel: str
    content_type: str | None
    size: int | None = None
    description: str | None = None
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    waveform: bytes | None = None
    is_spoiler: bool = False
    is_ephemeral: bool = False
    url: str | None = None
    is_gone: bool = False

    @property
    def path(self) -> str:
        kind = "ephemeral-attachments" if self.is_ephemeral else "attachments"
        return f"{kind}/{self.channel}/{self.id}/{self.name}"

    def as_json(self, link: Callable[["File", str], str]) -> JsonObject:
        """The attachment object. Its addresses are fresh each time: so a message read again has good ones ([6]).

        Args:
            link: makes the address of a file on the CDN (``cdn``) or its proxy (``media``), signed now.
        """
        told: JsonObject = {
            "id": self.id,
            "filename": self.name,
            "size": len(self.data) if self.size is None else self.size,
            "url": self.url or link(self, "cdn"),
            "proxy_url": self.url or link(self, "media"),
            "flags": SPOILER_FLAG if self.is_spoiler else 0,
        }
        optional = {
            "content_type": self.content_type,
            "description": self.description,
            "width": self.width,
            "height": self.height,
            "duration_secs": self.duration,
            "waveform": None if self.waveform is None else base64.b64encode(self.waveform).decode(),
            "ephemeral": True if self.is_ephemeral else None,
        }
        return told | {name: value for name, value in optional.items() if value is not None}


def kind_of(name: str) -> str | None:
    """The content type Discord derives from a name alone ([6]: a ``.mp3.gz`` came as audio/mpeg)."""
    kind, _ = mimetypes.guess_type(name)
    return f"{kind}; charset=utf-8" if kind is not None and kind.startswith("text/") else kind


def read_attachments(
    call: Call,
    *,
    channel: str,
    new_id: Callable[[], str],
    kept: Sequence[File] = (),
    limit: int = FILE_LIMIT,
    said: JsonObject | None = None,
    is_ephemeral: bool = False,
) -> list[File]:
    """The files a message has after a call: what it keeps, then what it uploads.

    The body's ``attachments`` describe the uploads by number, and by id what an edit keeps. Without the field an edit
    keeps everything ([D message]).

    Args:
        kept: the files so far.
        limit: most bytes of one file; a boosted guild's is higher ([5.1]).
        said: where the message's fields are, if not in the body itself.

    Raises:
        Refused: files too large or too many, or a description without a file.
    """
    sizes = [len(upload.data) for upload in call.uploads]
    if any(size > limit for size in sizes) or sum(sizes) > max(REQUEST_LIMIT, limit):
        raise Refused(40005)
    listed = (call.body if said is None else said).get("attachments")
    entries: dict[str, JsonObject] = {str(entry["id"]): entry for entry in listed or ()}
    before = [file for file in kept if listed is None or file.id in entries]
    known = {*(file.id for file in kept), *(str(upload.number) for upload in call.uploads)}
    if strange := entries.keys() - known:
        raise invalid("attachments", "ATTACHMENT_NOT_FOUND", f"No file for {min(strange)}")
    if len(before) + len(sizes) > MOST_FILES:
        raise invalid("attachments", "BASE_TYPE_MAX_LENGTH", f"Must be {MOST_FILES} or fewer in length.")
    for file in before:
        file.description = entries.get(file.id, {}).get("description", file.description)
    made = []
    for upload in call.uploads:
        entry = entries.get(str(upload.number), {})
        name = entry.get("filename") or upload.filename
        made.append(
            File(
                id=new_id(),
                name=name,
                data=upload.data,
                channel=channel,
                content_type=kind_of(name),
                description=entry.get("description"),
                is_spoiler=name.startswith(SPOILER),
                is_ephemeral=is_ephemeral,
            )
        )
    return [*before, *made]
