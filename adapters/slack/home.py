"""The Home tab: what the bot can do here, what is stored, and that answers are made by AI."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from adapters.slack.calls import Calls
from adapters.slack.checks import Channel
from adapters.slack.manifest import COMMAND, RESET_COMMAND, SHORTCUTS
from adapters.slack.workspace import Workspace
from bot.errors import BotError
from bot.messages import PersonId

logger = logging.getLogger(__name__)

_MOST_CHANNELS = 20  # named in one list
_LISTED_WITHIN = 5.0  # seconds; an older list will do
_FRESH = 300.0  # seconds for which the list of channels is good

Block = dict[str, object]


def home_view(me: Workspace, channels: Sequence[Channel]) -> Block:
    """What the Home tab shows.

    Args:
        channels: those the bot is in. Only public ones are named: not everybody may know of the others.
    """
    bot = f"<@{me.bot_user_id}>"
    return {
        "type": "home",
        "blocks": [
            _header("What I can do"),
            _section(
                f"• *In a channel*: mention {bot}. I answer in the thread under your message, and go on answering "
                "there without further mentions; `@Clew quiet` in the thread makes me wait for them.\n"
                "• *Here, in Messages*: just write. Our conversation is one until you reset it; a thread in it is a "
                "conversation of its own.\n"
                "• *Files*: post pictures, PDFs, recordings, films, text or code with your question, or alone."
            ),
            _section(_where(bot, channels)),
            _header("Starting afresh, and stopping"),
            _section(
                f"• In a thread: `@Clew reset`, or the shortcut *{_shortcut()}* in the menu of a message.\n"
                f"• `{RESET_COMMAND}` (or `{COMMAND} reset`) with a link to a message resets its thread; without one "
                "it shows you your recent threads in that channel.\n"
                f"• The *Stop* button, `@Clew stop` or `{COMMAND} stop` ends an answer and keeps what was said.\n"
                f"• `{COMMAND} help` says the rest."
            ),
            _header("What is stored"),
            _section(
                "I keep the ids of the messages I answer, how far each answer has come, and which conversation at "
                "Gemini a thread stands on. The text of a message is blanked when it has been answered; when I need "
                "it again I read it from Slack. Your questions, the files with them and my answers go to Google "
                "Gemini and to nobody else; Gemini keeps a conversation for some weeks, also after a reset."
            ),
            {"type": "divider"},
            {
                "type": "context",
                "elements": [_text("Answers are made by AI and can be wrong. Please check what matters.")],
            },
        ],
    }


class Home:
    """Shows the Home tab to whoever opens it.

    Args:
        list_channels: the channels the bot is in.
    """

    def __init__(
        self,
        calls: Calls,
        me: Workspace,
        *,
        channels: Sequence[Channel],
        list_channels: Callable[[], Awaitable[Sequence[Channel]]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._calls, self._me = calls, me
        self._channels, self._list_channels = channels, list_channels
        self._clock, self._listed_at = clock, clock()

    async def show(self, person: PersonId) -> None:
        """Publish it to one person. Raises PlatformError."""
        view = home_view(self._me, await self.channels())
        await self._calls.call("views.publish", safe=True, user_id=person, view=view)

    async def channels(self) -> Sequence[Channel]:
        """The channels the bot is in, as of a few minutes ago."""
        if self._clock() - self._listed_at >= _FRESH:
            self._listed_at = self._clock()
            try:
                async with asyncio.timeout(_LISTED_WITHIN):
                    self._channels = await self._list_channels()
            except (TimeoutError, BotError) as error:
                logger.info("channels not listed again", extra={"error": type(error).__name__})
        return self._channels


def names_of(channels: Sequence[Channel]) -> str:
    """The public channels, as links; empty when there is none."""
    public = [f"<#{channel.id}>" for channel in channels if not channel.is_private]
    more = len(public) - _MOST_CHANNELS
    return ", ".join(public[:_MOST_CHANNELS]) + (f" and {more} more" if more > 0 else "")


def _where(bot: str, channels: Sequence[Channel]) -> str:
    invite = f"invite me with `/invite` and {bot}"
    if named := names_of(channels):
        return f"*Where*: in {named}, and in direct messages. Anywhere else, {invite}."
    return f"*Where*: in direct messages so far. To have me in a channel, {invite} there."


def _shortcut() -> str:
    return next(name for name, _ in SHORTCUTS.values())


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


def _section(text: str) -> Block:
    return {"type": "section", "text": _text(text)}


def _text(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}
