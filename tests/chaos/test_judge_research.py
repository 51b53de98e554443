"""The judge of research, before small histories told by hand: one report or one notice, begun once, ended for good."""

from dataclasses import replace

from bot.commands import Command
from bot.errors import ResearchFailed, ResearchSpent, ResearchUncertain
from bot.notices import RESEARCH_STOPPED, notice_for, research_warning
from tests.chaos.gemini import answer
from tests.chaos.history import Outcome
from tests.chaos.researches import AGENT
from tests.chaos.told import Tellings, Told

told = Tellings()
FAILED, UNCERTAIN, SPENT = map(notice_for, (ResearchFailed(""), ResearchUncertain(""), ResearchSpent(4)))


def begins(it: Told, tags: str, at: float, *, knew: str = "", **more: object) -> None:
    """The agent is asked."""
    it.is_asked(tags, at, knew=knew, **{"agent": AGENT, "is_background": True, "ended_at": at + 3, **more})


def reports(it: Told, tags: str, at: float, *, knew: str = "", files: int = 1) -> None:
    """It is asked, and its report stands there with so many files of it."""
    begins(it, tags, at, knew=knew)
    it.shows(tags, knew=knew)
    it.saved = [*(it.saved or ()), *[answer(tags.split(), knew.split())] * files]


# --- what stands there ----------------------------------------------------------------------------


@told.is_right
def a_report_that_is_attached_and_gone_on_from(it: Told) -> None:
    it.says("q00001", 10)
    reports(it, "q00001", 11)
    it.says("q00002", 20)
    it.is_asked("q00002", 21, knew="q00001", after="i0")
    it.shows("q00002", knew="q00001")


@told.breaks("P1")
def a_report_without_its_file(it: Told) -> None:
    it.says("q00001", 10)
    reports(it, "q00001", 11, files=0)
    it.saved = []


@told.breaks("P1")
def a_report_with_its_file_twice(it: Told) -> None:
    it.says("q00001", 10)
    reports(it, "q00001", 11, files=2)


@told.breaks("P1")
def a_report_with_a_part_of_it_in_its_file(it: Told) -> None:
    it.says("q00001", 10)
    reports(it, "q00001", 11)
    it.saved = ["Answer to q00001."]


@told.breaks("P1")
def a_file_that_was_left_of_what_was_stopped(it: Told) -> None:
    it.says("q00001", 10)
    begins(it, "q00001", 11, is_cancelled=True, outcome=Outcome.FAILED)
    it.gives(Command.STOP, 12, told_at=12.5)
    it.notices(RESEARCH_STOPPED)
    it.saved = [answer(["q00001"], [])]


@told.breaks("P1", "P6")
def a_warning_that_stays(it: Told) -> None:
    it.says("q00001", 10)
    begins(it, "q00001", 11, outcome=Outcome.FAILED)
    it.shows("", text=research_warning(AGENT, 20), is_whole=False, is_growing=True)


@told.breaks("P1")
def research_that_ends_without_a_word(it: Told) -> None:
    it.says("q00001", 10)
    begins(it, "q00001", 11, outcome=Outcome.FAILED)


@told.breaks("P3")
def a_report_that_is_told_in_words_and_not_gone_on_from(it: Told) -> None:
    it.says("q00001", 10)
    reports(it, "q00001", 11)
    it.says("q00002", 20)
    it.answers("q00002", 21, knew="q00001")


@told.is_right
def a_report_that_gemini_had_forgotten(it: Told) -> None:
    it.says("q00001", 10)
    reports(it, "q00001", 11)
    it.asked[-1] = replace(it.asked[-1], lost_at=15, is_there=False)
    it.says("q00002", 20)
    it.answers("q00002", 21, knew="q00001")


# --- begun once -----------------------------------------------------------------------------------


@told.is_right
def an_uncertain_beginning_that_is_told(it: Told) -> None:
    it.says("q00001", 10)
    begins(it, "q00001", 11, is_told=False, is_at_work=True, ended_at=None, outcome=Outcome.RUNNING)
    it.notices(UNCERTAIN)


