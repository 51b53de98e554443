"""What is handed to the app, and how that went."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from tests.support.slack.json_types import JsonObject

DeliveryKind = Literal["events_api", "slash_commands", "interactive"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try.

    Attributes:
        number: 0 is the first delivery.
        failure: None when it was acknowledged; else what Slack would call the reason.
        where: the number of the socket, or None over HTTP.
    """

    number: int
    at: float
    failure: str | None
    where: int | None = None


@dataclass(slots=True, eq=False)
class Delivery:
    """One event, command or click on its way to the app.

    Attributes:
        name: the event's type, with a message's subtype: ``app_mention``, ``message.message_changed``.
        ts: of the message it is about, if any.
        answer: what came back with the acknowledgement.
        outcome: None while it is under way; ``acknowledged``, ``given up``, or ``lost`` by a fault.
    """

    kind: DeliveryKind
    name: str
    payload: JsonObject
    ts: str | None = None
    answer: JsonObject | None = None
    outcome: Literal["acknowledged", "given up", "lost"] | None = None
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def event_id(self) -> str | None:
        return self.payload.get("event_id")

    @property
    def is_acknowledged(self) -> bool:
        return self.outcome == "acknowledged"

    @property
    def retries(self) -> int:
        return max(0, len(self.attempts) - 1)


@dataclass(frozen=True, slots=True)
class Ack:
    """An acknowledgement as it came in."""

    envelope_id: str
    delivery: Delivery
    payload: JsonObject | None
    socket: int
    sent_over: int
    at: float
    is_accepted: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """How one attempt ended."""

    failure: str | None
    answer: JsonObject | None = None
    where: int | None = None
    is_final: bool = False  # X-Slack-No-Retry


class Transport(Protocol):
    """A way to the app: Socket Mode or HTTP."""

    may_reorder: bool

    async def attempt(self, delivery: Delivery, number: int, reason: str) -> Tried:
        """Hand the delivery over once and wait for the acknowledgement as long as Slack does."""
        ...
