"""What people do on a platform and what they see there, whatever the platform."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.commands import Command
from bot.messages import Thread
from bot.notices import FOLLOWING


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that goes with a message."""

    name: str
    mime_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Post:
    """Something that was said: the thread it belongs to and its id, both as the platform spells them."""

    thread: Thread
    id: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A message of an answer, or a notice: Markdown, without buttons and without the line on following."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class View:
    """A thread as a person sees it. What became of a command is no answer and not in it."""

    answers: tuple[Seen, ...]  # in reading order
    is_working: (
        bool  # something says that an answer is on its way: a line, a typing sign, a growing text, a Stop button
    )

    @property
    def texts(self) -> list[str]:
        return [seen.text for seen in self.answers]


def whole(number: int) -> Callable[[View], bool]:
    """So many answers stand there, and none is on its way."""
    return lambda view: len(view.answers) == number and not view.is_working


def works(view: View) -> bool:
    return view.is_working


def answered(text: str) -> Callable[[View], bool]:
    """This stands there, and nothing is on its way."""
    return lambda view: text in view.texts and not view.is_working


def without_remarks(text: str) -> str:
    """An answer less the line on following, which is said where several people are and nowhere else."""
    return text.replace(f"\n\n_{FOLLOWING}_", "", 1)


WITHIN = 60.0  # seconds for whatever is to be seen


class Server(Protocol):
    """A loopback platform that tells when something changes."""

    async def until(self, look: Callable[[], View | None], *, within: float) -> View: ...


async def looked(server: Server, view: Callable[[], View], until: Callable[[View], bool]) -> View:
    """The view, once it is as wanted. Raises TimeoutError, which tells what is seen instead."""
    try:
        return await server.until(lambda: seen if until(seen := view()) else None, within=WITHIN)
    except TimeoutError as error:
        raise TimeoutError(f"what is seen is {view()}") from error


class People(Protocol):
    """People on a platform, who outlive the bot. They do what they do whether it lives or not."""

    @property
    def settings(self) -> dict[str, str]:
        """What leads the bot to the platform, as its environment says it."""
        ...

    async def says(
        self, text: str, *, thread: Thread | None = None, by: str = "ada", files: Sequence[Upload] = ()
    ) -> Post:
        """Somebody says something to the bot, in a thread or at the top, where a thread begins with it.

        Whoever goes on in a thread waits until there is one.
        """
        ...

    async def edits(self, post: Post, text: str) -> None:
        """Whoever said it changes it. The page cannot."""
        ...

    async def deletes(self, post: Post) -> None:
        """Whoever said it takes it back. The page cannot."""
        ...

    async def gives(self, command: Command, thread: Thread) -> str:
        """Somebody gives a command, in words where there are people; what they are told about it."""
        ...

    async def is_told(self, command: Command, thread: Thread, *, by: str = "ada") -> str:
        """Somebody asks to be told something of a thread; what is shown to them alone."""
        ...

    async def presses(self, label: str, thread: Thread) -> None:
        """Somebody presses the last button of that label, "Stop" or "Retry", once there is one."""
        ...

    async def asked(self, thread: Thread, *, number: int = 1) -> int:
        """How many posts in the thread can be approved of or declined, once there are so many; 0 once there is none."""
        ...

    async def reads(self, thread: Thread, beginning: str) -> Sequence[str]:
        """All that the bot says in the thread about commands and that begins so, once there is something."""
        ...

    async def looks(self, thread: Thread, until: Callable[[View], bool] = lambda view: True) -> View:
        """What a person sees, once it is as wanted. Raises TimeoutError."""
        ...

    async def watches(self, thread: Thread, until: Callable[[str], bool]) -> str:
        """What the bot says it is doing there, once it is as wanted; nothing once it does nothing.

        Raises TimeoutError.
        """
        ...

    async def saves(self, thread: Thread, number: int) -> Sequence[bytes]:
        """What somebody gets who saves the files of the thread's answers, once there are so many."""
        ...

    def harm(self) -> Sequence[str]:
        """Whom the bot's words notified and what they made a browser or a platform fetch."""
        ...
