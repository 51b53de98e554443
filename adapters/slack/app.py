"""The Bolt app: it takes commands, buttons and shortcuts. Events go past it, since it acknowledges them unstored."""

import logging
import re

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.actions import Actions
from adapters.slack.workspace import Workspace

_ANY = re.compile("")


def make_app(client: AsyncWebClient, token: str, me: Workspace, actions: Actions) -> AsyncApp:
    """An app that asks Slack nothing when something arrives.

    Left to itself Bolt would call auth.test first, and where that fails say yes to Slack and do nothing.
    """

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=me.installation_id if me.installation_id != me.team_id else None,
            team_id=me.team_id,
            bot_user_id=me.bot_user_id,
            bot_id=me.bot_id,
            bot_token=token,
        )

    app = AsyncApp(
        name="clew",
        logger=_quiet_logger(),
        client=AsyncWebClient(base_url=client.base_url, session=client.session, retry_handlers=[]),
        authorize=authorize,
        request_verification_enabled=False,  # over HTTP it is done before anything is read
        attaching_conversation_kwargs_enabled=False,
    )
    app.command(_ANY)(actions.slash)
    app.action(_ANY)(actions.button)
    app.shortcut(_ANY)(actions.shortcut)
    app.view(_ANY)(actions.nothing)
    app.options(_ANY)(actions.nothing)
    return app


def _quiet_logger() -> logging.Logger:
    # The SDK tells every failed attempt to connect with a traceback, and warns of tokens in the environment with
    # payloads. What goes wrong here is told in words of our own, where it is dealt with.
    logger = logging.getLogger(f"{__name__}.bolt")
    logger.setLevel(logging.CRITICAL)
    return logger
