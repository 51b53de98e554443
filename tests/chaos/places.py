"""A thread on any platform, as people have it and as it stands in the end: the same words for each."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bot.commands import Command
from bot.made import CODE_NAME
from bot.messages import Thread
from tests.chaos.gemini import goes_on, read_answer
from tests.chaos.history import Gave, Said, Stood, Way
from tests.chaos.researches import lists_sources, opens_report
from tests.chaos.world import World

Note = tuple[str, bytes]  # a file's name and what is in it
Message = tuple[str, str, bool]  # id, text, and whether a sign says that more is to come
Telling = tuple[str, float]  # what is told about a command, and when
REPORT = "I have forgotten this thread"


@dataclass(frozen=True, slots=True)
class Given:
    """A command as it was given.

    Attributes:
        by: the name under which what is told about it is found; see `Place.told`.
        told: what is told at once, and when.
        button: which one was pressed.
    """

    by: object
    told: Telling | None = None
    button: str | None = None
    is_taken: bool = True


def always() -> bool:
    return True


class Place(ABC):
    """A thread, begun by what is said in it first. What people do stands there whether the bot lives or not."""

    can_change = True  # what was said, by editing it or taking it back
    can_press = True  # buttons, and type commands with a slash
    is_direct = False  # somebody's own line to the bot

    def __init__(self, world: World, number: int, *, mentions: Callable[[], bool] = always) -> None:
        self.world, self.number = world, number
        self.begun: Thread | None = None
        self.said: list[Said] = []
        self.gave: list[tuple[object, Gave]] = []  # with the name by which what is told about it is found
        self._mentions = mentions

    @property
    def thread(self) -> Thread:
        assert self.begun is not None, "nothing was said yet"
        return self.begun

    async def says(self, by: str, tag: str, text: str, files: Sequence[Note] = ()) -> Said:
        """Somebody says *text*, which has the tag in it."""
        is_named = self.has_to_name() or self._mentions()
        id_, at = await self._post(by, text, files, names=is_named)
        names = tuple(name for name, _ in files)
        self.said.append(Said(self.thread, id_, by, [tag], at, files=names, is_named=is_named))
        return self.said[-1]

    def has_to_name(self) -> bool:
        """Whether the bot reads only what names it, or what is said there is for it alone."""
        return self.begun is None

    async def edits(self, said: Said, tag: str, text: str) -> None:
        """Whoever said it changes it."""
        said.tags.append(tag)
        said.changed_at = self.world.now
        await self._edit(said, text)

    async def takes_back(self, said: Said) -> None:
        said.is_taken_back, said.changed_at = True, self.world.now
        await self._delete(said)

    async def gives(self, by: str, command: Command, way: Way = Way.WORD) -> bool:
        """Somebody gives a command. False when they are shown that it got nowhere, or have no way to give it."""
        gave = Gave(self.thread, command, self.world.now, way=way)
        match way:
            case Way.PRESS:
                given = await self._press(by, command)
            case Way.SLASH:
                given = await self._type(by, command)
            case _:
                given = await self._command(by, command)
        if given is None:
            return False
        gave.button, gave.is_taken = given.button, given.is_taken
        if given.told is not None:
            gave.told, gave.told_at = given.told
        self.gave.append((given.by, gave))
        return given.is_taken

    def asker_of(self, tag: str) -> str:
        """Who asked the question of that tag."""
        return next(said.by for said in self.said if tag in said.tags)

    def history(self) -> tuple[list[Said], list[Gave]]:
        """All that people did here, as it looks now."""
        for said in self.said:
            said.is_late = self.is_late(said)
        for by, gave in self.gave:
            if found := self.told(by):
                gave.told, gave.told_at = found[0]
                gave.told_times = len(found)
        return self.said, [gave for _, gave in self.gave]

    async def is_there(self) -> None:  # noqa: B027 - where nobody has to open it, it is
        """Wait until something can be said in the thread."""

    @abstractmethod
    async def _post(self, by: str, text: str, files: Sequence[Note], *, names: bool) -> tuple[str, float]: ...

    async def _edit(self, said: Said, text: str) -> None:
        raise NotImplementedError

    async def _delete(self, said: Said) -> None:
        raise NotImplementedError

    @abstractmethod
    async def _command(self, by: str, command: Command) -> Given: ...

    async def _press(self, by: str, command: Command) -> Given | None:
        """Press the last button of that name; None when there is none."""
        return None

    async def _type(self, by: str, command: Command) -> Given | None:
        """Type it with a slash; None when that is offered to nobody there."""
        return None

    def told(self, by: object) -> Sequence[Telling]:
        """What was told about a command, by the name of how it was given; nothing more than was told at once."""
        return ()

    def reports(self) -> int | None:
        """How often it stands there what became of forgetting; None where it is shown, and does not stay."""
        return None

    def is_late(self, said: Said) -> bool:
        """Whether an event of it was lost, or handed over after that of a later message."""
        return False

    @abstractmethod
    def stood(self) -> list[Stood]:
        """What the bot said here, in reading order, less what is about commands."""
        ...

    async def opens_files(self) -> None:  # noqa: B027 - where they stand under the words they are seen with them
        """Look at the files that the bot made, while there is somebody to serve them."""

    def saved(self) -> list[str] | None:
        """What is in each report that is attached, in reading order; None where that could not be seen any more."""
        return None

    @abstractmethod
    def left(self) -> list[str]:
        """Signs of work."""
        ...


def with_code(text: str, files: Iterable[tuple[str, bytes]]) -> str:
    """The text of a message, and under it the code that is attached."""
    return "\n".join([text, *(data.decode() for name, data in files if name == CODE_NAME)]).strip("\n")


def joined(messages: Sequence[Message]) -> list[Stood]:
    """The messages of each answer as one; a notice is one message."""
    found: list[list[Message]] = []
    for message in messages:
        question = goes_on(message[1])
        before = next((one for one in reversed(found) if question in read_answer(_text(one)).tags), None)
        if found and _ends_last(_text(found[-1]), message[1]):
            before = found[-1]
        if before is not None:
            before.append(message)
        else:
            found.append([message])
    return [_stood(answer) for answer in found]


def _ends_last(last: str, text: str) -> bool:
    """Whether a text belongs to the message right before it, by more than its words: a report, or mere sources."""
    return lists_sources(text) if read_answer(last).tags else opens_report(last)


def _text(messages: Sequence[Message]) -> str:
    return "\n".join(text for _, text, _ in messages)


def _stood(messages: Sequence[Message]) -> Stood:
    text = _text(messages)
    read, grows = read_answer(text), any(grows for *_, grows in messages)
    return Stood(messages[0][0], text, read.tags, read.knew, is_whole=read.is_whole and not grows, is_growing=grows)
