"""Code that was run, as a file and folded on the page: nothing in it gets out of its fence."""

import pytest

from adapters.web.format import blocks_with
from bot.answers import Answer
from bot.evidence import Run
from bot.made import CODE_NAME, passages_of
from bot.marks import folded, without_places
from bot.messages import MessageId
from bot.ran import markdown_of_runs

ID = MessageId("0123456789abcdef")


@pytest.mark.parametrize(
    ("run", "shown"),
    [
        pytest.param(
            Run("print(1)", "python", "1\n"), "```python\nprint(1)\n```\n\nIt printed:\n\n```\n1\n```", id="code"
        ),
        pytest.param(
            Run("x", "bash", "no", is_error=True), "```bash\nx\n```\n\nIt failed:\n\n```\nno\n```", id="a failure"
        ),
        pytest.param(Run("x", "", ""), "```\nx\n```\n\nIt printed nothing.", id="silence"),
        pytest.param(Run("x", "a b\n# c"), "```\nx\n```", id="a language that is none, and no result"),
        pytest.param(Run("a\n```\nb", "", None), "````\na\n```\nb\n````", id="a fence inside"),
    ],
)
def test_a_run_is_its_code_and_what_it_printed(run: Run, shown: str) -> None:
    assert markdown_of_runs([run]) == shown


def test_nobody_reads_a_megabyte() -> None:
    shown = markdown_of_runs([Run("x" * 90_000, "python", "y" * 90_000)] * 30)

    assert len(shown) < 20 * 30_000
    assert "(70,000 characters more)" in shown
    assert shown.endswith("and 10 more")


def test_what_is_just_as_much_as_is_shown_is_not_cut() -> None:
    shown = markdown_of_runs([Run("x" * 20_000, "python", "y" * 8_000)] * 20)

    assert "more" not in shown


def test_it_is_a_file_under_the_answer() -> None:
    (passage,) = passages_of(Answer("It is 1.", runs=(Run("print(1)", "python", "1"),)))

    assert [(file.name, file.mime_type) for file in passage.files] == [(CODE_NAME, "text/markdown")]
    assert b"print(1)" in passage.files[0].data


def test_on_the_page_it_is_folded_and_escaped_and_no_words_can_pass_for_it() -> None:
    code = markdown_of_runs([Run("<script>a</script>", "python", "1")])
    shown = f"Before\n\n{folded(code, ID)}\n\nafter\n\n{folded('mine', MessageId('another'))}"

    first, second, *rest = blocks_with(shown, (), {ID})

    assert first == "<p>Before</p>"
    assert second.startswith('<details class="ran"><summary>Code that was run</summary><figure class="code">')
    assert "&lt;script&gt;a&lt;/script&gt;" in second
    assert "<script" not in second
    assert not any("<details" in block for block in rest)
    assert without_places(shown) == f"Before\n\n{code}\n\nafter\n\nmine\n"
