"""Small histories told by hand, for the judge: what happened in one thread, a line each."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from bot.commands import Command
from bot.errors import AnswerBlocked, ModelUnavailable
from bot.messages import Platform, Thread
from bot.notices import notice_for
from tests.chaos.history import Asked, Gave, History, Life, Outcome, Said, Stood, Verdict, Way
from tests.chaos.history_functions import Functions
from tests.chaos.judge import judge

THREAD = Thread(Platform("slack"), "T1", "C1", "1.0")
ELSEWHERE = Thread(Platform("slack"), "T1", "C1", "2.0")
AWAY, BLOCKED = notice_for(ModelUnavailable("away")), notice_for(AnswerBlocked("safety"))


@dataclass
class Told:
    """A history as it is told: each line one thing that happened, at a second of its own choosing."""

    said: list[Said] = field(default_factory=list)
    gave: list[Gave] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    stood: list[Stood] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    harm: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    elsewhere: tuple[Stood, ...] = ()
    turn_limit: float | None = 10.0
    reports: int | None = None
    is_private: bool = False
    files_there: tuple[str, ...] = ()
    functions: Functions = field(default_factory=Functions)
    saved: list[str] | None = None
    most_research: int | None = None

    def says(self, tag: str, at: float, *, by: str = "ada", **more: object) -> None:
        self.said.append(replace(Said(THREAD, str(at), by, [tag], at), **more))  # type: ignore[arg-type]

    def is_asked(self, tags: str, at: float, *, knew: str = "", **more: object) -> None:
        name = f"i{len(self.asked)}"
        asked = Asked(name, tuple(tags.split()), tuple(knew.split()), at, None, True, Outcome.COMPLETED)
        self.asked.append(replace(asked, **more))  # type: ignore[arg-type]

    def shows(self, tags: str, *, knew: str = "", **more: object) -> None:
        one = Stood(f"s{len(self.stood)}", "", tuple(tags.split()), tuple(knew.split()), is_whole=True)
        self.stood.append(replace(one, **more))  # type: ignore[arg-type]

    def answers(self, tags: str, at: float, *, knew: str = "") -> None:
        """Asked, and shown."""
        self.is_asked(tags, at, knew=knew)
        self.shows(tags, knew=knew)

    def notices(self, text: str = AWAY) -> None:
        self.shows("", text=text)

    def gives(self, command: Command, at: float, *, told_at: float | None, **more: object) -> None:
        told = None if told_at is None else "Done."
        self.gave.append(replace(Gave(THREAD, command, at, told, told_at), **more))  # type: ignore[arg-type]

    def presses(self, command: Command, at: float, *, told_at: float | None, **more: object) -> None:
        """A button; without an answer it was not handed over."""
        self.gives(command, at, told_at=told_at, **{"way": Way.PRESS, "is_taken": told_at is not None, **more})

    def broken(self) -> set[str]:
        """The promises that were broken, says the judge."""
        return {verdict.promise for verdict in self.verdicts()}

    def verdicts(self) -> list[Verdict]:
        stood = {THREAD: self.stood, **({ELSEWHERE: self.elsewhere} if self.elsewhere else {})}
        history = History(1, self.said, self.gave, self.asked, stood, self.harm, self.left, self.lives)
        history.turn_limit, history.files_there = self.turn_limit, self.files_there
        history.reports = {} if self.reports is None else {THREAD: self.reports}
        history.private = [THREAD] * self.is_private
        history.functions = self.functions
        history.saved = {} if self.saved is None else {THREAD: self.saved}
        history.most_research, history.longest_run = self.most_research, 20.0
        return judge(history)


Telling = Callable[[Told], None]


@dataclass
class Tellings:
    """Histories by their names: those that are right, and those that are wrong with the promises that are broken."""

    right: dict[str, Telling] = field(default_factory=dict)
    wrong: dict[str, tuple[set[str], Telling]] = field(default_factory=dict)

    def is_right(self, telling: Telling) -> Telling:
        self.right[telling.__name__] = telling
        return telling

    def breaks(self, *promises: str) -> Callable[[Telling], Telling]:
        def note(telling: Telling) -> Telling:
            self.wrong[telling.__name__] = set(promises), telling
            return telling

        return note

    def test_of_the_right(self) -> Callable[[Telling], None]:
        """A test of all that were noted as right until now."""

        @pytest.mark.parametrize("telling", self.right.values(), ids=self.right)
        def test(telling: Telling) -> None:
            it = Told()
            telling(it)
            assert it.verdicts() == []

        return test

    def test_of_the_wrong(self) -> Callable[[set[str], Telling], None]:
        """A test of all that were noted as wrong until now."""

        @pytest.mark.parametrize(("promises", "telling"), self.wrong.values(), ids=self.wrong)
        def test(promises: set[str], telling: Telling) -> None:
            it = Told()
            telling(it)
            assert it.broken() == promises

        return test
