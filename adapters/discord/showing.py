"""An answer as the messages of a thread: its words, cut where something the model made came, and its files. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from adapters.discord import faces
from adapters.discord.buttons import Buttons
from adapters.discord.calls import File
from adapters.discord.faces import Face
from adapters.discord.format import (
    MOST_PARTS,
    OVERFLOW_NAME,
    PART_LIMIT,
    growing_markdown_of,
    markdown_of,
    plan,
    render,
    subtext,
)
from bot.answers import Answer
from bot.chunks import closed, split
from bot.made import Made, Passage, files_of, marked, passages_of
from bot.thinking import doing

_WAITING = "Waiting for you"
_MOST_GROWING = 2 * MOST_PARTS * PART_LIMIT  # characters of an answer that are shown while it grows


def whole(answer: Answer, *, asked: str | None, limit: int) -> list[Face]:
    """What the messages of a whole answer show. Of a very long one it takes a second or two to tell.

    A message with files ends a passage, so that they stand where they came. Where that would make too many messages,
    all files stand under the last one, and marks in the text say where they came.

    Args:
        asked: the question.
        limit: bytes that one file may have.
    """
    passages = passages_of(answer, asked=asked)
    shown = _passage_by_passage(answer, passages, limit) if len(passages) > 1 and answer.file is None else []
    if not 0 < len(shown) <= MOST_PARTS:
        planned = plan(_in_one_piece(answer, passages), file=answer.file)
        overflow = () if planned.overflow is None else (File(answer.file or OVERFLOW_NAME, planned.overflow),)
        texts = planned.parts or (faces.FILES_ONLY if answer.media or answer.runs else faces.NOTHING,)
        shown = _with_files(texts, (*overflow, *_sent(files_of(passages))), limit)
    opening = [Face(render(answer.opening))] if answer.opening else []
    return [*opening, *shown[:-1], replace(shown[-1], buttons=Buttons.WHOLE)]


def without_files(answer: Answer) -> list[Face]:
    """The messages of a whole answer where files are refused: its words are worth more than those."""
    *opening, last = tuple(split(render(_in_one_piece(answer, passages_of(answer))), limit=PART_LIMIT)) or ("",)
    return faces.faces_of((*opening, f"{last}\n\n{faces.NOT_SENT}".lstrip()), ())


def seen(answer: Answer) -> Answer:
    """As much of a growing answer as `growing` shows."""
    # Remarks stand under the words, so they can be shown when those have come to their end. What is beyond the
    # last part is not shown before the end, and rendering it again and again would hold everybody up.
    text = answer.text[:_MOST_GROWING]
    if text.strip():
        return Answer(text=text, media=answer.media, places=answer.places)
    return Answer(thoughts=answer.thoughts, tool=answer.tool, opening=answer.opening, waits=answer.waits)


def growing(answer: Answer) -> tuple[str, ...]:
    """The texts of the messages of an answer that still grows; all but the last stay what they are.

    Before it has words, the line that says what the model is doing, if that is known. Files come with the end.
    """
    *earlier, last = passages_of(answer)
    texts = [text for passage in earlier for text in plan(closed(passage.text.strip("\n"))).parts]
    texts += plan(growing_markdown_of(replace(answer, text=last.text)), whole=False).parts
    if not texts and answer.opening:
        return (render(answer.opening),)
    if not texts and (words := _WAITING if answer.waits else doing(answer)) is not None:
        return (sign(words),)
    return tuple(texts[:MOST_PARTS])


def sign(words: str) -> str:
    """The line in the place of words that are yet to come."""
    return subtext(f"*{words}…*" if words[-1].isalnum() else f"*{words}*")


def _passage_by_passage(answer: Answer, passages: Sequence[Passage], limit: int) -> list[Face]:
    *earlier, last = passages
    texts = [plan(closed(passage.text.strip("\n"))).parts for passage in earlier]
    texts.append(plan(markdown_of(replace(answer, text=last.text))).parts)
    shown: list[Face] = []
    for parts, passage in zip(texts, passages, strict=True):
        shown += _with_files(parts or ("",), _sent(passage.files), limit)
    return shown


def _in_one_piece(answer: Answer, passages: Sequence[Passage]) -> str:
    return markdown_of(replace(answer, text=marked(passages, lambda file: f"*↓ {file.name}*")))


def _with_files(texts: tuple[str, ...], files: tuple[File, ...], limit: int) -> list[Face]:
    """The messages of one passage; the last of them holds the files, or says that one was left out."""
    sent = faces.that_fit([*files], limit=limit)
    *opening, last = texts
    if len(sent) < len(files):
        last = "" if last == faces.FILES_ONLY and not sent else last  # nothing stands below
        last = f"{last}\n\n{faces.NOT_SENT}".lstrip()
    return [*map(Face, opening), Face(last, files=sent)]


def _sent(files: Sequence[Made]) -> tuple[File, ...]:
    return tuple(File(file.name, file.data, file.alt) for file in files)
