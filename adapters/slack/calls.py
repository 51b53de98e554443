"""Calls of Slack's Web API: within the budget, repeated where that is safe, with errors the core understands."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.budget import Budget, NoRoom, Overtaken
from bot.errors import PlatformAway, PlatformError, ThreadClosed
from bot.metrics import Metrics
from bot.waiting import pause

logger = logging.getLogger(__name__)

WITHIN: Final = 30.0  # seconds
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0  # seconds between two attempts

_READS = {
    "auth.test",
    "chat.getPermalink",
    "conversations.history",
    "conversations.info",
    "conversations.list",
    "conversations.members",
    "conversations.replies",
    "files.info",
    "team.info",
    "users.conversations",
    "users.info",
    "bots.info",
}
_JSON = ("chat.", "views.", "assistant.", "agents.")

_TOO_MANY = {"ratelimited", "rate_limited"}
_UNWELL = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
_CLOSED = {
    "access_denied",
    "cannot_dm_bot",
    "cannot_reply_to_message",
    "channel_is_archived",
    "channel_not_found",
    "ekm_access_denied",
    "is_archived",
    "is_inactive",
    "messages_tab_disabled",
    "not_in_channel",
    "team_access_not_granted",
    "thread_not_found",
}
_RESTRICTED = "restricted_action"  # and everything that begins so


class SlackRefused(PlatformError):
    """Slack refused a call, and will again. For a missing scope it names the one needed and those held."""

    def __init__(self, method: str, error: str, *, needed: str | None = None, provided: str | None = None) -> None:
        super().__init__(f"{method}: {error}" + (f", needed {needed}" if needed else ""))
        self.method, self.error, self.needed, self.provided = method, error, needed, provided


class SlackClosed(ThreadClosed):
    """The channel is closed to the bot: which call showed it, and Slack's word for why."""

    def __init__(self, method: str, error: str) -> None:
        super().__init__(f"{method}: {error}")
        self.method, self.error = method, error


class Uncertain(PlatformAway):
    """A call that must not be repeated failed in a way that does not tell whether it was carried out."""


class RateLimited(PlatformAway):
    """Slack, or the budget that keeps Slack from having to, has no room for the call soon enough. Nothing was done."""


class NoLongerWanted(PlatformAway):
    """The call was given up before anything was sent."""


class _Trouble(Exception):
    """One attempt failed, and another may not."""

    def __init__(self, reason: str, *, in_doubt: bool, retry_after: float | None = None, too_many: bool = False):
        super().__init__(reason)
        self.reason, self.in_doubt, self.retry_after, self.too_many = reason, in_doubt, retry_after, too_many


