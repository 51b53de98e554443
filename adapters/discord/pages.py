"""Messages read back: a page of a channel, or one of them."""

from collections.abc import Sequence

from adapters.discord.calls import MESSAGE_GONE, Calls, DiscordClosed, DiscordRefused, Route
from adapters.discord.history import PAGE
from adapters.discord.payloads import Fields, fields, objects
from bot.errors import MessageGone

# The message is not there, or there can be none: the channel is a forum, say.
_NO_SUCH_MESSAGE = {MESSAGE_GONE, 50008, 50024}


class Pages:
    """The `Reader` over Discord itself."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def page(self, channel_id: str, *, before: str) -> Sequence[Fields]:
        route = Route("GET", "/channels/{channel_id}/messages", channel_id=channel_id)
        return objects(await self._calls.call(route, safe=True, query={"before": before, "limit": PAGE}))

    async def one(self, channel_id: str, message_id: str) -> Fields:
        path = "/channels/{channel_id}/messages/{message_id}"
        route = Route("GET", path, channel_id=channel_id, message_id=message_id)
        try:
            return fields(await self._calls.call(route, safe=True))
        except (DiscordClosed, DiscordRefused) as error:
            if error.code in _NO_SUCH_MESSAGE:
                raise MessageGone(f"{message_id}: code {error.code}") from error
            raise
