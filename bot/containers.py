"""What is inside files whose first bytes name only the wrapping: MP4, Ogg, WebM, WMV, MPEG audio.

Nothing is decoded or unpacked, and the work is bounded whatever the bytes say.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import IO

_LONGEST_MOVIE = 8_000_000  # bytes of what describes a film; an hour of it takes less than two
_LONGEST_BRAND = 4096  # bytes
_MOST_BOXES = 500  # looked at inside any one box; a film has a few dozen
_PICTURE_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), "image/heic"),
    **dict.fromkeys((b"mif1", b"mif2", b"msf1"), "image/heif"),
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
}
_AUDIO_BRANDS = {b"M4A ", b"M4B ", b"M4P "}
_FIRST_BOXES = {b"moov", b"mdat", b"wide", b"free", b"skip"}  # of QuickTime files older than the ``ftyp`` box


def iso_media_type(data: bytes) -> str | None:
    """The type of a file made of ISO 14496-12 boxes (MP4, MOV, M4A, 3GP, HEIC ...); None when it is none.

    Phones label a voice clip ``video/mp4`` too, so it is the tracks that tell sound from film.
    """
    if data[4:8] == b"ftyp":
        brand = data[8:12]
    elif data[4:8] in _FIRST_BOXES:
        brand = b"qt  "
    else:
        return None
    if brand in _PICTURE_BRANDS:
        return _PICTURE_BRANDS[brand]
    tracks = set(_tracks(data))
    if b"soun" in tracks and (b"vide" not in tracks or brand in _AUDIO_BRANDS):
        return "audio/m4a"
    if b"vide" not in tracks:
        return None
    return "video/mov" if brand == b"qt  " else "video/3gpp" if brand.startswith(b"3g") else "video/mp4"


def _tracks(data: bytes) -> Iterator[bytes]:
    """The handler of each track: ``vide``, ``soun`` ..."""
    for movie in islice(_boxes(data, 0, len(data), b"moov"), 1):
        for track in _boxes(data, *movie, b"trak"):
            for media in islice(_boxes(data, *track, b"mdia"), 1):
                for start, _ in islice(_boxes(data, *media, b"hdlr"), 1):
                    yield data[start + 8 : start + 12]


def _boxes(data: bytes, start: int, end: int, name: bytes) -> Iterator[tuple[int, int]]:
    """Where the contents of the boxes called *name* lie, among the boxes between *start* and *end*."""
    for _ in range(_MOST_BOXES):
        if start + 8 > end:
            return
        size, header = _box_size(data[start : start + 16], end - start)
        if size < header:
            return
        if data[start + 4 : start + 8] == name:
            yield start + header, min(start + size, end)
        start += size


def _box_size(beginning: bytes, left: int) -> tuple[int, int]:
    """How long a box is and how much of that its header, by its first 16 bytes; one without an end takes all *left*."""
    size = int.from_bytes(beginning[:4])
    if size == 1:
        return int.from_bytes(beginning[8:16]), 16
    return size or left, 8


def iso_outline(file: IO[bytes], size: int) -> bytes:
    """The boxes of a large ISO 14496-12 file that tell what it is, without its pictures and sound."""
    start, brand = 0, b""
    for _ in range(_MOST_BOXES):
        if start + 8 > size:
            break
        file.seek(start)
        beginning = file.read(16)
        length, header = _box_size(beginning, size - start)
        if length < header:
            break
        if beginning[4:8] == b"moov":
            file.seek(start)
            return brand + file.read(min(length, _LONGEST_MOVIE))
        if start == 0 and beginning[4:8] == b"ftyp":
            file.seek(0)
            brand = file.read(min(length, _LONGEST_BRAND))
        start += length
    return brand


def ogg_type(data: bytes) -> str | None:
    """``audio/ogg`` or ``video/ogg``, by the streams an Ogg file (RFC 3533) begins with; None when it is none."""
    if not data.startswith(b"OggS"):
        return None
    start = 0
    for _ in range(32):
        header = data[start : start + 27]
        if len(header) < 27 or header[:4] != b"OggS" or not header[5] & 2:  # streams begin before any goes on
            break
        segments = data[start + 27 : start + 27 + header[26]]
        packet = start + 27 + len(segments)
        if data.startswith((b"\x80theora", b"\x01video", b"BBCD"), packet):
            return "video/ogg"
        start = packet + sum(segments)
    return "audio/ogg"


def matroska_type(data: bytes) -> str | None:
    """The type of a WebM or Matroska file, by the codecs its header names; None when it is neither."""
    if not data.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    first_cluster = data.find(b"\x1f\x43\xb6\x75", 0, 1_000_000)
    header = data[: first_cluster if first_cluster > 0 else 1_000_000]
    kind = "video" if re.search(rb"V_[A-Z]{2}", header) else "audio"
    return f"{kind}/{'webm' if b'webm' in data[:64] else 'x-matroska'}"


def asf_type(data: bytes) -> str | None:
    """``video/wmv`` or ``audio/x-ms-wma``, by the streams an ASF file declares; None when it is none."""
    if not data.startswith(bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")):
        return None
    header = data[: int.from_bytes(data[16:24], "little")]
    return "video/wmv" if bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b") in header else "audio/x-ms-wma"


_KILOBITS = {
    # by (MPEG version is 1, layer), as ISO 11172-3 and 13818-3 have them
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_HERTZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # by the version's bits


def mpeg_audio_type(data: bytes) -> str | None:
    """The type of MP3, MPEG layer II and AAC streams, with or without a tag before them; None for others.

    A frame begins with so few fixed bits that only a second one (or the end) in the right place counts
    as proof: Russian text in its old encoding begins like one.
    """
    tagged = data.startswith(b"ID3") and len(data) > 10
    if tagged:
        # The size is written in 7 bits a byte, so that it never looks like the beginning of a frame.
        high, mid, low, least = data[6:10]
        data = data[10 + (high << 21 | mid << 14 | low << 7 | least) :]
        if data.startswith(b"fLaC"):
            return "audio/flac"
    length, mime_type = _frame(data)
    if mime_type and (data[length : length + 2] == data[:2] or len(data) == length):
        return mime_type
    return "audio/mp3" if tagged else None  # players search for the first frame after a tag, and so may Gemini


def _frame(data: bytes) -> tuple[int, str | None]:
    """How long the frame at the beginning is, and its type; None when there is none."""
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return 0, None
    version, layer = data[1] >> 3 & 3, 4 - (data[1] >> 1 & 3)
    if layer == 4:  # no MPEG layer: the AAC framing called ADTS, which keeps its version bit elsewhere
        length = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
        return length, "audio/aac" if data[1] & 0xF0 == 0xF0 and length > 7 else None
    rate, hertz, padding = data[2] >> 4, data[2] >> 2 & 3, data[2] >> 1 & 1
    if version == 1 or layer == 1 or rate in {0, 15} or hertz == 3:
        return 0, None
    bits_per_sample_block = 72 if version != 3 and layer == 3 else 144
    kilobits = _KILOBITS[version == 3, layer][rate - 1]
    length = bits_per_sample_block * kilobits * 1000 // _HERTZ[version][hertz] + padding
    return length, "audio/mp3" if layer == 3 else "audio/mpeg"
