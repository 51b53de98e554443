"""What became of a command, said where it was given; and to a person directly, what can be said nowhere else."""

import logging
from collections import OrderedDict

from adapters.discord.calls import MESSAGE_GONE, NO_HISTORY, Calls, DiscordClosed, Route
from adapters.discord.faces import PINGS_NOBODY, SILENT, SUPPRESS_EMBEDS
from adapters.discord.format import MESSAGE_LIMIT, render
from adapters.discord.history import ASIDE
from adapters.discord.pages import Pages
from adapters.discord.payloads import Fields, fields, is_id, objects, text
from adapters.discord.places import DIRECT, is_continuous
from adapters.discord.threads import Threads
from bot.chunks import split
from bot.confirmations import read_report
from bot.errors import MessageGone, PlatformError, ThreadClosed
from bot.messages import MessageId, Person, Thread, Turn, TurnId

logger = logging.getLogger(__name__)

_MORE = f"{ASIDE}One message takes no more. The slash command of the same name shows more, to you alone."
_PAGE = 100  # messages after a command that are looked through for its confirmation
_MOST_TOLD = 1000  # turns remembered as told
_REASONS = {
    MESSAGE_GONE: "it was deleted",
    10003: "the channel or the thread is gone",
    50001: "I may not see that channel",
    50013: "I may not write there",
    NO_HISTORY: "I may not read there what was said, without which I cannot reply",
    160005: "the thread is locked",
}


class Announcer:
    """Says small things, each of them once. They are no part of the conversation, and stand in small print.

    Args:
        me: the bot's own user id.
    """

    def __init__(self, calls: Calls, threads: Threads, *, me: str) -> None:
        self._calls, self._threads, self._me = calls, threads, me
        self._told: OrderedDict[TurnId, None] = OrderedDict()

    async def confirm(self, thread: Thread, command: MessageId, words: str) -> None:
        """Say what became of a command, unless that was said.

        Raises:
            PlatformAway: it may or may not stand there; the next attempt finds out.
            ThreadClosed, DiscordRefused: it cannot be said there.
        """
        in_thread = not is_continuous(thread) and await self._threads.is_opened(thread)
        channel = thread.thread_id if in_thread else thread.channel_id
        shown = _in_one_message(small_print(words))
        report = read_report(command)
        told, nonce = (command, f"c{command}") if report is None else (report[0], f"r{report[0]}")
        route = Route("GET", "/channels/{channel_id}/messages", channel_id=channel)
        page = objects(await self._calls.call(route, safe=True, query={"after": told, "limit": _PAGE}))
        mine = [message for message in page if fields(message.get("author")).get("id") == self._me]
        if any(_confirms(message, command, shown) for message in mine):
            return
        if any(_could_confirm(message, shown) for message in mine) and not await self._is_message(channel, told):
            return
        try:
            await self._post(channel, shown, nonce=nonce, reply_to=told)
        except DiscordClosed as error:
            if error.code != NO_HISTORY:
                raise
            await self._post(channel, shown, nonce=nonce, reply_to=None)  # what it answers stands just above

    async def tell(self, turn: Turn, error: ThreadClosed) -> None:
        """Tell a turn's asker directly that it cannot be answered where it was asked, once. Never raises."""
        if turn.id in self._told or turn.thread.installation_id == DIRECT:
            return  # there is no more private place to say it
        self._told[turn.id] = None
        while len(self._told) > _MOST_TOLD:
            self._told.popitem(last=False)
        reason = _REASONS.get(error.code, "Discord does not let me") if isinstance(error, DiscordClosed) else "I cannot"
        words = f"I cannot answer [your message]({await self._address(turn)}): {reason}. You can ask me here."
        await self.whisper(turn.asker, words, f"e{turn.id}")

    async def whisper(self, person: Person, words: str, nonce: str) -> None:
        """Say something to somebody directly, who may not want that. Never raises."""
        try:
            route = Route("POST", "/users/@me/channels")
            opened = fields(await self._calls.call(route, safe=True, body={"recipient_id": person.id}))
            await self._post(str(opened.get("id")), small_print(words), nonce=nonce, reply_to=None)
        except PlatformError as failure:
            logger.warning("somebody not told directly", extra={"nonce": nonce, "reason": str(failure)})
        except Exception:
            logger.exception("somebody not told directly", extra={"nonce": nonce})

    async def _address(self, turn: Turn) -> str:
        """Where a question can be seen."""
        thread, message = turn.thread, turn.messages[0].id
        try:
            is_inside = message != thread.thread_id and await self._threads.is_opened(thread)
        except PlatformError:
            is_inside = True
        channel = thread.thread_id if is_inside else thread.channel_id
        return f"https://discord.com/channels/{thread.installation_id}/{channel}/{message}"

    async def _post(self, channel: str, shown: str, *, nonce: str, reply_to: MessageId | None) -> None:
        body: dict[str, object] = {
            "content": shown,
            "nonce": nonce,
            "enforce_nonce": True,
            "allowed_mentions": PINGS_NOBODY,
            "flags": SUPPRESS_EMBEDS | SILENT,
        }
        if reply_to is not None and is_id(reply_to):
            body["message_reference"] = {"message_id": reply_to, "fail_if_not_exists": False}
        route = Route("POST", "/channels/{channel_id}/messages", channel_id=channel)
        await self._calls.call(route, safe=True, body=body)

    async def _is_message(self, channel: str, command: MessageId) -> bool:
        """Whether a command is a message that stands there: then what answers it refers to it."""
        try:
            await Pages(self._calls).one(channel, command)
        except MessageGone:
            return False
        return True


def _confirms(message: Fields, command: MessageId, shown: str) -> bool:
    """Whether a message of the bot's refers to a command and says what became of it."""
    said, report = text(message.get("content")).strip(), read_report(command)
    if report is not None:  # and the command itself was confirmed in the same way
        return _refers_to(message) in {report[0], None} and said == shown.strip()
    # A command that is carried out again may come to another end: there is nothing left to stop.
    return _refers_to(message) == command and said.startswith(ASIDE)


def _could_confirm(message: Fields, shown: str) -> bool:
    """Whether a message of the bot's says the same and refers to nothing, as where there is nothing to refer to."""
    return _refers_to(message) is None and text(message.get("content")).strip() == shown.strip()


def _refers_to(message: Fields) -> object:
    return fields(message.get("message_reference")).get("message_id")


def small_print(words: str) -> str:
    """Words of the bot's own, every line of them small."""
    return "\n".join(f"{ASIDE}{line}" for line in render(words).splitlines() if line.strip())


def _in_one_message(words: str) -> str:
    if len(words) <= MESSAGE_LIMIT:
        return words
    return f"{next(split(words, limit=MESSAGE_LIMIT - len(_MORE) - 1))}\n{_MORE}"
