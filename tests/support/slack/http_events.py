"""Events, commands and clicks over HTTP: section 2 of the reference, "HTTP"."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

from tests.support.slack.clock import Clock
from tests.support.slack.deliveries import Delivery, Tried
from tests.support.slack.json_types import JsonObject
from tests.support.slack.variants import Variants


@dataclass(frozen=True, slots=True)
class Answered:
    """What the app said to a request."""

    status: int
    headers: dict[str, str]
    body: str


class HttpEvents:
    """Signs requests and posts them to the app.

    Signatures carry the real time, whatever Slack's clock says: the app checks them against its own.
    """

    may_reorder = True

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        secret: str,
        variants: Variants,
        *,
        clock: Clock,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._session, self.url, self._secret = session, url, secret
        self._variants, self._clock, self._wall = variants, clock, wall

    async def attempt(self, delivery: Delivery, number: int, reason: str) -> Tried:
        headers = {}
        if number:  # [2] over HTTP the first delivery has no such header
            headers = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason}
        body, content_type = written(delivery)
        within = self._variants.ack_within / self._clock.speed
        try:
            answered = await self.post(body, content_type=content_type, headers=headers, within=within)
        except TimeoutError:
            return Tried("http_timeout")
        except aiohttp.ClientConnectorError:
            return Tried("connection_failed")
        except aiohttp.ClientError:
            return Tried("http_error")
        is_final = answered.headers.get("X-Slack-No-Retry") == "1"
        if not 200 <= answered.status < 300:
            return Tried("http_error", is_final=is_final)
        return Tried(None, _payload_of(answered))

    async def post(
        self,
        body: str,
        *,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
        age: float = 0.0,
        secret: str | None = None,
        timestamp: str | None = None,
        within: float = 40.0,
    ) -> Answered:
        """Post a body as Slack would, or badly.

        Args:
            age: how many seconds ago it was signed; a replay is old.
            secret: another secret than the app's.
            timestamp: a header that need not be a number.
            within: real seconds. Raises TimeoutError after them.
        """
        stamp = timestamp or str(int(self._wall() - age))
        key = (secret or self._secret).encode()
        digest = hmac.new(key, f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()  # [2]
        signed = {
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={digest}",
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        timeout = aiohttp.ClientTimeout(total=within)
        async with self._session.post(
            self.url, data=body.encode(), headers=signed | (headers or {}), timeout=timeout
        ) as response:
            return Answered(response.status, dict(response.headers), await response.text())

    async def verify_url(self) -> bool:
        """Slack's first request to a new URL: whether the app gives the challenge back."""
        challenge = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
        answered = await self.post(json.dumps({"type": "url_verification", "token": "x", "challenge": challenge}))
        return answered.status == 200 and challenge in answered.body


def written(delivery: Delivery) -> tuple[str, str]:
    """A delivery's body and content type: events are JSON, commands are forms, clicks are JSON in a form."""
    form = "application/x-www-form-urlencoded"
    if delivery.kind == "events_api":
        return json.dumps(delivery.payload), "application/json"
    if delivery.kind == "slash_commands":
        return urlencode(delivery.payload), form
    return urlencode({"payload": json.dumps(delivery.payload)}), form


def _payload_of(answered: Answered) -> JsonObject | None:
    if not answered.body:
        return None
    if "application/json" in answered.headers.get("Content-Type", ""):
        body = json.loads(answered.body)
        return body if isinstance(body, dict) else None
    return {"text": answered.body}
