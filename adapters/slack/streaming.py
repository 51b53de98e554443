"""A message that grows under its reader's eyes: Slack's streams, for as long as they last.

Slack ends a stream some five minutes after its beginning, however busy it is, and refuses edits while it lives.
"""

import logging
import re
from asyncio import Event
from collections.abc import Callable, Mapping
from typing import Final

from adapters.slack.adoption import Metadata
from adapters.slack.buttons import Block
from adapters.slack.calls import Calls, RateLimited, SlackRefused, Uncertain
from adapters.slack.places import place_of
from bot.messages import MessageId, Thread, Turn

logger = logging.getLogger(__name__)

START: Final = "chat.startStream"
APPEND: Final = "chat.appendStream"
STOP: Final = "chat.stopStream"
LIFE: Final = 240.0  # seconds; Slack's are 300, and the last minute is left to end it in good order

_BUTTONS_IN_STREAMS = "blocks in streams"  # not a method, but shut like one when Slack does not take them
_UNFIT = {"invalid_blocks", "invalid_blocks_format", "invalid_chunks", "invalid_arguments", "msg_blocks_too_long"}
_FENCE_AT_END = re.compile(r"\n[ \t>]*(?:`{3,}|~{3,})[ \t]*\Z")


class StreamLost(Exception):
    """The stream takes no more text; its message has to be edited from here on."""

    def __init__(self, reason: str, *, by_person: bool = False) -> None:
        super().__init__(reason)
        self.by_person = by_person  # somebody pressed Slack's own stop button


class Stream:
    """An open stream, and what was sent into it.

    Args:
        sent: None when another attempt opened it, so that nobody knows.
    """

    def __init__(self, calls: Calls, thread: Thread, ts: MessageId, *, sent: str | None, started: float) -> None:
        self._calls, self._channel, self.ts = calls, thread.channel_id, ts
        self._sent, self.ends_at = sent, started + LIFE

    async def append(self, text: Callable[[], str | None], *, unless: Event) -> None:
        """Send what is new in the growing text, once there is room for that.

        Raises:
            StreamLost: edit the message instead.
            PlatformAway: nothing was sent.
        """
        if flowing(text() or "") == self._sent:
            return
        sending: str | None = None

        def make() -> Mapping[str, object] | None:
            nonlocal sending
            sending = flowing(text() or "")
            if self._sent is None or not sending.startswith(self._sent):
                raise StreamLost("the text does not go on from what was sent")
            more = sending[len(self._sent) :]
            return {"ts": self.ts, "chunks": [_text_chunk(more)]} if more else None

        try:
            if await self._calls.frame(APPEND, channel=self._channel, safe=False, make=make, unless=unless) is not None:
                self._sent = sending
        except SlackRefused as error:
            raise StreamLost(error.error, by_person=error.error == "stopped_by_user") from error
        except (Uncertain, RateLimited) as error:
            # Sent again it might stand there twice, and left out it would be missing.
            raise StreamLost(str(error)) from error

    async def stop(self, metadata: Metadata, *, within: float) -> None:
        """End the stream, so that its message can be edited. One that has ended already is as good."""
        try:
            await self._calls.call(STOP, safe=True, channel=self._channel, within=within, ts=self.ts, metadata=metadata)
        except SlackRefused as error:
            logger.info("stream had ended", extra={"channel": self._channel, "reason": error.error})


async def start_stream(
    calls: Calls,
    turn: Turn,
    *,
    text: str,
    buttons: list[Block],
    team_id: str,
    started: float,
    within: float,
    unless: Event,
) -> Stream:
    """Open a stream that begins with these buttons and this text.

    Raises:
        SlackRefused, RateLimited: there is none to be had here; post and edit instead.
        Uncertain: there may be one.
    """
    channel, thread_ts = place_of(turn.thread)
    first = flowing(text)
    # What comes after blocks is shown below them, and text is yet to come: so the buttons stand on top.
    chunks: list[dict[str, object]] = [{"type": "blocks", "blocks": buttons}, _text_chunk(first)]
    if calls.budget.is_shut(_BUTTONS_IN_STREAMS, team_id):
        del chunks[0]
    while True:
        try:
            told = await calls.call(
                START,
                safe=False,
                channel=channel,
                within=within,
                unless=unless,
                thread_ts=thread_ts,
                recipient_team_id=team_id,
                recipient_user_id=turn.asker.id,
                chunks=chunks,
            )
        except SlackRefused as error:
            if error.error not in _UNFIT or len(chunks) == 1:
                raise
            logger.info("stream without buttons", extra={"channel": channel, "reason": error.error})
            calls.budget.shut(_BUTTONS_IN_STREAMS, team_id)
            del chunks[0]
        else:
            return Stream(calls, turn.thread, MessageId(str(told["ts"])), sent=first, started=started)


def flowing(part: str) -> str:
    """A growing part less a fence that ends it: it may have been closed only for show, and go on."""
    return _FENCE_AT_END.sub("", part)


def _text_chunk(text: str) -> dict[str, object]:
    return {"type": "markdown_text", "text": text}
