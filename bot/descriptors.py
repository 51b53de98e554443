"""File descriptors: every connection takes one, every open file, and a process may have so many."""

import asyncio
import errno
import logging
import os
import resource
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

logger = logging.getLogger(__name__)

_ENOUGH = 65_536  # some systems refuse to be asked for more
_SCARCE = 0.9  # of them in use
_PAUSE = 10.0  # seconds between two lines in the log


def ask_for_more() -> None:
    """Let this process have as many as the system grants; many shells begin with 1024, for the sake of old programs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # then it has to do with what there is
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def trouble() -> str | None:
    """That few are left, and what to do; None when there are enough."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return None
    try:
        used = len(os.listdir("/dev/fd"))
    except OSError:  # even looking takes one
        used = most
    if used < _SCARCE * most:
        return None
    return f"{used} of {most} file descriptors are in use; raise the limit (ulimit -n), or lower CLEW_CONCURRENCY"


class Shortage:
    """What the event loop is to do with errors nobody caught: as ever, but for connections that cannot be accepted.

    Of these asyncio tells a hundred times a second, each time with a traceback; one line in a while is enough.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told_at: float | None = None

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE} and "socket" in context):
            loop.default_exception_handler(context)
        elif self._told_at is None or self._clock() - self._told_at >= _PAUSE:
            self._told_at = self._clock()
            logger.error("no file descriptor left for a connection", extra={"reason": error.strerror})
