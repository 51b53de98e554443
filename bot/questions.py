"""The messages that are answered together, read as one user input."""

import logging
from collections.abc import Mapping, Sequence
from itertools import islice

from bot.answers import Content, Draft, Question, Text
from bot.attachments import Enclosure, Intake, label_name, read_attachments
from bot.errors import AttachmentError, AttachmentTooLarge, AttachmentUnsupported, MessageGone, NothingAsked
from bot.links import public_links
from bot.messages import Message, Platform, Turn
from bot.metrics import Metrics
from bot.notices import remark_for, unsure_remark
from bot.ports import Adapter
from bot.wishes import wish_of

logger = logging.getLogger(__name__)


class Questions:
    """Reads what turns ask.

    Args:
        adapters: filled before the first turn is read.
        inline_limit: most bytes of files inside one question.
        links: whether what people link to goes to Gemini with their words.
    """

    def __init__(
        self, adapters: Mapping[Platform, Adapter], *, inline_limit: int, links: bool, metrics: Metrics
    ) -> None:
        self._adapters, self._inline_limit, self._links, self._metrics = adapters, inline_limit, links, metrics

    async def messages(self, turn: Turn) -> Sequence[Message]:
        """The turn's messages with their texts, as far as they are still there."""
        adapter = self._adapters[turn.thread.platform]
        return [message for one in turn.messages if (message := await _whole(one, adapter)) is not None]

    async def question(self, turn: Turn, messages: Sequence[Message], draft: Draft, intake: Intake) -> Question:
        """The messages as one user input: each one's text, then what it links to, then its files.

        Raises:
            NothingAsked: nothing of them is left.
        """
        enclosures = iter(await self._enclosures(turn, messages, intake))
        contents: list[Content] = []
        for message in messages:
            if spoken := _spoken(message):
                contents.append(Text(spoken))
                contents.extend(public_links(spoken) if self._links else ())
            for enclosure in islice(enclosures, len(message.attachments)):
                contents.extend(enclosure.content)
                if enclosure.error is not None:
                    self._leave_out(turn, enclosure.error, draft)
        if not contents:
            raise NothingAsked
        return tuple(contents)

    async def remark_on_files(self, turn: Turn, draft: Draft, intake: Intake) -> None:
        """Say again which files an answer knows nothing of, as far as that is certain.

        What cannot be had now may well have been read before the crash.
        """
        for enclosure in await self._enclosures(turn, await self.messages(turn), intake):
            if isinstance(enclosure.error, AttachmentTooLarge | AttachmentUnsupported):
                self._leave_out(turn, enclosure.error, draft)
            elif enclosure.error is not None:
                draft.remark(unsure_remark(enclosure.error.name))

    async def _enclosures(self, turn: Turn, messages: Sequence[Message], intake: Intake) -> Sequence[Enclosure]:
        """The files of messages, in their order."""
        return await read_attachments(
            [(message, attachment) for message in messages for attachment in message.attachments],
            self._adapters[turn.thread.platform].download,
            inline_limit=self._inline_limit,
            intake=intake,
        )

    def _leave_out(self, turn: Turn, error: AttachmentError, draft: Draft) -> None:
        logger.info("attachment left out", extra={**turn.fields, "error": type(error).__name__})
        self._metrics.failures.labels(type(error).__name__).inc()
        draft.remark(remark_for(error))


async def _whole(message: Message, adapter: Adapter) -> Message | None:
    """The message with its text, which has been blanked when the turn is a retry; None when it is gone."""
    if message.text is not None:
        return message
    try:
        return await adapter.read(message)
    except MessageGone:
        return None


def _spoken(message: Message) -> str:
    wish = wish_of(message.text)
    words = message.text if wish is None else wish
    # Where names are known several people may speak, and the model has to tell them apart.
    name = message.author.name and label_name(message.author.name)
    return f"[{name}] {words}" if words and name else words or ""
