"""What a platform has to be for a story to be played on it: the bot, people, and what they see."""

from collections.abc import Callable, Sequence, Set
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from bot.attachments import ONLY_INLINE, Intake
from bot.function_runs import Functions
from bot.limits import Limits
from bot.messages import Platform, Thread
from bot.policy import Policy
from bot.ports import Store
from bot.uploads import Uploads
from tests.support.reaper import ReapedModel, Reaper

GREETING = "good morning"  # said before the story begins, where that is needed
PATIENCE = Limits(first_pause=0.05, poll=0.05, warning=0.05)


@dataclass(frozen=True, slots=True)
class Seen:
    """A message of the bot as people see it."""

    text: str
    files: tuple[str, ...] = ()
    buttons: tuple[str, ...] = ()
    grows: bool = False  # it streams, says that it is being made, or could be stopped
    is_aside: bool = False  # about a command, and no answer


def paragraphs(first: int, last: int, *, words: int) -> str:
    """A piece of a long answer."""
    return "".join(f"Paragraph {number}. {'thread ' * words}\n\n" for number in range(first, last))


@dataclass(frozen=True, slots=True)
class Cast:
    """Whom the bot is started with."""

    url: str
    model: ReapedModel
    reaper: Reaper
    policy: Policy
    uploads: bool
    functions: Functions
    limits: Limits

    def intake(self, store: Store) -> Intake:
        """What files it takes in beside those that fit into a request."""
        return Intake(Uploads(self.model, store, limits=self.limits)) if self.uploads else ONLY_INLINE


class Running(Protocol):
    """A bot as the loopback servers of the platforms start it."""

    @property
    def store(self) -> Store: ...


class Ground(Protocol):
    """A platform on loopback and the people there, who outlive the bot and do what they do whether it lives or not."""

    @property
    def platform(self) -> Platform: ...

    @property
    def long(self) -> Sequence[str]:
        """A long answer in pieces; on a platform with a limit it takes two messages or more."""
        ...

    @property
    def unmade(self) -> Set[str]:
        """The commits that stories last for and that this platform never makes."""
        ...

    @property
    def keeps_what_was_reset(self) -> bool:
        """Whether what was said before a reset still stands in the thread."""
        ...

    @property
    def keeps_what_was_asked(self) -> bool:
        """Whether the thread goes on showing what somebody was asked to approve of, when that is decided."""
        ...

    def bot(self, cast: Cast) -> AbstractAsyncContextManager[Running]:
        """The bot, connected, its ports in the reaper's hands. Nothing happens by itself while it runs."""
        ...

    async def settle(self) -> None:
        """Let the first bot come to the point from which on nothing happens by itself."""
        ...

    def over(self, reaper: Reaper) -> None:
        """Count what reaches the platform in other ways than through a port."""
        ...

    def cut_off(self) -> None:
        """The bot has died: it hears nothing any more."""
        ...

    def mend(self) -> None:
        """Let the platform be as it was before `over`."""
        ...

    # --- what people do ---------------------------------------------------------------------------

    async def asks(self, text: str = "what is a clew?", *, files: Sequence[tuple[str, bytes]] = ()) -> None:
        """Ada asks what begins the thread of the story."""
        ...

    async def adds(self, text: str) -> None:
        """She says something more there."""
        ...

    async def types(self, command: str) -> None:
        """She gives a command there in words."""
        ...

    async def retries(self, reaper: Reaper) -> None:
        """She presses Retry; and again, when she sees that nothing came of it because nobody was there."""
        ...

    async def decides(self, label: str, reaper: Reaper) -> None:
        """She presses Approve or Decline once she is asked; and again, as above."""
        ...

    # --- what people see --------------------------------------------------------------------------

    @property
    def thread(self) -> Thread:
        """The thread of the story."""
        ...

    @property
    def shown(self) -> Sequence[Seen]:
        """All that the bot says in the thread, or to Ada alone."""
        ...

    def shows(self, text: str, *, follows: bool = True) -> Sequence[str]:
        """The messages in which it says an answer of this text; *follows*: it is the thread's first one."""
        ...

    async def until(self, look: Callable[[], object]) -> object:
        """Wait until *look* returns something truthy; it is asked after every change."""
        ...

    async def delivered(self) -> None:
        """Wait until nothing is under way to the bot any more."""
        ...

    async def amiss(self, store: Store) -> Sequence[str]:
        """What stands, or ever stood, on the platform or in the bot's folders, and should not."""
        ...
