"""The judge before small histories of functions: what is right passes, and what is wrong is called by its promise."""

from dataclasses import replace

from bot.approvals import DECLINED, UNSURE
from bot.commands import Command
from tests.chaos.deeds_functions import CITED, RAN
from tests.chaos.functions import sent
from tests.chaos.history import End, Life, Outcome
from tests.chaos.history_functions import Asking, Call, Decision, Functions, Mark
from tests.chaos.told import THREAD, Tellings, Told

told = Tellings()

ONE, TWO = "call-0-00000001", "call-1-00000001"


def is_called(it: Told, *, told_as: str = sent(ONE)) -> None:
    """A question for which something is called that needs approval, which somebody is asked for, and the answer."""
    it.says("q1", 10)
    it.is_asked("q1", 11, calls=(ONE,))
    it.is_asked("q1", 14, results={ONE: told_as}, after="i0")
    it.shows("q1")
    calls = {ONE: Call(ONE, "send", ("q1",), "i0")}
    it.functions = Functions(calls, asking=(Asking(THREAD, "a", (ONE,), is_open=False),), told=([{ONE: told_as}],))


def is_decided(it: Told, *, at: float = 12, approves: bool = True, is_askers: bool = True, told: str = "") -> None:
    words = told or ("Approved." if approves else "Declined.")
    one = Decision(THREAD, (ONE,), "ada" if is_askers else "bob", is_askers, approves, at, words)
    it.functions = replace(it.functions, decisions=(*it.functions.decisions, one))


def is_done(it: Told, *, at: float = 13) -> None:
    it.functions = replace(it.functions, marks=(*it.functions.marks, Mark(ONE, at)))


@told.is_right
def approved_and_done(it: Told) -> None:
    is_called(it)
    is_decided(it)
    is_done(it)


@told.is_right
def declined_and_not_done(it: Told) -> None:
    is_called(it, told_as=DECLINED)
    is_decided(it, approves=False)


@told.is_right
def begun_when_the_process_died(it: Told) -> None:
    is_called(it, told_as=UNSURE)
    is_decided(it)


@told.breaks("P5")
def done_though_nobody_was_asked(it: Told) -> None:
    is_called(it)
    is_done(it)


@told.breaks("P5")
def done_before_it_was_approved(it: Told) -> None:
    is_called(it)
    is_decided(it, at=13.5)
    is_done(it)


@told.breaks("P5")
def approved_by_somebody_else(it: Told) -> None:
    is_called(it)
    is_decided(it, is_askers=False)
    is_done(it)


@told.breaks("P5")
def done_and_declined_first(it: Told) -> None:
    is_called(it)
    is_decided(it, approves=False, at=11.5)
    is_decided(it)
    is_done(it)


@told.breaks("P4")
def done_twice(it: Told) -> None:
    approved_and_done(it)
    is_done(it, at=13.5)


@told.breaks("P3")
def told_to_be_done_and_it_was_not(it: Told) -> None:
    is_called(it)
    is_decided(it)


@told.breaks("P3")
def told_to_be_declined_and_it_was_done(it: Told) -> None:
    is_called(it, told_as=DECLINED)
    is_decided(it, told="There is nothing left to decide here.")
    is_done(it)


@told.breaks("P1")
def approved_and_told_to_be_declined(it: Told) -> None:
    is_called(it, told_as=DECLINED)
    is_decided(it)


@told.breaks("P1")
def asked_in_two_posts(it: Told) -> None:
    approved_and_done(it)
    again = Asking(THREAD, "b", (ONE,), is_open=False)
    it.functions = replace(it.functions, asking=(*it.functions.asking, again))


@told.breaks("P6")
def a_button_that_stays(it: Told) -> None:
    approved_and_done(it)
    it.functions = replace(it.functions, asking=(Asking(THREAD, "a", (ONE,), is_open=True),))


@told.breaks("P3")
def results_told_apart(it: Told) -> None:
    approved_and_done(it)
    calls = {**it.functions.calls, TWO: Call(TWO, "look_up", ("q1",), "i0")}
    it.functions = replace(it.functions, calls=calls)


@told.breaks("P3")
def a_result_told_twice_in_a_row(it: Told) -> None:
    approved_and_done(it)
    it.is_asked("q1", 15, results={ONE: sent(ONE)}, after="i1")
    it.asked[1] = replace(it.asked[1], outcome=Outcome.FAILED)


@told.breaks("P4")
def a_round_bought_again(it: Told) -> None:
    approved_and_done(it)
    it.is_asked("q1", 15, results={ONE: sent(ONE)}, after="i0")


@told.is_right
def a_round_bought_again_since_it_failed(it: Told) -> None:
    a_round_bought_again(it)
    it.asked[1] = replace(it.asked[1], outcome=Outcome.FAILED)


@told.breaks("P4")
def a_question_asked_again_though_its_calls_could_be_had(it: Told) -> None:
    approved_and_done(it)
    it.is_asked("q1", 15)


@told.is_right
def a_question_asked_again_since_results_were_refused(it: Told) -> None:
    a_question_asked_again_though_its_calls_could_be_had(it)
    it.asked[0] = replace(it.asked[0], is_refused=True)


@told.is_right
def a_question_asked_again_since_its_last_round_was_forgotten_and_the_bot_died(it: Told) -> None:
    its_last_round_forgotten(it)
    it.lives = [Life(0, 14.5, End.KILLED)]


@told.breaks("P4")
def its_last_round_forgotten(it: Told) -> None:
    a_question_asked_again_though_its_calls_could_be_had(it)
    it.asked[1] = replace(it.asked[1], outcome=Outcome.LOST, lost_at=14.2)


@told.is_right
def a_question_with_calls_asked_again_by_a_retry(it: Told) -> None:
    approved_and_done(it)
    it.gives(Command.RETRY, 14.5, told_at=14.6, told="I answer the last question again.")
    it.is_asked("q1", 15)


test_what_is_right_has_no_verdict = told.test_of_the_right()
test_what_is_wrong_is_called_by_its_promise = told.test_of_the_wrong()


# --- what stands under an answer ------------------------------------------------------------------

shown = Tellings()


def stands(it: Told, tag: str, text: str) -> None:
    it.says(tag, 10)
    it.is_asked(tag, 11)
    it.shows(tag, text=text)


SOURCES = "**Sources**\n\n1. [one](https://sources.example.org/q00100/1)"
CODE = 'print("of q00102")'


@shown.is_right
def sources_and_code_once(it: Told) -> None:
    stands(it, "q00100", f"{CITED}\n\n{SOURCES}")
    it.says("q00102", 20)
    it.answers("q00102", 21, knew="q00100")
    it.stood[-1] = replace(it.stood[-1], text=f"{RAN}\n{CODE}")


@shown.breaks("P1")
def sources_twice(it: Told) -> None:
    stands(it, "q00100", f"{CITED}\n\n{SOURCES}\n\n{SOURCES}")


@shown.breaks("P6")
def sources_missing(it: Told) -> None:
    stands(it, "q00100", CITED)


@shown.breaks("P6")
def code_missing(it: Told) -> None:
    stands(it, "q00102", RAN)


@shown.is_right
def code_missing_since_it_was_stopped(it: Told) -> None:
    code_missing(it)
    it.gives(Command.STOP, 11.5, told_at=11.6)


@shown.breaks("P1")
def code_twice(it: Told) -> None:
    stands(it, "q00102", f"{CODE}\n{CODE}")


test_what_stands_right_has_no_verdict = shown.test_of_the_right()
test_what_stands_wrong_is_called_by_its_promise = shown.test_of_the_wrong()
