"""The Gemini of a run of chaos: says which questions it was asked and which it knew of before, at times at length."""

import re
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.offline import Act, Conversation, OfflineModel, Received
from bot.offline.conversation import LABEL
from bot.offline.orders import Order
from bot.offline.toolbox import Use
from bot.offline.wire import JsonObject, Refused, objects_in, text_in
from tests.chaos import deeds_functions as deeds
from tests.chaos.history import Asked, Outcome
from tests.chaos.history_functions import Call
from tests.chaos.researches import report

TAG = re.compile(r"q\d{5}")
OPENING = re.compile(r"Answer to ((?:q\d{5} ?)+)\.")
_LINE = re.compile(r"Line (\d+) of (\d+) for (q\d{5}):")
_LAST = re.compile(r"Known before: (nothing|(?:q\d{5} ?)+)\. That is all on (q\d{5})\.")

_LONG, _EVERY_LONG = 60, 9  # lines, some 4,000 characters: three messages in Discord; one in so many questions
_EVERY_NOISY = 7  # one in so many calls everybody
_NOISE = "<!channel> <!here> @everyone @here <https://preview.example.org/>\n\n"
_OUTCOMES = {
    "completed": Outcome.COMPLETED,
    "requires_action": Outcome.COMPLETED,
    "in_progress": Outcome.RUNNING,
}


@dataclass(frozen=True, slots=True)
class _Create:
    tags: tuple[str, ...]
    knew: tuple[str, ...]
    at: float  # seconds of the run
    called: Sequence[JsonObject] = ()


@dataclass(slots=True)
class Gemini:
    """What the offline model says, and what it was asked.

    `brain`, `acts`, `researcher` and `new_id` go to `offline_model`, which calls one or two of the first three right
    before the last for each interaction.
    """

    began: float = field(default_factory=time.time)  # seconds since 1970
    _creates: dict[str, _Create] = field(default_factory=dict)
    _statuses: dict[str, tuple[str, float]] = field(default_factory=dict)  # of what may be forgotten from then on
    _next: _Create | None = None
    _said: str | None = None  # the answer to what was acted upon
    calls: dict[str, Call] = field(default_factory=dict)  # all that were made

    def brain(self, conversation: Conversation) -> str:
        if (said := self._said) is not None:
            self._said = None
            return said
        tags = _tags(conversation.question.texts)
        return answer(tags, self._reads(tags, conversation))

    def acts(self, conversation: Conversation, order: Order, token: str) -> Act:
        """What is done besides answering, for the sake of what somebody asked last."""
        question, told = deeds.rounds_of(conversation)
        tags = _tags(question)
        called = deeds.calls_for(tags, order, rounds=len(told), token=token)
        self._said = answer(tags, self._reads(tags, conversation, called), deeds.words_of(tags, order, told))
        done = deeds.act_for(tags, self._said, order, called)
        if done.used.text is not None:
            self._said = None  # nobody asks for it
        return done

    def _reads(
        self, tags: tuple[str, ...], conversation: Conversation, called: Sequence[JsonObject] = ()
    ) -> tuple[str, ...]:
        knew = tuple(tag for tag in _tags(conversation.said_earlier) if tag not in tags)
        self._next = _Create(tags, knew, time.time() - self.began, called)
        return knew

    def researcher(self, conversation: Conversation) -> Use:
        return report(self.brain(conversation), conversation)

    def new_id(self) -> str:
        name = secrets.token_hex(16)
        if self._next is not None:
            create, self._next = self._next, None
            self._creates[f"v1_{name}"] = create
            found = deeds.read_calls(create.called, create.tags, f"v1_{name}")
            self.calls.update({call.id: call for call in found})
        return name

    def note_outcomes(self, model: OfflineModel) -> None:
        """Keep in mind how everything stands, since it is going to be forgotten."""
        for name in self._creates:
            if (status := _status(model, name)) is not None:
                self._statuses[name] = status, time.time() - self.began

    def files_there(self, model: OfflineModel, asked: Iterable[Asked]) -> set[str]:
        """Of the files that it was asked about, those that it still has."""
        addresses = {address for one in asked for address in one.files.values()}
        return {address for address in addresses if _is_there(model, address)}

    def told(self, model: OfflineModel) -> list[list[dict[str, str]]]:
        """The results that were told in each create, taken or refused, which told any: a group for each round."""
        groups = (deeds.groups_in(request.body or {}) for request in model.requests if request.is_create)
        return [found for found in groups if found]

    def asked(self, model: OfflineModel) -> list[Asked]:
        """All that was created, oldest first."""
        asks = [request for request in model.requests if request.is_create]
        last = {frozenset(deeds.results_in(one.body or {})): one.interaction in self._creates for one in asks}
        refused = {results for results, was_taken in last.items() if not was_taken}
        at_work, told = set(model.at_work), _told(model)
        return [
            replace(
                self._asked(model, request, request.interaction, refused),
                is_at_work=request.interaction in at_work,
                is_cancelled=("cancel", request.interaction) in told,
                is_deleted=("delete", request.interaction) in told,
            )
            for request in model.requests
            if request.is_create and request.interaction in self._creates
        ]

    def _asked(self, model: OfflineModel, request: Received, name: str, refused: Set[frozenset[str]]) -> Asked:
        create, body = self._creates[name], request.body or {}
        calls = tuple(call.id for call in deeds.read_calls(create.called, create.tags, name))
        after, status = body.get("previous_interaction_id"), _status(model, name)
        agent, is_background = body.get("agent"), body.get("background") is True
        is_known, ended_at, lost_at = status is not None, None, None
        if status is None:
            status, lost_at = self._statuses.get(name, ("lost", create.at))
        outcome = _OUTCOMES.get(status, Outcome.FAILED if is_known else Outcome.LOST)
        if is_known and outcome is not Outcome.RUNNING:
            # Told in whole seconds, so it may have been almost one later.
            updated = datetime.fromisoformat(str(model.interaction(name)["updated"]))
            ended_at = updated.timestamp() + 1 - self.began
        return Asked(
            name,
            create.tags,
            create.knew,
            create.at,
            after if isinstance(after, str) else None,
            is_kept=body.get("store") is not False,
            outcome=outcome if is_known or outcome is Outcome.COMPLETED else Outcome.LOST,
            # What was on its way when a connection is reset may never have been read.
            is_told=not request.dropped
            and (
                request.pieces > 0
                or (bool(calls) and _is_heard_out(request))
                or (is_background and not request.disconnected)
            ),
            ended_at=ended_at,
            lost_at=lost_at,
            is_there=is_known,
            files=_files(body),
            calls=calls,
            results=deeds.results_in(body),
            is_refused=bool(calls) and frozenset(calls) in refused,
            agent=agent if isinstance(agent, str) else None,
            is_background=is_background,
        )


