"""The line under a thread that says that work goes on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from adapters.slack.calls import Calls, NoLongerWanted, SlackRefused
from bot.answers import Answer
from bot.errors import PlatformError, ThreadClosed
from bot.thinking import doing
from bot.waiting import pause

logger = logging.getLogger(__name__)

METHOD: Final = "assistant.threads.setStatus"
THINKING: Final = "is thinking…"  # Slack puts the app's name in front
_REFRESH: Final = 90.0  # seconds; Slack takes it away after 120
_PACE: Final = 3.0  # seconds between two lines that say different things
_WITHIN: Final = 5.0  # seconds; later than that it is of no use


class StatusLine:
    """The status of one thread, from the first second until an answer is shown or given up.

    Args:
        may_stand: an earlier attempt may have set it. A post takes it away; the adoption of one does not.
    """

    def __init__(
        self,
        calls: Calls,
        channel: str,
        thread_ts: str | None,
        *,
        may_stand: bool,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._calls, self._channel, self._thread_ts, self._sleep = calls, channel, thread_ts, sleep
        self._may_stand = may_stand
        self.is_settled = asyncio.Event()  # nothing is under way
        self.is_settled.set()

    @property
    def is_possible(self) -> bool:
        """Whether there is such a line here: not at the top level of a direct message, nor where Slack refused it."""
        return self._thread_ts is not None and not self._calls.budget.is_shut(METHOD, self._channel)

    async def keep(
        self, *, ended: asyncio.Event, is_needed: Callable[[], bool], words: Callable[[], str] = lambda: THINKING
    ) -> None:
        """Show the line, and again before Slack takes it away, until *ended*. What goes wrong with it is no matter.

        Args:
            words: what it is to say now; nothing while nobody is at work.
        """
        shown, age = "", 0.0
        while self.is_possible and not ended.is_set():
            newest = words()
            if is_needed() and (newest != shown or (newest and age >= _REFRESH)):
                self._may_stand = True
                # The first line is a sign of life. What it says later may wait until there is room.
                await self._set(newest, unless=ended, hurry=not shown)
                shown, age = newest, 0.0
            await pause(_PACE, ended, sleep=self._sleep)
            age += _PACE

    async def clear(self) -> None:
        """Take the line away, if it may be there."""
        if self._may_stand and self.is_possible:
            await self._set("")

    async def _set(self, words: str, *, unless: asyncio.Event | None = None, hurry: bool = True) -> None:
        self.is_settled.clear()
        try:
            await self._calls.call(
                METHOD,
                safe=True,
                hurry=hurry,
                within=_WITHIN,
                unless=unless,
                channel_id=self._channel,
                thread_ts=self._thread_ts,
                status=words,
            )
        except (SlackRefused, ThreadClosed) as error:
            logger.info("no status line here", extra={"channel": self._channel, "reason": str(error)})
            if not (isinstance(error, SlackRefused) and error.error == "invalid_thread_ts"):  # that is this thread's
                self._calls.budget.shut(METHOD, self._channel)
        except NoLongerWanted:
            pass
        except PlatformError as error:
            logger.info("status not set", extra={"channel": self._channel, "reason": str(error)})
        finally:
            self.is_settled.set()


def status_of(answer: Answer) -> str:
    """What the line says of an answer that has no words yet. Letters only: Slack may read markup in it."""
    if answer.waits:
        return ""
    words = doing(answer)
    if words is None:
        return THINKING
    return f"is {words[0].lower()}{words[1:]}…" if answer.tool is not None else f"is thinking: {words}"
