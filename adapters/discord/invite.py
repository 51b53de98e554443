"""What ``clew discord invite`` prints: the link that puts the bot into a server."""

from adapters.discord.application import PERMISSIONS, invite_link
from adapters.discord.line import DiscordSettings, open_line
from adapters.discord.payloads import is_id
from bot.errors import StartError


async def read_invite(client_id: str | None, settings: DiscordSettings) -> str:
    """The link, with what it asks for.

    Args:
        client_id: the application's id; without one Discord is asked whose the token is.

    Raises:
        StartError: there is neither an id nor a token, or one of them is none.
    """
    if client_id is not None and not is_id(client_id):
        raise StartError(
            f"{client_id!r} is not the id of an application; copy Application ID from General Information."
        )
    if client_id is None:
        client_id = await _asked(settings)
    asked_for = "\n".join(f"  {name.replace('_', ' ')}: {why}" for name, why in PERMISSIONS.items())
    return f"{invite_link(client_id)}\n\nThe permissions it asks for:\n{asked_for}"


async def _asked(settings: DiscordSettings) -> str:
    if settings.token is None:
        raise StartError("Give the application's id with --client-id, or set DISCORD_TOKEN to ask Discord for it.")
    async with open_line(settings) as line:
        return (await line.log_in(settings.token.get_secret_value())).application_id
