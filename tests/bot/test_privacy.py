"""What people are told about what is kept of their thread."""

import pytest

from bot.messages import Platform, Thread
from bot.policy import Policy
from bot.privacy import Privacy
from bot.tools import NO_TOOLS, Toolbox

PAGE = Thread(Platform("web"), "page", "page", "thread0001")
SLACK = Thread(Platform("slack"), "T1", "C1", "1700000000.000100")
SECRET = Thread(Platform("slack"), "T1", "C2", "1700000000.000200")


def privacy(
    *,
    tier: str | None = None,
    retention_days: int | None = None,
    is_offline: bool = False,
    toolbox: Toolbox = NO_TOOLS,
    has_research: bool = False,
) -> Privacy:
    return Privacy(
        policy=Policy(private_channels=frozenset({"C2"})),
        tier=tier,
        retention_days=retention_days,
        is_offline=is_offline,
        keeps_text=frozenset({PAGE.platform}),
        toolbox=toolbox,
        has_research=has_research,
    )


@pytest.mark.parametrize(
    ("tier", "said", "unsaid"),
    [
        pytest.param(
            "paid", "keeps each exchange, what is said to me and what I answer, for 55 days.", "improve", id="paid"
        ),
        pytest.param("free", "for one day, since its key is a free one. Large", "55", id="free"),
        pytest.param(None, "for 55 days with a paid key, for one day with a free one", "since its key", id="not told"),
    ],
)
def test_how_long_gemini_keeps_exchanges_goes_by_the_key(tier: str | None, said: str, unsaid: str) -> None:
    words = privacy(tier=tier).words(SLACK)

    assert said in words
    assert unsaid not in words


@pytest.mark.parametrize("thread", [SLACK, SECRET, PAGE], ids=["a channel", "a private channel", "the page"])
def test_that_google_may_use_what_a_free_key_sends_is_said_everywhere_unless_the_key_is_a_paid_one(
    thread: Thread,
) -> None:
    assert "With a free key, Google may use what is sent" in privacy(tier="free").words(thread)
    assert "If the key is a free one, Google may use" in privacy().words(thread)
    assert "Google may use" not in privacy(tier="paid").words(thread)


def test_where_the_platform_keeps_its_messages_their_text_is_kept_no_longer_than_needed() -> None:
    words = privacy().words(SLACK)

    assert "I keep the text of a message only until it is answered" in words
    assert "yours to delete" in words


def test_the_page_keeps_text_and_files_until_somebody_asks() -> None:
    words = privacy().words(PAGE)

    assert "I keep the text and the files of this thread until it is reset or forgotten." in words
    assert "yours to delete" not in words


def test_of_a_private_thread_nothing_is_kept_at_gemini_and_all_of_it_here() -> None:
    words = privacy(tier="paid").words(SECRET)

    assert "Gemini answers, and keeps nothing of it" in words
    assert "what was said in it then is kept there until it expires or is forgotten" in words
    assert "55 days" not in words
    assert "48 hours" not in words
    assert "I keep what was said until this thread is reset or forgotten" in words


def test_the_offline_model_sends_nothing_anywhere() -> None:
    words = privacy(is_offline=True, tier="free").words(SLACK)

    assert "nothing goes to Google" in words
    assert "improve" not in words


@pytest.mark.parametrize(
    ("days", "said"),
    [
        pytest.param(None, "Nothing is forgotten by itself here", id="never"),
        pytest.param(1, "nothing happens for a day is forgotten by itself", id="a day"),
        pytest.param(30, "nothing happens for 30 days is forgotten by itself, here and at Gemini", id="days"),
    ],
)
def test_it_says_after_which_time_threads_are_forgotten(days: int | None, said: str) -> None:
    assert said in privacy(retention_days=days).words(SLACK)


def test_it_says_what_reset_and_forget_do_and_what_stays_even_then() -> None:
    words = privacy().words(SLACK)

    assert "`reset` lets me begin afresh" in words
    assert "`forget` deletes every exchange and file of this thread at Gemini" in words
    assert "The ids of messages stay here" in words


def test_what_tools_are_offered_and_what_they_keep_is_said_of_each_thread() -> None:
    box = Toolbox(everywhere=({"type": "url_context"},), search_channels=frozenset({"C1", "C2"}))
    searched, private, plain = (privacy(toolbox=box).words(thread) for thread in (SLACK, SECRET, PAGE))

    assert "Gemini may use here: reading the pages you link to, Google Search." in searched
    assert "for 30 days, and neither `reset` nor `forget` changes that." in searched
    assert "Because this thread is private, it does without Google Search." in private
    assert "30 days" not in private
    assert "Gemini may use here: reading the pages you link to." in plain
    assert "use here" not in privacy().words(SLACK)
    assert "use here" not in privacy(toolbox=box, is_offline=True).words(SLACK)


def test_what_research_leaves_at_google_is_said_where_there_is_any() -> None:
    words = privacy(has_research=True).words(SLACK)

    assert "searches the web: Google keeps questions and answers" in words
    assert "`forget` deletes the report there, not what was searched for." in words
    assert "Research" not in privacy().words(SLACK)
    assert "Research" not in privacy(has_research=True).words(SECRET)
    assert "Research" not in privacy(has_research=True, is_offline=True).words(SLACK)
