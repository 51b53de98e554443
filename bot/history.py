"""A thread's past, told to a model that does not know it: read back from the platform, in plain words.

It is told as one labelled user input. Steps of the model's own would have to carry the signatures Gemini gave
them, and those are gone with the interaction they came from.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import dropwhile

from bot.answers import After, Completed, Content, Draft, Media, Question, Source, Step, Text
from bot.attachments import ONLY_INLINE, Enclosure, Intake, label_name, read_attachments
from bot.exchanges import Exchange
from bot.marks import without_places
from bot.messages import InteractionId, Message, MessageId, Person, PersonId, Said, Thread, Turn, TurnState
from bot.notices import history_remark, unheard_remark
from bot.ports import Adapter, TurnStore
from bot.sources import without_sources

_PAST = "What was said in this thread before, oldest first. The new message comes after it."
_UNHEARD = "Said in this thread since your last answer: to others, or to you when you were stopped or could not answer."
_STOPPED = "you, stopped here"
_LONGEST = 400_000  # characters, some 100,000 tokens
_MOST = 1000  # messages


class Past:
    """The past of one turn's thread. What of it was overheard and has been told stands in `told`.

    Args:
        draft: gets the one line that names what could not be told again.
    """

    def __init__(
        self,
        turn: Turn,
        *,
        adapter: Adapter,
        store: TurnStore,
        draft: Draft,
        inline_limit: int,
        intake: Intake = ONLY_INLINE,
    ) -> None:
        self._turn, self._adapter, self._store = turn, adapter, store
        self._draft, self._inline_limit, self._intake = draft, inline_limit, intake
        self._left_out: list[str] = []
        self._along = 0  # bytes of the files that were read again, which go along with what is unheard
        self._begins_with: tuple[Step, ...] | None = None
        self.told: frozenset[MessageId] = frozenset()
        self.exchange: Exchange | None = None  # Gemini keeps it

    async def standing(self) -> After:
        """What the question goes on from, an interaction as a rule; None when Gemini was let to keep none."""
        if self._begins_with is not None:
            return self._begins_with
        previous = self._turn.previous
        return previous if previous is not None and await self._store.is_at_gemini(self._turn) else None

    def begin_with(self, steps: tuple[Step, ...]) -> None:
        """Let the question go on from these instead of an interaction."""
        self._begins_with = steps

    def answered(self, told: Sequence[Question], completed: Completed, *, after: InteractionId | None) -> None:
        """Gemini takes note itself."""

    async def whole(self) -> Question:
        """Everything said before the turn since the last reset; empty when it is the first."""
        is_first = self._turn.messages[0].is_root and self._turn.previous is None
        # Else it came late, and was overtaken: by an answer, or by what was stopped or failed.
        if is_first and not await self._store.untold(self._turn):
            return ()
        self._left_out, self._along = [], 0  # what was told before has come to nothing
        hidden = await self._store.never_told(self._turn.thread)
        past = await self._history()
        said = [one for one in past if one.message_id not in hidden]
        if not said:
            return ()
        kept = newest(said)
        self._tell(said)
        contents: list[Content] = [Text(_PAST)]
        files = await self._files(kept)
        for one in kept:
            contents.append(Text(f"[{_speaker(one.author)}]\n{_spoken(one)}"))
            contents.extend(files[one.message_id])
        is_cut = past[0].follows_more or kept[0].follows_more
        if self._left_out or is_cut:
            self._draft.remark(history_remark(self._left_out, kept=len(kept) if is_cut else None))
        return tuple(contents)

    async def unheard(self) -> Question:
        """What was said since the last answer and no interaction holds; empty as a rule.

        That is what people said to each other, and the questions and beginnings of answers of turns that were
        stopped or failed.
        """
        turns = await self._store.untold(self._turn)
        overheard = self._turn.overheard
        if not turns and not overheard:
            return ()
        mine = {part.message_id for turn in turns if turn.state is TurnState.STOPPED for part in turn.parts}
        if overheard or any(message.text is None for turn in turns for message in turn.messages):
            wanted = mine | overheard | {message.id for turn in turns for message in turn.messages}
            past = await self._history()
            said = [one for one in past if one.message_id in wanted]
            if said and past[0].follows_more and past[0] is said[0]:  # what went before that was not heard either
                self._draft.remark(unheard_remark(len(said)))
        else:
            said = [one for turn in turns for one in _as_said(turn)]
        if not said:
            return ()
        kept = newest(said)
        self._tell(said)
        files = await self._files(kept)
        lines = [f"[{_STOPPED if one.author is None else _speaker(one.author)}]\n{_spoken(one)}" for one in kept]
        told = Text("\n\n".join([_UNHEARD, *lines]))
        return (told, *(content for one in kept for content in files[one.message_id]))

    def leave_room_for(self, question: Question) -> None:
        """Let the past take no more of the request than the question leaves of it."""
        self._inline_limit -= _bytes_in(question)

    async def read_again(self, sources: Sequence[Source]) -> list[Enclosure]:
        """Files of earlier messages, each as far as it can be had again; nobody is told which cannot."""
        thread = self._turn.thread
        pairs = [(_message(thread, Said(source.message, None, "")), source.attachment) for source in sources]
        enclosures = await read_attachments(
            pairs, self._adapter.download, inline_limit=self._inline_limit, intake=self._intake
        )
        self._along = sum(_bytes_in(enclosure.content) for enclosure in enclosures)
        return enclosures

    async def _files(self, said: Sequence[Said]) -> dict[MessageId, Question]:
        """The files that came with each message, as far as they can be had again."""
        pairs = [(_message(self._turn.thread, one), attachment) for one in said for attachment in one.attachments]
        found: dict[MessageId, Question] = {one.message_id: () for one in said}
        enclosures = await read_attachments(
            pairs, self._adapter.download, inline_limit=self._inline_limit - self._along, intake=self._intake
        )
        for (message, _), enclosure in zip(pairs, enclosures, strict=True):
            found[message.id] += enclosure.content
            if enclosure.error is not None:
                self._left_out.append(enclosure.error.name)
        return found

    async def _history(self) -> Sequence[Said]:
        return await self._adapter.history(self._turn.thread, before=self._turn.messages[0].id, since=self._turn.since)

    def _tell(self, said: Sequence[Said]) -> None:
        self.told |= self._turn.overheard & {one.message_id for one in said}


def newest(said: Sequence[Said], *, most: int = _LONGEST, messages: int = _MOST) -> Sequence[Said]:
    """The end of what was said: so many *messages* that have no more characters than *most*, one in any case.

    The first of them tells whether there was more.
    """
    length, first = 0, max(0, len(said) - messages)
    for at in range(len(said) - 1, first - 1, -1):
        length += len(said[at].text)
        if length > most:
            first = min(at + 1, len(said) - 1)
            break
    return said if first == 0 else (replace(said[first], follows_more=True), *said[first + 1 :])


def without_past(texts: Sequence[str]) -> Sequence[str]:
    """The texts of a question without what was told before it of the thread's past."""
    if texts and texts[0].startswith(_UNHEARD):
        return texts[1:]
    if not texts or texts[0] != _PAST:
        return texts
    return list(dropwhile(lambda text: re.match(r"\[[^\]\n]*\]\n", text) is not None, texts[1:]))


def _as_said(turn: Turn) -> Iterator[Said]:
    """A turn whose text is kept here, as its platform would tell it."""
    for message in turn.messages:
        yield Said(message.id, message.author, message.text or "", message.attachments)
    if turn.state is TurnState.STOPPED:  # what a failed turn shows is a notice of ours
        for part in turn.parts:
            yield Said(part.message_id, None, without_places(part.text or ""))


def _bytes_in(contents: Sequence[Content]) -> int:
    return sum(len(part.data or b"") for part in contents if isinstance(part, Media))


def _spoken(said: Said) -> str:
    return said.text if said.author is not None else without_sources(said.text)


def _speaker(author: Person | None) -> str:
    return "you" if author is None else label_name(author.name or "the person")


def _message(thread: Thread, said: Said) -> Message:
    author = said.author or Person(PersonId("bot"))
    return Message(thread, said.message_id, author, said.text, sent_at=0, attachments=said.attachments)
