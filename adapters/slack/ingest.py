"""What Slack tells -> the inbox. It is stored when this says so, and Slack is told only then."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Protocol
from weakref import WeakValueDictionary

from adapters.slack.actions_payloads import read_home_opened
from adapters.slack.changes import Changes
from adapters.slack.events import Commanded, Deleted, Edited, Posted, read_event
from adapters.slack.format import mrkdwn
from adapters.slack.pages import order, order_at
from adapters.slack.places import is_direct
from adapters.slack.unheard import Notes
from adapters.slack.workspace import Workspace
from bot.asides import Asides, Telling
from bot.commands import TELLING, Command
from bot.condition import Condition
from bot.errands import Errands
from bot.errors import PlatformError, StoreError
from bot.messages import Address, Message, MessageId, Person, PersonId, Standing, Thread, TurnId
from bot.watching import AGE

logger = logging.getLogger(__name__)

_MOST_DONE = 10_000  # commands remembered as carried out; an event may come again for minutes
_MOST_PASSED_OVER = 10_000  # threads
STANDING_WITHIN = 1.0  # seconds that somebody with a command may wait for being looked up
_AT_ONCE = {Command.STOP, Command.HELP}  # for whoever is not known to be refused


class Inbox(Protocol):
    """As far as events need one."""

    async def receive(self, message: Message) -> bool: ...
    async def edit(self, thread: Thread, message: MessageId, text: str) -> bool: ...
    async def withdraw(self, thread: Thread, message: MessageId) -> bool: ...


class KnownMessages(Notes, Protocol):
    """What is asked of the store before an edit is taken for the message itself."""

    async def knows(self, thread: Thread, message: MessageId) -> bool:
        """See `MessageStore.knows`."""
        ...


class Commands(Telling, Protocol):
    """As far as Slack needs them."""

    def refusal(self, thread: Thread, person: Person) -> str | None: ...

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
    ) -> str: ...


class Standings(Protocol):
    """Who knows what people are to the workspace."""

    def known_standing(self, user: str) -> Standing | None: ...
    async def standing(self, user: str) -> Standing: ...


class Ingest:
    """Takes events, however they arrive. Nothing on their way asks Slack anything they could be lost by.

    Args:
        errands: owns the work that goes on when Slack has stopped waiting for it.
        confirm: told what is to be said about a command that was carried out.
        whisper: shows mrkdwn in a thread to one person alone, and tells whether it could.
        show_home: told who opened the Home tab.
        came_late: told of a thread, and of a time (seconds since the epoch), that what called the bot into the thread
            then was told only now, after others who may have gone on talking to it.
        now: seconds since the epoch.
        within: seconds that an event may take. It must be acknowledged within 3; what takes longer is stored all the
            same, and known when it comes again.
    """

    def __init__(
        self,
        errands: Errands,
        me: Workspace,
        *,
        store: KnownMessages,
        inbox: Inbox,
        commands: Commands,
        people: Standings,
        condition: Condition,
        confirm: Callable[[Thread, MessageId, str], None],
        whisper: Callable[[Thread, Person, str], Awaitable[bool]],
        show_home: Callable[[PersonId], Awaitable[None]],
        came_late: Callable[[Thread, float], None] = lambda thread, since: None,
        now: Callable[[], float] = time.time,
        within: float = 2.0,
    ) -> None:
        self._errands, self._me, self._store, self._inbox, self._commands = errands, me, store, inbox, commands
        self._people, self._condition, self._confirm = people, condition, confirm
        self._show_home, self._came_late, self._now, self._within = show_home, came_late, now, within
        self._asides = Asides(
            errands,
            commands,
            confirm=confirm,
            whisper=lambda thread, person, words: whisper(thread, person, mrkdwn(words)),
            known=lambda person, command: with_standing(person, people, command),
        )
        self._changes = Changes(now)
        self._lanes: WeakValueDictionary[Thread, asyncio.Lock] = WeakValueDictionary()  # gone when nobody waits
        self._done: OrderedDict[tuple[Thread, MessageId], None] = OrderedDict()
        self._passed_over: OrderedDict[Thread, MessageId] = OrderedDict()  # the newest in each thread

    async def accept(self, body: Mapping[str, object]) -> bool:
        """Store what an event says. False: it is not stored (yet), do not acknowledge it."""
        # Never cancelled: between storing a question and waking its thread it would be left lying.
        try:
            task = self._errands.start(self._keep(body))
        except RuntimeError:  # the end has come, and whoever looks for what was missed has not heard of it yet
            return False
        done, _ = await asyncio.wait({task}, timeout=self._within)
        if not done:
            logger.warning("event not stored in time", extra={"seconds": self._within})
        return bool(done) and task.result()

    async def _keep(self, body: Mapping[str, object]) -> bool:
        try:
            await self.take(body)
        except StoreError as error:
            logger.error("event not stored", extra={"reason": str(error)})
            return False
        except Exception:
            logger.exception("event failed in a way nobody foresaw")
            return False
        return True

    async def take(self, body: Mapping[str, object]) -> None:
        """Store what an event says. Raises StoreError when it is not certain to be."""
        event = read_event(body, self._me)
        if event is None:
            self._look_at(body)
            return
        thread = event.message.thread if isinstance(event, Posted | Edited) else event.thread
        # What is said in one thread is kept in the order in which it came, over whichever socket.
        async with self._lanes.setdefault(thread, asyncio.Lock()):
            match event:
                case Posted(message) if not self._changes.overtook(thread, message.id, message.sent_at):
                    await self._receive(message)
                case Edited(message) if not self._changes.overtook(thread, message.id, message.sent_at):
                    await self._edit(event)
                case Deleted(thread, message_id):
                    self._changes.note_deletion(thread, message_id)
                    await self._inbox.withdraw(thread, message_id)
                case Commanded() as told if not self._changes.is_deleted(thread, told.message_id):
                    await self._carry_out(told)
                case _:
                    logger.info("event overtaken by a later one", extra={"thread_key": thread.key})

    async def _receive(self, message: Message) -> None:
        thread = message.thread
        later = self._passed_over.get(thread) if message.address is Address.MENTION else None
        if later is not None and order(later) > order_at(message.sent_at):
            # Said when the bot had been called, and heard when that was not known.
            del self._passed_over[thread]
            self._came_late(thread, message.sent_at)
        if not await self._inbox.receive(message) and message.address is Address.OPEN:
            self._passed_over[thread] = max(message.id, self._passed_over.pop(thread, message.id), key=order)
            while len(self._passed_over) > _MOST_PASSED_OVER:
                self._passed_over.popitem(last=False)

    async def _edit(self, event: Edited) -> None:
        message = event.message
        if not await self._inbox.edit(message.thread, message.id, message.text or ""):
            if event.is_call:
                # A mention that was forgotten at first. What was answered already is known, and stays as it is.
                await self._inbox.receive(message)
            elif await self._is_news(message):
                # The edit overtook its message, which is a redelivery when it comes.
                await self._inbox.receive(replace(message, sent_at=float(message.id)))
            else:
                return
        self._changes.note(message.thread, message.id, message.sent_at)

    async def _is_news(self, message: Message) -> bool:
        """Whether an edited message was never heard of, and would have been taken as it was posted."""
        if order(message.id) < order_at(self._now() - AGE):
            return False
        # No event of the same thread comes between this look and what follows from it.
        if await self._store.knows(message.thread, message.id):
            return False
        if message.address in {Address.DIRECT, Address.MENTION}:
            return True
        # What people said among themselves before the bot was called is not said to it by being edited.
        begun = (await self._store.note(message.thread)).since
        return begun is not None and order(message.id) >= order_at(begun)

    async def _carry_out(self, told: Commanded) -> None:
        """Have a command carried out, once. Its twin, told a moment later, would hear that there is nothing to stop."""
        key = told.thread, told.message_id
        if key in self._done:
            return
        here_alone = is_direct(told.thread.channel_id)
        # Where nobody else is there is nothing to be quiet in.
        command = Command.HELP if here_alone and told.command is Command.QUIET else told.command
        if command in TELLING:
            await self._asides.take(command, *key, told.person, alone=not here_alone)
            self._remember(key)
            return
        words = await self._commands.run(
            command,
            told.thread,
            told.message_id,
            person=await with_standing(told.person, self._people, command),
            sent_at=told.sent_at,
            mark="" if here_alone else "@Clew ",
            to_confirm=True,
        )
        self._remember(key)
        self._confirm(told.thread, told.message_id, words)

    def _remember(self, key: tuple[Thread, MessageId]) -> None:
        self._done[key] = None
        while len(self._done) > _MOST_DONE:
            self._done.popitem(last=False)

    def _look_at(self, body: Mapping[str, object]) -> None:
        """What is no message: somebody opened the Home tab, or the app is being taken away."""
        if body.get("type") == "app_rate_limited":
            logger.error("Slack withholds events, too many came in an hour")
            return
        opened = read_home_opened(body, self._me)
        if opened is not None and opened.tab == "home":
            self._errands.start(self._open_home(opened.person.id))
        event = body.get("event")
        match event.get("type") if isinstance(event, Mapping) else None:
            case "app_uninstalled":
                self._condition.is_wrong("bot token", "The app was removed from the workspace; install it again.")
            case "tokens_revoked" if _is_bots(event):
                self._condition.is_wrong(
                    "bot token", "SLACK_BOT_TOKEN was revoked; install the app again and set the new token."
                )

    async def _open_home(self, person: PersonId) -> None:
        try:
            await self._show_home(person)
        except PlatformError as error:
            logger.warning("Home tab not shown", extra={"person": person, "reason": str(error)})
        except Exception:
            logger.exception("Home tab failed in a way nobody foresaw")


async def with_standing(person: Person, people: Standings, command: Command) -> Person:
    """Somebody with a command, with their standing as far as the command can wait for it.

    A stop waits for nobody: it reads nothing, costs nothing, and what it ends can be had again. A reset, a retry and a
    quiet change what everybody in the thread goes on from, so somebody unknown is looked up for them, which is
    remembered. Until then nothing passes them: what is said after a reset still belongs to the fresh start. Where it
    cannot be told in time they go ahead.
    """
    standing = person.standing or people.known_standing(person.id)
    if standing is not None or command in _AT_ONCE:
        return replace(person, standing=standing)
    try:
        async with asyncio.timeout(STANDING_WITHIN):
            return replace(person, standing=await people.standing(person.id))
    except (TimeoutError, PlatformError) as error:
        logger.info("standing not told", extra={"person": person.id, "error": type(error).__name__})
        return person


def _is_bots(event: object) -> bool:
    """Whether the tokens that were revoked are the bot's, and not some person's."""
    tokens = event.get("tokens") if isinstance(event, Mapping) else None
    return isinstance(tokens, Mapping) and bool(tokens.get("bot"))
