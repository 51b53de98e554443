"""Reset, stop, retry, forget, and what only tells something, in words no platform owns."""

import logging
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Protocol

from bot.errors import NotAllowed
from bot.messages import MessageId, Person, Platform, Thread, TurnId
from bot.notices import notice_for
from bot.policy import Policy
from bot.ports import ControlStore, Retried

logger = logging.getLogger(__name__)


class Command(StrEnum):
    """What a person can tell the bot to do with a thread."""

    RESET = "reset"
    STOP = "stop"
    RETRY = "retry"
    HELP = "help"
    QUIET = "quiet"
    FORGET = "forget"
    PRIVACY = "privacy"
    HISTORY = "history"
    USAGE = "usage"
    APPROVE = "approve"
    DECLINE = "decline"


TELLING = frozenset({Command.PRIVACY, Command.HISTORY, Command.USAGE})
"""What changes nothing and tells somebody something, which is for them alone; it may take as long as Gemini takes."""

DECISIONS = frozenset({Command.APPROVE, Command.DECLINE})
"""What only a button says: as a word it may be meant for the model."""

ANYWHERE = frozenset({Command.HELP, Command.PRIVACY, Command.USAGE})
"""What can be asked where there is no conversation."""

_BESIDE_A_COMMAND = "/.,;:!?…*_~`\"'“”‘’()"
_COMMANDS = {command.value: command for command in Command if command not in DECISIONS}
_TYPED = frozenset(Command) - {Command.QUIET} - DECISIONS


def read_command(text: str) -> Command | None:
    """The command that *text* is, a slash and its name and nothing else; None for any other message.

    Where there are only the two of you there is nothing to be quiet in.
    """
    name = text.strip().lower()
    return Command(name[1:]) if name[:1] == "/" and name[1:] in _TYPED else None


def command_of(text: str) -> Command | None:
    """The command that a message to the bot is, and nothing else: in any case, with or without a slash and punctuation.

    Args:
        text: as people read it, the mention of the bot removed.
    """
    return _COMMANDS.get(text.strip().strip(_BESIDE_A_COMMAND).strip().casefold())


_HELP = """\
Ask me anything; I answer in this thread and remember what was said in it. Files can come with a question.
A question that begins with `imagine:` makes a picture, as in `imagine: a red kite`.
One that begins with `research:` is researched for some minutes, at a cost of dollars, and answered with a report.

- `{mark}stop` ends the answer I am giving and keeps what was said
- `{mark}retry` answers the last question again, in place of the last answer
- `{mark}reset` starts this thread afresh: I no longer know what was said in it
- `{mark}forget` deletes what Gemini and I keep of this thread
- `{mark}history` shows what Gemini holds of this thread
- `{mark}usage` shows what your answers took, and what that costs
- `{mark}privacy` says what is kept here, where and for how long
- `{mark}help` shows this

Answers are made by AI and can be wrong."""

_AFRESH = "This thread starts afresh: I no longer know what was said in it."
_RESET = (
    f"{_AFRESH} Nothing was deleted at Gemini, which forgets it by itself after 55 days, or one day with a free key; "
    "`forget` deletes it there as well."
)
_RESET_PRIVATE = f"{_AFRESH} What I kept of it is deleted, and Gemini keeps nothing of private threads."
_UNTOLD = "I was interrupted before I could show what you asked for. Please ask for it again."
_AGAIN = {
    Retried.QUEUED: "I answer the last question again.",
    Retried.NOTHING: "Retry works on the last answer of a thread, and there is none here that I could try again.",
    Retried.BUSY: "I am still answering in this thread. Retry works on the last answer, once it is there.",
    Retried.LATE: "Your retry reached me late: I have answered a newer question since. Ask yours again, please.",
    Retried.REPEATED: "I answer the last question again.",
}


class Forgetter(Protocol):
    """Who forgets threads; see `bot.forgetting.Forgetting`."""

    async def forget(self, thread: Thread, by: MessageId) -> str:
        """Begin to, once for each *by*, and say so. What became of it is said in the thread later."""
        ...


class PrivacyNotes(Protocol):
    """Who knows what is kept where; see `bot.privacy.Privacy`."""

    def words(self, thread: Thread) -> str: ...


class Insights(Protocol):
    """Who knows what was asked and what it took; see `bot.insight.Insight`."""

    async def history(self, thread: Thread) -> str: ...
    async def usage(self, platform: Platform, person: Person | None) -> str: ...


class Approver(Protocol):
    """Who hears of decisions; see `bot.approvals.Approvals`."""

    async def decide(self, thread: Thread, asked: str, *, approved: bool, person: Person | None) -> str: ...


