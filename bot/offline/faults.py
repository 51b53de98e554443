"""What can be made to go wrong with the offline model; `arming` says how, and by whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal

from bot.offline.wire import ErrorShape


class Call(StrEnum):
    """The calls that faults can be armed for."""

    CREATE, GET = "create", "get"
    # A create in the background, and a get of what was; without a fault of their own they meet one of the others.
    BEGIN, LOOK = "begin", "look"
    UPLOAD = "upload"
    DELETE = "delete"  # of an interaction
    CANCEL = "cancel"


class Afterwards(StrEnum):
    """What becomes of an interaction whose answer the client did not hear to its end."""

    COMPLETED = "completed"  # it is generated to its end all the same
    FAILED = "failed"
    CANCELLED = "cancelled"
    IN_PROGRESS = "in_progress"  # for ever
    UNKNOWN = "unknown"  # a get answers 404


Indexes = Literal["bytes", "characters", "beyond", "inside"]
"""What a citation's indexes count, or where they point: after the end of the text, into the middle of a character."""


class StallAt(StrEnum):
    """Where an answer stops coming."""

    HEADERS = "headers"  # before the response begins
    FIRST_EVENT = "first event"
    WORDS = "words"  # before the first of the answer's, after what the model did for them
    MIDDLE = "middle"


# --- refusals: nothing is created --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StatusFault:
    """An error status, in any of the shapes a body comes in."""

    status: int
    code: str | None = None  # the status' usual one
    message: str = "the offline model was told to refuse this"
    retry_after: str | None = None  # the header's text: seconds or a date
    retry_after_ms: str | None = None
    retry_delay: str | None = None  # "3s", in Google's shape
    shape: ErrorShape = ErrorShape.PLAIN
    calls: ClassVar[Sequence[Call]] = (Call.CREATE, Call.GET, Call.UPLOAD, Call.DELETE, Call.CANCEL)


@dataclass(frozen=True, slots=True)
class ForgetFault:
    """Every interaction created so far is forgotten; from now on its id is answered with the status.

    How Gemini answers is not documented: 404, 403 and a 400 that names the interaction were all seen.
    """

    status: Literal[400, 403, 404] = 404
    calls: ClassVar[Sequence[Call]] = (Call.CREATE, Call.GET)


# --- answers of another kind than plain text ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class EmptyFault:
    """Completed, with nothing in it."""

    calls: ClassVar[Sequence[Call]] = (Call.CREATE,)


@dataclass(frozen=True, slots=True)
class FinalStatusFault:
    """The answer ends with another status than completed, after so many pieces of its text."""

    status: Literal["failed", "incomplete", "budget_exceeded", "cancelled"]
    errors: tuple[tuple[str, str], ...] = ()  # (code, message)
    after: int | None = None  # None lets all of the text be told
    errors_in_event: bool = True  # False: only a get tells them
    calls: ClassVar[Sequence[Call]] = (Call.CREATE,)


@dataclass(frozen=True, slots=True)
class FunctionCallFault:
    """The model wants a function called (`requires_action`), after its text or instead of it."""

    name: str = "look_up"
    arguments: tuple[tuple[str, str], ...] | None = (("what", "the answer"),)  # None: what comes is no JSON
    with_text: bool = False
    calls: ClassVar[Sequence[Call]] = (Call.CREATE,)


@dataclass(frozen=True, slots=True)
class ImageFault:
    """A picture of one pixel comes with the answer, or is all of it; a sound and more words can come after it."""

    with_text: bool = True
    with_sound: bool = False
    size: int = 0  # bytes it has at least, most of them for nothing
    deltas: int = 1  # that each file comes in
    calls: ClassVar[Sequence[Call]] = (Call.CREATE,)


@dataclass(frozen=True, slots=True)
class CitationFault:
    """A searched answer: a search call and its result with suggestions, citations over non-ASCII text.

    Indexes count bytes of UTF-8, as the SDK documents them, or are wrong in one of the ways that were seen or feared.
    """

    text: str = "Grüße aus Zürich: 日本語 works, naïvely 🧶."
    url: str = "https://example.org/zürich"
    title: str = "Zürich – example"
    search_suggestions: str = '<div><a href="https://www.google.com/search?q=Z%C3%BCrich">Zürich</a></div>'
    more: tuple[tuple[str, str, str], ...] = ()  # citations of words in the text: the words, a URL, a title
    indexes: Indexes = "bytes"
    calls: ClassVar[Sequence[Call]] = (Call.CREATE,)


