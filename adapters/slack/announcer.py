"""What became of a command, posted in the thread it was given in; and what is for one person alone, shown there."""

import logging
from collections.abc import Mapping
from contextlib import aclosing

from adapters.slack.adoption import EVENT_TYPE
from adapters.slack.calls import Calls, SlackRefused
from adapters.slack.format import render
from adapters.slack.pages import is_own, read_channel, read_replies
from adapters.slack.places import is_direct, place_of
from adapters.slack.workspace import Workspace
from bot.confirmations import read_report
from bot.errors import PlatformError
from bot.messages import MessageId, Person, Thread

logger = logging.getLogger(__name__)

_FOREVER = "9999999999.999999"
_SKEW = 600.0  # seconds that our clock may be ahead of Slack's


class Announcer:
    """Posts a confirmation, unless it stands in the thread already."""

    def __init__(self, calls: Calls, me: Workspace) -> None:
        self._calls, self._me = calls, me

    async def confirm(self, thread: Thread, command: MessageId, words: str) -> None:
        """Say it, once. The post carries the command's id, by which it is found again.

        Raises:
            PlatformAway: it may or may not stand there; the next attempt finds out.
            ThreadClosed, SlackRefused: it cannot be said there.
        """
        if await self._is_said(thread, command):
            return
        channel, thread_ts = place_of(thread)
        await self._calls.call(
            "chat.postMessage",
            safe=False,
            channel=channel,
            thread_ts=thread_ts,
            markdown_text=render(words),
            metadata={"event_type": EVENT_TYPE, "event_payload": {"command": command}},
            unfurl_links=False,
            unfurl_media=False,
        )

    async def whisper(self, thread: Thread, person: Person, words: str) -> bool:
        """Say something in a thread to one person alone, in mrkdwn; whether Slack took it."""
        channel, thread_ts = place_of(thread)
        try:
            await self._calls.call(
                "chat.postEphemeral",
                safe=False,
                channel=channel,
                user=person.id,
                thread_ts=None if is_direct(channel) else thread_ts,
                text=words,
            )
        except PlatformError as error:
            logger.warning("answer to a command not shown", extra={"thread_key": thread.key, "reason": str(error)})
            return False
        return True

    async def _is_said(self, thread: Thread, command: MessageId) -> bool:
        channel, thread_ts = place_of(thread)
        report = read_report(command)
        oldest = command if report is None else f"{report[1] - _SKEW:.6f}"
        if thread_ts is None:
            reading = read_channel(self._calls, channel, oldest=oldest, latest=_FOREVER)
        else:
            reading = read_replies(self._calls, channel, thread_ts, oldest=oldest)
        try:
            async with aclosing(reading) as pages:
                async for page in pages:
                    if any(is_own(post, self._me) and _command_of(post) == command for post in page):
                        return True
        except SlackRefused as error:  # where nothing can be read, saying it is better than silence
            logger.warning("thread not read", extra={"thread_key": thread.key, "error": error.error})
        return False


def _command_of(post: Mapping[str, object]) -> object:
    metadata = post.get("metadata")
    payload = metadata.get("event_payload") if isinstance(metadata, Mapping) else None
    return payload.get("command") if isinstance(payload, Mapping) else None
