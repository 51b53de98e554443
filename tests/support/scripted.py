"""A model and a platform that do what a test tells them: small classes behind the core's own seams."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from bot.answers import (
    PLAIN,
    After,
    AnswerEvent,
    Completed,
    Created,
    Draft,
    Ending,
    Interaction,
    InteractionState,
    Manner,
    ModelStep,
    Notice,
    Question,
    Recalled,
    Text,
    TextPiece,
    UserStep,
)
from bot.calls import FunctionResult, Results
from bot.errors import AttachmentUnreadable, InteractionLost, LinkRefused, MessageGone
from bot.messages import (
    Address,
    Attachment,
    InteractionId,
    Message,
    MessageId,
    Part,
    Person,
    PersonId,
    Platform,
    Said,
    Standing,
    Thread,
    Turn,
    Usage,
)
from bot.ports import Approval, Store

TEST = Platform("test")


class Silence(Enum):
    """In a script: the model tells nothing any more, and does not hang up either."""

    FOR_EVER = auto()


NEVER = Silence.FOR_EVER
Cue = AnswerEvent | Exception | asyncio.Event | Silence
"""What a script is made of: something to tell, to raise, or to wait for."""


def thread_named(name: str = "t1") -> Thread:
    return Thread(TEST, "installation", "channel", name)


def message(
    text: str,
    *,
    id_: str | None = None,
    thread: Thread | None = None,
    by: str = "ada",
    attachments: tuple[Attachment, ...] = (),
    address: Address = Address.DIRECT,
    is_root: bool = False,
) -> Message:
    """A message as the test platform hands it over; its id is its text unless one is given."""
    return Message(
        thread=thread or thread_named(),
        id=MessageId(id_ or text.replace(" ", "-")),
        author=Person(PersonId(by)),
        text=text,
        sent_at=1.0,
        attachments=attachments,
        address=address,
        is_root=is_root,
    )


def steps_saying(text: str, *, signature: str) -> tuple[ModelStep, ...]:
    """The steps of an answer that is not stored: a signed thought, and the text."""
    thought = {"type": "thought", "signature": signature}
    output = {"type": "model_output", "content": [{"type": "text", "text": text}]}
    return ModelStep(json.dumps(thought)), ModelStep(json.dumps(output))


def completed(interaction: str, *, truncated: bool = False) -> Completed:
    return Completed(InteractionId(interaction), Usage(input_tokens=3, output_tokens=5, total_tokens=8), truncated)


def answer(interaction: str, text: str) -> tuple[AnswerEvent, ...]:
    """A whole answer, as the model tells it."""
    return (Created(InteractionId(interaction)), TextPiece(text), completed(interaction))


@dataclass(frozen=True, slots=True)
class Asked:
    """A question the model was asked."""

    question: Question  # empty where results are told
    after: After
    manner: Manner = PLAIN
    results: tuple[FunctionResult, ...] = ()

    @classmethod
    def told(cls, question: Question | Results, after: After, manner: Manner) -> "Asked":
        """What was put to the model."""
        if isinstance(question, Results):
            return cls((), after, manner, question.results)
        return cls(question, after, manner)

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.question if isinstance(part, Text))

    @property
    def before(self) -> list[str]:
        """What was said in each step that went before, the model's thoughts left out."""
        steps = self.after if isinstance(self.after, tuple) else ()
        texts = [
            [part.text for part in step.content if isinstance(part, Text)]
            if isinstance(step, UserStep)
            else [part["text"] for part in json.loads(step.json).get("content", ())]
            for step in steps
        ]
        return ["\n".join(said) for said in texts if said]

    @property
    def history(self) -> str:
        """The text of the history it was asked after; empty when that was an interaction or nothing."""
        steps = self.after if isinstance(self.after, tuple) else ()
        return "\n".join(
            part.text for step in steps if isinstance(step, UserStep) for part in step.content if isinstance(part, Text)
        )


