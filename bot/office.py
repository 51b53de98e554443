"""Office files: told by what is inside their wrappings, which are ZIP archives and the compound files of old.

Of an archive nothing is unpacked but the beginning of the one part that says what the others are.
"""

import os
import re
import zlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import IO

_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."

OFFICE: Mapping[str, str] = MappingProxyType(
    {
        "application/msword": "Word",
        _OPEN_XML + "wordprocessingml.document": "Word",
        _OPEN_XML + "wordprocessingml.template": "Word",
        "application/vnd.ms-powerpoint": "PowerPoint",
        _OPEN_XML + "presentationml.presentation": "PowerPoint",
        "application/vnd.ms-excel": "Excel",
        _OPEN_XML + "spreadsheetml.sheet": "Excel",
        _OPEN_DOCUMENT + "text": "OpenDocument text",
        _OPEN_DOCUMENT + "spreadsheet": "OpenDocument spreadsheet",
        _OPEN_DOCUMENT + "presentation": "OpenDocument presentation",
    }
)
"""The Office files that newer models read, each with what people call its kind."""

_READERS = re.compile(r"gemini-(4-hydrogen|[5-9]|\d{2})")


def reads_office(model: str) -> bool:
    """Whether a model takes Office files: Gemini 4 Hydrogen does, and what came after it."""
    return _READERS.match(model.removeprefix("models/")) is not None


ZIP = (b"PK\x03\x04", b"PK\x05\x06")
COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")
_CONTENTS = b"[Content_Types].xml"
_MOST_UNPACKED = 200_000  # bytes
_PARTS = (
    (b"word/document", _OPEN_XML + "wordprocessingml.document"),
    (b"ppt/presentation", _OPEN_XML + "presentationml.presentation"),
    (b"xl/workbook", _OPEN_XML + "spreadsheetml.sheet"),
)
_STREAMS = (
    ("WordDocument", "application/msword"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("Workbook", "application/vnd.ms-excel"),
    ("Book", "application/vnd.ms-excel"),
)
_LONGEST_DIRECTORY = 65_536  # bytes that are looked at


def zip_type(data: bytes) -> str | None:
    """The type of a ZIP archive, Office files among them, by the names inside; None when it is none."""
    if not data.startswith(ZIP):
        return None
    if declared := re.match(rb"mimetype(application/[a-z0-9.+-]{1,100})PK", data[30:200]):  # OpenDocument, EPUB
        return declared[1].decode("ascii")
    names = list(_names(data))
    if _CONTENTS in names:
        main = re.search(rb'"application/([\w.+-]{1,100})\.main(?:\+xml)?"', _content_types(data))
        if main is not None:
            return "application/" + main[1].decode("ascii")
        for part, mime_type in _PARTS:
            if any(name.startswith(part) for name in names):
                return mime_type
    return "application/zip"


def _names(data: bytes) -> Iterator[bytes]:
    """What lies in an archive, by the directory at its end: nothing of archives that lie in it themselves."""
    end = data.rfind(b"PK\x05\x06")
    size = int.from_bytes(data[end + 12 : end + 16], "little")
    if data.startswith(b"PK\x06\x07", max(end - 20, 0)):  # there is another end for large archives before this one
        end -= 76
        size = int.from_bytes(data[end + 40 : end + 48], "little")
    at = end - size
    while 0 <= at < end and data.startswith(b"PK\x01\x02", at):
        name, extra, comment = (int.from_bytes(data[at + of : at + of + 2], "little") for of in (28, 30, 32))
        yield data[at + 46 : at + 46 + name]
        at += 46 + name + extra + comment


def _content_types(data: bytes) -> bytes:
    """The part of an archive that names the types of the others, as far as it is no longer than it should be."""
    start = data.find(_CONTENTS) - 30
    header = data[max(start, 0) : start + 30]
    if not header.startswith(ZIP[0]) or len(header) < 30:
        return b""
    method, name, extra = (int.from_bytes(header[at : at + 2], "little") for at in (8, 26, 28))
    packed = data[start + 30 + name + extra :][:_MOST_UNPACKED]
    if method != zlib.DEFLATED:
        return packed[: int.from_bytes(header[22:26], "little")]
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, _MOST_UNPACKED)
    except zlib.error:
        return b""


def compound_type(data: bytes) -> str | None:
    """The type of a compound file, such as Office wrote before 2007, by the streams in it; None when it is none."""
    if not data.startswith(COMPOUND):
        return None
    begin = _directory_of(data)
    directory = data[begin : begin + _LONGEST_DIRECTORY]
    entries = [directory[at : at + 128] for at in range(0, len(directory), 128)]  # each begins with its name
    for stream, mime_type in _STREAMS:
        if any(entry.startswith(f"{stream}\0".encode("utf-16-le")) for entry in entries):
            return mime_type
    return "application/x-ole-storage"


def compound_outline(file: IO[bytes]) -> bytes:
    """The header and the directory of a large compound file, put together as one that holds nothing else."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    header = file.read(512)
    file.seek(min(_directory_of(header), size))  # no disk lets one look where a broken header may point
    return header[:30] + b"\x09\0" + header[32:48] + bytes(4) + header[52:] + file.read(_LONGEST_DIRECTORY)


def _directory_of(data: bytes) -> int:
    """Where the directory of a compound file begins, as [MS-CFB] 2.2 tells it."""
    sector = int.from_bytes(data[48:52], "little")
    return (sector + 1) << min(int.from_bytes(data[30:32], "little"), 16)
