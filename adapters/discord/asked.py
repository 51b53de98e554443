"""A question asked by command, made a message of the channel that everybody can read and answer."""

import logging
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final, Protocol

from adapters.discord.attachments import Missing
from adapters.discord.calls import ARCHIVED, MESSAGE_GONE, Calls, DiscordClosed, DiscordRefused, File, Route
from adapters.discord.faces import PINGS_NOBODY, SUPPRESS_EMBEDS
from adapters.discord.files import UPLOAD_LIMIT, Downloads
from adapters.discord.interactions_payloads import Asking
from adapters.discord.payloads import Fields, fields, is_id, line, number, objects, sent_at, text
from adapters.discord.people import Called, Me
from adapters.discord.places import Kind, thread_of
from adapters.discord.questions import (
    Asked,
    asker_name,
    question_of,
    read_question,
    shown_question,
    without_file,
    words_about,
)
from adapters.discord.responses import original
from bot.errors import AttachmentError, PlatformAway, PlatformError
from bot.messages import Address, Attachment, Message, MessageId

logger = logging.getLogger(__name__)

_DEAD_TOKEN: Final = {10015, 10062, 50027}  # the interaction can no longer be answered
_NOT_THERE: Final = _DEAD_TOKEN | {MESSAGE_GONE, ARCHIVED}  # nor can its first answer be changed
_TOO_LARGE: Final = {40005, 50045}
_LOADING: Final = 1 << 7  # the flag of an answer that is still to come
_PAGE, _MOST_PAGES = 100, 5  # messages after a question that are looked through for it


class Receiver(Protocol):
    """Where messages go; see `bot.inbox.Inbox`."""

    async def receive(self, message: Message) -> bool: ...


@dataclass(frozen=True, slots=True)
class _Left:
    """What an earlier attempt left behind."""

    question: Fields | None = None  # the message that shows it
    waiting: str | None = None  # the id of one that says that something is coming, and no longer can be changed


