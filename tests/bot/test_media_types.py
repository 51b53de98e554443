"""What a file is, told from its bytes."""

import os
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answers import MediaKind
from bot.media_types import GLIMPSE, PLAIN_TEXT, UNKNOWN, glimpse, recognise
from bot.office import reads_office

FILES = Path(__file__).parent.parent / "samples" / "files"
OFFICE = "application/vnd.openxmlformats-officedocument."


@pytest.mark.parametrize(
    ("file", "mime_type", "kind"),
    [
        ("picture.png", "image/png", MediaKind.IMAGE),
        ("picture.jpg", "image/jpeg", MediaKind.IMAGE),
        ("picture.webp", "image/webp", MediaKind.IMAGE),
        ("picture.heic", "image/heic", MediaKind.IMAGE),
        ("picture.heif", "image/heif", MediaKind.IMAGE),
        ("picture.gif", "image/gif", MediaKind.IMAGE),
        ("picture.bmp", "image/bmp", MediaKind.IMAGE),
        ("picture.tiff", "image/tiff", MediaKind.IMAGE),
        ("sound.wav", "audio/wav", MediaKind.AUDIO),
        ("sound.mp3", "audio/mp3", MediaKind.AUDIO),
        ("sound_untagged.mp3", "audio/mp3", MediaKind.AUDIO),
        ("sound_mpeg1.mp3", "audio/mp3", MediaKind.AUDIO),
        ("sound_mpeg25.mp3", "audio/mp3", MediaKind.AUDIO),
        ("sound.mp2", "audio/mpeg", MediaKind.AUDIO),
        ("sound.aiff", "audio/aiff", MediaKind.AUDIO),
        ("sound.aac", "audio/aac", MediaKind.AUDIO),
        ("sound_vorbis.ogg", "audio/ogg", MediaKind.AUDIO),
        ("sound.opus", "audio/ogg", MediaKind.AUDIO),
        ("sound.flac", "audio/flac", MediaKind.AUDIO),
        ("sound.m4a", "audio/m4a", MediaKind.AUDIO),
        ("voice_clip.mp4", "audio/m4a", MediaKind.AUDIO),
        ("voice_clip_fragmented.mp4", "audio/m4a", MediaKind.AUDIO),
        ("voice_clip.mov", "audio/m4a", MediaKind.AUDIO),
        ("voice_clip.3gp", "audio/m4a", MediaKind.AUDIO),
        ("voice_clip.webm", "audio/webm", MediaKind.AUDIO),
        ("film.mp4", "video/mp4", MediaKind.VIDEO),
        ("film_fragmented.mp4", "video/mp4", MediaKind.VIDEO),
        ("film_with_sound.mp4", "video/mp4", MediaKind.VIDEO),
        ("film.mpeg", "video/mpeg", MediaKind.VIDEO),
        ("film.mov", "video/mov", MediaKind.VIDEO),
        ("film.avi", "video/avi", MediaKind.VIDEO),
        ("film.flv", "video/x-flv", MediaKind.VIDEO),
        ("film.webm", "video/webm", MediaKind.VIDEO),
        ("film_with_sound.webm", "video/webm", MediaKind.VIDEO),
        ("film.wmv", "video/wmv", MediaKind.VIDEO),
        ("film.3gp", "video/3gpp", MediaKind.VIDEO),
        ("page.pdf", "application/pdf", MediaKind.DOCUMENT),
        ("letter.docx", OFFICE + "wordprocessingml.document", None),
        ("slides.pptx", OFFICE + "presentationml.presentation", None),
        ("table.xlsx", OFFICE + "spreadsheetml.sheet", None),
        ("letter.odt", "application/vnd.oasis.opendocument.text", None),
        ("template.dotx", OFFICE + "wordprocessingml.template", None),
        ("macros.docm", "application/vnd.ms-word.document.macroEnabled", None),
        ("table.ods", "application/vnd.oasis.opendocument.spreadsheet", None),
        ("slides.odp", "application/vnd.oasis.opendocument.presentation", None),
        ("letter.doc", "application/msword", None),
        ("slides.ppt", "application/vnd.ms-powerpoint", None),
        ("table.xls", "application/vnd.ms-excel", None),
        ("archive.zip", "application/zip", None),
        ("picture.avif", "image/avif", None),
        ("picture.jp2", UNKNOWN, None),
        ("film.mkv", "video/x-matroska", None),
        ("film.ogv", "video/ogg", None),
        ("sound.wma", "audio/x-ms-wma", None),
    ],
)
def test_every_kind_of_file_is_known_by_its_bytes(file: str, mime_type: str, kind: MediaKind | None) -> None:
    recognised = recognise((FILES / file).read_bytes())

    assert (recognised.mime_type, recognised.kind, recognised.text) == (mime_type, kind, None)


