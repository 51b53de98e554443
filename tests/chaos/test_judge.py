"""The judge before small histories: what is right passes, and what is wrong is called by its promise."""

from dataclasses import replace
from typing import Any

import pytest

from bot.commands import Command
from tests.chaos.history import End, Gave, History, Life, Outcome, Said, Stood
from tests.chaos.judge import judge, threads_of
from tests.chaos.told import AWAY, ELSEWHERE, THREAD, Tellings, Told

told = Tellings()


# --- P1: answered once ----------------------------------------------------------------------------


@told.is_right
def every_question_has_its_answer(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 11)
    it.says("q2", 20)
    it.answers("q2", 21, knew="q1")


@told.breaks("P1")
def a_question_without_an_answer(it: Told) -> None:
    it.says("q1", 10)


@told.breaks("P1")
def a_question_with_two_answers(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 11)
    it.shows("q1")


@told.is_right
def several_messages_answered_as_one(it: Told) -> None:
    it.says("q1", 10)
    it.says("q2", 10.5)
    it.answers("q1 q2", 11)


@told.breaks("P1", "P4")
def one_of_them_answered_on_its_own_as_well(it: Told) -> None:
    several_messages_answered_as_one(it)
    it.answers("q2", 12, knew="q1")


@told.is_right
def a_notice_instead_of_an_answer(it: Told) -> None:
    it.says("q1", 10)
    it.notices()
    it.says("q2", 20)
    it.answers("q2", 21, knew="q1")


@told.is_right
def one_notice_for_a_turn_of_two_messages(it: Told) -> None:
    it.says("q1", 10)
    it.says("q2", 10.5)
    it.notices()


@told.breaks("P1")
def one_notice_for_two_people(it: Told) -> None:
    it.says("q1", 10)
    it.says("q2", 10.5, by="bob")
    it.notices()


@told.breaks("P1")
def a_notice_beside_an_answer(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 11)
    it.notices()


@told.breaks("P1")
def a_notice_that_stands_after_a_later_answer(it: Told) -> None:
    it.says("q1", 10)
    it.says("q2", 20, by="bob")
    it.answers("q2", 21, knew="q1")
    it.notices()


@told.is_right
def a_question_stopped_before_its_first_word(it: Told) -> None:
    it.says("q1", 10)
    it.gives(Command.STOP, 11, told_at=12)
    it.says("q2", 20)
    it.answers("q2", 21, knew="q1")


@told.breaks("P1")
def a_question_that_a_stop_cannot_have_ended(it: Told) -> None:
    it.says("q1", 10)
    it.says("q2", 20)
    it.answers("q2", 21, knew="q1")
    it.gives(Command.STOP, 25, told_at=26)


@told.breaks("P1")
def a_stop_that_found_nothing_to_stop(it: Told) -> None:
    it.says("q1", 10)
    it.gave.append(Gave(THREAD, Command.STOP, 11, "<p>I am not answering anything here just now.</p>", 12))


@told.breaks("P1")
def a_stop_before_the_question(it: Told) -> None:
    it.gives(Command.STOP, 5, told_at=6)
    it.says("q1", 10)


@told.is_right
def a_message_taken_back_has_no_answer(it: Told) -> None:
    it.says("q1", 10, is_taken_back=True, changed_at=10.5)


@told.is_right
def a_message_taken_back_too_late_has_one(it: Told) -> None:
    it.says("q1", 10, is_taken_back=True, changed_at=12.0)
    it.answers("q1", 11)


@told.breaks("P1")
def a_message_taken_back_is_answered_twice(it: Told) -> None:
    a_message_taken_back_too_late_has_one(it)
    it.shows("q1")


@told.breaks("P1")
def an_answer_in_another_thread_as_well(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 11)
    it.said.append(Said(ELSEWHERE, "12", "ada", ["q2"], 12, is_taken_back=True))
    it.elsewhere = (Stood("s", "", ("q1",), (), is_whole=True),)


@told.breaks("P1")
def a_notice_where_nobody_spoke(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 11)
    it.elsewhere = (Stood("s", AWAY, (), (), is_whole=True),)


@told.breaks("P1")
def a_bot_that_ends_by_itself(it: Told) -> None:
    it.lives = [Life(0, 100, End.CRASHED)]


# --- P2: in order ---------------------------------------------------------------------------------


@told.breaks("P2", "P3")  # what comes first cannot know what was said before it
def the_second_question_answered_first(it: Told) -> None:
    it.says("q1", 10)
    it.says("q2", 11, by="bob")
    it.answers("q2", 12)
    it.answers("q1", 13)


@told.is_right
def a_question_handed_over_late_answered_late(it: Told) -> None:
    it.says("q1", 10, is_late=True)
    it.says("q2", 11, by="bob")
    it.answers("q2", 12)
    it.answers("q1", 13, knew="q2")


# --- P4: paid once --------------------------------------------------------------------------------


@told.breaks("P4")
def a_question_asked_again_that_was_answered(it: Told) -> None:
    it.says("q1", 10)
    it.is_asked("q1", 11)
    it.answers("q1", 15)


@pytest.mark.parametrize(
    "first",
    [
        {"outcome": Outcome.FAILED},
        {"outcome": Outcome.LOST},
        {"outcome": Outcome.RUNNING},
        {"is_kept": False},
        {"is_told": False},
        {"ended_at": 22.0},
    ],
    ids=["failed", "lost", "still running", "never kept", "its id never sent", "longer than a turn waits"],
)
def test_a_question_whose_interaction_came_to_nothing_may_be_asked_again(first: dict[str, Any]) -> None:
    it = Told()
    it.says("q1", 10)
    it.is_asked("q1", 11, **first)
    it.answers("q1", 23)

    assert it.broken() == set()


