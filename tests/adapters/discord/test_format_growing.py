"""An answer that grows in Discord: what no growth whatever may bring about."""


from hypothesis import HealthCheck, given, settings

from adapters.discord.format import growing_markdown_of, markdown_of, render
from bot.answers import Answer
from tests.adapters.discord.texts import HOSTILE

thoroughly = settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])


def grown(text: str) -> str:
    return render(growing_markdown_of(Answer(text)), whole=False).rstrip()


@thoroughly
@given(HOSTILE)
def test_what_is_shown_of_a_growing_answer_only_grows(text: str) -> None:
    shown = ""
    for end in range(len(text) + 1):
        before, shown = shown, grown(text[:end])
        assert shown.startswith(before)
    assert render(markdown_of(Answer(text))).startswith(shown)
