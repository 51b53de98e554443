"""Functions before the judge: what needs approval was done when it was given, once, and Gemini was told the truth.

It knows the calls that the model made, what asks and asked for approval on the platforms, who pressed what, the marks
of what was done, and what Gemini was told was returned.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from bot.approvals import DECLINED, UNSURE
from bot.commands import Command
from bot.messages import Thread
from tests.chaos.case import Case, done_by
from tests.chaos.deeds_functions import CITED, RAN, SOURCE, code_of
from tests.chaos.functions import sent
from tests.chaos.history import Asked, History, Outcome, Stood, Verdict
from tests.chaos.history_functions import Call, Decision, Functions, Mark

APPROVED, SAYS_NO = "Approved.", "Declined."
NEEDS_APPROVAL = "send"


def functions_are_heeded(history: History) -> Iterator[Verdict]:
    """All of it, over all threads."""
    it = history.functions
    home = {tag: said.thread for said in history.said for tag in said.tags}
    yield from _asked_once(it)
    for mark in it.marks:
        yield from _was_approved(mark, it, home)
    yield from _done_once(it, home)
    for call in it.calls.values():
        if call.function == NEEDS_APPROVAL:
            yield from _told_truly(call, it, home)
    yield from _told_together(it, home)
    yield from _told_the_same(history, home)


# --- what people see ------------------------------------------------------------------------------


def _asked_once(it: Functions) -> Iterator[Verdict]:
    """What is asked is asked in one post, P1; and once its turn is over nobody can press anything there, P6.

    The page shows it in the answer that grows, and when that is over no more: there only the second can be seen.
    """
    seen: dict[str, str] = {}
    for asking in it.asking:
        again = {seen.setdefault(call, asking.id) for call in asking.calls} - {asking.id}
        if again and asking.stays:
            yield Verdict("P1", asking.thread, f"approval is asked twice of {', '.join(asking.calls)}", (asking,))
        if asking.is_open:
            yield Verdict("P6", asking.thread, f"it can still be decided on {', '.join(asking.calls)}", (asking,))


def shows_what_it_did(case: Case) -> Iterator[Verdict]:
    """Under an answer stands each source once, and the code that was run for it once, P1; and neither is missing, P6.

    A stop or a reset may come after the last words and before what goes under them. A file that the platform did not
    take is named there.
    """
    for one in case.answers:
        tag = one.tags[0]
        source = f"{SOURCE}{tag}/1"
        wanted = {source: CITED in one.text, code_of(tag): RAN in one.text and "could not" not in one.text}
        for what, is_wanted in wanted.items():
            if (number := one.text.count(what)) > 1:
                yield case.verdict("P1", f"{what} stands {number} times under the answer to {tag}", one)
            elif not number and is_wanted and one.is_whole and not _may_be_cut(one, case):
                yield case.verdict("P6", f"{what} does not stand under the answer to {tag}", one)


def _may_be_cut(one: Stood, case: Case) -> bool:
    began = min((asked.at for number in case.answered_by(one) for asked in case.asks_of(number)), default=0.0)
    enders = {Command.STOP, Command.RESET, Command.FORGET}
    return any(gave.command in enders and done_by(gave) >= began - case.in_flight for gave in case.gave)


# --- what is done ---------------------------------------------------------------------------------


def _was_approved(mark: Mark, it: Functions, home: Mapping[str, Thread]) -> Iterator[Verdict]:
    """What was done was approved of by whoever asked, under the post that named it, before it was done.

    And they had not declined it before that: the first decision counts. Of a press that was not taken in nobody knows
    whether it was the first, and so it is for two presses of which the first was not answered yet.
    """
    call = it.calls.get(mark.call)
    if call is None:
        yield Verdict("P5", None, f"{mark.call} was done, and nobody called for it", (mark,))
        return
    thread = home.get(call.tags[0])
    presses = [one for one in _by_the_asker(call, it) if one.at <= mark.at]
    if not any(one.approves for one in presses):
        yield Verdict("P5", thread, f"{call.id} was done, and whoever asked had not approved", (mark, call, *presses))
    elif any(one.told == SAYS_NO for one in presses):
        yield Verdict("P5", thread, f"{call.id} was done, and had been declined", (mark, call, *presses))


def _by_the_asker(call: Call, it: Functions) -> Sequence[Decision]:
    return [one for one in it.decisions if one.is_askers and call.id in one.calls]


def _done_once(it: Functions, home: Mapping[str, Thread]) -> Iterator[Verdict]:
    """What was approved of is done once, however often the process died meanwhile."""
    done = defaultdict[str, list[Mark]](list)
    for mark in it.marks:
        done[mark.call].append(mark)
    for name, marks in done.items():
        if len(marks) > 1 and (call := it.calls.get(name)) is not None:
            yield Verdict("P4", home.get(call.tags[0]), f"{name} was done {len(marks)} times", tuple(marks))


def _told_truly(call: Call, it: Functions, home: Mapping[str, Thread]) -> Iterator[Verdict]:
    """What Gemini is told of it is what happened: done, declined, or that nobody can tell, which is right for either.

    It may be told first that it was done and, after a death, that nobody can tell; never both yes and no. Nothing is
    told to be declined that somebody was told is approved.
    """
    thread = home.get(call.tags[0])
    told = {told[call.id] for groups in it.told for told in groups if call.id in told}
    was_done = any(mark.call == call.id for mark in it.marks)
    approved = [one for one in _by_the_asker(call, it) if one.told == APPROVED]
    if sent(call.id) in told and not was_done:
        yield Verdict("P3", thread, f"Gemini was told that {call.id} was done, and it was not", (call,))
    if DECLINED in told and was_done:
        yield Verdict("P3", thread, f"Gemini was told that {call.id} was declined, and it was done", (call,))
    if DECLINED in told and approved:
        yield Verdict("P1", thread, f"{call.id} was not done, and was approved", (call, *approved))
    if odd := told - {sent(call.id), DECLINED, UNSURE}:
        yield Verdict("P3", thread, f"Gemini was told of {call.id}: {min(odd)}", (call,))


# --- what Gemini is told --------------------------------------------------------------------------


def _told_together(it: Functions, home: Mapping[str, Thread]) -> Iterator[Verdict]:
    """All that was returned in one round is told in one request."""
    rounds = defaultdict[str, set[str]](set)
    for call in it.calls.values():
        rounds[call.interaction].add(call.id)
    seen = set[frozenset[str]]()
    for told in (told for groups in it.told for told in groups):
        whole = {name for call in told if call in it.calls for name in rounds[it.calls[call].interaction]}
        if set(told) != whole and frozenset(told) not in seen:
            seen.add(frozenset(told))
            thread = next((home.get(it.calls[call].tags[0]) for call in told if call in it.calls), None)
            yield Verdict("P3", thread, f"of {len(whole)} results {len(told)} were told", (told,))


def _told_the_same(history: History, home: Mapping[str, Thread]) -> Iterator[Verdict]:
    """What Gemini goes on from holds the result of each call once.

    After a death a function is run again, and may return something else: but that goes on from the calls as if nothing
    had been told before.
    """
    by_id = {one.id: one for one in history.asked}
    seen = set[str]()  # it is said once
    for one in history.asked:
        known = dict(one.results)
        before = by_id.get(one.after or "")
        while before is not None:
            for call in before.results.keys() & known.keys() - seen:
                seen.add(call)
                yield Verdict(
                    "P3", home.get(one.tags[0]), f"the result of {call} was told twice in a row", (one, before)
                )
            known |= before.results
            before = by_id.get(before.after or "")
    for groups in history.functions.told:
        names = [name for told in groups for name in told]
        for name in {name for name in names if names.count(name) > 1} - seen:
            seen.add(name)
            yield Verdict("P3", None, f"the result of {name} was told twice at once", tuple(groups))


# --- P4, with rounds ------------------------------------------------------------------------------


def asked_the_same(asked: Sequence[Asked]) -> Iterator[tuple[Asked, Asked]]:
    """Of the interactions of one question, oldest first, those that were asked the same one after the other.

    One that tells results is not the question again; it is again what told the results of the same calls.
    """
    same = defaultdict[frozenset[str], list[Asked]](list)
    for one in asked:
        same[frozenset(one.results)].append(one)
    for ones in same.values():
        yield from pairwise(ones)


def results_refused(first: Asked, case: Case) -> bool:
    """Whether Gemini refused what was returned of an interaction's calls, or of what went on from it."""
    return any(one.is_refused for one in _line_of(first, case))


def rounds_lost(first: Asked, case: Case, *, by: float) -> bool:
    """Whether what went on from an interaction's calls came to nothing or to no end, and the bot died since.

    The newest round is all that it has written down, as of any answer; while it lives it goes on from the one before.
    """
    later = [one for one in _line_of(first, case) if one.outcome is not Outcome.COMPLETED]
    return any(any(one.at <= life.ended <= by for life in case.lives) for one in later if one.id != first.id)


def _line_of(first: Asked, case: Case) -> list[Asked]:
    """An interaction, and what went on from its calls."""
    line = {first.id: first}
    for one in case.asked:
        if one.after in line and one.results:
            line[one.id] = one
    return list(line.values())
