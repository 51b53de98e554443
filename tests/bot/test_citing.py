"""The numbers of sources in an answer: after the sentences that come from there, and nowhere where it is not sure."""

import time
from dataclasses import replace

import pytest

from adapters.discord.format import render as for_discord
from adapters.slack.format import render as for_slack
from adapters.web.format import html
from bot.answers import Answer, AnswerEvent, Draft, Media, MediaKind, TextPiece, ToolUse
from bot.citing import with_numbers
from bot.evidence import Citation
from bot.parts import markdown_of
from bot.sources import GLUE, without_sources

PICTURE = Media(MediaKind.IMAGE, "image/png", b"png")


def cited(text: str, *words: str, unit: str = "bytes") -> list[AnswerEvent]:
    """A piece of text, and a citation of each of these words in it, to as many pages."""

    def count(before: str) -> int:
        return len(before.encode()) if unit == "bytes" else len(before)

    told: list[AnswerEvent] = [TextPiece(text, begins=True)]
    for number, one in enumerate(words):
        at = text.index(one)
        span = count(text[:at]), count(text[: at + len(one)])
        told.append(Citation(f"https://e.example/{number}", f"Page {number}", *span))
    return told


def answer(*events: AnswerEvent) -> Answer:
    draft = Draft()
    for event in events:
        draft.add(event)
    return draft.answer


def shown(*events: AnswerEvent) -> str:
    return with_numbers(answer(*events)).text.replace(GLUE, "~")


UNICODE = "Grüße 🧶 aus Zürich, 日本語. Naïve 🧶 cafés open late! 東京は首都です。大阪は違う。"


@pytest.mark.parametrize("unit", ["bytes", "characters"])
def test_whichever_was_counted_the_numbers_stand_after_their_sentences(unit: str) -> None:
    words = ("Grüße 🧶 aus Zürich, 日本語.", "Naïve 🧶 cafés open late!", "東京は首都です。")

    assert shown(*cited(UNICODE, *words, unit=unit)) == (
        "Grüße 🧶 aus Zürich, 日本語.~[1] Naïve 🧶 cafés open late!~[2] 東京は首都です。~[3]大阪は違う。"
    )


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        pytest.param("It rains. It pours.", ["It rains."], "It rains.~[1] It pours.", id="a sentence"),
        pytest.param(
            "It rains. It pours.", ["It rains", "It pours"], "It rains.~[1] It pours.~[2]", id="less its stop"
        ),
        pytest.param("So (it rains.) Yes", ["it rains."], "So (it rains.)~[1] Yes", id="in brackets"),
        pytest.param("**It rains.** Yes", ["It rains."], "**It rains.**~[1] Yes", id="in bold letters"),
        pytest.param("It rains.\n\nYes.", ["It rains.\n\n"], "It rains.~[1]\n\nYes.", id="with what follows it"),
        pytest.param("It rains.  \nYes", ["It rains."], "It rains.~[1]  \nYes", id="before a break of the line"),
        pytest.param("- Figs\n    - Dates\n", ["Figs", "Dates"], "- Figs~[1]\n    - Dates~[2]\n", id="items of a list"),
        pytest.param("It rains. Yes", ["It rains.", "rains."], "It rains.~[1][2] Yes", id="two of one sentence"),
        pytest.param("```\n[`\n```\nIt rains. Yes", ["It rains."], "```\n[`\n```\nIt rains.~[1] Yes", id="under code"),
        pytest.param("Süß ist es.", ["Süß ist es."], "Süß ist es.~[1]", id="all there is"),
        pytest.param("It `is`. Yes", ["It `is`."], "It `is`.~[1] Yes", id="after code"),
        pytest.param("See [it](https://e.example/). Yes", ["See [it](https://e.example/)."], None, id="after a link"),
    ],
)
def test_a_number_stands_at_the_end_of_what_is_cited(text: str, words: list[str], expected: str | None) -> None:
    expected = expected or "See [it](https://e.example/).~[1] Yes"

    assert shown(*cited(text, *words)) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("It rains, and it pours.", "It rains", id="inside a sentence"),
        pytest.param("It rains and pours. Yes", "It rains", id="between words"),
        pytest.param("Say `so\nIt rains. Yes` now", "It rains.", id="in code that began on another line"),
        pytest.param("1. Figs ripen", "1.", id="after the number of an item"),
        pytest.param("```\nIt rains.\n```", "It rains.", id="in a block of code"),
        pytest.param("- a\n  ```\n  It rains.\n  ```\n", "It rains.", id="in a block of code in a list"),
        pytest.param("Yes:\n\n    It rains. \n", "It rains.", id="in an indented block of code"),
        pytest.param("Say `It rains. Yes` now", "It rains.", id="in code"),
        pytest.param(f"Say `{'very ' * 60}. It rains. Yes` now", "It rains.", id="in very long code"),
        pytest.param("See [It rains. Yes](https://e.example/)", "It rains.", id="in a link"),
        pytest.param("See [It rains.](https://e.example/)", "It rains.", id="at the end of a link's words"),
        pytest.param("See https://e.example/it.rains. yes", "it.", id="in an address"),
        pytest.param("| a | b |\n| - | - |\n| It rains. | Yes |", "It rains.", id="in a table"),
        pytest.param("# It rains.\n\nYes", "It rains.", id="in a heading"),
        pytest.param("<b>It rains.\n", "It rains.", id="in what may be HTML"),
        pytest.param("So \\(It rains. x\\) is", "It rains.", id="in a formula"),
        pytest.param("So $$It rains. x$$ is", "It rains.", id="in another formula"),
        pytest.param("*So it rains. It pours*", "So it rains.", id="inside what stands out"),
        pytest.param("It rains.\\\nYes", "It rains.\\", id="after a stroke that breaks the line"),
        pytest.param("東京は。(首都)", "東京は。", id="where brackets would make a link of it"),
        pytest.param("It rains [1]. Yes", "It rains [1].", id="beside numbers of the model's own"),
        pytest.param("It rains.\n\n[1]: https://e.example/", "It rains.", id="where a number is a link"),
    ],
)
def test_there_is_no_number_where_it_could_tear_something(text: str, words: str) -> None:
    assert shown(*cited(text, words)) == text


