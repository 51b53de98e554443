"""Asking whoever asks whether something may be done: a message with two buttons, which go when it is decided."""

from adapters.discord.announcer import small_print
from adapters.discord.buttons import Buttons, Press, components, read_custom_id
from adapters.discord.calls import Calls, Route
from adapters.discord.faces import PINGS_NOBODY, SILENT, SUPPRESS_EMBEDS
from adapters.discord.format import MESSAGE_LIMIT
from adapters.discord.payloads import Fields, fields, is_id, objects, text
from adapters.discord.places import is_continuous
from adapters.discord.threads import Threads
from bot.messages import Turn
from bot.ports import Approval

_PAGE, _MOST_PAGES = 100, 20  # messages after the question that are looked through


class Approving:
    """Small print with buttons that bear the name of what is asked, by which it is found again.

    Args:
        me: the bot's own user id.
    """

    def __init__(self, calls: Calls, threads: Threads, *, me: str) -> None:
        self._calls, self._threads, self._me = calls, threads, me

    async def ask(self, turn: Turn, approval: Approval, words: str) -> None:
        """Ask, unless that stands in the thread already; see `Adapter`.

        Raises:
            PlatformAway: it may or may not stand there; the next attempt finds out.
            ThreadClosed, DiscordRefused: it cannot be asked there.
        """
        if await self._found(turn, approval) is not None:
            return
        body: dict[str, object] = {
            "content": small_print(words)[:MESSAGE_LIMIT],
            "components": components(Buttons.ASKING, approval.name),
            "nonce": f"a{approval.name}",
            "enforce_nonce": True,
            "allowed_mentions": PINGS_NOBODY,
            "flags": SUPPRESS_EMBEDS | SILENT,
        }
        route = Route("POST", "/channels/{channel_id}/messages", channel_id=await self._channel(turn))
        await self._calls.call(route, safe=True, body=body)

    async def settle(self, turn: Turn, approval: Approval, words: str) -> None:
        """Show what was decided; see `Adapter`."""
        message = await self._found(turn, approval)
        if message is None:
            return
        path = "/channels/{channel_id}/messages/{message_id}"
        route = Route("PATCH", path, channel_id=text(message.get("channel_id")), message_id=text(message.get("id")))
        line = f"\n{small_print(words)}"
        content = text(message.get("content"))[: MESSAGE_LIMIT - len(line)] + line
        body = {"content": content, "components": [], "allowed_mentions": PINGS_NOBODY}
        await self._calls.call(route, safe=True, body=body)

    async def _channel(self, turn: Turn) -> str:
        thread = turn.thread
        in_thread = not is_continuous(thread) and await self._threads.is_opened(thread)
        return thread.thread_id if in_thread else thread.channel_id

    async def _found(self, turn: Turn, approval: Approval) -> Fields | None:
        first = turn.messages[0].id
        after: str = first if is_id(first) else "0"
        route = Route("GET", "/channels/{channel_id}/messages", channel_id=await self._channel(turn))
        for _ in range(_MOST_PAGES):
            page = objects(await self._calls.call(route, safe=True, query={"limit": _PAGE, "after": after}))
            for message in page:
                if self._asks(message, approval):
                    return message
            if len(page) < _PAGE:
                return None
            after = max((text(message.get("id")) for message in page), key=int)
        return None

    def _asks(self, message: Fields, approval: Approval) -> bool:
        if fields(message.get("author")).get("id") != self._me:
            return False
        buttons = (button for row in objects(message.get("components")) for button in objects(row.get("components")))
        return any(
            read_custom_id(text(button.get("custom_id"))) == (Press.APPROVE, approval.name) for button in buttons
        )
