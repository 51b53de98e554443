"""Turns as the browser is told of them: plain JSON, and the difference between two of them. Pure."""

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import NotRequired, TypedDict

from bot.messages import Attachment, Message, Thread, Turn, TurnState
from bot.ports import ThreadSummary

# What a browser shows without running anything that could be hidden in it. SVG is a program in disguise.
SAFE_TYPES = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"}
    | {"audio/mpeg", "audio/mp3", "audio/ogg", "audio/wav", "audio/x-wav", "audio/mp4", "audio/aac", "audio/flac"}
    | {"audio/webm", "video/mp4", "video/webm", "video/ogg", "video/quicktime"}
)


class FileView(TypedDict):
    """A file: what it is called, and where to get it."""

    id: str
    name: str
    alt: str | None  # what it is of, of what the model made
    size: int | None  # bytes
    kind: str  # image, audio, video; file for whatever is only to be saved
    url: str


class QuestionView(TypedDict):
    """One message of a person. The text is shown as it stands and never as Markdown."""

    id: str
    text: str
    at: float  # seconds since the epoch
    files: list[FileView]


class ThoughtsView(TypedDict):
    """What the model thinks while no answer is whole yet."""

    headline: str
    blocks: list[str]  # HTML


class AskedView(TypedDict):
    """What somebody is asked to approve of."""

    name: str  # that a decision bears
    words: str  # HTML


class AskingView(TypedDict):
    """The same, while they are asked."""

    asks: NotRequired[AskedView]


class AnswerView(AskingView):
    """What stands under the questions: HTML, block by block."""

    kind: str  # answer, notice
    thoughts: ThoughtsView | None
    blocks: list[str]
    files: list[FileView]
    tool: str | None  # in use now, in words
    markdown: str | None  # to copy, once it is whole
    at: float | None  # seconds since the epoch, once it has ended


class TurnView(TypedDict):
    """One turn."""

    id: str
    state: str
    stopping: bool
    questions: list[QuestionView]
    answer: AnswerView | None  # None: nothing is there yet


class AnswerChange(TypedDict):
    """An answer, less the blocks the browser has already."""

    asks: NotRequired[AskedView | None]  # as it was when it is missing
    kind: str
    thoughts: NotRequired[ThoughtsView | None]  # as they were when they are missing
    keep: int  # blocks of the earlier frame that stand as they were
    blocks: list[str]  # what comes after them
    files: list[FileView]
    tool: str | None
    markdown: str | None
    at: float | None


class TurnChange(TypedDict):
    """What became different about a turn. What is missing is as it was."""

    id: str
    state: NotRequired[str]
    stopping: NotRequired[bool]
    questions: NotRequired[list[QuestionView]]
    answer: NotRequired[AnswerChange | None]


class ThreadView(TypedDict):
    """A line of the list of threads."""

    id: str
    title: str
    at: float  # seconds since the epoch
    open: bool


def thread_view(summary: ThreadSummary) -> ThreadView:
    """A line of the list."""
    return {
        "id": summary.thread.thread_id,
        "title": " ".join(summary.title.split()),
        "at": summary.updated_at,
        "open": summary.is_open,
    }


def file_views(thread: Thread, attachments: Iterable[Attachment]) -> list[FileView]:
    """The files of a message or an answer."""
    return [
        {
            "id": attachment.id,
            "name": attachment.name,
            "alt": attachment.alt,
            "size": attachment.size,
            "kind": kind_of(attachment.mime_type),
            "url": f"/api/threads/{thread.thread_id}/files/{attachment.id}",
        }
        for attachment in attachments
    ]


def kind_of(mime_type: str | None) -> str:
    """How the page shows files of a type."""
    return mime_type.partition("/")[0] if mime_type in SAFE_TYPES else "file"


def turn_view(turn: Turn, answer: AnswerView | None) -> TurnView:
    """A turn with its answer."""
    return {
        "id": turn.id,
        "state": turn.state,
        "stopping": turn.stopping,
        "questions": [_question_view(message) for message in turn.messages],
        "answer": answer,
    }


def ended_answer(turn: Turn) -> str | None:
    """The Markdown that stands under an ended turn; None where an answer is still to come."""
    if turn.state in {TurnState.QUEUED, TurnState.RUNNING}:
        # What it holds already belongs to an earlier attempt, and is about to be replaced.
        return None
    shown = "\n\n".join(part.text for part in turn.parts if part.text)
    return shown or turn.notice or ""


def change(old: TurnView | None, new: TurnView) -> TurnChange | None:
    """What to tell a browser that knows *old*; None when it knows everything."""
    told: TurnChange = {"id": new["id"]}
    if old is None or old["state"] != new["state"]:
        told["state"] = new["state"]
    if old is None or old["stopping"] != new["stopping"]:
        told["stopping"] = new["stopping"]
    if old is None or old["questions"] != new["questions"]:
        told["questions"] = new["questions"]
    if old is None or old["answer"] != new["answer"]:
        told["answer"] = _answer_change(old["answer"] if old else None, new["answer"])
    return told if len(told) > 1 else None


def _answer_change(old: AnswerView | None, new: AnswerView | None) -> AnswerChange | None:
    if new is None:
        return None
    keep = _common(old["blocks"], new["blocks"]) if old else 0
    told: AnswerChange = {
        "kind": new["kind"],
        "keep": keep,
        "blocks": new["blocks"][keep:],
        "files": new["files"],
        "tool": new["tool"],
        "markdown": new["markdown"],
        "at": new["at"],
    }
    if old is None or new.get("asks") != old.get("asks"):  # a browser may know an answer that was begun anew since
        told["asks"] = new.get("asks")
    if old is None or old["thoughts"] != new["thoughts"]:
        told["thoughts"] = new["thoughts"]
    return told


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))


def _question_view(message: Message) -> QuestionView:
    return {
        "id": message.id,
        "text": message.text or "",
        "at": message.sent_at,
        "files": file_views(message.thread, message.attachments),
    }
