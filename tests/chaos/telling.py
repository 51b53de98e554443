"""What a run came to, for people: its totals, and of what went wrong only what happened in that thread."""

from collections import Counter
from collections.abc import Iterator

from tests.chaos.history import Asked, History, Said, Verdict
from tests.chaos.judge import counted
from tests.chaos.run import Ran
from tests.chaos.telling_functions import events_of, round_of, totals_of

_LONG = 160  # characters


def totals(ran: Ran) -> list[str]:
    """Lines with all that was counted."""
    history = ran.history
    threads = len({said.thread for said in history.said})
    ends = ", ".join(
        f"{sum(life.end == end for life in history.lives)} {end}" for end in ("killed", "stopped", "crashed")
    )
    lines = [
        *(() if ran.is_whole else ("ended early: what has no answer may have been about to get one",)),
        f"seed {history.seed}: {len(history.said)} messages and {len(history.gave)} commands in {threads} threads",
        f"turns {ran.turns}, lives {len(history.lives)} ({ends}), faults {sum(history.faults.values())},"
        f" {ran.peace:.0f} s of peace until all was done",
        *(f"  {number:6} {name}" for name, number in sorted(history.faults.items())),
    ]
    ways = Counter(f"somebody {gave.way} {gave.command}" for gave in history.gave)
    lines += [f"  {number:6} {name}" for name, number in sorted(ways.items())]
    lines += totals_of(history.functions)
    background = [asked for asked in history.asked if asked.is_background]
    lines.append(
        f"in the background {len(background)}, {sum(one.agent is not None for one in background)} of them research,"
        f" {sum(one.is_cancelled for one in background)} cancelled; {sum(map(len, history.saved.values()))} reports"
    )
    found = ", ".join(f"{number} of {promise}" for promise, number in sorted(counted(ran.verdicts).items()))
    return [*lines, f"verdicts {len(ran.verdicts)}{f': {found}' if found else ''}"]


def story(ran: Ran, verdict: Verdict) -> list[str]:
    """A verdict, and what happened in its thread in the order it happened in, a line each."""
    where = f" in {verdict.thread.key}" if verdict.thread else ""
    lines = [f"{verdict.promise}{where}: {verdict.words}"]
    lines += [f"    because of {str(one)[: 4 * _LONG]}" for one in verdict.evidence if verdict.thread is None]
    if verdict.thread is None:
        return lines
    lines += [f"  {at:7.2f} {words}" for at, words in sorted(_events(ran.history, verdict), key=lambda event: event[0])]
    lines.append("  in the end there stands")
    for stood in ran.history.stood.get(verdict.thread, ()):
        mark = "" if stood.is_whole else " (growing)" if stood.is_growing else " (not whole)"
        knew = f" knowing {' '.join(stood.knew) or 'nothing'}" if stood.tags else ""
        lines.append(f"    {stood.id}{mark}: {' '.join(stood.tags) or _short(stood.text)}{knew}")
    return lines


def _events(history: History, verdict: Verdict) -> Iterator[tuple[float, str]]:
    tags: set[str] = set()
    for said in (said for said in history.said if said.thread == verdict.thread):
        tags |= set(said.tags)
        yield said.at, f"{said.by} says {said.tags[0]}{_marks(said)}"
        if said.changed_at is not None:
            what = "takes it back" if said.is_taken_back else f"makes it {' '.join(said.tags[1:])}"
            yield said.changed_at, f"{said.by} {what} ({said.tags[0]})"
    for gave in (gave for gave in history.gave if gave.thread == verdict.thread):
        yield gave.at, f"somebody {gave.way} {gave.command}{'' if gave.is_taken else ', which seems to get nowhere'}"
        if gave.told_at is not None:
            yield gave.told_at, f"the bot says of {gave.command}: {_short(gave.told or '')}"
    for asked in (asked for asked in history.asked if tags & set(asked.tags)):
        knew, told = " ".join(asked.knew) or "nothing", "" if asked.is_told else " and its id may not be heard"
        yield (
            asked.at,
            f"Gemini is asked {' '.join(asked.tags)} knowing {knew}: {asked.id[:10]}"
            f" after {str(asked.after)[:10]}, {asked.outcome}{told}{round_of(asked)}{_way(asked)}",
        )
    yield from events_of(history, verdict.thread) if verdict.thread else ()
    for life in history.lives:
        yield life.began, "a life begins"
        yield life.ended, f"the life is {life.end}"


def _way(asked: Asked) -> str:
    way = " to be researched" if asked.agent is not None else " in the background" if asked.is_background else ""
    return f"{way}{', cancelled' * asked.is_cancelled}{', at work' * asked.is_at_work}"


def _marks(said: Said) -> str:
    return f"{' with a file' * bool(said.files)}{' naming nobody' * (not said.is_named)}{' (late)' * said.is_late}"


def _short(text: str) -> str:
    return " ".join(text.split())[:_LONG]
