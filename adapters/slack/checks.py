"""The checks at start: both tokens, the scopes and Socket Mode, each with the sentence an admin needs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.manifest import missing_scopes
from adapters.slack.workspace import Workspace
from bot.condition import Condition
from bot.errors import StartError

logger = logging.getLogger(__name__)

_MOST_NAMED = 50  # channels in a line of the log
_APP = "api.slack.com/apps, your app"
_PASSES = frozenset(  # what Slack says and waiting mends
    {
        "ratelimited",
        "rate_limited",
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
    }
)
_GONE = frozenset({"account_inactive", "token_revoked", "token_expired"})
_WRONG = frozenset({"invalid_auth", "not_authed"})
_KIND = frozenset({"not_allowed_token_type"})
BAD_TOKEN = _GONE | _WRONG | _KIND
_MOST_PAGES = 5  # of the list of channels


@dataclass(frozen=True, slots=True)
class Refusal:
    """What Slack says no with."""

    code: str
    needed: str | None = None  # a scope


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel the bot is in."""

    id: str
    name: str
    is_private: bool


class Refused(Exception):
    """Slack said no, and saying it again would not help."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def read_refusal(error: Exception) -> Refusal | None:
    """What Slack said for good; None for trouble that waiting mends: the network, a limit, nonsense of a proxy."""
    data = getattr(error.response, "data", error.response) if isinstance(error, SlackApiError) else None
    code = data.get("error") if isinstance(data, Mapping) else None
    status = getattr(getattr(error, "response", None), "status_code", 200)
    if not isinstance(code, str) or code in _PASSES or status == 429 or status >= 500:
        return None
    needed = data.get("needed") if isinstance(data, Mapping) else None
    return Refusal(code, needed if isinstance(needed, str) else None)


def bot_token_sentence(code: str) -> str:
    """What to do about a bot token that Slack refuses."""
    if code in _GONE:
        return (
            f"SLACK_BOT_TOKEN is not valid any more ({code}): the app was removed or its token revoked; install the "
            f"app again at {_APP}, Install App, and set SLACK_BOT_TOKEN to the new token."
        )
    if code in _WRONG | _KIND:
        return (
            f"Slack does not accept SLACK_BOT_TOKEN ({code}); copy the Bot User OAuth Token (xoxb-...) again from "
            f"{_APP}, OAuth & Permissions."
        )
    return f"Slack refuses SLACK_BOT_TOKEN ({code}); see {_APP}, Install App, and whether the workspace allows the app."


def app_token_sentence(refusal: Refusal) -> str:
    """What to do about sockets that Slack does not open."""
    if refusal.code == "missing_scope":
        return (
            "SLACK_APP_TOKEN lacks the scope connections:write; make another token with it at "
            f"{_APP}, Basic Information, App-Level Tokens."
        )
    if refusal.code in _GONE | _WRONG | _KIND:
        return (
            f"Slack does not accept SLACK_APP_TOKEN ({refusal.code}); make another one (xapp-...) with the scope "
            f"connections:write at {_APP}, Basic Information, App-Level Tokens."
        )
    return (
        f"Slack opens no socket for the app ({refusal.code}); switch Socket Mode on at {_APP}, Socket Mode, or remove "
        "SLACK_APP_TOKEN and set SLACK_SIGNING_SECRET to take events over HTTP."
    )


def scopes_sentence(missing: list[str]) -> str:
    """What to do about scopes that are not there."""
    scopes = f"the scope {missing[0]}" if len(missing) == 1 else f"the scopes {', '.join(missing)}"
    return (
        f"The Slack app lacks {scopes}; add them at {_APP}, OAuth & Permissions, Bot Token Scopes, and install the "
        "app again."
    )


class Checks:
    """Asks Slack what has to be known before anything starts. Trouble that waiting mends is waited out.

    Args:
        condition: told meanwhile that Slack cannot be reached.
        pause: seconds before the second attempt; doubles up to *longest_pause*.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        condition: Condition | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        pause: float = 1.0,
        longest_pause: float = 60.0,
    ) -> None:
        self._client, self._condition, self._sleep = client, condition, sleep
        self._pause, self._longest_pause = pause, longest_pause

    async def who_we_are(self) -> Workspace:
        """Try the bot token, and see that it has every scope. Raises StartError."""
        try:
            told = await self._patiently("auth.test", self._client.auth_test)
        except Refused as error:
            raise StartError(bot_token_sentence(error.refusal.code)) from error
        granted = told.headers.get("x-oauth-scopes")
        if granted is not None and (missing := missing_scopes(granted)):
            raise StartError(scopes_sentence(missing))
        team, enterprise = str(told.get("team_id") or ""), str(told.get("enterprise_id") or "")
        installation = enterprise if told.get("is_enterprise_install") and enterprise else team
        if not installation or not told.get("bot_id"):
            raise StartError(bot_token_sentence("not_allowed_token_type"))
        return Workspace(
            installation_id=installation,
            team_id=team or installation,
            bot_user_id=str(told["user_id"]),
            bot_id=str(told["bot_id"]),
            app_id=await self._app_id(str(told["bot_id"])),
            url=str(told.get("url") or "https://slack.com/"),
        )

    async def can_connect(self, app_token: str) -> None:
        """Try the app token and Socket Mode. Raises StartError."""
        try:
            await self._patiently(
                "apps.connections.open", lambda: self._client.apps_connections_open(app_token=app_token)
            )
        except Refused as error:
            raise StartError(app_token_sentence(error.refusal)) from error

    async def channels(self) -> list[Channel]:
        """The channels the bot is in, as many as a few pages hold. Raises StartError when a scope is missing."""
        found: list[Channel] = []
        cursor = ""
        for _ in range(_MOST_PAGES):
            page = dict[str, Any](
                types="public_channel,private_channel", exclude_archived=True, limit=200, cursor=cursor or None
            )
            try:
                told = await self._patiently(
                    "users.conversations",
                    lambda page=page: self._client.users_conversations(**page),  # type: ignore[misc]
                )
            except Refused as error:
                if error.refusal.code == "missing_scope" and error.refusal.needed:
                    raise StartError(scopes_sentence([error.refusal.needed])) from error
                logger.warning("channels not listed", extra={"error": error.refusal.code})
                break
            found.extend(read_channels(told.data))
            cursor = next_cursor(told.data)
            if not cursor:
                break
        return found

    async def watch_token(self, *, every: float) -> None:
        """See now and then whether the bot token is still good. What arrives never waits for that.

        Args:
            every: seconds between two looks.
        """
        while True:
            await self._sleep(every)
            try:
                await self._client.auth_test()
            except Exception as error:  # the SDK raises whatever a broken answer makes it stumble over
                refusal = read_refusal(error)
                if refusal is not None and self._condition is not None:
                    self._condition.is_wrong("bot token", bot_token_sentence(refusal.code))
            else:
                if self._condition is not None:
                    self._condition.is_well("bot token")

    async def _app_id(self, bot_id: str) -> str | None:
        """The id of the app the bot token is of; None when it cannot be told, which costs no more than a check."""
        try:
            bot = (await self._patiently("bots.info", lambda: self._client.bots_info(bot=bot_id))).get("bot")
        except Refused as error:
            logger.info("app not identified", extra={"error": error.refusal.code})
            return None
        app_id = bot.get("app_id") if isinstance(bot, Mapping) else None
        return app_id if isinstance(app_id, str) else None

    async def _patiently(self, method: str, call: Callable[[], Awaitable[AsyncSlackResponse]]) -> AsyncSlackResponse:
        """Call until Slack says yes, or no for good. Raises Refused."""
        pause = self._pause
        while True:
            try:
                told = await call()
            except Exception as error:  # the SDK raises whatever a broken answer makes it stumble over
                refusal = read_refusal(error)
                if refusal is not None:
                    raise Refused(refusal) from error
                wait = max(pause, retry_after(error))
                if self._condition is not None:
                    self._condition.is_wrong("api", "Slack cannot be reached; it is tried again and again.")
                logger.warning(
                    "Slack cannot be asked, trying again",
                    extra={"method": method, "error": type(error).__name__, "seconds": wait},
                )
            else:
                if self._condition is not None:
                    self._condition.is_well("api")
                return told
            await self._sleep(wait)
            pause = min(2 * pause, self._longest_pause)


