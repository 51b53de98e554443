"""Code that the model had run, as Markdown: the code, what it printed, no more of either than somebody reads. Pure."""

import re
from collections.abc import Iterator, Sequence

from bot.evidence import Run
from bot.parts import cleaned

_MOST = 20  # runs of one answer
_LONGEST_CODE = 20_000  # characters
_LONGEST_OUTPUT = 8_000  # characters
_LANGUAGE = re.compile(r"[A-Za-z0-9+#-]{1,20}")


def markdown_of_runs(runs: Sequence[Run]) -> str:
    """The runs of an answer, one under the other."""
    shown = [block for run in runs[:_MOST] for block in _blocks(run)]
    if len(runs) > _MOST:
        shown.append(f"and {len(runs) - _MOST} more")
    return "\n\n".join(shown)


def _blocks(run: Run) -> Iterator[str]:
    language = run.language if _LANGUAGE.fullmatch(run.language) else ""
    yield _fenced(_cut(cleaned(run.code).strip("\n"), _LONGEST_CODE), language)
    if run.output is None:
        return
    output = cleaned(run.output).strip("\n")
    yield "It failed:" if run.is_error else "It printed:" if output else "It printed nothing."
    if output:
        yield _fenced(_cut(output, _LONGEST_OUTPUT), "")


def _fenced(text: str, language: str) -> str:
    longest = max((len(found[0]) for found in re.finditer(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}\n… ({len(text) - most:,} characters more)"