@pytest.mark.parametrize(
    ("data", "mime_type"),
    [
        pytest.param(b"MZ\x90\0\3\0\0\0" + bytes(9), "application/vnd.microsoft.portable-executable", id="a program"),
        pytest.param(bytes(100), UNKNOWN, id="nothing but zeros"),
        pytest.param(bytes(range(1, 256)) * 3, UNKNOWN, id="every byte there is"),
        pytest.param(b"BM" + bytes(range(128, 200)) + bytes(9), UNKNOWN, id="no picture, though it begins with BM"),
        pytest.param(b"\0\0\0\x10ftypisom\0\0\2\0", UNKNOWN, id="a film cut off before its tracks"),
        pytest.param(b"\0\0\0\x10ftypisom\0\0\2\0" + b"\0\0\0\x08moov" * 1000, UNKNOWN, id="boxes without end"),
        pytest.param(b"\0\0\0\x10ftypisom\0\0\2\0\0\0\0\x07moov", UNKNOWN, id="boxes of impossible sizes"),
        pytest.param(b"OggS\0\2", "audio/ogg", id="an Ogg page cut off in its header"),
        pytest.param(b"ID3\4\0\0\0\0\0\0" + b"fLaC\0\0\0\x22", "audio/flac", id="a tagged FLAC"),
        pytest.param(b"ID3\4\0\0\0\0\0\2\0\0\0\0\0", "audio/mp3", id="a tag with padding after it"),
        pytest.param(b"\xff\xd8\xff\xdb\0\x43", "image/jpeg", id="a bare JPEG"),
        pytest.param(b"\xff\xd8\xff\xee\0\x0e", "image/jpeg", id="an Adobe JPEG"),
        pytest.param(b"RIFF\xff\xff\xff\xffWEBPVP8X", "image/webp", id="an extended WebP"),
        pytest.param(b"FORM\0\0\0\x2eAIFCFVER", "audio/aiff", id="a compressed AIFF"),
        pytest.param(b"\r\n\xef\xbb\xbf%PDF-1.4\n%%EOF", "application/pdf", id="a PDF after a byte order mark"),
        pytest.param(b"\0\xff" * 40 + b"%PDF-1.7\n\0", "application/pdf", id="a PDF after a printer's header"),
    ],
)
def test_odd_and_broken_bytes_are_named_for_what_they_are(data: bytes, mime_type: str) -> None:
    recognised = recognise(data)

    assert (recognised.mime_type, recognised.text) == (mime_type, None)


