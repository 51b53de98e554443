"""What was said in an interaction's chain, as the brain reads it."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.offline.describe import excerpt
from bot.offline.wire import JsonObject, objects_in, text_in

MEDIA = frozenset({"image", "audio", "video", "document"})
LABEL = re.compile(r"\[attachment (?P<name>[^\]\n]*)\]\s*")
"""How the bot labels a file: before its bytes, or before its text in the same piece."""

TOLD = re.compile(r"(What was said in this thread before|Said in this thread since your last answer)[^\n]*")
"""How the bot begins when it tells a thread's past to a model that does not know it."""

SUMMED_UP = re.compile(r"What was said in this thread long before, as you summed it up[^\n]*")
"""How it begins when what was said goes on from a summary, and the last exchanges follow."""

_SPEAKER = re.compile(r"(?:\A|\n)\n*\[([^\]\n]+)\]\n")


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that came with what somebody said."""

    name: str  # empty when it was not told
    description: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """What the person or the model said in one step."""

    by_person: bool
    texts: tuple[str, ...]  # without the labels and texts of files
    attached: tuple[Attached, ...] = ()

    @property
    def text(self) -> str:
        """All of its text."""
        return "\n".join(self.texts) if self.by_person else "".join(self.texts)


@dataclass(frozen=True, slots=True)
class Conversation:
    """All that was said before, oldest first, and what is to be answered now."""

    earlier: tuple[Utterance, ...]
    question: Utterance
    system_instruction: str = ""

    @property
    def said_earlier(self) -> tuple[str, ...]:
        """Every text of the person before the question."""
        return tuple(text for said in self.earlier if said.by_person for text in said.texts)


def utterances(steps: Iterable[JsonObject]) -> list[Utterance]:
    """The steps that say something, in their order; thoughts and tool calls do not. Results of functions are nobody's
    words, and those that come together are told as one.
    """
    said: list[Utterance] = []
    was_result = False
    for step in steps:
        follows, was_result = was_result, step.get("type") == "function_result"
        match step.get("type"):
            case "user_input":
                said += _read_input(step)
            case "model_output":
                texts = tuple(text_in(part, "text") for part in objects_in(step, "content"))
                said.append(Utterance(by_person=False, texts=tuple(text for text in texts if text)))
            case "function_result":
                told = step.get("result")
                result = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
                result = f"failed: {result}" if step.get("is_error") is True else result
                before = said.pop().texts if follows else ()
                said.append(Utterance(by_person=False, texts=(*before, f"{text_in(step, 'name')} → {result}\n")))
    return said


def _read_input(step: JsonObject) -> list[Utterance]:
    """What one user input says: as a rule one utterance, with a past told in it before that the past's as well."""
    past: list[Utterance] = []
    texts: list[str] = []
    attached: list[Attached] = []
    name = ""  # told by a label that stands alone, for the file after it
    in_past = False
    for part in objects_in(step, "content"):
        text = text_in(part, "text")
        if part.get("type") in MEDIA:
            attached.append(Attached(name, text_in(part, "description")))
            name = ""
        elif label := LABEL.match(text):
            name, file = _labelled(label["name"], text[label.end() :])
            attached += file
        elif opening := SUMMED_UP.match(text):
            past += _summed_up(text[opening.end() :])
        elif (opening := TOLD.match(text)) or (in_past and _SPEAKER.match(text)):
            blocks = _spoken(text[opening.end() :] if opening else text)
            past += blocks
            # Either all of it stands in this one text, or a text for each message follows.
            in_past = not opening or not blocks
        elif text:
            texts.append(text)
    if texts or attached or not past:
        past.append(Utterance(by_person=True, texts=tuple(texts), attached=tuple(attached)))
    return past


def _labelled(name: str, body: str) -> tuple[str, list[Attached]]:
    """What a label says: the name of the file that comes next, or a file itself."""
    if body:
        inner = re.sub(r"^`{3,}[^\n]*\n|\n?`{3,}\s*$", "", body)
        return "", [Attached(name, f"text, {len(inner)} characters, begins {excerpt(inner)!r}")]
    name, left_out, reason = name.partition(" was left out: ")
    return ("", [Attached(name, f"was left out: {reason}")]) if left_out else (name, [])


def _summed_up(text: str) -> list[Utterance]:
    """What a summary lists, a line for each thing, and the blocks after it; what stands in both is told once."""
    summary, *_ = _SPEAKER.split(text)
    blocks = _spoken(text)
    known = {excerpt(said.text) for said in blocks if said.by_person}
    lines = [line.removeprefix("- ") for line in summary.splitlines() if line.strip()]
    said = tuple(line for line in lines if excerpt(line) not in known)
    return [Utterance(by_person=True, texts=said), *blocks]


def _spoken(text: str) -> list[Utterance]:
    """The blocks of a past, each under its speaker's name on a line of its own; the model is called "you"."""
    _, *rest = _SPEAKER.split(text)
    blocks = zip(rest[::2], rest[1::2], strict=True)
    return [Utterance(by_person=not who.startswith("you"), texts=(said.strip("\n"),)) for who, said in blocks]
