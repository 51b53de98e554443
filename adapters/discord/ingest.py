"""What the gateway tells, or what is read back, on its way into the store: each message once, in order.

Discord tells an event once and wants no receipt. So nothing here gives up: what cannot be stored now is stored later,
and what comes after it in the same place waits its turn.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol
from weakref import WeakValueDictionary

from adapters.discord.channels import Channels
from adapters.discord.events import (
    Commanded,
    Edited,
    Posted,
    origin_of,
    read_deleted,
    read_edited,
    read_posted,
    replied_to,
)
from adapters.discord.payloads import Fields, ids, sent_at
from adapters.discord.people import Called, Me, Nicknames
from adapters.discord.places import DIRECT, DISCORD, Kind, Where
from adapters.discord.threads import Threads
from bot.asides import Asides, Telling
from bot.commands import TELLING, Command
from bot.errands import Errands
from bot.errors import PlatformAway, PlatformError, StoreError
from bot.messages import Address, Message, MessageId, Person, Thread, TurnId
from bot.ports import PlacingStore, ThreadNote
from bot.watching import AGE

logger = logging.getLogger(__name__)

_MOST_WAITING = 5_000  # events; some ten thousand bytes each at the most
_MARGIN = 60.0  # seconds by which the clocks of Discord and of this machine may differ
_MOST_DONE = 10_000  # commands remembered as carried out; an event may come again for minutes
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # seconds before what failed is tried again


class Inbox(Protocol):
    """Where messages go; see `bot.inbox.Inbox`."""

    async def receive(self, message: Message) -> bool: ...
    async def edit(self, thread: Thread, message: MessageId, text: str) -> bool: ...
    async def withdraw(self, thread: Thread, message: MessageId) -> bool: ...


class Commands(Telling, Protocol):
    """Who carries out commands; see `bot.commands.Commands`."""

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


class Notes(PlacingStore, Protocol):
    """What is asked of the store."""

    async def note(self, thread: Thread) -> ThreadNote:
        """What is known of a thread; see `MessageStore.note`."""
        ...


class Ingest:
    """Takes in what happened.

    Args:
        me: who the bot is in a server, by the server's id.
        nicknames: learns what people are called, which only the gateway tells.
        confirm: has what became of a command said.
        missed: hears of a server, or of the direct messages, since when something of it has to be read back; *missing*:
            that it will hear so.
        clock: seconds since the epoch.
        most: events that wait to be stored; what comes on top of them is read back when there is room again.
    """

    def __init__(
        self,
        errands: Errands,
        *,
        me: Callable[[str | None], Me],
        channels: Channels,
        threads: Threads,
        nicknames: Nicknames,
        store: Notes,
        inbox: Inbox,
        commands: Commands,
        confirm: Callable[[Thread, MessageId, str], None],
        missed: Callable[[str | None, float], None] = lambda guild_id, since: None,
        missing: Callable[[str | None], None] = lambda guild_id: None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        most: int = _MOST_WAITING,
    ) -> None:
        self._missed, self._missing, self._most = missed, missing, most
        self._waiting = 0
        self._left_out: dict[str | None, float] = {}  # servers of which something was told, and since when
        self._errands, self._me, self._channels, self._threads = errands, me, channels, threads
        self._nicknames, self._store, self._inbox = nicknames, store, inbox
        self._commands, self._confirm, self._clock, self._sleep = commands, confirm, clock, sleep
        # Discord shows something to one person alone in answer to its own commands only.
        self._asides = Asides(errands, commands, confirm=confirm)
        self._lanes: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._done: OrderedDict[MessageId, None] = OrderedDict()

    def hear(self, name: str, body: Fields) -> None:
        """Take in an event of the gateway's. Returns at once; events of one channel are taken in as they came."""
        self._nicknames.hear(body)
        if self._waiting >= self._most:
            self._leave_out(body)
        else:
            self._errands.start(self._take(name, body)).add_done_callback(self._taken)
            self._waiting += 1

    def _leave_out(self, body: Fields) -> None:
        """Let the store's trouble take no more memory: what is not kept now is read back when it is over."""
        if not self._left_out:
            logger.error("too many events wait to be stored, the rest is read back later", extra={"events": self._most})
        if (origin := origin_of(body)) is not None:
            self._left_out.setdefault(origin.guild_id, self._clock() - _MARGIN)
            self._missing(origin.guild_id)

    def _taken(self, _: "asyncio.Task[None]") -> None:
        self._waiting -= 1
        if self._left_out and self._waiting <= self._most // 2:
            for guild_id, since in self._left_out.items():
                self._missed(guild_id, since)
            self._left_out.clear()

    async def take_in(self, body: Fields) -> None:
        """Take in a message that was read back, as if it had just been sent. Raises StoreError, PlatformError."""
        origin = origin_of(body)
        if origin is not None:
            async with self._lane(origin.channel_id):
                where = await self._channels.where(origin)
                if where is not None and not await self._was_said_before(body, where):
                    await self._keep("MESSAGE_CREATE", body, where)

    async def _was_said_before(self, body: Fields, where: Where) -> bool:
        """Whether people said it among themselves before the bot was called: then it was not said to it, nor is now."""
        called = self._called_in(where.guild_id)
        read = read_posted(body, self._me(where.guild_id), where, called=called)
        if not isinstance(read, Posted) or read.message.address is not Address.OPEN or read.message.is_root:
            return False
        begun = (await self._store.note(read.message.thread)).since
        return begun is None or read.message.sent_at < begun

    async def _take(self, name: str, body: Fields) -> None:
        origin = origin_of(body)
        if origin is None:
            return
        async with self._lane(origin.channel_id):
            wait = _FIRST_PAUSE
            while True:
                try:
                    where = await self._channels.where(origin)
                    if where is not None:
                        await self._keep(name, body, where)
                    return
                except (PlatformAway, StoreError) as error:
                    logger.warning("event not stored yet", extra={"event": name, "reason": str(error)})
                except PlatformError as error:
                    logger.info("event of a closed place", extra={"event": name, "reason": str(error)})
                    return
                except Exception:
                    logger.exception("event failed in a way nobody foresaw")
                    return
                await self._sleep(wait)
                wait = min(2 * wait, _LONGEST_PAUSE)

    async def _keep(self, name: str, body: Fields, where: Where) -> None:
        """Store what an event says. Raises StoreError, and then nothing of it is."""
        me = self._me(where.guild_id)
        called = self._called_in(where.guild_id)

        match name:
            case "MESSAGE_CREATE":
                continued = await self._continued(body, me, where)
                posted = read_posted(body, me, where, continued=continued, called=called)
                await self._take_posted(posted, where)
            case "MESSAGE_UPDATE":
                continued = await self._continued(body, me, where)
                edited = read_edited(body, me, where, continued=continued, called=called)
                match edited:
                    case Edited(message):
                        await self._edit(message, where)
                    case Commanded():
                        await self._carry_out(edited)
            case "MESSAGE_DELETE" | "MESSAGE_DELETE_BULK":
                for gone in read_deleted(body, where, continued=await self._threads_of(body, where)):
                    await self._inbox.withdraw(gone.thread, gone.message_id)

    async def _take_posted(self, posted: Posted | Commanded | None, where: Where) -> None:
        match posted:
            case Posted(message):
                self._threads.heard(message.thread, where.channel_id)
                # What nobody was asked in a channel begins no conversation; most of what is heard is that.
                if not (message.is_root and message.address in {Address.OPEN, Address.OTHERS}):
                    await self._inbox.receive(message)
            case Commanded():
                self._threads.heard(posted.thread, where.channel_id)
                await self._carry_out(posted)

    async def _continued(self, body: Fields, me: Me, where: Where) -> Thread | None:
        """The conversation that a reply in a channel goes on with: no thread could be opened for it."""
        answered = replied_to(body, me) if where.kind is Kind.CHANNEL else None
        return None if answered is None else await self._store.thread_of(DISCORD, answered)

    async def _threads_of(self, body: Fields, where: Where) -> Mapping[MessageId, Thread]:
        if where.kind is not Kind.CHANNEL:
            return {}
        found = {}
        for name in [*ids([body.get("id")]), *ids(body.get("ids"))]:
            thread = await self._store.thread_of(DISCORD, MessageId(name))
            if thread is not None:
                found[MessageId(name)] = thread
        return found

    async def _edit(self, message: Message, where: Where) -> None:
        is_changed = await self._inbox.edit(message.thread, message.id, message.text or "")
        is_recent = sent_at(message.id) > self._clock() - AGE  # older ones may have been answered, and forgotten since
        if not is_changed and message.address is Address.MENTION and is_recent:
            # A mention that was forgotten at first. What was answered already is known, and stays as it is.
            await self._take_posted(Posted(message), where)

    async def _carry_out(self, told: Commanded) -> None:
        """Have a command carried out, once."""
        if told.message_id in self._done:
            return
        here_alone = told.thread.installation_id == DIRECT
        # Where nobody else is there is nothing to be quiet in.
        command = Command.HELP if here_alone and told.command is Command.QUIET else told.command
        if command in TELLING:
            await self._asides.take(command, told.thread, told.message_id, told.person, alone=not here_alone)
            self._remember(told.message_id)
            return
        words = await self._commands.run(
            command,
            told.thread,
            told.message_id,
            person=told.person,
            sent_at=told.sent_at,
            mark="" if here_alone else "@Clew ",
            to_confirm=True,
        )
        self._remember(told.message_id)
        self._confirm(told.thread, told.message_id, words)

    def _remember(self, command: MessageId) -> None:
        self._done[command] = None
        while len(self._done) > _MOST_DONE:
            self._done.popitem(last=False)

    def _called_in(self, guild_id: str | None) -> Called:
        return lambda name: self._channels.called(guild_id, name)

    def _lane(self, channel_id: str) -> asyncio.Lock:
        return self._lanes.setdefault(channel_id, asyncio.Lock())
