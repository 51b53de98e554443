"""Small histories told by hand, for the judge: what happened in one thread, a line each."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.commands import Command
from bot.errors import AnswerBlocked, ModelUnavailable
from bot.messages import Platform, Thread
from bot.notices import notice_for
from tests.chaos.history import Asked, Gave, History, Life, Outcome, Said, Stood, Verdict
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

    def gives(self, command: Command, at: float, *, told_at: float | None) -> None:
        told = None if told_at is None else "Done."
        self.gave.append(Gave(THREAD, command, at, told, told_at))

    def broken(self) -> set[str]:
        """The promises that were broken, says the judge."""
        return {verdict.promise for verdict in self.verdicts()}

    def verdicts(self) -> list[Verdict]:
        stood = {THREAD: self.stood, **({ELSEWHERE: self.elsewhere} if self.elsewhere else {})}
        history = History(1, self.said, self.gave, self.asked, stood, self.harm, self.left, self.lives)
        history.turn_limit = self.turn_limit
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
