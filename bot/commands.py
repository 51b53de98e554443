"""Reset, stop, retry and help, in words no platform owns."""

import logging
from collections.abc import Awaitable, Callable
from enum import StrEnum

from bot.messages import MessageId, Thread
from bot.ports import ControlStore, Retried

logger = logging.getLogger(__name__)


class Command(StrEnum):
    """What a person can tell the bot to do with a thread."""

    RESET = "reset"
    STOP = "stop"
    RETRY = "retry"
    HELP = "help"


def read_command(text: str) -> Command | None:
    """The command that *text* is, a slash and its name and nothing else; None for any other message."""
    name = text.strip().lower()
    return Command(name[1:]) if name[:1] == "/" and name[1:] in set(Command) else None


_HELP = """\
Ask me anything; I answer in this thread and remember what was said in it. Files can come with a question.

- `/stop` ends the answer I am giving and keeps what was said
- `/retry` answers the last question again, in place of the last answer
- `/reset` starts this thread afresh: I no longer know what was said in it
- `/help` shows this

Answers are made by AI and can be wrong."""

_RESET = (
    "This thread starts afresh: I no longer know what was said in it. "
    "Nothing was deleted at Gemini, which forgets it by itself: after 55 days, or one day with a free key."
)
_AGAIN = {
    Retried.QUEUED: "I answer the last question again.",
    Retried.NOTHING: "There is no answer here yet that I could try again.",
    Retried.BUSY: "I am still answering in this thread. Retry works on the last answer, once it is there.",
    Retried.REPEATED: "I answer the last question again.",
}


class Commands:
    """Carries out commands at once; they never wait behind work.

    Args:
        stop: ends a thread's running turn.
        wake: tells that a thread has work.
    """

    def __init__(
        self, store: ControlStore, *, stop: Callable[[Thread], Awaitable[None]], wake: Callable[[Thread], None]
    ) -> None:
        self._store, self._stop, self._wake = store, stop, wake

    async def run(self, command: Command, thread: Thread, by: MessageId) -> str:
        """Do it, once for each message *by* which it was told, and return what to say about it. Markdown.

        Raises:
            StoreError: nothing was done.
        """
        logger.info("command", extra={"command": command.value, "thread_key": thread.key})
        match command:
            case Command.HELP:
                return _HELP
            case Command.STOP:
                if await self._store.stop(thread, by) is None:
                    return "I am not answering anything here just now."
                await self._stop(thread)
                return "Stopped."
            case Command.RESET:
                if await self._store.reset(thread, by):
                    await self._stop(thread)
                return _RESET
            case Command.RETRY:
                outcome = await self._store.retry(thread, by)
                self._wake(thread)
                return _AGAIN[outcome]