@told.is_right
def a_question_asked_again_after_a_death_in_between(it: Told) -> None:
    a_question_asked_again_that_was_answered(it)
    it.lives = [Life(0, 11.3, End.KILLED)]


@told.breaks("P4")
def a_question_asked_again_after_a_death_long_after(it: Told) -> None:
    a_question_asked_again_that_was_answered(it)
    it.lives = [Life(0, 13.5, End.KILLED)]


@told.breaks("P4")
def an_interaction_that_took_long_is_not_waited_for_to_the_end(it: Told) -> None:
    it.turn_limit = None
    it.says("q1", 10)
    it.is_asked("q1", 11, ended_at=22.0)
    it.answers("q1", 23)


@told.is_right
def an_interaction_that_was_forgotten_before_the_question_was_asked_again(it: Told) -> None:
    it.says("q1", 10)
    it.is_asked("q1", 11, lost_at=14.0)
    it.answers("q1", 15)


@told.breaks("P4")
def an_interaction_that_was_forgotten_after_the_question_was_asked_again(it: Told) -> None:
    it.says("q1", 10)
    it.is_asked("q1", 11, lost_at=16.0)
    it.answers("q1", 15)


@told.is_right
def a_retry_asks_again(it: Told) -> None:
    it.says("q1", 10)
    it.is_asked("q1", 11)
    it.presses(Command.RETRY, 14, told_at=None)
    it.answers("q1", 15)


@told.is_right
def a_retry_given_while_the_bot_was_away_asks_again(it: Told) -> None:
    it.gives(Command.RETRY, 5, told_at=14)
    it.gave[0].told = "<p>I answer the last question again.</p>"
    a_question_asked_again_that_was_answered(it)


@told.breaks("P4")
def a_retry_that_was_done_before_asks_again(it: Told) -> None:
    a_retry_given_while_the_bot_was_away_asks_again(it)
    it.gave[0].told_at = 6


@told.breaks("P4")
def a_retry_that_was_refused_asks_again(it: Told) -> None:
    a_retry_given_while_the_bot_was_away_asks_again(it)
    it.gave[0].told = "I am still answering in this thread."


@told.breaks("P4")
def a_retry_asks_twice_again(it: Told) -> None:
    a_retry_asks_again(it)
    it.is_asked("q1", 18)


# --- P5 and P6 ------------------------------------------------------------------------------------


@told.breaks("P5")
def somebody_is_pinged(it: Told) -> None:
    it.harm = ("<!channel>",)


@told.breaks("P6")
def a_status_is_left_on(it: Told) -> None:
    it.left = ("is thinking...",)


@told.breaks("P6")
def a_placeholder_is_left(it: Told) -> None:
    it.says("q1", 10)
    it.shows("", is_whole=False, is_growing=True)


@told.breaks("P6")
def an_answer_is_cut_and_nobody_stopped_it(it: Told) -> None:
    it.says("q1", 10)
    it.is_asked("q1", 11)
    it.shows("q1", is_whole=False)


@told.is_right
def an_answer_is_cut_by_a_stop(it: Told) -> None:
    an_answer_is_cut_and_nobody_stopped_it(it)
    it.gives(Command.STOP, 12, told_at=13)
    it.says("q2", 20)
    it.answers("q2", 21, knew="q1")


@told.is_right
def an_answer_is_cut_by_a_stop_given_while_the_bot_was_away(it: Told) -> None:
    an_answer_is_cut_and_nobody_stopped_it(it)
    it.gives(Command.STOP, 1, told_at=13)


@told.breaks("P6")
def an_answer_is_cut_and_the_stop_came_to_an_earlier_one(it: Told) -> None:
    it.gives(Command.STOP, 1, told_at=2)
    an_answer_is_cut_and_nobody_stopped_it(it)


@told.breaks("P6")
def an_answer_is_cut_and_the_stop_came_to_a_later_one(it: Told) -> None:
    an_answer_is_cut_and_nobody_stopped_it(it)
    it.says("q2", 20)
    it.answers("q2", 21, knew="q1")
    it.gives(Command.STOP, 30, told_at=31)


@told.breaks("P6")
def an_answer_that_was_stopped_still_looks_as_if_it_grew(it: Told) -> None:
    an_answer_is_cut_by_a_stop(it)
    it.stood[0] = replace(it.stood[0], is_growing=True)


test_what_is_right_has_no_verdict = told.test_of_the_right()
test_what_is_wrong_is_called_by_its_promise = told.test_of_the_wrong()


def test_a_verdict_names_its_thread_and_shows_what_it_goes_by() -> None:
    said = Said(THREAD, "10", "ada", ["q1"], 10)
    (verdict,) = found = judge(History(1, [said]))

    assert "q1" in verdict.words
    assert verdict.evidence == (said,)
    assert threads_of(found) == {THREAD}


def test_a_turn_of_two_messages_that_is_paid_for_twice_is_one_verdict() -> None:
    it = Told()
    it.says("q1", 10)
    it.says("q2", 10.5)
    it.is_asked("q1 q2", 11)
    it.answers("q1 q2", 15)

    assert len(it.verdicts()) == 1