class Questions:
    """Shows questions, and hands them on as messages of whoever asked. Everything here may be done again.

    Args:
        me: who the bot is in a server, by the server's id.
        called: what people, roles and channels of a server are called.
    """

    def __init__(
        self,
        calls: Calls,
        downloads: Downloads,
        inbox: Receiver,
        *,
        me: Callable[[str | None], Me],
        called: Callable[[str | None, str], str | None],
    ) -> None:
        self._calls, self._downloads, self._inbox, self._me, self._called = calls, downloads, inbox, me, called

    async def place(self, asking: Asking, *, again: bool) -> None:
        """Show a question in its channel, and have it answered.

        Args:
            again: it was tried before, so that it may be shown already. Then it stays as it is: its file is known
                by the message it stands in.

        Raises:
            StoreError, PlatformAway: not now; the same again is safe.
            ThreadClosed, DiscordRefused: never.
        """
        left = await self._left(asking) if again else _Left()
        asked, shown = self._asked(asking), left.question
        if shown is not None:
            asked = read_question(shown, self._me(asking.where.guild_id)) or asked
        else:
            file, without = await self._fetched(asking)
            asked, shown = await self._shown(asking, replace(asked, without=without), file)
            if left.waiting is not None:
                await self._take_away(asking, left.waiting)
        if not is_id(shown.get("id")):
            raise PlatformAway("a question was shown, and the message not told")
        await self._inbox.receive(self._message(asking, asked, shown))

    def _asked(self, asking: Asking) -> Asked:
        """What is shown of a question, less what cannot be known yet."""
        name, about = asker_name(asking.person.name), asking.about
        if about is None:
            return Asked(name, asking.text)
        words = words_about(about, self._me(asking.where.guild_id), called=self._called_in(asking))
        return Asked(name, words, MessageId(str(about.get("id"))))

    def _message(self, asking: Asking, asked: Asked, shown: Fields) -> Message:
        """The question as a message of whoever asked it."""
        where, message_id = asking.where, MessageId(str(shown["id"]))
        me, body = self._me(where.guild_id), {**shown, "channel_id": where.channel_id}
        question = question_of(body, asked, me, about=asking.about, called=self._called_in(asking))
        thread = thread_of(where, message_id)
        return Message(
            thread=thread,
            id=message_id,
            author=asking.person,
            text=question.text,
            sent_at=sent_at(message_id),
            attachments=question.attachments,
            address=Address.DIRECT if where.kind is Kind.DIRECT else Address.MENTION,
            is_root=thread.thread_id == message_id,
        )

    def _called_in(self, asking: Asking) -> Called:
        return lambda name: self._called(asking.where.guild_id, name)

    # --- showing --------------------------------------------------------------------------------

    async def _shown(self, asking: Asking, asked: Asked, file: File | None) -> tuple[Asked, Fields]:
        """Show a question with its file, or without it where Discord takes no such file."""
        try:
            return asked, await self._show(asking, asked, file)
        except (DiscordRefused, DiscordClosed) as error:
            if file is None:
                raise
            logger.info("file of a command refused", extra={"reason": str(error)})
            is_too_large = error.code in _TOO_LARGE or error.status == 413
        why = Missing.TOO_LARGE if is_too_large else Missing.UNREADABLE
        asked = replace(asked, without=without_file(file.name, why))
        return asked, await self._show(asking, asked, None)

    async def _show(self, asking: Asking, asked: Asked, file: File | None) -> Fields:
        """The message that shows the question: the answer to the interaction, or one of the channel's own."""
        files = () if file is None else (file,)
        body: Mapping[str, object] = {
            "content": _content(asking, asked),
            "attachments": [{"id": at, "filename": one.name} for at, one in enumerate(files)],
            "allowed_mentions": PINGS_NOBODY,
            "flags": SUPPRESS_EMBEDS,
        }
        try:
            return fields(await self._calls.call(original("PATCH", asking.call), safe=True, body=body, files=files))
        except (DiscordRefused, DiscordClosed) as error:
            if error.code not in _NOT_THERE:
                raise
            logger.info("question shown without its token", extra={"reason": str(error)})
            is_waiting = error.code == ARCHIVED
        route = Route("POST", "/channels/{channel_id}/messages", channel_id=asking.where.channel_id)
        named = {**body, "nonce": f"q{asking.call.id}", "enforce_nonce": True}
        shown = fields(await self._calls.call(route, safe=True, body=named, files=files))
        if is_waiting:  # the thread is out of the archive now
            await self._quietly(original("DELETE", asking.call))
        return shown

    # --- what an earlier attempt did ----------------------------------------------------------------

    async def _left(self, asking: Asking) -> _Left:
        """Find the message that shows the question already. Raises PlatformAway when it cannot be told."""
        try:
            told = fields(await self._calls.call(original("GET", asking.call), safe=True))
            return _Left(told) if self._shows(asking, told) else _Left()
        except (DiscordRefused, DiscordClosed) as error:
            logger.info("question looked for without its token", extra={"reason": str(error)})
        after, waiting = asking.call.id, None
        for _ in range(_MOST_PAGES):
            page = await self._page(asking, after)
            for post in page:
                if self._shows(asking, post):
                    return _Left(post)
                if _is_waiting(post) and _cause(post) == asking.call.id:
                    waiting = str(post["id"])
            if len(page) < _PAGE:
                break
            after = str(page[-1]["id"])
        return _Left(waiting=waiting)

    async def _page(self, asking: Asking, after: str) -> list[Fields]:
        """The oldest messages of the channel after an id, in order; none where it may not be read."""
        route = Route("GET", "/channels/{channel_id}/messages", channel_id=asking.where.channel_id)
        try:
            told = objects(await self._calls.call(route, safe=True, query={"after": after, "limit": _PAGE}))
        except (DiscordRefused, DiscordClosed):
            return []
        return sorted((post for post in told if is_id(post.get("id"))), key=_order)

    def _shows(self, asking: Asking, post: Fields) -> bool:
        """Whether a message shows this question: it tells which interaction it answers, if it answers any."""
        found, asked = read_question(post, self._me(asking.where.guild_id)), self._asked(asking)
        if found is None or _is_waiting(post) or _cause(post) not in {None, asking.call.id}:
            return False
        # What is shown of another message may be cut.
        is_same = found.about == asked.about if asked.about else found.text == asked.text
        return is_same and found.name == asked.name

    async def _take_away(self, asking: Asking, message: str) -> None:
        path = "/channels/{channel_id}/messages/{message_id}"
        await self._quietly(Route("DELETE", path, channel_id=asking.where.channel_id, message_id=message))

    async def _quietly(self, route: Route) -> None:
        try:
            await self._calls.call(route, safe=True)
        except PlatformError as error:
            logger.info("sign of work left behind", extra={"reason": str(error)})

    # --- the file -------------------------------------------------------------------------------

    async def _fetched(self, asking: Asking) -> tuple[File | None, Attachment | None]:
        """The file that came with the question: with a command there is no message it could be read from later.

        Returns:
            It, or what is known of it when it could not be had: it is named to the person and to the model.
        """
        if asking.file is None:
            return None, None
        name, size = line(asking.file.get("filename")) or "a file", number(asking.file.get("size"))
        if size is not None and size > UPLOAD_LIMIT:
            return None, without_file(name, Missing.TOO_LARGE)
        data = bytearray()
        try:
            async with aclosing(self._downloads.from_address(name, text(asking.file.get("url")))) as pieces:
                async for piece in pieces:
                    data += piece
                    if len(data) > UPLOAD_LIMIT:
                        return None, without_file(name, Missing.TOO_LARGE)
        except AttachmentError as error:
            logger.info("file of a command not fetched", extra={"error": type(error).__name__})
            return None, without_file(name, Missing.UNREADABLE)
        return File(name, bytes(data)), None


def _content(asking: Asking, asked: Asked) -> str:
    return shown_question(asked, channel=asking.where.channel_id, guild_id=asking.where.guild_id)


def _order(message: Fields) -> int:
    return int(str(message["id"]))


def _cause(message: Fields) -> object:
    """The id of the interaction that a message answers; None when it answers none."""
    return fields(message.get("interaction_metadata")).get("id")


def _is_waiting(message: Fields) -> bool:
    return bool((number(message.get("flags")) or 0) & _LOADING)