class ScriptedModel:
    """Plays the scripts it was given, one for each question; without one it echoes the question."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.looked_up: list[InteractionId] = []
        self.begun: list[Asked] = []  # in the background
        self.cancelled: list[InteractionId] = []  # as often as that was asked for
        self.deleted: list[InteractionId] = []  # in the order in which that was asked for, refused or not
        self.refusing: dict[str, list[Exception]] = {}
        self.deleted_files: list[str] = []
        self.deletes: asyncio.Event | None = None  # keeps deletions waiting until it is set
        self.interactions: dict[str, list[Interaction | Exception]] = {}
        self.kept: dict[str, Recalled] = {}  # what can be recalled: every answer that was told
        self._scripts: deque[Sequence[Cue]] = deque()
        self._beginnings: deque[str | Exception] = deque()
        self._heard = asyncio.Condition()

    def will(self, *cues: Cue) -> None:
        """Play *cues* for the next question without a script."""
        self._scripts.append(cues)

    def will_find(self, interaction: str, *found: Interaction | Exception) -> None:
        """Answer look-ups of an interaction with each of *found* in turn, the last one for ever."""
        self.interactions[interaction] = list(found)

    def will_not_delete(self, interaction: str, *errors: Exception) -> None:
        """Refuse to delete an interaction, with each of *errors* in turn, and then delete it."""
        self.refusing[interaction] = list(errors)

    async def heard(self, number: int) -> None:
        """Wait until *number* questions have been asked."""
        async with asyncio.timeout(30), self._heard:
            await self._heard.wait_for(lambda: len(self.asked) >= number)

    async def told_to_delete(self, number: int) -> None:
        """Wait until *number* interactions were to be deleted."""
        async with asyncio.timeout(30), self._heard:
            await self._heard.wait_for(lambda: len(self.deleted) >= number)

    async def answer(
        self, question: Question | Results, *, after: After, manner: Manner = PLAIN
    ) -> AsyncGenerator[AnswerEvent, None]:
        self.asked.append(Asked.told(question, after, manner))
        number = len(self.asked)
        script: Sequence[Cue]
        if self._scripts:
            script = self._scripts.popleft()
        else:
            script = answer(f"i{number}", f"answer {number} to {self.asked[-1].text}")
        async with self._heard:
            self._heard.notify_all()
        texts = tuple(part.text for part in self.asked[-1].question if isinstance(part, Text))
        heard = Recalled(InteractionId(""), "in_progress", None, texts, "", Usage())
        for cue in script:
            if isinstance(cue, asyncio.Event):
                await cue.wait()
            elif isinstance(cue, Silence):
                await asyncio.Event().wait()
            elif isinstance(cue, Exception):
                raise cue
            elif manner.is_stored:
                heard = self._keep(cue, heard)
                yield cue
            else:
                yield self._with_steps(cue)

    def _with_steps(self, event: AnswerEvent) -> AnswerEvent:
        """The event as it is told where nothing is stored: the last one brings the answer's steps."""
        match event:
            case Created():
                self._said = ""
            case TextPiece(text):
                self._said += text
            case Completed(steps=()):
                return replace(event, steps=steps_saying(self._said, signature=f"signed-{event.interaction}"))
        return event

    def _keep(self, event: AnswerEvent, heard: Recalled) -> Recalled:
        """What can be recalled of an answer from here on, of which *heard* was told so far."""
        match event:
            case Created(interaction):
                heard = replace(heard, id=interaction)
            case TextPiece(text):
                heard = replace(heard, answer=heard.answer + text)
            case Completed(interaction, usage):
                heard = replace(heard, id=interaction, status="completed", usage=usage)
        self.kept[heard.id] = heard
        return heard

    async def recall(self, interaction: InteractionId) -> Recalled:
        if interaction not in self.kept:
            raise InteractionLost(interaction)
        return self.kept[interaction]

    async def look_up(self, interaction: InteractionId) -> Interaction:
        self.looked_up.append(interaction)
        async with self._heard:
            self._heard.notify_all()
        found = self.interactions.get(interaction)
        if not found:
            raise InteractionLost(interaction)
        first = found.pop(0) if len(found) > 1 else found[0]
        if isinstance(first, Exception):
            raise first
        return first

    def will_begin(self, *beginnings: str | Exception) -> None:
        """Begin the next answers in the background as interactions of these names, or refuse to."""
        self._beginnings.extend(beginnings)

    async def begin(self, question: Question, *, after: After, manner: Manner = PLAIN) -> InteractionId:
        self.begun.append(Asked(question, after, manner))
        async with self._heard:
            self._heard.notify_all()
        begun = self._beginnings.popleft() if self._beginnings else f"run{len(self.begun)}"
        if isinstance(begun, Exception):
            raise begun
        return InteractionId(begun)

    async def cancel(self, interaction: InteractionId) -> None:
        self.cancelled.append(interaction)
        async with self._heard:
            self._heard.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something that the model was told makes *condition* hold."""
        async with asyncio.timeout(30), self._heard:
            await self._heard.wait_for(condition)

    async def delete(self, interaction: InteractionId) -> None:
        self.deleted.append(interaction)
        async with self._heard:
            self._heard.notify_all()
        if self.deletes is not None:
            await self.deletes.wait()
        if errors := self.refusing.get(interaction):
            raise errors.pop(0)
        self.kept.pop(interaction, None)

    async def delete_file(self, name: str) -> None:
        self.deleted_files.append(name)
        if errors := self.refusing.get(name):
            raise errors.pop(0)


def interaction(name: str, *events: AnswerEvent, state: InteractionState = InteractionState.COMPLETED) -> Interaction:
    return Interaction(InteractionId(name), state, events)


@dataclass
class ScriptedReply:
    """Writes down what the thread would show."""

    adapter: "ScriptedAdapter"
    turn: Turn
    draft: Draft
    frames: list[str] = field(default_factory=list)
    tools: list[str | None] = field(default_factory=list)  # in use, with each frame
    openings: list[str] = field(default_factory=list)  # the words on how far it is, with each frame

    def changed(self) -> None:
        self.tools.append(self.draft.answer.tool)
        self.openings.append(self.draft.answer.opening)
        self.frames.append(self.draft.answer.text)
        self.adapter.tell()

    async def end(self, ending: Ending) -> None:
        if self.adapter.failures:
            raise self.adapter.failures.pop(0)
        await self.adapter.post(self.turn, ending)
        if self.adapter.lingers is not None:
            await self.adapter.lingers.wait()


class ScriptedAdapter:
    """A platform that shows everything in memory and reads its threads' history back from there."""

    platform = TEST

    def __init__(self, store: Store) -> None:
        self.shown: dict[Thread, dict[str, Ending]] = {}  # by the first message of the turn, as a thread would
        self.order: list[str] = []
        self.replies: list[ScriptedReply] = []
        self.working: set[str] = set()
        self.failures: list[Exception] = []
        self.lingers: asyncio.Event | None = None  # keeps what ends an answer from returning, once that is shown
        self.files: dict[str, bytes] = {}
        self.past: list[Said] = []
        self.messages: dict[MessageId, Message] = {}
        self.standings: dict[PersonId, Standing] = {}
        self.confirmed: list[str] = []
        self.caught_up: list[Thread] = []  # each time it was asked
        self.missed: dict[
            Thread, Callable[[], Awaitable[None]]
        ] = {}  # hands over what was, and returns when that is done
        self.asking: dict[str, str] = {}  # what somebody is asked to approve of, by its name
        self.settled: list[str] = []
        self._said: set[tuple[Thread, MessageId]] = set()
        self.unsayable: list[Exception] = []  # what confirming something fails with, once each
        self._store = store
        self._bell = asyncio.Event()

    @asynccontextmanager
    async def reply(self, turn: Turn, draft: Draft) -> AsyncIterator[ScriptedReply]:
        reply = ScriptedReply(self, turn, draft)
        self.replies.append(reply)
        self.working.add(turn.id)
        try:
            yield reply
        finally:
            self.working.discard(turn.id)
            self.tell()

    async def post(self, turn: Turn, ending: Ending) -> None:
        part = turn.parts[0] if turn.parts else Part(0, MessageId(f"reply-{turn.messages[0].id}"), "")
        text = ending.text if isinstance(ending, Notice) else ending.answer.markdown
        await self._store.shown(turn, Part(0, part.message_id, str(hash(text)), text))
        self.shown.setdefault(turn.thread, {})[part.message_id] = ending
        self.order.append(turn.messages[0].id)
        self.tell()

    def download(self, message: Message, attachment: Attachment) -> AsyncIterator[bytes]:
        return self._pieces(attachment)

    async def _pieces(self, attachment: Attachment) -> AsyncIterator[bytes]:
        if attachment.id not in self.files:
            raise AttachmentUnreadable(attachment.name)
        yield self.files[attachment.id]

    async def history(self, thread: Thread, *, before: MessageId, since: float | None) -> Sequence[Said]:
        return tuple(self.past)

    async def read(self, message: Message) -> Message:
        if message.id not in self.messages:
            raise MessageGone(message.id)
        return self.messages[message.id]

    async def standing(self, thread: Thread, person: Person) -> Standing:
        return self.standings.get(person.id, Standing.MEMBER)

    async def catch_up(self, thread: Thread) -> None:
        """Nothing was missed, unless a test says so."""
        self.caught_up.append(thread)
        if (missed := self.missed.get(thread)) is not None:
            self.tell()
            await missed()

    async def read_for(
        self, person: Person, thread: Thread, link: str, *, permits: Callable[[Thread], bool]
    ) -> Sequence[Said]:
        if not permits(thread_named(link)):
            raise LinkRefused("not allowed there")
        return tuple(self.past)

    async def ask(self, turn: Turn, approval: Approval, words: str) -> None:
        self.asking[approval.name] = words
        self.tell()

    async def settle(self, turn: Turn, approval: Approval, words: str) -> None:
        if self.asking.pop(approval.name, None) is not None:
            self.settled.append(words)
        self.tell()

    async def confirm(self, thread: Thread, command: MessageId, words: str) -> None:
        if self.unsayable:
            raise self.unsayable.pop(0)
        if (thread, command) not in self._said:  # it looks whether that stands there, as platforms do
            self._said.add((thread, command))
            self.confirmed.append(words)
        self.tell()

    def tell(self) -> None:
        self._bell.set()

    def texts_in(self, thread: Thread) -> list[str]:
        """What stands in a thread, in the order in which it was first shown."""
        endings = self.shown.get(thread, {}).values()
        return [ending.text if isinstance(ending, Notice) else ending.answer.markdown for ending in endings]

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait until *condition* holds; it is looked at whenever something was shown or a reply closed."""
        async with asyncio.timeout(30):
            while True:
                self._bell.clear()
                if await condition():
                    return
                await self._bell.wait()
