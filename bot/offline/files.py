"""Uploaded files: taken in piece by piece, described, and their bytes let go.

Nobody can download a file from Gemini, so a description is all that later answers need of it.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from bot.offline.describe import HEAD, describe
from bot.offline.faults import StallFault, UploadFault
from bot.offline.record import Record
from bot.offline.wire import JsonObject, Refused, objects_in, text_in, timestamp

LIFETIME = 48 * 3600.0  # seconds
LARGEST = 2 << 30  # bytes, as with Gemini
_NAME = re.compile(r"files/[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
UNFINISHED = 64  # uploads that are remembered at once; the oldest is given up for another


@dataclass(slots=True)
class Upload:
    """A file on its way in."""

    name: str  # "files/..."
    display_name: str
    mime_type: str
    fault: UploadFault | StallFault | None
    size: int = 0  # bytes so far
    head: bytearray = field(default_factory=bytearray)

    def add(self, piece: bytes) -> None:
        """Take in more of the file."""
        self.size += len(piece)
        if self.size > LARGEST:
            raise Refused(400, "invalid_request", "the file is over 2 GB")
        if (room := HEAD - len(self.head)) > 0:
            self.head += piece[:room]


class Files:
    """The files that were uploaded, by name. They outlive the process in the record."""

    def __init__(
        self,
        record: Record,
        *,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        polls: int,
        mind: Literal[400, 403] | None = None,
    ) -> None:
        self._record = record
        self._clock = clock
        self._new_id = new_id
        self.polls = polls  # how many gets see a film in PROCESSING
        self.mind = mind  # the status for going on from what named a file that has expired; None when that is possible
        self._uploads: dict[str, Upload] = {}  # by session
        self._known: dict[str, JsonObject] = {}
        self._processing: dict[str, int] = {}  # polls left, by name

    def restore(self, entries: dict[str, JsonObject]) -> None:
        """Take in what the record holds."""
        self._known = entries

    def begin(self, *, name: str, display_name: str, mime_type: str, fault: UploadFault | StallFault | None) -> str:
        """Begin an upload; the name of its session.

        Args:
            name: ``files/...``, or nothing for a name of the server's own.

        Raises:
            Refused: there is a file of that name.
        """
        if name and not _NAME.fullmatch(name):
            raise Refused(400, "invalid_request", "a file's name has at most 40 small letters, digits and dashes")
        if name in self._known:
            raise Refused(409, "already_exists", f"{name} already exists")
        while len(self._uploads) >= UNFINISHED:
            self._uploads.pop(next(iter(self._uploads)))
        id_ = self._new_id()
        self._uploads[id_] = Upload(name or f"files/{id_}", display_name, mime_type, fault)
        return id_

    def upload(self, session: str) -> Upload:
        """The upload of a session. Raises Refused for one that is not known."""
        if session not in self._uploads:
            raise Refused(404, "not_found", "no such upload")
        return self._uploads[session]

    def finish(self, session: str, *, url: str) -> JsonObject:
        """End the upload; the file as it stands now.

        Args:
            url: of the API with its version, to which the file's name is joined.
        """
        upload = self._uploads.pop(session)
        kind = kind_of(upload.mime_type)
        file: JsonObject = {
            "name": upload.name,
            "uri": f"{url}/{upload.name}",
            "mimeType": upload.mime_type,
            "sizeBytes": str(upload.size),
            "displayName": upload.display_name,
            "createTime": timestamp(self._clock()),
            "expirationTime": timestamp(self._clock() + LIFETIME),
            "state": "ACTIVE",
            "description": describe(kind, upload.mime_type, bytes(upload.head), size=upload.size),
            "created": self._clock(),
        }
        if isinstance(upload.fault, UploadFault):
            file |= {"state": "FAILED", "error": {"code": 3, "message": upload.fault.message}}
        elif kind in {"video", "audio"} and self.polls > 0:
            self._processing[upload.name] = self.polls
        self._known[upload.name] = file
        self._record.put(upload.name, file)
        return self._shown(file)

    def get(self, name: str) -> JsonObject:
        """A file as a get answers it. Raises Refused."""
        file = self._shown(self._find(name))
        if name in self._processing:
            self._processing[name] -= 1
            if self._processing[name] <= 0:
                del self._processing[name]
        return file

    def processed(self) -> None:
        """End the processing of every film and sound."""
        self._processing.clear()

    def delete(self, name: str) -> None:
        """Remove a file. Raises Refused."""
        self._find(name)
        self._forget(name)

    def describe(self, kind: str, uri: str) -> str:
        """What is known of the file at an address. Raises Refused for one of ours that is not there or not ready."""
        if "/files/" not in uri:
            return f"{kind} at {uri}"
        file = self._find("files/" + uri.rpartition("/files/")[2])
        if file["state"] != "ACTIVE" or file["name"] in self._processing:
            raise Refused(400, "failed_precondition", f"file {file['name']} is not in an ACTIVE state")
        return text_in(file, "description")

    def check(self, input_: Iterable[JsonObject]) -> None:
        """Look whether the files that steps of an earlier input name are all there.

        How Gemini answers is not documented: it may go on all the same, or refuse with a 400 or a 403.

        Raises:
            Refused: one is not, and this stand-in was made to mind.
        """
        if self.mind is None:
            return
        for step in input_:
            for part in objects_in(step, "content"):
                _, uploaded, id_ = text_in(part, "uri").rpartition("/files/")
                try:
                    if uploaded:
                        self._find(f"files/{id_}")
                except Refused as gone:
                    if self.mind == 403:
                        raise
                    raise Refused(400, "invalid_request", f"file files/{id_} has expired") from gone

    def _find(self, name: str) -> JsonObject:
        file = self._known.get(name)
        if file is not None:
            created = file["created"]
            if isinstance(created, (int, float)) and created + LIFETIME > self._clock():
                return file
            self._forget(name)
        raise Refused(403, "permission_denied", f"no permission for {name}, or it does not exist")

    def _forget(self, name: str) -> None:
        self._known.pop(name, None)
        self._processing.pop(name, None)
        self._record.remove(name)

    def _shown(self, file: JsonObject) -> JsonObject:
        shown = {key: value for key, value in file.items() if key not in {"description", "created"}}
        if file["name"] in self._processing:
            shown["state"] = "PROCESSING"
        return shown


def kind_of(mime_type: str) -> str:
    """The kind of content a file of that type is sent as."""
    family = mime_type.partition("/")[0]
    return family if family in {"image", "audio", "video"} else "document"
