"""What is asked of the model and what comes back, in the core's own words."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.calls import FunctionCall
from bot.chunks import closed
from bot.evidence import Citation, Cited, CodeCall, CodeResult, Collection, Evidence, Run, Suggestion
from bot.messages import Attachment, InteractionId, MessageId, Usage


class MediaKind(StrEnum):
    """The kinds of content Gemini tells apart, beside text."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a file stands on its platform, from which it can be read again."""

    message: MessageId
    attachment: Attachment


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text of a question or a step."""

    text: str
    source: Source | None = field(default=None, compare=False, repr=False)  # the file it was made from


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, sound, film or document: its bytes, or the address Gemini reads it from."""

    kind: MediaKind
    mime_type: str
    data: bytes | None = field(default=None, repr=False)
    uri: str | None = None
    source: Source | None = field(default=None, compare=False, repr=False)  # none for a public address


Content = Text | Media
Question = tuple[Content, ...]
"""One user input, in reading order."""


@dataclass(frozen=True, slots=True)
class UserStep:
    """What was said to the model, when history is sent instead of an interaction id."""

    content: Question


@dataclass(frozen=True, slots=True)
class ModelStep:
    """A step Gemini returned, as JSON text, to be sent back unchanged: signatures and all."""

    json: str = field(repr=False)


Step = UserStep | ModelStep
After = InteractionId | tuple[Step, ...] | None
"""What an answer goes on from: an interaction Gemini holds, a history we send, or nothing."""


Tool = Mapping[str, object]
"""A tool as the API takes it: ``{"type": "url_context"}``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one question is to be answered, where that differs from how all are."""

    model: str | None = None  # another than the settings name
    agent: str | None = None  # answers in the place of a model, and only in the background
    is_stored: bool = True  # Gemini keeps the interaction; else it keeps nothing, and history is sent as steps
    tools: tuple[Tool, ...] = ()  # what the model may use; said with every create, for an interaction keeps none


PLAIN = Manner()


@dataclass(frozen=True, slots=True)
class Created:
    """Gemini has taken the question in; from now on the interaction can be fetched."""

    interaction: InteractionId


@dataclass(frozen=True, slots=True)
class TextPiece:
    """More of the answer's Markdown."""

    text: str
    begins: bool = field(default=False, compare=False)  # a piece of text that Gemini's citations count in by itself


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of the model's summary of its thinking."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolUse:
    """The model uses a tool, ``google_search`` ...; or `SUMMING_UP`; or `READING`, `ASKING`, `CALLING` and a name."""

    tool: str


ASKING = "asking "
"""Begins what is told of a server whose tools the model uses (MCP)."""
READING = "reading "
"""Begins what is told of a file that is being handed to the model."""
SUMMING_UP = "summing up"
"""Is told while the model sums up a thread that has grown long."""


@dataclass(frozen=True, slots=True)
class Completed:
    """The answer is whole, or as whole as it gets.

    The interaction is the one the next turn goes on from; it differs from the created one
    when the answer took several hops.
    """

    interaction: InteractionId
    usage: Usage
    truncated: bool = False  # the model ran into a limit; what there is can be shown
    model: str | None = field(default=None, compare=False)  # the one that answered, where that is known
    steps: tuple[ModelStep, ...] = field(default=(), repr=False)  # to be sent back; none when Gemini keeps them


@dataclass(frozen=True, slots=True)
class ActionRequired:
    """The model wants functions called, and goes on with its answer when it is told all of their results at once."""

    interaction: InteractionId  # that they are told to
    calls: tuple[FunctionCall, ...]  # never empty
    usage: Usage  # so far
    steps: tuple[ModelStep, ...] = field(default=(), repr=False)  # so far, to be sent back; none when Gemini keeps them
    rounds: int = 1  # of calls in this answer, this one included
    model: str | None = field(default=None, compare=False)


AnswerEvent = Created | TextPiece | Thought | ToolUse | Media | Evidence | ActionRequired | Completed


class InteractionState(StrEnum):
    """What a fetched interaction says of itself."""

    RUNNING = "running"
    COMPLETED = "completed"
    CALLING = "calling"  # for functions, whose results it waits for
    BROKEN = "broken"  # failed, cancelled or of a status that cannot be finished from