RUSSIAN = "ясно: обычный русский текст, в котором несколько слов\n"
JAPANESE = "これは日本語のテキストです。普通の文章。\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        pytest.param("name,age\nAda,36\n", "ascii", id="a table"),
        pytest.param('{"a": [1, 2]}', "utf-8", id="JSON"),
        pytest.param("<!doctype html><p>é", "utf-8", id="a web page"),
        pytest.param('<svg xmlns="http://www.w3.org/2000/svg"/>', "utf-8", id="an SVG"),
        pytest.param('<?xml version="1.0"?><a/>', "utf-8", id="XML"),
        pytest.param("# Title\n\n*🧶*\n", "utf-8", id="Markdown"),
        pytest.param("\x1b[31mred\x1b[0m\n", "utf-8", id="a coloured log"),
        pytest.param("a", "ascii", id="one letter"),
        pytest.param("GIF89a is a picture format\n", "ascii", id="a text that begins like a GIF"),
        pytest.param("ID3 is a tag format\n", "ascii", id="a text that begins like an MP3"),
        pytest.param("BM 1200,- für Größe\n", "cp1252", id="a text that begins like a BMP"),
        pytest.param("naïve café\n", "utf-8-sig", id="UTF-8 with a mark"),
        pytest.param("naïve café — déjà vu\n", "utf-16", id="UTF-16"),
        pytest.param("naïve café — déjà vu\n", "utf-32", id="UTF-32"),
        pytest.param("hello world, plain text\n", "utf-16-le", id="UTF-16 without its mark"),
        pytest.param("hello world, plain text\n", "utf-16-be", id="UTF-16 the other way round"),
        pytest.param("name;größe\nMüller;Königstraße\n", "latin-1", id="German"),
        pytest.param("À côté de l'école, où êtes-vous né ? C'était déjà l'été.\n", "latin-1", id="French"),
        pytest.param("“Quoted” — it’s 5 €\n", "cp1252", id="Windows quotes"),
        pytest.param("Zażółć gęślą jaźń. Łódź jest piękna.\n", "cp1250", id="Polish"),
        pytest.param(RUSSIAN, "cp1251", id="Russian that begins like an AAC"),
        pytest.param("Привет, мир! Это обычный русский текст.\n", "koi8-r", id="Russian of the old Unix"),
        pytest.param("Αυτό είναι ένα ελληνικό κείμενο για δοκιμή.\n", "cp1253", id="Greek"),
        pytest.param(JAPANESE, "shift_jis", id="Japanese of Windows"),
        pytest.param(JAPANESE, "euc_jp", id="Japanese of Unix"),
        pytest.param("这是一个简单的中文文本，用来测试编码。\n", "gb18030", id="Chinese"),
        pytest.param("이것은 한국어 텍스트입니다. 인코딩을 시험합니다.\n", "euc_kr", id="Korean"),
    ],
)
def test_text_is_read_whatever_encoding_it_was_saved_in(text: str, encoding: str) -> None:
    recognised = recognise(text.encode(encoding))

    assert (recognised.mime_type, recognised.kind, recognised.text) == (PLAIN_TEXT, None, text)


def test_a_text_with_one_damaged_byte_keeps_all_the_others() -> None:
    damaged = "naïve café, déjà vu, où, là, ça, Noël, été".encode() + b"\xff!"

    assert recognise(damaged).text == "naïve café, déjà vu, où, là, ça, Noël, été\ufffd!"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t")))
def test_any_text_in_utf8_comes_back_as_it_was(text: str) -> None:
    assert recognise(text.encode()).text == text.removeprefix("\ufeff") or text.lstrip("\ufeff\n\t ").startswith("%PDF")


@given(
    st.binary(max_size=2000),
    st.sampled_from([b"", b"\0\0\0\x20ftypmp42", b"OggS", b"\x1a\x45\xdf\xa3", b"ID3", b"\xff\xfb"]),
)
def test_no_bytes_whatever_break_the_look_at_them(data: bytes, beginning: bytes) -> None:
    assert recognise(beginning + data).mime_type


def archive(parts: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w", packing) as into:
        for name, data in parts.items():
            into.writestr(name, data)
    return written.getvalue()


def test_a_part_that_unpacks_to_gigabytes_is_not_unpacked() -> None:
    bomb = archive({"[Content_Types].xml": b" " * 50_000_000, "word/document.xml": b""})

    assert recognise(bomb).mime_type == OFFICE + "wordprocessingml.document"


@pytest.mark.parametrize("size", [0, 3_000_000])
def test_an_archive_of_letters_is_no_letter(size: int) -> None:
    letter = (FILES / "letter.docx").read_bytes()
    data = archive({"a.docx": letter, "b": bytes(size), "c.docx": letter}, zipfile.ZIP_STORED)

    assert recognise(data).mime_type == "application/zip"
    assert recognise(glimpse(BytesIO(data)), whole=size == 0).mime_type == "application/zip"


def test_an_office_file_may_end_as_large_archives_do() -> None:
    data = (FILES / "letter.docx").read_bytes()
    end = data.rindex(b"PK\x05\x06")
    size = int.from_bytes(data[end + 12 : end + 16], "little")
    large = b"PK\x06\x06" + bytes(36) + size.to_bytes(8, "little") + bytes(8)
    locator = b"PK\x06\x07" + bytes(16)
    last = data[end : end + 12] + b"\xff" * 8 + data[end + 20 :]

    assert recognise(data[:end] + large + locator + last).mime_type == OFFICE + "wordprocessingml.document"


def test_a_table_in_the_binary_form_is_not_taken_for_one_that_gemini_reads() -> None:
    main = b'<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>'
    table = archive({"[Content_Types].xml": main, "xl/workbook.bin": b""})

    assert recognise(table).mime_type == "application/vnd.ms-excel.sheet.binary.macroEnabled"


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[:60], id="cut off"),
        pytest.param(lambda data: data[:60] + bytes(9) + data[69:], id="packed wrongly"),
        pytest.param(lambda data: data[:26] + b"\xff\xff\xff\xff" + data[30:], id="lengths that lead nowhere"),
    ],
)
def test_a_damaged_archive_is_still_an_archive(damage: Callable[[bytes], bytes]) -> None:
    assert recognise(damage((FILES / "letter.docx").read_bytes())).mime_type in {
        "application/zip",
        OFFICE + "wordprocessingml.document",
    }


