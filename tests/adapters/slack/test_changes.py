"""What is remembered of changes, and for how long."""

from dataclasses import replace

import pytest

from adapters.slack.changes import Changes
from adapters.slack.places import SLACK
from bot.messages import MessageId, Thread

THREAD = Thread(SLACK, "T0CLEWTEAM", "C0GENERAL0", "1700000000.000100")
ASKED = MessageId("1700000123.000200")


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_700_000_200.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("at", "is_overtaken"),
    [(1_700_000_123.0002, True), (1_700_000_150.0, False), (1_700_000_160.0, False)],
    ids=["the message as it was posted", "the same edit again", "a later edit"],
)
def test_what_is_older_than_the_last_edit_counts_no_more(at: float, is_overtaken: bool) -> None:
    changes = Changes(Hand())
    changes.note(THREAD, ASKED, 1_700_000_150.0)

    assert changes.overtook(THREAD, ASKED, at) == is_overtaken
    assert not changes.is_deleted(THREAD, ASKED)


def test_nothing_comes_after_a_deletion_whichever_thread_it_was_told_of() -> None:
    changes = Changes(Hand())
    changes.note_deletion(replace(THREAD, thread_id=ASKED), ASKED)

    assert changes.is_deleted(THREAD, ASKED)
    assert changes.overtook(THREAD, ASKED, 1_800_000_000.0)
    assert not changes.is_deleted(replace(THREAD, channel_id="C0RANDOM00"), ASKED)


def test_a_change_is_remembered_for_as_long_as_slack_hands_events_over_again() -> None:
    clock = Hand()
    changes = Changes(clock)
    changes.note_deletion(THREAD, ASKED)
    clock.now += 361  # at once, after one minute, after five
    changes.note_deletion(THREAD, MessageId("1700000500.000100"))
    assert changes.is_deleted(THREAD, ASKED)

    clock.now += 600
    changes.note_deletion(THREAD, MessageId("1700001100.000100"))
    assert not changes.is_deleted(THREAD, ASKED)


def test_of_too_many_changes_the_latest_are_remembered() -> None:
    changes = Changes(Hand(), most=3)
    for number in range(5):
        changes.note_deletion(THREAD, MessageId(f"1700000123.00000{number}"))

    kept = [number for number in range(5) if changes.is_deleted(THREAD, MessageId(f"1700000123.00000{number}"))]
    assert kept == [2, 3, 4]
