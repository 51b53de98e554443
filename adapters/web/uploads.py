"""The body of a posted message: JSON alone, or a form with JSON and files that are written down as they come."""

import json
from collections.abc import AsyncIterator

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from adapters.web.doors import Closed
from adapters.web.events import Unacceptable, read_file_name, read_mime_type
from adapters.web.files import PIECE, Arrival
from bot.messages import Attachment

MOST_FILES = 10  # of one message
LONGEST_JSON = 600_000  # bytes; the longest text in letters of four bytes, and room for its escapes


async def read_json(request: web.Request) -> object:
    """The JSON of a request that is nothing else.

    Raises:
        Closed: it is of another type, which any site's form could send, or too long.
        Unacceptable: it is not JSON.
    """
    if request.content_type != "application/json":
        raise Closed(415, "This takes JSON only.")
    try:
        return _decoded(await request.read())
    except web.HTTPRequestEntityTooLarge:
        raise Closed(413, "This message is too long.") from None


async def read_upload(request: web.Request, arrival: Arrival) -> tuple[object, tuple[Attachment, ...]]:
    """The JSON of a message, and its files, which are saved already.

    Raises:
        Closed, Unacceptable: as with `read_json`; or there are too many files.
        AttachmentTooLarge: one of the files is.
        OSError: a file could not be written.
    """
    if request.content_type != "multipart/form-data":
        return await read_json(request), ()
    payload: object = None
    attachments: list[Attachment] = []
    try:
        async for part in await request.multipart():
            if part is None or isinstance(part, MultipartReader):
                raise Unacceptable("This is not a message.")
            if part.name == "message":
                payload = _decoded(await _short(part))
            elif part.name == "files":
                if len(attachments) == MOST_FILES:
                    raise Closed(413, f"A message may have {MOST_FILES} files.")
                # Browsers escape a quote in a name this way, and nothing else that a name is left with.
                name = read_file_name((part.filename or "").replace("%22", '"'))
                mime_type = read_mime_type(part.headers.get("Content-Type"))
                attachments.append(await arrival.save(name, mime_type, _pieces(part)))
    except (ValueError, AssertionError, HttpProcessingError) as error:
        if isinstance(error, Unacceptable):
            raise
        raise Unacceptable("This is not a message: the form it came in is broken.") from error
    return payload, tuple(attachments)


def _decoded(body: bytes) -> object:
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        raise Unacceptable("This is not a message.") from None
    return found


async def _short(part: BodyPartReader) -> bytes:
    read = bytearray()
    async for piece in _pieces(part):
        read += piece
        if len(read) > LONGEST_JSON:
            raise Closed(413, "This message is too long.")
    return bytes(read)


async def _pieces(part: BodyPartReader) -> AsyncIterator[bytes]:
    while piece := await part.read_chunk(PIECE):
        yield piece
