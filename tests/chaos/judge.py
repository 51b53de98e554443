"""The judge of a run of chaos: which promises were broken, by what people saw and what Gemini was asked alone.

A small function for each promise, with what it allows and why. Where it has to choose between crying wolf and being
blind it says so: what is allowed is named by its reason, never by how much of it there was.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from bot.commands import Command
from bot.messages import Thread
from tests.chaos.case import Case, Due, cases, done_by, retries_of
from tests.chaos.history import Asked, End, Gave, History, Outcome, Said, Stood, Verdict, Way
from tests.chaos.judge_commands import commands_are_heeded
from tests.chaos.judge_functions import (
    asked_the_same,
    functions_are_heeded,
    results_refused,
    rounds_lost,
    shows_what_it_did,
)
from tests.chaos.judge_kept import kept_as_promised
from tests.chaos.judge_memory import memory_is_true
from tests.chaos.judge_research import research_is_right, within_the_cap

ENDS_A_TURN = frozenset({Command.STOP, Command.RESET, Command.FORGET})


def judge(history: History) -> list[Verdict]:
    """Every promise that was broken, thread by thread; none in a run that was right."""
    verdicts = [*_nobody_is_harmed(history), *_nothing_is_left(history), *_it_lives(history)]
    verdicts += [*_nothing_stands_elsewhere(history), *within_the_cap(history)]
    verdicts += functions_are_heeded(history)
    for case in cases(history):
        verdicts += _answered_once(case)
        verdicts += _told_why_not(case)
        verdicts += _in_order(case)
        verdicts += memory_is_true(case)
        verdicts += _paid_once(case)
        verdicts += _is_finished(case)
        verdicts += commands_are_heeded(case)
        verdicts += kept_as_promised(case)
        verdicts += shows_what_it_did(case)
        verdicts += research_is_right(case)
    return verdicts


# --- P1: answered once ----------------------------------------------------------------------------


def _answered_once(case: Case) -> Iterator[Verdict]:
    """No message has two answers.

    An answer names its questions once, in whichever of its messages: who collects the history joins those of one
    answer. A retry replaces the answer in its place, so it never stands beside the old one. A message that was
    edited is one message, whichever of its texts the answer names.
    """
    for number, said in enumerate(case.said):
        answers = [one for one in case.answers if number in case.answered_by(one)]
        if len(answers) > 1:
            yield case.verdict("P1", f"{said.tags[0]} has {len(answers)} answers", said, *answers)


def _told_why_not(case: Case) -> Iterator[Verdict]:
    """What has no answer has a notice, between the answers to what was said before and after it.

    A notice names no question. Consecutive messages of one person may be one turn, of two people never: so there
    are at least as many notices as people, and at most as many as messages. A message that was taken back needs
    neither answer nor notice, and may have either: it may have been taken before. Of what is not said to the bot see
    `Case.due`.

    Whoever stopped or reset was told so, and where the turn that this ended had no word yet, that is all there is.
    Whoever pressed a button for it may not have been told, when the bot died before it could.

    What was handed over late may be answered later than its place says. In a thread with such a message the notices
    are counted over all of it.
    """
    unanswered = [
        number for number in range(len(case.said)) if not case.is_answered(number) and case.due(number) is not Due.NO
    ]
    gaps = range(1) if case.has_late else range(len(case.answers) + 1)
    for gap in gaps:
        numbers = [number for number in unanswered if case.has_late or case.gap_of(number) == gap]
        here = [case.said[number] for number in numbers]
        notices = [one for one in case.notices if case.has_late or case.gap_after(one) == gap]
        owed = [case.said[n] for n in numbers if case.due(n) is Due.YES and not case.said[n].is_taken_back]
        people = {said.by for said in owed}
        if len(notices) + len(_ended_by_word(here, gap, case)) < len(people):
            tags = ", ".join(said.tags[0] for said in owed)
            words = f"{tags}: no answer, and {len(notices)} notices where {len(people)} people asked"
            yield case.verdict("P1", words, *here, *notices)
        elif len(notices) > len(here):
            yield case.verdict("P1", f"{len(notices)} notices for {len(here)} messages", *here, *notices)


def _ended_by_word(here: Sequence[Said], gap: int, case: Case) -> Sequence[Gave]:
    """The commands that may have ended a turn of these messages before it had a word, and were confirmed.

    That is before the next question was asked, or it ended another turn; which in a thread with late messages is not
    known. A reset is confirmed whether there was a turn to end or not, so one that comes right after a question that
    was lost hides it: nothing that people see tells the two apart.
    """
    began = min((said.at for said in here if not said.is_taken_back), default=float("inf"))
    later = () if case.has_late else case.answers[gap:]
    asks = (asked.at for one in later for number in case.answered_by(one) for asked in case.asks_of(number))
    over = min(asks, default=float("inf")) + case.in_flight
    return [
        gave
        for gave in case.gave
        if gave.command in ENDS_A_TURN
        and (gave.told is not None or gave.way is not Way.WORD)
        and "I am not answering" not in (gave.told or "")
        and began <= done_by(gave)
        and gave.at <= over
    ]


def _it_lives(history: History) -> Iterator[Verdict]:
    """The bot never ends by itself, whatever happens to it."""
    for life in history.lives:
        if life.end is End.CRASHED:
            yield Verdict("P1", None, "the bot ended by itself", (life,))


def _nothing_stands_elsewhere(history: History) -> Iterator[Verdict]:
    """An answer stands in the thread of its question, and where nobody spoke nothing stands."""
    home = {tag: said.thread for said in history.said for tag in said.tags}
    for thread, stood in history.stood.items():
        for one in stood:
            if any(home.get(tag) != thread for tag in one.tags):
                yield Verdict("P1", thread, f"an answer to {', '.join(one.tags)} stands in another thread", (one,))
        if stood and thread not in home.values():
            yield Verdict("P1", thread, "something stands where nobody spoke to the bot", tuple(stood))


# --- P2: in order ---------------------------------------------------------------------------------


def _in_order(case: Case) -> Iterator[Verdict]:
    """Answers stand in the order of their questions, as the platform has both.

    Not so for a message that was handed over late: the bot answers what it knows, and must not wait for what may
    never come.
    """
    before: tuple[int, Stood] | None = None
    for one in case.answers:
        numbers = [number for number in case.answered_by(one) if not case.said[number].is_late]
        if not numbers:
            continue
        if before is not None and min(numbers) < before[0]:
            said = case.said[min(numbers)]
            yield case.verdict("P2", f"{said.tags[0]} is answered after what was said later", said, before[1], one)
        before = max(before, (max(numbers), one), key=lambda newest: newest[0]) if before else (max(numbers), one)


# --- P4: paid once --------------------------------------------------------------------------------


def _paid_once(case: Case) -> Iterator[Verdict]:
    """A question is asked again only when its interaction came to nothing, or somebody wanted it.

    Right after: a failed interaction, a lost one, one that is still running or ran for longer than a turn waits, one
    that was never kept, one whose id the bot cannot know: it was not sent, or the bot died while it was in flight.
    And after each Retry, once: one that was given before the second time and confirmed after the first, for the bot may
    have been away. A button that is pressed twice is one Retry, for it goes with the answer it stands under. A refused
    question creates nothing, and a summary names no question. Where Gemini refuses the results of what it called for,
    no more can be had of that.
    """
    seen = set[str]()  # of a turn of several messages it is said once
    for number, said in enumerate(case.said):
        retries = retries_of(case)
        for first, again in asked_the_same(case.asks_of(number)):
            wanted = next((one for one in retries if one.at <= again.at and first.at <= done_by(one)), None)
            if _came_to_nothing(first, case, by=again.at) or results_refused(first, case):
                continue
            if rounds_lost(first, case, by=again.at):
                continue
            if wanted is not None:
                retries.remove(wanted)
            elif again.id not in seen:
                seen.add(again.id)
                yield case.verdict("P4", f"{said.tags[0]} was asked again, and {first.id} could be had", first, again)


def _came_to_nothing(asked: Asked, case: Case, *, by: float) -> bool:
    if asked.lost_at is not None and asked.lost_at <= by:
        return True
    if asked.outcome is not Outcome.COMPLETED or not asked.is_kept or not case.is_surely_known(asked):
        return True
    limit = case.turn_limit
    if limit is None or asked.ended_at is None:
        return False
    # The turn's own time began before it asked.
    return asked.ended_at - asked.at > limit - case.in_flight


# --- P5: closed doors, P6: visible ----------------------------------------------------------------


def _nobody_is_harmed(history: History) -> Iterator[Verdict]:
    for harm in history.harm:
        yield Verdict("P5", None, f"notified or fetched: {harm}")


def _nothing_is_left(history: History) -> Iterator[Verdict]:
    for sign in history.left:
        yield Verdict("P6", None, f"left on: {sign}")


def _is_finished(case: Case) -> Iterator[Verdict]:
    """Nothing says in the end that more is to come, and every answer has its last words.

    One that was stopped, by Stop or by a reset, has not: its words may end anywhere. That can be any answer which
    was being made between the moment somebody said so and the one it was confirmed in: the bot may have been away.
    """
    for place, one in enumerate(case.stood):
        if one.is_growing:
            yield case.verdict("P6", "it looks as if more were to come", one)
        elif not one.is_whole and not _was_stopped(one, case, case.stood[place + 1 :]):
            yield case.verdict("P6", "its last words are missing, and nobody stopped it", one)


def _was_stopped(one: Stood, case: Case, later: Sequence[Stood]) -> bool:
    began = [asked.at for number in case.answered_by(one) for asked in case.asks_of(number)]
    following = [asked.at for next_ in later for number in case.answered_by(next_) for asked in case.asks_of(number)]
    over = min((at for at in following if at > max(began, default=0.0)), default=float("inf"))
    since, until = min(began, default=0.0) - case.in_flight, over + case.in_flight
    return any(gave.command in ENDS_A_TURN and gave.at <= until and done_by(gave) >= since for gave in case.gave)


def counted(verdicts: Sequence[Verdict]) -> Counter[str]:
    """How many of each promise, for a line of a report."""
    return Counter(verdict.promise for verdict in verdicts)


def threads_of(verdicts: Sequence[Verdict]) -> set[Thread]:
    """Where promises were broken, for a history that is to be short."""
    return {verdict.thread for verdict in verdicts if verdict.thread is not None}