class Calls:
    """Slack's Web API as far as this adapter needs it.

    Args:
        client: without retry handlers, since those repeat posts, and with a session of bounded time.
        clock: seconds from any beginning; the budget's own.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        budget: Budget,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        metrics: Metrics,
    ) -> None:
        self.budget = budget
        self._client, self._sleep, self._clock, self._metrics = client, sleep, clock, metrics

    async def call(
        self,
        method: str,
        *,
        safe: bool,
        channel: str | None = None,
        hurry: bool = True,
        within: float = WITHIN,
        unless: asyncio.Event | None = None,
        **arguments: object,
    ) -> Mapping[str, Any]:
        """Call a method and return what Slack answered.

        What was certainly not carried out (a rate limit, no connection) is tried again, the rest only if it is safe.

        Args:
            safe: doing it twice does no harm.
            channel: sent as the argument of that name; the budget counts by it, too.
            hurry: before all calls that are not, and out of what the budget promised if it must be.
            within: seconds for waiting and trying again; what is under way then may still take its time.
            unless: an event after which the call is no longer worth a wait.
            arguments: those that are None are left out.

        Raises:
            SlackRefused, SlackClosed: it does not help to try again.
            Uncertain: it may have been carried out, and is not safe.
            RateLimited, NoLongerWanted, PlatformAway: it was not to be had in time.
        """
        given = {name: value for name, value in {"channel": channel, **arguments}.items() if value is not None}
        until = self._clock() + within
        wait = _FIRST_PAUSE
        while True:
            try:
                async with self.budget.place(method, channel, hurry=hurry, until=until, unless=unless):
                    return await self._attempt(method, given)
            except NoRoom as error:
                raise self._counted(RateLimited(f"{method}: no room in time")) from error
            except Overtaken as error:
                raise NoLongerWanted(method) from error
            except _Trouble as trouble:
                self._take_note(method, channel, trouble, safe=safe, wait=wait)
                # A place comes free when Slack said so; other trouble has to be waited out here.
                if not trouble.too_many:
                    if self._clock() + wait > until or (unless is not None and unless.is_set()):
                        raise self._counted(PlatformAway(f"{method}: {trouble.reason}")) from trouble
                    await pause(wait, unless, sleep=self._sleep)
            wait = min(2 * wait, _LONGEST_PAUSE)

    async def frame(
        self,
        method: str,
        *,
        channel: str,
        safe: bool,
        make: Callable[[], Mapping[str, object] | None],
        within: float = WITHIN,
        unless: asyncio.Event | None = None,
    ) -> Mapping[str, Any] | None:
        """Show the newest state of something that grows, when everybody in a hurry has been served.

        It is tried once: a frame that failed is replaced by a newer one, not repeated.

        Args:
            make: called when there is room, for the arguments; None when nothing is to be sent after all.

        Raises:
            As `call` does.
        """
        try:
            async with self.budget.place(method, channel, hurry=False, until=self._clock() + within, unless=unless):
                arguments = make()
                return None if arguments is None else await self._attempt(method, {"channel": channel, **arguments})
        except NoRoom as error:
            raise RateLimited(f"{method}: no room in time") from error
        except Overtaken as error:
            raise NoLongerWanted(method) from error
        except _Trouble as trouble:
            self._take_note(method, channel, trouble, safe=safe, wait=_FIRST_PAUSE)
            kind = RateLimited if trouble.too_many else PlatformAway
            raise self._counted(kind(f"{method}: {trouble.reason}")) from trouble

    # --- one attempt ----------------------------------------------------------------------------

    async def _attempt(self, method: str, arguments: Mapping[str, object]) -> Mapping[str, Any]:
        try:
            if method in _READS:
                answer = await self._client.api_call(method, http_verb="GET", params=_in_query(arguments))
            elif method.startswith(_JSON):
                answer = await self._client.api_call(method, json=dict(arguments))
            else:
                answer = await self._client.api_call(method, data=_in_query(arguments))
        except SlackApiError as error:
            raise self._translated(method, error) from None  # its text quotes what was said
        except aiohttp.ClientConnectorError as error:
            raise _Trouble(type(error).__name__, in_doubt=False) from error
        except aiohttp.ConnectionTimeoutError as error:
            raise _Trouble(type(error).__name__, in_doubt=False) from error
        # A 200 of plain text ends in an AttributeError inside the SDK, a torn or wrongly encoded body in a ValueError.
        except (aiohttp.ClientError, SlackClientError, OSError, AttributeError, ValueError) as error:
            raise _Trouble(type(error).__name__, in_doubt=True) from None
        data = answer.data
        if not isinstance(data, dict):
            raise _Trouble("an answer that is not JSON", in_doubt=True)
        return data

    def _translated(self, method: str, error: SlackApiError) -> Exception:
        response = error.response
        # The SDK's own answer, or aiohttp's when the body could not be read.
        status = int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)
        said = getattr(response, "data", None)
        data = said if isinstance(said, dict) else {}
        code = data.get("error")
        if status == 429 or code in _TOO_MANY:
            return _Trouble(
                f"status {status}", in_doubt=False, retry_after=_retry_after(response.headers), too_many=True
            )
        if not isinstance(code, str) or not code or status >= 500 or code in _UNWELL:
            return _Trouble(f"status {status}" if not code else str(code), in_doubt=True)
        if code in _CLOSED or code.startswith(_RESTRICTED):
            return self._counted(SlackClosed(method, code))
        needed, provided = data.get("needed"), data.get("provided")
        return self._counted(
            SlackRefused(
                method,
                code,
                needed=needed if isinstance(needed, str) else None,
                provided=provided if isinstance(provided, str) else None,
            )
        )

    def _take_note(self, method: str, channel: str | None, trouble: _Trouble, *, safe: bool, wait: float) -> None:
        """Log an attempt that failed. Raises Uncertain when that is the end of it."""
        fields = {"method": method, "channel": channel, "reason": trouble.reason}
        if trouble.too_many:
            retry_after = max(wait if trouble.retry_after is None else trouble.retry_after, 0.1)
            self.budget.refused(method, channel=channel, retry_after=retry_after)
            self._metrics.failures.labels(RateLimited.__name__).inc()
            logger.warning("slack refused a call as one too many", extra={**fields, "retry_after": retry_after})
        elif trouble.in_doubt and not safe:
            logger.warning("slack call in doubt", extra=fields)
            raise self._counted(Uncertain(f"{method}: {trouble.reason}")) from trouble
        else:
            logger.info("slack call failed", extra=fields)

    def _counted(self, error: PlatformError) -> PlatformError:
        self._metrics.failures.labels(type(error).__name__).inc()
        return error


def _in_query(arguments: Mapping[str, object]) -> dict[str, str]:
    """Arguments as text: truths as 1 and 0, structures as JSON."""
    return {name: _as_text(value) for name, value in arguments.items()}


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if isinstance(value, str) else json.dumps(value)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        return max(0.0, float(headers.get("Retry-After", "")))
    except ValueError:
        return None
