"""A thread on any platform, as people have it and as it stands in the end: the same words for each."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from bot.commands import Command
from bot.messages import Thread
from tests.chaos.gemini import goes_on, read_answer
from tests.chaos.history import Gave, Said, Stood
from tests.chaos.world import World

Note = tuple[str, bytes]  # a file's name and what is in it
Message = tuple[str, str, bool]  # id, text, and whether a sign says that more is to come


class Place(ABC):
    """A thread, begun by what is said in it first. What people do stands there whether the bot lives or not."""

    can_change = True  # what was said, by editing it or taking it back

    def __init__(self, world: World, number: int) -> None:
        self.world, self.number = world, number
        self.begun: Thread | None = None
        self.said: list[Said] = []
        self.gave: list[tuple[str, Gave]] = []  # with the id of the message it was given by

    @property
    def thread(self) -> Thread:
        assert self.begun is not None, "nothing was said yet"
        return self.begun

    async def says(self, by: str, tag: str, text: str, files: Sequence[Note] = ()) -> Said:
        """Somebody says *text*, which has the tag in it."""
        id_, at = await self._post(by, text, files)
        self.said.append(Said(self.thread, id_, by, [tag], at, files=tuple(name for name, _ in files)))
        return self.said[-1]

    async def edits(self, said: Said, tag: str, text: str) -> None:
        """Whoever said it changes it."""
        said.tags.append(tag)
        said.changed_at = self.world.now
        await self._edit(said, text)

    async def takes_back(self, said: Said) -> None:
        said.is_taken_back, said.changed_at = True, self.world.now
        await self._delete(said)

    async def gives(self, by: str, command: Command) -> None:
        """Somebody gives a command, in words where there are people."""
        gave = Gave(self.thread, command, self.world.now)
        id_, gave.at, gave.told = await self._command(by, command)
        gave.told_at = None if gave.told is None else self.world.now
        self.gave.append((id_, gave))

    def history(self) -> tuple[list[Said], list[Gave]]:
        """All that people did here, as it looks now."""
        for said in self.said:
            said.is_late = self.is_late(said)
        for id_, gave in self.gave:
            if gave.told is None and (told := self.told(id_)) is not None:
                gave.told, gave.told_at = told
        return self.said, [gave for _, gave in self.gave]

    async def is_there(self) -> None:  # noqa: B027 - where nobody has to open it, it is
        """Wait until something can be said in the thread."""

    @abstractmethod
    async def _post(self, by: str, text: str, files: Sequence[Note]) -> tuple[str, float]: ...

    async def _edit(self, said: Said, text: str) -> None:
        raise NotImplementedError

    async def _delete(self, said: Said) -> None:
        raise NotImplementedError

    @abstractmethod
    async def _command(self, by: str, command: Command) -> tuple[str, float, str | None]: ...

    def told(self, given: str) -> tuple[str, float] | None:
        """What stands in the thread about a command, by the id of the message it was given by, and since when."""
        return None

    def is_late(self, said: Said) -> bool:
        """Whether an event of it was lost, or handed over after that of a later message."""
        return False

    @abstractmethod
    def stood(self) -> list[Stood]:
        """What the bot said here, in reading order, less what is about commands."""
        ...

    @abstractmethod
    def left(self) -> list[str]:
        """Signs of work."""
        ...


def joined(messages: Sequence[Message]) -> list[Stood]:
    """The messages of each answer as one; a notice is one message."""
    found: list[list[Message]] = []
    for message in messages:
        question = goes_on(message[1])
        before = next((one for one in reversed(found) if question in read_answer(one[0][1]).tags), None)
        if question is not None and before is not None:
            before.append(message)
        else:
            found.append([message])
    return [_stood(answer) for answer in found]


def _stood(messages: Sequence[Message]) -> Stood:
    text = "\n".join(text for _, text, _ in messages)
    read, grows = read_answer(text), any(grows for *_, grows in messages)
    return Stood(messages[0][0], text, read.tags, read.knew, is_whole=read.is_whole and not grows, is_growing=grows)