@dataclass(frozen=True, slots=True)
class ThoughtFault:
    """A thought with a summary and a signature goes before the answer."""

    summary: str = "The person wants to see a thought."
    signature: str = "c2lnbmF0dXJl"
    stalls: bool = False  # between the two, as a `StallFault` does
    calls: ClassVar[Sequence[Call]] = (Call.CREATE,)


@dataclass(frozen=True, slots=True)
class ContinuationFault:
    """The answer takes several hops: `requires_continuation` and a token until the last."""

    hops: int = 2
    calls: ClassVar[Sequence[Call]] = (Call.CREATE,)


@dataclass(frozen=True, slots=True)
class UnknownFault:
    """An event, a step and a delta of kinds nobody knows yet, among the known ones."""

    calls: ClassVar[Sequence[Call]] = (Call.CREATE,)


@dataclass(frozen=True, slots=True)
class UndecodableFault:
    """A data line in the middle that is no JSON."""

    calls: ClassVar[Sequence[Call]] = (Call.CREATE,)


@dataclass(frozen=True, slots=True)
class SlowFault:
    """The answer comes at a pace of its own."""

    pace: float  # seconds between two events
    calls: ClassVar[Sequence[Call]] = (Call.CREATE,)


# --- answers that do not come through ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ErrorEventFault:
    """An error event instead of the rest, after so many pieces of text.

    A request without a stream is answered with status 500 and the code.
    """

    code: str = "api_error"
    message: str = "the offline model was told to break off"
    bare: bool = False  # {"error": ...} alone, as proxies put it
    after: int = 2
    afterwards: Afterwards = Afterwards.FAILED
    calls: ClassVar[Sequence[Call]] = (Call.CREATE, Call.GET)


@dataclass(frozen=True, slots=True)
class CutFault:
    """The stream ends cleanly after so many pieces of text, without a word."""

    after: int = 2
    afterwards: Afterwards = Afterwards.COMPLETED
    calls: ClassVar[Sequence[Call]] = (Call.CREATE, Call.GET)


@dataclass(frozen=True, slots=True)
class ResetFault:
    """The connection is reset after so many pieces of text."""

    after: int = 2
    afterwards: Afterwards = Afterwards.COMPLETED
    calls: ClassVar[Sequence[Call]] = (Call.CREATE, Call.GET)


@dataclass(frozen=True, slots=True)
class DropFault:
    """The connection is dropped before the response begins, although the request was taken in."""

    afterwards: Afterwards = Afterwards.COMPLETED
    calls: ClassVar[Sequence[Call]] = (Call.CREATE, Call.GET)


@dataclass(frozen=True, slots=True)
class StallFault:
    """Nothing more comes, until `Faults.release`, for some seconds, or until the client hangs up.

    Only in the last case does `afterwards` apply; else the answer goes on as if nothing had been. An upload stalls when
    all of it was sent.
    """

    at: StallAt = StallAt.MIDDLE
    after: int = 2  # pieces of text, in the middle
    seconds: float | None = None
    afterwards: Afterwards = Afterwards.COMPLETED
    calls: ClassVar[Sequence[Call]] = (Call.CREATE, Call.UPLOAD)


@dataclass(frozen=True, slots=True)
class PingFault:
    """A stall in which comment lines keep coming."""

    after: int = 2  # pieces of text
    every: float = 0.01  # seconds
    afterwards: Afterwards = Afterwards.COMPLETED
    calls: ClassVar[Sequence[Call]] = (Call.CREATE,)


# --- gets and uploads --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InProgressFault:
    """A get says that the interaction is still in progress, whatever it is. Arm it as often as it shall."""

    calls: ClassVar[Sequence[Call]] = (Call.GET,)


@dataclass(frozen=True, slots=True)
class RepeatFault:
    """A stream that is asked for again begins from its beginning, whatever was heard, and ends after so many pieces.

    A get without a stream is answered as ever.
    """

    after: int = 2  # pieces of text
    calls: ClassVar[Sequence[Call]] = (Call.GET,)


@dataclass(frozen=True, slots=True)
class UploadFault:
    """An uploaded file turns out to be unusable (`FAILED`)."""

    message: str = "the file could not be processed"
    calls: ClassVar[Sequence[Call]] = (Call.UPLOAD,)


BreakingFault = ErrorEventFault | CutFault | ResetFault | DropFault | StallFault | PingFault
"""The faults after which a client has to find out what became of the interaction."""

Fault = (
    StatusFault
    | ForgetFault
    | EmptyFault
    | FinalStatusFault
    | FunctionCallFault
    | ImageFault
    | CitationFault
    | ThoughtFault
    | ContinuationFault
    | UnknownFault
    | UndecodableFault
    | SlowFault
    | BreakingFault
    | InProgressFault
    | RepeatFault
    | UploadFault
)
