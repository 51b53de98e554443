"""A part of a reply brought to show what it should, by an edit or a post."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from adapters.discord.buttons import Buttons, components
from adapters.discord.calls import ARCHIVED, MESSAGE_GONE, TOO_OLD, Calls, DiscordClosed, DiscordRefused, File, Route
from adapters.discord.faces import Face
from adapters.discord.payloads import Fields, fields, is_id, objects, sent_at, text
from adapters.discord.slots import Slot, Slots, buttons_of
from adapters.discord.threads import Spot
from bot.errors import PlatformAway, PlatformError
from bot.messages import MessageId, Turn, TurnId

logger = logging.getLogger(__name__)

_SMALL = 5.0  # seconds that something of no weight may take
_NONCE = 100.0  # seconds for which a post is tried; Discord knows a nonce for some minutes
_OLD: Final = 3300.0  # seconds; of a message older than an hour Discord takes few edits, and lets us wait for them
_FIXED = {MESSAGE_GONE, TOO_OLD}


class Posting:
    """Brings the messages of one reply to show what they should. Everything here may be done again.

    Args:
        now: seconds since the epoch.
        clock: seconds from any beginning; every *until* is one of its times.

    Raises, whatever is asked of it:
        PlatformAway: it may or may not have been done.
        ThreadClosed, DiscordRefused: it cannot be done here.
        StaleTurn, StoreError: the store could not be told.
    """

    def __init__(
        self,
        turn: Turn,
        slots: Slots,
        spot: Spot,
        *,
        calls: Calls,
        now: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        self._turn, self._slots, self._spot, self._calls = turn, slots, spot, calls
        self._now, self._clock = now, clock

    async def put(self, number: int, face: Face, *, until: float, unless: asyncio.Event | None = None) -> None:
        """Let a part show this and nothing else."""
        slot = self._slots.slot(number)
        await self._slots.settle(slot, self._spot, unless=unless)
        digest = face.digest(self._turn.id)
        if slot.id is not None and slot.digest == digest:
            return
        await self._leave_if_old(slot, until=until)
        if slot.id is not None:
            await self._slots.touch(slot)
            await self._edit(slot, face, until=until, unless=unless)
        if slot.id is None:
            await self.post(slot, face, digest, until=until, unless=unless)
        else:
            await self._slots.stands(slot, slot.id, digest)

    async def settle(self, slot: Slot, *, until: float, unless: asyncio.Event) -> None:
        """Find out where a part stands, if that is in doubt; nowhere, if it cannot grow there."""
        await self._slots.settle(slot, self._spot, unless=unless)
        await self._leave_if_old(slot, until=until)

    async def post(
        self, slot: Slot, face: Face, digest: str, *, until: float, unless: asyncio.Event | None = None
    ) -> None:
        """Post a part of which no message stands in the channel."""
        await self._slots.intend(slot, face.text)
        for _ in range(3):
            try:
                told = fields(await self._post_once(slot, face, until=until, unless=unless))
            except DiscordRefused as error:
                if error.code != MESSAGE_GONE:
                    raise
                slot.lost.add(MessageId(slot.nonce(self._turn.id)))  # made with this nonce, and deleted since
                continue
            if not is_id(told.get("id")):
                self._slots.doubt(slot)
                raise PlatformAway("a post was answered without the message")
            # An earlier attempt's message comes back as that attempt made it.
            is_shown = _shows(told, face, self._turn.id)
            await self._slots.stands(slot, MessageId(str(told["id"])), digest if is_shown else "")
            slot.face = face if is_shown else None
            if is_shown:
                return
            await self._edit(slot, face, until=until, unless=unless)
            if slot.id is not None:
                await self._slots.stands(slot, slot.id, digest)
                return
        raise PlatformAway("messages are deleted as soon as they are posted")

    async def frame(self, slot: Slot, newest: Callable[[], Face | None], *, unless: asyncio.Event) -> bool:
        """Edit a part's message to show the newest of it, when there is room; False when it has none any more."""
        showing: Face | None = None

        def make() -> Mapping[str, object] | None:
            nonlocal showing
            showing = newest()
            return None if showing is None or showing == slot.face else showing.edit(self._turn.id)

        if make() is None:
            return True
        await self._slots.touch(slot)
        try:
            if await self._calls.frame(self._route("PATCH", slot.id), make=make, unless=unless) is not None:
                slot.face = showing
        except DiscordRefused as error:
            logger.info("frame refused", extra={**self._turn.fields, "reason": str(error)})
            if error.code in _FIXED:
                await self._lose(slot, str(error), until=self._clock() + _NONCE)
                return False
            slot.face = showing  # Discord will not take this text so; the end says why
        return True

    async def remove(self, is_meant: Callable[[int], bool], *, until: float) -> None:
        """Take the messages of some parts away."""
        for slot in [slot for slot in self._slots.all if is_meant(slot.number)]:
            await self._slots.settle(slot, self._spot)
            if slot.id is not None:
                await self._slots.touch(slot)
                await self.delete(slot.id, until=until)
            self._slots.empty(slot)

    async def keep(self, is_sign: Callable[[str], bool], instead: str, *, until: float) -> None:
        """Let stay what the channel shows, but for the signs that it is still growing.

        Args:
            is_sign: whether a text is no more than such a sign; *instead* takes its place.
        """
        for slot in self._slots.all:
            await self._slots.settle(slot, self._spot)
        standing = [slot for slot in self._slots.all if slot.id is not None]
        for slot in standing:
            buttons = Buttons.WHOLE if slot is standing[-1] else Buttons.NONE
            shown = await self._shown(slot, until=until)
            if shown is None:
                self._slots.empty(slot)  # whoever took it away wants nothing in its place
            elif is_sign(text(shown.get("content")).strip()):
                await self.put(slot.number, Face(instead, buttons), until=until)
            else:
                await self._slots.touch(slot)
                await self._change(slot, {"components": components(buttons, self._turn.id)}, until=until)

    async def unbutton(self, message: MessageId) -> None:
        """Take the buttons of an earlier answer away; its words stay as they are."""
        try:
            async with asyncio.timeout(_SMALL):  # it may be old, and then the library would wait for long
                await self._calls.call(self._route("PATCH", message), safe=True, body={"components": []}, within=_SMALL)
        except (PlatformError, TimeoutError) as error:
            logger.info("old button left", extra={**self._turn.fields, "reason": str(error)})

    async def tidy(self, *, until: float) -> None:
        """Take away what came to stand there twice, because a post that seemed lost came through after all."""
        if not self._slots.was_in_doubt:
            return
        for message in await self._slots.strays(self._spot):
            logger.warning("a post in doubt came through late", extra=self._turn.fields)
            await self.delete(message, until=until)
        self._slots.was_in_doubt = False

    async def delete(self, message: MessageId, *, until: float) -> None:
        """Take a message away, if Discord lets us."""
        try:
            await self._where_it_is_open(lambda: self._call("DELETE", message, until=until), until=until)
        except DiscordRefused as error:
            if error.code != MESSAGE_GONE:
                logger.warning("message not taken away", extra={**self._turn.fields, "reason": str(error)})

    # --- one call ---------------------------------------------------------------------------------

    async def _post_once(self, slot: Slot, face: Face, *, until: float, unless: asyncio.Event | None) -> Any:
        body = face.post(
            self._turn.id,
            nonce=slot.nonce(self._turn.id),
            reply_to=self._spot.reply_to,
            is_silent=slot.number > 0,
        )
        route = Route("POST", "/channels/{channel_id}/messages", channel_id=self._spot.channel_id)
        within = min(_NONCE, max(0.0, until - self._clock()))
        try:
            return await self._calls.call(route, safe=True, body=body, files=face.files, within=within, unless=unless)
        except PlatformAway:
            self._slots.doubt(slot)
            raise

    async def _edit(self, slot: Slot, face: Face, *, until: float, unless: asyncio.Event | None) -> None:
        """Let the message of a part show this; it has none any more when that cannot be done."""
        await self._change(slot, face.edit(self._turn.id), files=face.files, until=until, unless=unless)
        slot.face = face if slot.id is not None else None

    async def _change(
        self,
        slot: Slot,
        body: Mapping[str, object],
        *,
        files: tuple[File, ...] = (),
        until: float,
        unless: asyncio.Event | None = None,
    ) -> None:
        def edit() -> Awaitable[object]:
            return self._call("PATCH", slot.id, body=body, files=files, until=until, unless=unless)

        try:
            await self._where_it_is_open(edit, until=until)
        except DiscordRefused as error:
            if error.code not in _FIXED:
                raise
            await self._lose(slot, str(error), until=until)

    async def _shown(self, slot: Slot, *, until: float) -> Fields | None:
        """The message of a part as the channel has it; None when it was taken away."""
        try:
            return fields(await self._call("GET", slot.id, until=until))
        except DiscordRefused as error:
            if error.code != MESSAGE_GONE:
                raise
            return None

    async def _where_it_is_open(self, call: Callable[[], Awaitable[object]], *, until: float) -> None:
        """Make a call that a thread in the archive does not let through."""
        for _ in range(2):
            try:
                await call()
                return
            except DiscordRefused as error:
                if error.code != ARCHIVED:
                    raise
                await self._open_again(error, until=until)
        raise PlatformAway("the thread is archived as soon as it is opened")

    async def _open_again(self, error: DiscordRefused, *, until: float) -> None:
        """Take a thread out of the archive, where nothing can be edited."""
        route = Route("PATCH", "/channels/{channel_id}", channel_id=self._spot.channel_id)
        try:
            await self._calls.call(route, safe=True, body={"archived": False}, within=max(0.0, until - self._clock()))
        except DiscordRefused as refused:
            raise DiscordClosed("PATCH", error.status, error.code) from refused

    async def _leave_if_old(self, slot: Slot, *, until: float) -> None:
        if slot.id is not None and sent_at(slot.id) < self._now() - _OLD:
            await self._slots.touch(slot)
            await self._lose(slot, "it is old", until=until)

    async def _lose(self, slot: Slot, reason: str, *, until: float) -> None:
        """The message of a part cannot be edited any more: another one takes its place."""
        logger.info("message cannot be edited", extra={**self._turn.fields, "reason": reason})
        if slot.id is not None:
            await self.delete(slot.id, until=until)
        self._slots.empty(slot)

    async def _call(
        self,
        method: str,
        message: MessageId | None,
        *,
        until: float,
        body: Mapping[str, object] | None = None,
        files: tuple[File, ...] = (),
        unless: asyncio.Event | None = None,
    ) -> Any:
        return await self._calls.call(
            self._route(method, message),
            safe=True,
            body=body,
            files=files,
            within=max(0.0, until - self._clock()),
            unless=unless,
        )

    def _route(self, method: str, message: MessageId | None) -> Route:
        return Route(
            method,
            "/channels/{channel_id}/messages/{message_id}",
            channel_id=self._spot.channel_id,
            message_id=message or "0",
        )


def _shows(message: Fields, face: Face, turn: TurnId) -> bool:
    """Whether a message that was just made shows all of a face; its files are known by their names."""
    names = [text(file.get("filename")) for file in objects(message.get("attachments"))]
    return (
        text(message.get("content")).strip() == face.text.strip()
        and names == [file.name for file in face.files]
        and buttons_of(message) == buttons_of({"components": components(face.buttons, turn)})
    )
