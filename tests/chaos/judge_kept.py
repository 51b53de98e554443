"""P7 before the judge: what is to be kept nowhere, or to be forgotten, is not at Gemini in the end. And files, P4."""

from collections.abc import Iterator

from bot.commands import Command
from tests.chaos.case import Case, done_by
from tests.chaos.history import Asked, Gave, Verdict


def kept_as_promised(case: Case) -> Iterator[Verdict]:
    """What a thread leaves at Gemini, and what its people are told of that."""
    yield from _private_is_private(case)
    forgets = [gave for gave in case.gave if gave.command is Command.FORGET and gave.told is not None]
    for forget in forgets:
        yield from _is_forgotten(forget, case)
    yield from _is_reported(forgets, case)
    yield from _sent_once(case)


def _private_is_private(case: Case) -> Iterator[Verdict]:
    """Of a private thread Gemini is asked to keep nothing."""
    kept = [asked for asked in case.asked if asked.is_kept]
    if case.is_private and kept:
        yield case.verdict("P7", f"Gemini was let keep {len(kept)} exchanges of a private thread", *kept)


def _is_forgotten(forget: Gave, case: Case) -> Iterator[Verdict]:
    """What was asked before somebody said forget, and was confirmed, is deleted at Gemini, with the files of it.

    Not so for an interaction the bot may not know of: its id was not sent, or the bot died while it was in flight.
    What was on its way when forget was said may have been asked before or after. A file that was asked about again
    since belongs to what is said now.
    """
    before = [asked for asked in case.asked if asked.at < forget.at - case.in_flight]
    for asked in before:
        if asked.is_there and asked.is_kept and case.is_surely_known(asked):
            yield case.verdict("P7", f"{asked.id} is still at Gemini, and was to be forgotten", forget, asked)
    wanted = {address for asked in case.asked if asked not in before for address in asked.files.values()}
    for asked in before:
        for name, address in asked.files.items():
            if address in case.files_there and address not in wanted:
                yield case.verdict("P7", f"{name} is still at Gemini, and was to be forgotten", forget, asked)


def _is_reported(forgets: list[Gave], case: Case) -> Iterator[Verdict]:
    """What became of forgetting is said, at most once for each time somebody said it.

    Whoever says it again before that was done is told of both in one.
    """
    if case.reports is None:
        return
    given = [gave for gave in case.gave if gave.command is Command.FORGET]
    if forgets and not case.reports:
        yield case.verdict("P7", "nobody was told what became of forgetting", *forgets)
    elif case.reports > len(given):
        words = f"{case.reports} reports of forgetting, which was asked for {len(given)} times"
        yield case.verdict("P7", words, *given)


def _sent_once(case: Case) -> Iterator[Verdict]:
    """A file that Gemini was asked about is not sent to it again, unless it was deleted there to be forgotten."""
    sent: dict[str, tuple[str, Asked]] = {}
    for asked in case.asked:
        for name, address in asked.files.items():
            known, before = sent.get(name, (address, asked))
            if known != address and not _forgot_between(before, asked, case):
                yield case.verdict("P4", f"{name} was sent to Gemini twice", before, asked)
            sent[name] = address, asked


def _forgot_between(first: Asked, again: Asked, case: Case) -> bool:
    forgets = (gave for gave in case.gave if gave.command is Command.FORGET)
    return any(gave.at <= again.at and first.at <= done_by(gave) + case.in_flight for gave in forgets)
