"""Slash commands, buttons and shortcuts: carried out, and answered to whoever gave them alone."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from adapters.slack.actions_payloads import Pressed, Slash, read_action, read_shortcut, read_slash
from adapters.slack.asked import Asking, Questions, Tell
from adapters.slack.buttons import APPROVE, DECLINE, RESET, RETRY, STOP
from adapters.slack.format import mrkdwn
from adapters.slack.ingest import Commands, Standings, with_standing
from adapters.slack.manifest import COMMAND
from adapters.slack.places import SLACK, place_of
from adapters.slack.recent import Recent, RecentStore, choice, read_choice
from adapters.slack.workspace import Workspace
from bot.commands import DECISIONS, Command
from bot.errands import Errands
from bot.errors import StoreError
from bot.messages import MessageId, Person, Thread, TurnId

logger = logging.getLogger(__name__)

_BUTTONS = {STOP: Command.STOP, RETRY: Command.RETRY, RESET: Command.RESET}
_BUTTONS |= {APPROVE: Command.APPROVE, DECLINE: Command.DECLINE}
_SORRY = "I could not note that down just now, so it may not have been done. Please try again in a moment."
_NO_LINK = (
    "That is not a link to a message of this workspace. The menu of a message has *Copy link*; "
    f"`{COMMAND} reset` without a link shows your recent threads here."
)
_NOT_YOURS = "I only do that for a thread of this channel."
_ELSEWHERE = "That belongs to another place. Please give the command there."
_NONE_RUNNING = "I am not answering anything of yours here just now."
_NONE_RECENT = "I know of no recent thread of yours in this channel."
_ALONE = "There are only the two of us here, so I answer whatever you write."
_WISH_FOR = {
    "imagine": f"Say what it is to show, as in `{COMMAND} imagine a red kite`.",
    "research": f"Say what is to be found out, as in `{COMMAND} research how kites fly`.",
}
_ONE_MOMENT = "One moment …"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody is told: mrkdwn, and blocks when there is something to choose."""

    text: str
    blocks: tuple[Json, ...] = ()


Answer = TypeVar("Answer", Words, Words | None)


