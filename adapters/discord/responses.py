"""What somebody is told who used a command or pressed a button: first within three seconds, then by changing that."""

import asyncio
import logging
from itertools import islice
from typing import Final

from adapters.discord.calls import Calls, DiscordRefused, Route
from adapters.discord.faces import PINGS_NOBODY, SUPPRESS_EMBEDS
from adapters.discord.format import MESSAGE_LIMIT, render
from adapters.discord.interactions_payloads import Call
from bot.chunks import split
from bot.errors import PlatformError

logger = logging.getLogger(__name__)

_ALREADY_ANSWERED: Final = 40060
_FIRST: Final = 2.5  # seconds for the first answer; Discord waits three
_TEXT, _DEFERRED = 4, 5  # types of first answers
_MOST_MESSAGES: Final = 4
_EPHEMERAL: Final = 1 << 6  # for whoever asked alone


class Responses:
    """Answers one interaction. All that fails is only logged: there is no other way to tell it.

    Args:
        is_answered: there was a first answer; at another time than while it is heard nobody knows.
    """

    def __init__(self, calls: Calls, call: Call, *, is_answered: bool = False) -> None:
        self._calls, self._call, self._is_answered = calls, call, is_answered
        self._one_at_a_time = asyncio.Lock()

    async def defer(self, *, alone: bool) -> None:
        """Let Discord show that something is coming, unless there was an answer.

        Args:
            alone: to nobody but whoever asked.
        """
        async with self._one_at_a_time:
            if self._is_answered:
                return
            try:
                await self._begin(_DEFERRED, {"flags": _EPHEMERAL if alone else 0})
            except PlatformError as error:
                logger.warning("interaction not answered in time", extra={"reason": str(error)})

    async def say(self, words: str) -> bool:
        """Say something, in the place of what was deferred or else to whoever asked alone; whether they can read it."""
        # Discord refuses what is too long, and a question that is given back may be longer than it was typed.
        content, *more = list(islice(split(render(words), limit=MESSAGE_LIMIT), _MOST_MESSAGES)) or [""]
        is_heard = await self._say(content)
        for piece in more if is_heard else ():
            await self._add(piece)
        return is_heard

    async def _say(self, content: str) -> bool:
        said = {"content": content, "flags": SUPPRESS_EMBEDS, "allowed_mentions": PINGS_NOBODY}
        async with self._one_at_a_time:
            for first in (True, False) if not self._is_answered else (False, True):
                try:
                    if first:
                        if await self._begin(_TEXT, {**said, "flags": SUPPRESS_EMBEDS | _EPHEMERAL}):
                            return True
                    else:
                        await self._calls.call(original("PATCH", self._call), safe=True, body=said)
                        return True
                except PlatformError as error:
                    logger.info("interaction not answered", extra={"first": first, "reason": str(error)})
            return False

    async def _add(self, content: str) -> None:
        """Say more, to whoever asked alone."""
        flags = SUPPRESS_EMBEDS | _EPHEMERAL
        body: dict[str, object] = {"content": content, "flags": flags, "allowed_mentions": PINGS_NOBODY}
        try:
            await self._calls.call(_follow_up(self._call), safe=False, body=body)
        except PlatformError as error:
            logger.info("interaction not answered whole", extra={"reason": str(error)})

    async def _begin(self, kind: int, data: dict[str, object]) -> bool:
        """Give the first answer; False when there was one. Raises PlatformError."""
        try:
            await self._calls.call(_callback(self._call), safe=True, body={"type": kind, "data": data}, within=_FIRST)
        except DiscordRefused as error:
            if error.code != _ALREADY_ANSWERED:
                raise
            self._is_answered = True
            return False
        self._is_answered = True
        return True


def original(method: str, call: Call) -> Route:
    """The message that answered an interaction first."""
    path = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
    return Route(method, path, webhook_id=call.application_id, webhook_token=call.token)


def _follow_up(call: Call) -> Route:
    path = "/webhooks/{webhook_id}/{webhook_token}"
    return Route("POST", path, webhook_id=call.application_id, webhook_token=call.token)


def _callback(call: Call) -> Route:
    # Named like a webhook's, so that discord.py gives each interaction a bucket of its own: none waits for another.
    path = "/interactions/{webhook_id}/{webhook_token}/callback"
    return Route("POST", path, webhook_id=call.id, webhook_token=call.token)