def retry_after(error: Exception) -> float:
    """The seconds that Slack asks to wait; 0 when it does not say."""
    headers = getattr(getattr(error, "response", None), "headers", None)
    named = headers.get("Retry-After", "") if isinstance(headers, Mapping) else ""
    return float(named) if str(named).isdigit() else 0.0


def read_channels(told: object) -> list[Channel]:
    """The channels in an answer of users.conversations."""
    listed = told.get("channels") if isinstance(told, Mapping) else None
    return [
        Channel(str(channel["id"]), str(channel.get("name") or channel["id"]), bool(channel.get("is_private")))
        for channel in (listed if isinstance(listed, list) else [])
        if isinstance(channel, Mapping) and channel.get("id")
    ]


def next_cursor(told: object) -> str:
    """Where the next page begins; empty when there is none."""
    metadata = told.get("response_metadata") if isinstance(told, Mapping) else None
    return str(metadata.get("next_cursor") or "") if isinstance(metadata, Mapping) else ""


def tell_channels(channels: Sequence[Channel]) -> None:
    """Let the log know where the bot is."""
    named = ", ".join(channel.name for channel in channels[:_MOST_NAMED])
    logger.info("Slack channels", extra={"number": len(channels), "channels": named})
    if not channels:
        logger.warning("Clew is in no channel of Slack yet; invite it with /invite, or write to it directly")
