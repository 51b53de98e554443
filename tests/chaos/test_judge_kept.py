"""The judge of what is left at Gemini, before small histories told by hand: private threads, forgetting, and files."""

from bot.commands import Command
from tests.chaos.history import End, Life
from tests.chaos.told import Tellings, Told

told = Tellings()
THERE, ELSEWHERE = "https://gemini/files/a", "https://gemini/files/b"


# --- private threads ------------------------------------------------------------------------------


@told.is_right
def a_private_thread_of_which_gemini_keeps_nothing(it: Told) -> None:
    it.is_private = True
    it.says("q1", 10)
    it.is_asked("q1", 11, is_kept=False)
    it.shows("q1")
    it.says("q2", 20)
    it.is_asked("q2", 21, knew="q1", is_kept=False)
    it.shows("q2", knew="q1")


@told.breaks("P7")
def a_private_thread_that_gemini_was_let_keep(it: Told) -> None:
    it.is_private = True
    it.says("q1", 10)
    it.answers("q1", 11)


# --- forgetting -----------------------------------------------------------------------------------


@told.is_right
def a_thread_that_is_forgotten(it: Told) -> None:
    it.says("q1", 10)
    it.is_asked("q1", 11, is_there=False)
    it.shows("q1")
    it.gives(Command.FORGET, 20, told_at=21)
    it.says("q2", 30)
    it.answers("q2", 31)
    it.reports = 1


@told.breaks("P3")
def a_forgotten_exchange_that_is_known_afterwards(it: Told) -> None:
    a_thread_that_is_forgotten(it)
    it.says("q3", 40)
    it.answers("q3", 41, knew="q1 q2")


@told.breaks("P7")
def an_exchange_that_was_to_be_forgotten_is_still_at_gemini(it: Told) -> None:
    it.says("q1", 10)
    it.answers("q1", 11)
    it.gives(Command.FORGET, 20, told_at=21)
    it.reports = 1


@told.is_right
def an_exchange_that_the_bot_may_not_know_of_is_still_at_gemini(it: Told) -> None:
    an_exchange_that_was_to_be_forgotten_is_still_at_gemini(it)
    it.lives = [Life(0, 11.2, End.KILLED)]


@told.is_right
def an_exchange_that_raced_forget_is_still_at_gemini(it: Told) -> None:
    it.says("q1", 10)
    it.gives(Command.FORGET, 11, told_at=21)
    it.answers("q1", 15)
    it.reports = 1


@told.breaks("P7")
def nobody_is_told_what_became_of_forgetting(it: Told) -> None:
    a_thread_that_is_forgotten(it)
    it.reports = 0


@told.breaks("P7")
def what_became_of_forgetting_is_said_twice(it: Told) -> None:
    a_thread_that_is_forgotten(it)
    it.reports = 2


@told.is_right
def forget_given_twice_is_reported_as_one(it: Told) -> None:
    a_thread_that_is_forgotten(it)
    it.gives(Command.FORGET, 21, told_at=22)


@told.breaks("P7")
def a_file_of_a_forgotten_thread_is_still_at_gemini(it: Told) -> None:
    it.says("q1", 10)
    it.is_asked("q1", 11, is_there=False, files={"map.pdf": THERE})
    it.shows("q1")
    it.gives(Command.FORGET, 20, told_at=21)
    it.reports, it.files_there = 1, (THERE,)


@told.is_right
def a_file_that_was_asked_about_again_since_is_still_at_gemini(it: Told) -> None:
    a_file_of_a_forgotten_thread_is_still_at_gemini(it)
    it.says("q2", 30)
    it.is_asked("q2", 31, files={"map.pdf": THERE})
    it.shows("q2")


# --- files ----------------------------------------------------------------------------------------


@told.is_right
def a_file_that_is_asked_about_twice(it: Told) -> None:
    it.says("q1", 10)
    it.is_asked("q1", 11, is_told=False, files={"map.pdf": THERE})
    it.is_asked("q1", 15, files={"map.pdf": THERE})
    it.shows("q1")


@told.breaks("P4")
def a_file_that_is_sent_to_gemini_twice(it: Told) -> None:
    it.says("q1", 10)
    it.is_asked("q1", 11, is_told=False, files={"map.pdf": THERE})
    it.is_asked("q1", 15, files={"map.pdf": ELSEWHERE})
    it.shows("q1")


@told.is_right
def a_file_that_is_sent_again_because_it_was_forgotten(it: Told) -> None:
    a_file_that_is_sent_to_gemini_twice(it)
    it.gives(Command.FORGET, 12, told_at=13)
    it.reports = 1


test_what_is_right_has_no_verdict = told.test_of_the_right()
test_what_is_wrong_is_called_by_its_promise = told.test_of_the_wrong()
