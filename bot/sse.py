"""Server-sent events, as far as the Interactions API uses them: JSON objects in a body that comes in any pieces."""

import json
import logging
from collections.abc import Iterator, Mapping

logger = logging.getLogger(__name__)

JsonObject = Mapping[str, object]

MOST_BYTES = 200_000_000  # of one stream, which is many pictures; what goes on beyond that is no answer

_END_OF_STREAM = b"[DONE]"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventStream:
    """The JSON objects of an event stream, in order.

    Feed it the body as it comes and `finish` it when the body has ended. What is not a JSON object
    (comments, events without data, junk) is passed over: a stream is judged by how it ends, not by its noise.

    The framing follows the WHATWG HTML standard, section 9.2. Event names and ids play no part, because every
    object names its own kind.

    Args:
        most: bytes of the body; a longer one counts as ended there.
    """

    def __init__(self, *, most: int = MOST_BYTES) -> None:
        self.ended = False  # the server said that nothing comes any more, or has said too much
        self.junk = 0  # events whose data was no JSON object
        self._left = most  # bytes that may still come
        self._begun = False
        self._after_cr = False  # the last piece ended in CR, so an LF now belongs to it
        self._line: list[bytes] = []  # pieces of the line that has no end yet
        self._data: list[bytes] = []  # the data lines of the event that has no end yet

    def feed(self, piece: bytes) -> Iterator[JsonObject]:
        """Take in more of the body and yield the objects it completes."""
        self._left -= len(piece)
        if self._left < 0 and not self.ended:
            logger.warning("event stream of the model is too long")
            self.ended = True
        if self.ended:  # nothing that is kept is needed any more
            self._line.clear()
            self._data.clear()
            return
        if self._after_cr and piece:
            piece = piece.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in piece:
            self._after_cr = piece.endswith(b"\r")
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"\n" not in piece:  # a picture is one line of megabytes: it is joined once, not at every piece
            self._line.append(piece)
            return
        first, *lines = piece.split(b"\n")
        first = b"".join((*self._line, first))
        self._line = [lines.pop()]
        yield from self._take(first)
        for line in lines:
            yield from self._take(line)

    def finish(self) -> Iterator[JsonObject]:
        """Yield what a body that just stops leaves behind: its last event needs no blank line."""
        last, self._line = b"".join(self._line), []
        yield from self._take(last)
        yield from self._take(b"")
        if self.junk:
            logger.debug("events without a JSON object passed over", extra={"count": self.junk})

    def _take(self, line: bytes) -> Iterator[JsonObject]:
        if self.ended:
            return
        if not self._begun:
            self._begun = True
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if line.startswith(b"data:"):
            self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
        elif not line and self._data:
            data = b"\n".join(self._data)
            self._data.clear()
            if data == _END_OF_STREAM:
                self.ended = True
            else:
                yield from self._read(data)

    def _read(self, data: bytes) -> Iterator[JsonObject]:
        try:
            read = json.loads(data)
        except (ValueError, RecursionError):  # not JSON, not UTF-8, or nested beyond reason
            read = None
        if isinstance(read, dict):
            yield read
        else:
            self.junk += 1


def storable(text: str) -> str:
    """The text without halves of characters, which JSON can spell and no database takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
