"""What kind of thing a file is, told from its bytes and spelled as Gemini spells it.

Of the libraries at hand none is right about all that Gemini takes: `puremagic` calls HEIC pictures video,
`filetype` knows no plain MP3 and is no longer kept, `python-magic` needs a C library the machine may lack,
and all of them call a voice clip video. So what is passed on is decided here, where a wrong guess would
cost the person their whole question; the library names the rest.
"""

import os
from dataclasses import dataclass, field
from typing import IO

import puremagic

from bot.answers import MediaKind
from bot.containers import asf_type, iso_media_type, iso_outline, matroska_type, mpeg_audio_type, ogg_type
from bot.encodings import certain_text, likely_text
from bot.office import COMPOUND, ZIP, compound_outline, compound_type, zip_type

UNKNOWN = "application/octet-stream"
PLAIN_TEXT = "text/plain"

_KINDS = {
    MediaKind.IMAGE: {f"image/{name}" for name in ("png", "jpeg", "webp", "heic", "heif", "gif", "bmp", "tiff")},
    MediaKind.AUDIO: {
        f"audio/{name}" for name in ("wav", "mp3", "mpeg", "aiff", "aac", "ogg", "flac", "m4a", "opus", "webm")
    },
    MediaKind.VIDEO: {f"video/{name}" for name in ("mp4", "mpeg", "mov", "avi", "x-flv", "webm", "wmv", "3gpp")},
    MediaKind.DOCUMENT: {"application/pdf"},
}

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"fLaC", "audio/flac"),
    (b"FLV\x01", "video/x-flv"),
    (b"\0\0\x01\xba", "video/mpeg"),
    (b"\0\0\x01\xb3", "video/mpeg"),
)
_CHUNKED = {
    # of the files that begin with a name, a size, and a second name
    (b"RIFF", b"WAVE"): "audio/wav",
    (b"RF64", b"WAVE"): "audio/wav",
    (b"RIFF", b"WEBP"): "image/webp",
    (b"RIFF", b"AVI "): "video/avi",
    (b"FORM", b"AIFF"): "audio/aiff",
    (b"FORM", b"AIFC"): "audio/aiff",
}
RAW_SOUND = (".pcm", ".l16", ".ulaw", ".mulaw", ".ul", ".alaw", ".al")
"""How files of sound end that hold samples and nothing else.

Gemini reads those (``audio/l16``, ``audio/mulaw``, ``audio/alaw``), yet no byte of them tells which they are, how many
make a second, nor that they are sound at all. So they are refused, with words of their own: a WAV holds the same, told.
"""

_LEAST_CONFIDENCE = 0.4  # of the library, and means four matching bytes
_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}  # bytes


@dataclass(frozen=True, slots=True)
class FileType:
    """What a file turned out to be.

    One that is neither text nor of a kind is nothing Gemini takes as it stands.
    """

    mime_type: str
    kind: MediaKind | None = None
    text: str | None = field(default=None, repr=False)


GLIMPSE = 1_000_000  # bytes


def glimpse(file: IO[bytes]) -> bytes:
    """As much of a file, open at its beginning, as tells what it is: all of it, or the telling parts of a large one."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(GLIMPSE)
    if size <= GLIMPSE:
        return head
    if head.startswith(COMPOUND):
        return compound_outline(file)
    if head.startswith(ZIP):  # the names are at the end
        file.seek(-GLIMPSE, os.SEEK_END)
        return head + file.read(GLIMPSE)
    if (outline := iso_outline(file, size)) and iso_media_type(outline) is not None:
        return outline
    return head


def recognise(data: bytes, *, whole: bool = True) -> FileType:
    """Tell what the bytes of a file are. Takes milliseconds a megabyte: for big files, use a thread.

    Args:
        whole: else they are a glimpse of a larger one.
    """
    # A PDF may be plain ASCII, every other medium holds bytes no text does; a text may begin like any of them.
    if data[:16].lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"%PDF-"):
        return _medium("application/pdf")
    text = certain_text(data, whole=whole)
    if text is not None:
        return FileType(PLAIN_TEXT, text=text)
    mime_type = _media_type(data)
    if mime_type is not None:
        return _medium(mime_type)
    text = likely_text(data)
    if text is not None:
        return FileType(PLAIN_TEXT, text=text)
    return FileType(_name_of_the_rest(data))


def _medium(mime_type: str) -> FileType:
    return FileType(mime_type, next((kind for kind, types in _KINDS.items() if mime_type in types), None))


def _media_type(data: bytes) -> str | None:
    for signature, mime_type in _SIGNATURES:
        if data.startswith(signature):
            return mime_type
    if (data[:4], data[8:12]) in _CHUNKED:
        return _CHUNKED[data[:4], data[8:12]]
    if data[:2] == b"BM" and data[6:10] == bytes(4) and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return "image/bmp"
    for look_inside in (iso_media_type, ogg_type, matroska_type, asf_type, zip_type, compound_type, mpeg_audio_type):
        inside = look_inside(data)
        if inside is not None:
            return inside
    return "application/pdf" if b"%PDF-" in data[:1024] else None


def _name_of_the_rest(data: bytes) -> str:
    """A name for what is refused. The library is not asked about what Gemini takes, so it cannot let it in."""
    try:
        guesses = puremagic.magic_string(data)
    except puremagic.PureError:
        return UNKNOWN
    trusted = (guess.mime_type for guess in guesses if guess.confidence >= _LEAST_CONFIDENCE)
    named = next((str(mime_type) for mime_type in trusted if mime_type), UNKNOWN)
    return UNKNOWN if _medium(named).kind else named