class Actions:
    """Bolt's listeners. Each has a command stored before it acknowledges.

    Args:
        errands: owns the work that goes on when Slack has stopped waiting for it.
        questions: takes what is asked by a command.
        whisper: says something in a thread to one person alone, where Slack gave no address to answer at.
        within: seconds until an acknowledgement, which Slack wants within 3.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        errands: Errands,
        me: Workspace,
        *,
        commands: Commands,
        store: RecentStore,
        people: Standings,
        questions: Questions,
        whisper: Callable[[Thread, Person, str], Awaitable[bool]],
        within: float = 2.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._errands, self._me, self._commands = errands, me, commands
        self._recent = Recent(store, me, now=now)
        self._people, self._questions, self._whisper, self._within = people, questions, whisper, within

    # --- what Bolt calls ------------------------------------------------------------------------

    async def slash(self, ack: AsyncAck, body: Json, respond: AsyncRespond) -> None:
        """A slash command: the answer rides on the acknowledgement, or follows it when the store is slow."""
        told = read_slash(body, self._me)
        if told is None:
            await ack()
            return
        work = self._errands.start(self._surely(self._slash(told, lambda words: self._respond(respond, Words(words)))))
        if await self._is_done(work):
            await ack(_ephemeral(work.result()) if work.result().text else "")  # else it is seen what becomes of it
        else:
            await ack(_ephemeral(Words(_ONE_MOMENT)))
            words = await work
            if words.text:
                await self._respond(respond, words)

    async def button(self, ack: AsyncAck, body: Json, respond: AsyncRespond) -> None:
        """A button under an answer, or one of those that offer threads."""
        told = read_action(body, self._me)
        if told is None:
            await ack()
            return
        work = self._errands.start(self._surely(self._pressed(told)))
        await self._is_done(work)
        await ack()
        words = await work
        if words is not None:
            await self._tell(respond, told.thread, told.person, words, replaces=told.is_ephemeral)

    async def shortcut(self, ack: AsyncAck, body: Json, respond: AsyncRespond) -> None:
        """A message shortcut."""
        told = read_shortcut(body, self._me)
        if told is None or told.command is None:
            await ack()
            return
        work = self._errands.start(self._surely(self._run(told.command, told.thread, told.trigger_id, told.person)))
        await self._is_done(work)
        await ack()
        await self._tell(respond, told.thread, told.person, await work)

    async def nothing(self, ack: AsyncAck) -> None:
        """What nobody listens to is acknowledged all the same, or people would be shown an error."""
        await ack()

    # --- what is done ---------------------------------------------------------------------------

    async def _surely(self, work: Awaitable[Answer]) -> Answer | Words:
        """What *work* comes to, or the words for its failing: a person is waiting."""
        try:
            return await work
        except StoreError as error:
            logger.error("command not carried out", extra={"reason": str(error)})
        except Exception:
            logger.exception("command failed in a way nobody foresaw")
        return Words(_SORRY)

    async def _slash(self, told: Slash, tell: Tell) -> Words:
        here = self._channel(told)
        if told.wish is not None:
            return Words(await self._ask(told, told.wish, tell))
        if told.command is None or told.command is Command.HELP:
            helped = await self._run(Command.HELP, here, told.trigger_id, told.person)
            return helped if told.command else Words(f"I do not know that command.\n\n{helped.text}")
        if told.has_bad_link:
            return Words(_NO_LINK)
        if told.thread is None or told.thread == here:
            return await self._here(told.command, told)
        if told.thread.channel_id != told.channel_id:
            # Who asked there once may have been taken out of that channel since, and has no say in it any more.
            return Words(_ELSEWHERE if await self._recent.asked_in(told.thread, told.person) else _NOT_YOURS)
        return await self._run(told.command, told.thread, told.trigger_id, told.person)

    async def _ask(self, told: Slash, wish: str, tell: Tell) -> str:
        """Have a question put: what a command says nobody else can see, and its answer is for all of the channel."""
        if not told.wished:
            return _WISH_FOR[wish]
        asking = Asking(told.trigger_id, told.channel_id, told.person.id, f"{wish}: {told.wished}")
        return await self._questions.take(asking, tell)

    async def _here(self, command: Command, told: Slash) -> Words:
        """A command without a link: Slack says in which channel it was given, never in which thread."""
        match command:
            case Command.STOP:
                return await self._stop_all(told)
            case Command.QUIET if told.is_direct:
                return Words(_ALONE)
            case _ if told.thread is not None:
                return await self._run(command, told.thread, told.trigger_id, told.person)
            case Command.USAGE | Command.PRIVACY:  # of whoever asks, and of the channel
                return await self._run(command, self._channel(told), told.trigger_id, told.person)
        threads = await self._recent.threads(told.channel_id, told.person)
        if not threads:
            return Words(_NONE_RECENT)
        return Words("Which thread do you mean?", tuple(choice(command, threads, self._me)))

    def _channel(self, told: Slash) -> Thread:
        """Where a command was given, for want of a thread."""
        return Thread(SLACK, self._me.installation_id, told.channel_id, told.channel_id)

    async def _stop_all(self, told: Slash) -> Words:
        turns = await self._recent.running(told.channel_id, told.person)
        words = Words(_NONE_RUNNING)
        for turn in turns:
            words = await self._run(Command.STOP, turn.thread, told.trigger_id, told.person, turn.id)
        return words

    async def _pressed(self, told: Pressed) -> Words | None:
        if (command := read_choice(told.action_id)) is not None:
            chosen = told.chosen
            # One of another workspace, or of another platform, may be called the same.
            here = (SLACK, self._me.installation_id, told.channel_id)
            if chosen is None or (chosen.platform, chosen.installation_id, chosen.channel_id) != here:
                return Words(_ELSEWHERE)
            return await self._run(command, chosen, told.trigger_id, told.person)
        known = _BUTTONS.get(told.action_id)
        if known is None or told.thread is None:
            return None
        if known in DECISIONS:
            return await self._run(known, told.thread, told.trigger_id, told.person, asked=told.value)
        # A reset is meant for the thread as it is now, whichever answer the button stands under.
        turn = None if known is Command.RESET else told.turn
        return await self._run(known, told.thread, told.trigger_id, told.person, turn)

    async def _run(
        self,
        command: Command,
        thread: Thread,
        by: MessageId,
        person: Person,
        turn: TurnId | None = None,
        *,
        asked: str = "",
    ) -> Words:
        person = await with_standing(person, self._people, command)
        words = await self._commands.run(command, thread, by, person=person, turn=turn, asked=asked, mark=f"{COMMAND} ")
        return Words(mrkdwn(words))

    # --- telling --------------------------------------------------------------------------------

    async def _is_done(self, work: "asyncio.Task[Any]") -> bool:
        """Whether it is done before Slack stops waiting; it goes on in any case."""
        done, _ = await asyncio.wait({work}, timeout=self._within)
        return bool(done)

    async def _tell(
        self, respond: AsyncRespond, thread: Thread | None, person: Person, words: Words, *, replaces: bool = False
    ) -> None:
        thread_ts = place_of(thread)[1] if thread is not None and not replaces else None
        if await self._respond(respond, words, thread_ts=thread_ts, replaces=replaces) or thread is None:
            return
        await self._whisper(thread, person, words.text)

    async def _respond(
        self, respond: AsyncRespond, words: Words, *, thread_ts: str | None = None, replaces: bool = False
    ) -> bool:
        """Answer at the address Slack gave for it; whether it took the answer."""
        try:
            told = await respond(
                text=words.text,
                blocks=list(words.blocks) or None,
                response_type="ephemeral",
                replace_original=replaces,
                thread_ts=thread_ts,
            )
        except Exception as error:  # the SDK raises whatever a broken answer makes it stumble over
            logger.warning("answer to a command not shown", extra={"error": type(error).__name__})
            return False
        if told.status_code != 200:
            logger.warning("answer to a command not shown", extra={"status": told.status_code})
        return told.status_code == 200


def _ephemeral(words: Words) -> Json:
    answer: Json = {"response_type": "ephemeral", "text": words.text}
    return answer | {"blocks": list(words.blocks)} if words.blocks else answer
