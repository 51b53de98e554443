"""Commands, menus and buttons: stored, answered within three seconds, and finished after a crash.

Discord waits three seconds for a first answer and takes others for fifteen minutes. So an interaction is kept with its
token as long as it has come to nothing yet. A question by command becomes a message of the bot's that shows it; from
there it goes the way of every question, and its answer needs no token.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Final, Protocol

from adapters.discord import ingest
from adapters.discord.asked import Questions
from adapters.discord.calls import Calls, DiscordClosed, DiscordRefused
from adapters.discord.interactions_payloads import Asking, Call, Told, read_call, read_interaction
from adapters.discord.payloads import Fields, fields
from adapters.discord.places import DISCORD, Kind, thread_of
from adapters.discord.responses import Responses
from bot.commands import ANYWHERE, Command
from bot.errands import Errands
from bot.errors import PlatformAway, PlatformError, StoreError
from bot.messages import MessageId, Person, Thread
from bot.ports import Parcel, PlacingStore
from bot.watching import AGE

logger = logging.getLogger(__name__)

_BUDGET: Final = 1.0  # seconds after which Discord is answered, whatever is not done by then
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds before what failed is tried again
_MODERATED: Final = {200000, 200001, 240000}  # AutoMod's, and for harmful links

_NOT_HERE = (
    "Use it in the thread you mean, or in a direct message to me: this channel holds no conversation of its own."
)
_NO_CONVERSATION = "That message belongs to no conversation with me."
_NOT_WRITING = (
    "I may not write in this channel. Somebody who manages the server can give me the permissions View Channel and "
    "Send Messages here, and Connect if it is for voice; until then, write to me directly."
)
_NOT_SHOWN = "The rules of this server (AutoMod) or of Discord do not let me show your question."
_NOTHING_ASKED = "Ask me something: `/ask` takes a text, a file, or both."
_UNKNOWN = "I do not know that command any more; it was changed since."
_SORRY = "Something went wrong on my side. Please try it again."


class Commands(ingest.Commands, Protocol):
    """Who carries out commands, and who may give them; see `bot.commands.Commands`."""

    def refusal(self, thread: Thread, person: Person) -> str | None: ...


class _Kept(Enum):
    """What became of an interaction in the store."""

    NEW = auto()
    KNOWN = auto()
    NOT = auto()


class Interactions:
    """Answers interactions.

    Args:
        confirm: has what became of a command said in its thread.
        tell: says something to somebody directly; what goes with it is the message's nonce.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        errands: Errands,
        *,
        calls: Calls,
        store: PlacingStore,
        commands: Commands,
        questions: Questions,
        confirm: Callable[[Thread, MessageId, str], None],
        tell: Callable[[Person, str, str], Awaitable[None]],
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._errands, self._calls, self._store, self._commands = errands, calls, store, commands
        self._questions, self._confirm, self._tell = questions, confirm, tell
        self._now, self._sleep = now, sleep
        self._under_way: set[str] = set()  # ids of interactions

    def hear(self, body: Fields) -> None:
        """Take in an interaction. Returns at once."""
        call = read_call(body)
        if call is not None:
            self._errands.start(self._take(call, body))

    async def take_up(self) -> None:
        """Finish what an earlier process left half done. Raises StoreError."""
        for parcel in await self._store.parcels(DISCORD):
            told = read_interaction(_unpacked(parcel))
            if told is None or parcel.until <= self._now():
                logger.info("interaction is over", extra={"interaction": parcel.id})
                await self._store.placed(parcel)
            elif parcel.id not in self._under_way:
                logger.info("interaction taken up again", extra={"interaction": parcel.id})
                self._errands.start(self._take_up(parcel, told))

    # --- one interaction ------------------------------------------------------------------------

    async def _take(self, call: Call, body: Fields) -> None:
        if call.id in self._under_way:
            return
        responses = Responses(self._calls, call)
        told = read_interaction(body)
        refused = self._refusal(told)
        if told is None or refused is not None:
            await responses.say(refused or _UNKNOWN)
            return
        self._under_way.add(call.id)
        late = self._errands.start(self._defer_late(responses, alone=isinstance(told, Told)))
        try:
            parcel = self._parcel(told, body)
            match await self._kept(parcel):
                case _Kept.NOT:
                    await responses.say(_not_kept(told))
                case _Kept.NEW:
                    if isinstance(told, Asking):
                        await responses.defer(alone=False)
                    await self._see_through(parcel, told, responses)
                case _Kept.KNOWN:
                    pass  # told twice: whoever came first answers
        finally:
            late.cancel()
            self._under_way.discard(call.id)

    async def _take_up(self, parcel: Parcel, told: Asking | Told) -> None:
        self._under_way.add(parcel.id)
        try:
            await self._see_through(parcel, told, Responses(self._calls, told.call, is_answered=True), again=True)
        finally:
            self._under_way.discard(parcel.id)

    async def _defer_late(self, responses: Responses, *, alone: bool) -> None:
        await self._sleep(_BUDGET)
        await responses.defer(alone=alone)

    def _refusal(self, told: Asking | Told | None) -> str | None:
        """What is to be said at once, and nothing kept."""
        match told:
            case None:
                return None
            case Asking(can_write=False):
                return _NOT_WRITING
            case Asking(text="", file=None, about=None):
                return _NOTHING_ASKED
        # Who may not ask has nothing read or shown, and is told so alone.
        return self._commands.refusal(thread_of(told.where, told.call.id), told.person)

    def _parcel(self, told: Asking | Told, body: Fields) -> Parcel:
        # A question can be shown without the token. Whoever pressed a button has long pressed it again.
        until = self._now() + AGE if isinstance(told, Asking) else told.call.good_until
        return Parcel(DISCORD, told.call.id, json.dumps(dict(body)), until)

    async def _kept(self, parcel: Parcel) -> _Kept:
        try:
            return _Kept.NEW if await self._store.take_in(parcel) else _Kept.KNOWN
        except StoreError as error:
            logger.error("interaction not stored", extra={"reason": str(error)})
            return _Kept.NOT

    async def _see_through(
        self, parcel: Parcel, told: Asking | Told, responses: Responses, *, again: bool = False
    ) -> None:
        """Do what was asked for, until it is done or of no more use."""
        wait, words = _FIRST_PAUSE, None
        while words is None:
            try:
                if isinstance(told, Asking):
                    await self._questions.place(told, again=again)
                else:
                    await self._obey(told, responses)
                break
            except (PlatformAway, StoreError) as error:
                logger.warning("interaction not finished yet", extra={"reason": str(error)})
            except PlatformError as error:
                logger.error("interaction not finished", extra={"reason": str(error)})
                words = _apology(error)
            except Exception:
                logger.exception("interaction failed in a way nobody foresaw", extra={"interaction": parcel.id})
                words = _SORRY
            if words is None and self._now() + wait >= parcel.until:
                logger.error("interaction given up", extra={"interaction": parcel.id})
                words = _SORRY
            if words is None:
                await self._sleep(wait)
                wait, again = min(2 * wait, _LONGEST_PAUSE), True
        if words is not None and not await responses.say(words) and isinstance(told, Asking):
            await self._tell(told.person, words, f"i{told.call.id}")
        await self._done_with(parcel)

    async def _done_with(self, parcel: Parcel) -> None:
        try:
            await self._store.placed(parcel)
        except StoreError as error:
            # The next start finds it done.
            logger.warning("interaction not noted as done", extra={"reason": str(error)})

    # --- commands and buttons -------------------------------------------------------------------

    async def _obey(self, told: Told, responses: Responses) -> None:
        """Do what somebody told the bot, and say what became of it. Raises StoreError."""
        thread = await self._thread(told)
        if thread is None and told.command not in ANYWHERE:
            await responses.say(_NOT_HERE if told.message_id is None else _NO_CONVERSATION)
            return
        words = await self._commands.run(
            told.command,
            thread or thread_of(told.where, told.call.id),
            MessageId(told.call.id),
            person=told.person,
            turn=told.turn,
            asked=told.asked,
            mark="/",
        )
        is_heard = await responses.say(words)
        if not is_heard and thread is not None and told.command in {Command.RESET, Command.FORGET}:
            self._confirm(thread, MessageId(told.call.id), words)  # all else can be seen there

    async def _thread(self, told: Told) -> Thread | None:
        """The conversation that is meant; None in a channel, which holds none of its own. Raises StoreError."""
        if told.where.kind is not Kind.CHANNEL:
            return thread_of(told.where, told.where.channel_id)
        return None if told.message_id is None else await self._store.thread_of(DISCORD, MessageId(told.message_id))


def _unpacked(parcel: Parcel) -> Fields:
    try:
        return fields(json.loads(parcel.content))
    except ValueError:
        return {}


def _not_kept(told: Asking | Told) -> str:
    """An apology that gives the question back: nothing of it is anywhere else."""
    return f"{_SORRY}\n\n{told.text}" if isinstance(told, Asking) and told.text else _SORRY


def _apology(error: PlatformError) -> str:
    if isinstance(error, DiscordClosed):
        return _NOT_WRITING
    is_moderated = isinstance(error, DiscordRefused) and error.code in _MODERATED
    return _NOT_SHOWN if is_moderated else _SORRY