class Commands:
    """Carries out commands at once; they never wait behind work.

    Args:
        stop: ends a thread's running turn.
        see_out: waits for a turn's end, if it is the running one and that does not take long.
        wake: tells that a thread has work.
    """

    def __init__(
        self,
        store: ControlStore,
        *,
        policy: Policy,
        stop: Callable[[Thread], Awaitable[None]],
        see_out: Callable[[Thread, TurnId], Awaitable[None]],
        wake: Callable[[Thread], None],
        forgetting: Forgetter,
        privacy: PrivacyNotes,
        insight: Insights,
        approvals: Approver | None = None,
    ) -> None:
        self._store, self._policy = store, policy
        self._forgetting, self._privacy, self._insight = forgetting, privacy, insight
        self._stop, self._see_out, self._wake, self._approvals = stop, see_out, wake, approvals

    def refusal(self, thread: Thread, person: Person) -> str | None:
        """What somebody is told who may not use the bot in a thread; None when they may."""
        refusal = self._policy.refusal_of(thread, person)
        return None if refusal is None else notice_for(NotAllowed(refusal))

    async def run(
        self,
        command: Command,
        thread: Thread,
        by: MessageId,
        *,
        person: Person | None = None,
        turn: TurnId | None = None,
        asked: str = "",
        sent_at: float | None = None,
        mark: str = "/",
        to_confirm: bool = False,
    ) -> str:
        """Do it, once for each message *by* which it was told, and return what to say about it. Markdown.

        Args:
            person: who told it; None where everybody may.
            turn: the one that is meant; None for the running or the last one.
            asked: the name of what a decision is about; see `bot.ports.Approval`.
            sent_at: when it was told, in seconds since the epoch, if that may be a while ago: a turn that was asked for
                after that is not meant.
            mark: what goes before a command's name where it was told.
            to_confirm: note in the store what is to be said, until `ControlStore.confirmed`.

        Raises:
            StoreError: it is not certain to have been done; it can be told again with the same *by*.
        """
        logger.info("command", extra={"command": command.value, "thread_key": thread.key})
        refusal = None if person is None else self.refusal(thread, person)
        if refusal is not None:
            return refusal
        if command in TELLING:
            return await self._told(command, thread, person)
        if command in DECISIONS and self._approvals is not None:
            return await self._approvals.decide(thread, asked, approved=command is Command.APPROVE, person=person)
        words = await self._done(command, thread, by, turn=turn, sent_at=sent_at, mark=mark)
        if to_confirm:
            await self._store.confirming(thread, by, words)
        return words

    async def promise(self, thread: Thread, by: MessageId) -> bool:
        """Note that somebody is to be told something; False when that was noted before. Raises StoreError.

        What they are told is kept nowhere. If it never reaches them, `ControlStore.unconfirmed` has words for that.
        """
        return await self._store.confirming(thread, by, _UNTOLD)

    async def kept(self, thread: Thread, by: MessageId) -> None:
        """Note that they were told. Raises StoreError."""
        await self._store.confirmed(thread, by)

    async def _told(self, command: Command, thread: Thread, person: Person | None) -> str:
        match command:
            case Command.HISTORY:
                return await self._insight.history(thread)
            case Command.USAGE:
                return await self._insight.usage(thread.platform, person)
            case _:
                return self._privacy.words(thread)

    async def _done(  # noqa: PLR0911 - a flat match, a command each
        self,
        command: Command,
        thread: Thread,
        by: MessageId,
        *,
        turn: TurnId | None,
        sent_at: float | None,
        mark: str,
    ) -> str:
        match command:
            case Command.FORGET:
                return await self._forgetting.forget(thread, by)
            case Command.STOP:
                if await self._store.stop(thread, by, turn=turn, sent_at=sent_at) is None:
                    return "I am not answering anything here just now."
                await self._stop(thread)
                return "Stopped."
            case Command.RESET:
                if await self._store.reset(thread, by):
                    await self._stop(thread)
                return _RESET_PRIVATE if self._policy.is_private(thread) else _RESET
            case Command.RETRY:
                if turn is not None:
                    await self._see_out(thread, turn)  # its answer can be seen before it is written down that it was
                outcome = await self._store.retry(thread, by, turn=turn, sent_at=sent_at)
                self._wake(thread)
                return _AGAIN[outcome]
            case Command.QUIET:
                await self._store.quieten(thread, by)
                return "I am quiet in this thread from now on, and answer when I am mentioned."
            case _:
                return _HELP.format(mark=mark)
