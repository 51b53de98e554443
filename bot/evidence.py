"""What an answer rests on beside its words: where things come from, what Google suggests, code that was run. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Citation:
    """Where something in the answer comes from."""

    url: str  # empty for a file that stands in no browser's reach, which has its name alone
    title: str | None = None
    start: int | None = None  # where in its piece of text the words begin that come from there, as Gemini counts
    end: int | None = None  # and where they end


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation, and the piece of the answer's text that it counts in."""

    citation: Citation
    begins: int  # characters of the text before the piece
    ends: int  # and with it


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A search that is to be shown with an answer that rests on one."""

    words: str
    url: str | None = None  # Google's own link; None where this is only what the model searched for


@dataclass(frozen=True, slots=True)
class CodeCall:
    """The model has code run, at Google."""

    id: str
    code: str
    language: str


@dataclass(frozen=True, slots=True)
class CodeResult:
    """What came of code."""

    call: str  # the id of the call
    output: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class Run:
    """Code that was run, and what came of it."""

    code: str
    language: str
    output: str | None = None  # None: it was not told
    is_error: bool = False


_Place = tuple[int, bool, int]
_MOST_CITED = 1_000  # stretches of one answer

Evidence = Citation | Suggestion | CodeCall | CodeResult


class Collection:
    """Takes in evidence as it comes, streamed or fetched: the same answer gives the same, whichever it was."""

    def __init__(self) -> None:
        self._cited: dict[tuple[str, str | None], tuple[_Place, Citation]] = {}
        self._stretches: list[tuple[int, Citation]] = []  # with the characters before the piece of text
        self._suggested: dict[Suggestion, None] = {}
        self._ran: list[tuple[str, Run]] = []  # with the id of its call

    def add(self, found: Evidence, *, after: int) -> None:
        """Take something in.

        Args:
            after: characters of the answer before the piece of text that a citation is about.
        """
        match found:
            case Citation(url, title, start, _):
                # Bytes of UTF-8, says the reference, and characters, say others: both put citations into the same
                # order. What can be made of them beside that is found out in `citing`, when the text is whole.
                place = (after, start is None or start < 0, start or 0)
                known = self._cited.get((url, title))
                if known is None or place < known[0]:
                    self._cited[url, title] = (place, found)
                if found.end is not None and len(self._stretches) < _MOST_CITED:
                    self._stretches.append((after, found))
            case Suggestion():
                self._suggested[found] = None
            case CodeCall(call, code, language):
                self._ran.append((call, Run(code, language)))
            case CodeResult(call, output, is_error):
                self._close(call, output, is_error=is_error)

    def _close(self, call: str, output: str, *, is_error: bool) -> None:
        open_runs = [at for at, (_, run) in enumerate(self._ran) if run.output is None]
        at = next((at for at in open_runs if self._ran[at][0] == call), open_runs[-1] if open_runs else None)
        if at is not None:
            self._ran[at] = (self._ran[at][0], replace(self._ran[at][1], output=output, is_error=is_error))

    def clear(self) -> None:
        """Forget everything."""
        self._cited.clear()
        self._stretches.clear()
        self._suggested.clear()
        self._ran.clear()

    @property
    def citations(self) -> tuple[Citation, ...]:
        """In the order in which what they are about stands in the text, each page by each title once."""
        return tuple(citation for _, citation in sorted(self._cited.values(), key=lambda one: one[0]))

    def cited(self, ends: Callable[[int], int]) -> tuple[Cited, ...]:
        """Every citation that tells where its words end, in the order in which they came.

        Args:
            ends: characters of the answer up to the end of the piece of text that begins after so many.
        """
        return tuple(Cited(citation, begins, ends(begins)) for begins, citation in self._stretches)

    @property
    def suggestions(self) -> tuple[Suggestion, ...]:
        return tuple(self._suggested)

    @property
    def runs(self) -> tuple[Run, ...]:
        return tuple(run for _, run in self._ran)
