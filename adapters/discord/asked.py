"""A question asked by command, made a message of the channel that everybody can read and answer."""

import logging
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Final, Protocol

from adapters.discord.application import LONGEST_QUESTION
from adapters.discord.attachments import attachments_of
from adapters.discord.calls import Calls, DiscordClosed, DiscordRefused, File, Route
from adapters.discord.contents import contents_of
from adapters.discord.faces import PINGS_NOBODY, SUPPRESS_EMBEDS
from adapters.discord.files import Downloads
from adapters.discord.interactions_payloads import Asking, Call
from adapters.discord.payloads import Fields, fields, is_id, line, number, sent_at
from adapters.discord.people import Called, name_of
from adapters.discord.places import Kind, thread_of
from adapters.discord.questions import shown_question
from adapters.discord.reading import quoted
from adapters.discord.reply import FILE_LIMIT
from bot.errors import AttachmentError, PlatformAway
from bot.messages import Address, Attachment, AttachmentId, Message, MessageId

logger = logging.getLogger(__name__)

_DEAD_TOKEN: Final = {10015, 10062, 50027, 10008}  # the interaction can no longer be answered


class Receiver(Protocol):
    """Where messages go; see `bot.inbox.Inbox`."""

    async def receive(self, message: Message) -> bool: ...


class Questions:
    """Shows questions, and hands them on as messages of whoever asked. Everything here may be done again.

    Args:
        called: what roles and channels of a server are called.
    """

    def __init__(
        self,
        calls: Calls,
        downloads: Downloads,
        inbox: Receiver,
        *,
        called: Callable[[str | None, str], str | None],
    ) -> None:
        self._calls, self._downloads, self._inbox, self._called = calls, downloads, inbox, called

    async def place(self, asking: Asking) -> None:
        """Show a question in its channel, and have it answered.

        Raises:
            StoreError, PlatformAway: not now; the same again is safe.
            ThreadClosed, DiscordRefused: never.
        """
        files, lost = await self._fetched(asking)
        shown = fields(await self._shown(asking, files))
        message_id = shown.get("id")
        if not is_id(message_id):
            raise PlatformAway("a question was shown, and the message not told")
        await self._inbox.receive(self._message(asking, shown, MessageId(message_id), lost))

    def _message(self, asking: Asking, shown: Fields, message_id: MessageId, lost: tuple[Attachment, ...]) -> Message:
        where, files = asking.where, (*attachments_of({**shown, "channel_id": asking.where.channel_id}), *lost)
        if asking.about is not None:
            files = (*files, *contents_of(asking.about, quoting=False).attachments)
        thread = thread_of(where, message_id)
        return Message(
            thread=thread,
            id=message_id,
            author=asking.person,
            text=self._text(asking),
            sent_at=sent_at(message_id),
            attachments=files,
            address=Address.DIRECT if where.kind is Kind.DIRECT else Address.MENTION,
            is_root=thread.thread_id == message_id,
        )

    def _text(self, asking: Asking) -> str:
        if asking.about is None:
            return asking.text
        author = name_of(fields(asking.about.get("author")), {}) or "somebody"
        words = contents_of(asking.about, me=None, called=self._calls_of(asking), quoting=False).text
        return f"About this message of {author}:\n{quoted(words[:LONGEST_QUESTION] or '(no words)')}"

    def _calls_of(self, asking: Asking) -> Called:
        return lambda name: self._called(asking.where.guild_id, name)

    # --- showing --------------------------------------------------------------------------------

    async def _shown(self, asking: Asking, files: tuple[File, ...]) -> Any:
        """The message that shows the question: the answer to the interaction, or one of the channel's own."""
        content = shown_question(asking.person.name or "", self._text(asking), about=_address(asking))
        body: Mapping[str, object] = {
            "content": content[:2000],
            "attachments": [{"id": number, "filename": file.name} for number, file in enumerate(files)],
            "allowed_mentions": PINGS_NOBODY,
            "flags": SUPPRESS_EMBEDS,
        }
        try:
            return await self._calls.call(original(asking.call), safe=True, body=body, files=files)
        except (DiscordRefused, DiscordClosed) as error:
            if error.code not in _DEAD_TOKEN:
                raise
            logger.info("question shown without its token", extra={"reason": str(error)})
        route = Route("POST", "/channels/{channel_id}/messages", channel_id=asking.where.channel_id)
        named = {**body, "nonce": f"q{asking.call.id}", "enforce_nonce": True}
        return await self._calls.call(route, safe=True, body=named, files=files)

    async def _fetched(self, asking: Asking) -> tuple[tuple[File, ...], tuple[Attachment, ...]]:
        """The file that came with the question: with a command there is no message it could be read from later.

        Returns:
            It, and what is known of it when it could not be had: it is named to the person and to the model.
        """
        if asking.file is None:
            return (), ()
        name, size = line(asking.file.get("filename")) or "a file", number(asking.file.get("size"))
        lost = Attachment(AttachmentId(f"command/{asking.call.id}"), name, size=size)
        if size is not None and size > FILE_LIMIT:
            return (), (lost,)
        data = bytearray()
        try:
            async with aclosing(self._downloads.from_address(name, str(asking.file.get("url") or ""))) as pieces:
                async for piece in pieces:
                    data += piece
                    if len(data) > FILE_LIMIT:
                        return (), (replace(lost, size=len(data)),)
        except AttachmentError as error:
            logger.info("file of a command not fetched", extra={"error": type(error).__name__})
            return (), (lost,)
        return (File(name, bytes(data)),), ()


def original(call: Call) -> Route:
    """The message that answered an interaction first, to be edited."""
    path = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
    return Route("PATCH", path, webhook_id=call.application_id, webhook_token=call.token)


def _address(asking: Asking) -> str | None:
    """A link to the message that a question is about."""
    if asking.about is None:
        return None
    server, message = asking.where.guild_id or "@me", asking.about.get("id")
    return f"https://discord.com/channels/{server}/{asking.where.channel_id}/{message}"
