"""Private threads: Gemini keeps nothing of them, so each question brings along what was asked and answered before.

The promises are the same as where Gemini keeps it. What stands here is linked as interactions are at Gemini, moves
with the thread in one transaction, and where it cannot be gone on from the thread is told again from its platform.
"""

from collections.abc import Sequence
from itertools import chain

from bot.answers import After, Completed, Content, Draft, Question, Source, Step, UserStep
from bot.attachments import Enclosure
from bot.exchanges import Exchange, Kept, kept_of
from bot.history import Past
from bot.messages import AttachmentId, InteractionId, MessageId, Turn
from bot.notices import GROWN_LONG, history_remark
from bot.ports import TurnStore


class PrivatePast:
    """The past of one turn in a private thread; what is to be kept of the turn itself stands in `exchange` at its end.

    Args:
        past: the same thread's, where it has to be told from its platform.
        draft: gets the lines that say what the model is no longer told.
    """

    def __init__(self, turn: Turn, *, past: Past, store: TurnStore, draft: Draft) -> None:
        self._turn, self._past, self._store, self._draft = turn, past, store, draft
        self._is_cut = False
        self._missing: frozenset[AttachmentId] = frozenset()
        self.exchange: Exchange | None = None

    @property
    def told(self) -> frozenset[MessageId]:
        """What was overheard in the thread and has been told."""
        return self._past.told

    async def standing(self) -> After:
        """The exchanges that lead up to the turn, files and all; None when they are not kept here."""
        exchanges = await self._store.exchanges(self._turn)
        if not exchanges:
            return None
        files = await self._files(exchanges)
        latest = exchanges[-1]
        self._is_cut = latest.is_cut or exchanges[0].previous is not None
        if self._is_cut and not latest.is_cut:  # said once, not with every answer from then on
            self._draft.remark(GROWN_LONG)
        lost = {one.attachment.id: one.error.name for one in files.values() if one.error is not None}
        if names := [name for attachment, name in lost.items() if attachment not in latest.missing]:
            self._draft.remark(history_remark(names))
        self._missing = frozenset(lost)
        return tuple(chain.from_iterable(_steps(exchange, files) for exchange in exchanges))

    async def whole(self) -> Question:
        """Everything said before, told from the platform; see `Past.whole`."""
        self._is_cut, self._missing = False, frozenset()
        return await self._past.whole()

    async def unheard(self) -> Question:
        """What no exchange holds; see `Past.unheard`."""
        return await self._past.unheard()

    def leave_room_for(self, question: Question) -> None:
        """Let the past take no more of the request than the question leaves of it."""
        self._past.leave_room_for(question)

    def answered(self, told: Sequence[Question], completed: Completed, *, after: InteractionId | None) -> None:
        """Note the exchange that the thread is to stand on."""
        said = tuple(kept_of(question) for question in told)
        self.exchange = Exchange(after, said, completed.steps, is_cut=self._is_cut, missing=self._missing)

    async def _files(self, exchanges: Sequence[Exchange]) -> dict[Source, Enclosure]:
        """The files of the exchanges, read again, the newest first as long as there is room."""
        sources = dict.fromkeys(
            part
            for exchange in reversed(exchanges)
            for told in exchange.said
            for part in told
            if isinstance(part, Source)
        )
        return dict(zip(sources, await self._past.read_again(list(sources)), strict=True)) if sources else {}


def _steps(exchange: Exchange, files: dict[Source, Enclosure]) -> list[Step]:
    said = [UserStep(tuple(content for part in told for content in _contents(part, files))) for told in exchange.said]
    return [*said, *exchange.answered]


def _contents(part: Kept, files: dict[Source, Enclosure]) -> Sequence[Content]:
    return files[part].content if isinstance(part, Source) else (part,)
