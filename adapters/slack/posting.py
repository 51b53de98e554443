"""A part of a reply brought to show what it should, by an edit or a post, in whatever form Slack takes."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Protocol

from adapters.slack.adoption import asked_at, metadata_of
from adapters.slack.budget import POSTS
from adapters.slack.buttons import STOP, Buttons, buttons_block, offers, without_buttons
from adapters.slack.calls import Calls, SlackRefused, Uncertain
from adapters.slack.faces import Content, Face, Held
from adapters.slack.pages import blocks_of
from adapters.slack.places import place_of
from adapters.slack.slots import FILES, POSTING, STREAMING, UPLOADED, UPLOADING, Slot, Slots
from adapters.slack.streaming import STOP as STOP_STREAM
from adapters.slack.streaming import Stream
from bot.messages import MessageId, Thread, Turn

logger = logging.getLogger(__name__)

UPDATE: Final = "chat.update"
DELETE: Final = "chat.delete"

CONFLICT: Final = "streaming_state_conflict"
GONE: Final = frozenset({"message_not_found"})
FIXED: Final = frozenset({"cant_update_message", "edit_window_closed"})
_UNFIT = {
    "invalid_arguments",
    "invalid_blocks",
    "invalid_blocks_format",
    "markdown_text_conflict",
    "msg_blocks_too_long",
    "msg_too_large",
    "msg_too_long",
    "no_text",
}


class Upload(Protocol):
    """Puts a file into a thread once; with *again* it looks first whether it is there."""

    async def upload(
        self,
        thread: Thread,
        name: str,
        data: bytes,
        mime_type: str,
        mark: str,
        *,
        alt: str | None = None,
        after: MessageId | None = None,
        again: bool = False,
    ) -> MessageId | None:
        """The message that holds it; None when Slack does not tell yet. Raises PlatformError."""
        ...

    async def seek(self, thread: Thread, mark: str, after: MessageId | None) -> MessageId | None:
        """The message that holds a file which may have been put there; None when none does. Raises PlatformError."""
        ...


class Posting:
    """Brings the messages of one reply to show what they should. Everything here may be done again.

    Raises, whatever is asked of it:
        PlatformAway: it may or may not have been done.
        ThreadClosed, SlackRefused: it cannot be done here.
        StaleTurn, StoreError: the store could not be told.
    """

    def __init__(self, turn: Turn, slots: Slots, *, calls: Calls, files: Upload, clock: Callable[[], float]) -> None:
        self._turn, self._slots, self._calls, self._files, self._clock = turn, slots, calls, files, clock
        self._channel, self._thread_ts = place_of(turn.thread)
        self.held: Held | None = None  # the message that came to hold the buttons of the ended turn

    async def put(self, number: int, face: Face, *, until: float, unless: asyncio.Event | None = None) -> None:
        """Let a part show this and nothing else."""
        slot = self._slots.slot(number)
        await self._slots.settle(slot, unless=unless)
        digest = face.digest(self._turn.id)
        if slot.ts is None or slot.digest != digest:
            if slot.stream is not None:
                await self.end_stream(slot, until=until)
            if slot.ts is not None:
                await self._slots.touch(slot)
                await self._update(slot, face, until=until, unless=unless)
            if slot.ts is None:
                await self.post(slot, face, digest, until=until, unless=unless)
            else:
                await self._slots.stands(slot, slot.ts, digest)
        if face.buttons is Buttons.WHOLE and slot.ts is not None:
            self.held = Held(slot.ts, face.bare(self._turn.id))
        slot.release()

    async def post(
        self, slot: Slot, face: Face, digest: str, *, until: float, unless: asyncio.Event | None = None
    ) -> None:
        """Post a part of which no message stands in the thread."""
        await self._slots.intend(slot, POSTING)
        fixed: Content = {"thread_ts": self._thread_ts, "unfurl_links": False, "unfurl_media": False}
        try:
            told = await self._say(POSTS, face, slot.number, fixed, safe=False, until=until, unless=unless)
        except Uncertain:
            self._slots.doubt(slot)
            raise
        await self._slots.stands(slot, MessageId(str(told["ts"])), digest)
        slot.face = face

    async def remove(self, is_meant: Callable[[int], bool], *, until: float) -> None:
        """Take the messages of some parts away."""
        for slot in [slot for slot in self._slots.all if is_meant(slot.number)]:
            await self._slots.settle(slot)
            await self._seek(slot)
            if slot.stream is not None:
                await self.end_stream(slot, until=until)
            if slot.ts is not None:
                await self._slots.touch(slot)
                await self.delete(slot.ts, until=until)
            self._slots.empty(slot)
            slot.intent = None  # it is not sought again

    async def enclose(
        self, number: int, name: str, data: bytes, mime_type: str, *, until: float, alt: str | None = None
    ) -> None:
        """Let a file stand under the words, once."""
        slot = self._slots.slot(FILES + number)
        digest = hashlib.sha256(b"\0".join((name.encode("utf-8", "replace"), data))).hexdigest()
        if slot.digest == digest and (slot.ts is not None or slot.intent == UPLOADED):
            return
        mark = f"{self._mark(slot)}.{digest[:8]}"  # an answer that is given anew may have another file there
        was_tried = slot.intent == UPLOADING and slot.mark == mark
        if not was_tried:
            await self._seek(slot)
        if slot.ts is not None:  # of an answer that this one replaces
            await self._slots.touch(slot)
            await self.delete(slot.ts, until=until)
            self._slots.empty(slot)
        await self._slots.intend(slot, UPLOADING, mark=mark)
        ts = await self._files.upload(
            self._turn.thread,
            name,
            data,
            mime_type,
            mark,
            alt=alt,
            after=self._asked_at,
            again=was_tried,
        )
        await self._slots.stands(slot, ts or UPLOADED, digest)

    async def _seek(self, slot: Slot) -> None:
        """Find the message of a file that was uploaded, or may have been, for this answer or for one it replaces."""
        if slot.ts is None and slot.intent in {UPLOADING, UPLOADED}:
            slot.ts = await self._files.seek(self._turn.thread, slot.mark or self._mark(slot), self._asked_at)

    def _mark(self, slot: Slot) -> str:
        """What tells the file of a part from every other one in the thread."""
        return f"{self._turn.id}.{slot.number}"

    @property
    def _asked_at(self) -> MessageId:
        return MessageId(asked_at(self._turn))

    async def keep(self, placeholders: Collection[str], instead: str, *, until: float) -> None:
        """Let stay what the thread shows, but for the signs that it is still growing.

        Args:
            placeholders: texts that are no more than such a sign; *instead* takes their place.
        """
        for slot in self._slots.words:
            await self._slots.settle(slot)
        standing = [slot for slot in self._slots.words if slot.ts is not None]
        if not standing:
            return
        posts = {own.ts: own.post for own in await self._slots.own()}
        for slot in standing:
            buttons = Buttons.WHOLE if slot is standing[-1] else Buttons.NONE
            post = posts.get(slot.ts or MessageId(""), {})
            blocks = blocks_of(post)
            text = str(post.get("text") or "")
            if text.strip() in placeholders:
                await self.put(slot.number, Face(instead, buttons), until=until)
            elif any(offers(block, STOP) for block in blocks):
                await self._slots.touch(slot)
                shown = [*without_buttons(blocks), *buttons_block(buttons, self._turn.id)]
                await self._leave_as(slot, {"blocks": shown, "text": text[:300]}, until=until)
            slot.release()

    async def tidy(self, *, until: float) -> None:
        """Take away what came to stand there twice, because a call that seemed lost came through after all."""
        doubted = self._slots.doubted
        if not doubted:
            return
        known = {slot.ts for slot in self._slots.all}
        twins = [own.ts for own in await self._slots.own() if own.part is not None and own.ts not in known]
        if STREAMING in doubted:
            twins += [own.ts for own in await self._slots.loose()]
        for ts in twins:
            logger.warning("a call in doubt came through late", extra=self._turn.fields)
            await self.delete(ts, until=until)
        doubted.clear()

    async def end_stream(self, slot: Slot, *, until: float) -> None:
        """End the stream of a part, so that its message can be edited."""
        if slot.stream is not None:
            slot.use(STOP_STREAM)
            await slot.stream.stop(metadata_of(self._turn, slot.number), within=self._left(until))
            slot.stream = None

    async def end_unknown_stream(self, slot: Slot, *, until: float) -> None:
        """End a stream that an earlier attempt opened, and that Slack tells us of by refusing an edit."""
        if slot.ts is not None:
            slot.stream = Stream(self._calls, self._turn.thread, slot.ts, sent=None, started=self._clock())
            await self.end_stream(slot, until=until)

    async def lose(self, slot: Slot, error: SlackRefused, *, until: float) -> None:
        """The message of a part cannot be edited any more: another one takes its place."""
        logger.info("message cannot be edited", extra={**self._turn.fields, "reason": error.error})
        if slot.ts is not None and error.error not in GONE:
            await self.delete(slot.ts, until=until)
        self._slots.empty(slot)

    async def delete(self, ts: MessageId, *, until: float) -> None:
        """Take a message away, if Slack lets us."""
        try:
            await self._calls.call(DELETE, safe=True, channel=self._channel, within=self._left(until), ts=ts)
        except SlackRefused as error:
            if error.error not in GONE:
                logger.warning("message not taken away", extra={**self._turn.fields, "reason": error.error})

    # --- one call ---------------------------------------------------------------------------------

    async def _update(self, slot: Slot, face: Face, *, until: float, unless: asyncio.Event | None) -> None:
        """Edit the message of a part; it has none any more when that cannot be done."""
        slot.use(UPDATE)
        fixed: Content = {"ts": slot.ts}
        for _ in range(2):
            try:
                await self._say(UPDATE, face, slot.number, fixed, safe=True, until=until, unless=unless)
                slot.face = face
                return
            except SlackRefused as error:
                if error.error in GONE | FIXED:
                    await self.lose(slot, error, until=until)
                    return
                if error.error != CONFLICT:
                    raise
                await self.end_unknown_stream(slot, until=until)
        await self._say(UPDATE, face, slot.number, fixed, safe=True, until=until, unless=unless)

    async def _leave_as(self, slot: Slot, content: Content, *, until: float) -> None:
        """Edit a message whose words only the thread knows."""
        try:
            await self.end_unknown_stream(slot, until=until)
            await self._calls.call(
                UPDATE,
                safe=True,
                channel=self._channel,
                within=self._left(until),
                ts=slot.ts,
                metadata=metadata_of(self._turn, slot.number),
                **content,
            )
        except SlackRefused as error:
            logger.info("message left as it is", extra={**self._turn.fields, "reason": error.error})

    async def _say(
        self,
        method: str,
        face: Face,
        number: int,
        fixed: Content,
        *,
        safe: bool,
        until: float,
        unless: asyncio.Event | None,
    ) -> Mapping[str, Any]:
        """Post or edit in the best form that Slack takes."""
        *others, last = face.forms(self._turn.id, edits=method == UPDATE)
        for content in (*others, last):
            try:
                return await self._calls.call(
                    method,
                    safe=safe,
                    channel=self._channel,
                    within=self._left(until),
                    unless=unless,
                    metadata=metadata_of(self._turn, number),
                    **fixed,
                    **content,
                )
            except SlackRefused as error:
                if error.error not in _UNFIT or content is last:
                    raise
                logger.warning("form refused", extra={**self._turn.fields, "reason": error.error})
        raise AssertionError("the last form returns or raises")

    def _left(self, until: float) -> float:
        return max(0.0, until - self._clock())