@told.breaks("P4")
def an_uncertain_beginning_that_is_made_again(it: Told) -> None:
    it.says("q00001", 10)
    begins(it, "q00001", 11, is_told=False)
    reports(it, "q00001", 14)


@told.is_right
def research_that_failed_and_is_retried(it: Told) -> None:
    it.says("q00001", 10)
    begins(it, "q00001", 11, outcome=Outcome.FAILED)
    it.gives(Command.RETRY, 20, told_at=20.5, told="I answer the last question again.")
    reports(it, "q00001", 21)


@told.breaks("P4")
def research_that_was_stopped_and_is_begun_again(it: Told) -> None:
    it.says("q00001", 10)
    begins(it, "q00001", 11, is_cancelled=True, outcome=Outcome.FAILED)
    it.gives(Command.STOP, 12, told_at=12.5)
    reports(it, "q00001", 20)


@told.is_right
def as_much_research_as_there_may_be(it: Told) -> None:
    it.most_research = 1
    a_report_that_is_attached_and_gone_on_from(it)


@told.breaks("P4")
def more_research_than_there_may_be(it: Told) -> None:
    as_much_research_as_there_may_be(it)
    it.most_research = 0


@told.is_right
def a_question_that_waited_again_when_it_was_forgotten_and_came_too_late_for_research(it: Told) -> None:
    it.says("q00001", 10)
    it.is_asked("q00001", 11, is_there=False)
    it.gives(Command.RETRY, 20, told_at=21, told="I answer the last question again.")
    it.gives(Command.FORGET, 20.5, told_at=21.5)
    it.notices(SPENT)
    it.reports = 1
    it.says("q00002", 30)
    it.answers("q00002", 31, knew="q00001")


# --- cancelled ------------------------------------------------------------------------------------


@told.is_right
def research_that_is_stopped(it: Told) -> None:
    it.says("q00001", 10)
    begins(it, "q00001", 11, is_cancelled=True, outcome=Outcome.FAILED)
    it.gives(Command.STOP, 12, told_at=12.5)
    it.notices(RESEARCH_STOPPED)


@told.breaks("P4")
def research_that_is_stopped_and_runs_on(it: Told) -> None:
    it.says("q00001", 10)
    begins(it, "q00001", 11, is_at_work=True, ended_at=None, outcome=Outcome.RUNNING)
    it.gives(Command.STOP, 12, told_at=12.5)
    it.notices(RESEARCH_STOPPED)


@told.breaks("P4")
def research_that_is_stopped_and_runs_until_it_is_done(it: Told) -> None:
    it.says("q00001", 10)
    begins(it, "q00001", 11, ended_at=20.0)
    it.gives(Command.STOP, 13, told_at=13.5)
    it.notices(RESEARCH_STOPPED)


@told.breaks("P4")
def research_that_is_deleted_and_runs_on(it: Told) -> None:
    it.says("q00001", 10)
    begins(it, "q00001", 11, is_at_work=True, is_there=False, is_deleted=True, outcome=Outcome.LOST)
    it.gives(Command.FORGET, 12, told_at=12.5)
    it.notices(RESEARCH_STOPPED)
    it.reports = 1


@told.is_right
def research_that_takes_too_long(it: Told) -> None:
    it.says("q00001", 10)
    begins(it, "q00001", 11, is_cancelled=True, ended_at=32.0, outcome=Outcome.FAILED)
    it.notices(FAILED)


@told.breaks("P4")
def research_that_is_cancelled_while_somebody_waits_for_it(it: Told) -> None:
    it.says("q00001", 10)
    begins(it, "q00001", 11, is_cancelled=True, outcome=Outcome.FAILED)
    it.notices(FAILED)


test_what_is_right_has_no_verdict = told.test_of_the_right()
test_what_is_wrong_is_called_by_its_promise = told.test_of_the_wrong()