@pytest.mark.parametrize(
    "span",
    [
        pytest.param((0, 400), id="beyond the end"),
        pytest.param((-4, 14), id="before the beginning"),
        pytest.param((2, 14), id="inside a letter, and inside a word"),
        pytest.param((0, 8), id="inside a word"),
    ],
)
def test_a_count_that_cannot_be_makes_the_others_of_its_piece_doubtful(span: tuple[int, int]) -> None:
    text = "Süß raining. Yes it is."
    sure, doubtful = Citation("https://e.example/a", "A", 0, 14), Citation("https://e.example/b", "B", *span)

    assert shown(TextPiece(text), sure) == "Süß raining.~[1] Yes it is."
    assert shown(TextPiece(text), sure, doubtful) == text


def test_each_piece_of_text_is_counted_by_itself_and_files_keep_their_places() -> None:
    events = [*cited("Süß. Yes. ", "Süß."), PICTURE, *cited("It pours. No. ", "It pours."), ToolUse("url_context")]
    whole = with_numbers(answer(*events, *cited("Figs. ", "Figs."), *cited("Dates.", "Dates.")))

    assert whole.text.replace(GLUE, "~") == "Süß.~[1] Yes. It pours.~[1] No. Figs.~[1] Dates.~[1]"
    assert [whole.text[place:] for place in whole.places] == [f"It pours.{GLUE}[1] No. Figs.{GLUE}[1] Dates.{GLUE}[1]"]


def test_the_numbers_are_those_of_the_list_and_what_is_not_listed_has_none() -> None:
    sentences = [f"This is of page {chr(97 + number)}." for number in range(12)]
    text = " ".join(sentences)

    whole = with_numbers(answer(*cited(text, *reversed(sentences))))

    for number in range(10):
        assert f"page {chr(97 + number)}.{GLUE}[{number + 1}]" in whole.text
        assert f"{number + 1}. [Page {11 - number}]" in markdown_of(whole)
    assert whole.text.count(GLUE) == 10


@pytest.mark.parametrize("show", [str, for_slack, for_discord, html], ids=["as it is", "slack", "discord", "page"])
def test_every_platform_shows_them_and_they_can_be_taken_off_again(show: type[str]) -> None:
    plain = answer(*cited("It rains! Yes. (No.) **So.**\n\n1. Figs\n2. Dates", "It rains!", "(No.)", "Figs", "Dates"))
    whole = with_numbers(plain)

    shown_whole = show(markdown_of(whole))
    assert [f"{GLUE}[{number}]" in shown_whole for number in range(1, 5)] == [True] * 4
    if show is not html:
        assert without_sources(shown_whole).rstrip() == show(plain.text).rstrip()


def test_there_is_an_end_to_them_and_looking_for_their_places_takes_no_time() -> None:
    text = ("`a [b **c $$ d. " * 40 + "\n") * 300
    notes = [Citation(f"https://e.example/{at}", "E", 0, 16 * at) for at in range(1, 3000)]
    began = time.process_time()

    whole = with_numbers(replace(answer(TextPiece(text), *notes), citations=tuple(notes)))

    assert len(whole.cited) == 1000
    assert time.process_time() - began < 5