def _is_heard_out(request: Received) -> bool:
    return request.ended and not request.disconnected


def _told(model: OfflineModel) -> set[tuple[str, str]]:
    """The interactions that were to be cancelled, whether that was heeded or not, and those that were deleted."""
    paths = [(request.method, request.path.split("/")) for request in model.requests]
    told = {("delete", one.interaction) for one in model.requests if one.method == "DELETE" and one.interaction}
    return told | {("cancel", path[-2]) for method, path in paths if method == "POST" and path[-1] == "cancel"}


def _files(body: Mapping[str, object]) -> dict[str, str]:
    """The addresses of the files that a create names, by the labels before them."""
    found, name = dict[str, str](), ""
    for part in _parts(body.get("input")):
        if label := LABEL.match(text_in(part, "text")):
            name = label["name"]
        elif uri := text_in(part, "uri"):
            found[name] = uri
    return found


def _parts(input_: object) -> list[JsonObject]:
    """The pieces of a create's input, whichever of its shapes it has."""
    ones = [one for one in input_ if isinstance(one, dict)] if isinstance(input_, list) else []
    return [part for one in ones for part in (objects_in(one, "content") or [one])]


def _status(model: OfflineModel, name: str) -> str | None:
    try:
        return str(model.interaction(name)["status"])
    except Refused:
        return None


def _is_there(model: OfflineModel, address: str) -> bool:
    try:
        model.files.get(f"files/{address.rpartition('/')[2]}")
    except Refused:
        return False
    return True


def answer(tags: Sequence[str], knew: Sequence[str], more: Sequence[str] = ()) -> str:
    """An answer to the questions of these tags, with more paragraphs; the same for the same."""
    if not tags:
        return "There is no question in this."
    number = int(tags[0][1:])
    parts = [f"Answer to {' '.join(tags)}."]
    if number % _EVERY_NOISY == 0:
        parts.append(_NOISE)
    if number % _EVERY_LONG == 0:
        parts += [
            f"Line {line} of {_LONG} for {tags[0]}: the thread winds on through the labyrinth." for line in _lines()
        ]
    parts += [*more, f"Known before: {' '.join(knew) or 'nothing'}. That is all on {tags[0]}."]
    return "\n\n".join(parts)


def _lines() -> Iterable[int]:
    return range(1, _LONG + 1)


@dataclass(frozen=True, slots=True)
class Read:
    """An answer as it was read off a thread; of a notice there are no tags."""

    tags: tuple[str, ...]
    knew: tuple[str, ...]
    is_whole: bool


def read_answer(text: str) -> Read:
    """What an answer's text says, all its messages together."""
    opening = OPENING.search(text)
    tags = tuple(opening[1].split()) if opening else tuple(dict.fromkeys(match[3] for match in _LINE.finditer(text)))
    lines = [int(match[1]) for match in _LINE.finditer(text)]
    lasts = list(_LAST.finditer(text))
    knew = tuple(TAG.findall(lasts[-1][1])) if lasts else ()
    wanted = list(_lines()) if tags and int(tags[0][1:]) % _EVERY_LONG == 0 else []
    is_once = len(OPENING.findall(text)) == 1 and len(lasts) == 1 and lines == wanted
    return Read(tags, knew, is_whole=not tags or (is_once and lasts[0][2] == tags[0]))


def goes_on(text: str) -> str | None:
    """The question whose answer a text goes on with, without being its beginning."""
    if OPENING.search(text):
        return None
    found = _LINE.search(text) or _LAST.search(text) or deeds.OF.search(text)
    return found[found.lastindex or 0] if found else None


def _tags(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag for text in texts for tag in TAG.findall(text)))


def tag(thread: int, number: int) -> str:
    """The tag of a thread's text of that number, from 0 to 99."""
    return f"q{thread:03d}{number:02d}"
