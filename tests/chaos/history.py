"""What happened in a run of chaos, as people saw it and as Gemini was asked: all that the judge gets to see.

Every question carries a tag of its own, `q00017`, and every text that replaces it by an edit a new one. The model of
a chaos run says the tags it was asked and all the tags it knows from before, so that an answer tells what it stands on.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.commands import Command
from bot.messages import Thread
from tests.chaos.history_functions import Functions


@dataclass(slots=True)
class Said:
    """Something that somebody said to the bot.

    Attributes:
        tags: of each text it had, oldest first; more than one after edits.
        at: when it stood there for everybody, in seconds of the run.
        changed_at: when it was edited or taken back, if it was.
        is_late: the platform lost an event of it, or handed it over after that of a later message: it may be heard of
            in another order.
        is_named: it names the bot, or nobody else is there; else the bot reads it because it follows the thread.
    """

    thread: Thread
    id: str
    by: str
    tags: list[str]
    at: float
    files: tuple[str, ...] = ()
    changed_at: float | None = None
    is_taken_back: bool = False
    is_late: bool = False
    is_named: bool = True


class Way(StrEnum):
    """How a command was given."""

    WORD = "says"  # in the thread, where it is confirmed for everybody
    PRESS = "presses"  # a button
    SLASH = "types a slash and"


@dataclass(slots=True)
class Gave:
    """A command somebody gave in a thread.

    Attributes:
        told: what they were told about it; None when it was not confirmed.
        told_at: when they saw that.
        told_times: how often they were told.
        button: which one was pressed, so that it is known again when it is pressed twice.
        is_taken: the platform heard that it was taken in. Where it did not, somebody was shown that nothing happened,
            though something may have.
    """

    thread: Thread
    command: Command
    at: float
    told: str | None = None
    told_at: float | None = None
    way: Way = Way.WORD
    told_times: int = 1
    button: str | None = None
    is_taken: bool = True


class Outcome(StrEnum):
    """How an interaction ended at Gemini."""

    COMPLETED = "completed"
    FAILED = "failed"
    RUNNING = "in_progress"
    LOST = "lost"  # it was created, and cannot be fetched any more


@dataclass(frozen=True, slots=True)
class Asked:
    """An interaction that Gemini was asked to create, and did.

    Attributes:
        tags: of the question's messages.
        knew: the tags of all that was said before, whatever way it was told.
        after: the interaction it went on from, if any.
        is_kept: whether it could be fetched (`store`).
        is_told: whether its id was sent before the connection broke.
        ended_at: when Gemini was done with it.
        lost_at: from when on it may not have been there to be fetched, if it was forgotten.
        is_there: whether Gemini still has it in the end.
        files: the address of each file that was handed over beforehand, by the name it was sent with.
        calls: the ids of the functions it called for, instead of answering.
        results: what was returned of the calls of the interaction it went on from, by their ids; none for a question.
        is_refused: Gemini refused what was returned of its calls, the last time it was told.
        agent: that researches for it, if one does.
        is_background: nobody listens to it: it is looked at until it has ended.
        is_cancelled: Gemini was told to end it, whether it did or not.
        is_deleted: Gemini was told to delete it while it had it, which does not end it.
        is_at_work: Gemini works on it in the end, and is paid for that.
    """

    id: str
    tags: tuple[str, ...]
    knew: tuple[str, ...]
    at: float
    after: str | None
    is_kept: bool
    outcome: Outcome
    is_told: bool = True
    ended_at: float | None = None
    lost_at: float | None = None
    is_there: bool = True
    files: Mapping[str, str] = field(default_factory=dict)
    calls: tuple[str, ...] = ()
    results: Mapping[str, str] = field(default_factory=dict)
    is_refused: bool = False
    agent: str | None = None
    is_background: bool = False
    is_cancelled: bool = False
    is_deleted: bool = False
    is_at_work: bool = False


@dataclass(frozen=True, slots=True)
class Stood:
    """A message of the bot's as it stood in a thread in the end, what is told about commands left out.

    Attributes:
        tags: of the questions an answer names; none in a notice.
        knew: as the answer says it.
        is_whole: nothing says that more is to come, and the answer's last words are there.
        is_growing: something says that more is to come: a Stop button, a stream, a placeholder.
    """

    id: str
    text: str
    tags: tuple[str, ...]
    knew: tuple[str, ...]
    is_whole: bool
    is_growing: bool = False


class End(StrEnum):
    """How one life of the bot ended."""

    KILLED = "killed"
    STOPPED = "stopped"  # SIGTERM
    CRASHED = "crashed"  # by itself: never right


@dataclass(frozen=True, slots=True)
class Life:
    """One life of the bot."""

    began: float
    ended: float
    end: End


@dataclass(slots=True)
class History:
    """One run, from the first start to the moment when nothing happened any more."""

    seed: int
    said: list[Said] = field(default_factory=list)
    gave: list[Gave] = field(default_factory=list)
    asked: Sequence[Asked] = ()
    stood: Mapping[Thread, Sequence[Stood]] = field(default_factory=dict)  # in reading order
    harm: Sequence[str] = ()  # whom the bot notified, what it made a browser or a platform fetch
    left: Sequence[str] = ()  # signs of work that are still on
    lives: list[Life] = field(default_factory=list)
    faults: Mapping[str, int] = field(default_factory=dict)  # how often each kind of trouble happened
    turn_limit: float | None = None  # seconds that a turn waits for its interaction; None: for ever
    in_flight: float = 1.0  # seconds that something takes at the most between the bot and everybody else
    reports: Mapping[Thread, int] = field(default_factory=dict)  # how often it says what became of forgetting
    private: Collection[Thread] = ()  # of which Gemini is to keep nothing
    files_there: Collection[str] = ()  # addresses of files that Gemini has in the end
    functions: Functions = field(default_factory=Functions)
    saved: Mapping[Thread, Sequence[str]] = field(default_factory=dict)  # what is in each report that is attached
    most_research: int | None = None  # researches that may be begun; None where nobody can count them
    longest_run: float | None = None  # seconds that something may run in the background; None: for ever


@dataclass(frozen=True, slots=True)
class Verdict:
    """A promise that was broken, and where."""

    promise: str  # P1 ... P7
    thread: Thread | None
    words: str
    evidence: Sequence[object] = ()
