"""What became of commands, before the judge: whoever gave one is told once, and what they were told is so."""

from collections.abc import Iterator

from bot.commands import Command
from tests.chaos.case import Case, Due
from tests.chaos.history import Gave, Verdict, Way


def commands_are_heeded(case: Case) -> Iterator[Verdict]:
    """Each is confirmed, and after Quiet only who names the bot is answered."""
    for gave in case.gave:
        yield from _is_confirmed(gave, case)
    yield from _is_quiet(case)


def _is_confirmed(gave: Gave, case: Case) -> Iterator[Verdict]:
    """Somebody who gave a command is told what became of it.

    By a word exactly once: what is said for everybody is looked for before it is said again, and what was missed is
    read later. What is shown to one person alone can be looked for by nobody, so it may come twice where an answer
    was lost; and it may not come at all when the bot dies between taking the command and saying so. Of what the
    platform could not hand over they are told that nothing happened, and try again, or do not.
    """
    if gave.way is Way.WORD:
        if gave.told is None:
            yield case.verdict("P1", f"{gave.command} was never confirmed", gave)
        elif gave.told_times > 1:
            yield case.verdict("P1", f"{gave.command} was confirmed {gave.told_times} times", gave)
    elif gave.told is None and gave.is_taken and not _died_soon(gave, case):
        yield case.verdict("P1", f"nobody was told what became of {gave.command}", gave)


def _died_soon(gave: Gave, case: Case) -> bool:
    # The answer has two ways to go, one after the other, and each of them may be slow or have to wait for its turn.
    return any(0 <= life.ended - gave.at <= 10 * case.in_flight for life in case.lives)


def _is_quiet(case: Case) -> Iterator[Verdict]:
    """What names nobody, and was said after the bot said that it is quiet, is no question to it."""
    for number, said in enumerate(case.said):
        if case.due(number) is not Due.NO:
            continue
        found = [*case.asks_of(number), *(one for one in case.answers if number in case.answered_by(one))]
        if found:
            quiet = [gave for gave in case.gave if gave.command is Command.QUIET]
            yield case.verdict("P1", f"{said.tags[0]} was answered, and the bot was to be quiet", said, *quiet, *found)
