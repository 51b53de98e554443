"""Pictures and sounds that the offline model makes: small, of plain numbers, the same for the same words."""

import base64
import hashlib
import io
import struct
import wave
import zlib

_SIDE = 96  # pixels
_STRIPES = 8
_RATE, _SECONDS = 8_000, 0.5  # of a sound


def picture(words: str) -> bytes:
    """A PNG of coloured squares, mirrored; which ones follows from the words."""
    seed = hashlib.sha256(words.encode("utf-8", "replace")).digest()
    paper, ink = bytes(255 - value // 4 for value in seed[:3]), bytes(value // 2 for value in seed[3:6])
    cell = _SIDE // _STRIPES
    rows = []
    for y in range(_STRIPES):
        half = [seed[6 + y] >> x & 1 for x in range(_STRIPES // 2)]
        row = b"".join((ink if is_inked else paper) * cell for is_inked in (*half, *reversed(half)))
        rows.append((b"\0" + row) * cell)  # each line begins with its filter: none
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)  # 8 bits each of red, green and blue
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(name, data)
        for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b""))
    )


def sound() -> bytes:
    """A WAV of half a second of a low hum."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(_RATE)
        file.writeframes(bytes(128 + (24 if at // 20 % 2 else -24) for at in range(int(_RATE * _SECONDS))))
    return made.getvalue()


def in_base64(data: bytes) -> str:
    """The bytes as the API tells them."""
    return base64.b64encode(data).decode("ascii")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
