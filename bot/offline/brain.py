"""What the offline model answers: plainly that it is no Gemini, and what shows that the context is kept."""

import re
from collections.abc import Callable
from textwrap import indent

from bot.offline.conversation import Conversation
from bot.offline.describe import excerpt

Brain = Callable[[Conversation], str]
"""From a conversation to the answer's Markdown. Must be quick, and the same for the same conversation."""

INTRODUCTION = "*I am Clew's offline model, not Gemini.*"

_ASKS_BACK = re.compile(
    r"\b(recall|remember\w*|remind|earlier|before|previous\w*|so far|first (thing|message|question)"
    r"|(did|have) (i|we) (say|said|tell|told|ask|asked|talk|talked|write|written)|i (said|told|asked|wrote)"
    r"|who am i|(what|when|where|which|who)('s| is| was| are| were) (my|our)|my \w+ again|summar\w+|history)\b",
    re.IGNORECASE,
)
_SUM_UP = re.compile(r"Sum up what was said in this thread so far\b")
_MOST_SUMMED_UP = 50  # of the first things said, and as many of the last
_COUNT = re.compile(r"\bcount (?:up )?to (\d{1,5})\b", re.IGNORECASE)
_WANTS_CODE = re.compile(r"\b(code|python|script|snippet|function|program)\b", re.IGNORECASE)
_WANTS_HELP = re.compile(r"\b(help|what can you|who are you|what are you)\b", re.IGNORECASE)


def answer(conversation: Conversation) -> str:
    """The default brain: echoes, remembers, describes files, counts; nothing in it is random."""
    question = conversation.question
    said = conversation.said_earlier
    if _SUM_UP.match(question.text):
        return _summed_up(said)
    parts = [INTRODUCTION]
    if not question.by_person:
        return "\n\n".join([*parts, "I was told:\n\n" + _quoted(question.text)])
    if question.text:
        parts.append("You said:\n\n" + _quoted(question.text))
    if question.attached:
        files = (f"- **{file.name or 'A file'}**: {file.description}" for file in question.attached)
        parts.append("What came with it:\n\n" + "\n".join(files))
    if wanted := _COUNT.search(question.text):
        parts.append(" ".join(str(number) for number in range(1, int(wanted[1]) + 1)))
    elif _ASKS_BACK.search(question.text):
        parts.append(_recalled(conversation))
        return "\n\n".join(parts)
    elif _WANTS_CODE.search(question.text):
        parts.append('All the code I know:\n\n```python\nprint("Set GEMINI_API_KEY, and Gemini answers here.")\n```')
    elif _WANTS_HELP.search(question.text):
        parts.append(_ABILITIES)
    parts.append(_place(len(said)))
    return "\n\n".join(parts)


_ABILITIES = """I can

- repeat what you say,
- recall everything you said in this thread,
- describe the files you attach,
- count to a number.

For real answers, set `GEMINI_API_KEY`."""


def _place(earlier: int) -> str:
    if not earlier:
        return "This is where our conversation begins."
    messages = "message" if earlier == 1 else "messages"
    return f"I keep {earlier} earlier {messages} of yours in mind; ask me what you said before."


def _summed_up(said: tuple[str, ...]) -> str:
    """What the bot has to know when it leaves a long thread behind: a line for each thing that was said."""
    kept = said if len(said) <= 2 * _MOST_SUMMED_UP else (*said[:_MOST_SUMMED_UP], *said[-_MOST_SUMMED_UP:])
    return "\n".join(f"- {excerpt(text)}" for text in kept)


def _recalled(conversation: Conversation) -> str:
    said = conversation.said_earlier
    files = [file for step in conversation.earlier for file in step.attached]
    if not said and not files:
        return "Nothing was said before: this is where our conversation begins."
    lines = [f"{number}. {_in_list(text)}" for number, text in enumerate(said, start=1)]
    recalled = "Before that you said:\n\n" + "\n".join(lines) if lines else "Before that you said nothing."
    if files:
        recalled += "\n\nand sent:\n\n" + "\n".join(
            f"- **{file.name or 'A file'}**: {file.description}" for file in files
        )
    return recalled


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in _cut(text).splitlines())


def _in_list(text: str) -> str:
    # Indented, so that a line of the text cannot end the list or be taken for one of its numbers.
    return indent(_cut(text), "    ").lstrip()


def _cut(text: str) -> str:
    return text if len(text) <= 2000 else excerpt(text[:300]) + " … " + excerpt(text[-300:])
