"""Who is let in: the right host, the right site, the right token. Nothing here knows what is behind the doors."""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import SecretStr

from bot.spellings import is_loopback

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Stricter, and a browser would send the login form with an origin of "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_YEAR = 365 * 24 * 3600  # seconds
_QUEUE = 8  # attempts at the token that may wait


class Closed(Exception):
    """A request that is not let in, or not carried out; the text is a sentence for a person."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


async def guard_response(request: web.Request, response: web.StreamResponse) -> None:
    """Give every response the headers that keep a browser from doing more with it than it should."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path.startswith(("/api/", "/login")) or request.path == "/":
        response.headers.setdefault("Cache-Control", "no-store")


def check_host(request: web.Request) -> None:
    """Refuse names that lead here only because somebody's DNS says so.

    A page elsewhere may point its own name at 127.0.0.1 and then read what is served there as its own.
    """
    try:
        name = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
    except ValueError:
        name = ""
    if not is_loopback(name):
        raise Closed(421, "This page answers only to its own name, 127.0.0.1 or localhost.")


def check_site(request: web.Request) -> None:
    """Refuse requests that another site's page makes a browser send."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    # Another port of this machine is "same-site", and is not this page.
    if site not in {None, "same-origin", "none"}:
        raise Closed(403, "Another site's page asked for this, so it was refused.")
    if origin is not None and _host_of(origin) != request.headers.get("Host", "").lower():
        raise Closed(403, "Another site's page asked for this, so it was refused.")


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


class Token:
    """The token that lets a browser in, and the cookie that stands for it.

    Args:
        pause: seconds that every attempt after a wrong one has to wait for its turn.
    """

    def __init__(
        self, token: SecretStr, *, pause: float = 1.0, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._token, self._pause, self._sleep = token, pause, sleep
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0

    async def admits(self, attempt: str) -> bool:
        """Whether this is the token. One attempt at a time, and a wrong one takes a while.

        Raises:
            Closed: too many attempts are waiting already.
        """
        if self._waiting >= _QUEUE:
            raise Closed(429, "Too many attempts at once; try again in a few seconds.")
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                # Digests are of one length, so that the time taken tells nothing about the token's.
                if hmac.compare_digest(_digest(attempt), _digest(self._token.get_secret_value())):
                    return True
                await self._sleep(self._pause)
                return False
        finally:
            self._waiting -= 1

    async def admits_request(self, request: web.Request) -> bool:
        """Whether a request brings the cookie, or the token itself as `Authorization: Bearer`. Raises Closed."""
        cookie = request.cookies.get(self._cookie_name(request), "")
        if hmac.compare_digest(_digest(cookie), _digest(self._cookie)):
            return True
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and await self.admits(bearer.strip())

    def remember(self, request: web.Request, response: web.StreamResponse) -> None:
        """Give the browser the cookie."""
        is_secure = request.secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"
        response.set_cookie(
            self._cookie_name(request),
            self._cookie,
            max_age=_YEAR,
            path="/",
            httponly=True,
            samesite="Strict",
            secure=is_secure,
        )

    @property
    def _cookie(self) -> str:
        # Derived, so that it outlives a restart and dies with the token it stands for.
        return hmac.new(self._token.get_secret_value().encode(), b"clew page", hashlib.sha256).hexdigest()

    def _cookie_name(self, request: web.Request) -> str:
        # Cookies are shared by all ports of a host, and two bots on one host would log each other out.
        port = request.headers.get("Host", "").rpartition(":")[2]
        return f"clew-{port}" if port.isdecimal() and port.isascii() else "clew"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
