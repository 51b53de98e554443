"""Answers in the background before the judge: research is begun once, ends in a report or a notice, or is cancelled."""

from collections.abc import Iterator
from itertools import pairwise

from adapters.web.events import WEB
from bot.commands import Command
from tests.chaos.case import Case, done_by, retries_of
from tests.chaos.gemini import read_answer
from tests.chaos.history import Asked, Gave, History, Outcome, Stood, Verdict
from tests.chaos.judge_memory import given_by
from tests.chaos.researches import warns

LEAVES = frozenset({Command.STOP, Command.RESET, Command.FORGET})
"""After one of these nobody waits for what runs. A retry is of what has ended."""


def research_is_right(case: Case) -> Iterator[Verdict]:
    """What people see of research in a thread, what it is gone on from, and what of it Gemini was asked."""
    yield from _is_reported(case)
    yield from _is_gone_on_from(case)
    yield from _begun_once(case)
    yield from _nothing_runs_on(case)
    yield from _waited_for(case)


def within_the_cap(history: History) -> Iterator[Verdict]:
    """No more researches are begun in a day than there may be; what Gemini refused to begin is none."""
    begun = [asked for asked in history.asked if asked.agent is not None]
    if history.most_research is not None and len(begun) > history.most_research:
        words = f"{len(begun)} researches were begun, and {history.most_research} may be"
        yield Verdict("P4", None, words, tuple(begun))


# --- what stands there ----------------------------------------------------------------------------


def _is_reported(case: Case) -> Iterator[Verdict]:
    """Under a report all of it is attached, once; and what stood there while it was made does not stay.

    The page takes the files away with a reset, so nobody can look at those of the answers before it.
    """
    for one in case.stood:
        if warns(one.text):
            yield case.verdict("P1", "a warning of research stands, and nothing comes of it", one)
    if case.saved is None:
        return
    files = [read_answer(saved) for saved in case.saved]
    reports = [one for one in case.answers if _research_of(one, case) is not None]
    for one in reports:
        mine = [file for file in files if file.tags == one.tags]
        files = [file for file in files if file not in mine]
        if case.thread.platform == WEB and not mine and _was_cleared_after(one, case):
            continue
        if len(mine) != 1:
            yield case.verdict("P1", f"the report on {one.tags[0]} is attached {len(mine)} times", one)
        elif not mine[0].is_whole or mine[0].knew != one.knew:
            yield case.verdict("P1", f"another report than that on {one.tags[0]} is attached to it", one)
    if files:
        named = ", ".join(" ".join(file.tags) or "nothing" for file in files)
        yield case.verdict("P1", f"a file reports on {named}, and no such report stands there", *reports)


def _research_of(one: Stood, case: Case) -> Asked | None:
    """The research that an answer reports on; None when it is another answer."""
    asked = given_by(one, case) if one.is_whole and case.answered_by(one) else None
    return None if asked is None or asked.agent is None else asked


def _was_cleared_after(one: Stood, case: Case) -> bool:
    asked = _research_of(one, case)
    clearing = [gave for gave in case.gave if gave.command in {Command.RESET, Command.FORGET}]
    return asked is not None and any(done_by(gave) >= asked.at for gave in clearing)


def _is_gone_on_from(case: Case) -> Iterator[Verdict]:
    """The answer after a report goes on from the research: told in words alone it would know no more than its question.

    Not when it was reset in between, which shows in what it knows, nor when Gemini had forgotten it. Of what was
    handed over late, and of answers that were given anew, nobody knows which came before which.
    """
    if case.has_late:
        return
    for one, later in pairwise(case.answers):
        research, asked = _research_of(one, case), _first_round(later, case)
        if research is None or asked is None or not set(one.tags) <= set(asked.knew):
            continue
        is_lost = research.lost_at is not None and research.lost_at <= asked.at
        if asked.after != research.id and not is_lost and not any(gave.at >= research.at for gave in retries_of(case)):
            yield case.verdict(
                "P3", f"{later.tags[0]} does not go on from the report before it", later, research, asked
            )


def _first_round(one: Stood, case: Case) -> Asked | None:
    """What was asked for an answer before any function was called; None of what is no answer."""
    asked = given_by(one, case) if case.answered_by(one) else None
    rounds = {one.id: one for one in case.asked}
    while asked is not None and asked.results:
        asked = rounds.get(asked.after or "")
    return asked


# --- what Gemini was asked ------------------------------------------------------------------------


def _begun_once(case: Case) -> Iterator[Verdict]:
    """Research is begun again when Gemini says that the first has failed, or when somebody wanted that.

    So it is not when nobody knows what became of the first, or of the request for it: it costs dollars. One that was
    cancelled has not failed.
    """
    seen = set[str]()
    for number, said in enumerate(case.said):
        retries = retries_of(case)
        for first, again in pairwise([asked for asked in case.asks_of(number) if asked.agent is not None]):
            wanted = next((one for one in retries if one.at <= again.at and first.at <= done_by(one)), None)
            has_failed = first.outcome is Outcome.FAILED and not first.is_cancelled
            if wanted is not None:
                retries.remove(wanted)
            elif again.id not in seen and not (
                has_failed and first.ended_at is not None and first.ended_at <= again.at
            ):
                seen.add(again.id)
                yield case.verdict("P4", f"research on {said.tags[0]} was begun twice", first, again)


def _nothing_runs_on(case: Case) -> Iterator[Verdict]:
    """In the end Gemini works on nothing that the bot has to know of: nobody waits for anything any more.

    What was at work when it was confirmed that nobody waits for it is told to end, though it may come to its end
    before it hears that. What Gemini has lost by itself nobody can cancel.
    """
    for asked in case.asked:
        if not (asked.is_background and case.is_surely_known(asked) and (asked.is_there or asked.is_deleted)):
            continue
        left = [gave for gave in case.gave if gave.command in LEAVES and _was_running(asked, gave, case)]
        if asked.is_at_work or (left and not asked.is_cancelled):
            yield case.verdict("P4", f"{asked.id} runs on at Gemini, and nobody waits for it", asked, *left)


def _was_running(asked: Asked, gave: Gave, case: Case) -> bool:
    """Whether a command surely came while an interaction was at work, and ended the turn of it."""
    if gave.told_at is None or "I am not answering" in (gave.told or "") or asked.ended_at is None:
        return False
    return asked.at < gave.at and gave.told_at + case.in_flight < asked.ended_at


def _waited_for(case: Case) -> Iterator[Verdict]:
    """Nothing is cancelled that somebody waits for.

    Nobody does after a stop, a reset or a forget, nor when it took longer than it may, nor when the thread is gone that
    it was to be shown in. What is not surely known was given up when the bot died.
    """
    for asked in case.asked:
        if asked.is_cancelled and case.is_surely_known(asked) and not _is_left(asked, case):
            yield case.verdict("P4", f"{asked.id} was cancelled, and was waited for", asked)


def _is_left(asked: Asked, case: Case) -> bool:
    until = float("inf") if asked.ended_at is None else asked.ended_at + case.in_flight
    left = any(
        gave.command in LEAVES and gave.at <= until and done_by(gave) >= asked.at - case.in_flight for gave in case.gave
    )
    has_run = until - case.in_flight - asked.at
    return left or case.said[0].is_taken_back or (case.longest_run is not None and has_run >= case.longest_run - 1)