@dataclass(frozen=True, slots=True)
class Interaction:
    """An interaction fetched by its id: its state, and its answer as the events that would have told it."""

    id: InteractionId
    state: InteractionState
    events: tuple[AnswerEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Recalled:
    """An interaction as Gemini holds it, with the question it was asked. A file stands in it as ``[image]`` or so."""

    id: InteractionId
    status: str  # in Gemini's own words: completed, in_progress, failed ...
    model: str | None
    asked: tuple[str, ...]  # the texts of the question, one for each piece of it
    answer: str
    usage: Usage
    created_at: float | None = None  # seconds since the epoch


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whole or as far as it has come.

    Remarks are the bot's own sentences about the answer (a file left out, an answer cut short). They are
    shown with it; the model hears of them only where a thread is read back from its platform.
    """

    text: str = ""
    thoughts: str = ""
    tool: str | None = None  # in use now
    media: tuple[Media, ...] = ()
    places: tuple[int, ...] = ()  # where in the text each of the media came; one without a place stands after it
    citations: tuple[Citation, ...] = ()  # in the order of the text
    cited: tuple[Cited, ...] = ()  # each stretch of the text that one of them is about
    suggestions: tuple[Suggestion, ...] = ()
    runs: tuple[Run, ...] = ()
    remarks: tuple[str, ...] = ()
    opening: str = ""  # Markdown: how far work is that takes long, in a message of its own before the answer
    file: str | None = None  # the name of a file with all of it, which goes with it however short it is
    waits: bool = False  # for a person, who is asked something: nothing is at work meanwhile

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it that a person could read, see or hear."""
        return not (self.text.strip() or self.media or self.runs)

    @property
    def markdown(self) -> str:
        """Text and remarks together, as a thread shows them."""
        remarks = "\n".join(f"_{remark}_  " for remark in self.remarks).rstrip()
        text = self.text.strip("\n")
        return "\n\n".join(block for block in (closed(text) if remarks else text, remarks) if block)


class Draft:
    """An answer while it grows. Whoever shows it reads `answer` whenever it has time to.

    Pieces are joined when they are read, not when they come: an answer of twenty thousand
    pieces costs as much as its readers, not the square of its length.
    """

    def __init__(self) -> None:
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._media: list[Media] = []
        self._places: list[int] = []
        self._length = 0  # of the text
        self._pieces = [0]  # where in the text each piece of it begins, between which something else came
        self._evidence = Collection()
        self._remarks: list[str] = []
        self._tool: str | None = None
        self._opening = ""
        self._file: str | None = None
        self.waits = False  # for a person; see `Answer`

    def add(self, event: AnswerEvent) -> None:
        """Take in what the model told; ids and usage are not a draft's business."""
        match event:
            case TextPiece(text, begins):
                if begins:
                    self._begin_piece()
                self._text.append(text)
                self._length += len(text)
                self._tool = None
            case Thought(text):
                self._thoughts.append(text)
                self._begin_piece()
                self._tool = None
            case ToolUse(tool):
                self._begin_piece()
                self._tool = tool
            case Media():
                self._media.append(event)
                self._places.append(self._length)
                self._begin_piece()
                self._tool = None
            case Citation() | Suggestion() | CodeCall() | CodeResult():
                self._evidence.add(event, after=self._pieces[-1])
            case _:
                pass

    def _begin_piece(self) -> None:
        if self._length > self._pieces[-1]:
            self._pieces.append(self._length)

    def _end_of_piece(self, begins: int) -> int:
        at = bisect_right(self._pieces, begins)
        return self._pieces[at] if at < len(self._pieces) else self._length

    def remark(self, sentence: str) -> None:
        """Say something about the answer in the bot's own voice, once."""
        if sentence not in self._remarks:
            self._remarks.append(sentence)

    def open_with(self, words: str) -> None:
        """Say how far the work is, in the place of what was said of it before. Markdown."""
        self._opening = words

    def attach(self, name: str) -> None:
        """Let all of the answer go with it as a file of that name."""
        self._file = name

    def start_over(self) -> None:
        """Forget what the model told: it is asked again, and the new answer replaces this one."""
        for pieces in (self._text, self._thoughts, self._media, self._places):
            pieces.clear()
        self._evidence.clear()
        self._length, self._pieces, self._tool = 0, [0], None

    @property
    def answer(self) -> Answer:
        """The answer as far as it has come."""
        for pieces in (self._text, self._thoughts):
            if len(pieces) > 1:
                pieces[:] = ["".join(pieces)]
        return Answer(
            text="".join(self._text),
            thoughts="".join(self._thoughts),
            tool=self._tool,
            media=tuple(self._media),
            places=tuple(self._places),
            citations=self._evidence.citations,
            cited=self._evidence.cited(self._end_of_piece),
            suggestions=self._evidence.suggestions,
            runs=self._evidence.runs,
            remarks=tuple(self._remarks),
            opening=self._opening,
            file=self._file,
            waits=self.waits,
        )


@dataclass(frozen=True, slots=True)
class Answered:
    """The turn ends with this answer."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Stopped:
    """The turn was stopped; what was said so far stays."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Notice:
    """The turn ends without an answer, and this sentence says why and what to do. Markdown."""

    text: str


Ending = Answered | Stopped | Notice
