"""The interactions the offline model knows: what was said in each, and how far it has come."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.offline.bell import Bell
from bot.offline.conversation import Utterance, utterances
from bot.offline.record import Record
from bot.offline.wire import JsonObject, Refused, objects_in, text_in, timestamp

RETENTION = 55 * 24 * 3600.0  # seconds; what Gemini keeps interactions for on paid keys

_DIED = {"code": "api_error", "message": "the offline model stopped while it was answering"}


@dataclass(slots=True, eq=False)
class Interaction:
    """One exchange. It changes until its status is final, and only through `Interactions`."""

    id: str
    owner: Mapping[str, str]  # {"model": ...} or {"agent": ...}
    input: list[JsonObject]  # steps, their files described and not kept
    created: float  # seconds since the epoch
    previous: str | None = None
    stored: bool = True
    status: str = "in_progress"
    steps: list[JsonObject] = field(default_factory=list)
    usage: JsonObject | None = None
    errors: list[JsonObject] = field(default_factory=list)
    continuation_token: str | None = None
    updated: float = 0.0
    background: bool = False
    looks: int | None = None  # at which it still says that it runs, though it was cancelled; None when it was not
    said: tuple[Utterance, ...] = ()  # input and steps, once they are final

    @property
    def is_running(self) -> bool:
        """Whether its answer is still to come."""
        return self.status == "in_progress"

    def as_json(self, *, include_input: bool = False) -> JsonObject:
        """The interaction as a get answers it."""
        steps = [*self.input, *self.steps] if include_input else self.steps
        shown: JsonObject = {"id": self.id, "object": "interaction", "status": self.status, **self.owner}
        shown |= {"created": timestamp(self.created), "updated": timestamp(self.updated), "steps": steps}
        if self.usage is not None:
            shown["usage"] = self.usage
        if self.previous is not None:
            shown["previous_interaction_id"] = self.previous
        if self.errors:
            shown["errors"] = self.errors
        if self.continuation_token is not None:
            shown["continuation_token"] = self.continuation_token
        return shown


class Interactions:
    """All of them, by id. Those that are stored outlive the process in the record."""

    def __init__(self, record: Record, *, clock: Callable[[], float], retention: float = RETENTION) -> None:
        self._record = record
        self._clock = clock
        self._retention = retention
        self._known: dict[str, Interaction] = {}  # oldest first
        self._lost: dict[str, int] = {}  # id to the status it is answered with
        self.bell = Bell()  # rung when one has ended

    def restore(self, entries: Mapping[str, JsonObject]) -> None:
        """Take in what the record holds. What was in progress has failed with the process that was at it."""
        for id_, entry in entries.items():
            interaction = _from_record(id_, entry)
            if interaction.is_running:
                interaction.status, interaction.errors = "failed", [dict(_DIED)]
                self._write(interaction)
            self._known[id_] = interaction
        self._known = dict(sorted(self._known.items(), key=lambda item: item[1].created))
        self._expire()

    def add(self, interaction: Interaction) -> None:
        """Know an interaction that begins now."""
        interaction.updated = interaction.created
        if interaction.stored:
            self._expire()
            self._known[interaction.id] = interaction
            self._write(interaction)

    def find(self, id_: str) -> Interaction:
        """The interaction of that id.

        Raises:
            Refused: there is none (any more).
        """
        self._expire()
        interaction = self._known.get(id_)
        if interaction is None:
            raise _unknown(id_, self._lost.get(id_, 404))
        return interaction

    def is_background(self, id_: str) -> bool:
        """Whether it is known, and was begun in the background."""
        return (found := self._known.get(id_)) is not None and found.background

    def settle(
        self,
        interaction: Interaction,
        status: str,
        *,
        steps: list[JsonObject],
        usage: JsonObject | None,
        errors: list[JsonObject] | None = None,
        continuation_token: str | None = None,
    ) -> None:
        """End the interaction. Nothing happens when it has ended already."""
        if not interaction.is_running:
            return
        interaction.status, interaction.steps, interaction.usage = status, steps, usage
        interaction.errors = errors or []
        interaction.continuation_token = continuation_token
        interaction.updated = self._clock()
        interaction.said = _said(interaction)
        if self._known.get(interaction.id) is interaction:
            self._write(interaction)
        self.bell.ring()

    def forget(self, id_: str) -> None:
        """Remove an interaction, from the record too. One that is running goes on, unheard."""
        self._known.pop(id_, None)
        self._record.remove(id_)

    def forget_all(self, *, status: int) -> None:
        """Remove every interaction; from now on their ids are answered with *status*."""
        for id_ in list(self._known):
            self.forget(id_)
            self._lost[id_] = status

    def chain(self, previous: str | None) -> list[Interaction]:
        """The interactions that lead up to *previous* and itself, oldest first, as far as they are known."""
        chain: list[Interaction] = []
        while previous is not None and (interaction := self._known.get(previous)) is not None:
            chain.append(interaction)
            previous = interaction.previous
        chain.reverse()
        return chain

    def _write(self, interaction: Interaction) -> None:
        self._record.put(interaction.id, _for_record(interaction))

    def _expire(self) -> None:
        oldest_kept = self._clock() - self._retention
        while self._known:
            oldest = next(iter(self._known.values()))
            if oldest.created >= oldest_kept:
                return
            self.forget(oldest.id)


def _said(interaction: Interaction) -> tuple[Utterance, ...]:
    return (*utterances(interaction.input), *utterances(interaction.steps))


def _unknown(id_: str, status: int) -> Refused:
    match status:
        case 403:
            return Refused(403, "permission_denied", f"no permission for interaction {id_}, or it does not exist")
        case 400:
            return Refused(400, "invalid_request", f"previous interaction {id_} is invalid or has expired")
        case _:
            return Refused(404, "not_found", f"interaction {id_} not found")


def _for_record(interaction: Interaction) -> JsonObject:
    kept: JsonObject = {
        "status": interaction.status,
        "owner": interaction.owner,
        "created": interaction.created,
        "updated": interaction.updated,
        "input": interaction.input,
        "steps": interaction.steps,
        "errors": interaction.errors,
    }
    if interaction.previous is not None:
        kept["previous"] = interaction.previous
    if interaction.usage is not None:
        kept["usage"] = interaction.usage
    return kept


def _from_record(id_: str, kept: JsonObject) -> Interaction:
    owner, usage, created, updated = (kept.get(key) for key in ("owner", "usage", "created", "updated"))
    interaction = Interaction(
        id=id_,
        owner={str(key): str(value) for key, value in owner.items()} if isinstance(owner, dict) else {},
        input=objects_in(kept, "input"),
        created=created if isinstance(created, (int, float)) else 0.0,
        previous=text_in(kept, "previous") or None,
        status=text_in(kept, "status"),
        steps=objects_in(kept, "steps"),
        usage=usage if isinstance(usage, dict) else None,
        errors=objects_in(kept, "errors"),
        updated=updated if isinstance(updated, (int, float)) else 0.0,
    )
    interaction.said = _said(interaction)
    return interaction
