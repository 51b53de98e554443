"""Which links of a text go to Gemini, as what, and which never do."""

import pytest

from bot.answers import Media, MediaKind
from bot.links import MOST, public_links
from bot.question_bodies import question_body

FILM = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"


@pytest.mark.parametrize(
    ("text", "kind", "mime_type", "uri"),
    [
        pytest.param("https://e.com/a.png", MediaKind.IMAGE, "image/png", "https://e.com/a.png", id="a picture"),
        pytest.param(
            "https://e.com/a.JPG?w=9#x", MediaKind.IMAGE, "image/jpeg", "https://e.com/a.JPG?w=9#x", id="a query"
        ),
        pytest.param(
            "see https://e.com/a.pdf.", MediaKind.DOCUMENT, "application/pdf", "https://e.com/a.pdf", id="a sentence"
        ),
        pytest.param(
            "[it](https://e.com/a.pdf)", MediaKind.DOCUMENT, "application/pdf", "https://e.com/a.pdf", id="Markdown"
        ),
        pytest.param("<https://e.com/a.gif|it>", MediaKind.IMAGE, "image/gif", "https://e.com/a.gif", id="Slack's way"),
        pytest.param("https://e.com/a_(b).png", MediaKind.IMAGE, "image/png", "https://e.com/a_(b).png", id="brackets"),
        pytest.param(
            "https://e.com:443/a.webp", MediaKind.IMAGE, "image/webp", "https://e.com:443/a.webp", id="the port"
        ),
        pytest.param(
            "https://xn--bcher-kva.ch/a.tif",
            MediaKind.IMAGE,
            "image/tiff",
            "https://xn--bcher-kva.ch/a.tif",
            id="an umlaut",
        ),
        pytest.param(FILM + "&t=42s", MediaKind.VIDEO, "", FILM, id="YouTube"),
        pytest.param("https://youtu.be/dQw4w9WgXcQ?si=x", MediaKind.VIDEO, "", FILM, id="YouTube in short"),
        pytest.param("https://m.youtube.com/shorts/dQw4w9WgXcQ", MediaKind.VIDEO, "", FILM, id="a short"),
        pytest.param("https://youtube.com/live/dQw4w9WgXcQ", MediaKind.VIDEO, "", FILM, id="live"),
    ],
)
def test_public_links_are_read(text: str, kind: MediaKind, mime_type: str, uri: str) -> None:
    assert public_links(text) == (Media(kind, mime_type, uri=uri),)


@pytest.mark.parametrize(
    "text",
    [
        "http://e.com/a.png",
        "ftp://e.com/a.png",
        "https://e.com/",
        "https://e.com/a.html",
        "https://e.com/a.png/view",
        "https://localhost/a.png",
        "https://printer.local/a.png",
        "https://wiki.corp/a.pdf",
        "https://wiki/a.pdf",
        "https://metadata.google.internal/a.png",
        "https://127.0.0.1/a.png",
        "https://10.1/a.png",
        "https://2130706433/a.png",
        "https://0x7f.0.0.1/a.png",
        "https://[::1]/a.png",
        "https://e.com:8443/a.png",
        "https://e.com:99999/a.png",
        "https://ada:secret@e.com/a.png",
        "https://e.com\\@f.com/a.png",
        "https://www.youtube.com/@somebody",
        "https://www.youtube.com/playlist?list=PLx",
        "https://www.youtube.com/watch?v=short",
        "https://youtube.com.evil.example/watch?v=dQw4w9WgXcQ",
        "https://youtu.be/",
    ],
)
def test_other_links_are_left_to_the_text(text: str) -> None:
    assert public_links(text) == ()


def test_each_link_counts_once_and_ten_at_the_most() -> None:
    links = [f"https://e.com/{number}.png" for number in range(20)]

    found = public_links(" ".join([links[0], *links]))

    assert [media.uri for media in found] == links[:MOST]


def test_what_stands_after_a_link_is_left_out_however_long_it_is() -> None:
    (media,) = public_links("(https://e.com/a_(b).png" + ").*" * 100_000)  # the loop serves everybody meanwhile

    assert media.uri == "https://e.com/a_(b).png"


def test_a_film_on_youtube_goes_to_gemini_by_its_address_alone() -> None:
    body = question_body(public_links(FILM), None)

    assert body == {"input": [{"type": "user_input", "content": [{"type": "video", "uri": FILM}]}]}
