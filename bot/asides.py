"""What somebody wants to know, told to them alone where that can be. Nothing else waits for it."""

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from bot.commands import Command
from bot.errands import Errands
from bot.errors import StoreError
from bot.messages import MessageId, Person, Thread

logger = logging.getLogger(__name__)

_SORRY = "I could not find that out just now. Please ask for it again in a moment."
_FOR_ONE = (
    "What your answers took is for you alone, and everybody would read it here. The slash command of the same name "
    "shows it to you only."
)
_UNSEEN = "I could not show you alone what you asked for. Please ask for it again in a moment."


class Telling(Protocol):
    """Who knows; see `bot.commands.Commands`."""

    async def run(
        self, command: Command, thread: Thread, by: MessageId, *, person: Person | None = None, mark: str = "/"
    ) -> str: ...
    async def promise(self, thread: Thread, by: MessageId) -> bool: ...
    async def kept(self, thread: Thread, by: MessageId) -> None: ...


class Asides:
    """Tells people what they asked to know with a message.

    Args:
        confirm: has it said in the thread, until it is said.
        whisper: shows it to one person alone, and tells whether it could; None where a platform cannot.
        known: somebody with what they are to the installation, as far as that can be told.
    """

    def __init__(
        self,
        errands: Errands,
        commands: Telling,
        *,
        confirm: Callable[[Thread, MessageId, str], None],
        whisper: Callable[[Thread, Person, str], Awaitable[bool]] | None = None,
        known: Callable[[Person, Command], Awaitable[Person]] | None = None,
    ) -> None:
        self._errands, self._commands = errands, commands
        self._confirm, self._whisper, self._known = confirm, whisper, known

    async def take(self, command: Command, thread: Thread, by: MessageId, person: Person, *, alone: bool) -> None:
        """Note that it was asked for, and find it out beside everything else. Raises StoreError.

        Args:
            alone: there are others in the thread, whose business it is not.
        """
        if await self._commands.promise(thread, by):
            self._errands.start(self._tell(command, thread, by, person, alone=alone))

    async def _tell(self, command: Command, thread: Thread, by: MessageId, person: Person, *, alone: bool) -> None:
        if alone and self._whisper is None and command is Command.USAGE:  # all else is of the thread, and known in it
            self._confirm(thread, by, _FOR_ONE)
            return
        try:
            known = person if self._known is None else await self._known(person, command)
            words = await self._commands.run(command, thread, by, person=known)
        except StoreError as error:
            logger.error("nothing to tell", extra={"command": command.value, "reason": str(error)})
            words = _SORRY
        except Exception:
            logger.exception("nothing to tell, in a way nobody foresaw", extra={"command": command.value})
            words = _SORRY
        if self._whisper is None or not alone:
            self._confirm(thread, by, words)
        elif await self._whisper(thread, person, words):
            await self._note(thread, by)
        else:
            self._confirm(thread, by, _UNSEEN)

    async def _note(self, thread: Thread, by: MessageId) -> None:
        try:
            await self._commands.kept(thread, by)
        except StoreError as error:
            # The next start says in the thread that it can be asked for again, which does no harm.
            logger.warning("telling not noted", extra={"thread_key": thread.key, "reason": str(error)})
