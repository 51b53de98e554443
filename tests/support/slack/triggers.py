"""What a person's act lets the app do for a while: open a modal (trigger_id), answer through a response_url."""

from dataclasses import dataclass

from tests.support.slack.clock import Clock
from tests.support.slack.posts import Post
from tests.support.slack.refusal import Refused

TRIGGER_LIFE = 3.0  # [8] views.open within 3 s
URL_LIFE, URL_USES = 1800.0, 5  # [4] 5 uses in 30 minutes


@dataclass(slots=True, eq=False)
class ResponseUrl:
    """Where answers to one act may be posted.

    Attributes:
        source: the message the act was done on, which may be replaced or deleted through the URL.
    """

    ticket: str
    person: str
    channel: str
    thread_ts: str | None
    source: Post | None
    made_at: float
    uses: int = 0


class Triggers:
    """Hands out trigger ids and response URLs, and takes them back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._triggers: dict[str, tuple[str, float]] = {}
        self._urls: dict[str, ResponseUrl] = {}

    def trigger(self, person: str) -> str:
        id_ = f"{len(self._triggers) + 1}.{int(self._clock.now())}.abcdef"
        self._triggers[id_] = person, self._clock.now()
        return id_

    def use(self, trigger_id: str) -> str:
        """The person whose act this was. A trigger is good for one modal, for three seconds."""
        if trigger_id not in self._triggers:
            raise Refused("invalid_trigger_id")
        person, at = self._triggers[trigger_id]
        if at < 0:
            raise Refused("exchanged_trigger_id")
        if self._clock.now() - at > TRIGGER_LIFE:
            raise Refused("expired_trigger_id")
        self._triggers[trigger_id] = person, -1.0
        return person

    def response_url(self, person: str, channel: str, thread_ts: str | None, source: Post | None) -> ResponseUrl:
        ticket = f"r{len(self._urls) + 1}"
        self._urls[ticket] = ResponseUrl(ticket, person, channel, thread_ts, source, self._clock.now())
        return self._urls[ticket]

    def spend(self, ticket: str) -> ResponseUrl:
        """Use a response URL once."""
        url = self._urls.get(ticket)
        if url is None or self._clock.now() - url.made_at > URL_LIFE:
            raise Refused("expired_url", status=404)
        if url.uses >= URL_USES:
            raise Refused("used_url", status=404)
        url.uses += 1
        return url
