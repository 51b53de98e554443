"""Commands, menus and buttons: stored, answered within three seconds, and finished after a crash.

Discord waits three seconds for a first answer and takes others for fifteen minutes. So an interaction is kept with its
token as long as it has come to nothing yet. A question by command becomes a message of the bot's that shows it; from
there it goes the way of every question, and its answer needs no token.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from adapters.discord.asked import Questions, original
from adapters.discord.calls import Calls, DiscordRefused, Route
from adapters.discord.faces import PINGS_NOBODY, SUPPRESS_EMBEDS
from adapters.discord.format import render
from adapters.discord.ingest import Commands
from adapters.discord.interactions_payloads import Asking, Call, Told, read_call, read_interaction
from adapters.discord.payloads import Fields, fields
from adapters.discord.places import DISCORD, Kind, thread_of
from bot.commands import Command
from bot.errands import Errands
from bot.errors import PlatformAway, PlatformError, StoreError
from bot.messages import MessageId, Thread
from bot.ports import Parcel, PlacingStore

logger = logging.getLogger(__name__)

_ALREADY_ANSWERED: Final = 40060
GOOD_FOR: Final = 840.0  # seconds; Discord says fifteen minutes
_STORING: Final = 1.0  # seconds that the store is given before Discord is answered without it
_FIRST: Final = 2.5  # seconds for the first answer
_TEXT, _DEFERRED, _DEFERRED_UPDATE = 4, 5, 6  # types of answers
_EPHEMERAL: Final = 1 << 6  # for whoever asked alone
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds before what failed is tried again

_NOT_HERE = (
    "Use it in the thread you mean, or in a direct message to me: this channel holds no conversation of its own."
)
_NOT_WRITING = (
    "I may not write in this channel. Somebody who manages the server can give me the permissions View Channel and "
    "Send Messages here; until then, write to me directly."
)
_NOTHING_ASKED = "Ask me something: `/ask` takes a text, a file, or both."
_UNKNOWN = "I do not know that command any more; it was changed since."
_SORRY = "Something went wrong on my side. Please try it again."


class Interactions:
    """Answers interactions.

    Args:
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
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._errands, self._calls, self._store, self._commands = errands, calls, store, commands
        self._questions, self._now, self._sleep = questions, now, sleep

    def hear(self, body: Fields) -> None:
        """Take in an interaction. Returns at once."""
        self._errands.start(self._surely(body))

    async def take_up(self) -> None:
        """Finish what an earlier process left half done."""
        for parcel in await self._store.parcels(DISCORD):
            try:
                body = fields(json.loads(parcel.content))
            except ValueError:
                body = {}
            told = read_interaction(body)
            if told is None or parcel.until <= self._now():
                await self._store.placed(parcel)
            else:
                logger.info("interaction taken up again", extra={"interaction": parcel.id})
                self._errands.start(self._seen_through(parcel, told, is_first=False))

    # --- one interaction ------------------------------------------------------------------------

    async def _surely(self, body: Fields) -> None:
        try:
            await self._take(body)
        except Exception:
            logger.exception("interaction failed in a way nobody foresaw")
            call = read_call(body)
            if call is not None:
                await self._say(call, _SORRY, is_first=True)

    async def _take(self, body: Fields) -> None:
        told, call = read_interaction(body), read_call(body)
        if call is None:
            return
        refused = _refusal(told)
        if told is None or refused is not None:
            await self._say(call, refused or _UNKNOWN, is_first=True)
            return
        parcel = Parcel(DISCORD, call.id, json.dumps(dict(body)), self._now() + GOOD_FOR)
        storing = self._errands.start(self._store.take_in(parcel))
        await asyncio.wait({storing}, timeout=_STORING)
        is_deferred = not storing.done() or isinstance(told, Asking)
        if is_deferred:
            is_deferred = await self._defer(call, alone=not isinstance(told, Asking))
        try:
            if not await storing:
                return  # told twice: whoever came first answers
        except StoreError as error:
            logger.error("interaction not stored", extra={"reason": str(error)})
            await self._say(call, _SORRY, is_first=not is_deferred)
            return
        await self._seen_through(parcel, told, is_first=not is_deferred)

    async def _seen_through(self, parcel: Parcel, told: Asking | Told, *, is_first: bool) -> None:
        """Do what was asked for, until it is done or the token is of no more use."""
        wait = _FIRST_PAUSE
        while True:
            try:
                if isinstance(told, Asking):
                    await self._questions.place(told)
                else:
                    await self._say(told.call, await self._carried_out(told), is_first=is_first)
                await self._store.placed(parcel)
                return
            except (PlatformAway, StoreError) as error:
                logger.warning("interaction not finished yet", extra={"reason": str(error)})
            except PlatformError as error:
                logger.error("interaction not finished", extra={"reason": str(error)})
                await self._say(told.call, _SORRY, is_first=is_first)
                await self._store.placed(parcel)
                return
            if self._now() + wait >= parcel.until:
                logger.error("interaction given up", extra={"interaction": parcel.id})
                return
            await self._sleep(wait)
            wait = min(2 * wait, _LONGEST_PAUSE)

    async def _carried_out(self, told: Told) -> str:
        thread = await self._thread(told)
        if thread is None and told.command is not Command.HELP:
            return _NOT_HERE
        where = thread or Thread(DISCORD, told.where.guild_id or "dm", told.where.channel_id, told.where.channel_id)
        return await self._commands.run(
            told.command, where, MessageId(told.call.id), person=told.person, turn=told.turn, mark="/"
        )

    async def _thread(self, told: Told) -> Thread | None:
        """The conversation that is meant; None in a channel, which holds none of its own."""
        if told.where.kind is not Kind.CHANNEL:
            return thread_of(told.where, told.where.channel_id)
        if told.message_id is None:
            return None
        known = await self._store.thread_of(DISCORD, MessageId(told.message_id))
        return known or thread_of(told.where, told.message_id)

    # --- answers --------------------------------------------------------------------------------

    async def _defer(self, call: Call, *, alone: bool) -> bool:
        """Let Discord show that something is coming; whether it does."""
        data = {"type": _DEFERRED, "data": {"flags": _EPHEMERAL if alone else 0}}
        try:
            await self._calls.call(_callback(call), safe=True, body=data, within=_FIRST)
        except PlatformError as error:
            if isinstance(error, DiscordRefused) and error.code == _ALREADY_ANSWERED:
                return True
            logger.warning("interaction not answered in time", extra={"reason": str(error)})
            return False
        return True

    async def _say(self, call: Call, words: str, *, is_first: bool) -> None:
        """Tell whoever asked, alone. It cannot be told another way, so what fails is only logged."""
        data: Mapping[str, object] = {
            "content": render(words),
            "flags": _EPHEMERAL | SUPPRESS_EMBEDS,
            "allowed_mentions": PINGS_NOBODY,
        }
        for as_first in (True, False) if is_first else (False, True):
            try:
                if as_first:
                    await self._calls.call(
                        _callback(call), safe=True, body={"type": _TEXT, "data": data}, within=_FIRST
                    )
                else:
                    await self._calls.call(original(call), safe=True, body=data)
                return
            except PlatformError as error:
                logger.info("interaction not answered", extra={"first": as_first, "reason": str(error)})


def _refusal(told: Asking | Told | None) -> str | None:
    match told:
        case Asking(can_write=False):
            return _NOT_WRITING
        case Asking(text="", file=None, about=None):
            return _NOTHING_ASKED
        case _:
            return None


def _callback(call: Call) -> Route:
    path = "/interactions/{interaction_id}/{interaction_token}/callback"
    return Route("POST", path, interaction_id=call.id, interaction_token=call.token)
