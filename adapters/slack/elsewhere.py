"""Somebody asked where the bot cannot answer: they are told where it can, when there is any way to say it."""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from adapters.slack.adoption import EVENT_TYPE
from adapters.slack.calls import Calls, SlackClosed, Uncertain
from adapters.slack.checks import Channel
from adapters.slack.home import names_of
from adapters.slack.places import is_direct
from adapters.slack.workspace import Workspace
from bot.errors import PlatformError, ThreadClosed
from bot.messages import Turn, TurnId

logger = logging.getLogger(__name__)

_MOST_TOLD = 1000  # turns remembered as told
_REASONS = {
    "not_in_channel": "I am not in that channel. Somebody there can invite me with `/invite`",
    "channel_not_found": "I am not in that channel. Somebody there can invite me with `/invite`",
    "is_archived": "the channel is archived",
    "channel_is_archived": "the channel is archived",
    "thread_not_found": "the message is gone",
    "cannot_reply_to_message": "that message takes no replies",
}
_RESTRICTED = "I have no right to post there"
_UNSAID = "Slack does not let me post there"


class Elsewhere:
    """Tells askers about answers that cannot be given where they were asked for.

    Args:
        channels: the channels the bot is in.
    """

    def __init__(self, calls: Calls, me: Workspace, *, channels: Callable[[], Awaitable[Sequence[Channel]]]) -> None:
        self._calls, self._me, self._channels = calls, me, channels
        self._told: OrderedDict[TurnId, None] = OrderedDict()

    async def tell(self, turn: Turn, error: ThreadClosed) -> None:
        """Tell a turn's asker, once, alone in the channel or else directly. Never raises."""
        if turn.id in self._told:
            return
        self._told[turn.id] = None
        while len(self._told) > _MOST_TOLD:
            self._told.popitem(last=False)
        try:
            await self._say(turn, await self._words(turn, error))
        except PlatformError as failure:
            logger.warning("asker not told that there is no answer", extra={**turn.fields, "reason": str(failure)})
        except Exception:
            logger.exception("asker not told that there is no answer", extra=turn.fields)

    async def _say(self, turn: Turn, words: str) -> None:
        channel, person = turn.thread.channel_id, turn.asker.id
        if is_direct(channel):
            return  # there is no more private place to say it
        try:
            # An ephemeral in a thread is shown only when there are replies, so it stands in the channel.
            await self._calls.call(
                "chat.postEphemeral", safe=False, channel=channel, user=person, text=words, within=5.0
            )
            return
        except Uncertain:
            return  # it may have been said, and nobody can look whether it was
        except PlatformError as error:
            logger.info("asker told directly", extra={**turn.fields, "reason": str(error)})
        await self._calls.call(
            "chat.postMessage",
            safe=False,
            channel=person,  # opens the direct line by itself
            text=words,
            # Like what is said about a command, it is no part of the conversation there.
            metadata={"event_type": EVENT_TYPE, "event_payload": {"command": turn.messages[0].id}},
            unfurl_links=False,
            unfurl_media=False,
        )

    async def _words(self, turn: Turn, error: ThreadClosed) -> str:
        code = error.error if isinstance(error, SlackClosed) else ""
        reason = _REASONS.get(code, _RESTRICTED if code.startswith("restricted_action") else _UNSAID)
        named = names_of([one for one in await self._channels() if one.id != turn.thread.channel_id])
        places = f" I can answer in {named}, and in direct messages." if named else " You can write to me directly."
        question = f"{self._me.url}archives/{turn.thread.channel_id}/p{turn.messages[0].id.replace('.', '')}"
        return f"I cannot answer <{question}|your message> in <#{turn.thread.channel_id}>: {reason}.{places}"
