"""Files out of the base64 that a streamed answer brings them in."""

import base64
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.answers import Media, MediaKind

logger = logging.getLogger(__name__)

ANY_TYPE = "application/octet-stream"

# Formats whose files begin like this and hold it nowhere else. Two pieces that both begin so are two files.
_BEGINNINGS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"%PDF", b"fLaC", b"ID3", b"\x1aE\xdf\xa3")


@dataclass(frozen=True, slots=True)
class MediaPieces:
    """What came of a file, or of several: nobody documents whether a delta holds a whole one.

    Pictures are expected whole and sound in pieces, so the bytes decide. Pieces that are not base64 each by
    itself are slices of one text. Else a piece that begins like a file of its own is one, when the first
    began so too; any other goes on where the last one stopped. Fetching the finished files instead would
    be certain, but would load every picture twice and cannot be done for what Gemini does not store.
    """

    index: object  # the step's
    kind: MediaKind
    mime_type: str
    _pieces: list[str] = field(default_factory=list, repr=False)

    def add(self, piece: str) -> None:
        """Take in the base64 of one delta."""
        self._pieces.append(piece)

    def goes_on(self, index: object, kind: MediaKind, mime_type: str) -> bool:
        """Whether a delta may belong to these; only the first of a file need name its type."""
        return (index, kind) == (self.index, self.kind) and mime_type in ("", self.mime_type)

    def files(self) -> Iterator[Media]:
        """Yield the files that the pieces make."""
        decoded = [decode(piece) for piece in self._pieces]
        if None in decoded:
            decoded = [decode("".join(self._pieces))]
        file: list[bytes] = []
        for data in decoded:
            if data is None:
                logger.debug("media passed over: not base64", extra={"kind": self.kind.value})
                return
            if file and _begins_a_file(data) and _begins_a_file(file[0]):
                yield self._file(file)
                file = []
            file.append(data)
        yield self._file(file)

    def _file(self, pieces: list[bytes]) -> Media:
        return Media(self.kind, self.mime_type or ANY_TYPE, data=b"".join(pieces))


def decode(text: str) -> bytes | None:
    """The bytes that base64 stands for; None when it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


def _begins_a_file(data: bytes) -> bool:
    return data.startswith(_BEGINNINGS) or data[4:8] == b"ftyp"  # the latter: MP4 and its kin