def compound(*, begin: int) -> bytes:
    """A compound file whose directory begins so far behind its header."""
    data = (FILES / "slides.ppt").read_bytes()
    header, directory = data[:512], data[1024:]
    return header[:48] + (begin // 512 - 1).to_bytes(4, "little") + header[52:] + bytes(begin - 512) + directory


@pytest.mark.parametrize(
    ("data", "mime_type"),
    [
        pytest.param(
            archive({"ppt/media/film": os.urandom(3_000_000), "[Content_Types].xml": b"", "ppt/presentation.xml": b""}),
            OFFICE + "presentationml.presentation",
            id="slides with a film before everything else",
        ),
        pytest.param(compound(begin=4 << 20), "application/vnd.ms-powerpoint", id="slides whose directory comes last"),
        pytest.param(compound(begin=4 << 20)[: 3 << 20], "application/x-ole-storage", id="slides cut off before it"),
        pytest.param(b"%PDF-1.7\n" + bytes(3_000_000), "application/pdf", id="a PDF"),
        pytest.param(
            (b"\0\0\0\x18ftypisom" + bytes(12) + b"\xff\xff\xff\xffmdat").ljust(3_000_000, b"x"),
            UNKNOWN,
            id="a film without end",
        ),
        pytest.param(
            (b"\0\0\0\x01ftyp" + b"\xff" * 8).ljust(3_000_000, b"x"), UNKNOWN, id="a box larger than anything"
        ),
    ],
)
def test_a_large_file_is_known_by_its_telling_parts(data: bytes, mime_type: str) -> None:
    seen = glimpse(BytesIO(data))

    assert len(seen) < len(data)
    assert recognise(seen, whole=False).mime_type == mime_type


def test_a_header_may_point_to_where_no_disk_reaches() -> None:
    header = (FILES / "slides.ppt").read_bytes()[:512]
    data = header[:30] + b"\x10\0" + header[32:48] + b"\xff" * 4 + header[52:] + bytes(2_000_000)
    with TemporaryFile() as file:
        file.write(data)
        seen = glimpse(file)

    assert recognise(seen, whole=False).mime_type == "application/x-ole-storage"


def test_a_large_text_may_be_cut_within_a_letter() -> None:
    for text in ("ä" * 600_000, "x" + "日本" * 300_000):
        seen = glimpse(BytesIO(text.encode()))

        assert len(seen) == GLIMPSE
        assert recognise(seen, whole=False).text == text[: len(seen.decode(errors="ignore"))]


@pytest.mark.parametrize(
    ("model", "reads"),
    [
        ("gemini-4-hydrogen", True),
        ("models/gemini-4-hydrogen-001", True),
        ("gemini-5-helium", True),
        ("gemini-4-argon", False),  # older than Hydrogen
        ("gemini-3.8-flash", False),
        ("gemini-3.5-flash-lite", False),
        ("gemini-2.5-pro", False),
    ],
)
def test_which_models_read_office_files(model: str, reads: bool) -> None:
    assert reads_office(model) is reads
