"""A thread's past, told to a model that does not know it: read back from the platform, in plain words.

It is told as one labelled user input. Steps of the model's own would have to carry the signatures Gemini gave
them, and those are gone with the interaction they came from.
"""

from collections.abc import Sequence
from itertools import islice

from bot.answers import Content, Draft, Question, Text
from bot.attachments import read_attachments
from bot.messages import Message, MessageId, Person, PersonId, Said, Thread, Turn, TurnState
from bot.notices import history_remark
from bot.ports import Adapter, TurnStore

_PAST = "What was said in this thread before, oldest first. The new message comes after it."
_UNANSWERED = "Said in this thread since your last answer. You were stopped, or could not answer:"


class Past:
    """The past of one turn's thread.

    Args:
        draft: gets the one line that names what could not be told again.
    """

    def __init__(self, turn: Turn, *, adapter: Adapter, store: TurnStore, draft: Draft, inline_limit: int) -> None:
        self._turn, self._adapter, self._store = turn, adapter, store
        self._draft, self._inline_limit = draft, inline_limit

    async def whole(self) -> Question:
        """Everything said before the turn since the last reset; empty when it is the first."""
        said = await self._adapter.history(self._turn.thread, before=self._turn.messages[0].id)
        if not said:
            return ()
        files = [(_message(self._turn.thread, one), attachment) for one in said for attachment in one.attachments]
        enclosures = iter(await read_attachments(files, self._adapter.download, inline_limit=self._inline_limit))
        contents: list[Content] = [Text(_PAST)]
        left_out: list[str] = []
        for one in said:
            contents.append(Text(f"[{_speaker(one.author)}]\n{one.text}"))
            for enclosure in islice(enclosures, len(one.attachments)):
                contents.extend(enclosure.content)
                if enclosure.error is not None:
                    left_out.append(enclosure.error.name)
        if left_out:
            self._draft.remark(history_remark(left_out))
        return tuple(contents)

    async def unanswered(self) -> Question:
        """The questions, and the shown beginnings of answers, that no interaction holds; empty as a rule."""
        turns = await self._store.untold(self._turn)
        if not turns:
            return ()
        text_of = await self._texts(turns)
        lines = [_UNANSWERED]
        for turn in turns:
            lines += [f"[{_speaker(message.author)}]\n{text_of[message.id]}" for message in turn.messages]
            if turn.state is TurnState.STOPPED:  # what a failed turn shows is a notice of ours
                lines += [f"[you, stopped here]\n{text_of[part.message_id]}" for part in turn.parts]
        return (Text("\n\n".join(lines)),)

    async def _texts(self, turns: Sequence[Turn]) -> dict[MessageId, str]:
        """The text of every message and part, from the platform where it is not kept here."""
        kept = {message.id: message.text for turn in turns for message in turn.messages}
        kept |= {part.message_id: part.text for turn in turns for part in turn.parts}
        if None in kept.values():
            said = await self._adapter.history(self._turn.thread, before=self._turn.messages[0].id)
            read = {one.message_id: one.text for one in said}
            kept = {id_: read.get(id_, "") if text is None else text for id_, text in kept.items()}
        return {id_: text or "" for id_, text in kept.items()}


def _speaker(author: Person | None) -> str:
    return "you" if author is None else author.name or "the person"


def _message(thread: Thread, said: Said) -> Message:
    author = said.author or Person(PersonId("bot"))
    return Message(thread, said.message_id, author, said.text, sent_at=0, attachments=said.attachments)
