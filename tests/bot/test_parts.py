"""An answer as a whole: what is put under its text stands outside of it."""

import pytest

from bot.answers import Answer
from bot.evidence import Citation
from bot.parts import markdown_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("All of it.", "All of it.\n\n_Cut short._", id="words"),
        pytest.param("```py\nx = 1", "```py\nx = 1\n```\n\n_Cut short._", id="an open fence"),
        pytest.param("```py\nx = 1\n", "```py\nx = 1\n```\n\n_Cut short._", id="an open fence after a line's end"),
        pytest.param("```py\nx = 1\n```", "```py\nx = 1\n```\n\n_Cut short._", id="a closed fence"),
        pytest.param("> ~~~\n> x", "> ~~~\n> x\n> ~~~\n\n_Cut short._", id="an open fence in a quote"),
        pytest.param("", "_Cut short._", id="nothing"),
    ],
)
def test_a_remark_never_stands_inside_the_answers_code(text: str, shown: str) -> None:
    assert markdown_of(Answer(text=text, remarks=("Cut short.",))) == shown


def test_sources_never_stand_inside_the_answers_code() -> None:
    answer = Answer(text="```\nx", citations=(Citation("https://example.org/", "A page"),))

    assert markdown_of(answer) == "```\nx\n```\n\n**Sources**\n\n1. [A page](https://example.org/)"


def test_an_answer_that_grows_stays_as_it_is() -> None:
    assert Answer(text="```\nx").markdown == "```\nx"
