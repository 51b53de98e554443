"""What the model made beside its words: where it stands between them, what it is called, and what it is of. Pure."""

import mimetypes
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from bot.answers import Answer, Media
from bot.chunks import closed
from bot.media_pieces import ANY_TYPE
from bot.parts import cleaned
from bot.ran import markdown_of_runs
from bot.wishes import wish_of

CODE_NAME = "code.md"

_LONGEST_ALT = 120  # characters of the words in it
_LOOKED_AT = 2_000  # characters before a file, and of the question
# What people save and players know; the machine's own table says .oga or .jpe, or knows nothing.
_EXTENSIONS: Mapping[str, str] = MappingProxyType(
    {
        "image/png": ".png",
        "image/jpeg": ".jpg",
        "image/webp": ".webp",
        "image/gif": ".gif",
        "image/heic": ".heic",
        "audio/mpeg": ".mp3",
        "audio/mp3": ".mp3",
        "audio/wav": ".wav",
        "audio/x-wav": ".wav",
        "audio/wave": ".wav",
        "audio/ogg": ".ogg",
        "audio/ogg_opus": ".ogg",
        "audio/opus": ".opus",
        "audio/flac": ".flac",
        "audio/aac": ".aac",
        "audio/m4a": ".m4a",
        "audio/mp4": ".m4a",
        "audio/l16": ".pcm",
        "video/mp4": ".mp4",
        "video/webm": ".webm",
        "video/quicktime": ".mov",
        "video/mov": ".mov",
        "application/pdf": ".pdf",
        "application/json": ".json",
        "text/csv": ".csv",
        "text/plain": ".txt",
        "text/markdown": ".md",
    }
)
_MIME_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,100}(?:; *[\w.+=/ -]{1,60})?", re.ASCII)
_MARKS = re.compile(r"[*_`~#>|\\]+|!?\[([^\[\]]*)\]\([^()\s]*\)")


@dataclass(frozen=True, slots=True)
class Made:
    """A file the model made.

    Attributes:
        alt: what it is of, for those who cannot see or hear it; plain text of one line.
    """

    name: str
    mime_type: str
    data: bytes = field(repr=False)
    alt: str


@dataclass(frozen=True, slots=True)
class Passage:
    """Words of an answer, and the files that came right after them."""

    text: str
    files: tuple[Made, ...] = ()


def passages_of(answer: Answer, *, asked: str | None = None) -> tuple[Passage, ...]:
    """The answer's text, cut where files came. There is always a last passage; remarks and sources belong under it.

    Code that was run is a file at the very end.

    Nothing is cut inside a block of code: what came there stands after the text.

    Args:
        asked: the question, whose beginning says what a file is of where no words stand before it.
    """
    text, came = answer.text, dict[int, list[Made]]()
    for number, media in enumerate(answer.media, 1):
        place = min(answer.places[number - 1], len(text)) if number <= len(answer.places) else len(text)
        if closed(text[:place]) != text[:place]:
            place = len(text)
        if media.data is not None:
            alt = alt_of(media, text[:place], asked)
            came.setdefault(place, []).append(Made(name_of(media, number), type_of(media), media.data, alt))
    passages: list[Passage] = []
    start = 0
    for place in sorted(came):
        words, start = text[start:place], place
        if passages and not words.strip():
            passages[-1] = Passage(passages[-1].text, (*passages[-1].files, *came[place]))
        else:
            passages.append(Passage(words, tuple(came[place])))
    if text[start:].strip() or not passages:
        passages.append(Passage(text[start:]))
    if answer.runs:
        code = Made(CODE_NAME, "text/markdown", markdown_of_runs(answer.runs).encode(), "Code that was run")
        passages[-1] = replace(passages[-1], files=(*passages[-1].files, code))
    return tuple(passages)


def files_of(passages: Sequence[Passage]) -> tuple[Made, ...]:
    """All the files, in order."""
    return tuple(file for passage in passages for file in passage.files)


def marked(passages: Sequence[Passage], mark: Callable[[Made], str]) -> str:
    """The text in one piece, with a mark in the place of every file that words come after.

    Args:
        mark: the Markdown that says which file it was.
    """
    *earlier, last = passages
    blocks = [
        block for passage in earlier for block in (closed(passage.text.strip("\n")), *map(mark, passage.files)) if block
    ]
    return "\n\n".join([*blocks, last.text.strip("\n") if blocks else last.text])


def name_of(media: Media, number: int) -> str:
    """What a file is saved as: its kind, its number in the answer, and the ending of its type."""
    mime_type = type_of(media).partition(";")[0].lower()
    return f"{media.kind}-{number}{_EXTENSIONS.get(mime_type) or mimetypes.guess_extension(mime_type) or ''}"


def type_of(media: Media) -> str:
    """Its MIME type as it can stand in a header, whatever the model calls it."""
    told = media.mime_type.strip()
    return told if _MIME_TYPE.fullmatch(told) else ANY_TYPE


def alt_of(media: Media, before: str, asked: str | None) -> str:
    """What a file is of, as far as the words around it tell, and always that it was made by AI."""
    asked = (asked or "")[:_LOOKED_AT]
    wish = wish_of(asked)
    told = [*reversed(_lines(before[-_LOOKED_AT:])), *_lines(asked if wish is None else wish)]
    words = next(iter(told), "")
    if len(words) > _LONGEST_ALT:
        words = words[: _LONGEST_ALT - 1].rstrip() + "…"
    kind = f"{media.kind.value} made by AI"
    return f"{words} ({kind})" if words else f"{kind[0].upper()}{kind[1:]}"


def _lines(text: str) -> list[str]:
    lines = (" ".join(_MARKS.sub(r"\1", line).split()) for line in cleaned(text).splitlines())
    return [line for line in lines if line]
