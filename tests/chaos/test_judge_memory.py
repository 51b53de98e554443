"""The judge of what answers know, before small histories told by hand."""

import pytest

from bot.commands import Command
from tests.chaos.history import End, Life
from tests.chaos.told import BLOCKED, Tellings, Told

told = Tellings()


# --- P3: true memory ------------------------------------------------------------------------------


@told.breaks("P3")
def an_answer_that_does_not_know_the_one_before(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 11)
    it.says("q2", 20)
    it.answers("q2", 21)


@told.breaks("P3")
def an_answer_that_knows_another_thread(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 11, knew="q9")


@told.breaks("P3")
def an_answer_that_knows_what_was_said_later(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 21, knew="q2")
    it.says("q2", 20, by="bob")
    it.answers("q2", 22, knew="q1")


@told.breaks("P3")
def an_answer_that_gemini_never_gave(it: Told) -> None:
    it.says("q1", 10)
    it.shows("q1")


@told.breaks("P3")
def a_failed_question_the_next_one_is_not_told(it: Told) -> None:
    it.says("q1", 10)
    it.notices()
    it.says("q2", 20)
    it.answers("q2", 21)


@told.is_right
def a_blocked_question_the_next_one_is_not_told(it: Told) -> None:
    it.says("q1", 10)
    it.notices(BLOCKED)
    it.says("q2", 20)
    it.answers("q2", 21)


@told.is_right
def an_answer_after_a_reset_knows_nothing(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 11)
    it.gives(Command.RESET, 20, told_at=22)
    it.says("q2", 30)
    it.answers("q2", 31)


@told.breaks("P3")
def an_answer_after_a_reset_knows_what_stood_before(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 11)
    it.gives(Command.RESET, 20, told_at=22)
    it.says("q2", 30)
    it.answers("q2", 31, knew="q1")


@told.breaks("P3")
def an_answer_after_a_reset_knows_what_was_handed_over_late_before_it(it: Told) -> None:
    an_answer_after_a_reset_knows_what_stood_before(it)
    it.said[0].is_late = True


@told.breaks("P3")
def the_answer_after_that_one_knows_it(it: Told) -> None:
    an_answer_after_a_reset_knows_nothing(it)
    it.says("q3", 40)
    it.answers("q3", 41, knew="q1 q2")


@told.is_right
def a_question_that_waited_belongs_to_the_fresh_chain(it: Told) -> None:
    it.says("q1", 10)
    it.says("q2", 11, by="bob")
    it.is_asked("q1", 12)
    it.shows("q1", is_whole=False)
    it.gives(Command.RESET, 13, told_at=14)
    it.answers("q2", 15)
    it.says("q3", 20)
    it.answers("q3", 21, knew="q2")


@told.is_right
def a_question_on_its_way_is_stopped_by_the_reset(it: Told) -> None:
    it.says("q2", 11)
    it.gives(Command.RESET, 13, told_at=14)
    it.is_asked("q2", 14.2)
    it.notices()
    it.says("q3", 20)
    it.answers("q3", 21)


@told.breaks("P3")
def a_question_that_waited_is_forgotten_with_the_reset(it: Told) -> None:
    it.says("q2", 11)
    it.gives(Command.RESET, 13, told_at=14)
    it.answers("q2", 15)
    it.says("q3", 20)
    it.answers("q3", 21)


@told.breaks("P3")
def an_answer_before_a_reset_that_does_not_know_the_one_before(it: Told) -> None:
    an_answer_that_does_not_know_the_one_before(it)
    it.gives(Command.RESET, 30, told_at=31)


@told.breaks("P3")
def an_answer_that_gemini_never_gave_in_a_thread_that_was_reset(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 11)
    it.gives(Command.RESET, 20, told_at=21)
    it.says("q2", 30, tags=["q2", "q3"], changed_at=30.5)
    it.shows("q2", knew="q1")


@told.breaks("P3")
def an_answer_that_says_to_know_what_gemini_was_not_told(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 11)
    it.says("q2", 20)
    it.is_asked("q2", 21)
    it.shows("q2", knew="q1")


