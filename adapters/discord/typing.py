"""The sign under a channel that somebody is typing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from adapters.discord.calls import Calls, Route
from bot.errors import PlatformError
from bot.waiting import pause

logger = logging.getLogger(__name__)

_AGAIN: Final = 8.0  # seconds; Discord takes the sign away after 10, or when something is said
_WITHIN: Final = 3.0  # seconds; later than that it is of no use


async def keep_typing(
    calls: Calls,
    channel_id: str,
    *,
    ended: asyncio.Event,
    is_needed: Callable[[], bool],
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    """Show the sign, and again before Discord takes it away, until *ended*. What goes wrong with it is no matter."""
    route = Route("POST", "/channels/{channel_id}/typing", channel_id=channel_id)
    while not ended.is_set():
        if is_needed():
            try:
                await calls.call(route, safe=True, within=_WITHIN, unless=ended, is_spare=True)
            except PlatformError as error:
                logger.info("typing not shown", extra={"channel": channel_id, "reason": str(error)})
        await pause(_AGAIN, ended, sleep=sleep)
