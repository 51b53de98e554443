"""What an answer rests on: in the order of its text, each thing once, and each run of code with what came of it."""

import pytest

from bot.answers import Answer, AnswerEvent, Draft, Media, MediaKind, TextPiece
from bot.evidence import Citation, CodeCall, CodeResult, Run, Suggestion

PICTURE = Media(MediaKind.IMAGE, "image/png", b"png")


def told(*events: AnswerEvent) -> Answer:
    draft = Draft()
    for event in events:
        draft.add(event)
    return draft.answer


@pytest.mark.parametrize(
    ("events", "urls"),
    [
        pytest.param((Citation("b", None, 20), Citation("a", None, 3)), ["a", "b"], id="told in another order"),
        pytest.param((Citation("b"), Citation("a", None, 3)), ["a", "b"], id="one that says nothing of its place"),
        pytest.param((Citation("b", None, -4), Citation("a", None, 0)), ["a", "b"], id="one before the beginning"),
        pytest.param((Citation("b", None, 10**400), Citation("a", None, 9)), ["a", "b"], id="one far beyond the end"),
        pytest.param(
            (Citation("a", None, 9), Citation("b", None, 7), Citation("a", None, 2)), ["a", "b"], id="one cited twice"
        ),
        pytest.param(
            (TextPiece("x"), Citation("a", None, 50), PICTURE, TextPiece("y"), Citation("b", None, 0)),
            ["a", "b"],
            id="texts that are counted each by itself",
        ),
    ],
)
def test_citations_stand_in_the_order_of_the_text(events: tuple[AnswerEvent, ...], urls: list[str]) -> None:
    assert [citation.url for citation in told(*events).citations] == urls


def test_each_result_belongs_to_its_call() -> None:
    answer = told(
        CodeCall("c1", "one()", "python"),
        CodeCall("c2", "two()", "python"),
        CodeResult("c1", "1", is_error=False),
        CodeResult("c2", "boom", is_error=True),
        CodeCall("c3", "three()", "bash"),
        CodeResult("another", "3", is_error=False),
        CodeCall("c4", "four()", ""),
        CodeResult("c4", "", is_error=False),
        CodeResult("c4", "once more", is_error=False),
    )

    assert answer.runs == (
        Run("one()", "python", "1"),
        Run("two()", "python", "boom", is_error=True),
        Run("three()", "bash", "3"),
        Run("four()", "", ""),
    )
    assert not answer.is_empty


def test_an_answer_asked_again_rests_on_nothing_of_before() -> None:
    draft = Draft()
    for event in (Citation("a"), Suggestion("figs"), CodeCall("c1", "x", "")):
        draft.add(event)
    draft.start_over()

    assert draft.answer == Answer()
