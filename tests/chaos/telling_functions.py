"""What went on around functions in one thread, for the story of a verdict."""

from collections import Counter
from collections.abc import Iterator

from bot.approvals import UNSURE
from bot.messages import Thread
from tests.chaos.history import Asked, History
from tests.chaos.history_functions import Functions


def events_of(history: History, thread: Thread) -> Iterator[tuple[float, str]]:
    """Decisions and what was done, each with its moment."""
    it = history.functions
    tags = {tag for said in history.said if said.thread == thread for tag in said.tags}
    for one in (one for one in it.decisions if one.thread == thread):
        what = f"{'approves of' if one.approves else 'declines'} {', '.join(one.calls)}"
        who = one.by if one.is_askers else f"{one.by}, who did not ask,"
        yield one.at, f"{who} {what}, and is told {one.told!r}{'' if one.is_taken else ': it seems to get nowhere'}"
    for mark in it.marks:
        call = it.calls.get(mark.call)
        if call is not None and tags & set(call.tags):
            yield mark.at, f"{mark.call} is done for {' '.join(call.tags)}"


def totals_of(it: Functions) -> list[str]:
    """Lines with all that was counted around functions."""
    unsure = sum(UNSURE in told.values() for groups in it.told for told in groups)
    words = Counter("nothing" if one.told is None else repr(one.told) for one in it.decisions)
    return [
        f"functions called {len(it.calls)}, approval asked {len(it.asking)}, done {len(it.marks)},"
        f" {unsure} times nobody could tell",
        *(f"  {number:6} decisions that were told {told}" for told, number in sorted(words.items())),
    ]


def round_of(asked: Asked) -> str:
    """Which round of calls an interaction is."""
    told = f" told {', '.join(f'{call}: {text[:40]!r}' for call, text in asked.results.items())}" * bool(asked.results)
    told += ", whose results were refused" * asked.is_refused
    return told + f" calling for {', '.join(asked.calls)}" * bool(asked.calls)
