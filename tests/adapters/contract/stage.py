"""The contract's words: what people do on a platform, what they see there, and the bot that lives and dies on it.

A platform joins by being a `Stage` and having a line in `platforms`.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from bot.commands import Command
from bot.messages import Thread
from bot.ports import Adapter, Store
from tests.support.people.seen import Post, Upload, View
from tests.support.scripted import ScriptedModel


class Bot(Protocol):
    """The bot while it runs."""

    @property
    def store(self) -> Store: ...

    @property
    def adapter(self) -> Adapter: ...

    def kill(self) -> None:
        """End it at once; whatever it tries after that comes to nothing."""
        ...

    async def idle(self) -> None:
        """Wait until no turn is open. A person sees an answer a moment before its turn has ended."""
        ...


class Stage(Protocol):
    """A platform on loopback and the people on it. Platform, database and model outlive the bot."""

    @property
    def model(self) -> ScriptedModel: ...

    @property
    def harmful(self) -> str:
        """Words by which the platform would notify people, or a browser fetch or run something."""
        ...

    def bot(self) -> AbstractAsyncContextManager[Bot]:
        """The bot, connected; on the same database each time. Leaving the block shuts it down as a signal would."""
        ...

    # --- what happens -----------------------------------------------------------------------------

    async def says(
        self, text: str, *, thread: Thread | None = None, by: str = "ada", files: Sequence[Upload] = ()
    ) -> Post:
        """Somebody says something to the bot, in a thread or at the top, where a thread begins with it.

        As with everything here that people do: when this returns, the bot has taken it in.
        """
        ...

    async def repeats(self, post: Post) -> None:
        """The platform hands the same message over once more."""
        ...

    async def speaks(self, text: str, *, thread: Thread | None, itself: bool) -> Post:
        """The bot itself, or another bot, says something that addresses the bot. `Can.SPEAK_AS_A_BOT`."""
        ...

    async def edits(self, post: Post, text: str) -> None:
        """Whoever said it changes it. `Can.CHANGE_WHAT_WAS_SAID`, as for `deletes`."""
        ...

    async def deletes(self, post: Post) -> None:
        """Whoever said it takes it back."""
        ...

    async def gives(self, command: Command, thread: Thread) -> str:
        """Somebody gives a command; what they are told about it."""
        ...

    async def reads(self, thread: Thread, beginning: str) -> Sequence[str]:
        """All that the bot says in the thread about commands and that begins so, once there is something."""
        ...

    # --- what is seen -----------------------------------------------------------------------------

    async def heard(self) -> None:
        """Wait until the bot has taken in all that happened so far, its own doings included."""
        ...

    async def looks(self, thread: Thread, until: Callable[[View], bool] = lambda view: True) -> View:
        """What a person sees, once it is as wanted. Raises TimeoutError."""
        ...

    async def saves(self, thread: Thread, number: int) -> Sequence[bytes]:
        """What somebody gets who saves the files of the thread's answers, once there are so many."""
        ...

    def harm(self) -> Sequence[str]:
        """What the bot's words did so far of what `harmful` words do."""
        ...

    async def left_over(self) -> Sequence[str]:
        """What stands on the platform or lies in the bot's folders when the bot is gone, and should not.

        Signs of work, answers that were never finished, messages where nobody asked, files that nothing refers to.
        """
        ...
