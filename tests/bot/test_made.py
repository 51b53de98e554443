"""What the model made, between the words it came between: cut there, named, and told to those who cannot see it."""

import pytest

from bot.answers import Answer, Draft, Media, MediaKind, TextPiece
from bot.made import Passage, files_of, marked, name_of, passages_of

PNG, JPEG = Media(MediaKind.IMAGE, "image/png", b"png"), Media(MediaKind.IMAGE, "image/jpeg", b"jpeg")
SOUND = Media(MediaKind.AUDIO, "audio/wav", b"wav")
AWAY = Media(MediaKind.VIDEO, "video/mp4", uri="https://files.example/1")


def told(*events: str | Media) -> Answer:
    draft = Draft()
    for event in events:
        draft.add(TextPiece(event) if isinstance(event, str) else event)
    return draft.answer


def names(passage: Passage) -> tuple[str, list[str]]:
    return passage.text, [file.name for file in passage.files]


@pytest.mark.parametrize(
    ("events", "passages"),
    [
        pytest.param((), [("", [])], id="nothing"),
        pytest.param(("A", " B"), [("A B", [])], id="words alone"),
        pytest.param(("A", PNG), [("A", ["image-1.png"])], id="a file at the end"),
        pytest.param((PNG, "A"), [("", ["image-1.png"]), ("A", [])], id="a file at the beginning"),
        pytest.param(
            ("A", PNG, "B", SOUND, "C"),
            [("A", ["image-1.png"]), ("B", ["audio-2.wav"]), ("C", [])],
            id="files between words",
        ),
        pytest.param(("A", PNG, " \n", JPEG), [("A", ["image-1.png", "image-2.jpg"])], id="blanks between files"),
        pytest.param(("A", AWAY, "B", PNG), [("AB", ["image-2.png"])], id="a file that stayed at Gemini"),
        pytest.param(
            ("```\nA", PNG, "\nB\n```\nC"), [("```\nA\nB\n```\nC", ["image-1.png"])], id="a file inside of code"
        ),
    ],
)
def test_an_answer_is_cut_where_files_came(
    events: tuple[str | Media, ...], passages: list[tuple[str, list[str]]]
) -> None:
    assert [names(passage) for passage in passages_of(told(*events))] == passages


def test_files_without_a_place_stand_after_the_words() -> None:
    (passage,) = passages_of(Answer(text="Here.", media=(PNG, SOUND)))
    assert names(passage) == ("Here.", ["image-1.png", "audio-2.wav"])


def test_an_answer_asked_again_forgets_where_files_were() -> None:
    draft = Draft()
    for event in (TextPiece("Some words"), PNG):
        draft.add(event)
    draft.start_over()
    for event in (PNG, TextPiece("Other words")):
        draft.add(event)
    assert draft.answer.places == (0,)


def test_marks_stand_in_the_place_of_files_that_words_come_after() -> None:
    passages = passages_of(told("See\n", PNG, "and", SOUND))
    assert marked(passages, lambda file: f"[{file.name}]") == "See\n\n[image-1.png]\n\nand"


@pytest.mark.parametrize(
    ("mime_type", "name"),
    [
        ("image/jpeg", "image-1.jpg"),
        ("image/webp", "image-1.webp"),
        ("audio/mp3", "image-1.mp3"),
        ("audio/mpeg", "image-1.mp3"),
        ("audio/x-wav", "image-1.wav"),
        ("audio/ogg; codecs=opus", "image-1.ogg"),
        ("Audio/OGG_OPUS", "image-1.ogg"),
        ("video/mp4", "image-1.mp4"),
        ("application/pdf", "image-1.pdf"),
        ("application/x-nobody-knows", "image-1"),
    ],
)
def test_a_file_ends_as_its_type_does(mime_type: str, name: str) -> None:
    assert name_of(Media(MediaKind.IMAGE, mime_type, b""), 1) == name


@pytest.mark.parametrize(
    ("events", "asked", "alt"),
    [
        pytest.param(("A *red* kite:\n", PNG), "/imagine a kite", "A red kite: (image made by AI)", id="words before"),
        pytest.param((PNG, "There."), "/imagine a kite\nin red", "a kite (image made by AI)", id="the wish"),
        pytest.param((PNG,), "Draw me a kite", "Draw me a kite (image made by AI)", id="the question"),
        pytest.param((SOUND,), None, "Audio made by AI", id="nothing known"),
    ],
)
def test_a_file_says_what_it_is_of_and_that_it_was_made_by_ai(
    events: tuple[str | Media, ...], asked: str | None, alt: str
) -> None:
    assert [file.alt for file in files_of(passages_of(told(*events), asked=asked))] == [alt]