@told.breaks("P1")
def a_question_that_was_lost_is_not_missed_by_the_next_one(it: Told) -> None:
    it.says("q1", 10)
    it.says("q2", 20, by="bob")
    it.answers("q2", 21)


@pytest.mark.parametrize("knew", ["", "q1"])
def test_a_question_taken_back_after_its_answer_may_be_known_or_not(knew: str) -> None:
    it = Told()
    it.says("q1", 10, is_taken_back=True, changed_at=15.0)
    it.answers("q1", 11)
    it.says("q2", 20)
    it.answers("q2", 21, knew=knew)

    assert it.broken() == set()


@pytest.mark.parametrize("knew", ["", "q1"])
def test_a_question_asked_while_a_reset_happens_may_be_known_or_not(knew: str) -> None:
    it = Told()
    it.says("q1", 10)
    it.gives(Command.RESET, 11, told_at=13)
    it.answers("q1", 12)
    it.says("q2", 20)
    it.answers("q2", 21, knew=knew)

    assert it.broken() == set()


@pytest.mark.parametrize("knew", ["", "q1"])
def test_a_question_that_failed_about_the_time_of_a_reset_may_be_known_or_not(knew: str) -> None:
    it = Told()
    it.says("q1", 10)
    it.notices()
    it.gives(Command.RESET, 11, told_at=13)
    it.says("q2", 20)
    it.answers("q2", 21, knew=knew)

    assert it.broken() == set()


@told.breaks("P3")
def a_question_that_failed_after_a_reset_is_not_told(it: Told) -> None:
    it.gives(Command.RESET, 5, told_at=6)
    it.says("q1", 10)
    it.notices()
    it.says("q2", 20)
    it.answers("q2", 21)


@told.is_right
def an_answer_cut_in_the_midst_of_what_it_knows(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 11)
    it.says("q2", 20)
    it.answers("q2", 21, knew="q1")
    it.says("q3", 30)
    it.is_asked("q3", 31, knew="q1 q2")
    it.shows("q3", knew="q1", is_whole=False)
    it.gives(Command.STOP, 32, told_at=33)


@pytest.mark.parametrize("knew", ["", "q1"])
@pytest.mark.parametrize("told_at", [None, 30.0])
def test_an_answer_that_races_a_reset_may_come_before_or_after_it(knew: str, told_at: float | None) -> None:
    it = Told()
    it.says("q1", 10)
    it.answers("q1", 11)
    it.presses(Command.RESET, 20, told_at=told_at)
    it.says("q2", 21)
    it.answers("q2", 25, knew=knew)

    assert it.broken() == set()


@told.breaks("P3")
def an_edit_that_is_not_heeded(it: Told) -> None:
    it.says("q0", 5, by="bob")
    it.says("q1", 10, tags=["q1", "q2"], changed_at=11.0)
    it.answers("q0", 15)
    it.answers("q1", 20, knew="q0")


@told.breaks("P3")
def an_edited_question_that_gemini_was_never_asked(it: Told) -> None:
    it.says("q1", 10, tags=["q1", "q2"], changed_at=11.0)
    it.shows("q1")
    it.says("q3", 20)
    it.answers("q3", 21, knew="q1")


@told.is_right
def an_edit_that_a_bot_which_was_not_there_does_not_hear_of(it: Told) -> None:
    an_edit_that_is_not_heeded(it)
    it.lives = [Life(0, 10.5, End.KILLED), Life(15, 100, End.STOPPED)]


@pytest.mark.parametrize("tag", ["q1", "q2"])
def test_an_edit_after_which_nothing_else_was_asked_may_be_heeded_or_not(tag: str) -> None:
    it = Told()
    it.says("q0", 5, by="bob")
    it.answers("q0", 6)
    it.says("q1", 10, tags=["q1", "q2"], changed_at=11.0)
    it.answers(tag, 20, knew="q0")
    it.says("q3", 30)
    it.answers("q3", 31, knew=f"q0 {tag}")

    assert it.broken() == set()


test_what_is_right_has_no_verdict = told.test_of_the_right()
test_what_is_wrong_is_called_by_its_promise = told.test_of_the_wrong()
