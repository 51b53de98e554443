"""Files in a streamed answer, in every way Gemini might send them."""

import base64
from collections.abc import Sequence

import pytest

from bot.answers import AnswerEvent, Media, MediaKind, TextPiece
from bot.interactions import Hop, read_fetched

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt and then the sound of the sea"
MP4 = b"\x00\x00\x00\x20ftypisom a film"
PCM = b"\x01\x02\x03\x04\x05\x06\x07"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def told(*deltas: dict[str, object]) -> list[AnswerEvent]:
    """What a stream of these deltas tells, all of one step."""
    hop, events = Hop(), [{"event_type": "step.delta", "index": 0, "delta": delta} for delta in deltas]
    return [told for event in [*events, {"event_type": "step.stop", "index": 0}] for told in hop.read(event)]


def deltas(kind: str, mime_type: str, *pieces: str) -> list[dict[str, object]]:
    return [{"type": kind, "mime_type": mime_type, "data": piece} for piece in pieces]


def slices(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


@pytest.mark.parametrize(
    ("kind", "mime_type", "pieces", "files"),
    [
        ("image", "image/png", [b64(PNG)], [PNG]),
        ("image", "image/png", [b64(PNG), b64(PNG)], [PNG, PNG]),
        ("image", "image/jpeg", [b64(JPEG), b64(JPEG), b64(JPEG)], [JPEG, JPEG, JPEG]),
        ("image", "image/png", [b64(PNG[:40]), b64(PNG[40:])], [PNG]),
        ("audio", "audio/wav", [b64(WAV[:10]), b64(WAV[10:21]), b64(WAV[21:])], [WAV]),
        ("audio", "audio/wav", slices(b64(WAV), 8), [WAV]),
        ("audio", "audio/wav", slices(b64(WAV), 7), [WAV]),
        ("audio", "audio/wav", [b64(WAV), b64(WAV)], [WAV, WAV]),
        ("audio", "audio/l16", [b64(PCM), b64(PCM)], [PCM + PCM]),
        ("video", "video/mp4", [b64(MP4[:12]), b64(MP4[12:]), b64(MP4)], [MP4, MP4]),
        ("document", "application/pdf", [b64(b"%PDF-1.7"), b64(b" the rest")], [b"%PDF-1.7 the rest"]),
    ],
    ids=[
        "one picture", "two whole pictures", "three whole pictures", "a picture in two parts",
        "a sound in parts that are base64 each", "one base64 text cut at its seams",
        "one base64 text cut anywhere", "two whole sounds", "raw sound has no beginning to tell",
        "a film in parts, then a whole one", "a document in parts",
    ],
)  # fmt: skip
def test_files_arrive_whole_however_they_are_cut(
    kind: str, mime_type: str, pieces: Sequence[str], files: Sequence[bytes]
) -> None:
    expected = [Media(MediaKind(kind), mime_type, data=data) for data in files]

    assert told(*deltas(kind, mime_type, *pieces)) == expected


def test_text_between_two_pictures_keeps_its_place() -> None:
    picture = deltas("image", "image/png", b64(PNG))

    events = told({"type": "text", "text": "one"}, *picture, {"type": "text", "text": "two"}, *picture)

    image = Media(MediaKind.IMAGE, "image/png", data=PNG)
    assert events == [TextPiece("one"), image, TextPiece("two"), image]


def test_files_of_different_types_are_different_files() -> None:
    events = told(*deltas("audio", "audio/l16", b64(PCM)), *deltas("audio", "audio/mp3", b64(PCM)))

    assert [event.mime_type for event in events if isinstance(event, Media)] == ["audio/l16", "audio/mp3"]


def test_a_part_without_a_type_goes_on_with_the_file_before_it() -> None:
    first, second = deltas("audio", "audio/wav", b64(WAV[:20]), b64(WAV[20:]))
    del second["mime_type"]

    assert told(first, second) == [Media(MediaKind.AUDIO, "audio/wav", data=WAV)]


def test_a_file_that_is_not_base64_is_left_out_and_the_rest_is_told() -> None:
    events = told(*deltas("image", "image/png", "no base64!"), {"type": "text", "text": "here it is"})

    assert events == [TextPiece("here it is")]


def test_a_file_kept_elsewhere_is_told_by_its_address() -> None:
    events = told({"type": "video", "mime_type": "video/mp4", "uri": "https://example.org/film"})

    assert events == [Media(MediaKind.VIDEO, "video/mp4", uri="https://example.org/film")]


def test_an_undecodable_file_of_a_fetched_answer_is_left_out_too() -> None:
    found = read_fetched(
        b'{"id":"v1_a","status":"completed","steps":[{"type":"model_output","content":'
        b'[{"type":"image","data":"no base64!","mime_type":"image/png"},{"type":"text","text":"here"}]}]}'
    )

    assert found is not None
    assert found.content == (TextPiece("here"),)
