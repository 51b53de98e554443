"""The list of sources and the suggestions under an answer, as every platform is given them."""

import time

import pytest

from adapters.discord.format import render as for_discord
from adapters.slack.format import mrkdwn
from adapters.slack.format import render as for_slack
from bot.answers import Answer
from bot.evidence import Citation, Suggestion
from bot.parts import markdown_of
from bot.sources import sources_of, without_sources

REDIRECT = "https://vertexaisearch.cloud.google.com/grounding-api-redirect/"


@pytest.mark.parametrize(
    ("citations", "lines"),
    [
        pytest.param(
            (Citation("https://e.example/a", "A"), Citation("https://e.example/a#part", "A, again")),
            ["1. [A](https://e.example/a)"],
            id="with and without a fragment",
        ),
        pytest.param(
            (Citation("https://e.example/a?id=1&utm_source=x"), Citation("http://E.example/a/?id=1", "A")),
            ["1. [A](https://e.example/a?id=1&utm_source=x)"],
            id="with and without what tells where somebody came from",
        ),
        pytest.param(
            (Citation("https://e.example/a?id=1", "A"), Citation("https://e.example/a?id=2", "A")),
            ["1. [A](https://e.example/a?id=1)", "2. [A](https://e.example/a?id=2)"],
            id="two pages of one title",
        ),
        pytest.param(
            (Citation(f"{REDIRECT}AAA", "e.example"), Citation(f"{REDIRECT}BBB", "e.example")),
            [f"1. [e.example]({REDIRECT}AAA)"],
            id="through other pages of Google's",
        ),
        pytest.param(
            (Citation("", "plan [1].pdf"), Citation("", "plan [1].pdf"), Citation("")),
            ["1. plan \\[1\\].pdf"],
            id="a file without an address",
        ),
        pytest.param(
            (Citation("javascript:x", "no"), Citation("https://[", "no"), Citation("https:///a", "no")),
            [],
            id="none that can be shown",
        ),
        pytest.param(
            (Citation("https://e.example/1", "A" * 120), Citation("https://e.example/2", "A" * 121)),
            [f"1. [{'A' * 120}](https://e.example/1)", f"2. [{'A' * 119}…](https://e.example/2)"],
            id="a title too long for a line",
        ),
        pytest.param(
            (Citation(f"https://e.example/{'a' * 2000}", "A"),), ["1. A"], id="an address too long for a line"
        ),
    ],
)
def test_each_source_is_listed_once(citations: tuple[Citation, ...], lines: list[str]) -> None:
    assert list(sources_of(citations, ())) == (["**Sources**\n\n" + "\n".join(lines)] if lines else [])


def test_of_many_sources_the_first_are_listed_and_the_others_counted() -> None:
    listed, more = sources_of([Citation(f"https://e.example/{number}") for number in range(13)], ())

    assert listed.splitlines()[-1].startswith("10. ")
    assert more == "and 3 more"


@pytest.mark.parametrize(
    ("suggestions", "line"),
    [
        pytest.param(
            (Suggestion("café"), Suggestion("Café | Zürich", "https://www.google.com/search?q=a(b)")),
            "[Café \\| Zürich](https://www.google.com/search?q=a%28b%29)",
            id="Google's own links",
        ),
        pytest.param(
            (Suggestion("café & bar"), Suggestion("café & bar")),
            "[café \\& bar](https://www.google.com/search?q=caf%C3%A9%20%26%20bar)",
            id="what was searched for, where Google gives none",
        ),
    ],
)
def test_what_google_suggests_stands_in_one_line(suggestions: tuple[Suggestion, ...], line: str) -> None:
    assert list(sources_of((), suggestions)) == [f"Google suggests: {line}"]


ANSWER = Answer(
    "It is so.\n\n1. One\n2. Two",
    citations=(*(Citation(f"https://e.example/{n}", f"Title {n} <@U1>") for n in range(12)), Citation("", "a.pdf")),
    suggestions=(Suggestion("figs", "https://www.google.com/search?q=figs"),),
    remarks=("Cut short.",),
)


@pytest.mark.parametrize("shown_on", [str, for_slack, mrkdwn, for_discord], ids=["page", "slack", "mrkdwn", "discord"])
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(ANSWER, id="with both"),
        pytest.param(Answer("So.", citations=ANSWER.citations[:2]), id="with sources"),
        pytest.param(Answer("So.", suggestions=ANSWER.suggestions), id="with suggestions"),
        pytest.param(Answer("1. One\n2. Two"), id="with neither"),
    ],
)
def test_they_can_be_taken_off_an_answer_as_a_platform_gives_it_back(answer: Answer, shown_on: type[str]) -> None:
    bare = Answer(answer.text, remarks=answer.remarks)

    assert without_sources(shown_on(markdown_of(answer))).rstrip() == shown_on(markdown_of(bare)).rstrip()


def test_taking_them_off_takes_no_time() -> None:
    began = time.process_time()
    without_sources("1. a\n" + "\n \n" * 200_000 + "x")
    without_sources("Sources\n" + " " * 200_000 + "x")

    assert time.process_time() - began < 5
