"""How often the adapter does what it does by itself, and doing it until it is done."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.errors import PlatformError, StoreError
from bot.watching import AGAIN

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often things are done, in seconds; tests have less time."""

    pause: float = 1.0  # before the second attempt at something
    longest_pause: float = 60.0
    catch_up: float = 0.1  # between two requests of looking for what was missed
    watch: float = 1.0  # between two requests of reading threads again that were just answered in
    late: float = 0.5  # that the next server of a new session is waited for
    patience: float = 60.0  # without a connection, after which the operator is told
    again: tuple[float, ...] = AGAIN


async def kept_up(
    work: Callable[[], Awaitable[None]], *, pause: float, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Do something until it is done, however often it fails; *pause* is in seconds."""
    while True:
        try:
            await work()
        except (PlatformError, StoreError) as error:
            logger.warning("background work begun again", extra={"reason": str(error)})
        except Exception:
            logger.exception("background work failed, beginning it again")
        else:
            return
        await sleep(pause)
