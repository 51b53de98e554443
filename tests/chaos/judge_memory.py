"""P3 before the judge: each answer knows exactly what people saw answered in its thread, since the last reset.

The bot's words say what they know. For each earlier message of the thread this tells whether an answer has to know it,
may, or must not; everything else it must not know either.
"""

from collections.abc import Iterator
from enum import Enum, auto

from bot.commands import Command
from bot.errors import AnswerBlocked
from bot.notices import notice_for
from tests.chaos.case import Case, Due, done_by, retries_of
from tests.chaos.history import Asked, Gave, Stood, Verdict

FRESH = frozenset({Command.RESET, Command.FORGET})
NEVER_TOLD = frozenset({notice_for(AnswerBlocked(""))})
"""Notices of turns of which the next one is not told."""


class Known(Enum):
    """What an answer has to do with an earlier message."""

    MUST = auto()
    MAY = auto()
    MUST_NOT = auto()


def memory_is_true(case: Case) -> Iterator[Verdict]:
    """For each answer that stands: whom it knows, whether Gemini gave it, and that it heeds edits."""
    for one in case.answers:
        if not case.answered_by(one):
            continue  # it stands in the wrong thread, which is P1's
        yield from _knows_exactly(one, case)
        yield from _was_given(one, case)
        yield from _heeds_edits(one, case)


def _knows_exactly(one: Stood, case: Case) -> Iterator[Verdict]:
    """An answer knows all that was answered before it, and what was stopped or failed, and nothing else.

    Of an answer that was cut by a stop the list of what it knows may be cut, too: it is only held to what it must
    not know.
    """
    mine, knew = case.answered_by(one), case.named(one.knew)
    asked = given_by(one, case)
    for number, said in enumerate(case.said):
        if number in mine:
            continue
        known = _known(number, one, asked, case)
        if number in knew and known is Known.MUST_NOT:
            yield case.verdict("P3", f"the answer to {one.tags[0]} knows {said.tags[0]}", one, said, *case.gave)
        if number not in knew and known is Known.MUST and one.is_whole:
            yield case.verdict("P3", f"the answer to {one.tags[0]} does not know {said.tags[0]}", one, said, *case.gave)
    for tag in one.knew:
        if tag not in case.numbers:
            yield case.verdict("P3", f"the answer to {one.tags[0]} knows {tag} of another thread", one)


def _known(number: int, one: Stood, asked: Asked | None, case: Case) -> Known:
    """Whether an answer may know a message.

    What was handed over late may come before or after. What was said later is never known; nor is what a reset
    came after, late or not. A message that was taken back may be known when it was taken before that. One that has no
    answer is known when it failed or was stopped, but may not be when the answer was blocked, which a notice tells: it
    names no question, so any in the same place excuses it. What people say to each other where the bot is quiet it is
    told as far as the platform lets itself be read, so it may be known.
    """
    said, mine = case.said[number], [case.said[each] for each in case.answered_by(one)]
    due, is_late = case.due(number), said.is_late or any(each.is_late for each in mine)
    resets = [gave for gave in case.gave if gave.command in FRESH]
    since = [_since_reset(reset, number, asked, case, is_chat=due is Due.NO) for reset in resets]
    if Known.MUST_NOT in since or (number > min(case.answered_by(one)) and not is_late):
        return Known.MUST_NOT
    if Known.MAY in since or is_late or said.is_taken_back or due is Due.NO:
        return Known.MAY
    if not case.is_answered(number) and (due is Due.EITHER or not _had_a_notice(number, case)):
        return Known.MAY
    return Known.MUST


def _had_a_notice(number: int, case: Case) -> bool:
    """Whether there is one for what the next turn is told of. Without any it is P1 that was broken, which is enough."""
    place = case.gap_of(number)
    notices = [notice.text for notice in case.notices if case.gap_after(notice) == place]
    return bool(notices) and not any(text.startswith(tuple(NEVER_TOLD)) for text in notices)


def _since_reset(reset: Gave, number: int, asked: Asked | None, case: Case, *, is_chat: bool) -> Known:
    """Whether a reset lets a later answer know a message.

    A reset happens between the moment it was given and the one it was confirmed in; one that was never confirmed may
    not have happened. What was asked of Gemini before it was given is gone: answered, or stopped by it. What was asked
    after it was confirmed belongs to the fresh chain, though it may have been said before: it waited. Between the two
    either is right, and so it is for what Gemini was never asked and was said before: it may have failed before or
    after. Not for what was not said to the bot: that is past when a reset is given. What was on its way to Gemini when
    the reset was confirmed, and has no answer, was stopped by it.

    What somebody wanted answered again waits as well, and is no past when a reset comes. It may never be asked of
    Gemini then, but fail for another reason (no research is left today), which takes its answer's place.
    """
    asks = case.asks_of(number)
    told = done_by(reset)
    if asked is None or asked.at <= reset.at:
        return Known.MUST  # the reset came after the answer, and so says nothing of it
    if asks and asks[-1].at < reset.at and _waits_again(number, asks[-1], reset, case):
        return Known.MAY
    if (asks and asks[-1].at < reset.at) or (is_chat and case.said[number].at < reset.at):
        return Known.MUST_NOT if asked.at > told else Known.MAY
    first = asks[0].at if asks else case.said[number].at
    on_its_way = 0.0 if case.is_answered(number) else case.in_flight
    return Known.MUST if first > told + on_its_way else Known.MAY


def _waits_again(number: int, asked: Asked, reset: Gave, case: Case) -> bool:
    """Whether a question may have waited for another answer when a reset came, and has none."""
    retries = (gave for gave in retries_of(case) if gave.at <= done_by(reset) and asked.at <= done_by(gave))
    return not case.is_answered(number) and any(retries)


def _was_given(one: Stood, case: Case) -> Iterator[Verdict]:
    """An answer that stands is one that Gemini gave, to these questions, knowing this."""
    if given_by(one, case) is None:
        yield case.verdict("P3", f"Gemini never gave the answer to {', '.join(one.tags)}", one, *_all_asks(one, case))


def _heeds_edits(one: Stood, case: Case) -> Iterator[Verdict]:
    """What was edited while it waited is answered as it stands.

    That it waited is certain when another question of its thread was asked of Gemini in between: a turn may be taken at
    once and take long to ask. Either text is right, too, when the bot was not alive all the while, or the event of it
    was lost. `changed_at` is of the last change, so only the last text is held to.
    """
    asked = given_by(one, case)
    for number in case.answered_by(one):
        said = case.said[number]
        if asked is None or said.changed_at is None or said.is_late or said.is_taken_back or said.tags[-1] in one.tags:
            continue
        mine = case.asks_of(number)
        others = [other.at for other in case.asked if other not in mine]
        has_waited = any(said.changed_at + case.in_flight < at < mine[0].at for at in others)
        if has_waited and not any(said.at - case.in_flight <= life.ended <= asked.at for life in case.lives):
            yield case.verdict("P3", f"{said.tags[-1]} was answered as it stood before its edit", said, asked, one)


def given_by(one: Stood, case: Case) -> Asked | None:
    """The interaction that an answer shows: the newest that was asked the same and knew the same.

    Of a cut answer the newest that was asked the same.
    """
    for asked in reversed(_all_asks(one, case)):
        if not one.is_whole or (set(asked.tags) == set(one.tags) and set(asked.knew) == set(one.knew)):
            return asked
    return None


def _all_asks(one: Stood, case: Case) -> list[Asked]:
    mine = case.answered_by(one)
    return [asked for asked in case.asked if case.named(asked.tags) & mine]
