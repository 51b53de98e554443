"""What ``clew discord invite`` prints: the link that puts the bot into a server."""

import asyncio
from typing import Final

from adapters.discord.application import PERMISSIONS, invite_link
from adapters.discord.line import DiscordSettings, open_line
from adapters.discord.payloads import is_id
from bot.errors import StartError

_PATIENCE: Final = 20.0  # seconds; somebody sits there and waits


async def read_invite(client_id: str | None, settings: DiscordSettings, *, patience: float = _PATIENCE) -> str:
    """The link, with what it asks for.

    Args:
        client_id: the application's id; without one Discord is asked whose the token is.
        patience: seconds after which Discord is asked no more.

    Raises:
        StartError: there is neither an id nor a token, one of them is none, or Discord does not answer.
    """
    if client_id is not None and not is_id(client_id):
        raise StartError(
            f"{client_id!r} is not the id of an application; copy Application ID from General Information."
        )
    if client_id is None:
        client_id = await _asked(settings, patience)
    asked_for = "\n".join(f"  {name.replace('_', ' ')}: {why}" for name, why in PERMISSIONS.items())
    return f"{invite_link(client_id)}\n\nThe permissions it asks for:\n{asked_for}"


async def _asked(settings: DiscordSettings, patience: float) -> str:
    if settings.token is None:
        raise StartError("Give the application's id with --client-id, or set DISCORD_TOKEN to ask Discord for it.")
    async with open_line(settings) as line:
        try:
            async with asyncio.timeout(patience):
                return (await line.log_in(settings.token.get_secret_value())).application_id
        except TimeoutError as error:
            raise StartError("Discord cannot be asked now; give the application's id with --client-id.") from error
