"""Text out of bytes, in whatever encoding they were saved."""

import codecs
import re

from charset_normalizer import from_bytes

_MARKS = (
    # UTF-32 first: its little-endian mark begins with UTF-16's.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 100_000  # bytes or characters that are looked at where looking at all would take long
# What no text holds, beside tabs, line ends, form feeds, terminal colours, and the end mark of old DOS files.
_CONTROLS = re.compile(r"[\x00-\x07\x0e-\x19\x1c-\x1f\x7f-\x84\x86-\x9f]")
_MOST_CONTROLS = 0.02
_HIGH = re.compile(rb"[\x80-\xff]")
_LONE_HIGH = re.compile(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])")
_ASCII_LETTERS = re.compile(rb"[A-Za-z]")
# Left to itself the guesser reads French as Central European and German as Icelandic.
_CANDIDATES = [
    *("cp1252", "cp1250", "cp1251", "koi8_r", "cp866", "cp1253", "cp1254", "cp1255", "cp1256"),
    *("cp932", "euc_jp", "iso2022_jp", "gb18030", "big5", "cp949"),
]


def certain_text(data: bytes, *, whole: bool = True) -> str | None:
    """The text of *data* when a byte order mark or valid UTF-8 leaves no doubt, else None.

    Args:
        whole: else it is the beginning of something longer, and may end within a letter.
    """
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    if len(data) > _SAMPLE and _decoded(data[:_SAMPLE], encoding, whole=False) is None:
        return None  # nor is all of it, and to decode that would take as much memory once more
    return _decoded(data, encoding, whole=whole)


def likely_text(data: bytes) -> str | None:
    """The text of *data* in an older encoding, or in a slightly damaged one; None when it looks like no text."""
    if b"\0" in data:
        return _unmarked_utf16(data)
    damaged = data.decode("utf-8", "replace")
    wrong = damaged.count("\ufffd")
    if wrong * 8 <= len(data) - len(damaged):  # nearly all that is not ASCII is UTF-8
        return damaged if _reads_as_text(damaged) else None
    encoding = _older_encoding(data[:_SAMPLE])
    return None if encoding is None else _decoded(data, encoding, "replace")


def _decoded(data: bytes, encoding: str, errors: str = "strict", *, whole: bool = True) -> str | None:
    try:
        # The incremental decoder makes a copy of what it is given, so it is not for all of a large file.
        text = data.decode(encoding, errors) if whole else codecs.getincrementaldecoder(encoding)(errors).decode(data)
    except UnicodeDecodeError:
        return None
    return text if _reads_as_text(text) else None


def _reads_as_text(text: str) -> bool:
    sample = text[:_SAMPLE]
    return "\0" not in text and len(_CONTROLS.findall(sample)) <= _MOST_CONTROLS * len(sample)


def _unmarked_utf16(data: bytes) -> str | None:
    """Windows writes it at times. Text that is mostly Latin has a zero in every second byte."""
    sample = data[:_SAMPLE]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 5 < len(sample) or min(even, odd) * 10 > max(even, odd):
        return None
    return _decoded(data, "utf-16-be" if even > odd else "utf-16-le")


def _older_encoding(sample: bytes) -> str | None:
    """Western text has its accented letters one by one among plain ones, all others have them in runs."""
    high, lone = len(_HIGH.findall(sample)), len(_LONE_HIGH.findall(sample))
    if 0 < high <= 2 * lone:
        return "cp1252" if len(_ASCII_LETTERS.findall(sample)) >= high else None
    guess = from_bytes(sample, cp_isolation=_CANDIDATES).best()
    return None if guess is None else guess.encoding
