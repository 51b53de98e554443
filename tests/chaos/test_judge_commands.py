"""The judge of commands, before small histories told by hand: confirmations, Quiet, and what people press."""

import pytest

from bot.commands import Command
from tests.chaos.history import End, Life, Way
from tests.chaos.told import Tellings, Told

told = Tellings()


# --- confirmations --------------------------------------------------------------------------------


@told.breaks("P1")
def a_command_that_is_never_confirmed(it: Told) -> None:
    it.gives(Command.RESET, 10, told_at=None)
    it.says("q1", 20)
    it.answers("q1", 21)


@told.breaks("P1")
def a_command_that_is_confirmed_twice(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 11)
    it.gives(Command.RESET, 20, told_at=21, told_times=2)


@told.is_right
def a_button_that_seems_to_get_nowhere(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 11)
    it.presses(Command.RETRY, 20, told_at=None)


@told.breaks("P1")
def a_button_that_is_taken_and_nothing_is_said(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 11)
    it.presses(Command.RETRY, 20, told_at=None, is_taken=True)


@told.is_right
def a_button_that_is_taken_right_before_a_death(it: Told) -> None:
    a_button_that_is_taken_and_nothing_is_said(it)
    it.lives = [Life(0, 21, End.KILLED)]


@told.is_right
def a_command_with_a_slash_that_is_answered_twice(it: Told) -> None:
    it.gives(Command.RESET, 10, told_at=11, told_times=2, way=Way.SLASH)
    it.says("q1", 20)
    it.answers("q1", 21)


# --- what people press ----------------------------------------------------------------------------


@told.is_right
def a_question_stopped_by_a_button_before_its_first_word(it: Told) -> None:
    it.says("q1", 10)
    it.presses(Command.STOP, 11, told_at=None)
    it.says("q2", 20)
    it.answers("q2", 21, knew="q1")


@told.breaks("P1")
def a_button_that_found_nothing_to_stop(it: Told) -> None:
    it.says("q1", 10)
    it.presses(Command.STOP, 11, told_at=12, told="I am not answering anything here just now.")


@told.is_right
def a_retry_pressed_again_because_it_seemed_to_get_nowhere(it: Told) -> None:
    it.says("q1", 10)
    it.is_asked("q1", 11)
    it.presses(Command.RETRY, 14, told_at=None, button="Retry 1")
    it.presses(Command.RETRY, 15, told_at=16, told="I answer the last question again.", button="Retry 1")
    it.answers("q1", 17)


@told.breaks("P4")
def a_button_pressed_twice_retries_twice(it: Told) -> None:
    it.says("q1", 10)
    it.is_asked("q1", 11)
    for at in (14.0, 18.0):
        words = "I answer the last question again."
        it.presses(Command.RETRY, at, told_at=at + 1, told=words, button="Retry 1")
        it.is_asked("q1", at + 1)
    it.shows("q1")


@told.is_right
def two_buttons_retry_twice(it: Told) -> None:
    a_button_pressed_twice_retries_twice(it)
    it.gave[-1].button = "Retry 2"


# --- quiet ----------------------------------------------------------------------------------------


@told.is_right
def what_names_nobody_is_not_answered_when_the_bot_is_quiet(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 11)
    it.gives(Command.QUIET, 20, told_at=21)
    it.says("q2", 30, is_named=False)
    it.says("q3", 40)
    it.answers("q3", 41, knew="q1 q2")


@told.breaks("P1")
def a_mention_is_not_answered_when_the_bot_is_quiet(it: Told) -> None:
    it.gives(Command.QUIET, 20, told_at=21)
    it.says("q1", 30)


@told.breaks("P1")
def what_names_nobody_is_answered_though_the_bot_is_to_be_quiet(it: Told) -> None:
    it.gives(Command.QUIET, 20, told_at=21)
    it.says("q1", 30, is_named=False)
    it.answers("q1", 31)


@told.breaks("P1")
def a_notice_to_what_was_not_said_to_the_bot(it: Told) -> None:
    it.gives(Command.QUIET, 20, told_at=21)
    it.says("q1", 30, is_named=False)
    it.notices()


@told.breaks("P1")
def what_names_nobody_was_said_before_the_bot_was_to_be_quiet(it: Told) -> None:
    it.says("q1", 10, is_named=False)
    it.gives(Command.QUIET, 20, told_at=21)


@told.is_right
def what_names_nobody_is_heard_before_the_thread_is_known_and_that_after_quiet(it: Told) -> None:
    it.says("q1", 5, is_late=True)
    it.says("q2", 10, is_named=False)
    it.gives(Command.QUIET, 20, told_at=21)
    it.answers("q1", 22)


@told.is_right
def what_names_nobody_was_said_before_an_edit_by_which_the_bot_was_called(it: Told) -> None:
    it.says("q1", 5, is_late=True, changed_at=15.0)
    it.says("q2", 10, by="bob", is_named=False, is_late=True)
    it.answers("q1", 20)


@told.is_right
def what_names_nobody_follows_a_mention_that_is_taken_back_and_was_never_heard(it: Told) -> None:
    it.says("q1", 5, is_late=True, changed_at=15.0, is_taken_back=True)
    it.says("q2", 10, by="bob", is_named=False, is_late=True)


@told.breaks("P1")
def what_names_nobody_follows_an_edit_by_which_the_bot_was_called(it: Told) -> None:
    it.says("q1", 5, is_late=True, changed_at=7.0)
    it.says("q2", 10, by="bob", is_named=False, is_late=True)
    it.answers("q1", 20)


@told.breaks("P3")
def chat_from_before_a_reset_is_known_after_it(it: Told) -> None:
    it.gives(Command.QUIET, 5, told_at=6)
    it.says("q1", 10, is_named=False)
    it.gives(Command.RESET, 20, told_at=21)
    it.says("q2", 30)
    it.answers("q2", 31, knew="q1")


@pytest.mark.parametrize("is_answered", [False, True])
@pytest.mark.parametrize(("at", "is_late"), [(20.5, False), (15.0, True)])
def test_what_comes_while_the_bot_is_told_to_be_quiet_may_be_answered_or_not(
    is_answered: bool, at: float, is_late: bool
) -> None:
    it = Told()
    it.gives(Command.QUIET, 20, told_at=21)
    it.says("q1", at, is_named=False, is_late=is_late)
    if is_answered:
        it.answers("q1", 22)
    it.says("q2", 30)
    it.answers("q2", 31, knew="q1" if is_answered else "")

    assert it.broken() == set()


test_what_is_right_has_no_verdict = told.test_of_the_right()
test_what_is_wrong_is_called_by_its_promise = told.test_of_the_wrong()
