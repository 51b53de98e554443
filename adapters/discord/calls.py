"""Calls of Discord's REST API: repeated where that is safe, with errors the core understands.

discord.py keeps the buckets and repeats what was answered 429, 500, 502 or 504. What it does not repeat (503, broken
connections, time-outs) is repeated here; a post carries a nonce of our own, by which Discord knows it again.
"""

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final
from weakref import WeakValueDictionary

import aiohttp
import discord
from discord.http import HTTPClient, Route

from bot.errors import PlatformAway, PlatformError, ThreadClosed
from bot.metrics import Metrics
from bot.waiting import pause

__all__ = ["Calls", "DiscordClosed", "DiscordRefused", "File", "NoLongerWanted", "Route"]

logger = logging.getLogger(__name__)

WITHIN: Final = 30.0  # seconds
UPLOADING: Final = 120.0  # seconds that one attempt with files may take
_SLOW: Final = 5.0  # seconds after which a call is worth a line: a full bucket looks like a hang
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0  # seconds between two attempts

# Codes as Discord's list of JSON error codes names them.
MESSAGE_GONE: Final = 10008
THREAD_EXISTS: Final = 160004
ARCHIVED: Final = 50083
NO_RIGHT: Final = 50013
NO_HISTORY: Final = 160002  # a reply takes the right to read what was said
TOO_OLD: Final = 30046  # too many edits of messages that are older than an hour
_CLOSED = {
    10003,  # the channel is gone
    50001,  # no access to it
    50007,  # the person takes no direct messages
    50278,
    50008,  # not a channel of text
    NO_RIGHT,
    NO_HISTORY,
    160005,  # the thread is locked
}
_LATER = {20028, 20029, 130000}  # too much at the moment, or Discord is overloaded


class DiscordRefused(PlatformError):
    """Discord refused a call, and will again.

    Attributes:
        code: Discord's own, 0 when it named none.
    """

    def __init__(self, route: str, status: int, code: int) -> None:
        super().__init__(f"{route}: status {status}, code {code}")
        self.status, self.code = status, code


class DiscordClosed(ThreadClosed):
    """The place is closed to the bot: which call showed it, and Discord's code for why."""

    def __init__(self, route: str, status: int, code: int) -> None:
        super().__init__(f"{route}: status {status}, code {code}")
        self.status, self.code = status, code


class NoLongerWanted(PlatformAway):
    """The call was given up before anything was sent."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to be sent with a message."""

    name: str
    data: bytes
    description: str | None = None  # for people who cannot see it


@dataclass(frozen=True, slots=True)
class _Options:
    """What goes with a call."""

    body: Mapping[str, object] | Sequence[object] | None = None
    files: tuple[File, ...] = ()
    query: Mapping[str, str | int] | None = None

    def arguments(self) -> dict[str, Any]:
        """The same as discord.py takes it; made anew for every attempt, since what is sent of a file is used up."""
        given: dict[str, Any] = {} if self.query is None else {"params": dict(self.query)}
        if not self.files:
            return given if self.body is None else {**given, "json": self.body}
        form: list[dict[str, Any]] = [{"name": "payload_json", "value": json.dumps(self.body or {})}]
        sent = [_Sent(file.data) for file in self.files]
        for number, (file, data) in enumerate(zip(self.files, sent, strict=True)):
            field = {"name": f"files[{number}]", "value": data, "filename": file.name}
            form.append({**field, "content_type": "application/octet-stream"})
        return {**given, "form": form, "files": sent}


class _Sent(BytesIO):
    """What is sent of a file, which discord.py winds back before each of the attempts that it makes by itself."""

    def reset(self, *, seek: int) -> None:
        self.seek(0)


