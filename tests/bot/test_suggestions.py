"""Search suggestions: words and links out of HTML that may be anything."""

import pytest

from bot.evidence import Suggestion
from bot.suggestions import LONGEST, MOST, suggested_by

GOOGLE = "https://www.google.com/search?q=figs"
THROUGH = "https://vertexaisearch.cloud.google.com/grounding-api-redirect/A="


@pytest.mark.parametrize(
    ("html", "found"),
    [
        pytest.param(f'<div><a class="chip" href="{GOOGLE}">figs</a></div>', [("figs", GOOGLE)], id="a link"),
        pytest.param(
            f'<style>a {{ x }}</style><a href="{THROUGH}">fig &amp; tree</a>',
            [("fig & tree", THROUGH)],
            id="through a page of Google's",
        ),
        pytest.param(
            f'<a href="{GOOGLE}"><b>red\n</b> <i>figs</i>', [("red figs", GOOGLE)], id="one that is not closed"
        ),
        pytest.param(f'<a href="{GOOGLE}"></a>', [], id="without words"),
        pytest.param('<a href="http://www.google.com/search?q=a">a</a>', [], id="not encrypted"),
        pytest.param('<a href="https://google.com.evil.example/">a</a>', [], id="a host that begins like Google's"),
        pytest.param('<a href="https://evilgoogle.com/">a</a>', [], id="a host that ends like Google's"),
        pytest.param('<a href="https://www.google.com@evil.example/">a</a>', [], id="a user who is called so"),
        pytest.param('<a href="https://www.google.com:8443/">a</a>', [], id="another port"),
        pytest.param('<a href="javascript:alert(1)">a</a><script>b</script>', [], id="a script"),
        pytest.param('<a href="https://[">a</a>', [], id="no address"),
        pytest.param("<a", [], id="not even HTML"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_what_leads_to_google_is_found_and_nothing_else(html: str, found: list[tuple[str, str]]) -> None:
    assert list(suggested_by(html)) == [Suggestion(words, url) for words, url in found]


def test_there_is_an_end_to_them() -> None:
    many = "".join(f'<a href="{GOOGLE}{number}">{"figs " * 100}{number}</a>' for number in range(10_000))

    found = list(suggested_by(many))

    assert len(found) == MOST
    assert all(len(one.words) <= LONGEST for one in found)