class _Trouble(Exception):
    """One attempt failed, and another may not."""

    def __init__(self, reason: str, *, in_doubt: bool, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.in_doubt, self.retry_after = reason, in_doubt, retry_after


class Calls:
    """Discord's REST API as far as this adapter needs it.

    Args:
        http: of a client that is logged in.
        clock: seconds from any beginning.
        is_in_danger: whether Discord has refused so much of late that it is about to shut this address out.
        attempting: seconds that one attempt may take; *uploading*: one with files.
    """

    def __init__(
        self,
        http: HTTPClient,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        is_in_danger: Callable[[], bool] = lambda: False,
        metrics: Metrics,
        attempting: float = WITHIN,
        uploading: float = UPLOADING,
    ) -> None:
        self._attempting, self._uploading = attempting, uploading
        self._http, self._sleep, self._clock, self._metrics = http, sleep, clock, metrics
        self._is_in_danger = is_in_danger
        self._urgent: Counter[str] = Counter()  # calls that do not wait, by channel
        self._frames: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._closed_until = 0.0  # Discord, or what stands before it, wants to hear nothing until then

    async def call(
        self,
        route: Route,
        *,
        safe: bool,
        body: Mapping[str, object] | Sequence[object] | None = None,
        files: Sequence[File] = (),
        query: Mapping[str, str | int] | None = None,
        within: float = WITHIN,
        unless: asyncio.Event | None = None,
        is_spare: bool = False,
    ) -> Any:
        """Make a call and return what Discord answered: JSON, or None where it answers nothing.

        What was certainly not carried out is tried again, the rest only if it is safe.

        Args:
            safe: doing it twice does no harm. A post with a nonce is safe for two minutes.
            files: sent beside the body, under the indices that its ``attachments`` speak of.
            within: seconds for waiting and trying again; what is under way then may still take its time.
            unless: an event after which the call is no longer worth a wait.
            is_spare: nobody misses it for a while; it is not made while Discord is about to shut us out.

        Raises:
            DiscordRefused, DiscordClosed: it does not help to try again.
            PlatformAway: it was not to be had in time; unless it is safe it may have been carried out.
            NoLongerWanted: nothing was done.
        """
        if is_spare:
            self._keep_out_of_danger(route)
        channel = str(route.channel_id or "")
        self._urgent[channel] += 1
        try:
            options = _Options(body, tuple(files), query)
            return await self._until_done(route, safe, options, within=within, unless=unless)
        finally:
            self._urgent[channel] -= 1
            if not self._urgent[channel]:
                del self._urgent[channel]

    async def frame(
        self,
        route: Route,
        *,
        make: Callable[[], Mapping[str, object] | None],
        unless: asyncio.Event | None = None,
    ) -> Any:
        """Show the newest state of something that grows: one at a time in each channel, behind all that is final.

        All edits of a channel share a bucket, and what waits there is carried out in no certain order. It is tried
        once: a frame that failed is replaced by a newer one, not repeated.

        Args:
            make: called when there is room, for the body; None when nothing is to be sent after all.

        Raises:
            As `call` does.
        """
        channel = str(route.channel_id or "")
        lock = self._frames.setdefault(channel, asyncio.Lock())
        async with lock:
            if self._urgent[channel] or (unless is not None and unless.is_set()):
                raise NoLongerWanted(_named(route))
            self._keep_out_of_danger(route)
            body = make()
            if body is None:
                return None
            try:
                return await self._attempt(route, _Options(body))
            except _Trouble as trouble:
                self._take_note(route, trouble, safe=True)
                raise self._counted(PlatformAway(f"{_named(route)}: {trouble.reason}")) from trouble

    def _keep_out_of_danger(self, route: Route) -> None:
        """Raise PlatformAway for what can be left out while every refusal more may be one too many."""
        if self._is_in_danger():
            raise self._counted(PlatformAway(f"{_named(route)}: left out, since too much was refused of late"))

    # --- attempts -------------------------------------------------------------------------------

    async def _until_done(
        self,
        route: Route,
        safe: bool,
        options: "_Options",
        *,
        within: float,
        unless: asyncio.Event | None,
    ) -> Any:
        until = self._clock() + within
        wait = _FIRST_PAUSE
        while True:
            if unless is not None and unless.is_set():
                raise NoLongerWanted(_named(route))
            try:
                return await self._attempt(route, options)
            except _Trouble as trouble:
                self._take_note(route, trouble, safe=safe)
                wait = max(wait, trouble.retry_after)
                if self._clock() + wait > until:
                    raise self._counted(PlatformAway(f"{_named(route)}: {trouble.reason}")) from trouble
            await pause(wait, unless, sleep=self._sleep)
            wait = min(2 * wait, _LONGEST_PAUSE)

    async def _attempt(self, route: Route, options: "_Options") -> Any:
        if (left := self._closed_until - self._clock()) > 0:
            raise _Trouble("Discord asked for silence", in_doubt=False, retry_after=left)
        began = self._clock()
        try:
            told = await self._requested(route, options)
        except discord.RateLimited as error:
            raise _Trouble("rate limited", in_doubt=False, retry_after=error.retry_after) from error
        except discord.HTTPException as error:
            raise self._translated(route, error) from None  # its text quotes what was said
        except aiohttp.ClientConnectorError as error:
            raise _Trouble(type(error).__name__, in_doubt=False) from error
        except aiohttp.ConnectionTimeoutError as error:
            raise _Trouble(type(error).__name__, in_doubt=False) from error
        # A body that is torn, or of another shape than promised, ends in a ValueError or a KeyError inside the library.
        except (aiohttp.ClientError, OSError, ValueError, KeyError, TypeError) as error:
            raise _Trouble(type(error).__name__, in_doubt=True) from None
        finally:
            if (seconds := self._clock() - began) > _SLOW:
                logger.info("discord call took long", extra={"route": _named(route), "seconds": round(seconds, 1)})
        if isinstance(told, str) and told:  # a page of whatever stands before Discord, which may never have heard of it
            raise _Trouble("an answer that is none", in_doubt=True)
        return told

    async def _requested(self, route: Route, options: "_Options") -> Any:
        try:
            async with asyncio.timeout(self._uploading if options.files else self._attempting):
                return await self._http.request(route, **options.arguments())
        except (TimeoutError, asyncio.CancelledError):
            # Whoever waits out a global limit holds everybody up, and the library never ends that for one cut short.
            self._http._global_over.set()
            self._set_right(route)
            raise

    def _set_right(self, route: Route) -> None:
        """Let calls through again where one was cut short while the library was about to refill its bucket.

        Without a time at which it is full again, whoever comes next waits 30 s: as long as an attempt may take.
        """
        bucket = self._http.get_ratelimit(
            f"{self._http._bucket_hashes.get(route.key, route.key)}:{route.major_parameters}"
        )
        if bucket.remaining <= 0 and not bucket.outgoing and bucket.expires is None:
            bucket.reset()  # type: ignore[no-untyped-call]
            bucket._wake(bucket.remaining)

    def _translated(self, route: Route, error: discord.HTTPException) -> Exception:
        if error.status == 429 and not _is_discords(error):  # of Cloudflare: the address is to be silent
            retry_after = _retry_after(error.response.headers)
            self._closed_until = self._clock() + retry_after
            return _Trouble("status 429", in_doubt=False, retry_after=retry_after)
        if error.status >= 500 or error.code in _LATER or (error.status == 429 and error.code != TOO_OLD):
            return _Trouble(f"status {error.status}, code {error.code}", in_doubt=error.status >= 500)
        if error.status == 401 and not error.code:  # the bot's token, not one of an interaction: a start mends that
            return self._counted(PlatformAway(f"{_named(route)}: the token is no longer good"))
        kind = DiscordClosed if error.code in _CLOSED else DiscordRefused
        return self._counted(kind(_named(route), error.status, error.code))

    def _take_note(self, route: Route, trouble: _Trouble, *, safe: bool) -> None:
        """Log an attempt that failed. Raises PlatformAway when that is the end of it."""
        fields = {"route": _named(route), "reason": trouble.reason}
        if trouble.in_doubt and not safe:
            logger.warning("discord call in doubt", extra=fields)
            raise self._counted(PlatformAway(f"{_named(route)}: {trouble.reason}")) from trouble
        logger.info("discord call failed", extra=fields)

    def _counted(self, error: PlatformError) -> PlatformError:
        self._metrics.failures.labels(type(error).__name__).inc()
        return error


def _is_discords(error: discord.HTTPException) -> bool:
    """Whether Discord itself said so, to the library, which has waited as often as it does."""
    headers = error.response.headers
    return bool(headers.get("Via")) and headers.get("Content-Type") == "application/json"


def _named(route: Route) -> str:
    """What is called, without the ids and tokens in its address."""
    return f"{route.method} {route.path}"


def _retry_after(headers: Mapping[str, str]) -> float:
    try:
        return max(1.0, float(headers.get("Retry-After", "")))
    except ValueError:
        return 5.0
